/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/crypto.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <mfx/auth/lane.h>

enum {
    IDLE_DIGESTS = 256,  /* kept for the process */
    IDLE_OPERATIONS = 8, /* kept for one key */
};

/* The one file-scope state of auth: OpenSSL's SHA-256, fetched once, and
 * digest contexts that wait for their next use. */
static struct {
    pthread_mutex_t mutex;
    EVP_MD *sha256;
    size_t idle_count;
    EVP_MD_CTX *idle[IDLE_DIGESTS];
} digests = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* A context of a key, set up for its one operation. RSA takes the digest
 * through EVP_PKEY_CTX, Ed25519 the message (32 octets) through EVP_MD_CTX. */
struct operation {
    struct operation *next;
    EVP_PKEY_CTX *rsa;
    EVP_MD_CTX *ed25519;
};

struct mfx_crypto_key {
    atomic_uint refs;
    enum mfx_dkim_algorithm algorithm;
    unsigned bits;
    bool is_private;
    EVP_PKEY *pkey;
    pthread_mutex_t mutex;
    struct operation *idle;
    size_t idle_count;
};

enum mfx_rc
mfx_crypto_failure(void)
{
    enum mfx_rc rc = MFX_PERMFAIL;
    unsigned long code;
    while ((code = ERR_get_error()) != 0)
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
            rc = MFX_TEMPFAIL;
    return rc;
}

/* --- digests --- */

/* SHA-256, borrowed for the life of the process, and an idle context when one
 * is asked for and there is one. */
static EVP_MD *
digest_take(EVP_MD_CTX **ctx)
{
    pthread_mutex_lock(&digests.mutex);
    if (digests.sha256 == NULL)
        digests.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    EVP_MD *md = digests.sha256;
    if (ctx != NULL && digests.idle_count > 0)
        *ctx = digests.idle[--digests.idle_count];
    pthread_mutex_unlock(&digests.mutex);
    return md;
}

EVP_MD_CTX *
mfx_crypto_sha256_take(void)
{
    EVP_MD_CTX *ctx = NULL;
    EVP_MD *md = digest_take(&ctx);
    if (ctx == NULL)
        ctx = EVP_MD_CTX_new();
    if (md == NULL || ctx == NULL || EVP_DigestInit_ex(ctx, md, NULL) != 1) {
        EVP_MD_CTX_free(ctx);
        ERR_clear_error();
        return NULL;
    }
    return ctx;
}

bool
mfx_crypto_sha256_result(EVP_MD_CTX *ctx, unsigned char digest[MFX_DKIM_SHA256])
{
    unsigned len = 0;
    return EVP_DigestFinal_ex(ctx, digest, &len) == 1 &&
           len == MFX_DKIM_SHA256 && EVP_DigestInit_ex(ctx, NULL, NULL) == 1;
}

void
mfx_crypto_sha256_give(EVP_MD_CTX *ctx)
{
    if (ctx == NULL)
        return;
    pthread_mutex_lock(&digests.mutex);
    if (digests.idle_count < IDLE_DIGESTS) {
        digests.idle[digests.idle_count++] = ctx;
        ctx = NULL;
    }
    pthread_mutex_unlock(&digests.mutex);
    EVP_MD_CTX_free(ctx);
}

/* --- operations of a key --- */

static void
operation_free(struct operation *op)
{
    if (op == NULL)
        return;
    EVP_PKEY_CTX_free(op->rsa);
    EVP_MD_CTX_free(op->ed25519);
    free(op);
}

static bool
start_rsa(const struct mfx_crypto_key *key, struct operation *op)
{
    EVP_MD *md = digest_take(NULL);
    op->rsa = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    if (md == NULL || op->rsa == NULL)
        return false;
    int ok = key->is_private ? EVP_PKEY_sign_init(op->rsa)
                             : EVP_PKEY_verify_init(op->rsa);
    return ok == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(op->rsa, RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(op->rsa, md) == 1;
}

static bool
start_ed25519(const struct mfx_crypto_key *key, struct operation *op)
{
    op->ed25519 = EVP_MD_CTX_new();
    if (op->ed25519 == NULL)
        return false;
    int ok = key->is_private
                 ? EVP_DigestSignInit_ex(op->ed25519, NULL, NULL, NULL, NULL,
                                         key->pkey, NULL)
                 : EVP_DigestVerifyInit_ex(op->ed25519, NULL, NULL, NULL, NULL,
                                           key->pkey, NULL);
    return ok == 1;
}

static struct operation *
operation_new(const struct mfx_crypto_key *key)
{
    struct operation *op = calloc(1, sizeof *op);
    if (op == NULL)
        return NULL;
    bool ok = key->algorithm == MFX_DKIM_RSA_SHA256 ? start_rsa(key, op)
                                                    : start_ed25519(key, op);
    if (ok)
        return op;
    operation_free(op);
    return NULL;
}

static struct operation *
operation_take(struct mfx_crypto_key *key)
{
    pthread_mutex_lock(&key->mutex);
    struct operation *op = key->idle;
    if (op != NULL) {
        key->idle = op->next;
        key->idle_count--;
    }
    pthread_mutex_unlock(&key->mutex);
    return op != NULL ? op : operation_new(key);
}

static void
operation_give(struct mfx_crypto_key *key, struct operation *op)
{
    pthread_mutex_lock(&key->mutex);
    if (key->idle_count < IDLE_OPERATIONS) {
        op->next = key->idle;
        key->idle = op;
        key->idle_count++;
        op = NULL;
    }
    pthread_mutex_unlock(&key->mutex);
    operation_free(op);
}

/* Ed25519 contexts are set back to their start with the key they have: newer
 * OpenSSL takes only one message an initialization. */
static int
run_sign(struct operation *op, const unsigned char *digest,
         unsigned char *signature, size_t *len)
{
    if (op->rsa != NULL)
        return EVP_PKEY_sign(op->rsa, signature, len, digest, MFX_DKIM_SHA256);
    if (EVP_DigestSignInit(op->ed25519, NULL, NULL, NULL, NULL) != 1)
        return -1;
    return EVP_DigestSign(op->ed25519, signature, len, digest, MFX_DKIM_SHA256);
}

static int
run_verify(struct operation *op, const unsigned char *digest,
           const unsigned char *signature, size_t len)
{
    if (op->rsa != NULL)
        return EVP_PKEY_verify(op->rsa, signature, len, digest,
                               MFX_DKIM_SHA256);
    if (EVP_DigestVerifyInit(op->ed25519, NULL, NULL, NULL, NULL) != 1)
        return -1;
    return EVP_DigestVerify(op->ed25519, signature, len, digest,
                            MFX_DKIM_SHA256);
}

struct sign_job {
    struct mfx_crypto_key *key;
    const unsigned char *digest;
    unsigned char *signature;
    size_t *len;
    enum mfx_rc rc;
};

static void
sign_now(void *arg)
{
    struct sign_job *job = arg;
    struct operation *op = operation_take(job->key);
    if (op == NULL) {
        ERR_clear_error();
        return;
    }
    if (run_sign(op, job->digest, job->signature, job->len) == 1) {
        operation_give(job->key, op);
        job->rc = MFX_OK;
        return;
    }
    operation_free(op);
    job->rc = mfx_crypto_failure();
}

enum mfx_rc
mfx_crypto_sign(struct mfx_crypto_key *key,
                const unsigned char digest[MFX_DKIM_SHA256],
                unsigned char *signature, size_t *len)
{
    struct sign_job job = {key, digest, signature, len, MFX_TEMPFAIL};
    if (key->algorithm == MFX_DKIM_RSA_SHA256)
        mfx_lane_run(key, sign_now, &job);
    else
        sign_now(&job);
    return job.rc;
}

static enum mfx_rc
verify_once(struct operation *op, const unsigned char *digest,
            const unsigned char *signature, size_t len)
{
    int ok = run_verify(op, digest, signature, len);
    enum mfx_rc rc = mfx_crypto_failure();
    if (ok < 0)
        return MFX_TEMPFAIL;
    return ok == 1 ? MFX_OK : rc;
}

/* A mismatch of Ed25519 must be found twice: OpenSSL answers the same, and no
 * error, when memory is missing. */
enum mfx_rc
mfx_crypto_verify(struct mfx_crypto_key *key,
                  const unsigned char digest[MFX_DKIM_SHA256],
                  const unsigned char *signature, size_t len)
{
    struct operation *op = operation_take(key);
    if (op == NULL) {
        ERR_clear_error();
        return MFX_TEMPFAIL;
    }
    enum mfx_rc rc = verify_once(op, digest, signature, len);
    if (rc == MFX_PERMFAIL && key->algorithm == MFX_DKIM_ED25519_SHA256)
        rc = verify_once(op, digest, signature, len);
    operation_give(key, op);
    return rc;
}

/* --- keys --- */

/* 0: OpenSSL could not say, which it does when memory is missing. */
static unsigned
bits_of(const EVP_PKEY *pkey, enum mfx_dkim_algorithm algorithm)
{
    int bits = EVP_PKEY_get_bits(pkey);
    if (bits <= 0)
        return 0;
    return algorithm == MFX_DKIM_RSA_SHA256 ? (unsigned)bits : 256;
}

enum mfx_rc
mfx_crypto_key_new(EVP_PKEY *pkey, enum mfx_dkim_algorithm algorithm,
                   bool is_private, struct mfx_crypto_key **key)
{
    unsigned bits = pkey == NULL ? 0 : bits_of(pkey, algorithm);
    struct mfx_crypto_key *k = bits == 0 ? NULL : calloc(1, sizeof *k);
    if (k == NULL) {
        EVP_PKEY_free(pkey);
        ERR_clear_error();
        return MFX_TEMPFAIL;
    }
    atomic_init(&k->refs, 1);
    k->algorithm = algorithm;
    k->is_private = is_private;
    k->pkey = pkey;
    k->bits = bits;
    pthread_mutex_init(&k->mutex, NULL);
    *key = k;
    return MFX_OK;
}

struct mfx_crypto_key *
mfx_crypto_key_ref(struct mfx_crypto_key *key)
{
    atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
    return key;
}

void
mfx_crypto_key_unref(struct mfx_crypto_key *key)
{
    if (key == NULL ||
        atomic_fetch_sub_explicit(&key->refs, 1, memory_order_acq_rel) != 1)
        return;
    while (key->idle != NULL) {
        struct operation *op = key->idle;
        key->idle = op->next;
        operation_free(op);
    }
    pthread_mutex_destroy(&key->mutex);
    EVP_PKEY_free(key->pkey);
    free(key);
}

enum mfx_dkim_algorithm
mfx_crypto_key_algorithm(const struct mfx_crypto_key *key)
{
    return key->algorithm;
}

unsigned
mfx_crypto_key_bits(const struct mfx_crypto_key *key)
{
    return key->bits;
}

EVP_PKEY *
mfx_crypto_key_pkey(const struct mfx_crypto_key *key)
{
    return key->pkey;
}
