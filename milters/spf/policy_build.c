/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From settings to a policy: every mistake is found before it is in force.
 */
#include <mfx/milter/filter.h>
#include <mfx/policy/reply_text.h>

#include "policy.h"

static void
complain(const struct mfx_policy_build *build, const char *name,
         const char *what, struct mfx_str word)
{
    unsigned line = 0;
    const char *file = mfx_config_where(build->config, name, &line);
    mfx_problem_add(build->problems, MFX_PROBLEM_ERROR, file, line,
                    "%s: %s%s%.*s", name, what, word.len > 0 ? ": " : "",
                    MFX_STR_ARG(word));
}

/* --- SPF --- */

static void
read_code(const struct mfx_policy_build *build, const char *name,
          struct mfx_str text, unsigned class, struct spf_code *code)
{
    if (text.len == 0)
        return;
    if (!mfx_reply_code_parse(text, &code->code, &code->enhanced) ||
        code->code / 100 != class)
        complain(build, name,
                 class == 5 ? "no code like \"550 5.7.23\""
                            : "no code like \"451 4.7.23\"",
                 text);
}

static void
read_results(struct spf_policy *p, const struct mfx_policy_build *build)
{
    const struct mfx_option_list *words = &p->settings->results;
    for (size_t i = 0; i < words->count; i++) {
        if (mfx_str_is_nocase(words->items[i], "authentication_results"))
            p->writes_results = true;
        else if (mfx_str_is_nocase(words->items[i], "received_spf"))
            p->writes_received_spf = true;
        else if (!mfx_str_is_nocase(words->items[i], "none"))
            complain(build, "results",
                     "authentication_results, received_spf or none is wanted",
                     words->items[i]);
    }
}

static void
read_config(struct spf_policy *p, const struct mfx_policy_build *build)
{
    const struct spf_settings *s = p->settings;
    p->config = mfx_spf_config_default();
    p->config.engine = (enum mfx_spf_engine)s->engine;
    p->config.max_voids = (unsigned)s->spf.void_limit;
    p->config.time_ms = s->spf.time_limit_s * 1000;
    p->config.lookahead = s->spf.lookahead;
    p->config.max_explanation = s->spf.explanation;
    if (!mfx_spf_engine_is_built(p->config.engine))
        complain(build, "engine", "this mfx was built without it",
                 mfx_str_of(mfx_spf_engine_name(p->config.engine)));
    read_code(build, "spf.reject_code", s->spf.reject_code, 5, &p->reject);
    read_code(build, "spf.tempfail_code", s->spf.tempfail_code, 4,
              &p->tempfail);
    if (s->forwarders.domains.count > SPF_FORWARDER_DOMAINS_MAX)
        complain(build, "forwarders.domains", "more than 20 domains",
                 mfx_str("", 0));
}

static void
read_header_name(const struct mfx_policy_build *build, const char *name,
                 struct mfx_str value)
{
    static const char *const taken[] = {"Authentication-Results",
                                        "Received-SPF",
                                        "Received",
                                        "From",
                                        "Sender",
                                        "Reply-To",
                                        "To",
                                        "Cc",
                                        "Subject",
                                        "Date",
                                        "Message-ID",
                                        "DKIM-Signature"};
    if (!mfx_header_name_is_valid(value))
        complain(build, name, "no name of a header field", value);
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (mfx_str_is_nocase(value, taken[i]))
            complain(build, name, "this field has a meaning of its own", value);
}

/* --- mail of ours --- */

static enum mfx_rc
build_outgoing(struct spf_policy *p, const struct mfx_policy_build *build)
{
    const struct spf_settings *s = p->settings;
    const struct mfx_option_list *addresses = &s->outgoing.addresses;
    if (s->outgoing.check == SPF_OUTGOING_OFF)
        return MFX_OK;
    if (addresses->count == 0 || addresses->count > SPF_OUTGOING_ADDRESSES_MAX)
        complain(build, "outgoing.check",
                 "1 to 20 outgoing.addresses are wanted", mfx_str("", 0));
    (void)spf_rules_read_results(&s->outgoing.results, "outgoing.results",
                                 build->config, build->problems,
                                 p->outgoing_results);
    p->outgoing = mfx_arena_alloc_array(build->arena, addresses->count + 1,
                                        sizeof *p->outgoing);
    if (p->outgoing == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < addresses->count && i < SPF_OUTGOING_ADDRESSES_MAX;
         i++) {
        struct mfx_ip *ip = &p->outgoing[p->outgoing_count++];
        if (mfx_ip_parse(addresses->items[i], ip) != MFX_OK)
            complain(build, "outgoing.addresses", "no address",
                     addresses->items[i]);
    }
    return MFX_OK;
}

/* --- all of it --- */

static enum mfx_rc
build_hosts(struct spf_policy *p, const struct mfx_policy_build *build)
{
    const struct spf_settings *s = p->settings;
    enum mfx_rc rc = mfx_host_list_new(s->skip.clients, "skip.clients",
                                       build->problems, &p->skip_clients);
    rc = mfx_rc_worst(rc,
                      mfx_host_list_new(s->forwarders.hosts, "forwarders.hosts",
                                        build->problems, &p->forwarders));
    return mfx_rc_worst(rc, mfx_host_list_new(s->relays.hosts, "relays.hosts",
                                              build->problems, &p->relays));
}

static enum mfx_rc
fill(struct spf_policy *p, const struct mfx_policy_build *build)
{
    static const char *const methods[] = {"spf", "dnswl", NULL};
    const struct spf_policy *previous = build->previous;
    size_t errors = build->problems->errors;
    p->settings = build->settings;
    p->shared = spf_shared_new(previous == NULL ? NULL : previous->shared);
    if (p->shared == NULL)
        return MFX_TEMPFAIL;
    read_results(p, build);
    read_config(p, build);
    read_header_name(build, "tag_header", p->settings->tag_header);
    read_header_name(build, "outgoing.header", p->settings->outgoing.header);
    enum mfx_rc rc = spf_rules_build(&p->rules, p->settings, build);
    rc = mfx_rc_worst(rc, build_hosts(p, build));
    rc = mfx_rc_worst(rc, build_outgoing(p, build));
    rc = mfx_rc_worst(rc, mfx_auth_results_new(&p->settings->auth_results, "",
                                               methods, build->config,
                                               build->problems, &p->results));
    rc = mfx_rc_worst(rc,
                      spf_lists_new(&p->settings->lists, build,
                                    previous == NULL ? NULL : previous->lists,
                                    &p->lists));
    return build->problems->errors > errors ? MFX_PERMFAIL : rc;
}

enum mfx_rc
spf_policy_new(const struct mfx_policy_build *build, void **policy)
{
    struct spf_policy *p = mfx_arena_alloc(build->arena, sizeof *p);
    if (p == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = fill(p, build);
    if (rc == MFX_OK)
        *policy = p;
    else
        spf_policy_free(p);
    return rc;
}

void
spf_policy_free(void *policy)
{
    struct spf_policy *p = policy;
    if (p == NULL)
        return;
    spf_rules_fini(&p->rules);
    mfx_host_list_free(p->skip_clients);
    mfx_host_list_free(p->forwarders);
    mfx_host_list_free(p->relays);
    mfx_auth_results_free(p->results);
    spf_lists_free(p->lists);
    spf_shared_release(p->shared);
}

void
spf_policy_begin(void *policy, struct mfx_resolver_share *resolver)
{
    struct spf_policy *p = policy;
    if (p->lists != NULL)
        spf_lists_begin(p->lists, resolver);
}

void
spf_policy_metrics(const void *policy, struct mfx_buf *out)
{
    const struct spf_policy *p = policy;
    spf_shared_metrics(p->shared, out);
    if (p->lists != NULL)
        spf_lists_metrics(p->lists, out);
}
