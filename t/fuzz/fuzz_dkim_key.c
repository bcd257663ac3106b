/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A private key file is read; what loads can sign, and its record is good.
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
check_key(struct mfx_dkim_private_key *key, struct mfx_arena *arena)
{
    unsigned char digest[MFX_DKIM_SHA256] = {0};
    unsigned char signature[MFX_DKIM_SIGNATURE_MAX];
    struct mfx_dkim_record record;
    struct mfx_str text;
    size_t len = 0;
    enum mfx_rc rc =
        mfx_dkim_private_key_sign(key, digest, signature, &len, NULL);
    check(mfx_dkim_private_key_record(key, arena, &text, NULL) == MFX_OK);
    mfx_dkim_record_parse(text, 1024, &record);
    check(record.problem == MFX_DKIM_RECORD_GOOD);
    if (rc == MFX_OK)
        check(mfx_dkim_public_key_verify(record.key, digest, signature, len) ==
              MFX_OK);
    mfx_dkim_record_fini(&record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_dkim_private_key *key = NULL;
    struct mfx_err err = {0};
    enum mfx_rc rc = mfx_dkim_private_key_parse(
        mfx_str((const char *)data, size), &key, &err);
    check((rc == MFX_OK) == (key != NULL));
    check(rc == MFX_OK || err.msg[0] != '\0');
    if (key != NULL)
        check_key(key, arena);
    mfx_dkim_private_key_unref(key);
    mfx_arena_free(arena);
    return 0;
}
