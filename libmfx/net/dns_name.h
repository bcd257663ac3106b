/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_name - domain names as on the wire
 *
 *     if (mfx_dns_name_parse(text, &name) == MFX_OK) ...
 *     if (mfx_dns_name_unpack(packet, &at, &name)) ...
 *
 * Ownership: values. Errors: MFX_PERMFAIL or false for what is no name.
 * Threads: pure.
 * Limits: labels of 1 to 63 octets, 255 in all (RFC 1035 2.3.4); a
 * compression pointer must point backwards (4.1.4), 127 of them in a name.
 */
#ifndef MFX_NET_DNS_NAME_H
#define MFX_NET_DNS_NAME_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

enum {
    MFX_DNS_WIRE_NAME_MAX = 255,
};

/* Length-counted labels with the empty one at the end, in lower case. */
struct mfx_dns_name {
    size_t len;
    unsigned char wire[MFX_DNS_WIRE_NAME_MAX];
};

/* Every '.' parts two labels; a final one is not needed. MFX_PERMFAIL for an
 * empty or too long label or name. */
enum mfx_rc mfx_dns_name_parse(struct mfx_str text,
                               struct mfx_dns_name *name) MFX_NODISCARD;
/* Labels joined by dots; a dot, a backslash and bytes that are not printable
 * ASCII inside a label as \DDD. p is NULL when out of memory. */
struct mfx_str mfx_dns_name_text(const struct mfx_dns_name *name,
                                 struct mfx_arena *arena);
/* Reads the name at bytes[*at] of a packet; *at is then behind it. */
bool mfx_dns_name_unpack(struct mfx_str bytes, size_t *at,
                         struct mfx_dns_name *name) MFX_NODISCARD;
bool mfx_dns_name_eq(const struct mfx_dns_name *a,
                     const struct mfx_dns_name *b);

#endif
