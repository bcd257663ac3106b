/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A value of the store is "w TIME", first seen at that time, or "k", known.
 */
#include "greylist.h"

#include <inttypes.h>

enum {
    SKEW_S = 300, /* clocks of several machines */
    /* A known key is written again when this share of its time is gone. */
    REFRESH_SHARE = 32,
};

enum standing {
    STANDING_UNKNOWN, /* no answer */
    STANDING_FIRST,
    STANDING_YOUNG,
    STANDING_OLD, /* came back */
    STANDING_KNOWN,
    STANDING_STALE, /* known, and to be written again */
};

struct asked {
    struct mfx_str name; /* p is NULL: no memory */
    struct mfx_store_call *call;
    enum standing standing;
    uint64_t wait_s;
};

struct score_greylist {
    struct score_greylist_ask ask;
    struct mfx_arena *arena;
    bool is_exempt;
    struct mfx_str exempt;
    struct asked *asked;
    size_t count, done; /* answered, in order */
};

const char *
score_greylist_result_name(enum score_greylist_result result)
{
    switch (result) {
    case SCORE_GREYLIST_PASS:
        return "pass";
    case SCORE_GREYLIST_EXEMPT:
        return "exempt";
    case SCORE_GREYLIST_WAIT:
        return "wait";
    case SCORE_GREYLIST_DOWN:
        return "store_down";
    }
    MFX_BUG("a result of greylisting out of range");
}

/* --- asking --- */

static struct mfx_str
seen_now(const struct score_greylist *g)
{
    return mfx_arena_printf(g->arena, "w %" PRIu64, g->ask.now_s);
}

static void
begin_one(struct score_greylist *g, struct mfx_str recipient, struct asked *a)
{
    struct mfx_str bytes = seen_now(g);
    a->name = score_greylist_name(&g->ask, recipient, g->arena);
    if (a->name.p != NULL && bytes.p != NULL && g->ask.store != NULL)
        a->call = mfx_store_begin_value(g->ask.store, MFX_STORE_VALUE_ADD,
                                        a->name, bytes,
                                        g->ask.settings->retry_window_s * 1000);
}

static bool
is_exempt(struct score_greylist *g)
{
    return g->ask.client.family == MFX_IP_NONE ||
           mfx_host_list_has(g->ask.skip, g->ask.client_name, &g->ask.client,
                             &g->exempt);
}

struct score_greylist *
score_greylist_begin(const struct score_greylist_ask *ask,
                     struct mfx_arena *arena)
{
    struct score_greylist *g = mfx_arena_alloc(arena, sizeof *g);
    if (g == NULL)
        return NULL;
    *g = (struct score_greylist){.ask = *ask, .arena = arena};
    g->is_exempt = is_exempt(g);
    if (g->is_exempt)
        return g;
    g->count = ask->recipient_count < SCORE_GREYLIST_RECIPIENTS_MAX
                   ? ask->recipient_count
                   : SCORE_GREYLIST_RECIPIENTS_MAX;
    g->asked = mfx_arena_alloc_array(arena, g->count, sizeof *g->asked);
    if (g->asked == NULL)
        return NULL;
    for (size_t i = 0; i < g->count; i++)
        begin_one(g, ask->recipients[i], &g->asked[i]);
    return g;
}

/* --- answers --- */

static uint64_t
wall_ms(const struct score_greylist *g)
{
    return g->ask.now_s * 1000;
}

/* Writes anew; nobody waits for it. */
static void
put(struct score_greylist *g, const struct asked *a, struct mfx_str bytes,
    uint64_t lifetime_s)
{
    if (bytes.p != NULL)
        (void)mfx_store_call_end_value(
            mfx_store_begin_value(g->ask.store, MFX_STORE_VALUE_PUT, a->name,
                                  bytes, lifetime_s * 1000),
            NULL, NULL, NULL);
}

static enum standing
known_standing(const struct score_greylist *g,
               const struct mfx_store_value *value)
{
    uint64_t remember_ms = g->ask.settings->remember_s * 1000;
    uint64_t fresh_until_ms =
        wall_ms(g) + remember_ms - remember_ms / REFRESH_SHARE;
    return value->until_ms < fresh_until_ms ? STANDING_STALE : STANDING_KNOWN;
}

/* By the time of its first sight. */
static void
judge_age(struct score_greylist *g, uint64_t first_s, struct asked *a)
{
    uint64_t delay_s = g->ask.settings->delay_s, now_s = g->ask.now_s;
    uint64_t age_s = now_s > first_s ? now_s - first_s : 0;
    a->standing = age_s >= delay_s ? STANDING_OLD : STANDING_YOUNG;
    a->wait_s = age_s >= delay_s ? 0 : delay_s - age_s;
}

static void
see_first(struct score_greylist *g, struct asked *a)
{
    a->standing = STANDING_FIRST;
    a->wait_s = g->ask.settings->delay_s;
}

/* What is damaged, or of a time to come (the clock was set back), begins
 * anew. */
static void
judge(struct score_greylist *g, const struct mfx_store_value *value,
      struct asked *a)
{
    static const struct mfx_str waiting = MFX_STR("w ");
    uint64_t first_s;
    if (value->is_new) {
        see_first(g, a);
    } else if (mfx_str_is(value->bytes, "k")) {
        a->standing = known_standing(g, value);
    } else if (mfx_str_starts(value->bytes, waiting) &&
               mfx_str_to_u64(mfx_str_from(value->bytes, waiting.len),
                              g->ask.now_s + SKEW_S, &first_s) == MFX_OK) {
        judge_age(g, first_s, a);
    } else {
        see_first(g, a);
        put(g, a, seen_now(g), g->ask.settings->retry_window_s);
    }
}

static void
end_one(struct score_greylist *g, struct asked *a, struct mfx_err *err)
{
    struct mfx_store_value value = {0};
    struct mfx_store_call *call = a->call;
    a->call = NULL;
    if (a->name.p == NULL || g->ask.store == NULL)
        mfx_err_set(err, "%s",
                    a->name.p == NULL ? "no memory" : "there is no store");
    else if (mfx_store_call_end_value(call, g->arena, &value, err) == MFX_OK)
        judge(g, &value, a);
}

struct mfx_event *
score_greylist_pending(struct score_greylist *g)
{
    for (; g != NULL && g->done < g->count; g->done++) {
        struct mfx_store_call *call = g->asked[g->done].call;
        struct mfx_event *event =
            call == NULL ? NULL : mfx_store_call_event(call);
        if (event != NULL && !mfx_event_is_set(event))
            return event;
    }
    return NULL;
}

/* --- all recipients --- */

static void
add_up(const struct asked *a, struct score_greylist_answer *answer)
{
    switch (a->standing) {
    case STANDING_UNKNOWN:
        if (answer->result != SCORE_GREYLIST_WAIT)
            answer->result = SCORE_GREYLIST_DOWN;
        break;
    case STANDING_FIRST:
        answer->is_first_sight = true;
        answer->result = SCORE_GREYLIST_WAIT;
        break;
    case STANDING_YOUNG:
        answer->result = SCORE_GREYLIST_WAIT;
        break;
    case STANDING_OLD:
        answer->is_known = false;
        break;
    case STANDING_KNOWN:
    case STANDING_STALE:
        break;
    }
    if (a->wait_s > answer->wait_s)
        answer->wait_s = a->wait_s;
}

/* Mail that is deferred for another recipient comes back for all: only what
 * passes is known from then on. */
static void
remember(struct score_greylist *g)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct asked *a = &g->asked[i];
        if (a->standing == STANDING_OLD || a->standing == STANDING_STALE)
            put(g, a, mfx_str_of("k"), g->ask.settings->remember_s);
    }
}

void
score_greylist_finish(struct score_greylist *g,
                      struct score_greylist_answer *answer)
{
    *answer = (struct score_greylist_answer){.result = SCORE_GREYLIST_DOWN};
    if (g == NULL) {
        mfx_err_set(&answer->err, "no memory");
        return;
    }
    answer->exempt = g->exempt;
    answer->result = g->is_exempt ? SCORE_GREYLIST_EXEMPT : SCORE_GREYLIST_PASS;
    answer->is_known = !g->is_exempt;
    for (size_t i = 0; i < g->count; i++) {
        end_one(g, &g->asked[i], &answer->err);
        add_up(&g->asked[i], answer);
    }
    if (answer->result == SCORE_GREYLIST_PASS)
        remember(g);
    else
        answer->is_known = false;
}
