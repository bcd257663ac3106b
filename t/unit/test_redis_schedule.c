/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Exactness of the Redis store: random schedules beside the model that the
 * local store is held to, with a server whose clock stands still while it
 * decides. MFX_SEED=N and MFX_SCHEDULES=N in the environment choose others. */
#include "redis_store.h"
#include "store_model.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum {
    SCHEDULES = 400,
};

static const uint64_t first_ms = UINT64_C(1790000000000);

static struct redis_server server;

struct remote {
    char path[64]; /* the clock's file */
    atomic_uint_fast64_t *clock_ms;
    struct mfx_store *store;
};

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* --- a server with a clock of ours --- */

static void
make_clock(struct remote *remote)
{
    (void)snprintf(remote->path, sizeof remote->path,
                   "/tmp/mfx-redis-clock-XXXXXX");
    int fd = mkstemp(remote->path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, sizeof *remote->clock_ms), 0);
    void *mapped = mmap(NULL, sizeof *remote->clock_ms, PROT_READ | PROT_WRITE,
                        MAP_SHARED, fd, 0);
    assert_true(mapped != MAP_FAILED);
    remote->clock_ms = mapped;
    atomic_store(remote->clock_ms, first_ms);
    (void)close(fd);
}

static void
open_remote(struct remote *remote)
{
    char answer[40];
    make_clock(remote);
    (void)setenv("MFX_REDIS_CLOCK", remote->path, 1);
    (void)setenv("LD_PRELOAD", REDIS_CLOCK, 1);
    bool is_started = redis_server_start(&server, NULL);
    (void)unsetenv("LD_PRELOAD");
    assert_true(is_started);
    assert_string_equal(
        redis_server_say(&server, "TIME", answer, sizeof answer), "1790000000");
    remote->store = rs_open(server.text);
}

static void
close_remote(struct remote *remote)
{
    mfx_store_close(remote->store, RS_WAIT_MS);
    redis_server_stop(&server);
    (void)munmap(remote->clock_ms, sizeof *remote->clock_ms);
    (void)unlink(remote->path);
}

/* --- as a place --- */

static struct mfx_store *
remote_store(void *arg)
{
    struct remote *remote = arg;
    return remote->store;
}

static uint64_t
remote_now_ms(void *arg)
{
    struct remote *remote = arg;
    return atomic_load(remote->clock_ms);
}

static uint64_t
remote_wall_s(void *arg)
{
    return remote_now_ms(arg) / 1000;
}

static void
remote_pass(void *arg, uint64_t ms)
{
    struct remote *remote = arg;
    (void)atomic_fetch_add(remote->clock_ms, ms);
}

/* Another relay goes on with what this one left; the server may have forgotten
 * the scripts. */
static uint64_t
remote_restart(void *arg, uint64_t random)
{
    struct remote *remote = arg;
    char answer[40];
    if (random % 2 == 0)
        mfx_store_close(remote->store, RS_WAIT_MS);
    if (random % 3 != 0)
        assert_string_equal(
            redis_server_say(&server, "SCRIPT FLUSH", answer, sizeof answer),
            "OK");
    if (random % 2 == 0)
        remote->store = rs_open(server.text);
    return 0;
}

static void
schedules_in_redis(void **state)
{
    static char why[16384];
    (void)state;
    struct remote remote = {.store = NULL};
    uint64_t seed = number_of("MFX_SEED", (uint64_t)time(NULL));
    open_remote(&remote);
    struct store_model_place place = {
        .arg = &remote,
        .store = remote_store,
        .now_ms = remote_now_ms,
        .pass = remote_pass,
        .unit_ms = 60000,
        .restart = remote_restart,
        .restart_keeps_holds = true,
        .wall_s = remote_wall_s,
    };
    print_message("# seed %llu\n", (unsigned long long)seed);
    bool is_right = store_model_run(
        &place, seed, (unsigned)number_of("MFX_SCHEDULES", SCHEDULES), why,
        sizeof why);
    close_remote(&remote);
    if (!is_right) {
        (void)fprintf(stderr, "%s\n", why);
        fail_msg("schedule");
    }
}

/* A server does not start with what only a sanitized program can load. */
static bool
is_sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
    /* clang's way; gcc 14 knows it, too */
    return __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
    return false;
#endif
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_in_redis),
    };
    if (!redis_server_is_there() || is_sanitized()) {
        (void)printf("1..0 # SKIP no redis-server whose clock could be set\n");
        return 0;
    }
    mfx_log_set_level(MFX_LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
