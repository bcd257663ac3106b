/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/address_scan.h>

enum {
    MAX_NESTING = 50,
};

bool
address_scan_fail(struct address_scan *s, size_t at, const char *text)
{
    if (s->error == NULL) {
        s->error = text;
        s->error_at = at;
    }
    return false;
}

/* atext of RFC 5322 3.2.3, and the non-ASCII of RFC 6532. */
static inline bool
is_atext(unsigned char c)
{
    static const uint32_t set[4] = {
        0x00000000, /* controls */
        0xA3FFACFA, /* !#$%&'*+-/ 0-9 =? */
        0xC7FFFFFE, /* A-Z ^_ */
        0x7FFFFFFF, /* `a-z {|}~ */
    };
    return c >= 0x80 || (set[c >> 5] >> (c & 31) & 1) != 0;
}

static inline unsigned char
byte_at(const struct address_scan *s, size_t at)
{
    return (unsigned char)s->in.p[at];
}

/* At "(": to behind its ")". */
static bool
skip_comment(struct address_scan *s)
{
    size_t start = s->at, depth = 0;
    for (; s->at < s->in.len; s->at++) {
        unsigned char c = byte_at(s, s->at);
        if (c == '\0')
            return address_scan_fail(s, s->at, "NUL");
        if (c == '\\') {
            s->at++;
        } else if (c == '(') {
            if (++depth > MAX_NESTING)
                return address_scan_fail(s, s->at, "comments too deep");
        } else if (c == ')' && --depth == 0) {
            s->at++;
            return true;
        }
    }
    s->at = s->in.len;
    return address_scan_fail(s, start, "comment without end");
}

bool
address_scan_cfws(struct address_scan *s)
{
    while (s->at < s->in.len) {
        unsigned char c = byte_at(s, s->at);
        if (mfx_ascii_is_fws(c))
            s->at++;
        else if (c != '(')
            return true;
        else if (!skip_comment(s))
            return false;
    }
    return true;
}

bool
address_scan_quoted(struct address_scan *s, bool *has_eight_bit)
{
    size_t start = s->at++;
    for (; s->at < s->in.len; s->at++) {
        unsigned char c = byte_at(s, s->at);
        if (c == '\\' && s->at + 1 < s->in.len)
            c = byte_at(s, ++s->at);
        else if (c == '"') {
            s->at++;
            return true;
        }
        if (c == '\0')
            return address_scan_fail(s, s->at, "NUL");
        *has_eight_bit = *has_eight_bit || c >= 0x80;
    }
    return address_scan_fail(s, start, "quote without end");
}

static void
skip_atom(struct address_scan *s, struct address_run *run)
{
    unsigned char any = 0;
    for (; s->at < s->in.len && is_atext(byte_at(s, s->at)); s->at++)
        any |= byte_at(s, s->at);
    run->has_eight_bit = run->has_eight_bit || any >= 0x80;
}

/* Something more of the run begins at `at`. */
static void
note_gap(const struct address_scan *s, struct address_run *run, size_t at)
{
    if (run->count == 0 || at == run->end)
        return;
    run->has_gap = true;
    if (at != run->end + 1 || s->in.p[run->end] != ' ')
        run->has_odd_gap = true;
}

bool
address_scan_run(struct address_scan *s, struct address_run *run)
{
    bool after_word = false, is_alternating = true;
    *run = (struct address_run){0};
    for (;;) {
        if (!address_scan_cfws(s))
            return false;
        if (run->count == 0)
            run->start = run->end = s->at;
        unsigned char c = (unsigned char)address_scan_peek(s);
        bool is_dot = c == '.';
        if (!is_dot && c != '"' && !is_atext(c))
            break;
        note_gap(s, run, s->at);
        if (is_dot)
            s->at++;
        else if (c != '"')
            skip_atom(s, run);
        else if (!address_scan_quoted(s, &run->has_eight_bit))
            return false;
        run->has_quotes = run->has_quotes || c == '"';
        is_alternating = is_alternating && after_word == is_dot;
        run->has_pair = run->has_pair || (after_word && !is_dot);
        run->has_word = run->has_word || !is_dot;
        after_word = !is_dot;
        run->count++;
        run->end = s->at;
        if (!is_dot)
            run->word_end = run->end;
    }
    run->is_dotted = is_alternating && after_word;
    run->has_final_dot = is_alternating && run->count > 0 && !after_word;
    return true;
}

/* At "[": to behind its "]". Some readers see neither quotes nor comments in
 * there, so there must be none. */
static bool
skip_brackets(struct address_scan *s, struct address_run *run)
{
    size_t start = s->at++;
    for (; s->at < s->in.len; s->at++) {
        unsigned char c = byte_at(s, s->at);
        if (c == ']') {
            s->at++;
            return true;
        }
        if (mfx_ascii_is_fws(c))
            run->has_gap = run->has_odd_gap = true;
        else if (!is_atext(c) && c != '.' && c != '@')
            break;
        run->has_eight_bit = run->has_eight_bit || c >= 0x80;
    }
    return address_scan_fail(s, start, "no valid text in brackets");
}

/* `more`, which was taken behind the run, becomes part of it. */
static void
append_run(const struct address_scan *s, struct address_run *run,
           const struct address_run *more)
{
    if (more->count == 0)
        return;
    note_gap(s, run, more->start);
    run->end = more->end;
    run->count += more->count;
    run->has_word = run->has_word || more->has_word;
    run->has_quotes = run->has_quotes || more->has_quotes;
    run->has_gap = run->has_gap || more->has_gap;
    run->has_odd_gap = run->has_odd_gap || more->has_odd_gap;
    run->has_eight_bit = run->has_eight_bit || more->has_eight_bit;
}

bool
address_scan_phrase(struct address_scan *s, struct address_run *run)
{
    struct address_run more;
    run->is_dotted = run->has_final_dot = false;
    for (;;) {
        size_t start = s->at;
        if (address_scan_peek(s) == '[') {
            if (!skip_brackets(s, run))
                return false;
        } else if (!address_scan_take(s, '@')) {
            return true;
        }
        note_gap(s, run, start);
        run->end = s->at;
        run->count++;
        if (!address_scan_run(s, &more))
            return false;
        append_run(s, run, &more);
    }
}

/* At "[": to behind its "]". No literal of RFC 5321 4.1.3 has a quote or a
 * parenthesis. */
static bool
skip_literal(struct address_scan *s, struct address_run *run)
{
    size_t start = s->at++;
    for (; s->at < s->in.len; s->at++) {
        unsigned char c = byte_at(s, s->at);
        if (c == ']') {
            s->at++;
            run->end = run->word_end = s->at;
            return true;
        }
        if (mfx_ascii_is_fws(c))
            run->has_gap = true;
        else if (c <= ' ' || c >= 0x7F || strchr("[\\\"(", c) != NULL)
            break;
    }
    return address_scan_fail(s, start, "no valid domain literal");
}

bool
address_scan_domain(struct address_scan *s, struct address_run *run)
{
    if (!address_scan_cfws(s))
        return false;
    if (address_scan_peek(s) == '[') {
        *run = (struct address_run){.start = s->at, .count = 1};
        return skip_literal(s, run);
    }
    if (!address_scan_run(s, run))
        return false;
    if ((!run->is_dotted && !run->has_final_dot) || run->has_quotes)
        return address_scan_fail(s, run->start, "domain expected");
    return true;
}

bool
address_scan_route(struct address_scan *s)
{
    struct address_run domain;
    bool has_domain = false;
    for (;;) {
        if (!address_scan_cfws(s))
            return false;
        if (address_scan_take(s, '@')) {
            if (!address_scan_domain(s, &domain) || !address_scan_cfws(s))
                return false;
            has_domain = true;
            if (address_scan_take(s, ':'))
                return true;
            if (address_scan_peek(s) != ',')
                return address_scan_fail(s, s->at, "route without address");
        } else if (!address_scan_take(s, ',')) {
            break;
        }
    }
    return !has_domain || address_scan_fail(s, s->at, "route without address");
}

/* The bytes of a quoted string; *at is at the opening quote, and behind the
 * closing one after that. Line ends are folding, and go. */
static size_t
copy_quoted(const struct address_scan *s, size_t *at, char *out)
{
    size_t len = 0;
    for (++*at; byte_at(s, *at) != '"'; ++*at) {
        unsigned char c = byte_at(s, *at);
        if (c == '\\')
            c = byte_at(s, ++*at);
        else if (c == '\r' || c == '\n')
            continue;
        out[len++] = (char)c;
    }
    ++*at;
    return len;
}

size_t
address_run_unquote(const struct address_scan *s, const struct address_run *run,
                    char between, char *out)
{
    struct address_scan walk = {.in = mfx_str_head(s->in, run->end),
                                .at = run->start};
    size_t len = 0;
    while (walk.at < run->end) {
        size_t before = walk.at;
        if (!address_scan_cfws(&walk))
            break;
        if (walk.at > before && between != '\0')
            out[len++] = between;
        if (walk.at == run->end)
            break;
        if (address_scan_peek(&walk) == '"')
            len += copy_quoted(&walk, &walk.at, out + len);
        else
            out[len++] = walk.in.p[walk.at++];
    }
    return len;
}
