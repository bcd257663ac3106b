/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rspamd_answer - a reply of rspamd's over HTTP, as it comes (not installed)
 *
 *     mfx_rspamd_answer_init(&answer, max_answer);
 *     mfx_rspamd_answer_begin(&answer, scan);          NULL: of a greeting
 *     mfx_rspamd_answer_field(&answer, line); ...      of its head
 *     mfx_rspamd_answer_bytes(&answer, bytes) ...      false: no more
 *     end = mfx_rspamd_answer_use(&answer, status, &err);
 *     mfx_rspamd_answer_fini(&answer);
 *
 * Ownership: init/fini, begin as often as one likes; what `use` puts into the
 * scan's result lives as long as the scan. Errors: the end, and err's words; for
 * a greeting that was answered they are the version.
 * Threads: the loop's. Limits: max_answer for the JSON; a new body: rspamd.h.
 */
#ifndef MFX_SCAN_RSPAMD_ANSWER_H
#define MFX_SCAN_RSPAMD_ANSWER_H

#include <mfx/base/buf.h>
#include <mfx/scan/scan_impl.h>

struct mfx_rspamd_answer {
    struct mfx_scan *scan;
    size_t max;
    struct mfx_buf in;
    char version[80];
    bool has_begun, has_offset, is_packed, is_too_long;
    uint64_t offset; /* where a new body begins, when it is unpacked */
};

void mfx_rspamd_answer_init(struct mfx_rspamd_answer *answer, size_t max);
void mfx_rspamd_answer_begin(struct mfx_rspamd_answer *answer,
                             struct mfx_scan *scan);
void mfx_rspamd_answer_field(struct mfx_rspamd_answer *answer,
                             struct mfx_str line);
bool mfx_rspamd_answer_bytes(struct mfx_rspamd_answer *answer,
                             struct mfx_str bytes) MFX_NODISCARD;
enum mfx_scan_end mfx_rspamd_answer_use(struct mfx_rspamd_answer *answer,
                                        long status, struct mfx_err *err);
void mfx_rspamd_answer_fini(struct mfx_rspamd_answer *answer);

#endif
