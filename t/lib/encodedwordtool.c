/* SPDX-License-Identifier: BSD-2-Clause
 *
 * encodedwordtool - RFC 2047 on lines, for interoperability tests
 *
 *     encodedwordtool < LINES
 *
 * A line is "format COLUMN HEX", "decode HEX" or "guess HEX"; for each the
 * result in hexadecimal digits, or "-" when it is empty.
 */
#include <mfx/mail/encoded_word.h>

#include <stdio.h>
#include <stdlib.h>

enum {
    LINE = 1024 * 1024,
};

static size_t
bytes_of(const char *hex, char *out)
{
    size_t len = 0;
    unsigned byte = 0;
    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        out[len++] = (char)byte;
    return len;
}

static void
print_hex(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++)
        (void)printf("%02x", (unsigned)(unsigned char)s.p[i]);
    (void)puts(s.len == 0 ? "-" : "");
}

static void
run_line(const char *line, char *bytes, struct mfx_arena *arena)
{
    struct mfx_str word, rest = mfx_str_of(line);
    unsigned long column = 0;
    (void)mfx_str_cut(&rest, ' ', &word);
    if (mfx_str_is(word, "format")) {
        char *end = NULL;
        struct mfx_buf out;
        column = strtoul(rest.p, &end, 10);
        mfx_buf_init_arena(&out, arena, LINE);
        (void)mfx_encoded_word_format(&out, column,
                                      mfx_str(bytes, bytes_of(end + 1, bytes)));
        print_hex(mfx_buf_str(&out));
    } else {
        print_hex(mfx_encoded_word_decode(
            mfx_str(bytes, rest.p == NULL ? 0 : bytes_of(rest.p, bytes)),
            mfx_str_is(word, "guess") ? MFX_CHARSETS_GUESS : MFX_CHARSETS_KNOWN,
            arena));
    }
}

int
main(void)
{
    static char line[LINE];
    struct mfx_arena *arena = mfx_arena_new(0);
    char *bytes = malloc(LINE);
    while (bytes != NULL && arena != NULL &&
           fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        run_line(line, bytes, arena);
        mfx_arena_reset(arena);
    }
    free(bytes);
    mfx_arena_free(arena);
    return 0;
}
