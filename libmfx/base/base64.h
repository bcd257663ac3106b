/* SPDX-License-Identifier: BSD-2-Clause
 *
 * base64 - RFC 4648 section 4, with what mail needs
 *
 * Ownership: output goes to the caller's memory. Errors: decode answers
 * MFX_PERMFAIL for a byte outside the alphabet (white space is allowed), for
 * padding in the wrong place and for a result longer than `size`.
 * Threads: pure functions.
 */
#ifndef MFX_BASE_BASE64_H
#define MFX_BASE_BASE64_H

#include <mfx/base/str.h>

MFX_API_BEGIN

/* Characters that len bytes encode to, padding included, no NUL. */
static inline size_t
mfx_base64_encoded_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* Writes mfx_base64_encoded_len(len) characters, no NUL; returns how many. */
size_t mfx_base64_encode(const unsigned char *bytes, size_t len, char *out);

/* Decodes into out, of `size` bytes; *len is set only on MFX_OK. Space, tab,
 * CR and LF are skipped (FWS of RFC 6376 3.2); padding may be missing. */
enum mfx_rc mfx_base64_decode(struct mfx_str text, unsigned char *out,
                              size_t size, size_t *len) MFX_NODISCARD;

MFX_API_END

#endif
