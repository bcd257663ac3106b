/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first byte is the column. What is written from the rest is safe for a
 * header, folded, and read as the same text; any value can be read.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/mail/encoded_word.h>
#include <mfx/mail/header.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    GROWTH = 32,
};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static bool
is_blank(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7F;
}

/* As the header says that the text is seen; in the arena. */
static struct mfx_str
normal(struct mfx_str in, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 3 * in.len + 1);
    while (in.len > 0) {
        size_t len = mfx_str_utf8_first(in);
        if (len == 0)
            mfx_buf_add_text(&out, "\xEF\xBF\xBD");
        else if (!is_blank(in.p[0]))
            mfx_buf_add(&out, mfx_str_head(in, len));
        else if (out.len > 0 && out.p[out.len - 1] != ' ')
            mfx_buf_add_byte(&out, ' ');
        in = mfx_str_from(in, len == 0 ? 1 : len);
    }
    return mfx_str_trim(mfx_buf_str(&out));
}

static void
check_lines(struct mfx_str value, size_t column)
{
    struct mfx_str line;
    while (mfx_str_cut(&value, '\n', &line)) {
        struct mfx_str word;
        size_t words = 0, len = column + line.len;
        while (mfx_str_word(&line, " ", &word)) {
            words++;
            check(word.len <= MFX_ENCODED_PLAIN_MAX);
            if (word.len > 1 && word.p[0] == '=' && word.p[1] == '?')
                check(word.len <= MFX_ENCODED_WORD_MAX);
        }
        check(words <= 1 || len <= MFX_ENCODED_LINE_MAX);
        column = 0;
    }
}

static void
write_text(struct mfx_str text, size_t column, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 1000 + GROWTH * text.len);
    (void)mfx_encoded_word_format(&out, column, text);
    check(mfx_buf_ok(&out));
    struct mfx_str value = mfx_buf_str(&out);
    check(mfx_header_value_is_safe(value) && mfx_str_is_ascii(value));
    check_lines(value, column);
    struct mfx_str again =
        mfx_encoded_word_decode(value, MFX_CHARSETS_KNOWN, arena);
    check(mfx_str_eq(mfx_str_trim(again), normal(text, arena)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str in = mfx_str((const char *)data, size);
    size_t column = size == 0 ? 0 : data[0];
    in = mfx_str_from(in, 1);
    write_text(in, column, arena);
    struct mfx_str known =
        mfx_encoded_word_decode(in, MFX_CHARSETS_KNOWN, arena);
    struct mfx_str guess =
        mfx_encoded_word_decode(in, MFX_CHARSETS_GUESS, arena);
    check(known.len <= 3 * in.len && guess.len <= 3 * in.len);
    write_text(guess, column, arena);
    (void)mfx_encoded_word_leads(in);
    mfx_arena_free(arena);
    return 0;
}
