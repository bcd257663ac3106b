/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/decimal.h>

enum mfx_rc
mfx_decimal_parse(struct mfx_str text, int64_t *out)
{
    bool is_negative = text.len > 0 && text.p[0] == '-';
    struct mfx_str whole = mfx_str_from(text, is_negative);
    size_t point = mfx_str_find(whole, '.');
    uint64_t number, part = 0;
    if (point < whole.len) {
        struct mfx_str behind = mfx_str_from(whole, point + 1);
        if (mfx_str_to_u64(behind, 999, &part) != MFX_OK || behind.len > 3)
            return MFX_PERMFAIL;
        for (size_t digits = behind.len; digits < 3; digits++)
            part *= 10;
    }
    if (mfx_str_to_u64(mfx_str_head(whole, point), 999999999, &number) !=
        MFX_OK)
        return MFX_PERMFAIL;
    int64_t value = (int64_t)(number * 1000 + part);
    *out = is_negative ? -value : value;
    return MFX_OK;
}

void
mfx_decimal_format(int64_t thousandths, struct mfx_buf *out)
{
    uint64_t size =
        thousandths < 0 ? 0 - (uint64_t)thousandths : (uint64_t)thousandths;
    unsigned part = (unsigned)(size % 1000);
    int digits = part % 100 == 0 ? 1 : part % 10 == 0 ? 2 : 3;
    for (int i = digits; i < 3; i++)
        part /= 10;
    mfx_buf_printf(out, "%s%llu", thousandths < 0 ? "-" : "",
                   (unsigned long long)(size / 1000));
    if (part != 0)
        mfx_buf_printf(out, ".%0*u", digits, part);
}
