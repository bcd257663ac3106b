/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Would others refuse this mail of ours by what our own domain publishes? Each
 * address that our mail leaves from is asked about, all at once; the worst
 * result counts. DNS trouble is no result: mail of ours never waits for it.
 */
#include <mfx/policy/domain_list.h>

#include "reply.h"

static bool
is_bad(const struct spf_policy *policy, const struct mfx_spf_outcome *o)
{
    return policy->outgoing_results[o->result] &&
           o->result != MFX_SPF_TEMPERROR;
}

static void
warn(struct mfx_message *m, struct mfx_str text)
{
    const struct spf_settings *s = spf_policy_of(m)->settings;
    struct mfx_str value =
        mfx_arena_printf(m->arena, " %.*s", MFX_STR_ARG(text));
    if (value.p != NULL)
        mfx_edit_insert_header(m->decision, MFX_EDIT_TOP, s->outgoing.header,
                               value);
}

static void
act(struct mfx_message *m, const struct spf_client *client,
    const struct mfx_spf_outcome *o)
{
    static const char why[] = "our own SPF record does not allow us";
    const struct spf_policy *policy = spf_policy_of(m);
    struct mfx_str template = policy->settings->outgoing.text;
    if (template.len == 0)
        template = mfx_str_of(
            "SPF of $domain does not allow our address $client ($result)");
    struct mfx_str text = spf_reply_text(m, client, o, template);
    atomic_fetch_add(&policy->shared->outgoing_bad, 1);
    mfx_fact(m->decision, "outgoing", text);
    mfx_decision_event(m->decision, "outgoing_spf", mfx_str_of(why));
    switch ((enum spf_outgoing)policy->settings->outgoing.check) {
    case SPF_OUTGOING_OFF:
    case SPF_OUTGOING_LOG:
        return;
    case SPF_OUTGOING_HEADER:
        warn(m, text);
        return;
    case SPF_OUTGOING_TEMPFAIL:
        mfx_decide_tempfail(m->decision, 451, "4.7.23", text, why);
        return;
    case SPF_OUTGOING_REJECT:
        mfx_decide_reject(m->decision, 550, "5.7.23", text, why);
        return;
    }
}

static enum mfx_rc
is_asked_about(struct mfx_message *m, struct mfx_err *err)
{
    const struct spf_settings *s = spf_policy_of(m)->settings;
    size_t at = mfx_str_find_last(m->sender, '@');
    if (s->outgoing.check == SPF_OUTGOING_OFF || at == m->sender.len)
        return MFX_NOTFOUND;
    if (s->outgoing.domains == NULL)
        return MFX_OK;
    return mfx_domain_list_has(s->outgoing.domains,
                               mfx_str_from(m->sender, at + 1), m->arena, err);
}

enum mfx_rc
spf_outgoing_check(struct mfx_message *m)
{
    const struct spf_policy *policy = spf_policy_of(m);
    struct mfx_spf_check *checks[SPF_OUTGOING_ADDRESSES_MAX];
    struct spf_client clients[SPF_OUTGOING_ADDRESSES_MAX];
    struct mfx_err err = {""};
    enum mfx_rc rc = is_asked_about(m, &err);
    if (rc == MFX_NOTFOUND)
        return MFX_OK;
    if (rc != MFX_OK) {
        mfx_trace(m->decision, "outgoing.domains", "%s", err.msg);
        return MFX_OK; /* a warning less, and no mail delayed for it */
    }
    for (size_t i = 0; i < policy->outgoing_count; i++) {
        clients[i] = (struct spf_client){.ip = policy->outgoing[i],
                                         .helo = m->connection->mta_name};
        const struct mfx_spf_request request =
            spf_checking_request(m, &clients[i], MFX_SPF_MAIL_FROM);
        checks[i] = mfx_spf_begin(m->arena, m->env, &policy->config, &request);
        if (checks[i] == NULL)
            return MFX_TEMPFAIL;
    }
    spf_checking_run(m, checks, policy->outgoing_count);
    size_t worst = policy->outgoing_count;
    for (size_t i = 0; i < policy->outgoing_count; i++) {
        const struct mfx_spf_outcome *o = mfx_spf_finish(checks[i]);
        char text[MFX_IP_TEXT];
        mfx_trace(m->decision, "outgoing.check", "%.*s from %s: %s",
                  MFX_STR_ARG(o->domain), mfx_ip_format(&clients[i].ip, text),
                  mfx_spf_result_name(o->result));
        if (worst == policy->outgoing_count && is_bad(policy, o))
            worst = i;
    }
    if (worst < policy->outgoing_count)
        act(m, &clients[worst], mfx_spf_finish(checks[worst]));
    return MFX_OK;
}
