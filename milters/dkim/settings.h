/* SPDX-License-Identifier: BSD-2-Clause
 *
 * settings - what dkim.conf holds
 *
 * One table, dkim_options, fills one struct. What a setting means stands in
 * its row's help, and so in the man page.
 */
#ifndef DKIM_SETTINGS_H
#define DKIM_SETTINGS_H

#include <mfx/conf/option.h>
#include <mfx/policy/auth_results.h>

enum dkim_on_from {
    DKIM_ON_FROM_REFUSE,
    DKIM_ON_FROM_FIRST,
    DKIM_ON_FROM_PASS,
};

/* What a failure or a result does to the message. */
enum dkim_action {
    DKIM_ACTION_ACCEPT,
    DKIM_ACTION_REJECT,
    DKIM_ACTION_TEMPFAIL,
    DKIM_ACTION_HOLD,
    DKIM_ACTION_DISCARD,
};

enum dkim_login_match {
    DKIM_LOGIN_MATCH_OFF,
    DKIM_LOGIN_MATCH_DOMAIN,
    DKIM_LOGIN_MATCH_ADDRESS,
};

/* verify.on_no_key: one of enum dkim_action, or this. */
enum {
    DKIM_ACTION_AS_PERMERROR = -1,
};

/* What a pass becomes whose key record was not protected by DNSSEC. */
enum dkim_unprotected_key {
    DKIM_UNPROTECTED_ACCEPT,
    DKIM_UNPROTECTED_NEUTRAL,
    DKIM_UNPROTECTED_FAIL,
};

enum dkim_invalid_headers {
    DKIM_INVALID_ACCEPT,
    DKIM_INVALID_PERMERROR,
    DKIM_INVALID_REJECT,
};

struct dkim_settings {
    struct mfx_auth_results_settings results;
    bool software_header;
    struct mfx_table *exempt_domains, *exempt_clients;
    const char *state_dir;

    struct {
        bool enable;
        struct mfx_table *sign_only;
        struct mfx_table *signing_table, *key_table, *domains;
        struct mfx_option_list selectors;
        struct mfx_str key_path;
        const char *key_directory;
        bool subdomains, multiple;
        struct mfx_str canonicalization, headers, omit_headers,
            oversign_headers;
        bool body_length;
        uint64_t expire_s;
        bool allow_readable_keys;
        int64_t min_rsa_bits;
        struct mfx_option_list sender_headers;
        struct mfx_str sender_macro;
        int on_from, on_error, login_match, on_login_mismatch;
        struct mfx_table *login_domains, *except_recipients;
        bool remove_signatures, normalize_addresses;
        int require_published; /* enum dkim_require_published */
    } sign;

    struct {
        uint64_t check_interval_s, wait_interval_s, queue_life_s;
        int64_t queries_per_second;
        uint64_t timeout_s;
        struct mfx_option_list servers;
        struct mfx_str selector;
    } rotation;

    struct {
        bool enable, ours;
        int64_t max_signatures, min_rsa_bits;
        uint64_t clock_skew_s;
        bool accept_partial_body;
        struct mfx_str required_headers;
        bool report_none;
        struct mfx_table *skip_hosts, *trusted_signers;
        int unprotected_key, invalid_headers;
        int on_none, on_fail, on_policy, on_permerror, on_temperror, on_no_key;
        struct mfx_table *author_policy;
    } verify;
};

extern const struct mfx_option dkim_options[];

/* "accept", "reject", ... */
const char *dkim_action_name(enum dkim_action action);
/* The other way; MFX_NOTFOUND for another word. */
enum mfx_rc dkim_action_parse(struct mfx_str word,
                              enum dkim_action *action) MFX_NODISCARD;

/* True for a table that is asked for each message and cannot be walked. */
bool dkim_table_is_live(const struct mfx_table *table);

#endif
