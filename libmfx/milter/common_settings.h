/* SPDX-License-Identifier: BSD-2-Clause
 *
 * common_settings - the settings that every daemon has
 *
 * Ownership: the table made for a daemon lives in the arena given (a few
 * defaults hold the daemon's name); the struct is a snapshot's.
 * Errors: NULL when out of memory. Threads: read-only once made.
 */
#ifndef MFX_MILTER_COMMON_SETTINGS_H
#define MFX_MILTER_COMMON_SETTINGS_H

#include <mfx/conf/option.h>

enum mfx_mode {
    MFX_MODE_ENFORCE,
    MFX_MODE_DRY_RUN,
    MFX_MODE_SHADOW, /* dry, and compared with what others did */
};
/* "enforce", "dry-run", "shadow". */
const char *mfx_mode_name(int mode);

/* What becomes of a message that is too large, or on which the daemon itself
 * failed. */
enum mfx_on_trouble {
    MFX_ON_TROUBLE_TEMPFAIL,
    MFX_ON_TROUBLE_REJECT,
    MFX_ON_TROUBLE_ACCEPT,
    MFX_ON_TROUBLE_HOLD,
    MFX_ON_TROUBLE_DISCARD,
};

struct mfx_dns_settings {
    struct mfx_option_list servers;
    uint64_t timeout_s;
    int64_t tries, max_outstanding, cache_entries;
    uint64_t cache_bytes;
    bool trust_ad, use_tcp;
    const char *test_data;
};

struct mfx_common_settings {
    struct mfx_str socket;
    unsigned socket_mode;
    struct mfx_str socket_group, user, group;
    const char *pid_file;
    int mode; /* enum mfx_mode */
    const char *control_socket;
    unsigned control_mode;
    struct mfx_str control_group;
    int log_target, log_level, log_facility;
    struct mfx_str log_name;
    struct mfx_str metrics_listen;
    uint64_t command_wait_s, end_wait_s, drain_timeout_s;
    uint64_t message_memory, header_bytes;
    int64_t header_count, recent_messages;
    int on_limit, on_internal_error; /* enum mfx_on_trouble */
    bool watch_files;
    bool origin_login;
    struct mfx_option_list origin_daemon_names, origin_macros;
    struct mfx_table *origin_internal_hosts;
    struct mfx_dns_settings dns;
};

/* "mfx-dkim" -> "dkim": what files are called. */
const char *mfx_short_name(const char *daemon_name);

/* The table, with "NAME" in defaults replaced by the daemon's short name. */
const struct mfx_option *mfx_common_options(const char *daemon_name,
                                            struct mfx_arena *arena);

#endif
