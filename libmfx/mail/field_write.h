/* SPDX-License-Identifier: BSD-2-Clause
 *
 * field_write - a field of words that are folded between them
 *
 *     struct mfx_field_piece piece;
 *     piece.len = 0;
 *     mfx_field_piece_add_text(&piece, "helo=");
 *     mfx_field_piece_between(&piece, "\"", helo, "\"", eai);
 *     column = mfx_field_add(&out, column, &piece, false);
 *
 * A piece is one word of the field. Text from outside enters it through
 * mfx_field_piece_between alone: control bytes, ";" and, unless it is UTF-8 and
 * wanted, what is not ASCII become '?'; what would end the quotes or the
 * comment gets a backslash; and more than MFX_FIELD_PIECE_TEXT bytes are cut off.
 *
 * Ownership: the caller's storage. Errors: mfx_buf_ok(out). Threads: pure.
 */
#ifndef MFX_MAIL_FIELD_WRITE_H
#define MFX_MAIL_FIELD_WRITE_H

#include <mfx/base/buf.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

enum {
    MFX_FIELD_PIECE_TEXT = 900, /* no MTA breaks a line as long as this */
};

struct mfx_field_piece {
    size_t len;
    char p[MFX_FIELD_PIECE_TEXT + 100];
};

/* Our own text; what does not fit is left out. */
void mfx_field_piece_add(struct mfx_field_piece *piece, struct mfx_str s);
void mfx_field_piece_add_text(struct mfx_field_piece *piece, const char *text);
/* open: "(", or what ends in a quote ("reason=\""); close: the same closed. */
void mfx_field_piece_between(struct mfx_field_piece *piece, const char *open,
                             struct mfx_str value, const char *close, bool eai);

/* True when all bytes are letters, digits, among others, or, when wanted, not
 * ASCII. */
bool mfx_field_is_made_of(struct mfx_str s, const char *others, bool eight_bit);

/* Adds the piece behind a blank, or on a line of its own when it is too long
 * for this one or new_line says so. Returns the column behind it. */
size_t mfx_field_add(struct mfx_buf *out, size_t column,
                     const struct mfx_field_piece *piece, bool new_line);

MFX_API_END

#endif
