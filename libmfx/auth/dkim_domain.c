/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_domain.h>

#include <mfx/mail/address.h>

bool
mfx_dkim_domain_is_within(struct mfx_str domain, struct mfx_str parent,
                          struct mfx_arena *arena)
{
    if (domain.len == 0 || parent.len == 0)
        return false;
    if (!mfx_str_is_ascii(domain) &&
        mfx_domain_to_ascii(domain, arena, &domain) != MFX_OK)
        return false;
    if (!mfx_str_is_ascii(parent) &&
        mfx_domain_to_ascii(parent, arena, &parent) != MFX_OK)
        return false;
    return mfx_domain_is_within(domain, parent);
}
