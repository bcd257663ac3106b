/* SPDX-License-Identifier: BSD-2-Clause
 *
 * watch: rules, store and who is nearest to a limit, again and again. A large
 * store is walked over several rounds; what the last whole walk has found is
 * shown meanwhile.
 */
#include <time.h>

#include <mfx/conf/option.h>

#include "screen.h"
#include "top.h"
#include "verbs.h"

enum {
    TEXT_MAX = 4 * 1024 * 1024,
    EVERY_MS = 2000,
    COUNT_MAX = 1000,
};

struct watch {
    struct ask ask;
    struct screen screen;
    struct top top;
    const char *rule;
    uint64_t every_ms, times, count;
    json_t *keys; /* of the last whole walk; NULL: none yet */
    uint64_t scanned;
    struct mfx_buf text;
};

/* --- one picture --- */

static uint64_t
number_of(const json_t *o, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(o, name));
    return n > 0 ? (uint64_t)n : 0;
}

static const char *
text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text == NULL ? "" : text;
}

static void
put_head(struct watch *w, const json_t *answer)
{
    const json_t *store = json_object_get(answer, "store");
    const json_t *merge = json_object_get(answer, "merge");
    char at[32];
    time_t now = time(NULL);
    struct tm tm;
    if (localtime_r(&now, &tm) == NULL ||
        strftime(at, sizeof at, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        at[0] = '\0';
    mfx_buf_printf(&w->text, "mfx-quota  %s  store %s %s", at,
                   text_of(store, "type"),
                   json_is_true(json_object_get(store, "up")) ? "up" : "DOWN");
    if (w->ask.loaded != NULL)
        mfx_buf_add_text(&w->text, "  (no daemon runs)");
    if (number_of(merge, "waiting") > 0)
        mfx_buf_printf(&w->text, "  %llu messages wait for it",
                       (unsigned long long)number_of(merge, "waiting"));
    mfx_buf_add_byte(&w->text, '\n');
    if (!json_is_true(json_object_get(store, "up")))
        mfx_buf_printf(&w->text, "store: %s\n", text_of(store, "error"));
}

static void
put_rules(struct watch *w, const json_t *answer)
{
    size_t i;
    json_t *rule, *warning;
    json_array_foreach(json_object_get(answer, "warnings"), i, warning)
    {
        mfx_buf_printf(&w->text, "warning: %s\n", json_string_value(warning));
    }
    mfx_buf_printf(&w->text, "\n%-16s %-20s %10s %10s %10s  %s\n", "RULE",
                   "COUNT", "FITTED", "REFUSED", "WARNED", "LIMITS");
    json_array_foreach(json_object_get(answer, "rules"), i, rule)
    {
        const json_t *counts = json_object_get(rule, "counts");
        bool is_dry = strcmp(text_of(rule, "mode"), "dry-run") == 0;
        mfx_buf_printf(&w->text, "%-16s %-20s %10llu %10llu %10llu  %s%s\n",
                       text_of(rule, "rule"), text_of(rule, "count"),
                       (unsigned long long)number_of(counts, "fits"),
                       (unsigned long long)number_of(
                           counts, is_dry ? "would_refuse" : "refused"),
                       (unsigned long long)number_of(counts, "warned"),
                       json_object_get(rule, "limits") != NULL
                           ? text_of(rule, "limits")
                           : "(table)",
                       is_dry ? " (dry-run)" : "");
    }
    mfx_buf_add_byte(&w->text, '\n');
}

static void
put_top(struct watch *w)
{
    json_t *answer = json_object();
    (void)json_object_set(answer, "keys", w->keys);
    quota_operator_text(mfx_str_of("top"), answer, &w->text);
    if (!w->top.is_complete && w->top.scanned > 0)
        mfx_buf_printf(&w->text, "(%llu counters seen, more to come)\n",
                       (unsigned long long)w->top.scanned);
    json_decref(answer);
}

/* --- asking --- */

/* Goes on with the walk for a part of the interval: a store has better things
 * to do. */
static int
walk(struct watch *w)
{
    uint64_t until_ms = mfx_mono_ms() + w->every_ms / 8;
    int status = EXIT_OK;
    do
        status = top_page(&w->top);
    while (status == EXIT_OK && !w->top.is_complete &&
           mfx_mono_ms() < until_ms);
    if (status != EXIT_OK || (!w->top.is_complete && w->keys != NULL))
        return status;
    json_decref(w->keys);
    if (w->top.is_complete)
        w->keys = top_take(&w->top);
    else
        w->keys = quota_operator_best_copy(w->top.best);
    return EXIT_OK;
}

static int
ask_all(struct watch *w)
{
    json_t *store = NULL, *rules = NULL;
    const struct mfx_str rule = mfx_buf_str(&w->top.rule);
    mfx_buf_clear(&w->text);
    int status = ask_question(&w->ask, "store", &store);
    if (status == EXIT_OK)
        status = ask_question_more(&w->ask, "rules", &rule,
                                   rule.len > 0 ? 1 : 0, &rules);
    if (status == EXIT_OK)
        status = walk(w);
    if (status == EXIT_OK) {
        put_head(w, store);
        put_rules(w, rules);
        put_top(w);
    }
    json_decref(store);
    json_decref(rules);
    return status;
}

/* What goes wrong at first ends it; later it is shown until it is over: a
 * daemon that is restarted comes back. */
static int
look(struct watch *w)
{
    uint64_t next_ms = mfx_mono_ms();
    for (uint64_t n = 1;; n++) {
        int status = ask_all(w);
        if (status != EXIT_OK && (n == 1 || status == EXIT_USAGE))
            return ask_fail(&w->ask, status);
        if (status != EXIT_OK)
            mfx_buf_printf(&w->text, "mfx-quota: %s\n", w->ask.err.msg);
        if (!screen_draw(&w->screen, mfx_buf_str(&w->text)) || n == w->times)
            return status;
        next_ms += w->every_ms;
        if (next_ms < mfx_mono_ms())
            next_ms = mfx_mono_ms() + w->every_ms / 2;
        if (screen_wait(&w->screen, next_ms) == SCREEN_QUIT)
            return EXIT_OK;
    }
}

static int
watch(struct watch *w)
{
    int status = EXIT_SYSTEM;
    mfx_buf_init(&w->text, TEXT_MAX);
    if (top_init(&w->top, &w->ask, w->rule, (size_t)w->count) &&
        screen_open(&w->screen))
        status = look(w);
    screen_close(&w->screen);
    top_fini(&w->top);
    json_decref(w->keys);
    mfx_buf_fini(&w->text);
    return status;
}

/* --- the command line --- */

struct words {
    const char *every, *count, *times;
};

static int
read_words(struct watch *w, const struct words *words)
{
    uint64_t every_s = 0;
    w->every_ms = EVERY_MS;
    w->count = 50;
    if (words->every != NULL) {
        if (mfx_option_parse_seconds(mfx_str_of(words->every), &every_s) !=
                MFX_OK ||
            every_s == 0 || every_s > 86400)
            return verb_wrong(w->ask.run, "--every %s: a time is like 2s or 1m",
                              words->every);
        w->every_ms = every_s * 1000;
    }
    if (words->count != NULL &&
        (mfx_str_to_u64(mfx_str_of(words->count), COUNT_MAX, &w->count) !=
             MFX_OK ||
         w->count == 0))
        return verb_wrong(w->ask.run, "--count %s: between 1 and %d",
                          words->count, COUNT_MAX);
    if (words->times != NULL && mfx_str_to_u64(mfx_str_of(words->times),
                                               UINT32_MAX, &w->times) != MFX_OK)
        return verb_wrong(w->ask.run, "--times %s: not a number", words->times);
    if (w->ask.run->as_json)
        return verb_wrong(w->ask.run, "top and rules have --json");
    return EXIT_OK;
}

int
verb_watch(struct verb_run *run, int argc, char **argv)
{
    struct watch w = {.rule = NULL};
    struct words words = {0};
    int first, status = EXIT_USAGE;
    if (!ask_init(&w.ask, run))
        return EXIT_SYSTEM;
    const struct verb_option options[] = {
        {"config", 'c', &w.ask.config, NULL},
        {"socket", 's', &w.ask.socket, NULL},
        {"rule",   'r', &w.rule,       NULL},
        {"every",  'e', &words.every,  NULL},
        {"count",  'n', &words.count,  NULL},
        {"times",  0,   &words.times,  NULL},
        {NULL,     0,   NULL,          NULL},
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse == VERB_GO)
        status = first != argc ? verb_wrong(run,
                                            "%s: one rule is named by "
                                            "--rule",
                                            argv[first])
                               : read_words(&w, &words);
    if (parse == VERB_GO && status == EXIT_OK)
        status = watch(&w);
    ask_fini(&w.ask);
    return parse == VERB_DONE ? EXIT_OK : status;
}
