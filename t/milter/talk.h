/* SPDX-License-Identifier: BSD-2-Clause
 *
 * talk - what the parts of miltertalk share
 *
 * miltertalk reads scripts, one command a line, and plays the MTA. A script
 * holds tests ("test LABEL"); each begins with no session. Every reply that
 * is not followed by an "expect" must let the message go on. talk_send.c has
 * the commands that send, talk_check.c those that compare, miltertalk.c the
 * rest; `miltertalk -h` prints them all.
 *
 * Ownership: struct talk belongs to main. Errors: a command returns false
 * after talk_fail, which ends the test. Threads: one.
 */
#ifndef MFX_T_TALK_H
#define MFX_T_TALK_H

#include <stdio.h>
#include <sys/types.h>

#include "mta_client.h"

enum {
    TALK_SESSIONS_MAX = 8,
    TALK_WORDS_MAX = 40
};

struct talk_session {
    char name[32];
    struct mta *mta; /* NULL: not open */
    struct mta_options options;
    struct mta_message message;
    struct mfx_buf body;           /* gathered by body commands */
    const struct mta_edit *cursor; /* next edit to be compared */
    bool is_unchecked;             /* a reply nobody has looked at */
    bool is_sent;                  /* the reply is that of a whole message */
    char ended;                    /* command answered last in `message` */
    uint64_t took_ms;
    struct mta_macro macros[MTA_MACROS_MAX]; /* for sessions to be opened */
    size_t macro_count;
    bool no_macros;
};

struct talk {
    const char *socket, *log_path;
    pid_t pid;
    int timeout_ms;
    FILE *script;
    const char *script_name;
    unsigned line;
    long log_mark;
    struct talk_session sessions[TALK_SESSIONS_MAX];
    size_t session_count;
    struct talk_session *s;  /* the current one */
    struct mfx_arena *arena; /* of the test */
    unsigned tests, failures;
    bool has_failed;
    char label[200];
};

struct talk_command {
    const char *name;
    bool (*run)(struct talk *t, struct mfx_str args);
    const char *help;
    bool is_check; /* looks at the reply of the command before */
};
extern const struct talk_command talk_send_commands[];
extern const struct talk_command talk_check_commands[];

/* Prints why, with script and line; returns false. */
bool talk_fail(struct talk *t, const char *format, ...) MFX_PRINTF(2, 3);
/* Runs one command line; talk_send's repeat needs it. */
bool talk_run_line(struct talk *t, struct mfx_str line);
struct talk_session *talk_session_get(struct talk *t, struct mfx_str name);
/* The current session's MTA, connected and negotiated if it was not; NULL
 * after talk_fail. */
struct mta *talk_need(struct talk *t);
struct mta *talk_open(struct talk *t);
void talk_note_reply(struct talk *t, uint64_t began_ms);

/* Escapes: \n \r \t \0 \s (space) \\ \xNN, \(N*TEXT) for N times TEXT. NULL p
 * after talk_fail. */
struct mfx_str talk_unescape(struct talk *t, struct mfx_str text);
/* First word off *rest, blanks around it removed. */
struct mfx_str talk_word(struct mfx_str *rest);
size_t talk_words(struct talk *t, struct mfx_str args, struct mfx_str *words,
                  size_t max);
bool talk_number(struct talk *t, struct mfx_str word, uint64_t *number);
/* With * and ?; [ is itself. */
bool talk_glob(struct mfx_str pattern, struct mfx_str text);
/* NUL-terminated copy in the test's arena. */
const char *talk_text(struct talk *t, struct mfx_str s);

#endif
