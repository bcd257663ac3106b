/* SPDX-License-Identifier: BSD-2-Clause */
#include "tally.h"

enum mfx_rc
quota_tally_new(const struct quota_rule *rule, const struct quota_made_key *key,
                struct mfx_arena *arena, struct quota_tally **tally,
                struct mfx_err *err)
{
    struct quota_tally *t = mfx_arena_alloc(arena, sizeof *t);
    if (t == NULL)
        return MFX_TEMPFAIL;
    t->rule = rule;
    t->key = *key;
    t->counter = quota_rule_counter(rule, key, arena);
    *tally = t;
    return quota_rule_limits(rule, key, mfx_str("", 0), arena, &t->limits,
                             &t->source, err);
}

enum mfx_rc
quota_tally_override(struct quota_tally *t, struct mfx_str override,
                     struct mfx_arena *arena, struct mfx_err *err)
{
    t->override = override;
    return quota_rule_limits(t->rule, &t->key, override, arena, &t->limits,
                             &t->source, err);
}

static bool
has_element(const struct quota_tally *t, struct mfx_str element)
{
    for (size_t i = 0; i < t->wanted.elements; i++)
        if (mfx_str_eq(t->elements[i], element))
            return true;
    return false;
}

static void
add_element(struct quota_tally *t, struct mfx_str element,
            struct mfx_arena *arena)
{
    if (element.len == 0 || has_element(t, element))
        return;
    if (t->wanted.elements == t->capacity) {
        size_t capacity = t->capacity == 0 ? 4 : 2 * t->capacity;
        struct mfx_str *grown =
            mfx_arena_alloc_array(arena, capacity, sizeof *grown);
        if (grown == NULL)
            return;
        if (t->capacity > 0)
            memcpy(grown, t->elements, t->capacity * sizeof *grown);
        t->elements = grown;
        t->capacity = capacity;
    }
    t->elements[t->wanted.elements++] = element;
}

void
quota_tally_want(struct quota_tally *t, struct mfx_str recipient,
                 uint64_t message_bytes, struct mfx_str client,
                 struct mfx_arena *arena)
{
    struct quota_want *w = &t->wanted;
    t->is_touched = true;
    w->recipients++;
    switch ((enum quota_count)t->rule->settings->count) {
    case QUOTA_COUNT_MESSAGES:
    case QUOTA_COUNT_CONNECTIONS:
    case QUOTA_COUNT_OPEN_CONNECTIONS:
        w->amount = 1;
        return;
    case QUOTA_COUNT_RECIPIENTS:
        w->amount = w->recipients;
        return;
    case QUOTA_COUNT_BYTES:
        w->amount = message_bytes;
        return;
    case QUOTA_COUNT_CLIENT_ADDRESSES:
        add_element(t, client, arena);
        return;
    case QUOTA_COUNT_DISTINCT_RECIPIENTS:
    case QUOTA_COUNT_NEW_RECIPIENTS:
        add_element(t, recipient, arena);
        return;
    case QUOTA_COUNT_REFUSED_RECIPIENTS:
        w->amount = 0;
        return;
    }
}

void
quota_tally_settle(struct quota_tally *t, bool agreed)
{
    if (agreed) {
        t->held = t->wanted;
        t->sent = t->wanted.elements;
        t->is_held = t->held.recipients > 0;
    } else {
        t->wanted = t->held;
    }
    t->is_touched = false;
}

static enum mfx_store_kind
kind_of(const struct quota_tally *t)
{
    switch ((enum quota_count)t->rule->settings->count) {
    case QUOTA_COUNT_CLIENT_ADDRESSES:
    case QUOTA_COUNT_DISTINCT_RECIPIENTS:
        return MFX_STORE_DISTINCT;
    case QUOTA_COUNT_NEW_RECIPIENTS:
        return MFX_STORE_FIRST;
    case QUOTA_COUNT_OPEN_CONNECTIONS:
        return MFX_STORE_OPEN;
    case QUOTA_COUNT_MESSAGES:
    case QUOTA_COUNT_RECIPIENTS:
    case QUOTA_COUNT_BYTES:
    case QUOTA_COUNT_CONNECTIONS:
    case QUOTA_COUNT_REFUSED_RECIPIENTS:
        return MFX_STORE_AMOUNT;
    }
    return MFX_STORE_AMOUNT;
}

/* What the store is told: a dry rule limits nothing. A limit of refused
 * recipients is reached when that many were refused, though no more are asked
 * for. */
static uint64_t
asked_limit(const struct quota_tally *t, uint64_t limit, unsigned share)
{
    if (t->rule->is_dry || limit == MFX_STORE_UNLIMITED)
        return MFX_STORE_UNLIMITED;
    if (share < 100 && limit > 0)
        limit = limit / 100 * share + (limit % 100 * share + 99) / 100;
    if (t->rule->settings->count == QUOTA_COUNT_REFUSED_RECIPIENTS && limit > 0)
        limit--;
    return limit;
}

static uint64_t
soft_limit(const struct quota_tally *t, uint64_t limit)
{
    uint64_t percent = (uint64_t)t->rule->settings->warn_at;
    if (percent == 0 || limit == MFX_STORE_UNLIMITED || limit == 0)
        return 0;
    uint64_t soft = limit / 100 * percent + limit % 100 * percent / 100;
    return soft == 0 ? 1 : soft;
}

bool
quota_tally_use(const struct quota_tally *t, enum quota_ask ask, unsigned share,
                struct mfx_arena *arena, struct mfx_store_use *use)
{
    size_t from = ask == QUOTA_ASK_RESERVE ? t->sent : 0;
    struct mfx_store_window *windows =
        mfx_arena_alloc_array(arena, t->limits.window_count, sizeof *windows);
    if (t->limits.window_count == 0 || windows == NULL)
        return false;
    for (size_t i = 0; i < t->limits.window_count; i++) {
        windows[i] = t->limits.windows[i];
        windows[i].limit = asked_limit(t, t->limits.windows[i].limit, share);
        windows[i].soft = soft_limit(t, t->limits.windows[i].limit);
    }
    *use = (struct mfx_store_use){
        .kind = kind_of(t),
        .counter = t->counter,
        .windows = windows,
        .window_count = t->limits.window_count,
        .amount = t->wanted.amount,
        .elements = t->elements == NULL ? NULL : t->elements + from,
        .element_count = t->wanted.elements - from,
        .memory_ms = t->rule->settings->memory_s * 1000,
        .believed_override = t->override,
    };
    return true;
}

const struct mfx_store_window *
quota_tally_fullest(const struct quota_tally *t,
                    const struct mfx_store_level **level)
{
    const struct mfx_store_window *fullest = NULL;
    double most = -1;
    for (size_t i = 0; t->reading != NULL && i < t->limits.window_count; i++) {
        const struct mfx_store_level *l = &t->reading->levels[i];
        uint64_t limit = t->limits.windows[i].limit;
        if (limit == MFX_STORE_UNLIMITED)
            continue;
        double part = limit == 0 ? 2 : (double)l->used / (double)limit;
        if (!l->fits)
            part += 1e9; /* what does not fit comes first */
        if (part > most) {
            most = part;
            fullest = &t->limits.windows[i];
            *level = l;
        }
    }
    return fullest;
}

const struct mfx_store_window *
quota_tally_overflow(const struct quota_tally *t,
                     const struct mfx_store_level **level)
{
    for (size_t i = 0; t->reading != NULL && i < t->limits.window_count; i++) {
        const struct mfx_store_level *l = &t->reading->levels[i];
        uint64_t limit = t->limits.windows[i].limit, more = t->wanted.amount;
        if (t->wanted.elements > 0)
            more = t->wanted.elements - t->sent;
        if (t->rule->settings->count == QUOTA_COUNT_REFUSED_RECIPIENTS)
            more = 1;
        if (limit == MFX_STORE_UNLIMITED)
            continue;
        if (l->used + l->reserved + more > limit) {
            *level = l;
            return &t->limits.windows[i];
        }
    }
    return NULL;
}
