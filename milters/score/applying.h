/* SPDX-License-Identifier: BSD-2-Clause
 *
 * applying - a verdict becomes what is done with the message
 *
 * Ownership: the decision's. Errors: MFX_TEMPFAIL: out of memory. Threads: the
 * message's.
 */
#ifndef SCORE_APPLYING_H
#define SCORE_APPLYING_H

#include "message.h"

/* Greylisting may wait; then verdict, edits, fields and facts go into the
 * decision. */
enum mfx_rc score_applying(struct mfx_message *m, struct score_message *q);

#endif
