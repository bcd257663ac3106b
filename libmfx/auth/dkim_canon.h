/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_canon - canonicalization and body hashes (RFC 6376 3.4, 3.7)
 *
 * The body streams through in whatever pieces it comes; each distinct pair of
 * canonicalization and length limit is hashed once, however many signatures
 * want it. Runs of ordinary bytes go to SHA-256 as they stand: nothing is
 * handled byte by byte, nothing is held but the unfinished line end.
 *
 *     struct mfx_dkim_body *b = mfx_dkim_body_new(arena);
 *     int h = mfx_dkim_body_want(b, MFX_DKIM_RELAXED, MFX_DKIM_NO_LIMIT);
 *     mfx_dkim_body_update(b, piece) ...; mfx_dkim_body_finish(b);
 *     mfx_dkim_body_digest(b, h);
 *
 * Line ends: CRLF as it comes from the MTA. With fix_line_ends a bare LF (or
 * a bare CR) counts as CRLF: for files.
 *
 * Ownership: in the arena, OpenSSL contexts given back at its reset.
 * Errors: `want` answers -1 when out of memory or contexts; update and finish
 * cannot fail then. Threads: one at a time.
 */
#ifndef MFX_AUTH_DKIM_CANON_H
#define MFX_AUTH_DKIM_CANON_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/base/str.h>
#include <mfx/mail/header.h>

MFX_API_BEGIN

enum mfx_dkim_canon {
    MFX_DKIM_SIMPLE,
    MFX_DKIM_RELAXED,
};
const char *mfx_dkim_canon_name(enum mfx_dkim_canon canon);

#define MFX_DKIM_NO_LIMIT UINT64_MAX

struct mfx_dkim_body;

struct mfx_dkim_body *mfx_dkim_body_new(struct mfx_arena *arena,
                                        bool fix_line_ends);
/* limit: octets of the canonical body (l=). The same pair twice gives the
 * same handle. */
int mfx_dkim_body_want(struct mfx_dkim_body *body, enum mfx_dkim_canon canon,
                       uint64_t limit) MFX_NODISCARD;
void mfx_dkim_body_update(struct mfx_dkim_body *body, struct mfx_str piece);
void mfx_dkim_body_finish(struct mfx_dkim_body *body);
/* 32 bytes; after finish. */
const unsigned char *mfx_dkim_body_digest(const struct mfx_dkim_body *body,
                                          int handle);
/* Canonical length of the whole body, whatever the limit. */
uint64_t mfx_dkim_body_length(const struct mfx_dkim_body *body, int handle);

/* Appends the canonical form of one field, with its CRLF. */
void mfx_dkim_canon_header(enum mfx_dkim_canon canon, struct mfx_str name,
                           struct mfx_str value, struct mfx_buf *out);

MFX_API_END

#endif
