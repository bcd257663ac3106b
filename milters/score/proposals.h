/* SPDX-License-Identifier: BSD-2-Clause
 *
 * proposals - what is done for a word of an engine's, by the setting actions
 *
 *     why = score_proposals_add(&proposals, mfx_str_of("reject=hold"));
 *     if (score_proposals_find(&proposals, mfx_str_of("reject"), &action)) ...
 *
 * Words are compared in any letter case: rspamd's actions, those of one's own
 * making too, and spamd's "spam".
 *
 * Ownership: all in the struct, which may be copied. Errors: add says what is
 * wrong, and adds nothing. Threads: read-only once filled. Limits: below.
 */
#ifndef SCORE_PROPOSALS_H
#define SCORE_PROPOSALS_H

#include "settings.h"

enum {
    SCORE_PROPOSALS_MAX = 16,
    SCORE_PROPOSAL_WORD_MAX = 40,
};

struct score_proposal {
    char word[SCORE_PROPOSAL_WORD_MAX + 1];
    enum score_action action;
};

struct score_proposals {
    struct score_proposal items[SCORE_PROPOSALS_MAX];
    size_t count;
};

/* NULL: it is added. */
const char *score_proposals_add(struct score_proposals *proposals,
                                struct mfx_str text);
bool score_proposals_find(const struct score_proposals *proposals,
                          struct mfx_str word, enum score_action *action);

#endif
