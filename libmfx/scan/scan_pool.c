/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/scan_pool.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <mfx/base/log.h>

enum {
    BUCKETS = 24, /* of times: 1 ms, 2 ms, 4 ms ... */
    FULL_STRENGTH = 64,
};

struct server {
    struct mfx_scan_server_report report;
    unsigned weight;
    int turn; /* smooth weighted round robin */
    unsigned failures;
    uint64_t backoff_ms, probe_ms; /* the next greeting */
    bool is_probing;
    uint64_t buckets[BUCKETS];
};

struct mfx_scan_pool {
    pthread_mutex_t mutex;
    struct mfx_scan_engine_settings settings;
    struct server servers[MFX_SCAN_SERVERS_MAX];
    unsigned count;
};

static void
put_text(char *to, size_t size, const char *text)
{
    (void)snprintf(to, size, "%s", text);
}

struct mfx_scan_pool *
mfx_scan_pool_new(const struct mfx_scan_engine_settings *settings)
{
    struct mfx_scan_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    (void)pthread_mutex_init(&pool->mutex, NULL);
    pool->settings = *settings;
    pool->settings.servers = NULL;
    pool->count = (unsigned)settings->server_count;
    for (unsigned i = 0; i < pool->count; i++) {
        struct server *s = &pool->servers[i];
        (void)snprintf(s->report.server, sizeof s->report.server, "%.*s",
                       MFX_STR_ARG(settings->servers[i].address));
        s->weight = settings->order == MFX_SCAN_WEIGHT &&
                            settings->servers[i].weight > 0
                        ? settings->servers[i].weight
                        : 1;
        s->report.allowed = settings->max_connections;
        s->backoff_ms = settings->retry_ms;
    }
    return pool;
}

void
mfx_scan_pool_free(struct mfx_scan_pool *pool)
{
    if (pool == NULL)
        return;
    (void)pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

/* --- which --- */

static bool
is_full(const struct server *s)
{
    return s->report.allowed > 0 && s->report.in_use >= s->report.allowed;
}

/* The one whose turn it is has gained most, and pays for all. */
static int
choose(struct mfx_scan_pool *pool, uint32_t eligible)
{
    int best = -1, total = 0;
    for (unsigned i = 0; i < pool->count; i++) {
        struct server *s = &pool->servers[i];
        if ((eligible >> i & 1) == 0)
            continue;
        if (pool->settings.order == MFX_SCAN_FAILOVER)
            return (int)i;
        s->turn += (int)s->weight;
        total += (int)s->weight;
        if (best < 0 || s->turn > pool->servers[best].turn)
            best = (int)i;
    }
    if (best >= 0)
        pool->servers[best].turn -= total;
    return best;
}

enum mfx_scan_pick
mfx_scan_pool_pick(struct mfx_scan_pool *pool, uint32_t tried, unsigned *server)
{
    uint32_t eligible = 0;
    bool has_busy = false;
    (void)pthread_mutex_lock(&pool->mutex);
    for (unsigned i = 0; i < pool->count; i++) {
        const struct server *s = &pool->servers[i];
        if ((tried >> i & 1) != 0 || s->report.health == MFX_SCAN_OUT)
            continue;
        if (is_full(s))
            has_busy = true;
        else
            eligible |= UINT32_C(1) << i;
    }
    int best = choose(pool, eligible);
    if (best >= 0) {
        *server = (unsigned)best;
        pool->servers[best].report.in_use++;
        pool->servers[best].report.asked++;
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    return best >= 0  ? MFX_SCAN_PICKED
           : has_busy ? MFX_SCAN_BUSY
                      : MFX_SCAN_NONE;
}

unsigned
mfx_scan_pool_usable(struct mfx_scan_pool *pool, uint32_t tried)
{
    unsigned count = 0;
    (void)pthread_mutex_lock(&pool->mutex);
    for (unsigned i = 0; i < pool->count; i++)
        count += (tried >> i & 1) == 0 &&
                 pool->servers[i].report.health != MFX_SCAN_OUT;
    (void)pthread_mutex_unlock(&pool->mutex);
    return count;
}

/* --- how they are doing --- */

static void
log_change(const struct server *s, enum mfx_log_level level, const char *event)
{
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, event);
    mfx_log_add_text(&line, "server", s->report.server);
    if (s->report.health == MFX_SCAN_OUT)
        mfx_log_add_text(&line, "why", s->report.trouble);
    mfx_log_end(&line, level);
}

static void
take_out(const struct mfx_scan_pool *pool, struct server *s, uint64_t now_ms)
{
    if (s->report.health == MFX_SCAN_RETURNING) {
        s->backoff_ms *= 2;
        if (s->backoff_ms > pool->settings.retry_max_ms)
            s->backoff_ms = pool->settings.retry_max_ms;
    } else {
        s->backoff_ms = pool->settings.retry_ms;
        s->report.outages++;
    }
    bool is_news = s->report.health == MFX_SCAN_UP;
    s->report.health = MFX_SCAN_OUT;
    s->probe_ms = now_ms + s->backoff_ms;
    if (is_news)
        log_change(s, MFX_LOG_WARNING, "scanner_out");
}

static void
note_failure(const struct mfx_scan_pool *pool, struct server *s,
             uint64_t now_ms)
{
    s->failures++;
    if (s->report.health == MFX_SCAN_OUT)
        return;
    if (s->failures >= pool->settings.max_failures ||
        s->report.health == MFX_SCAN_RETURNING)
        take_out(pool, s, now_ms);
}

static void
note_success(const struct mfx_scan_pool *pool, struct server *s,
             uint64_t now_ms)
{
    unsigned full = pool->settings.max_connections;
    s->failures = 0;
    s->probe_ms = now_ms + pool->settings.check_ms;
    if (s->report.health != MFX_SCAN_RETURNING)
        return;
    s->report.allowed *= 2;
    if (s->report.allowed < (full > 0 ? full : FULL_STRENGTH))
        return;
    s->report.allowed = full;
    s->report.health = MFX_SCAN_UP;
    log_change(s, MFX_LOG_INFO, "scanner_back");
}

static void
note_time(struct server *s, uint64_t took_ms)
{
    unsigned bucket = 0;
    s->report.answered++;
    s->report.total_ms += took_ms;
    if (took_ms > s->report.max_ms)
        s->report.max_ms = took_ms;
    while (took_ms > 0 && bucket < BUCKETS - 1) {
        took_ms >>= 1;
        bucket++;
    }
    s->buckets[bucket]++;
}

void
mfx_scan_pool_give(struct mfx_scan_pool *pool, unsigned server,
                   enum mfx_scan_end end, const char *trouble, uint64_t took_ms,
                   uint64_t now_ms)
{
    struct server *s = &pool->servers[server];
    bool is_failure = false, is_success = false;
    (void)pthread_mutex_lock(&pool->mutex);
    s->report.in_use--;
    switch (end) {
    case MFX_SCAN_ANSWERED:
    case MFX_SCAN_TOO_LARGE:
        note_time(s, took_ms);
        is_success = true;
        break;
    case MFX_SCAN_TIMEOUT:
        s->report.timeouts++;
        is_failure = true;
        break;
    case MFX_SCAN_UNREACHED:
        s->report.unreached++;
        is_failure = true;
        break;
    case MFX_SCAN_BROKEN:
        s->report.broken++;
        is_failure = true;
        break;
    case MFX_SCAN_REFUSED: /* it lives, and said so */
        s->report.refused++;
        put_text(s->report.trouble, sizeof s->report.trouble, trouble);
        break;
    case MFX_SCAN_NOT_ASKED:
    case MFX_SCAN_UNSTORED:
    case MFX_SCAN_CANCELLED:
    case MFX_SCAN_END_COUNT:
        break;
    }
    if (is_failure) {
        put_text(s->report.trouble, sizeof s->report.trouble, trouble);
        note_failure(pool, s, now_ms);
    } else if (is_success) {
        note_success(pool, s, now_ms);
    }
    (void)pthread_mutex_unlock(&pool->mutex);
}

/* --- greetings --- */

static bool
is_to_be_greeted(const struct mfx_scan_pool *pool, const struct server *s)
{
    return !s->is_probing &&
           (s->report.health == MFX_SCAN_OUT || pool->settings.check_ms > 0);
}

bool
mfx_scan_pool_probe(struct mfx_scan_pool *pool, uint64_t now_ms,
                    unsigned *server)
{
    bool found = false;
    (void)pthread_mutex_lock(&pool->mutex);
    for (unsigned i = 0; i < pool->count && !found; i++) {
        struct server *s = &pool->servers[i];
        if (!is_to_be_greeted(pool, s) || now_ms < s->probe_ms)
            continue;
        s->is_probing = true;
        *server = i;
        found = true;
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    return found;
}

static void
let_in(struct mfx_scan_pool *pool, struct server *s, uint64_t now_ms)
{
    if (s->report.health != MFX_SCAN_OUT)
        return;
    s->report.health = MFX_SCAN_RETURNING;
    s->report.allowed = 1;
    s->failures = 0;
    s->probe_ms = now_ms + pool->settings.retry_ms;
    log_change(s, MFX_LOG_INFO, "scanner_returning");
}

void
mfx_scan_pool_probed(struct mfx_scan_pool *pool, unsigned server, bool is_alive,
                     const char *text, uint64_t now_ms)
{
    struct server *s = &pool->servers[server];
    (void)pthread_mutex_lock(&pool->mutex);
    s->is_probing = false;
    s->probe_ms = now_ms + pool->settings.check_ms;
    if (is_alive) {
        if (text[0] != '\0')
            put_text(s->report.version, sizeof s->report.version, text);
        if (s->report.health == MFX_SCAN_UP)
            s->failures = 0;
        else if (s->report.health == MFX_SCAN_RETURNING)
            note_success(pool, s, now_ms);
        let_in(pool, s, now_ms);
    } else {
        put_text(s->report.trouble, sizeof s->report.trouble, text);
        if (s->report.health == MFX_SCAN_OUT)
            s->report.health = MFX_SCAN_RETURNING; /* it failed once more */
        note_failure(pool, s, now_ms);
    }
    (void)pthread_mutex_unlock(&pool->mutex);
}

uint64_t
mfx_scan_pool_due_ms(struct mfx_scan_pool *pool)
{
    uint64_t due_ms = UINT64_MAX;
    (void)pthread_mutex_lock(&pool->mutex);
    for (unsigned i = 0; i < pool->count; i++) {
        const struct server *s = &pool->servers[i];
        if (is_to_be_greeted(pool, s) && s->probe_ms < due_ms)
            due_ms = s->probe_ms;
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    return due_ms;
}

/* --- reports --- */

const char *
mfx_scan_pool_name(struct mfx_scan_pool *pool, unsigned server)
{
    return pool->servers[server].report.server;
}

/* The upper end of the bucket in which `part` of all lie; none took longer than
 * the longest. */
static uint64_t
quantile(const struct server *s, double part)
{
    double want = part * (double)s->report.answered;
    uint64_t seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += s->buckets[i];
        if (seen > 0 && (double)seen >= want) {
            uint64_t end_ms = (UINT64_C(1) << i) - 1;
            return end_ms < s->report.max_ms ? end_ms : s->report.max_ms;
        }
    }
    return 0;
}

size_t
mfx_scan_pool_report(struct mfx_scan_pool *pool,
                     struct mfx_scan_server_report *reports, size_t max,
                     uint64_t now_ms)
{
    (void)pthread_mutex_lock(&pool->mutex);
    for (unsigned i = 0; i < pool->count && i < max; i++) {
        const struct server *s = &pool->servers[i];
        reports[i] = s->report;
        reports[i].median_ms = quantile(s, 0.5);
        reports[i].p99_ms = quantile(s, 0.99);
        if (s->report.health == MFX_SCAN_OUT && s->probe_ms > now_ms)
            reports[i].retry_in_ms = s->probe_ms - now_ms;
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    return pool->count;
}
