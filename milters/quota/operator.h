/* SPDX-License-Identifier: BSD-2-Clause
 *
 * operator - what mfxctl quota asks: who has used how much, and changes to it
 *
 * The same functions answer over the daemon's control socket and, while it
 * does not run, for mfxctl itself (policy loaded offline, store opened by it):
 * quota_operator_use says which store.
 *
 * Ownership: out is the caller's. Errors: MFX_NOTFOUND for a key nobody has
 * used, MFX_PERMFAIL for words that make no sense, MFX_TEMPFAIL when the store
 * does not answer; err says it. Threads: any.
 */
#ifndef MFX_QUOTA_OPERATOR_H
#define MFX_QUOTA_OPERATOR_H

#include "policy.h"

/* mfx_filter's verbs and metrics. */
extern const struct mfx_control_verb quota_operator_verbs[];
void quota_operator_metrics(const void *policy, struct mfx_buf *out);

#endif
