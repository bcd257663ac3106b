/* SPDX-License-Identifier: BSD-2-Clause
 *
 * crypto - what auth asks of OpenSSL (private to auth)
 *
 * OpenSSL 3 makes fetching and context set-up dearer than the work itself, so
 * SHA-256 is fetched once and contexts come back to free lists: one list of
 * digest contexts for the process, one list of signature contexts a key. They
 * belong to no thread, because a message wanders between threads.
 *
 * Ownership: what was taken is given back; keys are counted. Errors: NULL or
 * an mfx_rc; OpenSSL's own error queue is left empty. Threads: any.
 */
#ifndef MFX_AUTH_CRYPTO_H
#define MFX_AUTH_CRYPTO_H

#include <mfx/auth/der.h>
#include <mfx/auth/dkim_key.h>

#include <openssl/evp.h>

/* A SHA-256 context ready for data; NULL when out of memory. */
EVP_MD_CTX *mfx_crypto_sha256_take(void);
/* The digest, and the context ready for new data. */
bool mfx_crypto_sha256_result(EVP_MD_CTX *ctx,
                              unsigned char digest[MFX_DKIM_SHA256]);
/* NULL is allowed. */
void mfx_crypto_sha256_give(EVP_MD_CTX *ctx);

/* Why the last OpenSSL call failed: MFX_TEMPFAIL when memory was missing, else
 * MFX_PERMFAIL. Empties the error queue. */
enum mfx_rc mfx_crypto_failure(void);

/* --- keys, private or public --- */

struct mfx_crypto_key;

/* Takes over pkey, also when it fails. */
enum mfx_rc mfx_crypto_key_new(EVP_PKEY *pkey,
                               enum mfx_dkim_algorithm algorithm,
                               bool is_private,
                               struct mfx_crypto_key **key) MFX_NODISCARD;

/* Big-endian numbers. For a public key only n and e. */
struct mfx_crypto_rsa {
    struct mfx_der n, e, d, p, q, dp, dq, qi;
};

enum {
    MFX_CRYPTO_ED25519_LEN = 32,
};

/* MFX_PERMFAIL: the numbers make no key (for a private key their relations
 * are checked). */
enum mfx_rc mfx_crypto_rsa_private(const struct mfx_crypto_rsa *numbers,
                                   struct mfx_crypto_key **key) MFX_NODISCARD;
enum mfx_rc mfx_crypto_rsa_public(struct mfx_der n, struct mfx_der e,
                                  struct mfx_crypto_key **key) MFX_NODISCARD;
enum mfx_rc
mfx_crypto_ed25519_private(const unsigned char seed[MFX_CRYPTO_ED25519_LEN],
                           struct mfx_crypto_key **key) MFX_NODISCARD;
enum mfx_rc
mfx_crypto_ed25519_public(const unsigned char raw[MFX_CRYPTO_ED25519_LEN],
                          struct mfx_crypto_key **key) MFX_NODISCARD;
enum mfx_rc mfx_crypto_generate(enum mfx_dkim_algorithm algorithm,
                                unsigned bits,
                                struct mfx_crypto_key **key) MFX_NODISCARD;

struct mfx_crypto_key *mfx_crypto_key_ref(struct mfx_crypto_key *key);
void mfx_crypto_key_unref(struct mfx_crypto_key *key);
enum mfx_dkim_algorithm
mfx_crypto_key_algorithm(const struct mfx_crypto_key *key);
unsigned mfx_crypto_key_bits(const struct mfx_crypto_key *key);
/* Borrowed. */
EVP_PKEY *mfx_crypto_key_pkey(const struct mfx_crypto_key *key);

/* *len: room before, length after. */
enum mfx_rc mfx_crypto_sign(struct mfx_crypto_key *key,
                            const unsigned char digest[MFX_DKIM_SHA256],
                            unsigned char *signature,
                            size_t *len) MFX_NODISCARD;
enum mfx_rc mfx_crypto_verify(struct mfx_crypto_key *key,
                              const unsigned char digest[MFX_DKIM_SHA256],
                              const unsigned char *signature,
                              size_t len) MFX_NODISCARD;

#endif
