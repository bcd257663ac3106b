/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_redis - a store that several machines share: Redis
 *
 * One script a decision, run by the server with the server's clock; what is
 * known of a counter is one hash. Scripts are sent once (EVALSHA; NOSCRIPT is
 * answered by sending it again). Protocol 2 or 3, TCP, TLS or a UNIX socket;
 * the primary is found by itself (ROLE) among the servers given, or by Sentinel;
 * READONLY, a lost connection and a new primary are followed. Redis 6 and
 * newer (and Valkey); not Redis Cluster.
 *
 *     store = mfx_store_redis_open(&settings, env);
 *
 * Ownership: the store copies the settings. Errors: NULL when out of memory or
 * when the settings are wrong (err); a server that cannot be reached is a store
 * that is down. Threads: any; the store has one of its own.
 */
#ifndef MFX_STORE_STORE_REDIS_H
#define MFX_STORE_STORE_REDIS_H

#include <mfx/store/store.h>

MFX_API_BEGIN

struct mfx_store_redis_settings {
    /* "HOST:PORT", "[V6]:PORT", "unix:/PATH"; with sentinel_name: the
     * sentinels. Hosts are addresses, or names that the system resolves. */
    const struct mfx_str *servers;
    size_t server_count;
    struct mfx_str sentinel_name;  /* of the primary; empty: no Sentinel */
    struct mfx_str user, password; /* empty: none */
    struct mfx_str sentinel_user, sentinel_password;
    int protocol; /* 2, 3; 0: 3 if the server knows it */
    int64_t database;
    struct mfx_str prefix; /* of all keys; "mfx:" when empty */
    bool tls;
    const char *tls_ca_file;   /* NULL: the system's */
    const char *tls_cert_file; /* NULL: none */
    const char *tls_key_file;
    struct mfx_str tls_name; /* to be in the certificate; empty: the host */
    uint64_t timeout_ms; /* of one answer, and of a connection's beginning */
    /* After COMMIT: replicas that must have it, and how long to wait for them;
     * with fewer the call fails (it is counted all the same). 0: none. */
    int64_t wait_replicas;
    uint64_t wait_ms;
};

struct mfx_store *
mfx_store_redis_open(const struct mfx_store_redis_settings *settings,
                     const struct mfx_env *env, struct mfx_err *err);

MFX_API_END

#endif
