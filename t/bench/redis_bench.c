/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How long a decision through the Redis store takes, beside what a bare round
 * trip to the same server takes in the same program, slice by slice in turn.
 *
 *     redis_bench [--server HOST:PORT|unix:/PATH] [--threads N] [--rounds N]
 *
 * Without --server it starts a private one. For each kind one line:
 *
 *     redis kind=reserve threads=1 rounds=5000 p50_us=40 p99_us=71 ping_p50=3.1
 *         ping_p99=2.9 link_p50=2.0 link_p99=2.0
 *
 * kinds: ping, evalsha (a script that returns 1), each on a blocking connection
 * of the thread's own; link: PING on the store's connection, as its calls go;
 * reserve, commit: through the store, three sliding windows. The ratios are to
 * the same percentile of ping and of link.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/un.h>

#include <mfx/store/redis_place.h>
#include <mfx/store/store_redis.h>

#include "../unit/redis_server.h"

enum {
    THREADS_MAX = 64,
    SLICES = 100,
    WAIT_MS = 10000,
    LEASE_MS = 60000,
};

enum kind {
    PING,
    EVALSHA,
    LINK,
    RESERVE,
    COMMIT,
    KINDS,
};

static const char *const names[] = {"ping", "evalsha", "link", "reserve",
                                    "commit"};

struct worker {
    pthread_t thread;
    unsigned number;
    enum kind kind;
    size_t rounds, done, failed;
    int fd;
    const char *sha;
    struct mfx_store *store;
    struct mfx_arena *arena;
    uint32_t *took_us[KINDS];
    size_t count[KINDS];
    uint64_t holder;
};

static void
die(const char *what)
{
    (void)fprintf(stderr, "redis_bench: %s\n", what);
    exit(1);
}

static uint64_t
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- a bare round trip --- */

static int
connect_bare(const char *server)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET};
    int fd = -1, on = 1, failed = -1;
    unsigned port = 0;
    char host[64] = "";
    if (strncmp(server, "unix:", 5) == 0) {
        (void)snprintf(un.sun_path, sizeof un.sun_path, "%s", server + 5);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        failed = connect(fd, (struct sockaddr *)&un, sizeof un);
    } else if (sscanf(server, "%63[^:]:%5u", host, &port) == 2 &&
               inet_pton(AF_INET, host, &in.sin_addr) == 1) {
        in.sin_port = htons((uint16_t)port);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        failed = connect(fd, (struct sockaddr *)&in, sizeof in);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (failed != 0)
        die("cannot connect");
    return fd;
}

/* The answer is one line, or a bulk that comes with it. */
static size_t
talk(int fd, const char *command, char *answer, size_t size)
{
    size_t len = strlen(command);
    if (send(fd, command, len, MSG_NOSIGNAL) != (ssize_t)len)
        return 0;
    ssize_t got = recv(fd, answer, size - 1, 0);
    if (got <= 0)
        return 0;
    answer[got] = '\0';
    return (size_t)got;
}

static bool
ask_bare(struct worker *w)
{
    char command[160], answer[256];
    if (w->kind == PING)
        return talk(w->fd, "*1\r\n$4\r\nPING\r\n", answer, sizeof answer) > 0 &&
               answer[0] == '+';
    (void)snprintf(command, sizeof command,
                   "*3\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n$1\r\n0\r\n", w->sha);
    return talk(w->fd, command, answer, sizeof answer) > 0 && answer[0] == ':';
}

/* --- on the store's connection --- */

struct ping {
    struct mfx_redis_item item;
    struct mfx_event event;
    bool is_right;
};

static void
take_pong(struct mfx_redis_item *item, void *arg,
          const struct mfx_redis_reply *reply, bool was_sent)
{
    struct ping *ping = (struct ping *)item;
    (void)arg;
    ping->is_right =
        was_sent && reply != NULL && mfx_str_is(reply->text, "PONG");
    mfx_event_set(&ping->event);
}

static bool
ask_link(struct worker *w)
{
    struct mfx_redis_place *place = (struct mfx_redis_place *)w->store;
    struct ping ping = {
        .item = {.bytes = MFX_STR("*1\r\n$4\r\nPING\r\n"),
                 .answered = take_pong}
    };
    mfx_event_init(&ping.event);
    (void)pthread_mutex_lock(&place->mutex);
    mfx_redis_link_send(&place->links[0], &ping.item, mfx_mono_ms());
    (void)pthread_mutex_unlock(&place->mutex);
    (void)mfx_event_wait(&ping.event, UINT64_MAX / 2);
    mfx_event_fini(&ping.event);
    return ping.is_right;
}

/* --- through the store --- */

static bool
ask_store(struct worker *w, enum mfx_store_op op)
{
    static const struct mfx_store_window windows[] = {
        {.shape = MFX_STORE_SLIDING, .span_ms = 60000,    .limit = 100000000},
        {.shape = MFX_STORE_SLIDING, .span_ms = 3600000,  .limit = 200000000},
        {.shape = MFX_STORE_SLIDING, .span_ms = 86400000, .limit = 500000000},
    };
    char counter[40], holder[40];
    (void)snprintf(counter, sizeof counter, "bench/user%u", w->number);
    (void)snprintf(holder, sizeof holder, "b%d/%u/%llu", (int)getpid(),
                   w->number, (unsigned long long)w->holder);
    struct mfx_store_use use = {.kind = MFX_STORE_AMOUNT,
                                .counter = mfx_str_of(counter),
                                .windows = windows,
                                .window_count = 3,
                                .amount = 1};
    struct mfx_store_answer answer;
    enum mfx_rc rc = mfx_store_ask(w->store, op, mfx_str_of(holder), &use, 1,
                                   LEASE_MS, WAIT_MS, w->arena, &answer, NULL);
    mfx_arena_reset(w->arena);
    return rc == MFX_OK && answer.outcome == MFX_STORE_DONE;
}

static bool
ask(struct worker *w)
{
    switch (w->kind) {
    case PING:
    case EVALSHA:
        return ask_bare(w);
    case LINK:
        return ask_link(w);
    case RESERVE:
        return ask_store(w, MFX_STORE_RESERVE);
    case COMMIT:
        return ask_store(w, MFX_STORE_COMMIT);
    case KINDS:
        break;
    }
    return false;
}

static void *
work(void *arg)
{
    struct worker *w = arg;
    for (size_t i = 0; i < w->rounds; i++) {
        w->holder++;
        uint64_t begin_ns = now_ns();
        bool is_done = ask(w);
        w->took_us[w->kind][w->count[w->kind]++] =
            (uint32_t)((now_ns() - begin_ns) / 1000);
        w->failed += !is_done;
        if (w->kind == RESERVE)
            (void)ask_store(w, MFX_STORE_RELEASE);
    }
    return NULL;
}

/* --- figures --- */

static int
compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static uint32_t *
collect(const struct worker *workers, size_t threads, enum kind kind,
        size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < threads; i++)
        *count += workers[i].count[kind];
    uint32_t *all = calloc(*count, sizeof *all);
    if (all == NULL)
        die("out of memory");
    size_t at = 0;
    for (size_t i = 0; i < threads; i++) {
        memcpy(all + at, workers[i].took_us[kind],
               workers[i].count[kind] * sizeof *all);
        at += workers[i].count[kind];
    }
    qsort(all, *count, sizeof *all, compare);
    return all;
}

static void
report(const struct worker *workers, size_t threads)
{
    double p50[KINDS], p99[KINDS];
    for (enum kind kind = PING; kind < KINDS; kind++) {
        size_t count;
        uint32_t *all = collect(workers, threads, kind, &count);
        p50[kind] = all[count / 2];
        p99[kind] = all[count * 99 / 100];
        (void)printf("redis kind=%s threads=%zu rounds=%zu p50_us=%.0f "
                     "p99_us=%.0f",
                     names[kind], threads, count, p50[kind], p99[kind]);
        if (kind == RESERVE || kind == COMMIT)
            (void)printf(" ping_p50=%.2f ping_p99=%.2f link_p50=%.2f "
                         "link_p99=%.2f",
                         p50[kind] / p50[PING], p99[kind] / p99[PING],
                         p50[kind] / p50[LINK], p99[kind] / p99[LINK]);
        (void)printf("\n");
        free(all);
    }
}

static void
run(struct worker *workers, size_t threads, size_t rounds)
{
    for (size_t slice = 0; slice < SLICES; slice++) {
        for (size_t kind = 0; kind < KINDS; kind++) {
            for (size_t i = 0; i < threads; i++) {
                workers[i].kind = (enum kind)kind;
                workers[i].rounds = rounds / SLICES;
                if (pthread_create(&workers[i].thread, NULL, work,
                                   &workers[i]) != 0)
                    die("no thread");
            }
            for (size_t i = 0; i < threads; i++)
                (void)pthread_join(workers[i].thread, NULL);
        }
    }
}

/* Connecting is no part of a call. */
static void
wait_up(struct mfx_store *store)
{
    struct mfx_store_health health = {.is_up = false};
    uint64_t until_ms = mfx_mono_ms() + WAIT_MS;
    while (!health.is_up && mfx_mono_ms() < until_ms) {
        redis_sleep_ms(5);
        mfx_store_health(store, &health);
    }
    if (!health.is_up)
        die("the store does not come up");
}

static const char *
load_script(const char *server, char sha[41])
{
    char answer[256];
    int fd = connect_bare(server);
    if (talk(fd, "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$8\r\nreturn 1\r\n",
             answer, sizeof answer) == 0 ||
        sscanf(answer, "$40 %40s", sha) != 1)
        die("no script");
    (void)close(fd);
    return sha;
}

static void
bench(const char *server, size_t threads, size_t rounds)
{
    static struct worker workers[THREADS_MAX];
    char sha[41];
    struct mfx_env env = mfx_env_system();
    struct mfx_str one = mfx_str_of(server);
    struct mfx_store_redis_settings settings = {
        .servers = &one, .server_count = 1, .timeout_ms = WAIT_MS};
    struct mfx_err err = {{0}};
    struct mfx_store *store = mfx_store_redis_open(&settings, &env, &err);
    size_t failed = 0;
    if (store == NULL)
        die(err.msg);
    wait_up(store);
    (void)load_script(server, sha);
    for (size_t i = 0; i < threads; i++) {
        workers[i] = (struct worker){.number = (unsigned)i,
                                     .fd = connect_bare(server),
                                     .sha = sha,
                                     .store = store,
                                     .arena = mfx_arena_new(0)};
        for (size_t k = 0; k < KINDS; k++)
            workers[i].took_us[k] = calloc(rounds, sizeof(uint32_t));
    }
    run(workers, threads, rounds);
    report(workers, threads);
    for (size_t i = 0; i < threads; i++) {
        failed += workers[i].failed;
        (void)close(workers[i].fd);
        mfx_arena_free(workers[i].arena);
        for (size_t k = 0; k < KINDS; k++)
            free(workers[i].took_us[k]);
    }
    mfx_store_close(store, WAIT_MS);
    if (failed > 0)
        die("some answers were wrong");
}

int
main(int argc, char **argv)
{
    struct redis_server own = {.is_tls = false};
    const char *server = NULL;
    size_t threads = 1, rounds = 5000;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--server") == 0)
            server = argv[i + 1];
        else if (strcmp(argv[i], "--threads") == 0)
            threads = strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--rounds") == 0)
            rounds = strtoul(argv[i + 1], NULL, 10);
        else
            die("usage: redis_bench [--server S] [--threads N] [--rounds N]");
    }
    if (threads == 0 || threads > THREADS_MAX || rounds < SLICES)
        die("between 1 and 64 threads, 100 rounds at least");
    if (server == NULL) {
        if (!redis_server_is_there() || !redis_server_start(&own, NULL))
            die("no redis-server");
        server = own.text;
    }
    bench(server, threads, rounds);
    redis_server_stop(&own);
    return 0;
}
