/* SPDX-License-Identifier: BSD-2-Clause */
#include "operator_words.h"

#include <mfx/conf/option.h>

enum {
    FOR_MAX_S = 10 * 366 * 86400,
    COUNT_MAX = 1000,
    COUNT_DEFAULT = 20,
    REASON_MAX = 200,
};

static bool
stands_for_itself(unsigned char c)
{
    return mfx_ascii_is_alnum(c) ||
           (c != '\0' && strchr("-._~@=,:/+", c) != NULL);
}

void
quota_operator_words_encode(struct mfx_str text, struct mfx_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (stands_for_itself(c))
            mfx_buf_add_byte(out, (char)c);
        else
            mfx_buf_printf(out, "%%%02X", c);
    }
}

static int
hex_value(char c)
{
    unsigned char low = mfx_ascii_lower((unsigned char)c);
    if (mfx_ascii_is_digit(low))
        return low - '0';
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

bool
quota_operator_words_decode(struct mfx_str word, struct mfx_arena *arena,
                            struct mfx_str *text)
{
    char *p = mfx_arena_alloc_bytes(arena, word.len + 1);
    size_t len = 0;
    for (size_t i = 0; p != NULL && i < word.len; i++) {
        p[len++] = word.p[i];
        if (word.p[i] != '%')
            continue;
        int high = i + 2 < word.len ? hex_value(word.p[i + 1]) : -1;
        int low = i + 2 < word.len ? hex_value(word.p[i + 2]) : -1;
        if (high < 0 || low < 0)
            return false;
        p[len - 1] = (char)(high * 16 + low);
        i += 2;
    }
    if (p != NULL)
        p[len] = '\0';
    *text = mfx_str(p, len);
    return p != NULL;
}

/* --- options --- */

static enum mfx_rc
wrong(struct mfx_err *err, struct mfx_str word, const char *why)
{
    mfx_err_set(err, "%.*s: %s", MFX_STR_ARG(mfx_str_head(word, 80)), why);
    return MFX_PERMFAIL;
}

static bool
has_control_byte(struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7F)
            return true;
    return false;
}

static enum mfx_rc
read_reason(struct mfx_str text, struct mfx_str *reason, struct mfx_err *err)
{
    *reason = mfx_str_trim(text);
    if (text.len > REASON_MAX || has_control_byte(text) ||
        !mfx_str_is_utf8(text))
        return wrong(err, mfx_str_of("reason"),
                     "one line of UTF-8, at most 200 octets: clients read it");
    return MFX_OK;
}

static enum mfx_rc
read_for(struct mfx_str text, uint64_t *for_s, struct mfx_err *err)
{
    if (mfx_option_parse_seconds(text, for_s) != MFX_OK || *for_s == 0 ||
        *for_s > FOR_MAX_S)
        return wrong(err, text, "a time is like 90m, 12h or 2d");
    return MFX_OK;
}

static enum mfx_rc
read_count(struct mfx_str text, uint64_t *count, struct mfx_err *err)
{
    if (mfx_str_to_u64(text, COUNT_MAX, count) != MFX_OK || *count == 0)
        return wrong(err, text, "count is between 1 and 1000");
    return MFX_OK;
}

static const struct {
    const char *name;
    enum quota_operator_takes bit;
} options[] = {
    {"rule",   QUOTA_OPERATOR_RULE  },
    {"for",    QUOTA_OPERATOR_FOR   },
    {"reason", QUOTA_OPERATOR_REASON},
    {"by",     QUOTA_OPERATOR_BY    },
    {"count",  QUOTA_OPERATOR_COUNT },
    {"after",  QUOTA_OPERATOR_AFTER },
};

static unsigned
find_option(struct mfx_str name, unsigned takes)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (mfx_str_is(name, options[i].name) &&
            (takes & (unsigned)options[i].bit) != 0)
            return (unsigned)options[i].bit;
    return 0;
}

static enum mfx_rc
read_option(unsigned takes, struct mfx_str word, struct mfx_arena *arena,
            struct quota_operator_words *out, struct mfx_err *err)
{
    size_t equals = mfx_str_find(word, '=');
    struct mfx_str text;
    unsigned bit = find_option(mfx_str_head(word, equals), takes);
    if (bit == 0 || equals == word.len)
        return wrong(err, word, "not understood");
    if (!quota_operator_words_decode(mfx_str_from(word, equals + 1), arena,
                                     &text))
        return wrong(err, word, "% is followed by two hexadecimal digits");
    if (bit == QUOTA_OPERATOR_FOR)
        return read_for(text, &out->for_s, err);
    if (bit == QUOTA_OPERATOR_REASON)
        return read_reason(text, &out->reason, err);
    if (bit == QUOTA_OPERATOR_COUNT)
        return read_count(text, &out->count, err);
    if (bit == QUOTA_OPERATOR_RULE)
        out->rule = text;
    if (bit == QUOTA_OPERATOR_BY)
        out->by = text;
    if (bit == QUOTA_OPERATOR_AFTER)
        out->after = text;
    return MFX_OK;
}

static enum mfx_rc
read_needed(const char *what, const struct mfx_str *words, size_t count,
            size_t *at, struct mfx_arena *arena, struct mfx_str *text,
            struct mfx_err *err)
{
    if (*at == count || words[*at].len == 0) {
        mfx_err_set(err, "%s is missing", what);
        return MFX_PERMFAIL;
    }
    if (!quota_operator_words_decode(words[*at], arena, text))
        return wrong(err, words[*at],
                     "% is followed by two hexadecimal digits");
    (*at)++;
    return MFX_OK;
}

enum mfx_rc
quota_operator_words_read(unsigned takes, const struct mfx_str *words,
                          size_t count, struct mfx_arena *arena,
                          struct quota_operator_words *out, struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    size_t at = 0;
    *out = (struct quota_operator_words){.count = COUNT_DEFAULT};
    if ((takes & QUOTA_OPERATOR_KEY) != 0)
        rc = read_needed("KEY", words, count, &at, arena, &out->key, err);
    if (rc == MFX_OK && (takes & QUOTA_OPERATOR_LIMITS) != 0)
        rc = read_needed("LIMITS", words, count, &at, arena, &out->limits, err);
    for (; rc == MFX_OK && at < count; at++)
        rc = read_option(takes, words[at], arena, out, err);
    return rc;
}
