/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"

#include <stdint.h>

#include "shadow.h"

static const struct mfx_str signature_field = MFX_STR(MFX_DKIM_SIGNATURE_FIELD);

/* Fields that Sendmail adds after the filters when they are absent
 * (mta behaviour, both of the RFC 5322 3.6 minimum and Message-ID). */
static const char *const sendmail_adds[] = {"Date", "From", "Message-ID"};

enum {
    ADDED_MAX = 40, /* address fields that Sendmail knows, and the above */
};

static void
add_later(struct dkim_message *d, size_t *count, const char *name)
{
    if (name != NULL && *count < ADDED_MAX)
        d->added_later[(*count)++] = name;
}

/* The form in which Sendmail will deliver the field. MFX_NOTFOUND: it cannot
 * be brought into one that Sendmail leaves alone. */
static enum mfx_rc
delivered_value(struct mfx_message *m, const struct mfx_header *h,
                struct mfx_str *value)
{
    *value = h->value;
    if (!mfx_address_sendmail_rewrites(h->name))
        return MFX_OK;
    enum mfx_rc rc = mfx_address_sendmail_form(
        h->name, h->value, m->connection->mta_name, m->arena, value);
    if (rc == MFX_TEMPFAIL)
        return rc;
    if (rc != MFX_OK) {
        *value = h->value;
        return MFX_NOTFOUND;
    }
    if (!mfx_str_eq(*value, h->value)) {
        mfx_trace(m->decision, "normalize_addresses", "%.*s is rewritten",
                  MFX_STR_ARG(h->name));
        mfx_edit_change_header(m->decision, h, *value);
    }
    return MFX_OK;
}

/* Behind Sendmail the header section is signed as it will leave: address
 * fields in Sendmail's own form; one that has no such form is left out of the
 * signature (never From: a signature without it would be void). */
static enum mfx_rc
view_as_delivered(struct mfx_message *m, struct dkim_message *d, size_t *later)
{
    struct mfx_headers *view = mfx_arena_alloc(m->arena, sizeof *view);
    if (view == NULL)
        return MFX_TEMPFAIL;
    for (const struct mfx_header *h = m->headers.first; h != NULL;
         h = h->next) {
        struct mfx_str value;
        enum mfx_rc rc = delivered_value(m, h, &value);
        if (rc == MFX_TEMPFAIL)
            return rc;
        if (rc == MFX_NOTFOUND && !mfx_str_is_nocase(h->name, "From")) {
            mfx_trace(m->decision, "normalize_addresses",
                      "%.*s cannot be kept as it is: not signed",
                      MFX_STR_ARG(h->name));
            add_later(d, later, mfx_arena_copy(m->arena, h->name).p);
            continue;
        }
        if (mfx_headers_add(view, m->arena, h->name, value) == NULL)
            return MFX_TEMPFAIL;
    }
    d->signed_headers = view;
    return MFX_OK;
}

static void
fini_view(void *view)
{
    mfx_headers_fini(view);
}

/* What another signer has made with our keys, before us. */
static enum mfx_rc
look_for_others(struct mfx_message *m, struct dkim_message *d)
{
    const struct dkim_policy *policy = dkim_policy_of(m);
    enum mfx_rc rc = MFX_NOTFOUND;
    if (!policy->settings->sign.remove_signatures || policy->is_shadow)
        d->handover = dkim_handover_new(m, d->plan.signers, &rc);
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

enum mfx_rc
dkim_signing_begin(struct mfx_message *m, struct dkim_message *d)
{
    const struct dkim_policy *policy = dkim_policy_of(m);
    d->signed_headers = &m->headers;
    d->body = mfx_dkim_body_new(m->arena, false);
    if (d->body == NULL)
        return MFX_TEMPFAIL;
    d->body_handle =
        mfx_dkim_body_want(d->body, policy->body_canon, MFX_DKIM_NO_LIMIT);
    if (d->body_handle < 0)
        return MFX_TEMPFAIL;
    d->wants_body = true;
    enum mfx_rc rc = look_for_others(m, d);
    if (rc != MFX_OK || m->connection->mta == MFX_MTA_POSTFIX)
        return rc;
    d->added_later =
        mfx_arena_alloc_array(m->arena, ADDED_MAX + 1, sizeof(char *));
    if (d->added_later == NULL)
        return MFX_TEMPFAIL;
    size_t later = 0;
    for (size_t i = 0; i < sizeof sendmail_adds / sizeof sendmail_adds[0]; i++)
        add_later(d, &later, sendmail_adds[i]);
    if (m->connection->mta != MFX_MTA_SENDMAIL ||
        !policy->settings->sign.normalize_addresses)
        return MFX_OK;
    rc = view_as_delivered(m, d, &later);
    if (rc == MFX_OK)
        (void)mfx_arena_defer(m->arena, fini_view,
                              (void *)(uintptr_t)d->signed_headers);
    return rc;
}

void
dkim_signing_body(struct dkim_message *d, struct mfx_str piece)
{
    mfx_dkim_body_update(d->body, piece);
    if (d->handover != NULL)
        dkim_handover_body(d->handover, piece);
}

/* A signature that should be there and cannot: as sign.on_error says. */
static void
fail(struct mfx_message *m, const struct dkim_signer *signer,
     const struct mfx_err *err)
{
    const struct dkim_policy *policy = dkim_policy_of(m);
    struct mfx_str reason = mfx_arena_printf(
        m->arena, "d=%.*s s=%.*s: %s", MFX_STR_ARG(signer->domain),
        MFX_STR_ARG(signer->selector), err->msg);
    const char *why = reason.p == NULL ? "signing failed" : reason.p;
    atomic_fetch_add(&policy->shared->sign_failures, 1);
    switch ((enum dkim_action)policy->settings->sign.on_error) {
    case DKIM_ACTION_ACCEPT:
        mfx_decision_event(m->decision, "unsigned", mfx_str_of(why));
        return;
    case DKIM_ACTION_REJECT:
        mfx_decide_reject(m->decision, 550, "5.7.0",
                          mfx_str_of("message cannot be signed"), why);
        return;
    case DKIM_ACTION_HOLD:
        mfx_decide_hold(m->decision, why);
        return;
    case DKIM_ACTION_DISCARD:
        mfx_decide_discard(m->decision, why);
        return;
    case DKIM_ACTION_TEMPFAIL:
        mfx_decide_tempfail(m->decision, 451, "4.7.0",
                            mfx_str_of("message cannot be signed now"), why);
        return;
    }
}

static enum mfx_rc
make_signature(struct mfx_message *m, struct dkim_message *d,
               const struct dkim_signer *signer, struct mfx_str *value,
               struct mfx_err *err)
{
    const struct dkim_policy *policy = dkim_policy_of(m);
    const struct dkim_settings *s = policy->settings;
    uint64_t now = m->env->wall_s(m->env);
    struct mfx_dkim_sign_request request = {
        .domain = signer->domain,
        .selector = signer->selector,
        .identity = signer->identity,
        .header_canon = policy->header_canon,
        .body_canon = policy->body_canon,
        .headers = policy->headers,
        .added_later = d->added_later,
        .timestamp_s = now,
        .expires_s = s->sign.expire_s == 0 ? 0 : now + s->sign.expire_s,
        .body_length = s->sign.body_length
                           ? mfx_dkim_body_length(d->body, d->body_handle)
                           : MFX_DKIM_NO_LIMIT,
    };
    enum mfx_rc rc =
        dkim_signer_key(signer, policy->settings, &request.key, err);
    if (rc != MFX_OK)
        return rc;
    return mfx_dkim_sign(&request, d->signed_headers,
                         mfx_dkim_body_digest(d->body, d->body_handle),
                         m->arena, value, err);
}

static enum mfx_dkim_algorithm
algorithm_of(const struct dkim_signer *signer)
{
    struct mfx_dkim_private_key *key;
    if (dkim_key_file_get(signer->file, &key, NULL) != MFX_OK)
        return MFX_DKIM_RSA_SHA256;
    return mfx_dkim_private_key_algorithm(key);
}

/* The signatures of one message. */
struct made {
    const struct dkim_signer *signer[DKIM_SIGNERS_MAX];
    struct mfx_str value[DKIM_SIGNERS_MAX];
    size_t count, there; /* made now; made by another signer and left */
};

/* One that is there and valid under the same key is not made again, unless it
 * is taken over or only compared. */
static bool
is_there_already(const struct dkim_policy *policy, const struct dkim_message *d,
                 const struct dkim_signer *signer)
{
    return !policy->is_shadow && policy->settings->sign.sign_only == NULL &&
           dkim_handover_valid(d->handover, signer) != NULL;
}

/* False when one of them failed: what then, has been decided. */
static bool
make_all(struct mfx_message *m, struct dkim_message *d, struct made *made)
{
    const struct dkim_policy *policy = dkim_policy_of(m);
    for (const struct dkim_signer *s = d->plan.signers; s != NULL;
         s = s->next) {
        struct mfx_err err = {""};
        if (is_there_already(policy, d, s)) {
            mfx_trace(m->decision, "handover", "d=%.*s s=%.*s is there already",
                      MFX_STR_ARG(s->domain), MFX_STR_ARG(s->selector));
            made->there++;
            continue;
        }
        if (make_signature(m, d, s, &made->value[made->count], &err) !=
            MFX_OK) {
            fail(m, s, &err);
            if (policy->is_shadow)
                dkim_shadow_note(m, d->plan.sender_domain,
                                 DKIM_SHADOW_FAILED_HERE, mfx_str_of(err.msg));
            return false;
        }
        made->signer[made->count++] = s;
    }
    return true;
}

static void
delete_others(struct mfx_message *m, const struct dkim_message *d)
{
    const struct dkim_policy *policy = dkim_policy_of(m);
    if (policy->settings->sign.remove_signatures) {
        for (struct mfx_header *h =
                 mfx_headers_first(&m->headers, signature_field);
             h != NULL; h = h->same_next)
            mfx_edit_delete_header(m->decision, h);
    } else if (policy->settings->sign.sign_only != NULL) {
        size_t taken = dkim_handover_delete(d->handover, m, d->plan.signers);
        if (taken > 0)
            mfx_fact_u64(m->decision, "taken_over", taken);
    }
}

static void
put_all(struct mfx_message *m, const struct made *made)
{
    for (size_t i = 0; i < made->count; i++) {
        const struct dkim_signer *s = made->signer[i];
        mfx_edit_insert_header(m->decision, MFX_EDIT_TOP, signature_field,
                               made->value[i]);
        mfx_fact(m->decision, "sig",
                 mfx_arena_printf(m->arena, "%.*s/%.*s/%s",
                                  MFX_STR_ARG(s->domain),
                                  MFX_STR_ARG(s->selector),
                                  mfx_dkim_algorithm_name(algorithm_of(s))));
    }
}

static void
compare(struct mfx_message *m, const struct dkim_message *d,
        const struct made *made)
{
    struct mfx_str detail;
    enum dkim_shadow shadow = dkim_shadow_compare(
        m, d->handover, d->plan.signers, made->value, &detail);
    dkim_shadow_note(m, d->plan.sender_domain, shadow, detail);
}

/* None of the edits is made before all signatures are: a message leaves with
 * all or as on_error says. */
enum mfx_rc
dkim_signing_end(struct mfx_message *m, struct dkim_message *d)
{
    const struct dkim_policy *policy = dkim_policy_of(m);
    struct made made = {.count = 0};
    mfx_dkim_body_finish(d->body);
    if (d->handover != NULL && dkim_handover_finish(d->handover) != MFX_OK)
        return MFX_TEMPFAIL;
    if (!make_all(m, d, &made))
        return MFX_OK;
    delete_others(m, d);
    put_all(m, &made);
    if (policy->is_shadow)
        compare(m, d, &made);
    dkim_verifying_name_software(m);
    if (made.count == 0) {
        mfx_decision_event(m->decision, "passed",
                           mfx_str_of("signed already, with the same keys"));
        return MFX_OK;
    }
    atomic_fetch_add(&policy->shared->signed_messages, 1);
    atomic_fetch_add(&policy->shared->signatures, made.count);
    mfx_decision_event(m->decision, "signed", d->plan.reason);
    return MFX_OK;
}
