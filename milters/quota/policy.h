/* SPDX-License-Identifier: BSD-2-Clause
 *
 * policy - the rules in force, and whom they concern
 *
 * Ownership: built into the snapshot; what outlives it is in shared.h.
 * Errors: problems while building; MFX_TEMPFAIL when a table cannot be asked.
 * Threads: read-only once built.
 */
#ifndef MFX_QUOTA_POLICY_H
#define MFX_QUOTA_POLICY_H

#include "rule.h"
#include "shared.h"

struct quota_policy {
    const struct quota_settings *settings;
    struct quota_rule *rules; /* without those that are off */
    size_t rule_count;
    struct mfx_host_list *exempt_clients, *sender_trusted_from;
    struct quota_shared *shared;
    bool has_rule_at[QUOTA_AT_END + 1];
    bool counts_bytes, counts_refused, needs_from;
    bool is_by_address; /* some key has the client's address in it */
};

/* mfx_filter's policy_new, policy_free, policy_begin. */
enum mfx_rc quota_policy_new(const struct mfx_policy_build *build,
                             void **policy);
void quota_policy_free(void *policy);
void quota_policy_begin(void *policy, struct mfx_resolver_share *resolver);

/* What the rules go by, of a connection, and then of its message. */
void quota_policy_connection_facts(const struct mfx_connection *connection,
                                   struct quota_facts *facts);
/* The sender is taken only where it may be believed. */
enum mfx_rc quota_policy_message_facts(const struct quota_policy *policy,
                                       const struct mfx_message *message,
                                       struct quota_facts *facts,
                                       struct mfx_err *err) MFX_NODISCARD;
/* From's domain; left empty where it may not be believed. */
enum mfx_rc quota_policy_from_fact(const struct quota_policy *policy,
                                   const struct mfx_message *message,
                                   struct quota_facts *facts,
                                   struct mfx_err *err) MFX_NODISCARD;

/* MFX_OK: no rule counts this message, *why says why. MFX_NOTFOUND: it is not
 * exempt. login empty: none (yet). */
enum mfx_rc quota_policy_exempts(const struct quota_policy *policy,
                                 const struct mfx_connection *connection,
                                 struct mfx_str login, struct mfx_arena *arena,
                                 const char **why,
                                 struct mfx_err *err) MFX_NODISCARD;
/* The same for one rule, origin included (NULL: not known yet). */
enum mfx_rc quota_policy_rule_exempts(const struct quota_rule *rule,
                                      const struct mfx_connection *connection,
                                      const struct mfx_origin *origin,
                                      struct mfx_str login,
                                      struct mfx_arena *arena, const char **why,
                                      struct mfx_err *err) MFX_NODISCARD;

#endif
