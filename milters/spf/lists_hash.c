/* SPDX-License-Identifier: BSD-2-Clause */
#include "list_impl.h"

enum {
    TEXT_MAX = 1024, /* more than the longest address */
};

static void
free_digest(void *digest)
{
    EVP_MD_free(digest);
}

const EVP_MD *
spf_list_digest(enum spf_list_hash hash, struct mfx_arena *arena)
{
    static const char *const names[] = {
        [SPF_LIST_MD5] = "MD5",
        [SPF_LIST_SHA1] = "SHA1",
        [SPF_LIST_SHA256] = "SHA256",
    };
    EVP_MD *digest = EVP_MD_fetch(NULL, names[hash], NULL);
    if (digest == NULL || !mfx_arena_defer(arena, free_digest, digest))
        return NULL;
    return digest;
}

size_t
spf_list_label_len(const EVP_MD *digest, enum spf_list_encoding encoding)
{
    size_t octets = (size_t)EVP_MD_get_size(digest);
    return encoding == SPF_LIST_HEX ? 2 * octets : (octets * 8 + 4) / 5;
}

static size_t
put_hex(const unsigned char *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 0xF];
    }
    return 2 * count;
}

/* RFC 4648 6, in lower case, without padding. */
static size_t
put_base32(const unsigned char *bytes, size_t count, char *out)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    size_t len = 0;
    unsigned bits = 0, have = 0;
    for (size_t i = 0; i < count; i++) {
        bits = bits << 8 | bytes[i];
        for (have += 8; have >= 5; have -= 5)
            out[len++] = digits[bits >> (have - 5) & 0x1F];
        bits &= 0xFF;
    }
    if (have > 0)
        out[len++] = digits[bits << (5 - have) & 0x1F];
    return len;
}

struct mfx_str
spf_list_label(const EVP_MD *digest, enum spf_list_encoding encoding,
               struct mfx_str text, char out[SPF_LIST_LABEL_MAX])
{
    char lower[TEXT_MAX];
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned count = 0;
    if (text.len > sizeof lower)
        return mfx_str("", 0);
    for (size_t i = 0; i < text.len; i++)
        lower[i] = (char)mfx_ascii_lower((unsigned char)text.p[i]);
    if (EVP_Digest(lower, text.len, bytes, &count, digest, NULL) != 1)
        return mfx_str("", 0);
    return mfx_str(out, encoding == SPF_LIST_HEX
                            ? put_hex(bytes, count, out)
                            : put_base32(bytes, count, out));
}
