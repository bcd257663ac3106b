/* SPDX-License-Identifier: BSD-2-Clause
 *
 * alignment - would the d= we choose satisfy the From domain's DMARC record?
 *
 * One signature that is aligned is enough. DNS is asked only where the answer
 * depends on it: a d= that is the From domain is aligned whatever the record
 * says. Waits for DNS: for commands and checks, never for a message's path.
 *
 *     check = dkim_alignment_new(env);
 *     dkim_alignment_of(check, from, signers, arena, &found);
 *     dkim_alignment_each(check, policy, warn, arg);
 *
 * Ownership: new/free; texts in the arena given. Errors: in the status; an
 * outage is UNKNOWN. Threads: one.
 */
#ifndef DKIM_ALIGNMENT_H
#define DKIM_ALIGNMENT_H

#include <mfx/base/env.h>

#include "policy.h"

struct dkim_alignment_check;

/* NULL when out of memory or without a list of public suffixes. env must
 * outlive it. */
struct dkim_alignment_check *dkim_alignment_new(const struct mfx_env *env);
void dkim_alignment_free(struct dkim_alignment_check *check);

enum dkim_alignment_status {
    DKIM_ALIGNMENT_UNKNOWN,   /* DNS did not answer */
    DKIM_ALIGNMENT_GOOD,      /* a signature is aligned */
    DKIM_ALIGNMENT_NO_RECORD, /* the domain has no DMARC record */
    DKIM_ALIGNMENT_BAD,       /* there is a record and no signature fits it */
};

struct dkim_alignment {
    enum dkim_alignment_status status;
    struct mfx_str from; /* as asked */
    const char *text;    /* for BAD: a sentence */
};

/* shown: how the From domain is called in the text ("*.example.org"); empty:
 * as it is. */
void dkim_alignment_of(const struct dkim_alignment_check *check,
                       struct mfx_str from, struct mfx_str shown,
                       const struct dkim_signer *signers,
                       struct mfx_arena *arena, struct dkim_alignment *found);

/* Every From domain that the configuration signs for and that can be walked;
 * bad is called for each that is BAD, once. */
void dkim_alignment_each(
    const struct dkim_alignment_check *check, const struct dkim_policy *policy,
    void (*bad)(const struct dkim_alignment *found, void *arg), void *arg);

#endif
