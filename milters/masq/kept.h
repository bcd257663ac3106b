/* SPDX-License-Identifier: BSD-2-Clause
 *
 * kept - addresses that the store has under a name, for those of ours that
 * cannot hold them
 *
 *     masq_kept_begin_put(&kept, store, name, &address, lifetime_ms, arena);
 *     masq_kept_begin_get(&kept, store, name);               or
 *     if ((event = masq_kept_event(&kept)) != NULL)
 *         mfx_wait(message, event, until_ms);
 *     rc = masq_kept_end(&kept, arena, &address, &err);
 *
 * Ownership: the caller's struct; what was begun must be ended; addresses that
 * come back are in the arena. Errors: MFX_NOTFOUND (get) when there is none,
 * MFX_TEMPFAIL when the store did not answer (in time) or there is none.
 * Threads: one at a time.
 */
#ifndef MASQ_KEPT_H
#define MASQ_KEPT_H

#include <mfx/store/store.h>

#include "address.h"

struct masq_kept {
    struct mfx_store_call *call; /* NULL: it could not be asked */
    bool is_lookup;
};

/* store may be NULL. name: "srs/NAME". */
void masq_kept_begin_put(struct masq_kept *kept, struct mfx_store *store,
                         struct mfx_str name,
                         const struct masq_address *address,
                         uint64_t lifetime_ms, struct mfx_arena *arena);
void masq_kept_begin_get(struct masq_kept *kept, struct mfx_store *store,
                         struct mfx_str name);
struct mfx_event *masq_kept_event(const struct masq_kept *kept);
/* *address: what was looked up; may be NULL for put. */
enum mfx_rc masq_kept_end(struct masq_kept *kept, struct mfx_arena *arena,
                          struct masq_address *address,
                          struct mfx_err *err) MFX_NODISCARD;

#endif
