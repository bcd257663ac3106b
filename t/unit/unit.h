/* SPDX-License-Identifier: BSD-2-Clause
 *
 * unit - what every unit test includes: cmocka, and labels for case tables
 *
 * unit_assert_* take the label of the table row, so that a failure says which
 * row it was.
 */
#ifndef MFX_T_UNIT_H
#define MFX_T_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <mfx/base/str.h>

/* Checks that print the row's label when they fail. */
#define unit_assert_str(label, got, want)                        \
    do {                                                         \
        struct mfx_str got_ = (got), want_ = (want);             \
        if (!mfx_str_eq(got_, want_))                            \
            fail_msg("%s: got \"%.*s\", want \"%.*s\"", (label), \
                     MFX_STR_ARG(got_), MFX_STR_ARG(want_));     \
    } while (0)
#define unit_assert_int(label, got, want)                              \
    do {                                                               \
        long long got_ = (long long)(got), want_ = (long long)(want);  \
        if (got_ != want_)                                             \
            fail_msg("%s: got %lld, want %lld", (label), got_, want_); \
    } while (0)

#endif
