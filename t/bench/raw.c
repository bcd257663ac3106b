/* SPDX-License-Identifier: BSD-2-Clause
 *
 * raw - what the cryptography alone costs, in microseconds of CPU
 *
 * Prints one JSON object: one RSA-2048 signature and its verification over a
 * given SHA-256 digest, the same with Ed25519 over 32 bytes, SHA-256 of 4 KiB
 * and of 5 MiB. Each is the median of several rounds.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

enum {
    ROUNDS = 15,
    BIG = 5 * 1024 * 1024
};

struct job {
    const char *name;
    bool (*run)(struct job *job);
    unsigned times;
    EVP_PKEY_CTX *pkey_ctx;
    EVP_MD_CTX *md_ctx;
    EVP_PKEY *key;
    const EVP_MD *md;
    unsigned char *bytes;
    size_t len;
    unsigned char signature[512];
    size_t signature_len;
};

static double
cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static bool
sign_rsa(struct job *j)
{
    j->signature_len = sizeof j->signature;
    return EVP_PKEY_sign(j->pkey_ctx, j->signature, &j->signature_len, j->bytes,
                         32) == 1;
}

static bool
verify_rsa(struct job *j)
{
    return EVP_PKEY_verify(j->pkey_ctx, j->signature, j->signature_len,
                           j->bytes, 32) == 1;
}

static bool
sign_ed(struct job *j)
{
    j->signature_len = sizeof j->signature;
    return EVP_DigestSignInit(j->md_ctx, NULL, NULL, NULL, j->key) == 1 &&
           EVP_DigestSign(j->md_ctx, j->signature, &j->signature_len, j->bytes,
                          32) == 1;
}

static bool
verify_ed(struct job *j)
{
    return EVP_DigestVerifyInit(j->md_ctx, NULL, NULL, NULL, j->key) == 1 &&
           EVP_DigestVerify(j->md_ctx, j->signature, j->signature_len, j->bytes,
                            32) == 1;
}

static bool
hash(struct job *j)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len;
    return EVP_DigestInit_ex(j->md_ctx, j->md, NULL) == 1 &&
           EVP_DigestUpdate(j->md_ctx, j->bytes, j->len) == 1 &&
           EVP_DigestFinal_ex(j->md_ctx, digest, &len) == 1;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool
measure(struct job *j, const char *comma)
{
    double took[ROUNDS];
    if (!j->run(j))
        return false;
    for (int r = 0; r < ROUNDS; r++) {
        double began = cpu_us();
        for (unsigned i = 0; i < j->times; i++)
            if (!j->run(j))
                return false;
        took[r] = (cpu_us() - began) / j->times;
    }
    qsort(took, ROUNDS, sizeof took[0], compare);
    printf("%s\"%s\": %.3f", comma, j->name, took[ROUNDS / 2]);
    return true;
}

static bool
rsa_context(struct job *j, int (*init)(EVP_PKEY_CTX *))
{
    j->pkey_ctx = EVP_PKEY_CTX_new(j->key, NULL);
    return j->pkey_ctx != NULL && init(j->pkey_ctx) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(j->pkey_ctx, RSA_PKCS1_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(j->pkey_ctx, j->md) == 1;
}

static bool
measure_pair(EVP_PKEY *key, EVP_MD *md, unsigned char *bytes, bool is_rsa)
{
    struct job sign = {.name = is_rsa ? "rsa2048_sign" : "ed25519_sign",
                       .run = is_rsa ? sign_rsa : sign_ed,
                       .times = 100,
                       .key = key,
                       .md = md,
                       .md_ctx = EVP_MD_CTX_new(),
                       .bytes = bytes};
    bool ok =
        key != NULL && (!is_rsa || rsa_context(&sign, EVP_PKEY_sign_init));
    ok = ok && measure(&sign, is_rsa ? "{" : ", ");
    struct job verify = sign;
    verify.name = is_rsa ? "rsa2048_verify" : "ed25519_verify";
    verify.run = is_rsa ? verify_rsa : verify_ed;
    verify.times = 400;
    verify.pkey_ctx = NULL;
    ok = ok && (!is_rsa || rsa_context(&verify, EVP_PKEY_verify_init));
    ok = ok && measure(&verify, ", ");
    EVP_PKEY_CTX_free(sign.pkey_ctx);
    EVP_PKEY_CTX_free(verify.pkey_ctx);
    EVP_MD_CTX_free(sign.md_ctx);
    EVP_PKEY_free(key);
    return ok;
}

static bool
measure_hash(EVP_MD *md, unsigned char *bytes, const char *name, size_t len,
             unsigned times)
{
    struct job j = {.name = name,
                    .run = hash,
                    .times = times,
                    .md = md,
                    .md_ctx = EVP_MD_CTX_new(),
                    .bytes = bytes,
                    .len = len};
    bool ok = j.md_ctx != NULL && measure(&j, ", ");
    EVP_MD_CTX_free(j.md_ctx);
    return ok;
}

int
main(void)
{
    unsigned char *bytes = malloc(BIG);
    EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (bytes == NULL || md == NULL)
        return 71;
    for (size_t i = 0; i < BIG; i++)
        bytes[i] = (unsigned char)(i * 131);
    bool ok = measure_pair(EVP_RSA_gen(2048), md, bytes, true) &&
              measure_pair(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), md, bytes,
                           false) &&
              measure_hash(md, bytes, "sha256_4k", 4096, 400) &&
              measure_hash(md, bytes, "sha256_5m", BIG, 3);
    printf("}\n");
    EVP_MD_free(md);
    free(bytes);
    return ok ? 0 : 71;
}
