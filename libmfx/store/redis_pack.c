/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/store/redis_pack.h>

enum {
    FIXED_NUMBER_MAX = 0x7F,
    FIXED_STR = 0xA0,
    FIXED_STR_MAX = 31,
    U8 = 0xCC,
    U16 = 0xCD,
    U32 = 0xCE,
    U64 = 0xCF,
    STR16 = 0xDA,
    STR32 = 0xDB,
    MINUS_ONE = 0xFF,
};

/* A mark, then the number in so many octets, the highest first. */
static void
put(struct mfx_buf *out, unsigned mark, uint64_t number, size_t octets)
{
    char *p = mfx_buf_room(out, 1 + octets);
    if (p == NULL)
        return;
    p[0] = (char)mark;
    for (size_t i = 0; i < octets; i++)
        p[1 + i] = (char)(number >> (8 * (octets - 1 - i)));
    out->len += 1 + octets;
}

void
mfx_redis_pack_u64(struct mfx_buf *out, uint64_t number)
{
    if (number <= FIXED_NUMBER_MAX)
        put(out, (unsigned)number, 0, 0);
    else if (number <= UINT8_MAX)
        put(out, U8, number, 1);
    else if (number <= UINT16_MAX)
        put(out, U16, number, 2);
    else if (number <= UINT32_MAX)
        put(out, U32, number, 4);
    else
        put(out, U64, number, 8);
}

void
mfx_redis_pack_minus_one(struct mfx_buf *out)
{
    put(out, MINUS_ONE, 0, 0);
}

void
mfx_redis_pack_str(struct mfx_buf *out, struct mfx_str text)
{
    if (text.len <= FIXED_STR_MAX)
        put(out, FIXED_STR + (unsigned)text.len, 0, 0);
    else if (text.len <= UINT16_MAX)
        put(out, STR16, text.len, 2);
    else
        put(out, STR32, text.len, 4);
    mfx_buf_add(out, text);
}
