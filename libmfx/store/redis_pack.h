/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_pack - numbers and texts as a script unpacks them (not installed)
 *
 * MessagePack, as far as cmsgpack in Redis reads it, value behind value: one
 * argument of a script is taken apart faster than many, or than a list.
 *
 *     mfx_redis_pack_u64(buf, 7);
 *     mfx_redis_pack_str(buf, name);
 *
 * Ownership, Errors: as struct mfx_buf. Threads: one.
 */
#ifndef MFX_STORE_REDIS_PACK_H
#define MFX_STORE_REDIS_PACK_H

#include <mfx/base/buf.h>

void mfx_redis_pack_u64(struct mfx_buf *out, uint64_t number);
void mfx_redis_pack_minus_one(struct mfx_buf *out);
void mfx_redis_pack_str(struct mfx_buf *out, struct mfx_str text);

#endif
