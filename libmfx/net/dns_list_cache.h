/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_list_cache - what DNS lists said, kept longer or shorter than its TTL
 *
 *     kept = mfx_dns_list_cache_get(cache, &name, now_ms);
 *     if (kept != NULL)
 *         answer = mfx_dns_list_kept_answer(kept);
 *     ...
 *     mfx_dns_list_kept_release(kept);
 *
 * Stands above the resolver's own cache: a list with a TTL of a second is not
 * asked for every message, and one with a TTL of a week is asked again within
 * the hour. Listings and their absence are kept; failures and timeouts never.
 * (What else is not to be kept, as the refusals of a list, is not put.)
 *
 * Ownership: counted, both. Errors: what does not fit, or finds no memory, is
 * not kept. Threads: any. Limits: a number of answers, and 1 KiB for each on
 * average; the least recently used goes first.
 */
#ifndef MFX_NET_DNS_LIST_CACHE_H
#define MFX_NET_DNS_LIST_CACHE_H

#include <mfx/net/dns_list.h>

MFX_API_BEGIN

struct mfx_dns_list_cache_limits {
    size_t entries; /* 0: nothing is kept */
    uint32_t min_s, max_s;
};

struct mfx_dns_list_cache;
struct mfx_dns_list_kept;

/* NULL when out of memory. */
struct mfx_dns_list_cache *
mfx_dns_list_cache_new(const struct mfx_dns_list_cache_limits *limits);
struct mfx_dns_list_cache *
mfx_dns_list_cache_hold(struct mfx_dns_list_cache *cache);
void mfx_dns_list_cache_release(struct mfx_dns_list_cache *cache);
bool mfx_dns_list_cache_has(const struct mfx_dns_list_cache *cache,
                            const struct mfx_dns_list_cache_limits *limits);

/* epoch: what was put under another one is not there. It moves on when what a
 * list has said is not to be believed any more. NULL: it is not there. */
struct mfx_dns_list_kept *
mfx_dns_list_cache_get(struct mfx_dns_list_cache *cache,
                       const struct mfx_dns_list_name *name, unsigned epoch,
                       uint64_t now_ms);
const struct mfx_dns_answer *
mfx_dns_list_kept_answer(const struct mfx_dns_list_kept *kept);
void mfx_dns_list_kept_release(struct mfx_dns_list_kept *kept);

void mfx_dns_list_cache_put(struct mfx_dns_list_cache *cache,
                            const struct mfx_dns_list_name *name,
                            unsigned epoch, const struct mfx_dns_answer *answer,
                            uint64_t now_ms);
size_t mfx_dns_list_cache_count(struct mfx_dns_list_cache *cache);

MFX_API_END

#endif
