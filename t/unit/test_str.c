/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/base/str.h>

static void
numbers(void **state)
{
    static const struct {
        const char *label, *in;
        uint64_t max;
        enum mfx_rc rc;
        uint64_t want;
    } cases[] = {
        {"zero",          "0",                    10,         MFX_OK,       0         },
        {"largest",       "18446744073709551615", UINT64_MAX, MFX_OK,       UINT64_MAX},
        {"one_too_large", "18446744073709551616", UINT64_MAX, MFX_PERMFAIL, 0         },
        {"above_max",     "11",                   10,         MFX_PERMFAIL, 0         },
        {"empty",         "",                     10,         MFX_PERMFAIL, 0         },
        {"sign",          "+1",                   10,         MFX_PERMFAIL, 0         },
        {"blank",         " 1",                   10,         MFX_PERMFAIL, 0         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t got = 0;
        enum mfx_rc rc =
            mfx_str_to_u64(mfx_str_of(cases[i].in), cases[i].max, &got);
        unit_assert_int(cases[i].label, rc, cases[i].rc);
        unit_assert_int(cases[i].label, got, cases[i].want);
    }
}

static void
utf8(void **state)
{
    static const struct {
        const char *label, *in;
        bool want;
    } cases[] = {
        {"ascii",              "abc",              true },
        {"two_bytes",          "\xC3\xA9",         true },
        {"four_bytes",         "\xF0\x9F\x98\x80", true },
        {"overlong",           "\xC0\xAF",         false},
        {"surrogate",          "\xED\xA0\x80",     false},
        {"above_10ffff",       "\xF4\x90\x80\x80", false},
        {"cut_short",          "\xE2\x82",         false},
        {"stray_continuation", "a\x80",            false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* wherever it stands */
        for (size_t before = 0; before < 20; before++) {
            char text[60] = "aaaaaaaaaaaaaaaaaaaa";
            size_t len = strlen(cases[i].in);
            memcpy(text + before, cases[i].in, len);
            memset(text + before + len, 'b', 19 - before);
            unit_assert_int(cases[i].label,
                            mfx_str_is_utf8(mfx_str(text, len + 19)),
                            cases[i].want);
            unit_assert_int(cases[i].label,
                            mfx_str_is_utf8(mfx_str(text, before + len)),
                            cases[i].want);
        }
    }
}

static void
cut(void **state)
{
    struct mfx_str rest = mfx_str_of("a,,b"), item;
    (void)state;
    assert_true(mfx_str_cut(&rest, ',', &item));
    unit_assert_str("first", item, mfx_str_of("a"));
    assert_true(mfx_str_cut(&rest, ',', &item));
    unit_assert_str("empty", item, mfx_str_of(""));
    assert_true(mfx_str_cut(&rest, ',', &item));
    unit_assert_str("last", item, mfx_str_of("b"));
    assert_false(mfx_str_cut(&rest, ',', &item));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(utf8),
        cmocka_unit_test(cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
