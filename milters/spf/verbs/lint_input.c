/* SPDX-License-Identifier: BSD-2-Clause */
#include "lint.h"

/* Quoted strings of a zone file: blanks, comments and the line's other words
 * are passed over; a line ends the record unless it is in parentheses. */
struct reading {
    struct mfx_str in;
    size_t at;
    struct mfx_buf out;
    bool is_open; /* in parentheses */
    struct lint_page *page;
};

/* "\"" and "\DDD" (RFC 1035 5.1). */
static char
read_escape(struct reading *r)
{
    unsigned value = 0;
    struct mfx_str digits = mfx_str_head(mfx_str_from(r->in, r->at), 3);
    for (size_t i = 0; i < digits.len; i++) {
        if (!mfx_ascii_is_digit((unsigned char)digits.p[i]))
            break;
        value = 10 * value + (unsigned)(digits.p[i] - '0');
        if (i == 2 && value < 256) {
            r->at += 3;
            return (char)value;
        }
    }
    return r->at < r->in.len ? r->in.p[r->at++] : '\\';
}

/* Behind the opening quote. */
static void
read_string(struct reading *r)
{
    struct lint_page *page = r->page;
    if (r->out.len > 0 && page->join_count < LINT_JOINS)
        page->joins[page->join_count++] = r->out.len;
    while (r->at < r->in.len && r->in.p[r->at] != '"') {
        char c = r->in.p[r->at++];
        mfx_buf_add_byte(&r->out, c == '\\' ? read_escape(r) : c);
    }
    r->at++;
}

/* To the end of the record's line. */
static void
read_record(struct reading *r)
{
    r->page->join_count = 0;
    mfx_buf_clear(&r->out);
    while (r->at < r->in.len) {
        char c = r->in.p[r->at++];
        if (c == '"')
            read_string(r);
        else if (c == ';')
            r->at += mfx_str_find(mfx_str_from(r->in, r->at), '\n');
        else if (c == '(' || c == ')')
            r->is_open = c == '(';
        else if (c == '\n' && !r->is_open)
            return;
    }
}

static bool
is_plain(struct mfx_str text)
{
    static const struct mfx_str start = MFX_STR("v=");
    return mfx_str_starts_nocase(text, start) || !mfx_str_has(text, '"');
}

bool
lint_input(struct mfx_arena *arena, struct mfx_str bytes,
           struct lint_page *page)
{
    static const struct mfx_str start = MFX_STR("v=spf1");
    struct reading r = {.in = bytes, .page = page};
    struct mfx_str text = mfx_str_trim(bytes);
    page->text = text;
    if (is_plain(text))
        return text.len > 0;
    mfx_buf_init_arena(&r.out, arena, bytes.len + 1);
    while (r.at < r.in.len) {
        read_record(&r);
        page->text = mfx_arena_copy(arena, mfx_buf_str(&r.out));
        if (mfx_str_starts_nocase(page->text, start))
            break;
    }
    return page->text.len > 0;
}
