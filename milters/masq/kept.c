/* SPDX-License-Identifier: BSD-2-Clause */
#include "kept.h"

void
masq_kept_begin_put(struct masq_kept *kept, struct mfx_store *store,
                    struct mfx_str name, const struct masq_address *address,
                    uint64_t lifetime_ms, struct mfx_arena *arena)
{
    struct mfx_str bytes =
        mfx_arena_printf(arena, "%.*s@%.*s", MFX_STR_ARG(address->local),
                         MFX_STR_ARG(address->domain));
    *kept = (struct masq_kept){0};
    if (store != NULL && name.p != NULL && bytes.p != NULL)
        kept->call = mfx_store_begin_value(store, MFX_STORE_VALUE_PUT, name,
                                           bytes, lifetime_ms);
}

void
masq_kept_begin_get(struct masq_kept *kept, struct mfx_store *store,
                    struct mfx_str name)
{
    *kept = (struct masq_kept){.is_lookup = true};
    if (store != NULL && name.p != NULL)
        kept->call = mfx_store_begin_value(store, MFX_STORE_VALUE_GET, name,
                                           mfx_str("", 0), 0);
}

struct mfx_event *
masq_kept_event(const struct masq_kept *kept)
{
    return kept->call == NULL ? NULL : mfx_store_call_event(kept->call);
}

static enum mfx_rc
read_address(struct mfx_str bytes, struct masq_address *address,
             struct mfx_err *err)
{
    size_t at = mfx_str_find_last(bytes, '@');
    *address = (struct masq_address){mfx_str_head(bytes, at),
                                     mfx_str_from(bytes, at + 1)};
    if (address->local.len > 0 && address->domain.len > 0)
        return MFX_OK;
    mfx_err_set(err, "what the store has is no address");
    return MFX_TEMPFAIL;
}

enum mfx_rc
masq_kept_end(struct masq_kept *kept, struct mfx_arena *arena,
              struct masq_address *address, struct mfx_err *err)
{
    struct mfx_store_value value;
    if (kept->call == NULL) {
        mfx_err_set(err, "no store for short addresses");
        return MFX_TEMPFAIL;
    }
    enum mfx_rc rc = mfx_store_call_end_value(kept->call, arena, &value, err);
    kept->call = NULL;
    if (rc == MFX_OK && kept->is_lookup)
        return read_address(value.bytes, address, err);
    return rc == MFX_NOTFOUND && kept->is_lookup ? MFX_NOTFOUND
           : rc == MFX_OK                        ? MFX_OK
                                                 : MFX_TEMPFAIL;
}
