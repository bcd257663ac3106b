/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/base64.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
mfx_base64_encode(const unsigned char *bytes, size_t len, char *out)
{
    char *p = out;
    size_t i = 0;
    for (; len - i >= 3; i += 3) {
        unsigned v = (unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8 |
                     bytes[i + 2];
        *p++ = alphabet[v >> 18];
        *p++ = alphabet[v >> 12 & 63];
        *p++ = alphabet[v >> 6 & 63];
        *p++ = alphabet[v & 63];
    }
    if (len - i > 0) {
        unsigned v = (unsigned)bytes[i] << 16;
        if (len - i == 2)
            v |= (unsigned)bytes[i + 1] << 8;
        *p++ = alphabet[v >> 18];
        *p++ = alphabet[v >> 12 & 63];
        *p++ = len - i == 2 ? alphabet[v >> 6 & 63] : '=';
        *p++ = '=';
    }
    return (size_t)(p - out);
}

static int
digit_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

enum mfx_rc
mfx_base64_decode(struct mfx_str text, unsigned char *out, size_t size,
                  size_t *len)
{
    unsigned bits = 0, have = 0; /* pending bits, and how many of them */
    size_t digits = 0, padding = 0, n = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (mfx_ascii_is_fws(c))
            continue;
        if (c == '=') {
            padding++;
            continue;
        }
        int value = digit_value(c);
        if (value < 0 || padding > 0)
            return MFX_PERMFAIL;
        digits++;
        bits = bits << 6 | (unsigned)value;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (n == size)
            return MFX_PERMFAIL;
        out[n++] = (unsigned char)(bits >> have);
    }
    if (digits % 4 == 1 || (padding > 0 && (digits + padding) % 4 != 0) ||
        padding > 2)
        return MFX_PERMFAIL;
    *len = n;
    return MFX_OK;
}
