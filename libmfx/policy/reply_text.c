/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/policy/reply_text.h>

enum {
    EXPANDED_MAX = 64 * 1024, /* before it is cut */
};

/* A number of one to three digits up to the next dot, or the end. */
static bool
take_number(struct mfx_str *rest)
{
    struct mfx_str digits;
    uint64_t n;
    return mfx_str_cut(rest, '.', &digits) && digits.len <= 3 &&
           mfx_str_to_u64(digits, 999, &n) == MFX_OK;
}

bool
mfx_reply_code_parse(struct mfx_str text, unsigned *code,
                     struct mfx_str *enhanced)
{
    struct mfx_str rest = text, word, extra;
    uint64_t n = 0;
    if (!mfx_str_word(&rest, " ", &word) || word.len != 3 ||
        mfx_str_to_u64(word, 599, &n) != MFX_OK || n < 400 ||
        !mfx_str_word(&rest, " ", enhanced) || enhanced->len < 5 ||
        enhanced->p[0] != word.p[0] || enhanced->p[1] != '.' ||
        mfx_str_word(&rest, " ", &extra))
        return false;
    *code = (unsigned)n;
    rest = mfx_str_from(*enhanced, 2);
    return take_number(&rest) && rest.p != NULL && take_number(&rest) &&
           rest.p == NULL;
}

static bool
is_name_byte(char c)
{
    return c == '_' || mfx_ascii_is_alnum((unsigned char)c);
}

static struct mfx_str
printable(struct mfx_buf *out)
{
    for (size_t i = 0; i < out->len; i++)
        if (out->p[i] < ' ' || out->p[i] > '~')
            out->p[i] = '?';
    return mfx_str_head(mfx_buf_str(out), MFX_REPLY_TEXT_MAX);
}

struct mfx_str
mfx_reply_text_expand(struct mfx_str text,
                      bool (*put)(const void *arg, struct mfx_str name,
                                  struct mfx_buf *out),
                      const void *arg, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, EXPANDED_MAX);
    for (size_t i = 0; i < text.len;) {
        size_t end = i + 1;
        if (text.p[i] != '$') {
            mfx_buf_add_byte(&out, text.p[i++]);
            continue;
        }
        while (end < text.len && is_name_byte(text.p[end]))
            end++;
        if (!put(arg, mfx_str(text.p + i + 1, end - i - 1), &out))
            mfx_buf_add(&out, mfx_str(text.p + i, end - i));
        i = end;
    }
    return printable(&out);
}
