/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Exactness of the local store: random schedules beside a model, a process that
 * is killed in the middle, and many threads that want the last place.
 * MFX_SEED=N and MFX_SCHEDULES=N in the environment choose others. */
#include "store_bench.h"
#include "store_model.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mfx/base/log.h>

enum {
    SCHEDULES = 2500,
    KILLS = 25,
    KILLED_COUNTERS = 5,
    THREADS = 50,
    LIMIT = 500,
    TRIES = 60, /* of each thread */
};

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* --- a local store as a place --- */

struct local {
    char dir[64], path[128];
    struct store_clock clock;
    struct mfx_env env;
    struct mfx_store_local_settings settings;
    struct mfx_store *store;
};

static void
open_local(struct local *local, bool has_file)
{
    memset(local, 0, sizeof *local);
    store_make_dir(local->dir);
    (void)snprintf(local->path, sizeof local->path, "%s/quota.db", local->dir);
    store_clock_init(&local->clock, &local->env);
    local->settings.path = has_file ? local->path : NULL;
    /* little, so that counters come and go */
    local->settings.memory_bytes = has_file ? 20000 : 100 << 20;
    local->store = mfx_store_local_open(&local->settings, &local->env);
    assert_non_null(local->store);
}

static void
close_local(struct local *local)
{
    mfx_store_close(local->store, 10000);
    store_remove_dir(local->dir);
}

static struct mfx_store *
local_store(void *arg)
{
    struct local *local = arg;
    return local->store;
}

static uint64_t
local_now_ms(void *arg)
{
    struct local *local = arg;
    return atomic_load(&local->clock.mono_ms);
}

static void
local_pass(void *arg, uint64_t ms)
{
    struct local *local = arg;
    store_clock_go(&local->clock, ms);
}

static uint64_t
local_wall_s(void *arg)
{
    struct local *local = arg;
    return store_clock_wall_ms(&local->clock) / 1000;
}

static void
local_step_wall(void *arg, int64_t ms)
{
    struct local *local = arg;
    (void)atomic_fetch_add(&local->clock.wall_offset_ms, ms);
}

/* Some time passes without a store, and perhaps the clock is set back: that
 * much less has passed for it, and less than a second for the wall clock's
 * fraction. */
static uint64_t
local_restart(void *arg, uint64_t random)
{
    struct local *local = arg;
    uint64_t away_ms = random % 30000;
    uint64_t back_ms = (random >> 20) % 2 == 0 ? 0 : (random >> 21) % 60000;
    mfx_store_close(local->store, 10000);
    store_clock_go(&local->clock, away_ms);
    local_step_wall(local, -(int64_t)back_ms);
    local->store = mfx_store_local_open(&local->settings, &local->env);
    assert_non_null(local->store);
    assert_true(store_wait_up(local->store, true));
    return (back_ms < away_ms ? back_ms : away_ms) + 2000;
}

static void
run_place(bool has_file)
{
    static char why[16384];
    struct local local;
    uint64_t seed = number_of("MFX_SEED", (uint64_t)time(NULL) * 2 + has_file);
    open_local(&local, has_file);
    struct store_model_place place = {
        .arg = &local,
        .store = local_store,
        .now_ms = local_now_ms,
        .pass = local_pass,
        .unit_ms = 60000,
        .restart = has_file ? local_restart : NULL,
        .wall_s = local_wall_s,
        .step_wall = local_step_wall,
    };
    print_message("# seed %llu\n", (unsigned long long)seed);
    bool is_right = store_model_run(
        &place, seed, (unsigned)number_of("MFX_SCHEDULES", SCHEDULES), why,
        sizeof why);
    close_local(&local);
    if (!is_right) {
        (void)fprintf(stderr, "%s\n", why);
        fail_msg("schedule");
    }
}

static void
schedules_with_a_file(void **state)
{
    (void)state;
    run_place(true);
}

static void
schedules_in_memory(void **state)
{
    (void)state;
    run_place(false);
}

/* --- killed in the middle --- */

struct shared {
    atomic_uint_fast64_t begun[KILLED_COUNTERS], answered[KILLED_COUNTERS];
};

static struct mfx_store_use
use_of(unsigned counter, const struct mfx_store_window *window)
{
    static const char *const names[KILLED_COUNTERS] = {"k0", "k1", "k2", "k3",
                                                       "k4"};
    return store_use(names[counter], window, 1);
}

/* Several threads, so that transactions have several uses. */
struct worker {
    struct mfx_store *store;
    struct shared *shared;
    unsigned number;
};

static void *
work_until_killed(void *arg)
{
    struct worker *worker = arg;
    struct mfx_store_window window = store_sliding(86400000, UINT64_MAX);
    char holder[32];
    for (uint64_t i = 0;; i++) {
        unsigned c = (unsigned)((i * 7 + worker->number) % KILLED_COUNTERS);
        struct mfx_store_use use = use_of(c, &window);
        (void)snprintf(holder, sizeof holder, "%u/%llu", worker->number,
                       (unsigned long long)i);
        (void)atomic_fetch_add(&worker->shared->begun[c], 1);
        if (store_ask(worker->store,
                      i % 2 == 0 ? MFX_STORE_TAKE : MFX_STORE_COMMIT, holder,
                      &use, 1, 0, NULL)
                .rc == MFX_OK)
            (void)atomic_fetch_add(&worker->shared->answered[c], 1);
    }
    return NULL;
}

static void
be_killed(struct local *local, struct shared *shared)
{
    struct worker workers[4];
    pthread_t threads[4];
    mfx_log_set_level(MFX_LOG_ERROR);
    struct mfx_store *store =
        mfx_store_local_open(&local->settings, &local->env);
    for (unsigned i = 0; i < 4; i++) {
        workers[i] = (struct worker){store, shared, i};
        (void)pthread_create(&threads[i], NULL, work_until_killed, &workers[i]);
    }
    for (;;)
        (void)pause();
}

static void
check_survivors(struct local *local, const struct shared *shared,
                struct mfx_arena *arena)
{
    struct mfx_store_window window = store_sliding(86400000, UINT64_MAX);
    local->store = mfx_store_local_open(&local->settings, &local->env);
    assert_non_null(local->store);
    assert_true(store_wait_up(local->store, true));
    for (unsigned c = 0; c < KILLED_COUNTERS; c++) {
        struct mfx_store_use use = use_of(c, &window);
        struct store_said said =
            store_ask(local->store, MFX_STORE_CHECK, "", &use, 1, 0, arena);
        assert_int_equal(said.rc, MFX_OK);
        /* what was answered is there; what was not may be */
        assert_in_range(said.level.used, atomic_load(&shared->answered[c]),
                        atomic_load(&shared->begun[c]));
    }
    mfx_store_close(local->store, 10000);
}

static uint64_t
count_answered(const struct shared *shared)
{
    uint64_t answered = 0;
    for (unsigned c = 0; c < KILLED_COUNTERS; c++)
        answered += atomic_load(&shared->answered[c]);
    return answered;
}

/* Every second one only after it has answered something, however slow it is;
 * the others perhaps while they open the file. */
static void
wait_before_kill(const struct shared *shared, unsigned number)
{
    uint64_t before = count_answered(shared);
    uint64_t until_ms = mfx_mono_ms() + 10000;
    while (number % 2 == 0 && count_answered(shared) == before &&
           mfx_mono_ms() < until_ms)
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    (void)nanosleep(
        &(struct timespec){.tv_nsec = 5000000 + 3000000 * (number % 11)}, NULL);
}

static void
killed_in_the_middle(void **state)
{
    struct local local;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    (void)state;
    assert_true(shared != MAP_FAILED);
    open_local(&local, true);
    mfx_store_close(local.store, 10000);
    for (unsigned i = 0; i < KILLS; i++) {
        pid_t child = fork();
        if (child == 0)
            be_killed(&local, shared);
        assert_true(child > 0);
        wait_before_kill(shared, i);
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        check_survivors(&local, shared, arena);
    }
    uint64_t answered = count_answered(shared);
    print_message("# %llu uses survived %d kills\n",
                  (unsigned long long)answered, KILLS);
    assert_true(answered > KILLS / 2);
    store_remove_dir(local.dir);
    (void)munmap(shared, sizeof *shared);
    mfx_arena_free(arena);
}

/* --- many threads, one counter --- */

struct crowd {
    struct mfx_store *store;
    atomic_uint number, fitted, refused, committed;
};

static void *
push(void *arg)
{
    struct crowd *crowd = arg;
    struct mfx_store_window window = store_sliding(86400000, LIMIT);
    struct mfx_store_use use = store_use("one", &window, 1);
    struct mfx_arena *arena = mfx_arena_new(0);
    unsigned me = atomic_fetch_add(&crowd->number, 1);
    for (unsigned i = 0; i < TRIES; i++) {
        char holder[32];
        mfx_arena_reset(arena);
        (void)snprintf(holder, sizeof holder, "%u/%u", me, i);
        struct store_said said = store_ask(crowd->store, MFX_STORE_RESERVE,
                                           holder, &use, 1, 60000, arena);
        if (said.rc != MFX_OK || said.answer.outcome != MFX_STORE_DONE) {
            (void)atomic_fetch_add(&crowd->refused, 1);
            continue;
        }
        (void)atomic_fetch_add(&crowd->fitted, 1);
        /* one in three changes its mind */
        enum mfx_store_op op =
            (me + i) % 3 == 0 ? MFX_STORE_RELEASE : MFX_STORE_COMMIT;
        said = store_ask(crowd->store, op, holder, &use, 1, 0, arena);
        if (said.rc == MFX_OK && op == MFX_STORE_COMMIT)
            (void)atomic_fetch_add(&crowd->committed, 1);
        if (op == MFX_STORE_COMMIT && said.level.used > LIMIT)
            abort();
    }
    mfx_arena_free(arena);
    return NULL;
}

static void
run_crowd(bool has_file)
{
    struct local local;
    pthread_t threads[THREADS];
    struct mfx_arena *arena = mfx_arena_new(0);
    open_local(&local, has_file);
    struct crowd crowd = {.store = local.store};
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, push, &crowd), 0);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    /* all are gone, nothing is held: what is left fits exactly */
    struct mfx_store_window window = store_sliding(86400000, LIMIT);
    struct mfx_store_use use = store_use("one", &window, 0);
    struct store_said said =
        store_ask(local.store, MFX_STORE_CHECK, "", &use, 1, 0, arena);
    print_message("# %u fitted, %u committed, %u refused\n",
                  atomic_load(&crowd.fitted), atomic_load(&crowd.committed),
                  atomic_load(&crowd.refused));
    assert_int_equal(said.level.used, LIMIT);
    assert_int_equal(said.level.reserved, 0);
    assert_int_equal(atomic_load(&crowd.committed), LIMIT);
    close_local(&local);
    mfx_arena_free(arena);
}

static void
fifty_threads_with_a_file(void **state)
{
    (void)state;
    run_crowd(true);
}

static void
fifty_threads_in_memory(void **state)
{
    (void)state;
    run_crowd(false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_in_memory),
        cmocka_unit_test(schedules_with_a_file),
        cmocka_unit_test(killed_in_the_middle),
        cmocka_unit_test(fifty_threads_in_memory),
        cmocka_unit_test(fifty_threads_with_a_file),
    };
    mfx_log_set_level(MFX_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
