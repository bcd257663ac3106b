/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reply - SMTP replies that both MTAs send as they are meant
 *
 * 7-bit text on one line, '%' doubled (both MTAs read it as a format), a code
 * of the verdict's class and an enhanced code of the same class; what does
 * not fit is replaced by the standard (RFC 5321 4.2, RFC 3463).
 *
 * Ownership: the caller's storage. Errors: none; is_set false means that the
 * MTA's standard reply is to be used. Threads: pure.
 * Limits: text of MFX_REPLY_TEXT characters, so that the line stays under
 * the 512 octets of RFC 5321 4.5.3.1.5.
 */
#ifndef MFX_MILTER_REPLY_H
#define MFX_MILTER_REPLY_H

#include <mfx/milter/decision.h>

enum {
    MFX_REPLY_TEXT = 480,
};

struct mfx_reply {
    bool is_set;
    char code[4];
    char enhanced[12];
    char text[2 * MFX_REPLY_TEXT + 1]; /* every character might be a '%' */
};

void mfx_reply_make(const struct mfx_decision *d, struct mfx_reply *reply);

#endif
