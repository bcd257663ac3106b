/* SPDX-License-Identifier: BSD-2-Clause
 *
 * received - the parts of a Received field (RFC 5321 4.4, RFC 5322 3.6.7)
 *
 * "from" NAME (who) "by" NAME more ";" date. What stands between "from" and
 * "by" is what the writer knew of its client: the name it gave itself, its
 * address and the name of that, often its login. Between NAME and "by" only
 * comments and address literals are taken; a field with other words there may
 * mean anything.
 *
 *     if (mfx_received_parse(value, &received) == MFX_OK &&
 *         received.from.len > 0) ...
 *
 * Ownership: all borrows from the value. Errors: MFX_PERMFAIL for what is not
 * understood. Threads: pure. Limits: comment nesting 50.
 */
#ifndef MFX_MAIL_RECEIVED_H
#define MFX_MAIL_RECEIVED_H

#include <mfx/base/str.h>

MFX_API_BEGIN

struct mfx_received {
    struct mfx_str from; /* from "from" to before "by"; empty: there is none */
    struct mfx_str by;   /* from "by" to before the last ";" */
    struct mfx_str date; /* behind it */
};

enum mfx_rc mfx_received_parse(struct mfx_str value,
                               struct mfx_received *received) MFX_NODISCARD;

MFX_API_END

#endif
