/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shared - what outlives a reload: the store of short SRS addresses
 *
 * A policy takes over its predecessor's unless the store's settings have
 * changed. Nothing is opened for checks and commands: that comes with
 * masq_shared_begin, when a policy is in force.
 *
 * Ownership: counted. Errors: begin logs what it could not do and leaves the
 * store NULL: short forms are temporary failures then. Threads: any.
 */
#ifndef MASQ_SHARED_H
#define MASQ_SHARED_H

#include <pthread.h>
#include <stdatomic.h>

#include <mfx/milter/filter.h>

#include "settings.h"

struct masq_shared {
    atomic_size_t holds;
    struct mfx_arena *arena;
    struct mfx_store_settings settings;
    struct mfx_env env;
    pthread_mutex_t mutex; /* begin */
    bool has_begun;
    struct mfx_store *store;
};

/* previous may be NULL. NULL when out of memory. */
struct masq_shared *masq_shared_new(const struct masq_settings *settings,
                                    struct masq_shared *previous,
                                    const struct mfx_policy_build *build);
void masq_shared_release(struct masq_shared *shared);
void masq_shared_begin(struct masq_shared *shared);

/* For commands while no daemon runs; NULL with err when it cannot be. */
struct mfx_store *masq_shared_open_store(const struct masq_shared *shared,
                                         struct mfx_err *err);

#endif
