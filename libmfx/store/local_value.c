/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Small values. With a file they are in the file alone; else in memory, at most
 * half as much as counters, the oldest go first.
 */
#include <stdlib.h>

#include "local_impl.h"

struct local_value {
    struct local_value *newer, *older;
    uint64_t expires_ms; /* store time; 0: never */
    struct mfx_str name, bytes;
};

/* --- answers --- */

static uint64_t
expires_of(const struct mfx_store_call *call,
           const struct mfx_counter_clock *now)
{
    if (call->lifetime_ms == 0)
        return 0;
    return call->lifetime_ms < MFX_COUNTER_TIME_MAX - now->store_ms
               ? now->store_ms + call->lifetime_ms
               : MFX_COUNTER_TIME_MAX;
}

static void
answer(struct mfx_store_call *call, struct mfx_str bytes, uint64_t expires_ms,
       bool is_new, const struct mfx_counter_clock *now)
{
    call->value = (struct mfx_store_value){.bytes = bytes, .is_new = is_new};
    if (expires_ms > now->store_ms)
        call->value.until_ms =
            now->wall_s * 1000 + (expires_ms - now->store_ms);
    call->rc = MFX_OK;
}

static void
answer_none(struct mfx_store_call *call)
{
    mfx_err_set(&call->err, "no such value");
    call->rc = MFX_NOTFOUND;
}

static bool
is_alive(uint64_t expires_ms, const struct mfx_counter_clock *now)
{
    return expires_ms == 0 || expires_ms > now->store_ms;
}

static bool
is_put(const struct mfx_store_call *call, bool is_there)
{
    return call->value_op == MFX_STORE_VALUE_PUT ||
           (call->value_op == MFX_STORE_VALUE_ADD && !is_there);
}

/* --- in a file --- */

static enum mfx_rc
put_in_file(struct mfx_local_file *file, struct mfx_store_call *call,
            const struct mfx_counter_clock *now, struct mfx_err *err)
{
    struct mfx_local_row row = {.name = call->name,
                                .bytes = call->bytes,
                                .expires = expires_of(call, now)};
    enum mfx_rc rc = mfx_local_file_put(file, MFX_LOCAL_VALUE, &row, err);
    if (rc == MFX_OK)
        answer(call, call->bytes, row.expires, true, now);
    return rc;
}

enum mfx_rc
local_value_file(struct mfx_local_file *file, struct mfx_store_call *call,
                 const struct mfx_counter_clock *now, bool is_full,
                 struct mfx_err *err)
{
    struct mfx_local_row row = {.expires = 0};
    enum mfx_rc rc = mfx_local_file_get(file, MFX_LOCAL_VALUE, call->name,
                                        call->arena, &row, err);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        return rc;
    bool is_there = rc == MFX_OK && is_alive(row.expires, now);
    if (is_put(call, is_there)) {
        if (rc == MFX_OK || !is_full)
            return put_in_file(file, call, now, err);
        mfx_err_set(&call->err, LOCAL_FULL_TEXT);
        call->rc = MFX_TEMPFAIL;
        return MFX_OK;
    }
    if (!is_there) {
        answer_none(call);
        return MFX_OK;
    }
    answer(call, row.bytes, row.expires, false, now);
    return call->value_op == MFX_STORE_VALUE_DELETE
               ? mfx_local_file_delete(file, MFX_LOCAL_VALUE, call->name, err)
               : MFX_OK;
}

/* --- in memory --- */

static size_t
size_of(const struct local_value *value)
{
    return sizeof *value + value->name.len + value->bytes.len + 64;
}

static void
remove_value(struct local_store *store, struct local_value *value)
{
    (void)mfx_map_remove(store->values, value->name);
    *(value->newer != NULL ? &value->newer->older : &store->value_last) =
        value->older;
    *(value->older != NULL ? &value->older->newer : &store->value_first) =
        value->newer;
    store->value_bytes -= size_of(value);
    free(value);
}

static void
trim(struct local_store *store)
{
    while (store->value_first != NULL &&
           store->value_bytes > store->settings.memory_bytes / 2)
        remove_value(store, store->value_first);
}

static bool
put_in_memory(struct local_store *store, const struct mfx_store_call *call,
              uint64_t expires_ms)
{
    struct local_value *old = mfx_map_get(store->values, call->name);
    struct local_value *value =
        calloc(1, sizeof *value + call->name.len + call->bytes.len);
    if (value == NULL)
        return false;
    char *copy = (char *)(value + 1);
    memcpy(copy, call->name.p, call->name.len);
    value->name = mfx_str(copy, call->name.len);
    if (call->bytes.len > 0)
        memcpy(copy + call->name.len, call->bytes.p, call->bytes.len);
    value->bytes = mfx_str(copy + call->name.len, call->bytes.len);
    value->expires_ms = expires_ms;
    if (old != NULL)
        remove_value(store, old);
    if (mfx_map_put(store->values, value->name, value) != MFX_OK) {
        free(value);
        return false;
    }
    value->older = store->value_last;
    *(value->older != NULL ? &value->older->newer : &store->value_first) =
        value;
    store->value_last = value;
    store->value_bytes += size_of(value);
    trim(store);
    return true;
}

void
local_value_memory(struct local_store *store, struct mfx_store_call *call)
{
    struct mfx_counter_clock now;
    local_clock(store, &now);
    struct local_value *value = mfx_map_get(store->values, call->name);
    if (value != NULL && !is_alive(value->expires_ms, &now)) {
        remove_value(store, value);
        value = NULL;
    }
    if (is_put(call, value != NULL)) {
        uint64_t expires_ms = expires_of(call, &now);
        if (!put_in_memory(store, call, expires_ms)) {
            local_fail(store, call, "out of memory");
            return;
        }
        answer(call, call->bytes, expires_ms, true, &now);
    } else if (value == NULL) {
        answer_none(call);
    } else {
        answer(call, mfx_arena_copy(call->arena, value->bytes),
               value->expires_ms, false, &now);
        if (call->value_op == MFX_STORE_VALUE_DELETE)
            remove_value(store, value);
    }
    local_finish(store, call, call->rc);
}

void
local_values_free(struct local_store *store)
{
    while (store->value_first != NULL)
        remove_value(store, store->value_first);
    mfx_map_free(store->values);
}
