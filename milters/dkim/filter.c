/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stage hooks of mfx-dkim: they collect the facts, ask the policy once
 * the header is known, and hand over to signing.c or verifying.c.
 */
#include "key_show.h"
#include "message.h"

#include <inttypes.h>

#include "shadow.h"

static struct dkim_message *
message_of(struct mfx_message *m)
{
    if (m->state == NULL)
        m->state = mfx_arena_alloc(m->arena, sizeof(struct dkim_message));
    return m->state;
}

static enum mfx_rc
on_rcpt(struct mfx_message *m, struct mfx_recipient *recipient)
{
    struct dkim_message *d = message_of(m);
    struct mfx_err err = {""};
    if (d == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = dkim_policy_excepts_recipient(
        dkim_policy_of(m), recipient->address, m->arena, &err);
    if (rc == MFX_OK) {
        d->is_to_excepted = true;
        mfx_trace(m->decision, "except_recipients", "%.*s",
                  MFX_STR_ARG(recipient->address));
    }
    if (rc == MFX_OK || rc == MFX_NOTFOUND)
        return MFX_OK;
    mfx_trace(m->decision, "except_recipients", "%s", err.msg);
    return rc;
}

static enum mfx_rc
on_header(struct mfx_message *m, const struct mfx_header *header)
{
    struct dkim_message *d = message_of(m);
    return d == NULL ? MFX_TEMPFAIL : dkim_verifying_header(m, d, header);
}

static struct mfx_str
sender_macro(const struct mfx_message *m)
{
    const char *name = dkim_policy_of(m)->sender_macro;
    bool found = false;
    return name == NULL ? mfx_str(NULL, 0) : mfx_macro(m, name, &found);
}

static void
make_plan(struct mfx_message *m, struct dkim_message *d)
{
    struct dkim_facts facts = {
        .headers = &m->headers,
        .origin = m->origin,
        .client_name = m->connection->client_name,
        .client_ip = m->connection->client_ip,
        .login = m->login,
        .is_null_sender = m->sender.len == 0,
        .is_to_excepted = d->is_to_excepted,
        .sender_macro = sender_macro(m),
    };
    dkim_policy_plan(dkim_policy_of(m), &facts, m->arena, m->decision,
                     &d->plan);
    if (d->plan.from_domain.len > 0)
        mfx_fact(m->decision, "author", d->plan.from_domain);
}

static void
pass(struct mfx_message *m, const struct dkim_message *d)
{
    if (d->plan.should_sign)
        atomic_fetch_add(&dkim_policy_of(m)->shared->unsigned_messages, 1);
    mfx_decision_event(m->decision, d->plan.should_sign ? "unsigned" : "passed",
                       d->plan.reason);
    /* with nothing to change, the MTA need not send the rest */
    if (m->decision->edits == NULL && d->handover == NULL)
        mfx_decide_accept(m->decision, NULL);
}

static enum mfx_rc
refuse(struct mfx_message *m, const struct dkim_message *d)
{
    struct mfx_str reason = mfx_arena_copy(m->arena, d->plan.reason);
    atomic_fetch_add(&dkim_policy_of(m)->shared->refused, 1);
    if (reason.p == NULL)
        return MFX_TEMPFAIL;
    if (d->plan.job == DKIM_JOB_REFUSE)
        mfx_decide_reject(m->decision, 550, "5.7.1", d->plan.reason, reason.p);
    else if (d->plan.job == DKIM_JOB_HOLD)
        mfx_decide_hold(m->decision, reason.p);
    else if (d->plan.job == DKIM_JOB_DISCARD)
        mfx_decide_discard(m->decision, reason.p);
    else
        mfx_decide_tempfail(m->decision, 451, "4.7.0",
                            mfx_str_of("message cannot be signed now"),
                            reason.p);
    return MFX_OK;
}

/* Mail that we do not sign, while another signer stands before us. */
static enum mfx_rc
watch_others(struct mfx_message *m, struct dkim_message *d)
{
    if (d->plan.is_left)
        return dkim_watching_left(m, d);
    if (dkim_policy_of(m)->is_shadow && d->plan.job != DKIM_JOB_SIGN)
        return dkim_watching_begin(m, d);
    return MFX_OK;
}

static enum mfx_rc
on_eoh(struct mfx_message *m)
{
    struct dkim_message *d = message_of(m);
    if (d == NULL)
        return MFX_TEMPFAIL;
    make_plan(m, d);
    if (dkim_policy_of(m)->settings->verify.enable && !d->plan.is_exempt)
        dkim_verifying_remove_results(m);
    enum mfx_rc rc = watch_others(m, d);
    if (rc != MFX_OK)
        return rc;
    switch (d->plan.job) {
    case DKIM_JOB_SIGN:
        return dkim_signing_begin(m, d);
    case DKIM_JOB_VERIFY:
        return dkim_verifying_begin(m, d);
    case DKIM_JOB_PASS:
        pass(m, d);
        return MFX_OK;
    case DKIM_JOB_REFUSE:
    case DKIM_JOB_DEFER:
    case DKIM_JOB_HOLD:
    case DKIM_JOB_DISCARD:
        return refuse(m, d);
    }
    return MFX_TEMPFAIL;
}

static enum mfx_rc
on_body(struct mfx_message *m, struct mfx_str piece, bool *done)
{
    struct dkim_message *d = message_of(m);
    if (d == NULL)
        return MFX_TEMPFAIL;
    if (d->plan.job == DKIM_JOB_SIGN)
        dkim_signing_body(d, piece);
    else if (d->plan.job == DKIM_JOB_VERIFY)
        dkim_verifying_body(d, piece);
    if (d->handover != NULL && d->plan.job != DKIM_JOB_SIGN) {
        dkim_handover_body(d->handover, piece);
        d->wants_body = true;
    }
    *done = !d->wants_body;
    return MFX_OK;
}

static enum mfx_rc
on_eom(struct mfx_message *m)
{
    struct dkim_message *d = message_of(m);
    if (d == NULL)
        return MFX_TEMPFAIL;
    if (d->plan.job != DKIM_JOB_SIGN && dkim_watching_end(m, d) != MFX_OK)
        return MFX_TEMPFAIL;
    switch (d->plan.job) {
    case DKIM_JOB_SIGN:
        return dkim_signing_end(m, d);
    case DKIM_JOB_VERIFY:
        return dkim_verifying_end(m, d);
    case DKIM_JOB_PASS:
    case DKIM_JOB_REFUSE:
    case DKIM_JOB_DEFER:
    case DKIM_JOB_HOLD:
    case DKIM_JOB_DISCARD:
        return MFX_OK;
    }
    return MFX_TEMPFAIL;
}

static void
get_wants(const void *arg, struct mfx_wants *wants)
{
    const struct dkim_policy *policy = arg;
    wants->headers = true;
    wants->body = MFX_BODY_STREAM;
    /* a signer reads it all; a verifier saves the MTA the body of mail
     * without a signature */
    wants->whole_body = !policy->settings->verify.enable;
    if (policy->sender_macro != NULL) {
        wants->macros[MFX_STAGE_MAIL] = policy->sender_macro;
        wants->macros[MFX_STAGE_RCPT] = policy->sender_macro;
        wants->macros[MFX_STAGE_EOH] = policy->sender_macro;
    }
}

static void
put_counter(struct mfx_buf *out, const char *name, const char *help,
            uint64_t value)
{
    mfx_buf_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n",
                   name, help, name, name, value);
}

static void
put_rotation(const struct dkim_policy *policy, struct mfx_buf *out)
{
    struct dkim_watcher_counts c = dkim_watcher_counts(policy->shared->watcher);
    mfx_buf_printf(out, "# HELP mfx_dkim_rotation_keys Keys by their state.\n"
                        "# TYPE mfx_dkim_rotation_keys gauge\n");
    for (int i = DKIM_KEY_NEW; i <= DKIM_KEY_WITHDRAWN; i++)
        mfx_buf_printf(out, "mfx_dkim_rotation_keys{state=\"%s\"} %zu\n",
                       dkim_key_state_name((enum dkim_key_state)i), c.keys[i]);
    mfx_buf_printf(
        out,
        "# HELP mfx_dkim_keys_lost Keys that sign, or did, without their "
        "record in DNS.\n# TYPE mfx_dkim_keys_lost gauge\n"
        "mfx_dkim_keys_lost %zu\n"
        "# HELP mfx_dkim_key_looks_overdue Keys to be looked at now.\n"
        "# TYPE mfx_dkim_key_looks_overdue gauge\n"
        "mfx_dkim_key_looks_overdue %zu\n"
        "# HELP mfx_dkim_ledger_open Whether what is seen of keys is kept.\n"
        "# TYPE mfx_dkim_ledger_open gauge\nmfx_dkim_ledger_open %d\n",
        c.alarms, c.overdue, c.has_ledger);
    put_counter(out, "mfx_dkim_key_looks_total", "Looks at a key's record.",
                c.looks);
    put_counter(out, "mfx_dkim_key_looks_failed_total",
                "Looks that found nothing out.", c.failed_looks);
    put_counter(out, "mfx_dkim_key_questions_total",
                "DNS questions asked for looks.", c.questions);
}

static void
put_shadow(struct dkim_shared *shared, struct mfx_buf *out)
{
    uint64_t totals[DKIM_SHADOW_COUNT];
    dkim_tally_totals(shared->tally, totals);
    mfx_buf_printf(out, "# HELP mfx_dkim_shadow_total Messages compared with "
                        "the signer before us, by what came of it.\n"
                        "# TYPE mfx_dkim_shadow_total counter\n");
    for (int i = 0; i < DKIM_SHADOW_COUNT; i++)
        mfx_buf_printf(out,
                       "mfx_dkim_shadow_total{result=\"%s\"} %" PRIu64 "\n",
                       dkim_shadow_word((enum dkim_shadow)i), totals[i]);
}

static void
put_metrics(const void *arg, struct mfx_buf *out)
{
    const struct dkim_policy *policy = arg;
    struct dkim_shared *s = policy->shared;
    struct dkim_keys_counts keys = dkim_keys_counts(policy->keys);
    put_counter(out, "mfx_dkim_signed_total", "Messages signed.",
                atomic_load(&s->signed_messages));
    put_counter(out, "mfx_dkim_signatures_total", "Signatures made.",
                atomic_load(&s->signatures));
    put_counter(out, "mfx_dkim_sign_failures_total",
                "Messages that should have been signed and could not be.",
                atomic_load(&s->sign_failures));
    put_counter(out, "mfx_dkim_unsigned_total",
                "Messages of ours that have no key or may not be signed.",
                atomic_load(&s->unsigned_messages));
    put_counter(out, "mfx_dkim_refused_total",
                "Messages refused or deferred at the end of the header.",
                atomic_load(&s->refused));
    put_counter(out, "mfx_dkim_removed_results_total",
                "Authentication-Results fields removed as forged.",
                atomic_load(&s->removed_results));
    mfx_buf_printf(out, "# HELP mfx_dkim_results_total Signatures verified, "
                        "by result.\n# TYPE mfx_dkim_results_total counter\n");
    for (int i = MFX_DKIM_NONE; i <= MFX_DKIM_PERMERROR; i++)
        mfx_buf_printf(out,
                       "mfx_dkim_results_total{result=\"%s\"} %" PRIu64 "\n",
                       mfx_dkim_status_name((enum mfx_dkim_status)i),
                       (uint64_t)atomic_load(&s->results[i]));
    mfx_buf_printf(out,
                   "# HELP mfx_dkim_keys Private keys, by state.\n"
                   "# TYPE mfx_dkim_keys gauge\n"
                   "mfx_dkim_keys{state=\"known\"} %zu\n"
                   "mfx_dkim_keys{state=\"parsed\"} %zu\n"
                   "mfx_dkim_keys{state=\"failed\"} %zu\n",
                   keys.files, keys.parsed, keys.failed);
    put_shadow(s, out);
    put_rotation(policy, out);
}

static bool
is_outdated(const void *policy)
{
    const struct dkim_policy *p = policy;
    return dkim_keys_is_outdated(p->keys) ||
           dkim_shelves_is_outdated(p->shelves);
}

static const char *const *
get_directories(const void *policy, size_t *count)
{
    return dkim_keys_directories(((const struct dkim_policy *)policy)->keys,
                                 count);
}

static const struct mfx_control_verb verbs[] = {
    {"keys",   "[DOMAIN...] [state=STATE] [todo]: keys, states, records",
     dkim_key_show_verb                                                       },
    {"shadow", "[DOMAIN...]: how our signatures compare with OpenDKIM's",
     dkim_shadow_verb                                                         },
    {NULL,     NULL,                                                      NULL},
};

const struct mfx_filter dkim_filter = {
    .name = "mfx-dkim",
    .summary = "sign and verify mail with DKIM",
    .options = dkim_options,
    .settings_size = sizeof(struct dkim_settings),
    .policy_new = dkim_policy_new,
    .policy_free = dkim_policy_free,
    .policy_begin = dkim_policy_begin,
    .policy_is_outdated = is_outdated,
    .policy_directories = get_directories,
    .wants = get_wants,
    .hooks =
        {
                .rcpt = on_rcpt,
                .header = on_header,
                .eoh = on_eoh,
                .body = on_body,
                .eom = on_eom,
                },
    .metrics = put_metrics,
    .has_shadow = true,
    .verbs = verbs,
};
