/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Expected values are written out by hand from RFC 5322; where a case is an
 * example of the RFC its label says which.
 */
#include "unit.h"

#include <mfx/base/buf.h>
#include <mfx/mail/address_rewrite.h>
#include <mfx/mail/header.h>

static const struct mfx_str from = MFX_STR("From");

/* All mailboxes whose address is `old` become `wanted`; both "local@domain",
 * parted at the last "@". */
static struct mfx_address_wish
wish_of(const char *text)
{
    struct mfx_str s = mfx_str_of(text);
    size_t at = mfx_str_find_last(s, '@');
    return (struct mfx_address_wish){true, mfx_str_head(s, at),
                                     mfx_str_from(s, at + 1)};
}

static enum mfx_rc
rewrite(struct mfx_arena *arena, struct mfx_str value, const char *old,
        const char *wanted, struct mfx_str *out, struct mfx_err *err)
{
    struct mfx_address_list list;
    struct mfx_address_wish was = wish_of(old), wish = wish_of(wanted);
    *out = mfx_str(NULL, 0);
    if (mfx_address_list_parse(value, arena, 20000, &list) != MFX_OK)
        fail_msg("\"%.*s\": %s", MFX_STR_ARG(value), list.error);
    struct mfx_address_wish *wishes =
        mfx_arena_alloc_array(arena, list.count, sizeof *wishes);
    for (size_t i = 0; i < list.count; i++)
        if (mfx_str_eq(list.mailboxes[i].local, was.local) &&
            mfx_str_eq(list.mailboxes[i].domain, was.domain))
            wishes[i] = wish;
    return mfx_address_list_rewrite(from, value, &list, wishes, arena, out,
                                    err);
}

static void
replacing(void **state)
{
    static const struct {
        const char *label, *in, *old, *new, *want;
    } cases[] = {
        {"plain",                  " a@x.test",                                        "a@x.test",         "a@y.test",             " a@y.test"                           },
        {"local",                  " a@x.test",                                        "a@x.test",         "b@x.test",             " b@x.test"                           },
        {"both",                   " a@x.test",                                        "a@x.test",         "b.c@y.test",           " b.c@y.test"                         },
        {"name",                   " Joe Q. Public  <a@x.test>",                       "a@x.test",         "a@y.test",
         " Joe Q. Public  <a@y.test>"                                                                                                                                    },
        {"quoted_name",            " \"a@x.test, Joe\" <a@x.test>",                    "a@x.test",         "a@y.test",
         " \"a@x.test, Joe\" <a@y.test>"                                                                                                                                 },
        {"address_as_name",        " a@x.test <a@x.test>",                             "a@x.test",         "b@y.test",
         " a@x.test <b@y.test>"                                                                                                                                          },
        {"encoded_name",           " =?utf-8?Q?J=C3=B6rg?=\n\t<a@x.test>",             "a@x.test",
         "a@y.test",                                                                                                               " =?utf-8?Q?J=C3=B6rg?=\n\t<a@y.test>"},
        {"second",                 " z@z.test, a@x.test ,\n w@w.test",                 "a@x.test",         "bc@y.test",
         " z@z.test, bc@y.test ,\n w@w.test"                                                                                                                             },
        {"twice",                  " a@x.test,b@x.test,(c)a@x.test",                   "a@x.test",         "A@x",
         " A@x,b@x.test,(c)A@x"                                                                                                                                          },
        {"empty_items",            " ,, a@x.test,,",                                   "a@x.test",         "b@x.test",
         " ,, b@x.test,,"                                                                                                                                                },
        {"group",                  " A Group (c) : a@x.test, B <b@x.test>;, c@x.test",
         "b@x.test",                                                                                       "b@y.test",
         " A Group (c) : a@x.test, B <b@y.test>;, c@x.test"                                                                                                              },
        {"route",                  " N <@r.test,@s.test:a@x.test>",                    "a@x.test",         "a@y.test",
         " N <@r.test,@s.test:a@y.test>"                                                                                                                                 },
        {"rfc5322_a_5",
         " Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",            "pete@silly.test",  "peter@y.test",
         " Pete(A nice \\) chap) <peter(his account)@y.test(his host)>"                                                                                                  },
        {"rfc5322_a_6_3",          " John Doe <jdoe@machine(comment).  example>",
         "jdoe@machine.example",                                                                           "jdoe@y.test",
         " John Doe <jdoe@y.test(comment)>"                                                                                                                              },
        {"rfc5322_a_6_1",          " Mary <mary@x.test>, , jdoe@test  . example",
         "jdoe@test.example",                                                                              "jdoe@y.test",
         " Mary <mary@x.test>, , jdoe@y.test"                                                                                                                            },
        {"blanks",                 " < a . b @ x . test >",                            "a.b@x.test",       "c@y.test",
         " < c @ y.test >"                                                                                                                                               },
        {"domain_only_blanks",     " < a . b @ x . test >",                            "a.b@x.test",
         "a.b@y.test",                                                                                                             " < a . b @ y.test >"                 },
        {"local_keeps_quotes",     " \"a\"@x.test",                                    "a@x.test",         "a@y.test",
         " \"a\"@y.test"                                                                                                                                                 },
        {"local_keeps_pairs",      " \"\\a\\b\"@x.test",                               "ab@x.test",        "ab@y.test",
         " \"\\a\\b\"@y.test"                                                                                                                                            },
        {"local_keeps_dots",       " a..b.@x.test",                                    "a..b.@x.test",     "a..b.@y.test",
         " a..b.@y.test"                                                                                                                                                 },
        {"folded_local",           " \"a\n b\"@x.test",                                "a b@x.test",       "ab@x.test",
         " ab@x.test"                                                                                                                                                    },
        {"comments_stay",          " a(1)(2) . (3)b@x(4). (5)test (6)",                "a.b@x.test",
         "c@y.test",                                                                                                               " c(1)(2)  (3)@y.test(4) (5) (6)"     },
        {"parens_in_quotes",       " \"a(b\".\")c\"@x.test",                           "a(b.)c@x.test",
         "d@x.test",                                                                                                               " d@x.test"                           },
        {"final_dot",              " a@x.test.",                                       "a@x.test",         "a@y.test",             " a@y.test."                          },
        {"final_dot_blank",        " N <a@x . test . (c)>",                            "a@x.test",         "b@y.test",
         " N <b@y.test . (c)>"                                                                                                                                           },
        {"final_dot_local",        " a@x.test.",                                       "a@x.test",         "b@x.test",             " b@x.test."                          },
        {"final_dot_literal",      " a@x.test. (c)",                                   "a@x.test",         "a@[192.0.2.1]",
         " a@[192.0.2.1] (c)"                                                                                                                                            },
        {"from_literal",           " a@[ 192.0.2.1 ]",                                 "a@[192.0.2.1]",    "a@x.test",
         " a@x.test"                                                                                                                                                     },
        {"ipv6_literal",           " a@x.test",                                        "a@x.test",         "a@[IPv6:2001:db8::1]",
         " a@[IPv6:2001:db8::1]"                                                                                                                                         },
        {"needs_quotes",           " a@x.test",                                        "a@x.test",         "a b@x.test",
         " \"a b\"@x.test"                                                                                                                                               },
        {"needs_quotes_at",        " a@x.test",                                        "a@x.test",         "a@b@x.test",
         " \"a@b\"@x.test"                                                                                                                                               },
        {"needs_quotes_dots",      " a@x.test",                                        "a@x.test",         "a..b@x.test",
         " \"a..b\"@x.test"                                                                                                                                              },
        {"needs_quotes_last_dot",  " a@x.test",                                        "a@x.test",         "a.@x.test",
         " \"a.\"@x.test"                                                                                                                                                },
        {"needs_quotes_paren",     " a@x.test",                                        "a@x.test",         "a(b)@x.test",
         " \"a(b)\"@x.test"                                                                                                                                              },
        {"needs_pairs",            " a@x.test",                                        "a@x.test",         "a\"b\\@x.test",
         " \"a\\\"b\\\\\"@x.test"                                                                                                                                        },
        {"srs_needs_none",         " a@x.test",                                        "a@x.test",
         "SRS0=Hh+a=AB=y.test=b@x.test",                                                                                           " SRS0=Hh+a=AB=y.test=b@x.test"       },
        {"utf8_needs_none",        " a@x.test",                                        "a@x.test",
         "j\xC3\xB6rg@b\xC3\xBC.test",                                                                                             " j\xC3\xB6rg@b\xC3\xBC.test"         },
        {"utf8_name",              " J\xC3\xB6rg <j\xC3\xB6@x.test>",                  "j\xC3\xB6@x.test",
         "j@x.test",                                                                                                               " J\xC3\xB6rg <j@x.test>"             },
        {"latin1_name",            " J\xF6rg <j@x.test>",                              "j@x.test",         "k@x.test",
         " J\xF6rg <k@x.test>"                                                                                                                                           },
        {"bare_gets_domain",       " root (c)",                                        "root@",            "root@x.test",
         " root@x.test (c)"                                                                                                                                              },
        {"bare_gets_both",         " <\"ro\"\t.ot>",                                   "ro.ot@",           "b@x.test",
         " <b@x.test>"                                                                                                                                                   },
        {"bare_stays_bare",        " root, daemon",                                    "daemon@",          "d@",                   " root, d"                            },
        {"becomes_bare",           " N < a(b) (1)@ (2)x.test >",                       "a@x.test",         "a@",
         " N < a(b) (1) (2) >"                                                                                                                                           },
        {"becomes_bare_dots",      " .a@x.test",                                       ".a@x.test",        ".a@",                  " \".a\""                             },
        {"becomes_bare_folded",    " a@x\n .test\n (c)",                               "a@x.test",         "a@",
         " a\n (c)"                                                                                                                                                      },
        {"case_only",              " A@X.test",                                        "A@X.test",         "a@x.test",             " a@x.test"                           },
        {"blank_lines_are_mended", " A\n \n <a@x.test>\n ",                            "a@x.test",
         "b@x.test",                                                                                                               " A \n <b@x.test> "                   },
        {"first_line_empty",       "\n a@x.test",                                      "a@x.test",         "b@x.test",
         "\n b@x.test"                                                                                                                                                   },
        {"no_lead",                "a@x.test",                                         "a@x.test",         "b@x.test",             "b@x.test"                            },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str in = mfx_str_of(cases[i].in), out, same;
        struct mfx_err err = {{0}};
        enum mfx_rc rc =
            rewrite(arena, in, cases[i].old, cases[i].new, &out, &err);
        unit_assert_str(cases[i].label, mfx_str_of(err.msg), mfx_str_of(""));
        unit_assert_int(cases[i].label, rc, MFX_OK);
        unit_assert_str(cases[i].label, out, mfx_str_of(cases[i].want));
        /* with the same addresses, and once more */
        rc = rewrite(arena, in, cases[i].old, cases[i].old, &same, NULL);
        unit_assert_int(cases[i].label, rc, MFX_NOTFOUND);
        assert_ptr_equal(same.p, in.p);
        rc = rewrite(arena, out, cases[i].new, cases[i].new, &same, NULL);
        unit_assert_int(cases[i].label, rc, MFX_NOTFOUND);
        rc = rewrite(arena, out, cases[i].old, cases[i].new, &same, NULL);
        unit_assert_int(cases[i].label, rc, MFX_NOTFOUND);
    }
    mfx_arena_free(arena);
}

#define TEN     "1234567890"
#define FIFTY   TEN TEN TEN TEN TEN
#define HUNDRED FIFTY FIFTY
#define LABELS  FIFTY "." FIFTY "." FIFTY "." /* 153 octets */

static void
refusing(void **state)
{
    static const struct {
        const char *label, *in, *old, *new, *want;
    } cases[] = {
        {"line_feed",              "a@x.test",                        "a@x.test",        "a\nb@x.test",
         "new address: control byte in local part"                                                                                                                           },
        {"carriage_return",        "a@x.test",                        "a@x.test",        "a\r@x.test",
         "new address: control byte in local part"                                                                                                                           },
        {"tab",                    "a@x.test",                        "a@x.test",        "a\tb@x.test",
         "new address: control byte in local part"                                                                                                                           },
        {"delete",                 "a@x.test",                        "a@x.test",        "\x7F@x.test",
         "new address: control byte in local part"                                                                                                                           },
        {"latin1",                 "a@x.test",                        "a@x.test",        "\xF6@x.test",
         "new address: local part is not UTF-8"                                                                                                                              },
        {"no_local",               "a@x.test",                        "a@x.test",        "@x.test",
         "new address: empty local part"                                                                                                                                     },
        {"domain_line_feed",       "a@x.test",                        "a@x.test",        "a@x\n.test",
         "new address: no valid domain"                                                                                                                                      },
        {"domain_header",          "a@x.test",                        "a@x.test",        "a@x>\nBcc: <b",
         "new address: no valid domain"                                                                                                                                      },
        {"domain_angle",           "a@x.test",                        "a@x.test",        "a@x>,<b",
         "new address: no valid domain"                                                                                                                                      },
        {"domain_comment",         "a@x.test",                        "a@x.test",        "a@x(c)",
         "new address: no valid domain"                                                                                                                                      },
        {"domain_latin1",          "a@x.test",                        "a@x.test",        "a@\xF6.test",
         "new address: no valid domain"                                                                                                                                      },
        {"domain_dot",             "a@x.test",                        "a@x.test",        "a@x.test.",
         "new address: no valid domain"                                                                                                                                      },
        {"domain_two_dots",        "a@x.test",                        "a@x.test",        "a@x..test",
         "new address: no valid domain"                                                                                                                                      },
        {"literal_open",           "a@x.test",                        "a@x.test",        "a@[192.0.2.1",
         "new address: no valid domain"                                                                                                                                      },
        {"literal_behind",         "a@x.test",                        "a@x.test",        "a@[192.0.2.1]x",
         "new address: no valid domain"                                                                                                                                      },
        {"literal_blank",          "a@x.test",                        "a@x.test",        "a@[192.0.2.1 ]",
         "new address: no valid domain"                                                                                                                                      },
        {"literal_angle",          "a@x.test",                        "a@x.test",        "a@[<1]",
         "new address: no valid domain"                                                                                                                                      },
        {"literal_comma",          "a@x.test",                        "a@x.test",        "a@[1,2]",
         "new address: no valid domain"                                                                                                                                      },
        {"literal_empty",          "a@x.test",                        "a@x.test",        "a@[]",
         "new address: no valid domain"                                                                                                                                      },
        {"local_65",               "a@x.test",                        "a@x.test",        FIFTY "12345678901234@x.test",
         NULL                                                                                                                                                                },
        {"local_66",               "a@x.test",                        "a@x.test",        FIFTY "123456789012345@x.test",
         "new address: local part of more than 64 octets"                                                                                                                    },
        {"quotes_count",           "a@x.test",                        "a@x.test",        FIFTY " 123456789012@x.test",
         "new address: local part of more than 64 octets"                                                                                                                    },
        {"all_254",                "a@x.test",                        "a@x.test",        FIFTY "@" LABELS FIFTY,             NULL                                            },
        {"all_255",                "a@x.test",                        "a@x.test",        FIFTY "1@" LABELS FIFTY,
         "new address: more than 254 octets"                                                                                                                                 },
        {"long_before",            HUNDRED "@x.test",                 HUNDRED "@x.test", HUNDRED "@y.test",
         NULL                                                                                                                                                                },
        {"long_before_local",      HUNDRED "@x.test",                 HUNDRED "@x.test",
         FIFTY TEN TEN TEN TEN TEN "@y.test",                                                                                NULL                                            },
        {"long_before_longer",     HUNDRED "@x.test",                 HUNDRED "@x.test",
         HUNDRED "1@y.test",                                                                                                 "new address: local part of more than 64 octets"},
        {"long_before_all",        HUNDRED HUNDRED "@" LABELS "test",
         HUNDRED HUNDRED "@" LABELS "test",                                              HUNDRED HUNDRED "@" LABELS "west",
         NULL                                                                                                                                                                },
        {"long_before_all_longer", HUNDRED HUNDRED "@" LABELS "test",
         HUNDRED HUNDRED "@" LABELS "test",                                              HUNDRED HUNDRED "@" LABELS "wests",
         "new address: more than 254 octets"                                                                                                                                 },
        {"strange_domain_stays",   "a@$x.test",                       "a@$x.test",       "b@$x.test",                        NULL                                            },
        {"strange_local_stays",    "\"a\tb\"@x.test",                 "a\tb@x.test",     "a\tb@y.test",
         NULL                                                                                                                                                                },
        {"strange_local_bare",     "\"a\tb\"@x.test",                 "a\tb@x.test",     "a\tb@",
         "new address: no such local part"                                                                                                                                   },
        {"carriage_return_beside", "a\r\n @x.test",                   "a@x.test",        "b@x.test",
         "new addresses: bytes that no field has"                                                                                                                            },
        {"no_white_space_line",    "a@x.test,\nb@x.test",             "a@x.test",        "b@x.test",
         "new addresses: bytes that no field has"                                                                                                                            },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str in = mfx_str_of(cases[i].in), out;
        struct mfx_err err = {{0}};
        enum mfx_rc rc =
            rewrite(arena, in, cases[i].old, cases[i].new, &out, &err);
        unit_assert_str(cases[i].label, mfx_str_of(err.msg),
                        mfx_str_of(cases[i].want));
        unit_assert_int(cases[i].label, rc,
                        cases[i].want == NULL ? MFX_OK : MFX_PERMFAIL);
        if (rc != MFX_OK)
            assert_ptr_equal(out.p, in.p);
    }
    mfx_arena_free(arena);
}

static void
nul_is_refused(void **state)
{
    struct mfx_address_wish wish = {true, MFX_STR("a\0b"), MFX_STR("x.test")};
    struct mfx_str none = {0};
    (void)state;
    assert_int_equal(mfx_address_wish_check(&wish, none, none, NULL),
                     MFX_PERMFAIL);
    wish = (struct mfx_address_wish){true, MFX_STR("a"), MFX_STR("x\0.test")};
    assert_int_equal(mfx_address_wish_check(&wish, none, none, NULL),
                     MFX_PERMFAIL);
}

/* --- line length --- */

static size_t
longest_line(struct mfx_str value)
{
    size_t longest = 0, len = from.len + 1;
    for (size_t i = 0; i < value.len; i++) {
        len = value.p[i] == '\n' ? 0 : len + 1;
        if (len > longest)
            longest = len;
    }
    return longest;
}

static struct mfx_str
repeat(struct mfx_arena *arena, size_t count, const char *item,
       const char *separator)
{
    struct mfx_buf buf;
    mfx_buf_init_arena(&buf, arena, 1024 * 1024);
    for (size_t i = 0; i < count; i++) {
        mfx_buf_add_text(&buf, i == 0 ? " " : separator);
        mfx_buf_add_text(&buf, item);
    }
    assert_true(mfx_buf_ok(&buf));
    return mfx_buf_str(&buf);
}

/* Each "a@x.test" becomes the text; line ends go, with a blank behind them if
 * so asked. */
static struct mfx_str
replaced(struct mfx_arena *arena, struct mfx_str in, const char *text,
         size_t blanks)
{
    static const struct mfx_str old = MFX_STR("a@x.test");
    struct mfx_buf buf;
    mfx_buf_init_arena(&buf, arena, 1024 * 1024);
    for (size_t i = 0; i < in.len; i++) {
        if (mfx_str_starts(mfx_str_from(in, i), old)) {
            mfx_buf_add_text(&buf, text);
            i += old.len - 1;
        } else if (in.p[i] == '\n') {
            i += blanks;
        } else {
            mfx_buf_add_byte(&buf, in.p[i]);
        }
    }
    assert_true(mfx_buf_ok(&buf));
    return mfx_buf_str(&buf);
}

#define FIVE_HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
#define THOUSAND     FIVE_HUNDRED FIVE_HUNDRED

static void
folding(void **state)
{
    static const struct {
        const char *label, *item, *separator, *new;
        size_t count, longest, added_blanks;
    } cases[] = {
        {"300",                "a@x.test",                                       ", ",   "longer@x.test", 300,   998,  0},
        {"300_shorter",        "a@x.test",                                       ", ",   "a@x",           300,   998,  0},
        {"300_no_blanks",      "a@x.test",                                       ",",    "longer@x.test", 300,   998,  1},
        {"10000",              "N <a@x.test>",                                   ",\t",  "longer@x.test", 10000, 998,  0},
        {"10000_in_lines",     "N <a@x.test>",                                   ",\n ", "longer@x.test", 10000, 24,
         0                                                                                                              },
        {"groups",             "g: a@x.test;",                                   ", ",   "b@x.test",      400,   998,  0},
        {"blanks_behind",      "a@x.test ",                                      ",   ", "b@x.test",      400,   998,  0},
        {"long_name",          "A " FIVE_HUNDRED " " FIVE_HUNDRED " <a@x.test>", ", ",
         "b@x.test",                                                                                      2,     998,  0},
        {"comma_in_quotes",    "\",,, ,,\\\", ,,,,\" <a@x.test>",                ", ",   "b@x.test",
         100,                                                                                                    998,  0},
        {"comma_in_comment",   "(,(,\\),), ,\",) a@x.test",                      ", ",   "b@x.test",      100,
         998,                                                                                                          0},
        {"comma_in_literal",   "c@[,,,,,,,,,,,,,,,,,,],a@x.test",                ",",    "b@x.test",
         100,                                                                                                    998,  1},
        {"long_comment",       "a@x.test (" FIVE_HUNDRED " " FIVE_HUNDRED ")",   ", ",
         "longer@x.test",                                                                                 1,     1004, 0},
        {"long_quotes",        "\"" THOUSAND "\"<a@x.test>",                     ", ",   "b@x.test",      1,     1018,
         0                                                                                                              },
        {"long_quotes_longer", "\"" THOUSAND "\"<a@x.test>",                     ", ",   "bc@x.test",
         1,                                                                                                      0,    0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_err err = {{0}};
        struct mfx_str out, in = repeat(arena, cases[i].count, cases[i].item,
                                        cases[i].separator);
        enum mfx_rc rc =
            rewrite(arena, in, "a@x.test", cases[i].new, &out, &err);
        if (cases[i].longest == 0) {
            unit_assert_int(cases[i].label, rc, MFX_PERMFAIL);
            unit_assert_str(
                cases[i].label, mfx_str_of(err.msg),
                mfx_str_of("new addresses: line of more than 998 octets"));
        } else {
            unit_assert_int(cases[i].label, rc, MFX_OK);
            unit_assert_int(cases[i].label, mfx_header_value_is_safe(out), 1);
            unit_assert_int(cases[i].label,
                            longest_line(out) <= cases[i].longest, 1);
            unit_assert_str(
                cases[i].label, replaced(arena, out, "", cases[i].added_blanks),
                replaced(arena, in, cases[i].new, cases[i].added_blanks));
        }
        mfx_arena_free(arena);
    }
}

/* --- spelling --- */

static void
specs(void **state)
{
    static const struct {
        const char *label, *local, *domain, *want;
    } cases[] = {
        {"plain",          "a",                   "x.test",        "a@x.test"               },
        {"bare",           "a.b",                 "",              "a.b"                    },
        {"atext",          "!#$%&'*+-/=?^_`{|}~", "x.test",
         "!#$%&'*+-/=?^_`{|}~@x.test"                                                       },
        {"empty",          "",                    "x.test",        "\"\"@x.test"            },
        {"blank",          " ",                   "x.test",        "\" \"@x.test"           },
        {"first_dot",      ".a",                  "x.test",        "\".a\"@x.test"          },
        {"last_dot",       "a.",                  "x.test",        "\"a.\"@x.test"          },
        {"two_dots",       "a..b",                "x.test",        "\"a..b\"@x.test"        },
        {"specials",       "()<>[]:;@,",          "x.test",        "\"()<>[]:;@,\"@x.test"  },
        {"pairs",          "a\"\\",               "x.test",        "\"a\\\"\\\\\"@x.test"   },
        {"comment",        "a(c)",                "x.test",        "\"a(c)\"@x.test"        },
        {"quoted",         "\"a\"",               "x.test",        "\"\\\"a\\\"\"@x.test"   },
        {"utf8",           "\xC3\xB6",            "\xC3\xB6.test", "\xC3\xB6@\xC3\xB6.test" },
        {"utf8_blank",     "\xC3\xB6 \xC3\xB6",   "x",             "\"\xC3\xB6 \xC3\xB6\"@x"},
        {"literal",        "a",                   "[192.0.2.1]",   "a@[192.0.2.1]"          },
        {"ipv6",           "a",                   "[IPv6:::1]",    "a@[IPv6:::1]"           },
        {"control",        "a\x01",               "x.test",        NULL                     },
        {"tab",            "a\tb",                "x.test",        NULL                     },
        {"line_feed",      "a\n b",               "x.test",        NULL                     },
        {"not_utf8",       "\xF6",                "x.test",        NULL                     },
        {"blank_domain",   "a",                   "x test",        NULL                     },
        {"bracket",        "a",                   "[",             NULL                     },
        {"nested_literal", "a",                   "[[1]]",         NULL                     },
        {"dot_domain",     "a",                   ".x",            NULL                     },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str spec, local = mfx_str_of(cases[i].local),
                             domain = mfx_str_of(cases[i].domain);
        struct mfx_address_list list;
        enum mfx_rc rc = mfx_address_spec_write(local, domain, arena, &spec);
        unit_assert_int(cases[i].label, rc,
                        cases[i].want == NULL ? MFX_PERMFAIL : MFX_OK);
        unit_assert_str(cases[i].label, spec, mfx_str_of(cases[i].want));
        if (rc != MFX_OK)
            continue;
        rc = mfx_address_list_parse(spec, arena, 1, &list);
        unit_assert_int(cases[i].label, rc, MFX_OK);
        unit_assert_str(cases[i].label, list.mailboxes[0].local, local);
        unit_assert_str(cases[i].label, list.mailboxes[0].domain, domain);
    }
    mfx_arena_free(arena);
}

/* --- Message-ID --- */

static void
message_ids(void **state)
{
    static const struct {
        const char *label, *in, *domain, *want;
        enum mfx_rc rc;
    } cases[] = {
        {"plain",              " <1@a.b.test>",                  "b.test",        " <1@b.test>",          MFX_OK      },
        {"same",               " <1@b.test>",                    "b.test",        " <1@b.test>",          MFX_NOTFOUND},
        {"around",             "(c)\n <1@a.test>\t(<2@a.test>)", "b",
         "(c)\n <1@b>\t(<2@a.test>)",                                                                     MFX_OK      },
        {"quoted_left",        "<\"a@b c\"@a.test>",             "b",             "<\"a@b c\"@b>",        MFX_OK      },
        {"two_at",             "<a@b@a.test>",                   "b",             "<a@b@b>",              MFX_OK      },
        {"blank_left",         "<a b@a.test>",                   "b",             "<a b@b>",              MFX_OK      },
        {"no_left",            "<@a.test>",                      "b",             "<@b>",                 MFX_OK      },
        {"literal",            "<1@[192.0.2.1]>",                "b",             "<1@b>",                MFX_OK      },
        {"to_literal",         "<1@a>",                          "[192.0.2.1]",   "<1@[192.0.2.1]>",      MFX_OK      },
        {"no_at",              "<1>",                            "b",             "<1>",                  MFX_PERMFAIL},
        {"no_right",           "<1@>",                           "b",             "<1@>",                 MFX_PERMFAIL},
        {"no_angle",           "1@a.test",                       "b",             "1@a.test",             MFX_PERMFAIL},
        {"open",               "<1@a.test",                      "b",             "<1@a.test",            MFX_PERMFAIL},
        {"two",                "<1@a.test><2@a.test>",           "b",             "<1@a.test><2@a.test>",
         MFX_PERMFAIL                                                                                                 },
        {"nested",             "<1<2@a.test>",                   "b",             "<1<2@a.test>",         MFX_PERMFAIL},
        {"folded",             "<1@a\n .test>",                  "b",             "<1@a\n .test>",        MFX_PERMFAIL},
        {"comment_right",      "<1@a(c)>",                       "b",             "<1@a(c)>",             MFX_PERMFAIL},
        {"literal_with_angle", "<1@a>",                          "[<]",           "<1@a>",                MFX_PERMFAIL},
        {"bad_domain",         "<1@a>",                          "b>\nX: <",      "<1@a>",                MFX_PERMFAIL},
        {"empty_domain",       "<1@a>",                          "",              "<1@a>",                MFX_PERMFAIL},
        {"nothing",            "",                               "b",             "",                     MFX_PERMFAIL},
        {"line_998",
         "(" FIVE_HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED FIFTY TEN
         "12345678)\t<1@a>",                                     "bcdefghijklm",  NULL,                   MFX_OK      },
        {"line_999",
         "(" FIVE_HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED FIFTY TEN
         "12345678)\t<1@a>",                                     "bcdefghijklmn", NULL,                   MFX_PERMFAIL},
        {"line_2_998",
         "\n (" FIVE_HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED FIFTY TEN
         "12345678)\t<1@a>\n (" FIVE_HUNDRED ")",
         "bcdefghijklm1234567890",                                                NULL,                   MFX_OK      },
        {"line_2_999",
         "\n (" FIVE_HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED FIFTY TEN
         "12345678)\t<1@a>\n (" FIVE_HUNDRED ")",
         "bcdefghijklmn1234567890",                                               NULL,                   MFX_PERMFAIL},
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str name = mfx_str_of("Message-ID"), out;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum mfx_rc rc = mfx_message_id_rewrite(name, mfx_str_of(cases[i].in),
                                                mfx_str_of(cases[i].domain),
                                                arena, &out, NULL);
        unit_assert_int(cases[i].label, rc, cases[i].rc);
        if (cases[i].want != NULL)
            unit_assert_str(cases[i].label, out, mfx_str_of(cases[i].want));
    }
    mfx_arena_free(arena);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(replacing),      cmocka_unit_test(refusing),
        cmocka_unit_test(nul_is_refused), cmocka_unit_test(folding),
        cmocka_unit_test(specs),          cmocka_unit_test(message_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
