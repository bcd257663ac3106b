/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_share - a store that outlives reloads
 *
 * A policy takes over its predecessor's unless the store's settings have
 * changed. Nothing is opened for checks and commands: that comes with
 * mfx_store_share_begin, when a policy is in force.
 *
 *     share = mfx_store_share_new(&settings->store, previous, config, problems);
 *     mfx_store_share_begin(share);
 *     store = mfx_store_share_store(share);
 *     mfx_store_share_release(share);
 *
 * Ownership: counted. Errors: begin logs what it could not do; the store then
 * is NULL, a temporary failure for those who ask. Threads: any.
 */
#ifndef MFX_POLICY_STORE_SHARE_H
#define MFX_POLICY_STORE_SHARE_H

#include <mfx/policy/store_settings.h>

MFX_API_BEGIN

struct mfx_store_share;

/* previous may be NULL. NULL when out of memory. */
struct mfx_store_share *mfx_store_share_new(
    const struct mfx_store_settings *settings, struct mfx_store_share *previous,
    const struct mfx_config *config, struct mfx_problems *problems);
/* NULL is allowed. */
void mfx_store_share_release(struct mfx_store_share *share);
void mfx_store_share_begin(struct mfx_store_share *share);
/* NULL: it has not begun, or could not be opened. share NULL: likewise. */
struct mfx_store *mfx_store_share_store(const struct mfx_store_share *share);

/* For commands while no daemon runs: the caller's; NULL with err when it
 * cannot be. */
struct mfx_store *mfx_store_share_open(const struct mfx_store_share *share,
                                       struct mfx_err *err);

MFX_API_END

#endif
