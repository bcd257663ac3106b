/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clients - do all recent clients share one address?
 *
 * Behind a balancer without the PROXY protocol every client seems to be the
 * balancer, and a limit by address or network counts all of them as one. When
 * the last 200 connections came from one address that is not loopback, that is
 * logged (once a day) and told by mfxctl quota.
 *
 * Ownership: new/free. Errors: none. Threads: any.
 */
#ifndef MFX_QUOTA_CLIENTS_H
#define MFX_QUOTA_CLIENTS_H

#include <mfx/base/env.h>
#include <mfx/net/ip.h>

enum {
    QUOTA_CLIENTS_RUN = 200,
};

struct quota_clients;

struct quota_clients *quota_clients_new(void);
void quota_clients_free(struct quota_clients *clients);
/* now_s: since 1970. */
void quota_clients_add(struct quota_clients *clients, const struct mfx_ip *ip,
                       uint64_t now_s);
/* True when all recent ones were this. */
bool quota_clients_shared_address(struct quota_clients *clients,
                                  struct mfx_ip *ip);

#endif
