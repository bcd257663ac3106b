/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clamd_reply - what clamd says, taken apart (not installed)
 *
 * Ownership: texts point into the line. Errors: MFX_PERMFAIL: no reply of
 * clamd's. Threads: pure functions.
 */
#ifndef MFX_SCAN_CLAMD_REPLY_H
#define MFX_SCAN_CLAMD_REPLY_H

#include <mfx/base/str.h>

enum {
    MFX_CLAMD_NAME_MAX = 250,
};

struct mfx_clamd_reply {
    enum {
        MFX_CLAMD_CLEAN,
        MFX_CLAMD_FOUND,
        MFX_CLAMD_TOO_LARGE, /* StreamMaxLength */
        MFX_CLAMD_ERROR,
    } kind;
    struct mfx_str name;  /* found: without "(hash:size)" */
    struct mfx_str words; /* error */
};

/* line: without its end. id: of a session's request; 0: no session. */
enum mfx_rc mfx_clamd_reply_read(struct mfx_str line, uint64_t id,
                                 struct mfx_clamd_reply *reply) MFX_NODISCARD;

#endif
