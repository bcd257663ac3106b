/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Expected names: RFC 7208 7.4. */
#include <mfx/auth/spf_macro.h>

#include "unit.h"

static struct mfx_spf_macro_values
values_of(const char *ip)
{
    struct mfx_spf_macro_values values = {
        .sender = mfx_str_of("strong-bad@email.example.com"),
        .local = mfx_str_of("strong-bad"),
        .sender_domain = mfx_str_of("email.example.com"),
        .domain = mfx_str_of("email.example.com"),
        .validated = mfx_str_of("mx.example.org"),
        .helo = mfx_str_of("a b/c.example"),
        .receiver = mfx_str_of("mx.receiver.example"),
        .now_s = 1700000000,
    };
    assert_int_equal(mfx_ip_parse(mfx_str_of(ip), &values.ip), MFX_OK);
    return values;
}

static void
expansion(void **state)
{
    static const struct {
        const char *label, *ip, *spec, *want;
    } cases[] = {
  /* RFC 7208 7.4 */
        {"rfc_s",            "192.0.2.3",        "%{s}",                              "strong-bad@email.example.com"  },
        {"rfc_o",            "192.0.2.3",        "%{o}",                              "email.example.com"             },
        {"rfc_d",            "192.0.2.3",        "%{d}",                              "email.example.com"             },
        {"rfc_d4",           "192.0.2.3",        "%{d4}",                             "email.example.com"             },
        {"rfc_d3",           "192.0.2.3",        "%{d3}",                             "email.example.com"             },
        {"rfc_d2",           "192.0.2.3",        "%{d2}",                             "example.com"                   },
        {"rfc_d1",           "192.0.2.3",        "%{d1}",                             "com"                           },
        {"rfc_dr",           "192.0.2.3",        "%{dr}",                             "com.example.email"             },
        {"rfc_d2r",          "192.0.2.3",        "%{d2r}",                            "example.email"                 },
        {"rfc_l",            "192.0.2.3",        "%{l}",                              "strong-bad"                    },
        {"rfc_l-",           "192.0.2.3",        "%{l-}",                             "strong.bad"                    },
        {"rfc_lr",           "192.0.2.3",        "%{lr}",                             "strong-bad"                    },
        {"rfc_lr-",          "192.0.2.3",        "%{lr-}",                            "bad.strong"                    },
        {"rfc_l1r-",         "192.0.2.3",        "%{l1r-}",                           "strong"                        },
        {"rfc_ir_v",         "192.0.2.3",        "%{ir}.%{v}._spf.%{d2}",
         "3.2.0.192.in-addr._spf.example.com"                                                                         },
        {"rfc_lr_lp",        "192.0.2.3",        "%{lr-}.lp._spf.%{d2}",
         "bad.strong.lp._spf.example.com"                                                                             },
        {"rfc_lr_ir",        "192.0.2.3",        "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
         "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"                                                           },
        {"rfc_ir_l1r",       "192.0.2.3",        "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
         "3.2.0.192.in-addr.strong.lp._spf.example.com"                                                               },
        {"rfc_trusted",      "192.0.2.3",        "%{d2}.trusted-domains.example.net",
         "example.com.trusted-domains.example.net"                                                                    },
        {"rfc_v6",           "2001:db8::cb01",   "%{ir}.%{v}._spf.%{d2}",
         "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
         "ip6._spf.example.com"                                                                                       },
 /* ours */
        {"i_v6",             "2001:db8::cb01",   "%{i}",
         "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1"                                            },
        {"i1_v6",            "2001:db8::cb01",   "%{i1}",                             "1"                             },
        {"c_v6",             "2001:db8::cb01",   "%{c}",                              "2001:db8::cb01"                },
        {"c_v4",             "192.0.2.3",        "%{c}",                              "192.0.2.3"                     },
        {"mapped",           "::ffff:192.0.2.3", "%{i}.%{v}",                         "192.0.2.3.in-addr"             },
        {"p",                "192.0.2.3",        "%{p}",                              "mx.example.org"                },
        {"h_escaped",        "192.0.2.3",        "%{H}",                              "a%20b%2Fc.example"             },
        {"s_escaped",        "192.0.2.3",        "%{S}",                              "strong-bad%40email.example.com"},
        {"r_t",              "192.0.2.3",        "%{r} %{t}",                         "mx.receiver.example 1700000000"},
        {"literals",         "192.0.2.3",        "a%%b%_c%-d",                        "a%b c%20d"                     },
        {"many_digits",      "192.0.2.3",        "%{d99999999999999999999}",
         "email.example.com"                                                                                          },
        {"d128",             "192.0.2.3",        "%{d128r}",                          "com.example.email"             },
        {"two_delimiters",   "192.0.2.3",        "%{s2@-}",                           NULL                            },
        {"delimiters",       "192.0.2.3",        "%{h2/.}",                           "c.example"                     },
        {"delimiters_all",   "192.0.2.3",        "%{h/.}",                            "a b.c.example"                 },
        {"reversed_capital", "192.0.2.3",        "%{dR}",                             "com.example.email"             },
        {"no_separator",     "192.0.2.3",        "%{l2+}",                            "strong-bad"                    },
        {"nothing",          "192.0.2.3",        "",                                  ""                              },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_spf_macro_values values = values_of(cases[i].ip);
        struct mfx_str spec = mfx_str_of(cases[i].spec);
        struct mfx_buf out;
        mfx_buf_init(&out, 300);
        bool is_good = mfx_spf_macro_expand(spec, &values, &out);
        unit_assert_int(cases[i].label, is_good, cases[i].want != NULL);
        unit_assert_int(
            cases[i].label,
            mfx_spf_macro_check(spec, MFX_SPF_IN_TEXT, NULL, NULL, NULL),
            cases[i].want != NULL);
        if (is_good)
            unit_assert_str(cases[i].label, mfx_buf_str(&out),
                            mfx_str_of(cases[i].want));
        mfx_buf_fini(&out);
    }
}

static void
empty_values(void **state)
{
    static const struct {
        const char *label, *spec, *want;
    } cases[] = {
        {"p",        "%{p}",     "unknown"},
        {"r",        "%{r}",     "unknown"},
        {"h",        "x%{h}y",   "xy"     },
        {"h_r",      "x%{hr-}y", "xy"     },
        {"h_digits", "x%{h1}y",  "xy"     },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_spf_macro_values values = {.ip = {.family = MFX_IP_V4}};
        struct mfx_buf out;
        mfx_buf_init(&out, 300);
        assert_true(
            mfx_spf_macro_expand(mfx_str_of(cases[i].spec), &values, &out));
        unit_assert_str(cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(cases[i].want));
        mfx_buf_fini(&out);
    }
}

static void
odd_separators(void **state)
{
    static const struct {
        const char *label, *value, *spec, *want;
    } cases[] = {
        {"first",          ".a.b", "%{h}",   ".a.b"},
        {"first_reversed", ".a.b", "%{hr}",  "b.a."},
        {"last",           "a.b.", "%{h1}",  ""    },
        {"last_two",       "a.b.", "%{h2}",  "b."  },
        {"last_reversed",  "a.b.", "%{hr}",  ".b.a"},
        {"reversed_one",   "a.b.", "%{h1r}", "a"   },
        {"double",         "a..b", "%{h2}",  ".b"  },
        {"double_three",   "a..b", "%{h3}",  "a..b"},
        {"double_r2",      "a..b", "%{h2r}", ".a"  },
        {"only",           ".",    "%{h}",   "."   },
        {"only_one",       ".",    "%{h1}",  ""    },
        {"only_reversed",  ".",    "%{hr}",  "."   },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_spf_macro_values values = {
            .ip = {.family = MFX_IP_V4}, .helo = mfx_str_of(cases[i].value)};
        struct mfx_buf out;
        mfx_buf_init(&out, 300);
        assert_true(
            mfx_spf_macro_expand(mfx_str_of(cases[i].spec), &values, &out));
        unit_assert_str(cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(cases[i].want));
        mfx_buf_fini(&out);
    }
}

static void
malformed(void **state)
{
    static const struct {
        const char *label, *spec;
        enum mfx_spf_macro_place place;
        size_t at;
    } cases[] = {
        {"lone_percent",     "a%b.example",   MFX_SPF_IN_TEXT,     1},
        {"percent_at_end",   "ab%",           MFX_SPF_IN_TEXT,     2},
        {"not_closed",       "%{d",           MFX_SPF_IN_TEXT,     0},
        {"only_brace",       "%{",            MFX_SPF_IN_TEXT,     0},
        {"no_letter",        "%{}",           MFX_SPF_IN_TEXT,     0},
        {"unknown_letter",   "%{x}",          MFX_SPF_IN_TEXT,     0},
        {"zero_digits",      "%{d0}",         MFX_SPF_IN_TEXT,     0},
        {"zeros",            "%{d00}",        MFX_SPF_IN_TEXT,     0},
        {"wrong_order",      "%{dr2}",        MFX_SPF_IN_TEXT,     0},
        {"wrong_delimiter",  "%{d@}",         MFX_SPF_IN_TEXT,     0},
        {"parentheses",      "%(d).example",  MFX_SPF_IN_TEXT,     0},
        {"c_in_domain",      "%{c}.example",  MFX_SPF_IN_DOMAIN,   0},
        {"r_in_domain",      "%{r}.example",  MFX_SPF_IN_DOMAIN,   0},
        {"t_in_domain",      "%{t}.example",  MFX_SPF_IN_DOMAIN,   0},
        {"t_in_modifier",    "%{t}",          MFX_SPF_IN_MODIFIER, 0},
        {"blank_in_domain",  "a b.example",   MFX_SPF_IN_DOMAIN,   1},
        {"control",          "a\tb.example",  MFX_SPF_IN_TEXT,     1},
        {"eight_bit",        "a\xE9.example", MFX_SPF_IN_TEXT,     1},
        {"delete",           "a\x7F.example", MFX_SPF_IN_TEXT,     1},
        {"empty",            "",              MFX_SPF_IN_DOMAIN,   0},
        {"one_label",        "museum",        MFX_SPF_IN_DOMAIN,   6},
        {"one_label_dot",    "museum.",       MFX_SPF_IN_DOMAIN,   7},
        {"numeric_top",      "a.123",         MFX_SPF_IN_DOMAIN,   5},
        {"dash_first",       "a.-com",        MFX_SPF_IN_DOMAIN,   6},
        {"dash_last",        "a.com-",        MFX_SPF_IN_DOMAIN,   6},
        {"two_dots",         "a.com..",       MFX_SPF_IN_DOMAIN,   7},
        {"top_behind_macro", "%{d}com",       MFX_SPF_IN_DOMAIN,   7},
        {"dot_in_macro",     "%{d.}com",      MFX_SPF_IN_DOMAIN,   8},
        {"underscore_top",   "a.b_c",         MFX_SPF_IN_DOMAIN,   5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t at = 999;
        const char *what = NULL;
        if (mfx_spf_macro_check(mfx_str_of(cases[i].spec), cases[i].place, NULL,
                                &at, &what))
            fail_msg("%s: passed", cases[i].label);
        unit_assert_int(cases[i].label, at, cases[i].at);
        assert_non_null(what);
    }
}

static void
uses(void **state)
{
    static const struct {
        const char *label, *spec;
        enum mfx_spf_macro_place place;
        bool any, ptr, local;
    } cases[] = {
        {"none",     "a.example",       MFX_SPF_IN_DOMAIN,   0, 0, 0},
        {"dot",      "a.example.",      MFX_SPF_IN_DOMAIN,   0, 0, 0},
        {"digits",   "a.1b",            MFX_SPF_IN_DOMAIN,   0, 0, 0},
        {"dash",     "a.1-2",           MFX_SPF_IN_DOMAIN,   0, 0, 0},
        {"odd",      "a:b/c;d.example", MFX_SPF_IN_DOMAIN,   0, 0, 0},
        {"d",        "%{d}",            MFX_SPF_IN_DOMAIN,   1, 0, 0},
        {"percent",  "a.%%",            MFX_SPF_IN_DOMAIN,   1, 0, 0},
        {"p",        "%{p}.example",    MFX_SPF_IN_DOMAIN,   1, 1, 0},
        {"P",        "%{P2r-}.example", MFX_SPF_IN_DOMAIN,   1, 1, 0},
        {"l",        "%{l}.example",    MFX_SPF_IN_DOMAIN,   1, 0, 1},
        {"S",        "%{S}.example",    MFX_SPF_IN_DOMAIN,   1, 0, 1},
        {"text",     "you %{p} %{l}!",  MFX_SPF_IN_TEXT,     1, 1, 1},
        {"modifier", "",                MFX_SPF_IN_MODIFIER, 0, 0, 0},
        {"no_top",   "x%{i}y",          MFX_SPF_IN_MODIFIER, 1, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_spf_macro_use use;
        if (!mfx_spf_macro_check(mfx_str_of(cases[i].spec), cases[i].place,
                                 &use, NULL, NULL))
            fail_msg("%s: refused", cases[i].label);
        unit_assert_int(cases[i].label, use.any, cases[i].any);
        unit_assert_int(cases[i].label, use.ptr, cases[i].ptr);
        unit_assert_int(cases[i].label, use.local, cases[i].local);
    }
}

/* Labels of 62 octets and a dot, `count` of them, then "end". */
static struct mfx_str
long_name(char *room, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        memset(room + i * 63, 'a' + (int)i, 62);
        room[i * 63 + 62] = '.';
    }
    memcpy(room + count * 63, "end", 3);
    return mfx_str(room, count * 63 + 3);
}

static void
names(void **state)
{
    char room[1000];
    (void)state;
    unit_assert_str("dot", mfx_spf_macro_name(mfx_str_of("a.example.")),
                    mfx_str_of("a.example"));
    unit_assert_str("empty", mfx_spf_macro_name(mfx_str_of("")),
                    mfx_str_of(""));
    unit_assert_str("one_dot", mfx_spf_macro_name(mfx_str_of(".")),
                    mfx_str_of(""));
    struct mfx_str fits = long_name(room, 3);
    unit_assert_str("fits", mfx_spf_macro_name(fits), fits);
    struct mfx_str over = long_name(room, 4);
    unit_assert_str("over", mfx_spf_macro_name(over), mfx_str_from(over, 63));
    over = long_name(room, 12);
    unit_assert_str("far_over", mfx_spf_macro_name(over),
                    mfx_str_from(over, 9 * 63));
    memset(room, 'x', sizeof room);
    unit_assert_int("one_label", mfx_spf_macro_name(mfx_str(room, 600)).len,
                    600);
}

/* 64 KB of macros with a long sender: the buffer ends it. */
static void
without_end(void **state)
{
    static char spec[65536], sender[1000];
    struct mfx_spf_macro_values values = {
        .ip = {.family = MFX_IP_V4},
        .sender = mfx_str(sender, sizeof sender),
    };
    struct mfx_buf out;
    (void)state;
    memset(sender, ' ', sizeof sender);
    for (size_t i = 0; i < sizeof spec; i += 4)
        memcpy(spec + i, "%{S}", 4);
    mfx_buf_init(&out, MFX_SPF_NAME_ROOM);
    assert_false(
        mfx_spf_macro_expand(mfx_str(spec, sizeof spec), &values, &out));
    assert_true(out.len <= MFX_SPF_NAME_ROOM);
    mfx_buf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expansion),      cmocka_unit_test(empty_values),
        cmocka_unit_test(odd_separators), cmocka_unit_test(malformed),
        cmocka_unit_test(uses),           cmocka_unit_test(names),
        cmocka_unit_test(without_end),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
