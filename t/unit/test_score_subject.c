/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "../../milters/score/subject.h"
#include <mfx/base/decimal.h>

static struct mfx_arena *arena;

#define U         "\303\274"
#define ENCODED_U "=?utf-8?B?w7w=?="
#define TEN       "0123456789"
#define SEVENTY   TEN TEN TEN TEN TEN TEN TEN

/* score 7.25, required 5 */
static const struct {
    const char *label, *tag, *value, *want; /* want NULL: it stays */
} tags[] = {
    {"plain",                             "[SPAM]",             " hello",                           " [SPAM] hello"                          },
    {"no_blank_behind_the_colon",         "[SPAM]",             "hello",                            " [SPAM] hello"                          },
    {"several_blanks",                    "[SPAM]",             " \thello  you ",                   " [SPAM] hello  you"                     },
    {"empty",                             "[SPAM]",             "",                                 " [SPAM]"                                },
    {"blanks_only",                       "[SPAM]",             " ",                                " [SPAM]"                                },
    {"folded",                            "[SPAM]",             " one\n\ttwo",                      " [SPAM] one\n\ttwo"                     },
    {"folded_at_once",                    "[SPAM]",             "\n two",                           " [SPAM] two"                            },
    {"encoded_stays",                     "[SPAM]",
     " =?iso-8859-1?Q?Gr=FC=DFe?=",                                                                 " [SPAM] =?iso-8859-1?Q?Gr=FC=DFe?="     },
    {"eight_bit_stays",                   "[SPAM]",             " Gr" U "n",                        " [SPAM] Gr" U "n"                       },
    {"latin_1_raw_stays",                 "[SPAM]",             " Gr\374n",                         " [SPAM] Gr\374n"                        },
    {"long_line_is_folded",               "[SPAM]",             " " SEVENTY,                        " [SPAM]\n " SEVENTY                     },
    {"line_of_76",                        "[SPAM]",             " " TEN TEN TEN TEN TEN TEN,
     " [SPAM] " TEN TEN TEN TEN TEN TEN                                                                                                      },
    {"line_of_77",                        "[SPAM]",             " " TEN TEN TEN TEN TEN TEN "x",
     " [SPAM]\n " TEN TEN TEN TEN TEN TEN "x"                                                                                                },
 /* what stands in the tag */
    {"score",                             "[SPAM $score]",      " a",                               " [SPAM 7.25] a"                         },
    {"required",                          "*$score/$required*", " a",                               " *7.25/5* a"                            },
    {"unknown_variable",                  "[$scor $x]",         " a",                               " [$scor $x] a"                          },
    {"dollar_at_the_end",                 "SPAM $",             " a",                               " SPAM $ a"                              },
    {"only_a_variable",                   "$score",             " a",                               " 7.25 a"                                },
    {"no_tag",                            "",                   " a",                               NULL                                     },
    {"blank_tag",                         " \t",                " a",                               NULL                                     },
    {"blanks_around_the_tag",             " [SPAM] ",           " a",                               " [SPAM] a"                              },
    {"beyond_ascii",                      U,                    " a",                               " " ENCODED_U " a"                       },
    {"beyond_ascii_before_encoded",       U,
     " =?utf-8?Q?=C3=A9?=",                                                                         " =?utf-8?B?w7wg?= =?utf-8?Q?=C3=A9?="   },
    {"beyond_ascii_before_other_charset", U,
     " =?koi8-r?B?8NLJ18XU?=",                                                                      " =?utf-8?B?w7wg?= =?koi8-r?B?8NLJ18XU?="},
    {"ascii_last_before_encoded",         U " x",
     " =?utf-8?Q?=C3=BC?=",                                                                         " " ENCODED_U " x =?utf-8?Q?=C3=BC?="    },
    {"line_end_in_the_tag",               "[SPAM]\r\nBcc: x@y", " a",                               " [SPAM] Bcc: x@y a"                     },
 /* once */
    {"is_there",                          "[SPAM]",             " [SPAM] hello",                    NULL                                     },
    {"is_there_alone",                    "[SPAM]",             " [SPAM]",                          NULL                                     },
    {"is_there_without_blank",            "[SPAM]",             "[SPAM]hello",                      NULL                                     },
    {"is_there_folded",                   "[SPAM] !",           "\n [SPAM]\n ! hello",              NULL                                     },
    {"is_there_encoded",                  "[SPAM]",             " =?us-ascii?Q?=5BSPAM=5D_hello?=", NULL                                     },
    {"is_there_in_other_charset",         "[SPAM]",
     " =?koi8-r?B?W1NQQU1dIPDSydfF1A==?=",                                                          NULL                                     },
    {"is_there_in_two_words",             "[SPAM]",
     " =?us-ascii?Q?=5BSP?=\n =?utf-8?Q?AM=5D?= hello",                                             NULL                                     },
    {"ours_is_there",                     U "x",                " =?utf-8?B?w7x4?= hello",          NULL                                     },
    {"raw_is_there",                      U "x",                " " U "x hello",                    NULL                                     },
    {"other_score_is_there",              "[SPAM $score]",      " [SPAM 12.5] a",                   NULL                                     },
    {"negative_score_is_there",           "[$score]",           " [-1] a",                          NULL                                     },
    {"no_score_is_there",                 "[$score]",           " [none] a",                        NULL                                     },
    {"score_and_dot",                     "$score.",            " 7. a",                            NULL                                     },
    {"no_number_is_there",                "[SPAM $score]",      " [SPAM] a",
     " [SPAM 7.25] [SPAM] a"                                                                                                                 },
    {"letters_for_a_number",              "[SPAM $score]",      " [SPAM x] a",
     " [SPAM 7.25] [SPAM x] a"                                                                                                               },
    {"in_other_case",                     "[SPAM]",             " [spam] a",                        " [SPAM] [spam] a"                       },
    {"further_behind",                    "[SPAM]",             " Re: [SPAM] a",                    " [SPAM] Re: [SPAM] a"                   },
    {"cut_short",                         "[SPAM]",             " [SPA",                            " [SPAM] [SPA"                           },
    {"begins_a_word",                     "SPAM",               " SPAMMERS unite",                  " SPAM SPAMMERS unite"                   },
    {"before_a_colon",                    "SPAM",               " SPAM: hello",                     NULL                                     },
    {"number_goes_on",                    "$score",             " 72 a",                            NULL                                     },
 /* malformed */
    {"white_line",                        "[SPAM]",             " a\n \n b",                        " [SPAM] a\n b"                          },
    {"bare_cr",                           "[SPAM]",             " a\rb",                            " [SPAM] ab"                             },
    {"line_without_blank",                "[SPAM]",             " a\nBcc: b",                       " [SPAM] a\n Bcc: b"                     },
    {"crlf",                              "[SPAM]",             " a\r\n b\r\n",                     " [SPAM] a\n b"                          },
    {"broken_word",                       "[SPAM]",             " =?utf-8?B?Y*Q=?=",                " [SPAM] =?utf-8?B?Y*Q=?="               },
};

static void
tagging(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        const struct score_subject_tag tag = {mfx_str_of(tags[i].tag), 7250,
                                              5000};
        struct mfx_str out = {"", 0}, again;
        bool is_changed =
            score_subject_tagged(&tag, mfx_str_of(tags[i].value), arena, &out);
        unit_assert_int(tags[i].label, is_changed, tags[i].want != NULL);
        if (!is_changed)
            continue;
        unit_assert_str(tags[i].label, out, mfx_str_of(tags[i].want));
        assert_true(mfx_header_value_is_safe(out));
        /* its own mark is known again, with another score */
        const struct score_subject_tag later = {mfx_str_of(tags[i].tag), -99,
                                                MFX_DECIMAL_NONE};
        unit_assert_int(tags[i].label,
                        score_subject_tagged(&later, out, arena, &again),
                        false);
    }
}

static const struct {
    const char *label, *subject, *want;
} values[] = {
    {"plain",               "*** SPAM *** hello",            " *** SPAM *** hello"     },
    {"blanks_around",       " hello \r\n",                   " hello"                  },
    {"empty",               "",                              " "                       },
    {"encoded_stays",       "=?UTF-8?Q?Gr=C3=BC=C3=9Fe?= x",
     " =?UTF-8?Q?Gr=C3=BC=C3=9Fe?= x"                                                  },
    {"other_charset_stays", "=?koi8-r?B?8NLJ18XU?=",         " =?koi8-r?B?8NLJ18XU?="  },
    {"folded_stays",        "one\n two",                     " one\n two"              },
    {"raw",                 "*** SPAM *** " U,               " *** SPAM *** " ENCODED_U},
    {"raw_and_encoded",
     U " =?utf-8?Q?=C3=BC?= =?utf-8?Q?x?=",                  " =?utf-8?B?w7wgw7x4?="   },
    {"line_end",            "a\r\nBcc: b",                   " a Bcc: b"               },
    {"line_feed",           "a\nBcc: b",                     " a Bcc: b"               },
    {"white_line",          "a\n \n b",                      " a b"                    },
    {"nul_and_escape",      "a\033b",                        " a b"                    },
    {"not_utf_8",           "\374",                          " =?utf-8?B?77+9?="       },
    {"line_end_in_a_word",  "=?utf-8?Q?a=0D=0ABcc:_b?= " U,
     " a Bcc: b " ENCODED_U                                                            },
};

static void
engine_subjects(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct mfx_str out =
            score_subject_value(mfx_str_of(values[i].subject), arena);
        unit_assert_str(values[i].label, out, mfx_str_of(values[i].want));
        assert_true(mfx_header_value_is_safe(out));
    }
}

static size_t
longest_line(struct mfx_str value)
{
    struct mfx_str line;
    size_t longest = 0;
    while (mfx_str_cut(&value, '\n', &line))
        longest = line.len > longest ? line.len : longest;
    return longest;
}

static void
long_subjects(void **state)
{
    static const struct {
        const char *label, *piece;
        size_t times, longest;
    } cases[] = {
        {"words",          "word ",        5000, 76 },
        {"one_word",       "x",            5000, 76 },
        {"beyond_ascii",   "\346\227\245", 5000, 76 },
        {"one_line_fits",  "x",            989,  990},
        {"one_line_above", "x",            990,  76 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf in;
        mfx_buf_init_arena(&in, arena, 100000);
        for (size_t n = 0; n < cases[i].times; n++)
            mfx_buf_add_text(&in, cases[i].piece);
        struct mfx_str out = score_subject_value(mfx_buf_str(&in), arena);
        if (longest_line(out) > cases[i].longest)
            fail_msg("%s: a line of %zu", cases[i].label, longest_line(out));
        assert_true(out.len < (size_t)4 * SCORE_SUBJECT_MAX);
        assert_true(out.len > 500);
        assert_true(mfx_header_value_is_safe(out));
        assert_true(mfx_str_is_ascii(out));
    }
}

/* --- as edits --- */

static void
print_edits(const struct mfx_decision *d, struct mfx_buf *out)
{
    for (const struct mfx_edit *e = d->edits; e != NULL; e = e->next) {
        if (e->kind == MFX_EDIT_INSERT_HEADER)
            mfx_buf_printf(out, "insert %d %.*s:%.*s|", e->at,
                           MFX_STR_ARG(e->name), MFX_STR_ARG(e->value));
        else if (e->kind == MFX_EDIT_CHANGE_HEADER)
            mfx_buf_printf(out, "change %zu %.*s:%.*s|", e->header->instance,
                           MFX_STR_ARG(e->name), MFX_STR_ARG(e->value));
        else
            mfx_buf_printf(out, "delete %zu %.*s|", e->header->instance,
                           MFX_STR_ARG(e->name));
    }
}

/* fields: Subject's values, parted by "|". before: edits that are there: "d1"
 * deletes the first, "c1X" makes it " X", "iX" inserts " X". */
static const struct {
    const char *label, *fields, *before, *tagged, *replaced;
} edit_cases[] = {
    {"one",                      " a",        "",          "change 1 Subject: [SPAM] a|", "change 1 Subject: new|"                    },
    {"none",                     NULL,        "",          "insert -1 Subject: [SPAM]|",  "insert -1 Subject: new|"                   },
    {"tagged_already",           " [SPAM] a", "",          "",                            "change 1 Subject: new|"                    },
    {"two",                      " a| b",     "",
     "change 1 Subject: [SPAM] a|change 2 Subject: [SPAM] b|",                            "change 1 Subject: new|"                    },
    {"changed_before",           " a",        "c1b",
     "change 1 Subject: b|change 1 Subject: [SPAM] b|",                                   "change 1 Subject: b|change 1 Subject: new|"},
    {"deleted_before",           " a",        "d1",
     "delete 1 Subject|insert -1 Subject: [SPAM]|",                                       "delete 1 Subject|insert -1 Subject: new|"  },
    {"first_deleted_before",     " a| b",     "d1",
     "delete 1 Subject|change 2 Subject: [SPAM] b|",                                      "delete 1 Subject|change 2 Subject: new|"   },
    {"replaced_before",          " a",        "d1ib",
     "delete 1 Subject|insert -1 Subject: [SPAM] b|",                                     "delete 1 Subject|insert -1 Subject: new|"  },
    {"replaced_by_a_tagged_one", " a",        "d1i[SPAM]",
     "delete 1 Subject|insert -1 Subject: [SPAM]|",                                       "delete 1 Subject|insert -1 Subject: new|"  },
};

static void
begin_message(struct mfx_message *m, struct mfx_decision *d, const char *fields,
              const char *before)
{
    static const struct mfx_str name = MFX_STR("Subject");
    struct mfx_str rest = mfx_str_of(fields), value;
    memset(m, 0, sizeof *m);
    mfx_decision_init(d, arena);
    m->arena = arena;
    m->decision = d;
    while (mfx_str_cut(&rest, '|', &value))
        (void)mfx_headers_add(&m->headers, arena, name, value);
    const struct mfx_header *h = mfx_headers_first(&m->headers, name);
    for (const char *p = before; *p != '\0'; p++) {
        char text[] = {' ', p[1] == '1' ? p[2] : p[1], '\0'};
        if (*p == 'd') {
            mfx_edit_delete_header(d, h);
            p++;
        } else if (*p == 'c') {
            mfx_edit_change_header(d, h, mfx_str_of(text));
            p += 2;
        } else {
            mfx_edit_insert_header_at(d, -1, name,
                                      mfx_arena_printf(arena, " %s", p + 1));
            break;
        }
    }
}

static void
edits(void **state)
{
    static const struct score_subject_tag tag = {MFX_STR("[SPAM]"), 0, 0};
    (void)state;
    for (size_t i = 0; i < sizeof edit_cases / sizeof edit_cases[0]; i++) {
        struct mfx_message m;
        struct mfx_decision d;
        struct mfx_buf out;
        mfx_buf_init_arena(&out, arena, 10000);
        begin_message(&m, &d, edit_cases[i].fields, edit_cases[i].before);
        score_subject_tag_apply(&m, &tag);
        print_edits(&d, &out);
        unit_assert_str(edit_cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(edit_cases[i].tagged));
        mfx_buf_clear(&out);
        begin_message(&m, &d, edit_cases[i].fields, edit_cases[i].before);
        score_subject_replace(&m, mfx_str_of("new"));
        print_edits(&d, &out);
        unit_assert_str(edit_cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(edit_cases[i].replaced));
    }
}

/* As many as a message may have, some of them changed: no more than a blink. */
static void
many_fields(void **state)
{
    static const struct score_subject_tag tag = {MFX_STR("[SPAM]"), 0, 0};
    enum {
        MANY = 10000,
    };
    struct mfx_message m;
    struct mfx_decision d;
    (void)state;
    begin_message(&m, &d, " a", "c1b");
    for (size_t i = 1; i < MANY; i++)
        (void)mfx_headers_add(&m.headers, arena, mfx_str_of("Subject"),
                              mfx_str_of(" a"));
    uint64_t began_ms = mfx_mono_ms();
    score_subject_tag_apply(&m, &tag);
    uint64_t took_ms = mfx_mono_ms() - began_ms;
    size_t count = 0;
    for (const struct mfx_edit *e = d.edits; e != NULL; e = e->next)
        count++;
    unit_assert_int("edits", count, MANY + 1);
    if (took_ms > 5000)
        fail_msg("took %llu ms", (unsigned long long)took_ms);
    mfx_headers_fini(&m.headers);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tagging),       cmocka_unit_test(engine_subjects),
        cmocka_unit_test(long_subjects), cmocka_unit_test(edits),
        cmocka_unit_test(many_fields),
    };
    arena = mfx_arena_new(0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mfx_arena_free(arena);
    return failed;
}
