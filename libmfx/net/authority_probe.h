/* SPDX-License-Identifier: BSD-2-Clause
 *
 * authority_probe - one question to several servers at once
 *
 * Each server gets the same question by UDP, again when it is silent, by TCP
 * when the answer does not fit, without EDNS when it does not know that.
 *
 *     mfx_authority_probe_all(&probing);
 *     ... probing.probes[i].end, .packet ...
 *
 * Ownership: probes are the caller's; packets point into the arena. Errors:
 * in each probe's end. Threads: one. Limits: 16 questions open at once.
 */
#ifndef MFX_NET_AUTHORITY_PROBE_H
#define MFX_NET_AUTHORITY_PROBE_H

#include <mfx/base/env.h>
#include <mfx/net/dns_carrier.h>
#include <mfx/net/dns_packet.h>

enum mfx_authority_probe_end {
    MFX_AUTHORITY_PROBE_UNREACHABLE, /* or never asked */
    MFX_AUTHORITY_PROBE_PACKET,
    MFX_AUTHORITY_PROBE_SILENT,
    MFX_AUTHORITY_PROBE_MALFORMED,
};

struct mfx_authority_probe {
    struct mfx_dns_flight flight; /* first: found again when it lands */
    struct mfx_dns_server server;
    enum mfx_authority_probe_end end;
    struct mfx_dns_packet packet;

    /* its way */
    const struct mfx_authority_probing *probing;
    struct mfx_dns_carrier udp, tcp;
    struct mfx_dns_asked asked;
    bool wants_to_send, is_open, is_tcp, is_without_edns;
    unsigned attempts;
};

struct mfx_authority_probing {
    struct mfx_dns_asked asked; /* each server gets an id of its own */
    const struct mfx_env *env;
    struct mfx_arena *arena;
    unsigned timeout_ms, tries;
    bool (*pace)(void *arg);
    void *arg;
    bool (*is_stopping)(void *arg);
    struct mfx_authority_probe *probes;
    size_t count;
};

void mfx_authority_probe_all(struct mfx_authority_probing *probing);

#endif
