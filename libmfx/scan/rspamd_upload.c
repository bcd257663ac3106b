/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/rspamd_upload.h>

#include <stdlib.h>

enum {
    ROOM = 32 * 1024,
};

/* The next of the message; 0: the end; or what libcurl takes for "later" and
 * for "stop". */
static size_t
take(struct mfx_rspamd_upload *u, char *to, size_t max)
{
    size_t len = 0;
    enum mfx_scan_piece piece = mfx_scan_piece(u->scan, &u->at, to, max, &len);
    switch (piece) {
    case MFX_SCAN_PIECE:
        return len;
    case MFX_SCAN_PIECE_WAIT:
        u->is_paused = true;
        return CURL_READFUNC_PAUSE;
    case MFX_SCAN_PIECE_END:
        return 0;
    case MFX_SCAN_PIECE_LOST:
    case MFX_SCAN_PIECE_TOO_LARGE:
        break;
    }
    u->trouble = piece;
    return CURL_READFUNC_ABORT;
}

static size_t
on_wanted(char *to, size_t size, size_t count, void *arg)
{
    return take(arg, to, size * count);
}

/* The packer swallows much before it gives anything. */
static size_t
on_wanted_packed(char *to, size_t size, size_t count, void *arg)
{
    struct mfx_rspamd_upload *u = arg;
    while (!u->is_done) {
        if (u->piece.len == 0 && !u->is_last) {
            size_t len = take(u, u->room, ROOM);
            if (len == CURL_READFUNC_PAUSE || len == CURL_READFUNC_ABORT)
                return len;
            u->piece = mfx_str(u->room, len);
            u->is_last = len == 0;
        }
        size_t got = mfx_rspamd_pack(u->packer, &u->piece, u->is_last, to,
                                     size * count, &u->is_done);
        if (got > 0)
            return got;
    }
    return 0;
}

static void
rewind_upload(struct mfx_rspamd_upload *u)
{
    u->at = 0;
    u->piece = mfx_str("", 0);
    u->is_last = u->is_done = u->is_paused = false;
    if (u->packer != NULL)
        mfx_rspamd_packer_reset(u->packer);
}

static int
on_seek(void *arg, curl_off_t offset, int origin)
{
    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    rewind_upload(arg);
    return CURL_SEEKFUNC_OK;
}

/* --- in one go --- */

/* Of the message; it is whole. */
static size_t
length_of(const struct mfx_rspamd_upload *u)
{
    size_t max = u->scan->engine->settings.max_size;
    size_t len = mfx_scan_body_len(u->scan->request.body);
    return max > 0 && len > max ? max : len;
}

static bool
post(CURL *easy, struct mfx_str bytes)
{
    return curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t)bytes.len) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, bytes.p) == CURLE_OK;
}

static bool
pack_all(struct mfx_rspamd_upload *u, struct mfx_str bytes,
         struct mfx_arena *arena, struct mfx_str *packed)
{
    /* what cannot be made smaller grows by less than this */
    size_t room = bytes.len + bytes.len / 128 + 512, len = 0;
    char *to = mfx_arena_alloc_bytes(arena, room);
    bool is_done = to == NULL;
    while (!is_done && len < room)
        len += mfx_rspamd_pack(u->packer, &bytes, true, to + len, room - len,
                               &is_done);
    *packed = mfx_str(to, len);
    return to != NULL;
}

static bool
send_at_once(struct mfx_rspamd_upload *u, struct mfx_arena *arena, CURL *easy)
{
    size_t len = length_of(u), got = 0;
    char *to = mfx_arena_alloc_bytes(arena, len + 1);
    if (to == NULL)
        return false;
    while (got < len) {
        size_t n = take(u, to + got, len - got);
        if (n == 0 || n > len - got)
            return false;
        got += n;
    }
    (void)take(u, to, 0); /* notes whether that is all */
    struct mfx_str bytes = mfx_str(to, len);
    if (u->compresses && !pack_all(u, bytes, arena, &bytes))
        return false;
    return post(easy, bytes);
}

/* --- piece by piece --- */

static bool
send_in_turn(struct mfx_rspamd_upload *u, CURL *easy)
{
    bool has_length = u->scan->is_whole && !u->compresses;
    return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            has_length ? (curl_off_t)length_of(u)
                                       : (curl_off_t)-1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READFUNCTION,
                            u->compresses ? on_wanted_packed : on_wanted) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READDATA, u) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SEEKDATA, u) == CURLE_OK;
}

static bool
prepare_packer(struct mfx_rspamd_upload *u)
{
    if (!u->compresses)
        return true;
    if (u->packer == NULL)
        u->packer = mfx_rspamd_packer_new();
    if (u->room == NULL)
        u->room = malloc(ROOM);
    return u->packer != NULL && u->room != NULL;
}

bool
mfx_rspamd_upload_begin(struct mfx_rspamd_upload *upload, struct mfx_scan *scan,
                        struct mfx_arena *arena, CURL *easy)
{
    upload->scan = scan;
    upload->trouble = MFX_SCAN_PIECE;
    if (!prepare_packer(upload))
        return false;
    rewind_upload(upload);
    return scan->is_whole && length_of(upload) <= MFX_RSPAMD_SHORT
               ? send_at_once(upload, arena, easy)
               : send_in_turn(upload, easy);
}

void
mfx_rspamd_upload_fini(struct mfx_rspamd_upload *upload)
{
    mfx_rspamd_packer_free(upload->packer);
    free(upload->room);
}
