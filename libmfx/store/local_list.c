/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters in the order of their names: those of the file, and those that are
 * only held. The cursor is the last name that was looked at.
 */
#include <stdlib.h>

#include "local_impl.h"

enum {
    LIST_MAX = 1000, /* rows of one call */
    LOOK_MAX = 5000, /* rows of the file that one call looks at */
};

struct listing {
    struct local_store *store;
    struct mfx_store_call *call;
    const struct mfx_counter_clock *now;
    struct mfx_str after; /* names behind this one; p NULL: all */
    struct mfx_str upto;  /* and not behind this one; p NULL: all */
    size_t max, looked;
    bool has_more;
};

static struct listing
start(struct local_store *store, struct mfx_store_call *call,
      const struct mfx_counter_clock *now)
{
    struct listing l = {.store = store, .call = call, .now = now};
    l.max = call->max < LIST_MAX ? call->max : LIST_MAX;
    l.after = call->bytes.len > 0 ? call->bytes : mfx_str(NULL, 0);
    call->rows = mfx_arena_alloc_array(call->arena, l.max, sizeof *call->rows);
    call->row_count = 0;
    return l;
}

static bool
is_asked(const struct listing *l, struct mfx_str name)
{
    return mfx_str_starts(name, l->call->name) &&
           (l->after.p == NULL || mfx_str_compare(name, l->after) > 0) &&
           (l->upto.p == NULL || mfx_str_compare(name, l->upto) <= 0);
}

static bool
is_worth_a_row(const struct mfx_store_row *row)
{
    return row->window_count > 0 || row->override.len > 0 || row->reserved > 0;
}

/* What is held now: amounts, or elements. */
static uint64_t
held_by(const struct local_counter *counter)
{
    uint64_t held = counter->reserved;
    for (size_t i = 0; i < counter->elements.room; i++)
        held += counter->elements.slots[i].is_used &&
                counter->elements.slots[i].holders > 0;
    return held;
}

static void
make_row(const struct listing *l, const struct mfx_counter *counter,
         struct mfx_str name, struct mfx_store_row *row)
{
    *row = (struct mfx_store_row){.counter = name};
    mfx_counter_row(counter, l->now, row);
    row->override = mfx_arena_copy(l->call->arena, row->override);
}

static int
compare_rows(const void *a, const void *b)
{
    const struct mfx_store_row *x = a, *y = b;
    return mfx_str_compare(x->counter, y->counter);
}

/* --- a file --- */

static bool
visit(const struct mfx_local_row *stored, void *arg)
{
    struct listing *l = arg;
    struct mfx_store_call *call = l->call;
    struct mfx_store_row row;
    struct mfx_counter counter;
    if (!mfx_str_starts(stored->name, call->name))
        return false;
    if (call->row_count == l->max || l->looked == LOOK_MAX) {
        l->has_more = true;
        return false;
    }
    l->looked++;
    struct mfx_str name = mfx_arena_copy(call->arena, stored->name);
    call->cursor = name;
    mfx_counter_init(&counter, MFX_STORE_AMOUNT);
    if (mfx_counter_decode(stored->bytes, &counter) == MFX_OK) {
        make_row(l, &counter, name, &row);
        if (is_worth_a_row(&row))
            call->rows[call->row_count++] = row;
    }
    mfx_counter_fini(&counter);
    return mfx_arena_ok(call->arena);
}

static struct mfx_store_row *
row_of(const struct mfx_store_call *call, size_t count, struct mfx_str name)
{
    struct mfx_store_row key = {.counter = name};
    return count == 0
               ? NULL
               : bsearch(&key, call->rows, count, sizeof key, compare_rows);
}

static size_t
count_held(const struct listing *l)
{
    size_t count = 0;
    for (const struct local_counter *counter = l->store->held; counter != NULL;
         counter = counter->held_next)
        count += is_asked(l, counter->name);
    return count;
}

/* Into the rows that are there, and as rows of their own where the file has
 * none: more than max, perhaps, since the cursor goes behind them. */
static void
add_held(const struct listing *l)
{
    struct mfx_store_call *call = l->call;
    size_t stored = call->row_count;
    struct mfx_store_row *rows = mfx_arena_alloc_array(
        call->arena, stored + count_held(l), sizeof *rows);
    if (rows == NULL)
        return;
    memcpy(rows, call->rows, stored * sizeof *rows);
    call->rows = rows;
    for (const struct local_counter *counter = l->store->held; counter != NULL;
         counter = counter->held_next) {
        if (!is_asked(l, counter->name))
            continue;
        struct mfx_store_row *row = row_of(call, stored, counter->name);
        if (row == NULL) {
            row = &call->rows[call->row_count++];
            make_row(l, &counter->counter,
                     mfx_arena_copy(call->arena, counter->name), row);
        }
        row->reserved = held_by(counter);
    }
    qsort(call->rows, call->row_count, sizeof *rows, compare_rows);
}

enum mfx_rc
local_list_file(struct local_store *store, struct mfx_store_call *call,
                const struct mfx_counter_clock *now, struct mfx_err *err)
{
    struct listing l = start(store, call, now);
    struct mfx_str from = l.after.p == NULL ? call->name : l.after;
    enum mfx_rc rc = MFX_OK;
    call->rc = MFX_OK;
    if (call->rows != NULL && l.max > 0)
        rc = mfx_local_file_each(store->file, from, l.after.p != NULL, visit,
                                 &l, err);
    if (rc != MFX_OK)
        return rc;
    if (l.has_more)
        l.upto = call->cursor;
    else
        call->cursor = mfx_str(NULL, 0);
    (void)pthread_mutex_lock(&store->mutex);
    local_holds_expire(store);
    if (mfx_arena_ok(call->arena))
        add_held(&l);
    (void)pthread_mutex_unlock(&store->mutex);
    if (!mfx_arena_ok(call->arena)) {
        mfx_err_set(&call->err, "out of memory");
        call->rc = MFX_TEMPFAIL;
    }
    return MFX_OK;
}

/* --- memory alone --- */

/* The names that come next, in order: the largest goes when one more comes. */
static void
insert(struct local_counter **next, size_t *count, size_t max,
       struct local_counter *counter)
{
    size_t low = 0, high = *count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (mfx_str_compare(next[middle]->name, counter->name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == max)
        return;
    size_t behind = *count - low - (*count == max ? 1 : 0);
    memmove(next + low + 1, next + low,
            behind * sizeof(struct local_counter *));
    next[low] = counter;
    if (*count < max)
        (*count)++;
}

void
local_list_memory(struct local_store *store, struct mfx_store_call *call)
{
    struct mfx_counter_clock now;
    struct mfx_str name;
    size_t cursor = 0, count = 0;
    void *value;
    local_clock(store, &now);
    local_holds_expire(store);
    struct listing l = start(store, call, &now);
    struct local_counter **next = mfx_arena_alloc_array(
        call->arena, l.max + 1, sizeof(struct local_counter *));
    if (!mfx_arena_ok(call->arena)) {
        local_fail(store, call, "out of memory");
        return;
    }
    while (l.max > 0 && mfx_map_next(store->counters, &cursor, &name, &value))
        if (is_asked(&l, name))
            insert(next, &count, l.max, value);
    for (size_t i = 0; i < count; i++) {
        struct mfx_store_row row;
        make_row(&l, &next[i]->counter,
                 mfx_arena_copy(call->arena, next[i]->name), &row);
        row.reserved = held_by(next[i]);
        call->cursor = row.counter;
        if (is_worth_a_row(&row))
            call->rows[call->row_count++] = row;
    }
    if (count < l.max)
        call->cursor = mfx_str(NULL, 0);
    if (mfx_arena_ok(call->arena))
        local_finish(store, call, MFX_OK);
    else
        local_fail(store, call, "out of memory");
}
