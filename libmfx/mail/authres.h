/* SPDX-License-Identifier: BSD-2-Clause
 *
 * authres - Authentication-Results (RFC 8601), read and written
 *
 * Reading answers two questions about a field of a message from outside: whose
 * is it (authserv-id), and which methods does it claim. The reader forgives
 * nothing that would hide an authserv-id from another reader: comments,
 * folding, quoting, case, a missing id, a trailing dot.
 *
 * Writing takes values from the network; what is not a token is quoted, what
 * cannot be quoted (CR, LF, NUL, other control) is replaced by '?', non-ASCII
 * is kept only when eai is set and it is UTF-8. So is ";", in quotes and
 * comments too: some readers part results there, and what is in a value must
 * not pass for a result of another method (mfx_authres_claims_method). A value
 * of more than 900 bytes is cut there. Nothing can break out of the field.
 *
 * Ownership: results borrow or live in the arena. Errors: below.
 * Threads: pure functions.
 */
#ifndef MFX_MAIL_AUTHRES_H
#define MFX_MAIL_AUTHRES_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

struct mfx_authres_property {
    struct mfx_str type, name, value; /* "header", "d", "example.org" */
};

struct mfx_authres_result {
    struct mfx_str method, result, reason;
    size_t property_count;
    struct mfx_authres_property *properties;
};

struct mfx_authres {
    struct mfx_str authserv_id; /* unquoted; empty when it is missing */
    size_t result_count;        /* 0 for "none" */
    struct mfx_authres_result *results;
    bool is_whole; /* false: something could not be read; what is there was */
};

/* MFX_OK even when parts cannot be read (is_whole is false then);
 * MFX_PERMFAIL when nothing at all could; MFX_TEMPFAIL on an exhausted
 * arena. At most max results and 50 properties each are kept. */
enum mfx_rc mfx_authres_parse(struct mfx_str value, struct mfx_arena *arena,
                              size_t max,
                              struct mfx_authres *authres) MFX_NODISCARD;

/* True when a reader anywhere could take the field for one of authserv_id:
 * equal without case, also with "/jobid" behind it, a final dot, quotes,
 * comments or folding around or inside it, as A-label or U-label, or stray
 * bytes before it. A field without an id is anybody's: true. */
bool mfx_authres_claims_id(struct mfx_str value, struct mfx_str authserv_id);
/* The same for any name below the domain: "mx.example.org" for "example.org". */
bool mfx_authres_claims_below(struct mfx_str value, struct mfx_str domain);
/* True when the field claims a result of the method ("dkim"), in a comment or
 * quotes behind a ";" too, or cannot be read whole. */
bool mfx_authres_claims_method(struct mfx_str value, struct mfx_str method);

/* --- writing --- */

struct mfx_authres_writer {
    struct mfx_buf *out;
    size_t column;
    size_t results;
    bool eai;
};

/* Begins a value " id" (with a leading space, folded with "\n\t", at most 78
 * columns where possible; MFX_HEADER value convention). */
void mfx_authres_begin(struct mfx_authres_writer *w, struct mfx_buf *out,
                       struct mfx_str authserv_id, bool eai);
/* "; method=result"; reason (may be empty) as reason="...", comment (may be
 * empty) in parentheses. */
void mfx_authres_result(struct mfx_authres_writer *w, const char *method,
                        const char *result, struct mfx_str reason,
                        struct mfx_str comment);
/* " type.name=value"; nothing for an empty value. */
void mfx_authres_property(struct mfx_authres_writer *w, const char *type,
                          const char *name, struct mfx_str value);
/* "; none" when there was no result. Check mfx_buf_ok(out). */
void mfx_authres_end(struct mfx_authres_writer *w);

MFX_API_END

#endif
