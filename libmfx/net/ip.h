/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ip - addresses, networks, and sets of networks
 *
 *     struct mfx_ip ip;
 *     if (mfx_ip_parse(text, &ip) == MFX_OK && mfx_ip_set_has(set, &ip)) ...
 *
 * An IPv4-mapped IPv6 address (::ffff:192.0.2.1) is the IPv4 address: every
 * parser here maps it, so no list can miss it.
 *
 * Ownership: struct mfx_ip is a value; a set is new/free. Errors: parse
 * answers MFX_PERMFAIL and says why. Threads: a finished set is read-only.
 * Limits: none on the number of networks; a look-up costs one probe for each
 * distinct prefix length in the set.
 */
#ifndef MFX_NET_IP_H
#define MFX_NET_IP_H

#include <sys/socket.h>

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

enum mfx_ip_family {
    MFX_IP_NONE = 0, /* a client without an address */
    MFX_IP_V4 = 4,
    MFX_IP_V6 = 6,
};

struct mfx_ip {
    enum mfx_ip_family family;
    unsigned char bytes[16]; /* network order; the first 4 for IPv4 */
};

struct mfx_net {
    struct mfx_ip ip;
    unsigned prefix; /* 0 to 32 or 128 */
};

/* "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "IPv6:2001:db8::1". */
enum mfx_rc mfx_ip_parse(struct mfx_str text, struct mfx_ip *ip) MFX_NODISCARD;
/* family MFX_IP_NONE for a NULL pointer or a family that is not IP. */
struct mfx_ip mfx_ip_from_sockaddr(const struct sockaddr *address);
bool mfx_ip_eq(const struct mfx_ip *a, const struct mfx_ip *b);
/* 127/8 or ::1. */
bool mfx_ip_is_loopback(const struct mfx_ip *ip);

/* The address with the bits behind the prefix cleared. */
struct mfx_ip mfx_ip_network(const struct mfx_ip *ip, unsigned prefix);

enum {
    MFX_IP_TEXT = 48,
};
/* Writes at most MFX_IP_TEXT bytes with the NUL, RFC 5952 form; "none" for no
 * address. Returns out. */
const char *mfx_ip_format(const struct mfx_ip *ip, char out[MFX_IP_TEXT]);

/* "ip", "ip/prefix", "[ip]/prefix", "[ip/prefix]". Host bits that are set:
 * *has_host_bits is true and the bits are cleared (OpenDKIM never matches
 * such a line; mfx does what was meant and the caller warns). */
enum mfx_rc mfx_net_parse(struct mfx_str text, struct mfx_net *net,
                          bool *has_host_bits) MFX_NODISCARD;
bool mfx_net_has(const struct mfx_net *net, const struct mfx_ip *ip);

struct mfx_ip_set;
struct mfx_ip_set *mfx_ip_set_new(void);
void mfx_ip_set_free(struct mfx_ip_set *set);
/* `value` comes back from a look-up (a row number, a weight); for the same
 * network the first stays. */
enum mfx_rc mfx_ip_set_add(struct mfx_ip_set *set, const struct mfx_net *net,
                           int value) MFX_NODISCARD;
/* The longest prefix that holds the address; false when none does. net and
 * value may be NULL. */
bool mfx_ip_set_get(const struct mfx_ip_set *set, const struct mfx_ip *ip,
                    struct mfx_net *net, int *value);
size_t mfx_ip_set_count(const struct mfx_ip_set *set);

MFX_API_END

#endif
