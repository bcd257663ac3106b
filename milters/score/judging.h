/* SPDX-License-Identifier: BSD-2-Clause
 *
 * judging - what one engine's answer is worth
 *
 *     score_judge(&run);          once, when run.result stands
 *     wish = score_judge_find(&run), score_judge_proposal(&run) ...
 *
 * An engine that did not answer, or whose answer is none (an action that we do
 * not know, a score that is no number), is a failure of it, whatever else it
 * said.
 *
 * Ownership: nothing. Errors: none. Threads: pure.
 */
#ifndef SCORE_JUDGING_H
#define SCORE_JUDGING_H

#include "verdict.h"

enum {
    /* Beyond this a score is this; sums of them stay far from overflow. */
    SCORE_MAX_THOUSANDTHS = 1000000000,
};

/* It did not look, and says nothing of the mail. */
bool score_judge_is_skipped(const struct mfx_scan_result *result);
/* Fills unscanned, has_score and score. Shadows too. */
void score_judge(struct score_run *run);
/* A score of this engine as part of the total. */
int64_t score_judge_scaled(const struct score_run *run, double score);
/* By the class of a find: harshest wins. NONE: there is none. */
enum score_action score_judge_find(const struct score_run *run);
/* What the engine proposes, where that counts. */
enum score_action score_judge_proposal(const struct score_run *run);
/* What its failure, or too large a message, does; NONE: nothing. */
struct score_wish score_judge_failure(const struct score_run *run);

#endif
