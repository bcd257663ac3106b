/* SPDX-License-Identifier: BSD-2-Clause */
#include "munge_address.h"

#include <mfx/mail/address.h>
#include <mfx/mail/address_rewrite.h>

#include <openssl/err.h>
#include <openssl/hmac.h>

enum {
    SHA256_LEN = 32,
};

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

/* Put before what is hashed: a hash of one kind is none of another. */
enum kind {
    HASH = 'h',
    NAME = 'n',
};

/* The first `len` digits of the hash of kind and text. */
static bool
digest(struct mfx_str secret, enum kind kind, struct mfx_str text,
       struct mfx_arena *arena, char *digits, size_t len)
{
    unsigned char mac[SHA256_LEN];
    unsigned mac_len = 0;
    struct mfx_str data =
        mfx_arena_printf(arena, "munge %c %.*s", (char)kind, MFX_STR_ARG(text));
    if (data.p == NULL)
        return false;
    if (HMAC(EVP_sha256(), secret.p, (int)secret.len,
             (const unsigned char *)data.p, data.len, mac, &mac_len) == NULL ||
        mac_len != sizeof mac) {
        ERR_clear_error();
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        size_t at = i * 5 / 8, shift = i * 5 % 8;
        unsigned two = (unsigned)mac[at] << 8 | mac[at + 1];
        digits[i] = base32[two >> (11 - shift) & 31];
    }
    return true;
}

static bool
is_base32(struct mfx_str s, size_t len)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = mfx_ascii_lower((unsigned char)s.p[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '2' && c <= '7'))
            return false;
    }
    return s.len == len;
}

/* --- make --- */

static enum mfx_rc
write_address(const struct mfx_secrets *secrets, struct mfx_str rest,
              struct mfx_str domain, struct mfx_arena *arena,
              struct masq_address *to)
{
    char hash[MASQ_MUNGE_HASH];
    struct mfx_address_wish wish = {.is_set = true, .domain = domain};
    struct mfx_str none = {"", 0};
    struct mfx_str lower = mfx_arena_copy_lower(arena, rest);
    if (lower.p == NULL ||
        !digest(secrets->items[0], HASH, lower, arena, hash, sizeof hash))
        return MFX_TEMPFAIL;
    wish.local = mfx_arena_printf(arena, "%.*s=%.*s", (int)sizeof hash, hash,
                                  MFX_STR_ARG(rest));
    if (wish.local.p == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = mfx_address_wish_check(&wish, none, none, NULL);
    if (rc == MFX_OK)
        *to = (struct masq_address){wish.local, wish.domain};
    return rc;
}

static enum mfx_rc
make_short(const struct mfx_secrets *secrets, struct mfx_str domain,
           struct mfx_str author, struct mfx_arena *arena,
           struct masq_address *to, struct mfx_str *name)
{
    char *digits = mfx_arena_alloc_bytes(arena, MASQ_MUNGE_NAME);
    if (digits == NULL || !digest(secrets->items[0], NAME, author, arena,
                                  digits, MASQ_MUNGE_NAME))
        return MFX_TEMPFAIL;
    struct mfx_str made = mfx_str(digits, MASQ_MUNGE_NAME);
    enum mfx_rc rc = write_address(secrets, made, domain, arena, to);
    if (rc == MFX_OK)
        *name = made;
    return rc;
}

enum mfx_rc
masq_munge_address_make(const struct mfx_secrets *secrets,
                        struct mfx_str domain,
                        const struct masq_address *author,
                        struct mfx_arena *arena, struct masq_address *to,
                        struct mfx_str *name)
{
    struct mfx_str spec;
    if (author->local.len == 0 || !mfx_domain_is_valid(author->domain, false))
        return MFX_PERMFAIL;
    enum mfx_rc rc =
        mfx_address_spec_write(author->local, author->domain, arena, &spec);
    if (rc != MFX_OK)
        return rc;
    struct mfx_str rest =
        mfx_arena_printf(arena, "%.*s=%.*s", MFX_STR_ARG(author->local),
                         MFX_STR_ARG(author->domain));
    if (rest.p == NULL)
        return MFX_TEMPFAIL;
    *name = mfx_str("", 0);
    rc = write_address(secrets, rest, domain, arena, to);
    return rc == MFX_PERMFAIL
               ? make_short(secrets, domain, rest, arena, to, name)
               : rc;
}

/* --- read --- */

/* In a time that tells nothing of the right hash. */
static enum mfx_rc
check_hash(const struct mfx_secrets *secrets, struct mfx_str hash,
           struct mfx_str rest, struct mfx_arena *arena)
{
    bool is_right = false;
    struct mfx_str lower = mfx_arena_copy_lower(arena, rest);
    if (lower.p == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < secrets->count; i++) {
        char want[MASQ_MUNGE_HASH];
        unsigned char differences = 0;
        if (!digest(secrets->items[i], HASH, lower, arena, want, sizeof want))
            return MFX_TEMPFAIL;
        for (size_t k = 0; k < sizeof want; k++)
            differences |=
                (unsigned char)(mfx_ascii_lower((unsigned char)hash.p[k]) ^
                                (unsigned char)want[k]);
        is_right |= differences == 0;
    }
    return is_right ? MFX_OK : MFX_PERMFAIL;
}

enum mfx_rc
masq_munge_address_read(const struct mfx_secrets *secrets, struct mfx_str local,
                        struct mfx_arena *arena, struct masq_address *author,
                        struct mfx_str *name)
{
    struct mfx_str hash = mfx_str_head(local, MASQ_MUNGE_HASH);
    struct mfx_str rest = mfx_str_from(local, MASQ_MUNGE_HASH + 1);
    size_t equals = mfx_str_find_last(rest, '=');
    bool is_short = is_base32(rest, MASQ_MUNGE_NAME);
    if (!is_base32(hash, MASQ_MUNGE_HASH) || local.len <= MASQ_MUNGE_HASH ||
        local.p[MASQ_MUNGE_HASH] != '=' ||
        (!is_short && (equals == 0 || equals + 1 >= rest.len)))
        return MFX_NOTFOUND;
    enum mfx_rc rc = check_hash(secrets, hash, rest, arena);
    if (rc != MFX_OK)
        return rc;
    struct mfx_str lower = mfx_arena_copy_lower(arena, rest);
    if (lower.p == NULL)
        return MFX_TEMPFAIL;
    *author = (struct masq_address){mfx_str_head(rest, equals),
                                    mfx_str_from(rest, equals + 1)};
    *name = is_short ? lower : mfx_str("", 0);
    return MFX_OK;
}
