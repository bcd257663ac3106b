/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fields as Postfix, Sendmail, Exim, qmail, Courier, OpenSMTPD, Exchange and
 * Google write them; and what a client may call itself. */
#include <mfx/policy/received_client.h>

#include "unit.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BY           "by mx.example.org with ESMTP id 1; Sat, 21 Nov 2026 08:00:00 +0000"

static const struct {
    const char *label, *value;
    const char *ip; /* NULL: not understood */
    const char *helo, *name;
} cases[] = {
    {"postfix",
     " from laptop.lan (p1.isp.example [192.0.2.1])\n"
     "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n"
     "\t(Client CN \"x\", Issuer \"y\" (not verified))\n"
     "\t(Authenticated sender: joe) " BY,
     "192.0.2.1",                                                                                             "laptop.lan",       "p1.isp.example"},
    {"postfix_unknown",           " from laptop (unknown [192.0.2.1]) " BY,                    "192.0.2.1",
     "laptop",                                                                                                                    ""              },
    {"postfix_v6",                " from laptop (unknown [IPv6:2001:db8::1]) " BY,
     "2001:db8::1",                                                                                           "laptop",           ""              },
    {"postfix_literal_helo",      " from [203.0.113.9] (unknown [192.0.2.1]) " BY,
     "192.0.2.1",                                                                                             "[203.0.113.9]",    ""              },
    {"sendmail",
     " from laptop (p1.isp.example [192.0.2.1])\n\t(authenticated "
     "bits=0) " BY,
     "192.0.2.1",                                                                                             "laptop",           "p1.isp.example"},
    {"sendmail_forged",
     " from laptop (p1.isp.example [192.0.2.1] (may be forged)) " BY,
     "192.0.2.1",                                                                                             "laptop",           ""              },
    {"sendmail_ident",            " from laptop (joe@p1.isp.example [192.0.2.1]) " BY,
     "192.0.2.1",                                                                                             "laptop",           "p1.isp.example"},
    {"sendmail_no_name",          " from laptop ([192.0.2.1]) " BY,                            "192.0.2.1",
     "laptop",                                                                                                                    ""              },
    {"exim",                      " from p1.isp.example ([192.0.2.1] helo=laptop) " BY,        "192.0.2.1",
     "laptop",                                                                                                                    "p1.isp.example"},
    {"exim_port",
     " from p1.isp.example ([192.0.2.1]:2525 helo=laptop ident=joe) " BY,
     "192.0.2.1",                                                                                             "laptop",           "p1.isp.example"},
    {"exim_same_helo",            " from p1.isp.example ([192.0.2.1]) " BY,                    "192.0.2.1",
     "p1.isp.example",                                                                                                            ""              },
    {"exim_nameless",             " from [192.0.2.1] (helo=laptop)\n\t" BY,                    "192.0.2.1",
     "laptop",                                                                                                                    ""              },
    {"exim_nameless_port",        " from [192.0.2.1] (port=4321 helo=[10.0.0.1]) " BY,
     "192.0.2.1",                                                                                             "[10.0.0.1]",       ""              },
    {"exim_v6",                   " from a.example ([2001:db8::1] helo=b.example) " BY,
     "2001:db8::1",                                                                                           "b.example",        "a.example"     },
    {"qmail",                     " from unknown (HELO laptop) (192.0.2.1)\n  " BY,            "192.0.2.1",
     "laptop",                                                                                                                    ""              },
    {"qmail_named",               " from p1.isp.example (HELO laptop) (joe@192.0.2.1)\n  " BY,
     "192.0.2.1",                                                                                             "laptop",           "p1.isp.example"},
    {"qmail_same_helo",           " from p1.isp.example (192.0.2.1)\n  " BY,                   "192.0.2.1",
     "p1.isp.example",                                                                                                            ""              },
    {"courier",
     " from laptop (p1.isp.example [::ffff:192.0.2.1])\n  (AUTH: LOGIN joe, "
     "TLS: TLS1.3,256bits)\n  " BY,
     "192.0.2.1",                                                                                             "laptop",           "p1.isp.example"},
    {"opensmtpd",                 " from laptop (<unknown> [192.0.2.1])\n\t" BY,               "192.0.2.1",
     "laptop",                                                                                                                    ""              },
    {"exchange",
     " from A.prod.example (2001:db8::1) by B.prod.example\n (2001:db8::2) "
     "with Microsoft SMTP Server (version=TLS1_2) id 15.20; Sat, 21 Nov 2026",                 "2001:db8::1", "A.prod.example",   ""              },
    {"exchange_brackets",
     " from A.prod.example ([192.0.2.1]) by B.prod.example ([192.0.2.2]) with "
     "mapi id 15.20; Sat, 21 Nov 2026",                                                        "192.0.2.1",   "A.prod.example",   ""              },
    {"google",
     " from mail.example.net (p1.isp.example. [192.0.2.1])\n        by "
     "mx.google.com with ESMTPS id x1\n        for <bob@example.org>\n        "
     "(version=TLS1_3 cipher=X bits=256/256);\n        Sat, 21 Nov 2026",                      "192.0.2.1",   "mail.example.net", "p1.isp.example"},
    {"google_v6",                 " from m.example ([2001:db8::1]) " BY,                       "2001:db8::1",
     "m.example",                                                                                                                 ""              },
 /* what a client may call itself */
    {"helo_is_comment",           " from x (y [203.0.113.9]) (real [192.0.2.1]) " BY,
     NULL,                                                                                                    "",                 ""              },
    {"helo_is_bare_comment",      " from x (203.0.113.9) (real [192.0.2.1]) " BY,
     NULL,                                                                                                    "",                 ""              },
    {"helo_has_by",               " from x (y [203.0.113.9]) by z (real [192.0.2.1]) " BY,
     NULL,                                                                                                    "",                 ""              },
    {"helo_has_by_and_date",
     " from x (y [203.0.113.9]) by z; today (real [192.0.2.1]) " BY,                           NULL,          "",
     ""                                                                                                                                           },
    {"helo_opens_comment",        " from x ( (real [192.0.2.1]) " BY,                          NULL,          "",                 ""              },
    {"helo_is_remark",            " from x (c) (real [192.0.2.1]) " BY,                        NULL,          "",                 ""              },
    {"helo_as_exim",              " from [203.0.113.9] (helo=x) (real [192.0.2.1]) " BY,
     NULL,                                                                                                    "",                 ""              },
    {"exim_helo_is_comment",
     " from real ([192.0.2.1] helo=x) (y [203.0.113.9]) " BY,                                  NULL,          "",                 ""              },
    {"exim_helo_has_words",       " from real ([192.0.2.1] helo=x [203.0.113.9]) " BY,
     NULL,                                                                                                    "",                 ""              },
    {"exim_helo_has_helo",        " from real ([192.0.2.1] helo=x helo=y) " BY,                NULL,
     "",                                                                                                                          ""              },
    {"qmail_helo_is_comment",
     " from real (HELO x) (203.0.113.9) (192.0.2.1) " BY,                                      NULL,          "",                 ""              },
    {"qmail_helo_is_address",     " from real (HELO 203.0.113.9) (192.0.2.1) " BY,
     "192.0.2.1",                                                                                             "203.0.113.9",      "real"          },
    {"ident_is_address",          " from x (203.0.113.9]@real [192.0.2.1]) " BY,
     "192.0.2.1",                                                                                             "x",                "real"          },
    {"ident_is_more",             " from x (a [203.0.113.9] @real [192.0.2.1]) " BY,           NULL,
     "",                                                                                                                          ""              },
 /* not unmistakable */
    {"literal_alone",             " from [192.0.2.1] " BY,                                     NULL,          "",                 ""              },
    {"literal_behind_name",       " from x [192.0.2.1] " BY,                                   NULL,          "",                 ""              },
    {"helo_alone",                " from laptop " BY,                                          NULL,          "",                 ""              },
    {"address_is_helo",           " from 192.0.2.1 (Webmail user joe) " BY,                    NULL,          "",                 ""              },
    {"no_client",                 " by mx.example.org (Postfix, from userid 1000) id 1; x",
     NULL,                                                                                                    "",                 ""              },
    {"address_in_second_comment", " from x (TLS) ([192.0.2.1]) " BY,                           NULL,          "",
     ""                                                                                                                                           },
    {"helo_without_address",      " from x (HELO y) " BY,                                      NULL,          "",                 ""              },
 /* malformed */
    {"empty",                     "",                                                          NULL,          "",                 ""              },
    {"not_an_address",            " from x (y [192.0.2.256]) " BY,                             NULL,          "",                 ""              },
    {"short_address",             " from x (y [192.0.2]) " BY,                                 NULL,          "",                 ""              },
    {"zone",                      " from x (y [fe80::1%eth0]) " BY,                            NULL,          "",                 ""              },
    {"open_bracket",              " from x (y [192.0.2.1) " BY,                                NULL,          "",                 ""              },
    {"text_behind",               " from x (y [192.0.2.1] z) " BY,                             NULL,          "",                 ""              },
    {"bad_port",                  " from x ([192.0.2.1]:99999 helo=y) " BY,                    NULL,          "",                 ""              },
    {"bad_name",                  " from x (y<z [192.0.2.1]) " BY,                             NULL,          "",                 ""              },
    {"escaped",                   " from x (y\\ [192.0.2.1]) " BY,                             NULL,          "",                 ""              },
    {"comment_first",             " from (y [192.0.2.1]) x " BY,                               NULL,          "",                 ""              },
    {"no_date",                   " from x (y [192.0.2.1]) by z",                              NULL,          "",                 ""              },
};

static void
fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_received_client c;
        char ip[MFX_IP_TEXT];
        unit_assert_int(
            cases[i].label,
            mfx_received_client_parse(mfx_str_of(cases[i].value), &c),
            cases[i].ip == NULL ? MFX_NOTFOUND : MFX_OK);
        unit_assert_str(cases[i].label, mfx_str_of(mfx_ip_format(&c.ip, ip)),
                        mfx_str_of(cases[i].ip == NULL ? "none" : cases[i].ip));
        unit_assert_str(cases[i].label, c.helo, mfx_str_of(cases[i].helo));
        unit_assert_str(cases[i].label, c.name, mfx_str_of(cases[i].name));
    }
}

static void
nul_byte(void **state)
{
    static const struct mfx_str value =
        MFX_STR(" from x\0 (y [192.0.2.1]) " BY);
    struct mfx_received_client c;
    (void)state;
    assert_int_equal(mfx_received_client_parse(value, &c), MFX_NOTFOUND);
}

static bool
is_relay(const struct mfx_ip *ip, void *arg)
{
    (void)arg;
    return ip->family == MFX_IP_V4 && ip->bytes[0] == 10;
}

static void
hops(void **state)
{
    static const struct {
        const char *label, *fields;
        size_t max;
        const char *ip;
        size_t number;
        const char *error;
    } walks[] = {
        {"at_once",     "c",    3, "192.0.2.1", 1, ""                                },
        {"behind_two",  "rrcr", 3, "192.0.2.1", 3, ""                                },
        {"too_many",    "rrrc", 3, NULL,        0,
         "the clients of the first 3 hops are all relays"                            },
        {"no_more",     "rr",   3, NULL,        0, "there are only 2 Received fields"},
        {"none",        "",     3, NULL,        0, "there are only 0 Received fields"},
        {"odd_first",   "?c",   3, NULL,        0,
         "Received field 1 does not say its client"                                  },
        {"odd_between", "r?c",  3, NULL,        0,
         "Received field 2 does not say its client"                                  },
        {"odd_behind",  "rc?",  3, "192.0.2.1", 2, ""                                },
        {"none_wanted", "c",    0, NULL,        0,
         "the clients of the first 0 hops are all relays"                            },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(walks); i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_headers headers = {0};
        struct mfx_received_hop hop;
        struct mfx_err err = {""};
        char ip[MFX_IP_TEXT];
        for (const char *f = walks[i].fields; *f != '\0'; f++) {
            const char *value = *f == 'c'   ? " from x (y [192.0.2.1]) " BY
                                : *f == 'r' ? " from r (r.lan [10.0.0.1]) " BY
                                            : " (odd) " BY;
            assert_non_null(mfx_headers_add(
                &headers, arena, mfx_str_of("Subject"), mfx_str_of(" x")));
            assert_non_null(mfx_headers_add(
                &headers, arena, mfx_str_of("RECEIVED"), mfx_str_of(value)));
        }
        unit_assert_int(walks[i].label,
                        mfx_received_client_hop(&headers, walks[i].max,
                                                is_relay, NULL, &hop, &err),
                        walks[i].ip == NULL ? MFX_NOTFOUND : MFX_OK);
        unit_assert_int(walks[i].label, hop.number, walks[i].number);
        unit_assert_str(walks[i].label, mfx_str_of(err.msg),
                        mfx_str_of(walks[i].error));
        unit_assert_str(walks[i].label,
                        mfx_str_of(mfx_ip_format(&hop.client.ip, ip)),
                        mfx_str_of(walks[i].ip == NULL ? "none" : walks[i].ip));
        assert_true(hop.header == NULL || hop.header->instance == hop.number);
        mfx_headers_fini(&headers);
        mfx_arena_free(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),
        cmocka_unit_test(nul_byte),
        cmocka_unit_test(hops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
