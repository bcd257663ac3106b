/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verb - what the verbs of mfxctl-dkim share
 *
 * A verb reads its options with verb_options, does its work and returns an
 * exit status (tools/mfxctl/exit.h). What went wrong is said once, by
 * verb_fail: on stderr, or with --json as {"error": ...} on stdout.
 *
 * Ownership: everything in run->arena. Errors: exit statuses.
 * Threads: one.
 */
#ifndef MFX_DKIM_VERB_H
#define MFX_DKIM_VERB_H

#include <stdio.h>

#include <jansson.h>

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/base/env.h>
#include <mfx/milter/offline.h>

#include "../../../tools/mfxctl/exit.h"

struct verb_run {
    struct mfx_arena *arena;
    const char *verb, *help;
    bool as_json;
};

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
/* A record cut in strings of at most 255 octets. */
json_t *verb_json_strings(struct mfx_str record);
/* For terminals: control and 8-bit bytes become '?'; in the arena. */
const char *verb_text(const struct verb_run *run, struct mfx_str text);

/* A whole file; "-" is stdin. EXIT_OK, or what verb_fail returned. */
int verb_read(const struct verb_run *run, const char *path,
              struct mfx_str *bytes);

/* A private key's file. EXIT_OK, or what verb_fail returned. */
struct mfx_dkim_private_key;
int verb_read_key(const struct verb_run *run, const char *path,
                  struct mfx_dkim_private_key **key);

/* System clock and a resolver: that of dns ("ADDRESS:PORT"), of the zone file
 * (lines "name TYPE data"), that of a loaded configuration (may be NULL), or
 * the system's. verb_env_fini in any case. */
struct verb_env {
    struct mfx_env env;
    bool is_own;
};

int verb_env_init(const struct verb_run *run, const char *dns, const char *zone,
                  const struct mfx_offline *loaded, struct verb_env *env);
void verb_env_fini(struct verb_env *env);

/* The daemon's configuration and policy. file NULL: its own place. */
int verb_load(const struct verb_run *run, const char *file,
              struct mfx_offline **loaded);

int verb_genkey(struct verb_run *run, int argc, char **argv);
int verb_testkey(struct verb_run *run, int argc, char **argv);
int verb_sign(struct verb_run *run, int argc, char **argv);
int verb_verify(struct verb_run *run, int argc, char **argv);
int verb_zone(struct verb_run *run, int argc, char **argv);
int verb_rotate(struct verb_run *run, int argc, char **argv);
int verb_keys(struct verb_run *run, int argc, char **argv);
int verb_import(struct verb_run *run, int argc, char **argv);
int verb_explain(struct verb_run *run, int argc, char **argv);

#endif
