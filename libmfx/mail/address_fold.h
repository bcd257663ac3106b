/* SPDX-License-Identifier: BSD-2-Clause
 *
 * address_fold - lines of an address field that are to be written (private)
 *
 * Time grows with the length of the value.
 */
#ifndef MFX_MAIL_ADDRESS_FOLD_H
#define MFX_MAIL_ADDRESS_FOLD_H

#include <mfx/base/buf.h>

/* The longest line, with "name:" in the first. */
size_t address_fold_longest(size_t name_len, struct mfx_str value);
/* Adds the value, its lines folded at `max` octets: behind a comma, else
 * before white space, neither in quotes, comments or brackets. A line without
 * such a place stays long. */
void address_fold_lines(size_t name_len, struct mfx_str value, size_t max,
                        struct mfx_buf *out);
/* Adds the value without the line ends before lines of only white space. */
void address_fold_mend(struct mfx_str value, struct mfx_buf *out);

#endif
