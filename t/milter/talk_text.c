/* SPDX-License-Identifier: BSD-2-Clause */
#include "talk.h"

struct mfx_str
talk_word(struct mfx_str *rest)
{
    struct mfx_str s = mfx_str_trim(*rest);
    size_t n = 0;
    while (n < s.len && !mfx_ascii_is_wsp((unsigned char)s.p[n]))
        n++;
    *rest = mfx_str_trim(mfx_str_from(s, n));
    return mfx_str_head(s, n);
}

size_t
talk_words(struct talk *t, struct mfx_str args, struct mfx_str *words,
           size_t max)
{
    size_t count = 0;
    while (args.len != 0 && count < max)
        words[count++] = talk_unescape(t, talk_word(&args));
    return count;
}

const char *
talk_text(struct talk *t, struct mfx_str s)
{
    const char *p = mfx_arena_copy(t->arena, s).p;
    return p == NULL ? "" : p;
}

bool
talk_number(struct talk *t, struct mfx_str word, uint64_t *number)
{
    if (mfx_str_to_u64(word, UINT32_MAX, number) == MFX_OK)
        return true;
    return talk_fail(t, "not a number: %.*s", MFX_STR_ARG(word));
}

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)mfx_ascii_lower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \(N*TEXT) */
static bool
repeat_text(struct talk *t, struct mfx_str *rest, struct mfx_buf *out)
{
    size_t star = mfx_str_find(*rest, '*'), end = mfx_str_find(*rest, ')');
    uint64_t count = 0;
    if (star > end || end == rest->len)
        return talk_fail(t, "broken \\(N*TEXT)");
    if (!talk_number(t, mfx_str_head(*rest, star), &count))
        return false;
    struct mfx_str text =
        talk_unescape(t, mfx_str(rest->p + star + 1, end - star - 1));
    if (text.p == NULL)
        return false;
    while (count-- != 0)
        mfx_buf_add(out, text);
    *rest = mfx_str_from(*rest, end + 1);
    return true;
}

static bool
escape(struct talk *t, struct mfx_str *rest, struct mfx_buf *out)
{
    static const char names[] = "nrt0s\\", bytes[] = "\n\r\t\0 \\";
    char c = rest->len ? rest->p[0] : '?';
    const char *at = memchr(names, c, sizeof names - 1);
    *rest = mfx_str_from(*rest, 1);
    if (at != NULL) {
        mfx_buf_add_byte(out, bytes[at - names]);
        return true;
    }
    if (c == '(')
        return repeat_text(t, rest, out);
    if (c != 'x' || rest->len < 2 || hex(rest->p[0]) < 0 || hex(rest->p[1]) < 0)
        return talk_fail(t, "unknown escape \\%c", c);
    mfx_buf_add_byte(out, (char)(hex(rest->p[0]) * 16 + hex(rest->p[1])));
    *rest = mfx_str_from(*rest, 2);
    return true;
}

struct mfx_str
talk_unescape(struct talk *t, struct mfx_str text)
{
    struct mfx_buf out;
    if (!mfx_str_has(text, '\\'))
        return mfx_str(text.p == NULL ? "" : text.p, text.len);
    mfx_buf_init_arena(&out, t->arena, SIZE_MAX / 2);
    while (text.len != 0) {
        size_t n = mfx_str_find(text, '\\');
        mfx_buf_add(&out, mfx_str_head(text, n));
        bool is_escape = n < text.len;
        text = mfx_str_from(text, n + 1);
        if (is_escape && !escape(t, &text, &out))
            return mfx_str(NULL, 0);
    }
    return mfx_buf_ok(&out) ? mfx_str(mfx_buf_text(&out), out.len)
                            : mfx_str(NULL, 0);
}

bool
talk_glob(struct mfx_str pattern, struct mfx_str text)
{
    size_t p = 0, i = 0, star = SIZE_MAX, resume = 0;
    while (i < text.len) {
        if (p < pattern.len && pattern.p[p] == '*') {
            star = p++;
            resume = i;
        } else if (p < pattern.len &&
                   (pattern.p[p] == '?' || pattern.p[p] == text.p[i])) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.p[p] == '*')
        p++;
    return p == pattern.len;
}
