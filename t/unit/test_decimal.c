/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/decimal.h>

#include "unit.h"

static void
decimals(void **state)
{
    static const struct {
        const char *label, *in, *out;
        enum mfx_rc rc;
        int64_t want;
    } cases[] = {
        {"whole",              "7",             "7",             MFX_OK,       7000        },
        {"zero",               "0",             "0",             MFX_OK,       0           },
        {"tenths",             "7.5",           "7.5",           MFX_OK,       7500        },
        {"thousandths",        "7.125",         "7.125",         MFX_OK,       7125        },
        {"zeros behind",       "7.50",          "7.5",           MFX_OK,       7500        },
        {"zeros before",       "0.025",         "0.025",         MFX_OK,       25          },
        {"hundredths",         "1.07",          "1.07",          MFX_OK,       1070        },
        {"negative",           "-2",            "-2",            MFX_OK,       -2000       },
        {"negative part",      "-0.25",         "-0.25",         MFX_OK,       -250        },
        {"largest",            "999999999.999", "999999999.999", MFX_OK,       999999999999},
        {"malformed_empty",    "",              NULL,            MFX_PERMFAIL, 7           },
        {"malformed_sign",     "-",             NULL,            MFX_PERMFAIL, 7           },
        {"malformed_plus",     "+1",            NULL,            MFX_PERMFAIL, 7           },
        {"malformed_point",    "7.",            NULL,            MFX_PERMFAIL, 7           },
        {"malformed_no_whole", ".5",            NULL,            MFX_PERMFAIL, 7           },
        {"malformed_long",     "7.1234",        NULL,            MFX_PERMFAIL, 7           },
        {"malformed_two",      "7.1.2",         NULL,            MFX_PERMFAIL, 7           },
        {"malformed_comma",    "7,5",           NULL,            MFX_PERMFAIL, 7           },
        {"malformed_exponent", "1e3",           NULL,            MFX_PERMFAIL, 7           },
        {"malformed_nan",      "nan",           NULL,            MFX_PERMFAIL, 7           },
        {"malformed_huge",     "1000000000",    NULL,            MFX_PERMFAIL, 7           },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t got = 7;
        struct mfx_buf out;
        mfx_buf_init(&out, 100);
        unit_assert_int(cases[i].label,
                        mfx_decimal_parse(mfx_str_of(cases[i].in), &got),
                        cases[i].rc);
        unit_assert_int(cases[i].label, got, cases[i].want);
        if (cases[i].rc == MFX_OK) {
            mfx_decimal_format(got, &out);
            assert_string_equal(mfx_buf_text(&out), cases[i].out);
        }
        mfx_buf_fini(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
