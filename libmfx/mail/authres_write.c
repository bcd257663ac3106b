/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/authres.h>

#include <mfx/mail/field_write.h>

enum {
    NAME_COLUMNS = sizeof("Authentication-Results:") - 1,
};

static bool
has_empty_label(struct mfx_str s)
{
    struct mfx_str label;
    while (mfx_str_cut(&s, '.', &label))
        if (label.len == 0)
            return true;
    return false;
}

/* A token of RFC 2045 5.1, or "[local] @ domain" (RFC 8601 2.2: pvalue); some
 * readers take no token with dots at its ends or two together. */
static bool
needs_no_quotes(struct mfx_str value, bool eai)
{
    static const char token[] = "!#$%&'*+-.^_`{|}~";
    bool eight_bit = eai && mfx_str_is_utf8(value);
    size_t at = mfx_str_find(value, '@');
    struct mfx_str local = mfx_str_head(value, at);
    struct mfx_str domain = mfx_str_from(value, at + 1);
    if (value.len == 0 || value.len > MFX_FIELD_PIECE_TEXT)
        return false;
    if (!mfx_field_is_made_of(local, token, eight_bit) ||
        (local.len > 0 && has_empty_label(local)))
        return false;
    return at == value.len ||
           (domain.len > 0 && mfx_field_is_made_of(domain, "-._", eight_bit) &&
            !has_empty_label(domain));
}

static void
put_value(struct mfx_field_piece *piece, struct mfx_str value, bool eai)
{
    if (needs_no_quotes(value, eai))
        mfx_field_piece_add(piece, value);
    else
        mfx_field_piece_between(piece, "\"", value, "\"", eai);
}

static void
add(struct mfx_authres_writer *w, const struct mfx_field_piece *piece,
    bool new_line)
{
    w->column = mfx_field_add(w->out, w->column, piece, new_line);
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
    struct mfx_field_piece id;
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
    struct mfx_field_piece piece;
    w->results++;
    add_semicolon(w);
    piece.len = 0;
    mfx_field_piece_add_text(&piece, method);
    mfx_field_piece_add_text(&piece, "=");
    mfx_field_piece_add_text(&piece, result);
    add(w, &piece, true);
    if (comment.len > 0) {
        piece.len = 0;
        mfx_field_piece_between(&piece, "(", comment, ")", w->eai);
        add(w, &piece, false);
    }
    if (reason.len > 0) {
        piece.len = 0;
        mfx_field_piece_between(&piece, "reason=\"", reason, "\"", w->eai);
        add(w, &piece, false);
    }
}

void
mfx_authres_property(struct mfx_authres_writer *w, const char *type,
                     const char *name, struct mfx_str value)
{
    struct mfx_field_piece piece;
    if (value.len == 0)
        return;
    piece.len = 0;
    mfx_field_piece_add_text(&piece, type);
    mfx_field_piece_add_text(&piece, ".");
    mfx_field_piece_add_text(&piece, name);
    mfx_field_piece_add_text(&piece, "=");
    put_value(&piece, value, w->eai);
    add(w, &piece, false);
}

void
mfx_authres_end(struct mfx_authres_writer *w)
{
    struct mfx_field_piece none;
    if (w->results > 0)
        return;
    add_semicolon(w);
    none.len = 0;
    mfx_field_piece_add_text(&none, "none");
    add(w, &none, false);
}
