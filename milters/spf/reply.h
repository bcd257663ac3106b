/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reply - the text of a refusal by SPF, with its variables
 *
 * Ownership: results in the message's arena, or literals. Errors: none; what
 * a domain or client wrote becomes printable ASCII. Threads: the message's.
 */
#ifndef SPF_REPLY_H
#define SPF_REPLY_H

#include "message.h"

/* template empty: the text that fits the result. */
struct mfx_str spf_reply_text(struct mfx_message *m,
                              const struct spf_client *client,
                              const struct mfx_spf_outcome *outcome,
                              struct mfx_str template);
/* RFC 7372: 5.7.23 for results, 5.7.24 for errors; and their 4.7 forms. */
struct mfx_str spf_reply_enhanced(enum mfx_spf_result result, bool is_final);

#endif
