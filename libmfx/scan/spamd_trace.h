/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spamd_trace - the fields that the MTA will write, written before it (not
 * installed)
 *
 *     Return-Path: <alice@example.org>
 *     Received: from HELO (NAME [IP]) by MTA (Postfix) with ESMTPSA id QUEUEID
 *      (using TLSv1.3 with cipher X); Sat, 21 Nov 2026 10:00:00 +0000
 *
 * In Postfix's words, whichever MTA it is: SpamAssassin knows them best.
 * Characters that could end a word or a comment become '?'.
 *
 * Ownership: goes into the caller's buffer. Errors: the buffer's.
 * Threads: pure.
 */
#ifndef MFX_SCAN_SPAMD_TRACE_H
#define MFX_SCAN_SPAMD_TRACE_H

#include <mfx/base/buf.h>
#include <mfx/scan/scan.h>

void mfx_spamd_trace_write(struct mfx_buf *out,
                           const struct mfx_scan_envelope *envelope);

#endif
