/* SPDX-License-Identifier: BSD-2-Clause */
#include "results.h"

#include <mfx/mail/authres.h>

enum {
    VALUE_MAX = 64 * 1024,
};

static void
write_result(struct mfx_authres_writer *w, const struct mfx_dkim_result *r,
             struct mfx_arena *arena)
{
    struct mfx_str comment = {NULL, 0};
    if (r->key_bits > 0)
        comment = mfx_arena_printf(arena, "%u-bit key%s", r->key_bits,
                                   r->is_testing ? ", in test mode" : "");
    bool is_pass = r->status == MFX_DKIM_PASS;
    mfx_authres_result(w, "dkim", mfx_dkim_status_name(r->status),
                       mfx_str_of(is_pass ? NULL : r->reason), comment);
    mfx_authres_property(w, "header", "d", r->domain);
    mfx_authres_property(w, "header", "i", r->identity);
    mfx_authres_property(w, "header", "s", r->selector);
    mfx_authres_property(w, "header", "a", r->algorithm);
    mfx_authres_property(w, "header", "b", r->signature_head);
}

enum mfx_rc
dkim_results_write(const struct mfx_dkim_result *results, size_t count,
                   struct mfx_str authserv_id, bool eai,
                   struct mfx_arena *arena, struct mfx_str *value)
{
    struct mfx_buf out;
    struct mfx_authres_writer w;
    mfx_buf_init_arena(&out, arena, VALUE_MAX);
    mfx_authres_begin(&w, &out, authserv_id, eai);
    for (size_t i = 0; i < count; i++)
        write_result(&w, &results[i], arena);
    if (count == 0)
        mfx_authres_result(&w, "dkim", "none", mfx_str(NULL, 0),
                           mfx_str_of("no signature"));
    mfx_authres_end(&w);
    *value = mfx_buf_str(&out);
    return mfx_buf_ok(&out) ? MFX_OK : MFX_TEMPFAIL;
}
