/* SPDX-License-Identifier: BSD-2-Clause */
#include "rule.h"

#include <stdio.h>

#include <mfx/policy/domain_list.h>

static const char *const class_names[MASQ_CLASS_COUNT] = {
    [MASQ_ENVELOPE_SENDER] = "envelope_sender",
    [MASQ_ENVELOPE_RECIPIENT] = "envelope_recipient",
    [MASQ_HEADER_SENDER] = "header_sender",
    [MASQ_HEADER_RECIPIENT] = "header_recipient",
    [MASQ_MESSAGE_ID] = "message_id",
};

const char *masq_class_name(enum masq_class class)
{
    return class_names[class];
}

bool
masq_class_find(struct mfx_str name, enum masq_class *class)
{
    for (int i = 0; i < MASQ_CLASS_COUNT; i++)
        if (mfx_str_is(name, class_names[i])) {
            *class = (enum masq_class)i;
            return true;
        }
    return false;
}

bool
masq_whose_has(int whose, bool is_ours)
{
    return whose == MASQ_WHOSE_ALL || (whose == MASQ_WHOSE_OURS) == is_ours;
}

/* --- building --- */

struct building {
    struct masq_rule *rule;
    const struct masq_settings *all;
    const struct mfx_policy_build *build;
    size_t index;
};

/* NULL when no file gives it. */
static const char *
place_of(const struct building *b, const char *setting, unsigned *line)
{
    char where[80];
    (void)snprintf(where, sizeof where, "rules[%zu].%s", b->index, setting);
    return mfx_config_where(b->build->config, where, line);
}

static void
complain(const struct building *b, const char *setting, const char *text)
{
    unsigned line = 0;
    char where[40];
    const char *file = place_of(b, setting, &line);
    (void)snprintf(where, sizeof where, "rules[%zu]", b->index);
    if (file == NULL)
        file = mfx_config_where(b->build->config, where, &line);
    mfx_problem_add(b->build->problems, MFX_PROBLEM_ERROR,
                    file == NULL ? "" : file, line, "%s.%s: %s", where, setting,
                    text);
}

/* Settings that one kind alone has. */
static const struct {
    const char *setting;
    enum masq_kind kind;
} kind_settings[] = {
    {"maps",                     MASQ_KIND_CANONICAL },
    {"propagate_extension",      MASQ_KIND_CANONICAL },
    {"domains",                  MASQ_KIND_MASQUERADE},
    {"exceptions",               MASQ_KIND_MASQUERADE},
    {"masquerade_as",            MASQ_KIND_SENDMAIL  },
    {"masquerade_domain",        MASQ_KIND_SENDMAIL  },
    {"own_names",                MASQ_KIND_SENDMAIL  },
    {"masquerade_entire_domain", MASQ_KIND_SENDMAIL  },
    {"limited_masquerade",       MASQ_KIND_SENDMAIL  },
    {"masquerade_envelope",      MASQ_KIND_SENDMAIL  },
    {"allmasquerade",            MASQ_KIND_SENDMAIL  },
    {"exposed_user",             MASQ_KIND_SENDMAIL  },
    {"masquerade_exception",     MASQ_KIND_SENDMAIL  },
    {"genericstable",            MASQ_KIND_SENDMAIL  },
    {"generics_domain",          MASQ_KIND_SENDMAIL  },
    {"generics_entire_domain",   MASQ_KIND_SENDMAIL  },
};

static bool
is_default(const struct masq_rule_settings *settings, const char *setting)
{
    static const struct masq_rule_settings defaults = {.propagate_extension =
                                                           true};
    const struct mfx_option *o = masq_options;
    while (strcmp(o->name, "rules") != 0)
        o++;
    for (o = o->group_options; strcmp(o->name, setting) != 0;)
        o++;
    return mfx_option_is_same(o, settings, &defaults);
}

/* A default may be written out, as -T does. */
static void
check_kind(const struct building *b)
{
    unsigned line;
    for (size_t i = 0; i < sizeof kind_settings / sizeof kind_settings[0];
         i++) {
        const char *setting = kind_settings[i].setting;
        if ((int)kind_settings[i].kind != b->rule->settings->kind &&
            place_of(b, setting, &line) != NULL &&
            !is_default(b->rule->settings, setting))
            complain(b, setting, "belongs to a rule of another kind");
    }
}

static void
take_classes(const struct building *b)
{
    const struct masq_rule_settings *s = b->rule->settings;
    bool *has = b->rule->classes;
    for (size_t i = 0; i < s->classes.count; i++) {
        enum masq_class class;
        if (masq_class_find(s->classes.items[i], &class))
            has[class] = true;
        else
            complain(b, "classes",
                     "is to be of envelope_sender, envelope_recipient, "
                     "header_sender, header_recipient, message_id");
    }
    if (s->classes.count > 0)
        return;
    if (s->kind == MASQ_KIND_SENDMAIL) {
        for (int c = 0; c < MASQ_CLASS_COUNT; c++)
            has[c] =
                b->rule->sendmail != NULL &&
                masq_sendmail_has_class(b->rule->sendmail, (enum masq_class)c);
        return;
    }
    has[MASQ_ENVELOPE_SENDER] = true;
    has[MASQ_HEADER_SENDER] = has[MASQ_HEADER_RECIPIENT] = true;
    has[MASQ_ENVELOPE_RECIPIENT] = s->kind == MASQ_KIND_CANONICAL;
}

static enum mfx_rc
build_kind(const struct building *b, struct mfx_err *err)
{
    struct masq_rule *rule = b->rule;
    const struct masq_rule_settings *s = rule->settings;
    switch ((enum masq_kind)s->kind) {
    case MASQ_KIND_CANONICAL:
        rule->canonical = (struct masq_canonical){
            .maps = s->maps.items,
            .map_count = s->maps.count,
            .local_domains = b->all->local_domains,
            .origin_domain = b->all->origin_domain,
            .delimiters = b->all->recipient_delimiter,
            .propagates_extension = s->propagate_extension,
        };
        if (s->maps.count == 0)
            complain(b, "maps", "is needed");
        return MFX_OK;
    case MASQ_KIND_MASQUERADE:
        if (s->domains == NULL) {
            complain(b, "domains", "is needed");
            return MFX_OK;
        }
        return masq_masquerade_new(s->domains, s->exceptions, b->build->arena,
                                   &rule->masquerade, err);
    case MASQ_KIND_SENDMAIL:
        return masq_sendmail_new(s, b->build->arena, &rule->sendmail, err);
    }
    return MFX_TEMPFAIL;
}

static void
take_name(struct masq_rule *rule, size_t index, struct mfx_arena *arena)
{
    rule->name = rule->settings->name;
    if (rule->name.len == 0)
        rule->name = mfx_arena_printf(
            arena, "%s[%zu]", masq_kind_name(rule->settings->kind), index);
}

enum mfx_rc
masq_rule_build(struct masq_rule *rule,
                const struct masq_rule_settings *settings, size_t index,
                const struct masq_settings *all,
                const struct mfx_policy_build *build)
{
    const struct building b = {rule, all, build, index};
    struct mfx_err err = {""};
    char where[60];
    size_t errors = build->problems->errors;
    rule->settings = settings;
    take_name(rule, index, build->arena);
    check_kind(&b);
    (void)snprintf(where, sizeof where, "rules[%zu].if_clients", index);
    enum mfx_rc rc = settings->if_clients == NULL
                         ? MFX_OK
                         : mfx_host_list_new(settings->if_clients, where,
                                             build->problems, &rule->clients);
    enum mfx_rc kind = build_kind(&b, &err);
    if (kind != MFX_OK)
        complain(&b, "kind", err.msg);
    take_classes(&b);
    return build->problems->errors > errors ? MFX_PERMFAIL
                                            : mfx_rc_worst(rc, kind);
}

void
masq_rule_fini(struct masq_rule *rule)
{
    mfx_host_list_free(rule->clients);
}

/* --- whose mail --- */

static bool
has_daemon_name(const struct masq_rule_settings *s, struct mfx_str name)
{
    const struct mfx_option_list *list = &s->if_daemon_names;
    for (size_t i = 0; i < list->count; i++)
        if (mfx_str_eq_nocase(list->items[i], name))
            return true;
    return list->count == 0;
}

/* MFX_OK: some (every: all) of the recipients are in the list. */
static enum mfx_rc
recipients_in(struct mfx_table *list, bool every,
              const struct masq_facts *facts, struct mfx_arena *arena,
              struct mfx_err *err)
{
    enum mfx_rc rc = MFX_NOTFOUND;
    for (size_t i = 0; i < facts->recipient_count; i++) {
        rc = mfx_domain_list_has(list, facts->recipient_domains[i], arena, err);
        if (rc == MFX_TEMPFAIL || (rc == MFX_OK) != every)
            return rc;
    }
    return rc;
}

static enum mfx_rc
concerns_login(struct mfx_table *logins, struct mfx_str login,
               struct mfx_arena *arena, struct mfx_err *err)
{
    struct mfx_str value;
    if (logins == NULL)
        return MFX_OK;
    return login.len == 0 ? MFX_NOTFOUND
                          : mfx_table_get(logins, login, arena, &value, err);
}

enum mfx_rc
masq_rule_concerns(const struct masq_rule *rule, const struct masq_facts *facts,
                   struct mfx_arena *arena, struct mfx_err *err)
{
    const struct masq_rule_settings *s = rule->settings;
    if (!masq_whose_has(s->whose, facts->is_ours) ||
        !has_daemon_name(s, facts->daemon_name) ||
        (rule->clients != NULL &&
         !mfx_host_list_has(rule->clients, facts->client_name,
                            &facts->client_ip, NULL)))
        return MFX_NOTFOUND;
    enum mfx_rc rc = concerns_login(s->if_logins, facts->login, arena, err);
    if (rc == MFX_OK && s->if_sender_domains != NULL)
        rc = mfx_domain_list_has(s->if_sender_domains, facts->sender_domain,
                                 arena, err);
    if (rc == MFX_OK && s->if_recipient_domains != NULL)
        rc = recipients_in(s->if_recipient_domains, false, facts, arena, err);
    if (rc != MFX_OK || s->unless_recipient_domains == NULL)
        return rc;
    rc = recipients_in(s->unless_recipient_domains, true, facts, arena, err);
    return rc == MFX_OK ? MFX_NOTFOUND : rc == MFX_NOTFOUND ? MFX_OK : rc;
}

enum mfx_rc
masq_rule_concerns_recipient(const struct masq_rule *rule,
                             struct mfx_str domain, struct mfx_arena *arena,
                             struct mfx_err *err)
{
    const struct masq_rule_settings *s = rule->settings;
    enum mfx_rc rc =
        s->if_recipient_domains == NULL
            ? MFX_OK
            : mfx_domain_list_has(s->if_recipient_domains, domain, arena, err);
    if (rc != MFX_OK || s->unless_recipient_domains == NULL)
        return rc;
    rc = mfx_domain_list_has(s->unless_recipient_domains, domain, arena, err);
    return rc == MFX_OK ? MFX_NOTFOUND : rc == MFX_NOTFOUND ? MFX_OK : rc;
}

/* --- how --- */

enum mfx_rc
masq_rule_rewrite(const struct masq_rule *rule, const struct masq_facts *facts,
                  const struct masq_address *from, struct mfx_arena *arena,
                  struct masq_address *to, struct mfx_str *why,
                  struct mfx_err *err)
{
    switch ((enum masq_kind)rule->settings->kind) {
    case MASQ_KIND_CANONICAL:
        return masq_canonical_rewrite(&rule->canonical, from, arena, to, why,
                                      err);
    case MASQ_KIND_MASQUERADE:
        return masq_masquerade_rewrite(rule->masquerade, from, arena, to, why,
                                       err);
    case MASQ_KIND_SENDMAIL:
        return masq_sendmail_rewrite(rule->sendmail, facts->mta_name, from,
                                     arena, to, why, err);
    }
    return MFX_TEMPFAIL;
}
