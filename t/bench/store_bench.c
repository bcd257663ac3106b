/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_bench - what a decision costs: threads that reserve and commit on
 * random counters of a local store
 *
 *     store_bench [--path FILE] [--keys N] [--threads N] [--seconds N]
 *                 [--warm N] [--memory MIB] [--hot N] [--fill-only]
 *
 * The file is filled up to N counters first, unless it has that many (the last
 * one is there). --hot: only N counters are asked, spread over all of them. One
 * line of key=value comes out: microseconds of CPU of the whole process a pair,
 * what a pair took, and the slowest ones; and the process's memory. --warm: all
 * that will be asked is looked at once, and so many seconds are not counted.
 * Without --path: memory alone. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <mfx/base/log.h>
#include <mfx/store/store_local.h>

enum {
    WAIT_MS = 60000,
    SAMPLES = 200000, /* of each thread */
};

struct bench {
    struct mfx_store *store;
    uint64_t keys, asked;
    uint64_t until_ms;
    atomic_uint_fast64_t failures;
};

struct worker {
    pthread_t thread;
    struct bench *bench;
    unsigned number;
    uint64_t random, pairs;
    uint32_t *nanoseconds; /* of the pairs, the first SAMPLES of them */
};

/* As a quota of a day would have it. */
static const struct mfx_store_window window = {
    .shape = MFX_STORE_SLIDING,
    .span_ms = 86400000,
    .limit = UINT64_C(1) << 40,
};

static void
name_key(char name[48], uint64_t key)
{
    (void)snprintf(name, 48, "logins/user%08llu@example.org",
                   (unsigned long long)key);
}

static struct mfx_store_use
use_of(char name[48], uint64_t key)
{
    name_key(name, key);
    return (struct mfx_store_use){.kind = MFX_STORE_AMOUNT,
                                  .counter = mfx_str_of(name),
                                  .windows = &window,
                                  .window_count = 1,
                                  .amount = 1};
}

static bool
ask(struct bench *bench, enum mfx_store_op op, const char *holder,
    const struct mfx_store_use *uses, size_t count)
{
    struct mfx_err err = {""};
    if (mfx_store_ask(bench->store, op, mfx_str_of(holder), uses, count, 60000,
                      WAIT_MS, NULL, NULL, &err) == MFX_OK)
        return true;
    if (atomic_fetch_add(&bench->failures, 1) == 0)
        (void)fprintf(stderr, "store_bench: %s\n", err.msg);
    return false;
}

/* --- filling --- */

static bool
has_key(struct bench *bench, uint64_t key)
{
    char name[48];
    struct mfx_store_use use = use_of(name, key);
    struct mfx_store_answer answer;
    struct mfx_arena *arena = mfx_arena_new(0);
    bool is_there =
        mfx_store_ask(bench->store, MFX_STORE_CHECK, mfx_str_of(""), &use, 1, 0,
                      WAIT_MS, arena, &answer, NULL) == MFX_OK &&
        answer.readings[0].levels[0].used > 0;
    mfx_arena_free(arena);
    return is_there;
}

static bool
fill(struct bench *bench)
{
    static char names[MFX_STORE_USES_MAX][48];
    static struct mfx_store_use uses[MFX_STORE_USES_MAX];
    char holder[32];
    for (uint64_t key = 0; key < bench->keys;) {
        size_t count = 0;
        (void)snprintf(holder, sizeof holder, "fill%llu",
                       (unsigned long long)key);
        for (; count < MFX_STORE_USES_MAX && key < bench->keys; count++, key++)
            uses[count] = use_of(names[count], key);
        if (!ask(bench, MFX_STORE_TAKE, holder, uses, count))
            return false;
    }
    return true;
}

/* As to a process that has been running for a while. */
static bool
meet(struct bench *bench)
{
    static char names[MFX_STORE_USES_MAX][48];
    static struct mfx_store_use uses[MFX_STORE_USES_MAX];
    uint64_t stride = bench->keys / bench->asked;
    for (uint64_t key = 0; key < bench->asked;) {
        size_t count = 0;
        for (; count < MFX_STORE_USES_MAX && key < bench->asked; count++, key++)
            uses[count] = use_of(names[count], key * stride);
        if (!ask(bench, MFX_STORE_CHECK, "", uses, count))
            return false;
    }
    return true;
}

/* --- measuring --- */

static uint64_t
nanoseconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void *
work(void *arg)
{
    struct worker *worker = arg;
    struct bench *bench = worker->bench;
    uint64_t random = worker->random;
    uint64_t stride = bench->keys / bench->asked;
    char name[48], holder[40];
    while (mfx_mono_ms() < bench->until_ms) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        struct mfx_store_use use =
            use_of(name, (random >> 8) % bench->asked * stride);
        (void)snprintf(holder, sizeof holder, "s%u/%llx", worker->number,
                       (unsigned long long)random);
        uint64_t begin = nanoseconds();
        if (!ask(bench, MFX_STORE_RESERVE, holder, &use, 1) ||
            !ask(bench, MFX_STORE_COMMIT, holder, &use, 1))
            break;
        uint64_t took = nanoseconds() - begin;
        if (worker->pairs < SAMPLES)
            worker->nanoseconds[worker->pairs] =
                took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
        worker->pairs++;
    }
    worker->random = random;
    return NULL;
}

static double
cpu_us(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int
compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void
start_counting(struct worker *workers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        workers[i].pairs = 0;
}

static bool
run(struct worker *workers, size_t threads, uint64_t seconds)
{
    workers->bench->until_ms = mfx_mono_ms() + seconds * 1000;
    for (size_t i = 0; i < threads; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return false;
    for (size_t i = 0; i < threads; i++)
        (void)pthread_join(workers[i].thread, NULL);
    return true;
}

static void
report(const struct bench *bench, struct worker *workers, size_t count,
       double cpu, double wall_us)
{
    struct mfx_store_health health;
    struct rusage usage;
    uint64_t pairs = 0;
    size_t sampled = 0;
    uint32_t *all = calloc(count * SAMPLES, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        size_t some =
            workers[i].pairs < SAMPLES ? (size_t)workers[i].pairs : SAMPLES;
        pairs += workers[i].pairs;
        if (all != NULL)
            memcpy(all + sampled, workers[i].nanoseconds, some * sizeof *all);
        sampled += some;
    }
    if (all == NULL || sampled == 0)
        return;
    qsort(all, sampled, sizeof *all, compare);
    mfx_store_health(bench->store, &health);
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf(
        "keys=%llu asked=%llu threads=%zu pairs=%llu pairs_per_s=%.0f "
        "cpu_us=%.1f p50_us=%.0f p99_us=%.0f max_us=%.0f "
        "rss_mib=%ld file_mib=%llu counters=%llu failures=%llu\n",
        (unsigned long long)bench->keys, (unsigned long long)bench->asked,
        count, (unsigned long long)pairs, (double)pairs * 1e6 / wall_us,
        cpu / (double)pairs, all[sampled / 2] / 1e3,
        all[sampled - 1 - sampled / 100] / 1e3, all[sampled - 1] / 1e3,
        usage.ru_maxrss >> 10, (unsigned long long)health.file_bytes >> 20,
        (unsigned long long)health.counters,
        (unsigned long long)atomic_load(&bench->failures));
    free(all);
}

static bool
measure(struct bench *bench, size_t threads, uint64_t warm, uint64_t seconds)
{
    struct worker *workers = calloc(threads, sizeof *workers);
    bool is_ready = workers != NULL;
    for (size_t i = 0; is_ready && i < threads; i++) {
        workers[i].bench = bench;
        workers[i].number = (unsigned)i;
        workers[i].random = (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
        workers[i].nanoseconds = calloc(SAMPLES, sizeof(uint32_t));
        is_ready = workers[i].nanoseconds != NULL;
    }
    if (!is_ready)
        return false;
    if (warm > 0 && !(meet(bench) && run(workers, threads, warm)))
        return false;
    start_counting(workers, threads);
    double cpu = cpu_us();
    uint64_t begin = nanoseconds();
    if (!run(workers, threads, seconds))
        return false;
    report(bench, workers, threads, cpu_us() - cpu,
           (double)(nanoseconds() - begin) / 1e3);
    for (size_t i = 0; i < threads; i++)
        free(workers[i].nanoseconds);
    free(workers);
    return atomic_load(&bench->failures) == 0;
}

/* --- options --- */

static const char *
option(int argc, char **argv, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return otherwise;
}

static uint64_t
number(int argc, char **argv, const char *name, const char *otherwise)
{
    return strtoull(option(argc, argv, name, otherwise), NULL, 10);
}

int
main(int argc, char **argv)
{
    struct mfx_env env = mfx_env_system();
    struct mfx_store_local_settings settings = {
        .path = option(argc, argv, "--path", NULL),
        .memory_bytes = number(argc, argv, "--memory", "64") << 20,
    };
    struct bench bench = {.keys = number(argc, argv, "--keys", "1000")};
    bench.asked =
        number(argc, argv, "--hot", option(argc, argv, "--keys", "1000"));
    mfx_log_set_level(MFX_LOG_WARNING);
    bench.store = mfx_store_local_open(&settings, &env);
    if (bench.store == NULL || bench.asked == 0 || bench.asked > bench.keys)
        return 1;
    bool is_well = has_key(&bench, bench.keys - 1) || fill(&bench);
    bool only_fills = argc > 1 && strcmp(argv[argc - 1], "--fill-only") == 0;
    if (is_well && !only_fills)
        is_well = measure(&bench, number(argc, argv, "--threads", "16"),
                          number(argc, argv, "--warm", "0"),
                          number(argc, argv, "--seconds", "5"));
    mfx_store_close(bench.store, WAIT_MS);
    return is_well ? 0 : 1;
}
