/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules.h"

#include <stdio.h>

#include <mfx/policy/domain_list.h>
#include <mfx/policy/reply_text.h>

enum {
    WHERE_MAX = 60,
};

static void
complain(const struct mfx_config *config, struct mfx_problems *problems,
         const char *where, const char *what, struct mfx_str word)
{
    unsigned line = 0;
    const char *file = mfx_config_where(config, where, &line);
    mfx_problem_add(problems, MFX_PROBLEM_ERROR, file, line,
                    "%s: %.*s is no %s", where, MFX_STR_ARG(word), what);
}

bool
spf_rules_read_results(const struct mfx_option_list *words, const char *where,
                       const struct mfx_config *config,
                       struct mfx_problems *problems,
                       bool results[MFX_SPF_RESULT_COUNT])
{
    bool is_right = true;
    for (size_t i = 0; i < words->count; i++) {
        enum mfx_spf_result result;
        if (mfx_spf_result_parse(words->items[i], &result) == MFX_OK) {
            results[result] = true;
        } else {
            complain(config, problems, where, "SPF result", words->items[i]);
            is_right = false;
        }
    }
    return is_right;
}

static bool
read_identities(struct spf_rule *rule, const char *where,
                const struct mfx_policy_build *build)
{
    const struct mfx_option_list *words = &rule->settings->identities;
    bool is_right = true;
    for (size_t i = 0; i < words->count; i++) {
        if (mfx_str_is_nocase(words->items[i], "helo")) {
            rule->identities[MFX_SPF_HELO] = true;
        } else if (mfx_str_is_nocase(words->items[i], "mail_from")) {
            rule->identities[MFX_SPF_MAIL_FROM] = true;
        } else {
            complain(build->config, build->problems, where, "identity",
                     words->items[i]);
            is_right = false;
        }
    }
    return is_right;
}

/* The code is of the class that the action gives. */
static bool
read_code(struct spf_rule *rule, const char *where,
          const struct mfx_policy_build *build)
{
    const struct spf_rule_settings *s = rule->settings;
    unsigned class = s->action == SPF_ACTION_REJECT ? 5 : 4;
    if (s->code.len == 0 ||
        (mfx_reply_code_parse(s->code, &rule->code, &rule->enhanced) &&
         rule->code / 100 == class))
        return true;
    complain(build->config, build->problems, where,
             "reply code of the action (\"550 5.7.23\", \"451 4.7.23\")",
             s->code);
    return false;
}

static enum mfx_rc
build_rule(struct spf_rule *rule, size_t number,
           const struct spf_rule_settings *settings,
           const struct mfx_policy_build *build)
{
    char at[SPF_IDENTITY_COUNT + 2][WHERE_MAX];
    static const char *const names[] = {"identities", "results", "code",
                                        "clients"};
    enum mfx_rc rc = MFX_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)snprintf(at[i], sizeof at[i], "rules[%zu].%s", number, names[i]);
    rule->settings = settings;
    rule->name = settings->name;
    if (rule->name.len == 0)
        rule->name = mfx_arena_printf(build->arena, "rule %zu", number + 1);
    bool is_right = read_identities(rule, at[0], build);
    is_right &= spf_rules_read_results(&settings->results, at[1], build->config,
                                       build->problems, rule->results);
    is_right &= read_code(rule, at[2], build);
    if (settings->clients != NULL)
        rc = mfx_host_list_new(settings->clients, at[3], build->problems,
                               &rule->clients);
    return is_right ? rc : MFX_PERMFAIL;
}

enum mfx_rc
spf_rules_build(struct spf_rules *rules, const struct spf_settings *settings,
                const struct mfx_policy_build *build)
{
    const struct mfx_option_groups *groups = &settings->rules;
    const struct spf_rule_settings *items = groups->items;
    enum mfx_rc rc = MFX_OK;
    rules->settings = settings;
    rules->rules = mfx_arena_alloc_array(build->arena, groups->count,
                                         sizeof *rules->rules);
    if (rules->rules == NULL && groups->count > 0)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < groups->count; i++)
        if (items[i].mode != SPF_RULE_OFF)
            rc = mfx_rc_worst(rc, build_rule(&rules->rules[rules->count++], i,
                                             &items[i], build));
    return rc;
}

void
spf_rules_fini(struct spf_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        mfx_host_list_free(rules->rules[i].clients);
}

struct question {
    const struct mfx_spf_outcome *outcome;
    struct mfx_str client_name;
    const struct mfx_ip *client_ip;
    struct mfx_arena *arena;
};

/* MFX_NOTFOUND: it is not for this one. */
static enum mfx_rc
matches(const struct spf_rule *rule, const struct question *q,
        struct mfx_err *err)
{
    const struct mfx_spf_outcome *o = q->outcome;
    if (!rule->identities[o->identity] || !rule->results[o->result])
        return MFX_NOTFOUND;
    if (rule->settings->no_mail && !o->is_no_mail)
        return MFX_NOTFOUND;
    if (rule->clients != NULL &&
        !mfx_host_list_has(rule->clients, q->client_name, q->client_ip, NULL))
        return MFX_NOTFOUND;
    if (rule->settings->domains == NULL)
        return MFX_OK;
    return mfx_domain_list_has(rule->settings->domains, o->domain, q->arena,
                               err);
}

static void
take_default(const struct spf_settings *s,
             const struct mfx_spf_outcome *outcome, struct spf_ruling *ruling)
{
    const struct spf_identity_settings *of =
        outcome->identity == MFX_SPF_HELO ? &s->helo : &s->mail_from;
    ruling->rule = NULL;
    ruling->action = outcome->result == MFX_SPF_PASS
                         ? SPF_ACTION_ACCEPT
                         : (enum spf_action)of->actions[outcome->result];
}

static void
say_dry_run(struct mfx_decision *decision, const struct spf_rule *rule)
{
    mfx_fact(decision, "would",
             mfx_arena_printf(
                 decision->arena, "%s by %.*s",
                 spf_action_name((enum spf_action)rule->settings->action),
                 MFX_STR_ARG(rule->name)));
}

enum mfx_rc
spf_rules_ask(const struct spf_rules *rules,
              const struct mfx_spf_outcome *outcome, struct mfx_str client_name,
              const struct mfx_ip *client_ip, struct mfx_decision *decision,
              struct spf_ruling *ruling, struct mfx_err *err)
{
    const struct question q = {outcome, client_name, client_ip,
                               decision->arena};
    const char *identity = mfx_spf_identity_name(outcome->identity);
    const char *result = mfx_spf_result_name(outcome->result);
    take_default(rules->settings, outcome, ruling);
    for (size_t i = 0; i < rules->count; i++) {
        const struct spf_rule *rule = &rules->rules[i];
        enum mfx_rc rc = matches(rule, &q, err);
        if (rc == MFX_NOTFOUND)
            continue;
        if (rc != MFX_OK)
            return rc;
        enum spf_action action = (enum spf_action)rule->settings->action;
        bool is_dry = rule->settings->mode == SPF_RULE_DRY_RUN;
        mfx_trace(decision, "rules", "%.*s: %s %s: %s%s",
                  MFX_STR_ARG(rule->name), identity, result,
                  is_dry ? "would " : "", spf_action_name(action));
        if (!is_dry) {
            *ruling = (struct spf_ruling){action, rule};
            return MFX_OK;
        }
        say_dry_run(decision, rule);
    }
    mfx_trace(decision, "rules", "no rule for %s %s: %s", identity, result,
              spf_action_name(ruling->action));
    return MFX_OK;
}
