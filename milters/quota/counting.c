/* SPDX-License-Identifier: BSD-2-Clause */
#include "counting.h"

#include <inttypes.h>

#include "warning.h"

enum {
    OVERRIDES_MAX = 4, /* changes of one call's overrides while it asks */
};

/* --- which rules, which keys --- */

static enum mfx_rc
find_exempt_rules(struct quota_holding *h, struct mfx_message *m,
                  struct mfx_err *err)
{
    for (size_t i = 0; i < h->policy->rule_count; i++) {
        const struct quota_rule *rule = &h->policy->rules[i];
        const char *why = "";
        if (rule->when < QUOTA_AT_RCPT)
            continue;
        enum mfx_rc rc =
            quota_policy_rule_exempts(rule, m->connection, &m->origin,
                                      h->facts.login, h->arena, &why, err);
        if (rc != MFX_OK && rc != MFX_NOTFOUND)
            return MFX_TEMPFAIL;
        h->is_exempt[i] = rc == MFX_OK;
        if (rc == MFX_OK)
            mfx_trace(m->decision, "exempt", "%.*s: %s",
                      MFX_STR_ARG(rule->settings->name), why);
    }
    return MFX_OK;
}

enum mfx_rc
quota_holding_init(struct quota_holding *h, const struct quota_policy *policy,
                   struct mfx_message *m, const struct quota_facts *facts,
                   struct mfx_err *err)
{
    *h = (struct quota_holding){
        .policy = policy,
        .shared = policy->shared,
        .arena = m->arena,
        .facts = *facts,
        .lease_ms = policy->settings->lease_s * 1000,
    };
    h->holder = quota_shared_new_holder(h->shared, m->arena);
    h->is_exempt = mfx_arena_alloc_array(m->arena, policy->rule_count,
                                         sizeof *h->is_exempt);
    if (!mfx_arena_ok(m->arena))
        return MFX_TEMPFAIL;
    return find_exempt_rules(h, m, err);
}

static struct quota_tally *
find_tally(const struct quota_holding *h, const struct quota_rule *rule,
           struct mfx_str key)
{
    for (struct quota_tally *t = h->tallies; t != NULL; t = t->next)
        if (t->rule == rule && mfx_str_eq(t->key.text, key))
            return t;
    return NULL;
}

static enum mfx_rc
get_tally(struct quota_holding *h, const struct quota_rule *rule,
          struct quota_tally **tally, struct mfx_err *err)
{
    struct quota_made_key key;
    if (!quota_key_make(&rule->key, &h->facts,
                        (unsigned)rule->settings->ipv4_prefix,
                        (unsigned)rule->settings->ipv6_prefix, h->arena, &key))
        return mfx_arena_ok(h->arena) ? MFX_NOTFOUND : MFX_TEMPFAIL;
    *tally = find_tally(h, rule, key.text);
    if (*tally != NULL)
        return MFX_OK;
    enum mfx_rc rc = quota_tally_new(rule, &key, h->arena, tally, err);
    if (rc != MFX_OK)
        return rc;
    if (h->last == NULL)
        h->tallies = *tally;
    else
        h->last->next = *tally;
    h->last = *tally;
    return MFX_OK;
}

static struct mfx_str
client_text(const struct quota_holding *h)
{
    char text[MFX_IP_TEXT];
    if (h->facts.client_ip.family == MFX_IP_NONE)
        return mfx_str("", 0);
    return mfx_arena_copy(h->arena,
                          mfx_str_of(mfx_ip_format(&h->facts.client_ip, text)));
}

static enum mfx_rc
want_of_rule(struct quota_holding *h, const struct quota_rule *rule,
             struct mfx_str recipient, uint64_t message_bytes,
             struct mfx_err *err)
{
    struct quota_tally *tally;
    enum mfx_rc rc = quota_rule_lists_address(rule->settings->exempt_recipients,
                                              recipient, h->arena, err);
    if (rc != MFX_NOTFOUND)
        return rc;
    rc = get_tally(h, rule, &tally, err);
    if (rc == MFX_OK)
        quota_tally_want(tally, recipient, message_bytes, client_text(h),
                         h->arena);
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

enum mfx_rc
quota_counting_want(struct quota_holding *h, enum quota_when when,
                    struct mfx_str recipient, uint64_t message_bytes,
                    struct mfx_err *err)
{
    struct mfx_str address = mfx_arena_copy_lower(h->arena, recipient);
    size_t at = mfx_str_find_last(address, '@');
    h->facts.recipient = address;
    h->facts.recipient_domain = mfx_str_from(address, at + 1);
    for (size_t i = 0; i < h->policy->rule_count; i++) {
        const struct quota_rule *rule = &h->policy->rules[i];
        if (rule->when != when || h->is_exempt[i])
            continue;
        enum mfx_rc rc = want_of_rule(h, rule, address, message_bytes, err);
        if (rc != MFX_OK)
            return rc;
    }
    return mfx_arena_ok(h->arena) ? MFX_OK : MFX_TEMPFAIL;
}

bool
quota_counting_want_bytes(struct quota_holding *h, uint64_t bytes)
{
    bool is_more = false;
    for (struct quota_tally *t = h->tallies; t != NULL; t = t->next) {
        if (t->rule->settings->count != QUOTA_COUNT_BYTES ||
            t->wanted.recipients == 0)
            continue;
        t->wanted.amount = bytes;
        t->is_touched = true;
        is_more = is_more || bytes > t->held.amount;
    }
    return is_more;
}

/* --- asking --- */

static struct mfx_store *
store_of(const struct quota_holding *h)
{
    return h->place == QUOTA_PLACE_LOCAL ? h->shared->fallback
                                         : h->shared->store;
}

static unsigned
share_of(const struct quota_holding *h)
{
    return h->place == QUOTA_PLACE_LOCAL
               ? (unsigned)h->policy->settings->local_share
               : 100;
}

/* Those that have something to ask, with their uses. */
struct asked {
    struct quota_tally **tallies;
    struct mfx_store_use *uses;
    size_t count;
};

static bool
make_uses(struct quota_holding *h, struct quota_tally **tallies, size_t count,
          enum quota_ask ask, struct asked *asked)
{
    asked->tallies =
        mfx_arena_alloc_array(h->arena, count, sizeof *asked->tallies);
    asked->uses = mfx_arena_alloc_array(h->arena, count, sizeof *asked->uses);
    asked->count = 0;
    if (tallies == NULL || asked->tallies == NULL || asked->uses == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (quota_tally_use(tallies[i], ask, share_of(h), h->arena,
                            &asked->uses[asked->count]))
            asked->tallies[asked->count++] = tallies[i];
    return true;
}

static enum mfx_rc
wait_for(struct quota_holding *h, struct mfx_message *m,
         struct mfx_store_call *call, struct mfx_store_answer *answer,
         struct mfx_err *err)
{
    uint64_t until_ms = mfx_mono_ms() + h->policy->settings->store.timeout_ms;
    if (call != NULL && !mfx_wait(m, mfx_store_call_event(call), until_ms))
        atomic_fetch_add(&h->shared->store_timeouts, 1);
    return mfx_store_call_end(call, h->arena, answer, err);
}

/* Another override stands there: limits anew. */
static bool
learn_overrides(const struct asked *asked,
                const struct mfx_store_answer *answer, struct mfx_arena *arena,
                struct mfx_err *err)
{
    for (size_t i = 0; i < asked->count; i++) {
        struct quota_tally *t = asked->tallies[i];
        struct mfx_str stands = answer->readings[i].override;
        if (!mfx_str_eq(stands, t->override) &&
            quota_tally_override(t, stands, arena, err) != MFX_OK)
            return false;
    }
    return true;
}

static enum quota_ask
ask_of(enum mfx_store_op op)
{
    return op == MFX_STORE_COMMIT || op == MFX_STORE_TAKE ? QUOTA_ASK_ALL
                                                          : QUOTA_ASK_RESERVE;
}

static bool
ask_once(struct quota_holding *h, struct mfx_message *m, enum mfx_store_op op,
         struct mfx_str holder, const struct asked *asked,
         struct mfx_store_answer *answer, struct mfx_err *err)
{
    struct mfx_store *store = store_of(h);
    if (asked->count == 0) {
        answer->outcome = MFX_STORE_DONE;
        return true;
    }
    if (store == NULL) {
        mfx_err_set(err, "there is no store");
        return false;
    }
    struct mfx_store_call *call =
        mfx_store_begin(store, op, holder, asked->uses, asked->count,
                        op == MFX_STORE_RESERVE ? h->lease_ms : 0);
    if (wait_for(h, m, call, answer, err) != MFX_OK) {
        atomic_fetch_add(&h->shared->store_failures, 1);
        return false;
    }
    for (size_t i = 0; i < asked->count; i++)
        asked->tallies[i]->reading = &answer->readings[i];
    return true;
}

bool
quota_counting_ask(struct quota_holding *h, struct mfx_message *m,
                   enum mfx_store_op op, struct mfx_str holder,
                   struct quota_tally **tallies, size_t count,
                   enum mfx_store_outcome *outcome, struct mfx_err *err)
{
    struct asked asked;
    struct mfx_store_answer answer = {.outcome = MFX_STORE_OVERRIDDEN};
    for (int i = 0; i < OVERRIDES_MAX; i++) {
        if (!make_uses(h, tallies, count, ask_of(op), &asked)) {
            mfx_err_set(err, "out of memory");
            return false;
        }
        if (!ask_once(h, m, op, holder, &asked, &answer, err))
            return false;
        *outcome = answer.outcome;
        if (answer.outcome != MFX_STORE_OVERRIDDEN)
            return true;
        if (!learn_overrides(&asked, &answer, h->arena, err))
            return false;
    }
    mfx_err_set(err, "overrides change all the time");
    return false;
}

/* --- judging --- */

static bool
breaks_message_limit(const struct quota_tally *t, struct quota_refusal *r)
{
    int count = t->rule->settings->count;
    if (t->limits.per_message == MFX_STORE_UNLIMITED ||
        t->wanted.amount <= t->limits.per_message)
        return false;
    r->kind = count == QUOTA_COUNT_BYTES ? QUOTA_TOO_LARGE
                                         : QUOTA_TOO_MANY_RECIPIENTS;
    r->limit = t->limits.per_message;
    r->used = t->wanted.amount;
    return true;
}

static void
trace_dry(struct mfx_message *m, const struct quota_tally *t)
{
    struct mfx_str name = t->rule->settings->name;
    atomic_fetch_add(&t->rule->counts->dry_refused, 1);
    mfx_fact(m->decision, "would_refuse", name);
    mfx_trace(m->decision, "dry-run", "%.*s would have refused %.*s",
              MFX_STR_ARG(name), MFX_STR_ARG(t->key.text));
}

/* Blocks and limits of one message need no store. */
static bool
judge_without_store(struct quota_holding *h, struct mfx_message *m,
                    struct quota_refusal *r)
{
    for (struct quota_tally *t = h->tallies; t != NULL; t = t->next) {
        if (!t->is_touched)
            continue;
        bool is_broken = breaks_message_limit(t, r);
        if (t->limits.is_blocked) {
            r->kind = QUOTA_BLOCKED;
            is_broken = true;
        }
        if (is_broken && !t->rule->is_dry) {
            r->tally = t;
            return true;
        }
        if (is_broken)
            trace_dry(m, t);
        r->kind = QUOTA_FITS;
    }
    return false;
}

static void
trace_tally(struct mfx_message *m, const struct quota_tally *t)
{
    const struct mfx_store_level *level = NULL;
    const struct mfx_store_window *w = quota_tally_fullest(t, &level);
    struct mfx_buf limit;
    mfx_buf_init_arena(&limit, m->arena, 200);
    if (w == NULL)
        return;
    quota_limits_format(w, &limit);
    mfx_trace(m->decision, "rule",
              "%.*s: %.*s: %" PRIu64 " used, %" PRIu64
              " reserved by others, limit %s (%s)",
              MFX_STR_ARG(t->rule->settings->name), MFX_STR_ARG(t->key.text),
              level->used, level->reserved, mfx_buf_text(&limit),
              quota_limits_source_name(t->source));
}

static const struct mfx_store_window *
window_that_is_full(const struct quota_tally *t,
                    const struct mfx_store_level **level)
{
    for (size_t i = 0; t->reading != NULL && i < t->limits.window_count; i++)
        if (!t->reading->levels[i].fits) {
            *level = &t->reading->levels[i];
            return &t->limits.windows[i];
        }
    return NULL;
}

void
quota_counting_judge(struct quota_tally **tallies, size_t count,
                     enum mfx_store_outcome outcome, struct mfx_message *m,
                     struct quota_refusal *r)
{
    r->kind = QUOTA_FITS;
    for (size_t i = 0; i < count; i++) {
        struct quota_tally *t = tallies[i];
        const struct mfx_store_level *level = NULL;
        if (t->reading == NULL)
            continue;
        trace_tally(m, t);
        if (t->rule->is_dry) {
            if (quota_tally_overflow(t, &level) != NULL)
                trace_dry(m, t);
            continue;
        }
        if (outcome != MFX_STORE_FULL || r->kind != QUOTA_FITS)
            continue;
        r->window = window_that_is_full(t, &level);
        if (r->window == NULL)
            continue;
        r->kind = QUOTA_FULL;
        r->tally = t;
        r->level = *level;
    }
}

/* --- holding --- */

static size_t
collect(const struct quota_holding *h, bool touched_only,
        struct quota_tally ***tallies)
{
    size_t count = 0, n = 0;
    struct quota_tally *t;
    for (t = h->tallies; t != NULL; t = t->next)
        count++;
    *tallies = mfx_arena_alloc_array(h->arena, count, sizeof **tallies);
    for (t = h->tallies; *tallies != NULL && t != NULL; t = t->next)
        if (touched_only ? t->is_touched : t->held.recipients > 0)
            (*tallies)[n++] = t;
    return n;
}

static void
settle(struct quota_holding *h, bool agreed)
{
    for (struct quota_tally *t = h->tallies; t != NULL; t = t->next)
        if (t->is_touched)
            quota_tally_settle(t, agreed);
}

/* The store is away: what the setting says. True when to be asked again. */
static bool
move_away(struct quota_holding *h, struct mfx_message *m,
          struct quota_refusal *r)
{
    int how = h->policy->settings->store_error;
    mfx_trace(m->decision, "store", "%s", r->err.msg);
    if (how == QUOTA_STORE_ERROR_TEMPFAIL) {
        r->kind = QUOTA_STORE_FAILED;
        return false;
    }
    bool has_fallback = h->place == QUOTA_PLACE_STORE &&
                        how == QUOTA_STORE_ERROR_LOCAL &&
                        h->shared->fallback != NULL;
    if (h->place == QUOTA_PLACE_STORE)
        atomic_fetch_add(
            has_fallback ? &h->shared->local : &h->shared->uncounted, 1);
    h->place = has_fallback ? QUOTA_PLACE_LOCAL : QUOTA_PLACE_NONE;
    mfx_fact(m->decision, "store", mfx_str_of(has_fallback ? "local" : "none"));
    if (has_fallback) /* what is held so far counts here, too */
        for (struct quota_tally *t = h->tallies; t != NULL; t = t->next) {
            t->is_touched = t->is_touched || t->held.recipients > 0;
            t->sent = 0;
        }
    return has_fallback;
}

/* A call that was given up may be carried out yet. */
static void
give_back(struct quota_holding *h, struct mfx_store *store)
{
    struct quota_tally **tallies;
    size_t count = collect(h, false, &tallies);
    for (struct quota_tally *t = h->tallies; t != NULL; t = t->next)
        if (t->is_touched && t->held.recipients == 0 && tallies != NULL)
            tallies[count++] = t;
    struct asked asked;
    if (store == NULL ||
        !make_uses(h, tallies, count, QUOTA_ASK_RESERVE, &asked))
        return;
    if (asked.count > 0)
        (void)mfx_store_call_end(mfx_store_begin(store, MFX_STORE_RELEASE,
                                                 h->holder, asked.uses,
                                                 asked.count, 0),
                                 NULL, NULL, NULL);
}

static void
count_refusal(const struct quota_refusal *r, struct mfx_message *m)
{
    if (r->tally != NULL)
        atomic_fetch_add(&r->tally->rule->counts->refused, 1);
    if (r->kind == QUOTA_FULL)
        quota_warning_full(m, r);
}

/* One that may block, or change a message's limit. */
static bool
has_override(const struct quota_holding *h)
{
    for (const struct quota_tally *t = h->tallies; t != NULL; t = t->next)
        if (t->is_touched && t->override.len > 0)
            return true;
    return false;
}

void
quota_counting_reserve(struct quota_holding *h, struct mfx_message *m,
                       struct quota_refusal *r)
{
    struct quota_tally **tallies;
    enum mfx_store_outcome outcome = MFX_STORE_DONE;
    memset(r, 0, sizeof *r);
    bool is_refused = judge_without_store(h, m, r);
    while (!is_refused && h->place != QUOTA_PLACE_NONE) {
        size_t count = collect(h, true, &tallies);
        if (quota_counting_ask(h, m, MFX_STORE_RESERVE, h->holder, tallies,
                               count, &outcome, &r->err)) {
            is_refused = has_override(h) && judge_without_store(h, m, r);
            if (is_refused && outcome == MFX_STORE_DONE)
                give_back(h, store_of(h));
            if (!is_refused)
                quota_counting_judge(tallies, count, outcome, m, r);
            break;
        }
        give_back(h, store_of(h));
        if (!move_away(h, m, r))
            break;
    }
    if (r->kind != QUOTA_FITS)
        count_refusal(r, m);
    settle(h, r->kind == QUOTA_FITS);
}

static void
count_fitted(struct quota_holding *h, struct quota_tally **tallies,
             size_t count, struct mfx_message *m)
{
    for (size_t i = 0; i < count; i++) {
        atomic_fetch_add(&tallies[i]->rule->counts->fitted,
                         tallies[i]->held.recipients);
        quota_warning_soft(m, tallies[i]);
    }
    (void)h;
}

static void
merge_later(struct quota_holding *h, struct quota_tally **tallies, size_t count)
{
    struct asked asked;
    if (h->shared->merge == NULL ||
        !make_uses(h, tallies, count, QUOTA_ASK_ALL, &asked))
        return;
    if (asked.count > 0)
        quota_merge_add(h->shared->merge, h->holder, asked.uses, asked.count,
                        h->shared->env.wall_s(&h->shared->env) * 1000);
}

void
quota_counting_commit(struct quota_holding *h, struct mfx_message *m,
                      struct quota_refusal *r)
{
    struct quota_tally **tallies;
    enum mfx_store_outcome outcome = MFX_STORE_DONE;
    memset(r, 0, sizeof *r);
    settle(h, true);
    size_t count = collect(h, false, &tallies);
    if (count == 0)
        return;
    bool is_done = h->place != QUOTA_PLACE_NONE &&
                   quota_counting_ask(h, m, MFX_STORE_COMMIT, h->holder,
                                      tallies, count, &outcome, &r->err);
    if (!is_done && h->place == QUOTA_PLACE_STORE) {
        (void)move_away(h, m, r);
        if (r->kind == QUOTA_STORE_FAILED)
            return;
    }
    h->is_committed = true;
    count_fitted(h, tallies, count, m);
    if (h->place != QUOTA_PLACE_STORE)
        merge_later(h, tallies, count);
}

void
quota_counting_release(struct quota_holding *h)
{
    if (h->is_committed || h->tallies == NULL)
        return;
    if (h->place != QUOTA_PLACE_NONE)
        give_back(h, store_of(h));
    h->is_committed = true;
}

/* --- recipients that the MTA refused --- */

static void
count_refused(struct quota_holding *h, const struct quota_rule *rule,
              uint64_t recipients)
{
    struct quota_tally *t;
    struct mfx_store_use use;
    struct mfx_err err = {""};
    struct mfx_store *store = store_of(h);
    if (get_tally(h, rule, &t, &err) != MFX_OK || store == NULL ||
        !quota_tally_use(t, QUOTA_ASK_ALL, share_of(h), h->arena, &use))
        return;
    use.amount = recipients;
    struct mfx_str holder = quota_shared_new_holder(h->shared, h->arena);
    (void)mfx_store_call_end(
        mfx_store_begin(store, MFX_STORE_COMMIT, holder, &use, 1, 0), NULL,
        NULL, NULL);
}

void
quota_counting_refused(struct quota_holding *h, uint64_t recipients)
{
    for (size_t i = 0; i < h->policy->rule_count && recipients > 0; i++)
        if (h->policy->rules[i].settings->count ==
                QUOTA_COUNT_REFUSED_RECIPIENTS &&
            !h->is_exempt[i])
            count_refused(h, &h->policy->rules[i], recipients);
}
