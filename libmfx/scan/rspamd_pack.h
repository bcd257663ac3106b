/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rspamd_pack - what goes to rspamd and comes back, compressed by zstd (not
 * installed)
 *
 *     packer = mfx_rspamd_packer_new();
 *     n = mfx_rspamd_pack(packer, &piece, is_last, to, max, &is_done);
 *     mfx_rspamd_packer_reset(packer);          for the next message
 *     mfx_rspamd_packer_free(packer);
 *
 *     rc = mfx_rspamd_unpack(bytes, &out, &err);
 *
 * Ownership: new/free. Errors: NULL: out of memory; unpack: MFX_PERMFAIL: not
 * compressed so, cut off, or more than fits into `out`. Threads: one at a time.
 */
#ifndef MFX_SCAN_RSPAMD_PACK_H
#define MFX_SCAN_RSPAMD_PACK_H

#include <mfx/base/buf.h>

struct mfx_rspamd_packer;

struct mfx_rspamd_packer *mfx_rspamd_packer_new(void);
/* NULL is allowed. */
void mfx_rspamd_packer_free(struct mfx_rspamd_packer *packer);
void mfx_rspamd_packer_reset(struct mfx_rspamd_packer *packer);
/* Takes of *piece as much as it likes, and writes what it has ready; call it
 * again until the piece is empty, and after the last one until *is_done. */
size_t mfx_rspamd_pack(struct mfx_rspamd_packer *packer, struct mfx_str *piece,
                       bool is_last, char *to, size_t max, bool *is_done);

enum mfx_rc mfx_rspamd_unpack(struct mfx_str bytes, struct mfx_buf *out,
                              struct mfx_err *err) MFX_NODISCARD;

#endif
