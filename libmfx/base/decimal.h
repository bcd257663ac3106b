/* SPDX-License-Identifier: BSD-2-Clause
 *
 * decimal - numbers with three digits behind the point, such as scores
 *
 * Kept in thousandths: 7.25 is 7250. Sums and comparisons are exact, and what
 * is written is what was read.
 *
 * Ownership: none. Errors: parse answers MFX_PERMFAIL for anything else than
 * such a number; *out is untouched then. Threads: pure functions.
 */
#ifndef MFX_BASE_DECIMAL_H
#define MFX_BASE_DECIMAL_H

#include <mfx/base/buf.h>

MFX_API_BEGIN

/* Not a number: no score, no threshold. */
#define MFX_DECIMAL_NONE INT64_MAX

/* "-7.125" -> -7125; at most nine digits before the point and three behind. */
enum mfx_rc mfx_decimal_parse(struct mfx_str text, int64_t *out) MFX_NODISCARD;
/* "7.125", "7.5", "7". */
void mfx_decimal_format(int64_t thousandths, struct mfx_buf *out);

MFX_API_END

#endif
