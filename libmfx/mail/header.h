/* SPDX-License-Identifier: BSD-2-Clause
 *
 * header - the header section of a message, field by field
 *
 * A field has an identity (its address in memory) that edits refer to; index
 * arithmetic is the harness's business.
 *
 *     struct mfx_header *h = mfx_headers_add(&m->headers, arena, name, value);
 *     for (h = mfx_headers_first(&list, name); h; h = h->same_next) ...
 *
 * Value convention, everywhere in mfx: `value` is the exact text behind the
 * colon, leading white space included (" hello"), lines joined by LF alone
 * (" first\n\tsecond"), without the final line end.
 *
 * Ownership: fields live in the arena given. Errors: NULL when the arena is
 * exhausted. Threads: one at a time.
 * Limits: none here; the harness bounds number and bytes by settings.
 */
#ifndef MFX_MAIL_HEADER_H
#define MFX_MAIL_HEADER_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

struct mfx_header {
    struct mfx_str name; /* as spelled in the message */
    struct mfx_str value;
    size_t instance;         /* 1 for the first of this name from the top */
    struct mfx_header *next; /* in message order */
    struct mfx_header *same_next; /* next below with the same name */
    struct mfx_header *same_prev; /* next above with the same name */
};

struct mfx_headers {
    struct mfx_header *first, *last;
    size_t count;
    size_t bytes;            /* of the whole section with LF line ends */
    struct mfx_map *by_name; /* made when there are many; else NULL */
};

/* Appends a field; name and value are copied into the arena. */
struct mfx_header *mfx_headers_add(struct mfx_headers *headers,
                                   struct mfx_arena *arena, struct mfx_str name,
                                   struct mfx_str value);
/* Topmost, bottommost, and how many fields of that name (ASCII case is
 * alike). */
struct mfx_header *mfx_headers_first(const struct mfx_headers *headers,
                                     struct mfx_str name);
struct mfx_header *mfx_headers_last(const struct mfx_headers *headers,
                                    struct mfx_str name);
size_t mfx_headers_count(const struct mfx_headers *headers,
                         struct mfx_str name);
/* What breaks RFC 5322 3.6 (From and Date once, others at most once), in
 * words: "no Date field", "several Subject fields"; NULL when nothing does. */
const char *mfx_headers_fault(const struct mfx_headers *headers);
/* Frees what is not in the arena (by_name). */
void mfx_headers_fini(struct mfx_headers *headers);

/* ftext of RFC 5322 3.6.8: printable ASCII without colon, at least one. */
bool mfx_header_name_is_valid(struct mfx_str name);

/* The one gate for text that goes into a header we write: false when it holds
 * CR or NUL, or an LF that is not followed by white space and then something
 * else: no line of only white space (the first stands behind the name and may
 * be empty). */
bool mfx_header_value_is_safe(struct mfx_str value);

/* Unfolded: each LF (and CR) taken out, nothing else changed (RFC 5322
 * 2.2.3). Borrows when there is nothing to take out. */
struct mfx_str mfx_header_unfold(struct mfx_str value, struct mfx_arena *arena);

/* --- a whole message as bytes (mfxctl, tests) --- */

/* Splits a message with CRLF or LF line ends into fields and body. Body line
 * ends are untouched. A first line "From " (mbox) is left out; a line that is
 * no field ends the header section (mta-behaviour of Postfix and Sendmail).
 * MFX_TEMPFAIL when the arena is exhausted, else MFX_OK. */
enum mfx_rc mfx_message_split(struct mfx_str message, struct mfx_arena *arena,
                              struct mfx_headers *headers,
                              struct mfx_str *body) MFX_NODISCARD;

MFX_API_END

#endif
