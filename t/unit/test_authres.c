/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/mail/authres.h>
#include <mfx/mail/header.h>

struct property {
    const char *type, *name, *value;
};

struct result {
    const char *method, *result, *reason;
    struct property properties[3];
};

static void
check_result(const char *label, const struct mfx_authres_result *got,
             const struct result *want)
{
    size_t count = 0;
    unit_assert_str(label, got->method, mfx_str_of(want->method));
    unit_assert_str(label, got->result, mfx_str_of(want->result));
    unit_assert_str(label, got->reason, mfx_str_of(want->reason));
    for (; count < 3 && want->properties[count].type != NULL; count++) {
        const struct property *p = &want->properties[count];
        unit_assert_int(label, got->property_count > count, true);
        unit_assert_str(label, got->properties[count].type,
                        mfx_str_of(p->type));
        unit_assert_str(label, got->properties[count].name,
                        mfx_str_of(p->name));
        unit_assert_str(label, got->properties[count].value,
                        mfx_str_of(p->value));
    }
    unit_assert_int(label, got->property_count, count);
}

/* RFC 8601 appendix B; then what else is well-formed. */
static void
read_whole(void **state)
{
    static const struct {
        const char *label, *in, *id;
        size_t count;
        struct result results[3];
    } cases[] = {
        {"b_2",              " example.org 1; none",                         "example.org",       0, {{0}}                                                          },
        {"b_3",
         " example.com;\n\tspf=pass smtp.mailfrom=example.net",              "example.com",
         1,                                                                                          {{"spf", "pass", NULL, {{"smtp", "mailfrom", "example.net"}}}} },
        {"b_4",
         " example.com;\n\tauth=pass (cram-md5) smtp.auth=sender@example.net;"
         "\n\tspf=pass smtp.mailfrom=example.net",                           "example.com",
         2,                                                                                          {{"auth", "pass", NULL, {{"smtp", "auth", "sender@example.net"}}},
          {"spf", "pass", NULL, {{"smtp", "mailfrom", "example.net"}}}}                                                                                  },
        {"b_4_iprev",
         " example.com; iprev=pass\n\tpolicy.iprev=192.0.2.200",             "example.com",
         1,                                                                                          {{"iprev", "pass", NULL, {{"policy", "iprev", "192.0.2.200"}}}}},
        {"b_5",
         " example.com;\n\tdkim=pass (good signature) header.d=example.com", "example.com",
         1,                                                                                          {{"dkim", "pass", NULL, {{"header", "d", "example.com"}}}}     },
        {"b_6",
         " example.com;\n\tdkim=pass reason=\"good signature\"\n\t"
         "header.i=@mail-router.example.net;\n\tdkim=fail "
         "reason=\"bad signature\"\n\theader.i=@newyork.example.com",        "example.com",
         2,                                                                                          {{"dkim",
           "pass",
           "good signature",
           {{"header", "i", "@mail-router.example.net"}}},
          {"dkim",
           "fail",
           "bad signature",
           {{"header", "i", "@newyork.example.com"}}}}                                                                                                   },
        {"b_7",
         " foo.example.net (foobar) 1 (baz);\n\tdkim (Because I like it) / 1 "
         "(One yay) = (wait for it) fail\n\tpolicy (A dot can go here) . "
         "(like that) expired\n\t(this surprised me) = (as I wasn't expecting "
         "it) 1362471462",                                                   "foo.example.net",
         1,                                                                                          {{"dkim", "fail", NULL, {{"policy", "expired", "1362471462"}}}}},
        {"quoted_id",        " \"example\\.org\"; none",                     "example.org",       0, {{0}}                                                          },
        {"job_id",           " example.org/4711; none",                      "example.org/4711",  0, {{0}}                                                          },
        {"utf8_id",          " b\xC3\xBC.example; none",                     "b\xC3\xBC.example", 0, {{0}}                                                          },
        {"quoted_values",
         " a; dkim=pass header.b=\"a/b=\" header.i=\"x y\"@c",               "a",
         1,                                                                                          {{"dkim",
           "pass",
           NULL,
           {{"header", "b", "a/b="}, {"header", "i", "x y@c"}}}}                                                                                         },
        {"bare_base64",
         " a; dkim=pass header.b=a/b+c=",                                    "a",
         1,                                                                                          {{"dkim", "pass", NULL, {{"header", "b", "a/b+c="}}}}          },
        {"semicolon_inside",
         " a; dkim=pass (a; spf=x) header.d=\"b; c=d\"",                     "a",
         1,                                                                                          {{"dkim", "pass", NULL, {{"header", "d", "b; c=d"}}}}          },
        {"upper_none",       " a; NONE",                                     "a",                 0, {{0}}                                                          },
        {"last_semicolon",
         " a; spf=none;",                                                    "a",
         1,                                                                                          {{"spf", "none", NULL, {{0}}}}                                 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_authres got;
        unit_assert_int(
            cases[i].label,
            mfx_authres_parse(mfx_str_of(cases[i].in), arena, 10, &got),
            MFX_OK);
        unit_assert_int(cases[i].label, got.is_whole, true);
        unit_assert_str(cases[i].label, got.authserv_id,
                        mfx_str_of(cases[i].id));
        unit_assert_int(cases[i].label, got.result_count, cases[i].count);
        for (size_t r = 0; r < got.result_count; r++)
            check_result(cases[i].label, &got.results[r], &cases[i].results[r]);
        mfx_arena_free(arena);
    }
}

static void
read_malformed(void **state)
{
    static const struct {
        const char *label, *in;
        enum mfx_rc rc;
        const char *id;
        size_t count;
    } cases[] = {
        {"empty",             "",                              MFX_PERMFAIL, "",      0},
        {"blank",             " \n\t",                         MFX_PERMFAIL, "",      0},
        {"only_comment",      " (a; dkim=pass)",               MFX_PERMFAIL, "",      0},
        {"only_semicolon",    ";",                             MFX_PERMFAIL, "",      0},
        {"no_id",             " dkim=pass header.d=a",         MFX_OK,       "",      1},
        {"no_id_blank",       " dkim = pass; spf=fail",        MFX_OK,       "",      2},
        {"no_id_semicolon",   " ; dkim=pass",                  MFX_OK,       "",      1},
        {"no_results",        " a",                            MFX_OK,       "a",     0},
        {"no_semicolon",      " a dkim=pass",                  MFX_OK,       "a",     0},
        {"version_word",      " a b; dkim=pass",               MFX_OK,       "a",     1},
        {"none_and_result",   " a; none; dkim=pass",           MFX_OK,       "a",     1},
        {"no_equals",         " a; dkim pass; spf=pass",       MFX_OK,       "a",     1},
        {"no_result",         " a; dkim=; spf=pass",           MFX_OK,       "a",     1},
        {"no_method",         " a; =pass; spf=pass",           MFX_OK,       "a",     1},
        {"result_quoted",     " a; dkim=\"pass\"; spf=pass",   MFX_OK,       "a",     1},
        {"no_property_value", " a; dkim=pass header.d=",       MFX_OK,       "a",     1},
        {"no_property_name",  " a; dkim=pass header.=x",       MFX_OK,       "a",     1},
        {"no_property_type",  " a; dkim=pass .d=x",            MFX_OK,       "a",     1},
        {"stray_word",        " a; dkim=pass good header.d=x", MFX_OK,       "a",     1},
        {"stray_byte",        " a; dkim=pass, spf=fail",       MFX_OK,       "a",     1},
        {"open_comment",      " a; dkim=pass (b",              MFX_OK,       "a",     1},
        {"open_quote",        " a; dkim=pass header.d=\"b",    MFX_OK,       "a",     1},
        {"control",           " a\x01; dkim=pass",             MFX_OK,       "a\x01", 1},
        {"version_letters",   " a; dkim/x=pass; spf=pass",     MFX_OK,       "a",     1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_authres got;
        struct mfx_str in = mfx_str_of(cases[i].in);
        unit_assert_int(cases[i].label, mfx_authres_parse(in, arena, 10, &got),
                        cases[i].rc);
        unit_assert_int(cases[i].label, got.is_whole, false);
        unit_assert_str(cases[i].label, got.authserv_id,
                        mfx_str_of(cases[i].id));
        unit_assert_int(cases[i].label, got.result_count, cases[i].count);
        unit_assert_int(cases[i].label,
                        mfx_authres_claims_method(in, mfx_str_of("arc")), true);
        mfx_arena_free(arena);
    }
}

static void
read_limits(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_authres got;
    struct mfx_buf in;
    (void)state;
    mfx_buf_init(&in, 1000000);
    mfx_buf_add_text(&in, " a");
    for (int i = 0; i < 40; i++) {
        mfx_buf_printf(&in, "; m%d=pass", i);
        for (int p = 0; p < 60; p++)
            mfx_buf_printf(&in, " header.p%d=v", p);
    }
    assert_int_equal(mfx_authres_parse(mfx_buf_str(&in), arena, 32, &got),
                     MFX_OK);
    assert_int_equal(got.result_count, 32);
    assert_int_equal(got.results[31].property_count, 50);
    assert_false(got.is_whole);
    /* the claim looks at all of them */
    assert_true(mfx_authres_claims_method(mfx_buf_str(&in), mfx_str_of("m39")));
    assert_false(
        mfx_authres_claims_method(mfx_buf_str(&in), mfx_str_of("m40")));
    mfx_arena_free(arena);
    struct mfx_arena *small = mfx_arena_new(1);
    assert_int_equal(mfx_authres_parse(mfx_buf_str(&in), small, 32, &got),
                     MFX_TEMPFAIL);
    mfx_arena_free(small);
    mfx_buf_fini(&in);
}

static void
claims_id(void **state)
{
    static const struct {
        const char *label, *in;
        bool want;
    } cases[] = {
        {"plain",              " mx.example.org; dkim=pass",                 true },
        {"no_blank",           "mx.example.org;dkim=pass",                   true },
        {"case",               " MX.Example.ORG; none",                      true },
        {"version",            " mx.example.org 1; none",                    true },
        {"job_id",             " mx.example.org/42; none",                   true },
        {"final_dot",          " mx.example.org.; none",                     true },
        {"final_dots",         " mx.example.org...; none",                   true },
        {"first_dot",          " .mx.example.org; none",                     true },
        {"quoted",             " \"mx.example.org\"; none",                  true },
        {"quoted_pair",        " \"mx.ex\\ample.org\"; none",                true },
        {"half_quoted",        " \"mx\".example.\"org\"; none",              true },
        {"open_quote",         " \"mx.example.org; none",                    true },
        {"quote_behind",       " mx.example.org\"; none",                    true },
        {"comment_before",     " (hello) mx.example.org; none",              true },
        {"comment_touches",    " (hello)mx.example.org(x); none",            true },
        {"comment_nested",     " (a(b)c) mx.example.org; none",              true },
        {"comment_not_nested", " (a(b) mx.example.org; x) y.test; none",     true },
        {"comment_pair",       " (a\\) b) mx.example.org; none",             true },
        {"comment_no_pair",    " (a\\) mx.example.org; x (b)) y.test; none", true },
        {"comment_open",       " (mx.example.org; none",                     true },
        {"comment_open_word",  " (a mx.example.org; none",                   true },
        {"comment_semicolon",  " (a;b) mx.example.org; none",                true },
        {"comment_inside",     " mx.exa(x)mple.org; none",                   true },
        {"comment_quote",      " (\") mx.example.org; none",                 true },
        {"quote_parenthesis",  " \"(\" mx.example.org; \")\" none",          true },
        {"folded",             "\n\tmx.example.org;\n\tnone",                true },
        {"folded_inside",      " mx.exam\n\tple.org; none",                  true },
        {"crlf",               "\r\n mx.example.org\r\n ; none",             true },
        {"cr_inside",          " mx.exam\rple.org; none",                    true },
        {"control_before",     " \x01mx.example.org; none",                  true },
        {"control_inside",     " mx.exa\x7Fmple.org; none",                  true },
        {"nbsp_before",        " \xC2\xA0mx.example.org; none",              true },
        {"eight_bit_before",   " \xFFmx.example.org; none",                  true },
        {"semicolon_before",   " ; mx.example.org; none",                    true },
        {"comma_before",       " , mx.example.org; none",                    true },
        {"word_before",        " x mx.example.org; none",                    true },
        {"angle",              " <mx.example.org>; none",                    true },
        {"encoded_word",       " =?utf-8?Q?mx.example.org?=; none",          true },
        {"encoded_base64",     " =?utf-8?B?bXg=?=; none",                    true },
        {"no_semicolon",       " mx.example.org dkim=pass",                  true },
        {"no_results",         " mx.example.org",                            true },
        {"no_id",              " dkim=pass header.d=y.test",                 true },
        {"no_id_semicolon",    " ; dkim=pass",                               true },
        {"no_id_blank",        " dkim = pass",                               true },
        {"empty",              "",                                           true },
        {"other",              " mx.example.net; dkim=pass",                 false},
        {"below",              " a.mx.example.org; dkim=pass",               false},
        {"above",              " example.org; dkim=pass",                    false},
        {"longer",             " mx.example.org.test; dkim=pass",            false},
        {"prefix",             " xmx.example.org; dkim=pass",                false},
        {"hyphen",             " a-mx.example.org; dkim=pass",               false},
        {"in_result",
         " y.test; dkim=pass header.d=mx.example.org (mx.example.org)",      false},
        {"in_later_comment",   " y.test (for mx.example.org); dkim=pass",    false},
    };
    static const struct mfx_str id = MFX_STR("mx.example.org");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_int(cases[i].label,
                        mfx_authres_claims_id(mfx_str_of(cases[i].in), id),
                        cases[i].want);
    assert_true(mfx_authres_claims_id(mfx_str_of(" mx.example.org; none"),
                                      mfx_str_of("MX.example.org.")));
    struct mfx_str nul = mfx_str(" mx.exa\0mple.org; none", 22);
    assert_true(mfx_authres_claims_id(nul, id));
    /* the same name in its other spelling */
    struct mfx_str a_label = mfx_str_of("xn--bcher-kva.example");
    struct mfx_str u_label = mfx_str_of("b\xC3\xBC"
                                        "cher.example");
    assert_true(mfx_authres_claims_id(mfx_str_of(" b\xC3\xBC"
                                                 "cher.example; none"),
                                      a_label));
    assert_true(mfx_authres_claims_id(
        mfx_str_of(" XN--bcher-kva.example; none"), u_label));
}

/* 100,000 bytes of one kind before the id, in time. */
/* Any name below a domain. */
static void
claims_below(void **state)
{
    static const struct {
        const char *label, *in;
        bool claims;
    } cases[] = {
        {"host",          " mx.example.org; dkim=pass",                        true },
        {"deep",          " a.b.example.org; dkim=pass",                       true },
        {"case",          " MX.Example.ORG; dkim=pass",                        true },
        {"job_id",        " mx.example.org/4Bx9; dkim=pass",                   true },
        {"quoted",        " \"mx.example.org\"; dkim=pass",                    true },
        {"comment",       " (x) mx.example.org; dkim=pass",                    true },
        {"folded",        " mx.\n\texample.org; dkim=pass",                    true },
        {"final_dot",     " mx.example.org.; dkim=pass",                       true },
        {"domain_itself", " example.org; dkim=pass",                           false},
        {"dot_alone",     " .example.org; dkim=pass",                          false},
        {"longer_word",   " mxexample.org; dkim=pass",                         false},
        {"other",         " mx.example.com; dkim=pass",                        false},
        {"prefix",        " mx.example.org.evil.example; dkim=pass",           false},
        {"in_a_value",    " mx.example.com; dkim=pass header.d=a.example.org",
         false                                                                      },
        {"no_id",         " ; dkim=pass",                                      true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_int(cases[i].label,
                        mfx_authres_claims_below(mfx_str_of(cases[i].in),
                                                 mfx_str_of("example.org")),
                        cases[i].claims);
}

static void
claims_id_enormous(void **state)
{
    static const struct {
        const char *label, *unit;
    } cases[] = {
        {"blanks",      " "   },
        {"comments",    "(a)" },
        {"open",        "("   },
        {"open_quotes", "\\\""},
        {"nested",      "(()" },
        {"semicolons",  ";"   },
        {"controls",    "\x01"},
        {"dots",        "."   },
        {"words",       "a "  },
    };
    static const struct mfx_str id = MFX_STR("mx.example.org");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf in;
        mfx_buf_init(&in, 1000000);
        while (in.len < 100000)
            mfx_buf_add_text(&in, cases[i].unit);
        mfx_buf_add_text(&in, " mx.example.org; dkim=pass");
        unit_assert_int(cases[i].label,
                        mfx_authres_claims_id(mfx_buf_str(&in), id), true);
        mfx_buf_fini(&in);
    }
}

static void
claims_method(void **state)
{
    static const struct {
        const char *label, *in;
        bool want;
    } cases[] = {
        {"plain",        " a; dkim=pass",                        true },
        {"case",         " a; DKIM=pass",                        true },
        {"version",      " a; dkim/1=pass",                      true },
        {"comment",      " a; (x) dkim (y) = (z) pass",          true },
        {"folded",       " a;\n\tdkim\n\t=\n\tpass",             true },
        {"second",       " a; spf=pass; dkim=fail",              true },
        {"in_comment",   " a; spf=pass (x; dkim=pass)",          true },
        {"in_quotes",    " a; spf=pass reason=\"x;dkim =pass\"", true },
        {"not_whole",    " a; spf=pass; (",                      true },
        {"none",         " a; none",                             false},
        {"other",        " a; spf=pass smtp.mailfrom=dkim",      false},
        {"longer",       " a; dkim-atps=pass",                   false},
        {"property",     " a; dmarc=pass header.dkim=x",         false},
        {"comment_word", " a; spf=pass (dkim=pass)",             false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_int(cases[i].label,
                        mfx_authres_claims_method(mfx_str_of(cases[i].in),
                                                  mfx_str_of("dkim")),
                        cases[i].want);
}

static void
write_field(void **state)
{
    struct mfx_buf out;
    struct mfx_authres_writer w;
    struct mfx_str none = {0};
    (void)state;
    mfx_buf_init(&out, 100000);
    mfx_authres_begin(&w, &out, mfx_str_of("mx.example.org"), false);
    mfx_authres_result(&w, "dkim", "pass", none, mfx_str_of("2048-bit key"));
    mfx_authres_property(&w, "header", "d", mfx_str_of("example.net"));
    mfx_authres_property(&w, "header", "i", mfx_str_of("@example.net"));
    mfx_authres_property(&w, "header", "s", none);
    mfx_authres_property(&w, "header", "b", mfx_str_of("dUy/O+3="));
    mfx_authres_result(&w, "dkim", "fail", mfx_str_of("no \"key\""), none);
    mfx_authres_end(&w);
    unit_assert_str("results", mfx_buf_str(&out),
                    mfx_str_of(" mx.example.org;\n\tdkim=pass (2048-bit key) "
                               "header.d=example.net header.i=@example.net\n\t"
                               "header.b=\"dUy/O+3=\";\n\tdkim=fail "
                               "reason=\"no \\\"key\\\"\""));
    mfx_buf_clear(&out);
    mfx_authres_begin(&w, &out, mfx_str_of("mx.example.org"), false);
    mfx_authres_end(&w);
    unit_assert_str("none", mfx_buf_str(&out),
                    mfx_str_of(" mx.example.org; none"));
    mfx_buf_fini(&out);
}

static void
write_hostile(void **state)
{
    static const struct {
        const char *label;
        struct mfx_str in;
        bool eai;
        const char *want;
    } cases[] = {
        {"token",      MFX_STR("a.b-c"),         false, "a.b-c"              },
        {"address",    MFX_STR("a+b@c.test"),    false, "a+b@c.test"         },
        {"blank",      MFX_STR("a b"),           false, "\"a b\""            },
        {"semicolon",  MFX_STR("a; dkim=pass"),  false, "\"a? dkim=pass\""   },
        {"quote",      MFX_STR("\"; dkim=pass"), false, "\"\\\"? dkim=pass\""},
        {"backslash",  MFX_STR("a\\"),           false, "\"a\\\\\""          },
        {"comment",    MFX_STR("a(b"),           false, "\"a(b\""            },
        {"crlf",       MFX_STR("a\r\nX: y"),     false, "\"a??X: y\""        },
        {"nul",        MFX_STR("a\0b"),          false, "\"a?b\""            },
        {"tab",        MFX_STR("a\tb"),          false, "\"a?b\""            },
        {"del",        MFX_STR("a\x7F"),         false, "\"a?\""             },
        {"utf8",       MFX_STR("\xC3\xA9.test"), false, "\"??.test\""        },
        {"utf8_eai",   MFX_STR("\xC3\xA9.test"), true,  "\xC3\xA9.test"      },
        {"latin1_eai", MFX_STR("\xE9.test"),     true,  "\"?.test\""         },
        {"two_at",     MFX_STR("a@b@c"),         false, "\"a@b@c\""          },
        {"only_at",    MFX_STR("@"),             false, "\"@\""              },
        {"equals",     MFX_STR("a=b"),           false, "\"a=b\""            },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf out, want;
        struct mfx_authres_writer w;
        mfx_buf_init(&out, 10000);
        mfx_buf_init(&want, 10000);
        mfx_authres_begin(&w, &out, mfx_str_of("m"), cases[i].eai);
        mfx_authres_result(&w, "dkim", "pass", mfx_str(NULL, 0),
                           mfx_str(NULL, 0));
        mfx_authres_property(&w, "header", "d", cases[i].in);
        mfx_authres_end(&w);
        mfx_buf_printf(&want, " m;\n\tdkim=pass header.d=%s", cases[i].want);
        unit_assert_str(cases[i].label, mfx_buf_str(&out), mfx_buf_str(&want));
        mfx_buf_fini(&out);
        mfx_buf_fini(&want);
    }
}

/* However long the values, no line is longer than an MTA leaves alone, and
 * where folding can help, none is longer than 78. */
static void
write_lines(void **state)
{
    struct mfx_buf out;
    struct mfx_authres_writer w;
    static char big[5000];
    struct mfx_str line, rest;
    (void)state;
    memset(big, '"', sizeof big);
    mfx_buf_init(&out, 100000);
    mfx_authres_begin(&w, &out, mfx_str_of("mx.example.org"), false);
    for (int i = 0; i < 20; i++)
        mfx_authres_result(&w, "dkim", "temperror", mfx_str_of("a b c d e f"),
                           mfx_str_of("a comment of some words"));
    for (int i = 0; i < 20; i++)
        mfx_authres_property(&w, "header", "d", mfx_str_of("example.net"));
    mfx_authres_end(&w);
    rest = mfx_buf_str(&out);
    while (mfx_str_cut(&rest, '\n', &line))
        assert_true(line.len <= 78 - 7);
    mfx_authres_property(&w, "header", "d", mfx_str(big, sizeof big));
    mfx_authres_result(&w, "dkim", "fail", mfx_str(big, sizeof big),
                       mfx_str(big, sizeof big));
    assert_true(mfx_buf_ok(&out));
    assert_true(mfx_header_value_is_safe(mfx_buf_str(&out)));
    rest = mfx_buf_str(&out);
    while (mfx_str_cut(&rest, '\n', &line))
        assert_true(line.len < 980);
    mfx_buf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_whole),    cmocka_unit_test(read_malformed),
        cmocka_unit_test(read_limits),   cmocka_unit_test(claims_id),
        cmocka_unit_test(claims_below),  cmocka_unit_test(claims_id_enormous),
        cmocka_unit_test(claims_method), cmocka_unit_test(write_field),
        cmocka_unit_test(write_hostile), cmocka_unit_test(write_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
