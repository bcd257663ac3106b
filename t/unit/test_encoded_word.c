/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Expected texts come from RFC 2047 section 8 and from Python's email.header;
 * t/interop/encoded_word.t compares the two on random text.
 */
#include "unit.h"

#include <mfx/mail/encoded_word.h>
#include <mfx/mail/header.h>

static struct mfx_arena *arena;

#define GUESSED "\xEF\xBF\xBD"

/* --- decoding --- */

static const struct {
    const char *label, *in, *known, *guess; /* guess NULL: as known */
} readings[] = {
  /* RFC 2047 8 */
    {"rfc_one",                "(=?ISO-8859-1?Q?a?=)",                                   "(a)",                             NULL                                              },
    {"rfc_word_and_text",      "(=?ISO-8859-1?Q?a?= b)",                                 "(a b)",                           NULL                                              },
    {"rfc_two_words",          "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)",                "(ab)",                            NULL                                              },
    {"rfc_two_blanks",         "(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)",               "(ab)",
     NULL                                                                                                                                                                     },
    {"rfc_folded",             "(=?ISO-8859-1?Q?a?=\n    =?ISO-8859-1?Q?b?=)",           "(ab)",
     NULL                                                                                                                                                                     },
    {"rfc_blank_within",       "(=?ISO-8859-1?Q?a_b?=)",                                 "(a b)",                           NULL                                              },
    {"rfc_other_charset",      "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)",
     "(a =?ISO-8859-2?Q?_b?=)",                                                                                             "(a b)"                                           },
    {"rfc_ascii",              "=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>",
     "Keith Moore <moore@cs.utk.edu>",                                                                                      NULL                                              },
    {"rfc_latin_1",            "=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>",
     "Keld J\303\270rn Simonsen <keld@dkuug.dk>",                                                                           NULL                                              },
    {"rfc_name",               "=?ISO-8859-1?Q?Andr=E9?= Pirard <PIRARD@vm1.ulg.ac.be>",
     "Andr\303\251 Pirard <PIRARD@vm1.ulg.ac.be>",                                                                          NULL                                              },
    {"rfc_base64",
     "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\n"
     " =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",                           "If you can read this yo "
     "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=", "If you can read this you understand the example."},
    {"rfc_hebrew",             "=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=",
     "=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=",                                                                               GUESSED GUESSED GUESSED GUESSED
     " " GUESSED GUESSED " " GUESSED GUESSED GUESSED GUESSED GUESSED                                                             },
 /* Python's decode_header */
    {"plain",                  " plain text ",                                           " plain text ",                    NULL                                              },
    {"empty",                  "",                                                       "",                                NULL                                              },
    {"utf_8_q",                "=?utf-8?q?Gr=C3=BC=C3=9Fe?=",                            "Gr\303\274\303\237e",             NULL                                              },
    {"utf_8_b",                "=?UTF-8?B?0J/RgNC40LLQtdGC?=",
     "\320\237\321\200\320\270\320\262\320\265\321\202",                                                                    NULL                                              },
    {"language",               "=?utf-8*de?Q?=C3=BC?=",                                  "\303\274",                        NULL                                              },
    {"small_letters_of_hex",   "=?utf-8?Q?=c3=bc?=",                                     "\303\274",                        NULL                                              },
    {"split_character",        "=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=",                        "\303\274",                        NULL                                              },
    {"text_between",           "=?utf-8?Q?a?= x =?utf-8?Q?b?=",                          "a x b",                           NULL                                              },
    {"folded_plain_text",      " one\n two",                                             " one two",                        NULL                                              },
    {"no_padding",             "=?utf-8?B?YQ?=",                                         "a",                               NULL                                              },
    {"touching",               "a=?utf-8?Q?b?=c",                                        "abc",                             NULL                                              },
    {"touching_words",         "=?utf-8?Q?a?==?utf-8?Q?b?=",                             "ab",                              NULL                                              },
    {"longer_than_75",
     "=?utf-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "bbbbbbbbbbbbbbbb?=",                                                               "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "bbbbbbbbbbbbbbbb",                                                                          NULL                                              },
    {"blank_within_q",         "=?utf-8?Q?a b?=",                                        "a b",                             NULL                                              },
    {"empty_word",             "x =?utf-8?Q?\?= y",                                      "x  y",                            NULL                                              },
    {"eight_bit_within",       "=?iso-8859-1?Q?\374?=",                                  "\303\274",                        NULL                                              },
    {"eight_bit_ascii",        "=?us-ascii?Q?=FC?=",                                     GUESSED,                           NULL                                              },
    {"line_end_within",        "=?utf-8?Q?a=0D=0Ab?=",                                   "a\r\nb",                          NULL                                              },
 /* malformed */
    {"one_hex_digit",          "=?utf-8?Q?a=C?=",                                        "a=C",                             NULL                                              },
    {"no_hex_digits",          "=?utf-8?Q?=ZZ=?=",                                       "=ZZ=",                            NULL                                              },
    {"bad_base64",             "=?utf-8?B?Y*Q=?=",                                       "=?utf-8?B?Y*Q=?=",                NULL                                              },
    {"base64_padding_within",
     "=?utf-8?B?YQ==YQ==?=",                                                             "=?utf-8?B?YQ==YQ==?=",            NULL                                              },
    {"unknown_encoding",       "=?utf-8?X?a?=",                                          "=?utf-8?X?a?=",                   NULL                                              },
    {"long_encoding",          "=?utf-8?QQ?a?=",                                         "=?utf-8?QQ?a?=",                  NULL                                              },
    {"no_charset",             "=??Q?a?=",                                               "=??Q?a?=",                        NULL                                              },
    {"blank_in_charset",       "=?utf 8?Q?a?=",                                          "=?utf 8?Q?a?=",                   NULL                                              },
    {"no_end",                 "=?utf-8?Q?a",                                            "=?utf-8?Q?a",                     NULL                                              },
    {"half_end",               "=?utf-8?Q?a?",                                           "=?utf-8?Q?a?",                    NULL                                              },
    {"question_mark_within",   "=?utf-8?Q?a?b?=",                                        "=?utf-8?Q?a?b?=",                 NULL                                              },
    {"opening_only",           "=?",                                                     "=?",                              NULL                                              },
    {"opening_before_a_word",  "=?=?utf-8?Q?a?=",                                        "=?a",                             NULL                                              },
    {"bad_word_between_words", "=?utf-8?Q?a?= =?x =?utf-8?Q?b?=",                        "a =?x b",
     NULL                                                                                                                                                                     },
};

static void
reading(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
        struct mfx_str in = mfx_str_of(readings[i].in);
        unit_assert_str(readings[i].label,
                        mfx_encoded_word_decode(in, MFX_CHARSETS_KNOWN, arena),
                        mfx_str_of(readings[i].known));
        unit_assert_str(readings[i].label,
                        mfx_encoded_word_decode(in, MFX_CHARSETS_GUESS, arena),
                        mfx_str_of(readings[i].guess == NULL
                                       ? readings[i].known
                                       : readings[i].guess));
    }
}

static void
nul_within(void **state)
{
    (void)state;
    unit_assert_str("nul",
                    mfx_encoded_word_decode(mfx_str_of("=?utf-8?Q?a=00b?="),
                                            MFX_CHARSETS_KNOWN, arena),
                    mfx_str("a\0b", 3));
}

static void
leading(void **state)
{
    static const struct {
        const char *label, *in;
        bool want;
    } cases[] = {
        {"word",             "=?utf-8?Q?a?=",        true },
        {"behind_blanks",    " \n\t=?utf-8?Q?a?= b", true },
        {"other_charset",    " =?koi8-r?B?YQ==?=",   true },
        {"text_first",       " a =?utf-8?Q?a?=",     false},
        {"empty",            "",                     false},
        {"blanks",           " \t",                  false},
        {"unknown_encoding", "=?utf-8?X?a?=",        false},
        {"cut_short",        "=?utf-8?Q?a",          false},
        {"opening",          "=?",                   false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_int(cases[i].label,
                        mfx_encoded_word_leads(mfx_str_of(cases[i].in)),
                        cases[i].want);
}

/* --- encoding --- */

static const struct {
    const char *label;
    size_t column;
    const char *in, *want;
    size_t end;
} writings[] = {
    {"nothing",                       8,  "",                                                 "",                                  8 },
    {"blanks",                        8,  " \t\r\n",                                          "",                                  8 },
    {"plain",                         8,  "plain text",                                       " plain text",                       19},
    {"ends_are_trimmed",              8,  "\t a  b\r\n",                                      " a b",                              12},
    {"controls_are_blanks",           8,  "a\001\177b",                                       " a b",                              12},
    {"q",                             8,  "\303\234bernachtung",                              " =?utf-8?Q?=C3=9Cbernachtung?=",    38},
    {"b",                             8,  "\320\237\321\200\320\270\320\262\320\265\321\202",
     " =?utf-8?B?0J/RgNC40LLQtdGC?=",                                                                                              37},
    {"plain_around",                  8,  "a \303\274 b",                                     " a =?utf-8?B?w7w=?= b",             29},
    {"blank_between_is_within",       8,  "\303\274 \303\274",
     " =?utf-8?B?w7wgw7w=?=",                                                                                                      29},
    {"plain_between",                 8,  "\303\274 x \303\274",
     " =?utf-8?B?w7w=?= x =?utf-8?B?w7w=?=",                                                                                       44},
    {"blank_behind_encoded_is_kept",  8,  "\303\274 ",                                        " =?utf-8?B?w7wg?=",                 25},
    {"question_and_underscore",       8,  "\303\274?_=.",                                     " =?utf-8?B?w7w/Xz0u?=",             29},
    {"underscore_in_q",               8,  "\303\234bernachtung_",
     " =?utf-8?Q?=C3=9Cbernachtung=5F?=",                                                                                          41},
    {"looks_encoded",                 8,
     "=?utf-8?Q?a?=",                                                                         " =?utf-8?B?PT91dGYtOD9RP2E/PQ==?=", 41},
    {"not_utf_8",                     8,  "a\374b",                                           " =?utf-8?B?Ye+/vWI=?=",             29},
    {"surrogate",                     8,  "\355\240\200",                                     " =?utf-8?B?77+977+977+9?=",         33},
    {"cut_character",                 8,  "a\303",                                            " =?utf-8?B?Ye+/vQ==?=",             29},
    {"fold_plain",                    70, "four five",                                        " four\n five",                      5 },
    {"no_fold_before_the_first",      70, "fourteen",                                         " fourteen",                         79},
    {"fold_exact",                    67, "four five",                                        " four\n five",                      5 },
    {"no_fold_exact",                 66, "four five",                                        " four five",                        76},
    {"fold_before_the_first_encoded", 70, "\303\274",
     "\n =?utf-8?B?w7w=?=",                                                                                                        17},
    {"room_for_one_character",        59, "\303\274",                                         " =?utf-8?B?w7w=?=",                 76},
    {"no_room_for_one_character",     60, "\303\274",                                         "\n =?utf-8?B?w7w=?=",               17},
 /* base64: 39 bytes in the 55 octets that the first line leaves, 45 in
     * the 63 of a word */
    {"words_of_75",                   8,
     "\346\227\245\346\227\245\346\227\245\346\227\245\346\227\245"
     "\346\227\245\346\227\245\346\227\245\346\227\245\346\227\245"
     "\346\227\245\346\227\245\346\227\245\346\227\245\346\227\245"
     "\346\227\245\346\227\245\346\227\245\346\227\245\346\227\245"
     "\346\227\245\346\227\245\346\227\245\346\227\245\346\227\245"
     "\346\227\245\346\227\245\346\227\245\346\227\245\346\227\245",                          " =?utf-8?B?5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel?=\n"
     " =?utf-8?B?5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel5pel"
     "?=\n"
     " =?utf-8?B?5pel5pel?=",                                  21},
};

static void
writing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof writings / sizeof writings[0]; i++) {
        struct mfx_buf out;
        mfx_buf_init_arena(&out, arena, 4096);
        size_t end = mfx_encoded_word_format(&out, writings[i].column,
                                             mfx_str_of(writings[i].in));
        unit_assert_str(writings[i].label, mfx_buf_str(&out),
                        mfx_str_of(writings[i].want));
        unit_assert_int(writings[i].label, end, writings[i].end);
        assert_true(mfx_header_value_is_safe(mfx_buf_str(&out)));
    }
}

/* A word that no line can hold is cut into encoded words. */
static void
long_word(void **state)
{
    char word[3000];
    struct mfx_buf out;
    struct mfx_str rest, line;
    (void)state;
    memset(word, 'x', sizeof word);
    mfx_buf_init_arena(&out, arena, 65536);
    (void)mfx_encoded_word_format(&out, 8, mfx_str(word, sizeof word));
    unit_assert_str("decoded",
                    mfx_encoded_word_decode(mfx_str_from(mfx_buf_str(&out), 1),
                                            MFX_CHARSETS_KNOWN, arena),
                    mfx_str(word, sizeof word));
    for (rest = mfx_buf_str(&out); mfx_str_cut(&rest, '\n', &line);)
        assert_true(line.len <= MFX_ENCODED_LINE_MAX);
    mfx_buf_clear(&out);
    (void)mfx_encoded_word_format(&out, 8,
                                  mfx_str(word, MFX_ENCODED_PLAIN_MAX));
    unit_assert_int("plain", out.len, 1 + MFX_ENCODED_PLAIN_MAX);
}

static void
no_memory(void **state)
{
    struct mfx_arena *small = mfx_arena_new(100);
    struct mfx_buf out;
    (void)state;
    mfx_buf_init(&out, 20);
    (void)mfx_encoded_word_format(
        &out, 8, mfx_str_of("\303\274\303\274\303\274\303\274\303\274"));
    assert_false(mfx_buf_ok(&out));
    mfx_buf_fini(&out);
    unit_assert_str("decode",
                    mfx_encoded_word_decode(mfx_str_of("=?utf-8?Q?a?="),
                                            MFX_CHARSETS_KNOWN, small),
                    mfx_str("", 0));
    assert_false(mfx_arena_ok(small));
    mfx_arena_free(small);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),   cmocka_unit_test(nul_within),
        cmocka_unit_test(leading),   cmocka_unit_test(writing),
        cmocka_unit_test(long_word), cmocka_unit_test(no_memory),
    };
    arena = mfx_arena_new(0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mfx_arena_free(arena);
    return failed;
}
