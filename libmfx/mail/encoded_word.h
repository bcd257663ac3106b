/* SPDX-License-Identifier: BSD-2-Clause
 *
 * encoded_word - text beyond ASCII in a header field (RFC 2047)
 *
 *     column = strlen("Subject:");
 *     mfx_encoded_word_format(&value, column, mfx_str_of("Gr\303\274\303\237e"));
 *     text = mfx_encoded_word_decode(header->value, MFX_CHARSETS_KNOWN, arena);
 *
 * For the value of an unstructured field (Subject, Comments, X-...); what is
 * written holds nothing that a phrase of an address field does not allow.
 *
 * Ownership: the caller's buffer; the arena. Errors: mfx_buf_ok, mfx_arena_ok;
 * what is malformed is text and stays as it is. Threads: pure.
 * Limits: encoded words of 75 octets and lines of 76 (RFC 2047 2); decoding
 * takes longer words, white space within one, and words that touch other text,
 * as mail programs do.
 */
#ifndef MFX_MAIL_ENCODED_WORD_H
#define MFX_MAIL_ENCODED_WORD_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

enum {
    MFX_ENCODED_WORD_MAX = 75,
    MFX_ENCODED_LINE_MAX = 76,
    MFX_ENCODED_PLAIN_MAX = 900, /* a longer word is encoded, to be folded */
};

/* Adds the text, each word behind a blank or on a line of its own (LF and a
 * blank); returns the column behind it. Words of printable ASCII stand as they
 * are; others are encoded words of UTF-8, Q or B, whichever is shorter, and no
 * character is split. White space and control bytes are blanks, several are
 * one, none stands at the ends (but one behind an encoded last word is kept,
 * within it: what follows may be an encoded word, and white space between two
 * is not shown). A byte that is not UTF-8 is U+FFFD. */
size_t mfx_encoded_word_format(struct mfx_buf *out, size_t column,
                               struct mfx_str text);

/* What becomes of encoded words in a charset other than UTF-8, US-ASCII and
 * ISO-8859-1. */
enum mfx_charsets {
    MFX_CHARSETS_KNOWN, /* they stay as they stand */
    MFX_CHARSETS_GUESS, /* their ASCII is taken, each other byte is U+FFFD */
};

/* The value unfolded, its encoded words decoded. It may hold any byte, also
 * line ends and NUL, whatever the words held: not fit to be written out. Empty
 * when the arena is exhausted. */
struct mfx_str mfx_encoded_word_decode(struct mfx_str value,
                                       enum mfx_charsets charsets,
                                       struct mfx_arena *arena);

/* True when the value, behind white space, begins with an encoded word of any
 * charset. */
bool mfx_encoded_word_leads(struct mfx_str value);

MFX_API_END

#endif
