/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reply - what the client is told
 *
 * Ownership: the text in the message's arena. Errors: none. Threads: the
 * message's.
 */
#ifndef SCORE_REPLY_H
#define SCORE_REPLY_H

#include "message.h"

/* Fills code, enhanced and text of a verdict that tempfails or rejects. */
void score_reply_make(const struct mfx_message *m, struct score_verdict *v);

#endif
