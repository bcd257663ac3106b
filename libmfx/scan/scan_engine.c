/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/scan_impl.h>

#include <stdlib.h>

#include <mfx/base/env.h>

struct mfx_scan_engine_settings
mfx_scan_engine_settings_default(void)
{
    return (struct mfx_scan_engine_settings){
        .order = MFX_SCAN_FAILOVER,
        .max_requests = 100,
        .max_connections = 20,
        .max_queue = 100,
        .max_answer = 1 << 20,
        .connect_ms = 3000,
        .idle_ms = 20000,
        .max_failures = 3,
        .retry_ms = 1000,
        .retry_max_ms = 60000,
        .check_ms = 10000,
    };
}

const char *
mfx_scan_health_name(enum mfx_scan_health health)
{
    static const char *const names[] = {"up", "out", "returning"};
    return names[health];
}

/* --- greetings --- */

static struct mfx_scan_engine *
of_timer(struct mfx_scan_watch *timer)
{
    return (struct mfx_scan_engine *)(void *)((char *)timer -
                                              offsetof(struct mfx_scan_engine,
                                                       timer));
}

static void
on_timer(struct mfx_scan_watch *timer, short revents, uint64_t now_ms)
{
    struct mfx_scan_engine *e = of_timer(timer);
    unsigned server;
    (void)revents;
    while (mfx_scan_pool_probe(e->pool, now_ms, &server))
        e->ops->probe(e, server, now_ms);
    timer->due_ms = mfx_scan_pool_due_ms(e->pool);
}

static void
on_stop(struct mfx_scan_watch *timer)
{
    struct mfx_scan_engine *e = of_timer(timer);
    mfx_scan_loop_unwatch(e->loop, timer);
    e->ops->close(e);
}

void
mfx_scan_probe_end(struct mfx_scan_engine *engine, unsigned server,
                   bool is_alive, const char *text)
{
    mfx_scan_pool_probed(engine->pool, server, is_alive, text, mfx_mono_ms());
    engine->timer.due_ms = mfx_scan_pool_due_ms(engine->pool);
}

/* --- life --- */

static void
begin(struct mfx_scan_job *job)
{
    struct mfx_scan_engine *e =
        (struct mfx_scan_engine *)(void *)((char *)job -
                                           offsetof(struct mfx_scan_engine,
                                                    begin));
    e->timer.due_ms = mfx_scan_pool_due_ms(e->pool);
    /* without a timer there are no greetings: who is out stays out */
    if (!mfx_scan_loop_watch(e->loop, &e->timer))
        e->timer.due_ms = UINT64_MAX;
}

static void
end(struct mfx_scan_job *job)
{
    struct mfx_scan_engine *e =
        (struct mfx_scan_engine *)(void *)((char *)job -
                                           offsetof(struct mfx_scan_engine,
                                                    end));
    mfx_scan_loop_unwatch(e->loop, &e->timer);
    e->ops->close(e);
    e->ops->free(e);
}

static enum mfx_rc
check_settings(const struct mfx_scan_engine_settings *settings,
               struct mfx_err *err)
{
    const char *wrong =
        settings->server_count == 0                     ? "no servers"
        : settings->server_count > MFX_SCAN_SERVERS_MAX ? "too many servers"
        : settings->max_answer == 0                     ? "max_answer is 0"
        : settings->max_failures == 0                   ? "max_failures is 0"
        : settings->retry_ms == 0 || settings->retry_max_ms < settings->retry_ms
            ? "retry_ms is not in order"
            : NULL;
    if (wrong == NULL)
        return MFX_OK;
    mfx_err_set(err, "%s", wrong);
    return MFX_PERMFAIL;
}

enum mfx_rc
mfx_scan_engine_init(struct mfx_scan_engine *engine,
                     const struct mfx_scan_engine_ops *ops,
                     struct mfx_scan_loop *loop,
                     const struct mfx_scan_engine_settings *settings,
                     struct mfx_err *err)
{
    enum mfx_rc rc = check_settings(settings, err);
    if (rc != MFX_OK)
        return rc;
    engine->pool = mfx_scan_pool_new(settings);
    if (engine->pool == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    engine->ops = ops;
    engine->settings = *settings;
    engine->settings.servers = NULL;
    engine->settings.tls = NULL; /* the caller's: an engine holds its own */
    engine->loop = mfx_scan_loop_hold(loop);
    atomic_init(&engine->holders, 1);
    atomic_init(&engine->running, 0);
    atomic_init(&engine->queued, 0);
    atomic_init(&engine->turned_away, 0);
    engine->begin.run = begin;
    engine->end.run = end;
    engine->timer = (struct mfx_scan_watch){
        .fd = -1, .due_ms = UINT64_MAX, .ready = on_timer, .stop = on_stop};
    (void)mfx_scan_loop_post(loop, &engine->begin);
    return MFX_OK;
}

void
mfx_scan_engine_fini(struct mfx_scan_engine *engine)
{
    mfx_scan_pool_free(engine->pool);
    mfx_scan_loop_release(engine->loop);
}

struct mfx_scan_engine *
mfx_scan_engine_hold(struct mfx_scan_engine *engine)
{
    atomic_fetch_add(&engine->holders, 1);
    return engine;
}

void
mfx_scan_engine_free(struct mfx_scan_engine *engine)
{
    if (engine == NULL || atomic_fetch_sub(&engine->holders, 1) != 1)
        return;
    if (mfx_scan_loop_post(engine->loop, &engine->end) == MFX_SCAN_NO_LOOP)
        engine->ops->free(engine); /* the loop has closed it */
}

const char *
mfx_scan_engine_name(const struct mfx_scan_engine *engine)
{
    return engine->ops->name;
}

size_t
mfx_scan_engine_report(struct mfx_scan_engine *engine,
                       struct mfx_scan_server_report *reports, size_t max,
                       struct mfx_scan_load *load)
{
    if (load != NULL)
        *load = (struct mfx_scan_load){
            .running = atomic_load(&engine->running),
            .queued = atomic_load(&engine->queued),
            .turned_away = atomic_load(&engine->turned_away),
        };
    return mfx_scan_pool_report(engine->pool, reports, max, mfx_mono_ms());
}
