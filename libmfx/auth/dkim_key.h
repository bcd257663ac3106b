/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_key - private keys, public key records and what OpenSSL does with them
 *
 * A key is parsed once and kept; signing and verifying with it fetches
 * nothing, parses nothing, and takes its OpenSSL context from a free list.
 *
 * Ownership: keys are counted (ref/unref). Errors: err says what is wrong
 * with the text. Threads: any number use one key at once.
 * Limits: RSA 1024 to 8192 bits (RFC 8301 3.2: below 1024 never), Ed25519.
 */
#ifndef MFX_AUTH_DKIM_KEY_H
#define MFX_AUTH_DKIM_KEY_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

enum mfx_dkim_algorithm {
    MFX_DKIM_RSA_SHA256,
    MFX_DKIM_ED25519_SHA256, /* RFC 8463 */
};
/* "rsa-sha256", "ed25519-sha256". */
const char *mfx_dkim_algorithm_name(enum mfx_dkim_algorithm algorithm);

enum {
    MFX_DKIM_SHA256 = 32,
    MFX_DKIM_SIGNATURE_MAX = 1024, /* RSA-8192 */
    MFX_DKIM_RSA_MIN_BITS = 1024,
    MFX_DKIM_RSA_MAX_BITS = 8192,
};

struct mfx_dkim_private_key;

/* PEM (PKCS#1, PKCS#8; not encrypted), bare base64 DER of either, or a bare
 * base64 32-byte Ed25519 seed (or libsodium's 64 bytes of seed and public
 * key); text around a PEM block is skipped. The
 * algorithm comes from the key. MFX_PERMFAIL for anything else. */
enum mfx_rc mfx_dkim_private_key_parse(struct mfx_str text,
                                       struct mfx_dkim_private_key **key,
                                       struct mfx_err *err) MFX_NODISCARD;
/* bits: 2048 and the like; ignored for Ed25519. */
enum mfx_rc mfx_dkim_private_key_generate(enum mfx_dkim_algorithm algorithm,
                                          unsigned bits,
                                          struct mfx_dkim_private_key **key,
                                          struct mfx_err *err) MFX_NODISCARD;
struct mfx_dkim_private_key *
mfx_dkim_private_key_ref(struct mfx_dkim_private_key *key);
void mfx_dkim_private_key_unref(struct mfx_dkim_private_key *key);
enum mfx_dkim_algorithm
mfx_dkim_private_key_algorithm(const struct mfx_dkim_private_key *key);
unsigned mfx_dkim_private_key_bits(const struct mfx_dkim_private_key *key);

/* PKCS#8 PEM. The caller wipes it (the arena does not). */
enum mfx_rc mfx_dkim_private_key_format(const struct mfx_dkim_private_key *key,
                                        struct mfx_arena *arena,
                                        struct mfx_str *pem,
                                        struct mfx_err *err) MFX_NODISCARD;
/* The record for DNS: "v=DKIM1; k=rsa; p=..." ("k=ed25519": the raw 32 bytes,
 * RFC 8463 4.2). */
enum mfx_rc mfx_dkim_private_key_record(const struct mfx_dkim_private_key *key,
                                        struct mfx_arena *arena,
                                        struct mfx_str *record,
                                        struct mfx_err *err) MFX_NODISCARD;

/* Signs the SHA-256 digest of the header hash: RSASSA-PKCS1-v1_5, or PureEd-
 * DSA over the 32 bytes (RFC 8463 3). *len <= MFX_DKIM_SIGNATURE_MAX. */
enum mfx_rc
mfx_dkim_private_key_sign(struct mfx_dkim_private_key *key,
                          const unsigned char digest[MFX_DKIM_SHA256],
                          unsigned char *signature, size_t *len,
                          struct mfx_err *err) MFX_NODISCARD;

/* --- public key records (RFC 6376 3.6.1) --- */

enum mfx_dkim_record_problem {
    MFX_DKIM_RECORD_GOOD = 0,
    MFX_DKIM_RECORD_SYNTAX,   /* no tag list, repeated tag, no p=, bad base64 */
    MFX_DKIM_RECORD_VERSION,  /* v= is there and not DKIM1, or not first */
    MFX_DKIM_RECORD_REVOKED,  /* p= is empty */
    MFX_DKIM_RECORD_KEY_TYPE, /* k= that we do not know */
    MFX_DKIM_RECORD_HASH,     /* h= without sha256 */
    MFX_DKIM_RECORD_SERVICE,  /* s= without email and * */
    MFX_DKIM_RECORD_KEY,      /* p= is no key of type k= */
    MFX_DKIM_RECORD_KEY_SHORT, /* RSA below the minimum */
    MFX_DKIM_RECORD_KEY_LONG,  /* RSA above 8192 bits */
    MFX_DKIM_RECORD_INTERNAL,  /* out of memory: says nothing of the record */
};
/* Literal words for each, for reasons in results. */
const char *mfx_dkim_record_problem_text(enum mfx_dkim_record_problem problem);

struct mfx_dkim_public_key;

struct mfx_dkim_record {
    enum mfx_dkim_record_problem problem;
    enum mfx_dkim_algorithm algorithm;
    unsigned bits;
    bool is_testing;                 /* t=y */
    bool is_strict_domain;           /* t=s */
    struct mfx_dkim_public_key *key; /* counted; NULL unless GOOD */
};

/* Reads the record's text. With min_bits 1024 as the least. The answer is
 * always whole; record->problem says what it is. */
void mfx_dkim_record_parse(struct mfx_str text, unsigned min_bits,
                           struct mfx_dkim_record *record);
void mfx_dkim_record_fini(struct mfx_dkim_record *record);

/* MFX_OK: the signature is right; MFX_PERMFAIL: it is not; MFX_TEMPFAIL: out
 * of memory. */
enum mfx_rc
mfx_dkim_public_key_verify(struct mfx_dkim_public_key *key,
                           const unsigned char digest[MFX_DKIM_SHA256],
                           const unsigned char *signature,
                           size_t len) MFX_NODISCARD;
/* True when the private key's public half is this key. */
bool mfx_dkim_public_key_matches(const struct mfx_dkim_public_key *key,
                                 const struct mfx_dkim_private_key *other);

/* Parsed records by their text, bounded; so that a key whose TXT comes from
 * the DNS cache is not parsed again. Any thread. */
struct mfx_dkim_record_cache;
struct mfx_dkim_record_cache *mfx_dkim_record_cache_new(size_t max_entries);
void mfx_dkim_record_cache_free(struct mfx_dkim_record_cache *cache);
/* As mfx_dkim_record_parse; the caller calls mfx_dkim_record_fini. cache may
 * be NULL. */
void mfx_dkim_record_cache_get(struct mfx_dkim_record_cache *cache,
                               struct mfx_str text, unsigned min_bits,
                               struct mfx_dkim_record *record);

MFX_API_END

#endif
