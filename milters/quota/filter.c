/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stage hooks of mfx-quota: a recipient is offered to the store when the
 * MTA offers it to us, the message is counted when its end has come, and what
 * was held goes back however it ends otherwise.
 */
#include <inttypes.h>

#include "message.h"
#include "operator.h"
#include "reply.h"

static struct quota_message *
state_of(struct mfx_message *m)
{
    if (m->state == NULL)
        m->state = mfx_arena_alloc(m->arena, sizeof(struct quota_message));
    return m->state;
}

static uint64_t
now_s(const struct mfx_message *m)
{
    return m->env->wall_s(m->env);
}

/* Once a message: who it is, and which rules concern it. */
static enum mfx_rc
prepare(struct mfx_message *m, struct quota_message *q)
{
    const struct quota_policy *policy = quota_policy_of(m);
    struct quota_facts facts;
    struct mfx_err err = {""};
    const char *why = NULL;
    if (q->is_prepared)
        return MFX_OK;
    enum mfx_rc rc = quota_policy_message_facts(policy, m, &facts, &err);
    if (rc == MFX_OK) {
        rc = quota_policy_exempts(policy, m->connection, facts.login, m->arena,
                                  &why, &err);
        q->exempt = rc == MFX_OK ? why : NULL;
        if (rc == MFX_NOTFOUND)
            rc = MFX_OK;
    }
    if (rc == MFX_OK)
        rc = quota_holding_init(&q->holding, policy, m, &facts, &err);
    if (rc != MFX_OK)
        mfx_trace(m->decision, "lookup", "%s", err.msg);
    q->is_prepared = rc == MFX_OK;
    return rc;
}

static void
refuse_lookup(struct mfx_message *m, const struct mfx_err *err)
{
    mfx_trace(m->decision, "lookup", "%s", err->msg);
    mfx_decide_tempfail(m->decision, 451, "4.3.0",
                        mfx_str_of("quota cannot be checked now"),
                        "a table cannot be asked");
}

/* Sendmail tells how many recipients it has refused; nothing of each. */
static void
count_sendmail_refused(struct mfx_message *m, struct quota_message *q)
{
    bool found = false;
    uint64_t refused = 0;
    struct mfx_str text = mfx_macro(m, "{nbadrcpts}", &found);
    if (!quota_policy_of(m)->counts_refused || !found || q->exempt != NULL ||
        mfx_str_to_u64(text, 1000000, &refused) != MFX_OK ||
        refused <= q->refused_seen)
        return;
    quota_counting_refused(&q->holding, refused - q->refused_seen);
    q->refused_seen = refused;
}

static enum mfx_rc
on_connect(struct mfx_connection *c)
{
    return quota_connection_begin(c);
}

static enum mfx_rc
on_mail(struct mfx_message *m)
{
    bool is_refused;
    return quota_connection_decide(m, &is_refused);
}

/* MFX_OK: no rule counts this recipient. */
static enum mfx_rc
is_exempt_recipient(struct mfx_message *m, struct quota_message *q,
                    const struct mfx_recipient *r, struct mfx_err *err)
{
    enum mfx_rc rc = quota_rule_lists_address(
        quota_policy_of(m)->settings->exempt_recipients, r->address, m->arena,
        err);
    if (rc == MFX_OK) {
        q->exempt_recipients++;
        mfx_trace(m->decision, "exempt_recipients", "%.*s",
                  MFX_STR_ARG(r->address));
    }
    return rc;
}

static void
refuse(struct mfx_message *m, struct quota_message *q,
       const struct quota_refusal *refusal)
{
    if (!mfx_message_is_answered_at_end(m)) {
        quota_reply_refuse(m, refusal, now_s(m));
    } else if (!q->has_kept) {
        q->has_kept = true;
        q->kept = *refusal;
    }
}

static enum mfx_rc
on_rcpt(struct mfx_message *m, struct mfx_recipient *r)
{
    struct quota_message *q = state_of(m);
    struct quota_refusal refusal;
    struct mfx_err err = {""};
    if (q == NULL || prepare(m, q) != MFX_OK)
        return MFX_TEMPFAIL;
    if (q->exempt != NULL)
        return MFX_OK;
    count_sendmail_refused(m, q);
    enum mfx_rc rc = is_exempt_recipient(m, q, r, &err);
    if (rc == MFX_OK)
        return MFX_OK;
    if (rc == MFX_NOTFOUND)
        rc = quota_counting_want(&q->holding, QUOTA_AT_RCPT, r->address,
                                 m->declared_size, &err);
    if (rc != MFX_OK) {
        refuse_lookup(m, &err);
        return MFX_OK;
    }
    quota_counting_reserve(&q->holding, m, &refusal);
    if (refusal.kind != QUOTA_FITS)
        refuse(m, q, &refusal);
    return MFX_OK;
}

static enum mfx_rc
on_rcpt_rejected(struct mfx_message *m, struct mfx_recipient *r)
{
    struct quota_message *q = state_of(m);
    (void)r;
    if (q == NULL || prepare(m, q) != MFX_OK)
        return MFX_TEMPFAIL;
    if (q->exempt == NULL)
        quota_counting_refused(&q->holding, 1);
    return MFX_OK;
}

static bool
counts_bytes(const struct quota_message *q)
{
    return q != NULL && q->is_prepared && q->exempt == NULL &&
           q->holding.policy->counts_bytes;
}

/* Sendmail says how large the message is; Postfix does not, and what the
 * client has said in SIZE= may be a lie. */
static enum mfx_rc
on_body(struct mfx_message *m, struct mfx_str piece, bool *done)
{
    (void)piece;
    *done = m->connection->mta == MFX_MTA_SENDMAIL || !counts_bytes(m->state);
    return MFX_OK;
}

static uint64_t
message_bytes(const struct mfx_message *m)
{
    bool found = false;
    uint64_t size = 0;
    struct mfx_str text = mfx_macro(m, "{msg_size}", &found);
    if (found && mfx_str_to_u64(text, INT64_MAX, &size) == MFX_OK)
        return size;
    return m->header_bytes + 2 + m->body_bytes;
}

/* Rules of the whole message: From is known now, and who gets it. */
static enum mfx_rc
want_at_end(struct mfx_message *m, struct quota_message *q, bool *is_wanted,
            struct mfx_err *err)
{
    const struct quota_policy *policy = quota_policy_of(m);
    *is_wanted = policy->has_rule_at[QUOTA_AT_END];
    if (!*is_wanted)
        return MFX_OK;
    enum mfx_rc rc =
        policy->needs_from
            ? quota_policy_from_fact(policy, m, &q->holding.facts, err)
            : MFX_OK;
    const struct mfx_recipient *r = m->recipients;
    for (; rc == MFX_OK && r != NULL; r = r->next) {
        rc = quota_rule_lists_address(policy->settings->exempt_recipients,
                                      r->address, m->arena, err);
        if (rc == MFX_NOTFOUND)
            rc = quota_counting_want(&q->holding, QUOTA_AT_END, r->address,
                                     message_bytes(m), err);
    }
    return rc;
}

static void
say_counted(struct mfx_message *m, const struct quota_message *q)
{
    const struct quota_tally *fullest = NULL;
    const struct mfx_store_level *level = NULL, *most = NULL;
    const struct mfx_store_window *window = NULL;
    double part = -1;
    for (const struct quota_tally *t = q->holding.tallies; t != NULL;
         t = t->next) {
        const struct mfx_store_window *w = quota_tally_fullest(t, &level);
        if (w == NULL || t->held.recipients == 0 || w->limit == 0 ||
            t->rule->settings->count == QUOTA_COUNT_REFUSED_RECIPIENTS ||
            (double)level->used / (double)w->limit <= part)
            continue;
        part = (double)level->used / (double)w->limit;
        fullest = t;
        window = w;
        most = level;
    }
    if (fullest == NULL) {
        mfx_decision_event(m->decision, "passed",
                           mfx_str_of("no rule counts it"));
        return;
    }
    struct mfx_buf why;
    mfx_buf_init_arena(&why, m->arena, 200);
    mfx_buf_printf(&why, "%.*s: %" PRIu64 " of ",
                   MFX_STR_ARG(fullest->rule->settings->name), most->used);
    quota_limits_format(window, &why);
    mfx_decision_event(m->decision, "counted", mfx_buf_str(&why));
    mfx_fact(m->decision, "key", fullest->key.text);
}

static void
finish(struct mfx_message *m, struct quota_message *q)
{
    struct quota_refusal refusal;
    quota_counting_commit(&q->holding, m, &refusal);
    if (refusal.kind != QUOTA_FITS) {
        quota_reply_refuse(m, &refusal, now_s(m));
        return;
    }
    say_counted(m, q);
    mfx_fact_u64(m->decision, "recipients",
                 m->recipient_count - (m->recipient_count < q->exempt_recipients
                                           ? m->recipient_count
                                           : q->exempt_recipients));
}

static enum mfx_rc
end_counted(struct mfx_message *m, struct quota_message *q)
{
    struct quota_refusal refusal = {.kind = QUOTA_FITS};
    struct mfx_err err = {""};
    bool is_wanted;
    count_sendmail_refused(m, q);
    if (q->has_kept) {
        quota_reply_refuse(m, &q->kept, now_s(m));
        return MFX_OK;
    }
    if (want_at_end(m, q, &is_wanted, &err) > MFX_NOTFOUND) {
        refuse_lookup(m, &err);
        return MFX_OK;
    }
    if (quota_policy_of(m)->counts_bytes &&
        quota_counting_want_bytes(&q->holding, message_bytes(m)))
        is_wanted = true;
    if (is_wanted)
        quota_counting_reserve(&q->holding, m, &refusal);
    if (refusal.kind != QUOTA_FITS)
        quota_reply_refuse(m, &refusal, now_s(m));
    else
        finish(m, q);
    return MFX_OK;
}

static enum mfx_rc
on_eom(struct mfx_message *m)
{
    struct quota_message *q = state_of(m);
    if (q == NULL || prepare(m, q) != MFX_OK)
        return MFX_TEMPFAIL;
    if (q->exempt != NULL) {
        mfx_decision_event(m->decision, "exempt", mfx_str_of(q->exempt));
        return MFX_OK;
    }
    return end_counted(m, q);
}

static void
on_end(struct mfx_message *m)
{
    struct quota_message *q = m->state;
    if (q != NULL && q->is_prepared)
        quota_counting_release(&q->holding);
}

static void
on_close(struct mfx_connection *c)
{
    quota_connection_end(c);
}

static void
get_wants(const void *arg, struct mfx_wants *wants)
{
    const struct quota_policy *policy = arg;
    wants->headers = policy->needs_from || policy->counts_bytes;
    wants->body = policy->counts_bytes ? MFX_BODY_STREAM : MFX_BODY_NONE;
    wants->rejected_recipients = policy->counts_refused;
    wants->macros[MFX_STAGE_MAIL] = "{cert_subject} {verify}";
    wants->macros[MFX_STAGE_RCPT] =
        policy->counts_refused ? "{nbadrcpts}" : NULL;
    wants->macros[MFX_STAGE_EOM] =
        policy->counts_bytes && policy->counts_refused
            ? "{msg_size} {nbadrcpts}"
        : policy->counts_bytes   ? "{msg_size}"
        : policy->counts_refused ? "{nbadrcpts}"
                                 : NULL;
}

static bool
is_outdated(const void *arg)
{
    const struct quota_policy *policy = arg;
    for (size_t i = 0; i < policy->rule_count; i++)
        if (quota_zone_is_outdated(policy->rules[i].zone))
            return true;
    return false;
}

const struct mfx_filter quota_filter = {
    .name = "mfx-quota",
    .summary = "limit what users send",
    .options = quota_options,
    .settings_size = sizeof(struct quota_settings),
    .policy_new = quota_policy_new,
    .policy_free = quota_policy_free,
    .policy_begin = quota_policy_begin,
    .policy_is_outdated = is_outdated,
    .wants = get_wants,
    .hooks =
        {
                .connect = on_connect,
                .mail = on_mail,
                .rcpt = on_rcpt,
                .rcpt_rejected = on_rcpt_rejected,
                .body = on_body,
                .eom = on_eom,
                .end = on_end,
                .close = on_close,
                },
    .metrics = quota_operator_metrics,
    .verbs = quota_operator_verbs,
};
