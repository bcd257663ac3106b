/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Replies of clamd: what comes out is fit for a log line and is part of what
 * went in. */
#include <stdlib.h>

#include <mfx/scan/clamd.h>
#include <mfx/scan/clamd_reply.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_part(struct mfx_str part, struct mfx_str whole)
{
    if (part.len == 0)
        return;
    if (part.p < whole.p || part.p + part.len > whole.p + whole.len)
        abort();
    for (size_t i = 0; i < part.len; i++)
        if (part.p[i] < ' ' || part.p[i] > '~')
            abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_str line = mfx_str((const char *)data, size);
    for (uint64_t id = 0; id < 3; id++) {
        struct mfx_clamd_reply reply;
        if (mfx_clamd_reply_read(line, id, &reply) != MFX_OK)
            continue;
        check_part(reply.name, line);
        check_part(reply.words, line);
        bool has_name = reply.kind == MFX_CLAMD_FOUND;
        if (has_name != (reply.name.len > 0))
            abort();
        if (has_name == (mfx_clamd_class(reply.name) == MFX_SCAN_CLASS_NONE))
            abort();
    }
    return 0;
}
