/* SPDX-License-Identifier: BSD-2-Clause
 *
 * learn - teaching rspamd and SpamAssassin what is spam and what is not
 *
 * Messages go to all engines at once, several messages at a time; results are
 * told in the order of the messages.
 */
#include <inttypes.h>

#include "../engines.h"
#include "../fields.h"
#include "messages.h"
#include "verbs.h"

enum {
    PARALLEL = 4,
    PARALLEL_MAX = 100,
    PROBLEMS_MAX = 100,
    GRACE_MS = 1000, /* engines keep their time themselves */
};

/* What came of it at one engine. */
struct pupil {
    const struct score_engine *engine;
    uint64_t time_ms;
    uint64_t learned, known, failed;
};

/* A message that is being learned. */
struct lesson {
    struct mfx_arena *arena;
    struct message message;
    struct mfx_scan **scans; /* one for each pupil */
};

struct work {
    const struct verb_run *run;
    const char *config, *engine, *user, *parallel_text;
    bool keeps_going;
    struct verb_values names;
    enum mfx_scan_purpose purpose;
    struct mfx_offline *loaded;
    const struct score_settings *settings;
    struct score_engines *engines;
    struct score_shared *shared;
    struct pupil *pupils;
    size_t pupil_count;
    struct lesson *lessons;
    size_t parallel, begun, done; /* lessons, the ring's both ends */
    struct messages in;
    uint64_t messages, unread;
    bool is_over; /* no more are begun */
    int status;   /* the gravest */
    json_t *problems;
    uint64_t problem_count;
};

/* --- the configuration: engines and nothing else --- */

static enum mfx_rc
policy_new(const struct mfx_policy_build *build, void **policy)
{
    struct score_engines *engines = NULL;
    enum mfx_rc rc = score_engines_new(build->settings, build, &engines);
    if (rc == MFX_OK)
        *policy = engines;
    return rc;
}

static void
policy_free(void *policy)
{
    score_engines_free(policy);
}

static int
load(struct work *w)
{
    static const struct mfx_filter filter = {
        .name = "mfx-score",
        .options = score_options,
        .settings_size = sizeof(struct score_settings),
        .policy_new = policy_new,
        .policy_free = policy_free,
    };
    struct mfx_err err = {""};
    int status = verb_load_filter(w->run, &filter, w->config, &w->loaded);
    if (status != EXIT_OK)
        return status;
    w->settings = w->loaded->settings;
    w->engines = (struct score_engines *)(uintptr_t)w->loaded->policy;
    w->shared = score_shared_new(NULL);
    if (w->shared == NULL)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    if (score_engines_begin_learning(w->engines, w->shared, &err) != MFX_OK)
        return verb_fail(w->run, EXIT_CONFIG, "%s", err.msg);
    return EXIT_OK;
}

/* --- who is to learn --- */

static bool
can_learn(const struct work *w, const struct score_engine *e)
{
    switch (e->type) {
    case SCORE_ENGINE_RSPAMD:
        return w->purpose != MFX_SCAN_FORGET;
    case SCORE_ENGINE_SPAMD:
        return true;
    case SCORE_ENGINE_CLAMD:
        return false;
    }
    return false;
}

static void
add_pupil(struct work *w, const struct score_engine *e)
{
    uint64_t all = w->settings->scan_timeout_ms, own = e->settings->timeout_ms;
    for (size_t i = 0; i < w->pupil_count; i++)
        if (w->pupils[i].engine == e)
            return;
    w->pupils[w->pupil_count++] = (struct pupil){
        .engine = e,
        .time_ms = own > 0 && own < all ? own : all,
    };
}

static int
add_named(struct work *w, const char *name)
{
    for (size_t i = 0; i < w->engines->count; i++) {
        const struct score_engine *e = &w->engines->items[i];
        if (!mfx_str_is_nocase(e->name, name))
            continue;
        if (e->type == SCORE_ENGINE_CLAMD)
            return verb_wrong(w->run, "--engine %s: clamd does not learn",
                              name);
        if (!can_learn(w, e))
            return verb_wrong(w->run,
                              "--engine %s: rspamd cannot forget; teach it "
                              "the opposite",
                              name);
        add_pupil(w, e);
        return EXIT_OK;
    }
    return verb_wrong(w->run, "--engine %s: no such engine, or it is off",
                      name);
}

static int
find_pupils(struct work *w)
{
    int status = EXIT_OK;
    w->pupils = mfx_arena_alloc_array(w->run->arena, w->engines->count + 1,
                                      sizeof *w->pupils);
    if (w->pupils == NULL)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    for (size_t i = 0; i < w->names.count && status == EXIT_OK; i++)
        status = add_named(w, w->names.items[i]);
    for (size_t i = 0; i < w->engines->count && w->names.count == 0; i++)
        if (can_learn(w, &w->engines->items[i]))
            add_pupil(w, &w->engines->items[i]);
    if (status == EXIT_OK && w->pupil_count == 0)
        return verb_fail(w->run, EXIT_CONFIG, "no engine is configured that %s",
                         w->purpose == MFX_SCAN_FORGET ? "can forget"
                                                       : "learns");
    return status;
}

/* --- what is not to be learned --- */

static bool
is_ours(const void *arg, struct mfx_str name)
{
    const struct score_settings *s = arg;
    const struct score_header_settings *h = &s->headers;
    const struct mfx_str own[] = {
        h->flag,        h->score,       h->level,         h->status,
        h->symbols,     h->action,      h->virus_scanned, h->virus_status,
        h->original_to, s->seal.header,
    };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (own[i].len > 0 && mfx_str_eq_nocase(own[i], name))
            return true;
    for (size_t i = 0; i < h->remove.count; i++)
        if (score_fields_matches(h->remove.items[i], name))
            return true;
    return false;
}

/* --- telling --- */

/* Status 75 is graver than 1 is graver than 66: what may come right by itself
 * first. */
static void
raise_status(struct work *w, int status)
{
    static const int order[] = {EXIT_OK, EXIT_NOINPUT, EXIT_NO, EXIT_AGAIN};
    size_t now = 0, new = 0;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        now = order[i] == w->status ? i : now;
        new = order[i] == status ? i : new;
    }
    if (new > now)
        w->status = status;
    if (!w->keeps_going)
        w->is_over = true;
}

static void
say_problem(struct work *w, const struct pupil *pupil,
            const struct message *message, const char *end, struct mfx_str why)
{
    const struct verb_run *run = w->run;
    struct mfx_str engine =
        pupil == NULL ? mfx_str("", 0) : pupil->engine->name;
    if (++w->problem_count > PROBLEMS_MAX)
        return;
    if (!run->as_json) {
        (void)fprintf(stderr, "mfxctl score learn: %s%s%s",
                      verb_text(run, message->name), pupil == NULL ? "" : ": ",
                      verb_text(run, engine));
        (void)fprintf(stderr, ": %s%s%s\n", end,
                      end[0] != '\0' && why.len > 0 ? ": " : "",
                      verb_text(run, why));
        return;
    }
    json_t *o = json_object();
    (void)json_object_set_new(o, "message", verb_json(message->name));
    if (pupil != NULL) {
        (void)json_object_set_new(o, "engine", verb_json(engine));
        (void)json_object_set_new(o, "end", json_string(end));
    }
    (void)json_object_set_new(o, "why", verb_json(why));
    (void)json_array_append_new(w->problems, o);
}

/* One that is away may be back when the caller tries again. */
static int
status_for(enum mfx_scan_end end)
{
    switch (end) {
    case MFX_SCAN_ANSWERED:
        return EXIT_OK;
    case MFX_SCAN_REFUSED:
    case MFX_SCAN_TOO_LARGE:
        return EXIT_NO;
    case MFX_SCAN_TIMEOUT:
    case MFX_SCAN_UNREACHED:
    case MFX_SCAN_BROKEN:
    case MFX_SCAN_NOT_ASKED:
    case MFX_SCAN_UNSTORED:
    case MFX_SCAN_CANCELLED:
    case MFX_SCAN_END_COUNT:
        return EXIT_AGAIN;
    }
    return EXIT_AGAIN;
}

static void
take_result(struct work *w, struct pupil *pupil, const struct message *message,
            const struct mfx_scan_result *r)
{
    if (r->end == MFX_SCAN_ANSWERED) {
        pupil->learned += r->is_learned;
        pupil->known += !r->is_learned;
        return;
    }
    pupil->failed++;
    say_problem(w, pupil, message, mfx_scan_end_name(r->end), r->words);
    raise_status(w, status_for(r->end));
}

/* --- lessons --- */

static void
begin_scans(struct work *w, struct lesson *l)
{
    static const struct mfx_scan_envelope envelope = {
        .sender = {"", 0},
    };
    for (size_t i = 0; i < w->pupil_count; i++) {
        const struct mfx_scan_request request = {
            .purpose = w->purpose,
            .envelope = &envelope,
            .body = l->message.body,
            .time_ms = w->pupils[i].time_ms,
            .user = w->user != NULL ? mfx_str_of(w->user)
                                    : w->pupils[i].engine->settings->user,
        };
        l->scans[i] =
            mfx_scan_begin(l->arena, w->pupils[i].engine->engine, &request);
    }
}

/* False: there is no more. */
static bool
begin_lesson(struct work *w)
{
    struct lesson *l = &w->lessons[w->begun % w->parallel];
    if (!messages_next(&w->in, l->arena, &l->message))
        return false;
    w->begun++;
    if (l->message.body != NULL)
        begin_scans(w, l);
    return true;
}

static void
end_lesson(struct work *w)
{
    struct lesson *l = &w->lessons[w->done++ % w->parallel];
    struct mfx_event *event;
    w->messages++;
    if (l->message.body == NULL) {
        w->unread++;
        say_problem(w, NULL, &l->message, "", mfx_str_of(l->message.err.msg));
        raise_status(w, l->message.is_unstored ? EXIT_AGAIN : EXIT_NOINPUT);
    }
    for (size_t i = 0; i < w->pupil_count && l->message.body != NULL; i++) {
        static const struct mfx_scan_result none = {
            .end = MFX_SCAN_NOT_ASKED, .words = MFX_STR("out of memory")};
        struct mfx_scan *scan = l->scans[i];
        while (scan != NULL && (event = mfx_scan_pending(scan)) != NULL &&
               mfx_event_wait(event, mfx_scan_deadline_ms(scan) + GRACE_MS))
            continue;
        take_result(w, &w->pupils[i], &l->message,
                    scan == NULL ? &none : mfx_scan_finish(scan));
    }
    mfx_scan_body_free(l->message.body);
    mfx_arena_reset(l->arena);
}

static int
make_lessons(struct work *w)
{
    struct mfx_arena *arena = w->run->arena;
    w->lessons = mfx_arena_alloc_array(arena, w->parallel, sizeof *w->lessons);
    for (size_t i = 0; w->lessons != NULL && i < w->parallel; i++) {
        struct lesson *l = &w->lessons[i];
        l->arena = mfx_arena_new(0);
        l->scans = mfx_arena_alloc_array(arena, w->pupil_count, sizeof(void *));
        if (l->arena == NULL || l->scans == NULL)
            return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    }
    return w->lessons != NULL ? EXIT_OK
                              : verb_fail(w->run, EXIT_SYSTEM, "out of memory");
}

/* What has begun when the first failure is seen is ended. */
static void
teach_all(struct work *w)
{
    while (!w->is_over || w->done < w->begun) {
        while (!w->is_over && w->begun - w->done < w->parallel)
            if (!begin_lesson(w))
                w->is_over = true;
        if (w->done < w->begun)
            end_lesson(w);
    }
}

/* --- what is said at the end --- */

static void
print_text(const struct work *w)
{
    static const char *const learned[] = {
        [MFX_SCAN_CHECK] = "",
        [MFX_SCAN_LEARN_SPAM] = "learned as spam",
        [MFX_SCAN_LEARN_HAM] = "learned as ham",
        [MFX_SCAN_FORGET] = "forgotten",
    };
    static const char *const known[] = {
        [MFX_SCAN_CHECK] = "",
        [MFX_SCAN_LEARN_SPAM] = "known already",
        [MFX_SCAN_LEARN_HAM] = "known already",
        [MFX_SCAN_FORGET] = "not known",
    };
    if (w->problem_count > PROBLEMS_MAX)
        (void)fprintf(stderr, "mfxctl score learn: %" PRIu64 " more\n",
                      w->problem_count - PROBLEMS_MAX);
    for (size_t i = 0; i < w->pupil_count; i++) {
        const struct pupil *p = &w->pupils[i];
        (void)printf("%s: %" PRIu64 " %s, %" PRIu64 " %s, %" PRIu64 " failed\n",
                     verb_text(w->run, p->engine->name), p->learned,
                     learned[w->purpose], p->known, known[w->purpose],
                     p->failed);
    }
    if (w->unread > 0)
        (void)printf("%" PRIu64 " could not be read\n", w->unread);
}

static void
print_json(struct work *w)
{
    json_t *o = json_object(), *engines = json_array();
    (void)json_object_set_new(o, "messages",
                              json_integer((json_int_t)w->messages));
    (void)json_object_set_new(o, "unread", json_integer((json_int_t)w->unread));
    for (size_t i = 0; i < w->pupil_count; i++) {
        const struct pupil *p = &w->pupils[i];
        json_t *e = json_object();
        (void)json_object_set_new(e, "engine", verb_json(p->engine->name));
        (void)json_object_set_new(
            e, "type", json_string(score_engine_type_name(p->engine->type)));
        (void)json_object_set_new(e, "learned",
                                  json_integer((json_int_t)p->learned));
        (void)json_object_set_new(e, "known",
                                  json_integer((json_int_t)p->known));
        (void)json_object_set_new(e, "failed",
                                  json_integer((json_int_t)p->failed));
        (void)json_array_append_new(engines, e);
    }
    (void)json_object_set_new(o, "engines", engines);
    (void)json_object_set(o, "problems", w->problems);
    verb_print_json(o);
}

/* --- the command --- */

static int
teach(struct work *w, char *const *paths, size_t count)
{
    int status = make_lessons(w);
    messages_init(&w->in, paths, count);
    w->in.drops = is_ours;
    w->in.drops_arg = w->settings;
    w->in.memory_limit = w->settings->memory_limit;
    w->in.temp_folder = w->settings->temp_folder;
    w->problems = json_array();
    if (status == EXIT_OK) {
        teach_all(w);
        if (w->run->as_json)
            print_json(w);
        else
            print_text(w);
        status = w->status;
    }
    messages_fini(&w->in);
    json_decref(w->problems);
    for (size_t i = 0; w->lessons != NULL && i < w->parallel; i++)
        mfx_arena_free(w->lessons[i].arena);
    return status;
}

static int
take_words(struct work *w, int argc, char **argv, int *first)
{
    static const struct {
        const char *word;
        enum mfx_scan_purpose purpose;
    } words[] = {
        {"spam",   MFX_SCAN_LEARN_SPAM},
        {"ham",    MFX_SCAN_LEARN_HAM },
        {"forget", MFX_SCAN_FORGET    },
    };
    uint64_t parallel = PARALLEL;
    const char *word = *first < argc ? argv[(*first)++] : "";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i].word) == 0)
            w->purpose = words[i].purpose;
    if (w->purpose == MFX_SCAN_CHECK)
        return verb_wrong(w->run, "spam, ham or forget, then FILE, FOLDER or "
                                  "\"-\"");
    if (*first == argc)
        return verb_wrong(w->run, "a FILE, a FOLDER or \"-\" for stdin");
    if (w->parallel_text != NULL &&
        (mfx_str_to_u64(mfx_str_of(w->parallel_text), PARALLEL_MAX,
                        &parallel) != MFX_OK ||
         parallel == 0))
        return verb_wrong(w->run, "--parallel %s: a number from 1 to 100",
                          w->parallel_text);
    w->parallel = (size_t)parallel;
    return EXIT_OK;
}

int
verb_learn(struct verb_run *run, int argc, char **argv)
{
    struct work w = {.run = run};
    int first;
    const struct verb_option options[] = {
        {"config",     'c', &w.config,        NULL          },
        {"engine",     'e', &w.engine,        NULL          },
        {"user",       'u', &w.user,          NULL          },
        {"parallel",   'n', &w.parallel_text, NULL          },
        {"keep-going", 'k', NULL,             &w.keeps_going},
        {NULL,         0,   NULL,             NULL          },
    };
    struct verb_values lists[] = {{.value = &w.engine}, {0}};
    enum verb_parse parse =
        verb_options_lists(run, options, lists, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    w.names = lists[0];
    int status = take_words(&w, argc, argv, &first);
    if (status == EXIT_OK)
        status = load(&w);
    if (status == EXIT_OK)
        status = find_pupils(&w);
    if (status == EXIT_OK)
        status = teach(&w, argv + first, (size_t)(argc - first));
    if (w.loaded != NULL)
        mfx_offline_free(w.loaded);
    score_shared_release(w.shared);
    return status;
}
