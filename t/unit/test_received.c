/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fields as Postfix, Sendmail, Exim, qmail, Courier, Exchange and webmails
 * write them. */
#include <mfx/mail/received.h>

#include "unit.h"

#define DATE "Sat, 21 Nov 2026 08:00:00 +0000"

static void
parts(void **state)
{
    static const struct {
        const char *label, *value, *from, *by; /* NULL: not understood */
    } cases[] = {
        {"postfix",
         " from laptop.lan (p1.isp.example [192.0.2.1])\n"
         "\t(using TLSv1.3 with cipher X (256/256 bits))\n"
         "\t(Authenticated sender: joe)\n"
         "\tby mx.example.org (Postfix) with ESMTPSA id 4Bx\n"
         "\tfor <bob@example.net>; " DATE,
         "from laptop.lan (p1.isp.example [192.0.2.1])\n"
         "\t(using TLSv1.3 with cipher X (256/256 bits))\n"
         "\t(Authenticated sender: joe)\n\t",                                                        "by mx.example.org (Postfix) with ESMTPSA id 4Bx\n"
         "\tfor <bob@example.net>"                                                              },
        {"postfix_local",
         " by mx.example.org (Postfix, from userid 1000)\n\tid 4Bx; " DATE,              "",
         "by mx.example.org (Postfix, from userid 1000)\n\tid 4Bx"                                                                           },
        {"sendmail",
         " from laptop.lan (p1.isp.example [192.0.2.1])\n"
         "\t(authenticated bits=0)\n"
         "\tby mx.example.org (8.17.1/8.17.1) with ESMTPSA id 4AL (version=X)\n"
         "\tfor <bob@example.net>; " DATE,
         "from laptop.lan (p1.isp.example [192.0.2.1])\n"
         "\t(authenticated bits=0)\n\t",                                                             "by mx.example.org (8.17.1/8.17.1) with ESMTPSA id 4AL (version=X)\n"
         "\tfor <bob@example.net>"                                                                   },
        {"exim",
         " from [192.0.2.1] (helo=laptop)\n\tby mx.example.org with esmtpsa "
         "(TLS1.3)\n\t(Exim 4.96)\n\t(envelope-from <joe@example.org>)\n"
         "\tid 1x-2y; " DATE,
         "from [192.0.2.1] (helo=laptop)\n\t",                                                       "by mx.example.org with esmtpsa (TLS1.3)\n\t(Exim 4.96)\n"
         "\t(envelope-from <joe@example.org>)\n\tid 1x-2y"                                     },
        {"qmail",
         " from unknown (HELO laptop) (joe@192.0.2.1)\n  by mx.example.org with "
         "SMTP; " DATE,
         "from unknown (HELO laptop) (joe@192.0.2.1)\n  ",                                           "by mx.example.org with SMTP"           },
        {"courier",
         " from laptop (p1.isp.example [::ffff:192.0.2.1])\n  (AUTH: LOGIN joe, "
         "TLS: TLS1.3)\n  by mx.example.org with ESMTPSA\n  id 1; " DATE,
         "from laptop (p1.isp.example [::ffff:192.0.2.1])\n  (AUTH: LOGIN joe, "
         "TLS: TLS1.3)\n  ",                                                                         "by mx.example.org with ESMTPSA\n  id 1"},
        {"exchange",
         " from A.prod.example (2001:db8::1) by B.prod.example\n"
         " (2001:db8::2) with Microsoft SMTP Server (version=TLS1_2) id 15.20; " DATE,
         "from A.prod.example (2001:db8::1) ",                                                       "by B.prod.example\n"
         " (2001:db8::2) with Microsoft SMTP Server (version=TLS1_2) id 15.20"                 },
        {"webmail",
         " from 10.0.0.1 (SquirrelMail authenticated user joe)\n"
         "        by web.example.org with HTTP;\n        " DATE,
         "from 10.0.0.1 (SquirrelMail authenticated user joe)\n        ",                            "by web.example.org with HTTP"          },
        {"literal_behind_name",
         " from laptop [192.0.2.1] by mx with SMTP; " DATE,
         "from laptop [192.0.2.1] ",                                                                 "by mx with SMTP"                       },
        {"called_by",                " from by (by [192.0.2.1]) by by with SMTP; " DATE,
         "from by (by [192.0.2.1]) ",                                                                "by by with SMTP"                       },
        {"by_in_comment",            " from x (told by y; z) by mx id 1; " DATE,
         "from x (told by y; z) ",                                                                   "by mx id 1"                            },
        {"comment_first",            "(c) FROM x BY mx; " DATE,                          "FROM x ",  "BY mx"                                 },
        {"semicolon_in_quotes",      "from x by mx id \"a;b\"; " DATE,                   "from x ",
         "by mx id \"a;b\""                                                                                                                  },
        {"semicolon_in_brackets",    "from [IPv6;x] by mx; " DATE,
         "from [IPv6;x] ",                                                                           "by mx"                                 },
        {"last_semicolon",           "from x by mx; for y; " DATE,                       "from x ",
         "by mx; for y"                                                                                                                      },
        {"any_name",                 " from [x by mx; " DATE,                            "from [x ", "by mx"                                 },
 /* malformed */
        {"empty",                    "",                                                 NULL,       NULL                                    },
        {"blank",                    " \n ",                                             NULL,       NULL                                    },
        {"no_by",                    " from x (y) with SMTP; " DATE,                     NULL,       NULL                                    },
        {"no_name",                  " from (x [192.0.2.1]) by mx with SMTP; " DATE,     NULL,       NULL                                    },
        {"helo_missing",             " from by mx with SMTP; " DATE,                     NULL,       NULL                                    },
        {"words_before_by",          " from x via TCP by mx; " DATE,                     NULL,       NULL                                    },
        {"nothing_by",               " from x by ; " DATE,                               NULL,       NULL                                    },
        {"nothing_by_but_a_comment", " from x by (mx); " DATE,                           NULL,       NULL                                    },
        {"no_date",                  " from x by mx with SMTP",                          NULL,       NULL                                    },
        {"empty_date",               " from x by mx with SMTP; ",                        NULL,       NULL                                    },
        {"qmail_invoked",            " (qmail 123 invoked from network); " DATE,         NULL,
         NULL                                                                                                                                },
        {"comment_without_end",      " from x (y by mx; " DATE,                          NULL,       NULL                                    },
        {"comment_without_begin",    " from x y) by mx; " DATE,                          NULL,       NULL                                    },
        {"quote_without_end",        " from x by mx \"id; " DATE,                        NULL,       NULL                                    },
        {"fromage",                  " fromage x by mx; " DATE,                          NULL,       NULL                                    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_received r;
        unit_assert_int(cases[i].label,
                        mfx_received_parse(mfx_str_of(cases[i].value), &r),
                        cases[i].by == NULL ? MFX_PERMFAIL : MFX_OK);
        unit_assert_str(cases[i].label, r.from, mfx_str_of(cases[i].from));
        unit_assert_str(cases[i].label, r.by, mfx_str_of(cases[i].by));
        unit_assert_str(cases[i].label, r.date,
                        mfx_str_of(cases[i].by == NULL ? "" : DATE));
    }
}

static void
nul_byte(void **state)
{
    static const struct mfx_str value =
        MFX_STR(" from x\0y by mx with SMTP; " DATE);
    struct mfx_received r;
    (void)state;
    assert_int_equal(mfx_received_parse(value, &r), MFX_PERMFAIL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts),
        cmocka_unit_test(nul_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
