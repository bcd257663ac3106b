/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include <mfx/base/clock.h>
#include <mfx/base/log.h>

#include "watcher_impl.h"

enum {
    SCRATCH = 256 * 1024,
};

static uint64_t
wall_s(void)
{
    const struct mfx_env env = mfx_env_system();
    return env.wall_s(&env);
}

struct dkim_watcher *
dkim_watcher_new(const char *state_dir)
{
    struct dkim_watcher *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    (void)pthread_mutex_init(&w->mutex, NULL);
    mfx_clock_condition_init(&w->wake);
    atomic_init(&w->stop, false);
    w->state_dir = state_dir == NULL ? NULL : strdup(state_dir);
    w->book = dkim_book_new(state_dir);
    if (w->book != NULL && (state_dir == NULL || w->state_dir != NULL))
        return w;
    dkim_watcher_free(w);
    return NULL;
}

void
dkim_watcher_free(struct dkim_watcher *w)
{
    if (w == NULL)
        return;
    dkim_watcher_stop(w);
    dkim_watch_hold_release(w->hold);
    dkim_lines_release(w->lines);
    dkim_queue_fini(&w->urgent);
    dkim_queue_fini(&w->routine);
    dkim_book_free(w->book);
    mfx_arena_free(w->arena);
    (void)pthread_cond_destroy(&w->wake);
    (void)pthread_mutex_destroy(&w->mutex);
    free(w->state_dir);
    free(w);
}

const char *
dkim_watcher_trouble(const struct dkim_watcher *w)
{
    return dkim_book_trouble(w->book);
}

/* --- a load --- */

static bool
attach(struct dkim_watcher *w, const struct dkim_lines *lines, uint64_t now_s)
{
    for (size_t i = 0; i < dkim_lines_count(lines); i++) {
        struct dkim_line *line = dkim_lines_at(lines, i);
        for (size_t k = 0; k < line->count; k++) {
            struct dkim_line_key *key = line->keys[k];
            key->record =
                dkim_book_need(w->book, key->domain, key->selector, now_s);
            if (key->record == NULL)
                return false;
        }
    }
    return true;
}

/* Nothing in this line has ever signed here. */
static bool
is_all_new(const struct dkim_line *line)
{
    for (size_t i = 0; i < line->count; i++)
        if (line->keys[i]->record->facts.active_since_s != 0 ||
            line->keys[i]->record->facts.retired_since_s != 0)
            return false;
    return true;
}

static bool
is_of_algorithm(const struct dkim_line_key *key, const char *algorithm)
{
    struct mfx_dkim_private_key *private;
    return key->file != NULL &&
           dkim_key_file_get(key->file, &private, NULL) == MFX_OK &&
           mfx_str_is(mfx_str_of(algorithm),
                      mfx_dkim_algorithm_name(
                          mfx_dkim_private_key_algorithm(private)));
}

/* A key that signed here, was in DNS, and is named by no row any more: it is
 * what a new key of its domain and algorithm replaces. */
static bool
bring_back(struct dkim_lines *lines, struct dkim_record *r)
{
    if (r->facts.active_since_s == 0 || r->path == NULL ||
        r->facts.in_dns != DKIM_IN_DNS_ALL || r->algorithm[0] == '\0' ||
        dkim_lines_find(lines, r->domain, r->selector) != NULL)
        return true;
    struct dkim_line_key *key = dkim_lines_of_domain(lines, r->domain);
    for (; key != NULL; key = key->next_of_domain) {
        if (key->index != 0 || !is_all_new(key->line) ||
            !is_of_algorithm(key, r->algorithm))
            continue;
        if (!dkim_lines_insert(lines, key, r->selector, mfx_str_of(r->path)))
            return false;
        if (key->index > 0) /* it is still there */
            key->line->keys[0]->record = r;
        return true;
    }
    return true;
}

bool
dkim_watcher_prepare(struct dkim_watcher *w, struct dkim_lines *lines,
                     const struct dkim_watch_settings *settings)
{
    uint64_t now_s = wall_s();
    (void)pthread_mutex_lock(&w->mutex);
    bool ok = attach(w, lines, now_s);
    size_t known = dkim_book_count(w->book);
    if (settings->policy.require != DKIM_REQUIRE_NEVER)
        for (size_t i = 0; ok && i < known; i++)
            ok = bring_back(lines, dkim_book_at(w->book, i));
    for (size_t i = 0; ok && i < dkim_lines_count(lines); i++)
        dkim_watcher_judge(w, dkim_lines_at(lines, i), &settings->policy, now_s,
                           w->is_running ? DKIM_WATCH_LOOK_ON
                                         : DKIM_WATCH_QUIETLY);
    if (ok && !w->is_running) { /* what a command shows */
        dkim_lines_release(w->lines);
        w->lines = dkim_lines_hold(lines);
    }
    (void)pthread_mutex_unlock(&w->mutex);
    return ok;
}

/* --- in force --- */

static bool
take_settings(struct dkim_watcher *w,
              const struct dkim_watch_settings *settings)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str *servers =
        arena == NULL ? NULL
                      : mfx_arena_alloc_array(arena, settings->server_count,
                                              sizeof *servers);
    if (servers == NULL) {
        mfx_arena_free(arena);
        return false;
    }
    for (size_t i = 0; i < settings->server_count; i++)
        servers[i] = mfx_arena_copy(arena, settings->servers[i]);
    mfx_arena_free(w->arena);
    w->arena = arena;
    w->settings = *settings;
    w->settings.servers = servers;
    if (w->settings.queries_per_second == 0)
        w->settings.queries_per_second = 1;
    w->generation++;
    return mfx_arena_ok(arena);
}

static void
take_env(struct dkim_watcher *w, const struct dkim_watch_env *env)
{
    dkim_watch_hold_release(w->hold);
    w->hold = calloc(1, sizeof *w->hold);
    if (w->hold == NULL) {
        if (env->release != NULL)
            env->release(env->arg);
        return;
    }
    atomic_init(&w->hold->refs, 1);
    w->hold->env = *env;
}

static void
take_lines(struct dkim_watcher *w, struct dkim_lines *lines, uint64_t now_s)
{
    for (size_t i = 0; i < dkim_book_count(w->book); i++) {
        struct dkim_record *r = dkim_book_at(w->book, i);
        r->key = NULL;
        if (r->place != 0)
            dkim_queue_remove(r->is_urgent ? &w->urgent : &w->routine, r);
    }
    dkim_lines_hold(lines);
    dkim_lines_release(w->lines);
    w->lines = lines;
    for (size_t i = 0; i < dkim_lines_count(lines); i++) {
        struct dkim_line *line = dkim_lines_at(lines, i);
        for (size_t k = 0; k < line->count; k++) {
            struct dkim_line_key *key = line->keys[k];
            key->record->key = key;
            key->record->is_broken = false;
            dkim_record_text(&key->record->path, key->path);
        }
        dkim_watcher_judge(w, line, &w->settings.policy, now_s,
                           DKIM_WATCH_TELL);
        for (size_t k = 0; k < line->count; k++)
            dkim_watcher_plan(w, line->keys[k]->record, now_s, true);
    }
}

static void
open_book(struct dkim_watcher *w)
{
    dkim_book_begin(w->book, w->state_dir);
    const char *trouble = dkim_book_trouble(w->book);
    if (trouble[0] != '\0')
        mfx_log_say(MFX_LOG_WARNING, "ledger_missing", "why", trouble);
}

void
dkim_watcher_begin(struct dkim_watcher *w, struct dkim_lines *lines,
                   const struct dkim_watch_settings *settings,
                   const struct dkim_watch_env *env)
{
    (void)pthread_mutex_lock(&w->mutex);
    if (!w->is_running)
        open_book(w);
    take_env(w, env);
    if (take_settings(w, settings))
        take_lines(w, lines, wall_s());
    (void)pthread_cond_signal(&w->wake);
    (void)pthread_mutex_unlock(&w->mutex);
    if (!w->is_running && !dkim_watcher_start(w))
        mfx_log_say(MFX_LOG_ERROR, "keys_unwatched", "why",
                    "no thread could be started");
}

/* --- the view --- */

static uint64_t
next_look(const struct dkim_watcher *w, const struct dkim_record *r,
          uint64_t now_s)
{
    uint64_t now_ms = mfx_mono_ms();
    if (!w->is_running || r->place == 0)
        return 0;
    return now_s + (r->due_ms > now_ms ? (r->due_ms - now_ms) / 1000 : 0);
}

void
dkim_watcher_each(struct dkim_watcher *w,
                  bool (*visit)(const struct dkim_key_view *view, void *arg),
                  void *arg)
{
    struct mfx_arena *arena = mfx_arena_new(SCRATCH);
    uint64_t now_s = wall_s();
    bool goes_on = arena != NULL;
    (void)pthread_mutex_lock(&w->mutex);
    size_t count = w->lines == NULL ? 0 : dkim_lines_count(w->lines);
    for (size_t i = 0; goes_on && i < count; i++) {
        const struct dkim_line *line = dkim_lines_at(w->lines, i);
        for (size_t k = 0; goes_on && k < line->count; k++) {
            struct dkim_key_view view;
            dkim_watcher_view(line->keys[k], arena, &view);
            view.next_look_s = next_look(w, line->keys[k]->record, now_s);
            goes_on = visit(&view, arg);
            mfx_arena_reset(arena);
        }
    }
    (void)pthread_mutex_unlock(&w->mutex);
    mfx_arena_free(arena);
}

struct dkim_watcher_counts
dkim_watcher_counts(struct dkim_watcher *w)
{
    struct dkim_watcher_counts counts = {
        .looks = atomic_load(&w->looks),
        .failed_looks = atomic_load(&w->failed_looks),
        .questions = atomic_load(&w->questions),
    };
    uint64_t now_ms = mfx_mono_ms();
    (void)pthread_mutex_lock(&w->mutex);
    counts.has_ledger = dkim_book_trouble(w->book)[0] == '\0';
    for (size_t i = 0; i < dkim_book_count(w->book); i++) {
        const struct dkim_record *r = dkim_book_at(w->book, i);
        if (r->key == NULL)
            continue;
        counts.keys[r->verdict.state]++;
        counts.alarms += r->verdict.is_alarm;
        counts.overdue += r->place != 0 && r->due_ms < now_ms;
    }
    (void)pthread_mutex_unlock(&w->mutex);
    return counts;
}
