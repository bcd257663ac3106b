/* SPDX-License-Identifier: BSD-2-Clause */
#include "domains.h"

enum mfx_rc
masq_domains_has(struct mfx_table *list, struct mfx_str domain,
                 struct mfx_arena *arena, struct mfx_err *err)
{
    struct mfx_str value;
    if (list == NULL || domain.len == 0)
        return MFX_NOTFOUND;
    enum mfx_rc rc = mfx_table_get(list, domain, arena, &value, err);
    if (mfx_table_has_patterns(list))
        return rc;
    while (rc == MFX_NOTFOUND) {
        size_t dot = mfx_str_find(domain, '.');
        if (dot + 1 >= domain.len)
            break;
        rc = mfx_table_get(list, mfx_str_from(domain, dot), arena, &value, err);
        domain = mfx_str_from(domain, dot + 1);
    }
    return rc;
}
