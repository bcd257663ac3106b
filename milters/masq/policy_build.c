/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From settings to a policy: every mistake is found before it is in force.
 */
#include "policy.h"

static enum mfx_rc
build_rules(struct masq_policy *p, const struct mfx_policy_build *build)
{
    const struct mfx_option_groups *groups = &p->settings->rules;
    const struct masq_rule_settings *settings = groups->items;
    enum mfx_rc rc = MFX_OK;
    p->rules =
        mfx_arena_alloc_array(build->arena, groups->count, sizeof *p->rules);
    if (p->rules == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < groups->count; i++) {
        if (!settings[i].enable)
            continue;
        struct masq_rule *rule = &p->rules[p->rule_count++];
        rc = mfx_rc_worst(
            rc, masq_rule_build(rule, &settings[i], i, p->settings, build));
        for (int c = 0; c < MASQ_CLASS_COUNT; c++)
            p->classes[c] |= rule->classes[c];
    }
    return rc;
}

static enum mfx_rc
build_store(struct masq_policy *p, const struct mfx_policy_build *build)
{
    const struct masq_policy *previous = build->previous;
    if ((p->srs == NULL || !p->srs->short_forms) && p->munge == NULL)
        return MFX_OK;
    mfx_store_settings_check(&p->settings->store, build->config,
                             build->problems);
    p->shared = mfx_store_share_new(&p->settings->store,
                                    previous == NULL ? NULL : previous->shared,
                                    build->config, build->problems);
    return p->shared == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
build_map_server(struct masq_policy *p, const struct mfx_policy_build *build)
{
    const struct masq_policy *previous = build->previous;
    const struct masq_map_server_settings *s = &p->settings->map_server;
    masq_map_server_check(p->settings, build);
    if (p->srs == NULL || !masq_map_server_is_wanted(s))
        return MFX_OK;
    if (previous != NULL && previous->map_server != NULL &&
        masq_map_server_has(previous->map_server, s))
        p->map_server = masq_map_server_hold(previous->map_server);
    else
        p->map_server = masq_map_server_new(s, build->env);
    return p->map_server == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
fill(struct masq_policy *p, const struct mfx_policy_build *build)
{
    size_t errors = build->problems->errors;
    p->settings = build->settings;
    enum mfx_rc rc = build_rules(p, build);
    if (p->settings->from_guard.enable)
        rc = mfx_rc_worst(rc, masq_guard_build(&p->guard, p->settings, build));
    rc = mfx_rc_worst(rc, masq_hygiene_build(&p->hygiene, p->settings, build));
    rc = mfx_rc_worst(rc, masq_srs_new(p->settings, build, &p->srs));
    rc = mfx_rc_worst(rc, masq_munge_new(p->settings, build, &p->munge));
    rc = mfx_rc_worst(rc, build_store(p, build));
    rc = mfx_rc_worst(rc, build_map_server(p, build));
    return build->problems->errors > errors ? MFX_PERMFAIL : rc;
}

enum mfx_rc
masq_policy_new(const struct mfx_policy_build *build, void **policy)
{
    struct masq_policy *p = mfx_arena_alloc(build->arena, sizeof *p);
    if (p == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = fill(p, build);
    if (rc == MFX_OK)
        *policy = p;
    else
        masq_policy_free(p);
    return rc;
}

void
masq_policy_free(void *policy)
{
    struct masq_policy *p = policy;
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->rule_count; i++)
        masq_rule_fini(&p->rules[i]);
    if (p->map_server != NULL)
        masq_map_server_leave(p->map_server, p->srs);
    masq_map_server_release(p->map_server);
    mfx_store_share_release(p->shared);
}

void
masq_policy_begin(void *policy, struct mfx_resolver_share *resolver)
{
    struct masq_policy *p = policy;
    (void)resolver;
    if (p->shared != NULL)
        mfx_store_share_begin(p->shared);
    if (p->map_server != NULL)
        masq_map_server_begin(p->map_server, p->srs, masq_policy_store(p),
                              p->settings->store.timeout_ms);
}

bool
masq_policy_is_outdated(const void *policy)
{
    const struct masq_policy *p = policy;
    return (p->srs != NULL && mfx_secrets_are_outdated(&p->srs->secrets)) ||
           (p->munge != NULL && mfx_secrets_are_outdated(&p->munge->secrets));
}
