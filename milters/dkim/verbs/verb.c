/* SPDX-License-Identifier: BSD-2-Clause */
#include "verb.h"

#include <getopt.h>
#include <stdarg.h>

#include "../record_text.h"

enum {
    MAX_OPTIONS = 24,
    FIRST_CODE = 1000, /* getopt's answer for options[0] */
};

static char *
fill_options(const struct verb_option *options, struct option *longs,
             char letters[2 * MAX_OPTIONS])
{
    char *l = letters;
    size_t n = 0;
    for (; options[n].name != NULL; n++) {
        bool takes = options[n].value != NULL;
        if (n + 3 > MAX_OPTIONS)
            MFX_BUG("too many options");
        longs[n] = (struct option){options[n].name,
                                   takes ? required_argument : no_argument,
                                   NULL, FIRST_CODE + (int)n};
        if (options[n].letter != 0) {
            *l++ = options[n].letter;
            if (takes)
                *l++ = ':';
        }
    }
    longs[n] = (struct option){"json", no_argument, NULL, 'j'};
    longs[n + 1] = (struct option){"help", no_argument, NULL, 'h'};
    *l++ = 'j';
    *l++ = 'h';
    *l = '\0';
    return letters;
}

static const struct verb_option *
find_option(const struct verb_option *options, int code)
{
    if (code >= FIRST_CODE)
        return &options[code - FIRST_CODE];
    while (options->name != NULL && options->letter != code)
        options++;
    return options;
}

enum verb_parse
verb_options(struct verb_run *run, const struct verb_option *options, int argc,
             char **argv, int *first)
{
    struct option longs[MAX_OPTIONS] = {0};
    char letters[2 * MAX_OPTIONS];
    int code;
    fill_options(options, longs, letters);
    optind = 0;
    while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (code == '?')
            return VERB_WRONG;
        if (code == 'j') {
            run->as_json = true;
            continue;
        }
        if (code == 'h') {
            (void)fputs(run->help, stdout);
            return VERB_DONE;
        }
        const struct verb_option *o = find_option(options, code);
        if (o->value != NULL)
            *o->value = optarg;
        else if (o->flag != NULL)
            *o->flag = true;
    }
    *first = optind;
    return VERB_GO;
}

/* --- saying --- */

__attribute__((format(printf, 2, 0))) static void
say(const struct verb_run *run, const char *format, va_list args)
{
    struct mfx_str text = mfx_arena_vprintf(run->arena, format, args);
    (void)fprintf(stderr, "mfxctl dkim %s: %s\n", run->verb,
                  text.p == NULL ? "out of memory" : text.p);
}

int
verb_fail(const struct verb_run *run, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (run->as_json) {
        struct mfx_str text = mfx_arena_vprintf(run->arena, format, args);
        json_t *o = json_object();
        (void)json_object_set_new(o, "error", verb_json(text));
        verb_print_json(o);
    } else {
        say(run, format, args);
    }
    va_end(args);
    return status;
}

int
verb_wrong(const struct verb_run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(run, format, args);
    va_end(args);
    (void)fprintf(stderr, "mfxctl dkim %s --help tells more.\n", run->verb);
    return EXIT_USAGE;
}

int
verb_status(enum mfx_rc rc)
{
    switch (rc) {
    case MFX_OK:
        return EXIT_OK;
    case MFX_NOTFOUND:
        return EXIT_NO;
    case MFX_TEMPFAIL:
        return EXIT_TEMP;
    case MFX_PERMFAIL:
        return EXIT_CONFIG;
    }
    return EXIT_TEMP;
}

void
verb_print_json(json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    (void)putchar('\n');
    json_decref(value);
}

json_t *
verb_json(struct mfx_str text)
{
    if (mfx_str_is_utf8(text))
        return json_stringn(text.len == 0 ? "" : text.p, text.len);
    struct mfx_buf copy;
    mfx_buf_init(&copy, text.len);
    for (size_t i = 0; i < text.len; i++)
        mfx_buf_add_byte(&copy,
                         (unsigned char)text.p[i] < 0x80 ? text.p[i] : '?');
    json_t *j = json_stringn(mfx_buf_text(&copy), copy.len);
    mfx_buf_fini(&copy);
    return j;
}

json_t *
verb_json_strings(struct mfx_str record)
{
    json_t *strings = json_array();
    struct mfx_str string;
    while (dkim_record_string(&record, &string))
        (void)json_array_append_new(strings, verb_json(string));
    return strings;
}

const char *
verb_text(const struct verb_run *run, struct mfx_str text)
{
    char *p = mfx_arena_alloc_bytes(run->arena, text.len + 1);
    if (p == NULL)
        return "";
    for (size_t i = 0; i < text.len; i++)
        p[i] = text.p[i] >= ' ' && text.p[i] < 0x7F ? text.p[i] : '?';
    p[text.len] = '\0';
    return p;
}
