/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/conf/option_impl.h>

static void
seconds(void **state)
{
    static const struct {
        const char *label, *in;
        enum mfx_rc rc;
        uint64_t want;
    } cases[] = {
        {"zero",              "0",                  MFX_OK,       0      },
        {"seconds",           "30s",                MFX_OK,       30     },
        {"minutes",           "5m",                 MFX_OK,       300    },
        {"hours",             "2h",                 MFX_OK,       7200   },
        {"days",              "1d",                 MFX_OK,       86400  },
        {"weeks",             "2w",                 MFX_OK,       1209600},
        {"zero_seconds",      "0s",                 MFX_OK,       0      },
        {"malformed_no_unit", "30",                 MFX_PERMFAIL, 7      },
        {"malformed_empty",   "",                   MFX_PERMFAIL, 7      },
        {"malformed_unit",    "s",                  MFX_PERMFAIL, 7      },
        {"malformed_upper",   "5M",                 MFX_PERMFAIL, 7      },
        {"malformed_blank",   "5 m",                MFX_PERMFAIL, 7      },
        {"malformed_sign",    "-5m",                MFX_PERMFAIL, 7      },
        {"malformed_part",    "1.5h",               MFX_PERMFAIL, 7      },
        {"malformed_two",     "1h30m",              MFX_PERMFAIL, 7      },
        {"malformed_huge",    "30000000000000000w", MFX_PERMFAIL, 7      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t got = 7;
        unit_assert_int(cases[i].label,
                        mfx_option_parse_seconds(mfx_str_of(cases[i].in), &got),
                        cases[i].rc);
        unit_assert_int(cases[i].label, got, cases[i].want);
    }
}

static void
milliseconds(void **state)
{
    static const struct {
        const char *label, *in, *out;
        enum mfx_rc rc;
        uint64_t want;
    } cases[] = {
        {"zero",              "0",                 "0",      MFX_OK,       0    },
        {"milliseconds",      "500ms",             "500ms",  MFX_OK,       500  },
        {"whole seconds",     "2000ms",            "2s",     MFX_OK,       2000 },
        {"part of a minute",  "1500ms",            "1500ms", MFX_OK,       1500 },
        {"seconds",           "2s",                "2s",     MFX_OK,       2000 },
        {"minutes",           "1m",                "1m",     MFX_OK,       60000},
        {"malformed_no_unit", "500",               NULL,     MFX_PERMFAIL, 7    },
        {"malformed_unit",    "ms",                NULL,     MFX_PERMFAIL, 7    },
        {"malformed_upper",   "5MS",               NULL,     MFX_PERMFAIL, 7    },
        {"malformed_part",    "1.5ms",             NULL,     MFX_PERMFAIL, 7    },
        {"malformed_huge",    "9223372036854776s", NULL,     MFX_PERMFAIL, 7    },
    };
    const struct mfx_option option = {.type = MFX_OPTION_TYPE_MILLISECONDS};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t got = 7;
        struct mfx_buf out;
        mfx_buf_init(&out, 100);
        unit_assert_int(
            cases[i].label,
            mfx_option_parse_milliseconds(mfx_str_of(cases[i].in), &got),
            cases[i].rc);
        unit_assert_int(cases[i].label, got, cases[i].want);
        if (cases[i].rc == MFX_OK) {
            mfx_value_format_number(&option, got, &out);
            assert_string_equal(mfx_buf_text(&out), cases[i].out);
        }
        mfx_buf_fini(&out);
    }
}

static void
bytes(void **state)
{
    static const struct {
        const char *label, *in;
        enum mfx_rc rc;
        uint64_t want;
    } cases[] = {
        {"plain",           "4096",                MFX_OK,       4096                },
        {"zero",            "0",                   MFX_OK,       0                   },
        {"kilo",            "64K",                 MFX_OK,       65536               },
        {"lower_case",      "64k",                 MFX_OK,       65536               },
        {"mega",            "10M",                 MFX_OK,       10485760            },
        {"giga",            "5G",                  MFX_OK,       UINT64_C(5368709120)},
        {"malformed_empty", "",                    MFX_PERMFAIL, 7                   },
        {"malformed_unit",  "K",                   MFX_PERMFAIL, 7                   },
        {"malformed_kb",    "64KB",                MFX_PERMFAIL, 7                   },
        {"malformed_part",  "1.5M",                MFX_PERMFAIL, 7                   },
        {"malformed_sign",  "+1",                  MFX_PERMFAIL, 7                   },
        {"malformed_huge",  "9223372036854775808", MFX_PERMFAIL, 7                   },
        {"malformed_wrap",  "18014398509481984T",  MFX_PERMFAIL, 7                   },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t got = 7;
        unit_assert_int(cases[i].label,
                        mfx_option_parse_bytes(mfx_str_of(cases[i].in), &got),
                        cases[i].rc);
        unit_assert_int(cases[i].label, got, cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds),
        cmocka_unit_test(milliseconds),
        cmocka_unit_test(bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
