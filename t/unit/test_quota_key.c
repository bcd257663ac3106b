/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "../../milters/quota/key.h"

static struct mfx_arena *arena;

static int
set_up(void **state)
{
    (void)state;
    arena = mfx_arena_new(0);
    return arena == NULL;
}

static int
tear_down(void **state)
{
    (void)state;
    mfx_arena_free(arena);
    return 0;
}

static struct mfx_ip
ip_of(const char *text)
{
    struct mfx_ip ip = {.family = MFX_IP_NONE};
    if (text != NULL)
        assert_int_equal(mfx_ip_parse(mfx_str_of(text), &ip), MFX_OK);
    return ip;
}

static void
makes(void **state)
{
    static const struct {
        const char *label, *key, *login, *sender_domain, *ip;
        unsigned prefix4, prefix6;
        const char *want, *joined; /* NULL: no key */
    } cases[] = {
        {"login",               "login",                           "me@example.org", "",            "192.0.2.77",            24, 64,
         "login=me@example.org",                                                                                                                                   "me@example.org"    },
        {"no login",            "login",                           "",               "",            "192.0.2.77",            24, 64, NULL,                         NULL                },
        {"pair",                "login + network",                 "me",             "",            "192.0.2.77",            24, 64,
         "login=me,network=192.0.2.0/24",                                                                                                                          "me+192.0.2.0/24"   },
        {"half a pair",         "login+network",                   "me",             "",            NULL,                    24, 64, NULL,                         NULL                },
        {"first choice",        "login | sender_domain | network", "me",             "example.org",
         "192.0.2.77",                                                                                                       24, 64, "login=me",                   "me"                },
        {"second choice",       "login|sender_domain|network",     "",               "example.org",
         "192.0.2.77",                                                                                                       24, 64, "sender_domain=example.org",  "example.org"       },
        {"third choice",        "login|sender_domain|network",     "",               "",            "192.0.2.77",
         24,                                                                                                                     64, "network=192.0.2.0/24",       "192.0.2.0/24"      },
        {"no choice left",      "login|sender_domain|network",     "",               "",            NULL,                    24, 64,
         NULL,                                                                                                                                                     NULL                },
        {"client",              "client",                          "",               "",            "192.0.2.77",            24, 64, "client=192.0.2.77",
         "192.0.2.77"                                                                                                                                                                  },
        {"odd prefix",          "network",                         "",               "",            "192.0.2.77",            27, 64,
         "network=192.0.2.64/27",                                                                                                                                  "192.0.2.64/27"     },
        {"whole address",       "network",                         "",               "",            "192.0.2.77",            32, 64,
         "network=192.0.2.77/32",                                                                                                                                  "192.0.2.77/32"     },
        {"everybody",           "network",                         "",               "",            "192.0.2.77",            0,  64,
         "network=0.0.0.0/0",                                                                                                                                      "0.0.0.0/0"         },
        {"version 6",           "network",                         "",               "",            "2001:db8:1:2:3:4:5:6",  24, 64,
         "network=2001:db8:1:2::/64",                                                                                                                              "2001:db8:1:2::/64" },
        {"version 6, 60 bits",  "network",                         "",               "",            "2001:db8:1:2f:3:4:5:6", 24,
         60,                                                                                                                         "network=2001:db8:1:20::/60", "2001:db8:1:20::/60"},
        {"mapped is version 4", "network",                         "",               "",            "::ffff:192.0.2.77",     24, 64,
         "network=192.0.2.0/24",                                                                                                                                   "192.0.2.0/24"      },
        {"site",                "site",                            "",               "",            NULL,                    24, 64, "site=all",                   "all"               },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct quota_key key;
        struct quota_made_key made;
        const struct quota_facts facts = {
            .login = mfx_str_of(cases[i].login),
            .sender_domain = mfx_str_of(cases[i].sender_domain),
            .client_ip = ip_of(cases[i].ip),
        };
        unit_assert_int(cases[i].label,
                        quota_key_parse(mfx_str_of(cases[i].key), &key, NULL),
                        MFX_OK);
        bool is_made = quota_key_make(&key, &facts, cases[i].prefix4,
                                      cases[i].prefix6, arena, &made);
        unit_assert_int(cases[i].label, is_made, cases[i].want != NULL);
        if (!is_made)
            continue;
        unit_assert_int(cases[i].label, mfx_str_is(made.text, cases[i].want),
                        true);
        unit_assert_int(cases[i].label,
                        mfx_str_is(made.joined, cases[i].joined), true);
    }
}

static void
refuses(void **state)
{
    static const struct {
        const char *label, *in;
    } cases[] = {
        {"malformed_empty",        ""                                  },
        {"malformed_unknown",      "logn"                              },
        {"malformed_no_part",      "login +"                           },
        {"malformed_no_choice",    "login |"                           },
        {"malformed_five_parts",   "login+sender+client+network+daemon"},
        {"malformed_five_choices", "login|sender|client|network|daemon"},
        {"malformed_case",         "Login"                             },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct quota_key key;
        struct mfx_err err = {""};
        unit_assert_int(cases[i].label,
                        quota_key_parse(mfx_str_of(cases[i].in), &key, &err),
                        MFX_PERMFAIL);
        unit_assert_int(cases[i].label, err.msg[0] != '\0', true);
    }
}

/* A key of any length becomes a name that the store takes, and two of them
 * stay two. */
static void
long_values(void **state)
{
    struct quota_key key;
    struct quota_made_key a, b;
    static char text[10240];
    (void)state;
    memset(text, 'x', sizeof text);
    struct quota_facts facts = {
        .login = {text, sizeof text}
    };
    assert_int_equal(quota_key_parse(mfx_str_of("login"), &key, NULL), MFX_OK);
    assert_true(quota_key_make(&key, &facts, 24, 64, arena, &a));
    assert_in_range(a.text.len, 10, 340);
    assert_int_equal(a.joined.len, sizeof text);
    /* printf 'x%.0s' $(seq 10240) | sha256sum */
    assert_true(mfx_str_is(a.text,
                           "login=sha256:04f8f86af2cd14ffe9bbe8da1518ce9c"
                           "980ae13fba87feb386b103544e9c4c6b"));
    facts.login.len--;
    assert_true(quota_key_make(&key, &facts, 24, 64, arena, &b));
    assert_false(mfx_str_eq(a.text, b.text));
    facts.login.len = 190;
    facts.sender = facts.sender_domain = facts.login;
    assert_int_equal(
        quota_key_parse(mfx_str_of("login+sender+sender_domain"), &key, NULL),
        MFX_OK);
    assert_true(quota_key_make(&key, &facts, 24, 64, arena, &a));
    assert_in_range(a.text.len, 10, 340);
}

static void
words_of_operators(void **state)
{
    static const struct {
        const char *label, *key, *words, *want; /* NULL: does not fit */
    } cases[] = {
        {"plain",                 "login",         "me@example.org",             "login=me@example.org"},
        {"named",                 "login",         "login=me",                   "login=me"            },
        {"address",               "client",        "2001:DB8::1",                "client=2001:db8::1"  },
        {"network of an address", "network",       "192.0.2.77",
         "network=192.0.2.0/24"                                                                        },
        {"network",               "network",       "192.0.2.0/24",               "network=192.0.2.0/24"},
        {"pair",                  "login+network", "login=me,network=192.0.2.9",
         "login=me,network=192.0.2.0/24"                                                               },
        {"pair without names",    "login+network", "me",                         NULL                  },
        {"half a pair",           "login+network", "login=me",                   NULL                  },
        {"malformed_empty",       "login",         "",                           NULL                  },
        {"malformed_empty_value", "login",         "login=",                     NULL                  },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct quota_key key;
        struct quota_made_key made;
        assert_int_equal(quota_key_parse(mfx_str_of(cases[i].key), &key, NULL),
                         MFX_OK);
        bool fits = quota_key_of_words(
            &key.choices[0], mfx_str_of(cases[i].words), 24, 64, arena, &made);
        unit_assert_int(cases[i].label, fits, cases[i].want != NULL);
        if (fits)
            unit_assert_int(cases[i].label,
                            mfx_str_is(made.text, cases[i].want), true);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes),
        cmocka_unit_test(refuses),
        cmocka_unit_test(long_values),
        cmocka_unit_test(words_of_operators),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
