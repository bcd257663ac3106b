/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/address_fold.h>

size_t
address_fold_longest(size_t name_len, struct mfx_str value)
{
    struct mfx_str line;
    size_t longest = 0, before = name_len + 1;
    while (mfx_str_cut(&value, '\n', &line)) {
        if (before + line.len > longest)
            longest = before + line.len;
        before = 0;
    }
    return longest;
}

/* True when nothing but white space stands from `at` to the line's end. */
static bool
is_blank_behind(struct mfx_str value, size_t at)
{
    while (at < value.len && mfx_ascii_is_wsp((unsigned char)value.p[at]))
        at++;
    return at == value.len || value.p[at] == '\n';
}

void
address_fold_mend(struct mfx_str value, struct mfx_buf *out)
{
    size_t copied = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] != '\n' || !is_blank_behind(value, i + 1))
            continue;
        mfx_buf_add(out, mfx_str(value.p + copied, i - copied));
        copied = i + 1;
    }
    mfx_buf_add(out, mfx_str_from(value, copied));
}

struct folder {
    struct mfx_str value;
    struct mfx_buf *out;
    size_t max;
    size_t copied;  /* of the value; where the line begins that is written */
    size_t before;  /* octets of that line that are not from there */
    size_t comma;   /* last place behind a comma; copied: none */
    size_t blank;   /* last place before white space; copied: none */
    size_t nesting; /* of comments */
    bool in_quotes, in_brackets;
};

static void
begin_line(struct folder *f, size_t at, size_t before)
{
    f->copied = at;
    f->before = before;
    f->comma = at;
    if (f->blank < at)
        f->blank = at;
}

static void
break_line(struct folder *f)
{
    size_t at = f->comma > f->copied ? f->comma : f->blank;
    bool has_blank = mfx_ascii_is_wsp((unsigned char)f->value.p[at]);
    mfx_buf_add(f->out, mfx_str(f->value.p + f->copied, at - f->copied));
    mfx_buf_add_text(f->out, has_blank ? "\n" : "\n ");
    begin_line(f, at, has_blank ? 0 : 1);
}

/* Where the lexer is behind the byte at *i; a quoted pair is one. */
static void
step_over(struct folder *f, size_t *i)
{
    char c = f->value.p[*i];
    if (c == '\\')
        ++*i;
    else if (f->in_quotes)
        f->in_quotes = c != '"';
    else if (c == '(')
        f->nesting++;
    else if (f->nesting > 0)
        f->nesting -= c == ')';
    else if (c == '"')
        f->in_quotes = true;
    else if (c == '[' || c == ']')
        f->in_brackets = c == '[';
}

static void
note_place(struct folder *f, size_t i)
{
    struct mfx_str v = f->value;
    if (f->in_quotes || f->in_brackets || f->nesting > 0)
        return;
    if (v.p[i] == ',' && !is_blank_behind(v, i + 1))
        f->comma = i + 1;
    else if (i > f->copied && mfx_ascii_is_wsp((unsigned char)v.p[i]) &&
             !mfx_ascii_is_fws((unsigned char)v.p[i - 1]) &&
             !is_blank_behind(v, i + 1))
        f->blank = i;
}

void
address_fold_lines(size_t name_len, struct mfx_str value, size_t max,
                   struct mfx_buf *out)
{
    struct folder f = {.value = value, .out = out, .max = max};
    f.before = name_len + 1;
    for (size_t i = 0; i < value.len; i++) {
        size_t at = i;
        step_over(&f, &i);
        if (i < value.len && value.p[i] == '\n') {
            mfx_buf_add(out, mfx_str(value.p + f.copied, i + 1 - f.copied));
            begin_line(&f, i + 1, 0);
        }
        if (i > at || f.copied > i)
            continue;
        if (f.before + i + 1 - f.copied > max &&
            (f.comma > f.copied || f.blank > f.copied))
            break_line(&f);
        note_place(&f, i);
    }
    mfx_buf_add(out, mfx_str_from(value, f.copied));
}
