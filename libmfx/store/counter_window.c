/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The arithmetic of one window, shape by shape.
 */
#include "counter.h"

#include <stdlib.h>

enum {
    STEPS = MFX_STORE_STEPS,
};

__extension__ typedef unsigned __int128 wide;

struct mfx_counter_window *
mfx_counter_window_find(const struct mfx_counter *counter,
                        enum mfx_store_shape shape, uint64_t span_ms)
{
    for (size_t i = 0; i < counter->window_count; i++)
        if (counter->windows[i].shape == shape &&
            counter->windows[i].span_ms == span_ms)
            return &counter->windows[i];
    return NULL;
}

static void
keep_until(struct mfx_counter_window *window, uint64_t ms)
{
    if (ms > MFX_COUNTER_TIME_MAX)
        ms = MFX_COUNTER_TIME_MAX;
    if (ms > window->expires_ms)
        window->expires_ms = ms;
}

/* --- sliding --- */

uint64_t
mfx_counter_part(uint64_t span_ms, uint64_t store_ms)
{
    return store_ms * STEPS / span_ms;
}

/* The first millisecond at which nothing of the part is within a span. */
uint64_t
mfx_counter_part_leaves_ms(uint64_t span_ms, uint64_t index)
{
    return (uint64_t)(((wide)(index + STEPS + 1) * span_ms + STEPS - 1) /
                      STEPS);
}

/* Parts more than a span ahead come from a clock that was wrong. */
static bool
is_remembered(uint64_t index, uint64_t now)
{
    return index + STEPS >= now && index <= now + STEPS;
}

static uint64_t
sliding_used(const struct mfx_counter_window *window, uint64_t store_ms)
{
    uint64_t now = mfx_counter_part(window->span_ms, store_ms);
    uint64_t used = 0;
    for (size_t i = 0; i < window->count; i++)
        if (is_remembered(window->parts[i].index, now))
            used = mfx_counter_sum(used, window->parts[i].amount);
    return used;
}

static uint64_t
count_seen(const struct mfx_counter_ask *ask, uint64_t span_ms, uint64_t index)
{
    uint64_t count = 0;
    for (size_t i = 0; i < ask->seen_count; i++)
        count += mfx_counter_part(span_ms, ask->seen_ms[i]) == index;
    return count;
}

/* Store time when enough parts have left; 0: that never happens. */
static uint64_t
sliding_free(const struct mfx_counter_window *window, uint64_t store_ms,
             uint64_t surplus, const struct mfx_counter_ask *ask)
{
    uint64_t now = mfx_counter_part(window->span_ms, store_ms);
    for (size_t i = 0; i < window->count; i++) {
        const struct mfx_counter_part *part = &window->parts[i];
        if (!is_remembered(part->index, now))
            continue;
        uint64_t stay = count_seen(ask, window->span_ms, part->index);
        uint64_t leave = part->amount > stay ? part->amount - stay : 0;
        if (leave >= surplus)
            return mfx_counter_part_leaves_ms(window->span_ms, part->index);
        surplus -= leave;
    }
    return 0;
}

static void
drop_forgotten(struct mfx_counter_window *window, uint64_t store_ms)
{
    uint64_t now = mfx_counter_part(window->span_ms, store_ms);
    size_t kept = 0;
    for (size_t i = 0; i < window->count; i++)
        if (is_remembered(window->parts[i].index, now))
            window->parts[kept++] = window->parts[i];
    window->count = kept;
}

static void
sliding_add(struct mfx_counter_window *window, uint64_t now_ms, uint64_t at_ms,
            uint64_t amount)
{
    uint64_t index = mfx_counter_part(window->span_ms, at_ms);
    if (!is_remembered(index, mfx_counter_part(window->span_ms, now_ms)))
        return;
    size_t at = window->count;
    while (at > 0 && window->parts[at - 1].index >= index)
        at--;
    struct mfx_counter_part *part = &window->parts[at];
    if (at == window->count || part->index != index) {
        memmove(part + 1, part, (window->count - at) * sizeof *part);
        *part = (struct mfx_counter_part){.index = index};
        window->count++;
    }
    part->amount = mfx_counter_sum(part->amount, amount);
    keep_until(window, mfx_counter_part_leaves_ms(window->span_ms, index));
}

void
mfx_counter_window_take_one(struct mfx_counter_window *window, uint64_t index)
{
    for (size_t i = 0; i < window->count; i++) {
        struct mfx_counter_part *part = &window->parts[i];
        if (part->index != index)
            continue;
        part->amount--;
        if (part->amount == 0) {
            window->count--;
            memmove(part, part + 1, (window->count - i) * sizeof *part);
        }
        return;
    }
}

/* --- fixed --- */

static uint64_t
fixed_used(const struct mfx_counter_window *window,
           const struct mfx_store_window *asked, uint64_t wall_s)
{
    uint64_t begin_s = 0, end_s = 0;
    asked->period(asked->period_arg, wall_s, &begin_s, &end_s);
    for (size_t i = 0; i < window->count; i++)
        if (window->periods[i].begin_s == begin_s)
            return window->periods[i].amount;
    return 0;
}

/* The current period comes first, another one second; the one used longest ago
 * goes when there are too many. What was seen while another came first is not
 * known to be in it. */
static struct mfx_counter_period *
bring_first(struct mfx_counter_window *window, uint64_t begin_s, uint64_t end_s,
            bool is_current, uint64_t store_ms)
{
    struct mfx_counter_period period = {.begin_s = begin_s};
    size_t at = 0, to = !is_current && window->count > 0 ? 1 : 0;
    while (at < window->count && window->periods[at].begin_s != begin_s)
        at++;
    if (at < window->count)
        period = window->periods[at];
    else if (window->count < MFX_COUNTER_PERIODS_MAX)
        window->count++;
    else
        at--;
    if (at < to)
        to = at;
    if (at > to || period.end_s == 0)
        period.since_ms = store_ms;
    period.end_s = end_s;
    struct mfx_counter_period *place = &window->periods[to];
    memmove(place + 1, place, (at - to) * sizeof period);
    *place = period;
    return place;
}

static void
fixed_add(struct mfx_counter_window *window,
          const struct mfx_store_window *asked,
          const struct mfx_counter_clock *now,
          const struct mfx_counter_clock *at, uint64_t amount)
{
    uint64_t begin_s = 0, end_s = 0;
    asked->period(asked->period_arg, at->wall_s, &begin_s, &end_s);
    if (end_s <= at->wall_s)
        end_s = at->wall_s + 1;
    uint64_t left_s = end_s > now->wall_s ? end_s - now->wall_s : 0;
    struct mfx_counter_period *period =
        bring_first(window, begin_s, end_s, now->wall_s < end_s, now->store_ms);
    period->amount = mfx_counter_sum(period->amount, amount);
    /* once more as long: the clock may be stepped back into the period */
    keep_until(window, now->store_ms + (left_s + (end_s - begin_s) + 1) * 1000);
}

/* --- bucket --- */

/* What is left of the level, in parts of 1 / span_ms. */
static wide
bucket_left(const struct mfx_counter_window *window, uint64_t limit,
            uint64_t store_ms)
{
    wide level = (wide)window->level * window->span_ms + window->fraction;
    uint64_t passed = store_ms > window->at_ms ? store_ms - window->at_ms : 0;
    wide drained = (wide)passed * limit;
    return level > drained ? level - drained : 0;
}

static uint64_t
round_up(wide level, uint64_t span_ms)
{
    wide whole = (level + span_ms - 1) / span_ms;
    return whole > UINT64_MAX ? UINT64_MAX : (uint64_t)whole;
}

static uint64_t
bucket_used(const struct mfx_counter_window *window, uint64_t limit,
            uint64_t store_ms)
{
    return round_up(bucket_left(window, limit, store_ms), window->span_ms);
}

static uint64_t
bucket_free(const struct mfx_counter_window *window, uint64_t limit,
            uint64_t store_ms, uint64_t amount)
{
    wide level = bucket_left(window, limit, store_ms);
    wide target = (wide)(limit - amount) * window->span_ms;
    if (limit == 0 || level <= target)
        return 0;
    return store_ms + (uint64_t)((level - target + limit - 1) / limit);
}

/* A use before the last one is added whole: what of it would have drained
 * since is not known, and too much is the safe side. */
static void
bucket_add(struct mfx_counter_window *window, uint64_t limit, uint64_t at_ms,
           uint64_t amount)
{
    if (at_ms > window->at_ms) {
        wide left = bucket_left(window, limit, at_ms);
        window->level = (uint64_t)(left / window->span_ms);
        window->fraction = (uint64_t)(left % window->span_ms);
        window->at_ms = at_ms;
    }
    window->level = mfx_counter_sum(window->level, amount);
    window->limit = limit;
    wide level = (wide)window->level * window->span_ms + window->fraction;
    wide needs_ms = limit == 0 ? 0 : (level + limit - 1) / limit;
    /* never below a span: the limit may be a smaller one next time */
    if (needs_ms < window->span_ms)
        needs_ms = window->span_ms;
    if (needs_ms > MFX_COUNTER_TIME_MAX)
        needs_ms = MFX_COUNTER_TIME_MAX;
    keep_until(window, window->at_ms + (uint64_t)needs_ms);
}

/* --- all shapes --- */

uint64_t
mfx_counter_window_used(const struct mfx_counter_window *window,
                        const struct mfx_store_window *asked,
                        const struct mfx_counter_clock *now)
{
    if (window == NULL)
        return 0;
    switch (window->shape) {
    case MFX_STORE_SLIDING:
        return sliding_used(window, now->store_ms);
    case MFX_STORE_FIXED:
        return fixed_used(window, asked, now->wall_s);
    case MFX_STORE_BUCKET:
        return bucket_used(window, asked->limit, now->store_ms);
    }
    return 0;
}

/* What is used as far as can be told without the limit and the calendar. */
uint64_t
mfx_counter_window_shown(const struct mfx_counter_window *window,
                         const struct mfx_counter_clock *now)
{
    switch (window->shape) {
    case MFX_STORE_SLIDING:
        return sliding_used(window, now->store_ms);
    case MFX_STORE_FIXED:
        for (size_t i = 0; i < window->count; i++)
            if (window->periods[i].begin_s <= now->wall_s &&
                now->wall_s < window->periods[i].end_s)
                return window->periods[i].amount;
        return 0;
    case MFX_STORE_BUCKET:
        return bucket_used(window, window->limit, now->store_ms);
    }
    return 0;
}

/* By this machine's clock; its seconds are rounded up, so that it is never too
 * early. */
static uint64_t
to_wall_ms(uint64_t store_ms, const struct mfx_counter_clock *now)
{
    if (store_ms <= now->store_ms)
        return 0;
    return now->wall_s * 1000 + 999 + (store_ms - now->store_ms);
}

uint64_t
mfx_counter_window_free_at(const struct mfx_counter_window *window,
                           const struct mfx_store_window *asked,
                           const struct mfx_counter_clock *now,
                           const struct mfx_counter_ask *ask)
{
    uint64_t used = mfx_counter_window_used(window, asked, now);
    uint64_t wanted = mfx_counter_sum(used, ask->free_amount);
    uint64_t begin_s = 0, end_s = 0;
    if (asked->limit == MFX_STORE_UNLIMITED || wanted <= asked->limit ||
        mfx_counter_sum(ask->free_amount, ask->seen_count) > asked->limit)
        return 0;
    switch (asked->shape) {
    case MFX_STORE_SLIDING:
        return to_wall_ms(
            sliding_free(window, now->store_ms, wanted - asked->limit, ask),
            now);
    case MFX_STORE_FIXED:
        asked->period(asked->period_arg, now->wall_s, &begin_s, &end_s);
        return end_s * 1000;
    case MFX_STORE_BUCKET:
        return to_wall_ms(
            bucket_free(window, asked->limit, now->store_ms, ask->free_amount),
            now);
    }
    return 0;
}

/* SLIDING, BUCKET: a span after it was told, it may be told again. */
bool
mfx_counter_window_mark(struct mfx_counter_window *window,
                        const struct mfx_store_window *asked,
                        const struct mfx_counter_clock *now, uint64_t *mark)
{
    uint64_t begin_s = 0, end_s = 0;
    if (window->shape == MFX_STORE_FIXED) {
        asked->period(asked->period_arg, now->wall_s, &begin_s, &end_s);
        if (*mark == begin_s + 1)
            return false;
        *mark = begin_s + 1;
        keep_until(window, now->store_ms + (end_s - begin_s) * 1000);
        return true;
    }
    if (*mark != 0 && now->store_ms < *mark - 1 + window->span_ms)
        return false;
    *mark = now->store_ms + 1;
    keep_until(window, now->store_ms + window->span_ms);
    return true;
}

static bool
grow(void **array, size_t *room, size_t size, size_t max)
{
    size_t wanted = *room == 0 ? 1 : *room * 2;
    if (wanted > max)
        wanted = max;
    void *bigger = realloc(*array, wanted * size);
    if (bigger == NULL)
        return false;
    *array = bigger;
    *room = wanted;
    return true;
}

bool
mfx_counter_window_prepare(struct mfx_counter_window *window,
                           const struct mfx_counter_clock *now)
{
    void *array;
    if (window->count < window->room)
        return true;
    switch (window->shape) {
    case MFX_STORE_SLIDING:
        drop_forgotten(window, now->store_ms);
        if (window->count < window->room)
            return true;
        array = window->parts;
        if (!grow(&array, &window->room, sizeof *window->parts,
                  MFX_COUNTER_PARTS_MAX + 1))
            return false;
        window->parts = array;
        return true;
    case MFX_STORE_FIXED:
        if (window->room == MFX_COUNTER_PERIODS_MAX)
            return true;
        array = window->periods;
        if (!grow(&array, &window->room, sizeof *window->periods,
                  MFX_COUNTER_PERIODS_MAX))
            return false;
        window->periods = array;
        return true;
    case MFX_STORE_BUCKET:
        return true;
    }
    return false;
}

void
mfx_counter_window_add(struct mfx_counter_window *window,
                       const struct mfx_store_window *asked,
                       const struct mfx_counter_clock *now,
                       const struct mfx_counter_clock *at, uint64_t amount)
{
    if (at->store_ms > window->last_ms)
        window->last_ms = at->store_ms;
    switch (window->shape) {
    case MFX_STORE_SLIDING:
        sliding_add(window, now->store_ms, at->store_ms, amount);
        return;
    case MFX_STORE_FIXED:
        fixed_add(window, asked, now, at, amount);
        return;
    case MFX_STORE_BUCKET:
        bucket_add(window, asked->limit, at->store_ms, amount);
        return;
    }
}
