/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/milter/reply.h>

/* Codes and classes: RFC 5321 4.2.1, RFC 3463 2 and 3.8. */
static void
replies(void **state)
{
    static const struct {
        const char *label;
        enum mfx_verdict verdict;
        unsigned code;
        const char *enhanced, *text, *want; /* NULL: the MTA's own */
    } cases[] = {
        {"reject",                      MFX_VERDICT_REJECT,   550,  "5.7.20",   "no signature",
         "550 5.7.20 no signature"                                                                               },
        {"tempfail",                    MFX_VERDICT_TEMPFAIL, 451,  "4.4.3",    "no DNS",
         "451 4.4.3 no DNS"                                                                                      },
        {"closing",                     MFX_VERDICT_TEMPFAIL, 421,  "4.3.2",    "bye",          "421 4.3.2 bye"  },
        {"nothing said",                MFX_VERDICT_REJECT,   0,    "",         "",             NULL             },
        {"accept has none",             MFX_VERDICT_ACCEPT,   550,  "5.7.1",    "x",            NULL             },
        {"discard has none",            MFX_VERDICT_DISCARD,  550,  "5.7.1",    "x",            NULL             },
        {"text alone",                  MFX_VERDICT_REJECT,   0,    "",         "why",          "550 5.7.1 why"  },
        {"code alone",                  MFX_VERDICT_REJECT,   554,  "",         "",
         "554 5.7.1 Command rejected"                                                                            },
        {"percent is doubled",          MFX_VERDICT_REJECT,   550,  "5.7.1",    "100% %s",
         "550 5.7.1 100%% %%s"                                                                                   },
        {"8-bit",                       MFX_VERDICT_REJECT,   550,  "5.7.1",    "na\xc3\xafve",
         "550 5.7.1 na??ve"                                                                                      },
        {"white space at the ends",     MFX_VERDICT_REJECT,   550,  "5.7.1",
         " \ta\t b \n",                                                                         "550 5.7.1 a  b" },
 /* malformed */
        {"line_end_inside",             MFX_VERDICT_REJECT,   550,  "5.7.1",    "a\r\n250 ok",
         "550 5.7.1 a  250 ok"                                                                                   },
        {"code_2xx",                    MFX_VERDICT_REJECT,   250,  "2.1.0",    "ok",           "550 5.7.1 ok"   },
        {"code_3xx",                    MFX_VERDICT_TEMPFAIL, 354,  "",         "go on",        "451 4.7.1 go on"},
        {"code_of_the_other_class",     MFX_VERDICT_REJECT,   451,  "5.7.1",    "x",
         "550 5.7.1 x"                                                                                           },
        {"enhanced_of_the_other_class", MFX_VERDICT_REJECT,   550,  "4.7.1",    "x",
         "550 5.7.1 x"                                                                                           },
        {"code_too_long",               MFX_VERDICT_REJECT,   5500, "5.7.1",    "x",
         "550 5.7.1 x"                                                                                           },
        {"enhanced_two_parts",          MFX_VERDICT_REJECT,   550,  "5.7",      "x",
         "550 5.7.1 x"                                                                                           },
        {"enhanced_long_number",        MFX_VERDICT_REJECT,   550,  "5.7.1234", "x",
         "550 5.7.1 x"                                                                                           },
        {"enhanced_trailing",           MFX_VERDICT_REJECT,   550,  "5.7.1x",   "x",
         "550 5.7.1 x"                                                                                           },
        {"enhanced_empty_part",         MFX_VERDICT_REJECT,   550,  "5..1",     "x",
         "550 5.7.1 x"                                                                                           },
        {"only_blanks",                 MFX_VERDICT_TEMPFAIL, 451,  "4.7.1",    " \r\n ",
         "451 4.7.1 Service unavailable - try again later"                                                       },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mfx_decision d = {
            .verdict = cases[i].verdict,
            .code = cases[i].code,
            .enhanced = mfx_str_of(cases[i].enhanced),
            .text = mfx_str_of(cases[i].text),
        };
        struct mfx_reply r;
        char got[sizeof r + 8];
        mfx_reply_make(&d, &r);
        unit_assert_int(cases[i].label, r.is_set, cases[i].want != NULL);
        if (!r.is_set)
            continue;
        snprintf(got, sizeof got, "%s %s %s", r.code, r.enhanced, r.text);
        unit_assert_str(cases[i].label, mfx_str_of(got),
                        mfx_str_of(cases[i].want));
    }
}

static void
long_text(void **state)
{
    char text[2000];
    struct mfx_reply r;
    (void)state;
    memset(text, '%', sizeof text);
    const struct mfx_decision d = {.verdict = MFX_VERDICT_REJECT,
                                   .code = 550,
                                   .enhanced = mfx_str_of("5.7.1"),
                                   .text = mfx_str(text, sizeof text)};
    mfx_reply_make(&d, &r);
    unit_assert_int("cut, and still even", strlen(r.text), 2 * MFX_REPLY_TEXT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies),
        cmocka_unit_test(long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
