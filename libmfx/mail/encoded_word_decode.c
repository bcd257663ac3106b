/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/encoded_word.h>

#include <mfx/base/base64.h>
#include <mfx/mail/header.h>

enum {
    GROWTH = 3, /* U+FFFD for a byte */
};

static const char replacement[] = "\xEF\xBF\xBD";

struct word {
    struct mfx_str charset, text;
    bool is_base64;
    size_t len; /* of the whole */
};

enum charset {
    ASCII,
    UTF8,
    LATIN1,
    OTHER,
};

/* RFC 2231 5: a language may stand behind the charset. */
static enum charset
charset_of(struct mfx_str name)
{
    static const struct {
        const char *name;
        enum charset charset;
    } names[] = {
        {"us-ascii",   ASCII },
        {"ascii",      ASCII },
        {"utf-8",      UTF8  },
        {"utf8",       UTF8  },
        {"iso-8859-1", LATIN1},
        {"iso8859-1",  LATIN1},
        {"latin1",     LATIN1},
    };
    name = mfx_str_head(name, mfx_str_find(name, '*'));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (mfx_str_is_nocase(name, names[i].name))
            return names[i].charset;
    return OTHER;
}

/* Takes what stands before the next "?" off *rest. */
static bool
cut_part(struct mfx_str *rest, struct mfx_str *part)
{
    size_t len = mfx_str_find(*rest, '?');
    if (len == rest->len)
        return false;
    *part = mfx_str_head(*rest, len);
    *rest = mfx_str_from(*rest, len + 1);
    return true;
}

static bool
is_token(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7F)
            return false;
    return s.len > 0;
}

/* s begins with "=?". */
static bool
parse_word(struct mfx_str s, struct word *word)
{
    struct mfx_str rest = mfx_str_from(s, 2), encoding;
    if (!cut_part(&rest, &word->charset) || !is_token(word->charset) ||
        !cut_part(&rest, &encoding) || !cut_part(&rest, &word->text) ||
        rest.len == 0 || rest.p[0] != '=')
        return false;
    word->len = s.len - rest.len + 1;
    word->is_base64 = mfx_str_is_nocase(encoding, "b");
    return word->is_base64 || mfx_str_is_nocase(encoding, "q");
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)mfx_ascii_lower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "=" without two hexadecimal digits stays as it is. */
static size_t
decode_q(struct mfx_str text, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i] == '_' ? ' ' : text.p[i];
        if (c == '=' && i + 2 < text.len && hex_digit(text.p[i + 1]) >= 0 &&
            hex_digit(text.p[i + 2]) >= 0) {
            c = (char)(hex_digit(text.p[i + 1]) * 16 +
                       hex_digit(text.p[i + 2]));
            i += 2;
        }
        out[len++] = c;
    }
    return len;
}

static void
add_latin1(struct mfx_buf *out, unsigned char c)
{
    if (c >= 0x80)
        mfx_buf_add_byte(out, (char)(0xC0 | c >> 6));
    mfx_buf_add_byte(out, (char)(c < 0x80 ? c : 0x80 | (c & 0x3F)));
}

static void
add_bytes(struct mfx_buf *out, struct mfx_str bytes, enum charset charset)
{
    if (charset == UTF8) {
        mfx_buf_add(out, bytes);
        return;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        if (charset == LATIN1 || c < 0x80)
            add_latin1(out, c);
        else
            mfx_buf_add_text(out, replacement);
    }
}

/* False when it is to stay as it stands. The bytes go to scratch, which is as
 * long as the value. */
static bool
decode_word(const struct word *word, enum charset charset,
            enum mfx_charsets charsets, char *scratch, size_t *len)
{
    if (charset == OTHER && charsets == MFX_CHARSETS_KNOWN)
        return false;
    if (word->is_base64)
        return mfx_base64_decode(word->text, (unsigned char *)scratch,
                                 word->text.len, len) == MFX_OK;
    *len = decode_q(word->text, scratch);
    return true;
}

static size_t
find_opening(struct mfx_str s)
{
    size_t at = 0;
    while (at + 1 < s.len && (s.p[at] != '=' || s.p[at + 1] != '?'))
        at++;
    return at + 1 < s.len ? at : s.len;
}

static bool
is_white(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!mfx_ascii_is_fws((unsigned char)s.p[i]))
            return false;
    return true;
}

/* RFC 2047 6.2: white space between two encoded words is not shown. */
static void
decode(struct mfx_buf *out, struct mfx_str s, enum mfx_charsets charsets,
       char *scratch)
{
    bool is_behind_word = false;
    while (s.len > 0) {
        struct word word;
        struct mfx_str gap = mfx_str_head(s, find_opening(s));
        s = mfx_str_from(s, gap.len);
        bool is_parsed = s.len > 0 && parse_word(s, &word);
        enum charset charset = is_parsed ? charset_of(word.charset) : OTHER;
        size_t len = 0;
        bool is_word =
            is_parsed && decode_word(&word, charset, charsets, scratch, &len);
        if (!is_word || !is_behind_word || !is_white(gap))
            mfx_buf_add(out, gap);
        if (is_word)
            add_bytes(out, mfx_str(scratch, len), charset);
        else
            mfx_buf_add(out, mfx_str_head(s, 2));
        s = mfx_str_from(s, is_word ? word.len : 2);
        is_behind_word = is_word;
    }
}

struct mfx_str
mfx_encoded_word_decode(struct mfx_str value, enum mfx_charsets charsets,
                        struct mfx_arena *arena)
{
    struct mfx_buf out;
    value = mfx_header_unfold(value, arena);
    if (find_opening(value) == value.len)
        return value;
    char *scratch = mfx_arena_alloc_bytes(arena, value.len);
    mfx_buf_init_arena(&out, arena, GROWTH * value.len + 1);
    if (scratch == NULL)
        return mfx_str("", 0);
    decode(&out, value, charsets, scratch);
    return mfx_buf_ok(&out) ? mfx_buf_str(&out) : mfx_str("", 0);
}

bool
mfx_encoded_word_leads(struct mfx_str value)
{
    struct word word;
    while (value.len > 0 && mfx_ascii_is_fws((unsigned char)value.p[0]))
        value = mfx_str_from(value, 1);
    return value.len > 2 && value.p[0] == '=' && value.p[1] == '?' &&
           parse_word(value, &word);
}
