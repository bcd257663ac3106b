/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts of a Received field stand in it in their order; what is left
 * without "from" is a field again, with nothing more to be taken out.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/mail/received.h>

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
    struct mfx_str value = mfx_str((const char *)data, size);
    struct mfx_received r, again;
    if (mfx_received_parse(value, &r) != MFX_OK) {
        check(r.from.len == 0 && r.by.len == 0 && r.date.len == 0);
        return 0;
    }
    const char *end = value.p + value.len;
    check(r.from.p >= value.p && r.from.p + r.from.len == r.by.p);
    check(r.by.len > 2 && r.by.p[r.by.len] == ';');
    check(r.date.len > 0 && r.date.p > r.by.p + r.by.len &&
          r.date.p + r.date.len <= end);
    struct mfx_str rest = mfx_str(r.by.p, (size_t)(end - r.by.p));
    check(mfx_received_parse(rest, &again) == MFX_OK);
    check(again.from.len == 0 && mfx_str_eq(again.by, r.by));
    check(mfx_str_eq(again.date, r.date));
    return 0;
}
