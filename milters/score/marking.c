/* SPDX-License-Identifier: BSD-2-Clause */
#include "marking.h"

#include "engine_edits.h"
#include "fields.h"
#include "shared.h"
#include "subject.h"

void
score_marking_remove_forged(struct mfx_message *m,
                            const struct score_message *q)
{
    const struct score_policy *p = score_policy_of(m);
    unsigned count = 0;
    if (!q->is_trusted)
        count = score_fields_remove(m, p->settings, q->is_outgoing);
    if (count == 0)
        return;
    mfx_fact_u64(m->decision, "removed_fields", count);
    score_shared_note_removed_fields(p->shared, count);
}

/* --- the subject --- */

/* The engine that decided has a subject of its own. */
static bool
has_own_subject(const struct mfx_message *m, const struct score_verdict *v)
{
    const struct score_run *run = v->done.run;
    return v->done.cause == SCORE_CAUSE_ENGINE && run->engine->takes_edits &&
           run->result->has_subject &&
           !score_subject_is(m, run->result->subject);
}

/* Held or redirected spam has its tag where its total is high enough. */
static bool
wants_tag(const struct score_verdict *v)
{
    if (v->done.action <= SCORE_ACTION_SUBJECT)
        return v->done.action == SCORE_ACTION_SUBJECT;
    for (size_t i = 0; i < v->recipient_count; i++) {
        const struct score_for *r = &v->recipients[i];
        int64_t from = r->profile->thresholds.subject;
        if (!r->is_removed &&
            (from == MFX_DECIMAL_NONE || !r->has_score || r->score < from))
            return false;
    }
    return true;
}

static void
tag_subject(struct mfx_message *m, const struct score_verdict *v)
{
    const struct score_subject_tag tag = {
        .text = score_policy_of(m)->settings->subject_tag,
        .score = v->score,
        .required = v->required,
    };
    if (tag.text.len > 0 && wants_tag(v) && !has_own_subject(m, v))
        score_subject_tag_apply(m, &tag);
}

/* --- all of it --- */

/* What not all recipients want is not done: no mark, no subject. */
static void
take_edits_of(struct mfx_message *m, const struct score_verdict *v,
              const struct score_run *run)
{
    struct mfx_scan_result result = *run->result;
    const struct score_engine_edits_rules rules = {
        .engine = run->engine->name,
        .is_reserved = score_fields_is_reserved,
        .arg = score_policy_of(m)->settings,
        .keeps_subject = v->done.action < SCORE_ACTION_SUBJECT,
    };
    if (v->done.action < SCORE_ACTION_TAG)
        result.action = MFX_SCAN_ACTION_NONE;
    score_engine_edits_apply(m, &result, &rules);
}

static void
take_edits(struct mfx_message *m, const struct score_verdict *v)
{
    for (size_t i = 0; i < v->run_count; i++) {
        const struct score_run *run = &v->runs[i];
        if (!run->engine->is_shadow && run->unscanned == NULL &&
            run->engine->takes_edits)
            take_edits_of(m, v, run);
    }
}

void
score_marking(struct mfx_message *m, const struct score_message *q)
{
    const struct score_verdict *v = &q->verdict;
    take_edits(m, v);
    tag_subject(m, v);
    score_fields_write(m, score_policy_of(m)->settings, v, q->is_outgoing);
}
