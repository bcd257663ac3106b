/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The elements of one counter that are in memory: a hash table whose keys are
 * digests already.
 */
#include <stdlib.h>

#include "local_impl.h"

enum {
    ROOM_FIRST = 8,
    ROOM_SHARED = 4 * MFX_STORE_ELEMENTS_MAX, /* less would not hold a call's */
};

/* The slot of the hash, or the empty one where it belongs. */
static struct local_element *
slot_of(const struct local_elements *elements, uint64_t hash)
{
    size_t mask = elements->room - 1;
    size_t at = (size_t)hash & mask;
    while (elements->slots[at].is_used && elements->slots[at].hash != hash)
        at = (at + 1) & mask;
    return &elements->slots[at];
}

struct local_element *
local_element_find(const struct local_counter *counter, uint64_t hash)
{
    if (counter->elements.count == 0)
        return NULL;
    struct local_element *element = slot_of(&counter->elements, hash);
    return element->is_used ? element : NULL;
}

/* Elements that nobody holds or is about to write go when they were last seen
 * before after_ms. */
static bool
rebuild(struct local_elements *elements, size_t room, uint64_t after_ms)
{
    struct local_elements new = {.room = room};
    new.slots = calloc(room, sizeof *new.slots);
    if (new.slots == NULL)
        return false;
    for (size_t i = 0; i < elements->room; i++) {
        const struct local_element *old = &elements->slots[i];
        if (!old->is_used ||
            (old->holders == 0 && old->pending == 0 && old->seen_ms < after_ms))
            continue;
        *slot_of(&new, old->hash) = *old;
        new.count++;
    }
    free(elements->slots);
    *elements = new;
    return true;
}

/* What is in the file can be read again; else only what no window remembers
 * goes. */
static uint64_t
needed_after(const struct local_store *store,
             const struct local_counter *counter)
{
    struct mfx_counter_clock now;
    if (local_has_file(store))
        return UINT64_MAX;
    local_clock(store, &now);
    return now.store_ms > counter->counter.memory_ms
               ? now.store_ms - counter->counter.memory_ms
               : 0;
}

static bool
make_room(const struct local_store *store, struct local_counter *counter)
{
    struct local_elements *elements = &counter->elements;
    size_t most = store->settings.memory_bytes / 8 / sizeof *elements->slots;
    size_t room = elements->room == 0 ? ROOM_FIRST : elements->room * 2;
    if (elements->count * 4 < elements->room * 3)
        return true;
    if (most < ROOM_SHARED)
        most = ROOM_SHARED;
    if (room <= most)
        return rebuild(elements, room, 0);
    if (!rebuild(elements, elements->room, needed_after(store, counter)))
        return false;
    return elements->count * 2 < elements->room || rebuild(elements, room, 0);
}

struct local_element *
local_element_need(const struct local_store *store,
                   struct local_counter *counter, uint64_t hash)
{
    struct local_element *element = local_element_find(counter, hash);
    if (element != NULL)
        return element;
    if (!make_room(store, counter))
        return NULL;
    element = slot_of(&counter->elements, hash);
    *element = (struct local_element){.hash = hash, .is_used = true};
    counter->elements.count++;
    return element;
}

void
local_elements_unload(struct local_elements *elements)
{
    struct local_elements new = {.slots = NULL};
    size_t held = 0;
    for (size_t i = 0; i < elements->room; i++)
        held += elements->slots[i].is_used && elements->slots[i].holders > 0;
    for (size_t i = 0; i < elements->room; i++) {
        elements->slots[i].is_known = false;
        elements->slots[i].pending = 0;
        elements->slots[i].seen_ms = 0;
    }
    /* without memory for a smaller one, the table stays: nothing is known */
    if (held > 0) {
        (void)rebuild(elements, elements->room, 1);
        return;
    }
    free(elements->slots);
    *elements = new;
}
