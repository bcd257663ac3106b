/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/policy/received_client.h>

#include <mfx/mail/received.h>

static void
skip_blanks(struct mfx_str *rest)
{
    while (rest->len > 0 && mfx_ascii_is_fws((unsigned char)rest->p[0]))
        *rest = mfx_str_from(*rest, 1);
}

/* Bytes up to white space or "("; empty when there are none. */
static struct mfx_str
take_word(struct mfx_str *rest)
{
    size_t n = 0;
    while (n < rest->len && rest->p[n] != '(' &&
           !mfx_ascii_is_fws((unsigned char)rest->p[n]))
        n++;
    struct mfx_str word = mfx_str_head(*rest, n);
    *rest = mfx_str_from(*rest, n);
    return word;
}

/* The comment that rest begins with, without its parentheses; false when it
 * begins with none. */
static bool
take_comment(struct mfx_str *rest, struct mfx_str *comment)
{
    size_t depth = 0;
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->p[i];
        if (i == 0 && c != '(')
            return false;
        if (c == '\\')
            i++;
        else if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0) {
            *comment = mfx_str(rest->p + 1, i - 1);
            *rest = mfx_str_from(*rest, i + 1);
            return true;
        }
    }
    return false;
}

/* --- one comment --- */

struct address {
    struct mfx_ip ip;
    struct mfx_str name; /* as written; or empty */
    struct mfx_str helo; /* of helo=; or empty */
};

static bool
is_host_name(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!mfx_ascii_is_alnum(c) && c != '.' && c != '-' && c != '_')
            return false;
    }
    return s.len > 0;
}

/* "NAME", "LOGIN@NAME", "unknown", "<unknown>". */
static bool
take_name(struct mfx_str word, struct mfx_str *name)
{
    size_t at = mfx_str_find_last(word, '@');
    if (at < word.len)
        word = mfx_str_from(word, at + 1);
    *name = mfx_str("", 0);
    if (mfx_str_is_nocase(word, "unknown") || mfx_str_is(word, "<unknown>"))
        return true;
    *name = word;
    return is_host_name(word);
}

/* "[ADDRESS]" or "[ADDRESS]:PORT". */
static bool
take_literal(struct mfx_str word, struct mfx_ip *ip)
{
    uint64_t port;
    size_t close = mfx_str_find(word, ']');
    struct mfx_str behind = mfx_str_from(word, close + 1);
    if (word.len == 0 || word.p[0] != '[' || close == word.len)
        return false;
    if (behind.len > 0 &&
        (behind.p[0] != ':' ||
         mfx_str_to_u64(mfx_str_from(behind, 1), 65535, &port) != MFX_OK))
        return false;
    return mfx_ip_parse(mfx_str_head(word, close + 1), ip) == MFX_OK;
}

/* "helo=HELO", "ident=LOGIN" and "port=PORT", in any order, to the end. */
static bool
take_pairs(struct mfx_str rest, struct mfx_str *helo)
{
    static const struct mfx_str helo_is = MFX_STR("helo=");
    struct mfx_str word;
    while (mfx_str_word(&rest, " \t\r\n", &word)) {
        if (mfx_str_starts(word, helo_is) && helo->len == 0)
            *helo = mfx_str_from(word, helo_is.len);
        else if (!mfx_str_starts(word, mfx_str_of("ident=")) &&
                 !mfx_str_starts(word, mfx_str_of("port=")))
            return false;
    }
    return true;
}

/* "[NAME ][ADDRESS]" and what may stand behind it. */
static bool
is_bracketed(struct mfx_str comment, struct address *a)
{
    struct mfx_str word;
    *a = (struct address){0};
    skip_blanks(&comment);
    word = take_word(&comment);
    if (word.len > 0 && word.p[0] != '[') {
        if (!take_name(word, &a->name))
            return false;
        skip_blanks(&comment);
        word = take_word(&comment);
    }
    if (!take_literal(word, &a->ip))
        return false;
    if (!mfx_str_is(mfx_str_trim(comment), "(may be forged)"))
        return take_pairs(comment, &a->helo);
    a->name = mfx_str("", 0); /* whoever holds the address may write it */
    return true;
}

/* "ADDRESS" or "LOGIN@ADDRESS", nothing else. */
static bool
is_bare(struct mfx_str comment, struct address *a)
{
    size_t at = mfx_str_find_last(comment, '@');
    *a = (struct address){0};
    if (at < comment.len)
        comment = mfx_str_from(comment, at + 1);
    return mfx_ip_parse(comment, &a->ip) == MFX_OK;
}

static bool
is_address(struct mfx_str comment, struct address *a)
{
    return is_bracketed(comment, a) || is_bare(comment, a);
}

/* "HELO x", "EHLO x": qmail's. */
static bool
is_helo(struct mfx_str comment, struct mfx_str *helo)
{
    if (!mfx_str_starts(comment, mfx_str_of("HELO ")) &&
        !mfx_str_starts(comment, mfx_str_of("EHLO ")))
        return false;
    *helo = mfx_str_from(comment, 5);
    return true;
}

/* --- the field --- */

/* Nothing more that is an address, and nothing but comments. */
static bool
is_harmless(struct mfx_str rest)
{
    struct mfx_str comment;
    struct address a;
    for (;;) {
        skip_blanks(&rest);
        if (rest.len == 0)
            return true;
        if (!take_comment(&rest, &comment) || is_address(comment, &a))
            return false;
    }
}

/* A second "by" may be the real one, and the first the client's. */
static bool
has_one_by(struct mfx_str by)
{
    struct mfx_str comment;
    size_t count = 0;
    while (by.len > 0) {
        skip_blanks(&by);
        if (take_comment(&by, &comment))
            continue;
        struct mfx_str word = take_word(&by);
        count += mfx_str_is_nocase(word, "by");
        if (word.len == 0)
            by = mfx_str_from(by, 1);
    }
    return count == 1;
}

static struct mfx_str
without_dot(struct mfx_str name)
{
    return name.len > 0 && name.p[name.len - 1] == '.'
               ? mfx_str_head(name, name.len - 1)
               : name;
}

/* "from [ADDRESS] (port=PORT helo=HELO)". */
static bool
is_nameless(struct mfx_str word, struct mfx_str comment,
            struct mfx_received_client *c)
{
    return take_literal(word, &c->ip) && take_pairs(comment, &c->helo) &&
           c->helo.len > 0;
}

/* Behind "from". */
static bool
read_client(struct mfx_str rest, struct mfx_received_client *c)
{
    struct mfx_str word, comment, helo = {0};
    struct address a;
    skip_blanks(&rest);
    word = take_word(&rest);
    skip_blanks(&rest);
    if (word.len == 0 || !take_comment(&rest, &comment))
        return false;
    if (is_helo(comment, &helo)) {
        skip_blanks(&rest);
        if (!take_name(word, &c->name) || !take_comment(&rest, &comment) ||
            !is_bare(comment, &a))
            return false;
        c->helo = helo;
    } else if (is_address(comment, &a)) {
        c->helo = a.helo.len > 0 ? a.helo : word;
        c->name = a.helo.len > 0 && a.name.len == 0 ? word : a.name;
    } else {
        return is_nameless(word, comment, c) && is_harmless(rest);
    }
    c->ip = a.ip;
    c->name = without_dot(c->name);
    return is_harmless(rest);
}

enum mfx_rc
mfx_received_client_parse(struct mfx_str value,
                          struct mfx_received_client *client)
{
    static const struct mfx_str from = MFX_STR("from");
    struct mfx_received r;
    struct mfx_received_client c = {0};
    *client = c;
    if (mfx_received_parse(value, &r) != MFX_OK ||
        !mfx_str_starts_nocase(r.from, from) || !has_one_by(r.by) ||
        !read_client(mfx_str_from(r.from, from.len), &c))
        return MFX_NOTFOUND;
    *client = c;
    return MFX_OK;
}

enum mfx_rc
mfx_received_client_hop(const struct mfx_headers *headers, size_t max,
                        bool (*is_relay)(const struct mfx_ip *ip, void *arg),
                        void *arg, struct mfx_received_hop *hop,
                        struct mfx_err *err)
{
    const struct mfx_header *h =
        mfx_headers_first(headers, mfx_str_of("Received"));
    *hop = (struct mfx_received_hop){0};
    for (size_t n = 1; n <= max; n++, h = h->same_next) {
        struct mfx_received_client client;
        if (h == NULL) {
            mfx_err_set(err, "there are only %zu Received fields", n - 1);
            return MFX_NOTFOUND;
        }
        if (mfx_received_client_parse(h->value, &client) != MFX_OK) {
            mfx_err_set(err, "Received field %zu does not say its client", n);
            return MFX_NOTFOUND;
        }
        if (is_relay(&client.ip, arg))
            continue;
        *hop = (struct mfx_received_hop){client, h, n};
        return MFX_OK;
    }
    mfx_err_set(err, "the clients of the first %zu hops are all relays", max);
    return MFX_NOTFOUND;
}
