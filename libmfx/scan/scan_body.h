/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_body - one message, kept once for all engines
 *
 *     body = mfx_scan_body_new(1 << 20, NULL);
 *     mfx_scan_body_add(body, mfx_str_of("Subject: hello\r\n"));
 *     mfx_scan_body_end(body);
 *     mfx_scan_body_free(body);
 *
 * The message as it came: header, empty line, body, lines ended by CRLF. In
 * memory up to memory_limit (and further while messages that share memory have
 * some left), then in one file without a name. Engines read it
 * while it grows.
 *
 * Ownership: counted: free gives one's share back; scans have their own.
 * Errors: what could not be kept (disk full, no permission) ends every scan
 * of it; mfx_scan_body_check says why.
 * Threads: one adds, any number reads.
 */
#ifndef MFX_SCAN_SCAN_BODY_H
#define MFX_SCAN_SCAN_BODY_H

#include <mfx/base/str.h>

MFX_API_BEGIN

/* --- memory that messages share --- */

struct mfx_scan_memory;

/* There is none of it yet. NULL: out of memory. */
struct mfx_scan_memory *mfx_scan_memory_new(void);
/* When no message has a part of it any more. NULL is allowed. */
void mfx_scan_memory_free(struct mfx_scan_memory *memory);
/* How much there is; one message gets a quarter of it at most. */
void mfx_scan_memory_set(struct mfx_scan_memory *memory, size_t total);

/* --- messages --- */

struct mfx_scan_body;

/* folder: of the file; NULL: $TMPDIR, or /var/tmp. NULL: out of memory. */
struct mfx_scan_body *mfx_scan_body_new(size_t memory_limit,
                                        const char *folder);
/* Before anything is added. */
void mfx_scan_body_share(struct mfx_scan_body *body,
                         struct mfx_scan_memory *memory);
/* NULL is allowed. */
void mfx_scan_body_free(struct mfx_scan_body *body);
void mfx_scan_body_add(struct mfx_scan_body *body, struct mfx_str piece);
/* That was all of it. */
void mfx_scan_body_end(struct mfx_scan_body *body);
size_t mfx_scan_body_len(struct mfx_scan_body *body);
/* MFX_TEMPFAIL: it could not be kept. */
enum mfx_rc mfx_scan_body_check(struct mfx_scan_body *body,
                                struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
