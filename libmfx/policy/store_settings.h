/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_settings - the settings store.*, redis.* and store_timeout, and the
 * store they describe; alike for every daemon that keeps something
 *
 *     struct quota_settings { struct mfx_store_settings store; ... };
 *     const struct mfx_option quota_options[] = {
 *         MFX_STORE_OPTIONS(struct quota_settings, store,
 *                           "/var/lib/mfx/quota.db", "mfx-quota:"),
 *         ...
 *     };
 *
 * Ownership: texts belong to the snapshot; mfx_store_settings_copy makes what
 * may outlive it. Errors: problems, with the place of the setting. Threads:
 * read-only once loaded.
 */
#ifndef MFX_POLICY_STORE_SETTINGS_H
#define MFX_POLICY_STORE_SETTINGS_H

#include <mfx/base/env.h>
#include <mfx/conf/option.h>
#include <mfx/store/store.h>

MFX_API_BEGIN

enum mfx_store_type {
    MFX_STORE_TYPE_SQLITE,
    MFX_STORE_TYPE_REDIS,
    MFX_STORE_TYPE_MEMORY,
};

struct mfx_store_settings {
    int type; /* enum mfx_store_type */
    uint64_t timeout_ms;
    const char *path;
    uint64_t memory_bytes, file_bytes;
    bool replace_corrupt;
    struct {
        struct mfx_option_list servers;
        struct mfx_str sentinel_name, user, sentinel_user;
        const char *password_file, *sentinel_password_file;
        struct mfx_str password, sentinel_password;
        int64_t protocol, database;
        struct mfx_str prefix;
        bool tls;
        const char *tls_ca_file, *tls_cert_file, *tls_key_file;
        struct mfx_str tls_name;
        int64_t wait_replicas;
        uint64_t wait_ms;
    } redis;
};

/* The words of store.type. */
static const struct mfx_option_word mfx_store_type_words[] = {
    {"sqlite", MFX_STORE_TYPE_SQLITE},
    {"redis",  MFX_STORE_TYPE_REDIS },
    {"memory", MFX_STORE_TYPE_MEMORY},
    {NULL,     0                    },
};

/* True for the name of one of these settings. */
bool mfx_store_settings_has(const char *name);

/* What one row alone cannot know. */
void mfx_store_settings_check(const struct mfx_store_settings *settings,
                              const struct mfx_config *config,
                              struct mfx_problems *problems);

/* The same in `arena`, password files read into it. False when out of
 * memory. */
bool mfx_store_settings_copy(const struct mfx_store_settings *from,
                             struct mfx_arena *arena,
                             const struct mfx_config *config,
                             struct mfx_problems *problems,
                             struct mfx_store_settings *to);

/* NULL when it cannot be made; mfx_store_close it. */
struct mfx_store *
mfx_store_settings_open(const struct mfx_store_settings *settings,
                        const struct mfx_env *env, struct mfx_err *err);

/* S: the settings struct, f: its struct mfx_store_settings. */
#define MFX_STORE_OPTIONS(S, f, default_path, default_prefix)                  \
    MFX_OPTION_MILLISECONDS("store_timeout", S, f.timeout_ms, "500ms", 10,     \
                            30000, 0,                                          \
                            "Longest wait for one answer of the store."),      \
        MFX_OPTION_ENUM("store.type", S, f.type, "sqlite",                     \
                        mfx_store_type_words, 0,                               \
                        "Where it is kept. sqlite: in a file of this "         \
                        "machine. redis: shared by several machines. "         \
                        "memory: lost at each restart."),                      \
        MFX_OPTION_PATH("store.path", S, f.path, default_path, 0,              \
                        "The file (type sqlite), made if it is not there. "    \
                        "Beside it stand PATH-wal, PATH-shm and PATH.lock."),  \
        MFX_OPTION_BYTES("store.memory", S, f.memory_bytes, "64M", 1 << 20,    \
                         INT64_C(1) << 40, 0,                                  \
                         "Memory for what is in use; the rest is read from "   \
                         "the file. With type memory, what was used longest "  \
                         "ago goes when there is more."),                      \
        MFX_OPTION_BYTES("store.file_limit", S, f.file_bytes, "0", 0,          \
                         INT64_C(1) << 44, 0,                                  \
                         "Largest size of the file, past which the store "     \
                         "fails; 0: no limit. What is out of date goes by "    \
                         "itself."),                                           \
        MFX_OPTION_BOOL("store.replace_corrupt", S, f.replace_corrupt, "true", \
                        0,                                                     \
                        "Set a corrupt file aside (PATH.corrupt-TIME), "       \
                        "begin a new one and say so, instead of a store "      \
                        "that fails."),                                        \
        MFX_OPTION_LIST("redis.servers", S, f.redis.servers, "127.0.0.1:6379", \
                        0,                                                     \
                        "HOST:PORT, [IPV6]:PORT or unix:/PATH. Several: the "  \
                        "one that is primary is used. With "                   \
                        "redis.sentinel_name: the sentinels."),                \
        MFX_OPTION_STRING("redis.sentinel_name", S, f.redis.sentinel_name, "", \
                          0, "Name of the primary among the sentinels."),      \
        MFX_OPTION_STRING("redis.user", S, f.redis.user, "", 0,                \
                          "User name, where Redis has more than the "          \
                          "default one."),                                     \
        MFX_OPTION_STRING("redis.password", S, f.redis.password, "",           \
                          MFX_OPTION_SECRET, "Password."),                     \
        MFX_OPTION_PATH("redis.password_file", S, f.redis.password_file, "",   \
                        0, "File whose first line is the password."),          \
        MFX_OPTION_STRING("redis.sentinel_user", S, f.redis.sentinel_user, "", \
                          0, "User name for the sentinels."),                  \
        MFX_OPTION_STRING("redis.sentinel_password", S,                        \
                          f.redis.sentinel_password, "", MFX_OPTION_SECRET,    \
                          "Password for the sentinels."),                      \
        MFX_OPTION_PATH("redis.sentinel_password_file", S,                     \
                        f.redis.sentinel_password_file, "", 0,                 \
                        "File whose first line is the sentinels' "             \
                        "password."),                                          \
        MFX_OPTION_INT("redis.protocol", S, f.redis.protocol, "0", 0, 3, 0,    \
                       "Version of Redis's protocol, 2 or 3; 0: 3 if the "     \
                       "server knows it."),                                    \
        MFX_OPTION_INT("redis.database", S, f.redis.database, "0", 0, 1000000, \
                       0, "Number of the database."),                          \
        MFX_OPTION_STRING("redis.prefix", S, f.redis.prefix, default_prefix,   \
                          0,                                                   \
                          "How the names of all keys begin. Daemons of one "   \
                          "kind with the same prefix share what they keep."),  \
        MFX_OPTION_BOOL("redis.tls", S, f.redis.tls, "false", 0,               \
                        "Speak TLS, and verify the server's certificate."),    \
        MFX_OPTION_PATH("redis.tls_ca_file", S, f.redis.tls_ca_file, "", 0,    \
                        "Certificates to trust; empty: the system's."),        \
        MFX_OPTION_PATH("redis.tls_cert_file", S, f.redis.tls_cert_file, "",   \
                        0, "Our own certificate."),                            \
        MFX_OPTION_PATH("redis.tls_key_file", S, f.redis.tls_key_file, "", 0,  \
                        "Its private key."),                                   \
        MFX_OPTION_STRING("redis.tls_name", S, f.redis.tls_name, "", 0,        \
                          "Name to be in the server's certificate; empty: "    \
                          "its host name or address."),                        \
        MFX_OPTION_INT("redis.wait_replicas", S, f.redis.wait_replicas, "0",   \
                       0, 10, 0,                                               \
                       "Replicas that must have what was written before it "   \
                       "counts as written; with fewer, the store has "         \
                       "failed."),                                             \
        MFX_OPTION_MILLISECONDS("redis.wait", S, f.redis.wait_ms, "100ms", 1,  \
                                30000, 0,                                      \
                                "How long to wait for these replicas.")

MFX_API_END

#endif
