/* SPDX-License-Identifier: BSD-2-Clause */
#include "shadow.h"

#include <stdlib.h>

#include <mfx/base/env.h>
#include <mfx/base/log.h>

#include "judging.h"
#include "tally.h"

enum {
    MEMORY = 64 * 1024,
    LOOK_AT = 64, /* a message does not pay for many others */
};

struct score_shadow {
    struct mfx_arena *arena;
    struct mfx_scan *scan;
    /* copies: a reload takes the originals away */
    struct score_engine engine;
    struct score_engine_settings settings;
    struct score_profile profile;
    struct score_run run;
    struct score_tally *tally;
    struct mfx_str queue_id;
    bool is_alone; /* no engine of its kind has answered */
    bool is_spam;  /* what came of the message */
    struct score_difference difference;
    struct score_shadow *next;
};

/* Those of messages that are over, oldest first. */
struct score_shadows {
    pthread_mutex_t mutex;
    struct score_shadow *first, **end;
    size_t count;
};

static void
shadow_free(struct score_shadow *shadow)
{
    if (shadow == NULL)
        return;
    score_tally_release(shadow->tally);
    mfx_arena_free(shadow->arena); /* the scan too, and shadow itself */
}

/* --- asking --- */

struct mfx_scan *
score_shadow_begin(struct score_run *run,
                   const struct mfx_scan_request *request)
{
    struct mfx_arena *arena = mfx_arena_new(MEMORY);
    if (arena == NULL)
        return NULL;
    struct score_shadow *shadow = mfx_arena_alloc(arena, sizeof *shadow);
    if (shadow != NULL)
        shadow->scan = mfx_scan_begin(arena, run->engine->engine, request);
    if (shadow == NULL || shadow->scan == NULL) {
        mfx_arena_free(arena);
        return NULL;
    }
    shadow->arena = arena;
    run->shadow = shadow;
    return shadow->scan;
}

/* --- comparing --- */

static enum score_action
would(const struct score_shadow *s)
{
    const struct score_run *run = &s->run;
    enum score_action action = score_judge_find(run);
    if (s->profile.follow_engines && score_judge_proposal(run) > action)
        action = score_judge_proposal(run);
    enum score_action by_score =
        run->has_score ? score_profile_action(&s->profile, run->score)
                       : SCORE_ACTION_NONE;
    return by_score > action ? by_score : action;
}

static void
add_score(struct mfx_log_line *line, struct mfx_arena *arena, const char *key,
          int64_t score)
{
    struct mfx_buf text;
    mfx_buf_init_arena(&text, arena, 40);
    mfx_decimal_format(score, &text);
    mfx_log_add(line, key, mfx_buf_str(&text));
}

static void
say_difference(const struct score_shadow *s)
{
    const struct score_difference *d = &s->difference;
    struct mfx_log_line line;
    mfx_log_begin(&line, s->queue_id, "shadow_differs");
    mfx_log_add(&line, "engine", s->engine.name);
    mfx_log_add_text(&line, "did", score_action_name(d->did));
    mfx_log_add_text(&line, "would", score_action_name(d->would));
    if (d->has_scores) {
        add_score(&line, s->arena, "total", d->total);
        add_score(&line, s->arena, "score", d->score);
    }
    mfx_log_end(&line, MFX_LOG_INFO);
}

/* It has ended. */
static void
compare(struct score_shadow *s, uint64_t now_s)
{
    struct score_difference *d = &s->difference;
    s->run.result = mfx_scan_finish(s->scan);
    score_judge(&s->run);
    score_tally_note(s->tally, &s->run, s->is_spam, now_s);
    if (s->run.unscanned != NULL) {
        score_tally_unanswered(s->tally);
        return;
    }
    if (s->is_alone) {
        score_tally_alone(s->tally);
        return;
    }
    d->would = would(s);
    d->has_scores = d->has_scores && s->run.has_score;
    d->score = s->run.score;
    score_tally_compare(s->tally, d);
    if (d->did != d->would)
        say_difference(s);
}

/* --- those that have been left --- */

struct score_shadows *
score_shadows_new(void)
{
    struct score_shadows *list = calloc(1, sizeof *list);
    if (list != NULL)
        (void)pthread_mutex_init(&list->mutex, NULL);
    if (list != NULL)
        list->end = &list->first;
    return list;
}

void
score_shadows_free(struct score_shadows *list)
{
    if (list == NULL)
        return;
    while (list->first != NULL) {
        struct score_shadow *s = list->first;
        list->first = s->next;
        shadow_free(s);
    }
    (void)pthread_mutex_destroy(&list->mutex);
    free(list);
}

/* Takes those out that have ended, of the oldest, and, of too many, all of
 * these. */
static struct score_shadow *
take_ended(struct score_shadows *list)
{
    struct score_shadow **at = &list->first, *ended = NULL;
    bool is_full = list->count > SCORE_SHADOWS_MAX;
    for (int i = 0; i < LOOK_AT && *at != NULL; i++) {
        struct score_shadow *s = *at;
        if (!is_full && mfx_scan_pending(s->scan) != NULL) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        if (s->next == NULL)
            list->end = at;
        s->next = ended;
        ended = s;
        list->count--;
    }
    return ended;
}

void
score_shadows_look(struct score_shadows *list)
{
    (void)pthread_mutex_lock(&list->mutex);
    struct score_shadow *ended = take_ended(list);
    (void)pthread_mutex_unlock(&list->mutex);
    while (ended != NULL) {
        struct score_shadow *s = ended;
        ended = s->next;
        compare(s, s->difference.time_s);
        shadow_free(s);
    }
}

/* What came of the message as far as engines of this kind say. */
static void
take_verdict(struct score_shadow *s, const struct score_verdict *v,
             bool is_for_viruses)
{
    enum score_cause cause = v->done.cause;
    bool is_ours = is_for_viruses ? cause == SCORE_CAUSE_VIRUS
                                  : cause == SCORE_CAUSE_TOTAL ||
                                        cause == SCORE_CAUSE_ENGINE;
    s->is_alone =
        !(is_for_viruses ? v->was_virus_scanned : v->was_spam_scanned);
    s->is_spam = v->is_spam;
    s->difference.did = is_ours ? v->done.action : SCORE_ACTION_NONE;
    s->difference.has_scores = v->has_score && !is_for_viruses;
    s->difference.total = v->score;
}

static void
copy_engine(struct score_shadow *s, const struct score_run *run)
{
    s->engine = *run->engine;
    s->settings = *run->engine->settings;
    s->engine.settings = &s->settings;
    s->engine.name = mfx_arena_copy(s->arena, run->engine->name);
    s->tally = score_tally_hold(run->engine->tally);
    s->run = (struct score_run){.engine = &s->engine};
}

void
score_shadow_leave(struct score_shadows *list, struct score_run *run,
                   const struct score_verdict *v, struct mfx_str queue_id,
                   uint64_t now_s)
{
    struct score_shadow *s = run->shadow;
    run->shadow = NULL;
    run->scan = NULL;
    if (s == NULL)
        return;
    if (v == NULL) {
        shadow_free(s);
        return;
    }
    copy_engine(s, run);
    take_verdict(s, v, score_engine_is_for_viruses(run->engine));
    s->profile = *v->recipients[0].profile;
    s->queue_id = mfx_arena_copy(s->arena, queue_id);
    s->difference.time_s = now_s;
    size_t len = s->queue_id.len < SCORE_TALLY_QUEUE_ID - 1
                     ? s->queue_id.len
                     : SCORE_TALLY_QUEUE_ID - 1;
    memcpy(s->difference.queue_id, queue_id.p, len);
    s->next = NULL;
    (void)pthread_mutex_lock(&list->mutex);
    *list->end = s;
    list->end = &s->next;
    list->count++;
    (void)pthread_mutex_unlock(&list->mutex);
}
