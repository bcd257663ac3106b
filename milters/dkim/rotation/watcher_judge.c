/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which key of a line signs, what of it is new, and when to look next.
 */
#include <mfx/base/log.h>

#include "card.h"
#include "look.h"
#include "watcher_impl.h"
#include "words.h"

enum {
    SCRATCH = 256 * 1024,
    WITHDRAWN_TIMES = 24, /* looked at this much less often */
    PATIENCE = 10, /* a key that waits is looked at when a tenth of the time
                      it has waited is over */
};

/* --- a key as it is shown --- */

void
dkim_watcher_view(const struct dkim_line_key *key, struct mfx_arena *arena,
                  struct dkim_key_view *view)
{
    const struct dkim_record *r = key->record;
    struct dkim_key_server *servers;
    *view = (struct dkim_key_view){
        .domain = key->domain,
        .selector = key->selector,
        .path = key->path.len > 0 ? key->path : mfx_str_of("inline"),
        .file = key->file,
        .algorithm = r->algorithm,
        .bits = r->bits,
        .is_signing = r->is_signing,
        .has_card = key->has_card,
        .replaces = key->replaces,
        .verdict = r->verdict,
        .in_dns = r->facts.in_dns,
        .since_s = r->since_s,
        .looked_s = r->facts.looked_s,
    };
    view->server_count = dkim_look_parse(r->servers, arena, &servers);
    view->servers = servers;
    struct mfx_str why = dkim_words_why(view, r->trouble, arena);
    struct mfx_str todo = dkim_words_todo(view, arena);
    view->why = mfx_arena_copy(arena, why).p;
    view->todo = mfx_arena_copy(arena, todo).p;
    if (view->why == NULL)
        view->why = "";
    if (view->todo == NULL)
        view->todo = "";
}

/* --- what is told --- */

static void
tell(const struct dkim_line_key *key, const struct dkim_key_view *view,
     bool is_lost)
{
    struct mfx_log_line line;
    if (is_lost)
        mfx_log_begin_daemon(&line, "key_lost");
    else
        mfx_log_begin_daemon(&line, "key_state");
    mfx_log_add(&line, "domain", key->domain);
    mfx_log_add(&line, "selector", key->selector);
    if (key->replaces.len > 0)
        mfx_log_add(&line, "replaces", key->replaces);
    mfx_log_add_text(&line, "state", dkim_key_state_name(view->verdict.state));
    mfx_log_add_text(&line, "signs", view->is_signing ? "yes" : "no");
    mfx_log_add_text(&line, "why", view->why);
    mfx_log_end(&line, is_lost ? MFX_LOG_ERROR : MFX_LOG_INFO);
}

struct before {
    struct dkim_key_verdict verdict;
    bool is_judged, is_signing;
};

/* A key that always signed and still does is not worth a line. */
static void
tell_change(const struct dkim_line_key *key, const struct before *before,
            bool is_alone)
{
    const struct dkim_record *r = key->record;
    const struct dkim_key_verdict *v = &r->verdict;
    bool was_alarm = before->is_judged && before->verdict.is_alarm;
    bool is_changed = before->verdict.state != v->state ||
                      before->is_signing != r->is_signing;
    bool is_worth =
        before->is_judged ? is_changed : !is_alone || r->since_s == 0;
    if (is_alone && !before->is_judged)
        is_worth = false;
    if (!v->is_alarm && was_alarm)
        is_worth = true;
    if (!is_worth && (!v->is_alarm || was_alarm))
        return;
    struct mfx_arena *arena = mfx_arena_new(SCRATCH);
    struct dkim_key_view view;
    if (arena == NULL)
        return;
    dkim_watcher_view(key, arena, &view);
    tell(key, &view, v->is_alarm && !was_alarm);
    mfx_arena_free(arena);
}

/* For the trace of messages: only where there is something to explain. */
static void
set_line(struct dkim_line *line, const struct dkim_key_verdict *verdicts,
         size_t chosen)
{
    size_t about = line->count - 1;
    struct mfx_str why = {NULL, 0};
    struct mfx_arena *arena = NULL;
    bool is_alarm = chosen < line->count && verdicts[chosen].is_alarm;
    if (chosen != about || is_alarm)
        arena = mfx_arena_new(SCRATCH);
    if (arena != NULL) {
        const struct dkim_line_key *key = line->keys[is_alarm ? chosen : about];
        struct dkim_key_view view;
        dkim_watcher_view(key, arena, &view);
        view.verdict = verdicts[is_alarm ? chosen : about];
        view.is_signing = is_alarm;
        struct mfx_str text =
            dkim_words_why(&view, key->record->trouble, arena);
        why = mfx_arena_printf(arena, "key %.*s %.*s",
                               MFX_STR_ARG(key->selector), MFX_STR_ARG(text));
    }
    dkim_line_set(line, chosen, why);
    mfx_arena_free(arena);
}

/* --- deciding --- */

static void
collect(const struct dkim_line *line, struct dkim_key_facts *facts)
{
    for (size_t i = 0; i < line->count; i++) {
        const struct dkim_line_key *key = line->keys[i];
        facts[i] = key->record->facts;
        facts[i].is_replacing = i > 0 || key->replaces.len > 0;
        facts[i].has_card = key->has_card;
        facts[i].is_usable = key->file != NULL && !key->record->is_broken;
        facts[i].not_before_s = key->not_before_s;
        facts[i].card_retired_s = key->retired_s;
    }
}

static bool
is_same(const struct dkim_key_facts *a, const struct dkim_key_facts *b)
{
    return a->active_since_s == b->active_since_s &&
           a->retired_since_s == b->retired_since_s &&
           a->lost_since_s == b->lost_since_s;
}

static void
note(struct dkim_watcher *w, const struct dkim_line *line, size_t i,
     const struct dkim_key_facts *facts, const struct dkim_key_verdict *verdict,
     size_t chosen, uint64_t now_s, enum dkim_watch_how how)
{
    struct dkim_record *r = line->keys[i]->record;
    const struct before before = {r->verdict, r->is_judged, r->is_signing};
    bool is_changed = !is_same(&r->facts, facts) || r->since_s == 0 ||
                      before.verdict.state != verdict->state;
    if (r->since_s == 0 || before.verdict.state != verdict->state)
        r->since_s = now_s;
    r->facts.active_since_s = facts->active_since_s;
    r->facts.retired_since_s = facts->retired_since_s;
    r->facts.lost_since_s = facts->lost_since_s;
    r->verdict = *verdict;
    r->is_signing = i == chosen;
    r->is_unsaved = r->is_unsaved || is_changed;
    if (how != DKIM_WATCH_TELL)
        return;
    r->is_judged = true;
    if (r->is_unsaved)
        dkim_book_mark(w->book, r);
    r->is_unsaved = false;
    tell_change(line->keys[i], &before, line->count == 1);
}

void
dkim_watcher_judge(struct dkim_watcher *w, struct dkim_line *line,
                   const struct dkim_key_policy *policy, uint64_t now_s,
                   enum dkim_watch_how how)
{
    struct dkim_key_facts facts[DKIM_LINE_KEYS_MAX];
    struct dkim_key_verdict verdicts[DKIM_LINE_KEYS_MAX];
    collect(line, facts);
    size_t chosen =
        dkim_key_state_decide(policy, facts, line->count, now_s, verdicts);
    if (how != DKIM_WATCH_LOOK_ON) {
        dkim_key_state_apply(facts, line->count, chosen, now_s);
        chosen =
            dkim_key_state_decide(policy, facts, line->count, now_s, verdicts);
        for (size_t i = 0; i < line->count; i++)
            note(w, line, i, &facts[i], &verdicts[i], chosen, now_s, how);
    }
    set_line(line, verdicts, chosen);
}

/* --- the next look --- */

static uint64_t
random_below(const struct dkim_watcher *w, uint64_t limit)
{
    uint64_t n = 0;
    if (limit == 0 || w->hold == NULL)
        return 0;
    const struct mfx_env *env = w->hold->env.env;
    env->random(env, &n, sizeof n);
    return n % limit;
}

static uint64_t
between(uint64_t least, uint64_t n, uint64_t most)
{
    if (n > most)
        n = most;
    return n < least ? least : n;
}

static bool
waits(const struct dkim_record *r)
{
    return !r->is_signing && (r->verdict.state == DKIM_KEY_NEW ||
                              r->verdict.state == DKIM_KEY_PUBLISHED);
}

/* Milliseconds until the next look at a key that waits: soon, less and less
 * often the longer it waits; in time for what is planned. */
static uint64_t
wait_of(const struct dkim_watcher *w, const struct dkim_record *r,
        uint64_t now_s)
{
    const struct dkim_watch_settings *s = &w->settings;
    uint64_t most = s->check_interval_s > s->wait_interval_s
                        ? s->check_interval_s
                        : s->wait_interval_s;
    uint64_t age = now_s > r->since_s ? now_s - r->since_s : 0;
    uint64_t wait = between(s->wait_interval_s, age / PATIENCE, most);
    uint64_t at = r->verdict.when_s;
    if (r->verdict.state == DKIM_KEY_PUBLISHED)
        wait = most;
    if (at != 0 && (at <= now_s || at - now_s < wait))
        wait = at <= now_s ? 0 : at - now_s;
    return between(500, wait * 1000, UINT64_MAX);
}

static uint64_t
routine_of(const struct dkim_watcher *w, const struct dkim_record *r,
           uint64_t now_s, bool is_first)
{
    uint64_t interval = w->settings.check_interval_s * 1000;
    if (r->verdict.state == DKIM_KEY_WITHDRAWN)
        interval *= WITHDRAWN_TIMES;
    if (!is_first) /* not all at once, for ever */
        return interval - interval / 10 + random_below(w, interval / 5 + 1);
    uint64_t looked = r->facts.looked_s;
    uint64_t age = now_s > looked ? (now_s - looked) * 1000 : 0;
    if (looked == 0 || age >= interval)
        return random_below(w, interval + 1);
    return interval - age;
}

void
dkim_watcher_plan(struct dkim_watcher *w, struct dkim_record *r, uint64_t now_s,
                  bool is_first)
{
    bool is_never = w->settings.policy.require == DKIM_REQUIRE_NEVER;
    bool is_urgent = waits(r) || r->verdict.is_alarm;
    uint64_t in_ms;
    if (r->place != 0)
        dkim_queue_remove(r->is_urgent ? &w->urgent : &w->routine, r);
    if (r->key == NULL || r->key->file == NULL || w->hold == NULL)
        return;
    if (is_never && (!waits(r) || r->verdict.when_s <= now_s))
        return;
    if (is_never)
        in_ms = (r->verdict.when_s - now_s) * 1000;
    else if (is_urgent)
        in_ms = is_first ? 0 : wait_of(w, r, now_s);
    else
        in_ms = routine_of(w, r, now_s, is_first);
    r->due_ms = mfx_mono_ms() + in_ms;
    r->is_urgent = is_urgent;
    if (!dkim_queue_put(is_urgent ? &w->urgent : &w->routine, r))
        mfx_log_say(MFX_LOG_ERROR, "key_forgotten", "why", "out of memory");
}
