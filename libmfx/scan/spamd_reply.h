/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spamd_reply - what spamd says, taken apart (not installed)
 *
 *     rc = mfx_spamd_reply_read(bytes, is_closed, kind, &reply, &err);
 *     rc = mfx_spamd_reply_use(&reply, command, arena, &result, &err);
 *
 * Ownership: texts of the reply point into the bytes; what use makes is in the
 * arena. Errors: read: MFX_TEMPFAIL: it goes on; MFX_PERMFAIL: no reply of
 * spamd's, and why. Threads: pure functions.
 * Limits: a head of MFX_SPAMD_HEAD_MAX bytes; scores within +-1e9.
 */
#ifndef MFX_SCAN_SPAMD_REPLY_H
#define MFX_SCAN_SPAMD_REPLY_H

#include <mfx/scan/scan.h>
#include <mfx/scan/spamd.h>

enum {
    MFX_SPAMD_HEAD_MAX = 16 * 1024,
};

enum mfx_spamd_kind {
    MFX_SPAMD_KIND_PING,
    MFX_SPAMD_KIND_TELL,
    MFX_SPAMD_KIND_CHECK, /* has a verdict and no body */
    MFX_SPAMD_KIND_BODY,  /* has both */
};

struct mfx_spamd_reply {
    unsigned code;       /* of sysexits.h; 0: it is an answer */
    struct mfx_str text; /* of the first line, behind the code */
    bool has_verdict, is_spam;
    double score, required;
    bool has_length;
    uint64_t length;
    bool did_set, did_remove;
    struct mfx_str body;
};

enum mfx_rc mfx_spamd_reply_read(struct mfx_str bytes, bool is_closed,
                                 enum mfx_spamd_kind kind,
                                 struct mfx_spamd_reply *reply,
                                 struct mfx_err *err) MFX_NODISCARD;

/* Fills the result from a reply with code 0 and a verdict. Out of memory: the
 * arena says so. */
void mfx_spamd_reply_use(const struct mfx_spamd_reply *reply,
                         enum mfx_spamd_command command,
                         struct mfx_arena *arena,
                         struct mfx_scan_result *result);

/* "-1.2", "15", "0.001": never an exponent, infinity or no number. */
bool mfx_spamd_number(struct mfx_str text, double *value);

#endif
