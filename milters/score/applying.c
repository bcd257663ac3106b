/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a verdict asks for, in this order: greylisting, which may make it a
 * deferral; the reply, or what is changed in mail that goes on.
 */
#include "applying.h"

#include <inttypes.h>

#include "command.h"
#include "greylist.h"
#include "judging.h"
#include "marking.h"
#include "reply.h"
#include "sealing.h"
#include "shared.h"

/* --- what the log says --- */

static struct mfx_str
decimal(const struct mfx_message *m, int64_t value)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, m->arena, 40);
    mfx_decimal_format(value, &out);
    return mfx_buf_str(&out);
}

/* "rspamd=7.2/15 clamd=clean spamd=timeout" */
static void
put_run(const struct score_run *run, struct mfx_buf *out)
{
    const struct mfx_scan_result *r = run->result;
    mfx_buf_printf(out, "%s%.*s=", out->len > 0 ? " " : "",
                   MFX_STR_ARG(run->engine->name));
    if (run->unscanned != NULL) {
        mfx_buf_add_text(out, run->unscanned);
    } else if (r->virus.len > 0) {
        mfx_buf_add(out, r->virus);
    } else if (score_engine_is_for_viruses(run->engine)) {
        mfx_buf_add_text(out, "clean");
    } else if (score_judge_is_skipped(r) || !r->has_score) {
        mfx_buf_add_text(out, "skipped");
    } else {
        mfx_decimal_format(score_judge_scaled(run, r->score), out);
        if (r->action_word.len > 0)
            mfx_buf_printf(out, "(%.*s)", MFX_STR_ARG(r->action_word));
    }
    if (r != NULL && r->is_partial)
        mfx_buf_add_text(out, "(part)");
}

static void
say_runs(struct mfx_message *m, const struct score_verdict *v)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, m->arena, 2000);
    for (size_t i = 0; i < v->run_count; i++)
        if (!v->runs[i].engine->is_shadow)
            put_run(&v->runs[i], &out);
    if (out.len > 0)
        mfx_fact(m->decision, "engines", mfx_buf_str(&out));
    for (size_t i = 0; i < v->run_count; i++) {
        const struct score_run *run = &v->runs[i];
        const struct mfx_scan_result *r = run->result;
        if (run->engine->is_shadow || r == NULL)
            continue;
        mfx_trace(m->decision, "engines",
                  "%.*s at %.*s: %s in %" PRIu64 " ms, %u tries%s%.*s",
                  MFX_STR_ARG(run->engine->name), MFX_STR_ARG(r->server),
                  mfx_scan_end_name(r->end), r->took_ms, r->tries,
                  r->words.len > 0 ? ": " : "", MFX_STR_ARG(r->words));
    }
}

static void
say_recipients(struct mfx_message *m, const struct score_verdict *v)
{
    if (!v->recipients_differ)
        return;
    for (size_t i = 0; i < v->recipient_count; i++) {
        const struct score_for *r = &v->recipients[i];
        mfx_trace(m->decision, "recipients", "%.*s (%.*s): %s%s",
                  MFX_STR_ARG(r->recipient->address),
                  MFX_STR_ARG(r->profile->name),
                  score_action_name(r->wish.action),
                  r->is_removed ? ", removed" : "");
    }
    mfx_fact(m->decision, "harshest",
             mfx_str_of(score_action_name(v->harshest.action)));
    if (v->removed > 0)
        mfx_fact_u64(m->decision, "removed", v->removed);
}

static void
say(struct mfx_message *m, const struct score_verdict *v)
{
    if (v->has_score)
        mfx_fact(m->decision, "score", decimal(m, v->score));
    if (v->required != MFX_DECIMAL_NONE)
        mfx_fact(m->decision, "required", decimal(m, v->required));
    say_runs(m, v);
    if (v->virus != NULL)
        mfx_fact(m->decision, "virus", v->virus->result->virus);
    if (v->unscanned.len > 0)
        mfx_fact(m->decision, "unscanned", v->unscanned);
    say_recipients(m, v);
}

/* --- why --- */

static const char *
proposal_of(const struct mfx_scan_result *r)
{
    return r->action == MFX_SCAN_ACTION_NONE && r->is_spam
               ? "spam" /* spamd has no other word */
               : mfx_scan_action_name(r->action);
}

static const char *
reason_of(const struct mfx_message *m, const struct score_verdict *v)
{
    const struct score_run *run = v->done.run;
    struct mfx_str name = run == NULL ? mfx_str("", 0) : run->engine->name;
    struct mfx_str text = mfx_str("", 0);
    switch (v->done.cause) {
    case SCORE_CAUSE_NONE:
        return "";
    case SCORE_CAUSE_TOTAL:
        text = mfx_arena_printf(m->arena, "the total is %.*s",
                                MFX_STR_ARG(decimal(m, v->score)));
        break;
    case SCORE_CAUSE_ENGINE:
        text = mfx_arena_printf(m->arena, "%.*s says %s", MFX_STR_ARG(name),
                                proposal_of(run->result));
        break;
    case SCORE_CAUSE_VIRUS:
        text =
            mfx_arena_printf(m->arena, "%.*s found %.*s (%s)",
                             MFX_STR_ARG(name), MFX_STR_ARG(run->result->virus),
                             mfx_scan_class_name(run->result->klass));
        break;
    case SCORE_CAUSE_FAILURE:
    case SCORE_CAUSE_TOO_LARGE:
        text = mfx_arena_printf(m->arena, "%.*s did not look at it (%s)",
                                MFX_STR_ARG(name), run->unscanned);
        break;
    case SCORE_CAUSE_GREYLIST:
        text = mfx_arena_printf(m->arena, "greylisted for %" PRIu64 " s",
                                v->greylist_s);
        break;
    }
    return text.p == NULL ? "out of memory" : text.p;
}

/* --- greylisting --- */

static const struct mfx_str *
recipients_of(struct mfx_message *m, const struct score_verdict *v,
              size_t *count)
{
    struct mfx_str *to =
        mfx_arena_alloc_array(m->arena, v->recipient_count, sizeof *to);
    *count = 0;
    for (size_t i = 0; to != NULL && i < v->recipient_count; i++)
        if (!v->recipients[i].is_removed && v->recipients[i].recipient != NULL)
            to[(*count)++] = v->recipients[i].recipient->address;
    return to;
}

static void
defer(struct score_verdict *v, enum score_cause cause)
{
    v->done = (struct score_wish){SCORE_ACTION_TEMPFAIL, cause, NULL};
}

static void
greylist(struct mfx_message *m, struct score_verdict *v)
{
    const struct score_policy *p = score_policy_of(m);
    struct score_greylist_ask ask = {
        .settings = &p->settings->greylist,
        .skip = p->greylist_skip,
        .store = mfx_store_share_store(p->store),
        .client = m->connection->client_ip,
        .client_name = m->connection->client_name,
        .sender = m->sender,
        .now_s = m->env->wall_s(m->env),
    };
    ask.recipients = recipients_of(m, v, &ask.recipient_count);
    struct score_greylist *g = score_greylist_begin(&ask, m->arena);
    struct score_greylist_answer answer;
    struct mfx_event *event;
    uint64_t until_ms = m->env->mono_ms(m->env) + p->settings->store.timeout_ms;
    while ((event = score_greylist_pending(g)) != NULL &&
           mfx_wait(m, event, until_ms))
        ;
    score_greylist_finish(g, &answer);
    mfx_trace(m->decision, "greylist", "%s%s%s",
              score_greylist_result_name(answer.result),
              answer.result == SCORE_GREYLIST_DOWN ? ": " : "",
              answer.result == SCORE_GREYLIST_DOWN ? answer.err.msg : "");
    mfx_fact(m->decision, "greylist",
             mfx_str_of(score_greylist_result_name(answer.result)));
    if (answer.result == SCORE_GREYLIST_WAIT) {
        v->greylist_s = answer.wait_s;
        defer(v, SCORE_CAUSE_GREYLIST);
    } else if (answer.result == SCORE_GREYLIST_DOWN &&
               p->settings->greylist.on_store_error ==
                   SCORE_STORE_ERROR_TEMPFAIL) {
        v->greylist_s = p->settings->greylist.delay_s;
        defer(v, SCORE_CAUSE_GREYLIST);
    }
}

/* --- recipients --- */

static void
add_once(struct mfx_message *m, struct mfx_str address)
{
    for (const struct mfx_edit *e = m->decision->edits; e != NULL; e = e->next)
        if (e->kind == MFX_EDIT_ADD_RECIPIENT && mfx_str_eq(e->value, address))
            return;
    mfx_edit_add_recipient(m->decision, address, mfx_str("", 0));
}

static void
redirect(struct mfx_message *m, const struct score_verdict *v)
{
    const struct score_settings *s = score_policy_of(m)->settings;
    for (size_t i = 0; i < v->recipient_count; i++) {
        const struct score_for *r = &v->recipients[i];
        struct mfx_str to = r->profile->redirect_to;
        if (!s->redirect.keep_recipients && r->recipient != NULL)
            mfx_edit_delete_recipient(m->decision, r->recipient->raw);
        add_once(m, to.len > 0 ? to : s->redirect.to);
    }
}

static void
remove_unwilling(struct mfx_message *m, const struct score_verdict *v)
{
    const struct score_settings *s = score_policy_of(m)->settings;
    for (size_t i = 0; i < v->recipient_count; i++)
        if (v->recipients[i].is_removed)
            mfx_edit_delete_recipient(m->decision,
                                      v->recipients[i].recipient->raw);
    if (v->removed > 0 && s->recipients.quarantine.len > 0)
        add_once(m, s->recipients.quarantine);
}

/* --- all of it --- */

static void
tell_command(struct mfx_message *m, const struct score_message *q)
{
    const struct score_verdict *v = &q->verdict;
    const struct mfx_connection *c = m->connection;
    char client[MFX_IP_TEXT] = "";
    bool is_spam = v->done.cause == SCORE_CAUSE_TOTAL ||
                   v->done.cause == SCORE_CAUSE_ENGINE ||
                   v->done.cause == SCORE_CAUSE_VIRUS;
    if (!q->is_outgoing || v->done.action < SCORE_ACTION_HOLD || !is_spam ||
        m->decision->is_dry)
        return;
    if (c->client_ip.family != MFX_IP_NONE)
        (void)mfx_ip_format(&c->client_ip, client);
    const struct score_culprit culprit = {
        .login = m->login,
        .client = mfx_str_of(client),
        .client_name = c->client_name,
        .sender = m->sender,
        .recipient_count = m->recipient_count,
        .has_score = v->has_score,
        .score = v->score,
        .action = v->done.action,
        .reason = v->reason,
        .queue_id = m->queue_id,
    };
    score_command_tell(score_shared_command(score_policy_of(m)->shared),
                       &culprit);
}

static enum mfx_rc
change(struct mfx_message *m, const struct score_message *q)
{
    const struct score_verdict *v = &q->verdict;
    if (v->done.action == SCORE_ACTION_REDIRECT)
        redirect(m, v);
    else
        remove_unwilling(m, v);
    score_marking(m, q);
    return score_sealing_write(m, v);
}

/* log events: redirected, tagged, unscanned, passed */
static const char *
event_of(const struct score_verdict *v)
{
    if (v->done.action == SCORE_ACTION_REDIRECT)
        return "redirected";
    if (v->done.action >= SCORE_ACTION_TAG)
        return "tagged";
    return v->unscanned.len > 0 ? "unscanned" : "passed";
}

enum mfx_rc
score_applying(struct mfx_message *m, struct score_message *q)
{
    struct score_verdict *v = &q->verdict;
    if (v->wants_greylist)
        greylist(m, v);
    const char *reason = reason_of(m, v);
    v->reason = mfx_str_of(reason);
    say(m, v);
    tell_command(m, q);
    switch (v->done.action) {
    case SCORE_ACTION_REJECT:
        score_reply_make(m, v);
        mfx_decide_reject(m->decision, v->code,
                          mfx_arena_copy(m->arena, v->enhanced).p, v->text,
                          reason);
        return MFX_OK;
    case SCORE_ACTION_TEMPFAIL:
        score_reply_make(m, v);
        mfx_decide_tempfail(m->decision, v->code,
                            mfx_arena_copy(m->arena, v->enhanced).p, v->text,
                            reason);
        return MFX_OK;
    case SCORE_ACTION_DISCARD:
        mfx_decide_discard(m->decision, reason);
        return MFX_OK;
    case SCORE_ACTION_HOLD:
        mfx_decide_hold(m->decision, reason);
        return change(m, q);
    case SCORE_ACTION_NONE:
    case SCORE_ACTION_TAG:
    case SCORE_ACTION_SUBJECT:
    case SCORE_ACTION_REDIRECT:
    case SCORE_ACTION_COUNT:
        break;
    }
    mfx_decision_event(m->decision, event_of(v), v->reason);
    return change(m, q);
}
