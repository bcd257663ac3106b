/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reply - what a refusal says to the client, and why to the log
 *
 * Ownership: texts in the message's arena. Errors: none. Threads: pure.
 */
#ifndef MFX_QUOTA_REPLY_H
#define MFX_QUOTA_REPLY_H

#include "counting.h"

/* Writes the verdict for the refusal into the message's decision. now_s: since
 * 1970. */
void quota_reply_refuse(struct mfx_message *m, const struct quota_refusal *r,
                        uint64_t now_s);

/* "$used of $limit" with the refusal's values; for other texts, too. */
struct mfx_str quota_reply_expand(struct mfx_str text,
                                  const struct mfx_message *m,
                                  const struct quota_refusal *r,
                                  uint64_t now_s);

/* "3h 12m", "45s". */
void quota_reply_format_duration(uint64_t seconds, struct mfx_buf *out);
/* "2026-11-21T08:00:00Z" */
void quota_reply_format_time(uint64_t s, struct mfx_buf *out);

#endif
