/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From settings to a policy: every mistake is found before it is in force.
 */
#include <stdlib.h>

#include "policy.h"

static void
complain(const struct mfx_policy_build *build, const char *setting,
         const char *text)
{
    unsigned line = 0;
    const char *file = mfx_config_where(build->config, setting, &line);
    mfx_problem_add(build->problems, MFX_PROBLEM_ERROR,
                    file == NULL ? "" : file, line, "%s: %s", setting, text);
}

static void
check_names(const struct quota_policy *p, const struct mfx_policy_build *build)
{
    for (size_t i = 0; i < p->rule_count; i++)
        for (size_t j = 0; j < i; j++)
            if (mfx_str_eq(p->rules[i].settings->name,
                           p->rules[j].settings->name))
                complain(build, "rules", "two rules have the same name");
}

static void
check_settings(const struct quota_policy *p,
               const struct mfx_policy_build *build)
{
    const struct quota_settings *s = p->settings;
    if (p->rule_count == 0)
        mfx_problem_add(build->problems, MFX_PROBLEM_WARNING, "", 0,
                        "rules: there are none, so nothing is limited");
    mfx_store_settings_check(&s->store, build->config, build->problems);
    if (s->notify.url.len > 0 &&
        !mfx_str_starts(s->notify.url, mfx_str_of("http://")) &&
        !mfx_str_starts(s->notify.url, mfx_str_of("https://")))
        complain(build, "notify.url", "is to begin with http:// or https://");
    if (s->notify.command.count > 0 && s->notify.command.items[0].p[0] != '/')
        complain(build, "notify.command",
                 "the program is to be a path that starts with '/'");
}

static void
take_needs(struct quota_policy *p, const struct quota_rule *rule)
{
    p->has_rule_at[rule->when] = true;
    p->counts_bytes |= rule->settings->count == QUOTA_COUNT_BYTES;
    p->counts_refused |=
        rule->settings->count == QUOTA_COUNT_REFUSED_RECIPIENTS;
    p->needs_from |= quota_key_has(&rule->key, QUOTA_PART_FROM_DOMAIN);
    p->is_by_address |= quota_key_has(&rule->key, QUOTA_PART_CLIENT) ||
                        quota_key_has(&rule->key, QUOTA_PART_NETWORK);
}

static enum mfx_rc
build_rules(struct quota_policy *p, const struct mfx_policy_build *build)
{
    const struct mfx_option_groups *groups = &p->settings->rules;
    const struct quota_rule_settings *settings = groups->items;
    enum mfx_rc rc = MFX_OK;
    p->rules =
        mfx_arena_alloc_array(build->arena, groups->count, sizeof *p->rules);
    if (p->rules == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < groups->count; i++) {
        if (settings[i].mode == QUOTA_RULE_OFF)
            continue;
        struct quota_rule *rule = &p->rules[p->rule_count++];
        enum mfx_rc one =
            quota_rule_build(rule, &settings[i], i, build, p->shared->zones);
        rc = mfx_rc_worst(rc, one);
        if (one != MFX_OK)
            continue;
        rule->counts = quota_shared_counts(p->shared, settings[i].name);
        if (rule->counts == NULL)
            return MFX_TEMPFAIL;
        take_needs(p, rule);
    }
    check_names(p, build);
    return rc;
}

static enum mfx_rc
fill(struct quota_policy *p, const struct mfx_policy_build *build)
{
    const struct quota_policy *previous = build->previous;
    size_t errors = build->problems->errors;
    p->settings = build->settings;
    p->shared = quota_shared_new(
        p->settings, previous == NULL ? NULL : previous->shared, build);
    if (p->shared == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = build_rules(p, build);
    rc = mfx_rc_worst(rc, mfx_host_list_new(p->settings->exempt_clients,
                                            "exempt_clients", build->problems,
                                            &p->exempt_clients));
    rc = mfx_rc_worst(rc,
                      mfx_host_list_new(p->settings->sender_trusted_from,
                                        "sender_trusted_from", build->problems,
                                        &p->sender_trusted_from));
    check_settings(p, build);
    return build->problems->errors > errors ? MFX_PERMFAIL : rc;
}

enum mfx_rc
quota_policy_new(const struct mfx_policy_build *build, void **policy)
{
    struct quota_policy *p = mfx_arena_alloc(build->arena, sizeof *p);
    if (p == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = fill(p, build);
    if (rc == MFX_OK)
        *policy = p;
    else
        quota_policy_free(p);
    return rc;
}

void
quota_policy_free(void *policy)
{
    struct quota_policy *p = policy;
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->rule_count; i++)
        quota_rule_fini(&p->rules[i]);
    mfx_host_list_free(p->exempt_clients);
    mfx_host_list_free(p->sender_trusted_from);
    quota_shared_release(p->shared);
}

void
quota_policy_begin(void *policy, struct mfx_resolver_share *resolver)
{
    struct quota_policy *p = policy;
    (void)resolver;
    quota_shared_begin(p->shared);
}
