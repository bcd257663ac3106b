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

/* As a file gives them: bare, quoted, "none". */
static void
decimal_values(void **state)
{
    struct row {
        int64_t limit;
    };
    static const struct {
        const char *label;
        struct mfx_value value;
        unsigned flags;
        enum mfx_rc rc;
        int64_t want;
        const char *dump, *problem;
    } cases[] = {
        {"int",
         {.kind = MFX_VALUE_INT, .number = 7},
         0,               MFX_OK,
         7000,             "\"7\"",
         ""                                              },
        {"fraction",
         {.kind = MFX_VALUE_FRACTION, .fraction = -2.5},
         0,               MFX_OK,
         -2500,
         "\"-2.5\"",                   ""                },
        {"not exact in binary",
         {.kind = MFX_VALUE_FRACTION, .fraction = 4.35},
         0,               MFX_OK,
         4350,             "\"4.35\"",
         ""                                              },
        {"text",
         {.kind = MFX_VALUE_TEXT, .text = MFX_STR("7.25")},
         0,               MFX_OK,
         7250,             "\"7.25\"",
         ""                                              },
        {"none",
         {.kind = MFX_VALUE_TEXT, .text = MFX_STR("none")},
         MFX_OPTION_NONE, MFX_OK,
         MFX_DECIMAL_NONE, "\"none\"",
         ""                                              },
        {"malformed_none",
         {.kind = MFX_VALUE_TEXT, .text = MFX_STR("none")},
         0,               MFX_PERMFAIL,
         1,                NULL,
         "f:3: limit: \"none\" is not a number, such as 7, 7.5 or "
         "\"-0.25\""                                     },
        {"malformed_range",
         {.kind = MFX_VALUE_INT, .number = 11},
         0,               MFX_PERMFAIL,
         1,                NULL,
         "f:3: limit: \"11\" is not between -10.5 and 10"},
        {"malformed_huge",
         {.kind = MFX_VALUE_FRACTION, .fraction = 1e300},
         0,               MFX_PERMFAIL,
         1,                NULL,
         NULL                                            },
        {"malformed_kind",
         {.kind = MFX_VALUE_BOOL, .is_true = true},
         0,               MFX_PERMFAIL,
         1,                NULL,
         "f:3: limit: this is true or false; wanted is a number, such as 7, "
         "7.5 or \"-0.25\""                              },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct mfx_option option =
            MFX_OPTION_DECIMAL("limit", struct row, limit, "1", -10500, 10000,
                               cases[i].flags, "A limit.");
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_problems problems;
        struct mfx_buf out;
        struct row row = {1};
        mfx_problems_init(&problems, arena);
        mfx_buf_init(&out, 1000);
        const struct mfx_value_context context = {.option = &option,
                                                  .file = "f",
                                                  .line = 3,
                                                  .arena = arena,
                                                  .problems = &problems};
        unit_assert_int(cases[i].label,
                        mfx_value_store(&context, &cases[i].value, &row.limit),
                        cases[i].rc);
        unit_assert_int(cases[i].label, row.limit, cases[i].want);
        if (cases[i].dump != NULL) {
            mfx_value_format(&option, &row.limit, &out);
            assert_string_equal(mfx_buf_text(&out), cases[i].dump);
        }
        if (cases[i].problem != NULL) {
            struct mfx_str said = mfx_str("", 0);
            if (problems.first != NULL)
                said = mfx_problem_format(problems.first, arena);
            unit_assert_str(cases[i].label, said, mfx_str_of(cases[i].problem));
        }
        mfx_buf_fini(&out);
        mfx_arena_free(arena);
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
        cmocka_unit_test(decimal_values),
        cmocka_unit_test(bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
