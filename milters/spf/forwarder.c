/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Known forwarders: the envelope sender of what they send on is another's, so
 * that its SPF must fail. They are known by address or name; by HELO, when
 * that is theirs; or because their own domain's SPF passes for the client.
 */
#include <mfx/policy/domain_list.h>

#include "message.h"

static bool
is_host(struct mfx_message *m, struct spf_message *q)
{
    struct mfx_str entry;
    if (!mfx_host_list_has(spf_policy_of(m)->forwarders, q->client.name,
                           &q->client.ip, &entry))
        return false;
    q->forwarder = entry;
    return true;
}

/* Anyone can say any name: it must be the client's. */
static enum mfx_rc
is_helo(struct mfx_message *m, struct spf_message *q, struct mfx_err *err)
{
    struct mfx_table *names = spf_policy_of(m)->settings->forwarders.helo_names;
    enum mfx_rc rc = mfx_domain_list_has(names, q->client.helo, m->arena, err);
    if (rc != MFX_OK)
        return rc;
    bool is_theirs = mfx_str_eq_nocase(q->client.helo, q->client.name) ||
                     (q->helo != NULL && q->helo->result == MFX_SPF_PASS);
    if (!is_theirs) {
        q->is_forwarder_unsure =
            q->helo != NULL && q->helo->result == MFX_SPF_TEMPERROR;
        mfx_trace(m->decision, "forwarders.helo_names",
                  "%.*s is not proven to be the client's name",
                  MFX_STR_ARG(q->client.helo));
        return MFX_NOTFOUND;
    }
    q->forwarder = q->client.helo;
    return MFX_OK;
}

static struct mfx_spf_check *
ask_domain(struct mfx_message *m, struct spf_message *q, struct mfx_str domain)
{
    const struct spf_client as = {
        .ip = q->client.ip, .name = q->client.name, .helo = domain};
    const struct mfx_spf_request request =
        spf_checking_request(m, &as, MFX_SPF_HELO);
    return mfx_spf_begin(m->arena, m->env, &spf_policy_of(m)->config, &request);
}

static enum mfx_rc
is_domain(struct mfx_message *m, struct spf_message *q)
{
    const struct mfx_option_list *domains =
        &spf_policy_of(m)->settings->forwarders.domains;
    struct mfx_spf_check *checks[SPF_FORWARDER_DOMAINS_MAX];
    for (size_t i = 0; i < domains->count; i++) {
        checks[i] = ask_domain(m, q, domains->items[i]);
        if (checks[i] == NULL)
            return MFX_TEMPFAIL;
    }
    spf_checking_run(m, checks, domains->count);
    for (size_t i = 0; i < domains->count; i++) {
        const struct mfx_spf_outcome *o = mfx_spf_finish(checks[i]);
        mfx_trace(m->decision, "forwarders.domains", "%.*s: %s",
                  MFX_STR_ARG(domains->items[i]),
                  mfx_spf_result_name(o->result));
        if (o->result == MFX_SPF_PASS && q->forwarder.len == 0)
            q->forwarder = domains->items[i];
        q->is_forwarder_unsure |= o->result == MFX_SPF_TEMPERROR;
    }
    return q->forwarder.len > 0 ? MFX_OK : MFX_NOTFOUND;
}

enum mfx_rc
spf_forwarder_is_known(struct mfx_message *m, struct spf_message *q,
                       struct mfx_err *err)
{
    if (is_host(m, q))
        return MFX_OK;
    enum mfx_rc rc = is_helo(m, q, err);
    return rc == MFX_NOTFOUND ? is_domain(m, q) : rc;
}
