/* SPDX-License-Identifier: BSD-2-Clause
 *
 * results - what verifying found, as the value of Authentication-Results
 *
 * Written in one place for the daemon's hooks and for `mfxctl dkim verify`.
 *
 * Ownership: the value lives in the arena. Errors: MFX_TEMPFAIL when out of
 * memory. Threads: pure.
 */
#ifndef DKIM_RESULTS_H
#define DKIM_RESULTS_H

#include <mfx/auth/dkim_verify.h>

/* count 0 writes dkim=none. eai: the message may hold UTF-8. */
enum mfx_rc dkim_results_write(const struct mfx_dkim_result *results,
                               size_t count, struct mfx_str authserv_id,
                               bool eai, struct mfx_arena *arena,
                               struct mfx_str *value) MFX_NODISCARD;

#endif
