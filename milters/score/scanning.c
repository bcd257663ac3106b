/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the end of the header on: one body for all engines, one run for each
 * question, and the wait for those that count.
 */
#include "lookup.h"
#include "message.h"
#include "shadow.h"
#include "shared.h"

/* --- whose preferences --- */

/* What a row of users says, or the engine's own. */
static enum mfx_rc
user_of(const struct score_engine *e, const struct mfx_recipient *r,
        struct mfx_arena *arena, struct mfx_str *user, struct mfx_err *err)
{
    const struct score_engine_settings *s = e->settings;
    struct mfx_str value;
    *user = s->user;
    if (e->type != SCORE_ENGINE_SPAMD)
        return MFX_OK;
    enum mfx_rc rc =
        score_lookup_address(s->users, r->address, arena, &value, err);
    if (rc != MFX_OK)
        return rc == MFX_NOTFOUND ? MFX_OK : rc;
    if (mfx_str_is(value, "$recipient"))
        *user = r->address;
    else if (mfx_str_is(value, "$local"))
        *user = mfx_str_head(r->address, mfx_str_find_last(r->address, '@'));
    else
        *user = value;
    return MFX_OK;
}

static struct score_run *
add_run(struct score_message *q, const struct score_engine *e,
        struct mfx_str user)
{
    struct score_run *run = &q->runs[q->run_count++];
    *run = (struct score_run){.engine = e, .user = user};
    return run;
}

/* per_user "each": the run of each recipient; those beyond max_users have that
 * of the engine's own user, which comes first. */
static enum mfx_rc
plan_each(struct mfx_message *m, struct score_message *q,
          struct score_group *group, struct mfx_err *err)
{
    const struct score_engine *e = group->engine;
    size_t i = 0, max = (size_t)e->settings->max_users;
    group->of_recipient = mfx_arena_alloc_array(
        m->arena, m->recipient_count + 1, sizeof *group->of_recipient);
    if (group->of_recipient == NULL)
        return MFX_TEMPFAIL;
    for (const struct mfx_recipient *r = m->recipients; r != NULL;
         r = r->next, i++) {
        struct mfx_str user;
        size_t n = 0;
        enum mfx_rc rc = user_of(e, r, m->arena, &user, err);
        if (rc != MFX_OK)
            return rc;
        while (n < group->count &&
               !mfx_str_eq(q->runs[group->first + n].user, user))
            n++;
        if (n == group->count && n < max) {
            (void)add_run(q, e, user);
            group->count++;
        } else if (n == group->count) {
            q->runs[group->first + --n].user = e->settings->user;
        }
        group->of_recipient[i] = (uint16_t)n;
    }
    return MFX_OK;
}

/* One run for all: the user that they share, or the first one's. */
static enum mfx_rc
plan_one(struct mfx_message *m, struct score_message *q,
         struct score_group *group, struct mfx_err *err)
{
    const struct score_engine *e = group->engine;
    struct mfx_str user = e->settings->user, other;
    const struct mfx_recipient *r = m->recipients;
    enum mfx_rc rc = r == NULL ? MFX_OK : user_of(e, r, m->arena, &user, err);
    bool asks_all = e->settings->per_user == SCORE_USER_SHARED &&
                    e->settings->users != NULL;
    for (; asks_all && rc == MFX_OK && r != NULL; r = r->next) {
        rc = user_of(e, r, m->arena, &other, err);
        if (rc == MFX_OK && !mfx_str_eq(user, other)) {
            user = e->settings->user;
            break;
        }
    }
    (void)add_run(q, e, user);
    group->count = 1;
    return rc;
}

static enum mfx_rc
plan(struct mfx_message *m, struct score_message *q)
{
    const struct score_engines *engines = score_policy_of(m)->engines;
    struct mfx_err err = {""};
    enum mfx_rc rc = MFX_OK;
    size_t room = 0;
    for (size_t i = 0; i < engines->count; i++)
        room += engines->items[i].type == SCORE_ENGINE_SPAMD
                    ? (size_t)engines->items[i].settings->max_users
                    : 1;
    q->runs = mfx_arena_alloc_array(m->arena, room + 1, sizeof *q->runs);
    q->groups =
        mfx_arena_alloc_array(m->arena, engines->count + 1, sizeof *q->groups);
    if (q->runs == NULL || q->groups == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < engines->count && rc == MFX_OK; i++) {
        const struct score_engine *e = &engines->items[i];
        struct score_group *group = &q->groups[q->group_count];
        if (!score_engine_wants(e, q->is_outgoing))
            continue;
        *group = (struct score_group){.engine = e, .first = q->run_count};
        q->group_count++;
        rc = e->type == SCORE_ENGINE_SPAMD &&
                     e->settings->per_user == SCORE_USER_EACH
                 ? plan_each(m, q, group, &err)
                 : plan_one(m, q, group, &err);
    }
    if (rc != MFX_OK)
        mfx_trace(m->decision, "lookup", "%s", err.msg);
    return rc;
}

/* --- asking --- */

/* The header section as it would be sent: lines ended by CRLF, and the empty
 * one behind them. */
static bool
add_header(struct mfx_message *m, struct mfx_scan_body *body)
{
    struct mfx_buf out;
    mfx_buf_init(&out, SIZE_MAX / 2);
    for (const struct mfx_header *h = m->headers.first; h != NULL;
         h = h->next) {
        struct mfx_str rest = h->value, line;
        mfx_buf_add(&out, h->name);
        mfx_buf_add_byte(&out, ':');
        bool is_next = false;
        while (mfx_str_cut(&rest, '\n', &line)) {
            if (is_next)
                mfx_buf_add_text(&out, "\r\n");
            mfx_buf_add(&out, line);
            is_next = true;
        }
        mfx_buf_add_text(&out, "\r\n");
    }
    mfx_buf_add_text(&out, "\r\n");
    bool ok = mfx_buf_ok(&out);
    if (ok)
        mfx_scan_body_add(body, mfx_buf_str(&out));
    mfx_buf_fini(&out);
    return ok;
}

static uint64_t
time_of(const struct score_policy *policy, const struct score_engine *e)
{
    uint64_t all = policy->settings->scan_timeout_ms;
    uint64_t own = e->settings->timeout_ms;
    return own > 0 && own < all ? own : all;
}

static void
ask(struct mfx_message *m, struct score_message *q, struct score_run *run,
    const struct mfx_scan_envelope *envelope)
{
    const struct score_engine *e = run->engine;
    const struct mfx_scan_request request = {
        .purpose = MFX_SCAN_CHECK,
        .envelope = envelope,
        .body = q->body,
        .time_ms = time_of(score_policy_of(m), e),
        .user = run->user,
        .settings_id = q->is_outgoing ? e->settings->outgoing_settings_id
                                      : e->settings->settings_id,
    };
    if (e->engine != NULL && !e->is_shadow)
        run->scan = mfx_scan_begin(m->arena, e->engine, &request);
    else if (e->engine != NULL)
        run->scan = score_shadow_begin(run, &request);
}

enum mfx_rc
score_scanning_begin(struct mfx_message *m, struct score_message *q,
                     const struct mfx_scan_envelope *envelope)
{
    const struct score_settings *s = score_policy_of(m)->settings;
    enum mfx_rc rc = plan(m, q);
    if (rc != MFX_OK || q->run_count == 0)
        return rc;
    q->body = mfx_scan_body_new(s->memory_limit, s->temp_folder);
    if (q->body != NULL)
        mfx_scan_body_share(q->body,
                            score_shared_memory(score_policy_of(m)->shared));
    if (q->body == NULL || !add_header(m, q->body))
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < q->run_count; i++)
        ask(m, q, &q->runs[i], envelope);
    return MFX_OK;
}

void
score_scanning_add(struct score_message *q, struct mfx_str piece)
{
    if (q->body != NULL)
        mfx_scan_body_add(q->body, piece);
}

/* --- waiting --- */

/* What to wait for; NULL: nothing. It may end between two looks. */
static struct mfx_event *
awaited(const struct score_run *run)
{
    return run->scan != NULL && !run->engine->is_shadow
               ? mfx_scan_pending(run->scan)
               : NULL;
}

/* A find that refuses the mail whatever the others say. */
static bool
is_settled(const struct score_run *run)
{
    if (run->scan == NULL || run->engine->is_shadow ||
        mfx_scan_pending(run->scan) != NULL)
        return false;
    const struct mfx_scan_result *r = mfx_scan_finish(run->scan);
    return r->end == MFX_SCAN_ANSWERED && r->klass != MFX_SCAN_CLASS_NONE &&
           run->engine->settings->on_class[r->klass] == SCORE_ACTION_REJECT;
}

void
score_scanning_give_up(struct score_message *q)
{
    for (size_t i = 0; i < q->run_count; i++)
        if (awaited(&q->runs[i]) != NULL)
            q->runs[i].result = mfx_scan_cancel(q->runs[i].scan);
}

static void
spare_others(struct score_message *q)
{
    for (size_t i = 0; i < q->run_count; i++) {
        struct score_run *run = &q->runs[i];
        run->is_unneeded = awaited(run) != NULL;
        if (run->is_unneeded)
            run->result = mfx_scan_cancel(run->scan);
    }
}

void
score_scanning_whole(struct score_message *q)
{
    if (q->body != NULL)
        mfx_scan_body_end(q->body);
}

size_t
score_scanning_pending(struct score_message *q, struct mfx_event **events)
{
    size_t count = 0;
    for (size_t i = 0; i < q->run_count; i++) {
        if (is_settled(&q->runs[i])) {
            spare_others(q);
            return 0;
        }
        struct mfx_event *event = awaited(&q->runs[i]);
        if (event != NULL && count < SCORE_RUNS_AWAITED_MAX)
            events[count++] = event;
    }
    return count;
}

void
score_scanning_end(struct score_message *q)
{
    for (size_t i = 0; i < q->run_count; i++) {
        struct score_run *run = &q->runs[i];
        if (run->scan != NULL && run->result == NULL && !run->engine->is_shadow)
            run->result = mfx_scan_finish(run->scan);
    }
}

void
score_scanning_cancel(struct score_message *q)
{
    for (size_t i = 0; i < q->run_count; i++) {
        struct score_run *run = &q->runs[i];
        if (run->scan != NULL && run->result == NULL && run->shadow == NULL)
            run->result = mfx_scan_cancel(run->scan);
    }
    mfx_scan_body_free(q->body);
    q->body = NULL;
}

void
score_scanning_note(struct mfx_message *m, struct score_message *q)
{
    struct score_shared *shared = score_policy_of(m)->shared;
    struct score_shadows *shadows = score_shared_shadows(shared);
    uint64_t now_s = m->env->wall_s(m->env);
    if (q->has_verdict)
        score_shared_note(shared, &q->verdict, now_s);
    for (size_t i = 0; i < q->run_count; i++)
        if (q->runs[i].shadow != NULL)
            score_shadow_leave(shadows, &q->runs[i],
                               q->has_verdict ? &q->verdict : NULL, m->queue_id,
                               now_s);
    score_shadows_look(shadows);
}
