/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_hash.h>

enum {
    ROOM = 8 * 1024, /* most header sections are hashed in one call */
};

void
mfx_dkim_hash_init(struct mfx_dkim_hash *hash, enum mfx_dkim_canon canon)
{
    hash->canon = canon;
    hash->ctx = mfx_crypto_sha256_take();
    mfx_buf_init(&hash->gather, SIZE_MAX / 2);
    (void)mfx_buf_room(&hash->gather, ROOM);
}

static void
flush(struct mfx_dkim_hash *hash)
{
    if (hash->ctx != NULL && mfx_buf_ok(&hash->gather))
        (void)EVP_DigestUpdate(hash->ctx, hash->gather.p, hash->gather.len);
    hash->gather.len = 0;
}

void
mfx_dkim_hash_field(struct mfx_dkim_hash *hash, const struct mfx_header *header)
{
    if (hash->gather.len > ROOM / 2)
        flush(hash);
    mfx_dkim_canon_header(hash->canon, header->name, header->value,
                          &hash->gather);
}

void
mfx_dkim_hash_signature(struct mfx_dkim_hash *hash, struct mfx_str name,
                        struct mfx_str before_b, struct mfx_str behind_b)
{
    struct mfx_buf value;
    mfx_buf_init(&value, SIZE_MAX / 2);
    mfx_buf_add(&value, before_b);
    mfx_buf_add(&value, behind_b);
    flush(hash);
    mfx_dkim_canon_header(hash->canon, name, mfx_buf_str(&value),
                          &hash->gather);
    if (!mfx_buf_ok(&value))
        hash->gather.failed = true;
    else if (mfx_buf_ok(&hash->gather))
        hash->gather.len -= 2;
    mfx_buf_fini(&value);
}

bool
mfx_dkim_hash_finish(struct mfx_dkim_hash *hash,
                     unsigned char digest[MFX_DKIM_SHA256])
{
    flush(hash);
    bool ok = hash->ctx != NULL && mfx_buf_ok(&hash->gather) &&
              mfx_crypto_sha256_result(hash->ctx, digest);
    mfx_crypto_sha256_give(hash->ctx);
    mfx_buf_fini(&hash->gather);
    return ok;
}
