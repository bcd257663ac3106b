/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_pool - which of several servers is asked next (not installed)
 *
 *     switch (mfx_scan_pool_pick(pool, tried, &server)) ...
 *     mfx_scan_pool_give(pool, server, &outcome, now_ms);
 *
 *     while (mfx_scan_pool_probe(pool, now_ms, &server))
 *         greet it, and then mfx_scan_pool_probed(pool, server, ...)
 *
 * Ownership: new/free. Errors: none. Threads: any (a lock of its own).
 */
#ifndef MFX_SCAN_SCAN_POOL_H
#define MFX_SCAN_SCAN_POOL_H

#include <mfx/scan/scan_engine.h>

struct mfx_scan_pool;

/* names: for reports; copied. NULL: out of memory. */
struct mfx_scan_pool *
mfx_scan_pool_new(const struct mfx_scan_engine_settings *settings);
void mfx_scan_pool_free(struct mfx_scan_pool *pool);

enum mfx_scan_pick {
    MFX_SCAN_PICKED, /* and counted, until it is given back */
    MFX_SCAN_BUSY,   /* one that could be asked has its hands full */
    MFX_SCAN_NONE,   /* all are out, or were tried */
};
/* tried: a bit for each server. */
enum mfx_scan_pick mfx_scan_pool_pick(struct mfx_scan_pool *pool,
                                      uint32_t tried, unsigned *server);

/* How many of those that were not tried are not out. */
unsigned mfx_scan_pool_usable(struct mfx_scan_pool *pool, uint32_t tried);

/* How a request ended there. CANCELLED, UNSTORED: says nothing of the
 * server. */
void mfx_scan_pool_give(struct mfx_scan_pool *pool, unsigned server,
                        enum mfx_scan_end end, const char *trouble,
                        uint64_t took_ms, uint64_t now_ms);

/* The next server that is to be greeted now. */
bool mfx_scan_pool_probe(struct mfx_scan_pool *pool, uint64_t now_ms,
                         unsigned *server);
/* version: what it said of itself; "" is allowed. */
void mfx_scan_pool_probed(struct mfx_scan_pool *pool, unsigned server,
                          bool is_alive, const char *text, uint64_t now_ms);
/* When mfx_scan_pool_probe is to be asked again. */
uint64_t mfx_scan_pool_due_ms(struct mfx_scan_pool *pool);

const char *mfx_scan_pool_name(struct mfx_scan_pool *pool, unsigned server);
size_t mfx_scan_pool_report(struct mfx_scan_pool *pool,
                            struct mfx_scan_server_report *reports, size_t max,
                            uint64_t now_ms);

#endif
