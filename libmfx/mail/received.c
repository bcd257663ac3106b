/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/received.h>

#include <mfx/mail/address_scan.h>

/* Any bytes up to white space, a comment, a quote or ";"; brackets hold what
 * stands between them. Empty when there are none. */
static struct mfx_str
take_word(struct address_scan *s)
{
    size_t start = s->at;
    bool in_brackets = false;
    for (; s->at < s->in.len; s->at++) {
        char c = s->in.p[s->at];
        if (mfx_ascii_is_fws((unsigned char)c) || c == '\0' || c == '"' ||
            (!in_brackets && (c == '(' || c == ')' || c == ';')))
            break;
        in_brackets = c == '[' || (in_brackets && c != ']');
    }
    return mfx_str(s->in.p + start, s->at - start);
}

static bool
is_literal(struct mfx_str word)
{
    return word.len > 2 && word.p[0] == '[' && word.p[word.len - 1] == ']';
}

/* Behind "from": the client's name, what is known of it, and "by". *by_at:
 * where that stands. */
static bool
take_client(struct address_scan *s, size_t *by_at)
{
    bool has_name = false;
    for (;;) {
        if (!address_scan_cfws(s))
            return false;
        *by_at = s->at;
        struct mfx_str word = take_word(s);
        if (word.len == 0)
            return false;
        if (has_name && mfx_str_is_nocase(word, "by"))
            return true;
        if (has_name && !is_literal(word))
            return false;
        has_name = true;
    }
}

/* Behind "by": its name, and whatever else stands before the last ";" outside
 * comments and quotes. *end_at: where that is. */
static bool
take_rest(struct address_scan *s, size_t *end_at)
{
    bool any = false, has_name = false, has_end = false;
    while (s->at < s->in.len) {
        size_t before = s->at;
        char c = address_scan_peek(s);
        if (c == ';') {
            *end_at = s->at++;
            has_end = true;
        } else if (c == '"') {
            if (!address_scan_quoted(s, &any))
                return false;
        } else if (take_word(s).len > 0) {
            has_name = has_name || !has_end;
        } else if (!address_scan_cfws(s) || s->at == before) {
            return false;
        }
    }
    return has_name && has_end;
}

enum mfx_rc
mfx_received_parse(struct mfx_str value, struct mfx_received *received)
{
    struct address_scan s = {.in = value};
    size_t by = 0, end = 0;
    *received = (struct mfx_received){0};
    if (!address_scan_cfws(&s))
        return MFX_PERMFAIL;
    size_t from = by = s.at;
    struct mfx_str word = take_word(&s);
    bool is_by = mfx_str_is_nocase(word, "by");
    if (!is_by && (!mfx_str_is_nocase(word, "from") || !take_client(&s, &by)))
        return MFX_PERMFAIL;
    if (!take_rest(&s, &end))
        return MFX_PERMFAIL;
    struct mfx_str date = mfx_str_trim(mfx_str_from(value, end + 1));
    if (date.len == 0)
        return MFX_PERMFAIL;
    received->from = mfx_str(value.p + from, by - from);
    received->by = mfx_str(value.p + by, end - by);
    received->date = date;
    return MFX_OK;
}
