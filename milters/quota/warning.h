/* SPDX-License-Identifier: BSD-2-Clause
 *
 * warning - a limit is near, or reached: log it, tell it
 *
 * The store says when it is due: once a window, whichever machine counts.
 *
 * Ownership: nothing. Errors: none; a notice that cannot be told is logged.
 * Threads: the message's.
 */
#ifndef MFX_QUOTA_WARNING_H
#define MFX_QUOTA_WARNING_H

#include "counting.h"

/* After a COMMIT: for each window whose warn_at was reached. */
void quota_warning_soft(struct mfx_message *m, const struct quota_tally *tally);
/* After a refusal: the first in its window. */
void quota_warning_full(struct mfx_message *m,
                        const struct quota_refusal *refusal);

#endif
