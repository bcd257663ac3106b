/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_key.h>

#include <mfx/auth/crypto.h>
#include <mfx/base/base64.h>
#include <mfx/base/buf.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdlib.h>

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

/* The octets of p=: SubjectPublicKeyInfo for RSA, the bare key for Ed25519.
 * The caller frees them with OPENSSL_free. */
static unsigned char *
public_octets(const struct mfx_dkim_private_key *key, size_t *len)
{
    EVP_PKEY *pkey = mfx_crypto_key_pkey(inner(key));
    unsigned char *octets = NULL;
    if (mfx_dkim_private_key_algorithm(key) == MFX_DKIM_RSA_SHA256) {
        int n = i2d_PUBKEY(pkey, &octets);
        *len = n < 0 ? 0 : (size_t)n;
        return n < 0 ? NULL : octets;
    }
    *len = MFX_CRYPTO_ED25519_LEN;
    octets = OPENSSL_malloc(*len);
    if (octets != NULL && EVP_PKEY_get_raw_public_key(pkey, octets, len) == 1)
        return octets;
    OPENSSL_free(octets);
    return NULL;
}

enum mfx_rc
mfx_dkim_private_key_record(const struct mfx_dkim_private_key *key,
                            struct mfx_arena *arena, struct mfx_str *record,
                            struct mfx_err *err)
{
    bool is_rsa = mfx_dkim_private_key_algorithm(key) == MFX_DKIM_RSA_SHA256;
    size_t len = 0;
    unsigned char *octets = public_octets(key, &len);
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, SIZE_MAX / 2);
    mfx_buf_add_text(&out,
                     is_rsa ? "v=DKIM1; k=rsa; p=" : "v=DKIM1; k=ed25519; p=");
    char *room = mfx_buf_room(&out, mfx_base64_encoded_len(len));
    if (octets != NULL && room != NULL)
        out.len += mfx_base64_encode(octets, len, room);
    bool ok = octets != NULL && mfx_buf_ok(&out);
    OPENSSL_free(octets);
    ERR_clear_error();
    if (!ok) {
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
