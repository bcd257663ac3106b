/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_cache - answers kept for their TTL
 *
 * Kept: answers, and "no such name" and "no data" whose SOA gave a TTL. Not
 * kept: failures, timeouts and what cannot be read, so that the MTA's next
 * try sees a server that has come back; and TTL 0.
 *
 * Ownership: the cache holds its replies; get gives the caller a hold.
 * Errors: what does not fit, or finds no memory, is not kept.
 * Threads: one at a time (the resolver's lock).
 * Limits: entries and bytes; the least recently used goes first.
 */
#ifndef MFX_NET_DNS_CACHE_H
#define MFX_NET_DNS_CACHE_H

#include <mfx/net/dns_name.h>
#include <mfx/net/dns_reply.h>

enum {
    MFX_DNS_KEY_MAX = 2 + MFX_DNS_WIRE_NAME_MAX,
};

/* Type and lower-case name. */
struct mfx_dns_key {
    size_t len;
    char bytes[MFX_DNS_KEY_MAX];
};

struct mfx_dns_key mfx_dns_key_of(const struct mfx_dns_name *name,
                                  enum mfx_dns_type type);

struct mfx_dns_cache;

/* NULL when out of memory. entries 0: keeps nothing. */
struct mfx_dns_cache *mfx_dns_cache_new(size_t entries, size_t bytes,
                                        uint32_t max_ttl_s);
void mfx_dns_cache_free(struct mfx_dns_cache *cache);

/* The reply, held, and the seconds it still lives; NULL when not there. */
struct mfx_dns_reply *mfx_dns_cache_get(struct mfx_dns_cache *cache,
                                        const struct mfx_dns_key *key,
                                        uint64_t now_ms, uint32_t *ttl_s);
void mfx_dns_cache_put(struct mfx_dns_cache *cache,
                       const struct mfx_dns_key *key,
                       struct mfx_dns_reply *reply, uint64_t now_ms);
size_t mfx_dns_cache_entries(const struct mfx_dns_cache *cache);
size_t mfx_dns_cache_bytes(const struct mfx_dns_cache *cache);

#endif
