/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One call against counters that are in memory: measure all, then do all or
 * nothing. What can fail for want of memory comes before what is done.
 */
#include <stdlib.h>

#include "local_impl.h"

struct deciding {
    struct local_store *store;
    struct mfx_store_call *call;
    struct local_call *place;
    struct mfx_counter_clock now, at; /* at: MERGE: of the uses */
    uint64_t *seen_ms;                /* room for one use's elements */
};

static bool
is_element_kind(enum mfx_store_kind kind)
{
    return kind == MFX_STORE_DISTINCT || kind == MFX_STORE_FIRST;
}

static bool
needs_elements(enum mfx_store_op op)
{
    return op != MFX_STORE_RELEASE && op != MFX_STORE_RESET;
}

static bool
knows_elements(const struct local_counter *counter, const uint64_t *hashes,
               size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct local_element *element =
            local_element_find(counter, hashes[i]);
        if (element == NULL || !element->is_known)
            return false;
    }
    return true;
}

bool
local_is_ready(const struct local_store *store,
               const struct mfx_store_call *call)
{
    const struct local_call *place = call->place;
    if (!local_has_file(store) ||
        (call->task == MFX_STORE_TASK_USES && call->op == MFX_STORE_RELEASE))
        return true;
    for (size_t i = 0; i < place->count; i++) {
        if (!place->counters[i]->is_loaded)
            return false;
        if (call->task != MFX_STORE_TASK_OVERRIDE && needs_elements(call->op) &&
            !knows_elements(place->counters[i], call->element_hashes[i],
                            call->uses[i].element_count))
            return false;
    }
    return true;
}

/* --- measuring --- */

static uint64_t
seen_of(const struct local_counter *counter, uint64_t hash)
{
    const struct local_element *element = local_element_find(counter, hash);
    return element == NULL ? 0 : element->seen_ms;
}

static bool
has_element(const struct deciding *d, const struct local_counter *counter,
            const struct mfx_store_use *use,
            const struct mfx_store_window *window, uint64_t seen_ms)
{
    return counter->counter.kind == use->kind &&
           mfx_counter_has_element(&counter->counter, window, use->memory_ms,
                                   &d->at, seen_ms);
}

/* True the first time in this measuring. */
static bool
is_new_here(const struct deciding *d, struct local_element *element)
{
    if (element == NULL)
        return true;
    bool is_new = element->mark != d->store->mark;
    element->mark = d->store->mark;
    return is_new;
}

/* The elements of one list that the window does not count, each once. */
static uint64_t
count_new(const struct deciding *d, const struct local_counter *counter,
          const struct mfx_store_use *use,
          const struct mfx_store_window *window, const uint64_t *hashes,
          size_t count, struct mfx_counter_ask *ask)
{
    uint64_t found = 0;
    for (size_t i = 0; i < count; i++) {
        struct local_element *element = local_element_find(counter, hashes[i]);
        uint64_t seen_ms = element == NULL ? 0 : element->seen_ms;
        if (!is_new_here(d, element))
            continue;
        if (!has_element(d, counter, use, window, seen_ms))
            found++;
        else if (ask != NULL && use->kind == MFX_STORE_DISTINCT)
            d->seen_ms[ask->seen_count++] = seen_ms;
    }
    return found;
}

static void
ask_elements(const struct deciding *d, size_t i,
             const struct mfx_store_window *window,
             const struct local_hold *own, bool is_done,
             struct mfx_counter_ask *ask)
{
    const struct local_counter *counter = d->place->counters[i];
    const struct mfx_store_use *use = &d->call->uses[i];
    d->store->mark++;
    ask->seen_ms = d->seen_ms;
    if (!is_done)
        ask->amount =
            count_new(d, counter, use, window, d->call->element_hashes[i],
                      use->element_count, ask);
    if (own != NULL && d->call->op != MFX_STORE_TAKE)
        ask->amount += count_new(d, counter, use, window, own->elements,
                                 own->element_count, NULL);
    for (const struct local_hold *hold = counter->holds; hold != NULL;
         hold = hold->next)
        if (hold != own)
            ask->reserved += count_new(d, counter, use, window, hold->elements,
                                       hold->element_count, NULL);
}

/* A counter that has counted nothing is of the kind that is asked. */
static void
adopt_kind(struct mfx_counter *counter, enum mfx_store_kind kind,
           const struct mfx_counter_clock *now)
{
    if (counter->window_count == 0 && counter->begun_ms == 0)
        (void)mfx_counter_become(counter, kind, now);
}

/* is_done: what the use asked for is in the counter. */
static void
measure_use(const struct deciding *d, size_t i, bool is_done)
{
    static const struct mfx_counter nothing = {.kind = MFX_STORE_AMOUNT};
    struct local_counter *counter = d->place->counters[i];
    const struct mfx_store_use *use = &d->call->uses[i];
    struct mfx_store_reading *reading = &d->call->readings[i];
    adopt_kind(&counter->counter, use->kind, &d->now);
    const struct mfx_counter *counted =
        counter->counter.kind == use->kind ? &counter->counter : &nothing;
    const struct local_hold *own =
        local_hold_find(d->store, counter, d->call->holder);
    bool is_check = d->call->op == MFX_STORE_CHECK;
    for (size_t w = 0; w < use->window_count; w++) {
        struct mfx_counter_ask ask = {0};
        if (is_element_kind(use->kind)) {
            ask_elements(d, i, &use->windows[w], own, is_done, &ask);
        } else {
            ask.amount = is_done ? 0 : use->amount;
            ask.reserved = counter->reserved - (own == NULL ? 0 : own->amount);
        }
        ask.free_amount = ask.amount == 0 && is_check ? 1 : ask.amount;
        mfx_counter_measure(counted, &use->windows[w], &d->now, &ask,
                            &reading->levels[w]);
    }
    reading->override = mfx_arena_copy(
        d->call->arena, mfx_counter_override(&counter->counter, &d->now,
                                             &reading->override_until_ms));
}

static enum mfx_store_outcome
measure_all(const struct deciding *d)
{
    enum mfx_store_outcome outcome = MFX_STORE_DONE;
    for (size_t i = 0; i < d->call->count; i++) {
        const struct mfx_store_reading *reading = &d->call->readings[i];
        const struct mfx_store_use *use = &d->call->uses[i];
        measure_use(d, i, false);
        for (size_t w = 0; w < use->window_count; w++)
            if (!reading->levels[w].fits && outcome == MFX_STORE_DONE)
                outcome = MFX_STORE_FULL;
        if (!mfx_str_eq(use->believed_override, reading->override))
            outcome = MFX_STORE_OVERRIDDEN;
    }
    return outcome;
}

/* The first refusal in a window is told, and noted when there is a write
 * anyway: a restart may tell it once more. */
static void
mark_full(const struct deciding *d)
{
    for (size_t i = 0; i < d->call->count; i++) {
        struct local_counter *counter = d->place->counters[i];
        const struct mfx_store_use *use = &d->call->uses[i];
        if (use->kind == MFX_STORE_OPEN || counter->counter.kind != use->kind ||
            !mfx_counter_prepare(&counter->counter, use->windows,
                                 use->window_count, &d->now))
            continue;
        for (size_t w = 0; w < use->window_count; w++) {
            struct mfx_store_level *level = &d->call->readings[i].levels[w];
            if (level->fits)
                continue;
            level->is_full_due = mfx_counter_mark_full(
                &counter->counter, &use->windows[w], &d->now);
            if (level->is_full_due)
                local_counter_dirty(d->store, counter);
        }
        local_counter_touch(d->store, counter);
    }
}

/* --- holding --- */

static void
remove_empty_holds(const struct deciding *d, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct local_hold *hold =
            local_hold_find(d->store, d->place->counters[i], d->call->holder);
        if (hold != NULL && hold->amount == 0 && hold->element_count == 0)
            local_hold_remove(d->store, hold);
    }
}

static bool
need_elements(const struct deciding *d, size_t i)
{
    for (size_t e = 0; e < d->call->uses[i].element_count; e++) {
        struct local_element *element = local_element_need(
            d->store, d->place->counters[i], d->call->element_hashes[i][e]);
        if (element == NULL)
            return false;
        element->is_known = true; /* ready: else memory alone */
    }
    return true;
}

static bool
reserve(const struct deciding *d)
{
    const struct mfx_store_call *call = d->call;
    uint64_t now_ms = d->store->env->mono_ms(d->store->env);
    uint64_t until_ms = call->lease_ms == 0 || call->lease_ms > UINT64_MAX / 2
                            ? UINT64_MAX
                            : now_ms + call->lease_ms;
    for (size_t i = 0; i < call->count; i++) {
        if (need_elements(d, i) &&
            local_hold_need(d->store, d->place->counters[i], call->holder,
                            call->uses[i].element_count) != NULL)
            continue;
        remove_empty_holds(d, call->count);
        return false;
    }
    for (size_t i = 0; i < call->count; i++) {
        const struct mfx_store_use *use = &call->uses[i];
        struct local_counter *counter = d->place->counters[i];
        struct local_hold *hold =
            local_hold_find(d->store, counter, call->holder);
        uint64_t amount = is_element_kind(use->kind) ? 0 : use->amount;
        local_hold_set(d->store, hold, amount, call->element_hashes[i],
                       use->element_count, until_ms);
        local_counter_touch(d->store, counter);
    }
    return true;
}

static void
release(const struct deciding *d)
{
    for (size_t i = 0; i < d->call->count; i++) {
        struct local_hold *hold =
            local_hold_find(d->store, d->place->counters[i], d->call->holder);
        if (hold != NULL)
            local_hold_remove(d->store, hold);
    }
}

/* What is counted takes the place of what was held; should it not be written,
 * it is held again. */
static void
take_holds(const struct deciding *d)
{
    for (size_t i = 0; i < d->call->count; i++) {
        struct local_hold *hold =
            local_hold_find(d->store, d->place->counters[i], d->call->holder);
        if (hold == NULL)
            continue;
        local_hold_take(d->store, hold);
        hold->next_taken = d->place->taken;
        d->place->taken = hold;
    }
}

/* --- counting --- */

static bool
need_seen(struct local_store *store, size_t more)
{
    if (store->seen_count + more <= store->seen_room)
        return true;
    size_t room = (store->seen_count + more) * 2;
    struct local_seen *bigger = realloc(store->seen, room * sizeof *bigger);
    if (bigger == NULL)
        return false;
    store->seen = bigger;
    store->seen_room = room;
    return true;
}

static bool
prepare_use(const struct deciding *d, size_t i)
{
    const struct mfx_store_use *use = &d->call->uses[i];
    struct local_counter *counter = d->place->counters[i];
    if (mfx_counter_become(&counter->counter, use->kind, &d->now))
        local_counter_dirty(d->store, counter);
    if (use->element_count > 0 && counter->name_hash == 0 &&
        !mfx_store_element_hash(counter->name, &counter->name_hash))
        return false;
    return mfx_counter_prepare(&counter->counter, use->windows,
                               use->window_count, &d->now) &&
           need_elements(d, i);
}

static void
count_element(const struct deciding *d, const struct mfx_store_use *use,
              struct local_counter *counter,
              const struct mfx_store_window *window, uint64_t hash,
              const struct mfx_counter_clock *at)
{
    struct mfx_counter *counted = &counter->counter;
    uint64_t seen_ms = seen_of(counter, hash);
    if (!has_element(d, counter, use, window, seen_ms))
        mfx_counter_add(counted, window, &d->now, at, 1);
    else if (use->kind == MFX_STORE_DISTINCT && seen_ms < at->store_ms)
        mfx_counter_move(counted, window, at, seen_ms);
}

static void
see_elements(const struct deciding *d, size_t i, uint64_t seen_ms)
{
    const struct mfx_store_use *use = &d->call->uses[i];
    struct local_counter *counter = d->place->counters[i];
    uint64_t expires_ms =
        mfx_counter_keep_elements(&counter->counter, use, &d->now);
    for (size_t e = 0; e < use->element_count; e++) {
        uint64_t hash = d->call->element_hashes[i][e];
        struct local_element *element = local_element_find(counter, hash);
        if (element == NULL || element->seen_ms >= seen_ms)
            continue;
        element->seen_ms = seen_ms;
        if (!local_has_file(d->store))
            continue;
        element->pending++;
        d->store->seen[d->store->seen_count++] =
            (struct local_seen){counter, hash, seen_ms, expires_ms};
    }
}

/* Windows count elements at the time that is kept with each, not at the call's:
 * what is seen again is looked for there. */
static void
count_elements(const struct deciding *d, size_t i)
{
    const struct mfx_store_use *use = &d->call->uses[i];
    struct local_counter *counter = d->place->counters[i];
    struct mfx_counter_clock at = d->at;
    at.store_ms = mfx_counter_seen_ms(&counter->counter, &d->at);
    for (size_t w = 0; w < use->window_count; w++)
        for (size_t e = 0; e < use->element_count; e++)
            count_element(d, use, counter, &use->windows[w],
                          d->call->element_hashes[i][e], &at);
    mfx_counter_reach_back(&counter->counter, use, &at);
    see_elements(d, i, at.store_ms);
}

static void
count_amount(const struct deciding *d, size_t i)
{
    const struct mfx_store_use *use = &d->call->uses[i];
    for (size_t w = 0; w < use->window_count; w++)
        mfx_counter_add(&d->place->counters[i]->counter, &use->windows[w],
                        &d->now, &d->at, use->amount);
}

static void
count_use(const struct deciding *d, size_t i)
{
    const struct mfx_store_use *use = &d->call->uses[i];
    struct local_counter *counter = d->place->counters[i];
    if (!is_element_kind(use->kind))
        count_amount(d, i);
    else if (use->element_count > 0)
        count_elements(d, i);
    local_counter_dirty(d->store, counter);
    local_counter_touch(d->store, counter);
}

static bool
count_all(const struct deciding *d)
{
    size_t elements = 0;
    for (size_t i = 0; i < d->call->count; i++) {
        elements += d->call->uses[i].element_count;
        if (!prepare_use(d, i))
            return false;
    }
    if (!need_seen(d->store, elements))
        return false;
    take_holds(d);
    for (size_t i = 0; i < d->call->count; i++)
        count_use(d, i);
    for (size_t i = 0; i < d->call->count; i++) {
        const struct mfx_store_use *use = &d->call->uses[i];
        measure_use(d, i, true);
        for (size_t w = 0; w < use->window_count; w++)
            d->call->readings[i].levels[w].is_soft_due = mfx_counter_mark_soft(
                &d->place->counters[i]->counter, &use->windows[w], &d->now);
    }
    return true;
}

/* --- the ends of a call --- */

static void
finish_written(const struct deciding *d)
{
    struct local_store *store = d->store;
    if (local_has_file(store)) {
        local_queue_add(&store->unwritten, d->call);
        return;
    }
    local_finish(store, d->call, MFX_OK);
}

static void
fail_memory(const struct deciding *d)
{
    local_fail(d->store, d->call, "out of memory");
}

static void
decide_commit(const struct deciding *d)
{
    struct local_store *store = d->store;
    if (local_committed_has(store, d->call->holder)) {
        d->call->is_repeated = true;
        for (size_t i = 0; i < d->call->count; i++)
            measure_use(d, i, true);
        /* behind the first one, which may not be written yet */
        finish_written(d);
        return;
    }
    if (!local_committed_add(store, d->call->holder)) {
        fail_memory(d);
        return;
    }
    d->place->is_committer = true;
    if (count_all(d))
        finish_written(d);
    else
        fail_memory(d);
}

static void
decide_reserve_or_take(const struct deciding *d)
{
    d->call->outcome = measure_all(d);
    if (d->call->outcome == MFX_STORE_FULL)
        mark_full(d);
    if (d->call->outcome != MFX_STORE_DONE) {
        local_finish(d->store, d->call, MFX_OK);
    } else if (d->call->op == MFX_STORE_TAKE) {
        if (count_all(d))
            finish_written(d);
        else
            fail_memory(d);
    } else if (reserve(d)) {
        local_finish(d->store, d->call, MFX_OK);
    } else {
        fail_memory(d);
    }
}

static void
decide_reset(const struct deciding *d)
{
    for (size_t i = 0; i < d->call->count; i++) {
        struct local_counter *counter = d->place->counters[i];
        mfx_counter_reset(&counter->counter, &d->now);
        counter->is_damaged = false;
        local_counter_dirty(d->store, counter);
        local_counter_touch(d->store, counter);
        measure_use(d, i, true);
    }
    finish_written(d);
}

static void
decide_override(const struct deciding *d)
{
    struct local_counter *counter = d->place->counters[0];
    if (!mfx_counter_set_override(&counter->counter, d->call->bytes,
                                  d->call->lifetime_ms, &d->now)) {
        fail_memory(d);
        return;
    }
    local_counter_dirty(d->store, counter);
    local_counter_touch(d->store, counter);
    finish_written(d);
}

static void
decide_uses(const struct deciding *d)
{
    switch (d->call->op) {
    case MFX_STORE_CHECK:
        d->call->outcome = measure_all(d);
        local_finish(d->store, d->call, MFX_OK);
        return;
    case MFX_STORE_RESERVE:
    case MFX_STORE_TAKE:
        decide_reserve_or_take(d);
        return;
    case MFX_STORE_COMMIT:
        decide_commit(d);
        return;
    case MFX_STORE_RELEASE:
        release(d);
        for (size_t i = 0; i < d->call->count; i++)
            if (d->place->counters[i]->is_loaded)
                measure_use(d, i, true);
        local_finish(d->store, d->call, MFX_OK);
        return;
    case MFX_STORE_RESET:
        decide_reset(d);
        return;
    }
}

/* NULL: none of its counters is damaged, and there is room for new ones. */
static const char *
find_hindrance(const struct deciding *d)
{
    bool is_uses = d->call->task != MFX_STORE_TASK_OVERRIDE;
    if (is_uses &&
        (d->call->op == MFX_STORE_RELEASE || d->call->op == MFX_STORE_RESET))
        return NULL;
    for (size_t i = 0; i < d->place->count; i++) {
        const struct local_counter *counter = d->place->counters[i];
        if (counter->is_damaged)
            return "the counter's row is damaged (reset it)";
        bool adds = !is_uses || (d->call->op != MFX_STORE_CHECK &&
                                 d->call->uses[i].kind != MFX_STORE_OPEN);
        if (d->store->is_full && adds && !counter->is_stored)
            return LOCAL_FULL_TEXT;
    }
    return NULL;
}

/* MERGE: the time of the uses by the store's clock. */
static struct mfx_counter_clock
time_of_uses(const struct deciding *d)
{
    uint64_t wall_ms = d->now.wall_s * 1000;
    uint64_t ago_ms = wall_ms > d->call->at_ms ? wall_ms - d->call->at_ms : 0;
    if (d->call->task != MFX_STORE_TASK_MERGE || ago_ms == 0)
        return d->now;
    if (ago_ms > d->now.store_ms)
        ago_ms = d->now.store_ms;
    return (struct mfx_counter_clock){
        .store_ms = d->now.store_ms - ago_ms,
        .wall_s = d->call->at_ms / 1000,
    };
}

void
local_decide(struct local_store *store, struct mfx_store_call *call)
{
    struct deciding d = {.store = store, .call = call, .place = call->place};
    size_t most = 0;
    local_clock(store, &d.now);
    d.at = time_of_uses(&d);
    for (size_t i = 0; i < call->count; i++)
        if (call->uses[i].element_count > most)
            most = call->uses[i].element_count;
    d.seen_ms = mfx_arena_alloc_array(call->arena, most, sizeof *d.seen_ms);
    const char *hindrance = find_hindrance(&d);
    if (hindrance != NULL) {
        local_fail(store, call, hindrance);
        return;
    }
    if (!mfx_arena_ok(call->arena)) {
        fail_memory(&d);
        return;
    }
    if (call->task == MFX_STORE_TASK_OVERRIDE)
        decide_override(&d);
    else
        decide_uses(&d);
}
