/* SPDX-License-Identifier: BSD-2-Clause */
#include "proposals.h"

#include <string.h>

const char *
score_proposals_add(struct score_proposals *proposals, struct mfx_str text)
{
    struct mfx_str word;
    enum score_action action;
    if (!mfx_str_has(text, '=') || !mfx_str_cut(&text, '=', &word))
        return "a word, \"=\" and an action are wanted";
    word = mfx_str_trim(word);
    if (word.len == 0 || word.len > SCORE_PROPOSAL_WORD_MAX)
        return "1 to 40 characters are wanted before \"=\"";
    if (!score_action_parse(mfx_str_trim(text), &action))
        return "none, tag, subject, hold, redirect, discard, tempfail or "
               "reject is wanted behind \"=\"";
    if (score_proposals_find(proposals, word, &(enum score_action){0}))
        return "this word is there twice";
    if (proposals->count == SCORE_PROPOSALS_MAX)
        return "more than 16 words";
    struct score_proposal *item = &proposals->items[proposals->count++];
    memcpy(item->word, word.p, word.len);
    item->word[word.len] = '\0';
    item->action = action;
    return NULL;
}

bool
score_proposals_find(const struct score_proposals *proposals,
                     struct mfx_str word, enum score_action *action)
{
    for (size_t i = 0; i < proposals->count; i++)
        if (mfx_str_is_nocase(word, proposals->items[i].word)) {
            *action = proposals->items[i].action;
            return true;
        }
    return false;
}
