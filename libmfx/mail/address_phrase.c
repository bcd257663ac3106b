/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/address_phrase.h>

#include <mfx/base/buf.h>
#include <mfx/mail/address_rewrite.h>
#include <mfx/mail/address_scan.h>

enum {
    ENCODED_WORD_MAX = 75, /* RFC 2047 2 */
};

static const struct mfx_str encoded_begin = MFX_STR("=?utf-8?q?");
static const struct mfx_str encoded_end = MFX_STR("?=");

/* --- words --- */

/* What RFC 2047 5 (3) lets stand for itself in a phrase. */
static bool
is_plain(char c)
{
    return mfx_ascii_is_alnum((unsigned char)c) ||
           (c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t
encoded_len(struct mfx_str text)
{
    size_t len = encoded_begin.len + encoded_end.len + 1;
    for (size_t i = 0; i < text.len; i++)
        len += text.p[i] == ' ' || is_plain(text.p[i]) ? 1 : 3;
    return len;
}

/* White space between encoded words is not shown (RFC 2047 6.2): behind one
 * the blank is part of ours. */
static void
add_encoded(struct mfx_str text, bool has_blank, struct mfx_buf *out)
{
    mfx_buf_add(out, encoded_begin);
    if (has_blank)
        mfx_buf_add_byte(out, '_');
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == ' ')
            mfx_buf_add_byte(out, '_');
        else if (is_plain(text.p[i]))
            mfx_buf_add_byte(out, text.p[i]);
        else
            mfx_buf_printf(out, "=%02X", (unsigned)(unsigned char)text.p[i]);
    }
    mfx_buf_add(out, encoded_end);
}

static void
add_escaped(struct mfx_str text, struct mfx_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            mfx_buf_add_byte(out, '\\');
        mfx_buf_add_byte(out, text.p[i]);
    }
}

static void
add_quoted(struct mfx_str text, struct mfx_buf *out)
{
    mfx_buf_add_byte(out, '"');
    add_escaped(text, out);
    mfx_buf_add_byte(out, '"');
}

/* Nothing but atoms with white space between them (RFC 5322 3.2.5): no dot, no
 * comment, no "@". */
static bool
is_atoms(struct mfx_str text)
{
    struct mfx_str rest = text, word;
    bool any = false;
    while (mfx_str_word(&rest, " \t\r\n", &word)) {
        struct address_scan s = {.in = word};
        struct address_run run;
        if (!address_scan_run(&s, &run) || run.count != 1 || run.has_quotes ||
            s.at != word.len || run.end != word.len || word.p[0] == '.')
            return false;
        any = true;
    }
    return any;
}

static bool
is_encoded_word(struct mfx_str word)
{
    size_t marks = 0;
    for (size_t i = 0; i < word.len; i++)
        marks += word.p[i] == '?';
    return word.len > 6 && word.p[0] == '=' && word.p[1] == '?' &&
           word.p[word.len - 2] == '?' && word.p[word.len - 1] == '=' &&
           marks == 4;
}

static struct mfx_str
last_word(struct mfx_str text)
{
    struct mfx_str rest = text, word, last = {"", 0};
    while (mfx_str_word(&rest, " \t\r\n", &word))
        last = word;
    return last;
}

static bool
has_encoded_word(struct mfx_str text)
{
    struct mfx_str rest = text, word;
    while (mfx_str_word(&rest, " \t\r\n", &word))
        if (is_encoded_word(word))
            return true;
    return false;
}

static bool
has_structure(struct mfx_str raw)
{
    for (size_t i = 0; i < raw.len; i++)
        if (strchr("\"\\()", raw.p[i]) != NULL)
            return true;
    return false;
}

/* --- names --- */

/* raw: words as they stand in a field. */
static void
extend(struct mfx_str raw, struct mfx_str suffix, struct mfx_buf *out)
{
    bool is_ascii = mfx_str_is_ascii(suffix);
    bool is_behind_encoded = is_encoded_word(last_word(raw));
    bool is_plain_text = !has_structure(raw) && !has_encoded_word(raw);
    if (is_behind_encoded || !is_ascii) {
        mfx_buf_add(out, raw);
        mfx_buf_add_text(out, "\n ");
        add_encoded(suffix, is_behind_encoded, out);
    } else if (raw.p[raw.len - 1] == '"') {
        mfx_buf_add(out, mfx_str_head(raw, raw.len - 1));
        mfx_buf_add_byte(out, ' ');
        add_escaped(suffix, out);
        mfx_buf_add_byte(out, '"');
    } else if (is_plain_text && !(is_atoms(raw) && is_atoms(suffix))) {
        mfx_buf_add_byte(out, '"');
        mfx_buf_add(out, raw);
        mfx_buf_add_byte(out, ' ');
        add_escaped(suffix, out);
        mfx_buf_add_byte(out, '"');
    } else {
        mfx_buf_add(out, raw);
        mfx_buf_add_byte(out, ' ');
        if (is_atoms(suffix))
            mfx_buf_add(out, suffix);
        else
            add_quoted(suffix, out);
    }
}

/* The local part as a name. */
static void
name_it(const struct mfx_mailbox *box, struct mfx_str suffix,
        struct mfx_arena *arena, struct mfx_buf *out)
{
    struct mfx_buf name;
    mfx_buf_init_arena(&name, arena, 2 * box->local.len + 2);
    if (is_atoms(box->local))
        mfx_buf_add(&name, box->local);
    else
        add_quoted(box->local, &name);
    if (mfx_buf_ok(&name))
        extend(mfx_buf_str(&name), suffix, out);
    else
        out->failed = true;
}

/* --- the value --- */

struct writer {
    struct mfx_str value, suffix;
    struct mfx_arena *arena;
    struct mfx_buf out;
    size_t copied; /* of the value */
};

static void
copy_to(struct writer *w, const char *at)
{
    size_t end = (size_t)(at - w->value.p);
    mfx_buf_add(&w->out, mfx_str(w->value.p + w->copied, end - w->copied));
    w->copied = end;
}

/* Where the bracket stands behind which the address is; routes and comments
 * may be between. */
static const char *
bracket_of(const struct writer *w, const struct mfx_mailbox *box)
{
    struct address_scan s = {.in = w->value, .at = w->copied};
    size_t spec = (size_t)(box->raw.p - w->value.p);
    size_t found = spec;
    bool any = false;
    while (s.at < spec) {
        if (!address_scan_cfws(&s) || s.at >= spec)
            break;
        if (address_scan_peek(&s) == '<')
            found = s.at;
        if (address_scan_peek(&s) != '"')
            s.at++;
        else if (!address_scan_quoted(&s, &any))
            break;
    }
    return w->value.p + found;
}

static void
put_mailbox(struct writer *w, const struct mfx_mailbox *box)
{
    const char *end = box->raw.p + box->raw.len;
    if (box->raw_phrase.len > 0) {
        copy_to(w, box->raw_phrase.p);
        extend(box->raw_phrase, w->suffix, &w->out);
        w->copied += box->raw_phrase.len;
    } else if (box->is_bracketed) {
        copy_to(w, bracket_of(w, box));
        name_it(box, w->suffix, w->arena, &w->out);
        mfx_buf_add_byte(&w->out, ' ');
        copy_to(w, end);
    } else {
        copy_to(w, box->raw.p);
        name_it(box, w->suffix, w->arena, &w->out);
        mfx_buf_add_text(&w->out, " <");
        copy_to(w, end);
        mfx_buf_add_byte(&w->out, '>');
    }
}

static enum mfx_rc
check_result(struct mfx_str made, const struct mfx_address_list *list,
             struct mfx_arena *arena, struct mfx_err *err)
{
    struct mfx_address_list got;
    enum mfx_rc rc = mfx_address_list_parse(made, arena, list->count, &got);
    bool is_same = rc == MFX_OK && got.count == list->count;
    for (size_t i = 0; is_same && i < got.count; i++)
        is_same =
            mfx_str_eq(got.mailboxes[i].local, list->mailboxes[i].local) &&
            mfx_str_eq(got.mailboxes[i].domain, list->mailboxes[i].domain);
    if (is_same || rc == MFX_TEMPFAIL)
        return rc;
    mfx_err_set(err, "display name: the field would not hold it");
    return MFX_PERMFAIL;
}

enum mfx_rc
mfx_address_phrase_append(struct mfx_str name, struct mfx_str value,
                          const struct mfx_address_list *list,
                          const bool *which, struct mfx_str suffix,
                          struct mfx_arena *arena, struct mfx_str *out,
                          struct mfx_err *err)
{
    struct writer w = {
        .value = value, .suffix = mfx_str_trim(suffix), .arena = arena};
    size_t room = 2 * value.len + list->count * (6 * suffix.len + 64);
    *out = value;
    mfx_buf_init_arena(&w.out, arena, room);
    for (size_t i = 0; i < list->count; i++)
        if (which[i])
            put_mailbox(&w, &list->mailboxes[i]);
    copy_to(&w, value.p + value.len);
    if (!mfx_buf_ok(&w.out))
        return MFX_TEMPFAIL;
    struct mfx_str made;
    enum mfx_rc rc =
        mfx_address_lines(name, value, mfx_buf_str(&w.out), arena, &made, err);
    if (rc == MFX_OK)
        rc = check_result(made, list, arena, err);
    if (rc == MFX_OK)
        *out = made;
    return rc;
}

enum mfx_rc
mfx_address_phrase_check(struct mfx_str suffix, struct mfx_err *err)
{
    const char *wrong = NULL;
    suffix = mfx_str_trim(suffix);
    for (size_t i = 0; i < suffix.len; i++)
        if ((unsigned char)suffix.p[i] < ' ' || suffix.p[i] == 0x7F)
            wrong = "control bytes in it";
    if (suffix.len == 0)
        wrong = "nothing but blanks";
    else if (!mfx_str_is_utf8(suffix))
        wrong = "not UTF-8";
    else if (encoded_len(suffix) > ENCODED_WORD_MAX)
        wrong = "too long for an encoded word";
    if (wrong == NULL)
        return MFX_OK;
    mfx_err_set(err, "%s", wrong);
    return MFX_PERMFAIL;
}
