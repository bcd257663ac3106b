/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A body is hashed whole and in pieces: the digests are the same. The first
 * byte says how it is cut.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/auth/dkim_canon.h>
#include <mfx/auth/dkim_key.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    WANTS = 4,
};

struct digests {
    struct mfx_dkim_body *body;
    int handle[WANTS];
};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static struct digests
hash(struct mfx_arena *arena, struct mfx_str text, size_t piece, bool fix)
{
    struct digests d = {.body = mfx_dkim_body_new(arena, fix)};
    for (int i = 0; i < WANTS; i++) {
        d.handle[i] = mfx_dkim_body_want(
            d.body, i % 2 == 0 ? MFX_DKIM_SIMPLE : MFX_DKIM_RELAXED,
            i < 2 ? MFX_DKIM_NO_LIMIT : text.len / 2);
        check(d.handle[i] >= 0);
    }
    for (size_t at = 0; at < text.len; at += piece)
        mfx_dkim_body_update(d.body,
                             mfx_str_head(mfx_str_from(text, at), piece));
    mfx_dkim_body_finish(d.body);
    return d;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str text = mfx_str((const char *)data + 1, size - 1);
    bool fix = data[0] >= 128;
    struct digests whole = hash(arena, text, size, fix);
    struct digests cut = hash(arena, text, 1 + data[0] % 128, fix);
    for (int i = 0; i < WANTS; i++) {
        check(memcmp(mfx_dkim_body_digest(whole.body, whole.handle[i]),
                     mfx_dkim_body_digest(cut.body, cut.handle[i]),
                     MFX_DKIM_SHA256) == 0);
        check(mfx_dkim_body_length(whole.body, whole.handle[i]) ==
              mfx_dkim_body_length(cut.body, cut.handle[i]));
    }
    mfx_arena_free(arena);
    return 0;
}
