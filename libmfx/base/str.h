/* SPDX-License-Identifier: BSD-2-Clause
 *
 * str - bytes with a length
 *
 * All text from outside is a struct mfx_str: pointer and length, never
 * NUL-terminated by assumption, never NULL-checked for emptiness (p may be
 * NULL when len is 0).
 *
 *     struct mfx_str rest = value, item;
 *     while (mfx_str_cut(&rest, ',', &item))
 *         use(mfx_str_trim(item));
 *
 * Ownership: a struct mfx_str borrows; who made the bytes says how long they
 * live. Errors: none, except the number parsers. Threads: values.
 * Letters are ASCII letters: no function here asks the locale.
 */
#ifndef MFX_BASE_STR_H
#define MFX_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <mfx/base/rc.h>

MFX_API_BEGIN

struct mfx_str {
    const char *p;
    size_t len;
};

/* From a string literal, usable in static initializers. */
#define MFX_STR(literal)               \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

/* Arguments for "%.*s". Only for text known to be printable. */
#define MFX_STR_ARG(s) (int)(s).len, (s).len ? (s).p : ""

static inline struct mfx_str
mfx_str(const char *p, size_t len)
{
    struct mfx_str s = {p, len};
    return s;
}

/* NULL gives the empty string. */
static inline struct mfx_str
mfx_str_of(const char *text)
{
    return mfx_str(text, text == NULL ? 0 : strlen(text));
}

static inline bool
mfx_str_is_empty(struct mfx_str s)
{
    return s.len == 0;
}

/* Bytes from `from` on; empty when from is past the end. */
static inline struct mfx_str
mfx_str_from(struct mfx_str s, size_t from)
{
    if (from >= s.len)
        return mfx_str(s.p, 0);
    return mfx_str(s.p + from, s.len - from);
}

/* At most the first n bytes. */
static inline struct mfx_str
mfx_str_head(struct mfx_str s, size_t n)
{
    return mfx_str(s.p, n < s.len ? n : s.len);
}

static inline unsigned char
mfx_ascii_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

static inline bool
mfx_ascii_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
mfx_ascii_is_alpha(unsigned char c)
{
    c = mfx_ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

static inline bool
mfx_ascii_is_alnum(unsigned char c)
{
    return mfx_ascii_is_digit(c) || mfx_ascii_is_alpha(c);
}

/* WSP of RFC 5234: space or tab. */
static inline bool
mfx_ascii_is_wsp(unsigned char c)
{
    return c == ' ' || c == '\t';
}

/* WSP, CR or LF: what folding white space is made of. */
static inline bool
mfx_ascii_is_fws(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool mfx_str_eq(struct mfx_str a, struct mfx_str b);
bool mfx_str_eq_nocase(struct mfx_str a, struct mfx_str b);
/* Against a C literal, for the many comparisons with fixed words. */
bool mfx_str_is(struct mfx_str s, const char *word);
bool mfx_str_is_nocase(struct mfx_str s, const char *word);
bool mfx_str_starts(struct mfx_str s, struct mfx_str prefix);
bool mfx_str_starts_nocase(struct mfx_str s, struct mfx_str prefix);
bool mfx_str_ends_nocase(struct mfx_str s, struct mfx_str suffix);

/* Order of bytes, as memcmp; a shorter prefix sorts first. */
int mfx_str_compare(struct mfx_str a, struct mfx_str b);

/* Without leading and trailing space, tab, CR, LF. */
struct mfx_str mfx_str_trim(struct mfx_str s);

/* Offset of the byte, or s.len when it is not there. */
size_t mfx_str_find(struct mfx_str s, char c);
size_t mfx_str_find_last(struct mfx_str s, char c);
bool mfx_str_has(struct mfx_str s, char c);

/* Takes the item before the next separator off *rest. False when *rest is
 * used up (its p is NULL then); a text without separator is one item, an empty
 * text with a non-NULL pointer is one empty item. */
bool mfx_str_cut(struct mfx_str *rest, char separator, struct mfx_str *item);

/* Takes the next word that stands between any of the separators; skips empty
 * words. False at the end. */
bool mfx_str_word(struct mfx_str *rest, const char *separators,
                  struct mfx_str *word);

/* Decimal digits only, no sign, no blank; PERMFAIL for anything else and for
 * a number above max. */
enum mfx_rc mfx_str_to_u64(struct mfx_str s, uint64_t max,
                           uint64_t *out) MFX_NODISCARD;

/* True when no byte is CR, LF or NUL: fit for one line of a header. */
bool mfx_str_is_line(struct mfx_str s);

/* True when every byte is below 0x80. */
bool mfx_str_is_ascii(struct mfx_str s);

/* True when the bytes are well-formed UTF-8 (RFC 3629). */
bool mfx_str_is_utf8(struct mfx_str s);

/* Bytes of the character that s begins with; 0: it begins with none that is
 * well-formed, or is empty. */
size_t mfx_str_utf8_first(struct mfx_str s);

MFX_API_END

#endif
