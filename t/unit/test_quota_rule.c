/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "../../milters/quota/rule.h"

struct fixture {
    struct mfx_arena *arena;
    struct mfx_table_set *tables;
    struct mfx_problems problems;
    struct quota_zones *zones;
    struct mfx_policy_build build;
    struct quota_rule_settings settings;
    struct quota_rule rule;
};

static struct mfx_table *
table_of(struct fixture *f, const char *spec)
{
    struct mfx_table *table = NULL;
    assert_int_equal(mfx_table_open(f->tables, mfx_str_of(spec),
                                    MFX_TABLE_NOCASE, "", 0, &f->problems,
                                    &table),
                     MFX_OK);
    return table;
}

static void
init(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->arena = mfx_arena_new(0);
    f->tables = mfx_table_set_new(NULL);
    f->zones = quota_zones_new();
    assert_true(f->arena != NULL && f->tables != NULL && f->zones != NULL);
    mfx_problems_init(&f->problems, f->arena);
    f->build.arena = f->arena;
    f->build.problems = &f->problems;
    f->settings = (struct quota_rule_settings){
        .name = MFX_STR("daily"),
        .key = MFX_STR("login"),
        .count = QUOTA_COUNT_RECIPIENTS,
        .limits = MFX_STR("500/1d"),
        .ipv4_prefix = 24,
        .ipv6_prefix = 64,
    };
}

static void
fini(struct fixture *f)
{
    quota_rule_fini(&f->rule);
    quota_zones_release(f->zones);
    mfx_table_set_free(f->tables);
    mfx_arena_free(f->arena);
}

/* The limit of the day window that a login gets; 0 when it has none. */
static uint64_t
limit_of(struct fixture *f, const char *login, const char *override,
         enum quota_limits_source *source, struct quota_limits *limits)
{
    struct quota_made_key key;
    const struct quota_facts facts = {.login = mfx_str_of(login)};
    assert_true(quota_key_make(&f->rule.key, &facts, 24, 64, f->arena, &key));
    if (quota_rule_limits(&f->rule, &key, mfx_str_of(override), f->arena,
                          limits, source, NULL) != MFX_OK)
        return UINT64_MAX - 1;
    for (size_t i = 0; i < limits->window_count; i++)
        if (limits->windows[i].span_ms == 86400000)
            return limits->windows[i].limit;
    return 0;
}

static void
whose_limits(void **state)
{
    static const struct {
        const char *label, *login, *override;
        uint64_t want;
        enum quota_limits_source source;
        bool is_blocked;
    } cases[] = {
        {"the rule's",                  "nobody@example.com", "",               500,                 QUOTA_LIMITS_TABLE,
         false                                                                                                                   },
        {"its own",                     "anna@example.org",   "",               2000,                QUOTA_LIMITS_TABLE,    false},
        {"in another case",             "ANNA@example.org",   "",               2000,                QUOTA_LIMITS_TABLE,
         false                                                                                                                   },
        {"its domain's plan",           "ben@example.org",    "",               1000,                QUOTA_LIMITS_TABLE,
         false                                                                                                                   },
        {"unlimited still counts",      "root",               "",               MFX_STORE_UNLIMITED,
         QUOTA_LIMITS_TABLE,                                                                                                false},
        {"blocked still counts",        "eve@example.org",    "",               MFX_STORE_UNLIMITED,
         QUOTA_LIMITS_TABLE,                                                                                                true },
        {"an override",                 "anna@example.org",   "7/1d",           7,                   QUOTA_LIMITS_OVERRIDE,
         false                                                                                                                   },
        {"an override of another span", "anna@example.org",   "7/1h",
         MFX_STORE_UNLIMITED,                                                                        QUOTA_LIMITS_OVERRIDE, false},
        {"a block",                     "anna@example.org",   "blocked stolen", MFX_STORE_UNLIMITED,
         QUOTA_LIMITS_OVERRIDE,                                                                                             true },
        {"a broken override is none",   "anna@example.org",   "7/1y",           2000,
         QUOTA_LIMITS_TABLE,                                                                                                false},
    };
    struct fixture f;
    (void)state;
    init(&f);
    f.settings.limits_table = table_of(
        &f, "inline:anna@example.org=2000/1d, example.org=gold, "
            "root=unlimited, eve@example.org=blocked for spam, *=500/1d");
    f.settings.plans = table_of(&f, "inline:gold=1000/1d, silver=700/1d");
    assert_int_equal(
        quota_rule_build(&f.rule, &f.settings, 0, &f.build, f.zones), MFX_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum quota_limits_source source;
        struct quota_limits limits;
        uint64_t got =
            limit_of(&f, cases[i].login, cases[i].override, &source, &limits);
        unit_assert_int(cases[i].label, got, cases[i].want);
        unit_assert_int(cases[i].label, source, cases[i].source);
        unit_assert_int(cases[i].label, limits.is_blocked, cases[i].is_blocked);
    }
    fini(&f);
}

static void
no_limits(void **state)
{
    struct fixture f;
    enum quota_limits_source source;
    struct quota_limits limits;
    (void)state;
    init(&f);
    f.settings.limits = mfx_str("", 0);
    f.settings.limits_table = table_of(&f, "inline:anna=5/1d");
    assert_int_equal(
        quota_rule_build(&f.rule, &f.settings, 0, &f.build, f.zones), MFX_OK);
    assert_int_equal(limit_of(&f, "anna", "", &source, &limits), 5);
    assert_int_equal(limit_of(&f, "ben", "", &source, &limits), 0);
    assert_int_equal(source, QUOTA_LIMITS_NONE);
    fini(&f);
}

static void
when_rules_are_asked(void **state)
{
    static const struct {
        const char *label, *key;
        enum quota_count count;
        enum quota_action action;
        enum quota_whose whose;
        enum quota_when want;
    } cases[] = {
        {"recipients",               "login",               QUOTA_COUNT_RECIPIENTS,       QUOTA_ACTION_REJECT,
         QUOTA_WHOSE_ALL,                                                                                                            QUOTA_AT_RCPT   },
        {"From",                     "login | from_domain", QUOTA_COUNT_RECIPIENTS,
         QUOTA_ACTION_REJECT,                                                                                   QUOTA_WHOSE_ALL,     QUOTA_AT_END    },
        {"hold",                     "login",               QUOTA_COUNT_MESSAGES,         QUOTA_ACTION_HOLD,
         QUOTA_WHOSE_ALL,                                                                                                            QUOTA_AT_END    },
        {"discard",                  "login",               QUOTA_COUNT_MESSAGES,         QUOTA_ACTION_DISCARD,
         QUOTA_WHOSE_ALL,                                                                                                            QUOTA_AT_END    },
        {"connections by network",   "network + daemon",    QUOTA_COUNT_CONNECTIONS,
         QUOTA_ACTION_TEMPFAIL,                                                                                 QUOTA_WHOSE_ALL,     QUOTA_AT_CONNECT},
        {"connections by login",     "login | network",     QUOTA_COUNT_CONNECTIONS,
         QUOTA_ACTION_TEMPFAIL,                                                                                 QUOTA_WHOSE_ALL,     QUOTA_AT_MAIL   },
        {"connections of strangers", "network",             QUOTA_COUNT_OPEN_CONNECTIONS,
         QUOTA_ACTION_TEMPFAIL,                                                                                 QUOTA_WHOSE_FOREIGN, QUOTA_AT_MAIL   },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        init(&f);
        f.settings.key = mfx_str_of(cases[i].key);
        f.settings.count = (int)cases[i].count;
        f.settings.action = (int)cases[i].action;
        f.settings.whose = (int)cases[i].whose;
        if (cases[i].count == QUOTA_COUNT_OPEN_CONNECTIONS)
            f.settings.limits = mfx_str_of("20");
        unit_assert_int(
            cases[i].label,
            quota_rule_build(&f.rule, &f.settings, 0, &f.build, f.zones),
            MFX_OK);
        unit_assert_int(cases[i].label, f.rule.when, cases[i].want);
        fini(&f);
    }
}

static void
lists_addresses(void **state)
{
    static const struct {
        const char *label, *address;
        enum mfx_rc want;
    } cases[] = {
        {"the address",       "help@example.org",     MFX_OK      },
        {"another one there", "anna@example.org",     MFX_NOTFOUND},
        {"a domain",          "anna@example.net",     MFX_OK      },
        {"not below it",      "anna@mx.example.net",  MFX_NOTFOUND},
        {"below a domain",    "anna@mx.example.com",  MFX_OK      },
        {"far below",         "anna@a.b.example.com", MFX_OK      },
        {"the domain itself", "anna@example.com",     MFX_NOTFOUND},
        {"without a domain",  "root",                 MFX_OK      },
        {"malformed_empty",   "",                     MFX_NOTFOUND},
        {"malformed_two_ats", "a@b@example.net",      MFX_OK      },
    };
    struct fixture f;
    (void)state;
    init(&f);
    struct mfx_table *table =
        table_of(&f, "csl:help@example.org,example.net,.example.com,root");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_int(cases[i].label,
                        quota_rule_lists_address(
                            table, mfx_str_of(cases[i].address), f.arena, NULL),
                        cases[i].want);
    assert_int_equal(
        quota_rule_lists_address(NULL, mfx_str_of("a@b"), f.arena, NULL),
        MFX_NOTFOUND);
    fini(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whose_limits),
        cmocka_unit_test(no_limits),
        cmocka_unit_test(when_rules_are_asked),
        cmocka_unit_test(lists_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
