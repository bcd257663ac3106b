/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verbs - the verbs of mfxctl-score, and what several of them need
 *
 * Ownership: everything in run->arena. Errors: exit statuses
 * (tools/mfxctl/exit.h, and those here). Threads: one.
 */
#ifndef MFX_SCORE_VERBS_H
#define MFX_SCORE_VERBS_H

#include "../../../tools/mfxctl/verb.h"
#include "../policy.h"

enum {
    /* sysexits.h: an engine is away; whoever called tries again later */
    EXIT_AGAIN = 75,
};

int verb_scan(struct verb_run *run, int argc, char **argv);
int verb_engines(struct verb_run *run, int argc, char **argv);
int verb_symbols(struct verb_run *run, int argc, char **argv);
int verb_learn(struct verb_run *run, int argc, char **argv);
int verb_check_header(struct verb_run *run, int argc, char **argv);

/* The daemon's configuration without its policy: no file that it names is
 * read but tables. EXIT_OK, or what verb_fail returned. */
int score_verb_settings(const struct verb_run *run, const char *config,
                        struct mfx_offline **loaded,
                        const struct score_settings **settings);

/* "7.25"; in the arena. MFX_DECIMAL_NONE: "none". */
const char *score_verb_decimal(const struct verb_run *run, int64_t thousandths);
/* As a JSON number; null for MFX_DECIMAL_NONE. */
json_t *score_verb_decimal_json(int64_t thousandths);

#endif
