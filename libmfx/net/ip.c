/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/ip.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum {
    MAPPED_PREFIX = 96, /* ::ffff:0:0/96, RFC 4291 2.5.5.2 */
    LITERAL_MAX = 60,   /* more than the longest address in text */
};

static unsigned
bits_of(enum mfx_ip_family family)
{
    return family == MFX_IP_V4 ? 32 : family == MFX_IP_V6 ? 128 : 0;
}

static bool
is_mapped(const unsigned char bytes[16])
{
    static const unsigned char prefix[12] = {[10] = 0xFF, [11] = 0xFF};
    return memcmp(bytes, prefix, sizeof prefix) == 0;
}

static struct mfx_ip
from_v6_bytes(const unsigned char bytes[16])
{
    struct mfx_ip ip = {.family = MFX_IP_V6};
    if (is_mapped(bytes)) {
        ip.family = MFX_IP_V4;
        memcpy(ip.bytes, bytes + 12, 4);
    } else {
        memcpy(ip.bytes, bytes, 16);
    }
    return ip;
}

/* Without the mapping, so that a network can be judged by its prefix. */
static enum mfx_rc
parse_bare(struct mfx_str text, struct mfx_ip *ip)
{
    char copy[LITERAL_MAX];
    if (text.len >= sizeof copy || mfx_str_has(text, '\0'))
        return MFX_PERMFAIL;
    if (text.len > 0)
        memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    struct mfx_ip got = {.family = MFX_IP_V4};
    if (inet_pton(AF_INET, copy, got.bytes) != 1) {
        got.family = MFX_IP_V6;
        if (inet_pton(AF_INET6, copy, got.bytes) != 1)
            return MFX_PERMFAIL;
    }
    *ip = got;
    return MFX_OK;
}

/* Takes "[...]" and "IPv6:" away. */
static struct mfx_str
strip_literal(struct mfx_str text)
{
    static const struct mfx_str tag = MFX_STR("IPv6:");
    if (text.len >= 2 && text.p[0] == '[' && text.p[text.len - 1] == ']')
        text = mfx_str(text.p + 1, text.len - 2);
    if (mfx_str_starts_nocase(text, tag))
        text = mfx_str_from(text, tag.len);
    return text;
}

enum mfx_rc
mfx_ip_parse(struct mfx_str text, struct mfx_ip *ip)
{
    struct mfx_ip got;
    if (parse_bare(strip_literal(text), &got) != MFX_OK)
        return MFX_PERMFAIL;
    *ip = got.family == MFX_IP_V6 ? from_v6_bytes(got.bytes) : got;
    return MFX_OK;
}

struct mfx_ip
mfx_ip_from_sockaddr(const struct sockaddr *address)
{
    struct mfx_ip ip = {.family = MFX_IP_NONE};
    if (address == NULL)
        return ip;
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        ip.family = MFX_IP_V4;
        memcpy(ip.bytes, &in.sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        ip = from_v6_bytes(in6.sin6_addr.s6_addr);
    }
    return ip;
}

bool
mfx_ip_eq(const struct mfx_ip *a, const struct mfx_ip *b)
{
    return a->family == b->family &&
           memcmp(a->bytes, b->bytes, bits_of(a->family) / 8) == 0;
}

bool
mfx_ip_is_loopback(const struct mfx_ip *ip)
{
    static const struct mfx_ip v6 = {.family = MFX_IP_V6, .bytes = {[15] = 1}};
    if (ip->family == MFX_IP_V4)
        return ip->bytes[0] == 127;
    return mfx_ip_eq(ip, &v6);
}

/* The longest run of at least two zero groups, the first of equals
 * (RFC 5952 4.2). */
static void
find_zero_run(const unsigned groups[8], unsigned count, unsigned *start,
              unsigned *length)
{
    *start = 0;
    *length = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned run = 0;
        while (i + run < count && groups[i + run] == 0)
            run++;
        if (run >= 2 && run > *length) {
            *start = i;
            *length = run;
        }
        i += run;
    }
}

static void
format_v6(const struct mfx_ip *ip, char out[MFX_IP_TEXT])
{
    const unsigned char *b = ip->bytes;
    unsigned groups[8], start, length;
    unsigned count = is_mapped(b) ? 6 : 8;
    for (unsigned i = 0; i < 8; i++)
        groups[i] = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
    find_zero_run(groups, count, &start, &length);
    size_t at = 0;
    for (unsigned i = 0; i < count; i++) {
        const char *colon =
            i == 0 || (length > 0 && i == start + length) ? "" : ":";
        if (length > 0 && i == start) {
            at += (size_t)snprintf(out + at, MFX_IP_TEXT - at, "::");
            i += length - 1;
            continue;
        }
        at += (size_t)snprintf(out + at, MFX_IP_TEXT - at, "%s%x", colon,
                               groups[i]);
    }
    if (count == 6)
        (void)snprintf(out + at, MFX_IP_TEXT - at, ":%u.%u.%u.%u", b[12], b[13],
                       b[14], b[15]);
}

static char *
add_octet(char *out, unsigned octet)
{
    if (octet >= 100)
        *out++ = (char)('0' + octet / 100);
    if (octet >= 10)
        *out++ = (char)('0' + octet / 10 % 10);
    *out++ = (char)('0' + octet % 10);
    return out;
}

static void
format_v4(const struct mfx_ip *ip, char *out)
{
    for (size_t i = 0; i < 4; i++) {
        out = add_octet(out, ip->bytes[i]);
        *out++ = i < 3 ? '.' : '\0';
    }
}

const char *
mfx_ip_format(const struct mfx_ip *ip, char out[MFX_IP_TEXT])
{
    switch (ip->family) {
    case MFX_IP_NONE:
        (void)snprintf(out, MFX_IP_TEXT, "none");
        break;
    case MFX_IP_V4:
        format_v4(ip, out);
        break;
    case MFX_IP_V6:
        format_v6(ip, out);
        break;
    }
    return out;
}

/* Clears what is behind the prefix; true when something was there. */
static bool
clear_host_bits(struct mfx_ip *ip, unsigned prefix)
{
    bool had_bits = false;
    for (unsigned i = 0; i < bits_of(ip->family) / 8; i++) {
        unsigned kept = prefix > i * 8 ? prefix - i * 8 : 0;
        unsigned mask = kept >= 8 ? 0xFF : 0xFFu << (8 - kept) & 0xFF;
        unsigned char masked = (unsigned char)(ip->bytes[i] & mask);
        had_bits = had_bits || masked != ip->bytes[i];
        ip->bytes[i] = masked;
    }
    return had_bits;
}

/* Cuts "a/b", "[a]/b" and "[a/b]" in two; *digits.p is NULL without "/". */
static void
cut_prefix(struct mfx_str text, struct mfx_str *address, struct mfx_str *digits)
{
    bool is_inside =
        text.len >= 2 && text.p[0] == '[' && text.p[text.len - 1] == ']';
    if (is_inside)
        text = mfx_str(text.p + 1, text.len - 2);
    size_t slash = mfx_str_find(text, '/');
    *digits = slash < text.len ? mfx_str_from(text, slash + 1) : mfx_str(0, 0);
    *address = mfx_str_head(text, slash);
}

enum mfx_rc
mfx_net_parse(struct mfx_str text, struct mfx_net *net, bool *has_host_bits)
{
    struct mfx_str address, digits;
    struct mfx_net got;
    cut_prefix(text, &address, &digits);
    if (parse_bare(strip_literal(address), &got.ip) != MFX_OK)
        return MFX_PERMFAIL;
    got.prefix = bits_of(got.ip.family);
    if (digits.p != NULL) {
        uint64_t prefix;
        if (digits.len > 3 ||
            mfx_str_to_u64(digits, got.prefix, &prefix) != MFX_OK)
            return MFX_PERMFAIL;
        got.prefix = (unsigned)prefix;
    }
    if (got.ip.family == MFX_IP_V6 && got.prefix >= MAPPED_PREFIX &&
        is_mapped(got.ip.bytes)) {
        got.ip = from_v6_bytes(got.ip.bytes);
        got.prefix -= MAPPED_PREFIX;
    }
    *has_host_bits = clear_host_bits(&got.ip, got.prefix);
    *net = got;
    return MFX_OK;
}

struct mfx_ip
mfx_ip_network(const struct mfx_ip *ip, unsigned prefix)
{
    struct mfx_ip network = *ip;
    (void)clear_host_bits(&network, prefix);
    return network;
}

bool
mfx_net_has(const struct mfx_net *net, const struct mfx_ip *ip)
{
    if (ip->family == MFX_IP_NONE || ip->family != net->ip.family)
        return false;
    struct mfx_ip masked = mfx_ip_network(ip, net->prefix);
    return mfx_ip_eq(&masked, &net->ip);
}
