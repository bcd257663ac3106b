/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The grammar of RFC 7208 12. */
#include <mfx/auth/spf_record.h>

#include "unit.h"

static struct mfx_arena *arena;

static int
set_up(void **state)
{
    (void)state;
    arena = mfx_arena_new(0);
    return arena == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    mfx_arena_free(arena);
    return 0;
}

static void
version(void **state)
{
    static const struct {
        const char *label, *text;
        bool is_one;
    } cases[] = {
        {"alone",       "v=spf1",       true },
        {"term",        "v=spf1 -all",  true },
        {"blank",       "v=spf1 ",      true },
        {"case",        "V=SpF1 -all",  true },
        {"no_blank",    "v=spf1-all",   false},
        {"spf10",       "v=spf10",      false},
        {"tab",         "v=spf1\t-all", false},
        {"short",       "v=spf",        false},
        {"blank_first", " v=spf1",      false},
        {"other",       "v=DKIM1",      false},
        {"empty",       "",             false},
        {"spf2",        "spf2.0/pra",   false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_int(cases[i].label,
                        mfx_spf_record_is_one(mfx_str_of(cases[i].text)),
                        cases[i].is_one);
}

/* A term as the table writes it: "fail a domain 24 64". */
static struct mfx_str
show(const struct mfx_spf_term *t)
{
    char ip[MFX_IP_TEXT];
    switch (t->kind) {
    case MFX_SPF_A:
    case MFX_SPF_MX:
        return mfx_arena_printf(
            arena, "%s %s [%.*s] %u %u", mfx_spf_result_name(t->qualifier),
            mfx_spf_term_name(t->kind), MFX_STR_ARG(t->domain_spec), t->cidr4,
            t->cidr6);
    case MFX_SPF_IP4:
    case MFX_SPF_IP6:
        return mfx_arena_printf(arena, "%s %s %s/%u",
                                mfx_spf_result_name(t->qualifier),
                                mfx_spf_term_name(t->kind),
                                mfx_ip_format(&t->net.ip, ip), t->net.prefix);
    case MFX_SPF_ALL:
    case MFX_SPF_INCLUDE:
    case MFX_SPF_PTR:
    case MFX_SPF_EXISTS:
        return mfx_arena_printf(
            arena, "%s %s [%.*s]", mfx_spf_result_name(t->qualifier),
            mfx_spf_term_name(t->kind), MFX_STR_ARG(t->domain_spec));
    case MFX_SPF_REDIRECT:
    case MFX_SPF_EXPLANATION:
    case MFX_SPF_UNKNOWN:
        break;
    }
    return mfx_arena_printf(arena, "%s [%.*s]", mfx_spf_term_name(t->kind),
                            MFX_STR_ARG(t->domain_spec));
}

static void
terms(void **state)
{
    static const struct {
        const char *label, *term, *want;
    } cases[] = {
        {"all",            "all",                    "pass all []"                   },
        {"minus_all",      "-all",                   "fail all []"                   },
        {"plus",           "+ALL",                   "pass all []"                   },
        {"soft",           "~all",                   "softfail all []"               },
        {"question",       "?all",                   "neutral all []"                },
        {"a",              "a",                      "pass a [] 32 128"              },
        {"a_domain",       "A:b.example",            "pass a [b.example] 32 128"     },
        {"a_cidr4",        "-a/24",                  "fail a [] 24 128"              },
        {"a_cidr6",        "a//64",                  "pass a [] 32 64"               },
        {"a_both",         "a/0//0",                 "pass a [] 0 0"                 },
        {"a_all",          "a:b.example/24//64",     "pass a [b.example] 24 64"      },
        {"a_slash",        "a:b/c.example",          "pass a [b/c.example] 32 128"   },
        {"a_slash_digits", "a:b/24.example/23",      "pass a [b/24.example] 23 128"  },
        {"a_colon",        "a:b:c.example",          "pass a [b:c.example] 32 128"   },
        {"a_equals",       "a:b=c.example",          "pass a [b=c.example] 32 128"   },
        {"a_macro",        "a:%{d}/24",              "pass a [%{d}] 24 128"          },
        {"a_macro_slash",  "a:%{d2/}",               "pass a [%{d2/}] 32 128"        },
        {"a_final_dot",    "a:b.example./8",         "pass a [b.example.] 8 128"     },
        {"mx",             "~Mx:b.example//128",     "softfail mx [b.example] 32 128"},
        {"ptr",            "ptr",                    "pass ptr []"                   },
        {"ptr_domain",     "?ptr:b.example",         "neutral ptr [b.example]"       },
        {"include",        "-include:b.example",     "fail include [b.example]"      },
        {"exists",         "exists:%{ir}.b.example", "pass exists [%{ir}.b.example]" },
        {"ip4",            "ip4:192.0.2.1",          "pass ip4 192.0.2.1/32"         },
        {"ip4_net",        "-IP4:192.0.2.255/24",    "fail ip4 192.0.2.0/24"         },
        {"ip4_odd",        "ip4:255.255.255.255/27", "pass ip4 255.255.255.224/27"   },
        {"ip4_zero",       "ip4:192.0.2.1/0",        "pass ip4 0.0.0.0/0"            },
        {"ip6",            "ip6:2001:DB8::1",        "pass ip6 2001:db8::1/128"      },
        {"ip6_net",        "ip6:2001:db8:ffff::/33", "pass ip6 2001:db8:8000::/33"   },
        {"ip6_dotted",     "ip6:::1.1.1.1/0",        "pass ip6 ::/0"                 },
        {"ip6_mapped",     "ip6:::ffff:1.2.3.4",     "pass ip6 ::ffff:1.2.3.4/128"   },
        {"redirect",       "Redirect=b.example",     "redirect [b.example]"          },
        {"exp",            "exp=%{d}",               "exp [%{d}]"                    },
        {"unknown",        "x-y_z.1=a:b/c",          "unknown [a:b/c]"               },
        {"unknown_empty",  "x=",                     "unknown []"                    },
        {"unknown_known",  "a=b",                    "unknown [b]"                   },
        {"unknown_ip4",    "ip4=192.0.2.1",          "unknown [192.0.2.1]"           },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str text =
            mfx_arena_printf(arena, "v=spf1  %s  ", cases[i].term);
        struct mfx_spf_record record;
        struct mfx_spf_mistake mistake;
        if (mfx_spf_record_parse(text, arena, &record, &mistake) != MFX_OK)
            fail_msg("%s: %s", cases[i].label, mistake.what);
        unit_assert_int(cases[i].label, record.term_count, 1);
        unit_assert_str(cases[i].label, record.terms[0].text,
                        mfx_str_of(cases[i].term));
        unit_assert_str(cases[i].label, show(&record.terms[0]),
                        mfx_str_of(cases[i].want));
    }
}

static void
malformed(void **state)
{
    static const struct {
        const char *label, *text;
        size_t at;
    } cases[] = {
        {"no_version",         "v=spf2 -all",                      0 },
        {"all_dot",            "v=spf1 -all.",                     7 },
        {"all_domain",         "v=spf1 all:b.example",             10},
        {"all_cidr",           "v=spf1 all/8",                     10},
        {"unknown",            "v=spf1 moo",                       7 },
        {"unknown_behind",     "v=spf1 -all moo",                  12},
        {"qualifier_alone",    "v=spf1 -",                         7 },
        {"two_qualifiers",     "v=spf1 +-all",                     7 },
        {"colon_alone",        "v=spf1 :b.example",                7 },
        {"a_empty",            "v=spf1 a:",                        9 },
        {"a_empty_cidr",       "v=spf1 a:/24",                     9 },
        {"a_slash",            "v=spf1 a/",                        8 },
        {"a_cidr4_33",         "v=spf1 a/33",                      8 },
        {"a_cidr6_129",        "v=spf1 a//129",                    8 },
        {"a_cidr_huge",        "v=spf1 a/99999999999999999999",    8 },
        {"a_leading_zero",     "v=spf1 a/024",                     8 },
        {"a_two_cidr4",        "v=spf1 a/24/24",                   8 },
        {"a_three_slashes",    "v=spf1 a///24",                    8 },
        {"a_numeric",          "v=spf1 a:192.0.2.1",               18},
        {"a_port",             "v=spf1 a:b.example:25",            21},
        {"mx_eight_bit",       "v=spf1 mx:\xE9.example",           10},
        {"include_alone",      "v=spf1 include",                   14},
        {"include_empty",      "v=spf1 include:",                  15},
        {"include_cidr",       "v=spf1 include:b.example/24",      27},
        {"exists_alone",       "v=spf1 exists",                    13},
        {"ptr_cidr",           "v=spf1 ptr/0",                     10},
        {"ptr_empty",          "v=spf1 ptr:",                      11},
        {"ip4_alone",          "v=spf1 ip4",                       10},
        {"ip4_empty",          "v=spf1 ip4:",                      11},
        {"ip4_short",          "v=spf1 ip4:192.0.2",               11},
        {"ip4_port",           "v=spf1 ip4:192.0.2.1:25",          11},
        {"ip4_33",             "v=spf1 ip4:192.0.2.1/33",          11},
        {"ip4_zero_first",     "v=spf1 ip4:192.0.2.01",            11},
        {"ip4_cidr_zero",      "v=spf1 ip4:192.0.2.0/08",          11},
        {"ip4_dual",           "v=spf1 ip4:192.0.2.1//32",         11},
        {"ip4_is_6",           "v=spf1 ip4:2001:db8::1",           11},
        {"ip4_name",           "v=spf1 ip4:b.example",             11},
        {"ip6_is_4",           "v=spf1 ip6:192.0.2.1",             11},
        {"ip6_129",            "v=spf1 ip6:::1/129",               11},
        {"ip6_brackets",       "v=spf1 ip6:[::1]",                 11},
        {"ip6_long",           "v=spf1 ip6:1:2:3:4:5:6:7:8:9",     11},
        {"ip6_scope",          "v=spf1 ip6:fe80::1%%lo",           11},
        {"redirect_empty",     "v=spf1 redirect=",                 16},
        {"redirect_top",       "v=spf1 redirect=-all",             20},
        {"redirect_colon",     "v=spf1 redirect:b.example",        7 },
        {"redirect_qualifier", "v=spf1 +redirect=b.example",       7 },
        {"redirect_twice",     "v=spf1 redirect=a.b redirect=a.b", 20},
        {"exp_twice",          "v=spf1 exp=a.b -all Exp=a.b",      20},
        {"exp_empty",          "v=spf1 exp= -all",                 11},
        {"exp_text_macro",     "v=spf1 exp=%{c}.example",          11},
        {"modifier_digit",     "v=spf1 1x=y",                      7 },
        {"modifier_empty",     "v=spf1 =y",                        7 },
        {"modifier_slash",     "v=spf1 moo.cow/far=x",             7 },
        {"modifier_macro",     "v=spf1 x=a%b",                     10},
        {"tab",                "v=spf1 a\t-all",                   7 },
        {"newline",            "v=spf1 ip4:192.0.2.1\n",           11},
        {"eight_bit_name",
         "v=spf1 \x96"
         "all",                                                    7 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_spf_record record;
        struct mfx_spf_mistake mistake = {0};
        if (mfx_spf_record_parse(mfx_str_of(cases[i].text), arena, &record,
                                 &mistake) != MFX_PERMFAIL)
            fail_msg("%s: not refused", cases[i].label);
        assert_non_null(mistake.what);
        unit_assert_int(cases[i].label, mistake.at, cases[i].at);
    }
}

static void
nul_octets(void **state)
{
    static const struct {
        const char *label;
        struct mfx_str text;
    } cases[] = {
        {"domain",   MFX_STR("v=spf1 a:foo.example.com\0")},
        {"middle",   MFX_STR("v=spf1 a:foo\0.example.com")},
        {"ip4",      MFX_STR("v=spf1 ip4:192.0.2.1\0")    },
        {"name",     MFX_STR("v=spf1 a\0ll")              },
        {"modifier", MFX_STR("v=spf1 x=\0")               },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_spf_summary summary;
        unit_assert_int(cases[i].label,
                        mfx_spf_record_check(cases[i].text, &summary, NULL),
                        MFX_PERMFAIL);
    }
}

static void
whole(void **state)
{
    static const struct mfx_str text =
        MFX_STR("v=spf1 exp=e.example  mx a:x.example ip4:192.0.2.0/24 "
                "redirect=r.example -all ");
    struct mfx_spf_record record;
    struct mfx_spf_summary summary;
    struct mfx_spf_term term;
    size_t at = 0, count = 0;
    (void)state;
    assert_int_equal(mfx_spf_record_parse(text, arena, &record, NULL), MFX_OK);
    assert_int_equal(record.term_count, 6);
    assert_ptr_equal(record.explanation, &record.terms[0]);
    assert_ptr_equal(record.redirect, &record.terms[4]);
    assert_int_equal(mfx_spf_record_check(text, &summary, NULL), MFX_OK);
    assert_int_equal(summary.term_count, 6);
    assert_true(summary.has_all && summary.has_redirect &&
                summary.has_explanation);
    unit_assert_str("redirect", summary.redirect.domain_spec,
                    mfx_str_of("r.example"));
    for (; mfx_spf_record_next(text, &at, &term); count++)
        unit_assert_str("next", term.text, record.terms[count].text);
    assert_int_equal(count, 6);
    assert_false(mfx_spf_record_next(text, &at, &term));
    assert_int_equal(
        mfx_spf_record_parse(mfx_str_of("v=spf1"), arena, &record, NULL),
        MFX_OK);
    assert_int_equal(record.term_count, 0);
    assert_null(record.redirect);
}

static void
counted(void **state)
{
    static const struct mfx_str text =
        MFX_STR("v=spf1 include:a.b a mx ptr exists:a.b redirect=a.b "
                "ip4:192.0.2.1 ip6:::1 exp=a.b x=y all");
    struct mfx_spf_term term;
    size_t at = 0;
    (void)state;
    for (int i = 0; mfx_spf_record_next(text, &at, &term); i++)
        unit_assert_int(mfx_spf_term_name(term.kind),
                        mfx_spf_term_is_counted(&term), i < 6);
}

/* 64 KB: all terms are read, and what is wrong at the very end is seen. */
static void
large(void **state)
{
    static char text[65535];
    struct mfx_spf_summary summary;
    struct mfx_spf_mistake mistake;
    size_t len = 6;
    (void)state;
    memcpy(text, "v=spf1", 6);
    for (; len + 2 + 5 <= sizeof text; len += 2)
        memcpy(text + len, " a", 2);
    memcpy(text + len, " -all", 5);
    len += 5;
    assert_int_equal(mfx_spf_record_check(mfx_str(text, len), &summary, NULL),
                     MFX_OK);
    assert_int_equal(summary.term_count, (len - 6 - 5) / 2 + 1);
    text[len - 1] = 'x';
    assert_int_equal(
        mfx_spf_record_check(mfx_str(text, len), &summary, &mistake),
        MFX_PERMFAIL);
    unit_assert_str("last", mistake.term, mfx_str_of("-alx"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version),   cmocka_unit_test(terms),
        cmocka_unit_test(malformed), cmocka_unit_test(nul_octets),
        cmocka_unit_test(whole),     cmocka_unit_test(counted),
        cmocka_unit_test(large),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
