/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The thread that has the file: loads, writes (local_load.c, local_write.c), and
 * each second looks after it; and the one that syncs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <mfx/base/log.h>

#include "local_impl.h"

enum {
    SWEEP_ROWS = 5000,
    SWEEP_ROWS_FULL = 50000,
    IDLE_TICKS_MAX = 60,
    GATHER_NS = 1000 * 1000,
};

/* --- up and down --- */

static void
log_change(const struct local_store *store)
{
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, store->is_up ? "store_up" : "store_down");
    mfx_log_add_text(&line, "where", store->path);
    if (!store->is_up)
        mfx_log_add_text(&line, "reason", store->error);
    mfx_log_end(&line, store->is_up ? MFX_LOG_INFO : MFX_LOG_ERROR);
}

static void
set_down(struct local_store *store, const char *why)
{
    bool is_change = store->is_up || strcmp(store->error, why) != 0;
    (void)snprintf(store->error, sizeof store->error, "%s", why);
    if (store->is_up)
        store->since_ms = store->env->wall_s(store->env) * 1000;
    store->is_up = false;
    if (is_change)
        log_change(store);
}

/* Time goes on where the file left it, or where the wall clock says it is now
 * if that is later. The offset is what store time is ahead of wall time, at
 * least: the wall clock is known in whole seconds, and time must not seem to
 * have passed that has not. */
static void
set_time(struct local_store *store, uint64_t kept_ms, int64_t offset_ms)
{
    struct mfx_counter_clock now;
    local_clock(store, &now);
    uint64_t base_ms = now.store_ms;
    if (!store->has_time && kept_ms > 0) {
        int64_t by_wall_ms = (int64_t)(now.wall_s * 1000) + offset_ms;
        base_ms = by_wall_ms > 0 ? (uint64_t)by_wall_ms : 0;
        store->offset_ms = offset_ms;
    }
    if (kept_ms > base_ms && kept_ms < MFX_COUNTER_TIME_MAX / 2)
        base_ms = kept_ms;
    store->base_store_ms = base_ms;
    store->base_mono_ms = store->env->mono_ms(store->env);
    store->has_time = true;
    local_follow_wall(store);
}

static enum mfx_rc
open_file(const struct local_store *store, struct mfx_local_file **file,
          uint64_t *kept_ms, int64_t *offset_ms, struct mfx_err *err)
{
    struct mfx_local_file_settings settings = {
        .path = store->path,
        .mode = store->settings.mode == 0 ? 0600 : store->settings.mode,
        .replace_corrupt = store->settings.replace_corrupt,
        .wall_s = store->env->wall_s(store->env),
    };
    enum mfx_rc rc = mfx_local_file_open(&settings, file, err);
    if (rc == MFX_OK)
        rc = mfx_local_file_get_time(*file, kept_ms, offset_ms, err);
    if (rc == MFX_OK && *kept_ms == 0) { /* a new one */
        *kept_ms = settings.wall_s * 1000;
        *offset_ms = -999;
    }
    /* it can be written, too */
    if (rc == MFX_OK)
        rc = mfx_local_file_begin(*file, err);
    if (rc == MFX_OK)
        rc = mfx_local_file_put_time(*file, *kept_ms, *offset_ms, err);
    if (rc == MFX_OK)
        rc = mfx_local_file_commit(*file, err);
    if (rc == MFX_OK)
        return MFX_OK;
    if (rc == MFX_PERMFAIL && settings.replace_corrupt && *file != NULL)
        rc = mfx_local_file_replace(*file, settings.wall_s, err);
    else
        mfx_local_file_close(*file);
    *file = NULL;
    return rc;
}

/* Opening it would find nothing wrong: what is corrupt was met later. */
static bool
is_still_corrupt(struct local_store *store)
{
    struct mfx_file_id id;
    if (store->is_corrupt &&
        (mfx_file_identify(store->path, &id, NULL) != MFX_OK ||
         !mfx_file_id_eq(&id, &store->corrupt_id)))
        store->is_corrupt = false;
    return store->is_corrupt;
}

/* With the mutex, which it gives away meanwhile. */
static void
try_open(struct local_store *store)
{
    struct mfx_local_file *file = NULL;
    struct mfx_err err = {""};
    uint64_t kept_ms = 0, used = 0;
    int64_t offset_ms = 0;
    if (is_still_corrupt(store))
        return;
    local_unlock(store);
    enum mfx_rc rc = open_file(store, &file, &kept_ms, &offset_ms, &err);
    if (rc == MFX_OK)
        used = mfx_local_file_used(file);
    (void)pthread_mutex_lock(&store->mutex);
    if (rc != MFX_OK) {
        set_down(store, err.msg);
        return;
    }
    store->file = file;
    store->file_bytes = used;
    set_time(store, kept_ms, offset_ms);
    local_cache_unload(store);
    store->is_up = true;
    store->since_ms = store->env->wall_s(store->env) * 1000;
    log_change(store);
}

void
local_disk_open(struct local_store *store)
{
    if (!local_has_file(store))
        return;
    (void)pthread_mutex_lock(&store->mutex);
    try_open(store);
    local_unlock(store);
}

/* --- giving up --- */

/* Its calls fail, and those to come fail at once. */
static void
go_down(struct local_store *store, enum mfx_rc rc, const char *why)
{
    local_fail_all(store, why);
    set_down(store, why);
    store->is_corrupt = rc == MFX_PERMFAIL;
}

/* When it is not in use by the other thread; a corrupt one is renamed. */
static void
close_file(struct local_store *store)
{
    struct mfx_err err = {""};
    local_unlock(store);
    (void)pthread_mutex_lock(&store->mutex);
    while (store->is_syncing)
        (void)pthread_cond_wait(&store->sync, &store->mutex);
    struct mfx_local_file *file = store->file;
    store->file = NULL;
    mfx_err_set(&err, "%s", store->error);
    bool is_replaced = store->is_corrupt && store->settings.replace_corrupt;
    local_unlock(store);
    if (is_replaced)
        (void)mfx_local_file_replace(file, store->env->wall_s(store->env),
                                     &err);
    else
        mfx_local_file_close(file);
    (void)pthread_mutex_lock(&store->mutex);
    if (is_replaced)
        set_down(store, err.msg);
    /* with what closing has written; one that was replaced is another now */
    if (store->is_corrupt &&
        (is_replaced ||
         mfx_file_identify(store->path, &store->corrupt_id, NULL) != MFX_OK))
        store->is_corrupt = false;
}

/* --- each second --- */

static enum mfx_rc
sweep(struct local_store *store, uint64_t now_ms, bool is_full,
      struct mfx_err *err)
{
    enum mfx_rc rc = mfx_local_file_begin(store->file, err);
    if (rc == MFX_OK)
        rc = mfx_local_file_sweep(store->file, now_ms,
                                  is_full ? SWEEP_ROWS_FULL : SWEEP_ROWS, err);
    if (rc == MFX_OK)
        rc = mfx_local_file_commit(store->file, err);
    if (rc != MFX_OK)
        mfx_local_file_rollback(store->file);
    return rc;
}

static enum mfx_rc
look_after_file(struct local_store *store, struct mfx_err *err)
{
    struct mfx_counter_clock now;
    bool is_full = store->is_full;
    uint64_t most = store->settings.file_bytes, used = 0;
    local_clock(store, &now);
    local_unlock(store);
    enum mfx_rc rc = mfx_local_file_is_there(store->file, err)
                         ? sweep(store, now.store_ms, is_full, err)
                         : MFX_TEMPFAIL;
    if (rc == MFX_OK)
        used = mfx_local_file_used(store->file);
    (void)pthread_mutex_lock(&store->mutex);
    if (rc != MFX_OK)
        return rc;
    store->file_bytes = used;
    store->is_full = most > 0 && used >= most;
    if (store->is_full != is_full) {
        struct mfx_log_line line;
        mfx_log_begin_daemon(&line, is_full ? "store_has_room" : "store_full");
        mfx_log_add_text(&line, "where", store->path);
        mfx_log_add_u64(&line, "bytes", used);
        mfx_log_end(&line, is_full ? MFX_LOG_INFO : MFX_LOG_ERROR);
        if (store->is_full)
            (void)snprintf(store->error, sizeof store->error, LOCAL_FULL_TEXT);
    }
    return MFX_OK;
}

static void
tick(struct local_store *store, struct local_batch *batch)
{
    struct mfx_err err = {""};
    if (!store->is_up) {
        try_open(store);
        return;
    }
    local_holds_expire(store);
    local_cache_trim(store);
    local_follow_wall(store);
    /* at the end, and now and then, also when nothing happens: should the
     * wall clock be set back meanwhile, the time that passed is known */
    store->idle_ticks++;
    if (store->has_moved || store->is_stopping ||
        store->idle_ticks >= IDLE_TICKS_MAX) {
        store->is_time_due = true;
        store->has_moved = false;
        store->idle_ticks = 0;
    }
    enum mfx_rc rc = local_write(store, batch, &err);
    if (rc == MFX_OK)
        rc = look_after_file(store, &err);
    if (rc != MFX_OK)
        go_down(store, rc, err.msg);
    store->is_sync_due = true;
    (void)pthread_cond_broadcast(&store->sync);
}

/* --- the threads --- */

static bool
has_work(const struct local_store *store)
{
    return store->waiting.first != NULL || store->unwritten.first != NULL ||
           store->tasks.first != NULL;
}

/* Nobody sleeps while there is something to tell. */
static void
tell_finished(struct local_store *store)
{
    if (store->finished.first == NULL)
        return;
    local_unlock(store);
    (void)pthread_mutex_lock(&store->mutex);
}

static void
wait_for_work(struct local_store *store, uint64_t until_ms)
{
    struct timespec until = {
        .tv_sec = (time_t)(until_ms / 1000),
        .tv_nsec = (long)(until_ms % 1000) * 1000000,
    };
    while (!has_work(store) && !store->is_stopping && mfx_mono_ms() < until_ms)
        (void)pthread_cond_timedwait(&store->work, &store->mutex, &until);
}

static bool
is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec < b->tv_sec ||
           (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* One transaction for many costs each of them little. So when the last one was
 * for several, and others hold something and will commit soon, this one waits
 * for them, until GATHER_NS after the last began. */
static void
gather(struct local_store *store, const struct local_batch *last,
       struct timespec *begun)
{
    struct timespec now, until = *begun;
    until.tv_nsec += GATHER_NS;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    while (last->call_count > 1 && store->heap_count > 0 &&
           !store->is_stopping && is_before(&now, &until)) {
        (void)pthread_cond_timedwait(&store->work, &store->mutex, &until);
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    }
    *begun = now;
}

static void
work(struct local_store *store, struct local_batch *batch)
{
    struct mfx_err err = {""};
    enum mfx_rc rc = MFX_OK;
    if (store->waiting.first != NULL)
        rc = local_load(store, batch, &err);
    if (rc == MFX_OK &&
        (store->unwritten.first != NULL || store->tasks.first != NULL))
        rc = local_write(store, batch, &err);
    if (rc != MFX_OK)
        go_down(store, rc, err.msg);
}

static bool
is_over(const struct local_store *store)
{
    return store->is_stopping && (!store->is_up || !has_work(store) ||
                                  mfx_mono_ms() >= store->stop_until_ms);
}

void *
local_disk_run(void *arg)
{
    struct local_store *store = arg;
    struct local_batch batch = {.arena = mfx_arena_new(0)};
    struct timespec begun = {0};
    uint64_t tick_ms = mfx_mono_ms() + LOCAL_TICK_MS;
    mfx_buf_init(&batch.code, MFX_COUNTER_CODE_MAX);
    (void)pthread_mutex_lock(&store->mutex);
    while (!is_over(store)) {
        tell_finished(store);
        wait_for_work(store, tick_ms);
        if (batch.arena == NULL)
            batch.arena = mfx_arena_new(0);
        if (batch.arena == NULL || !store->is_up)
            local_fail_all(store,
                           store->is_up ? "out of memory" : store->error);
        else if (has_work(store)) {
            gather(store, &batch, &begun);
            work(store, &batch);
        }
        if (batch.arena != NULL && mfx_mono_ms() >= tick_ms) {
            tick_ms = mfx_mono_ms() + LOCAL_TICK_MS;
            tick(store, &batch);
        }
        if (!store->is_up && store->file != NULL)
            close_file(store);
        if (batch.arena != NULL)
            mfx_arena_reset(batch.arena);
    }
    if (store->is_up && batch.arena != NULL)
        tick(store, &batch);
    local_fail_all(store, "the store is being closed");
    local_unlock(store);
    mfx_buf_fini(&batch.code);
    mfx_arena_free(batch.arena);
    return NULL;
}

static void
sync_file(struct local_store *store)
{
    struct mfx_err err = {""};
    struct mfx_local_file *file = store->file;
    store->has_news = false;
    store->is_syncing = true;
    local_unlock(store);
    enum mfx_rc rc = mfx_local_file_sync(file, &err);
    (void)pthread_mutex_lock(&store->mutex);
    store->is_syncing = false;
    (void)pthread_cond_broadcast(&store->sync);
    if (rc != MFX_OK && store->is_up)
        go_down(store, rc, err.msg);
}

/* After each tick that had something to sync. */
void *
local_sync_run(void *arg)
{
    struct local_store *store = arg;
    (void)pthread_mutex_lock(&store->mutex);
    while (!store->is_stopping) {
        if (store->has_news && store->is_up && store->is_sync_due) {
            store->is_sync_due = false;
            sync_file(store);
        } else if (store->finished.first != NULL) {
            tell_finished(store);
        } else {
            (void)pthread_cond_wait(&store->sync, &store->mutex);
        }
    }
    local_unlock(store);
    return NULL;
}
