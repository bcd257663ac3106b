/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rspamd_reply - what rspamd says, taken apart (not installed)
 *
 *     end = mfx_rspamd_reply_use(json, arena, &result, &err);
 *
 * What decides (action, score) must be there and right, or it is no answer;
 * what is to be done to the message must have its form; what is only told
 * (symbols, groups, urls ...) is left out where it is of another type. Bytes that
 * are no UTF-8 become question marks.
 *
 * Ownership: what is made is in the arena, which says when memory was short.
 * Errors: why it is no answer, in err. Threads: pure functions.
 * Limits: scores within +-1e9; the caller bounds the bytes, and with them all
 * else.
 */
#ifndef MFX_SCAN_RSPAMD_REPLY_H
#define MFX_SCAN_RSPAMD_REPLY_H

#include <mfx/scan/scan.h>
#include <mfx/scan/scan_json.h>

/* ANSWERED, BROKEN, or REFUSED: it says that it could not. */
enum mfx_scan_end mfx_rspamd_reply_use(struct mfx_str json,
                                       struct mfx_arena *arena,
                                       struct mfx_scan_result *result,
                                       struct mfx_err *err);

/* Of /learnspam and /learnham. status: of HTTP, 2xx or 404. */
enum mfx_scan_end mfx_rspamd_reply_learned(struct mfx_str json, long status,
                                           struct mfx_arena *arena,
                                           struct mfx_scan_result *result,
                                           struct mfx_err *err);

/* The words of a reply that is an error, fit for a log; "" when there are
 * none. */
void mfx_rspamd_reply_error(struct mfx_str json, char *to, size_t size);

/* --- between rspamd_reply.c and rspamd_milter.c --- */

/* A copy of a JSON string, empty for anything else. */
struct mfx_str mfx_rspamd_text(struct mfx_arena *arena,
                               const struct mfx_scan_json *value);
/* An array of strings, or one; what is of another type is left out. */
struct mfx_scan_texts mfx_rspamd_texts(struct mfx_arena *arena,
                                       const struct mfx_scan_json *value);
/* Is it an array of strings, or one string, or not there? */
bool mfx_rspamd_is_texts(const struct mfx_scan_json *value);
/* Fills in edits, sender, recipients, no_action. *reject: what stands in place
 * of a rejection. False: what is to be done is of no form. */
bool mfx_rspamd_milter_use(const struct mfx_scan_json *milter,
                           struct mfx_arena *arena,
                           struct mfx_scan_result *result,
                           struct mfx_str *reject);

#endif
