/* SPDX-License-Identifier: BSD-2-Clause
 *
 * list_settings - the settings lists.*, health.* and the groups dns_lists
 *
 *     struct spf_settings { struct spf_list_settings lists; ... };
 *     const struct mfx_option spf_options[] = {
 *         SPF_LIST_OPTIONS(struct spf_settings, lists), ...
 *
 * Ownership: a snapshot's. Errors: none here, lists_build.c checks what one
 * row alone cannot know. Threads: read-only once loaded.
 */
#ifndef SPF_LIST_SETTINGS_H
#define SPF_LIST_SETTINGS_H

#include <mfx/conf/option.h>
#include <mfx/net/dns_list_health.h>

enum spf_list_mode {
    SPF_LIST_ENFORCE,
    SPF_LIST_SHADOW, /* counted, not scored */
    SPF_LIST_OFF,
};

enum spf_list_hash {
    SPF_LIST_MD5,
    SPF_LIST_SHA1,
    SPF_LIST_SHA256,
};

enum spf_list_encoding {
    SPF_LIST_HEX,
    SPF_LIST_BASE32,
};

struct spf_dns_list_settings {
    struct mfx_str name;
    struct mfx_option_list sites, keys;
    int type;     /* enum mfx_dns_list_type */
    int hash;     /* enum spf_list_hash */
    int encoding; /* enum spf_list_encoding */
    int mode;     /* enum spf_list_mode */
    struct mfx_option_list error_codes;
    int health; /* enum mfx_dns_list_test */
    struct mfx_str text;
    bool ipv6, dnswl;
};

struct spf_list_settings {
    struct mfx_option_list sites;
    int64_t tag_at, tempfail_at, reject_at, allow_at;
    uint64_t timeout_ms;
    uint64_t cache_min_s, cache_max_s;
    int64_t cache_size;
    struct mfx_table *reply_map;
    struct mfx_str code, tempfail_code, text;
    struct mfx_option_groups groups; /* struct spf_dns_list_settings */
    struct {
        uint64_t interval_s, retry_s;
        int64_t failures, trouble;
    } health;
};

extern const struct mfx_option spf_dns_list_options[];

/* S: the settings struct, f: its struct spf_list_settings. */
#define SPF_LIST_OPTIONS(S, f)                                                 \
    MFX_OPTION_LIST("lists.sites", S, f.sites, "", 0,                          \
                    "DNS lists that the client's address is looked up in, as " \
                    "in postscreen_dnsbl_sites: zone=filter*weight, a "        \
                    "negative weight for an allow list. Lists with more to "   \
                    "say are groups of dns_lists."),                           \
        MFX_OPTION_INT("lists.reject_at", S, f.reject_at, "1", 0, 1000000, 0,  \
                       "Mail is refused when the sum of the weights is at "    \
                       "least this; 0: never."),                               \
        MFX_OPTION_INT("lists.tempfail_at", S, f.tempfail_at, "0", 0, 1000000, \
                       0, "Mail is put off at this score; 0: never."),         \
        MFX_OPTION_INT("lists.tag_at", S, f.tag_at, "0", 0, 1000000, 0,        \
                       "Mail is tagged at this score; 0: never."),             \
        MFX_OPTION_INT("lists.allow_at", S, f.allow_at, "0", -1000000, 0, 0,   \
                       "A score of at most this (negative) says that the "     \
                       "client is known for good mail; 0: none does."),        \
        MFX_OPTION_MILLISECONDS(                                               \
            "lists.timeout", S, f.timeout_ms, "3s", 50, 60000, 0,              \
            "How long after it was asked a list is "                           \
            "waited for, in its tests too. Mail no longer waits "              \
            "when no answer that is missing could change "                     \
            "what is done."),                                                  \
        MFX_OPTION_SECONDS("lists.cache_min", S, f.cache_min_s, "60s", 0,      \
                           86400, 0,                                           \
                           "Answers are kept at least so long, whatever "      \
                           "their TTL. Failures are never kept."),             \
        MFX_OPTION_SECONDS("lists.cache_max", S, f.cache_max_s, "1h", 1,       \
                           604800, 0, "Answers are kept at most so long."),    \
        MFX_OPTION_INT("lists.cache_size", S, f.cache_size, "20000", 0,        \
                       10000000, 0,                                            \
                       "Answers that are kept; what was used longest ago "     \
                       "goes first. At most 1 KiB each."),                     \
        MFX_OPTION_TABLE("lists.reply_map", S, f.reply_map, "", 0,             \
                         "Public names of zones whose own name holds a key: "  \
                         "as postscreen_dnsbl_reply_map. Only the public "     \
                         "name is ever said, in replies, headers, logs and "   \
                         "metrics."),                                          \
        MFX_OPTION_STRING("lists.code", S, f.code, "550 5.7.1", 0,             \
                          "Reply code and enhanced code of a refusal."),       \
        MFX_OPTION_STRING("lists.tempfail_code", S, f.tempfail_code,           \
                          "451 4.7.1", 0, "Of a temporary one."),              \
        MFX_OPTION_STRING("lists.text", S, f.text,                             \
                          "$what is listed by $list$txt", 0,                   \
                          "Text of these replies. $what (the address or name " \
                          "that is listed), $list (the listing with the "      \
                          "largest weight), $address (what it answered), "     \
                          "$score, and $txt, what the list says of it, with "  \
                          "\": \" in front. It is asked for that only where "  \
                          "a text wants it."),                                 \
        MFX_OPTION_GROUPS("dns_lists", S, f.groups, spf_dns_list_options,      \
                          sizeof(struct spf_dns_list_settings), 0, 500, 0,     \
                          "DNS lists that are asked for something else than "  \
                          "the client's address, or have settings of their "   \
                          "own."),                                             \
        MFX_OPTION_SECONDS("health.interval", S, f.health.interval_s, "10m",   \
                           10, 86400, 0,                                       \
                           "How often each list is tested (RFC 5782 5). A "    \
                           "list counts once its first test has been passed; " \
                           "mail does not wait for that."),                    \
        MFX_OPTION_SECONDS("health.retry", S, f.health.retry_s, "1m", 1,       \
                           86400, 0,                                           \
                           "How often a list is tested that did not pass."),   \
        MFX_OPTION_INT("health.failures", S, f.health.failures, "3", 1, 100,   \
                       0,                                                      \
                       "Failed tests in a row after which a list is out of "   \
                       "use until it passes one. One that lists what must "    \
                       "not be listed, or answers error codes, is so at "      \
                       "once."),                                               \
        MFX_OPTION_INT("health.trouble", S, f.health.trouble, "20", 1,         \
                       1000000, 0,                                             \
                       "So many failures in a row, or listings in a row, "     \
                       "have a list tested before its time.")

#endif
