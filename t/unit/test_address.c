/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/mail/address.h>

struct box {
    const char *phrase, *local, *domain, *raw;
};

static void
check_list(const char *label, const char *in, enum mfx_rc want_rc,
           const struct box *boxes, size_t count)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_address_list list;
    enum mfx_rc rc = mfx_address_list_parse(mfx_str_of(in), arena, 100, &list);
    unit_assert_int(label, rc, want_rc);
    unit_assert_int(label, list.error != NULL, want_rc == MFX_PERMFAIL);
    unit_assert_int(label, list.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct mfx_mailbox *box = &list.mailboxes[i];
        unit_assert_str(label, box->phrase, mfx_str_of(boxes[i].phrase));
        unit_assert_str(label, box->local, mfx_str_of(boxes[i].local));
        unit_assert_str(label, box->domain, mfx_str_of(boxes[i].domain));
        if (boxes[i].raw != NULL)
            unit_assert_str(label, box->raw, mfx_str_of(boxes[i].raw));
    }
    mfx_arena_free(arena);
}

/* RFC 5322 appendix A.1 to A.6. */
static void
rfc5322(void **state)
{
    static const struct {
        const char *label, *in;
        size_t count;
        struct box boxes[5];
    } cases[] = {
        {"a_1_1_from",
         " John Doe <jdoe@machine.example>",                                  1,
         {{"John Doe", "jdoe", "machine.example", "jdoe@machine.example"}}},
        {"a_1_1_reply_to",
         " \"Mary Smith: Personal Account\" <smith@home.example>",            1,
         {{"Mary Smith: Personal Account", "smith", "home.example", NULL}}},
        {"a_1_2_from",
         " \"Joe Q. Public\" <john.q.public@example.com>",                    1,
         {{"Joe Q. Public", "john.q.public", "example.com", NULL}}        },
        {"a_1_2_to",
         " Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",    3,
         {{"Mary Smith", "mary", "x.test", NULL},
          {"", "jdoe", "example.org", "jdoe@example.org"},
          {"Who?", "one", "y.test", NULL}}                                },
        {"a_1_2_cc",
         " <boss@nil.test>, \"Giant; \\\"Big\\\" Box\" "
         "<sysservices@example.net>",                                         2,
         {{"", "boss", "nil.test", NULL},
          {"Giant; \"Big\" Box", "sysservices", "example.net", NULL}}     },
        {"a_1_3_to",
         " A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;", 3,
         {{"Ed Jones", "c", "a.test", NULL},
          {"", "joe", "where.test", NULL},
          {"John", "jdoe", "one.test", NULL}}                             },
        {"a_5_from",
         " Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",   1,
         {{"Pete", "pete", "silly.test", "pete(his account)@silly.test"}} },
        {"a_5_to",
         "A Group(Some people)\n     :Chris Jones "
         "<c@(Chris's host.)public.example>,\n         joe@example.org,\n  "
         "John <jdoe@one.test> (my dear friend); (the end of the group)",     3,
         {{"Chris Jones", "c", "public.example",
           "c@(Chris's host.)public.example"},
          {"", "joe", "example.org", NULL},
          {"John", "jdoe", "one.test", NULL}}                             },
        {"a_6_1_from",
         " Joe Q. Public <john.q.public@example.com>",                        1,
         {{"Joe Q. Public", "john.q.public", "example.com", NULL}}        },
        {"a_6_1_to",
         " Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example", 2,
         {{"Mary Smith", "mary", "example.net", "mary@example.net"},
          {"", "jdoe", "test.example", "jdoe@test  . example"}}           },
        {"a_6_3_from",
         " John Doe <jdoe@machine(comment).  example>",                       1,
         {{"John Doe", "jdoe", "machine.example",
           "jdoe@machine(comment).  example"}}                            },
        {"a_6_3_to",
         " Mary Smith\n  \n          <mary@example.net>",                     1,
         {{"Mary Smith", "mary", "example.net", NULL}}                    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_list(cases[i].label, cases[i].in, MFX_OK, cases[i].boxes,
                   cases[i].count);
    check_list("a_1_3_cc", " Undisclosed recipients:;", MFX_NOTFOUND, NULL, 0);
    check_list(
        "a_5_cc",
        "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
        MFX_NOTFOUND, NULL, 0);
}

static void
well_formed(void **state)
{
    static const struct {
        const char *label, *in;
        size_t count;
        struct box boxes[3];
    } cases[] = {
        {"quoted_local",
         "\"b c\".d@x.test",                         1,
         {{"", "b c.d", "x.test", "\"b c\".d@x.test"}}                                  },
        {"quoted_at",         "\"a@b\"@x.test",      1, {{"", "a@b", "x.test", NULL}}   },
        {"quoted_pair",
         "\"a\\\"b\\\\\"@x.test",                    1,
         {{"", "a\"b\\", "x.test", NULL}}                                               },
        {"folded_quotes",
         "\"Long\n\tname\" <a@x.test>",              1,
         {{"Long\tname", "a", "x.test", NULL}}                                          },
        {"literal",           "a@[192.0.2.1]",       1, {{"", "a", "[192.0.2.1]", NULL}}},
        {"ipv6_literal",
         "<a@[IPv6:2001:db8::1]>",                   1,
         {{"", "a", "[IPv6:2001:db8::1]", NULL}}                                        },
        {"bare_user",
         "root, <daemon>",                           2,
         {{"", "root", "", "root"}, {"", "daemon", "", "daemon"}}                       },
        {"utf8",
         "J\xC3\xB6rg <j\xC3\xB6rg@b\xC3\xBC.test>", 1,
         {{"J\xC3\xB6rg", "j\xC3\xB6rg", "b\xC3\xBC.test", NULL}}                       },
        {"latin1_phrase",
         "J\xF6rg <j@x.test>",                       1,
         {{"J\xF6rg", "j", "x.test", NULL}}                                             },
        {"encoded_word",
         "=?utf-8?Q?J=C3=B6rg?= (c) Doe <j@x.test>", 1,
         {{"=?utf-8?Q?J=C3=B6rg?= Doe", "j", "x.test", NULL}}                           },
        {"route_of_two",
         "<@a.test,@b.test:c@d.test>",               1,
         {{"", "c", "d.test", "c@d.test"}}                                              },
        {"route_blanks",
         "< , @ a.test , , @b.test : c@d.test >",    1,
         {{"", "c", "d.test", "c@d.test"}}                                              },
        {"empty_items",
         ",, a@x.test ,,b@x.test, ",                 2,
         {{"", "a", "x.test", NULL}, {"", "b", "x.test", NULL}}                         },
        {"group_empty_items",
         "g: , a@x.test,,;",                         1,
         {{"", "a", "x.test", NULL}}                                                    },
        {"two_groups",
         "g:a@x.test;, \"h, i\":;, b@x.test",        2,
         {{"", "a", "x.test", NULL}, {"", "b", "x.test", NULL}}                         },
        {"nested_comment",
         "(a(b(c))\\() a@x.test",                    1,
         {{"", "a", "x.test", "a@x.test"}}                                              },
        {"comment_name",
         "a@x.test (A. Name)",                       1,
         {{"", "a", "x.test", "a@x.test"}}                                              },
        {"no_blank",          "A<a@x.test>",         1, {{"A", "a", "x.test", NULL}}    },
        {"comma_in_quotes",
         "\"Doe, John\" <a@x.test>",                 1,
         {{"Doe, John", "a", "x.test", NULL}}                                           },
        {"angle_in_quotes",
         "\"<evil@y.test>\" <a@x.test>",             1,
         {{"<evil@y.test>", "a", "x.test", NULL}}                                       },
        {"blank_local",
         "a . b @ x.test",                           1,
         {{"", "a.b", "x.test", "a . b @ x.test"}}                                      },
        {"two_dots_blank",
         "A  B <a@x.test>",                          1,
         {{"A B", "a", "x.test", NULL}}                                                 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_list(cases[i].label, cases[i].in, MFX_OK, cases[i].boxes,
                   cases[i].count);
}

/* Mail as it is, against the grammar. Who reads each value so was asked:
 *   S  Sendmail 8.17.1, test mode (/try) and what it delivers
 *   O  OpenDKIM 2.11, dkim_mail_parse
 *   R  rspamd, parse_mail_address
 *   M  Mail::Address 2.21
 *   U  Python 3.11 email.utils.getaddresses
 *   H  Python 3.11 email.headerregistry */
static void
wild(void **state)
{
    static const struct {
        const char *label, *in;
        struct box box;
    } cases[] = {
  /* S O R M; U and H of Python take an address out of the name, newer
         * ones none at all */
        {"S O R M: own_address",
         "foo@bar.test <foo@bar.test>",                     {"foo@bar.test", "foo", "bar.test", "foo@bar.test"}      },
        {"S O R M: other_address",
         "good@a.example <evil@b.example>",                 {"good@a.example", "evil", "b.example", "evil@b.example"}},
        {"S O R M: other_folded",
         "good@a.example\n <evil@b.example>",               {"good@a.example", "evil", "b.example", "evil@b.example"}},
        {"S O R M: comment_first",
         "(c) good@a.example <evil@b.example>",             {"good@a.example", "evil", "b.example", NULL}            },
        {"S O R M: comment_between",
         "good@a.example (<c@d.example>) <evil@b.example>", {"good@a.example", "evil", "b.example", NULL}            },
        {"S O R M: at_words",
         "Foo @ Bar <x@y.test>",                            {"Foo @ Bar", "x", "y.test", "x@y.test"}                 },
        {"S O R M: at_first",          "@foo <x@y.test>",   {"@foo", "x", "y.test", NULL}                            },
        {"S O R M: at_last",           "foo@ <x@y.test>",   {"foo@", "x", "y.test", NULL}                            },
        {"S O R M: at_twice",
         "a@b@c <x@y.test>",                                {"a@b@c", "x", "y.test", NULL}                           },
        {"S O R M: at_quotes",
         "a@b.test  \"c, d\" <x@y.test>",                   {"a@b.test c, d", "x", "y.test", NULL}                   },
        {"S O R M: apostrophes",
         "'a@b.test' <x@y.test>",                           {"'a@b.test'", "x", "y.test", NULL}                      },
        {"S O R M: literal",
         "foo@[192.0.2.1] <x@y.test>",                      {"foo@[192.0.2.1]", "x", "y.test", NULL}                 },
        {"S O R M: brackets",
         "Foo [Bar] <x@y.test>",                            {"Foo [Bar]", "x", "y.test", NULL}                       },
        {"S O R M: brackets_first",
         "[Foo\n  bar]Baz <x@y.test>",                      {"[Foo bar]Baz", "x", "y.test", NULL}                    },
        {"S O R M: latin1_at",
         "J\xF6rg@Firma <x@y.test>",                        {"J\xF6rg@Firma", "x", "y.test", NULL}                   },
        {"S O R M H: encoded_at",
         "=?utf-8?Q?a@b.test?= <x@y.test>",                 {"=?utf-8?Q?a@b.test?=", "x", "y.test", NULL}            },
 /* all */
        {"all: initials",
         "J. R. \"Bob\" Dobbs <x@y.test>",                  {"J. R. Bob Dobbs", "x", "y.test", NULL}                 },
        {"all: encoded_no_blank",
         "=?utf-8?Q?J?=<x@y.test>",                         {"=?utf-8?Q?J?=", "x", "y.test", NULL}                   },
        {"all: encoded_glued",
         "=?utf-8?Q?J?=b <x@y.test>",                       {"=?utf-8?Q?J?=b", "x", "y.test", NULL}                  },
        {"all: encoded_behind_quotes",
         "\"A\"=?utf-8?Q?J?= <x@y.test>",                   {"A=?utf-8?Q?J?=", "x", "y.test", NULL}                  },
        {"all: encoded_dot",
         "=?utf-8?Q?J=2E?=. <x@y.test>",                    {"=?utf-8?Q?J=2E?=.", "x", "y.test", NULL}               },
        {"all: latin1",
         "J\xF6rg \"M\xFCller\" (\xE4) <x@y.test>",         {"J\xF6rg M\xFCller", "x", "y.test", NULL}               },
        {"all: dots_within",
         "a..b@x.test",                                     {"", "a..b", "x.test", "a..b@x.test"}                    },
        {"all: dot_last",              "a.@x.test",         {"", "a.", "x.test", "a.@x.test"}                        },
        {"all: dot_first",             ".a@x.test",         {"", ".a", "x.test", ".a@x.test"}                        },
        {"all: dots_everywhere",
         "N <.a...b..@x.test>",                             {"N", ".a...b..", "x.test", ".a...b..@x.test"}           },
        {"all: comma_last",            "A <a@x.test>,",     {"A", "a", "x.test", NULL}                               },
        {"all: comma_first",           ",A <a@x.test>",     {"A", "a", "x.test", NULL}                               },
        {"S O R U H: route",
         "<@a.test:b@x.test>",                              {"", "b", "x.test", "b@x.test"}                          },
        {"all: quoted_address",
         "\"A <good@a.example>\" <evil@b.example>",         {"A <good@a.example>", "evil", "b.example", NULL}        },
        {"all: commented_address",
         "good@a.example(<evil@b.example>)",                {"", "good", "a.example", NULL}                          },
 /* the others leave blanks in, or take the quotes for a name */
        {"S M U H: dots_blank",
         "a . . b@x.test",                                  {"", "a..b", "x.test", "a . . b@x.test"}                 },
        {"S O M U H: dots_quoted",
         "\"a\"..\"b\".@x.test",                            {"", "a..b.", "x.test", "\"a\"..\"b\".@x.test"}          },
        {"S O M U H: blanks",
         "< a @ x . test >",                                {"", "a", "x.test", "a @ x . test"}                      },
 /* O, M, U keep the dot, S and R drop it */
        {"S R: domain_dot",            "a@x.test.",         {"", "a", "x.test", "a@x.test."}                         },
        {"S: domain_dot_blank",
         "A <a@x.test . (c)>",                              {"A", "a", "x.test", "a@x.test ."}                       },
        {"S O R: route_and_name",
         "good@a.example <@c.test:b@x.test>",               {"good@a.example", "b", "x.test", NULL}                  },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_list(cases[i].label, cases[i].in, MFX_OK, &cases[i].box, 1);
}

/* A comma parts, whatever was meant: the readers above see two addresses too
 * (or, O and R, the first or the last only). */
static void
two_authors(void **state)
{
    static const struct {
        const char *label, *in;
        struct box boxes[2];
    } cases[] = {
        {"both_real",
         "\"x\" <good@a.example>, <evil@b.example>", {{"x", "good", "a.example", NULL}, {"", "evil", "b.example", NULL}}},
        {"bare_first",
         "good@a.example, <evil@b.example>",         {{"", "good", "a.example", NULL}, {"", "evil", "b.example", NULL}} },
        {"company",
         "foo@bar.test, inc <x@y.test>",             {{"", "foo", "bar.test", NULL}, {"inc", "x", "y.test", NULL}}      },
        {"names",
         "Doe, John <x@y.test>",                     {{"", "Doe", "", NULL}, {"John", "x", "y.test", NULL}}             },
        {"name_first",
         "Doe, a@b.test <x@y.test>",                 {{"", "Doe", "", NULL}, {"a@b.test", "x", "y.test", NULL}}         },
        {"encoded_comma",
         "=?utf-8?Q?J,?= <x@y.test>",                {{"", "=?utf-8?Q?J", "", NULL}, {"?=", "x", "y.test", NULL}}       },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_list(cases[i].label, cases[i].in, MFX_OK, cases[i].boxes, 2);
}

static void
malformed(void **state)
{
    static const struct {
        const char *label, *in;
        size_t count, error_at;
    } cases[] = {
        {"two_words",           "a b",                                           0, 0 },
        {"two_words_at",        "a b@x.test",                                    0, 0 },
        {"no_local",            "@x.test",                                       0, 0 },
        {"no_domain",           "a@",                                            0, 2 },
        {"no_domain_comma",     "a@, b@x.test",                                  0, 2 },
        {"two_at",              "a@b@x.test",                                    1, 3 },
        {"empty_angle",         "<>",                                            0, 1 },
        {"angle_open",          "A <a@x.test",                                   0, 11},
        {"angle_twice",         "A <<a@x.test>>",                                0, 3 },
        {"angle_close",         "a@x.test>",                                     1, 8 },
        {"words_behind",        "<a@x.test> b",                                  1, 11},
        {"two_angles",          "<a@x.test> <b@x.test>",                         1, 11},
        {"no_comma",            "a@x.test b@x.test",                             0, 2 },
        {"semicolon",           "a@x.test; b@x.test",                            1, 8 },
        {"quote_open",          "\"A <a@x.test>",                                0, 0 },
        {"quote_backslash_end", "\"A\\",                                         0, 0 },
        {"comment_open",        "a@x.test (b",                                   0, 9 },
        {"comment_close",       "a@x.test )",                                    1, 9 },
        {"group_open",          "g: a@x.test",                                   1, 11},
        {"group_in_group",      "g: h: a@x.test;;",                              1, 4 },
        {"group_no_name",       ": a@x.test;",                                   0, 0 },
        {"group_then_word",     "g:; a@x.test",                                  0, 4 },
        {"domain_dot_first",    "a@.x.test",                                     0, 2 },
        {"domain_quoted",       "a@\"x\".test",                                  0, 2 },
        {"domain_two_words",    "a@x test",                                      0, 2 },
        {"literal_open",        "a@[192.0.2.1",                                  0, 2 },
        {"literal_quote",       "a@[1 \"2]",                                     0, 2 },
        {"literal_nested",      "a@[[1]]",                                       0, 2 },
        {"route_only",          "<@a.test:>",                                    0, 9 },
        {"route_open",          "<@a.test a@b.test>",                            0, 2 },
        {"control",
         "a\x01"
         "b@x.test",                                                             1, 1 },
        {"latin1_local",        "j\xF6rg@x.test",                                0, 0 },
        {"latin1_domain",       "a@\xF6.test",                                   0, 2 },
        {"dots_alone",          "..@x.test",                                     0, 0 },
        {"dot_behind_user",     "a.",                                            0, 0 },
        {"dots_in_user",        "a..b",                                          0, 0 },
        {"domain_dot_twice",    "a@x.test..",                                    0, 2 },
        {"domain_dots",         "a@x..test",                                     0, 2 },
        {"domain_dot_alone",    "a@.",                                           0, 2 },
        {"route_dot_twice",     "<@a..:b@x.test>",                               0, 2 },
        {"name_behind",         "<good@a.example> evil@b.example",               1, 17},
        {"name_behind_quoted",  "<x@y.test> \"c\"",                              1, 11},
        {"name_quote_open",     "\"good@a.example <evil@b.example>",             0, 0 },
        {"name_quote_end",      "good@a.example\" <evil@b.example>",             0, 14},
        {"name_paren_end",      "Foo@ ) Bar <x@y.test>",                         0, 5 },
        {"name_greater",        "Foo > Bar <x@y.test>",                          1, 4 },
        {"name_backslash",      "Foo\\ Bar <x@y.test>",                          1, 3 },
        {"name_semicolon",      "Foo; Bar <x@y.test>",                           1, 3 },
        {"name_colon",          "Foo: Bar <x@y.test>",                           1, 19},
        {"name_url",            "http://a.test <x@y.test>",                      1, 24},
        {"name_control",        "a@b\x02 <x@y.test>",                            1, 3 },
        {"name_delete",         "a@b\x7F <x@y.test>",                            1, 3 },
        {"bracket_open",        "[Foo <x@y.test>",                               0, 0 },
        {"bracket_close",       "Foo] <x@y.test>",                               1, 3 },
        {"bracket_angle",       "[<good@a.example>] <evil@b.example>",           0, 0 },
        {"bracket_comment",     "[a (b] <good@a.example>) ] <evil@b.example>",   0,
         0                                                                            },
        {"bracket_quotes",      "[a \"b] <good@a.example>\" ] <evil@b.example>", 0,
         0                                                                            },
        {"bracket_comma",       "[a, b] <x@y.test>",                             0, 0 },
        {"angle_comma",         "A <x@y.test, z@y.test>",                        0, 11},
        {"angle_at_twice",      "A <a@b.test@c.test>",                           0, 11},
        {"angle_in_encoded",    "=?utf-8?Q?<good@a.example>?= <evil@b.example>", 1,
         26                                                                           },
        {"group_name_at",       "g@h.test: a@x.test;",                           1, 8 },
        {"local_control",       "\"a\x01\"@x.test",                              0, 0 },
        {"local_delete",        "<\"a\x7F\"@x.test>",                            0, 1 },
        {"local_cr",            "\"a\\\rb\"@x.test",                             0, 0 },
        {"backslash",           "a\\@b@x.test",                                  1, 1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_address_list list;
        enum mfx_rc rc =
            mfx_address_list_parse(mfx_str_of(cases[i].in), arena, 100, &list);
        unit_assert_int(cases[i].label, rc, MFX_PERMFAIL);
        unit_assert_int(cases[i].label, list.error != NULL, true);
        unit_assert_int(cases[i].label, list.count, cases[i].count);
        unit_assert_int(cases[i].label, list.error_at, cases[i].error_at);
        mfx_arena_free(arena);
    }
    check_list("nothing", "", MFX_NOTFOUND, NULL, 0);
    check_list("blank", " \n\t", MFX_NOTFOUND, NULL, 0);
    check_list("only_comment", "(a)", MFX_NOTFOUND, NULL, 0);
}

static void
limits(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_address_list list;
    struct mfx_str three = mfx_str_of("a@x, b@x, c@x");
    (void)state;
    assert_int_equal(mfx_address_list_parse(three, arena, 3, &list), MFX_OK);
    assert_int_equal(mfx_address_list_parse(three, arena, 2, &list),
                     MFX_PERMFAIL);
    assert_int_equal(list.count, 2);
    char deep[203];
    for (size_t nesting = 50; nesting <= 51; nesting++) {
        memset(deep, '(', nesting);
        memset(deep + nesting, ')', nesting);
        memcpy(deep + 2 * nesting, "a@x", 3);
        enum mfx_rc want = nesting == 50 ? MFX_OK : MFX_PERMFAIL;
        struct mfx_str in = mfx_str(deep, 2 * nesting + 3);
        assert_int_equal(mfx_address_list_parse(in, arena, 3, &list), want);
    }
    struct mfx_str nul = mfx_str("a\0b@x", 5);
    assert_int_equal(mfx_address_list_parse(nul, arena, 3, &list),
                     MFX_PERMFAIL);
    struct mfx_str name_nul = mfx_str("a@b\0 <c@d>", 10);
    assert_int_equal(mfx_address_list_parse(name_nul, arena, 3, &list),
                     MFX_PERMFAIL);
    struct mfx_str quoted_nul = mfx_str("\"a\\\0b\"@x", 8);
    assert_int_equal(mfx_address_list_parse(quoted_nul, arena, 3, &list),
                     MFX_PERMFAIL);
    mfx_arena_free(arena);
    struct mfx_arena *small = mfx_arena_new(1);
    assert_int_equal(mfx_address_list_parse(three, small, 3, &list),
                     MFX_TEMPFAIL);
    mfx_arena_free(small);
}

static void
flags(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_address_list list;
    (void)state;
    assert_int_equal(
        mfx_address_list_parse(mfx_str_of("a@x, g: <b@x>; , C <c@x>"), arena, 3,
                               &list),
        MFX_OK);
    assert_false(list.mailboxes[0].is_bracketed);
    assert_false(list.mailboxes[0].is_in_group);
    assert_true(list.mailboxes[1].is_bracketed);
    assert_true(list.mailboxes[1].is_in_group);
    assert_true(list.mailboxes[2].is_bracketed);
    assert_false(list.mailboxes[2].is_in_group);
    mfx_arena_free(arena);
}

static void
paths(void **state)
{
    static const struct {
        const char *label, *in;
        enum mfx_rc rc;
        const char *local, *domain;
    } cases[] = {
        {"brackets",      "<a@b>",           MFX_OK,       "a",          "b"          },
        {"bare",          "a@b",             MFX_OK,       "a",          "b"          },
        {"null",          "<>",              MFX_OK,       "",           ""           },
        {"empty",         "",                MFX_OK,       "",           ""           },
        {"route",         "<@r:a@b>",        MFX_OK,       "a",          "b"          },
        {"route_of_two",  "<@r,@s:a@b>",     MFX_OK,       "a",          "b"          },
        {"user",          "<postmaster>",    MFX_OK,       "postmaster", ""           },
        {"quoted",        "<\"a b@c\"@d>",   MFX_OK,       "\"a b@c\"",  "d"          },
        {"literal",       "<a@[192.0.2.1]>", MFX_OK,       "a",          "[192.0.2.1]"},
        {"utf8",          "<\xC3\xB6@b>",    MFX_OK,       "\xC3\xB6",   "b"          },
        {"open",          "<a@b",            MFX_PERMFAIL, "",           ""           },
        {"only_open",     "<",               MFX_PERMFAIL, "",           ""           },
        {"close",         "a@b>",            MFX_PERMFAIL, "",           ""           },
        {"two_at",        "<bad@@x>",        MFX_PERMFAIL, "",           ""           },
        {"no_local",      "<@b>",            MFX_PERMFAIL, "",           ""           },
        {"no_domain",     "<a@>",            MFX_PERMFAIL, "",           ""           },
        {"route_only",    "<@r:>",           MFX_PERMFAIL, "",           ""           },
        {"blank",         "<a b@c>",         MFX_PERMFAIL, "",           ""           },
        {"lf",            "<a@b\n>",         MFX_PERMFAIL, "",           ""           },
        {"quote_open",    "<\"a@b>",         MFX_PERMFAIL, "",           ""           },
        {"two_addresses", "<a@b,c@d>",       MFX_PERMFAIL, "",           ""           },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str local, domain;
        unit_assert_int(
            cases[i].label,
            mfx_address_path_parse(mfx_str_of(cases[i].in), &local, &domain),
            cases[i].rc);
        unit_assert_str(cases[i].label, local, mfx_str_of(cases[i].local));
        unit_assert_str(cases[i].label, domain, mfx_str_of(cases[i].domain));
    }
}

static void
domains(void **state)
{
    static const struct {
        const char *label, *in;
        bool ascii, eai;
    } cases[] = {
        {"plain",      "example.org",    true,  true },
        {"one_label",  "localhost",      true,  true },
        {"underscore", "_dmarc.a_b.org", true,  true },
        {"digits",     "1.2",            true,  true },
        {"utf8",       "b\xC3\xBC.org",  false, true },
        {"latin1",     "b\xFC.org",      false, false},
        {"empty",      "",               false, false},
        {"dot",        ".",              false, false},
        {"final_dot",  "a.",             false, false},
        {"first_dot",  ".a",             false, false},
        {"two_dots",   "a..b",           false, false},
        {"blank",      "a b",            false, false},
        {"slash",      "a/b",            false, false},
        {"literal",    "[192.0.2.1]",    false, false},
        {"percent",    "%d",             false, false},
    };
    static const struct {
        const char *label, *domain, *parent;
        bool want;
    } within[] = {
        {"same",      "a.org",     "A.ORG",   true },
        {"below",     "x.y.a.org", "a.org",   true },
        {"suffix",    "xa.org",    "a.org",   false},
        {"above",     "a.org",     "x.a.org", false},
        {"no_parent", "a.org",     "",        false},
        {"other",     "a.org",     "b.org",   false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str in = mfx_str_of(cases[i].in);
        unit_assert_int(cases[i].label, mfx_domain_is_valid(in, false),
                        cases[i].ascii);
        unit_assert_int(cases[i].label, mfx_domain_is_valid(in, true),
                        cases[i].eai);
    }
    for (size_t i = 0; i < sizeof within / sizeof within[0]; i++)
        unit_assert_int(within[i].label,
                        mfx_domain_is_within(mfx_str_of(within[i].domain),
                                             mfx_str_of(within[i].parent)),
                        within[i].want);
    char name[256];
    memset(name, 'a', sizeof name);
    for (size_t i = 63; i < sizeof name; i += 64)
        name[i] = '.';
    assert_true(mfx_domain_is_valid(mfx_str(name, 253), false));
    assert_false(mfx_domain_is_valid(mfx_str(name, 254), false));
    name[63] = 'a';
    assert_false(mfx_domain_is_valid(mfx_str(name, 70), false));
}

/* Expected values of faß.de and others: RFC 5891 and the registries' tables;
 * the greek and japanese ones are IANA's test domains. */
static void
to_ascii(void **state)
{
    static const struct {
        const char *label, *in, *want;
    } cases[] = {
        {"ascii",     "Example.ORG",                                      "example.org"                         },
        {"final_dot", "example.org.",                                     "example.org"                         },
        {"german",
         "b\xC3\xBC"
         "cher.example",                                                  "xn--bcher-kva.example"               },
        {"sharp_s",   "fa\xC3\x9F.de",                                    "xn--fa-hia.de"                       },
        {"japanese",
         "\xE4\xBE\x8B\xE3\x81\x88.\xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88", "xn--r8jz45g.xn--zckzah"              },
        {"label",
         "sel._domainkey.b\xC3\xBC"
         "cher.example",                                                  "sel._domainkey.xn--bcher-kva.example"},
        {"latin1",    "b\xFC.org",                                        NULL                                  },
        {"empty",     "",                                                 NULL                                  },
        {"blank",     "a b.org",                                          NULL                                  },
        {"two_dots",  "a..b\xC3\xBC",                                     NULL                                  },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str got;
        enum mfx_rc rc =
            mfx_domain_to_ascii(mfx_str_of(cases[i].in), arena, &got);
        unit_assert_int(cases[i].label, rc,
                        cases[i].want == NULL ? MFX_PERMFAIL : MFX_OK);
        unit_assert_str(cases[i].label, got, mfx_str_of(cases[i].want));
    }
    mfx_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc5322),   cmocka_unit_test(well_formed),
        cmocka_unit_test(wild),      cmocka_unit_test(two_authors),
        cmocka_unit_test(malformed), cmocka_unit_test(limits),
        cmocka_unit_test(flags),     cmocka_unit_test(paths),
        cmocka_unit_test(domains),   cmocka_unit_test(to_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
