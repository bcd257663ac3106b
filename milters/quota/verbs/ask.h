/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ask - a question to the running daemon, or to its store
 *
 *     ask_init(&ask, run);           options go to ask.config, ask.socket
 *     ask_add(&ask, "rule", text);   words of the question
 *     status = ask_question(&ask, "show", &answer);
 *     ask_fini(&ask);
 *
 * The daemon is asked through its control socket. Where nobody listens there,
 * its configuration is read, its store opened, and the same code asked here;
 * a socket that was named must be there.
 *
 * Ownership: answers are the caller's. Errors: exit statuses, the text in
 * ask->err. Threads: one.
 */
#ifndef MFX_QUOTA_ASK_H
#define MFX_QUOTA_ASK_H

#include "../../../tools/mfxctl/verb.h"
#include "../operator.h"

enum {
    ASK_WORDS_MAX = 12,
};

struct ask {
    const struct verb_run *run;
    const char *config, *socket; /* as given; NULL: where they should be */
    struct mfx_arena *arena;     /* emptied for each question */
    struct mfx_str words[ASK_WORDS_MAX];
    size_t count;
    struct mfx_offline *loaded; /* NULL: the daemon is asked */
    struct mfx_store *store;
    struct mfx_err err;
};

bool ask_init(struct ask *ask, const struct verb_run *run);
void ask_fini(struct ask *ask);

/* One word, percent-encoded; name NULL: a word that stands alone. Nothing for
 * a text that is NULL. */
void ask_add(struct ask *ask, const char *name, const char *text);
/* Who asks, for the log of changes. */
void ask_add_user(struct ask *ask);

int ask_question(struct ask *ask, const char *verb, json_t **answer);
/* With further words, encoded already. */
int ask_question_more(struct ask *ask, const char *verb,
                      const struct mfx_str *more, size_t more_count,
                      json_t **answer);
/* ask_question, and the answer is printed, or what went wrong. */
int ask_and_print(struct ask *ask, const char *verb);
/* The same in two steps; print takes over the answer. */
int ask_fail(const struct ask *ask, int status);
void ask_print(const struct ask *ask, const char *verb, json_t *answer);

#endif
