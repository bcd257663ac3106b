/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A card that can be read says the same when it is written and read again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../../milters/dkim/rotation/card.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct dkim_card card, again;
    struct mfx_err err = {""};
    struct mfx_buf out;
    mfx_buf_init(&out, 64 * 1024);
    if (dkim_card_parse(mfx_str((const char *)data, size), "x", arena, &card,
                        &err) == MFX_OK) {
        dkim_card_format(&card, &out);
        check(mfx_buf_ok(&out));
        enum mfx_rc rc =
            dkim_card_parse(mfx_buf_str(&out), "y", arena, &again, &err);
        /* escapes may make it longer than a card can be */
        check(rc == MFX_OK || out.len > 16 * 1024);
        check(rc != MFX_OK || (mfx_str_eq(card.domain, again.domain) &&
                               mfx_str_eq(card.selector, again.selector) &&
                               mfx_str_eq(card.replaces, again.replaces) &&
                               card.not_before_s == again.not_before_s &&
                               card.retired_s == again.retired_s));
    } else {
        check(err.msg[0] != '\0');
    }
    mfx_buf_fini(&out);
    mfx_arena_free(arena);
    return 0;
}
