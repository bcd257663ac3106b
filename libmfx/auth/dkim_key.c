/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_key.h>

#include <mfx/auth/crypto.h>
#include <mfx/base/base64.h>
#include <mfx/base/buf.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <string.h>

/* The two kinds of keys are names of their own for the same object, so that a
 * public key cannot be passed for a private one. */

static struct mfx_crypto_key *
inner(const struct mfx_dkim_private_key *key)
{
    return (struct mfx_crypto_key *)(uintptr_t)key;
}

static struct mfx_dkim_private_key *
outer(struct mfx_crypto_key *key)
{
    return (struct mfx_dkim_private_key *)key;
}

const char *
mfx_dkim_algorithm_name(enum mfx_dkim_algorithm algorithm)
{
    switch (algorithm) {
    case MFX_DKIM_RSA_SHA256:
        return "rsa-sha256";
    case MFX_DKIM_ED25519_SHA256:
        return "ed25519-sha256";
    }
    return "";
}

enum mfx_rc
mfx_dkim_private_key_generate(enum mfx_dkim_algorithm algorithm, unsigned bits,
                              struct mfx_dkim_private_key **key,
                              struct mfx_err *err)
{
    struct mfx_crypto_key *made = NULL;
    if (algorithm == MFX_DKIM_RSA_SHA256 &&
        (bits < MFX_DKIM_RSA_MIN_BITS || bits > MFX_DKIM_RSA_MAX_BITS)) {
        mfx_err_set(err, "an RSA key has %d to %d bits, not %u",
                    MFX_DKIM_RSA_MIN_BITS, MFX_DKIM_RSA_MAX_BITS, bits);
        return MFX_PERMFAIL;
    }
    enum mfx_rc rc = mfx_crypto_generate(algorithm, bits, &made);
    if (rc != MFX_OK)
        mfx_err_set(err, "OpenSSL could not make the key");
    else
        *key = outer(made);
    return rc;
}

struct mfx_dkim_private_key *
mfx_dkim_private_key_ref(struct mfx_dkim_private_key *key)
{
    return outer(mfx_crypto_key_ref(inner(key)));
}

void
mfx_dkim_private_key_unref(struct mfx_dkim_private_key *key)
{
    mfx_crypto_key_unref(inner(key));
}

enum mfx_dkim_algorithm
mfx_dkim_private_key_algorithm(const struct mfx_dkim_private_key *key)
{
    return mfx_crypto_key_algorithm(inner(key));
}

unsigned
mfx_dkim_private_key_bits(const struct mfx_dkim_private_key *key)
{
    return mfx_crypto_key_bits(inner(key));
}

enum mfx_rc
mfx_dkim_private_key_format(const struct mfx_dkim_private_key *key,
                            struct mfx_arena *arena, struct mfx_str *pem,
                            struct mfx_err *err)
{
    EVP_PKEY *pkey = mfx_crypto_key_pkey(inner(key));
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0,
                                                     NULL, NULL) == 1) {
        long len = BIO_get_mem_data(bio, &text);
        *pem = mfx_arena_copy(arena, mfx_str(text, (size_t)len));
        rc = pem->p == NULL ? MFX_TEMPFAIL : MFX_OK;
    }
    BIO_free(bio);
    ERR_clear_error();
    if (rc != MFX_OK)
        mfx_err_set(err, "out of memory");
    return rc;
}

/* --- the octets of p= --- */

enum {
    /* RFC 3279 2.3.1: two numbers of up to 8192 bits and what is around */
    PUBLIC_MAX = 2 * MFX_DKIM_RSA_MAX_BITS / 8 + 128,
};

/* DER that grows towards its front, so that each length is known when it is
 * written. */
struct backwards {
    unsigned char *p; /* the first octet written */
    size_t len;
};

static void
put_octets(struct backwards *out, const void *octets, size_t len)
{
    out->p -= len;
    out->len += len;
    memcpy(out->p, octets, len);
}

/* Tag and length of what was written since `before`. */
static void
put_head(struct backwards *out, unsigned char tag, size_t before)
{
    size_t len = out->len - before;
    unsigned char head[4] = {tag, (unsigned char)len, 0, 0};
    size_t n = 2;
    if (len >= 0x80) {
        n = len < 0x100 ? 3 : 4;
        head[1] = (unsigned char)(0x80 + n - 2);
        head[2] = (unsigned char)(n == 3 ? len : len >> 8);
        head[3] = (unsigned char)len;
    }
    put_octets(out, head, n);
}

static bool
put_number(struct backwards *out, EVP_PKEY *pkey, const char *name)
{
    unsigned char octets[MFX_DKIM_RSA_MAX_BITS / 8 + 1];
    BIGNUM *number = NULL;
    size_t before = out->len;
    if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1)
        return false;
    int len = BN_num_bytes(number);
    bool fits = len > 0 && (size_t)len < sizeof octets;
    if (fits) {
        octets[0] = 0; /* it is not negative */
        (void)BN_bn2bin(number, octets + 1);
        size_t skip = octets[1] < 0x80;
        put_octets(out, octets + skip, (size_t)len + 1 - skip);
        put_head(out, MFX_DER_INTEGER, before);
    }
    BN_free(number);
    return fits;
}

/* SubjectPublicKeyInfo. By hand, as keys are read: OpenSSL's encoders take
 * 100 us for it. */
static bool
put_rsa(struct backwards *out, EVP_PKEY *pkey)
{
    /* rsaEncryption, and its NULL */
    static const unsigned char algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a,
                                              0x86, 0x48, 0x86, 0xf7, 0x0d,
                                              0x01, 0x01, 0x01, 0x05, 0x00};
    static const unsigned char no_unused_bits = 0;
    if (!put_number(out, pkey, OSSL_PKEY_PARAM_RSA_E) ||
        !put_number(out, pkey, OSSL_PKEY_PARAM_RSA_N))
        return false;
    put_head(out, MFX_DER_SEQUENCE, 0);
    put_octets(out, &no_unused_bits, 1);
    put_head(out, MFX_DER_BIT_STRING, 0);
    put_octets(out, algorithm, sizeof algorithm);
    put_head(out, MFX_DER_SEQUENCE, 0);
    return true;
}

static bool
put_ed25519(struct backwards *out, EVP_PKEY *pkey)
{
    unsigned char octets[MFX_CRYPTO_ED25519_LEN];
    size_t len = sizeof octets;
    if (EVP_PKEY_get_raw_public_key(pkey, octets, &len) != 1)
        return false;
    put_octets(out, octets, len);
    return true;
}

enum mfx_rc
mfx_dkim_private_key_record(const struct mfx_dkim_private_key *key,
                            struct mfx_arena *arena, struct mfx_str *record,
                            struct mfx_err *err)
{
    bool is_rsa = mfx_dkim_private_key_algorithm(key) == MFX_DKIM_RSA_SHA256;
    EVP_PKEY *pkey = mfx_crypto_key_pkey(inner(key));
    unsigned char octets[PUBLIC_MAX];
    struct backwards der = {octets + sizeof octets, 0};
    bool ok = is_rsa ? put_rsa(&der, pkey) : put_ed25519(&der, pkey);
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, SIZE_MAX / 2);
    mfx_buf_add_text(&out,
                     is_rsa ? "v=DKIM1; k=rsa; p=" : "v=DKIM1; k=ed25519; p=");
    char *room = mfx_buf_room(&out, mfx_base64_encoded_len(der.len));
    if (ok && room != NULL)
        out.len += mfx_base64_encode(der.p, der.len, room);
    ERR_clear_error();
    if (!ok || !mfx_buf_ok(&out)) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    *record = mfx_buf_str(&out);
    return MFX_OK;
}

enum mfx_rc
mfx_dkim_private_key_sign(struct mfx_dkim_private_key *key,
                          const unsigned char digest[MFX_DKIM_SHA256],
                          unsigned char *signature, size_t *len,
                          struct mfx_err *err)
{
    *len = MFX_DKIM_SIGNATURE_MAX;
    enum mfx_rc rc = mfx_crypto_sign(inner(key), digest, signature, len);
    if (rc == MFX_OK)
        return MFX_OK;
    mfx_err_set(err, "OpenSSL could not sign");
    return MFX_TEMPFAIL;
}
