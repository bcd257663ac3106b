/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy.h"

#include <mfx/mail/address.h>

enum {
    MAILBOXES_MAX = 100,
};

void
quota_policy_connection_facts(const struct mfx_connection *c,
                              struct quota_facts *facts)
{
    memset(facts, 0, sizeof *facts);
    facts->client_ip = c->client_ip;
    facts->daemon_name = c->daemon_name;
}

/* Subject of a certificate that the MTA has verified. Postfix tells it only
 * then; Sendmail always, and says in {verify} what it found. */
static struct mfx_str
verified_certificate(const struct mfx_message *m)
{
    bool found = false;
    struct mfx_str subject = mfx_macro(m, "{cert_subject}", &found);
    if (!found || subject.len == 0)
        return mfx_str("", 0);
    struct mfx_str verify = mfx_macro(m, "{verify}", &found);
    if (m->connection->mta == MFX_MTA_POSTFIX || mfx_str_is(verify, "OK"))
        return mfx_arena_copy(m->arena, subject);
    return mfx_str("", 0);
}

static bool
is_sender_believed(const struct quota_policy *p, const struct mfx_message *m,
                   const struct quota_facts *facts)
{
    return facts->login.len > 0 || facts->certificate.len > 0 ||
           mfx_host_list_has(p->sender_trusted_from, m->connection->client_name,
                             &m->connection->client_ip, NULL);
}

/* "our_domains" is empty, or the domain is in it. */
static enum mfx_rc
is_ours(const struct quota_policy *p, struct mfx_str domain,
        struct mfx_arena *arena, struct mfx_err *err)
{
    if (p->settings->our_domains == NULL)
        return MFX_OK;
    return quota_rule_lists_address(
        p->settings->our_domains,
        mfx_arena_printf(arena, "@%.*s", MFX_STR_ARG(domain)), arena, err);
}

static enum mfx_rc
take_sender(const struct quota_policy *p, const struct mfx_message *m,
            struct quota_facts *facts, struct mfx_err *err)
{
    struct mfx_str local, domain;
    if (m->sender.len == 0 || !is_sender_believed(p, m, facts) ||
        mfx_address_path_parse(m->sender_raw, &local, &domain) != MFX_OK ||
        local.len == 0)
        return MFX_OK;
    domain = mfx_arena_copy_lower(m->arena, domain);
    enum mfx_rc rc = is_ours(p, domain, m->arena, err);
    if (rc != MFX_OK)
        return rc == MFX_NOTFOUND ? MFX_OK : rc;
    facts->sender_domain = domain;
    facts->sender = mfx_arena_copy_lower(
        m->arena, domain.len == 0 ? local
                                  : mfx_arena_printf(m->arena, "%.*s@%.*s",
                                                     MFX_STR_ARG(local),
                                                     MFX_STR_ARG(domain)));
    return MFX_OK;
}

enum mfx_rc
quota_policy_message_facts(const struct quota_policy *p,
                           const struct mfx_message *m,
                           struct quota_facts *facts, struct mfx_err *err)
{
    quota_policy_connection_facts(m->connection, facts);
    facts->login = p->settings->fold_login
                       ? mfx_arena_copy_lower(m->arena, m->login)
                       : m->login;
    facts->certificate = verified_certificate(m);
    return take_sender(p, m, facts, err);
}

enum mfx_rc
quota_policy_from_fact(const struct quota_policy *p,
                       const struct mfx_message *m, struct quota_facts *facts,
                       struct mfx_err *err)
{
    struct mfx_address_list list;
    const struct mfx_header *from =
        mfx_headers_first(&m->headers, mfx_str_of("From"));
    if (from == NULL || !is_sender_believed(p, m, facts))
        return MFX_OK;
    enum mfx_rc rc =
        mfx_address_list_parse(from->value, m->arena, MAILBOXES_MAX, &list);
    if (rc == MFX_TEMPFAIL)
        return rc;
    if (list.count == 0)
        return MFX_OK;
    struct mfx_str domain =
        mfx_arena_copy_lower(m->arena, list.mailboxes[0].domain);
    rc = is_ours(p, domain, m->arena, err);
    if (rc == MFX_OK)
        facts->from_domain = domain;
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

/* --- exemptions --- */

static enum mfx_rc
exempts_login(struct mfx_table *table, struct mfx_str login,
              struct mfx_arena *arena, struct mfx_err *err)
{
    struct mfx_str value;
    if (table == NULL || login.len == 0)
        return MFX_NOTFOUND;
    return mfx_table_get(table, login, arena, &value, err);
}

enum mfx_rc
quota_policy_exempts(const struct quota_policy *p,
                     const struct mfx_connection *c, struct mfx_str login,
                     struct mfx_arena *arena, const char **why,
                     struct mfx_err *err)
{
    if (mfx_host_list_has(p->exempt_clients, c->client_name, &c->client_ip,
                          NULL)) {
        *why = "exempt_clients";
        return MFX_OK;
    }
    *why = "exempt_logins";
    return exempts_login(p->settings->exempt_logins, login, arena, err);
}

enum mfx_rc
quota_policy_rule_exempts(const struct quota_rule *rule,
                          const struct mfx_connection *c,
                          const struct mfx_origin *origin, struct mfx_str login,
                          struct mfx_arena *arena, const char **why,
                          struct mfx_err *err)
{
    const struct quota_rule_settings *s = rule->settings;
    if (origin != NULL && s->whose != QUOTA_WHOSE_ALL &&
        mfx_origin_is_ours(origin) != (s->whose == QUOTA_WHOSE_OURS)) {
        *why = "whose";
        return MFX_OK;
    }
    if (mfx_host_list_has(rule->exempt_clients, c->client_name, &c->client_ip,
                          NULL)) {
        *why = "exempt_clients";
        return MFX_OK;
    }
    *why = "exempt_logins";
    return exempts_login(s->exempt_logins, login, arena, err);
}
