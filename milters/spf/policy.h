/* SPDX-License-Identifier: BSD-2-Clause
 *
 * policy - the rules in force, the lists, and whom they are not for
 *
 * Ownership: built into the snapshot; what outlives it is in shared.h and in
 * the lists. Errors: problems while building. Threads: read-only once built.
 */
#ifndef SPF_POLICY_H
#define SPF_POLICY_H

#include <mfx/policy/auth_results.h>

#include "lists.h"
#include "rules.h"
#include "shared.h"

enum {
    SPF_FORWARDER_DOMAINS_MAX = 20,
    SPF_OUTGOING_ADDRESSES_MAX = 20,
};

struct spf_code {
    unsigned code; /* 0: the default */
    struct mfx_str enhanced;
};

struct spf_policy {
    const struct spf_settings *settings;
    struct mfx_spf_config config;
    struct spf_rules rules;
    struct mfx_host_list *skip_clients, *forwarders, *relays;
    struct mfx_auth_results *results;
    bool writes_results, writes_received_spf;
    struct spf_code reject, tempfail;
    bool outgoing_results[MFX_SPF_RESULT_COUNT];
    struct mfx_ip *outgoing;
    size_t outgoing_count;
    const struct spf_lists *lists;
    struct spf_shared *shared;
};

/* Our name in results: the setting, else the MTA's host name. */
static inline struct mfx_str
spf_receiver(const struct spf_policy *policy, const struct mfx_connection *c)
{
    struct mfx_str own = policy->settings->spf.receiver;
    return own.len > 0 ? own : c->mta_name;
}

/* mfx_filter's. */
enum mfx_rc spf_policy_new(const struct mfx_policy_build *build, void **policy);
void spf_policy_free(void *policy);
void spf_policy_begin(void *policy, struct mfx_resolver_share *resolver);
void spf_policy_metrics(const void *policy, struct mfx_buf *out);

#endif
