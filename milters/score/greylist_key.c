/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a message is known by when it comes back.
 */
#include "greylist.h"

#include <mfx/auth/srs.h>
#include <mfx/base/base64.h>

#include <openssl/err.h>
#include <openssl/evp.h>

enum {
    KEY_MAX = 4096, /* more of a client's words than an MTA lets through */
    DIGEST_BYTES = 24,
    DIGEST_DIGITS = 32,
    LONG_WORD = 12, /* with a digit: nobody's name */
    BATV_TAG = 10,  /* prvs=KDDDSSSSSS */
};

static const char separators[] = "-_.=/";

/* --- addresses that are made for one message --- */

static struct mfx_str
cut(struct mfx_str *rest)
{
    struct mfx_str piece = {0};
    (void)mfx_str_cut(rest, '=', &piece);
    return piece;
}

/* prvs=TAG=LOCAL, and LOCAL first as older ones have it. */
static struct mfx_str
strip_prvs(struct mfx_str rest)
{
    struct mfx_str first = cut(&rest);
    if (rest.p == NULL)
        return first;
    return rest.len == BATV_TAG && first.len != BATV_TAG ? first : rest;
}

/* BATV, in its forms: prvs=TAG=LOCAL, msprvs1=TAG=LOCAL, btv1==TAG==LOCAL. */
static struct mfx_str
strip_batv(struct mfx_str local)
{
    static const struct mfx_str prvs = MFX_STR("prvs="),
                                msprvs = MFX_STR("msprvs1="),
                                btv = MFX_STR("btv1==");
    struct mfx_str rest, tag, empty;
    if (mfx_str_starts_nocase(local, prvs))
        return strip_prvs(mfx_str_from(local, prvs.len));
    if (mfx_str_starts_nocase(local, msprvs))
        return strip_prvs(mfx_str_from(local, msprvs.len));
    if (!mfx_str_starts_nocase(local, btv))
        return local;
    rest = mfx_str_from(local, btv.len);
    tag = cut(&rest);
    empty = cut(&rest);
    return tag.len > 0 && empty.len == 0 && rest.len > 0 ? rest : local;
}

/* Without hash and time stamp: what is behind the first two "=" of an SRS0; of
 * an SRS1 the forwarder, and the same of the SRS0 in it. */
static void
add_srs(struct mfx_buf *out, struct mfx_str local)
{
    bool is_second = local.p[3] == '1';
    struct mfx_str rest = mfx_str_from(local, 5);
    mfx_buf_add(out, mfx_str_head(local, 4));
    mfx_buf_add_byte(out, '=');
    (void)cut(&rest);
    if (is_second) {
        mfx_buf_add(out, cut(&rest));
        mfx_buf_add_byte(out, '=');
        if (rest.len > 0)
            rest = mfx_str_from(rest, 1); /* the inner separator */
        (void)cut(&rest);
    }
    (void)cut(&rest);
    mfx_buf_add(out, rest);
}

/* --- words that are made for one message --- */

static bool
is_separator(char c)
{
    return c != '\0' && strchr(separators, c) != NULL;
}

static bool
is_hex(char c)
{
    return mfx_ascii_is_digit((unsigned char)c) || (c >= 'a' && c <= 'f');
}

/* All of the local part: only when it is long, as people have names such as
 * 12345@. */
static bool
is_made(struct mfx_str word, bool is_all)
{
    size_t digits = 0, hex = 0;
    for (size_t i = 0; i < word.len; i++) {
        digits += mfx_ascii_is_digit((unsigned char)word.p[i]);
        hex += is_hex(word.p[i]);
    }
    if (digits == 0)
        return false;
    return word.len >= LONG_WORD || (!is_all && hex == word.len);
}

static void
add_words(struct mfx_buf *out, struct mfx_str local)
{
    for (size_t at = 0; at < local.len; at++) {
        size_t end = at;
        while (end < local.len && !is_separator(local.p[end]))
            end++;
        struct mfx_str word = mfx_str(local.p + at, end - at);
        if (is_made(word, word.len == local.len))
            mfx_buf_add_byte(out, '#');
        else
            mfx_buf_add(out, word);
        if (end < local.len)
            mfx_buf_add_byte(out, local.p[end]);
        at = end;
    }
}

static void
add_local(struct mfx_buf *out, struct mfx_str local)
{
    local = strip_batv(local);
    if (mfx_srs_is_tagged(local)) {
        add_srs(out, local);
        return;
    }
    size_t plus = mfx_str_find(local, '+');
    add_words(out, plus > 0 ? mfx_str_head(local, plus) : local);
}

struct mfx_str
score_greylist_sender(struct mfx_str sender, struct mfx_arena *arena)
{
    struct mfx_buf out;
    sender = mfx_arena_copy_lower(arena, mfx_str_head(sender, KEY_MAX / 4));
    size_t at = mfx_str_find_last(sender, '@');
    mfx_buf_init_arena(&out, arena, KEY_MAX);
    mfx_buf_add_byte(&out, '<');
    add_local(&out, mfx_str_head(sender, at));
    mfx_buf_add(&out, mfx_str_from(sender, at));
    mfx_buf_add_byte(&out, '>');
    return sender.p != NULL && mfx_buf_ok(&out) ? mfx_buf_str(&out)
                                                : mfx_str(NULL, 0);
}

/* --- the name --- */

static struct mfx_str
name_of(struct mfx_str key, struct mfx_arena *arena)
{
    static const struct mfx_str begin = MFX_STR("grey/");
    unsigned char digest[EVP_MAX_MD_SIZE];
    char *out = mfx_arena_alloc_bytes(arena, begin.len + DIGEST_DIGITS);
    if (out == NULL ||
        EVP_Digest(key.p, key.len, digest, NULL, EVP_sha256(), NULL) != 1) {
        ERR_clear_error();
        return mfx_str(NULL, 0);
    }
    memcpy(out, begin.p, begin.len);
    (void)mfx_base64_encode(digest, DIGEST_BYTES, out + begin.len);
    return mfx_str(out, begin.len + DIGEST_DIGITS);
}

struct mfx_str
score_greylist_name(const struct score_greylist_ask *ask,
                    struct mfx_str recipient, struct mfx_arena *arena)
{
    char text[MFX_IP_TEXT];
    bool is_v4 = ask->client.family == MFX_IP_V4;
    unsigned prefix = (unsigned)(is_v4 ? ask->settings->ipv4_prefix
                                       : ask->settings->ipv6_prefix);
    struct mfx_ip net = mfx_ip_network(&ask->client, prefix);
    struct mfx_str sender = score_greylist_sender(ask->sender, arena);
    struct mfx_str to =
        mfx_arena_copy_lower(arena, mfx_str_head(recipient, KEY_MAX / 4));
    struct mfx_buf key;
    mfx_buf_init_arena(&key, arena, KEY_MAX);
    mfx_buf_printf(&key, "%s/%u", mfx_ip_format(&net, text), prefix);
    mfx_buf_add_byte(&key, '\0');
    mfx_buf_add(&key, sender);
    mfx_buf_add_byte(&key, '\0');
    mfx_buf_add(&key, to);
    if (sender.p == NULL || to.p == NULL || !mfx_buf_ok(&key))
        return mfx_str(NULL, 0);
    return name_of(mfx_buf_str(&key), arena);
}
