/* SPDX-License-Identifier: BSD-2-Clause */
#include "reply.h"

#include <inttypes.h>

#include <mfx/policy/reply_text.h>

struct variables {
    const struct mfx_message *m;
    const struct score_verdict *v;
    struct mfx_str said; /* by the engine; or empty */
};

struct template
{
    const struct score_code *code;
    struct mfx_str text;
    const char *standard;
};

/* --- the engine's words --- */

/* One line of printable ASCII that can stand in a reply: as it is. Some engines
 * put a code in front, which is ours to say. */
static struct mfx_str
plain(struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] < ' ' || text.p[i] > '~')
            return mfx_str("", 0);
    return text.len <= MFX_REPLY_TEXT_MAX ? text : mfx_str("", 0);
}

static struct mfx_str
words_of(const struct mfx_message *m, const struct score_verdict *v)
{
    const struct score_run *run = v->done.run;
    if (!score_policy_of(m)->settings->reply.engine_text ||
        v->done.cause != SCORE_CAUSE_ENGINE || run == NULL ||
        run->result == NULL)
        return mfx_str("", 0);
    return plain(run->result->reply_text);
}

/* --- variables --- */

static void
put_score(int64_t score, struct mfx_buf *out)
{
    mfx_decimal_format(score, out);
}

static void
put_text(const struct variables *v, struct mfx_buf *out)
{
    mfx_buf_add(out, v->said);
}

static struct mfx_str
virus_of(const struct score_verdict *v)
{
    return v->virus == NULL ? mfx_str("", 0) : v->virus->result->virus;
}

static struct mfx_str
engine_of(const struct score_verdict *v)
{
    return v->done.run == NULL ? mfx_str_of("total")
                               : v->done.run->engine->name;
}

static bool
put_variable(const void *arg, struct mfx_str name, struct mfx_buf *out)
{
    const struct variables *a = arg;
    const struct score_verdict *v = a->v;
    if (mfx_str_is(name, "score"))
        put_score(v->score, out);
    else if (mfx_str_is(name, "required") && v->required != MFX_DECIMAL_NONE)
        put_score(v->required, out);
    else if (mfx_str_is(name, "required"))
        mfx_buf_add_text(out, "none");
    else if (mfx_str_is(name, "engine"))
        mfx_buf_add(out, engine_of(v));
    else if (mfx_str_is(name, "text"))
        put_text(a, out);
    else if (mfx_str_is(name, "virus"))
        mfx_buf_add(out, virus_of(v));
    else if (mfx_str_is(name, "queue_id"))
        mfx_buf_add(out, a->m->queue_id);
    else if (mfx_str_is(name, "action"))
        mfx_buf_add_text(out, score_action_name(v->done.action));
    else if (mfx_str_is(name, "seconds"))
        mfx_buf_printf(out, "%" PRIu64, v->greylist_s);
    else if (mfx_str_is(name, "recipient_count"))
        mfx_buf_printf(out, "%zu", a->m->recipient_count);
    else
        return false;
    return true;
}

/* --- which reply --- */

static struct template refusal(const struct score_policy *p,
                               const struct score_verdict *v)
{
    const struct score_settings *s = p->settings;
    if (v->done.cause == SCORE_CAUSE_VIRUS)
        return (struct template){&p->virus, s->reply.virus_text,
                                 "Infected ($virus) (queue id $queue_id)"};
    return (struct template){&p->spam, s->reply.spam_text,
                             "Spam message rejected (queue id $queue_id)"};
}

static struct template deferral(const struct score_policy *p,
                                const struct score_verdict *v)
{
    const struct score_settings *s = p->settings;
    switch (v->done.cause) {
    case SCORE_CAUSE_GREYLIST:
        return (struct template){&p->greylist, s->reply.greylist_text,
                                 "Greylisted, please try again in $seconds "
                                 "seconds (queue id $queue_id)"};
    case SCORE_CAUSE_FAILURE:
    case SCORE_CAUSE_TOO_LARGE:
        return (struct template){&p->failure, s->reply.failure_text,
                                 "Content check unavailable (queue id "
                                 "$queue_id)"};
    case SCORE_CAUSE_NONE:
    case SCORE_CAUSE_TOTAL:
    case SCORE_CAUSE_ENGINE:
    case SCORE_CAUSE_VIRUS:
        break;
    }
    return (struct template){&p->tempfail, s->reply.tempfail_text,
                             "Try again later (queue id $queue_id)"};
}

void
score_reply_make(const struct mfx_message *m, struct score_verdict *v)
{
    const struct score_policy *p = score_policy_of(m);
    struct template t =
        v->done.action == SCORE_ACTION_REJECT ? refusal(p, v) : deferral(p, v);
    const struct variables a = {m, v, words_of(m, v)};
    struct mfx_str text = t.text;
    if (text.len == 0)
        text = a.said.len > 0 ? mfx_str_of("$text (queue id $queue_id)")
                              : mfx_str_of(t.standard);
    v->code = t.code->code;
    v->enhanced = t.code->enhanced;
    v->text = mfx_reply_text_expand(text, put_variable, &a, m->arena);
}
