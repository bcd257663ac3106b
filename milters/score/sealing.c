/* SPDX-License-Identifier: BSD-2-Clause */
#include "sealing.h"

#include <mfx/auth/score_seal.h>

void
score_sealing_read(struct mfx_message *m, struct score_message *q)
{
    const struct score_policy *p = score_policy_of(m);
    const struct score_settings *s = p->settings;
    const struct mfx_score_seal_rules rules = {
        p->secrets.items, p->secrets.count, s->seal.max_age_s};
    struct mfx_score_seal seal;
    if (s->seal.accept == SCORE_SEAL_NO || s->seal.header.len == 0)
        return;
    enum mfx_score_seal_result result =
        mfx_score_seal_read(&rules, s->seal.header, &m->headers,
                            m->env->wall_s(m->env), m->arena, &seal);
    if (result == MFX_SCORE_SEAL_NONE)
        return;
    mfx_trace(m->decision, "seal.accept", "%s",
              mfx_score_seal_result_text(result));
    if (result != MFX_SCORE_SEAL_GOOD) {
        mfx_fact(m->decision, "seal",
                 mfx_str_of(mfx_score_seal_result_text(result)));
        return;
    }
    mfx_fact(m->decision, "seal", seal.queue_id);
    q->has_seal = true;
    q->seal_has_score = seal.score != MFX_DECIMAL_NONE;
    q->seal_score = q->seal_has_score ? seal.score : 0;
    q->is_decided_by_seal = s->seal.accept == SCORE_SEAL_INSTEAD;
}

static size_t
fill_engines(const struct score_verdict *v,
             struct mfx_score_seal_engine *engines)
{
    size_t count = 0;
    for (size_t i = 0; i < v->run_count && count < MFX_SCORE_SEAL_ENGINES_MAX;
         i++) {
        const struct score_run *run = &v->runs[i];
        if (!run->engine->is_shadow && run->has_score)
            engines[count++] =
                (struct mfx_score_seal_engine){run->engine->name, run->score};
    }
    return count;
}

static struct mfx_str
message_id_of(const struct mfx_message *m)
{
    const struct mfx_header *h =
        mfx_headers_first(&m->headers, mfx_str_of("Message-ID"));
    return h == NULL ? mfx_str("", 0) : h->value;
}

enum mfx_rc
score_sealing_write(struct mfx_message *m, const struct score_verdict *v)
{
    const struct score_policy *p = score_policy_of(m);
    struct mfx_str name = p->settings->seal.header, value;
    struct mfx_score_seal_engine engines[MFX_SCORE_SEAL_ENGINES_MAX];
    if (name.len == 0 || p->secrets.count == 0)
        return MFX_OK;
    const struct mfx_score_seal seal = {
        .time_s = m->env->wall_s(m->env),
        .queue_id = m->queue_id,
        .score = v->has_score ? v->score : MFX_DECIMAL_NONE,
        .action = mfx_str_of(score_action_name(v->done.action)),
        .engines = engines,
        .engine_count = fill_engines(v, engines),
    };
    enum mfx_rc rc =
        mfx_score_seal_write(p->secrets.items[0], &seal, message_id_of(m),
                             name.len, m->arena, &value);
    if (rc == MFX_OK)
        mfx_edit_insert_header(m->decision, MFX_EDIT_TOP, name, value);
    return rc;
}
