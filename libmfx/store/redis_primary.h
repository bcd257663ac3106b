/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_primary - finds the server that may be written to (not installed)
 *
 * Among the servers of the settings the first that says so (ROLE), or the one
 * that Sentinel names, if it says so, too: after a failover the old one may
 * still think it is.
 *
 * Ownership: new/free; copies the settings. Errors: open: MFX_PERMFAIL: some
 * server does not want us, and none is a primary; MFX_TEMPFAIL: none was found.
 * Threads: one at a time; may_go_on from that thread.
 */
#ifndef MFX_STORE_REDIS_PRIMARY_H
#define MFX_STORE_REDIS_PRIMARY_H

#include <mfx/store/redis_link.h>
#include <mfx/store/store_redis.h>

struct mfx_redis_primary;

/* scripts must outlive it. MFX_PERMFAIL: the settings are wrong. */
enum mfx_rc
mfx_redis_primary_new(const struct mfx_store_redis_settings *settings,
                      const struct mfx_redis_scripts *scripts,
                      struct mfx_redis_primary **primary,
                      struct mfx_err *err) MFX_NODISCARD;
void mfx_redis_primary_free(struct mfx_redis_primary *primary);

struct mfx_redis_search {
    /* Between two servers; false ends the search. */
    bool (*may_go_on)(void *arg);
    void *arg;
};

/* Opens `count` links to one primary; where: its name. */
enum mfx_rc mfx_redis_primary_open(struct mfx_redis_primary *primary,
                                   const struct mfx_redis_search *search,
                                   struct mfx_redis_link *links, size_t count,
                                   char *where, size_t where_size,
                                   struct mfx_err *err) MFX_NODISCARD;

#endif
