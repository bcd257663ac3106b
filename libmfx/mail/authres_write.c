/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/authres.h>

enum {
    LINE = 78,
    TAB = 8,
    NAME_COLUMNS = sizeof("Authentication-Results:") - 1,
    MAX_PIECE = 900, /* no MTA breaks a line as long as this */
};

/* One word of the field, which cannot be folded. */
struct piece {
    size_t len;
    char p[MAX_PIECE + 100];
};

static void
put(struct piece *piece, struct mfx_str s)
{
    for (size_t i = 0; i < s.len && piece->len < sizeof piece->p; i++)
        piece->p[piece->len++] = s.p[i];
}

static void
put_text(struct piece *piece, const char *text)
{
    put(piece, mfx_str_of(text));
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

/* How much of the value is written: MAX_PIECE bytes with a backslash before
 * each of `escaped`, and no UTF-8 sequence cut. */
static struct mfx_str
cut_to_fit(struct mfx_str value, const char *escaped)
{
    size_t cost = 0, i = 0;
    for (; i < value.len; i++) {
        cost += value.p[i] != '\0' && strchr(escaped, value.p[i]) ? 2 : 1;
        if (cost > MAX_PIECE)
            break;
    }
    if (i < value.len)
        while (i > 0 && ((unsigned char)value.p[i] & 0xC0) == 0x80)
            i--;
    return mfx_str_head(value, i);
}

static void
put_between(struct piece *piece, const char *open, struct mfx_str value,
            const char *close, bool eai)
{
    const char *escaped = open[0] == '(' ? "()\\" : "\"\\";
    value = cut_to_fit(value, escaped);
    bool keeps_eight_bit = eai && mfx_str_is_utf8(value);
    put_text(piece, open);
    for (size_t i = 0; i < value.len; i++) {
        char c = harmless(value.p[i], keeps_eight_bit);
        if (strchr(escaped, c) != NULL)
            put_text(piece, "\\");
        put(piece, mfx_str(&c, 1));
    }
    put_text(piece, close);
}

static bool
is_made_of(struct mfx_str s, const char *others, bool eight_bit)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!mfx_ascii_is_alnum(c) && !(eight_bit && c >= 0x80) &&
            (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return true;
}

/* A token of RFC 2045 5.1, or "[local] @ domain" (RFC 8601 2.2: pvalue). */
static bool
needs_no_quotes(struct mfx_str value, bool eai)
{
    static const char token[] = "!#$%&'*+-.^_`{|}~";
    bool eight_bit = eai && mfx_str_is_utf8(value);
    size_t at = mfx_str_find(value, '@');
    struct mfx_str domain = mfx_str_from(value, at + 1);
    if (value.len == 0 || value.len > MAX_PIECE)
        return false;
    if (at == value.len)
        return is_made_of(value, token, eight_bit);
    return domain.len > 0 && is_made_of(domain, "-._", eight_bit) &&
           is_made_of(mfx_str_head(value, at), token, eight_bit);
}

static void
put_value(struct piece *piece, struct mfx_str value, bool eai)
{
    if (needs_no_quotes(value, eai))
        put(piece, value);
    else
        put_between(piece, "\"", value, "\"", eai);
}

/* Adds the piece behind a blank, or on a line of its own when it is too long
 * for this one. */
static void
add(struct mfx_authres_writer *w, const struct piece *piece, bool new_line)
{
    /* one column is for a semicolon behind it */
    bool folds = new_line || w->column + 1 + piece->len + 1 > LINE;
    mfx_buf_add_text(w->out, folds ? "\n\t" : " ");
    mfx_buf_add(w->out, mfx_str(piece->p, piece->len));
    w->column = (folds ? TAB : w->column + 1) + piece->len;
}

static void
add_semicolon(struct mfx_authres_writer *w)
{
    mfx_buf_add_byte(w->out, ';');
    w->column++;
}

void
mfx_authres_begin(struct mfx_authres_writer *w, struct mfx_buf *out,
                  struct mfx_str authserv_id, bool eai)
{
    struct piece id;
    *w = (struct mfx_authres_writer){
        .out = out,
        .column = NAME_COLUMNS,
        .eai = eai,
    };
    id.len = 0;
    put_value(&id, authserv_id, eai);
    /* never folded: a first line of white space alone is odd */
    mfx_buf_add_byte(out, ' ');
    mfx_buf_add(out, mfx_str(id.p, id.len));
    w->column += 1 + id.len;
}

void
mfx_authres_result(struct mfx_authres_writer *w, const char *method,
                   const char *result, struct mfx_str reason,
                   struct mfx_str comment)
{
    struct piece piece;
    w->results++;
    add_semicolon(w);
    piece.len = 0;
    put_text(&piece, method);
    put_text(&piece, "=");
    put_text(&piece, result);
    add(w, &piece, true);
    if (comment.len > 0) {
        piece.len = 0;
        put_between(&piece, "(", comment, ")", w->eai);
        add(w, &piece, false);
    }
    if (reason.len > 0) {
        piece.len = 0;
        put_between(&piece, "reason=\"", reason, "\"", w->eai);
        add(w, &piece, false);
    }
}

void
mfx_authres_property(struct mfx_authres_writer *w, const char *type,
                     const char *name, struct mfx_str value)
{
    struct piece piece;
    if (value.len == 0)
        return;
    piece.len = 0;
    put_text(&piece, type);
    put_text(&piece, ".");
    put_text(&piece, name);
    put_text(&piece, "=");
    put_value(&piece, value, w->eai);
    add(w, &piece, false);
}

void
mfx_authres_end(struct mfx_authres_writer *w)
{
    struct piece none;
    if (w->results > 0)
        return;
    add_semicolon(w);
    none.len = 0;
    put_text(&none, "none");
    add(w, &none, false);
}
