/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/policy/origin.h>

enum {
    MACRO_NAME_MAX = 64,
};

const char *
mfx_origin_rule_name(enum mfx_origin_rule rule)
{
    switch (rule) {
    case MFX_ORIGIN_FOREIGN:
        return "foreign";
    case MFX_ORIGIN_LOGIN:
        return "login";
    case MFX_ORIGIN_DAEMON_NAME:
        return "daemon_name";
    case MFX_ORIGIN_MACRO:
        return "macro";
    case MFX_ORIGIN_HOST:
        return "internal_hosts";
    }
    return "unknown";
}

static bool
by_login(const struct mfx_origin_rules *rules,
         const struct mfx_origin_facts *facts, struct mfx_str *detail)
{
    *detail = facts->login.len > 0 ? facts->login : facts->auth_type;
    return rules->login && detail->len > 0;
}

static bool
by_daemon_name(const struct mfx_origin_rules *rules,
               const struct mfx_origin_facts *facts, struct mfx_str *detail)
{
    *detail = facts->daemon_name;
    for (size_t i = 0; i < rules->daemon_names.count; i++)
        if (detail->len > 0 &&
            mfx_str_eq(*detail, rules->daemon_names.items[i]))
            return true;
    return false;
}

/* The MTA's name of a macro: "{name}", or one letter. OpenDKIM's MacroList
 * has the names without braces. */
static struct mfx_str
macro_name(struct mfx_str name, char storage[MACRO_NAME_MAX])
{
    if (name.len <= 1 || name.p[0] == '{' || name.len + 2 > MACRO_NAME_MAX)
        return name;
    storage[0] = '{';
    memcpy(storage + 1, name.p, name.len);
    storage[name.len + 1] = '}';
    return mfx_str(storage, name.len + 2);
}

static bool
macro_matches(const struct mfx_origin_facts *facts, struct mfx_str item)
{
    char storage[MACRO_NAME_MAX];
    bool found = false;
    size_t equals = mfx_str_find(item, '=');
    struct mfx_str name = mfx_str_trim(mfx_str_head(item, equals)), want;
    struct mfx_str value =
        facts->macro(facts->macro_arg, macro_name(name, storage), &found);
    if (!found || equals == item.len)
        return found;
    item = mfx_str(item.p + equals + 1, item.len - equals - 1);
    while (mfx_str_cut(&item, '|', &want))
        if (mfx_str_eq(value, mfx_str_trim(want)))
            return true;
    return false;
}

static bool
by_macro(const struct mfx_origin_rules *rules,
         const struct mfx_origin_facts *facts, struct mfx_str *detail)
{
    if (facts->macro == NULL)
        return false;
    for (size_t i = 0; i < rules->macros.count; i++) {
        *detail = rules->macros.items[i];
        if (macro_matches(facts, *detail))
            return true;
    }
    return false;
}

/* Not even by its name is a client without an address internal. */
static bool
by_host(const struct mfx_origin_rules *rules,
        const struct mfx_origin_facts *facts, struct mfx_str *detail)
{
    return facts->client_ip.family != MFX_IP_NONE &&
           mfx_host_list_has(rules->hosts, facts->client_name,
                             &facts->client_ip, detail);
}

struct mfx_origin
mfx_origin_decide(const struct mfx_origin_rules *rules,
                  const struct mfx_origin_facts *facts)
{
    static const struct {
        enum mfx_origin_rule rule;
        bool (*holds)(const struct mfx_origin_rules *rules,
                      const struct mfx_origin_facts *facts,
                      struct mfx_str *detail);
    } order[] = {
        {MFX_ORIGIN_LOGIN,       by_login      },
        {MFX_ORIGIN_DAEMON_NAME, by_daemon_name},
        {MFX_ORIGIN_MACRO,       by_macro      },
        {MFX_ORIGIN_HOST,        by_host       },
    };
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        struct mfx_origin origin = {.rule = order[i].rule};
        if (order[i].holds(rules, facts, &origin.detail))
            return origin;
    }
    return (struct mfx_origin){.rule = MFX_ORIGIN_FOREIGN};
}
