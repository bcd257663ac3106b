/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a scan costs us: our own CPU for one, with so many at once, beside a bare
 * request of a thread of its own with the same bytes.
 *
 *     scan_bench rspamd|spamd|clamd PORT [--threads N] [--rounds N]
 *         [--size BYTES] [--session] [--files]
 *
 * PORT: of a scan_stub on loopback. Each thread has a message after a message:
 * a body in memory, a scan, a wait. Lines:
 *
 *     scan p50_us=200 p99_us=900 p999_us=2000
 *     bare p50_us=100 p99_us=500 p999_us=1500
 *     scan engine=rspamd threads=16 size=4096 rounds=20000 scan_us=41.0
 *         user_us=20.1 bare_us=14.0 ratio=2.93
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <mfx/base/env.h>
#include <mfx/scan/clamd.h>
#include <mfx/scan/rspamd.h>
#include <mfx/scan/spamd.h>

#include "floor_request.h"

enum {
    THREADS_MAX = 256,
    PATIENCE_MS = 30000,
};

struct bench {
    const char *kind, *port;
    size_t threads, rounds, size;
    bool uses_sessions, is_bare;
    struct mfx_scan_loop *loop;
    struct mfx_scan_engine *engine;
    char *message;
};

struct worker {
    pthread_t thread;
    const struct bench *bench;
    size_t failed, count;
    uint32_t *took_us;
};

static void
die(const char *what, const char *more)
{
    (void)fprintf(stderr, "scan_bench: %s %s\n", what, more);
    exit(1);
}

/* --- ours --- */

static enum mfx_rc
new_engine(struct bench *b, const struct mfx_scan_engine_settings *settings,
           struct mfx_err *err)
{
    struct mfx_clamd_settings clamd = mfx_clamd_settings_default();
    struct mfx_spamd_settings spamd = mfx_spamd_settings_default();
    struct mfx_rspamd_settings rspamd = mfx_rspamd_settings_default();
    clamd.uses_sessions = b->uses_sessions;
    if (strcmp(b->kind, "clamd") == 0)
        return mfx_clamd_new(b->loop, settings, &clamd, &b->engine, err);
    if (strcmp(b->kind, "spamd") == 0)
        return mfx_spamd_new(b->loop, settings, &spamd, &b->engine, err);
    return mfx_rspamd_new(b->loop, settings, &rspamd, &b->engine, err);
}

static void
open_engine(struct bench *b)
{
    char address[40];
    struct mfx_err err = {{0}};
    (void)snprintf(address, sizeof address, "127.0.0.1:%s", b->port);
    struct mfx_scan_server server = {.address = mfx_str_of(address)};
    struct mfx_scan_engine_settings settings =
        mfx_scan_engine_settings_default();
    settings.servers = &server;
    settings.server_count = 1;
    settings.max_requests = settings.max_queue = THREADS_MAX;
    settings.max_connections = THREADS_MAX;
    if (mfx_scan_loop_new(&b->loop, &err) != MFX_OK ||
        new_engine(b, &settings, &err) != MFX_OK)
        die("cannot begin:", err.msg);
}

static bool
scan_one(const struct bench *b, struct mfx_arena *arena)
{
    static const struct mfx_scan_recipient to[] = {
        {MFX_STR("bob@example.net"), MFX_STR("")}
    };
    struct mfx_scan_envelope envelope = {
        .client_name = MFX_STR("mx.example.org"),
        .helo = MFX_STR("mx.example.org"),
        .protocol = MFX_STR("ESMTP"),
        .sender = MFX_STR("alice@example.org"),
        .recipients = to,
        .recipient_count = 1,
        .queue_id = MFX_STR("4ABCDEF"),
        .mta_name = MFX_STR("mx.example.net"),
    };
    if (mfx_ip_parse(mfx_str_of("192.0.2.1"), &envelope.client) != MFX_OK)
        return false;
    struct mfx_scan_body *body = mfx_scan_body_new(1 << 18, NULL);
    struct mfx_scan_request request = {
        .envelope = &envelope, .body = body, .time_ms = PATIENCE_MS};
    struct mfx_event *event;
    size_t head = b->size < 500 ? b->size : 500;
    /* as a filter has it: the header, the body, the end */
    mfx_scan_body_add(body, mfx_str(b->message, head));
    struct mfx_scan *scan = mfx_scan_begin(arena, b->engine, &request);
    if (b->size > head)
        mfx_scan_body_add(body, mfx_str(b->message + head, b->size - head));
    mfx_scan_body_end(body);
    while ((event = mfx_scan_pending(scan)) != NULL &&
           mfx_event_wait(event, mfx_scan_deadline_ms(scan)))
        continue;
    bool ok = mfx_scan_finish(scan)->end == MFX_SCAN_ANSWERED;
    mfx_scan_body_free(body);
    mfx_arena_reset(arena);
    return ok;
}

/* --- bare --- */

static bool
ask_bare(const struct bench *b, struct floor_message *m)
{
    floor_message_clear(m);
    floor_message_add(m, b->message, b->size);
    return floor_request_send(m);
}

/* --- rounds --- */

static uint64_t
now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int
by_size(const void *a, const void *b)
{
    const uint32_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* So much of them took no longer. */
static uint32_t
quantile(const struct worker *workers, size_t count, double part)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += workers[i].count;
    uint32_t *all = calloc(total + 1, sizeof *all), value;
    if (all == NULL)
        die("out of", "memory");
    for (size_t i = 0, at = 0; i < count; at += workers[i].count, i++)
        memcpy(all + at, workers[i].took_us, workers[i].count * sizeof *all);
    qsort(all, total, sizeof *all, by_size);
    value = all[(size_t)((double)total * part)];
    free(all);
    return value;
}

static void *
run(void *arg)
{
    struct worker *w = arg;
    const struct bench *b = w->bench;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct floor_message *m = floor_message_new();
    w->took_us = calloc(b->rounds / b->threads + 1, sizeof *w->took_us);
    for (size_t i = 0; w->took_us != NULL && i < b->rounds / b->threads; i++) {
        uint64_t from_us = now_us();
        w->failed += !(b->is_bare ? ask_bare(b, m) : scan_one(b, arena));
        w->took_us[w->count++] = (uint32_t)(now_us() - from_us);
    }
    floor_message_free(m);
    mfx_arena_free(arena);
    return NULL;
}

static double
us_of(const struct timeval *t)
{
    return (double)t->tv_sec * 1e6 + (double)t->tv_usec;
}

/* Our own CPU for one, in microseconds. */
static double
measure(const struct bench *b, double *user)
{
    static struct worker workers[THREADS_MAX];
    struct rusage before, after;
    size_t failed = 0;
    (void)getrusage(RUSAGE_SELF, &before);
    for (size_t i = 0; i < b->threads; i++) {
        workers[i] = (struct worker){.bench = b};
        if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0)
            die("no", "thread");
    }
    for (size_t i = 0; i < b->threads; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        failed += workers[i].failed;
    }
    (void)getrusage(RUSAGE_SELF, &after);
    if (failed > 0)
        die("not all were answered:", b->is_bare ? "bare" : "scans");
    double u = us_of(&after.ru_utime) - us_of(&before.ru_utime);
    double s = us_of(&after.ru_stime) - us_of(&before.ru_stime);
    (void)printf(
        "%s p50_us=%u p99_us=%u p999_us=%u\n", b->is_bare ? "bare" : "scan",
        quantile(workers, b->threads, 0.5), quantile(workers, b->threads, 0.99),
        quantile(workers, b->threads, 0.999));
    for (size_t i = 0; i < b->threads; i++)
        free(workers[i].took_us);
    double count = (double)(b->rounds / b->threads * b->threads);
    if (user != NULL)
        *user = u / count;
    return (u + s) / count;
}

static size_t
number(const char *text, size_t max)
{
    uint64_t n = 0;
    if (text == NULL || mfx_str_to_u64(mfx_str_of(text), max, &n) != MFX_OK)
        die("not a number:", text == NULL ? "" : text);
    return (size_t)n;
}

static void
take_options(struct bench *b, char **argv)
{
    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, "--session") == 0)
            b->uses_sessions = true;
        else if (strcmp(*argv, "--threads") == 0)
            b->threads = number(*++argv, THREADS_MAX);
        else if (strcmp(*argv, "--rounds") == 0)
            b->rounds = number(*++argv, SIZE_MAX);
        else if (strcmp(*argv, "--size") == 0)
            b->size = number(*++argv, SIZE_MAX);
        else
            die("not an option:", *argv);
    }
}

int
main(int argc, char **argv)
{
    struct bench b = {.threads = 16, .rounds = 20000, .size = 4096};
    if (argc < 3)
        die("usage:", "scan_bench rspamd|spamd|clamd PORT [OPTION]...");
    b.kind = argv[1];
    b.port = argv[2];
    take_options(&b, argv + 3);
    b.message = malloc(b.size + 1);
    if (b.message == NULL || !floor_request_setup(b.kind, b.port, "400"))
        die("cannot ask:", b.kind);
    for (size_t i = 0; i < b.size; i++)
        b.message[i] = i % 72 == 71 ? '\n' : 'x';
    open_engine(&b);
    double user, ours = measure(&b, &user);
    mfx_scan_engine_free(b.engine);
    mfx_scan_loop_free(b.loop);
    b.is_bare = true;
    double bare = measure(&b, NULL);
    (void)printf("scan engine=%s threads=%zu size=%zu rounds=%zu scan_us=%.1f "
                 "user_us=%.1f bare_us=%.1f ratio=%.2f\n",
                 b.kind, b.threads, b.size, b.rounds, ours, user, bare,
                 ours / bare);
    free(b.message);
    return 0;
}
