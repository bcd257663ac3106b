/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/dns_server.h>

#include <ares.h>

enum {
    DNS_PORT = 53,
};

/* Cuts the port off "a.b.c.d:port" and "[v6]:port". */
static struct mfx_str
cut_port(struct mfx_str text, struct mfx_str *port)
{
    size_t colon = mfx_str_find_last(text, ':');
    *port = mfx_str(NULL, 0);
    if (colon == text.len)
        return text;
    bool has_port = colon == mfx_str_find(text, ':') ||
                    (colon > 0 && text.p[colon - 1] == ']');
    if (!has_port)
        return text;
    *port = mfx_str(text.p + colon + 1, text.len - colon - 1);
    return mfx_str_head(text, colon);
}

enum mfx_rc
mfx_dns_server_parse(struct mfx_str text, struct mfx_dns_server *server)
{
    struct mfx_str digits;
    uint64_t port = DNS_PORT;
    struct mfx_str address = cut_port(text, &digits);
    if (digits.p != NULL &&
        (mfx_str_to_u64(digits, 65535, &port) != MFX_OK || port == 0))
        return MFX_PERMFAIL;
    if (mfx_ip_parse(address, &server->ip) != MFX_OK)
        return MFX_PERMFAIL;
    server->port = (unsigned)port;
    return MFX_OK;
}

static struct mfx_dns_server
from_node(const struct ares_addr_port_node *node)
{
    struct mfx_dns_server server = {.port = DNS_PORT};
    if (node->udp_port > 0)
        server.port = (unsigned)node->udp_port;
    if (node->family == AF_INET) {
        server.ip.family = MFX_IP_V4;
        memcpy(server.ip.bytes, &node->addr.addr4, 4);
    } else {
        server.ip.family = MFX_IP_V6;
        memcpy(server.ip.bytes, &node->addr.addr6, 16);
    }
    return server;
}

enum mfx_rc
mfx_dns_server_system(struct mfx_dns_server servers[MFX_DNS_SERVERS_MAX],
                      size_t *count, struct mfx_err *err)
{
    ares_channel channel;
    struct ares_addr_port_node *nodes = NULL;
    int status = ares_init(&channel);
    if (status != ARES_SUCCESS) {
        mfx_err_set(err, "system's name servers: %s", ares_strerror(status));
        return MFX_TEMPFAIL;
    }
    *count = 0;
    status = ares_get_servers_ports(channel, &nodes);
    for (const struct ares_addr_port_node *node = nodes;
         node != NULL && *count < MFX_DNS_SERVERS_MAX; node = node->next)
        servers[(*count)++] = from_node(node);
    ares_free_data(nodes);
    ares_destroy(channel);
    if (status == ARES_SUCCESS && *count > 0)
        return MFX_OK;
    mfx_err_set(err, "the system names no name server");
    return MFX_TEMPFAIL;
}
