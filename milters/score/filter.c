/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stage hooks of mfx-score: engines are asked from the end of the header
 * on, hear the body as it comes, and are waited for at the end.
 */
#include <mfx/policy/domain_list.h>

#include "applying.h"
#include "envelope.h"
#include "marking.h"
#include "message.h"
#include "sealing.h"
#include "shared.h"

/* --- whose mail is not looked at --- */

static enum mfx_rc
find_skip(struct mfx_message *m, struct score_message *q, struct mfx_err *err)
{
    const struct score_policy *policy = score_policy_of(m);
    const struct score_settings *s = policy->settings;
    const struct mfx_connection *c = m->connection;
    struct mfx_str value;
    if (q->is_outgoing && !s->outgoing.enable)
        q->skipped = "outgoing.enable";
    else if (mfx_host_list_has(policy->skip_clients, c->client_name,
                               &c->client_ip, NULL))
        q->skipped = "skip.clients";
    q->is_trusted = q->skipped != NULL;
    if (q->skipped != NULL)
        return MFX_OK;
    enum mfx_rc rc =
        mfx_address_list_has(s->skip.senders, m->sender, m->arena, err);
    if (rc == MFX_OK)
        q->skipped = "skip.senders";
    if (rc != MFX_NOTFOUND || m->login.len == 0 || s->skip.logins == NULL)
        return rc == MFX_NOTFOUND ? MFX_OK : rc;
    rc = mfx_table_get(s->skip.logins, m->login, m->arena, &value, err);
    if (rc == MFX_OK)
        q->skipped = "skip.logins";
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

static void
say_skipped(struct mfx_message *m, const struct score_message *q)
{
    score_shared_note_skipped(score_policy_of(m)->shared);
    mfx_trace(m->decision, "skip", "%s", q->skipped);
    mfx_decision_event(m->decision, "skipped", mfx_str_of(q->skipped));
}

static enum mfx_rc
on_mail(struct mfx_message *m)
{
    struct score_message *q = mfx_arena_alloc(m->arena, sizeof *q);
    struct mfx_err err = {""};
    m->state = q;
    if (q == NULL)
        return MFX_TEMPFAIL;
    q->is_outgoing = mfx_origin_is_ours(&m->origin);
    enum mfx_rc rc = find_skip(m, q, &err);
    if (rc != MFX_OK)
        mfx_trace(m->decision, "lookup", "%s", err.msg);
    return rc;
}

/* --- asking --- */

static enum mfx_rc
on_eoh(struct mfx_message *m)
{
    struct score_message *q = m->state;
    struct mfx_scan_envelope envelope;
    if (q->skipped != NULL)
        return MFX_OK;
    score_sealing_read(m, q);
    if (q->is_decided_by_seal)
        return MFX_OK;
    if (!score_envelope_fill(m, &envelope))
        return MFX_TEMPFAIL;
    enum mfx_rc rc = score_scanning_begin(m, q, &envelope);
    if (rc == MFX_OK && q->run_count == 0 && !q->has_seal)
        q->skipped = "no engine is for such mail";
    return rc;
}

static enum mfx_rc
on_body(struct mfx_message *m, struct mfx_str piece, bool *done)
{
    struct score_message *q = m->state;
    *done = q->body == NULL;
    score_scanning_add(q, piece);
    return MFX_OK;
}

static void
wait(struct mfx_message *m, struct score_message *q)
{
    struct mfx_event *events[SCORE_RUNS_AWAITED_MAX];
    size_t count;
    uint64_t until_ms = m->env->mono_ms(m->env) +
                        score_policy_of(m)->settings->scan_timeout_ms +
                        SCORE_GRACE_MS;
    score_scanning_whole(q);
    do
        count = score_scanning_pending(q, events);
    while (count > 0 && mfx_wait_any(m, events, count, until_ms));
    /* the MTA is gone, or has waited long enough: no engine's fault */
    if (count > 0 && m->env->mono_ms(m->env) < until_ms)
        score_scanning_give_up(q);
}

static enum mfx_rc
on_eom(struct mfx_message *m)
{
    struct score_message *q = m->state;
    score_marking_remove_forged(m, q);
    if (q->skipped != NULL) {
        say_skipped(m, q);
        return MFX_OK;
    }
    wait(m, q);
    score_scanning_end(q);
    enum mfx_rc rc = score_deciding_find(m, q);
    if (rc == MFX_OK)
        rc = score_applying(m, q);
    return rc;
}

/* --- afterwards --- */

static void
on_abort(struct mfx_message *m)
{
    struct score_message *q = m->state;
    if (q != NULL)
        score_scanning_cancel(q);
}

static void
on_end(struct mfx_message *m)
{
    struct score_message *q = m->state;
    if (q == NULL)
        return;
    score_scanning_cancel(q);
    score_scanning_note(m, q);
}

/* Then the MTA need not ask after each piece of a body whether there may be
 * more. */
static bool
reads_every_body(const struct score_policy *p)
{
    const struct score_settings *s = p->settings;
    bool may_skip = !s->outgoing.enable || s->skip.clients != NULL ||
                    s->skip.logins != NULL || s->skip.senders != NULL ||
                    s->seal.accept == SCORE_SEAL_INSTEAD;
    for (size_t i = 0; i < p->engines->count; i++)
        if (p->engines->items[i].settings->mail == SCORE_MAIL_ALL)
            return !may_skip;
    return false;
}

static void
get_wants(const void *policy, struct mfx_wants *wants)
{
    wants->whole_body = reads_every_body(policy);
    wants->headers = true;
    wants->recipients = true;
    wants->body = MFX_BODY_STREAM;
    wants->macros[MFX_STAGE_MAIL] = SCORE_ENVELOPE_MACROS;
}

const struct mfx_filter score_filter = {
    .name = "mfx-score",
    .summary = "ask rspamd, SpamAssassin or ClamAV, and act on the answer",
    .options = score_options,
    .settings_size = sizeof(struct score_settings),
    .policy_new = score_policy_new,
    .policy_free = score_policy_free,
    .policy_begin = score_policy_begin,
    .policy_is_outdated = score_policy_is_outdated,
    .wants = get_wants,
    .metrics = score_policy_metrics,
    .hooks =
        {
                .mail = on_mail,
                .eoh = on_eoh,
                .body = on_body,
                .eom = on_eom,
                .abort = on_abort,
                .end = on_end,
                },
    .verbs = score_control_verbs,
};
