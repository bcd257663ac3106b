/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/dns_carrier.h>

#include <ares.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <mfx/net/dns_packet.h>

enum {
    RENEW_QUESTIONS = 100, /* a busy channel's source port lives this long */
    RENEW_MS = 1000,
    REST_MS = 60000, /* a channel that was idle between is remade then */
    RECEIVE_BYTES = 1 << 20,
};

struct mfx_dns_channel {
    ares_channel ares;
    struct mfx_dns_channel *next;
    size_t open;       /* flights in the air */
    unsigned sent;     /* since the socket was opened */
    uint64_t fresh_ms; /* when the socket was opened */
    uint64_t born_ms;
};

void
mfx_dns_carrier_init(struct mfx_dns_carrier *carrier,
                     const struct mfx_dns_server *server, bool is_tcp,
                     unsigned timeout_ms)
{
    *carrier = (struct mfx_dns_carrier){
        .server = *server, .is_tcp = is_tcp, .timeout_ms = timeout_ms};
}

static bool
set_server(ares_channel ares, const struct mfx_dns_server *server)
{
    struct ares_addr_port_node node = {
        .family = server->ip.family == MFX_IP_V4 ? AF_INET : AF_INET6,
        .udp_port = (int)server->port,
        .tcp_port = (int)server->port,
    };
    if (server->ip.family == MFX_IP_V4)
        memcpy(&node.addr.addr4, server->ip.bytes, 4);
    else
        memcpy(&node.addr.addr6, server->ip.bytes, 16);
    return ares_set_servers_ports(ares, &node) == ARES_SUCCESS;
}

/* Everything c-ares could look for in files or the environment is given, so
 * that it reads none. ARES_FLAG_EDNS is not for sending (the packets are
 * ours): without it c-ares cuts UDP answers at 512 bytes. */
static struct mfx_dns_channel *
new_channel(const struct mfx_dns_carrier *carrier, uint64_t now_ms)
{
    char lookups[] = "b";
    struct in_addr nowhere = {.s_addr = htonl(INADDR_LOOPBACK)};
    struct ares_options options = {
        .flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_IGNTC | ARES_FLAG_EDNS |
                 (carrier->is_tcp ? ARES_FLAG_USEVC : 0),
        .timeout = (int)carrier->timeout_ms,
        .tries = 1,
        .servers = &nowhere,
        .nservers = 1,
        .lookups = lookups,
        .ednspsz = MFX_DNS_UDP_SIZE,
        .socket_receive_buffer_size = RECEIVE_BYTES,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
               ARES_OPT_NDOTS | ARES_OPT_SERVERS | ARES_OPT_DOMAINS |
               ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST | ARES_OPT_EDNSPSZ |
               ARES_OPT_SOCK_RCVBUF;
    struct mfx_dns_channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        return NULL;
    if (ares_init_options(&channel->ares, &options, mask) != ARES_SUCCESS) {
        free(channel);
        return NULL;
    }
    if (!set_server(channel->ares, &carrier->server)) {
        ares_destroy(channel->ares);
        free(channel);
        return NULL;
    }
    channel->born_ms = channel->fresh_ms = now_ms;
    return channel;
}

static void
free_channel(struct mfx_dns_channel *channel)
{
    ares_destroy(channel->ares);
    free(channel);
}

void
mfx_dns_carrier_fini(struct mfx_dns_carrier *carrier)
{
    while (carrier->channels != NULL) {
        struct mfx_dns_channel *channel = carrier->channels;
        carrier->channels = channel->next;
        free_channel(channel);
    }
}

static bool
is_worn(struct mfx_dns_channel *channel, uint64_t now_ms)
{
    if (channel->open == 0) { /* c-ares has closed the socket */
        channel->sent = 0;
        channel->fresh_ms = now_ms;
        return now_ms - channel->born_ms >= REST_MS;
    }
    return channel->sent >= RENEW_QUESTIONS ||
           now_ms - channel->fresh_ms >= RENEW_MS;
}

/* The channel for the next question: the newest one, or one newer. */
static struct mfx_dns_channel *
pick_channel(struct mfx_dns_carrier *carrier, uint64_t now_ms)
{
    struct mfx_dns_channel *newest = carrier->channels;
    size_t count = 0;
    if (newest != NULL && !is_worn(newest, now_ms))
        return newest;
    for (const struct mfx_dns_channel *c = newest; c != NULL; c = c->next)
        count++;
    if (count >= MFX_DNS_CARRIER_CHANNELS)
        return newest;
    struct mfx_dns_channel *channel = new_channel(carrier, now_ms);
    if (channel == NULL)
        return newest;
    channel->next = newest;
    carrier->channels = channel;
    return channel;
}

static void
on_end(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
    struct mfx_dns_flight *flight = arg;
    (void)timeouts;
    flight->channel->open--;
    if (status == ARES_SUCCESS && bytes != NULL && len > 0)
        flight->landed(flight, MFX_DNS_LANDED_PACKET,
                       mfx_str((char *)bytes, (size_t)len));
    else
        flight->landed(flight,
                       status == ARES_ETIMEOUT ? MFX_DNS_LANDED_TIMEOUT
                                               : MFX_DNS_LANDED_NOWHERE,
                       mfx_str(NULL, 0));
}

void
mfx_dns_carrier_send(struct mfx_dns_carrier *carrier,
                     struct mfx_dns_flight *flight, struct mfx_str packet,
                     uint64_t now_ms)
{
    struct mfx_dns_channel *channel = pick_channel(carrier, now_ms);
    flight->channel = channel;
    if (channel == NULL) {
        flight->landed(flight, MFX_DNS_LANDED_NOWHERE, mfx_str(NULL, 0));
        return;
    }
    channel->open++;
    channel->sent++;
    ares_send(channel->ares, (const unsigned char *)packet.p, (int)packet.len,
              on_end, flight);
}

size_t
mfx_dns_carrier_poll(const struct mfx_dns_carrier *carrier,
                     struct pollfd fds[MFX_DNS_CARRIER_CHANNELS])
{
    size_t count = 0;
    for (const struct mfx_dns_channel *c = carrier->channels; c != NULL;
         c = c->next) {
        ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
        int ready = c->open == 0 ? 0 : ares_getsock(c->ares, sockets, 1);
        short events = (short)((ARES_GETSOCK_READABLE(ready, 0) ? POLLIN : 0) |
                               (ARES_GETSOCK_WRITABLE(ready, 0) ? POLLOUT : 0));
        fds[count++] = (struct pollfd){.fd = events == 0 ? -1 : sockets[0],
                                       .events = events};
    }
    return count;
}

/* Channels that are neither the newest nor in use. */
static void
drop_worn(struct mfx_dns_carrier *carrier)
{
    struct mfx_dns_channel **link;
    if (carrier->channels == NULL)
        return;
    link = &carrier->channels->next;
    while (*link != NULL) {
        struct mfx_dns_channel *channel = *link;
        if (channel->open > 0) {
            link = &channel->next;
            continue;
        }
        *link = channel->next;
        free_channel(channel);
    }
}

void
mfx_dns_carrier_process(struct mfx_dns_carrier *carrier,
                        const struct pollfd *fds, size_t count)
{
    size_t i = 0;
    for (struct mfx_dns_channel *c = carrier->channels; c != NULL && i < count;
         c = c->next, i++) {
        short got = fds[i].revents;
        ares_socket_t none = ARES_SOCKET_BAD;
        if (c->open == 0)
            continue;
        bool can_read = (got & (POLLIN | POLLERR | POLLHUP)) != 0;
        bool can_write = (got & (POLLOUT | POLLERR)) != 0;
        ares_process_fd(c->ares, can_read ? fds[i].fd : none,
                        can_write ? fds[i].fd : none);
    }
    drop_worn(carrier);
}
