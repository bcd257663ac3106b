/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reply_text - what an operator wrote for a refusal: a code, a text with $names
 *
 *     if (!mfx_reply_code_parse(settings->code, &code, &enhanced)) ...
 *     text = mfx_reply_text_expand(settings->text, put, &facts, arena);
 *
 * Ownership: results in the arena, or borrowed. Errors: none. Threads: pure.
 * Limits: a text of MFX_REPLY_TEXT_MAX characters.
 */
#ifndef MFX_POLICY_REPLY_TEXT_H
#define MFX_POLICY_REPLY_TEXT_H

#include <mfx/base/buf.h>

MFX_API_BEGIN

enum {
    MFX_REPLY_TEXT_MAX = 400,
};

/* "550 5.7.1": a code of 400 to 599 and an enhanced code of its class (RFC
 * 3463 2). */
bool mfx_reply_code_parse(struct mfx_str text, unsigned *code,
                          struct mfx_str *enhanced);

/* "$name" (letters, digits, "_") gives what put adds for it; a name for which
 * put answers false stays. What a login or an operator wrote cannot break a
 * reply line: bytes other than printable ASCII become "?". */
struct mfx_str mfx_reply_text_expand(struct mfx_str text,
                                     bool (*put)(const void *arg,
                                                 struct mfx_str name,
                                                 struct mfx_buf *out),
                                     const void *arg, struct mfx_arena *arena);

MFX_API_END

#endif
