/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verb_ask - a verb of mfxctl-NAME that the running daemon answers
 *
 * Ownership: the body in run->arena. Errors: exit statuses, said by verb_fail.
 * Threads: one.
 */
#ifndef MFX_TOOLS_VERB_ASK_H
#define MFX_TOOLS_VERB_ASK_H

#include "verb.h"

struct verb_question {
    const char *daemon; /* "spf" */
    const char *socket; /* NULL: the usual one */
    const char *verb;
    const char *const *words; /* behind it */
    size_t word_count;
    bool as_json;
};

/* EXIT_OK with the answer; EXIT_NO: the daemon says no; EXIT_TEMP,
 * EXIT_UNREACHABLE, EXIT_USAGE for words that cannot be sent. */
int verb_ask(const struct verb_run *run, const struct verb_question *question,
             struct mfx_str *body);

#endif
