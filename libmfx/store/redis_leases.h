/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_leases - what this process holds open, to be renewed (not installed)
 *
 * A RESERVE without a lease of its own is held for MFX_REDIS_LEASE_MS, and that
 * is renewed as long as nothing gave it back.
 *
 *     mfx_redis_leases_ask(leases, call)          before it is sent
 *     mfx_redis_leases_answer(leases, call, done) when the answer is there
 *     mfx_redis_leases_drop(leases, call)         before what gives it back
 *
 * Ownership: new/free; copies names. Errors: ask: false when out of memory.
 * Threads: the caller's lock.
 */
#ifndef MFX_STORE_REDIS_LEASES_H
#define MFX_STORE_REDIS_LEASES_H

#include <mfx/store/redis_ask.h>

struct mfx_redis_leases;

struct mfx_redis_leases *mfx_redis_leases_new(void);
void mfx_redis_leases_free(struct mfx_redis_leases *leases);

bool mfx_redis_leases_ask(struct mfx_redis_leases *leases,
                          const struct mfx_store_call *call);
void mfx_redis_leases_answer(struct mfx_redis_leases *leases,
                             const struct mfx_store_call *call, bool is_held);
void mfx_redis_leases_drop(struct mfx_redis_leases *leases,
                           const struct mfx_store_call *call);
bool mfx_redis_leases_is_empty(const struct mfx_redis_leases *leases);

/* A command that renews some; *cursor: 0 at first. False: no more. The item
 * frees itself when it is answered; has_text: the whole script is sent. */
bool mfx_redis_leases_format(const struct mfx_redis_leases *leases,
                             const struct mfx_redis_asker *asker, bool has_text,
                             size_t *cursor, struct mfx_redis_item **item);
/* Gives an item back. */
void mfx_redis_leases_free_item(struct mfx_redis_item *item);

#endif
