/* SPDX-License-Identifier: BSD-2-Clause
 *
 * handover - the signatures that another signer before us has made
 *
 * While domains move from OpenDKIM to mfx-dkim one by one, both see each
 * message: OpenDKIM first. What it made is known by the d= and s= of our rows
 * and by being valid under the row's own key, over the message as it came to
 * us; nothing else is ever taken for it.
 *
 *     handover = dkim_handover_new(m, signers);       at the end of the header
 *     dkim_handover_body(handover, piece);
 *     dkim_handover_finish(handover);
 *     field = dkim_handover_valid(handover, signer);
 *
 * No DNS is asked: the keys are ours. A message without a signature that names
 * one of the rows costs one look at each DKIM-Signature field.
 *
 * Ownership: all in the message's arena. Errors: NULL from new means that
 * there is nothing, or with *rc MFX_TEMPFAIL that memory or a key failed.
 * Threads: the message's.
 */
#ifndef DKIM_HANDOVER_H
#define DKIM_HANDOVER_H

#include <mfx/auth/dkim_verify.h>
#include <mfx/milter/filter.h>

#include "signers.h"

struct dkim_handover;

/* What stands there under the row's d= and s=. */
enum dkim_there {
    DKIM_THERE_NOTHING,
    DKIM_THERE_OTHER_SELECTOR, /* the domain, with other selectors only */
    DKIM_THERE_INVALID,        /* d= and s=, but wrong under the key */
    DKIM_THERE_VALID,
};

/* NULL with *rc MFX_NOTFOUND: no field names d= and s= of any signer. */
struct dkim_handover *dkim_handover_new(struct mfx_message *m,
                                        const struct dkim_signer *signers,
                                        enum mfx_rc *rc);
void dkim_handover_body(struct dkim_handover *handover, struct mfx_str piece);
enum mfx_rc dkim_handover_finish(struct dkim_handover *handover) MFX_NODISCARD;
/* The valid signature of that row, the topmost; NULL: none. handover may be
 * NULL. */
const struct mfx_header *
dkim_handover_valid(const struct dkim_handover *handover,
                    const struct dkim_signer *signer);
/* Deletes every valid signature of these rows. */
size_t dkim_handover_delete(const struct dkim_handover *handover,
                            struct mfx_message *m,
                            const struct dkim_signer *signers);

/* By the fields alone and, if there is a handover, by what it found. *claim
 * (may be NULL): the field that says most, for DKIM_THERE_OTHER_SELECTOR and
 * above. */
enum dkim_there dkim_handover_look(const struct dkim_handover *handover,
                                   const struct mfx_headers *headers,
                                   const struct dkim_signer *signer,
                                   struct mfx_dkim_claim *claim);

#endif
