/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The disk thread loads what calls wait for. Each load pins its counter, so that
 * its name may be read without the mutex, whatever becomes of the calls.
 */
#include <stdlib.h>

#include <mfx/base/log.h>

#include "local_impl.h"

enum {
    LOADS_MAX = 8192, /* rows at once, so that what is counted is not kept
                         waiting */
};

static void
add_load(struct local_batch *batch, struct local_counter *counter,
         bool is_element, uint64_t hash)
{
    if (batch->load_count >= LOADS_MAX)
        return;
    struct local_load *load = mfx_arena_alloc(batch->arena, sizeof *load);
    if (load == NULL)
        return;
    load->counter = counter;
    load->is_element = is_element;
    load->hash = hash;
    load->next = batch->loads;
    batch->loads = load;
    batch->load_count++;
    counter->waiters++;
    if (!is_element)
        counter->is_loading = true;
}

static void
add_element_load(struct local_batch *batch, struct local_counter *counter,
                 uint64_t hash)
{
    if (counter->name_hash != 0 ||
        mfx_store_element_hash(counter->name, &counter->name_hash))
        add_load(batch, counter, true, hash);
}

/* The row, and what holders have of elements: that was forgotten with it. */
static void
add_counter_load(struct local_batch *batch, struct local_counter *counter)
{
    if (counter->is_loading)
        return;
    for (size_t i = 0; i < counter->elements.room; i++)
        if (counter->elements.slots[i].is_used &&
            !counter->elements.slots[i].is_known)
            add_element_load(batch, counter, counter->elements.slots[i].hash);
    add_load(batch, counter, false, 0);
}

static void
add_call_loads(struct local_batch *batch, const struct mfx_store_call *call)
{
    const struct local_call *place = call->place;
    bool has_elements = call->task != MFX_STORE_TASK_OVERRIDE &&
                        call->op != MFX_STORE_RELEASE &&
                        call->op != MFX_STORE_RESET;
    for (size_t i = 0; i < place->count; i++) {
        struct local_counter *counter = place->counters[i];
        if (!counter->is_loaded)
            add_counter_load(batch, counter);
        for (size_t e = 0; has_elements && e < call->uses[i].element_count;
             e++) {
            uint64_t hash = call->element_hashes[i][e];
            const struct local_element *element =
                local_element_find(counter, hash);
            if (element == NULL || !element->is_known)
                add_element_load(batch, counter, hash);
        }
    }
}

static enum mfx_rc
load_one(struct local_store *store, struct local_batch *batch,
         struct local_load *load, struct mfx_err *err)
{
    char name[LOCAL_ELEMENT_NAME];
    if (!load->is_element)
        return mfx_local_file_get(store->file, MFX_LOCAL_COUNTER,
                                  load->counter->name, batch->arena, &load->row,
                                  err);
    local_element_name(name, load->counter, load->hash);
    return mfx_local_file_get(store->file, MFX_LOCAL_ELEMENT,
                              mfx_str(name, sizeof name), NULL, &load->row,
                              err);
}

static enum mfx_rc
load_each(struct local_store *store, struct local_batch *batch,
          struct mfx_err *err)
{
    for (struct local_load *load = batch->loads; load != NULL;
         load = load->next) {
        load->rc = load_one(store, batch, load, err);
        if (load->rc != MFX_OK && load->rc != MFX_NOTFOUND)
            return load->rc;
    }
    return MFX_OK;
}

/* In one transaction: each alone would lock and unlock the log. */
static enum mfx_rc
load_all(struct local_store *store, struct local_batch *batch,
         struct mfx_err *err)
{
    if (batch->load_count == 0)
        return MFX_OK;
    enum mfx_rc rc = mfx_local_file_begin_read(store->file, err);
    if (rc == MFX_OK)
        rc = load_each(store, batch, err);
    if (rc == MFX_OK)
        rc = mfx_local_file_commit(store->file, err);
    if (rc != MFX_OK)
        mfx_local_file_rollback(store->file);
    return rc;
}

static void
say_damaged(const struct local_store *store,
            const struct local_counter *counter)
{
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, "store_row_damaged");
    mfx_log_add_text(&line, "where", store->path);
    mfx_log_add(&line, "counter", counter->name);
    mfx_log_end(&line, MFX_LOG_ERROR);
}

/* False: out of memory. */
static bool
take_counter(struct local_store *store, const struct local_load *load)
{
    struct local_counter *counter = load->counter;
    enum mfx_rc rc = MFX_OK;
    if (counter->is_loaded)
        return true;
    if (load->rc == MFX_OK)
        rc = mfx_counter_decode(load->row.bytes, &counter->counter);
    if (rc == MFX_TEMPFAIL)
        return false;
    counter->is_loaded = true;
    counter->is_stored = load->rc == MFX_OK;
    counter->is_damaged = rc == MFX_PERMFAIL;
    if (counter->is_damaged)
        say_damaged(store, counter);
    local_counter_touch(store, counter);
    return true;
}

static bool
take_element(struct local_store *store, const struct local_load *load)
{
    struct local_element *element =
        local_element_need(store, load->counter, load->hash);
    if (element == NULL)
        return false;
    if (!element->is_known)
        element->seen_ms = load->rc == MFX_OK ? load->row.number : 0;
    element->is_known = true;
    return true;
}

/* Elements first: a counter is not loaded while what is held of it is not
 * known. */
static bool
take_loads(struct local_store *store, struct local_batch *batch)
{
    bool is_complete = mfx_arena_ok(batch->arena);
    for (struct local_load *load = batch->loads; load != NULL;
         load = load->next)
        if (load->is_element && !take_element(store, load))
            is_complete = false;
    for (struct local_load *load = batch->loads; load != NULL;
         load = load->next)
        if (!load->is_element && !take_counter(store, load))
            is_complete = false;
    return is_complete;
}

static bool
has_earlier(const struct local_queue *queue, const struct mfx_store_call *call)
{
    const struct mfx_store_call *other = queue->first;
    for (; other != NULL && call->holder.len > 0; other = other->next)
        if (mfx_str_eq(other->holder, call->holder))
            return true;
    return false;
}

/* Those that have all they need, in their order. What would only be held for an
 * asker who has given up is not done. */
static void
decide_waiting(struct local_store *store)
{
    struct local_queue old = store->waiting;
    struct mfx_store_call *call;
    if (old.first == NULL)
        return;
    local_queue_init(&store->waiting);
    while (old.first != NULL) {
        call = old.first;
        old.first = call->next;
        if (has_earlier(&store->waiting, call) || !local_is_ready(store, call))
            local_queue_add(&store->waiting, call);
        else if (call->op == MFX_STORE_RESERVE &&
                 mfx_store_call_is_abandoned(call))
            local_fail(store, call, "given up");
        else
            local_decide(store, call);
    }
}

enum mfx_rc
local_load(struct local_store *store, struct local_batch *batch,
           struct mfx_err *err)
{
    batch->loads = NULL;
    batch->load_count = 0;
    for (const struct mfx_store_call *call = store->waiting.first; call != NULL;
         call = call->next)
        add_call_loads(batch, call);
    local_unlock(store);
    enum mfx_rc rc = load_all(store, batch, err);
    (void)pthread_mutex_lock(&store->mutex);
    for (struct local_load *load = batch->loads; load != NULL;
         load = load->next) {
        load->counter->is_loading = false;
        load->counter->waiters--;
    }
    if (rc != MFX_OK)
        return rc;
    local_holds_expire(store);
    if (take_loads(store, batch))
        decide_waiting(store);
    else
        local_fail_queue(store, &store->waiting, "out of memory");
    local_cache_trim(store);
    return MFX_OK;
}
