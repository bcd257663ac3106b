/* SPDX-License-Identifier: BSD-2-Clause
 *
 * policy - engines and thresholds in force, and whom they are not for
 *
 * Ownership: built into the snapshot; what outlives it is in shared.h and in
 * the engines. Errors: problems while building. Threads: read-only once built.
 */
#ifndef SCORE_POLICY_H
#define SCORE_POLICY_H

#include <mfx/milter/filter.h>
#include <mfx/policy/host_list.h>
#include <mfx/policy/metrics_text.h>
#include <mfx/policy/secrets.h>
#include <mfx/policy/store_share.h>

#include "profiles.h"
#include "settings.h"

struct score_code {
    unsigned code;
    struct mfx_str enhanced;
};

struct score_policy {
    const struct score_settings *settings;
    struct score_engines *engines;
    struct score_profiles profiles;
    struct score_code spam, virus, tempfail, greylist, failure;
    struct mfx_host_list *skip_clients, *greylist_skip;
    struct mfx_secrets secrets;    /* of the seal; or none */
    struct mfx_store_share *store; /* NULL: none is needed */
    struct score_shared *shared;
};

/* mfx_filter's. */
enum mfx_rc score_policy_new(const struct mfx_policy_build *build,
                             void **policy);
void score_policy_free(void *policy);
void score_policy_begin(void *policy, struct mfx_resolver_share *resolver);
bool score_policy_is_outdated(const void *policy);
void score_policy_metrics(const void *policy, struct mfx_buf *out);

#endif
