/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What becomes of one message: the parts of the policy in their order. The
 * daemon's hooks and `mfxctl masq diff` call it.
 */
#include "message.h"

static void
defer(struct mfx_message *m, const struct mfx_err *err)
{
    mfx_trace(m->decision, "lookup", "%s", err->msg);
    mfx_decide_tempfail(m->decision, 451, "4.3.0",
                        mfx_str_of("addresses cannot be looked up now"),
                        "a table or the store cannot be asked");
}

/* A rule has made what no MTA takes: a mistake in a table, which mail waits for
 * to be mended. */
static void
defer_unwritable(struct mfx_message *m, const struct mfx_err *err)
{
    struct mfx_str reason = mfx_arena_copy(m->arena, mfx_str_of(err->msg));
    mfx_trace(m->decision, "rewrite", "%s", err->msg);
    mfx_decide_tempfail(m->decision, 451, "4.3.0",
                        mfx_str_of("addresses cannot be rewritten now"),
                        reason.p);
}

static void
refuse(struct mfx_message *m, const struct masq_message *q)
{
    mfx_decide_reject(m->decision, 550, q->refusal_code,
                      mfx_str_of(q->refusal_text), q->refusal_text);
}

void
masq_message_take_recipient(struct mfx_message *m, struct masq_message *q,
                            const struct mfx_recipient *r)
{
    struct mfx_err err = {""};
    bool is_known = masq_envelope_take(m, q, r, &err) == MFX_OK;
    if (is_known && (!q->is_refused || mfx_message_is_answered_at_end(m)))
        return;
    if (is_known)
        refuse(m, q);
    else
        defer(m, &err);
    q->is_refused = false;
    if (q->last_recipient != NULL && q->last_recipient->received == r)
        masq_envelope_drop(q);
}

/* "rules, srs": empty when nothing has changed. */
static struct mfx_str
who_changed(struct mfx_message *m, const struct masq_message *q)
{
    const struct {
        bool is_one;
        const char *name;
    } steps[] = {
        {q->by_rules,   "rules"     },
        {q->by_srs,     "srs"       },
        {q->by_guard,   "from_guard"},
        {q->by_munging, "munge"     },
        {q->by_headers, "headers"   },
    };
    struct mfx_buf out;
    mfx_buf_init_arena(&out, m->arena, 100);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i].is_one)
            mfx_buf_printf(&out, "%s%s", out.len > 0 ? ", " : "",
                           steps[i].name);
    return mfx_buf_str(&out);
}

static void
say_what_happened(struct mfx_message *m, const struct masq_message *q)
{
    struct mfx_decision *d = m->decision;
    struct mfx_str who = who_changed(m, q);
    if (who.len == 0)
        mfx_decision_event(d, "passed", mfx_str_of("nothing to rewrite"));
    else
        mfx_decision_event(d, "rewritten", who);
    if (q->changed_recipients > 0)
        mfx_fact_u64(d, "recipients", q->changed_recipients);
    if (q->changed_fields > 0) {
        mfx_fact_u64(d, "fields", q->changed_fields);
        mfx_fact_u64(d, "addresses", q->changed_addresses);
    }
}

static void
refuse_author(struct mfx_message *m, const struct masq_guard_answer *answer)
{
    static const char why[] = "From is not the login's own";
    const char *enhanced =
        mfx_arena_printf(m->arena, "%.*s", MFX_STR_ARG(answer->enhanced)).p;
    if (answer->code >= 500)
        mfx_decide_reject(m->decision, answer->code, enhanced, answer->text,
                          why);
    else
        mfx_decide_tempfail(m->decision, answer->code, enhanced, answer->text,
                            why);
}

/* What the login wrote is judged before any rule has made something else of
 * it. MFX_PERMFAIL: the mail is refused. */
static enum mfx_rc
guard(struct mfx_message *m, struct masq_message *q, struct mfx_err *err)
{
    const struct masq_policy *policy = masq_policy_of(m);
    struct masq_guard_answer answer;
    if (!policy->settings->from_guard.enable)
        return MFX_OK;
    enum mfx_rc rc = masq_guard_check(&policy->guard, &q->fields, m->login,
                                      q->has_sender ? &q->sender : NULL,
                                      m->arena, &answer, err);
    if (rc != MFX_OK)
        return rc == MFX_PERMFAIL ? MFX_TEMPFAIL : rc;
    if (answer.why.len > 0)
        mfx_trace(m->decision, "from_guard", "%.*s", MFX_STR_ARG(answer.why));
    switch (answer.verdict) {
    case MASQ_GUARD_ALLOWED:
        return MFX_OK;
    case MASQ_GUARD_NOTED:
    case MASQ_GUARD_REWRITTEN:
        q->by_guard = answer.verdict == MASQ_GUARD_REWRITTEN;
        mfx_fact(m->decision, "from_guard", answer.why);
        return MFX_OK;
    case MASQ_GUARD_REFUSED:
        mfx_fact(m->decision, "from_guard", answer.why);
        refuse_author(m, &answer);
        return MFX_PERMFAIL;
    }
    return MFX_TEMPFAIL;
}

void
masq_message_take_header(struct mfx_message *m, struct masq_message *q)
{
    const struct masq_munge *munge = masq_policy_of(m)->munge;
    if (munge == NULL || !masq_munge_is_active(munge) || q->has_munge_job)
        return;
    masq_munge_begin(&q->munge_job, munge, m->env, &m->headers, m->arena);
    q->has_munge_job = true;
}

struct waiting {
    struct mfx_message *m;
    const struct masq_message *q;
};

static bool
wait_for(void *arg, struct mfx_event *event, uint64_t until_ms)
{
    const struct waiting *w = arg;
    return masq_message_wait(w->m, w->q, event, until_ms);
}

/* MFX_OK: From is that of mail which is munged. */
static enum mfx_rc
is_for_munging(struct mfx_message *m, struct masq_message *q,
               struct mfx_err *err)
{
    const struct masq_munge *munge = masq_policy_of(m)->munge;
    enum mfx_rc leaves = MFX_NOTFOUND;
    if (!q->has_munge_job)
        return MFX_NOTFOUND;
    if (masq_munge_needs_recipients(munge))
        leaves = masq_envelope_leaves(m, q, &munge->maps, err);
    if (leaves == MFX_TEMPFAIL || leaves == MFX_PERMFAIL)
        return leaves;
    return masq_munge_concerns(munge, &q->fields, leaves == MFX_OK)
               ? MFX_OK
               : MFX_NOTFOUND;
}

static enum mfx_rc
munge_author(struct mfx_message *m, struct masq_message *q, struct mfx_err *err)
{
    struct waiting waiting = {m, q};
    const struct masq_munge_waiter waiter = {wait_for, &waiting};
    struct masq_munge_answer answer = {.count = 0};
    masq_message_take_header(m, q);
    enum mfx_rc rc = is_for_munging(m, q, err);
    if (rc == MFX_OK)
        rc = masq_munge_finish(&q->munge_job,
                               masq_policy_store(masq_policy_of(m)), &q->fields,
                               &waiter, &answer, err);
    if (answer.why.len > 0)
        mfx_trace(m->decision, "munge", "%.*s", MFX_STR_ARG(answer.why));
    if (rc == MFX_OK) {
        q->by_munging = true;
        q->changed_fields++;
        q->changed_addresses += answer.count;
        mfx_fact(m->decision, "munged", answer.why);
    }
    if (answer.is_strange && rc != MFX_TEMPFAIL)
        return masq_field_rules_judge(m, mfx_str_of("From"),
                                      "its author cannot be replaced");
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

static enum mfx_rc
clean(struct mfx_message *m, struct masq_message *q, struct mfx_err *err)
{
    struct mfx_str why = mfx_str("", 0);
    enum mfx_rc rc =
        masq_hygiene_apply(&masq_policy_of(m)->hygiene, &q->fields,
                           mfx_origin_is_ours(&m->origin), &why, err);
    if (rc == MFX_OK) {
        mfx_trace(m->decision, "headers", "%.*s", MFX_STR_ARG(why));
        mfx_fact(m->decision, "headers", why);
        q->by_headers = true;
    }
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

static enum mfx_rc
rewrite(struct mfx_message *m, struct masq_message *q, struct mfx_err *err)
{
    masq_fields_init(&q->fields, &m->headers, m->arena);
    enum mfx_rc rc = masq_envelope_facts(m, q, err);
    if (rc == MFX_OK)
        rc = guard(m, q, err);
    if (rc == MFX_OK)
        rc = masq_envelope_rewrite(m, q, err);
    if (rc == MFX_OK)
        rc = masq_field_rules_rewrite(m, q, err);
    if (rc == MFX_OK)
        rc = munge_author(m, q, err);
    return rc == MFX_OK ? clean(m, q, err) : rc;
}

/* What SRS, munging and the From guard must know cannot be passed over. */
static bool
passes_anyway(const struct mfx_message *m)
{
    const struct masq_policy *policy = masq_policy_of(m);
    return policy->settings->lookup_error == MASQ_LOOKUP_ACCEPT &&
           policy->srs == NULL && policy->munge == NULL &&
           !policy->settings->from_guard.enable;
}

void
masq_message_decide(struct mfx_message *m, struct masq_message *q)
{
    struct mfx_err err = {""};
    if (q->is_refused) {
        refuse(m, q);
        return;
    }
    enum mfx_rc rc = rewrite(m, q, &err);
    if (rc == MFX_OK)
        rc = masq_envelope_edit(m, q, &err);
    if (rc == MFX_OK) {
        masq_fields_apply(&q->fields, m->decision);
        say_what_happened(m, q);
    } else if (m->decision->verdict >= MFX_VERDICT_TEMPFAIL) {
        return; /* refused already */
    } else if (rc == MFX_TEMPFAIL && passes_anyway(m)) {
        mfx_trace(m->decision, "lookup", "%s", err.msg);
        mfx_decision_event(m->decision, "passed",
                           mfx_str_of("a table cannot be asked"));
    } else if (rc == MFX_PERMFAIL) {
        defer_unwritable(m, &err);
    } else {
        defer(m, &err);
    }
}
