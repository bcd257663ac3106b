/* SPDX-License-Identifier: BSD-2-Clause
 *
 * snapshot - configuration, tables and policy as of one moment
 *
 * Immutable once made and counted: a message keeps the one it began with. A
 * reload makes the next beside it, sharing unchanged tables, the resolver and
 * whatever the policy shares, and swaps the pointer in the slot.
 *
 *     mfx_snapshot_new(&load, &snapshot);
 *     mfx_snapshot_slot_set(&slot, snapshot);
 *     struct mfx_snapshot *s = mfx_snapshot_slot_get(&slot);
 *     ...
 *     mfx_snapshot_release(s);
 *
 * Ownership: new, hold and slot_get each give one hold, to be released; the
 * slot takes over the hold it is given.
 * Errors: what is wrong is in load.problems, all of it; no snapshot then.
 * Threads: any; making one is one thread's work.
 */
#ifndef MFX_MILTER_SNAPSHOT_H
#define MFX_MILTER_SNAPSHOT_H

#include <pthread.h>
#include <stdatomic.h>

#include <mfx/milter/common_settings.h>
#include <mfx/milter/filter.h>
#include <mfx/milter/negotiate.h>

struct mfx_resolver_share; /* resolver_share.h */

struct mfx_snapshot {
    atomic_size_t holds;
    uint64_t number, loaded_wall_s;
    const struct mfx_filter *filter;
    struct mfx_arena *arena;
    struct mfx_table_set *tables;
    struct mfx_config *config;
    struct mfx_common_settings common;
    void *settings; /* the filter's */
    void *policy;
    struct mfx_host_list *internal_hosts;
    struct mfx_origin_rules origin;
    struct mfx_resolver_share *resolver;
    const struct mfx_env *env;
    struct mfx_wants wants;
    struct mfx_demand demand;
    struct mfx_file_id *file_ids; /* of mfx_config_files, in that order */
    const char *common_file;      /* it may appear later */
    struct mfx_file_id common_id;
};

struct mfx_snapshot_load {
    const struct mfx_filter *filter;
    const struct mfx_option *common_options;
    const char *file, *common_file; /* either may be NULL */
    const struct mfx_snapshot *previous;
    struct mfx_problems *problems;
    bool check_all, check_dns; /* -t, --dns */
    bool settings_only;        /* no policy, no resolver: -T, the start */
};

enum mfx_rc mfx_snapshot_new(const struct mfx_snapshot_load *load,
                             struct mfx_snapshot **snapshot) MFX_NODISCARD;
/* It is in force: tells the filter. For a daemon, before it is set. */
void mfx_snapshot_begin(const struct mfx_snapshot *snapshot);
struct mfx_snapshot *mfx_snapshot_hold(struct mfx_snapshot *snapshot);
void mfx_snapshot_release(struct mfx_snapshot *snapshot); /* NULL is fine */

/* True when a file that it was made from is another one now. */
bool mfx_snapshot_is_outdated(const struct mfx_snapshot *snapshot);
/* Settings marked "restart" whose value differs: calls differs for each. */
void mfx_snapshot_compare_restart(const struct mfx_snapshot *a,
                                  const struct mfx_snapshot *b,
                                  const struct mfx_option *common_options,
                                  void (*differs)(const char *name, void *arg),
                                  void *arg);

/* The two option sets of a snapshot, for mfx_config_dump. */
void mfx_snapshot_option_sets(const struct mfx_snapshot *snapshot,
                              const struct mfx_option *common_options,
                              struct mfx_option_set sets[2]);

struct mfx_snapshot_slot {
    pthread_mutex_t mutex;
    struct mfx_snapshot *current;
};

void mfx_snapshot_slot_init(struct mfx_snapshot_slot *slot);
void mfx_snapshot_slot_fini(struct mfx_snapshot_slot *slot);
/* The current one, held for the caller. */
struct mfx_snapshot *mfx_snapshot_slot_get(struct mfx_snapshot_slot *slot);
void mfx_snapshot_slot_set(struct mfx_snapshot_slot *slot,
                           struct mfx_snapshot *snapshot);

#endif
