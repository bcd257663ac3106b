/* SPDX-License-Identifier: BSD-2-Clause
 *
 * settings - what masq.conf can say
 *
 * Ownership: a snapshot's. Errors: none here, policy_build.c checks what one
 * row alone cannot know. Threads: read-only once loaded.
 */
#ifndef MASQ_SETTINGS_H
#define MASQ_SETTINGS_H

#include <mfx/conf/option.h>
#include <mfx/policy/store_settings.h>

enum masq_kind {
    MASQ_KIND_CANONICAL,
    MASQ_KIND_MASQUERADE,
    MASQ_KIND_SENDMAIL,
};

/* Whose mail something is for. */
enum masq_whose {
    MASQ_WHOSE_OURS,
    MASQ_WHOSE_FOREIGN,
    MASQ_WHOSE_ALL,
};

struct masq_rule_settings {
    struct mfx_str name;
    bool enable;
    int kind; /* enum masq_kind */
    struct mfx_option_list classes;
    int whose; /* enum masq_whose */
    struct mfx_table *if_logins, *if_clients;
    struct mfx_option_list if_daemon_names;
    struct mfx_table *if_sender_domains;
    struct mfx_table *if_recipient_domains, *unless_recipient_domains;
    /* canonical */
    struct mfx_option_tables maps;
    bool propagate_extension;
    /* masquerade */
    struct mfx_table *domains, *exceptions;
    /* sendmail */
    struct mfx_str masquerade_as;
    struct mfx_option_tables masquerade_domain, own_names;
    bool masquerade_entire_domain, limited_masquerade, masquerade_envelope,
        allmasquerade;
    struct mfx_option_tables exposed_user, masquerade_exception;
    struct mfx_option_tables genericstable;
    struct mfx_option_tables generics_domain;
    bool generics_entire_domain;
};

enum masq_header_action {
    MASQ_HEADER_REMOVE,
    MASQ_HEADER_REPLACE,
};

struct masq_header_settings {
    struct mfx_str name; /* of the field */
    int action;          /* enum masq_header_action */
    struct mfx_str value, only_if;
    int whose;
};

enum masq_lookup_error {
    MASQ_LOOKUP_TEMPFAIL,
    MASQ_LOOKUP_ACCEPT,
};

enum masq_parse_error {
    MASQ_PARSE_KEEP,
    MASQ_PARSE_REJECT,
    MASQ_PARSE_TEMPFAIL,
};

enum masq_srs_forward {
    MASQ_SRS_OFF,
    MASQ_SRS_FORWARDED,
    MASQ_SRS_ALL,
};

enum masq_srs_alphabet {
    MASQ_SRS_URL,   /* "-_" */
    MASQ_SRS_PLAIN, /* "+/" */
};

struct masq_srs_settings {
    struct mfx_str domain;
    struct mfx_table *also_domains;
    const char *secrets_file;
    int forward; /* enum masq_srs_forward */
    bool reverse;
    struct mfx_option_tables forward_maps;
    struct mfx_str separator;
    int64_t hash_length, hash_minimum, max_age; /* days */
    int alphabet;                               /* enum masq_srs_alphabet */
    bool short_forms;
};

struct masq_map_server_settings {
    struct mfx_option_list socketmap;
    struct mfx_str tcp_forward, tcp_reverse;
    unsigned mode;
};

enum masq_guard_action {
    MASQ_GUARD_REJECT,
    MASQ_GUARD_REWRITE,
    MASQ_GUARD_LOG,
};

struct masq_guard_settings {
    bool enable;
    struct mfx_option_tables addresses;
    bool login_is_address, subaddresses, sender;
    int action; /* enum masq_guard_action */
    struct mfx_option_list keep_old;
    struct mfx_table *exempt_logins;
    struct mfx_str code, text;
};

enum masq_munge_when {
    MASQ_MUNGE_NEVER,
    MASQ_MUNGE_DMARC,
    MASQ_MUNGE_ALWAYS,
};

enum masq_munge_mail {
    MASQ_MUNGE_FORWARDED,
    MASQ_MUNGE_LISTS,
    MASQ_MUNGE_ALL,
};

/* What a policy that cannot be found out is taken for. */
enum masq_munge_dns_error {
    MASQ_MUNGE_DNS_MUNGE, /* a strict one */
    MASQ_MUNGE_DNS_TEMPFAIL,
};

struct masq_munge_settings {
    int when; /* enum masq_munge_when */
    int mail; /* enum masq_munge_mail */
    struct mfx_str domain;
    const char *secrets_file;
    struct mfx_str phrase_suffix;
    bool reply_to;
    int dns_error; /* enum masq_munge_dns_error */
    int64_t keep_days;
};

struct masq_settings {
    struct mfx_table *our_domains, *local_domains;
    struct mfx_str origin_domain, recipient_delimiter;
    int lookup_error, parse_error;
    int64_t max_addresses;
    struct mfx_option_groups rules;   /* struct masq_rule_settings */
    struct mfx_option_groups headers; /* struct masq_header_settings */
    bool hide_client;
    struct masq_srs_settings srs;
    struct masq_map_server_settings map_server;
    struct masq_guard_settings from_guard;
    struct masq_munge_settings munge;
    struct mfx_store_settings store;
};

extern const struct mfx_option masq_options[];

const char *masq_kind_name(int kind);

#endif
