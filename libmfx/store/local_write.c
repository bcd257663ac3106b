/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The disk thread writes what has been counted: all that has gathered, in one
 * transaction. What is written is a copy made under the mutex.
 */
#include <stdlib.h>

#include "local_impl.h"

void
local_element_name(char name[LOCAL_ELEMENT_NAME],
                   const struct local_counter *counter, uint64_t hash)
{
    for (unsigned i = 0; i < 8; i++) {
        name[i] = (char)(counter->name_hash >> (56 - 8 * i));
        name[8 + i] = (char)(hash >> (56 - 8 * i));
    }
}

/* --- what there is to write --- */

static bool
take_counter(struct local_batch *batch, struct local_counter *counter)
{
    struct local_write *write = mfx_arena_alloc(batch->arena, sizeof *write);
    mfx_buf_clear(&batch->code);
    mfx_counter_encode(&counter->counter, &batch->code);
    struct mfx_str code =
        mfx_arena_copy(batch->arena, mfx_buf_str(&batch->code));
    if (write == NULL || code.p == NULL || !mfx_buf_ok(&batch->code))
        return false;
    write->counter = counter;
    write->row.name = counter->name;
    write->row.bytes = code;
    write->row.expires = mfx_counter_expires(&counter->counter, &batch->now);
    write->next = batch->writes;
    batch->writes = write;
    counter->is_writing = true;
    return true;
}

/* False when out of memory: what was not taken stays dirty. */
static bool
take_all(struct local_store *store, struct local_batch *batch)
{
    size_t size = store->seen_count * sizeof *store->seen;
    local_clock(store, &batch->now);
    local_follow_wall(store);
    batch->is_time_due = store->is_time_due;
    store->is_time_due = false;
    batch->writes = NULL;
    batch->calls = store->unwritten;
    if (batch->calls.first == NULL)
        local_queue_init(&batch->calls);
    local_queue_init(&store->unwritten);
    batch->tasks = store->tasks;
    if (batch->tasks.first == NULL)
        local_queue_init(&batch->tasks);
    local_queue_init(&store->tasks);
    batch->seen = mfx_arena_alloc(batch->arena, size);
    if (batch->seen == NULL)
        return false;
    if (size > 0)
        memcpy(batch->seen, store->seen, size);
    batch->seen_count = store->seen_count;
    store->seen_count = 0;
    while (store->dirty != NULL) {
        if (!take_counter(batch, store->dirty))
            return false;
        store->dirty->is_dirty = false;
        store->dirty = store->dirty->next_dirty;
    }
    return true;
}

/* --- writing, without the mutex --- */

static enum mfx_rc
write_counters(struct mfx_local_file *file, const struct local_batch *batch,
               struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    for (const struct local_write *write = batch->writes;
         write != NULL && rc == MFX_OK; write = write->next) {
        if (write->row.expires == 0)
            rc = mfx_local_file_delete(file, MFX_LOCAL_COUNTER, write->row.name,
                                       err);
        else
            rc = mfx_local_file_put(file, MFX_LOCAL_COUNTER, &write->row, err);
    }
    return rc;
}

static enum mfx_rc
write_elements(struct mfx_local_file *file, const struct local_batch *batch,
               struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    for (size_t i = 0; i < batch->seen_count && rc == MFX_OK; i++) {
        const struct local_seen *seen = &batch->seen[i];
        char name[LOCAL_ELEMENT_NAME];
        local_element_name(name, seen->counter, seen->hash);
        struct mfx_local_row row = {.name = mfx_str(name, sizeof name),
                                    .number = seen->seen_ms,
                                    .expires = seen->expires_ms};
        rc = mfx_local_file_put(file, MFX_LOCAL_ELEMENT, &row, err);
    }
    return rc;
}

static enum mfx_rc
do_values(struct local_store *store, const struct local_batch *batch,
          struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    for (struct mfx_store_call *call = batch->tasks.first;
         call != NULL && rc == MFX_OK; call = call->next)
        if (call->task == MFX_STORE_TASK_VALUE)
            rc = local_value_file(store->file, call, &batch->now,
                                  store->is_full, err);
    return rc;
}

static bool
changes_file(const struct local_batch *batch)
{
    const struct mfx_store_call *call = batch->tasks.first;
    for (; call != NULL; call = call->next)
        if (call->task == MFX_STORE_TASK_VALUE &&
            call->value_op != MFX_STORE_VALUE_GET)
            return true;
    return batch->writes != NULL || batch->seen_count > 0 || batch->is_time_due;
}

static enum mfx_rc
write_all(struct local_store *store, const struct local_batch *batch,
          struct mfx_err *err)
{
    struct mfx_local_file *file = store->file;
    if (!changes_file(batch))
        return do_values(store, batch, err);
    enum mfx_rc rc = mfx_local_file_begin(file, err);
    if (rc == MFX_OK)
        rc = write_counters(file, batch, err);
    if (rc == MFX_OK)
        rc = write_elements(file, batch, err);
    if (rc == MFX_OK)
        rc = do_values(store, batch, err);
    if (rc == MFX_OK && batch->is_time_due)
        rc = mfx_local_file_put_time(file, batch->now.store_ms,
                                     store->offset_ms, err);
    if (rc == MFX_OK)
        rc = mfx_local_file_commit(file, err);
    if (rc != MFX_OK)
        mfx_local_file_rollback(file);
    return rc;
}

static enum mfx_rc
walk(struct local_store *store, const struct local_batch *batch,
     struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    for (struct mfx_store_call *call = batch->tasks.first;
         call != NULL && rc == MFX_OK; call = call->next)
        if (call->task == MFX_STORE_TASK_LIST) {
            rc = local_list_file(store, call, &batch->now, err);
            if (rc != MFX_OK)
                mfx_err_set(&call->err, "%s", err->msg);
        }
    return rc;
}

/* --- afterwards --- */

static void
unload_counters(struct mfx_store_call *call)
{
    for (; call != NULL; call = call->next) {
        const struct local_call *place = call->place;
        for (size_t i = 0; i < place->count; i++)
            local_counter_unload(place->counters[i]);
    }
}

static void
undo(struct local_store *store, struct local_batch *batch, const char *why)
{
    for (struct local_write *write = batch->writes; write != NULL;
         write = write->next) {
        write->counter->is_writing = false;
        local_counter_unload(write->counter);
    }
    unload_counters(batch->calls.first);
    /* before holds come back, whose elements are unknown then */
    unload_counters(store->unwritten.first);
    local_fail_queue(store, &batch->calls, why);
    local_fail_queue(store, &batch->tasks, why);
    store->is_time_due = store->is_time_due || batch->is_time_due;
    local_fail_all(store, why);
}

static void
keep(struct local_store *store, struct local_batch *batch)
{
    struct mfx_store_call *call;
    for (struct local_write *write = batch->writes; write != NULL;
         write = write->next) {
        write->counter->is_writing = false;
        write->counter->is_stored = write->row.expires != 0;
    }
    for (size_t i = 0; i < batch->seen_count; i++) {
        struct local_element *element =
            local_element_find(batch->seen[i].counter, batch->seen[i].hash);
        if (element != NULL && element->pending > 0)
            element->pending--;
    }
    batch->call_count = 0;
    while ((call = local_queue_take(&batch->calls)) != NULL) {
        local_finish(store, call, MFX_OK);
        batch->call_count++;
    }
    while ((call = local_queue_take(&batch->tasks)) != NULL)
        local_finish(store, call, call->rc);
}

void
local_fail_all(struct local_store *store, const char *why)
{
    while (store->dirty != NULL) {
        struct local_counter *counter = store->dirty;
        store->dirty = counter->next_dirty;
        counter->is_dirty = false;
        local_counter_unload(counter);
    }
    store->seen_count = 0;
    unload_counters(store->unwritten.first);
    local_fail_queue(store, &store->unwritten, why);
    local_fail_queue(store, &store->waiting, why);
    local_fail_queue(store, &store->tasks, why);
}

enum mfx_rc
local_write(struct local_store *store, struct local_batch *batch,
            struct mfx_err *err)
{
    bool is_change = false;
    if (!take_all(store, batch)) {
        undo(store, batch, "out of memory");
        return MFX_OK;
    }
    is_change = changes_file(batch);
    local_unlock(store);
    enum mfx_rc rc = write_all(store, batch, err);
    (void)pthread_mutex_lock(&store->mutex);
    if (rc != MFX_OK) {
        undo(store, batch, err->msg);
        return rc;
    }
    store->has_news = store->has_news || is_change;
    store->has_moved = store->has_moved || (is_change && !batch->is_time_due);
    /* with what this transaction wrote */
    if (batch->tasks.first != NULL) {
        local_unlock(store);
        rc = walk(store, batch, err);
        (void)pthread_mutex_lock(&store->mutex);
    }
    keep(store, batch);
    return rc;
}
