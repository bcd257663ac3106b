/* SPDX-License-Identifier: BSD-2-Clause */
#include "situation.h"

#include <mfx/mail/address_rewrite.h>

#include "../srs_ask.h"

const struct masq_policy *
situation_policy(const struct situation *s)
{
    return s->loaded->policy;
}

static void
take_origin(struct situation *s)
{
    const struct mfx_origin_facts facts = {
        .login = mfx_str_of(s->login),
        .auth_type = mfx_str_of(s->login == NULL ? NULL : "PLAIN"),
        .daemon_name = mfx_str_of(s->daemon_name),
        .client_name = mfx_str_of(s->client_name),
        .client_ip = s->client_ip,
    };
    s->is_ours = !s->is_foreign;
    s->origin.rule = s->is_ours ? MFX_ORIGIN_HOST : MFX_ORIGIN_FOREIGN;
    if (s->login == NULL && s->client == NULL && s->client_name == NULL &&
        s->daemon_name == NULL)
        return;
    s->origin = mfx_origin_decide(s->loaded->origin, &facts);
    if (s->is_foreign)
        s->origin = (struct mfx_origin){.rule = MFX_ORIGIN_FOREIGN};
    s->is_ours = mfx_origin_is_ours(&s->origin);
}

int
situation_load(const struct verb_run *run, struct situation *s)
{
    if (s->client != NULL &&
        mfx_ip_parse(mfx_str_of(s->client), &s->client_ip) != MFX_OK)
        return verb_wrong(run, "--client %s: no IP address", s->client);
    int status = verb_load_filter(run, &masq_filter, s->config, &s->loaded);
    if (status == EXIT_OK)
        take_origin(s);
    return status;
}

void
situation_fini(struct situation *s)
{
    if (s->loaded != NULL)
        mfx_offline_free(s->loaded);
    s->loaded = NULL;
}

struct masq_facts
situation_facts(const struct situation *s)
{
    return (struct masq_facts){
        .is_ours = s->is_ours,
        .login = mfx_str_of(s->login),
        .client_name = mfx_str_of(s->client_name),
        .daemon_name = mfx_str_of(s->daemon_name),
        .mta_name = mfx_str_of(s->mta_name),
        .client_ip = s->client_ip,
    };
}

enum mfx_rc
situation_address(const struct verb_run *run, const char *text,
                  struct masq_address *address)
{
    return masq_srs_ask_parse(mfx_str_of(text), run->arena, address);
}

struct mfx_str
situation_text(const struct verb_run *run, const struct masq_address *address)
{
    struct mfx_str spec;
    enum mfx_rc rc = mfx_address_spec_write(address->local, address->domain,
                                            run->arena, &spec);
    return rc == MFX_OK ? spec
                        : mfx_arena_printf(run->arena, "%.*s@%.*s",
                                           MFX_STR_ARG(address->local),
                                           MFX_STR_ARG(address->domain));
}
