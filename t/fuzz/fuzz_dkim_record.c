/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A key record is read; there is a key exactly when it is good, and the cache
 * says the same as the parser.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/auth/dkim_key.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_record(struct mfx_dkim_record *r)
{
    check((r->problem == MFX_DKIM_RECORD_GOOD) == (r->key != NULL));
    check(
        r->key == NULL || r->bits == 256 ||
        (r->bits >= MFX_DKIM_RSA_MIN_BITS && r->bits <= MFX_DKIM_RSA_MAX_BITS));
    check(mfx_dkim_record_problem_text(r->problem)[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char digest[MFX_DKIM_SHA256], signature[256];
    struct mfx_str text = mfx_str((const char *)data, size);
    struct mfx_dkim_record_cache *cache = mfx_dkim_record_cache_new(4);
    struct mfx_dkim_record parsed, cached;
    mfx_dkim_record_parse(text, 1024, &parsed);
    check_record(&parsed);
    for (int i = 0; i < 2; i++) {
        mfx_dkim_record_cache_get(cache, text, 1024, &cached);
        check_record(&cached);
        check(cached.problem == parsed.problem && cached.bits == parsed.bits);
        mfx_dkim_record_fini(&cached);
    }
    if (parsed.key != NULL)
        check(mfx_dkim_public_key_verify(parsed.key, digest, signature,
                                         sizeof signature) != MFX_OK);
    mfx_dkim_record_fini(&parsed);
    mfx_dkim_record_cache_free(cache);
    return 0;
}
