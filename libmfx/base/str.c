/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/str.h>

static bool
same_nocase(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (mfx_ascii_lower((unsigned char)a[i]) !=
            mfx_ascii_lower((unsigned char)b[i]))
            return false;
    return true;
}

bool
mfx_str_eq(struct mfx_str a, struct mfx_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool
mfx_str_eq_nocase(struct mfx_str a, struct mfx_str b)
{
    return a.len == b.len && same_nocase(a.p, b.p, a.len);
}

bool
mfx_str_is(struct mfx_str s, const char *word)
{
    return mfx_str_eq(s, mfx_str_of(word));
}

bool
mfx_str_is_nocase(struct mfx_str s, const char *word)
{
    return mfx_str_eq_nocase(s, mfx_str_of(word));
}

bool
mfx_str_starts(struct mfx_str s, struct mfx_str prefix)
{
    return mfx_str_eq(mfx_str_head(s, prefix.len), prefix);
}

bool
mfx_str_starts_nocase(struct mfx_str s, struct mfx_str prefix)
{
    return mfx_str_eq_nocase(mfx_str_head(s, prefix.len), prefix);
}

bool
mfx_str_ends_nocase(struct mfx_str s, struct mfx_str suffix)
{
    if (suffix.len > s.len)
        return false;
    return suffix.len == 0 ||
           same_nocase(s.p + (s.len - suffix.len), suffix.p, suffix.len);
}

int
mfx_str_compare(struct mfx_str a, struct mfx_str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.p, b.p, len);
    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

struct mfx_str
mfx_str_trim(struct mfx_str s)
{
    while (s.len > 0 && mfx_ascii_is_fws((unsigned char)s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len > 0 && mfx_ascii_is_fws((unsigned char)s.p[s.len - 1]))
        s.len--;
    return s;
}

size_t
mfx_str_find(struct mfx_str s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.p, c, s.len);
    return at == NULL ? s.len : (size_t)(at - s.p);
}

size_t
mfx_str_find_last(struct mfx_str s, char c)
{
    const char *at = s.len == 0 ? NULL : memrchr(s.p, c, s.len);
    return at == NULL ? s.len : (size_t)(at - s.p);
}

bool
mfx_str_has(struct mfx_str s, char c)
{
    return mfx_str_find(s, c) < s.len;
}

bool
mfx_str_cut(struct mfx_str *rest, char separator, struct mfx_str *item)
{
    if (rest->p == NULL)
        return false;
    size_t at = mfx_str_find(*rest, separator);
    *item = mfx_str_head(*rest, at);
    if (at == rest->len)
        *rest = mfx_str(NULL, 0);
    else
        *rest = mfx_str(rest->p + at + 1, rest->len - at - 1);
    return true;
}

static bool
is_one_of(char c, const char *set)
{
    for (; *set != '\0'; set++)
        if (c == *set)
            return true;
    return false;
}

bool
mfx_str_word(struct mfx_str *rest, const char *separators, struct mfx_str *word)
{
    size_t start = 0;
    *word = mfx_str(NULL, 0);
    if (rest->len == 0)
        return false;
    while (start < rest->len && is_one_of(rest->p[start], separators))
        start++;
    size_t end = start;
    while (end < rest->len && !is_one_of(rest->p[end], separators))
        end++;
    *word = mfx_str(rest->p + start, end - start);
    *rest = mfx_str_from(*rest, end);
    return word->len > 0;
}

enum mfx_rc
mfx_str_to_u64(struct mfx_str s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (s.len == 0)
        return MFX_PERMFAIL;
    for (size_t i = 0; i < s.len; i++) {
        if (!mfx_ascii_is_digit((unsigned char)s.p[i]))
            return MFX_PERMFAIL;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return MFX_PERMFAIL;
        value = value * 10 + digit;
    }
    if (value > max)
        return MFX_PERMFAIL;
    *out = value;
    return MFX_OK;
}

bool
mfx_str_is_line(struct mfx_str s)
{
    return !mfx_str_has(s, '\0') && !mfx_str_has(s, '\n') &&
           !mfx_str_has(s, '\r');
}

bool
mfx_str_is_ascii(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

/* RFC 3629 section 4. */
size_t
mfx_str_utf8_first(struct mfx_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    unsigned char low = 0x80, high = 0xBF;
    size_t need;
    if (s.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        need = 2;
    else if ((p[0] & 0xF0) == 0xE0)
        need = 3;
    else if (p[0] >= 0xF0 && p[0] <= 0xF4)
        need = 4;
    else
        return 0;
    if (p[0] == 0xE0)
        low = 0xA0;
    else if (p[0] == 0xED)
        high = 0x9F;
    else if (p[0] == 0xF0)
        low = 0x90;
    else if (p[0] == 0xF4)
        high = 0x8F;
    if (s.len < need || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return need;
}

/* How many bytes from the start are ASCII: eight at a time, and perhaps not the
 * last few. */
static size_t
ascii_run(struct mfx_str s)
{
    size_t at = 0;
    uint64_t word;
    for (; at + sizeof word <= s.len; at += sizeof word) {
        memcpy(&word, s.p + at, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return at;
}

bool
mfx_str_is_utf8(struct mfx_str s)
{
    while (s.len > 0) {
        s = mfx_str_from(s, ascii_run(s));
        if (s.len == 0)
            break;
        size_t n = mfx_str_utf8_first(s);
        if (n == 0)
            return false;
        s = mfx_str_from(s, n);
    }
    return true;
}
