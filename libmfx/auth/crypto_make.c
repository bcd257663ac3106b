/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Keys from their numbers. EVP_PKEY_fromdata with numbers that we have read
 * ourselves costs a few microseconds; OpenSSL's decoders a few hundred.
 */
#include <mfx/auth/crypto.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

enum {
    RSA_NUMBERS = 8, /* n e d p q dp dq qi */
};

static const char *const names[RSA_NUMBERS] = {
    OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
    OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
    OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

static bool
read_numbers(const struct mfx_der *from, size_t count, BIGNUM **bn)
{
    for (size_t i = 0; i < count; i++) {
        bn[i] = BN_bin2bn(from[i].p, (int)from[i].len, NULL);
        if (bn[i] == NULL)
            return false;
    }
    return true;
}

static EVP_PKEY *
from_params(OSSL_PARAM *params, int selection)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *
from_numbers(BIGNUM *const *bn, size_t count, int selection)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    bool ok = build != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = OSSL_PARAM_BLD_push_BN(build, names[i], bn[i]) == 1;
    if (ok)
        params = OSSL_PARAM_BLD_to_param(build);
    if (params != NULL)
        pkey = from_params(params, selection);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

/* What a check says: yes, no, or that OpenSSL could not do the sum. */
static enum mfx_rc
verdict(bool could, bool agrees)
{
    if (!could)
        return MFX_TEMPFAIL;
    return agrees ? MFX_OK : MFX_PERMFAIL;
}

/* exponent = d mod (prime - 1), and e * exponent = 1 in the same ring. */
static enum mfx_rc
exponent_fits(const BIGNUM *prime, const BIGNUM *exponent, const BIGNUM *d,
              const BIGNUM *e, BN_CTX *ctx)
{
    BN_CTX_start(ctx);
    BIGNUM *order = BN_CTX_get(ctx), *rest = BN_CTX_get(ctx),
           *one = BN_CTX_get(ctx);
    bool could = one != NULL && BN_sub(order, prime, BN_value_one()) == 1 &&
                 BN_mod(rest, d, order, ctx) == 1 &&
                 BN_mod_mul(one, exponent, e, order, ctx) == 1;
    enum mfx_rc rc =
        verdict(could, could && BN_cmp(rest, exponent) == 0 && BN_is_one(one));
    BN_CTX_end(ctx);
    return rc;
}

static enum mfx_rc
primes_fit(BIGNUM *const *bn, BN_CTX *ctx)
{
    const BIGNUM *n = bn[0], *p = bn[3], *q = bn[4], *qi = bn[7];
    if (BN_num_bits(p) < 2 || BN_num_bits(q) < 2)
        return MFX_PERMFAIL;
    BN_CTX_start(ctx);
    BIGNUM *product = BN_CTX_get(ctx), *one = BN_CTX_get(ctx);
    bool could = one != NULL && BN_mul(product, p, q, ctx) == 1 &&
                 BN_mod_mul(one, q, qi, p, ctx) == 1;
    enum mfx_rc rc =
        verdict(could, could && BN_cmp(product, n) == 0 && BN_is_one(one));
    BN_CTX_end(ctx);
    return rc;
}

/* n = p q, q qi = 1 mod p, and both exponents: a file with a flipped bit must
 * not load. (Primality is not tested: that costs as much as making a key.) */
static enum mfx_rc
numbers_agree(BIGNUM *const *bn)
{
    const BIGNUM *e = bn[1], *d = bn[2];
    BN_CTX *ctx = BN_CTX_secure_new();
    if (ctx == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = primes_fit(bn, ctx);
    if (rc == MFX_OK)
        rc = exponent_fits(bn[3], bn[5], d, e, ctx);
    if (rc == MFX_OK)
        rc = exponent_fits(bn[4], bn[6], d, e, ctx);
    BN_CTX_free(ctx);
    return rc;
}

/* An exponent that OpenSSL would work on for long, or that is no RSA. */
static bool
public_is_sane(struct mfx_der n, struct mfx_der e)
{
    return n.len > 0 && e.len > 0 && e.len <= 8 && (e.p[e.len - 1] & 1) == 1 &&
           (e.len > 1 || e.p[0] >= 3) && (n.p[n.len - 1] & 1) == 1;
}

static enum mfx_rc
make_rsa(const struct mfx_der *from, size_t count, struct mfx_crypto_key **key)
{
    bool is_private = count == RSA_NUMBERS;
    BIGNUM *bn[RSA_NUMBERS] = {0};
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (!public_is_sane(from[0], from[1]))
        return MFX_PERMFAIL;
    if (read_numbers(from, count, bn))
        rc = is_private ? numbers_agree(bn) : MFX_OK;
    if (rc == MFX_OK) {
        EVP_PKEY *pkey = from_numbers(
            bn, count, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY);
        /* takes NULL for what it most likely is: no memory */
        rc = mfx_crypto_key_new(pkey, MFX_DKIM_RSA_SHA256, is_private, key);
    }
    for (size_t i = 0; i < RSA_NUMBERS; i++)
        BN_clear_free(bn[i]);
    ERR_clear_error();
    return rc;
}

enum mfx_rc
mfx_crypto_rsa_private(const struct mfx_crypto_rsa *numbers,
                       struct mfx_crypto_key **key)
{
    const struct mfx_der from[RSA_NUMBERS] = {
        numbers->n, numbers->e,  numbers->d,  numbers->p,
        numbers->q, numbers->dp, numbers->dq, numbers->qi};
    return make_rsa(from, RSA_NUMBERS, key);
}

enum mfx_rc
mfx_crypto_rsa_public(struct mfx_der n, struct mfx_der e,
                      struct mfx_crypto_key **key)
{
    const struct mfx_der from[] = {n, e};
    return make_rsa(from, 2, key);
}

static enum mfx_rc
made_ed25519(EVP_PKEY *pkey, bool is_private, struct mfx_crypto_key **key)
{
    ERR_clear_error();
    return mfx_crypto_key_new(pkey, MFX_DKIM_ED25519_SHA256, is_private, key);
}

enum mfx_rc
mfx_crypto_ed25519_private(const unsigned char seed[MFX_CRYPTO_ED25519_LEN],
                           struct mfx_crypto_key **key)
{
    return made_ed25519(EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL,
                                                        seed,
                                                        MFX_CRYPTO_ED25519_LEN),
                        true, key);
}

enum mfx_rc
mfx_crypto_ed25519_public(const unsigned char raw[MFX_CRYPTO_ED25519_LEN],
                          struct mfx_crypto_key **key)
{
    return made_ed25519(EVP_PKEY_new_raw_public_key_ex(
                            NULL, "ED25519", NULL, raw, MFX_CRYPTO_ED25519_LEN),
                        false, key);
}

enum mfx_rc
mfx_crypto_generate(enum mfx_dkim_algorithm algorithm, unsigned bits,
                    struct mfx_crypto_key **key)
{
    EVP_PKEY *pkey = algorithm == MFX_DKIM_RSA_SHA256
                         ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits)
                         : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (pkey == NULL) {
        ERR_clear_error();
        return MFX_TEMPFAIL;
    }
    return mfx_crypto_key_new(pkey, algorithm, true, key);
}
