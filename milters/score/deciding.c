/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From answers to an action: what finds and failures want holds for all
 * recipients; what a total and an engine's proposal want, by each one's
 * profile. What all of them want is done.
 */
#include "judging.h"
#include "message.h"

const char *
score_cause_name(enum score_cause cause)
{
    static const char *const names[] = {
        [SCORE_CAUSE_NONE] = "none",
        [SCORE_CAUSE_TOTAL] = "total",
        [SCORE_CAUSE_ENGINE] = "engine",
        [SCORE_CAUSE_VIRUS] = "virus",
        [SCORE_CAUSE_FAILURE] = "failure",
        [SCORE_CAUSE_TOO_LARGE] = "too_large",
        [SCORE_CAUSE_GREYLIST] = "greylist",
    };
    return names[cause];
}

static void
raise(struct score_wish *wish, struct score_wish other)
{
    if (other.action > wish->action)
        *wish = other;
}

/* What says that it is spam; a wish for another reason may be as harsh. */
static void
raise_as_spam(struct score_for *r, struct score_wish other)
{
    r->is_spam |= other.action >= SCORE_ACTION_TAG;
    raise(&r->wish, other);
}

/* --- for all recipients alike --- */

static void
note_unscanned(const struct mfx_message *m, const struct score_run *run,
               struct mfx_str *list)
{
    *list = mfx_arena_printf(m->arena, "%.*s%s%.*s: %s", MFX_STR_ARG(*list),
                             list->len > 0 ? ", " : "",
                             MFX_STR_ARG(run->engine->name), run->unscanned);
}

/* What a run alone can say. */
static void
take_run(struct mfx_message *m, struct score_verdict *v, struct score_run *run,
         struct score_wish *all)
{
    bool is_for_viruses = score_engine_is_for_viruses(run->engine);
    score_judge(run);
    if (run->engine->is_shadow || run->is_unneeded)
        return;
    if (run->unscanned != NULL) {
        note_unscanned(m, run, &v->unscanned);
        note_unscanned(
            m, run, is_for_viruses ? &v->unscanned_virus : &v->unscanned_spam);
    } else if (is_for_viruses) {
        v->was_virus_scanned = true;
    } else {
        v->was_spam_scanned = true;
    }
    raise(all, score_judge_failure(run));
    enum score_action find = score_judge_find(run);
    raise(all, (struct score_wish){find, SCORE_CAUSE_VIRUS, run});
    if (run->unscanned == NULL && run->result->virus.len > 0 &&
        (v->virus == NULL || find > score_judge_find(v->virus)))
        v->virus = run;
}

/* --- for each --- */

static const struct score_run *
run_for(const struct score_message *q, const struct score_group *group,
        size_t recipient)
{
    size_t n = group->of_recipient == NULL ? 0 : group->of_recipient[recipient];
    return &q->runs[group->first + n];
}

static void
judge_recipient(const struct score_message *q, size_t i,
                const struct score_wish *all, struct score_for *r)
{
    r->wish = *all;
    r->has_score = q->seal_has_score;
    r->score = q->seal_score;
    for (size_t g = 0; g < q->group_count; g++) {
        const struct score_run *run = run_for(q, &q->groups[g], i);
        if (run->engine->is_shadow)
            continue;
        r->has_score |= run->has_score;
        r->score += run->score;
        if (r->profile->follow_engines)
            raise_as_spam(r, (struct score_wish){score_judge_proposal(run),
                                                 SCORE_CAUSE_ENGINE, run});
    }
    if (r->has_score)
        raise_as_spam(
            r, (struct score_wish){score_profile_action(r->profile, r->score),
                                   SCORE_CAUSE_TOTAL, NULL});
}

static enum mfx_rc
find_profiles(struct mfx_message *m, const struct score_message *q,
              struct score_verdict *v, struct mfx_err *err)
{
    const struct score_profiles *profiles = &score_policy_of(m)->profiles;
    const struct mfx_recipient *to = m->recipients;
    enum mfx_rc rc = MFX_OK;
    v->recipient_count = m->recipient_count > 0 ? m->recipient_count : 1;
    v->recipients = mfx_arena_alloc_array(m->arena, v->recipient_count,
                                          sizeof *v->recipients);
    if (v->recipients == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < v->recipient_count && rc == MFX_OK; i++) {
        struct score_for *r = &v->recipients[i];
        *r = (struct score_for){.recipient = to};
        if (i > 0 && q->is_outgoing)
            r->profile = v->recipients[0].profile;
        else if (q->is_outgoing)
            rc = score_profiles_of_login(profiles, m->login, m->arena,
                                         &r->profile, err);
        else
            rc = score_profiles_of_recipient(
                profiles, to == NULL ? mfx_str("", 0) : to->address, m->arena,
                &r->profile, err);
        to = to == NULL ? NULL : to->next;
    }
    return rc;
}

/* --- what all of them share --- */

/* The mildest wish, and the least total, of those that get the mail. */
static void
share(struct score_verdict *v)
{
    bool is_first = true;
    v->is_spam = true;
    v->harshest = v->recipients[0].wish;
    for (size_t i = 0; i < v->recipient_count; i++) {
        const struct score_for *r = &v->recipients[i];
        v->recipients_differ |= r->wish.action != v->recipients[0].wish.action;
        raise(&v->harshest, r->wish);
        if (r->is_removed)
            continue;
        v->is_spam &= r->is_spam;
        if (is_first || r->wish.action < v->done.action)
            v->done = r->wish;
        if (is_first || (r->has_score && r->score < v->score)) {
            v->has_score = r->has_score;
            v->score = r->score;
            v->required = r->profile->thresholds.tag;
        }
        is_first = false;
    }
}

/* Who wants it held, redirected, thrown away or refused does not get it, while
 * others do. */
static void
remove_unwilling(struct score_verdict *v)
{
    if (v->done.action >= SCORE_ACTION_HOLD)
        return;
    for (size_t i = 0; i < v->recipient_count; i++) {
        struct score_for *r = &v->recipients[i];
        r->is_removed = r->wish.action >= SCORE_ACTION_HOLD;
        v->removed += r->is_removed;
    }
}

/* Greylisted when it is so for each that gets it. */
static bool
wants_greylist(const struct score_verdict *v)
{
    if (v->done.action >= SCORE_ACTION_DISCARD)
        return false;
    for (size_t i = 0; i < v->recipient_count; i++) {
        const struct score_for *r = &v->recipients[i];
        int64_t from = r->profile->thresholds.greylist;
        if (!r->is_removed &&
            (from == MFX_DECIMAL_NONE || !r->has_score || r->score < from))
            return false;
    }
    return true;
}

/* From where on the engine itself calls it spam: rspamd's required_score is
 * that of its refusal. */
static double
required_by(const struct mfx_scan_result *result)
{
    for (size_t i = 0; i < result->threshold_count; i++)
        if (mfx_str_is(result->thresholds[i].name, "add header"))
            return result->thresholds[i].value;
    return result->required_score;
}

/* What the first engine asks for stands in for a threshold. */
static void
find_required(struct score_verdict *v)
{
    for (size_t i = 0; v->required == MFX_DECIMAL_NONE && i < v->run_count;
         i++) {
        const struct score_run *run = &v->runs[i];
        if (run->engine->is_shadow || run->unscanned != NULL ||
            !run->engine->takes_score || !run->result->has_score)
            continue;
        v->required = score_judge_scaled(run, required_by(run->result));
    }
}

enum mfx_rc
score_deciding_find(struct mfx_message *m, struct score_message *q)
{
    struct score_verdict *v = &q->verdict;
    struct score_wish all = {SCORE_ACTION_NONE, SCORE_CAUSE_NONE, NULL};
    struct mfx_err err = {""};
    *v = (struct score_verdict){
        .runs = q->runs,
        .run_count = q->run_count,
        .unscanned = mfx_str("", 0),
        .unscanned_spam = mfx_str("", 0),
        .unscanned_virus = mfx_str("", 0),
        .required = MFX_DECIMAL_NONE,
    };
    enum mfx_rc rc = find_profiles(m, q, v, &err);
    if (rc != MFX_OK) {
        mfx_trace(m->decision, "profiles", "%s", err.msg);
        return rc;
    }
    for (size_t i = 0; i < q->run_count; i++)
        take_run(m, v, &q->runs[i], &all);
    for (size_t i = 0; i < v->recipient_count; i++)
        judge_recipient(q, i, &all, &v->recipients[i]);
    share(v);
    if (score_policy_of(m)->settings->recipients.differ ==
        SCORE_DIFFER_REMOVE) {
        remove_unwilling(v);
        if (v->removed > 0)
            share(v);
    }
    find_required(v);
    v->is_sealed = q->has_seal;
    v->wants_greylist = wants_greylist(v);
    q->has_verdict = true;
    return MFX_OK;
}
