/* SPDX-License-Identifier: BSD-2-Clause */
#include "merge.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include <mfx/base/clock.h>
#include <mfx/base/log.h>

enum {
    PAUSE_MS = 1000,
    WAIT_MS = 5000,
    RECORD_MEMORY = 1024 * 1024,
};

struct record {
    struct mfx_arena *arena; /* holds the record, too */
    struct mfx_str holder;
    struct mfx_store_use *uses;
    size_t count;
    uint64_t at_ms;
    struct record *next;
};

struct quota_merge {
    struct mfx_store *store;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    struct record *first, *last;
    struct quota_merge_counts counts;
    bool is_ending;
};

static void
copy_use(struct mfx_arena *arena, const struct mfx_store_use *from,
         struct mfx_store_use *to)
{
    struct mfx_store_window *windows =
        mfx_arena_alloc_array(arena, from->window_count, sizeof *windows);
    struct mfx_str *elements =
        mfx_arena_alloc_array(arena, from->element_count, sizeof *elements);
    *to = *from;
    if (windows == NULL || elements == NULL)
        return;
    for (size_t i = 0; i < from->window_count; i++)
        windows[i] = from->windows[i];
    for (size_t i = 0; i < from->element_count; i++)
        elements[i] = mfx_arena_copy(arena, from->elements[i]);
    to->windows = windows;
    to->elements = elements;
    to->counter = mfx_arena_copy(arena, from->counter);
    to->believed_override = mfx_str("", 0);
}

static struct record *
make_record(struct mfx_str holder, const struct mfx_store_use *uses,
            size_t count, uint64_t at_ms)
{
    struct mfx_arena *arena = mfx_arena_new(RECORD_MEMORY);
    struct record *r = arena == NULL ? NULL : mfx_arena_alloc(arena, sizeof *r);
    if (r != NULL) {
        r->arena = arena;
        r->holder = mfx_arena_copy(arena, holder);
        r->uses = mfx_arena_alloc_array(arena, count, sizeof *r->uses);
        r->count = count;
        r->at_ms = at_ms;
        for (size_t i = 0; r->uses != NULL && i < count; i++)
            copy_use(arena, &uses[i], &r->uses[i]);
    }
    if (arena != NULL && mfx_arena_ok(arena))
        return r;
    mfx_arena_free(arena);
    return NULL;
}

static struct record *
take_first(struct quota_merge *m)
{
    struct record *r = m->first;
    if (r == NULL)
        return NULL;
    m->first = r->next;
    if (m->first == NULL)
        m->last = NULL;
    m->counts.waiting--;
    return r;
}

void
quota_merge_add(struct quota_merge *m, struct mfx_str holder,
                const struct mfx_store_use *uses, size_t count, uint64_t at_ms)
{
    struct record *r = make_record(holder, uses, count, at_ms), *old = NULL;
    bool is_dropped = r == NULL;
    (void)pthread_mutex_lock(&m->mutex);
    if (r != NULL) {
        if (m->counts.waiting >= QUOTA_MERGE_MAX)
            old = take_first(m);
        is_dropped = old != NULL;
        if (m->last == NULL)
            m->first = r;
        else
            m->last->next = r;
        m->last = r;
        m->counts.waiting++;
    }
    m->counts.dropped += is_dropped;
    bool is_first_drop = is_dropped && m->counts.dropped == 1;
    (void)pthread_mutex_unlock(&m->mutex);
    if (old != NULL)
        mfx_arena_free(old->arena);
    if (is_first_drop)
        mfx_log_say(MFX_LOG_ERROR, "merge_dropped", "reason",
                    "more messages than can wait for the store; the oldest "
                    "will not be counted");
}

/* True when the store has it, or will never take it. */
static bool
merge_one(struct quota_merge *m, const struct record *r)
{
    struct mfx_err err = {""};
    struct mfx_store_call *call =
        mfx_store_begin_merge(m->store, r->holder, r->uses, r->count, r->at_ms);
    if (call != NULL)
        (void)mfx_event_wait(mfx_store_call_event(call),
                             mfx_mono_ms() + WAIT_MS);
    enum mfx_rc rc = mfx_store_call_end(call, NULL, NULL, &err);
    if (rc == MFX_PERMFAIL)
        mfx_log_say(MFX_LOG_ERROR, "merge_failed", "reason", err.msg);
    return rc != MFX_TEMPFAIL;
}

static void
put_back(struct quota_merge *m, struct record *r)
{
    r->next = m->first;
    m->first = r;
    if (m->last == NULL)
        m->last = r;
    m->counts.waiting++;
}

static void
log_merged(uint64_t merged)
{
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, "merged");
    mfx_log_add_u64(&line, "messages", merged);
    mfx_log_end(&line, MFX_LOG_INFO);
}

/* As many as the store takes; called and left with the mutex held. */
static void
merge_all(struct quota_merge *m)
{
    uint64_t merged = 0;
    struct record *r;
    while ((r = take_first(m)) != NULL) {
        (void)pthread_mutex_unlock(&m->mutex);
        bool is_done = merge_one(m, r);
        if (is_done)
            mfx_arena_free(r->arena);
        (void)pthread_mutex_lock(&m->mutex);
        if (!is_done) {
            put_back(m, r);
            break;
        }
        merged++;
    }
    m->counts.merged += merged;
    if (merged > 0) {
        (void)pthread_mutex_unlock(&m->mutex);
        log_merged(merged);
        (void)pthread_mutex_lock(&m->mutex);
    }
}

static void
pause_for(struct quota_merge *m, uint64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    (void)pthread_cond_timedwait(&m->changed, &m->mutex, &until);
}

static void *
run(void *arg)
{
    struct quota_merge *m = arg;
    (void)pthread_mutex_lock(&m->mutex);
    while (!m->is_ending) {
        merge_all(m);
        if (!m->is_ending)
            pause_for(m, PAUSE_MS);
    }
    merge_all(m);
    (void)pthread_mutex_unlock(&m->mutex);
    return NULL;
}

struct quota_merge *
quota_merge_new(struct mfx_store *store)
{
    struct quota_merge *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->store = store;
    (void)pthread_mutex_init(&m->mutex, NULL);
    mfx_clock_condition_init(&m->changed);
    if (pthread_create(&m->thread, NULL, run, m) == 0)
        return m;
    (void)pthread_cond_destroy(&m->changed);
    (void)pthread_mutex_destroy(&m->mutex);
    free(m);
    return NULL;
}

void
quota_merge_free(struct quota_merge *m)
{
    struct record *r;
    if (m == NULL)
        return;
    (void)pthread_mutex_lock(&m->mutex);
    m->is_ending = true;
    (void)pthread_cond_signal(&m->changed);
    (void)pthread_mutex_unlock(&m->mutex);
    (void)pthread_join(m->thread, NULL);
    while ((r = take_first(m)) != NULL)
        mfx_arena_free(r->arena);
    (void)pthread_cond_destroy(&m->changed);
    (void)pthread_mutex_destroy(&m->mutex);
    free(m);
}

struct quota_merge_counts
quota_merge_counts(struct quota_merge *m)
{
    (void)pthread_mutex_lock(&m->mutex);
    struct quota_merge_counts counts = m->counts;
    (void)pthread_mutex_unlock(&m->mutex);
    return counts;
}
