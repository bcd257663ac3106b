/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What Sendmail 8.17 does to an address field when it sends a message, learnt
 * by sending it values (t/mta/sendmail_forms.txt):
 *
 * - The value is parted at commas outside quotes, comments and angle brackets;
 *   white space around the items goes, empty ones too. White space that begins
 *   the value becomes as many blanks.
 * - "phrase <address>": the text before "<" stays as it is, folding included.
 *   Where it has one of @,;:[].' outside quotes and comments, it is put in
 *   quotes as a whole. What stands behind ">" stays.
 * - A bare address gets its comments behind it; one that begins the item stays
 *   before it.
 * - In the address routes, comments, blanks and a final dot go; a bare user
 *   gets the host name, as does "localhost".
 * - "name:" and ";" of a group stay where they are.
 * - Items are joined by ", ", or ",\n" and eight blanks when the line would be
 *   longer than 78.
 */
#include <mfx/mail/address.h>

#include <mfx/base/buf.h>
#include <mfx/mail/address_scan.h>
#include <mfx/mail/header.h>

enum {
    LINE = 78,
    INDENT = 8,
    MAX_NAME = 200, /* a longer field name is cut */
    MAX_LEAD = 200, /* blanks before the first item */
    MAX_ITEM = 240, /* what is longer loses its phrase, or more */
    MAX_FORM = 1024 * 1024,
};

struct item {
    struct mfx_str text; /* without white space around */
    size_t colon;        /* offset behind the colon of a group's name, or 0 */
    size_t open, close;  /* of "<" and ">", or text.len */
    size_t semicolon;    /* of the ";" that ends a group, or text.len */
};

struct former {
    struct mfx_str name, qualify;
    struct mfx_buf out;
    size_t column;
    size_t count;
    bool has_group;
};

bool
mfx_address_sendmail_rewrites(struct mfx_str name)
{
    static const char *const names[] = {
        "From",
        "To",
        "Cc",
        "Bcc",
        "Sender",
        "Reply-To",
        "Errors-To",
        "Apparently-To",
        "Disposition-Notification-To",
        "Resent-From",
        "Resent-To",
        "Resent-Cc",
        "Resent-Bcc",
        "Resent-Sender",
        "Resent-Reply-To",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (mfx_str_is_nocase(name, names[i]))
            return true;
    return false;
}

/* --- parting a value into items --- */

/* Offset behind the quoted string or comment that begins at `at`; 0 when it
 * does not end. */
static size_t
skip_quoted(struct mfx_str s, size_t at)
{
    for (at++; at < s.len; at++) {
        if (s.p[at] == '\\')
            at++;
        else if (s.p[at] == '"')
            return at + 1;
    }
    return 0;
}

static size_t
skip_comment(struct mfx_str s, size_t at)
{
    size_t depth = 0;
    for (; at < s.len; at++) {
        if (s.p[at] == '\\')
            at++;
        else if (s.p[at] == '(')
            depth++;
        else if (s.p[at] == ')' && --depth == 0)
            return at + 1;
    }
    return 0;
}

/* Steps over the quoted string or comment that begins at *at, or stays. False
 * when it has no end. */
static bool
skip_opaque(struct mfx_str s, size_t *at)
{
    size_t end = *at;
    if (s.p[*at] == '"')
        end = skip_quoted(s, *at);
    else if (s.p[*at] == '(')
        end = skip_comment(s, *at);
    else
        return true;
    *at = end;
    return end != 0;
}

struct marks {
    size_t colon, open, close, semicolon; /* offset + 1; 0: not there */
    size_t brackets;
};

/* Notes a byte with a meaning; false when it has none in this place. */
static bool
note_mark(struct marks *m, struct mfx_str s, size_t at)
{
    bool in_angle = m->open != 0 && m->close == 0;
    char c = s.p[at];
    if (m->close != 0 && c != ';')
        return false;
    switch (c) {
    case '<':
        if (m->open != 0 || m->brackets != 0)
            return false;
        m->open = at + 1;
        return true;
    case '>':
        m->close = at + 1;
        return in_angle && m->brackets == 0;
    case '[':
        m->brackets++;
        return true;
    case ']':
        return m->brackets-- > 0;
    case ':':
        if (in_angle || m->brackets > 0)
            return true;
        if (m->colon != 0 || at == 0)
            return false;
        m->colon = at + 1;
        return at + 1 == s.len || (s.p[at + 1] != ':' && s.p[at + 1] != '.');
    case ';':
        m->semicolon = at + 1;
        return !in_angle;
    case '\\':
    case ')':
        return false;
    }
    return true;
}

/* Takes the next item off *rest: *item is empty where nothing stands between
 * two commas. False for what has no form. */
static bool
take_item(struct mfx_str *rest, struct item *item)
{
    struct marks m = {0};
    size_t at = 0;
    *rest = mfx_str_trim(*rest);
    for (; at < rest->len; at++) {
        char c = rest->p[at];
        bool in_angle = m.open != 0 && m.close == 0;
        if (c == ',' && !in_angle)
            break;
        if (mfx_ascii_is_fws((unsigned char)c))
            continue;
        if (m.semicolon != 0)
            return false;
        if (c != '"' && c != '(' && !note_mark(&m, *rest, at))
            return false;
        if (c == '"' && m.close != 0)
            return false;
        if (c == '"' || c == '(') {
            if (!skip_opaque(*rest, &at))
                return false;
            at--;
        }
    }
    if ((m.open != 0 && m.close == 0) || m.brackets != 0)
        return false;
    item->text = mfx_str_trim(mfx_str_head(*rest, at));
    item->colon = m.colon;
    item->open = m.open != 0 ? m.open - 1 : item->text.len;
    item->close = m.close != 0 ? m.close - 1 : item->text.len;
    item->semicolon = m.semicolon != 0 ? m.semicolon - 1 : item->text.len;
    *rest = mfx_str_from(*rest, at + 1);
    return true;
}

/* --- phrases --- */

static bool
needs_quotes(struct mfx_str phrase)
{
    for (size_t i = 0; i < phrase.len; i++) {
        size_t after = i;
        (void)skip_opaque(phrase, &after);
        if (after > i)
            i = after - 1;
        else if (strchr("@,;:[].'", phrase.p[i]) != NULL)
            return true;
    }
    return false;
}

static void
put_escaped(struct mfx_buf *out, char c)
{
    if (c == '"' || c == '\\')
        mfx_buf_add_byte(out, '\\');
    mfx_buf_add_byte(out, c);
}

/* As a whole into quotes. Sendmail puts a backslash before each quote; where
 * there are backslashes already that would end the quoted string too early,
 * so quotes that are there are taken off first. */
static void
put_in_quotes(struct mfx_buf *out, struct mfx_str phrase)
{
    bool unquotes = mfx_str_has(phrase, '\\'), is_quoted = false;
    mfx_buf_add_byte(out, '"');
    for (size_t i = 0; i < phrase.len; i++) {
        char c = phrase.p[i];
        if (unquotes && c == '"') {
            is_quoted = !is_quoted;
            continue;
        }
        if (is_quoted && c == '\\')
            c = phrase.p[++i];
        put_escaped(out, c);
    }
    mfx_buf_add_byte(out, '"');
}

/* The phrase, and the white space behind it as it is. */
static void
put_phrase(struct mfx_buf *out, struct mfx_str text)
{
    struct mfx_str phrase = mfx_str_trim(text);
    if (phrase.len > 0 && needs_quotes(phrase))
        put_in_quotes(out, phrase);
    else
        mfx_buf_add(out, phrase);
    mfx_buf_add(out, mfx_str_from(text, phrase.len));
}

/* --- addresses --- */

/* The bytes of a run without CFWS; quotes stay. */
static void
put_run(struct mfx_buf *out, struct mfx_str in, const struct address_run *run)
{
    struct mfx_str text = mfx_str_head(in, run->end);
    for (size_t i = run->start; i < text.len;) {
        size_t after = i;
        if (text.p[i] == '"' || text.p[i] == '(')
            (void)skip_opaque(text, &after);
        if (text.p[i] == '"')
            mfx_buf_add(out, mfx_str(text.p + i, after - i));
        if (after == i && !mfx_ascii_is_fws((unsigned char)text.p[i]))
            mfx_buf_add_byte(out, text.p[i]);
        i = after == i ? i + 1 : after;
    }
}

static bool
is_self(const struct former *f, struct mfx_str domain)
{
    static const struct mfx_str local = MFX_STR("localhost");
    size_t dot = mfx_str_find(f->qualify, '.');
    if (!mfx_str_starts_nocase(domain, local))
        return false;
    domain = mfx_str_from(domain, local.len);
    return domain.len == 0 ||
           mfx_str_eq_nocase(domain, mfx_str_from(f->qualify, dot));
}

/* Domains that the rule sets of Sendmail turn into something else. */
static bool
is_pseudo(struct mfx_str domain)
{
    static const char *const last[] = {"UUCP", "BITNET", "DECNET"};
    static const struct mfx_str loopback = MFX_STR("[127.");
    size_t dot = mfx_str_find_last(domain, '.');
    struct mfx_str label =
        dot == domain.len ? domain : mfx_str_from(domain, dot + 1);
    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
        if (mfx_str_is_nocase(label, last[i]))
            return true;
    return mfx_str_starts(domain, loopback);
}

static bool
put_domain(struct former *f, struct mfx_str in, const struct address_run *run)
{
    size_t start = f->out.len;
    put_run(&f->out, in, run);
    while (f->out.len > start && f->out.p[f->out.len - 1] == '.')
        f->out.len--;
    struct mfx_str domain = mfx_str_from(mfx_buf_str(&f->out), start);
    if (!mfx_buf_ok(&f->out) || domain.len == 0 || is_pseudo(domain))
        return false;
    if (domain.p[0] != '[' && !mfx_domain_is_valid(domain, true))
        return false;
    if (is_self(f, domain)) {
        f->out.len = start;
        mfx_buf_add(&f->out, f->qualify);
        return f->qualify.len > 0;
    }
    return true;
}

/* How many bytes there are that Sendmail quotes inside: it counts them twice,
 * and in addresses leaves the quoting in. */
static size_t
count_meta_bytes(struct mfx_str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.p[i] & 0xE0) == 0x80 || s.p[i] == '\xFF')
            count++;
    return count;
}

/* "[route] local [@ domain]", all of `text`. */
static bool
put_address(struct former *f, struct mfx_str text)
{
    struct address_scan s = {.in = text};
    struct address_run local, domain;
    size_t start = f->out.len;
    if (!address_scan_route(&s) || !address_scan_run(&s, &local) ||
        local.count == 0 || local.has_pair)
        return false;
    struct mfx_str raw = mfx_str(text.p + local.start, local.end - local.start);
    put_run(&f->out, text, &local);
    if (address_scan_take(&s, '@')) {
        mfx_buf_add_byte(&f->out, '@');
        if (!address_scan_cfws(&s))
            return false;
        if (address_scan_peek(&s) == '[') {
            if (!address_scan_domain(&s, &domain))
                return false;
        } else if (!address_scan_run(&s, &domain) || domain.has_pair ||
                   domain.has_quotes) {
            return false;
        }
        if (!put_domain(f, text, &domain))
            return false;
    } else {
        if (mfx_str_has(raw, '!') || mfx_str_has(raw, '%') || raw.p[0] == '.' ||
            raw.p[raw.len - 1] == '.')
            return false;
        if (f->qualify.len > 0) {
            mfx_buf_add_byte(&f->out, '@');
            mfx_buf_add(&f->out, f->qualify);
        }
    }
    return address_scan_cfws(&s) && s.at == text.len && mfx_buf_ok(&f->out) &&
           count_meta_bytes(mfx_str_from(mfx_buf_str(&f->out), start)) == 0;
}

/* --- items --- */

/* The comments of a bare address, each behind a blank. */
static void
put_comments(struct mfx_buf *out, struct mfx_str text)
{
    for (size_t i = 0; i < text.len;) {
        size_t after = i;
        (void)skip_opaque(text, &after);
        if (after > i && text.p[i] == '(') {
            mfx_buf_add_byte(out, ' ');
            mfx_buf_add(out, mfx_str(text.p + i, after - i));
        }
        i = after > i ? after : i + 1;
    }
}

static bool
put_bare(struct former *f, struct mfx_str text)
{
    text = mfx_str_trim(text);
    size_t comment = 0;
    if (text.len > 0 && text.p[0] == '(') {
        (void)skip_opaque(text, &comment);
        mfx_buf_add(&f->out, mfx_str_head(text, comment));
        if (comment == text.len)
            return true;
        mfx_buf_add_byte(&f->out, ' ');
    }
    if (!put_address(f, text))
        return false;
    put_comments(&f->out, mfx_str_from(text, comment));
    return true;
}

static struct mfx_str
part(struct mfx_str s, size_t from, size_t to)
{
    return mfx_str(s.p + from, to - from);
}

static bool
put_item(struct former *f, const struct item *item)
{
    struct mfx_str text = item->text;
    struct mfx_buf *out = &f->out;
    size_t from = item->colon;
    if (from > 0) {
        put_phrase(out, mfx_str_head(text, from - 1));
        mfx_buf_add_byte(out, ':');
        for (; from < text.len && mfx_ascii_is_fws((unsigned char)text.p[from]);
             from++)
            mfx_buf_add_byte(out, text.p[from]);
    }
    if (item->open < text.len) {
        struct mfx_str inside = part(text, item->open + 1, item->close);
        put_phrase(out, part(text, from, item->open));
        mfx_buf_add_byte(out, '<');
        if (mfx_str_trim(inside).len > 0 && !put_address(f, inside))
            return false;
        mfx_buf_add(out, part(text, item->close, text.len));
        return true;
    }
    struct mfx_str bare = part(text, from, item->semicolon);
    /* the colon of an IPv6 literal would be taken for the group's */
    if (item->colon > 0 && mfx_str_has(bare, '['))
        return false;
    if (mfx_str_trim(bare).len > 0 ? !put_bare(f, bare) : item->colon == 0)
        return false;
    mfx_buf_add(out, mfx_str_from(text, item->semicolon));
    return true;
}

/* Writes the item; its width, or 0 when it has no form. */
static size_t
put_columns(struct former *f, const struct item *item)
{
    size_t start = f->out.len;
    if (!put_item(f, item) || !mfx_buf_ok(&f->out))
        return 0;
    struct mfx_str text = mfx_str_from(mfx_buf_str(&f->out), start);
    return text.len + count_meta_bytes(text);
}

/* Writes the item behind the ones before, which asks for its length: so it is
 * written first, and moved. */
static bool
add_item(struct former *f, const struct item *item)
{
    static const char comma[] = ", ", folded[] = ",\n        ";
    char *p;
    size_t start = f->out.len;
    size_t columns = put_columns(f, item);
    if (columns > MAX_ITEM && item->colon == 0 && item->open < item->close &&
        item->semicolon == item->text.len) {
        /* Sendmail drops what does not fit around the brackets; the end of a
         * group must not go with it */
        struct item bare = *item;
        bare.text = part(item->text, item->open, item->close + 1);
        bare.open = 0;
        bare.close = bare.semicolon = bare.text.len - 1;
        f->out.len = start;
        columns = put_columns(f, &bare);
    }
    if (columns == 0 || columns > MAX_ITEM)
        return false;
    size_t len = f->out.len - start;
    f->column += columns;
    if (f->count++ == 0)
        return true;
    f->column += 2;
    bool folds = f->column > LINE;
    const char *between = folds ? folded : comma;
    size_t shift = folds ? sizeof folded - 1 : sizeof comma - 1;
    if (folds)
        f->column = INDENT + columns;
    if (mfx_buf_room(&f->out, shift) == NULL)
        return false;
    p = f->out.p + start;
    memmove(p + shift, p, len);
    memcpy(p, between, shift);
    f->out.len += shift;
    return true;
}

static bool
form_list(struct former *f, struct mfx_str value)
{
    struct item item;
    size_t lead = 0;
    for (lead = 0;
         lead < value.len && mfx_ascii_is_fws((unsigned char)value.p[lead]);
         lead++)
        mfx_buf_add_byte(&f->out, ' ');
    if (lead > MAX_LEAD || f->name.len > MAX_NAME)
        return false;
    f->column = f->name.len + 1 + lead;
    while (value.len > 0) {
        if (!take_item(&value, &item))
            return false;
        f->has_group = f->has_group || item.colon > 0;
        if (item.text.len > 0 && !add_item(f, &item))
            return false;
    }
    return true;
}

/* Sendmail parts lists at blanks too, in a message no address field of which
 * has one of these (its OldStyleHeaders). */
static bool
may_be_old_style(struct mfx_str value)
{
    return !mfx_str_has(value, ',') && !mfx_str_has(value, '(') &&
           !mfx_str_has(value, '<') && !mfx_str_has(value, ';');
}

enum mfx_rc
mfx_address_sendmail_form(struct mfx_str name, struct mfx_str value,
                          struct mfx_str qualify, struct mfx_arena *arena,
                          struct mfx_str *form)
{
    struct former f = {.name = name, .qualify = qualify};
    *form = mfx_str(NULL, 0);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c == 0x7F || (c < ' ' && c != '\t' && c != '\n'))
            return MFX_PERMFAIL;
    }
    if (!mfx_header_value_is_safe(value))
        return MFX_PERMFAIL;
    mfx_buf_init_arena(&f.out, arena, MAX_FORM);
    if (!form_list(&f, value) || !mfx_buf_ok(&f.out))
        return mfx_arena_ok(arena) ? MFX_PERMFAIL : MFX_TEMPFAIL;
    if (f.has_group && may_be_old_style(mfx_buf_str(&f.out)))
        return MFX_PERMFAIL;
    *form = mfx_buf_str(&f.out);
    return MFX_OK;
}
