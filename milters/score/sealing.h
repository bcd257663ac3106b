/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sealing - the signed field by which a score travels to a second stage
 *
 * Ownership: in the message's arena. Errors: as said. Threads: the message's.
 */
#ifndef SCORE_SEALING_H
#define SCORE_SEALING_H

#include "message.h"

/* At the end of the header: is there one, and does it count? */
void score_sealing_read(struct mfx_message *m, struct score_message *q);
/* Ours, into the decision; MFX_TEMPFAIL: out of memory. */
enum mfx_rc score_sealing_write(struct mfx_message *m,
                                const struct score_verdict *v);

#endif
