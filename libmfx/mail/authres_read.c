/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/authres_read.h>

static inline unsigned char
peek(const struct authres_reader *r)
{
    return r->at < r->in.len ? (unsigned char)r->in.p[r->at] : '\0';
}

static inline bool
is_end(const struct authres_reader *r)
{
    return r->at >= r->in.len;
}

static bool
take(struct authres_reader *r, char c)
{
    if (is_end(r) || r->in.p[r->at] != c)
        return false;
    r->at++;
    return true;
}

/* At "(": to behind its ")". */
static void
skip_comment(struct authres_reader *r)
{
    size_t depth = 0;
    while (!is_end(r)) {
        char c = r->in.p[r->at++];
        if (c == '\\')
            r->at++;
        else if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            return;
    }
    r->at = r->in.len;
    r->is_whole = false;
}

static void
skip_cfws(struct authres_reader *r)
{
    while (!is_end(r)) {
        unsigned char c = peek(r);
        if (mfx_ascii_is_fws(c))
            r->at++;
        else if (c == '(')
            skip_comment(r);
        else
            return;
    }
}

/* At the opening quote: to behind the closing one. */
static void
skip_quoted(struct authres_reader *r)
{
    for (r->at++; !is_end(r); r->at++) {
        if (peek(r) == '\\')
            r->at++;
        else if (take(r, '"'))
            return;
    }
    r->at = r->in.len;
    r->is_whole = false;
}

/* Takes bytes and quoted strings up to white space, comment or ";". */
static struct mfx_str
take_value(struct authres_reader *r)
{
    size_t start = r->at;
    while (!is_end(r)) {
        unsigned char c = peek(r);
        if (mfx_ascii_is_fws(c) || c == ';' || c == '(')
            break;
        if (c == '"') {
            skip_quoted(r);
            continue;
        }
        if (c < ' ' || c == 0x7F)
            r->is_whole = false;
        r->at++;
    }
    return mfx_str(r->in.p + start, r->at - start);
}

static struct mfx_str
take_keyword(struct authres_reader *r)
{
    size_t start = r->at;
    while (!is_end(r) &&
           (mfx_ascii_is_alnum(peek(r)) || peek(r) == '-' || peek(r) == '_'))
        r->at++;
    return mfx_str(r->in.p + start, r->at - start);
}

static bool
take_number(struct authres_reader *r)
{
    size_t start = r->at;
    while (mfx_ascii_is_digit(peek(r)))
        r->at++;
    return r->at > start;
}

/* To the ";" that begins the next result, or the end. */
static void
skip_result(struct authres_reader *r)
{
    r->is_whole = false;
    r->is_in_result = false;
    while (!is_end(r) && peek(r) != ';') {
        if (peek(r) == '(')
            skip_comment(r);
        else if (peek(r) == '"')
            skip_quoted(r);
        else
            r->at++;
    }
}

static bool
has_bare_equals(struct mfx_str word)
{
    bool is_quoted = false;
    for (size_t i = 0; i < word.len; i++) {
        if (word.p[i] == '\\')
            i++;
        else if (word.p[i] == '"')
            is_quoted = !is_quoted;
        else if (word.p[i] == '=' && !is_quoted)
            return true;
    }
    return false;
}

void
authres_read_head(struct authres_reader *r, struct mfx_str *id)
{
    skip_cfws(r);
    size_t start = r->at;
    *id = take_value(r);
    skip_cfws(r);
    if (id->len == 0 || has_bare_equals(*id) || peek(r) == '=' ||
        peek(r) == '/') {
        *id = mfx_str(NULL, 0);
        r->at = start;
        r->is_whole = false;
        return;
    }
    if (take_number(r))
        skip_cfws(r);
    if (peek(r) != ';')
        skip_result(r);
}

/* Behind the ";": "method [/ version] = result", or "none". */
static bool
take_method(struct authres_reader *r, struct authres_item *item)
{
    item->name = take_keyword(r);
    skip_cfws(r);
    if (mfx_str_is_nocase(item->name, "none") &&
        (is_end(r) || peek(r) == ';')) {
        item->kind = AUTHRES_ITEM_NONE;
        return true;
    }
    if (take(r, '/')) {
        skip_cfws(r);
        if (!take_number(r))
            return false;
        skip_cfws(r);
    }
    if (item->name.len == 0 || !take(r, '='))
        return false;
    skip_cfws(r);
    item->kind = AUTHRES_ITEM_RESULT;
    item->value = take_keyword(r);
    return item->value.len > 0;
}

/* "reason = value" or "type . name = value". */
static bool
take_detail(struct authres_reader *r, struct authres_item *item)
{
    item->kind = AUTHRES_ITEM_REASON;
    item->name = take_keyword(r);
    skip_cfws(r);
    if (take(r, '.')) {
        item->kind = AUTHRES_ITEM_PROPERTY;
        item->type = item->name;
        skip_cfws(r);
        item->name = take_keyword(r);
        skip_cfws(r);
        if (item->type.len == 0)
            return false;
    } else if (!mfx_str_is_nocase(item->name, "reason")) {
        return false;
    }
    if (item->name.len == 0 || !take(r, '='))
        return false;
    skip_cfws(r);
    item->value = take_value(r);
    return item->value.len > 0;
}

/* What follows a keyword or value is white space, a comment, ";" or the end.
 * Quoted text right behind is not. */
static bool
is_at_break(const struct authres_reader *r)
{
    unsigned char c = peek(r);
    return is_end(r) || mfx_ascii_is_fws(c) || c == ';' || c == '(';
}

bool
authres_read_item(struct authres_reader *r, struct authres_item *item)
{
    for (;;) {
        *item = (struct authres_item){0};
        skip_cfws(r);
        if (is_end(r)) {
            /* either results or "none" */
            r->is_whole = r->is_whole && r->has_none != r->has_result;
            return false;
        }
        if (take(r, ';')) {
            r->is_in_result = false;
            continue;
        }
        if (r->is_in_result ? take_detail(r, item) : take_method(r, item)) {
            r->is_in_result = true;
            r->has_none = r->has_none || item->kind == AUTHRES_ITEM_NONE;
            r->has_result = r->has_result || item->kind == AUTHRES_ITEM_RESULT;
            if (!is_at_break(r))
                skip_result(r);
            return true;
        }
        skip_result(r);
    }
}
