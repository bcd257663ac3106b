/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/policy/origin.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct macro {
    const char *name, *value;
};

static struct mfx_str
get_macro(void *arg, struct mfx_str name, bool *found)
{
    const struct macro *macro = arg;
    *found = macro->name != NULL && mfx_str_is(name, macro->name);
    return mfx_str_of(*found ? macro->value : NULL);
}

static struct mfx_host_list *
hosts_of(struct mfx_table_set *set, struct mfx_problems *problems)
{
    struct mfx_table *table = NULL;
    struct mfx_host_list *list = NULL;
    assert_int_equal(
        mfx_table_open(set, mfx_str_of("csl:127.0.0.0/8,.example.org"),
                       MFX_TABLE_NOCASE, "hosts", 0, problems, &table),
        MFX_OK);
    assert_int_equal(mfx_host_list_new(table, "hosts", problems, &list),
                     MFX_OK);
    return list;
}

static void
deciding(void **state)
{
    static const struct mfx_str daemons[] = {MFX_STR("ORIGINATING"),
                                             MFX_STR("MSA")};
    static const struct mfx_str macros[] = {MFX_STR("{pop_auth}"),
                                            MFX_STR("{zone}=inner|dmz"),
                                            MFX_STR("i=Q1"), MFX_STR("bare")};
    static const struct {
        const char *label, *login, *auth_type, *daemon, *name, *ip;
        struct macro macro;
        enum mfx_origin_rule rule;
        const char *detail;
    } cases[] = {
        {"nothing",             "", "",      "", "",              NULL, {NULL, NULL},        MFX_ORIGIN_FOREIGN, ""                },
        {"login",
         "alice",                   "PLAIN",
         "",                                     "",
         "203.0.113.1",                                                 {NULL, NULL},
         MFX_ORIGIN_LOGIN,                                                                                       "alice"           },
        {"auth_type_alone",
         "",                        "PLAIN",
         "",                                     "",
         "203.0.113.1",                                                 {NULL, NULL},
         MFX_ORIGIN_LOGIN,                                                                                       "PLAIN"           },
        {"login_first",
         "alice",                   "",
         "ORIGINATING",                          "",
         "127.0.0.1",                                                   {NULL, NULL},
         MFX_ORIGIN_LOGIN,                                                                                       "alice"           },
        {"daemon_name",
         "",                        "",
         "ORIGINATING",                          "",
         "203.0.113.1",                                                 {NULL, NULL},
         MFX_ORIGIN_DAEMON_NAME,                                                                                 "ORIGINATING"     },
        {"second_daemon_name",
         "",                        "",
         "MSA",                                  "",
         NULL,                                                          {NULL, NULL},
         MFX_ORIGIN_DAEMON_NAME,                                                                                 "MSA"             },
        {"daemon_name_case",
         "",                        "",
         "originating",                          "",
         "203.0.113.1",                                                 {NULL, NULL},
         MFX_ORIGIN_FOREIGN,                                                                                     ""                },
        {"macro_present",
         "",                        "",
         "",                                     "",
         "203.0.113.1",                                                 {"{pop_auth}", ""},
         MFX_ORIGIN_MACRO,                                                                                       "{pop_auth}"      },
        {"macro_second_value",
         "",                        "",
         "",                                     "",
         "203.0.113.1",                                                 {"{zone}", "dmz"},
         MFX_ORIGIN_MACRO,                                                                                       "{zone}=inner|dmz"},
        {"macro_other_value",
         "",                        "",
         "",                                     "",
         "203.0.113.1",                                                 {"{zone}", "outer"},
         MFX_ORIGIN_FOREIGN,                                                                                     ""                },
        {"macro_value_case",
         "",                        "",
         "",                                     "",
         "203.0.113.1",                                                 {"{zone}", "DMZ"},
         MFX_ORIGIN_FOREIGN,                                                                                     ""                },
        {"macro_empty_value",
         "",                        "",
         "",                                     "",
         "203.0.113.1",                                                 {"{zone}", ""},
         MFX_ORIGIN_FOREIGN,                                                                                     ""                },
        {"macro_one_letter",
         "",                        "",
         "",                                     "",
         "203.0.113.1",                                                 {"i", "Q1"},
         MFX_ORIGIN_MACRO,                                                                                       "i=Q1"            },
        {"macro_without_brace",
         "",                        "",
         "",                                     "",
         "203.0.113.1",                                                 {"{bare}", "x"},
         MFX_ORIGIN_MACRO,                                                                                       "bare"            },
        {"host_by_address",
         "",                        "",
         "MTA",                                  "",
         "127.0.0.9",                                                   {NULL, NULL},
         MFX_ORIGIN_HOST,                                                                                        "127.0.0.0/8"     },
        {"host_by_name",
         "",                        "",
         "",                                     "a.example.org",
         "203.0.113.1",                                                 {NULL, NULL},
         MFX_ORIGIN_HOST,                                                                                        ".example.org"    },
        {"no_address_no_host",
         "",                        "",
         "",                                     "a.example.org",
         NULL,                                                          {NULL, NULL},
         MFX_ORIGIN_FOREIGN,                                                                                     ""                },
    };
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_problems problems;
    mfx_problems_init(&problems, arena);
    struct mfx_table_set *set = mfx_table_set_new(NULL);
    struct mfx_host_list *hosts = hosts_of(set, &problems);
    const struct mfx_origin_rules rules = {
        .login = true,
        .daemon_names = {daemons, COUNT(daemons)},
        .macros = {macros,  COUNT(macros) },
        .hosts = hosts,
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct macro macro = cases[i].macro;
        struct mfx_origin_facts facts = {
            .login = mfx_str_of(cases[i].login),
            .auth_type = mfx_str_of(cases[i].auth_type),
            .daemon_name = mfx_str_of(cases[i].daemon),
            .client_name = mfx_str_of(cases[i].name),
            .macro = get_macro,
            .macro_arg = &macro,
        };
        if (cases[i].ip != NULL)
            assert_int_equal(
                mfx_ip_parse(mfx_str_of(cases[i].ip), &facts.client_ip),
                MFX_OK);
        struct mfx_origin origin = mfx_origin_decide(&rules, &facts);
        unit_assert_int(cases[i].label, origin.rule, cases[i].rule);
        unit_assert_str(cases[i].label, origin.detail,
                        mfx_str_of(cases[i].detail));
        unit_assert_int(cases[i].label, mfx_origin_is_ours(&origin),
                        cases[i].rule != MFX_ORIGIN_FOREIGN);
    }
    mfx_host_list_free(hosts);
    mfx_table_set_free(set);
    mfx_arena_free(arena);
}

/* Rules that are all off, and facts that are all missing. */
static void
nothing_set(void **state)
{
    const struct mfx_origin_rules rules = {.login = false};
    const struct mfx_origin_facts facts = {
        .login = MFX_STR("alice"),
        .daemon_name = MFX_STR("ORIGINATING"),
        .client_ip = {.family = MFX_IP_V4, .bytes = {127, 0, 0, 1}},
    };
    (void)state;
    struct mfx_origin origin = mfx_origin_decide(&rules, &facts);
    assert_int_equal(origin.rule, MFX_ORIGIN_FOREIGN);
    assert_string_equal(mfx_origin_rule_name(origin.rule), "foreign");
    assert_string_equal(mfx_origin_rule_name(MFX_ORIGIN_HOST),
                        "internal_hosts");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deciding),
        cmocka_unit_test(nothing_set),
    };
    return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
