/* SPDX-License-Identifier: BSD-2-Clause
 *
 * settings - what score.conf holds
 *
 * One table, score_options, fills one struct; engines and profiles are lists
 * of groups with tables of their own. What a setting means stands in its row's
 * help, and so in the man page. Scores are in thousandths: 7.25 is 7250;
 * MFX_DECIMAL_NONE: never.
 */
#ifndef SCORE_SETTINGS_H
#define SCORE_SETTINGS_H

#include <mfx/conf/option.h>
#include <mfx/policy/store_settings.h>
#include <mfx/scan/clamd.h>
#include <mfx/scan/spamd.h>

/* From mild to harsh. */
enum score_action {
    SCORE_ACTION_NONE,
    SCORE_ACTION_TAG,
    SCORE_ACTION_SUBJECT, /* and tag */
    SCORE_ACTION_HOLD,
    SCORE_ACTION_REDIRECT,
    SCORE_ACTION_DISCARD,
    SCORE_ACTION_TEMPFAIL,
    SCORE_ACTION_REJECT,
    SCORE_ACTION_COUNT,
};
/* "none", "tag", "subject", "hold" ... */
const char *score_action_name(enum score_action action);
/* False: no such action; *action is untouched. */
bool score_action_parse(struct mfx_str name, enum score_action *action);

/* What engines and profiles may be called: letters, digits, "-", "_". */
bool score_is_name(struct mfx_str text);

/* --- engines --- */

enum score_engine_type {
    SCORE_ENGINE_RSPAMD,
    SCORE_ENGINE_SPAMD,
    SCORE_ENGINE_CLAMD,
};
const char *score_engine_type_name(enum score_engine_type type);

enum score_engine_mode {
    SCORE_ENGINE_ENFORCE,
    SCORE_ENGINE_SHADOW, /* asked and compared, no more */
    SCORE_ENGINE_OFF,
};

enum score_mail {
    SCORE_MAIL_ALL,
    SCORE_MAIL_INCOMING,
    SCORE_MAIL_OUTGOING,
};

enum score_on_too_large {
    SCORE_TOO_LARGE_SKIP,
    SCORE_TOO_LARGE_PART,
    SCORE_TOO_LARGE_TEMPFAIL,
};

enum score_on_failure {
    SCORE_FAILURE_TEMPFAIL,
    SCORE_FAILURE_ACCEPT,
    SCORE_FAILURE_SCORE,
};

enum score_per_user {
    SCORE_USER_SHARED, /* that of all recipients, else the default */
    SCORE_USER_FIRST,  /* the first recipient's */
    SCORE_USER_EACH,   /* one scan for each */
};

struct score_engine_settings {
    struct mfx_str name;
    int type; /* enum score_engine_type */
    int mode; /* enum score_engine_mode */
    int mail; /* enum score_mail */
    struct mfx_option_list servers;
    int order; /* enum mfx_scan_order */
    bool tls;
    const char *tls_ca_file, *tls_cert_file, *tls_key_file;
    struct mfx_str tls_name;
    uint64_t timeout_ms, connect_timeout_ms, attempt_timeout_ms;
    uint64_t idle_timeout_ms;
    int64_t max_requests, max_connections, max_queue;
    uint64_t max_size, max_answer;
    int on_too_large; /* enum score_on_too_large */
    int64_t max_failures;
    uint64_t retry_ms, retry_max_ms, check_interval_ms;
    struct mfx_option_list takes;   /* "score", "action", "edits" */
    struct mfx_option_list actions; /* "reject=hold" */
    int64_t scale, offset;
    int on_failure; /* enum score_on_failure */
    int64_t failure_score;
    bool compress;
    /* rspamd */
    struct mfx_str password;
    const char *password_file;
    struct mfx_str settings_id, outgoing_settings_id, settings;
    bool all_symbols;
    struct mfx_option_list controller;
    struct mfx_str controller_password;
    const char *controller_password_file;
    /* spamd */
    int command; /* enum mfx_spamd_command */
    struct mfx_str user;
    struct mfx_table *users;
    int per_user; /* enum score_per_user */
    int64_t max_users;
    bool trace;
    /* clamd */
    bool sessions, pass_files;
    int on_class[MFX_SCAN_CLASS_COUNT]; /* enum score_action; NONE unused */
    struct mfx_option_list class_scores;
};

/* --- thresholds --- */

/* From this total on ...; MFX_DECIMAL_NONE: never. */
struct score_thresholds {
    int64_t greylist, tag, subject, hold, redirect, discard, reject;
};

struct score_profile_settings {
    struct mfx_str name;
    struct score_thresholds thresholds;
    bool follow_engines;
    struct mfx_str redirect_to;
};

enum score_differ {
    SCORE_DIFFER_HEADERS,
    SCORE_DIFFER_REMOVE,
};

enum score_when {
    SCORE_WHEN_ALWAYS,
    SCORE_WHEN_SPAM,
    SCORE_WHEN_NEVER,
};

enum score_seal_accept {
    SCORE_SEAL_NO,
    SCORE_SEAL_ADD,
    SCORE_SEAL_INSTEAD,
};

enum score_store_error {
    SCORE_STORE_ERROR_ACCEPT,
    SCORE_STORE_ERROR_TEMPFAIL,
};

struct score_header_settings {
    int when;          /* enum score_when */
    int outgoing_when; /* the same, for mail of ours */
    struct mfx_str flag, score, level, status, symbols, action;
    struct mfx_str virus_scanned, virus_status, original_to;
    struct mfx_str level_character;
    struct mfx_option_list remove;
};

struct score_greylist_settings {
    uint64_t delay_s, retry_window_s, remember_s;
    int64_t ipv4_prefix, ipv6_prefix;
    struct mfx_table *skip_clients;
    int on_store_error; /* enum score_store_error */
};

struct score_settings {
    struct mfx_option_groups engines; /* struct score_engine_settings */
    uint64_t scan_timeout_ms;
    uint64_t memory_limit, memory_total;
    const char *temp_folder;
    struct score_thresholds thresholds;
    bool follow_engines;
    struct mfx_option_groups profiles; /* struct score_profile_settings */
    struct mfx_table *recipient_profiles, *login_profiles;
    struct {
        bool enable;
        struct score_thresholds thresholds;
        bool follow_engines;
        const char *command;
        uint64_t command_timeout_s, command_interval_s;
    } outgoing;
    struct {
        struct mfx_table *clients, *logins, *senders;
    } skip;
    struct {
        int differ; /* enum score_differ */
        struct mfx_str quarantine;
    } recipients;
    struct {
        struct mfx_str to;
        bool keep_recipients;
    } redirect;
    struct mfx_str subject_tag;
    struct score_header_settings headers;
    struct {
        struct mfx_str header;
        const char *secrets_file;
        int accept; /* enum score_seal_accept */
        uint64_t max_age_s;
    } seal;
    struct {
        struct mfx_str spam_code, spam_text;
        struct mfx_str virus_code, virus_text;
        struct mfx_str tempfail_code, tempfail_text;
        struct mfx_str greylist_code, greylist_text;
        struct mfx_str failure_code, failure_text;
        bool engine_text;
    } reply;
    struct score_greylist_settings greylist;
    struct mfx_store_settings store;
    int64_t max_symbols;
};

extern const struct mfx_option score_engine_options[];
extern const struct mfx_option score_options[];

#endif
