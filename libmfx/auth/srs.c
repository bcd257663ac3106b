/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/srs.h>

#include <mfx/base/base64.h>
#include <mfx/base/buf.h>
#include <mfx/mail/address_rewrite.h>

#include <openssl/err.h>
#include <openssl/hmac.h>

enum {
    TAG_LEN = 5, /* SRS0 and its separator */
    STAMP_LEN = 2,
    STAMP_SLOTS = 1024,
    DAY_S = 24 * 60 * 60,
    SKEW_DAYS = 1,
    SHA1_LEN = 20,
    HASH_DIGITS = 27, /* of a whole SHA-1 in base64, without padding */
};

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
static const char base32hex[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/* In place of the sender's domain: the rest is a short form's name. */
static const struct mfx_str short_mark = MFX_STR("1");

/* An SRS local part taken apart; all borrowed. */
struct parts {
    struct mfx_str hash, stamp, domain, rest;
};

const char *
mfx_srs_result_text(enum mfx_srs_result result)
{
    switch (result) {
    case MFX_SRS_FOUND:
        return "SRS address";
    case MFX_SRS_SHORT:
        return "short SRS address";
    case MFX_SRS_NOT_SRS:
        return "not an SRS address";
    case MFX_SRS_BAD_HASH:
        return "SRS address with a wrong hash";
    case MFX_SRS_TOO_OLD:
        return "SRS address is too old";
    case MFX_SRS_MALFORMED:
        return "malformed SRS address";
    case MFX_SRS_TOO_LONG:
        return "SRS address would be too long";
    case MFX_SRS_UNAVAILABLE:
        return "SRS addresses cannot be computed now";
    }
    MFX_BUG("an SRS result out of range");
}

enum mfx_rc
mfx_srs_settings_check(const struct mfx_srs_settings *settings,
                       struct mfx_err *err)
{
    const char *wrong = NULL;
    if (settings->secret_count == 0)
        wrong = "there is no secret";
    for (size_t i = 0; i < settings->secret_count; i++)
        if (settings->secrets[i].len == 0)
            wrong = "a secret is empty";
    if (settings->separator != '=' && settings->separator != '+' &&
        settings->separator != '-')
        wrong = "the separator is none of = + -";
    if (settings->hash_length == 0 || settings->hash_length > MFX_SRS_HASH_MAX)
        wrong = "hash length out of range";
    if (settings->hash_minimum == 0 ||
        settings->hash_minimum > settings->hash_length)
        wrong = "a hash shall be longer than those that are made";
    if (settings->max_age == 0 || settings->max_age > MFX_SRS_MAX_AGE)
        wrong = "age out of range";
    if (settings->domain.len == 0)
        wrong = "there is no SRS domain";
    if (wrong == NULL)
        return MFX_OK;
    mfx_err_set(err, "SRS: %s", wrong);
    return MFX_PERMFAIL;
}

/* --- what may stand in an address --- */

static bool
is_separator(char c)
{
    return c == '=' || c == '+' || c == '-';
}

static bool
has_tag(struct mfx_str local, const char *tag)
{
    return local.len >= TAG_LEN &&
           mfx_str_starts_nocase(local, mfx_str_of(tag)) &&
           is_separator(local.p[TAG_LEN - 1]);
}

bool
mfx_srs_is_tagged(struct mfx_str local)
{
    return has_tag(local, "SRS0") || has_tag(local, "SRS1");
}

/* An address that can be written and that comes back as it was: an "=" in the
 * domain would be taken for its end. *len: as written. */
static enum mfx_srs_result
check_address(struct mfx_str local, struct mfx_str domain,
              struct mfx_arena *arena, size_t *len)
{
    struct mfx_str spec;
    if (local.len == 0 || domain.len == 0 || mfx_str_has(local, '@') ||
        mfx_str_has(domain, '=') || mfx_str_eq(domain, short_mark))
        return MFX_SRS_MALFORMED;
    enum mfx_rc rc = mfx_address_spec_write(local, domain, arena, &spec);
    *len = spec.len;
    return rc == MFX_OK         ? MFX_SRS_FOUND
           : rc == MFX_PERMFAIL ? MFX_SRS_MALFORMED
                                : MFX_SRS_UNAVAILABLE;
}

static bool
is_name(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = mfx_ascii_lower((unsigned char)s.p[i]);
        if (!mfx_ascii_is_digit(c) && !(c >= 'a' && c <= 'v'))
            return false;
    }
    return s.len == MFX_SRS_NAME;
}

/* --- hash and time stamp --- */

static bool
hmac(struct mfx_str secret, struct mfx_str data, unsigned char out[SHA1_LEN])
{
    unsigned len = 0;
    if (HMAC(EVP_sha1(), secret.p, (int)secret.len,
             (const unsigned char *)data.p, data.len, out, &len) != NULL &&
        len == SHA1_LEN)
        return true;
    ERR_clear_error();
    return false;
}

/* What the hash is taken of, in lower case; p is NULL without memory. */
static struct mfx_str
hashed_text(const struct parts *parts, struct mfx_arena *arena)
{
    struct mfx_str text =
        mfx_arena_printf(arena, "%.*s%.*s%.*s", MFX_STR_ARG(parts->stamp),
                         MFX_STR_ARG(parts->domain), MFX_STR_ARG(parts->rest));
    return text.p == NULL ? text : mfx_arena_copy_lower(arena, text);
}

static bool
hash_digits(struct mfx_str secret, struct mfx_str text,
            char digits[HASH_DIGITS + 1])
{
    unsigned char mac[SHA1_LEN];
    if (!hmac(secret, text, mac))
        return false;
    mfx_base64_encode(mac, sizeof mac, digits);
    return true;
}

static void
add_hash(struct mfx_buf *out, const struct mfx_srs_settings *settings,
         const struct parts *parts, struct mfx_arena *arena)
{
    char digits[HASH_DIGITS + 1];
    struct mfx_str text = hashed_text(parts, arena);
    if (text.p == NULL || !hash_digits(settings->secrets[0], text, digits)) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < settings->hash_length; i++) {
        char c = digits[i];
        if (!settings->is_plain_alphabet)
            c = c == '+' ? '-' : c == '/' ? '_' : c;
        mfx_buf_add_byte(out, c);
    }
}

/* One value for a digit of either alphabet in either case. */
static unsigned char
fold(char c)
{
    return c == '-' ? '+' : c == '_' ? '/' : mfx_ascii_lower((unsigned char)c);
}

/* In a time that tells nothing of the right hash. */
static enum mfx_srs_result
check_hash(const struct mfx_srs_settings *settings, const struct parts *parts,
           struct mfx_arena *arena)
{
    struct mfx_str text = hashed_text(parts, arena), hash = parts->hash;
    bool is_right = false;
    if (text.p == NULL)
        return MFX_SRS_UNAVAILABLE;
    if (hash.len < settings->hash_minimum || hash.len > HASH_DIGITS)
        return MFX_SRS_BAD_HASH;
    for (size_t i = 0; i < settings->secret_count; i++) {
        char digits[HASH_DIGITS + 1];
        unsigned char differences = 0;
        if (!hash_digits(settings->secrets[i], text, digits))
            return MFX_SRS_UNAVAILABLE;
        for (size_t k = 0; k < hash.len; k++)
            differences |= (unsigned char)(fold(digits[k]) ^ fold(hash.p[k]));
        is_right |= differences == 0;
    }
    return is_right ? MFX_SRS_FOUND : MFX_SRS_BAD_HASH;
}

static void
make_stamp(uint64_t now, char stamp[STAMP_LEN])
{
    uint64_t day = now / DAY_S;
    stamp[0] = base32[day / 32 % 32];
    stamp[1] = base32[day % 32];
}

/* The day in 0..STAMP_SLOTS-1, or STAMP_SLOTS for what is no stamp. */
static unsigned
read_stamp(struct mfx_str stamp)
{
    unsigned day = 0;
    if (stamp.len != STAMP_LEN)
        return STAMP_SLOTS;
    for (size_t i = 0; i < stamp.len; i++) {
        unsigned char c = mfx_ascii_lower((unsigned char)stamp.p[i]);
        if (c >= 'a' && c <= 'z')
            day = day * 32 + (unsigned)(c - 'a');
        else if (c >= '2' && c <= '7')
            day = day * 32 + 26 + (unsigned)(c - '2');
        else
            return STAMP_SLOTS;
    }
    return day;
}

static bool
is_fresh(const struct mfx_srs_settings *settings, unsigned day, uint64_t now)
{
    unsigned today = (unsigned)(now / DAY_S % STAMP_SLOTS);
    unsigned age = (today + SKEW_DAYS + STAMP_SLOTS - day) % STAMP_SLOTS;
    return age <= settings->max_age + 2 * SKEW_DAYS;
}

/* --- forward --- */

/* SRSn, hash, the parts. */
static enum mfx_srs_result
write_address(const struct mfx_srs_settings *settings, const char *tag,
              const struct parts *parts, struct mfx_arena *arena,
              struct mfx_srs_address *to)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 2 * MFX_SRS_INPUT_MAX);
    mfx_buf_add_text(&out, tag);
    mfx_buf_add_byte(&out, settings->separator);
    add_hash(&out, settings, parts, arena);
    mfx_buf_add_byte(&out, '=');
    if (parts->stamp.len > 0) {
        mfx_buf_add(&out, parts->stamp);
        mfx_buf_add_byte(&out, '=');
    }
    mfx_buf_add(&out, parts->domain);
    mfx_buf_add_byte(&out, '=');
    mfx_buf_add(&out, parts->rest);
    if (!mfx_buf_ok(&out))
        return MFX_SRS_UNAVAILABLE;
    struct mfx_srs_address made = {mfx_buf_str(&out), settings->domain};
    size_t len;
    enum mfx_srs_result result =
        check_address(made.local, made.domain, arena, &len);
    if (result != MFX_SRS_FOUND)
        return result;
    *to = made;
    return len > MFX_ADDRESS_MAX ||
                   len - 1 - made.domain.len > MFX_ADDRESS_LOCAL_MAX
               ? MFX_SRS_TOO_LONG
               : MFX_SRS_FOUND;
}

/* What stands behind the tag of an SRS1 address. */
static enum mfx_srs_result
parse_srs1(struct mfx_str local, struct mfx_arena *arena, struct parts *parts)
{
    struct mfx_str rest = mfx_str_from(local, TAG_LEN);
    size_t len;
    *parts = (struct parts){0};
    if (!has_tag(local, "SRS1") || !mfx_str_cut(&rest, '=', &parts->hash) ||
        rest.p == NULL || !mfx_str_cut(&rest, '=', &parts->domain))
        return MFX_SRS_MALFORMED;
    parts->rest = rest; /* another SRS0 from its separator on */
    if (parts->hash.len == 0 || rest.len < 2 || !is_separator(rest.p[0]))
        return MFX_SRS_MALFORMED;
    return check_address(rest, parts->domain, arena, &len);
}

static enum mfx_srs_result
check_sender(const struct mfx_srs_address *from, struct mfx_arena *arena)
{
    size_t len;
    if (from->local.len + from->domain.len >= MFX_SRS_INPUT_MAX)
        return MFX_SRS_MALFORMED;
    return check_address(from->local, from->domain, arena, &len);
}

enum mfx_srs_result
mfx_srs_forward(const struct mfx_srs_settings *settings,
                const struct mfx_srs_address *from, uint64_t now,
                struct mfx_arena *arena, struct mfx_srs_address *to)
{
    char stamp[STAMP_LEN];
    struct parts parts;
    enum mfx_srs_result result = check_sender(from, arena);
    if (result != MFX_SRS_FOUND)
        return result;
    result = parse_srs1(from->local, arena, &parts);
    if (result != MFX_SRS_MALFORMED)
        return result == MFX_SRS_FOUND
                   ? write_address(settings, "SRS1", &parts, arena, to)
                   : result;
    parts = (struct parts){.domain = from->domain, .rest = from->local};
    if (has_tag(from->local, "SRS0") && from->local.len > TAG_LEN) {
        parts.rest = mfx_str_from(from->local, TAG_LEN - 1);
        return write_address(settings, "SRS1", &parts, arena, to);
    }
    make_stamp(now, stamp);
    parts.stamp = mfx_str(stamp, sizeof stamp);
    return write_address(settings, "SRS0", &parts, arena, to);
}

/* base32hex of an HMAC of the address. The first byte keeps it apart from what
 * the hashes of addresses are taken of: no time stamp holds it. */
static bool
make_name(const struct mfx_srs_settings *settings,
          const struct mfx_srs_address *from, struct mfx_arena *arena,
          struct mfx_str *name)
{
    unsigned char mac[SHA1_LEN];
    char *out = mfx_arena_alloc_bytes(arena, MFX_SRS_NAME);
    struct mfx_str text =
        mfx_arena_printf(arena, "@%.*s@%.*s", MFX_STR_ARG(from->local),
                         MFX_STR_ARG(from->domain));
    if (out == NULL || text.p == NULL || !hmac(settings->secrets[0], text, mac))
        return false;
    for (size_t i = 0; i < MFX_SRS_NAME; i++) {
        size_t at = i * 5 / 8, shift = i * 5 % 8;
        unsigned two = (unsigned)mac[at] << 8;
        if (at + 1 < sizeof mac)
            two |= mac[at + 1];
        out[i] = base32hex[two >> (11 - shift) & 31];
    }
    *name = mfx_str(out, MFX_SRS_NAME);
    return true;
}

enum mfx_srs_result
mfx_srs_forward_short(const struct mfx_srs_settings *settings,
                      const struct mfx_srs_address *from, uint64_t now,
                      struct mfx_arena *arena, struct mfx_srs_address *to,
                      struct mfx_str *name)
{
    char stamp[STAMP_LEN];
    struct parts parts = {.domain = short_mark};
    enum mfx_srs_result result = check_sender(from, arena);
    if (result != MFX_SRS_FOUND)
        return result;
    if (!make_name(settings, from, arena, &parts.rest))
        return MFX_SRS_UNAVAILABLE;
    make_stamp(now, stamp);
    parts.stamp = mfx_str(stamp, sizeof stamp);
    *name = parts.rest;
    return write_address(settings, "SRS0", &parts, arena, to);
}

/* --- reverse --- */

static enum mfx_srs_result
parse_srs0(struct mfx_str local, struct mfx_arena *arena, struct parts *parts)
{
    struct mfx_str rest = mfx_str_from(local, TAG_LEN);
    size_t len;
    *parts = (struct parts){0};
    if (!mfx_str_cut(&rest, '=', &parts->hash) || rest.p == NULL ||
        !mfx_str_cut(&rest, '=', &parts->stamp) || rest.p == NULL ||
        !mfx_str_cut(&rest, '=', &parts->domain))
        return MFX_SRS_MALFORMED;
    parts->rest = rest;
    if (parts->hash.len == 0 || read_stamp(parts->stamp) == STAMP_SLOTS)
        return MFX_SRS_MALFORMED;
    if (mfx_str_eq(parts->domain, short_mark))
        return is_name(rest) ? MFX_SRS_FOUND : MFX_SRS_MALFORMED;
    return check_address(rest, parts->domain, arena, &len);
}

/* In the case that it was made in. */
static enum mfx_srs_result
read_name(const struct parts *parts, struct mfx_arena *arena,
          struct mfx_srs_address *to)
{
    char *name = mfx_arena_alloc_bytes(arena, MFX_SRS_NAME);
    if (name == NULL)
        return MFX_SRS_UNAVAILABLE;
    for (size_t i = 0; i < MFX_SRS_NAME; i++) {
        char c = parts->rest.p[i];
        name[i] = c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
    }
    to->local = mfx_str(name, MFX_SRS_NAME);
    to->domain = parts->domain;
    return MFX_SRS_SHORT;
}

static enum mfx_srs_result
reverse_srs0(const struct mfx_srs_settings *settings, struct mfx_str local,
             uint64_t now, struct mfx_arena *arena, struct mfx_srs_address *to)
{
    struct parts parts;
    enum mfx_srs_result result = parse_srs0(local, arena, &parts);
    if (result == MFX_SRS_FOUND)
        result = check_hash(settings, &parts, arena);
    if (result != MFX_SRS_FOUND)
        return result;
    if (!is_fresh(settings, read_stamp(parts.stamp), now))
        return MFX_SRS_TOO_OLD;
    if (mfx_str_eq(parts.domain, short_mark))
        return read_name(&parts, arena, to);
    to->domain = parts.domain;
    to->local = parts.rest;
    return MFX_SRS_FOUND;
}

static enum mfx_srs_result
reverse_srs1(const struct mfx_srs_settings *settings, struct mfx_str local,
             struct mfx_arena *arena, struct mfx_srs_address *to)
{
    struct parts parts;
    enum mfx_srs_result result = parse_srs1(local, arena, &parts);
    if (result == MFX_SRS_FOUND)
        result = check_hash(settings, &parts, arena);
    if (result != MFX_SRS_FOUND)
        return result;
    struct mfx_str inner =
        mfx_arena_printf(arena, "SRS0%.*s", MFX_STR_ARG(parts.rest));
    if (inner.p == NULL)
        return MFX_SRS_UNAVAILABLE;
    to->local = inner;
    to->domain = parts.domain;
    return MFX_SRS_FOUND;
}

enum mfx_srs_result
mfx_srs_reverse(const struct mfx_srs_settings *settings, struct mfx_str local,
                uint64_t now, struct mfx_arena *arena,
                struct mfx_srs_address *to)
{
    if (!mfx_srs_is_tagged(local))
        return MFX_SRS_NOT_SRS;
    if (local.len > 2 * MFX_SRS_INPUT_MAX)
        return MFX_SRS_MALFORMED;
    if (has_tag(local, "SRS1"))
        return reverse_srs1(settings, local, arena, to);
    return reverse_srs0(settings, local, now, arena, to);
}
