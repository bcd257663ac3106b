/* SPDX-License-Identifier: BSD-2-Clause
 *
 * complain - what is wrong with a setting, with its place in the file
 *
 * Ownership: the text is copied. Errors: none. Threads: one at a time.
 */
#ifndef SCORE_COMPLAIN_H
#define SCORE_COMPLAIN_H

#include <mfx/milter/filter.h>

/* "SETTING: WHAT: WORD"; the word may be empty. */
void score_complain(const struct mfx_policy_build *build, const char *setting,
                    const char *what, struct mfx_str word);

#endif
