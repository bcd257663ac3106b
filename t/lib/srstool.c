/* SPDX-License-Identifier: BSD-2-Clause
 *
 * srstool - the SRS engine on lines, for interoperability tests
 *
 *     srstool [key=SECRET]... [separator=C] [length=N] [minimum=N] [now=S]
 *             [alphabet=url] domain=DOMAIN < LINES
 *
 * A line is "forward ADDRESS" or "reverse ADDRESS", the local part without
 * quotes; for each a line "ok ADDRESS", "long ADDRESS", "short NAME" or
 * "no REASON".
 */
#include <mfx/auth/srs.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    SECRETS = 16,
    LINE = 4096,
    USAGE = 64,
};

struct tool {
    struct mfx_str secrets[SECRETS];
    struct mfx_srs_settings settings;
    uint64_t now;
};

static void
die(const char *what)
{
    (void)fprintf(stderr, "srstool: %s\n", what);
    exit(USAGE);
}

static uint64_t
number(struct mfx_str s)
{
    uint64_t value;
    if (mfx_str_to_u64(s, UINT32_MAX, &value) != MFX_OK)
        die("no number");
    return value;
}

static void
take_option(struct tool *t, struct mfx_str text)
{
    struct mfx_srs_settings *s = &t->settings;
    struct mfx_str name;
    (void)mfx_str_cut(&text, '=', &name);
    if (text.p == NULL || text.len == 0)
        die("an option without a value");
    if (mfx_str_is(name, "key") && s->secret_count < SECRETS)
        t->secrets[s->secret_count++] = text;
    else if (mfx_str_is(name, "separator"))
        s->separator = text.p[0];
    else if (mfx_str_is(name, "length"))
        s->hash_length = (unsigned)number(text);
    else if (mfx_str_is(name, "minimum"))
        s->hash_minimum = (unsigned)number(text);
    else if (mfx_str_is(name, "now"))
        t->now = number(text);
    else if (mfx_str_is(name, "alphabet"))
        s->is_plain_alphabet = !mfx_str_is(text, "url");
    else if (mfx_str_is(name, "domain"))
        s->domain = text;
    else
        die("unknown option");
}

static void
answer(const struct tool *t, struct mfx_str line, struct mfx_arena *arena)
{
    struct mfx_srs_address from, to;
    struct mfx_str verb;
    enum mfx_srs_result result = MFX_SRS_UNAVAILABLE;
    (void)mfx_str_cut(&line, ' ', &verb);
    size_t at = mfx_str_find_last(line, '@');
    from.local = mfx_str_head(line, at);
    from.domain = mfx_str_from(line, at + 1);
    if (mfx_str_is(verb, "forward"))
        result = mfx_srs_forward(&t->settings, &from, t->now, arena, &to);
    else if (mfx_str_is(verb, "reverse"))
        result = mfx_srs_reverse(&t->settings, from.local, t->now, arena, &to);
    else
        die("no such verb");
    const char *word = result == MFX_SRS_FOUND      ? "ok"
                       : result == MFX_SRS_TOO_LONG ? "long"
                       : result == MFX_SRS_SHORT    ? "short"
                                                    : NULL;
    if (word == NULL)
        printf("no %s\n", mfx_srs_result_text(result));
    else
        printf("%s %.*s@%.*s\n", word, MFX_STR_ARG(to.local),
               MFX_STR_ARG(to.domain));
}

int
main(int argc, char **argv)
{
    static char line[LINE];
    struct tool t = {.now = (uint64_t)time(NULL)};
    struct mfx_err err = {0};
    t.settings = (struct mfx_srs_settings){
        .secrets = t.secrets,
        .separator = '=',
        .hash_length = 4,
        .hash_minimum = 4,
        .max_age = 21,
        .is_plain_alphabet = true,
    };
    for (int i = 1; i < argc; i++)
        take_option(&t, mfx_str_of(argv[i]));
    if (mfx_srs_settings_check(&t.settings, &err) != MFX_OK)
        die(err.msg);
    struct mfx_arena *arena = mfx_arena_new(0);
    while (arena != NULL && fgets(line, sizeof line, stdin) != NULL) {
        answer(&t, mfx_str_trim(mfx_str_of(line)), arena);
        mfx_arena_reset(arena);
    }
    mfx_arena_free(arena);
    return 0;
}
