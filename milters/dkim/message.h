/* SPDX-License-Identifier: BSD-2-Clause
 *
 * message - one message on its way through mfx-dkim
 *
 * filter.c holds the stage hooks; signing.c and verifying.c each hold what one
 * of the two jobs does at the end of the header, in the body, and at the end
 * of the message.
 *
 * Ownership: all in the message's arena. Errors: MFX_OK, or whatever makes
 * the harness tempfail the message. Threads: the message's.
 */
#ifndef DKIM_MESSAGE_H
#define DKIM_MESSAGE_H

#include "handover.h"
#include "policy.h"

struct dkim_message {
    struct dkim_plan plan;
    bool is_to_excepted;
    bool wants_body;
    /* signing */
    struct mfx_dkim_body *body;
    int body_handle;
    const struct mfx_headers *signed_headers; /* as they will be delivered */
    const char **added_later;
    struct dkim_handover *handover; /* NULL: no other signer's is there */
    struct dkim_signer *watched;    /* rows of mail that is not signed here */
    /* verifying */
    struct mfx_dkim_verifier *verifier;
};

extern const struct mfx_filter dkim_filter;

static inline const struct dkim_policy *
dkim_policy_of(const struct mfx_message *m)
{
    return m->policy;
}

/* --- signing.c --- */

enum mfx_rc dkim_signing_begin(struct mfx_message *m, struct dkim_message *d);
void dkim_signing_body(struct dkim_message *d, struct mfx_str piece);
enum mfx_rc dkim_signing_end(struct mfx_message *m, struct dkim_message *d);

/* --- watching.c: what another signer does with mail that we do not sign --- */

/* Mail left to the signer before us (sign.sign_only): says so when it bears no
 * signature of that domain's rows, since then that signer stands behind us. */
enum mfx_rc dkim_watching_left(struct mfx_message *m, struct dkim_message *d);
/* mode = "shadow", mail that is not signed here. */
enum mfx_rc dkim_watching_begin(struct mfx_message *m, struct dkim_message *d);
enum mfx_rc dkim_watching_end(struct mfx_message *m, struct dkim_message *d);

/* --- verifying.c --- */

/* software_header: names us in the message. */
void dkim_verifying_name_software(struct mfx_message *m);
/* Deletes the Authentication-Results fields that claim to be ours. */
void dkim_verifying_remove_results(struct mfx_message *m);
/* A field comes in: look at it, start asking for its key. */
enum mfx_rc dkim_verifying_header(struct mfx_message *m, struct dkim_message *d,
                                  const struct mfx_header *header);
enum mfx_rc dkim_verifying_begin(struct mfx_message *m, struct dkim_message *d);
void dkim_verifying_body(struct dkim_message *d, struct mfx_str piece);
enum mfx_rc dkim_verifying_end(struct mfx_message *m, struct dkim_message *d);

#endif
