/* SPDX-License-Identifier: BSD-2-Clause */
#include "verb.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <unistd.h>

#include <mfx/base/file.h>
#include <mfx/base/log.h>

enum {
    MAX_OPTIONS = 24,
    FIRST_CODE = 1000, /* getopt's answer for options[0] */
    MAX_FILE = 1 << 30,
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

static bool
make_lists(struct verb_run *run, struct verb_values *lists, int argc)
{
    for (; lists->value != NULL; lists++) {
        lists->count = 0;
        lists->items = mfx_arena_alloc_array(run->arena, (size_t)argc,
                                             sizeof *lists->items);
        if (lists->items == NULL)
            return false;
    }
    return true;
}

static void
take_value(const struct verb_option *option, struct verb_values *lists,
           const char *text)
{
    *option->value = text;
    for (; lists->value != NULL; lists++)
        if (lists->value == option->value)
            lists->items[lists->count++] = text;
}

enum verb_parse
verb_options(struct verb_run *run, const struct verb_option *options, int argc,
             char **argv, int *first)
{
    struct verb_values none = {0};
    return verb_options_lists(run, options, &none, argc, argv, first);
}

enum verb_parse
verb_options_lists(struct verb_run *run, const struct verb_option *options,
                   struct verb_values *lists, int argc, char **argv, int *first)
{
    struct option longs[MAX_OPTIONS] = {0};
    char letters[2 * MAX_OPTIONS];
    int code;
    if (!make_lists(run, lists, argc))
        return VERB_WRONG;
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
            take_value(o, lists, optarg);
        else if (o->flag != NULL)
            *o->flag = true;
    }
    *first = optind;
    return VERB_GO;
}

/* --- reading --- */

static enum mfx_rc
read_stdin(const struct verb_run *run, struct mfx_str *bytes,
           struct mfx_err *err)
{
    struct mfx_buf in;
    mfx_buf_init_arena(&in, run->arena, MAX_FILE);
    for (;;) {
        char *room = mfx_buf_room(&in, 65536);
        ssize_t n = room == NULL ? -1 : read(STDIN_FILENO, room, 65536);
        if (n < 0 && room != NULL && errno == EINTR)
            continue;
        if (n < 0) {
            mfx_err_set(err, "stdin: %s",
                        room == NULL ? "too large" : strerror(errno));
            return MFX_TEMPFAIL;
        }
        if (n == 0)
            break;
        in.len += (size_t)n;
    }
    *bytes = mfx_str(mfx_buf_text(&in), in.len);
    return MFX_OK;
}

int
verb_read(const struct verb_run *run, const char *path, struct mfx_str *bytes)
{
    struct mfx_err err = {0};
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (strcmp(path, "-") == 0)
        rc = read_stdin(run, bytes, &err);
    else
        rc = mfx_file_read(path, MAX_FILE, run->arena, bytes, NULL, &err);
    if (rc != MFX_OK)
        return verb_fail(run, EXIT_NOINPUT, "%s", err.msg);
    return EXIT_OK;
}

/* --- saying --- */

__attribute__((format(printf, 2, 0))) static void
say(const struct verb_run *run, const char *format, va_list args)
{
    struct mfx_str text = mfx_arena_vprintf(run->arena, format, args);
    (void)fprintf(stderr, "mfxctl %s %s: %s\n", run->program->name, run->verb,
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
    (void)fprintf(stderr, "mfxctl %s %s --help tells more.\n",
                  run->program->name, run->verb);
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

/* Control bytes of C1 are two bytes, 0xC2 and what they are. */
const char *
verb_utf8(const struct verb_run *run, struct mfx_str text)
{
    char *p = (char *)(uintptr_t)mfx_arena_copy(run->arena, text).p;
    if (!mfx_str_is_utf8(text) || p == NULL)
        return verb_text(run, text);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c < ' ' || c == 0x7F)
            p[i] = '?';
        else if (c == 0xC2 && (unsigned char)p[i + 1] < 0xA0)
            p[i] = p[i + 1] = '?';
    }
    return p;
}

/* --- the daemon's configuration --- */

int
verb_load_filter(const struct verb_run *run, const struct mfx_filter *filter,
                 const char *file, struct mfx_offline **loaded)
{
    struct mfx_problems problems;
    mfx_problems_init(&problems, run->arena);
    enum mfx_rc rc = mfx_offline_load(filter, file, &problems, loaded);
    if (rc == MFX_OK)
        return EXIT_OK;
    struct mfx_buf text;
    mfx_buf_init_arena(&text, run->arena, 65536);
    for (const struct mfx_problem *p = problems.first; p != NULL; p = p->next) {
        struct mfx_str line = mfx_problem_format(p, run->arena);
        mfx_buf_printf(&text, "%s%.*s", text.len == 0 ? "" : "\n",
                       MFX_STR_ARG(line));
    }
    return verb_fail(run, EXIT_CONFIG, "%s",
                     text.len == 0 ? mfx_rc_name(rc) : mfx_buf_text(&text));
}

/* --- the program --- */

static void
print_usage(const struct verb_program *program, FILE *out)
{
    (void)fprintf(out, "Usage: mfxctl %s [--json] VERB [ARGUMENT...]\n\n",
                  program->name);
    for (const struct verb *v = program->verbs; v->name != NULL; v++)
        (void)fprintf(out, "  %-10s %s\n", v->name, v->summary);
    (void)fprintf(out,
                  "\nmfxctl %s VERB --help tells more about each. %s\n"
                  "Other words are verbs of the running daemon: see mfxctl "
                  "--daemon %s help.\n",
                  program->name, program->note, program->name);
}

static const struct verb *
find_verb(const struct verb_program *program, const char *name)
{
    for (const struct verb *v = program->verbs; v->name != NULL; v++)
        if (strcmp(v->name, name) == 0)
            return v;
    return NULL;
}

/* Options before the verb: those that mfxctl hands on. Returns the index of
 * the verb, or argc. */
static int
leading_options(int argc, char **argv, struct verb_run *run, bool *wants_help)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        struct mfx_str word = mfx_str_of(argv[i]);
        if (mfx_str_is(word, "--json") || mfx_str_is(word, "-j"))
            run->as_json = true;
        else if (mfx_str_is(word, "--help") || mfx_str_is(word, "-h"))
            *wants_help = true;
        else
            return -i;
    }
    return i;
}

static int
run_verb(struct verb_run *run, int argc, char **argv, bool wants_help)
{
    const struct verb *verb = find_verb(run->program, argv[0]);
    if (verb == NULL && mfx_str_is(mfx_str_of(argv[0]), "help")) {
        verb = argc > 1 ? find_verb(run->program, argv[1]) : NULL;
        wants_help = true;
    }
    if (verb == NULL && wants_help) {
        print_usage(run->program, stdout);
        return EXIT_OK;
    }
    if (verb == NULL) {
        (void)fprintf(stderr,
                      "mfxctl %s: %s: no such verb (mfxctl %s --help)\n",
                      run->program->name, argv[0], run->program->name);
        return EXIT_USAGE;
    }
    if (wants_help) {
        (void)fputs(verb->help, stdout);
        return EXIT_OK;
    }
    run->verb = verb->name;
    run->help = verb->help;
    return verb->run(run, argc, argv);
}

int
verb_main(int argc, char **argv, const struct verb_program *program)
{
    struct verb_run run = {.program = program, .arena = mfx_arena_new(0)};
    bool wants_help = false;
    if (run.arena == NULL)
        return EXIT_SYSTEM;
    /* what a daemon would log about its start is no part of an answer */
    mfx_log_set_level(MFX_LOG_ERROR);
    int at = leading_options(argc, argv, &run, &wants_help);
    int status = EXIT_USAGE;
    if (at < 0)
        (void)fprintf(stderr, "mfxctl %s: unknown option %s\n", program->name,
                      argv[-at]);
    else if (at < argc)
        status = run_verb(&run, argc - at, argv + at, wants_help);
    else
        print_usage(program, wants_help ? stdout : stderr);
    if (at == argc && wants_help)
        status = EXIT_OK;
    mfx_arena_free(run.arena);
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        status = status == EXIT_OK ? EXIT_CANNOT_WRITE : status;
    return status;
}
