/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rspamd_upload - a message on its way into a request (not installed)
 *
 *     mfx_rspamd_upload_begin(&upload, scan, arena, easy)   and then the request
 *     mfx_rspamd_upload_fini(&upload);                      before the struct goes
 *
 * What is short and whole goes with the request's head; all else as libcurl
 * asks for it, while it arrives, in chunks where its length is not known. If the
 * connection was one that had just been closed, it is sent once more from the
 * start.
 *
 * Ownership: of the struct, the caller's; used again and again. Errors: `trouble`
 * says why libcurl was told to give up. Threads: the loop's.
 */
#ifndef MFX_SCAN_RSPAMD_UPLOAD_H
#define MFX_SCAN_RSPAMD_UPLOAD_H

#include <curl/curl.h>

#include <mfx/scan/rspamd_pack.h>
#include <mfx/scan/scan_impl.h>

enum {
    MFX_RSPAMD_SHORT = 64 * 1024, /* libcurl's own limit for one go */
};

struct mfx_rspamd_upload {
    struct mfx_scan *scan;
    bool compresses;
    bool is_paused; /* until it has grown */
    enum mfx_scan_piece trouble;
    size_t at;
    /* compressed: what is taken and not yet packed */
    struct mfx_rspamd_packer *packer;
    char *room;
    struct mfx_str piece;
    bool is_last, is_done;
};

/* False: out of memory, or the message cannot be sent at all: trouble. */
bool mfx_rspamd_upload_begin(struct mfx_rspamd_upload *upload,
                             struct mfx_scan *scan, struct mfx_arena *arena,
                             CURL *easy) MFX_NODISCARD;
void mfx_rspamd_upload_fini(struct mfx_rspamd_upload *upload);

#endif
