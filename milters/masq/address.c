/* SPDX-License-Identifier: BSD-2-Clause */
#include "address.h"

#include <mfx/mail/address_rewrite.h>

enum mfx_rc
masq_address_key(const struct masq_address *address, struct mfx_arena *arena,
                 struct mfx_str *key)
{
    static const struct mfx_str none = MFX_STR("");
    struct mfx_str local, domain = address->domain;
    *key = none;
    enum mfx_rc rc =
        mfx_address_spec_write(address->local, none, arena, &local);
    /* what nobody can write is no key either, but as it stands */
    if (rc == MFX_PERMFAIL)
        local = address->local;
    else if (rc != MFX_OK)
        return rc;
    char *bytes = mfx_arena_alloc_bytes(arena, local.len + 1 + domain.len);
    if (bytes == NULL)
        return MFX_TEMPFAIL;
    memcpy(bytes, local.p, local.len);
    bytes[local.len] = '@';
    if (domain.len > 0)
        memcpy(bytes + local.len + 1, domain.p, domain.len);
    *key = mfx_str(bytes, local.len + (domain.len > 0 ? 1 + domain.len : 0));
    return MFX_OK;
}

static bool
has_request(struct mfx_str local)
{
    static const struct mfx_str suffix = MFX_STR("-request");
    return local.len > suffix.len && mfx_str_ends_nocase(local, suffix);
}

size_t
masq_address_user_len(struct mfx_str delimiters, struct mfx_str local)
{
    static const struct mfx_str owner = MFX_STR("owner-");
    size_t len = 0;
    if (mfx_str_is_nocase(local, "postmaster") ||
        mfx_str_is_nocase(local, "mailer-daemon"))
        return local.len;
    if (mfx_str_has(delimiters, '-') &&
        (mfx_str_starts_nocase(local, owner) || has_request(local)))
        return local.len;
    while (len < local.len && !mfx_str_has(delimiters, local.p[len]))
        len++;
    return len == 0 ? local.len : len;
}
