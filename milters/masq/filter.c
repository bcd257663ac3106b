/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stage hooks of mfx-masq: SRS addresses of ours are looked up when the MTA
 * offers them; all else is decided at the end of the message, when everything
 * is known that a rule may go by.
 */
#include "message.h"
#include "srs_ask.h"

static struct masq_message *
state_of(struct mfx_message *m)
{
    if (m->state == NULL)
        m->state = mfx_arena_alloc(m->arena, sizeof(struct masq_message));
    return m->state;
}

static enum mfx_rc
on_rcpt(struct mfx_message *m, struct mfx_recipient *r)
{
    struct masq_message *q = state_of(m);
    if (q == NULL)
        return MFX_TEMPFAIL;
    masq_message_take_recipient(m, q, r);
    return MFX_OK;
}

static enum mfx_rc
on_eoh(struct mfx_message *m)
{
    struct masq_message *q = state_of(m);
    if (q == NULL)
        return MFX_TEMPFAIL;
    masq_message_take_header(m, q);
    return MFX_OK;
}

static enum mfx_rc
on_eom(struct mfx_message *m)
{
    struct masq_message *q = state_of(m);
    if (q == NULL)
        return MFX_TEMPFAIL;
    masq_message_decide(m, q);
    return MFX_OK;
}

static bool
needs_fields(const struct masq_policy *policy)
{
    return policy->settings->from_guard.enable ||
           (policy->munge != NULL && masq_munge_is_active(policy->munge)) ||
           policy->hygiene.count > 0 || policy->hygiene.hides_client ||
           policy->classes[MASQ_HEADER_SENDER] ||
           policy->classes[MASQ_HEADER_RECIPIENT] ||
           policy->classes[MASQ_MESSAGE_ID];
}

static void
get_wants(const void *arg, struct mfx_wants *wants)
{
    wants->headers = needs_fields(arg);
    wants->recipients = true;
}

const struct mfx_filter masq_filter = {
    .name = "mfx-masq",
    .summary = "rewrite addresses before the mail is signed",
    .options = masq_options,
    .settings_size = sizeof(struct masq_settings),
    .policy_new = masq_policy_new,
    .policy_free = masq_policy_free,
    .policy_begin = masq_policy_begin,
    .policy_is_outdated = masq_policy_is_outdated,
    .wants = get_wants,
    .metrics = masq_policy_metrics,
    .hooks = {.rcpt = on_rcpt, .eoh = on_eoh, .eom = on_eom},
    .verbs = masq_control_verbs,
};
