/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/daemon.h>

#include <malloc.h>
#include <stdio.h>

#include <mfx/base/log.h>
#include <mfx/milter/watch.h>

enum {
    PROBLEMS_LOGGED = 20,
};

static void
tell_problems(const struct mfx_problems *problems, struct mfx_arena *arena,
              struct mfx_buf *out)
{
    size_t n = 0;
    for (const struct mfx_problem *p = problems->first; p != NULL;
         p = p->next, n++) {
        struct mfx_str text = mfx_problem_format(p, arena);
        struct mfx_log_line line;
        if (out != NULL) {
            mfx_buf_add(out, text);
            mfx_buf_add_byte(out, '\n');
        }
        if (n >= PROBLEMS_LOGGED)
            continue;
        mfx_log_begin_daemon(&line, "config_problem");
        mfx_log_add(&line, "text", text);
        mfx_log_end(&line, p->kind == MFX_PROBLEM_ERROR ? MFX_LOG_ERROR
                                                        : MFX_LOG_WARNING);
    }
}

static void
needs_restart(const char *name, void *arg)
{
    struct mfx_problems *problems = arg;
    mfx_problem_add(problems, MFX_PROBLEM_WARNING, "", 0,
                    "%s: a change takes effect at the next restart", name);
}

/* mfxctl's level stays until the configuration says another one. */
static void
set_level(const struct mfx_snapshot *old, const struct mfx_snapshot *now)
{
    if (old->common.log_level != now->common.log_level)
        mfx_log_set_level((enum mfx_log_level)now->common.log_level);
}

static void
log_reloaded(const struct mfx_snapshot *s, const char *why, uint64_t began_ms)
{
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, "reloaded");
    mfx_log_add_text(&line, "why", why);
    mfx_log_add_u64(&line, "snapshot", s->number);
    mfx_log_add_u64(&line, "ms", mfx_mono_ms() - began_ms);
    mfx_log_end(&line, MFX_LOG_INFO);
}

static bool
swap(struct mfx_daemon *d, struct mfx_snapshot *old, const char *why,
     struct mfx_problems *problems)
{
    struct mfx_snapshot_load load = mfx_daemon_load(d, problems);
    struct mfx_snapshot *s = NULL;
    uint64_t began_ms = mfx_mono_ms();
    load.previous = old;
    if (mfx_snapshot_new(&load, &s) != MFX_OK)
        return false;
    mfx_snapshot_compare_restart(old, s, d->common_options, needs_restart,
                                 problems);
    set_level(old, s);
    if (d->watch != NULL)
        mfx_watch_set(d->watch, s);
    log_reloaded(s, why, began_ms);
    mfx_snapshot_begin(s);
    mfx_snapshot_slot_set(&d->engine.snapshots, s);
    return true;
}

static void
notify_reloading(void)
{
    char text[80];
    (void)snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%llu",
                   (unsigned long long)mfx_mono_ms() * 1000);
    mfx_daemon_process_notify(text);
}

bool
mfx_daemon_reload(struct mfx_daemon *d, const char *why, struct mfx_buf *out)
{
    struct mfx_problems problems;
    struct mfx_arena *arena = mfx_arena_new(16 * 1024 * 1024);
    if (arena == NULL)
        return false;
    (void)pthread_mutex_lock(&d->reload_mutex);
    notify_reloading();
    struct mfx_snapshot *old = mfx_snapshot_slot_get(&d->engine.snapshots);
    mfx_problems_init(&problems, arena);
    bool ok = swap(d, old, why, &problems);
    mfx_snapshot_release(old);
    tell_problems(&problems, arena, out);
    if (!ok)
        mfx_log_say(MFX_LOG_ERROR, "reload_failed", "why", why);
    mfx_metrics_add(d->engine.metrics,
                    ok ? MFX_COUNT_RELOADS_OK : MFX_COUNT_RELOADS_FAILED, 1);
    atomic_store(&d->is_reload_failed, !ok);
    mfx_daemon_process_notify("READY=1");
    (void)pthread_mutex_unlock(&d->reload_mutex);
    mfx_arena_free(arena);
    (void)malloc_trim(0); /* a large old snapshot goes back to the system */
    return ok;
}
