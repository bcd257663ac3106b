/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Private keys as people store them. They are read by hand: OpenSSL's decoders
 * take 300 us for what takes 20, and a table may name 100,000 files.
 */
#include <mfx/auth/dkim_key.h>

#include <mfx/auth/crypto.h>
#include <mfx/base/base64.h>

#include <openssl/crypto.h>

#include <stdlib.h>

enum {
    TEXT_MAX = 256 * 1024,
    NACL_SECRET_LEN = 64, /* seed and public key, as libsodium writes them */
};

static enum mfx_rc
refuse(struct mfx_err *err, const char *why)
{
    mfx_err_set(err, "%s", why);
    return MFX_PERMFAIL;
}

/* --- DER --- */

static enum mfx_rc
made(enum mfx_rc rc, struct mfx_crypto_key *key,
     struct mfx_dkim_private_key **out, struct mfx_err *err)
{
    if (rc == MFX_TEMPFAIL)
        mfx_err_set(err, "out of memory");
    if (rc == MFX_PERMFAIL)
        return refuse(err, "damaged private key: its numbers do not agree");
    if (rc != MFX_OK)
        return rc;
    unsigned bits = mfx_crypto_key_bits(key);
    if (mfx_crypto_key_algorithm(key) == MFX_DKIM_RSA_SHA256 &&
        (bits < MFX_DKIM_RSA_MIN_BITS || bits > MFX_DKIM_RSA_MAX_BITS)) {
        mfx_crypto_key_unref(key);
        mfx_err_set(err, "RSA key of %u bits: %d to %d are allowed", bits,
                    MFX_DKIM_RSA_MIN_BITS, MFX_DKIM_RSA_MAX_BITS);
        return MFX_PERMFAIL;
    }
    *out = (struct mfx_dkim_private_key *)key;
    return MFX_OK;
}

/* RSAPrivateKey, RFC 8017 A.1.2. */
static enum mfx_rc
rsa_from_der(struct mfx_der der, struct mfx_dkim_private_key **out,
             struct mfx_err *err)
{
    struct mfx_crypto_rsa r;
    struct mfx_crypto_key *key = NULL;
    struct mfx_der seq, version;
    if (!mfx_der_take(&der, MFX_DER_SEQUENCE, &seq) ||
        !mfx_der_take_number(&seq, &version))
        return refuse(err, "damaged RSA private key");
    if (version.len != 0)
        return refuse(err, "RSA private key with more than two primes");
    if (!mfx_der_take_number(&seq, &r.n) || !mfx_der_take_number(&seq, &r.e) ||
        !mfx_der_take_number(&seq, &r.d) || !mfx_der_take_number(&seq, &r.p) ||
        !mfx_der_take_number(&seq, &r.q) || !mfx_der_take_number(&seq, &r.dp) ||
        !mfx_der_take_number(&seq, &r.dq) || !mfx_der_take_number(&seq, &r.qi))
        return refuse(err, "damaged RSA private key");
    enum mfx_rc rc = mfx_crypto_rsa_private(&r, &key);
    return made(rc, key, out, err);
}

static enum mfx_rc
ed25519_from_seed(const unsigned char *seed, struct mfx_dkim_private_key **out,
                  struct mfx_err *err)
{
    struct mfx_crypto_key *key = NULL;
    enum mfx_rc rc = mfx_crypto_ed25519_private(seed, &key);
    return made(rc, key, out, err);
}

/* PrivateKeyInfo and OneAsymmetricKey, RFC 5958 2; Ed25519 as in RFC 8410 7. */
static enum mfx_rc
pkcs8_from_der(struct mfx_der der, struct mfx_dkim_private_key **out,
               struct mfx_err *err)
{
    struct mfx_der seq, version, octets, seed;
    enum mfx_der_algorithm algorithm;
    if (!mfx_der_take(&der, MFX_DER_SEQUENCE, &seq) ||
        !mfx_der_take_number(&seq, &version) ||
        !mfx_der_take_algorithm(&seq, &algorithm) ||
        !mfx_der_take(&seq, MFX_DER_OCTET_STRING, &octets))
        return refuse(err, "damaged PKCS#8 private key");
    switch (algorithm) {
    case MFX_DER_RSA:
        return rsa_from_der(octets, out, err);
    case MFX_DER_ED25519:
        if (!mfx_der_take(&octets, MFX_DER_OCTET_STRING, &seed) ||
            seed.len != MFX_CRYPTO_ED25519_LEN)
            return refuse(err, "damaged Ed25519 private key");
        return ed25519_from_seed(seed.p, out, err);
    case MFX_DER_OTHER:
        break;
    }
    return refuse(err, "private key that is neither RSA nor Ed25519");
}

/* PKCS#1 goes on with a number, PKCS#8 with an algorithm. */
static enum mfx_rc
any_from_der(struct mfx_der der, struct mfx_dkim_private_key **out,
             struct mfx_err *err)
{
    struct mfx_der in = der, seq, number;
    if (!mfx_der_take(&in, MFX_DER_SEQUENCE, &seq) ||
        !mfx_der_take_number(&seq, &number))
        return refuse(err, "base64 that holds no private key");
    if (mfx_der_take_number(&seq, &number))
        return rsa_from_der(der, out, err);
    return pkcs8_from_der(der, out, err);
}

/* 32 octets are a seed; 64 are libsodium's seed and public key, if they
 * belong together. */
static enum mfx_rc
nacl_from_octets(struct mfx_der octets, struct mfx_dkim_private_key **out,
                 struct mfx_err *err)
{
    unsigned char public[MFX_CRYPTO_ED25519_LEN];
    size_t len = sizeof public;
    struct mfx_dkim_private_key *key;
    enum mfx_rc rc = ed25519_from_seed(octets.p, &key, err);
    if (rc != MFX_OK)
        return rc;
    EVP_PKEY *pkey = mfx_crypto_key_pkey((struct mfx_crypto_key *)key);
    if (octets.len == NACL_SECRET_LEN &&
        (EVP_PKEY_get_raw_public_key(pkey, public, &len) != 1 ||
         memcmp(public, octets.p + MFX_CRYPTO_ED25519_LEN, len) != 0)) {
        mfx_dkim_private_key_unref(key);
        return refuse(err, "damaged Ed25519 private key");
    }
    *out = key;
    return MFX_OK;
}

/* --- text --- */

static enum mfx_rc
bare_from_der(struct mfx_der der, struct mfx_dkim_private_key **out,
              struct mfx_err *err)
{
    if (der.len == MFX_CRYPTO_ED25519_LEN || der.len == NACL_SECRET_LEN)
        return nacl_from_octets(der, out, err);
    return any_from_der(der, out, err);
}

typedef enum mfx_rc reader(struct mfx_der der,
                           struct mfx_dkim_private_key **out,
                           struct mfx_err *err);

static enum mfx_rc
from_base64(struct mfx_str text, reader *read,
            struct mfx_dkim_private_key **out, struct mfx_err *err)
{
    size_t size = text.len / 4 * 3 + 3, len = 0;
    unsigned char *octets = malloc(size);
    if (octets == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    enum mfx_rc rc = mfx_base64_decode(text, octets, size, &len);
    if (rc == MFX_OK)
        rc = read((struct mfx_der){octets, len}, out, err);
    else
        rc = refuse(err, "no private key: neither PEM nor base64");
    OPENSSL_cleanse(octets, size);
    free(octets);
    return rc;
}

/* Offset of the word, or s.len. */
static size_t
find(struct mfx_str s, const char *word)
{
    const char *at = s.len == 0 ? NULL : memmem(s.p, s.len, word, strlen(word));
    return at == NULL ? s.len : (size_t)(at - s.p);
}

struct pem_block {
    struct mfx_str label, content;
};

/* The next block at or behind *rest. */
static bool
pem_next(struct mfx_str *rest, struct pem_block *block)
{
    static const char begin[] = "-----BEGIN ", dashes[] = "-----";
    size_t at = find(*rest, begin);
    if (at == rest->len)
        return false;
    struct mfx_str s = mfx_str_from(*rest, at + sizeof begin - 1);
    size_t end = find(s, dashes);
    if (end == s.len)
        return false;
    block->label = mfx_str_head(s, end);
    s = mfx_str_from(s, end + sizeof dashes - 1);
    end = find(s, "-----END ");
    if (end == s.len)
        return false;
    block->content = mfx_str_head(s, end);
    *rest = mfx_str_from(s, end + sizeof dashes - 1);
    return true;
}

static enum mfx_rc
from_pem(struct mfx_str text, struct mfx_dkim_private_key **out,
         struct mfx_err *err)
{
    struct pem_block b;
    const char *why = "damaged PEM block";
    while (pem_next(&text, &b)) {
        bool is_pkcs1 = mfx_str_is(b.label, "RSA PRIVATE KEY");
        if (mfx_str_is(b.label, "ENCRYPTED PRIVATE KEY") ||
            (is_pkcs1 && mfx_str_has(b.content, ':')))
            return refuse(err, "encrypted private key: store it without a "
                               "passphrase");
        if (is_pkcs1)
            return from_base64(b.content, rsa_from_der, out, err);
        if (mfx_str_is(b.label, "PRIVATE KEY"))
            return from_base64(b.content, pkcs8_from_der, out, err);
        why = mfx_str_ends_nocase(b.label, mfx_str_of("PUBLIC KEY"))
                  ? "a public key, not a private key"
                  : "PEM without a PKCS#1 or PKCS#8 private key";
    }
    return refuse(err, why);
}

enum mfx_rc
mfx_dkim_private_key_parse(struct mfx_str text,
                           struct mfx_dkim_private_key **key,
                           struct mfx_err *err)
{
    if (text.len > TEXT_MAX)
        return refuse(err, "too large for a private key");
    if (mfx_str_trim(text).len == 0)
        return refuse(err, "empty, no private key");
    if (find(text, "-----BEGIN ") < text.len)
        return from_pem(text, key, err);
    return from_base64(text, bare_from_der, key, err);
}
