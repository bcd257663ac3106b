/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"

#include "config.h"
#include "results.h"

enum {
    LINE_MAX_BYTES = 900,
};

/* For a value that we write: no byte that could end it. */
static struct mfx_str
harmless(struct mfx_message *m, struct mfx_str text)
{
    char *copy = mfx_arena_alloc_bytes(m->arena, text.len);
    if (copy == NULL)
        return mfx_str("", 0);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = text.p[i] > ' ' && text.p[i] < 0x7F ? text.p[i] : '?';
    return mfx_str(copy, text.len < LINE_MAX_BYTES ? text.len : LINE_MAX_BYTES);
}

void
dkim_verifying_name_software(struct mfx_message *m)
{
    if (!dkim_policy_of(m)->settings->software_header)
        return;
    struct mfx_str host = harmless(m, m->connection->mta_name);
    struct mfx_str value = mfx_arena_printf(
        m->arena, " mfx-dkim %s %.*s\n\t%.*s", PACKAGE_VERSION,
        MFX_STR_ARG(host.len > 0 ? host : mfx_str_of("localhost")),
        MFX_STR_ARG(m->queue_id.len > 0 ? harmless(m, m->queue_id)
                                        : mfx_str_of("NOQUEUE")));
    if (value.p != NULL)
        mfx_edit_insert_header(m->decision, MFX_EDIT_TOP,
                               mfx_str_of("DKIM-Filter"), value);
}

void
dkim_verifying_remove_results(struct mfx_message *m)
{
    const struct dkim_policy *policy = dkim_policy_of(m);
    const struct mfx_connection *c = m->connection;
    const struct mfx_header *h =
        mfx_auth_results_first(policy->auth_results, &m->headers, c->mta_name);
    struct mfx_str entry;
    if (h == NULL)
        return;
    if (mfx_auth_results_trusts(policy->auth_results, c->client_name,
                                &c->client_ip, &entry)) {
        mfx_trace(m->decision, "trusted_results_from", "%.*s",
                  MFX_STR_ARG(entry));
        return;
    }
    size_t removed = 0;
    for (; h != NULL;
         h = mfx_auth_results_next(policy->auth_results, h, c->mta_name)) {
        mfx_edit_delete_header(m->decision, h);
        removed++;
    }
    mfx_fact_u64(m->decision, "removed_results", removed);
    atomic_fetch_add(&policy->shared->removed_results, removed);
}

/* The verifier is made when the first signature comes, so that its key is
 * asked for while the message still arrives. */
static enum mfx_rc
need_verifier(struct mfx_message *m, struct dkim_message *d)
{
    if (d->verifier != NULL)
        return MFX_OK;
    struct mfx_dkim_verify_limits limits =
        dkim_policy_verify_limits(dkim_policy_of(m));
    d->verifier = mfx_dkim_verifier_new(m->arena, m->env, &limits);
    return d->verifier == NULL ? MFX_TEMPFAIL : MFX_OK;
}

enum mfx_rc
dkim_verifying_header(struct mfx_message *m, struct dkim_message *d,
                      const struct mfx_header *header)
{
    const struct dkim_settings *s = dkim_policy_of(m)->settings;
    bool is_ours = mfx_origin_is_ours(&m->origin);
    if (!s->verify.enable || (is_ours && !s->verify.ours) ||
        !mfx_str_is_nocase(header->name, "DKIM-Signature"))
        return MFX_OK;
    enum mfx_rc rc = need_verifier(m, d);
    if (rc == MFX_OK)
        mfx_dkim_verifier_header(d->verifier, header);
    return rc;
}

enum mfx_rc
dkim_verifying_begin(struct mfx_message *m, struct dkim_message *d)
{
    enum mfx_rc rc = need_verifier(m, d);
    if (rc != MFX_OK)
        return rc;
    mfx_dkim_verifier_headers_end(d->verifier, &m->headers,
                                  d->plan.from_domain);
    d->wants_body = mfx_dkim_verifier_wants_body(d->verifier);
    return MFX_OK;
}

void
dkim_verifying_body(struct dkim_message *d, struct mfx_str piece)
{
    mfx_dkim_verifier_body(d->verifier, piece);
    d->wants_body = mfx_dkim_verifier_wants_body(d->verifier);
}

static enum mfx_rc
write_results(struct mfx_message *m, const struct mfx_dkim_result *results,
              size_t count)
{
    struct mfx_str value;
    struct mfx_str id = mfx_auth_results_written_id(
        &dkim_policy_of(m)->settings->results, m->connection->mta_name,
        m->queue_id, m->arena);
    enum mfx_rc rc = dkim_results_write(results, count, id, m->is_smtputf8,
                                        m->arena, &value);
    if (rc == MFX_OK)
        mfx_edit_insert_header(m->decision, MFX_EDIT_TOP,
                               mfx_str_of("Authentication-Results"), value);
    return rc;
}

static void
note_results(struct mfx_message *m, const struct mfx_dkim_result *results,
             size_t count, size_t ignored)
{
    struct dkim_shared *shared = dkim_policy_of(m)->shared;
    if (count == 0)
        atomic_fetch_add(&shared->results[MFX_DKIM_NONE], 1);
    for (size_t i = 0; i < count; i++) {
        const struct mfx_dkim_result *r = &results[i];
        atomic_fetch_add(&shared->results[r->status], 1);
        bool is_pass = r->status == MFX_DKIM_PASS;
        mfx_fact(m->decision, "sig",
                 mfx_arena_printf(
                     m->arena, "%.*s/%.*s/%.*s %s%s%s", MFX_STR_ARG(r->domain),
                     MFX_STR_ARG(r->selector), MFX_STR_ARG(r->algorithm),
                     mfx_dkim_status_name(r->status), is_pass ? "" : ": ",
                     is_pass || r->reason == NULL ? "" : r->reason));
    }
    if (ignored > 0)
        mfx_fact_u64(m->decision, "ignored_signatures", ignored);
}

static void
act(struct mfx_message *m, const struct dkim_judgement *j)
{
    struct mfx_str text = mfx_str_of(j->text);
    switch (j->action) {
    case DKIM_ACTION_ACCEPT:
        return;
    case DKIM_ACTION_REJECT:
        mfx_decide_reject(m->decision, j->code, j->enhanced, text, j->reason);
        return;
    case DKIM_ACTION_TEMPFAIL:
        mfx_decide_tempfail(m->decision, j->code, j->enhanced, text, j->reason);
        return;
    case DKIM_ACTION_HOLD:
        mfx_decide_hold(m->decision, j->reason);
        return;
    case DKIM_ACTION_DISCARD:
        mfx_decide_discard(m->decision, j->reason);
        return;
    }
}

enum mfx_rc
dkim_verifying_end(struct mfx_message *m, struct dkim_message *d)
{
    const struct dkim_policy *policy = dkim_policy_of(m);
    struct mfx_event *event;
    /* the harness bounds the wait; the resolver gives up before that */
    while ((event = mfx_dkim_verifier_pending(d->verifier)) != NULL)
        if (!mfx_wait(m, event, UINT64_MAX))
            break;
    const struct mfx_dkim_result *results = NULL;
    size_t count = 0, ignored = 0;
    enum mfx_rc rc =
        mfx_dkim_verifier_finish(d->verifier, &results, &count, &ignored);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        return rc;
    results = dkim_policy_adjust(policy, &d->plan, results, count, m->arena,
                                 m->decision);
    if (results == NULL)
        return MFX_TEMPFAIL;
    note_results(m, results, count, ignored);
    struct dkim_judgement judgement;
    dkim_policy_judge(policy, &d->plan, results, count, m->arena, m->decision,
                      &judgement);
    if (count > 0 || policy->settings->verify.report_none) {
        rc = write_results(m, results, count);
        if (rc != MFX_OK)
            return rc;
    }
    dkim_verifying_name_software(m);
    mfx_fact(m->decision, "dkim",
             mfx_str_of(mfx_dkim_status_name(judgement.status)));
    mfx_decision_event(m->decision, "verified", mfx_str_of(judgement.reason));
    act(m, &judgement);
    return MFX_OK;
}
