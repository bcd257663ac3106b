/* SPDX-License-Identifier: BSD-2-Clause */
#include "judging.h"

#include <math.h>

static int64_t
to_thousandths(double score)
{
    const double max = (double)SCORE_MAX_THOUSANDTHS;
    double value = score * 1000;
    if (isnan(value))
        return 0;
    if (value > max)
        return SCORE_MAX_THOUSANDTHS;
    return value < -max ? -(int64_t)SCORE_MAX_THOUSANDTHS
                        : (int64_t)(value + (value < 0 ? -0.5 : 0.5));
}

static int64_t
limit(int64_t value)
{
    if (value > SCORE_MAX_THOUSANDTHS)
        return SCORE_MAX_THOUSANDTHS;
    return value < -SCORE_MAX_THOUSANDTHS ? -(int64_t)SCORE_MAX_THOUSANDTHS
                                          : value;
}

/* scale has three digits behind the point, as the score: a thousandth of a
 * thousandth is rounded, halves away from zero. */
int64_t
score_judge_scaled(const struct score_run *run, double score)
{
    const struct score_engine_settings *s = run->engine->settings;
    int64_t product = to_thousandths(score) * s->scale;
    int64_t half = product < 0 ? -500 : 500;
    return limit((product + half) / 1000 + s->offset);
}

/* What the setting actions says of what it proposes. */
static bool
is_told(const struct score_run *run, enum score_action *action)
{
    const struct mfx_scan_result *r = run->result;
    struct mfx_str word = mfx_str_of(mfx_scan_action_name(r->action));
    if (r->action == MFX_SCAN_ACTION_UNKNOWN)
        word = r->action_word;
    else if (run->engine->type == SCORE_ENGINE_SPAMD && r->is_spam)
        word = mfx_str_of("spam");
    return score_proposals_find(&run->engine->proposals, word, action);
}

/* NULL: it is an answer. */
static const char *
why_unscanned(const struct score_run *run)
{
    const struct mfx_scan_result *r = run->result;
    if (run->is_unneeded)
        return "not_needed";
    if (r == NULL)
        return "not_asked";
    if (r->end != MFX_SCAN_ANSWERED)
        return mfx_scan_end_name(r->end);
    if (r->has_score && !isfinite(r->score))
        return "broken";
    if (r->action == MFX_SCAN_ACTION_UNKNOWN && run->engine->takes_action &&
        !is_told(run, &(enum score_action){0}))
        return "unknown_action";
    return NULL;
}

static bool
counts_failure(const struct score_run *run)
{
    const struct score_engine_settings *s = run->engine->settings;
    bool is_too_large =
        run->result != NULL && run->result->end == MFX_SCAN_TOO_LARGE;
    return s->on_failure == SCORE_FAILURE_SCORE && !is_too_large &&
           !run->is_unneeded;
}

/* rspamd says "skipped" of mail that it rejects early, too. */
bool
score_judge_is_skipped(const struct mfx_scan_result *result)
{
    return result->is_skipped && result->action == MFX_SCAN_ACTION_NONE;
}

void
score_judge(struct score_run *run)
{
    const struct score_engine *e = run->engine;
    const struct mfx_scan_result *r = run->result;
    run->has_score = false;
    run->score = 0;
    run->unscanned = why_unscanned(run);
    if (run->unscanned != NULL) {
        run->has_score = counts_failure(run);
        run->score = run->has_score ? e->settings->failure_score : 0;
        return;
    }
    if (e->takes_score && r->has_score && !score_judge_is_skipped(r)) {
        run->has_score = true;
        run->score = score_judge_scaled(run, r->score);
    } else if (e->takes_score && e->has_class_score[r->klass]) {
        run->has_score = true;
        run->score = e->class_scores[r->klass];
    }
}

enum score_action
score_judge_find(const struct score_run *run)
{
    if (run->unscanned != NULL || run->result->virus.len == 0)
        return SCORE_ACTION_NONE;
    return (enum score_action)
        run->engine->settings->on_class[run->result->klass];
}

enum score_action
score_judge_proposal(const struct score_run *run)
{
    const struct mfx_scan_result *r = run->result;
    if (run->unscanned != NULL || !run->engine->takes_action || r->no_action)
        return SCORE_ACTION_NONE;
    enum score_action told;
    if (is_told(run, &told))
        return told;
    switch (r->action) {
    case MFX_SCAN_ACTION_NONE:
        return run->engine->type == SCORE_ENGINE_SPAMD && r->is_spam
                   ? SCORE_ACTION_TAG
                   : SCORE_ACTION_NONE;
    case MFX_SCAN_ACTION_GREYLIST: /* rspamd's module for it says soft reject */
    case MFX_SCAN_ACTION_UNKNOWN:
        return SCORE_ACTION_NONE;
    case MFX_SCAN_ACTION_ADD_HEADER:
        return SCORE_ACTION_TAG;
    case MFX_SCAN_ACTION_REWRITE_SUBJECT:
        return SCORE_ACTION_SUBJECT;
    case MFX_SCAN_ACTION_SOFT_REJECT:
        return SCORE_ACTION_TEMPFAIL;
    case MFX_SCAN_ACTION_REJECT:
        return SCORE_ACTION_REJECT;
    case MFX_SCAN_ACTION_QUARANTINE:
        return SCORE_ACTION_HOLD;
    case MFX_SCAN_ACTION_DISCARD:
        return SCORE_ACTION_DISCARD;
    }
    MFX_BUG("no such action");
}

struct score_wish
score_judge_failure(const struct score_run *run)
{
    const struct score_engine_settings *s = run->engine->settings;
    struct score_wish wish = {SCORE_ACTION_NONE, SCORE_CAUSE_NONE, run};
    if (run->unscanned == NULL || run->is_unneeded)
        return wish;
    bool is_too_large =
        run->result != NULL && run->result->end == MFX_SCAN_TOO_LARGE;
    wish.cause = is_too_large ? SCORE_CAUSE_TOO_LARGE : SCORE_CAUSE_FAILURE;
    if (is_too_large ? s->on_too_large == SCORE_TOO_LARGE_TEMPFAIL
                     : s->on_failure == SCORE_FAILURE_TEMPFAIL)
        wish.action = SCORE_ACTION_TEMPFAIL;
    return wish;
}
