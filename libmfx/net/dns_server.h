/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_server - which servers are asked
 *
 * Ownership: values. Errors: MFX_PERMFAIL for a text that is no address.
 * Threads: pure.
 */
#ifndef MFX_NET_DNS_SERVER_H
#define MFX_NET_DNS_SERVER_H

#include <mfx/net/ip.h>

struct mfx_dns_server {
    struct mfx_ip ip;
    unsigned port;
};

enum {
    MFX_DNS_SERVERS_MAX = 8,
};

/* "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:53". */
enum mfx_rc mfx_dns_server_parse(struct mfx_str text,
                                 struct mfx_dns_server *server) MFX_NODISCARD;
/* Those of /etc/resolv.conf, as c-ares reads it; 127.0.0.1 when it names
 * none. */
enum mfx_rc
mfx_dns_server_system(struct mfx_dns_server servers[MFX_DNS_SERVERS_MAX],
                      size_t *count, struct mfx_err *err) MFX_NODISCARD;

#endif
