/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shadow - what mfx-dkim would have signed beside what OpenDKIM has signed
 *
 * With mode = "shadow" each message of ours is signed as ever, nothing of it
 * is applied, and the result is compared with the signatures on the message:
 * the same d= and s=, valid under our key, and our h= no narrower. What came
 * of it is a fact of the log line and a row of the tally, by From domain.
 *
 *     shadow = dkim_shadow_compare(m, handover, signers, values, &detail);
 *     dkim_tally_note(tally, domain, shadow, detail, now_s);
 *
 * Ownership: a tally is new/free and keeps copies. Errors: without memory a
 * domain is counted under "(others)", as those past the first 100,000 are.
 * Threads: the tally is for any; compare for the message's.
 */
#ifndef DKIM_SHADOW_H
#define DKIM_SHADOW_H

#include <mfx/base/buf.h>

#include "handover.h"

enum dkim_shadow {
    DKIM_SHADOW_SAME,
    DKIM_SHADOW_UNSIGNED_THERE, /* or it stands behind mfx-dkim */
    DKIM_SHADOW_OTHER_SELECTOR,
    DKIM_SHADOW_INVALID,       /* under our key */
    DKIM_SHADOW_FEWER_FIELDS,  /* ours covers fewer */
    DKIM_SHADOW_UNSIGNED_HERE, /* we have no key for it */
    DKIM_SHADOW_FOREIGN_HERE,  /* we do not take it for ours */
    DKIM_SHADOW_FAILED_HERE,   /* we could not sign it now */
    DKIM_SHADOW_COUNT,
};
/* "same", "unsigned_there", ...: one word for metrics and JSON. */
const char *dkim_shadow_word(enum dkim_shadow shadow);
/* For people. */
const char *dkim_shadow_text(enum dkim_shadow shadow);

/* values: our DKIM-Signature values in the order of signers. The first
 * difference is the answer. *detail names the row or the field. */
enum dkim_shadow dkim_shadow_compare(struct mfx_message *m,
                                     const struct dkim_handover *handover,
                                     const struct dkim_signer *signers,
                                     const struct mfx_str *values,
                                     struct mfx_str *detail);
/* A name that h= `theirs` holds more often than `ours`; empty: none. */
struct mfx_str dkim_shadow_missing_name(struct mfx_str ours,
                                        struct mfx_str theirs);

/* Says it in the log line, counts it, notes it in the tally. */
void dkim_shadow_note(struct mfx_message *m, struct mfx_str domain,
                      enum dkim_shadow shadow, struct mfx_str detail);

struct dkim_tally;

struct dkim_tally *dkim_tally_new(void);
void dkim_tally_free(struct dkim_tally *tally);
void dkim_tally_note(struct dkim_tally *tally, struct mfx_str domain,
                     enum dkim_shadow shadow, struct mfx_str detail,
                     uint64_t now_s);
/* Messages so far, by what came of them. */
void dkim_tally_totals(struct dkim_tally *tally,
                       uint64_t totals[DKIM_SHADOW_COUNT]);

/* `mfxctl dkim shadow [DOMAIN...]`, as mfx_control_verb wants. */
enum mfx_rc dkim_shadow_verb(const void *policy, const struct mfx_str *args,
                             size_t arg_count, bool as_json,
                             struct mfx_buf *out, struct mfx_err *err);

#endif
