/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_local.h"

#include <stdio.h>
#include <stdlib.h>

#include <mfx/base/clock.h>

#include "local_impl.h"

/* --- queues --- */

void
local_queue_init(struct local_queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

void
local_queue_add(struct local_queue *queue, struct mfx_store_call *call)
{
    call->next = NULL;
    *queue->end = call;
    queue->end = &call->next;
}

struct mfx_store_call *
local_queue_take(struct local_queue *queue)
{
    struct mfx_store_call *call = queue->first;
    if (call == NULL)
        return NULL;
    queue->first = call->next;
    if (queue->first == NULL)
        queue->end = &queue->first;
    return call;
}

/* --- time --- */

void
local_clock(const struct local_store *store, struct mfx_counter_clock *clock)
{
    clock->store_ms = store->base_store_ms +
                      (store->env->mono_ms(store->env) - store->base_mono_ms);
    clock->wall_s = store->env->wall_s(store->env);
}

/* What goes into the file is what this moment's clocks say, and nothing that
 * they said before: a step of the wall clock by less than a second looks like
 * the second's fraction. */
void
local_follow_wall(struct local_store *store)
{
    struct mfx_counter_clock now;
    local_clock(store, &now);
    int64_t least_ms =
        (int64_t)now.store_ms - (int64_t)(now.wall_s * 1000) - 999;
    int64_t change_ms = least_ms - store->offset_ms;
    /* a second has room for that much without a step of the clock */
    if (change_ms > 1100 || change_ms < -1100)
        store->is_time_due = true;
    if (store->is_time_due)
        store->offset_ms = least_ms;
}

/* --- the ends of calls --- */

void
local_finish(struct local_store *store, struct mfx_store_call *call,
             enum mfx_rc rc)
{
    struct local_call *place = call->place;
    call->rc = rc;
    for (size_t i = 0; i < place->count; i++)
        place->counters[i]->waiters--;
    while (place->taken != NULL) {
        struct local_hold *hold = place->taken;
        place->taken = hold->next_taken;
        if (rc == MFX_OK)
            local_hold_free(hold);
        else
            local_hold_give_back(store, hold);
    }
    bool is_failure = rc == MFX_TEMPFAIL || rc == MFX_PERMFAIL;
    if (is_failure && place->is_committer)
        local_committed_remove(store, call->holder);
    store->failures += is_failure;
    store->outstanding--;
    local_queue_add(&store->finished, call);
}

void
local_fail(struct local_store *store, struct mfx_store_call *call,
           const char *why)
{
    mfx_err_set(&call->err, "%s", why);
    local_finish(store, call, MFX_TEMPFAIL);
}

void
local_fail_queue(struct local_store *store, struct local_queue *queue,
                 const char *why)
{
    struct mfx_store_call *call;
    while ((call = local_queue_take(queue)) != NULL)
        local_fail(store, call, why);
}

void
local_unlock(struct local_store *store)
{
    struct mfx_store_call *call = store->finished.first;
    local_queue_init(&store->finished);
    (void)pthread_mutex_unlock(&store->mutex);
    while (call != NULL) {
        struct mfx_store_call *next = call->next;
        mfx_store_call_done(call);
        call = next;
    }
}

/* --- beginning --- */

/* What one holder asked first is done first: a RELEASE must not overtake the
 * RESERVE that it takes back. */
static bool
waits_for_itself(const struct local_store *store,
                 const struct mfx_store_call *call)
{
    const struct mfx_store_call *other = store->waiting.first;
    for (; other != NULL && call->holder.len > 0; other = other->next)
        if (mfx_str_eq(other->holder, call->holder))
            return true;
    return false;
}

static bool
find_counters(struct local_store *store, const struct mfx_store_call *call)
{
    struct local_call *place = call->place;
    size_t count = call->task == MFX_STORE_TASK_OVERRIDE ? 1 : call->count;
    for (; place->count < count; place->count++) {
        struct mfx_str name = call->task == MFX_STORE_TASK_OVERRIDE
                                  ? call->name
                                  : call->uses[place->count].counter;
        struct local_counter *counter = local_counter_need(store, name);
        if (counter == NULL)
            return false;
        counter->waiters++;
        place->counters[place->count] = counter;
    }
    return true;
}

static void
begin_counters(struct local_store *store, struct mfx_store_call *call)
{
    local_holds_expire(store);
    if (!find_counters(store, call)) {
        local_fail(store, call, "out of memory");
        return;
    }
    if (local_is_ready(store, call) && !waits_for_itself(store, call))
        local_decide(store, call);
    else
        local_queue_add(&store->waiting, call);
    local_cache_trim(store);
}

static bool
is_needed_when_down(const struct mfx_store_call *call)
{
    return call->task == MFX_STORE_TASK_USES && call->op == MFX_STORE_RELEASE;
}

static void
begin_call(struct local_store *store, struct mfx_store_call *call)
{
    store->calls++;
    store->outstanding++;
    if (local_has_file(store) && !store->is_up && !is_needed_when_down(call)) {
        local_fail(store, call, store->error);
    } else if (store->is_stopping) {
        local_fail(store, call, "the store is being closed");
    } else if (store->outstanding > LOCAL_OUTSTANDING_MAX) {
        local_fail(store, call, "too many calls wait for the store");
    } else if (call->task != MFX_STORE_TASK_LIST &&
               call->task != MFX_STORE_TASK_VALUE) {
        begin_counters(store, call);
    } else if (local_has_file(store)) {
        local_queue_add(&store->tasks, call);
    } else if (call->task == MFX_STORE_TASK_LIST) {
        local_list_memory(store, call);
    } else {
        local_value_memory(store, call);
    }
}

static bool
has_work(const struct local_store *store)
{
    return store->waiting.first != NULL || store->unwritten.first != NULL ||
           store->tasks.first != NULL;
}

static void
submit(struct mfx_store *base, struct mfx_store_call *call)
{
    struct local_store *store = (struct local_store *)base;
    struct local_call *place = mfx_arena_alloc(call->arena, sizeof *place);
    size_t count = call->task == MFX_STORE_TASK_OVERRIDE ? 1 : call->count;
    if (place != NULL)
        place->counters = mfx_arena_alloc_array(call->arena, count,
                                                sizeof(struct local_counter *));
    if (place == NULL || place->counters == NULL) {
        mfx_store_call_fail(call, MFX_TEMPFAIL, "out of memory");
        return;
    }
    call->place = place;
    (void)pthread_mutex_lock(&store->mutex);
    bool is_told = has_work(store);
    begin_call(store, call);
    /* who gathers waits for those that hold something: local_disk.c */
    is_told = !has_work(store) || (is_told && store->heap_count > 0);
    local_unlock(store);
    /* without the mutex: the disk thread would wake only to wait for it */
    if (!is_told)
        (void)pthread_cond_signal(&store->work);
}

/* --- health and life --- */

static void
health(struct mfx_store *base, struct mfx_store_health *health)
{
    struct local_store *store = (struct local_store *)base;
    (void)pthread_mutex_lock(&store->mutex);
    health->kind = local_has_file(store) ? "sqlite" : "memory";
    health->is_up = store->is_up;
    health->since_ms = store->since_ms;
    (void)snprintf(health->where, sizeof health->where, "%s",
                   local_has_file(store) ? store->path : "memory");
    (void)snprintf(health->error, sizeof health->error, "%s", store->error);
    health->calls = store->calls;
    health->failures = store->failures;
    health->outstanding = store->outstanding;
    health->counters =
        mfx_map_count(store->counters) + mfx_map_count(store->packed);
    health->memory_bytes = local_cache_bytes(store);
    health->file_bytes = store->file_bytes;
    (void)pthread_mutex_unlock(&store->mutex);
}

static void
free_store(struct local_store *store)
{
    local_holds_free(store);
    local_values_free(store);
    local_cache_free(store);
    local_committed_free(store);
    (void)pthread_cond_destroy(&store->work);
    (void)pthread_cond_destroy(&store->sync);
    (void)pthread_mutex_destroy(&store->mutex);
    free(store->seen);
    free(store->path);
    free(store);
}

static void
close_store(struct mfx_store *base, uint64_t wait_ms)
{
    struct local_store *store = (struct local_store *)base;
    (void)pthread_mutex_lock(&store->mutex);
    store->is_stopping = true;
    store->stop_until_ms = mfx_mono_ms() + wait_ms;
    (void)pthread_cond_broadcast(&store->work);
    (void)pthread_cond_broadcast(&store->sync);
    (void)pthread_mutex_unlock(&store->mutex);
    if (store->has_threads) {
        (void)pthread_join(store->disk_thread, NULL);
        (void)pthread_join(store->sync_thread, NULL);
    }
    mfx_local_file_close(store->file);
    free_store(store);
}

static const struct mfx_store_ops ops = {
    .submit = submit,
    .health = health,
    .close = close_store,
};

static bool
start_threads(struct local_store *store)
{
    if (!local_has_file(store))
        return true;
    if (pthread_create(&store->disk_thread, NULL, local_disk_run, store) != 0)
        return false;
    if (pthread_create(&store->sync_thread, NULL, local_sync_run, store) != 0) {
        (void)pthread_mutex_lock(&store->mutex);
        store->is_stopping = true;
        (void)pthread_cond_broadcast(&store->work);
        (void)pthread_mutex_unlock(&store->mutex);
        (void)pthread_join(store->disk_thread, NULL);
        return false;
    }
    store->has_threads = true;
    return true;
}

static void
init(struct local_store *store, const struct mfx_env *env)
{
    (void)pthread_mutex_init(&store->mutex, NULL);
    mfx_clock_condition_init(&store->work);
    mfx_clock_condition_init(&store->sync);
    store->base.ops = &ops;
    store->env = env;
    store->base_mono_ms = env->mono_ms(env);
    store->base_store_ms = env->wall_s(env) * 1000;
    store->since_ms = store->base_store_ms;
    store->offset_ms = -999;
    local_queue_init(&store->waiting);
    local_queue_init(&store->unwritten);
    local_queue_init(&store->tasks);
    local_queue_init(&store->finished);
    store->counters = mfx_map_new(MFX_MAP_CASE, 1024);
    store->holds = mfx_map_new(MFX_MAP_CASE, 64);
    store->packed = mfx_map_new(MFX_MAP_CASE, 64);
    mfx_buf_init(&store->code, MFX_COUNTER_CODE_MAX);
    store->values = mfx_map_new(MFX_MAP_CASE, 64);
}

struct mfx_store *
mfx_store_local_open(const struct mfx_store_local_settings *settings,
                     const struct mfx_env *env)
{
    struct local_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return NULL;
    init(store, env);
    store->settings = *settings;
    if (settings->path != NULL)
        store->path = strdup(settings->path);
    store->settings.path = store->path;
    store->is_up = settings->path == NULL;
    bool has_memory = store->counters != NULL && store->holds != NULL &&
                      store->packed != NULL && store->values != NULL &&
                      (settings->path == NULL || store->path != NULL);
    if (has_memory) {
        local_disk_open(store);
        if (start_threads(store))
            return &store->base;
    }
    mfx_local_file_close(store->file);
    free_store(store);
    return NULL;
}
