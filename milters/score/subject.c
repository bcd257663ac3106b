/* SPDX-License-Identifier: BSD-2-Clause */
#include "subject.h"

#include <mfx/base/decimal.h>
#include <mfx/mail/encoded_word.h>

enum {
    TAG_MAX = 64 * 1024,
    COLUMN = sizeof "Subject:" - 1,
    LINE_MAX_LEN = 998, /* RFC 5322 2.1.1 */
};

static const struct mfx_str field_name = MFX_STR("Subject");

/* --- the tag --- */

enum variable {
    TEXT, /* no variable */
    SCORE,
    REQUIRED,
};

/* A piece of the tag: a variable, or bytes up to the next one. */
static enum variable
cut_piece(struct mfx_str *rest, struct mfx_str *piece)
{
    static const struct {
        struct mfx_str name;
        enum variable variable;
    } names[] = {
        {MFX_STR("$score"),    SCORE   },
        {MFX_STR("$required"), REQUIRED},
    };
    for (size_t len = 0; len < rest->len; len++) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (!mfx_str_starts(mfx_str_from(*rest, len), names[i].name))
                continue;
            *piece = mfx_str_head(*rest, len > 0 ? len : names[i].name.len);
            *rest = mfx_str_from(*rest, piece->len);
            return len > 0 ? TEXT : names[i].variable;
        }
    }
    *piece = *rest;
    *rest = mfx_str_from(*rest, rest->len);
    return TEXT;
}

static void
add_number(struct mfx_buf *out, int64_t number)
{
    if (number == MFX_DECIMAL_NONE)
        mfx_buf_add_text(out, "none");
    else
        mfx_decimal_format(number, out);
}

static struct mfx_str
expand(const struct score_subject_tag *tag, struct mfx_arena *arena)
{
    struct mfx_str rest = mfx_str_trim(tag->text), piece;
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, TAG_MAX);
    while (rest.len > 0) {
        switch (cut_piece(&rest, &piece)) {
        case TEXT:
            mfx_buf_add(&out, piece);
            break;
        case SCORE:
            add_number(&out, tag->score);
            break;
        case REQUIRED:
            add_number(&out, tag->required);
            break;
        }
    }
    return mfx_buf_str(&out);
}

/* --- is it there already? --- */

static bool
is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7F;
}

static struct mfx_str
skip_blanks(struct mfx_str s)
{
    while (s.len > 0 && is_blank(s.p[0]))
        s = mfx_str_from(s, 1);
    return s;
}

static size_t
digits_of(struct mfx_str s)
{
    size_t len = 0;
    while (len < s.len && mfx_ascii_is_digit((unsigned char)s.p[len]))
        len++;
    return len;
}

static bool
cut_number(struct mfx_str *s)
{
    static const struct mfx_str none = MFX_STR("none");
    if (mfx_str_starts(*s, none)) {
        *s = mfx_str_from(*s, none.len);
        return true;
    }
    struct mfx_str rest = mfx_str_from(*s, s->len > 0 && s->p[0] == '-');
    size_t digits = digits_of(rest);
    if (digits == 0)
        return false;
    rest = mfx_str_from(rest, digits);
    digits =
        rest.len > 0 && rest.p[0] == '.' ? digits_of(mfx_str_from(rest, 1)) : 0;
    *s = mfx_str_from(rest, digits == 0 ? 0 : digits + 1);
    return true;
}

/* Blanks, however many and of which kind, are alike. */
static bool
cut_text(struct mfx_str *s, struct mfx_str text)
{
    while (text.len > 0) {
        if (s->len == 0)
            return false;
        if (is_blank(text.p[0]) && is_blank(s->p[0])) {
            text = skip_blanks(text);
            *s = skip_blanks(*s);
            continue;
        }
        if (text.p[0] != s->p[0])
            return false;
        text = mfx_str_from(text, 1);
        *s = mfx_str_from(*s, 1);
    }
    return true;
}

static bool
is_word_byte(char c)
{
    return (unsigned char)c >= 0x80 || mfx_ascii_is_alnum((unsigned char)c);
}

/* The tag SPAM is not in "SPAMMERS". */
static bool
begins_with_tag(struct mfx_str tag, struct mfx_str subject)
{
    struct mfx_str piece, start = skip_blanks(subject), rest = start;
    tag = mfx_str_trim(tag);
    while (tag.len > 0) {
        bool is_text = cut_piece(&tag, &piece) == TEXT;
        if (is_text ? !cut_text(&rest, piece) : !cut_number(&rest))
            return false;
    }
    size_t len = start.len - rest.len;
    return rest.len == 0 || len == 0 || !is_word_byte(rest.p[0]) ||
           !is_word_byte(start.p[len - 1]);
}

/* --- the value --- */

/* Without what may not be written: CR, lines of white space. */
static struct mfx_str
mended(struct mfx_str value, struct mfx_arena *arena)
{
    struct mfx_buf out;
    struct mfx_str line;
    if (mfx_header_value_is_safe(value))
        return mfx_str_trim(value);
    mfx_buf_init_arena(&out, arena, 2 * value.len + 1);
    while (mfx_str_cut(&value, '\n', &line)) {
        bool is_folded =
            line.len > 0 && mfx_ascii_is_wsp((unsigned char)line.p[0]);
        if (mfx_str_trim(line).len == 0)
            continue;
        if (out.len > 0)
            mfx_buf_add_text(&out, is_folded ? "\n" : "\n ");
        for (size_t i = 0; i < line.len; i++)
            if (line.p[i] != '\r' && line.p[i] != '\0')
                mfx_buf_add_byte(&out, line.p[i]);
    }
    return mfx_str_trim(mfx_buf_str(&out));
}

static bool
is_last_word_encoded(const struct mfx_buf *out)
{
    return out->len > 2 && out->p[out->len - 2] == '?' &&
           out->p[out->len - 1] == '=';
}

/* White space between two encoded words is not shown, so a blank goes into the
 * tag's last. */
static size_t
add_tag(struct mfx_buf *out, struct mfx_str tag, struct mfx_str behind,
        struct mfx_arena *arena)
{
    size_t column = mfx_encoded_word_format(out, COLUMN, tag);
    if (!is_last_word_encoded(out) || !mfx_encoded_word_leads(behind))
        return column;
    mfx_buf_clear(out);
    tag = mfx_arena_printf(arena, "%.*s ", MFX_STR_ARG(tag));
    return mfx_encoded_word_format(out, COLUMN, tag);
}

bool
score_subject_tagged(const struct score_subject_tag *tag, struct mfx_str value,
                     struct mfx_arena *arena, struct mfx_str *out)
{
    struct mfx_buf made;
    struct mfx_str shown =
        mfx_encoded_word_decode(value, MFX_CHARSETS_GUESS, arena);
    if (mfx_str_trim(tag->text).len == 0 || begins_with_tag(tag->text, shown))
        return false;
    value = mended(value, arena);
    mfx_buf_init_arena(&made, arena, 4 * TAG_MAX + value.len);
    size_t column = add_tag(&made, expand(tag, arena), value, arena);
    if (value.len > 0) {
        size_t first = mfx_str_find(value, '\n');
        bool is_folded = column + 1 + first > MFX_ENCODED_LINE_MAX;
        mfx_buf_add_text(&made, is_folded ? "\n " : " ");
        mfx_buf_add(&made, value);
    }
    *out = mfx_buf_str(&made);
    return mfx_buf_ok(&made) && mfx_arena_ok(arena);
}

static bool
is_value(struct mfx_str s)
{
    struct mfx_str rest = s, line;
    if (!mfx_str_is_ascii(s) || !mfx_header_value_is_safe(s) ||
        s.len > SCORE_SUBJECT_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\n' && s.p[i] != '\t') ||
            s.p[i] == 0x7F)
            return false;
    while (mfx_str_cut(&rest, '\n', &line))
        if (COLUMN + 1 + line.len > LINE_MAX_LEN)
            return false;
    return true;
}

/* Not in the middle of a character. */
static struct mfx_str
cut_to(struct mfx_str s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max > 0 && ((unsigned char)s.p[max] & 0xC0) == 0x80)
        max--;
    return mfx_str_head(s, max);
}

/* What is no fold may be an attempt to end the line. */
static struct mfx_str
on_one_line(struct mfx_str s, struct mfx_arena *arena)
{
    char *out = mfx_arena_alloc_bytes(arena, s.len);
    for (size_t i = 0; out != NULL && i < s.len; i++)
        out[i] = s.p[i] == '\r' || s.p[i] == '\n' ? ' ' : s.p[i];
    return mfx_str(out, out == NULL ? 0 : s.len);
}

struct mfx_str
score_subject_value(struct mfx_str subject, struct mfx_arena *arena)
{
    struct mfx_buf out;
    subject = mfx_str_trim(subject);
    mfx_buf_init_arena(&out, arena, TAG_MAX);
    if (is_value(subject)) {
        mfx_buf_add_text(&out, " ");
        mfx_buf_add(&out, subject);
        return mfx_buf_str(&out);
    }
    subject = on_one_line(subject, arena);
    subject =
        cut_to(mfx_encoded_word_decode(subject, MFX_CHARSETS_KNOWN, arena),
               SCORE_SUBJECT_MAX);
    (void)mfx_encoded_word_format(&out, COLUMN, subject);
    return mfx_buf_str(&out);
}

/* --- as edits --- */

static bool
is_subject(const struct mfx_edit *e)
{
    return mfx_str_eq_nocase(e->name, field_name);
}

/* The field as the edits up to the last one leave it; false: it is gone. */
static bool
current_value(const struct mfx_decision *d, const struct mfx_edit *last,
              const struct mfx_header *h, struct mfx_str *value)
{
    *value = h->value;
    const struct mfx_edit *e = last == NULL ? NULL : d->edits;
    for (; e != NULL; e = e == last ? NULL : e->next) {
        if (e->header != h)
            continue;
        if (e->kind == MFX_EDIT_DELETE_HEADER)
            return false;
        *value = e->value;
    }
    return true;
}

/* The last edit of a Subject field; NULL: there is none. */
static const struct mfx_edit *
last_edit(const struct mfx_decision *d)
{
    const struct mfx_edit *last = NULL;
    for (const struct mfx_edit *e = d->edits; e != NULL; e = e->next)
        if (e->header != NULL && is_subject(e))
            last = e;
    return last;
}

static size_t
tag_fields(struct mfx_message *m, const struct score_subject_tag *tag)
{
    size_t count = 0;
    struct mfx_str value, out;
    const struct mfx_header *h = mfx_headers_first(&m->headers, field_name);
    const struct mfx_edit *last = last_edit(m->decision);
    for (; h != NULL; h = h->same_next) {
        if (!current_value(m->decision, last, h, &value))
            continue;
        count++;
        if (score_subject_tagged(tag, value, m->arena, &out))
            mfx_edit_change_header(m->decision, h, out);
    }
    return count;
}

/* Fields that an engine has put in. */
static size_t
tag_insertions(struct mfx_message *m, const struct score_subject_tag *tag)
{
    size_t count = 0;
    struct mfx_str out;
    for (struct mfx_edit *e = m->decision->edits; e != NULL; e = e->next) {
        if (e->kind != MFX_EDIT_INSERT_HEADER || !is_subject(e))
            continue;
        count++;
        if (score_subject_tagged(tag, e->value, m->arena, &out))
            e->value = mfx_arena_copy(m->arena, out);
    }
    return count;
}

void
score_subject_tag_apply(struct mfx_message *m,
                        const struct score_subject_tag *tag)
{
    struct mfx_str out;
    size_t count = tag_fields(m, tag) + tag_insertions(m, tag);
    if (count == 0 && score_subject_tagged(tag, mfx_str("", 0), m->arena, &out))
        mfx_edit_insert_header_at(m->decision, -1, field_name, out);
}

void
score_subject_replace(struct mfx_message *m, struct mfx_str subject)
{
    struct mfx_str value = score_subject_value(subject, m->arena), old;
    const struct mfx_header *h = mfx_headers_first(&m->headers, field_name);
    const struct mfx_edit *last = last_edit(m->decision);
    while (h != NULL && !current_value(m->decision, last, h, &old))
        h = h->same_next;
    if (h != NULL) {
        mfx_edit_change_header(m->decision, h, value);
        return;
    }
    for (struct mfx_edit *e = m->decision->edits; e != NULL; e = e->next) {
        if (e->kind == MFX_EDIT_INSERT_HEADER && is_subject(e)) {
            e->value = mfx_arena_copy(m->arena, value);
            return;
        }
    }
    mfx_edit_insert_header_at(m->decision, -1, field_name, value);
}

bool
score_subject_is(const struct mfx_message *m, struct mfx_str subject)
{
    const struct mfx_header *h = mfx_headers_first(&m->headers, field_name);
    struct mfx_str value = h == NULL ? mfx_str("", 0) : h->value;
    return mfx_str_eq(mfx_str_trim(value), mfx_str_trim(subject));
}
