/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/policy/domain_list.h>

enum mfx_rc
mfx_domain_list_has(struct mfx_table *list, struct mfx_str domain,
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

enum mfx_rc
mfx_address_list_has(struct mfx_table *list, struct mfx_str address,
                     struct mfx_arena *arena, struct mfx_err *err)
{
    struct mfx_str value;
    size_t at = mfx_str_find_last(address, '@');
    if (list == NULL || address.len == 0)
        return MFX_NOTFOUND;
    enum mfx_rc rc = mfx_table_get(list, address, arena, &value, err);
    if (rc == MFX_NOTFOUND && at < address.len)
        rc = mfx_table_get(list, mfx_str(address.p, at), arena, &value, err);
    if (rc == MFX_NOTFOUND && at < address.len)
        rc = mfx_table_get(list, mfx_str_from(address, at), arena, &value, err);
    if (rc == MFX_NOTFOUND && at < address.len)
        rc = mfx_domain_list_has(list, mfx_str_from(address, at + 1), arena,
                                 err);
    return rc;
}
