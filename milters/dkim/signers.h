/* SPDX-License-Identifier: BSD-2-Clause
 *
 * signers - which keys sign for a From address
 *
 * Two ways to say it, tried in this order: OpenDKIM's signing table and key
 * table; and sign.domains with selectors and a path template.
 *
 *     rc = dkim_signers_find(signers, &author, arena, decision, &found);
 *
 * Ownership: belongs to the policy; what is found lives in the message's
 * arena and the policy. Errors: MFX_NOTFOUND when no key is for the address,
 * MFX_TEMPFAIL when a table or key could not be asked; the decision's trace
 * says which row it was. Threads: any.
 */
#ifndef DKIM_SIGNERS_H
#define DKIM_SIGNERS_H

#include <mfx/base/arena.h>
#include <mfx/conf/problem.h>
#include <mfx/milter/decision.h>

#include "keys.h"
#include "rotation/lines.h"
#include "settings.h"

enum {
    DKIM_SIGNERS_MAX = 20, /* signatures on one message; more is an error */
};

struct dkim_signer {
    struct mfx_str domain, selector; /* d=, s= */
    struct mfx_str identity;         /* i=; may be empty */
    struct mfx_str key;              /* path, or "inline" */
    struct dkim_key_file *file;
    int algorithm; /* the row's: enum mfx_dkim_algorithm; -1: it names none */
    struct dkim_signer *next;
};

struct dkim_signers;

/* Takes every row that can be read now; a missing key is an error that names
 * the row and the path. keys, lines: where private keys are added; the lines
 * are not finished. */
enum mfx_rc dkim_signers_new(const struct dkim_settings *settings,
                             struct dkim_keys *keys, struct dkim_lines *lines,
                             struct mfx_arena *arena,
                             struct mfx_problems *problems,
                             struct dkim_signers **signers) MFX_NODISCARD;
void dkim_signers_free(struct dkim_signers *signers);

/* local, domain: of the From address; the domain lower-case A-labels. Of keys
 * that replace each other it is the one that signs now; with MFX_NOTFOUND err
 * says whether there is no key or none that may sign yet. */
enum mfx_rc dkim_signers_find(const struct dkim_signers *signers,
                              struct mfx_str local, struct mfx_str domain,
                              struct mfx_arena *arena,
                              struct mfx_decision *trace,
                              struct dkim_signer **found,
                              struct mfx_err *err) MFX_NODISCARD;

/* The signer's key, if it is one that may sign: of the algorithm that its row
 * names, and long enough (sign.min_rsa_bits). */
enum mfx_rc dkim_signer_key(const struct dkim_signer *signer,
                            const struct dkim_settings *settings,
                            struct mfx_dkim_private_key **key,
                            struct mfx_err *err) MFX_NODISCARD;

/* Every signer that is known without a message (not patterns, not live
 * tables), with the key that signs now, for checks; visit returns false to stop. */
void dkim_signers_each(const struct dkim_signers *signers,
                       bool (*visit)(const struct dkim_signer *signer,
                                     void *arg),
                       void *arg);
size_t dkim_signers_count(const struct dkim_signers *signers);

#endif
