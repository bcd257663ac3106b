/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_key.h>

#include <mfx/auth/crypto.h>
#include <mfx/auth/dkim_record.h>
#include <mfx/auth/dkim_tag.h>
#include <mfx/base/base64.h>

enum {
    /* A key of 16384 bits still fits, and is called too long, not broken. */
    KEY_OCTETS_MAX = 4096,
};

static struct mfx_crypto_key *
inner(const struct mfx_dkim_public_key *key)
{
    return (struct mfx_crypto_key *)(uintptr_t)key;
}

const char *
mfx_dkim_record_problem_text(enum mfx_dkim_record_problem problem)
{
    switch (problem) {
    case MFX_DKIM_RECORD_GOOD:
        return "good";
    case MFX_DKIM_RECORD_SYNTAX:
        return "key record has a syntax error";
    case MFX_DKIM_RECORD_VERSION:
        return "key record is not of version DKIM1";
    case MFX_DKIM_RECORD_REVOKED:
        return "key revoked";
    case MFX_DKIM_RECORD_KEY_TYPE:
        return "unknown key type";
    case MFX_DKIM_RECORD_HASH:
        return "inappropriate hash algorithm";
    case MFX_DKIM_RECORD_SERVICE:
        return "inappropriate service type";
    case MFX_DKIM_RECORD_KEY:
        return "public key cannot be read";
    case MFX_DKIM_RECORD_KEY_SHORT:
        return "key too short";
    case MFX_DKIM_RECORD_KEY_LONG:
        return "key too long";
    case MFX_DKIM_RECORD_INTERNAL:
        return "out of memory";
    }
    return "";
}

/* RSA as SubjectPublicKeyInfo (what everybody publishes) or RSAPublicKey
 * (what RFC 6376 3.6.1 says). */
static enum mfx_rc
rsa_from_der(struct mfx_der der, struct mfx_crypto_key **key)
{
    struct mfx_der seq, bits, n, e;
    enum mfx_der_algorithm algorithm;
    if (!mfx_der_take(&der, MFX_DER_SEQUENCE, &seq))
        return MFX_PERMFAIL;
    if (mfx_der_take_algorithm(&seq, &algorithm)) {
        if (algorithm != MFX_DER_RSA ||
            !mfx_der_take(&seq, MFX_DER_BIT_STRING, &bits) || bits.len == 0 ||
            bits.p[0] != 0)
            return MFX_PERMFAIL;
        bits = (struct mfx_der){bits.p + 1, bits.len - 1};
        if (!mfx_der_take(&bits, MFX_DER_SEQUENCE, &seq))
            return MFX_PERMFAIL;
    }
    if (!mfx_der_take_number(&seq, &n) || !mfx_der_take_number(&seq, &e))
        return MFX_PERMFAIL;
    return mfx_crypto_rsa_public(n, e, key);
}

static enum mfx_dkim_record_problem
length_problem(enum mfx_dkim_algorithm algorithm, unsigned bits,
               unsigned min_bits)
{
    if (algorithm != MFX_DKIM_RSA_SHA256)
        return MFX_DKIM_RECORD_GOOD;
    if (min_bits < MFX_DKIM_RSA_MIN_BITS)
        min_bits = MFX_DKIM_RSA_MIN_BITS;
    if (bits < min_bits)
        return MFX_DKIM_RECORD_KEY_SHORT;
    return bits > MFX_DKIM_RSA_MAX_BITS ? MFX_DKIM_RECORD_KEY_LONG
                                        : MFX_DKIM_RECORD_GOOD;
}

/* Reads p=; sets bits and, when all is well, the key. */
static enum mfx_dkim_record_problem
read_key(struct mfx_str p, unsigned min_bits, struct mfx_dkim_record *record)
{
    unsigned char octets[KEY_OCTETS_MAX];
    struct mfx_crypto_key *key = NULL;
    size_t len = 0;
    enum mfx_rc rc;
    if (p.len > KEY_OCTETS_MAX)
        return MFX_DKIM_RECORD_KEY_LONG;
    if (mfx_base64_decode(p, octets, sizeof octets, &len) != MFX_OK)
        return MFX_DKIM_RECORD_SYNTAX;
    if (record->algorithm == MFX_DKIM_RSA_SHA256)
        rc = rsa_from_der((struct mfx_der){octets, len}, &key);
    else if (len == MFX_CRYPTO_ED25519_LEN)
        rc = mfx_crypto_ed25519_public(octets, &key);
    else
        rc = MFX_PERMFAIL;
    if (rc != MFX_OK)
        return rc == MFX_TEMPFAIL ? MFX_DKIM_RECORD_INTERNAL
                                  : MFX_DKIM_RECORD_KEY;
    record->bits = mfx_crypto_key_bits(key);
    enum mfx_dkim_record_problem problem =
        length_problem(record->algorithm, record->bits, min_bits);
    if (problem == MFX_DKIM_RECORD_GOOD)
        record->key = (struct mfx_dkim_public_key *)key;
    else
        mfx_crypto_key_unref(key);
    return problem;
}

static struct mfx_str
value_of(const struct mfx_dkim_tags *tags, const char *name,
         const char *otherwise)
{
    const struct mfx_dkim_tag *tag = mfx_dkim_tags_find(tags, name);
    return tag == NULL ? mfx_str_of(otherwise) : tag->value;
}

static bool
version_is_good(const struct mfx_dkim_tags *tags)
{
    const struct mfx_dkim_tag *v = mfx_dkim_tags_find(tags, "v");
    return v == NULL || (v == tags->tag && mfx_str_is(v->value, "DKIM1"));
}

static enum mfx_dkim_record_problem
parse(struct mfx_str text, unsigned min_bits, struct mfx_dkim_record *record)
{
    struct mfx_dkim_tags tags;
    if (!mfx_dkim_tags_parse(text, &tags))
        return MFX_DKIM_RECORD_SYNTAX;
    const struct mfx_dkim_tag *p = mfx_dkim_tags_find(&tags, "p");
    if (!version_is_good(&tags))
        return MFX_DKIM_RECORD_VERSION;
    if (p == NULL)
        return MFX_DKIM_RECORD_SYNTAX;
    struct mfx_str flags = value_of(&tags, "t", "");
    record->is_testing = mfx_dkim_tags_list_has(flags, "y");
    record->is_strict_domain = mfx_dkim_tags_list_has(flags, "s");
    if (p->value.len == 0)
        return MFX_DKIM_RECORD_REVOKED;
    struct mfx_str type = value_of(&tags, "k", "rsa");
    if (mfx_str_is_nocase(type, "ed25519"))
        record->algorithm = MFX_DKIM_ED25519_SHA256;
    else if (!mfx_str_is_nocase(type, "rsa"))
        return MFX_DKIM_RECORD_KEY_TYPE;
    if (!mfx_dkim_tags_list_has(value_of(&tags, "h", "sha256"), "sha256"))
        return MFX_DKIM_RECORD_HASH;
    struct mfx_str service = value_of(&tags, "s", "*");
    if (!mfx_dkim_tags_list_has(service, "*") &&
        !mfx_dkim_tags_list_has(service, "email"))
        return MFX_DKIM_RECORD_SERVICE;
    return read_key(p->value, min_bits, record);
}

void
mfx_dkim_record_parse(struct mfx_str text, unsigned min_bits,
                      struct mfx_dkim_record *record)
{
    *record = (struct mfx_dkim_record){.algorithm = MFX_DKIM_RSA_SHA256};
    record->problem = parse(text, min_bits, record);
}

void
mfx_dkim_record_fini(struct mfx_dkim_record *record)
{
    mfx_crypto_key_unref(inner(record->key));
    record->key = NULL;
}

void
mfx_dkim_record_copy(const struct mfx_dkim_record *from, unsigned min_bits,
                     struct mfx_dkim_record *record)
{
    *record = *from;
    if (record->key == NULL)
        return;
    record->problem = length_problem(record->algorithm, record->bits, min_bits);
    if (record->problem == MFX_DKIM_RECORD_GOOD)
        mfx_crypto_key_ref(inner(record->key));
    else
        record->key = NULL;
}

enum mfx_rc
mfx_dkim_public_key_verify(struct mfx_dkim_public_key *key,
                           const unsigned char digest[MFX_DKIM_SHA256],
                           const unsigned char *signature, size_t len)
{
    return mfx_crypto_verify(inner(key), digest, signature, len);
}

bool
mfx_dkim_public_key_matches(const struct mfx_dkim_public_key *key,
                            const struct mfx_dkim_private_key *other)
{
    const struct mfx_crypto_key *private = (const void *)other;
    return EVP_PKEY_eq(mfx_crypto_key_pkey(inner(key)),
                       mfx_crypto_key_pkey(private)) == 1;
}
