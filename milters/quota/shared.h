/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shared - what outlives a reload: the store, and what was counted by us
 *
 * A policy takes over its predecessor's unless the store, redis or notify
 * settings have changed. Nothing is opened for checks and commands: that comes
 * with quota_shared_begin, when a policy is in force.
 *
 * Ownership: counted; a connection that holds something open holds it, too.
 * Errors: begin logs what it could not do and leaves store NULL (calls of a
 * NULL store: see counting.h). Threads: any.
 */
#ifndef MFX_QUOTA_SHARED_H
#define MFX_QUOTA_SHARED_H

#include <pthread.h>
#include <stdatomic.h>

#include <mfx/store/store.h>

#include "clients.h"
#include "merge.h"
#include "notify.h"
#include "rule.h"
#include "settings.h"
#include "zones.h"

struct quota_shared {
    atomic_size_t holds;
    struct mfx_arena *arena;
    struct quota_settings settings; /* store, redis, notify; texts in arena */
    struct quota_zones *zones;
    struct mfx_env env;
    pthread_mutex_t mutex; /* begin; counts */
    bool has_begun;
    struct mfx_store *store;
    struct mfx_store *fallback; /* this machine's own, while that is away */
    struct quota_merge *merge;
    struct quota_notify *notify;
    struct quota_clients *clients;
    char instance[32]; /* of this process; begins every holder's name */
    atomic_ullong holders;
    struct quota_rule_counts *counts;
    atomic_ullong store_failures, store_timeouts, uncounted, local;
};

/* previous may be NULL. Mistakes (password files) go to problems. */
struct quota_shared *quota_shared_new(const struct quota_settings *settings,
                                      struct quota_shared *previous,
                                      const struct mfx_policy_build *build);
struct quota_shared *quota_shared_hold(struct quota_shared *shared);
void quota_shared_release(struct quota_shared *shared);
void quota_shared_begin(struct quota_shared *shared);

/* The store alone, for commands while no daemon runs; NULL when it cannot be
 * made. mfx_store_close it. */
struct mfx_store *quota_shared_open_store(const struct quota_shared *shared,
                                          struct mfx_err *err);

/* A name for one message or connection that no other has or will have. */
struct mfx_str quota_shared_new_holder(struct quota_shared *shared,
                                       struct mfx_arena *arena);

/* The counts of a rule of that name, made when there are none. NULL when out
 * of memory. */
struct quota_rule_counts *quota_shared_counts(struct quota_shared *shared,
                                              struct mfx_str name);

#endif
