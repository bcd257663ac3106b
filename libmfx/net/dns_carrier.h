/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_carrier - packets to one server, by UDP or by TCP
 *
 * c-ares carries: it opens and closes sockets, matches answers to questions
 * by id and question, and gives up in time. All judgement is left to the
 * caller: a channel has one server and one try, a truncated answer and an
 * answer with any rcode are handed up.
 *
 * c-ares keeps one UDP socket, and so one source port, while questions are
 * open. So a busy channel is replaced after some questions or some time; the
 * old one lives until its last question has ended. An idle one has no socket.
 *
 * Ownership: a flight is the caller's storage and must live until `landed`
 * was called for it, which happens exactly once, maybe inside send.
 * Errors: told to `landed`. Threads: one (the resolver's).
 * Limits: MFX_DNS_CARRIER_CHANNELS sockets.
 */
#ifndef MFX_NET_DNS_CARRIER_H
#define MFX_NET_DNS_CARRIER_H

#include <poll.h>

#include <mfx/net/dns_server.h>

enum {
    MFX_DNS_CARRIER_CHANNELS = 5,
};

enum mfx_dns_landing {
    MFX_DNS_LANDED_PACKET,
    MFX_DNS_LANDED_TIMEOUT,
    MFX_DNS_LANDED_NOWHERE, /* refused, no route, no memory, shut down */
};

struct mfx_dns_channel;

struct mfx_dns_flight {
    struct mfx_dns_channel *channel;
    void (*landed)(struct mfx_dns_flight *flight, enum mfx_dns_landing how,
                   struct mfx_str bytes);
};

struct mfx_dns_carrier {
    struct mfx_dns_server server;
    bool is_tcp;
    unsigned timeout_ms;
    struct mfx_dns_channel *channels; /* newest first */
};

void mfx_dns_carrier_init(struct mfx_dns_carrier *carrier,
                          const struct mfx_dns_server *server, bool is_tcp,
                          unsigned timeout_ms);
/* Ends what is open with MFX_DNS_LANDED_NOWHERE. */
void mfx_dns_carrier_fini(struct mfx_dns_carrier *carrier);

void mfx_dns_carrier_send(struct mfx_dns_carrier *carrier,
                          struct mfx_dns_flight *flight, struct mfx_str packet,
                          uint64_t now_ms);

/* Writes what to poll for, at most MFX_DNS_CARRIER_CHANNELS; returns how
 * many. process takes the same places, polled, and ends what is over time. */
size_t mfx_dns_carrier_poll(const struct mfx_dns_carrier *carrier,
                            struct pollfd fds[MFX_DNS_CARRIER_CHANNELS]);
void mfx_dns_carrier_process(struct mfx_dns_carrier *carrier,
                             const struct pollfd *fds, size_t count);

#endif
