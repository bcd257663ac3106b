/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sendmail_form [HOST] - what mfx makes of address fields for Sendmail
 *
 * Reads lines "Name:value" and writes them with the value that Sendmail leaves
 * alone, or "!Name:value" when there is none. In values \n, \t, \\ and \xHH
 * stand for bytes. Empty lines and those that begin with "#" are left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mfx/mail/address.h>

static int
hex(char c)
{
    static const char digits[] = "0123456789ABCDEFabcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    if (at == NULL)
        return -1;
    int n = (int)(at - digits);
    return n > 15 ? n - 6 : n;
}

/* Escapes to bytes, in place. */
static size_t
unescape(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        if (in[0] != '\\') {
            *out++ = *in;
        } else if (in[1] == 'x' && hex(in[2]) >= 0 && hex(in[3]) >= 0) {
            *out++ = (char)(hex(in[2]) * 16 + hex(in[3]));
            in += 3;
        } else if (in[1] != '\0') {
            in++;
            *out++ = *in == 'n' ? '\n' : *in == 't' ? '\t' : *in;
        }
    }
    return (size_t)(out - text);
}

static void
print_escaped(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '\n')
            printf("\\n");
        else if (c == '\t')
            printf("\\t");
        else if (c == '\\')
            printf("\\\\");
        else if (c < ' ' || c >= 0x7F)
            printf("\\x%02X", c);
        else
            putchar(c);
    }
    putchar('\n');
}

static void
do_line(char *line, struct mfx_str host, struct mfx_arena *arena)
{
    char *colon = strchr(line, ':');
    struct mfx_str form;
    if (line[0] == '#' || colon == NULL)
        return;
    struct mfx_str name = mfx_str(line, (size_t)(colon - line));
    struct mfx_str value = mfx_str(colon + 1, unescape(colon + 1));
    enum mfx_rc rc = mfx_address_sendmail_form(name, value, host, arena, &form);
    printf("%s%.*s:", rc == MFX_OK ? "" : "!", MFX_STR_ARG(name));
    print_escaped(rc == MFX_OK ? form : value);
    mfx_arena_reset(arena);
}

int
main(int argc, char **argv)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str host = mfx_str_of(argc > 1 ? argv[1] : NULL);
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    if (arena == NULL)
        return 71;
    while ((len = getline(&line, &size, stdin)) > 0) {
        if (line[len - 1] == '\n')
            line[len - 1] = '\0';
        do_line(line, host, arena);
    }
    free(line);
    mfx_arena_free(arena);
    return 0;
}
