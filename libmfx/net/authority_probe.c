/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/authority_probe.h>

#include <poll.h>

enum {
    OPEN_MAX = 16,
    TICK_MS = 50,
    RCODE_FORMERR = 1,
    RCODE_NOTIMP = 4,
    RCODE_BADVERS = 16,
};

static void
finish(struct mfx_authority_probe *p, enum mfx_authority_probe_end end)
{
    p->end = end;
    p->wants_to_send = false;
}

static void
try_again(struct mfx_authority_probe *p)
{
    p->wants_to_send = true;
}

static void
take_packet(struct mfx_authority_probe *p, struct mfx_str bytes)
{
    struct mfx_arena *arena = p->probing->arena;
    struct mfx_str copy = mfx_arena_copy(arena, bytes);
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (copy.p != NULL)
        rc = mfx_dns_packet_read(copy, &p->asked, arena, &p->packet);
    unsigned rcode = p->packet.answer.rcode;
    if (rc == MFX_TEMPFAIL) {
        finish(p, MFX_AUTHORITY_PROBE_UNREACHABLE); /* out of memory */
    } else if (rc == MFX_PERMFAIL || p->packet.is_truncated) {
        /* by UDP it may have been cut on the way */
        if (p->is_tcp) {
            finish(p, MFX_AUTHORITY_PROBE_MALFORMED);
            return;
        }
        p->is_tcp = true;
        try_again(p);
    } else if (!p->is_without_edns &&
               (rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP ||
                rcode == RCODE_BADVERS)) {
        p->is_without_edns = true;
        try_again(p);
    } else {
        finish(p, MFX_AUTHORITY_PROBE_PACKET);
    }
}

static void
landed(struct mfx_dns_flight *flight, enum mfx_dns_landing how,
       struct mfx_str bytes)
{
    struct mfx_authority_probe *p = (struct mfx_authority_probe *)flight;
    p->is_open = false;
    switch (how) {
    case MFX_DNS_LANDED_PACKET:
        take_packet(p, bytes);
        break;
    case MFX_DNS_LANDED_TIMEOUT:
        if (p->attempts < p->probing->tries)
            try_again(p);
        else
            finish(p, MFX_AUTHORITY_PROBE_SILENT);
        break;
    case MFX_DNS_LANDED_NOWHERE:
        finish(p, MFX_AUTHORITY_PROBE_UNREACHABLE);
        break;
    }
}

static void
send_one(struct mfx_authority_probe *p)
{
    unsigned char packet[MFX_DNS_QUERY_MAX];
    const struct mfx_env *env = p->probing->env;
    unsigned flags = MFX_DNS_WRITE_DIRECT |
                     (p->is_without_edns ? 0U : (unsigned)MFX_DNS_WRITE_EDNS);
    env->random(env, &p->asked.id, sizeof p->asked.id);
    size_t len = mfx_dns_packet_write(packet, &p->asked, flags);
    p->wants_to_send = false;
    p->is_open = true;
    p->attempts++;
    mfx_dns_carrier_send(p->is_tcp ? &p->tcp : &p->udp, &p->flight,
                         mfx_str((char *)packet, len), mfx_mono_ms());
}

static bool
is_stopping(const struct mfx_authority_probing *probing)
{
    return probing->is_stopping != NULL && probing->is_stopping(probing->arg);
}

/* False when the rest is not to be asked. */
static bool
send_due(struct mfx_authority_probing *probing)
{
    size_t open = 0;
    for (size_t i = 0; i < probing->count; i++)
        open += probing->probes[i].is_open;
    for (size_t i = 0; i < probing->count && open < OPEN_MAX; i++) {
        struct mfx_authority_probe *p = &probing->probes[i];
        if (!p->wants_to_send)
            continue;
        if (probing->pace != NULL && !probing->pace(probing->arg))
            return false;
        send_one(p);
        open++;
    }
    return !is_stopping(probing);
}

/* Of the open ones; false when there are none. */
static bool
wait_and_read(struct mfx_authority_probing *probing)
{
    struct pollfd fds[OPEN_MAX * MFX_DNS_CARRIER_CHANNELS];
    size_t lens[OPEN_MAX], count = 0, at = 0;
    struct mfx_dns_carrier *carriers[OPEN_MAX];
    for (size_t i = 0; i < probing->count && count < OPEN_MAX; i++) {
        struct mfx_authority_probe *p = &probing->probes[i];
        if (!p->is_open)
            continue;
        carriers[count] = p->is_tcp ? &p->tcp : &p->udp;
        lens[count] = mfx_dns_carrier_poll(carriers[count], fds + at);
        at += lens[count++];
    }
    if (count == 0)
        return false;
    if (poll(fds, at, TICK_MS) < 0)
        for (size_t i = 0; i < at; i++)
            fds[i].revents = 0;
    at = 0;
    for (size_t i = 0; i < count; i++) {
        mfx_dns_carrier_process(carriers[i], fds + at, lens[i]);
        at += lens[i];
    }
    return true;
}

static bool
is_done(const struct mfx_authority_probing *probing)
{
    for (size_t i = 0; i < probing->count; i++)
        if (probing->probes[i].is_open || probing->probes[i].wants_to_send)
            return false;
    return true;
}

void
mfx_authority_probe_all(struct mfx_authority_probing *probing)
{
    for (size_t i = 0; i < probing->count; i++) {
        struct mfx_authority_probe *p = &probing->probes[i];
        p->probing = probing;
        p->flight.landed = landed;
        p->asked = probing->asked;
        p->wants_to_send = p->server.ip.family != MFX_IP_NONE;
        mfx_dns_carrier_init(&p->udp, &p->server, false, probing->timeout_ms);
        mfx_dns_carrier_init(&p->tcp, &p->server, true, probing->timeout_ms);
    }
    while (!is_done(probing) && send_due(probing))
        (void)wait_and_read(probing);
    for (size_t i = 0; i < probing->count; i++) {
        mfx_dns_carrier_fini(&probing->probes[i].udp);
        mfx_dns_carrier_fini(&probing->probes[i].tcp);
        probing->probes[i].wants_to_send = false;
    }
}
