/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/finish.h>

#include <mfx/base/log.h>

static void
count(const struct mfx_flight *f, enum mfx_ending ending, uint64_t ms)
{
    struct mfx_metrics *m = f->session->engine->metrics;
    if (ending == MFX_ENDING_ABORTED) {
        mfx_metrics_add(m, MFX_COUNT_ABORTED, 1);
    } else if (ending == MFX_ENDING_LOST) {
        mfx_metrics_add(m, MFX_COUNT_LOST, 1);
    } else {
        mfx_metrics_add(
            m, (enum mfx_counter)(MFX_COUNT_VERDICT + f->decision.verdict), 1);
        mfx_metrics_time(m, MFX_TIMER_MESSAGE, ms * 1000);
        if (f->decision.is_dry)
            mfx_metrics_add(m, MFX_COUNT_DRY_RUN, 1);
    }
    if (f->message.recipient_count > 0)
        mfx_metrics_add(m, MFX_COUNT_RECIPIENTS, f->message.recipient_count);
    if (f->message.body_bytes > 0)
        mfx_metrics_add(m, MFX_COUNT_BODY_BYTES, f->message.body_bytes);
}

/* A transaction that the MTA gave up before its content is the MTA's affair
 * (an unknown recipient, RSET): no line, and recipients that we refused have
 * had theirs. libmilter says abort also when the connection goes away, so that
 * gets a line in the middle of a message. */
static bool
is_worth_a_line(const struct mfx_flight *f, enum mfx_ending ending)
{
    return ending != MFX_ENDING_ABORTED || f->has_content || f->is_decided;
}

void
mfx_flight_finish(struct mfx_flight *f, enum mfx_ending ending,
                  const struct mfx_reply *reply)
{
    struct mfx_session *s = f->session;
    const struct mfx_hooks *hooks = &s->engine->filter->hooks;
    const struct mfx_env *env = f->message.env;
    uint64_t ms = mfx_mono_ms() - f->message.began_ms;
    if (ending != MFX_ENDING_ANSWERED && hooks->abort != NULL)
        hooks->abort(&f->message);
    bool is_told = is_worth_a_line(f, ending);
    bool is_refused = !is_told && f->refusal.len > 0;
    const struct mfx_report report = {
        .message = &f->message,
        .ending = ending,
        .verdict = is_refused ? f->refusal_verdict : f->decision.verdict,
        .stage = f->stage,
        .reply = reply,
        .refusal = is_refused ? f->refusal : mfx_str("", 0),
        .ended_wall_s = env->wall_s(env),
        .ms = ms,
    };
    if (is_told)
        mfx_report_log(&report);
    if (is_told || is_refused)
        mfx_ring_add(s->engine->ring, &report);
    count(f, ending, ms);
    if (hooks->end != NULL)
        hooks->end(&f->message);
    s->flight = NULL;
    mfx_flight_give(f);
}
