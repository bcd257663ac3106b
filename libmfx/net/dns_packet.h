/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_packet - questions and answers as bytes
 *
 *     len = mfx_dns_packet_write(packet, &asked, MFX_DNS_WRITE_EDNS);
 *     ...
 *     rc = mfx_dns_packet_read(bytes, &asked, arena, &result);
 *
 * Ownership: what an answer points to lives in the arena. Errors:
 * MFX_PERMFAIL for a packet that cannot be read or does not answer what was
 * asked, MFX_TEMPFAIL when out of memory. Threads: pure.
 * Limits: CNAMEs followed 8, answer records 1000, negative TTL 3 hours.
 */
#ifndef MFX_NET_DNS_PACKET_H
#define MFX_NET_DNS_PACKET_H

#include <mfx/net/dns_name.h>
#include <mfx/net/resolver.h>

enum {
    MFX_DNS_QUERY_MAX = 12 + MFX_DNS_WIRE_NAME_MAX + 4 + 11,
    MFX_DNS_UDP_SIZE = 1232, /* announced by EDNS; never fragmented */
};

struct mfx_dns_asked {
    struct mfx_dns_name name;
    enum mfx_dns_type type;
    uint16_t id;
};

enum mfx_dns_write {
    MFX_DNS_WRITE_EDNS = 1,
    MFX_DNS_WRITE_AD = 2, /* "tell me whether it is authentic", RFC 6840 5.7 */
    MFX_DNS_WRITE_DIRECT = 4, /* without RD: to an authoritative server */
};

/* flags: of enum mfx_dns_write. Returns the length. */
size_t mfx_dns_packet_write(unsigned char out[MFX_DNS_QUERY_MAX],
                            const struct mfx_dns_asked *asked, unsigned flags);

struct mfx_dns_packet {
    bool is_truncated; /* the rest says nothing then */
    struct mfx_dns_answer answer;
    /* for those who ask authoritative servers */
    bool is_authoritative;   /* AA */
    bool is_alias;           /* CNAMEs were followed, to `end` */
    bool has_soa;            /* in the authority section, or as the answer */
    uint32_t longest_ttl_s;  /* of the answer's chain */
    uint32_t negative_ttl_s; /* has_soa */
    struct mfx_dns_name end;
};

enum mfx_rc mfx_dns_packet_read(struct mfx_str bytes,
                                const struct mfx_dns_asked *asked,
                                struct mfx_arena *arena,
                                struct mfx_dns_packet *packet) MFX_NODISCARD;

#endif
