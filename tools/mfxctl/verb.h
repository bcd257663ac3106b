/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verb - what the programs mfxctl-NAME share
 *
 * Such a program is a table of verbs; its main is one call of verb_main. A
 * verb reads its options with verb_options, does its work and returns an exit
 * status (exit.h). What went wrong is said once, by verb_fail: on stderr, or
 * with --json as {"error": ...} on stdout.
 *
 * Ownership: everything in run->arena. Errors: exit statuses.
 * Threads: one.
 */
#ifndef MFX_TOOLS_VERB_H
#define MFX_TOOLS_VERB_H

#include <stdio.h>

#include <jansson.h>

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/base/env.h>
#include <mfx/milter/offline.h>

#include "exit.h"

struct verb_run {
    const struct verb_program *program;
    struct mfx_arena *arena;
    const char *verb, *help;
    bool as_json;
};

struct verb {
    const char *name;
    int (*run)(struct verb_run *run, int argc, char **argv);
    const char *summary, *help;
};

struct verb_program {
    const char *name;         /* "dkim": mfxctl-dkim, mfxctl dkim */
    const char *note;         /* in its --help, about all verbs */
    const struct verb *verbs; /* ended by a NULL name */
};

/* Finds the verb and runs it; returns the exit status. */
int verb_main(int argc, char **argv, const struct verb_program *program);

struct verb_option {
    const char *name;
    char letter;        /* or 0 */
    const char **value; /* takes an argument */
    bool *flag;         /* or none */
};

enum verb_parse {
    VERB_GO,
    VERB_DONE,  /* --help was printed */
    VERB_WRONG, /* said on stderr */
};

/* options end with a NULL name; --json and --help are added. The words left
 * are argv[*first] and on. */
enum verb_parse verb_options(struct verb_run *run,
                             const struct verb_option *options, int argc,
                             char **argv, int *first);

/* What an option that may stand more than once was given, in that order. */
struct verb_values {
    const char **value; /* that of the option */
    const char **items; /* in the arena */
    size_t count;
};

/* lists end with a NULL value. */
enum verb_parse verb_options_lists(struct verb_run *run,
                                   const struct verb_option *options,
                                   struct verb_values *lists, int argc,
                                   char **argv, int *first);

/* A whole file; "-" is stdin. EXIT_OK, or what verb_fail returned. */
int verb_read(const struct verb_run *run, const char *path,
              struct mfx_str *bytes);

/* Says it, and returns the status. */
int verb_fail(const struct verb_run *run, int status, const char *format, ...)
    MFX_PRINTF(3, 4);
/* Wrong command line: says it, points to --help, returns EXIT_USAGE. */
int verb_wrong(const struct verb_run *run, const char *format, ...)
    MFX_PRINTF(2, 3);
/* The exit status for a result that is no answer. */
int verb_status(enum mfx_rc rc);

/* Prints and releases the value. */
void verb_print_json(json_t *value);
/* Text from a message or DNS: bytes that are not UTF-8 become '?'. */
json_t *verb_json(struct mfx_str text);
/* For terminals: control and 8-bit bytes become '?'; in the arena. */
const char *verb_text(const struct verb_run *run, struct mfx_str text);
/* The same, but UTF-8 stays. */
const char *verb_utf8(const struct verb_run *run, struct mfx_str text);

/* A daemon's configuration and policy. file NULL: its own place. EXIT_OK, or
 * what verb_fail returned. */
int verb_load_filter(const struct verb_run *run,
                     const struct mfx_filter *filter, const char *file,
                     struct mfx_offline **loaded);

#endif
