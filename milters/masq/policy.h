/* SPDX-License-Identifier: BSD-2-Clause
 *
 * policy - the rules in force, SRS, the From guard, munging, hygiene
 *
 * Ownership: built into the snapshot; what outlives it is the store.
 * Errors: problems while building. Threads: read-only once built.
 */
#ifndef MASQ_POLICY_H
#define MASQ_POLICY_H

#include <mfx/policy/store_share.h>

#include "guard.h"
#include "hygiene.h"
#include "map_server.h"
#include "munge.h"
#include "rewriting.h"
#include "srs.h"

struct masq_policy {
    const struct masq_settings *settings;
    struct masq_rule *rules; /* without those that are off */
    size_t rule_count;
    bool classes[MASQ_CLASS_COUNT]; /* some rule has it */
    struct masq_guard guard;        /* in force with from_guard.enable */
    struct masq_hygiene hygiene;
    const struct masq_srs *srs;         /* NULL: none */
    const struct masq_munge *munge;     /* NULL: none */
    struct mfx_store_share *shared;     /* NULL: nothing is kept */
    struct masq_map_server *map_server; /* NULL: none */
};

/* mfx_filter's. */
enum mfx_rc masq_policy_new(const struct mfx_policy_build *build,
                            void **policy);
void masq_policy_free(void *policy);
void masq_policy_begin(void *policy, struct mfx_resolver_share *resolver);
bool masq_policy_is_outdated(const void *policy);
void masq_policy_metrics(const void *policy, struct mfx_buf *out);

/* NULL: none, or it could not be opened. */
static inline struct mfx_store *
masq_policy_store(const struct masq_policy *policy)
{
    return mfx_store_share_store(policy->shared);
}

#endif
