/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose a field is, read as badly as it can be read. Readers differ in whether
 * they know comments, whether these nest, whether they know quotes, and what
 * white space means inside a word; a forger needs only one that takes the
 * field for ours. So the part before the results is read in each of these ways
 * and searched for the authserv-id as a word of its own.
 */
#include <mfx/mail/authres.h>

#include <idn2.h>
#include <stdlib.h>

#include <mfx/mail/authres_read.h>

enum {
    MAX_UNCLOSED = 100, /* parentheses and quotes; more is no honest field */
};

enum comments {
    COMMENTS_NEST,
    COMMENTS_FLAT,
    COMMENTS_UNKNOWN,
};

struct reading {
    enum comments comments;
    bool has_quotes; /* knows quoted strings */
    bool is_joined;  /* white space and comments part no words */
    size_t unclosed;
};

/* Offset of the ")" that closes the comment at `at`; len when none does. A
 * reader that knows no nesting knows no quoted pairs either. */
static size_t
comment_end(struct mfx_str s, size_t at, enum comments comments)
{
    size_t depth = 0;
    bool nests = comments == COMMENTS_NEST;
    for (; at < s.len; at++) {
        if (s.p[at] == '\\' && nests)
            at++;
        else if (s.p[at] == '(' && (nests || depth == 0))
            depth++;
        else if (s.p[at] == ')' && --depth == 0)
            return at;
    }
    return s.len;
}

static size_t
quote_end(struct mfx_str s, size_t at)
{
    for (at++; at < s.len; at++) {
        if (s.p[at] == '\\')
            at++;
        else if (s.p[at] == '"')
            return at;
    }
    return s.len;
}

static inline bool
is_word_byte(unsigned char c)
{
    return mfx_ascii_is_alnum(c) || c == '-' || c == '_';
}

/* Steps over the comment at *at; false when it has no end. */
static bool
step_over_comment(struct mfx_str value, struct reading *how, size_t *at)
{
    size_t end = comment_end(value, *at, how->comments);
    how->unclosed += end == value.len;
    if (end < value.len)
        *at = end;
    return end < value.len;
}

/* Writes what this reading makes of the text before the first result: words,
 * blanks and odd bytes, no more than value has. */
static size_t
read_head(struct mfx_str value, struct reading *how, char *out)
{
    bool has_word = false;
    size_t len = 0, quoted_to = 0;
    for (size_t i = 0; i < value.len && how->unclosed <= MAX_UNCLOSED; i++) {
        unsigned char c = (unsigned char)value.p[i];
        bool is_quoted = i < quoted_to;
        if (c == '"' && how->has_quotes) {
            if (i > quoted_to || quoted_to == 0) {
                quoted_to = quote_end(value, i);
                how->unclosed += quoted_to == value.len;
                quoted_to = quoted_to == value.len ? 0 : quoted_to;
            }
            continue;
        }
        if (!is_quoted && c == '(' && how->comments != COMMENTS_UNKNOWN &&
            step_over_comment(value, how, &i))
            c = ' ';
        if (!is_quoted && c == ';' && has_word)
            break;
        if (mfx_ascii_is_fws(c)) {
            if (how->comments == COMMENTS_UNKNOWN && has_word)
                break;
            if (!how->is_joined)
                out[len++] = ' ';
        } else if (c > ' ' && c != 0x7F && c != '\\') {
            has_word = has_word || is_word_byte(c) || c >= 0x80;
            out[len++] = (char)c;
        }
    }
    return len;
}

/* What is searched for: the name itself, or any name below it. */
struct wanted {
    struct mfx_str name;
    bool is_below;
};

/* True when the word stands in the text by itself; dots around it do not
 * count. As the end of a name, when names below it are wanted. */
static bool
has_word(struct mfx_str text, const struct wanted *wanted)
{
    struct mfx_str word = wanted->name;
    for (size_t i = 0; i + word.len <= text.len; i++) {
        if (!mfx_str_eq_nocase(mfx_str(text.p + i, word.len), word))
            continue;
        size_t before = i, after = i + word.len;
        while (before > 0 && text.p[before - 1] == '.')
            before--;
        bool is_end_of_name = before < i && before > 0 &&
                              is_word_byte((unsigned char)text.p[before - 1]);
        while (after < text.len && text.p[after] == '.')
            after++;
        bool begins =
            before == 0 || !is_word_byte((unsigned char)text.p[before - 1]);
        if ((wanted->is_below ? is_end_of_name : begins) &&
            (after == text.len || !is_word_byte((unsigned char)text.p[after])))
            return true;
    }
    return false;
}

static bool
has_encoded_word(struct mfx_str text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.p[i] == '=' && text.p[i + 1] == '?')
            return true;
    return false;
}

static bool
reading_claims(struct mfx_str value, struct reading how,
               const struct wanted *wanted, char *scratch)
{
    struct mfx_str head = mfx_str(scratch, 0);
    head.len = read_head(value, &how, scratch);
    return how.unclosed > MAX_UNCLOSED || has_encoded_word(head) ||
           has_word(head, wanted);
}

static bool
any_reading_claims(struct mfx_str value, const struct wanted *wanted,
                   char *scratch)
{
    bool any_comment = mfx_str_has(value, '(');
    bool any_quote = mfx_str_has(value, '"');
    for (int quotes = any_quote ? 0 : 1; quotes < 2; quotes++) {
        struct reading how = {.has_quotes = quotes == 1};
        for (int comments = 0; comments < (any_comment ? 2 : 1); comments++) {
            how.comments = comments == 0 ? COMMENTS_NEST : COMMENTS_FLAT;
            how.is_joined = false;
            if (reading_claims(value, how, wanted, scratch))
                return true;
            how.is_joined = true;
            if (reading_claims(value, how, wanted, scratch))
                return true;
        }
        how.comments = COMMENTS_UNKNOWN;
        how.is_joined = false;
        if (any_comment && reading_claims(value, how, wanted, scratch))
            return true;
    }
    return false;
}

/* The other spelling of an internationalized id, or NULL. */
static char *
other_spelling(struct mfx_str id)
{
    char *other = NULL;
    char *text = strndup(id.p, id.len);
    if (text == NULL)
        return NULL;
    int rc = mfx_str_is_ascii(id)
                 ? idn2_to_unicode_8z8z(text, &other, 0)
                 : idn2_to_ascii_8z(text, &other,
                                    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    free(text);
    return rc == IDN2_OK ? other : NULL;
}

static bool
is_international(struct mfx_str id)
{
    static const struct mfx_str ace = MFX_STR("xn--");
    bool found = !mfx_str_is_ascii(id);
    for (size_t i = 0; i < id.len && !found; i++)
        found = mfx_str_starts_nocase(mfx_str_from(id, i), ace);
    return found;
}

static bool
claims(struct mfx_str value, struct wanted wanted)
{
    struct authres_reader r = {.in = value, .is_whole = true};
    struct mfx_str id;
    authres_read_head(&r, &id);
    while (wanted.name.len > 0 && wanted.name.p[wanted.name.len - 1] == '.')
        wanted.name.len--;
    if (id.len == 0 || wanted.name.len == 0)
        return true;
    char *scratch = malloc(value.len);
    if (scratch == NULL)
        return true;
    bool found = any_reading_claims(value, &wanted, scratch);
    if (!found && is_international(wanted.name)) {
        char *other = other_spelling(wanted.name);
        wanted.name = mfx_str_of(other);
        found = other != NULL && any_reading_claims(value, &wanted, scratch);
        idn2_free(other);
    }
    free(scratch);
    return found;
}

bool
mfx_authres_claims_id(struct mfx_str value, struct mfx_str authserv_id)
{
    return claims(value, (struct wanted){authserv_id, false});
}

bool
mfx_authres_claims_below(struct mfx_str value, struct mfx_str domain)
{
    return claims(value, (struct wanted){domain, true});
}

/* True when the method stands behind a ";" as a reader sees it that looks for
 * nothing else: in comments and quotes too. */
static bool
has_naive_result(struct mfx_str value, struct mfx_str method)
{
    struct mfx_str item;
    (void)mfx_str_cut(&value, ';', &item);
    while (mfx_str_cut(&value, ';', &item)) {
        item = mfx_str_trim(item);
        if (!mfx_str_starts_nocase(item, method))
            continue;
        item = mfx_str_trim(mfx_str_from(item, method.len));
        if (item.len > 0 && (item.p[0] == '=' || item.p[0] == '/'))
            return true;
    }
    return false;
}

bool
mfx_authres_claims_method(struct mfx_str value, struct mfx_str method)
{
    struct authres_reader r = {.in = value, .is_whole = true};
    struct authres_item item;
    struct mfx_str id;
    authres_read_head(&r, &id);
    while (r.is_whole && authres_read_item(&r, &item))
        if (item.kind == AUTHRES_ITEM_RESULT &&
            mfx_str_eq_nocase(item.name, method))
            return true;
    return !r.is_whole || has_naive_result(value, method);
}
