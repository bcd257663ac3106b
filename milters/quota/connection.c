/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules that count connections: asked at connect, where nothing may wait;
 * answered at MAIL. Those that go by the login are asked at the first MAIL.
 */
#include "message.h"
#include "reply.h"

static struct quota_connection *
state_of(struct mfx_connection *c, const struct quota_policy *policy)
{
    struct quota_connection *state = c->state;
    if (state != NULL)
        return state;
    state = mfx_arena_alloc(c->arena, sizeof *state);
    if (state == NULL)
        return NULL;
    state->shared = quota_shared_hold(policy->shared);
    state->holding.shared = state->shared;
    state->holding.arena = c->arena;
    c->state = state;
    return state;
}

static bool
is_of(const struct quota_rule *rule, enum quota_when when,
      enum quota_count count)
{
    return rule->when == when && rule->settings->count == (int)count;
}

static enum mfx_rc
make_tally(struct quota_connection *state, const struct quota_rule *rule,
           struct quota_tally **tally, struct mfx_err *err)
{
    struct quota_made_key key;
    struct mfx_arena *arena = state->holding.arena;
    if (!quota_key_make(&rule->key, &state->holding.facts,
                        (unsigned)rule->settings->ipv4_prefix,
                        (unsigned)rule->settings->ipv6_prefix, arena, &key))
        return mfx_arena_ok(arena) ? MFX_NOTFOUND : MFX_TEMPFAIL;
    struct quota_key_choice *choice = mfx_arena_alloc(arena, sizeof *choice);
    if (choice == NULL)
        return MFX_TEMPFAIL;
    *choice = *key.choice; /* the rule may go before the connection */
    key.choice = choice;
    enum mfx_rc rc = quota_tally_new(rule, &key, arena, tally, err);
    if (rc == MFX_OK)
        quota_tally_want(*tally, mfx_str("", 0), 0, mfx_str("", 0), arena);
    return rc;
}

/* The tallies of the policy's rules for that moment. */
static enum mfx_rc
make_tallies(struct quota_connection *state, const struct quota_policy *policy,
             const struct mfx_connection *c, const struct mfx_message *m,
             enum quota_when when, enum quota_count count,
             struct quota_tally ***tallies, size_t *n, struct mfx_err *err)
{
    struct mfx_arena *arena = state->holding.arena;
    *n = 0;
    *tallies =
        mfx_arena_alloc_array(arena, policy->rule_count, sizeof **tallies);
    for (size_t i = 0; *tallies != NULL && i < policy->rule_count; i++) {
        const struct quota_rule *rule = &policy->rules[i];
        const char *why;
        if (!is_of(rule, when, count))
            continue;
        enum mfx_rc rc = quota_policy_rule_exempts(
            rule, c, m == NULL ? NULL : &m->origin, state->holding.facts.login,
            arena, &why, err);
        if (rc == MFX_NOTFOUND)
            rc = make_tally(state, rule, &(*tallies)[*n], err);
        else if (rc == MFX_OK)
            rc = MFX_NOTFOUND;
        if (rc == MFX_OK)
            (*n)++;
        else if (rc != MFX_NOTFOUND)
            return rc;
    }
    return mfx_arena_ok(arena) ? MFX_OK : MFX_TEMPFAIL;
}

static struct mfx_store_call *
begin(struct quota_connection *state, enum mfx_store_op op,
      struct mfx_str *holder, struct quota_tally **tallies, size_t *count)
{
    struct mfx_arena *arena = state->holding.arena;
    struct mfx_store_use *uses =
        mfx_arena_alloc_array(arena, *count, sizeof *uses);
    size_t n = 0;
    for (size_t i = 0; uses != NULL && i < *count; i++)
        if (quota_tally_use(tallies[i], QUOTA_ASK_ALL, 100, arena, &uses[n]))
            tallies[n++] = tallies[i];
    *holder = quota_shared_new_holder(state->shared, arena);
    if (n == 0 || state->shared->store == NULL)
        return NULL;
    return mfx_store_begin(state->shared->store, op, *holder, uses, n, 0);
}

enum mfx_rc
quota_connection_begin(struct mfx_connection *c)
{
    const struct quota_policy *policy = c->policy;
    struct mfx_err err = {""};
    const char *why;
    if (policy->is_by_address)
        quota_clients_add(policy->shared->clients, &c->client_ip,
                          c->env->wall_s(c->env));
    if (!policy->has_rule_at[QUOTA_AT_CONNECT] ||
        quota_policy_exempts(policy, c, mfx_str("", 0), c->arena, &why, &err) ==
            MFX_OK)
        return MFX_OK;
    struct quota_connection *s = state_of(c, policy);
    if (s == NULL)
        return MFX_TEMPFAIL;
    quota_policy_connection_facts(c, &s->holding.facts);
    enum mfx_rc rc = make_tallies(s, policy, c, NULL, QUOTA_AT_CONNECT,
                                  QUOTA_COUNT_CONNECTIONS, &s->counted,
                                  &s->counted_count, &err);
    if (rc == MFX_OK)
        rc = make_tallies(s, policy, c, NULL, QUOTA_AT_CONNECT,
                          QUOTA_COUNT_OPEN_CONNECTIONS, &s->open,
                          &s->open_count, &err);
    if (rc != MFX_OK)
        return MFX_TEMPFAIL;
    s->counted_call = begin(s, MFX_STORE_TAKE, &s->counted_holder, s->counted,
                            &s->counted_count);
    s->open_call =
        begin(s, MFX_STORE_RESERVE, &s->open_holder, s->open, &s->open_count);
    return MFX_OK;
}

/* --- at MAIL --- */

static const struct quota_rule *
find_rule(const struct quota_policy *policy, struct mfx_str counter)
{
    struct mfx_str name = mfx_str_head(counter, mfx_str_find(counter, '/'));
    for (size_t i = 0; i < policy->rule_count; i++)
        if (mfx_str_eq(policy->rules[i].settings->name, name))
            return &policy->rules[i];
    return NULL;
}

/* Since connect the rules may have been loaded anew. False when one is gone:
 * then nobody is refused for what was asked. */
static bool
rebind(const struct quota_policy *policy, struct quota_tally **tallies,
       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct quota_rule *rule = find_rule(policy, tallies[i]->counter);
        if (rule == NULL || rule->when > QUOTA_AT_MAIL)
            return false;
        tallies[i]->rule = rule;
    }
    return true;
}

static bool
take_answer(struct quota_connection *s, struct mfx_message *m,
            struct mfx_store_call **call, struct quota_tally **tallies,
            size_t count, enum mfx_store_outcome *outcome, struct mfx_err *err)
{
    struct mfx_store_answer answer;
    if (*call == NULL)
        return false;
    (void)mfx_wait(m, mfx_store_call_event(*call),
                   mfx_mono_ms() +
                       quota_policy_of(m)->settings->store.timeout_ms);
    enum mfx_rc rc = mfx_store_call_end(*call, s->holding.arena, &answer, err);
    *call = NULL;
    if (rc != MFX_OK || answer.outcome == MFX_STORE_OVERRIDDEN)
        return false;
    for (size_t i = 0; i < count && i < answer.count; i++)
        tallies[i]->reading = &answer.readings[i];
    *outcome = answer.outcome;
    return true;
}

/* The store is away. True when to ask again, here. */
static bool
move_away(struct quota_connection *s, struct mfx_message *m,
          struct quota_refusal *r)
{
    int how = quota_policy_of(m)->settings->store_error;
    mfx_trace(m->decision, "store", "%s", r->err.msg);
    if (how == QUOTA_STORE_ERROR_TEMPFAIL)
        r->kind = QUOTA_STORE_FAILED;
    if (how != QUOTA_STORE_ERROR_LOCAL ||
        s->holding.place != QUOTA_PLACE_STORE || s->shared->fallback == NULL)
        return false;
    s->holding.place = QUOTA_PLACE_LOCAL;
    return true;
}

static bool
is_blocked(struct quota_tally **tallies, size_t count, struct quota_refusal *r)
{
    for (size_t i = 0; i < count; i++)
        if (tallies[i]->limits.is_blocked && !tallies[i]->rule->is_dry) {
            r->kind = QUOTA_BLOCKED;
            r->tally = tallies[i];
            return true;
        }
    return false;
}

static void
decide(struct quota_connection *s, struct mfx_message *m, enum mfx_store_op op,
       struct mfx_str holder, struct mfx_store_call **call,
       struct quota_tally **tallies, size_t count, struct quota_refusal *r)
{
    enum mfx_store_outcome outcome = MFX_STORE_DONE;
    memset(r, 0, sizeof *r);
    if (count == 0 || !rebind(quota_policy_of(m), tallies, count) ||
        is_blocked(tallies, count, r))
        return;
    bool is_answered =
        take_answer(s, m, call, tallies, count, &outcome, &r->err);
    while (!is_answered) {
        is_answered = quota_counting_ask(&s->holding, m, op, holder, tallies,
                                         count, &outcome, &r->err);
        if (!is_answered && !move_away(s, m, r))
            return;
    }
    if (!is_blocked(tallies, count, r))
        quota_counting_judge(tallies, count, outcome, m, r);
}

static void
count_answers(struct quota_tally **tallies, size_t count,
              const struct quota_refusal *r)
{
    for (size_t i = 0; i < count && tallies[i]->reading != NULL; i++)
        atomic_fetch_add(r->tally == tallies[i]
                             ? &tallies[i]->rule->counts->refused
                             : &tallies[i]->rule->counts->fitted,
                         1);
}

static void
remember(struct quota_connection *s, const struct mfx_decision *d)
{
    struct mfx_arena *arena = s->holding.arena;
    s->is_refused = true;
    s->code = d->code;
    s->enhanced = mfx_arena_copy(arena, d->enhanced);
    s->text = mfx_arena_copy(arena, d->text);
    s->reason = mfx_arena_copy(arena, d->reason);
}

static bool
refuse_if(struct quota_connection *s, struct mfx_message *m,
          const struct quota_refusal *r)
{
    if (r->kind == QUOTA_FITS)
        return false;
    quota_reply_refuse(m, r, m->env->wall_s(m->env));
    remember(s, m->decision);
    return true;
}

static enum mfx_rc
take_rules_of_mail(struct quota_connection *s, struct mfx_message *m,
                   struct mfx_err *err)
{
    const struct quota_policy *policy = quota_policy_of(m);
    struct quota_tally **counted, **open;
    size_t counted_count, open_count;
    enum mfx_rc rc =
        quota_policy_message_facts(policy, m, &s->holding.facts, err);
    if (rc == MFX_OK)
        rc = make_tallies(s, policy, m->connection, m, QUOTA_AT_MAIL,
                          QUOTA_COUNT_CONNECTIONS, &counted, &counted_count,
                          err);
    if (rc == MFX_OK)
        rc =
            make_tallies(s, policy, m->connection, m, QUOTA_AT_MAIL,
                         QUOTA_COUNT_OPEN_CONNECTIONS, &open, &open_count, err);
    if (rc != MFX_OK)
        return rc;
    struct mfx_store_call *none = NULL;
    struct quota_refusal r;
    struct mfx_str holder =
        quota_shared_new_holder(s->shared, s->holding.arena);
    decide(s, m, MFX_STORE_TAKE, holder, &none, counted, counted_count, &r);
    count_answers(counted, counted_count, &r);
    if (refuse_if(s, m, &r) || open_count == 0)
        return MFX_OK;
    /* the ones of connect, if there are any, have a holder already */
    if (s->open_count == 0)
        s->open_holder = quota_shared_new_holder(s->shared, s->holding.arena);
    decide(s, m, MFX_STORE_RESERVE, s->open_holder, &none, open, open_count,
           &r);
    count_answers(open, open_count, &r);
    (void)refuse_if(s, m, &r);
    struct quota_tally **all = mfx_arena_alloc_array(
        s->holding.arena, s->open_count + open_count, sizeof *all);
    if (all == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < s->open_count; i++)
        all[i] = s->open[i];
    for (size_t i = 0; i < open_count; i++)
        all[s->open_count + i] = open[i];
    s->open = all;
    s->open_count += open_count;
    return MFX_OK;
}

static void
take_rules_of_connect(struct quota_connection *s, struct mfx_message *m)
{
    struct quota_refusal r;
    decide(s, m, MFX_STORE_TAKE, s->counted_holder, &s->counted_call,
           s->counted, s->counted_count, &r);
    count_answers(s->counted, s->counted_count, &r);
    if (refuse_if(s, m, &r))
        return;
    decide(s, m, MFX_STORE_RESERVE, s->open_holder, &s->open_call, s->open,
           s->open_count, &r);
    count_answers(s->open, s->open_count, &r);
    (void)refuse_if(s, m, &r);
}

static void
say_again(const struct quota_connection *s, struct mfx_message *m)
{
    struct mfx_decision *d = m->decision;
    if (s->code >= 500)
        mfx_decide_reject(d, s->code, s->enhanced.p, s->text, s->reason.p);
    else
        mfx_decide_tempfail(d, s->code, s->enhanced.p, s->text, s->reason.p);
}

enum mfx_rc
quota_connection_decide(struct mfx_message *m, bool *is_refused)
{
    const struct quota_policy *policy = quota_policy_of(m);
    struct mfx_connection *c = m->connection;
    struct quota_connection *s = c->state;
    struct mfx_err err = {""};
    *is_refused = false;
    if (s == NULL && !policy->has_rule_at[QUOTA_AT_MAIL])
        return MFX_OK;
    s = state_of(c, policy);
    if (s == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = MFX_OK;
    s->holding.policy = policy;
    if (!s->is_known) {
        s->is_known = true;
        take_rules_of_connect(s, m);
        if (!s->is_refused && policy->has_rule_at[QUOTA_AT_MAIL])
            rc = take_rules_of_mail(s, m, &err);
    } else if (s->is_refused) {
        say_again(s, m);
    }
    if (rc != MFX_OK)
        mfx_trace(m->decision, "connection", "%s", err.msg);
    *is_refused = s->is_refused;
    return rc;
}

/* --- the end --- */

static void
give_back_open(struct quota_connection *s)
{
    struct mfx_store *store = s->holding.place == QUOTA_PLACE_LOCAL
                                  ? s->shared->fallback
                                  : s->shared->store;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_store_use *uses =
        arena == NULL
            ? NULL
            : mfx_arena_alloc_array(arena, s->open_count, sizeof *uses);
    const struct mfx_store_window any = {.limit = MFX_STORE_UNLIMITED};
    for (size_t i = 0; uses != NULL && i < s->open_count; i++)
        uses[i] = (struct mfx_store_use){.kind = MFX_STORE_OPEN,
                                         .counter = s->open[i]->counter,
                                         .windows = &any,
                                         .window_count = 1};
    if (uses != NULL && store != NULL && s->open_count > 0)
        (void)mfx_store_call_end(mfx_store_begin(store, MFX_STORE_RELEASE,
                                                 s->open_holder, uses,
                                                 s->open_count, 0),
                                 NULL, NULL, NULL);
    mfx_arena_free(arena);
}

void
quota_connection_end(struct mfx_connection *c)
{
    struct quota_connection *s = c->state;
    if (s == NULL)
        return;
    if (s->counted_call != NULL)
        (void)mfx_store_call_end(s->counted_call, NULL, NULL, NULL);
    if (s->open_call != NULL)
        (void)mfx_store_call_end(s->open_call, NULL, NULL, NULL);
    give_back_open(s);
    quota_shared_release(s->shared);
    c->state = NULL;
}
