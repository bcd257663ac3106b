/* SPDX-License-Identifier: BSD-2-Clause
 *
 * marking - what is written into mail that goes on, and taken out of it
 *
 * Ownership: the decision's. Errors: what cannot be written is left out, with
 * a trace. Threads: the message's.
 */
#ifndef SCORE_MARKING_H
#define SCORE_MARKING_H

#include "message.h"

/* Fields that say what only we may say. Only those whose mail is not looked at
 * because of who they are may bring them along: anyone can name a sender. */
void score_marking_remove_forged(struct mfx_message *m,
                                 const struct score_message *q);
/* Engines' edits, the subject's tag, our own fields. */
void score_marking(struct mfx_message *m, const struct score_message *q);

#endif
