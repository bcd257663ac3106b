/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/auth/dmarc_alignment.h>

static void
records(void **state)
{
    static const struct {
        const char *label, *text;
        enum mfx_rc rc;
        bool is_strict;
        enum mfx_dmarc_policy p, sp;
    } cases[] = {
  /* RFC 7489 B.2.1, B.2.3, B.2.4 and 6.3 */
        {"b_2_1",                 "v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com",
         MFX_OK,                                                                                           false, MFX_DMARC_NONE,       MFX_DMARC_NONE      },
        {"b_2_4",
         "v=DMARC1; p=quarantine; "
         "rua=mailto:dmarc-feedback@example.com,mailto:tld-test@thirdparty."
         "example.net!10m; pct=25",                                                          MFX_OK,       false, MFX_DMARC_QUARANTINE, MFX_DMARC_QUARANTINE},
        {"strict",                "v=DMARC1; p=reject; adkim=s; aspf=r",                     MFX_OK,       true,
         MFX_DMARC_REJECT,                                                                                                              MFX_DMARC_REJECT    },
        {"relaxed_said",          "v=DMARC1;p=reject;adkim=r;",                              MFX_OK,       false,
         MFX_DMARC_REJECT,                                                                                                              MFX_DMARC_REJECT    },
        {"subdomains",            "v=DMARC1; p=none; sp=reject",                             MFX_OK,       false,
         MFX_DMARC_NONE,                                                                                                                MFX_DMARC_REJECT    },
        {"white_space",           "v = DMARC1 ;\tp = none ; adkim = s",                      MFX_OK,       true,
         MFX_DMARC_NONE,                                                                                                                MFX_DMARC_NONE      },
        {"unknown_tag",           "v=DMARC1; p=none; foo=bar; adkim=s",                      MFX_OK,       true,
         MFX_DMARC_NONE,                                                                                                                MFX_DMARC_NONE      },
        {"wrong_adkim",           "v=DMARC1; p=none; adkim=x",                               MFX_OK,       false,
         MFX_DMARC_NONE,                                                                                                                MFX_DMARC_NONE      },
 /* 6.6.3, step 6 */
        {"no_p_but_rua",          "v=DMARC1; rua=mailto:a@example.com; adkim=s",             MFX_OK,
         true,                                                                                                    MFX_DMARC_NONE,       MFX_DMARC_NONE      },
        {"wrong_sp_but_rua",      "v=DMARC1; p=reject; sp=x; rua=mailto:a@b.example",
         MFX_OK,                                                                                           false, MFX_DMARC_NONE,       MFX_DMARC_NONE      },
 /* malformed */
        {"no_p",                  "v=DMARC1; adkim=s",                                       MFX_PERMFAIL, true,  MFX_DMARC_NONE,
         MFX_DMARC_NONE                                                                                                                                     },
        {"wrong_p",               "v=DMARC1; p=nothing",                                     MFX_PERMFAIL, false, MFX_DMARC_NONE,
         MFX_DMARC_NONE                                                                                                                                     },
        {"empty_rua",             "v=DMARC1; rua=",                                          MFX_PERMFAIL, false, MFX_DMARC_NONE,
         MFX_DMARC_NONE                                                                                                                                     },
        {"version_alone",         "v=DMARC1",                                                MFX_PERMFAIL, false, MFX_DMARC_NONE,
         MFX_DMARC_NONE                                                                                                                                     },
        {"empty",                 "",                                                        MFX_NOTFOUND, false, MFX_DMARC_NONE,       MFX_DMARC_NONE      },
        {"spf",                   "v=spf1 -all",                                             MFX_NOTFOUND, false, MFX_DMARC_NONE,
         MFX_DMARC_NONE                                                                                                                                     },
        {"version_in_lower_case", "v=dmarc1; p=none",                                        MFX_NOTFOUND, false,
         MFX_DMARC_NONE,                                                                                                                MFX_DMARC_NONE      },
        {"version_2",             "v=DMARC2; p=none",                                        MFX_NOTFOUND, false, MFX_DMARC_NONE,
         MFX_DMARC_NONE                                                                                                                                     },
        {"version_not_first",     "p=none; v=DMARC1",                                        MFX_NOTFOUND, false,
         MFX_DMARC_NONE,                                                                                                                MFX_DMARC_NONE      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_dmarc_record r;
        enum mfx_rc rc = mfx_dmarc_record_parse(mfx_str_of(cases[i].text), &r);
        unit_assert_int(cases[i].label, rc, cases[i].rc);
        if (rc == MFX_NOTFOUND)
            continue;
        unit_assert_int(cases[i].label, r.is_strict, cases[i].is_strict);
        unit_assert_int(cases[i].label, r.policy, cases[i].p);
        unit_assert_int(cases[i].label, r.subdomain_policy, cases[i].sp);
    }
}

/* From the test data that comes with the Public Suffix List
 * (tests/test_psl.txt, checkPublicSuffix). */
static void
organizational(void **state)
{
    static const struct {
        const char *domain, *want;
    } cases[] = {
        {"example.com",                   "example.com"              },
        {"b.example.com",                 "example.com"              },
        {"a.b.example.com",               "example.com"              },
        {"WwW.Example.COM",               "Example.COM"              },
        {"b.c.co.uk",                     "c.co.uk"                  },
        {"test.k12.ak.us",                "test.k12.ak.us"           },
        {"www.test.k12.ak.us",            "test.k12.ak.us"           },
        {"a.b.ide.kyoto.jp",              "b.ide.kyoto.jp"           },
        {"www.city.kobe.jp",              "city.kobe.jp"             },
        {"www.ck",                        "www.ck"                   },
        {"a.b.test.ck",                   "b.test.ck"                },
        {"www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"},
 /* a suffix itself, and none at all */
        {"co.uk",                         "co.uk"                    },
        {"com",                           "com"                      },
        {"a.b.unlisted-suffix",           "b.unlisted-suffix"        },
        {"",                              ""                         },
    };
    struct mfx_dmarc_suffixes *suffixes = mfx_dmarc_suffixes_new();
    (void)state;
    assert_non_null(suffixes);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_str(cases[i].domain,
                        mfx_dmarc_organizational_domain(
                            suffixes, mfx_str_of(cases[i].domain)),
                        mfx_str_of(cases[i].want));
    char longest[300];
    memset(longest, 'a', sizeof longest);
    unit_assert_int("too_long",
                    mfx_dmarc_organizational_domain(
                        suffixes, mfx_str(longest, sizeof longest))
                        .len,
                    sizeof longest);
    mfx_dmarc_suffixes_free(suffixes);
}

/* RFC 7489 3.1.1 and B.1. */
static void
alignment(void **state)
{
    static const struct {
        const char *from, *d;
        bool relaxed, strict;
    } cases[] = {
        {"example.com",      "example.com",      true,  true },
        {"Example.com",      "eXample.com",      true,  true },
        {"news.example.com", "example.com",      true,  false},
        {"example.com",      "news.example.com", true,  false},
        {"a.example.com",    "b.example.com",    true,  false},
        {"example.com",      "example.net",      false, false},
        {"example.com",      "notexample.com",   false, false},
        {"a.co.uk",          "b.co.uk",          false, false},
        {"co.uk",            "a.co.uk",          false, false},
        {"",                 "",                 false, false},
        {"example.com",      "",                 false, false},
    };
    struct mfx_dmarc_suffixes *suffixes = mfx_dmarc_suffixes_new();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str from = mfx_str_of(cases[i].from),
                       d = mfx_str_of(cases[i].d);
        unit_assert_int(cases[i].d,
                        mfx_dmarc_is_aligned(suffixes, from, d, false),
                        cases[i].relaxed);
        unit_assert_int(cases[i].d,
                        mfx_dmarc_is_aligned(suffixes, from, d, true),
                        cases[i].strict);
    }
    mfx_dmarc_suffixes_free(suffixes);
    mfx_dmarc_suffixes_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),
        cmocka_unit_test(organizational),
        cmocka_unit_test(alignment),
    };
    return cmocka_run_group_tests_name("dmarc_alignment", tests, NULL, NULL);
}
