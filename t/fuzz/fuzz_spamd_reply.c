/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Replies of spamd: the first byte chooses what was asked. What is read whole
 * is read byte by byte alike, scores are numbers, and what becomes of it can go
 * into a header. */
#include <math.h>
#include <stdlib.h>

#include <mfx/scan/spamd_reply.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_number(double value)
{
    if (!isfinite(value) || fabs(value) > 1e9)
        abort();
}

static void
check_result(const struct mfx_scan_result *r)
{
    check_number(r->score);
    check_number(r->required_score);
    for (size_t i = 0; i < r->symbol_count; i++) {
        check_number(r->symbols[i].score);
        if (r->symbols[i].name.len == 0 || !mfx_str_is_line(r->symbols[i].name))
            abort();
    }
    for (size_t i = 0; i < r->edits.count; i++) {
        struct mfx_str value = r->edits.items[i].value;
        if (mfx_str_has(value, '\r') || mfx_str_has(value, '\0') ||
            !mfx_str_is_line(r->edits.items[i].name))
            abort();
        /* a line end is folding */
        for (size_t k = 0; k < value.len; k++)
            if (value.p[k] == '\n' &&
                (k + 1 == value.len ||
                 !mfx_ascii_is_wsp((unsigned char)value.p[k + 1])))
                abort();
    }
}

static void
use(const struct mfx_spamd_reply *reply, enum mfx_spamd_command command)
{
    struct mfx_arena *arena = mfx_arena_new(16 << 20);
    struct mfx_scan_result result;
    memset(&result, 0, sizeof result);
    if (arena == NULL)
        return;
    mfx_spamd_reply_use(reply, command, arena, &result);
    check_result(&result);
    mfx_arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum mfx_spamd_kind kind = (enum mfx_spamd_kind)(data[0] & 3);
    enum mfx_spamd_command command = (enum mfx_spamd_command)(data[0] >> 2 & 3);
    struct mfx_str bytes = mfx_str((const char *)data + 1, size - 1);
    struct mfx_spamd_reply whole, part;
    enum mfx_rc rc = mfx_spamd_reply_read(bytes, false, kind, &whole, NULL);
    if (rc == MFX_OK && whole.code == 0 && whole.has_verdict)
        use(&whole, command);
    /* what is good to the end was not wrong before */
    for (size_t len = 0; rc == MFX_OK && len < bytes.len; len++)
        if (mfx_spamd_reply_read(mfx_str_head(bytes, len), false, kind, &part,
                                 NULL) == MFX_PERMFAIL)
            abort();
    return 0;
}
