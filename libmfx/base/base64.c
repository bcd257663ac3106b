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

enum {
    BAD = 64,
    WHITE,
    PAD,
};

/* What each byte means: 0 to 63, or one of the above. */
#define BAD_16                                                                 \
    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD, \
        BAD
static const unsigned char meaning[256] = {
    /* 00 */ BAD,    BAD,    BAD,    BAD,    BAD, BAD,   BAD, BAD,
    /* 08 */ BAD,    WHITE,  WHITE,  BAD,    BAD, WHITE, BAD, BAD,
    /* 10 */ BAD_16,
    /* 20 */ WHITE,  BAD,    BAD,    BAD,    BAD, BAD,   BAD, BAD,
    /* 28 */ BAD,    BAD,    BAD,    62,     BAD, BAD,   BAD, 63,
    /* 30 */ 52,     53,     54,     55,     56,  57,    58,  59,
    /* 38 */ 60,     61,     BAD,    BAD,    BAD, PAD,   BAD, BAD,
    /* 40 */ BAD,    0,      1,      2,      3,   4,     5,   6,
    /* 48 */ 7,      8,      9,      10,     11,  12,    13,  14,
    /* 50 */ 15,     16,     17,     18,     19,  20,    21,  22,
    /* 58 */ 23,     24,     25,     BAD,    BAD, BAD,   BAD, BAD,
    /* 60 */ BAD,    26,     27,     28,     29,  30,    31,  32,
    /* 68 */ 33,     34,     35,     36,     37,  38,    39,  40,
    /* 70 */ 41,     42,     43,     44,     45,  46,    47,  48,
    /* 78 */ 49,     50,     51,     BAD,    BAD, BAD,   BAD, BAD,
    /* 80 */ BAD_16, BAD_16, BAD_16, BAD_16,
    /* C0 */ BAD_16, BAD_16, BAD_16, BAD_16,
};

enum mfx_rc
mfx_base64_decode(struct mfx_str text, unsigned char *out, size_t size,
                  size_t *len)
{
    unsigned bits = 0, have = 0; /* pending bits, and how many of them */
    size_t digits = 0, padding = 0, n = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned value = meaning[(unsigned char)text.p[i]];
        if (value == WHITE)
            continue;
        if (value == PAD) {
            padding++;
            continue;
        }
        if (value == BAD || padding > 0)
            return MFX_PERMFAIL;
        digits++;
        bits = bits << 6 | value;
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
