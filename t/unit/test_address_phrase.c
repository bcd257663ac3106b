/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Python's email package reads them back as the old name, a blank and the
 * suffix (but for encoded words side by side, between which it shows white
 * space that RFC 2047 6.2 ignores). */
#include <mfx/mail/address_phrase.h>
#include <mfx/mail/header.h>

#include "unit.h"

#define LIST "via lists.example.org"
#define UMLAUT \
    "\xC3\xBC" \
    "ber die Liste"

static enum mfx_rc
append(struct mfx_arena *arena, const char *value, const char *suffix,
       const bool *which, struct mfx_str *out, struct mfx_err *err)
{
    static const bool all[] = {true, true, true, true};
    struct mfx_address_list list;
    enum mfx_rc rc = mfx_address_list_parse(mfx_str_of(value), arena, 4, &list);
    if (rc != MFX_OK)
        fail_msg("%s: no address list", value);
    return mfx_address_phrase_append(mfx_str_of("From"), mfx_str_of(value),
                                     &list, which == NULL ? all : which,
                                     mfx_str_of(suffix), arena, out, err);
}

static void
names(void **state)
{
    static const struct {
        const char *label, *value, *suffix, *want;
    } cases[] = {
        {"atoms",                   " John Doe <a@x.example>",                  "via list",
         " John Doe via list <a@x.example>"                                                                                                           },
        {"blanks_around",           " John <a@x.example>",                      "  via list ",
         " John via list <a@x.example>"                                                                                                               },
        {"atoms_and_dots",          " John Doe <a@x.example>",                  LIST,
         " \"John Doe " LIST "\" <a@x.example>"                                                                                                       },
        {"obsolete_dot",            " John Q. Public <a@x.example>",            "via list",
         " \"John Q. Public via list\" <a@x.example>"                                                                                                 },
        {"quoted",                  " \"Doe, John\" <a@x.example>",             LIST,
         " \"Doe, John " LIST "\" <a@x.example>"                                                                                                      },
        {"quotes_in_quotes",        " \"John \\\"J\\\"\" <a@x.example>",
         "via \"x\\y\"",                                                                       " \"John \\\"J\\\" via \\\"x\\\\y\\\"\" <a@x.example>" },
        {"empty_quotes",            " \"\" <a@x.example>",                      "via list",
         " \" via list\" <a@x.example>"                                                                                                               },
        {"quoted_then_atom",        " \"Doe,\" John <a@x.example>",             LIST,
         " \"Doe,\" John \"" LIST "\" <a@x.example>"                                                                                                  },
        {"comment_within",          " John (J) Doe (x) <a@x.example> (y)",      LIST,
         " John (J) Doe \"" LIST "\" (x) <a@x.example> (y)"                                                                                           },
        {"encoded",                 " =?utf-8?q?J=C3=B6rg?= <a@x.example>",     LIST,
         " =?utf-8?q?J=C3=B6rg?=\n =?utf-8?q?_via_lists=2Eexample=2Eorg?= "
         "<a@x.example>"                                                                                                                              },
        {"encoded_twice",
         " =?utf-8?q?J=C3=B6rg_?=\n =?iso-8859-1?B?/A==?= <a@x.example>",       "via list",
         " =?utf-8?q?J=C3=B6rg_?=\n =?iso-8859-1?B?/A==?=\n "
         "=?utf-8?q?_via_list?= <a@x.example>"                                                                                                        },
        {"encoded_then_atoms",      " =?utf-8?q?J=C3=B6rg?= Doe <a@x.example>",
         "via list",                                                                           " =?utf-8?q?J=C3=B6rg?= Doe via list <a@x.example>"    },
        {"encoded_then_atoms_dots", " =?utf-8?q?J=C3=B6rg?= Doe <a@x.example>",
         LIST,                                                                                 " =?utf-8?q?J=C3=B6rg?= Doe \"" LIST "\" <a@x.example>"},
        {"like_encoded_in_quotes",  " \"=?utf-8?q?x?=\" <a@x.example>",
         "via list",                                                                           " \"=?utf-8?q?x?= via list\" <a@x.example>"            },
        {"utf8",                    " J\xC3\xB6rg <a@x.example>",               LIST,
         " \"J\xC3\xB6rg " LIST "\" <a@x.example>"                                                                                                    },
        {"utf8_suffix",             " John <a@x.example>",                      UMLAUT,
         " John\n =?utf-8?q?=C3=BCber_die_Liste?= <a@x.example>"                                                                                      },
        {"utf8_suffix_quoted",      " \"Doe, John\" <a@x.example>",             UMLAUT,
         " \"Doe, John\"\n =?utf-8?q?=C3=BCber_die_Liste?= <a@x.example>"                                                                             },
        {"utf8_suffix_encoded",     " =?utf-8?q?J=C3=B6rg?= <a@x.example>",     UMLAUT,
         " =?utf-8?q?J=C3=B6rg?=\n =?utf-8?q?_=C3=BCber_die_Liste?= "
         "<a@x.example>"                                                                                                                              },
        {"address_as_name",         " a@x.example <a@x.example>",               "via list",
         " \"a@x.example via list\" <a@x.example>"                                                                                                    },
        {"brackets_in_name",        " [List] John <a@x.example>",               "via list",
         " \"[List] John via list\" <a@x.example>"                                                                                                    },
        {"folded",                  " John\n\tDoe\n <a@x.example>",             LIST,
         " \"John\n\tDoe " LIST "\"\n <a@x.example>"                                                                                                  },
        {"two",                     " A <a@x.example>,\n \"B\" <b@x.example>",  "via list",
         " A via list <a@x.example>,\n \"B via list\" <b@x.example>"                                                                                  },
        {"group",                   " Us: A <a@x.example>, b@x.example;",       "via list",
         " Us: A via list <a@x.example>, b via list <b@x.example>;"                                                                                   },
 /* without a name */
        {"bare",                    " a@x.example",                             "via list",    " a via list <a@x.example>"                            },
        {"bare_dots",               " a.b@x.example",                           "via list",
         " \"a.b via list\" <a.b@x.example>"                                                                                                          },
        {"bare_quoted",             " \"a \\\" b\"@x.example",                  "via list",
         " \"a \\\" b via list\" <\"a \\\" b\"@x.example>"                                                                                            },
        {"bare_comments",           " (x) a (y) @ x.example (John)",            "via list",
         " (x) a via list <a (y) @ x.example> (John)"                                                                                                 },
        {"bracketed",               " <a@x.example>",                           LIST,          " \"a " LIST "\" <a@x.example>"                        },
        {"bracketed_odd",           " (<) < (b) @r.example:a@x.example>",       "via list",
         " (<) a via list < (b) @r.example:a@x.example>"                                                                                              },
        {"bracketed_second",        " A <b@x.example>, <a@x.example>",          "via list",
         " A via list <b@x.example>, a via list <a@x.example>"                                                                                        },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str out;
        struct mfx_err err = {""};
        enum mfx_rc rc =
            append(arena, cases[i].value, cases[i].suffix, NULL, &out, &err);
        if (rc != MFX_OK)
            fail_msg("%s: %s", cases[i].label, err.msg);
        unit_assert_str(cases[i].label, out, mfx_str_of(cases[i].want));
        unit_assert_int(cases[i].label, mfx_header_value_is_safe(out), true);
    }
    mfx_arena_free(arena);
}

static void
some(void **state)
{
    static const bool none[] = {false, false}, second[] = {false, true};
    static const char value[] = " A <a@x.example>, <b@x.example>";
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str out;
    (void)state;
    assert_non_null(arena);
    assert_int_equal(append(arena, value, "via x", none, &out, NULL), MFX_OK);
    unit_assert_str("none", out, mfx_str_of(value));
    assert_int_equal(append(arena, value, "via x", second, &out, NULL), MFX_OK);
    unit_assert_str("second", out,
                    mfx_str_of(" A <a@x.example>, b via x <b@x.example>"));
    mfx_arena_free(arena);
}

static void
suffixes(void **state)
{
    static const struct {
        const char *label, *suffix;
        enum mfx_rc want;
    } cases[] = {
        {"plain",            "via list",                                    MFX_OK      },
        {"utf8",             UMLAUT,                                        MFX_OK      },
 /* 75 octets: 12 around it, "_" for the blank before it */
        {"longest",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",  MFX_OK      },
        {"too_long",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", MFX_PERMFAIL},
        {"too_long_encoded",
         "\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC"
         "\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC",                        MFX_PERMFAIL},
        {"empty",            "",                                            MFX_PERMFAIL},
        {"blanks",           "  ",                                          MFX_PERMFAIL},
        {"line_end",         "a\nBcc: b",                                   MFX_PERMFAIL},
        {"tab",              "a\tb",                                        MFX_PERMFAIL},
        {"delete",           "a\x7F",                                       MFX_PERMFAIL},
        {"latin1",
         "\xFC"
         "ber",                                                             MFX_PERMFAIL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_err err = {""};
        unit_assert_int(
            cases[i].label,
            mfx_address_phrase_check(mfx_str_of(cases[i].suffix), &err),
            cases[i].want);
        unit_assert_int(cases[i].label, err.msg[0] == '\0',
                        cases[i].want == MFX_OK);
    }
}

static void
no_memory(void **state)
{
    static const char value[] = " \"A\" <a@x.example>, b@x.example";
    struct mfx_address_list list;
    struct mfx_arena *own = mfx_arena_new(0);
    static const bool all[] = {true, true};
    size_t passed = 0;
    (void)state;
    assert_non_null(own);
    assert_int_equal(mfx_address_list_parse(mfx_str_of(value), own, 9, &list),
                     MFX_OK);
    for (size_t budget = 1; budget < 20000; budget += 37) {
        struct mfx_arena *arena = mfx_arena_new(budget);
        struct mfx_str out;
        assert_non_null(arena);
        enum mfx_rc rc = mfx_address_phrase_append(
            mfx_str_of("From"), mfx_str_of(value), &list, all,
            mfx_str_of("via x"), arena, &out, NULL);
        passed += rc == MFX_OK;
        if (rc == MFX_OK)
            unit_assert_str("memory", out,
                            mfx_str_of(" \"A via x\" <a@x.example>, b via x "
                                       "<b@x.example>"));
        else
            assert_int_equal(rc, MFX_TEMPFAIL);
        mfx_arena_free(arena);
    }
    assert_true(passed > 0);
    mfx_arena_free(own);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(some),
        cmocka_unit_test(suffixes),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
