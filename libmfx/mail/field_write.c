/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/field_write.h>

enum {
    LINE = 78,
    TAB = 8,
};

void
mfx_field_piece_add(struct mfx_field_piece *piece, struct mfx_str s)
{
    s = mfx_str_head(s, sizeof piece->p - piece->len);
    if (s.len > 0)
        memcpy(piece->p + piece->len, s.p, s.len);
    piece->len += s.len;
}

void
mfx_field_piece_add_text(struct mfx_field_piece *piece, const char *text)
{
    mfx_field_piece_add(piece, mfx_str_of(text));
}

/* What stands for the byte: itself, or '?'. A semicolon in quotes would begin
 * another result for a reader that knows no quotes. */
static char
harmless(char c, bool keeps_eight_bit)
{
    unsigned char u = (unsigned char)c;
    if (u < ' ' || u == 0x7F || u == ';' || (u >= 0x80 && !keeps_eight_bit))
        return '?';
    return c;
}

/* How much of the value is written: MFX_FIELD_PIECE_TEXT bytes with a backslash before
 * each of `escaped`, and no UTF-8 sequence cut. */
static struct mfx_str
cut_to_fit(struct mfx_str value, const char *escaped)
{
    size_t cost = 0, i = 0;
    for (; i < value.len; i++) {
        cost += value.p[i] != '\0' && strchr(escaped, value.p[i]) ? 2 : 1;
        if (cost > MFX_FIELD_PIECE_TEXT)
            break;
    }
    if (i < value.len)
        while (i > 0 && ((unsigned char)value.p[i] & 0xC0) == 0x80)
            i--;
    return mfx_str_head(value, i);
}

void
mfx_field_piece_between(struct mfx_field_piece *piece, const char *open,
                        struct mfx_str value, const char *close, bool eai)
{
    const char *escaped = open[0] == '(' ? "()\\" : "\"\\";
    value = cut_to_fit(value, escaped);
    bool keeps_eight_bit = eai && mfx_str_is_utf8(value);
    mfx_field_piece_add_text(piece, open);
    for (size_t i = 0; i < value.len; i++) {
        char c = harmless(value.p[i], keeps_eight_bit);
        if (strchr(escaped, c) != NULL)
            mfx_field_piece_add_text(piece, "\\");
        mfx_field_piece_add(piece, mfx_str(&c, 1));
    }
    mfx_field_piece_add_text(piece, close);
}

bool
mfx_field_is_made_of(struct mfx_str s, const char *others, bool eight_bit)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!mfx_ascii_is_alnum(c) && !(eight_bit && c >= 0x80) &&
            (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return true;
}

size_t
mfx_field_add(struct mfx_buf *out, size_t column,
              const struct mfx_field_piece *piece, bool new_line)
{
    /* one column is for a semicolon behind it */
    bool folds = new_line || column + 1 + piece->len + 1 > LINE;
    mfx_buf_add_text(out, folds ? "\n\t" : " ");
    mfx_buf_add(out, mfx_str(piece->p, piece->len));
    return (folds ? TAB : column + 1) + piece->len;
}
