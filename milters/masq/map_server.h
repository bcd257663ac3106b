/* SPDX-License-Identifier: BSD-2-Clause
 *
 * map_server - SRS as lookup tables of Postfix, in place of PostSRSd
 *
 *     sender_canonical_maps = socketmap:unix:/run/mfx/srs:srs_forward
 *     recipient_canonical_maps = tcp:127.0.0.1:10002
 *
 * A map is asked for an address and knows no recipients: each foreign sender
 * becomes an SRS address. An outage is answered by TEMP or 400. An SRS address
 * that is forged or too old is not found, and so the MTA knows no such user.
 *
 *     server = masq_map_server_new(&settings, &env);         policy_new
 *     masq_map_server_begin(server, srs, store, timeout_ms); policy_begin
 *     masq_map_server_leave(server, srs);                    policy_free
 *     masq_map_server_release(server);
 *
 * It outlives reloads: a policy whose settings are the same holds the server
 * of its predecessor, and its srs takes the place of that one's.
 *
 * Ownership: counted; settings are copied. srs and store are borrowed from
 * begin until leave has returned: it waits for what is under way with them (for
 * timeout_ms at most). Errors: begin never fails; a socket that cannot be had
 * is logged (map_server_failed) and tried again every two seconds. Threads: one
 * of its own; the functions may be called from any.
 * Limits: MASQ_MAP_CLIENTS connections, the one idle longest goes for a new
 * one; a request has 30 s to arrive whole, a reply 30 s to be read; idle
 * connections end after 5 minutes.
 */
#ifndef MASQ_MAP_SERVER_H
#define MASQ_MAP_SERVER_H

#include <mfx/base/env.h>

#include "settings.h"
#include "srs.h"

enum {
    MASQ_MAP_CLIENTS = 500,
};

struct masq_map_server;

/* True when there is a socket to be served. */
bool masq_map_server_is_wanted(const struct masq_map_server_settings *s);
/* Mistakes in the settings go to the build's problems. */
void masq_map_server_check(const struct masq_settings *settings,
                           const struct mfx_policy_build *build);

/* NULL when out of memory. Nothing is opened yet. env: for its clock. */
struct masq_map_server *
masq_map_server_new(const struct masq_map_server_settings *s,
                    const struct mfx_env *env);
struct masq_map_server *masq_map_server_hold(struct masq_map_server *server);
/* NULL is fine. The last one closes the sockets. */
void masq_map_server_release(struct masq_map_server *server);
bool masq_map_server_has(const struct masq_map_server *server,
                         const struct masq_map_server_settings *s);

void masq_map_server_begin(struct masq_map_server *server,
                           const struct masq_srs *srs, struct mfx_store *store,
                           uint64_t timeout_ms);
void masq_map_server_leave(struct masq_map_server *server,
                           const struct masq_srs *srs);

struct masq_map_counts {
    uint64_t connections;
    uint64_t answers[2][4]; /* forward, reverse; by enum mfx_rc */
    uint64_t broken;        /* requests */
};
struct masq_map_counts masq_map_server_counts(struct masq_map_server *server);

#endif
