/* SPDX-License-Identifier: BSD-2-Clause
 *
 * settings - what quota.conf can say
 *
 * Ownership: a snapshot's. Errors: none here, policy_build.c checks what one
 * row alone cannot know. Threads: read-only once loaded.
 */
#ifndef MFX_QUOTA_SETTINGS_H
#define MFX_QUOTA_SETTINGS_H

#include <mfx/conf/option.h>
#include <mfx/policy/store_settings.h>

enum quota_action {
    QUOTA_ACTION_TEMPFAIL,
    QUOTA_ACTION_REJECT,
    QUOTA_ACTION_HOLD,
    QUOTA_ACTION_DISCARD,
};

/* What a rule counts. */
enum quota_count {
    QUOTA_COUNT_MESSAGES,
    QUOTA_COUNT_RECIPIENTS,
    QUOTA_COUNT_BYTES,
    QUOTA_COUNT_CONNECTIONS,
    QUOTA_COUNT_OPEN_CONNECTIONS,
    QUOTA_COUNT_CLIENT_ADDRESSES,
    QUOTA_COUNT_DISTINCT_RECIPIENTS,
    QUOTA_COUNT_NEW_RECIPIENTS,
    QUOTA_COUNT_REFUSED_RECIPIENTS,
};

/* Whose mail a rule is for. */
enum quota_whose {
    QUOTA_WHOSE_ALL,
    QUOTA_WHOSE_OURS,
    QUOTA_WHOSE_FOREIGN,
};

enum quota_rule_mode {
    QUOTA_RULE_ENFORCE,
    QUOTA_RULE_DRY_RUN,
    QUOTA_RULE_OFF,
};

struct quota_rule_settings {
    struct mfx_str name;
    int mode; /* enum quota_rule_mode */
    struct mfx_str key;
    int count; /* enum quota_count */
    struct mfx_str limits;
    struct mfx_table *limits_table, *plans;
    int whose;  /* enum quota_whose */
    int action; /* enum quota_action */
    struct mfx_str code, text;
    int64_t warn_at;
    bool notify;
    struct mfx_table *exempt_clients, *exempt_logins, *exempt_recipients;
    int64_t ipv4_prefix, ipv6_prefix;
    uint64_t memory_s;
    struct mfx_str time_zone;
};

/* What is done while the store does not answer. */
enum quota_store_error {
    QUOTA_STORE_ERROR_LOCAL,
    QUOTA_STORE_ERROR_ACCEPT,
    QUOTA_STORE_ERROR_TEMPFAIL,
};

enum quota_notify_on {
    QUOTA_NOTIFY_SOFT,
    QUOTA_NOTIFY_FULL,
    QUOTA_NOTIFY_BOTH,
};

struct quota_notify_settings {
    struct mfx_option_list command;
    struct mfx_str url;
    struct mfx_option_list http_headers;
    int on; /* enum quota_notify_on */
    uint64_t timeout_s;
    int64_t max_running, queue;
};

struct quota_settings {
    struct mfx_option_groups rules; /* struct quota_rule_settings */
    struct mfx_table *exempt_clients, *exempt_logins, *exempt_recipients;
    struct mfx_table *our_domains, *sender_trusted_from;
    bool fold_login;
    int store_error;     /* enum quota_store_error */
    int64_t local_share; /* percent */
    uint64_t lease_s;
    struct mfx_store_settings store;
    struct quota_notify_settings notify;
};

extern const struct mfx_option quota_options[];
extern const struct mfx_option quota_rule_options[];

/* "messages", "open_connections" ... as settings say it. */
const char *quota_count_name(int count);
const char *quota_action_name(int action);

#endif
