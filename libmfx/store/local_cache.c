/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "local_impl.h"

enum {
    LOOK_MAX = 64, /* at those used longest ago, when they cannot go */
    SHARE = 4,     /* of memory_bytes: of counters that are not packed, at
                      least */
};

static void
unlink_age(struct local_store *store, struct local_counter *counter)
{
    *(counter->newer != NULL ? &counter->newer->older : &store->newest) =
        counter->older;
    *(counter->older != NULL ? &counter->older->newer : &store->oldest) =
        counter->newer;
}

static void
link_newest(struct local_store *store, struct local_counter *counter)
{
    counter->newer = NULL;
    counter->older = store->newest;
    *(store->newest != NULL ? &store->newest->newer : &store->oldest) = counter;
    store->newest = counter;
}

static void
charge(struct local_store *store, struct local_counter *counter)
{
    size_t bytes = sizeof *counter + counter->name.len + LOCAL_PLACE_BYTES +
                   mfx_counter_bytes(&counter->counter) +
                   counter->elements.room * sizeof(struct local_element);
    store->counter_bytes += bytes - counter->bytes;
    counter->bytes = bytes;
}

struct local_counter *
local_counter_find(struct local_store *store, struct mfx_str name)
{
    return mfx_map_get(store->counters, name);
}

struct local_counter *
local_counter_need(struct local_store *store, struct mfx_str name)
{
    struct local_counter *counter = local_counter_find(store, name);
    if (counter != NULL)
        return counter;
    counter = calloc(1, sizeof *counter + name.len);
    if (counter == NULL)
        return NULL;
    char *copy = (char *)(counter + 1);
    memcpy(copy, name.p, name.len);
    counter->name = mfx_str(copy, name.len);
    mfx_counter_init(&counter->counter, MFX_STORE_AMOUNT);
    counter->is_loaded = !local_has_file(store);
    if (mfx_map_put(store->counters, counter->name, counter) != MFX_OK) {
        free(counter);
        return NULL;
    }
    link_newest(store, counter);
    if (local_has_file(store))
        local_unpack(store, counter);
    charge(store, counter);
    return counter;
}

void
local_counter_touch(struct local_store *store, struct local_counter *counter)
{
    if (store->newest != counter) {
        unlink_age(store, counter);
        link_newest(store, counter);
    }
    charge(store, counter);
}

void
local_counter_dirty(struct local_store *store, struct local_counter *counter)
{
    if (counter->is_dirty || !local_has_file(store))
        return;
    counter->is_dirty = true;
    counter->next_dirty = store->dirty;
    store->dirty = counter;
}

void
local_counter_unload(struct local_counter *counter)
{
    mfx_counter_fini(&counter->counter);
    mfx_counter_init(&counter->counter, MFX_STORE_AMOUNT);
    local_elements_unload(&counter->elements);
    counter->is_loaded = false;
    counter->is_damaged = false;
    counter->is_stored = false;
}

static bool
may_go(const struct local_counter *counter)
{
    return !counter->is_dirty && !counter->is_writing &&
           counter->waiters == 0 && counter->holds == NULL;
}

static void
free_counter(struct local_counter *counter)
{
    mfx_counter_fini(&counter->counter);
    free(counter->elements.slots);
    free(counter);
}

static void
forget(struct local_store *store, struct local_counter *counter)
{
    (void)mfx_map_remove(store->counters, counter->name);
    unlink_age(store, counter);
    store->counter_bytes -= counter->bytes;
    free_counter(counter);
}

size_t
local_cache_bytes(const struct local_store *store)
{
    return store->counter_bytes + store->packed_bytes +
           local_committed_bytes(store);
}

/* The oldest one, or NULL when none of those looked at may go. */
static struct local_counter *
find_oldest(struct local_store *store, unsigned *looked)
{
    while (store->oldest != NULL && *looked < LOOK_MAX) {
        struct local_counter *counter = store->oldest;
        if (may_go(counter))
            return counter;
        (*looked)++;
        local_counter_touch(store, counter);
    }
    return NULL;
}

/* What was used longest ago is packed first, and when enough is, forgotten.
 * Memory alone: nothing is packed, since what is listed are `counters`. */
void
local_cache_trim(struct local_store *store)
{
    size_t most = store->settings.memory_bytes;
    unsigned looked = 0;
    while (local_cache_bytes(store) > most) {
        struct local_counter *counter = NULL;
        if (store->packed_oldest == NULL || store->counter_bytes > most / SHARE)
            counter = find_oldest(store, &looked);
        if (counter != NULL) {
            if (local_has_file(store))
                local_pack(store, counter);
            forget(store, counter);
        } else if (store->packed_oldest != NULL) {
            local_packed_drop(store);
        } else {
            return;
        }
    }
}

void
local_cache_unload(struct local_store *store)
{
    struct local_counter *newer;
    while (store->packed_oldest != NULL)
        local_packed_drop(store);
    for (struct local_counter *counter = store->oldest; counter != NULL;
         counter = newer) {
        newer = counter->newer;
        if (may_go(counter))
            forget(store, counter);
        else
            local_counter_unload(counter);
    }
}

void
local_cache_free(struct local_store *store)
{
    while (store->oldest != NULL)
        forget(store, store->oldest);
    mfx_map_free(store->counters);
    local_packed_free(store);
}
