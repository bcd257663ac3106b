/* SPDX-License-Identifier: BSD-2-Clause
 *
 * engines, symbols - how the engines are, and what their symbols are worth
 *
 * The running daemon is asked; with --test the servers of its configuration are
 * greeted here and now.
 */
#include <time.h>

#include "../../../tools/mfxctl/verb_ask.h"
#include "../message.h"
#include "../report.h"
#include "verbs.h"

enum {
    TEST_MS = 10000,
    TEST_STEP_MS = 20,
    SECONDS_MAX = 600,
};

struct work {
    const struct verb_run *run;
    const char *config, *socket, *timeout;
    bool wants_test;
    uint64_t test_ms;
    const char *const *names;
    size_t name_count;
    struct mfx_offline *loaded;
};

/* --- by the daemon --- */

/* As it prints it; as JSON anew. */
static int
show_answer(const struct work *w, struct mfx_str body)
{
    if (!w->run->as_json) {
        (void)fwrite(body.p, 1, body.len, stdout);
        return EXIT_OK;
    }
    json_t *list = json_loadb(body.p, body.len, 0, NULL);
    if (!json_is_array(list)) {
        json_decref(list);
        return verb_fail(w->run, EXIT_TEMP, "the answer is not mfx-score's");
    }
    verb_print_json(list);
    return EXIT_OK;
}

static bool
are_up(struct mfx_str body)
{
    bool is_good = true;
    size_t i, k;
    json_t *engine, *server;
    json_t *list = json_loadb(body.p, body.len, 0, NULL);
    json_array_foreach(list, i, engine)
    {
        const json_t *servers = json_object_get(engine, "servers");
        is_good = is_good && json_array_size(servers) > 0;
        json_array_foreach(servers, k, server)
        {
            const char *health =
                json_string_value(json_object_get(server, "health"));
            is_good = is_good && health != NULL && strcmp(health, "up") == 0;
        }
    }
    json_decref(list);
    return is_good;
}

static int
ask_daemon(const struct work *w)
{
    struct verb_question question = {
        .daemon = "score",
        .socket = w->socket,
        .verb = "engines",
        .words = w->names,
        .word_count = w->name_count,
        .as_json = true,
    };
    struct mfx_str body;
    int status = verb_ask(w->run, &question, &body);
    if (status != EXIT_OK)
        return status;
    bool is_good = are_up(body);
    question.as_json = w->run->as_json;
    if (!w->run->as_json)
        status = verb_ask(w->run, &question, &body);
    if (status == EXIT_OK)
        status = show_answer(w, body);
    return status == EXIT_OK && !is_good ? EXIT_NO : status;
}

/* --- here and now --- */

static bool
is_wanted(const struct work *w, const struct score_engine *e)
{
    for (size_t i = 0; i < w->name_count; i++)
        if (mfx_str_is_nocase(e->name, w->names[i]))
            return true;
    return w->name_count == 0;
}

static int
check_names(const struct work *w, const struct score_engines *engines)
{
    for (size_t k = 0; k < w->name_count; k++) {
        size_t i = 0;
        while (i < engines->count &&
               !mfx_str_is_nocase(engines->items[i].name, w->names[k]))
            i++;
        if (i == engines->count)
            return verb_wrong(w->run, "%s: no such engine, or it is off",
                              w->names[k]);
    }
    return EXIT_OK;
}

/* All are greeted at once, whatever their settings say. */
static int
begin(struct work *w, const struct score_policy *p)
{
    struct mfx_err err = {""};
    for (size_t i = 0; i < p->engines->count; i++) {
        struct score_engine_settings *own =
            mfx_arena_alloc(w->run->arena, sizeof *own);
        if (own == NULL)
            return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
        *own = *p->engines->items[i].settings;
        own->check_interval_ms = w->test_ms;
        p->engines->items[i].settings = own;
    }
    if (score_engines_begin(p->engines, p->shared, &err) != MFX_OK)
        return verb_fail(w->run, EXIT_SYSTEM, "%s", err.msg);
    return EXIT_OK;
}

static bool
has_answered(const struct mfx_scan_server_report *s)
{
    return s->version[0] != '\0' || s->trouble[0] != '\0';
}

static bool
have_answered(const struct work *w, const struct score_engines *engines,
              const struct score_report *reports)
{
    for (size_t i = 0; i < engines->count; i++)
        for (size_t k = 0; k < reports[i].server_count; k++)
            if (is_wanted(w, &engines->items[i]) &&
                !has_answered(&reports[i].servers[k]))
                return false;
    return true;
}

static json_t *
server_json(const struct mfx_scan_server_report *s)
{
    json_t *o = json_object();
    bool is_alive = s->version[0] != '\0' && s->trouble[0] == '\0';
    (void)json_object_set_new(o, "server", verb_json(mfx_str_of(s->server)));
    (void)json_object_set_new(o, "alive", json_boolean(is_alive));
    (void)json_object_set_new(o, "version", verb_json(mfx_str_of(s->version)));
    (void)json_object_set_new(
        o, "trouble",
        verb_json(mfx_str_of(has_answered(s) ? s->trouble : "no answer")));
    return o;
}

static int
show_engine(const struct work *w, const struct score_report *r, json_t *list)
{
    const struct verb_run *run = w->run;
    json_t *o = json_object(), *servers = json_array();
    int status = r->server_count > 0 ? EXIT_OK : EXIT_NO;
    (void)json_object_set_new(o, "engine", verb_json(r->engine->name));
    (void)json_object_set_new(
        o, "type", json_string(score_engine_type_name(r->engine->type)));
    (void)json_object_set_new(o, "servers", servers);
    if (!run->as_json)
        (void)printf("%s (%s)\n", verb_text(run, r->engine->name),
                     score_engine_type_name(r->engine->type));
    for (size_t i = 0; i < r->server_count; i++) {
        const struct mfx_scan_server_report *s = &r->servers[i];
        const char *trouble = has_answered(s) ? s->trouble : "no answer";
        if (trouble[0] != '\0')
            status = EXIT_NO;
        if (!run->as_json)
            (void)printf("  %-28s %s\n", s->server,
                         trouble[0] != '\0' ? trouble : s->version);
        (void)json_array_append_new(servers, server_json(s));
    }
    (void)json_array_append_new(list, o);
    return status;
}

static int
show_test(const struct work *w, const struct score_engines *engines,
          const struct score_report *reports)
{
    json_t *list = json_array();
    int status = EXIT_OK;
    for (size_t i = 0; i < engines->count; i++)
        if (is_wanted(w, &engines->items[i]) &&
            show_engine(w, &reports[i], list) != EXIT_OK)
            status = EXIT_NO;
    if (w->run->as_json)
        verb_print_json(list);
    else
        json_decref(list);
    return status;
}

static int
wait_and_show(const struct work *w, const struct score_engines *engines)
{
    const struct timespec step = {.tv_nsec = TEST_STEP_MS * 1000000L};
    uint64_t until_ms = mfx_mono_ms() + w->test_ms;
    struct mfx_arena *arena = mfx_arena_new(0);
    const struct score_report *reports = NULL;
    while (arena != NULL) {
        mfx_arena_reset(arena);
        reports = score_report_new(engines, arena);
        if (reports == NULL || have_answered(w, engines, reports) ||
            mfx_mono_ms() >= until_ms)
            break;
        (void)nanosleep(&step, NULL);
    }
    int status = reports == NULL
                     ? verb_fail(w->run, EXIT_SYSTEM, "out of memory")
                     : show_test(w, engines, reports);
    mfx_arena_free(arena);
    return status;
}

static int
test_here(struct work *w)
{
    int status = verb_load_filter(w->run, &score_filter, w->config, &w->loaded);
    if (status != EXIT_OK)
        return status;
    const struct score_policy *p = w->loaded->policy;
    if (p->engines->count == 0)
        return verb_fail(w->run, EXIT_CONFIG, "no engine is configured");
    status = check_names(w, p->engines);
    if (status == EXIT_OK)
        status = begin(w, p);
    if (status == EXIT_OK)
        status = wait_and_show(w, p->engines);
    return status;
}

/* --- the commands --- */

static int
run_engines(struct work *w)
{
    uint64_t seconds = TEST_MS / 1000;
    if (!w->wants_test && (w->config != NULL || w->timeout != NULL))
        return verb_wrong(w->run, "--config and --timeout go with --test");
    if (w->wants_test && w->socket != NULL)
        return verb_wrong(w->run, "--socket does not go with --test");
    if (w->timeout != NULL &&
        (mfx_str_to_u64(mfx_str_of(w->timeout), SECONDS_MAX, &seconds) !=
             MFX_OK ||
         seconds == 0))
        return verb_wrong(w->run, "--timeout %s: seconds from 1 to 600",
                          w->timeout);
    w->test_ms = seconds * 1000;
    return w->wants_test ? test_here(w) : ask_daemon(w);
}

int
verb_engines(struct verb_run *run, int argc, char **argv)
{
    struct work w = {.run = run};
    int first;
    const struct verb_option options[] = {
        {"config",  'c', &w.config,  NULL         },
        {"socket",  's', &w.socket,  NULL         },
        {"timeout", 't', &w.timeout, NULL         },
        {"test",    0,   NULL,       &w.wants_test},
        {NULL,      0,   NULL,       NULL         },
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    w.names = (const char *const *)argv + first;
    w.name_count = (size_t)(argc - first);
    int status = run_engines(&w);
    if (w.loaded != NULL)
        mfx_offline_free(w.loaded);
    return status;
}

int
verb_symbols(struct verb_run *run, int argc, char **argv)
{
    struct work w = {.run = run};
    const char *top = NULL, *engine = NULL, *words[4];
    struct verb_question question = {
        .daemon = "score", .verb = "symbols", .words = words};
    struct mfx_str body;
    uint64_t number;
    int first;
    const struct verb_option options[] = {
        {"engine", 'e', &engine,   NULL},
        {"socket", 's', &w.socket, NULL},
        {"top",    'n', &top,      NULL},
        {NULL,     0,   NULL,      NULL},
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (first != argc)
        return verb_wrong(run, "%s: not expected here", argv[first]);
    if (top != NULL &&
        mfx_str_to_u64(mfx_str_of(top), UINT32_MAX, &number) != MFX_OK)
        return verb_wrong(run, "--top %s: a number; 0 for all", top);
    if (top != NULL) {
        words[question.word_count++] = "--top";
        words[question.word_count++] = top;
    }
    if (engine != NULL) {
        words[question.word_count++] = "--engine";
        words[question.word_count++] = engine;
    }
    question.socket = w.socket;
    question.as_json = run->as_json;
    int status = verb_ask(run, &question, &body);
    return status == EXIT_OK ? show_answer(&w, body) : status;
}
