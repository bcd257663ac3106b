/* SPDX-License-Identifier: BSD-2-Clause */
#include "counter.h"

#include <stdlib.h>

void
mfx_counter_init(struct mfx_counter *counter, enum mfx_store_kind kind)
{
    *counter = (struct mfx_counter){.kind = kind};
}

static void
free_window(struct mfx_counter_window *window)
{
    free(window->parts);
    free(window->periods);
}

static void
free_windows(struct mfx_counter *counter)
{
    for (size_t i = 0; i < counter->window_count; i++)
        free_window(&counter->windows[i]);
    free(counter->windows);
    counter->windows = NULL;
    counter->window_count = 0;
}

void
mfx_counter_fini(struct mfx_counter *counter)
{
    free_windows(counter);
    free(counter->override);
    counter->override = NULL;
    counter->override_len = 0;
}

size_t
mfx_counter_bytes(const struct mfx_counter *counter)
{
    size_t bytes = counter->window_count * sizeof *counter->windows +
                   counter->override_len;
    for (size_t i = 0; i < counter->window_count; i++)
        bytes += counter->windows[i].room *
                 (counter->windows[i].shape == MFX_STORE_FIXED
                      ? sizeof(struct mfx_counter_period)
                      : sizeof(struct mfx_counter_part));
    return bytes;
}

void
mfx_counter_reset(struct mfx_counter *counter,
                  const struct mfx_counter_clock *now)
{
    free_windows(counter);
    counter->begun_ms = mfx_counter_seen_ms(counter, now);
}

bool
mfx_counter_become(struct mfx_counter *counter, enum mfx_store_kind kind,
                   const struct mfx_counter_clock *now)
{
    bool has_counted = counter->window_count > 0 || counter->begun_ms > 0;
    if (counter->kind == kind)
        return false;
    counter->kind = kind;
    if (has_counted)
        mfx_counter_reset(counter, now);
    return has_counted;
}

/* --- measuring --- */

void
mfx_counter_measure(const struct mfx_counter *counter,
                    const struct mfx_store_window *window,
                    const struct mfx_counter_clock *now,
                    const struct mfx_counter_ask *ask,
                    struct mfx_store_level *level)
{
    const struct mfx_counter_window *kept =
        mfx_counter_window_find(counter, window->shape, window->span_ms);
    uint64_t used = mfx_counter_window_used(kept, window, now);
    uint64_t all =
        mfx_counter_sum(mfx_counter_sum(used, ask->reserved), ask->amount);
    *level = (struct mfx_store_level){
        .used = used,
        .reserved = ask->reserved,
        .limit = window->limit,
        .fits = window->limit == MFX_STORE_UNLIMITED || all <= window->limit,
    };
    if (kept != NULL)
        level->free_at_ms = mfx_counter_window_free_at(kept, window, now, ask);
}

uint64_t
mfx_counter_seen_ms(const struct mfx_counter *counter,
                    const struct mfx_counter_clock *now)
{
    return now->store_ms > counter->begun_ms ? now->store_ms
                                             : counter->begun_ms + 1;
}

/* What was seen before the window began to count is not in it. */
static bool
is_counted_since(uint64_t since_ms, uint64_t seen_ms)
{
    return seen_ms >= since_ms;
}

bool
mfx_counter_has_element(const struct mfx_counter *counter,
                        const struct mfx_store_window *window,
                        uint64_t memory_ms, const struct mfx_counter_clock *now,
                        uint64_t seen_ms)
{
    uint64_t begin_s = 0, end_s = 0;
    if (seen_ms == 0 || seen_ms <= counter->begun_ms)
        return false;
    if (counter->kind == MFX_STORE_FIRST)
        return seen_ms + memory_ms > now->store_ms;
    const struct mfx_counter_window *kept =
        mfx_counter_window_find(counter, window->shape, window->span_ms);
    if (kept == NULL)
        return false;
    switch (window->shape) {
    case MFX_STORE_SLIDING:
        return is_counted_since(kept->since_ms, seen_ms) &&
               mfx_counter_part(window->span_ms, seen_ms) + MFX_STORE_STEPS >=
                   mfx_counter_part(window->span_ms, now->store_ms);
    case MFX_STORE_FIXED:
        window->period(window->period_arg, now->wall_s, &begin_s, &end_s);
        return kept->count > 0 && kept->periods[0].begin_s == begin_s &&
               is_counted_since(kept->periods[0].since_ms, seen_ms);
    case MFX_STORE_BUCKET:
        return is_counted_since(kept->since_ms, seen_ms) &&
               seen_ms + window->span_ms > now->store_ms;
    }
    return false;
}

static uint64_t
window_memory_ms(const struct mfx_store_window *window,
                 const struct mfx_counter_clock *now)
{
    uint64_t begin_s = 0, end_s = 0;
    if (window->shape != MFX_STORE_FIXED)
        return window->span_ms + window->span_ms / MFX_STORE_STEPS + 2;
    window->period(window->period_arg, now->wall_s, &begin_s, &end_s);
    return end_s > begin_s ? (end_s - begin_s + 1) * 2000 : 0;
}

uint64_t
mfx_counter_keep_elements(struct mfx_counter *counter,
                          const struct mfx_store_use *use,
                          const struct mfx_counter_clock *now)
{
    uint64_t longest = use->kind == MFX_STORE_FIRST ? use->memory_ms : 0;
    if (use->kind == MFX_STORE_DISTINCT) {
        for (size_t i = 0; i < use->window_count; i++) {
            uint64_t ms = window_memory_ms(&use->windows[i], now);
            longest = ms > longest ? ms : longest;
        }
    }
    if (longest > MFX_COUNTER_TIME_MAX / 2)
        longest = MFX_COUNTER_TIME_MAX / 2;
    if (longest > counter->memory_ms)
        counter->memory_ms = longest;
    return mfx_counter_seen_ms(counter, now) + longest;
}

/* --- counting --- */

static bool
is_asked(const struct mfx_counter_window *window,
         const struct mfx_store_window *asked, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (asked[i].shape == window->shape &&
            asked[i].span_ms == window->span_ms)
            return true;
    return false;
}

static void
remove_window(struct mfx_counter *counter, size_t at)
{
    free_window(&counter->windows[at]);
    counter->window_count--;
    counter->windows[at] = counter->windows[counter->window_count];
}

/* Without the windows that are not asked for and remember nothing; when there
 * are still too many, without the one that expires first. */
static void
make_room(struct mfx_counter *counter, const struct mfx_store_window *asked,
          size_t count, const struct mfx_counter_clock *now)
{
    size_t first = MFX_COUNTER_WINDOWS_MAX;
    for (size_t i = counter->window_count; i > 0; i--) {
        struct mfx_counter_window *window = &counter->windows[i - 1];
        if (window->expires_ms <= now->store_ms &&
            !is_asked(window, asked, count))
            remove_window(counter, i - 1);
    }
    if (counter->window_count < MFX_COUNTER_WINDOWS_MAX)
        return;
    for (size_t i = 0; i < counter->window_count; i++) {
        struct mfx_counter_window *window = &counter->windows[i];
        if (!is_asked(window, asked, count) &&
            (first == MFX_COUNTER_WINDOWS_MAX ||
             window->expires_ms < counter->windows[first].expires_ms))
            first = i;
    }
    remove_window(counter, first);
}

static struct mfx_counter_window *
add_window(struct mfx_counter *counter, const struct mfx_store_window *asked,
           const struct mfx_counter_clock *now)
{
    size_t count = counter->window_count;
    struct mfx_counter_window *bigger =
        realloc(counter->windows, (count + 1) * sizeof *bigger);
    if (bigger == NULL)
        return NULL;
    counter->windows = bigger;
    bigger[count] = (struct mfx_counter_window){
        .shape = asked->shape,
        .span_ms = asked->span_ms,
        .since_ms = mfx_counter_seen_ms(counter, now),
    };
    counter->window_count++;
    return &bigger[count];
}

bool
mfx_counter_prepare(struct mfx_counter *counter,
                    const struct mfx_store_window *windows, size_t count,
                    const struct mfx_counter_clock *now)
{
    for (size_t i = 0; i < count; i++) {
        struct mfx_counter_window *kept = mfx_counter_window_find(
            counter, windows[i].shape, windows[i].span_ms);
        if (kept == NULL) {
            make_room(counter, windows, count, now);
            kept = add_window(counter, &windows[i], now);
        }
        if (kept == NULL || !mfx_counter_window_prepare(kept, now))
            return false;
    }
    return true;
}

void
mfx_counter_add(struct mfx_counter *counter,
                const struct mfx_store_window *window,
                const struct mfx_counter_clock *now,
                const struct mfx_counter_clock *at, uint64_t amount)
{
    struct mfx_counter_window *kept =
        mfx_counter_window_find(counter, window->shape, window->span_ms);
    if (kept != NULL && amount > 0)
        mfx_counter_window_add(kept, window, now, at, amount);
}

void
mfx_counter_move(struct mfx_counter *counter,
                 const struct mfx_store_window *window,
                 const struct mfx_counter_clock *at, uint64_t seen_ms)
{
    struct mfx_counter_window *kept =
        mfx_counter_window_find(counter, window->shape, window->span_ms);
    if (kept == NULL || kept->shape != MFX_STORE_SLIDING)
        return;
    uint64_t from = mfx_counter_part(kept->span_ms, seen_ms);
    uint64_t to = mfx_counter_part(kept->span_ms, at->store_ms);
    if (from == to)
        return;
    mfx_counter_window_take_one(kept, from);
    mfx_counter_window_add(kept, window, at, at, 1);
}

/* What was counted before that time, an earlier window may have counted alone
 * (a policy was changed): then nothing reaches back, since an element that is
 * counted once more is better than one that is not counted. */
static bool
counted_before(const struct mfx_counter *counter, uint64_t ms)
{
    for (size_t i = 0; i < counter->window_count; i++) {
        const struct mfx_counter_window *window = &counter->windows[i];
        bool is_fixed = window->shape == MFX_STORE_FIXED;
        if (!is_fixed && window->since_ms <= ms)
            return true;
        for (size_t p = 0; is_fixed && p < window->count; p++)
            if (window->periods[p].since_ms <= ms)
                return true;
    }
    return false;
}

/* The period that comes first, if it holds the time. */
static void
reach_back_in_period(struct mfx_counter_window *kept,
                     const struct mfx_store_window *window,
                     const struct mfx_counter_clock *at)
{
    uint64_t begin_s = 0, end_s = 0;
    window->period(window->period_arg, at->wall_s, &begin_s, &end_s);
    if (kept->count > 0 && kept->periods[0].begin_s == begin_s &&
        kept->periods[0].since_ms > at->store_ms)
        kept->periods[0].since_ms = at->store_ms;
}

void
mfx_counter_reach_back(struct mfx_counter *counter,
                       const struct mfx_store_use *use,
                       const struct mfx_counter_clock *at)
{
    bool is_first = !counted_before(counter, at->store_ms);
    for (size_t i = 0; i < use->window_count; i++) {
        const struct mfx_store_window *window = &use->windows[i];
        struct mfx_counter_window *kept =
            mfx_counter_window_find(counter, window->shape, window->span_ms);
        if (kept == NULL)
            continue;
        if (kept->shape == MFX_STORE_FIXED)
            reach_back_in_period(kept, window, at);
        else if (is_first)
            kept->since_ms = at->store_ms;
    }
}

bool
mfx_counter_mark_soft(struct mfx_counter *counter,
                      const struct mfx_store_window *window,
                      const struct mfx_counter_clock *now)
{
    struct mfx_counter_window *kept =
        mfx_counter_window_find(counter, window->shape, window->span_ms);
    return kept != NULL && window->soft > 0 &&
           mfx_counter_window_used(kept, window, now) >= window->soft &&
           mfx_counter_window_mark(kept, window, now, &kept->soft_mark);
}

bool
mfx_counter_mark_full(struct mfx_counter *counter,
                      const struct mfx_store_window *window,
                      const struct mfx_counter_clock *now)
{
    struct mfx_counter_window *kept =
        mfx_counter_window_find(counter, window->shape, window->span_ms);
    return kept != NULL &&
           mfx_counter_window_mark(kept, window, now, &kept->full_mark);
}

/* --- override, rows, end --- */

bool
mfx_counter_set_override(struct mfx_counter *counter, struct mfx_str text,
                         uint64_t lifetime_ms,
                         const struct mfx_counter_clock *now)
{
    char *copy = text.len == 0 ? NULL : malloc(text.len);
    if (copy == NULL && text.len > 0)
        return false;
    if (text.len > 0)
        memcpy(copy, text.p, text.len);
    free(counter->override);
    counter->override = copy;
    counter->override_len = text.len;
    counter->override_until_ms = 0;
    if (text.len > 0 && lifetime_ms > 0)
        counter->override_until_ms =
            lifetime_ms < MFX_COUNTER_TIME_MAX - now->store_ms
                ? now->store_ms + lifetime_ms
                : MFX_COUNTER_TIME_MAX;
    return true;
}

struct mfx_str
mfx_counter_override(const struct mfx_counter *counter,
                     const struct mfx_counter_clock *now, uint64_t *until_ms)
{
    uint64_t until = counter->override_until_ms;
    *until_ms = 0;
    if (until != 0 && until <= now->store_ms)
        return mfx_str(NULL, 0);
    if (until != 0)
        *until_ms = now->wall_s * 1000 + (until - now->store_ms);
    return mfx_str(counter->override, counter->override_len);
}

void
mfx_counter_row(const struct mfx_counter *counter,
                const struct mfx_counter_clock *now, struct mfx_store_row *row)
{
    row->override = mfx_counter_override(counter, now, &row->override_until_ms);
    row->window_count = 0;
    for (size_t i = 0; i < counter->window_count; i++) {
        const struct mfx_counter_window *window = &counter->windows[i];
        if (window->expires_ms <= now->store_ms ||
            row->window_count == MFX_STORE_WINDOWS_MAX)
            continue;
        uint64_t ago_ms = now->store_ms > window->last_ms
                              ? now->store_ms - window->last_ms
                              : 0;
        uint64_t wall_ms = now->wall_s * 1000;
        size_t at = row->window_count++;
        row->windows[at].shape = window->shape;
        row->windows[at].span_ms = window->span_ms;
        row->windows[at].used = mfx_counter_window_shown(window, now);
        if (window->last_ms > 0 && wall_ms > ago_ms)
            row->windows[at].last_ms = wall_ms - ago_ms;
    }
}

uint64_t
mfx_counter_expires(const struct mfx_counter *counter,
                    const struct mfx_counter_clock *now)
{
    uint64_t latest = 0;
    if (counter->override_len > 0)
        latest = counter->override_until_ms == 0 ? MFX_COUNTER_TIME_MAX
                                                 : counter->override_until_ms;
    if (counter->begun_ms > 0 &&
        counter->begun_ms + counter->memory_ms > latest)
        latest = counter->begun_ms + counter->memory_ms;
    for (size_t i = 0; i < counter->window_count; i++)
        if (counter->windows[i].expires_ms > latest)
            latest = counter->windows[i].expires_ms;
    return latest > now->store_ms ? latest : 0;
}
