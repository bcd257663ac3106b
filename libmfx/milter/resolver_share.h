/* SPDX-License-Identifier: BSD-2-Clause
 *
 * resolver_share - one resolver for all snapshots with the same DNS settings
 *
 * A reload that leaves dns.* alone keeps the resolver, its cache and its
 * thread. env is what hooks and policies get: system clocks and the resolver.
 *
 * Ownership: counted; get gives a hold. Errors: err. Threads: any.
 */
#ifndef MFX_MILTER_RESOLVER_SHARE_H
#define MFX_MILTER_RESOLVER_SHARE_H

#include <mfx/base/buf.h>
#include <mfx/milter/common_settings.h>
#include <mfx/milter/filter.h> /* hold, release, env */
#include <mfx/net/resolver.h>

/* previous may be NULL. */
enum mfx_rc mfx_resolver_share_get(const struct mfx_dns_settings *settings,
                                   struct mfx_resolver_share *previous,
                                   struct mfx_resolver_share **share,
                                   struct mfx_err *err) MFX_NODISCARD;
/* False when records come from dns.test_data. */
bool mfx_resolver_share_stats(struct mfx_resolver_share *share,
                              struct mfx_resolver_dns_stats *stats);

#endif
