/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rule - one rule: whom it counts, how much fits
 *
 * Ownership: rules belong to the policy; texts borrow from its settings.
 * Errors: problems while building; MFX_TEMPFAIL when a table cannot be asked.
 * Threads: read-only once built; counts are atomic.
 */
#ifndef MFX_QUOTA_RULE_H
#define MFX_QUOTA_RULE_H

#include <stdatomic.h>

#include <mfx/milter/filter.h>
#include <mfx/policy/host_list.h>

#include "key.h"
#include "limits.h"
#include "settings.h"

/* What has come of a rule since the start; outlives policies. */
struct quota_rule_counts {
    char name[64];
    atomic_ullong fitted, refused, dry_refused, warned;
    struct quota_rule_counts *next;
};

/* When a rule is asked. */
enum quota_when {
    QUOTA_AT_CONNECT,
    QUOTA_AT_MAIL, /* the connection's first */
    QUOTA_AT_RCPT,
    QUOTA_AT_END, /* From is needed, or the whole message is concerned */
};

struct quota_rule {
    const struct quota_rule_settings *settings;
    size_t index;
    struct quota_key key;
    struct quota_limits limits; /* blocked or not, when nothing else says */
    bool has_limits;            /* else only who is in limits_table has any */
    const struct quota_zone *zone;
    struct mfx_host_list *exempt_clients;
    enum quota_when when;
    bool is_dry;
    unsigned code; /* 0: the action's own */
    struct mfx_str enhanced;
    struct quota_rule_counts *counts;
};

/* Mistakes go to problems. where: "rules[2]". */
enum mfx_rc quota_rule_build(struct quota_rule *rule,
                             const struct quota_rule_settings *settings,
                             size_t index, const struct mfx_policy_build *build,
                             struct quota_zones *zones) MFX_NODISCARD;
void quota_rule_fini(struct quota_rule *rule);

/* Where the limits of a key come from. */
enum quota_limits_source {
    QUOTA_LIMITS_NONE, /* there are none: the rule does not concern it */
    QUOTA_LIMITS_RULE,
    QUOTA_LIMITS_TABLE,
    QUOTA_LIMITS_OVERRIDE,
    QUOTA_LIMITS_FALLBACK, /* the table's row is broken: the rule's own */
};
const char *quota_limits_source_name(enum quota_limits_source source);

/* The limits of one key; nothing of them belongs to a table. override: the store's, empty: none. With an override
 * the rule's own windows go on counting, without limit. err says what is
 * broken with FALLBACK, too. MFX_TEMPFAIL: a table could not be asked. */
enum mfx_rc quota_rule_limits(const struct quota_rule *rule,
                              const struct quota_made_key *key,
                              struct mfx_str override, struct mfx_arena *arena,
                              struct quota_limits *limits,
                              enum quota_limits_source *source,
                              struct mfx_err *err) MFX_NODISCARD;

/* The counter's name in the store: "RULE/KEY". */
struct mfx_str quota_rule_counter(const struct quota_rule *rule,
                                  const struct quota_made_key *key,
                                  struct mfx_arena *arena);

/* The address, or its domain (".example.org" for those below), is listed.
 * MFX_NOTFOUND: it is not. */
enum mfx_rc quota_rule_lists_address(struct mfx_table *table,
                                     struct mfx_str address,
                                     struct mfx_arena *arena,
                                     struct mfx_err *err) MFX_NODISCARD;

#endif
