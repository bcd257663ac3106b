/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Holds are found by counter and holder, and by the end of their lease (a heap,
 * the next one to end first).
 */
#include <stdlib.h>

#include "local_impl.h"

enum {
    KEY_MAX = sizeof(struct local_counter *) + MFX_STORE_HOLDER_MAX,
};

/* --- the heap --- */

static void
place(struct local_store *store, struct local_hold *hold, size_t at)
{
    store->heap[at] = hold;
    hold->at = at;
}

static void
sift(struct local_store *store, struct local_hold *hold, size_t at)
{
    struct local_hold **heap = store->heap;
    while (at > 0 && heap[(at - 1) / 2]->until_ms > hold->until_ms) {
        place(store, heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < store->heap_count &&
            heap[child + 1]->until_ms < heap[child]->until_ms)
            child++;
        if (child >= store->heap_count ||
            heap[child]->until_ms >= hold->until_ms)
            break;
        place(store, heap[child], at);
        at = child;
    }
    place(store, hold, at);
}

static bool
heap_add(struct local_store *store, struct local_hold *hold)
{
    if (store->heap_count == store->heap_room) {
        size_t room = store->heap_room == 0 ? 64 : store->heap_room * 2;
        struct local_hold **bigger =
            realloc(store->heap, room * sizeof(struct local_hold *));
        if (bigger == NULL)
            return false;
        store->heap = bigger;
        store->heap_room = room;
    }
    store->heap_count++;
    sift(store, hold, store->heap_count - 1);
    return true;
}

static void
heap_remove(struct local_store *store, struct local_hold *hold)
{
    struct local_hold *last = store->heap[--store->heap_count];
    if (last != hold)
        sift(store, last, hold->at);
}

/* --- finding and linking --- */

static struct mfx_str
make_key(char key[KEY_MAX], const struct local_counter *counter,
         struct mfx_str holder)
{
    memcpy(key, &counter, sizeof counter);
    if (holder.len > 0)
        memcpy(key + sizeof counter, holder.p, holder.len);
    return mfx_str(key, sizeof counter + holder.len);
}

struct local_hold *
local_hold_find(struct local_store *store, const struct local_counter *counter,
                struct mfx_str holder)
{
    char key[KEY_MAX];
    if (counter->holds == NULL)
        return NULL;
    return mfx_map_get(store->holds, make_key(key, counter, holder));
}

static void
link_hold(struct local_store *store, struct local_hold *hold)
{
    struct local_counter *counter = hold->counter;
    if (counter->holds == NULL) {
        counter->held_prev = NULL;
        counter->held_next = store->held;
        if (store->held != NULL)
            store->held->held_prev = counter;
        store->held = counter;
    } else {
        counter->holds->prev = hold;
    }
    hold->prev = NULL;
    hold->next = counter->holds;
    counter->holds = hold;
}

static void
unlink_hold(struct local_store *store, struct local_hold *hold)
{
    struct local_counter *counter = hold->counter;
    *(hold->prev != NULL ? &hold->prev->next : &counter->holds) = hold->next;
    if (hold->next != NULL)
        hold->next->prev = hold->prev;
    if (counter->holds != NULL)
        return;
    *(counter->held_prev != NULL ? &counter->held_prev->held_next
                                 : &store->held) = counter->held_next;
    if (counter->held_next != NULL)
        counter->held_next->held_prev = counter->held_prev;
}

static bool
put_in(struct local_store *store, struct local_hold *hold)
{
    if (mfx_map_put(store->holds, hold->key, hold) != MFX_OK)
        return false;
    if (!heap_add(store, hold)) {
        (void)mfx_map_remove(store->holds, hold->key);
        return false;
    }
    link_hold(store, hold);
    return true;
}

static struct local_hold *
new_hold(struct local_store *store, struct local_counter *counter,
         struct mfx_str holder)
{
    char key[KEY_MAX];
    struct mfx_str made = make_key(key, counter, holder);
    struct local_hold *hold = calloc(1, sizeof *hold + made.len);
    if (hold == NULL)
        return NULL;
    char *copy = (char *)(hold + 1);
    memcpy(copy, made.p, made.len);
    hold->key = mfx_str(copy, made.len);
    hold->counter = counter;
    hold->until_ms = UINT64_MAX;
    if (!put_in(store, hold)) {
        free(hold);
        return NULL;
    }
    return hold;
}

struct local_hold *
local_hold_need(struct local_store *store, struct local_counter *counter,
                struct mfx_str holder, size_t elements)
{
    struct local_hold *hold = local_hold_find(store, counter, holder);
    if (hold == NULL)
        hold = new_hold(store, counter, holder);
    if (hold == NULL)
        return NULL;
    size_t room = hold->element_count + elements;
    if (room > hold->element_room) {
        room += hold->element_count; /* recipients come one by one */
        uint64_t *bigger = realloc(hold->elements, room * sizeof *bigger);
        if (bigger == NULL)
            return NULL;
        hold->elements = bigger;
        hold->element_room = room;
    }
    return hold;
}

/* --- what is held --- */

static void
count_element(struct local_counter *counter, uint64_t hash, bool is_held)
{
    struct local_element *element = local_element_find(counter, hash);
    if (element == NULL)
        MFX_BUG("a held element that is not there");
    element->holders += is_held ? 1 : UINT32_MAX;
}

/* In order, each once. */
static void
add_element(struct local_hold *hold, uint64_t hash)
{
    size_t low = 0, high = hold->element_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (hold->elements[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < hold->element_count && hold->elements[low] == hash)
        return;
    memmove(hold->elements + low + 1, hold->elements + low,
            (hold->element_count - low) * sizeof hash);
    hold->elements[low] = hash;
    hold->element_count++;
    count_element(hold->counter, hash, true);
}

void
local_hold_set(struct local_store *store, struct local_hold *hold,
               uint64_t amount, const uint64_t *elements, size_t count,
               uint64_t until_ms)
{
    hold->counter->reserved += amount - hold->amount;
    hold->amount = amount;
    for (size_t i = 0; i < count; i++)
        add_element(hold, elements[i]);
    hold->until_ms = until_ms;
    sift(store, hold, hold->at);
}

static void
count_all(struct local_hold *hold, bool is_held)
{
    hold->counter->reserved += is_held ? hold->amount : 0 - hold->amount;
    for (size_t i = 0; i < hold->element_count; i++)
        count_element(hold->counter, hold->elements[i], is_held);
}

void
local_hold_take(struct local_store *store, struct local_hold *hold)
{
    count_all(hold, false);
    unlink_hold(store, hold);
    heap_remove(store, hold);
    (void)mfx_map_remove(store->holds, hold->key);
}

void
local_hold_give_back(struct local_store *store, struct local_hold *hold)
{
    if (mfx_map_get(store->holds, hold->key) != NULL) { /* reserved again */
        local_hold_free(hold);
        return;
    }
    for (size_t i = 0; i < hold->element_count; i++) {
        if (local_element_need(store, hold->counter, hold->elements[i]) ==
            NULL) {
            local_hold_free(hold);
            return;
        }
    }
    if (put_in(store, hold))
        count_all(hold, true);
    else
        local_hold_free(hold);
}

void
local_hold_free(struct local_hold *hold)
{
    if (hold == NULL)
        return;
    free(hold->elements);
    free(hold);
}

void
local_hold_remove(struct local_store *store, struct local_hold *hold)
{
    local_hold_take(store, hold);
    local_hold_free(hold);
}

void
local_holds_expire(struct local_store *store)
{
    uint64_t now_ms = store->env->mono_ms(store->env);
    while (store->heap_count > 0 && store->heap[0]->until_ms <= now_ms)
        local_hold_remove(store, store->heap[0]);
}

void
local_holds_free(struct local_store *store)
{
    while (store->heap_count > 0)
        local_hold_remove(store, store->heap[0]);
    free(store->heap);
    mfx_map_free(store->holds);
}
