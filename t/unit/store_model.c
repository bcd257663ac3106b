/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COUNTERS = 4,
    HOLDERS = 6,
    WINDOWS = 2,
    STEPS = 40, /* of a schedule */
    USES_MAX = 2000,
    ELEMENTS = 12,
    WAIT_MS = 10000,
    PERIODS_KEPT = 4, /* a store may forget periods used longer ago */
    BEHIND_MS = 5,    /* what is seen in the millisecond of several resets */
    TRACE = 48,
};

struct range {
    uint64_t lo, hi;
};

/* What was counted, and when: the store's time is between. lag_ms: how much the
 * store's time may have stood still before. */
struct past {
    unsigned counter;
    uint64_t amount, lag_ms, wall_s;
    struct range at;
};

struct level {
    uint64_t scaled; /* level * span */
    uint64_t at_ms;
};

struct window {
    struct mfx_store_window asked;
    uint64_t length_s; /* FIXED */
    struct level lo, hi;
};

struct counter {
    char name[64];
    bool is_distinct;
    struct window windows[WINDOWS];
    size_t window_count;
    struct range seen[ELEMENTS];
    uint64_t seen_lag_ms[ELEMENTS];
    bool is_seen[ELEMENTS];
};

struct hold {
    uint64_t amount;
    uint32_t elements;
    struct range until;
    bool is_held;
};

struct holder {
    char name[64];
    struct hold holds[COUNTERS];
};

struct model {
    const struct store_model_place *place;
    uint64_t seed, random, schedule, lag_ms;
    unsigned generation;
    bool is_strict, has_failed;
    struct counter counters[COUNTERS];
    struct holder holders[HOLDERS];
    struct past *past;
    size_t past_count;
    struct mfx_arena *arena;
    char trace[TRACE][160];
    size_t traced;
    char *why;
    size_t why_size;
};

/* What one call asks, and what it is about. */
struct call {
    enum mfx_store_op op;
    struct holder *holder;
    struct mfx_store_use uses[COUNTERS];
    struct mfx_store_window windows[COUNTERS][WINDOWS];
    struct mfx_str elements[COUNTERS][ELEMENTS];
    unsigned counters[COUNTERS];
    uint32_t masks[COUNTERS];
    size_t count;
    uint64_t lease_ms;
    struct mfx_store_answer answer;
    struct range at;
    uint64_t wall_s;
};

/* --- chance, and words --- */

static uint64_t
next_random(struct model *m)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return m->random * UINT64_C(2685821657736338717);
}

static uint64_t
below(struct model *m, uint64_t n)
{
    return (next_random(m) >> 16) % n;
}

static void say(struct model *m, const char *format, ...) MFX_PRINTF(2, 3);

static void
say(struct model *m, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(m->trace[m->traced++ % TRACE], sizeof m->trace[0], format,
                    args);
    va_end(args);
}

static void fail(struct model *m, const char *format, ...) MFX_PRINTF(2, 3);

static void
fail(struct model *m, const char *format, ...)
{
    va_list args;
    size_t len;
    if (m->has_failed)
        return;
    m->has_failed = true;
    (void)snprintf(m->why, m->why_size,
                   "seed %llu schedule %llu: ", (unsigned long long)m->seed,
                   (unsigned long long)m->schedule);
    len = strlen(m->why);
    va_start(args, format);
    (void)vsnprintf(m->why + len, m->why_size - len, format, args);
    va_end(args);
    size_t first = m->traced > TRACE ? m->traced - TRACE : 0;
    for (size_t i = first; i < m->traced; i++) {
        len = strlen(m->why);
        (void)snprintf(m->why + len, m->why_size - len, "\n  %s",
                       m->trace[i % TRACE]);
    }
}

static uint64_t
now_of(const struct model *m)
{
    return m->place->now_ms(m->place->arg);
}

/* --- what is counted --- */

static unsigned
count_bits(uint32_t mask)
{
    return (unsigned)__builtin_popcount(mask);
}

/* Whether a use of that time is in the window: surely, perhaps. */
static bool
is_surely_in(struct range at, uint64_t span_ms, struct range now)
{
    return at.lo + span_ms > now.hi;
}

static bool
is_perhaps_in(const struct model *m, struct range at, uint64_t lag_ms,
              uint64_t span_ms, struct range now)
{
    uint64_t longest = span_ms +
                       (span_ms + MFX_STORE_STEPS - 1) / MFX_STORE_STEPS +
                       BEHIND_MS + (m->lag_ms - lag_ms);
    return at.hi + longest > now.lo;
}

static struct range
sliding_used(const struct model *m, unsigned c, const struct window *w,
             struct range now)
{
    struct range used = {0, 0};
    for (size_t i = 0; i < m->past_count; i++) {
        const struct past *past = &m->past[i];
        if (past->counter != c)
            continue;
        if (is_surely_in(past->at, w->asked.span_ms, now))
            used.lo += past->amount;
        if (is_perhaps_in(m, past->at, past->lag_ms, w->asked.span_ms, now))
            used.hi += past->amount;
    }
    return used;
}

/* The window may be forgotten when it is not used for a period's length, and a
 * period that was used before many others; a clock that is stepped back may
 * come to it again all the same. */
static struct range
fixed_used(const struct model *m, unsigned c, const struct window *w,
           struct range now, uint64_t wall_s)
{
    struct range used = {0, 0};
    uint64_t period = wall_s / w->length_s, others[PERIODS_KEPT];
    uint64_t next_ms = now.hi;
    size_t other_count = 0;
    bool is_kept = true;
    for (size_t i = m->past_count; i > 0; i--) {
        const struct past *past = &m->past[i - 1];
        uint64_t its = past->wall_s / w->length_s;
        bool is_known = its == period;
        if (past->counter != c)
            continue;
        if (next_ms >= past->at.lo + w->length_s * 1000)
            is_kept = false;
        next_ms = past->at.lo;
        if (its == period) {
            used.hi += past->amount;
            used.lo += is_kept ? past->amount : 0;
        }
        for (size_t j = 0; j < other_count; j++)
            is_known = is_known || others[j] == its;
        if (!is_known && other_count == PERIODS_KEPT)
            is_kept = false;
        else if (!is_known)
            others[other_count++] = its;
    }
    return used;
}

static uint64_t
drain(const struct window *w, uint64_t scaled, uint64_t ms)
{
    uint64_t drained = ms * w->asked.limit;
    return scaled > drained ? scaled - drained : 0;
}

static uint64_t
since(uint64_t later, uint64_t earlier)
{
    return later > earlier ? later - earlier : 0;
}

static struct range
bucket_used(const struct window *w, struct range now)
{
    uint64_t span = w->asked.span_ms;
    uint64_t lo = drain(w, w->lo.scaled, since(now.hi, w->lo.at_ms));
    uint64_t hi = drain(w, w->hi.scaled, since(now.lo, w->hi.at_ms));
    return (struct range){(lo + span - 1) / span, (hi + span - 1) / span};
}

static void
bucket_add(struct window *w, struct range at, uint64_t amount)
{
    w->lo.scaled = drain(w, w->lo.scaled, since(at.hi, w->lo.at_ms)) +
                   amount * w->asked.span_ms;
    w->lo.at_ms = at.hi;
    w->hi.scaled = drain(w, w->hi.scaled, since(at.lo, w->hi.at_ms)) +
                   amount * w->asked.span_ms;
    w->hi.at_ms = at.lo;
}

struct masks {
    uint32_t sure, perhaps;
};

static struct masks
elements_in(const struct model *m, const struct counter *counter,
            const struct window *w, struct range now)
{
    struct masks in = {0, 0};
    for (unsigned e = 0; e < ELEMENTS; e++) {
        if (!counter->is_seen[e])
            continue;
        if (is_surely_in(counter->seen[e], w->asked.span_ms, now))
            in.sure |= 1u << e;
        if (is_perhaps_in(m, counter->seen[e], counter->seen_lag_ms[e],
                          w->asked.span_ms, now))
            in.perhaps |= 1u << e;
    }
    return in;
}

static struct range
used_of(const struct model *m, unsigned c, const struct window *w,
        struct range now, uint64_t wall_s)
{
    struct masks in;
    if (m->counters[c].is_distinct) {
        in = elements_in(m, &m->counters[c], w, now);
        return (struct range){count_bits(in.sure), count_bits(in.perhaps)};
    }
    switch (w->asked.shape) {
    case MFX_STORE_SLIDING:
        return sliding_used(m, c, w, now);
    case MFX_STORE_FIXED:
        return fixed_used(m, c, w, now, wall_s);
    case MFX_STORE_BUCKET:
        return bucket_used(w, now);
    }
    return (struct range){0, 0};
}

/* --- what is held --- */

static bool
is_surely_held(const struct hold *hold, struct range now)
{
    return hold->is_held && now.hi < hold->until.lo;
}

static bool
is_perhaps_held(const struct hold *hold, struct range now)
{
    return hold->is_held && now.lo < hold->until.hi;
}

static struct range
reserved_by_others(const struct model *m, unsigned c,
                   const struct holder *holder, struct range now)
{
    struct range reserved = {0, 0};
    for (size_t h = 0; h < HOLDERS; h++) {
        const struct hold *hold = &m->holders[h].holds[c];
        if (&m->holders[h] == holder)
            continue;
        if (is_surely_held(hold, now))
            reserved.lo += hold->amount;
        if (is_perhaps_held(hold, now))
            reserved.hi += hold->amount;
    }
    return reserved;
}

static struct masks
held_by_others(const struct model *m, unsigned c, const struct holder *holder,
               struct range now)
{
    struct masks held = {0, 0};
    for (size_t h = 0; h < HOLDERS; h++) {
        const struct hold *hold = &m->holders[h].holds[c];
        if (&m->holders[h] == holder)
            continue;
        if (is_surely_held(hold, now))
            held.sure |= hold->elements;
        if (is_perhaps_held(hold, now))
            held.perhaps |= hold->elements;
    }
    return held;
}

/* What all would be if the call were done, in one window. */
static struct range
total_of(const struct model *m, const struct call *call, size_t i,
         const struct window *w)
{
    unsigned c = call->counters[i];
    const struct hold *own = &call->holder->holds[c];
    struct range used = used_of(m, c, w, call->at, call->wall_s);
    if (!m->counters[c].is_distinct) {
        struct range reserved =
            reserved_by_others(m, c, call->holder, call->at);
        return (struct range){used.lo + reserved.lo + call->uses[i].amount,
                              used.hi + reserved.hi + call->uses[i].amount};
    }
    struct masks in = elements_in(m, &m->counters[c], w, call->at);
    struct masks held = held_by_others(m, c, call->holder, call->at);
    bool is_taken = call->op == MFX_STORE_TAKE;
    uint32_t sure = call->masks[i], perhaps = call->masks[i];
    if (!is_taken && is_surely_held(own, call->at))
        sure |= own->elements;
    if (!is_taken && is_perhaps_held(own, call->at))
        perhaps |= own->elements;
    return (struct range){count_bits(in.sure | held.sure | sure),
                          count_bits(in.perhaps | held.perhaps | perhaps)};
}

/* --- counting, holding --- */

static void
count_use(struct model *m, const struct call *call, size_t i)
{
    unsigned c = call->counters[i];
    struct counter *counter = &m->counters[c];
    for (size_t w = 0; w < counter->window_count; w++)
        if (counter->windows[w].asked.shape == MFX_STORE_BUCKET)
            bucket_add(&counter->windows[w], call->at, call->uses[i].amount);
    if (counter->is_distinct) {
        for (unsigned e = 0; e < ELEMENTS; e++) {
            if ((call->masks[i] & 1u << e) == 0)
                continue;
            counter->is_seen[e] = true;
            counter->seen[e] = call->at;
            counter->seen_lag_ms[e] = m->lag_ms;
        }
        return;
    }
    if (call->uses[i].amount > 0)
        m->past[m->past_count++] = (struct past){
            .counter = c,
            .amount = call->uses[i].amount,
            .lag_ms = m->lag_ms,
            .wall_s = call->wall_s,
            .at = call->at,
        };
}

static void
hold_use(const struct call *call, size_t i)
{
    struct hold *hold = &call->holder->holds[call->counters[i]];
    if (!is_perhaps_held(hold, call->at))
        *hold = (struct hold){.amount = 0};
    hold->is_held = true;
    hold->amount = call->uses[i].amount;
    hold->elements |= call->masks[i];
    hold->until.lo = call->at.lo + call->lease_ms;
    hold->until.hi = call->at.hi + call->lease_ms;
}

static void
drop_holds(const struct call *call)
{
    for (size_t i = 0; i < call->count; i++)
        call->holder->holds[call->counters[i]] = (struct hold){.amount = 0};
}

static void
reset_counter(struct model *m, unsigned c)
{
    size_t kept = 0;
    struct counter *counter = &m->counters[c];
    for (size_t i = 0; i < m->past_count; i++)
        if (m->past[i].counter != c)
            m->past[kept++] = m->past[i];
    m->past_count = kept;
    memset(counter->is_seen, 0, sizeof counter->is_seen);
    for (size_t w = 0; w < WINDOWS; w++)
        counter->windows[w].lo.scaled = counter->windows[w].hi.scaled = 0;
}

/* --- checking an answer --- */

static void
check_levels(struct model *m, const struct call *call, size_t i)
{
    unsigned c = call->counters[i];
    const struct counter *counter = &m->counters[c];
    for (size_t w = 0; w < counter->window_count; w++) {
        const struct mfx_store_level *level =
            &call->answer.readings[i].levels[w];
        struct range used =
            used_of(m, c, &counter->windows[w], call->at, call->wall_s);
        if (level->used < used.lo || level->used > used.hi)
            fail(m, "%s window %zu: used %llu, want %llu to %llu",
                 counter->name, w, (unsigned long long)level->used,
                 (unsigned long long)used.lo, (unsigned long long)used.hi);
        if (counter->is_distinct)
            continue;
        struct range held = reserved_by_others(m, c, call->holder, call->at);
        if (level->reserved < held.lo || level->reserved > held.hi)
            fail(m, "%s: reserved %llu, want %llu to %llu", counter->name,
                 (unsigned long long)level->reserved,
                 (unsigned long long)held.lo, (unsigned long long)held.hi);
    }
}

/* May it have been done; may it have been refused? */
static void
check_outcome(struct model *m, const struct call *call)
{
    bool may_be_done = true, may_be_full = false;
    for (size_t i = 0; i < call->count; i++) {
        const struct counter *counter = &m->counters[call->counters[i]];
        for (size_t w = 0; w < counter->window_count; w++) {
            struct range total = total_of(m, call, i, &counter->windows[w]);
            uint64_t limit = counter->windows[w].asked.limit;
            may_be_done = may_be_done && total.lo <= limit;
            may_be_full = may_be_full || total.hi > limit;
        }
    }
    if (call->answer.outcome == MFX_STORE_DONE && !may_be_done)
        fail(m, "it does not fit, but is done");
    if (call->answer.outcome == MFX_STORE_FULL && !may_be_full)
        fail(m, "it fits, but is refused");
    if (call->answer.outcome == MFX_STORE_OVERRIDDEN)
        fail(m, "overridden by nothing");
}

/* The proof, independent of the answers: every use, and the span that ends with
 * it. */
static void
check_limits(struct model *m, unsigned c)
{
    const struct counter *counter = &m->counters[c];
    for (size_t w = 0; w < counter->window_count && m->is_strict; w++) {
        const struct window *window = &counter->windows[w];
        if (window->asked.shape == MFX_STORE_FIXED)
            continue; /* a stepped clock may come back when all is forgotten */
        struct range now = {now_of(m), now_of(m)};
        uint64_t used = used_of(m, c, window, now, 0).lo;
        if (used > window->asked.limit)
            fail(m, "%s window %zu holds %llu, limit %llu", counter->name, w,
                 (unsigned long long)used,
                 (unsigned long long)window->asked.limit);
    }
}

/* --- asking --- */

static const char *
op_name(enum mfx_store_op op)
{
    static const char *const names[] = {"check",  "reserve", "take",
                                        "commit", "release", "reset"};
    return names[op];
}

static void
trace_call(struct model *m, const struct call *call, const char *what)
{
    char text[120];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < call->count && len < sizeof text; i++)
        len += (size_t)snprintf(
            text + len, sizeof text - len, " c%u:%llu/%x", call->counters[i],
            (unsigned long long)call->uses[i].amount, call->masks[i]);
    say(m, "%llu..%llu %s %s%s lease %llu: %s", (unsigned long long)call->at.lo,
        (unsigned long long)call->at.hi, call->holder->name, op_name(call->op),
        text, (unsigned long long)call->lease_ms, what);
}

static void
make_use(struct model *m, struct call *call, unsigned c, uint64_t amount,
         uint32_t mask)
{
    static const char *const names[ELEMENTS] = {
        "e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9", "ea", "eb"};
    const struct counter *counter = &m->counters[c];
    size_t i = call->count++;
    for (size_t w = 0; w < counter->window_count; w++)
        call->windows[i][w] = counter->windows[w].asked;
    call->counters[i] = c;
    call->masks[i] = counter->is_distinct ? mask : 0;
    call->uses[i] = (struct mfx_store_use){
        .kind = counter->is_distinct ? MFX_STORE_DISTINCT : MFX_STORE_AMOUNT,
        .counter = mfx_str_of(counter->name),
        .windows = call->windows[i],
        .window_count = counter->window_count,
        .amount = counter->is_distinct ? 0 : amount,
        .elements = call->elements[i],
    };
    for (unsigned e = 0; e < ELEMENTS; e++)
        if ((call->masks[i] & 1u << e) != 0)
            call->elements[i][call->uses[i].element_count++] =
                mfx_str_of(names[e]);
}

static bool
ask(struct model *m, struct call *call)
{
    struct mfx_err err = {""};
    const struct store_model_place *place = m->place;
    uint64_t slack_ms = place->slack_ms;
    mfx_arena_reset(m->arena);
    call->at.lo = now_of(m) - slack_ms;
    call->wall_s = place->wall_s == NULL ? 0 : place->wall_s(place->arg);
    enum mfx_rc rc =
        mfx_store_ask(place->store(place->arg), call->op,
                      mfx_str_of(call->holder->name), call->uses, call->count,
                      call->lease_ms, WAIT_MS, m->arena, &call->answer, &err);
    call->at.hi = now_of(m) + slack_ms;
    trace_call(m, call,
               rc != MFX_OK                             ? err.msg
               : call->answer.outcome == MFX_STORE_DONE ? "done"
                                                        : "full");
    if (rc != MFX_OK)
        fail(m, "%s: %s", op_name(call->op), err.msg);
    return rc == MFX_OK;
}

static void
start_call(struct model *m, struct call *call, enum mfx_store_op op)
{
    memset(call, 0, sizeof *call);
    call->op = op;
    call->holder = &m->holders[below(m, HOLDERS)];
    call->lease_ms = m->place->unit_ms * (1 + below(m, 6)) / 2;
    if (m->is_strict)
        call->lease_ms = m->place->unit_ms * 1000;
}

static void
choose_uses(struct model *m, struct call *call)
{
    for (unsigned c = 0; c < COUNTERS; c++)
        if (below(m, 2) == 0)
            make_use(m, call, c, below(m, 4),
                     (uint32_t)(next_random(m) & next_random(m)) &
                         ((1u << ELEMENTS) - 1));
    if (call->count == 0)
        make_use(m, call, 0, 1 + below(m, 3), 0);
}

static void
rename_holder(struct model *m, struct holder *holder)
{
    memset(holder, 0, sizeof *holder);
    (void)snprintf(holder->name, sizeof holder->name, "m%llx/%llu/%u",
                   (unsigned long long)m->seed, (unsigned long long)m->schedule,
                   m->generation++);
}

/* --- the steps --- */

static void
step_check(struct model *m)
{
    struct call call;
    start_call(m, &call, MFX_STORE_CHECK);
    choose_uses(m, &call);
    if (!ask(m, &call))
        return;
    check_outcome(m, &call);
    for (size_t i = 0; i < call.count; i++)
        check_levels(m, &call, i);
}

static void
step_reserve(struct model *m)
{
    struct call call;
    start_call(m, &call, MFX_STORE_RESERVE);
    choose_uses(m, &call);
    if (!ask(m, &call))
        return;
    check_outcome(m, &call);
    for (size_t i = 0; i < call.count; i++)
        check_levels(m, &call, i);
    for (size_t i = 0; i < call.count; i++)
        if (call.answer.outcome == MFX_STORE_DONE)
            hold_use(&call, i);
}

static void
step_take(struct model *m)
{
    struct call call;
    start_call(m, &call, MFX_STORE_TAKE);
    choose_uses(m, &call);
    if (!ask(m, &call))
        return;
    check_outcome(m, &call);
    if (call.answer.outcome == MFX_STORE_DONE) {
        drop_holds(&call);
        for (size_t i = 0; i < call.count; i++)
            count_use(m, &call, i);
    }
    for (size_t i = 0; i < call.count; i++) {
        check_levels(m, &call, i);
        check_limits(m, call.counters[i]);
    }
}

/* Strict: exactly what is held, and while it is. */
static void
choose_committed(struct model *m, struct call *call)
{
    struct range now = {now_of(m), now_of(m) + m->place->unit_ms};
    for (unsigned c = 0; c < COUNTERS; c++) {
        const struct hold *hold = &call->holder->holds[c];
        if (is_surely_held(hold, now) || (hold->is_held && !m->is_strict))
            make_use(m, call, c, hold->amount, hold->elements);
        else if (!m->is_strict && below(m, 4) == 0)
            make_use(m, call, c, below(m, 3), 1u << below(m, ELEMENTS));
    }
}

/* Given up and asked again it counts once all the same. */
static void
abandon(struct model *m, const struct call *call)
{
    struct mfx_store_call *abandoned =
        mfx_store_begin(m->place->store(m->place->arg), call->op,
                        mfx_str_of(call->holder->name), call->uses, call->count,
                        call->lease_ms);
    (void)mfx_store_call_end(abandoned, NULL, NULL, NULL);
    say(m, "%s %s given up", call->holder->name, op_name(call->op));
}

static void
step_commit(struct model *m)
{
    struct call call;
    start_call(m, &call, MFX_STORE_COMMIT);
    choose_committed(m, &call);
    bool is_abandoned = below(m, 6) == 0;
    uint64_t first_ms = now_of(m) - m->place->slack_ms;
    uint64_t first_wall_s =
        m->place->wall_s == NULL ? 0 : m->place->wall_s(m->place->arg);
    if (call.count == 0)
        return;
    if (is_abandoned)
        abandon(m, &call);
    if (!ask(m, &call))
        return;
    if (call.answer.is_repeated && !is_abandoned)
        fail(m, "the first commit is a repeated one");
    struct range answered = call.at;
    if (is_abandoned) {
        call.at.lo = first_ms;
        call.wall_s = first_wall_s;
    }
    drop_holds(&call);
    for (size_t i = 0; i < call.count; i++)
        count_use(m, &call, i);
    call.at = answered;
    for (size_t i = 0; i < call.count; i++) {
        check_levels(m, &call, i);
        check_limits(m, call.counters[i]);
    }
    if (below(m, 4) == 0 && ask(m, &call)) {
        if (!call.answer.is_repeated)
            fail(m, "a repeated commit was done again");
        for (size_t i = 0; i < call.count; i++)
            check_levels(m, &call, i);
    }
    /* what it held of other counters goes with its name */
    call.op = MFX_STORE_RELEASE;
    call.count = 0;
    for (unsigned c = 0; c < COUNTERS; c++)
        make_use(m, &call, c, 0, 0);
    (void)ask(m, &call);
    rename_holder(m, call.holder);
}

/* A RESERVE that nobody waited for, and its RELEASE. */
static void
step_abandon(struct model *m)
{
    struct call call;
    start_call(m, &call, MFX_STORE_RESERVE);
    choose_uses(m, &call);
    abandon(m, &call);
    call.op = MFX_STORE_RELEASE;
    if (ask(m, &call))
        drop_holds(&call);
}

static void
step_release(struct model *m)
{
    struct call call;
    start_call(m, &call, MFX_STORE_RELEASE);
    choose_uses(m, &call);
    if (ask(m, &call))
        drop_holds(&call);
}

static void
step_reset(struct model *m)
{
    struct call call;
    start_call(m, &call, MFX_STORE_RESET);
    make_use(m, &call, (unsigned)below(m, COUNTERS), 0, 0);
    if (!ask(m, &call))
        return;
    reset_counter(m, call.counters[0]);
    check_levels(m, &call, 0);
}

/* Several holders at once, for one counter: who comes first is open, but not
 * how much fits. */
static void
step_crowd(struct model *m)
{
    static struct call calls[HOLDERS];
    struct mfx_store_call *begun[HOLDERS];
    const struct counter *counter = &m->counters[0];
    uint64_t taken = 0, smallest = UINT64_MAX;
    struct range at = {now_of(m) - m->place->slack_ms, 0};
    /* what one held may have been in another's way before it was taken */
    struct range held =
        reserved_by_others(m, 0, NULL, (struct range){at.lo, at.lo});
    for (size_t h = 0; h < HOLDERS; h++) {
        start_call(m, &calls[h], MFX_STORE_TAKE);
        calls[h].holder = &m->holders[h];
        make_use(m, &calls[h], 0, 1 + below(m, 3), 0);
        begun[h] = mfx_store_begin(
            m->place->store(m->place->arg), MFX_STORE_TAKE,
            mfx_str_of(calls[h].holder->name), calls[h].uses, 1, 0);
    }
    for (size_t h = 0; h < HOLDERS; h++) {
        struct mfx_err err = {""};
        if (begun[h] != NULL)
            (void)mfx_event_wait(mfx_store_call_event(begun[h]),
                                 mfx_mono_ms() + WAIT_MS);
        if (mfx_store_call_end(begun[h], m->arena, &calls[h].answer, &err) !=
            MFX_OK)
            fail(m, "crowd: %s", err.msg);
    }
    at.hi = now_of(m) + m->place->slack_ms;
    for (size_t h = 0; h < HOLDERS && !m->has_failed; h++) {
        uint64_t amount = calls[h].uses[0].amount;
        calls[h].at = at;
        calls[h].wall_s =
            m->place->wall_s == NULL ? 0 : m->place->wall_s(m->place->arg);
        trace_call(m, &calls[h],
                   calls[h].answer.outcome == MFX_STORE_DONE ? "crowd, done"
                                                             : "crowd, full");
        if (calls[h].answer.outcome == MFX_STORE_DONE) {
            drop_holds(&calls[h]);
            count_use(m, &calls[h], 0);
            taken += amount;
        } else if (amount < smallest) {
            smallest = amount;
        }
    }
    check_limits(m, 0);
    /* nobody was refused while there was room */
    if (smallest == UINT64_MAX || m->has_failed)
        return;
    bool may_be_full = false;
    for (size_t w = 0; w < counter->window_count; w++) {
        struct range used =
            used_of(m, 0, &counter->windows[w], at, calls[0].wall_s);
        may_be_full = may_be_full || used.hi + held.hi + smallest >
                                         counter->windows[w].asked.limit;
    }
    if (!may_be_full)
        fail(m, "refused, while there was room (%llu taken)",
             (unsigned long long)taken);
}

/* Now and then to the last millisecond of a part, of which a window has 60:
 * by a clock that began with a part. */
static void
step_pass(struct model *m)
{
    uint64_t unit = m->place->unit_ms, part = unit / MFX_STORE_STEPS;
    uint64_t ms = below(m, 3) == 0 ? below(m, 3 * unit) : below(m, unit / 4);
    if (part > 0 && below(m, 4) == 0)
        ms += part - 1 - (now_of(m) + ms) % part;
    m->place->pass(m->place->arg, ms);
    say(m, "%llu ms pass", (unsigned long long)ms);
}

static void
step_wall(struct model *m)
{
    if (m->place->step_wall == NULL)
        return;
    int64_t most = 200000;
    int64_t ms = (int64_t)below(m, 2 * (uint64_t)most) - most;
    m->place->step_wall(m->place->arg, ms);
    say(m, "wall clock %+lld ms", (long long)ms);
}

static void
step_restart(struct model *m)
{
    if (m->place->restart == NULL || below(m, 8) != 0)
        return;
    uint64_t lag_ms = m->place->restart(m->place->arg, next_random(m));
    m->lag_ms += lag_ms;
    say(m, "restart, %llu ms behind", (unsigned long long)lag_ms);
    for (unsigned c = 0; c < COUNTERS; c++)
        for (size_t w = 0; w < WINDOWS; w++)
            m->counters[c].windows[w].hi.scaled +=
                m->counters[c].windows[w].hi.scaled == 0
                    ? 0
                    : lag_ms * m->counters[c].windows[w].asked.limit;
    for (size_t h = 0; h < HOLDERS && !m->place->restart_keeps_holds; h++)
        rename_holder(m, &m->holders[h]);
}

/* --- schedules --- */

static void
period(const void *arg, uint64_t now_s, uint64_t *begin_s, uint64_t *end_s)
{
    uint64_t length_s = *(const uint64_t *)arg;
    *begin_s = now_s - now_s % length_s;
    *end_s = *begin_s + length_s;
}

static void
choose_window(struct model *m, struct counter *counter,
              enum mfx_store_shape shape, uint64_t span_ms)
{
    struct window *w = &counter->windows[counter->window_count++];
    w->asked = (struct mfx_store_window){
        .shape = shape, .span_ms = span_ms, .limit = 2 + below(m, 9)};
    if (shape != MFX_STORE_FIXED)
        return;
    w->length_s = 30 + below(m, 100);
    w->asked.period = period;
    w->asked.period_arg = &w->length_s;
}

static void
choose_counters(struct model *m)
{
    uint64_t unit = m->place->unit_ms;
    memset(m->counters, 0, sizeof m->counters);
    for (unsigned c = 0; c < COUNTERS; c++)
        (void)snprintf(m->counters[c].name, sizeof m->counters[c].name,
                       "model%llx/%llu/%u", (unsigned long long)m->seed,
                       (unsigned long long)m->schedule, c);
    choose_window(m, &m->counters[0], MFX_STORE_SLIDING,
                  unit * (1 + below(m, 4)) + below(m, 100));
    choose_window(m, &m->counters[0], MFX_STORE_SLIDING, unit * 7);
    choose_window(m, &m->counters[1], MFX_STORE_BUCKET,
                  unit * (1 + below(m, 4)) + below(m, 100));
    choose_window(m, &m->counters[2], MFX_STORE_SLIDING,
                  unit * (1 + below(m, 3)));
    choose_window(m, &m->counters[2], MFX_STORE_SLIDING, unit * 5);
    m->counters[2].is_distinct = true;
    if (m->place->wall_s != NULL)
        choose_window(m, &m->counters[3], MFX_STORE_FIXED, 1);
    choose_window(m, &m->counters[3], MFX_STORE_SLIDING, unit * 2);
}

static void
run_schedule(struct model *m)
{
    static void (*const steps[])(struct model *) = {
        step_reserve, step_reserve, step_reserve, step_reserve, step_reserve,
        step_commit,  step_commit,  step_commit,  step_commit,  step_take,
        step_take,    step_check,   step_release, step_pass,    step_pass,
        step_pass,    step_abandon, step_crowd,   step_restart, step_wall,
    };
    m->is_strict = below(m, 2) == 0;
    m->past_count = 0;
    m->traced = 0;
    choose_counters(m);
    for (size_t h = 0; h < HOLDERS; h++)
        rename_holder(m, &m->holders[h]);
    for (unsigned i = 0; i < STEPS && !m->has_failed; i++) {
        if (below(m, 60) == 0)
            step_reset(m);
        else
            steps[below(m, sizeof steps / sizeof steps[0])](m);
    }
}

bool
store_model_run(const struct store_model_place *place, uint64_t seed,
                unsigned schedules, char *why, size_t size)
{
    struct model *m = calloc(1, sizeof *m);
    if (m == NULL)
        return false;
    m->place = place;
    m->seed = seed;
    m->random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    m->past = calloc(USES_MAX, sizeof *m->past);
    m->arena = mfx_arena_new(0);
    m->why = why;
    m->why_size = size;
    for (; m->schedule < schedules && !m->has_failed; m->schedule++)
        run_schedule(m);
    bool is_right = !m->has_failed;
    mfx_arena_free(m->arena);
    free(m->past);
    free(m);
    return is_right;
}
