/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/rspamd_pack.h>

#include <stdlib.h>
#include <zstd.h>

enum {
    ROOM = 32 * 1024,
    WINDOW_LOG_MAX = 23, /* 8 MiB; more is asked for by nobody who is honest */
};

struct mfx_rspamd_packer {
    ZSTD_CCtx *context;
};

struct mfx_rspamd_packer *
mfx_rspamd_packer_new(void)
{
    struct mfx_rspamd_packer *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->context = ZSTD_createCCtx();
    if (p->context != NULL)
        return p;
    free(p);
    return NULL;
}

void
mfx_rspamd_packer_free(struct mfx_rspamd_packer *packer)
{
    if (packer == NULL)
        return;
    (void)ZSTD_freeCCtx(packer->context);
    free(packer);
}

void
mfx_rspamd_packer_reset(struct mfx_rspamd_packer *packer)
{
    (void)ZSTD_CCtx_reset(packer->context, ZSTD_reset_session_only);
}

size_t
mfx_rspamd_pack(struct mfx_rspamd_packer *packer, struct mfx_str *piece,
                bool is_last, char *to, size_t max, bool *is_done)
{
    ZSTD_inBuffer in = {piece->p, piece->len, 0};
    ZSTD_outBuffer out = {to, max, 0};
    size_t left = ZSTD_compressStream2(packer->context, &out, &in,
                                       is_last ? ZSTD_e_end : ZSTD_e_continue);
    *piece = mfx_str_from(*piece, in.pos);
    /* an error (out of memory) ends the frame too early: the reader sees it */
    *is_done = ZSTD_isError(left) || (is_last && left == 0);
    return out.pos;
}

static enum mfx_rc
unpack(ZSTD_DCtx *context, struct mfx_str bytes, struct mfx_buf *out,
       struct mfx_err *err)
{
    ZSTD_inBuffer in = {bytes.p, bytes.len, 0};
    size_t left = 1;
    bool is_full = false;
    while (left > 0 && (in.pos < in.size || is_full)) {
        char *room = mfx_buf_room(out, ROOM);
        if (room == NULL) {
            mfx_err_set(err, "the answer is too long");
            return MFX_PERMFAIL;
        }
        ZSTD_outBuffer piece = {room, ROOM, 0};
        left = ZSTD_decompressStream(context, &piece, &in);
        if (ZSTD_isError(left)) {
            mfx_err_set(err, "zstd: %s", ZSTD_getErrorName(left));
            return MFX_PERMFAIL;
        }
        out->len += piece.pos;
        is_full = piece.pos == piece.size;
    }
    if (left == 0 && in.pos == in.size)
        return MFX_OK;
    mfx_err_set(err, left == 0 ? "zstd: more behind its end" : "zstd: cut off");
    return MFX_PERMFAIL;
}

enum mfx_rc
mfx_rspamd_unpack(struct mfx_str bytes, struct mfx_buf *out,
                  struct mfx_err *err)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (context == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_PERMFAIL;
    }
    (void)ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    enum mfx_rc rc = unpack(context, bytes, out, err);
    (void)ZSTD_freeDCtx(context);
    return rc;
}
