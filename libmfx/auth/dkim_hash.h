/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_hash - the header hash of RFC 6376 3.7, for signer and verifier
 * (private to auth)
 *
 *     mfx_dkim_hash_init(&hash, canon);
 *     mfx_dkim_hash_field(&hash, header) ... in the order of h=
 *     mfx_dkim_hash_signature(&hash, name, before_b, behind_b);
 *     ok = mfx_dkim_hash_finish(&hash, digest);
 *
 * Ownership: finish gives all back, whether it succeeds or not.
 * Errors: false at finish when out of memory. Threads: one at a time.
 */
#ifndef MFX_AUTH_DKIM_HASH_H
#define MFX_AUTH_DKIM_HASH_H

#include <mfx/auth/crypto.h>
#include <mfx/auth/dkim_canon.h>

struct mfx_dkim_hash {
    enum mfx_dkim_canon canon;
    EVP_MD_CTX *ctx;
    struct mfx_buf gather;
};

void mfx_dkim_hash_init(struct mfx_dkim_hash *hash, enum mfx_dkim_canon canon);
void mfx_dkim_hash_field(struct mfx_dkim_hash *hash,
                         const struct mfx_header *header);
/* The signature field itself: its value without what b= holds, and without
 * the line end. */
void mfx_dkim_hash_signature(struct mfx_dkim_hash *hash, struct mfx_str name,
                             struct mfx_str before_b, struct mfx_str behind_b);
bool mfx_dkim_hash_finish(struct mfx_dkim_hash *hash,
                          unsigned char digest[MFX_DKIM_SHA256]) MFX_NODISCARD;

#endif
