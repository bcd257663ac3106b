/* SPDX-License-Identifier: BSD-2-Clause */
#include "lookup.h"

struct hit {
    struct mfx_arena *arena;
    struct mfx_str value;
    bool is_found;
};

static bool
take(const struct mfx_table_row *row, void *arg)
{
    struct hit *hit = arg;
    hit->value = mfx_arena_copy(hit->arena, row->value);
    hit->is_found = true;
    return false;
}

enum mfx_rc
score_lookup_address(struct mfx_table *table, struct mfx_str address,
                     struct mfx_arena *arena, struct mfx_str *value,
                     struct mfx_err *err)
{
    struct hit hit = {arena, mfx_str("", 0), false};
    size_t at = mfx_str_find_last(address, '@');
    if (table == NULL)
        return MFX_NOTFOUND;
    enum mfx_rc rc = mfx_table_each_address(
        table, mfx_str_head(address, at),
        mfx_str_from(address, at + (at < address.len)), arena, take, &hit, err);
    if (rc == MFX_OK && !hit.is_found)
        rc = MFX_NOTFOUND;
    if (rc == MFX_OK)
        *value = hit.value;
    return rc == MFX_OK || rc == MFX_NOTFOUND ? rc : MFX_TEMPFAIL;
}
