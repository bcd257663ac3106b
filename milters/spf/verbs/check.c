/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check - what SPF says of a client, and every lookup on the way
 */
#include <mfx/auth/spf.h>

#include "verbs.h"

enum {
    RUNS_MAX = 4, /* two identities by two engines */
};

struct one {
    struct mfx_spf_config config;
    const struct mfx_spf_outcome *outcome;
    uint64_t took_ms;
};

struct work {
    const struct verb_run *run;
    const char *ip, *helo, *from, *receiver, *dns, *zone, *engine, *identity;
    const char *timeout;
    bool wants_trace;
    struct mfx_spf_request request;
    struct mfx_spf_config config;
    struct verb_env env;
    bool wants_identity[2], wants_engine[2];
    struct one runs[RUNS_MAX];
    size_t count;
};

/* --- what is asked --- */

static int
take_engine(struct work *w)
{
    static const enum mfx_spf_engine engines[] = {MFX_SPF_ENGINE_MFX,
                                                  MFX_SPF_ENGINE_LIBSPF2};
    struct mfx_str word = mfx_str_of(w->engine == NULL ? "mfx" : w->engine);
    bool is_both = mfx_str_is(word, "both"), is_known = is_both;
    for (size_t i = 0; i < 2; i++) {
        enum mfx_spf_engine engine = engines[i];
        w->wants_engine[engine] =
            is_both || mfx_str_is(word, mfx_spf_engine_name(engine));
        is_known = is_known || w->wants_engine[engine];
        if (w->wants_engine[engine] && !mfx_spf_engine_is_built(engine))
            return verb_fail(w->run, EXIT_CONFIG, "mfx is built without %s",
                             mfx_spf_engine_name(engine));
    }
    return is_known ? EXIT_OK
                    : verb_wrong(w->run, "--engine %s: mfx, libspf2 or both",
                                 w->engine);
}

static int
take_identity(struct work *w)
{
    struct mfx_str word = mfx_str_of(w->identity != NULL ? w->identity
                                     : w->from != NULL   ? "mailfrom"
                                                         : "helo");
    bool is_both = mfx_str_is(word, "both");
    w->wants_identity[MFX_SPF_HELO] = is_both || mfx_str_is(word, "helo");
    w->wants_identity[MFX_SPF_MAIL_FROM] =
        is_both || mfx_str_is(word, "mailfrom");
    if (!w->wants_identity[MFX_SPF_HELO] &&
        !w->wants_identity[MFX_SPF_MAIL_FROM])
        return verb_wrong(w->run, "--identity %s: helo, mailfrom or both",
                          w->identity);
    if (w->wants_identity[MFX_SPF_MAIL_FROM] && w->from == NULL)
        return verb_wrong(w->run, "--from is needed (\"\" for a bounce)");
    if (w->wants_identity[MFX_SPF_HELO] && w->helo == NULL)
        return verb_wrong(w->run, w->from == NULL ? "--from or --helo is needed"
                                                  : "--helo is needed");
    return EXIT_OK;
}

/* "<a@b>" is a@b, "<>" the null sender. */
static struct mfx_str
without_brackets(struct mfx_str s)
{
    if (s.len >= 2 && s.p[0] == '<' && s.p[s.len - 1] == '>')
        return mfx_str(s.p + 1, s.len - 2);
    return s;
}

static int
take_request(struct work *w)
{
    if (w->ip == NULL)
        return verb_wrong(w->run, "--ip is needed");
    if (mfx_ip_parse(mfx_str_of(w->ip), &w->request.ip) != MFX_OK)
        return verb_wrong(w->run, "--ip %s: no IP address", w->ip);
    w->request.helo = mfx_str_of(w->helo);
    w->request.sender = without_brackets(mfx_str_of(w->from));
    w->request.receiver = mfx_str_of(w->receiver);
    w->config = mfx_spf_config_default();
    w->config.wants_trace = w->wants_trace;
    if (w->timeout != NULL && !spf_verb_seconds(w->timeout, &w->config.time_ms))
        return verb_wrong(w->run, "--timeout %s: seconds from 1 to 600",
                          w->timeout);
    int status = take_identity(w);
    return status == EXIT_OK ? take_engine(w) : status;
}

/* --- asking --- */

static bool
check(struct work *w, struct one *one)
{
    const struct mfx_env *env = &w->env.env;
    uint64_t start_ms = env->mono_ms(env);
    struct mfx_event *events[MFX_EVENT_ANY_MAX];
    size_t count;
    struct mfx_spf_check *check =
        mfx_spf_begin(w->run->arena, env, &one->config, &w->request);
    if (check == NULL)
        return false;
    while ((count = mfx_spf_events(check, events, MFX_EVENT_ANY_MAX)) > 0 &&
           mfx_event_wait_any(events, count, mfx_spf_deadline_ms(check)))
        ;
    one->outcome = mfx_spf_finish(check);
    one->took_ms = env->mono_ms(env) - start_ms;
    return true;
}

static int
check_all(struct work *w)
{
    for (int identity = 1; identity >= 0; identity--)
        for (int engine = 0; engine < 2; engine++) {
            if (!w->wants_identity[identity] || !w->wants_engine[engine])
                continue;
            struct one *one = &w->runs[w->count++];
            w->request.identity = (enum mfx_spf_identity)identity;
            one->config = w->config;
            one->config.engine = (enum mfx_spf_engine)engine;
            if (!check(w, one))
                return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
        }
    return EXIT_OK;
}

/* --- where engines differ --- */

struct field {
    const char *name;
    struct mfx_str (*get)(const struct mfx_spf_outcome *outcome);
};

static struct mfx_str
get_result(const struct mfx_spf_outcome *o)
{
    return mfx_str_of(mfx_spf_result_name(o->result));
}

static struct mfx_str
get_explanation(const struct mfx_spf_outcome *o)
{
    return o->explanation;
}

static const struct field fields[] = {
    {"result",      get_result     },
    {"explanation", get_explanation},
    {NULL,          NULL           },
};

/* Our engine's run and the other's of one identity stand side by side. */
static bool
differs(const struct work *w, size_t i, const struct field *field)
{
    const struct one *a = &w->runs[i], *b = &w->runs[i + 1];
    return i + 1 < w->count && a->outcome->identity == b->outcome->identity &&
           !mfx_str_eq(field->get(a->outcome), field->get(b->outcome));
}

static bool
any_differs(const struct work *w)
{
    for (size_t i = 0; i + 1 < w->count; i++)
        for (const struct field *f = fields; f->name != NULL; f++)
            if (differs(w, i, f))
                return true;
    return false;
}

/* --- text --- */

static void
show_step(const struct work *w, const struct one *one,
          const struct mfx_spf_step *s)
{
    const struct verb_run *run = w->run;
    bool is_asked = s->question.len > 0;
    bool is_answer = s->status == MFX_DNS_ANSWER;
    (void)printf("  %2u/%u %u/%u ", s->lookups_after, one->config.max_lookups,
                 s->voids_after, one->config.max_voids);
    if (is_asked)
        (void)printf("%5llu ms  ", (unsigned long long)s->took_ms);
    else
        (void)printf("%8s  ", "");
    (void)printf("%*s%s", 2 * (int)(s->depth < 20 ? s->depth : 20), "",
                 s->term.len > 0 ? spf_verb_show(run, s->term) : "record");
    if (is_asked)
        (void)printf("  %s %s: %s", spf_verb_type(s->type),
                     spf_verb_show(run, s->question),
                     is_answer ? spf_verb_show(run, s->answer)
                               : mfx_dns_status_name(s->status));
    if (s->is_void)
        (void)printf(" (void)");
    if (s->note.len > 0)
        (void)printf("%s%s", is_asked ? "; " : " ",
                     spf_verb_show(run, s->note));
    (void)putchar('\n');
}

static void
show_by(const struct work *w, const struct mfx_spf_outcome *o)
{
    if (o->mechanism.len > 0)
        (void)printf(" by %s", spf_verb_show(w->run, o->mechanism));
    if (o->mechanism_of.len > 0 &&
        !mfx_str_eq_nocase(o->mechanism_of, o->domain))
        (void)printf(" of %s", spf_verb_show(w->run, o->mechanism_of));
    (void)putchar('\n');
}

static void
show_one(const struct work *w, const struct one *one)
{
    const struct verb_run *run = w->run;
    const struct mfx_spf_outcome *o = one->outcome;
    (void)printf("%s %s", mfx_spf_identity_name(o->identity),
                 spf_verb_show(run, o->domain));
    if (w->wants_engine[0] && w->wants_engine[1])
        (void)printf(" by engine %s", mfx_spf_engine_name(one->config.engine));
    (void)printf(": %s", mfx_spf_result_name(o->result));
    show_by(w, o);
    if (o->explanation.len > 0)
        (void)printf("  explanation: %s\n", spf_verb_show(run, o->explanation));
    if (o->problem.len > 0)
        (void)printf("  problem: %s\n", spf_verb_show(run, o->problem));
    (void)printf("  lookups %u of %u, void lookups %u of %u, %u queries, "
                 "%llu ms\n",
                 o->lookups, one->config.max_lookups, o->voids,
                 one->config.max_voids, o->queries,
                 (unsigned long long)one->took_ms);
    for (size_t i = 0; i < o->step_count; i++)
        show_step(w, one, &o->steps[i]);
}

static void
show(const struct work *w)
{
    for (size_t i = 0; i < w->count; i++)
        show_one(w, &w->runs[i]);
    for (size_t i = 0; i + 1 < w->count; i++)
        for (const struct field *f = fields; f->name != NULL; f++)
            if (differs(w, i, f))
                (void)printf(
                    "differs: %s %s: \"%s\" (mfx), \"%s\" (libspf2)\n",
                    mfx_spf_identity_name(w->runs[i].outcome->identity),
                    f->name, spf_verb_show(w->run, f->get(w->runs[i].outcome)),
                    spf_verb_show(w->run, f->get(w->runs[i + 1].outcome)));
}

/* --- JSON --- */

static json_t *
json_step(const struct mfx_spf_step *s)
{
    json_t *o = json_pack("{s:i, s:i, s:i}", "depth", (int)s->depth, "lookups",
                          (int)s->lookups_after, "voids", (int)s->voids_after);
    (void)json_object_set_new(o, "domain", verb_json(s->domain));
    (void)json_object_set_new(o, "term", verb_json(s->term));
    (void)json_object_set_new(o, "note", verb_json(s->note));
    if (s->question.len == 0)
        return o;
    (void)json_object_set_new(o, "type", json_string(spf_verb_type(s->type)));
    (void)json_object_set_new(o, "question", verb_json(s->question));
    (void)json_object_set_new(o, "status",
                              json_string(mfx_dns_status_name(s->status)));
    (void)json_object_set_new(o, "answer", verb_json(s->answer));
    (void)json_object_set_new(o, "ms", json_integer((json_int_t)s->took_ms));
    (void)json_object_set_new(o, "void", json_boolean(s->is_void));
    return o;
}

static json_t *
json_one(const struct work *w, const struct one *one)
{
    const struct mfx_spf_outcome *o = one->outcome;
    json_t *j = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:I}",
                          "result", mfx_spf_result_name(o->result), "identity",
                          mfx_spf_identity_name(o->identity), "engine",
                          mfx_spf_engine_name(one->config.engine), "lookups",
                          (int)o->lookups, "lookup_limit",
                          (int)one->config.max_lookups, "voids", (int)o->voids,
                          "void_limit", (int)one->config.max_voids, "queries",
                          (int)o->queries, "ms", (json_int_t)one->took_ms);
    (void)json_object_set_new(j, "explanation", verb_json(o->explanation));
    (void)json_object_set_new(j, "domain", verb_json(o->domain));
    (void)json_object_set_new(j, "mechanism", verb_json(o->mechanism));
    (void)json_object_set_new(j, "mechanism_of", verb_json(o->mechanism_of));
    (void)json_object_set_new(j, "problem", verb_json(o->problem));
    if (!w->wants_trace)
        return j;
    json_t *steps = json_array();
    for (size_t i = 0; i < o->step_count; i++)
        (void)json_array_append_new(steps, json_step(&o->steps[i]));
    (void)json_object_set_new(j, "trace", steps);
    return j;
}

static json_t *
json_differences(const struct work *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i + 1 < w->count; i++)
        for (const struct field *f = fields; f->name != NULL; f++) {
            if (!differs(w, i, f))
                continue;
            json_t *o =
                json_pack("{s:s, s:s}", "identity",
                          mfx_spf_identity_name(w->runs[i].outcome->identity),
                          "what", f->name);
            (void)json_object_set_new(o, "mfx",
                                      verb_json(f->get(w->runs[i].outcome)));
            (void)json_object_set_new(
                o, "libspf2", verb_json(f->get(w->runs[i + 1].outcome)));
            (void)json_array_append_new(list, o);
        }
    return list;
}

/* The first run, and all of them where there are several. */
static void
show_json(const struct work *w)
{
    json_t *all = json_one(w, &w->runs[0]);
    if (w->count > 1) {
        json_t *list = json_array();
        for (size_t i = 0; i < w->count; i++)
            (void)json_array_append_new(list, json_one(w, &w->runs[i]));
        (void)json_object_set_new(all, "checks", list);
    }
    if (w->wants_engine[0] && w->wants_engine[1])
        (void)json_object_set_new(all, "differences", json_differences(w));
    verb_print_json(all);
}

static int
status_of(const struct work *w)
{
    if (any_differs(w))
        return EXIT_DIFFER;
    switch (w->runs[0].outcome->result) {
    case MFX_SPF_PASS:
        return EXIT_OK;
    case MFX_SPF_TEMPERROR:
        return EXIT_TEMP;
    case MFX_SPF_NONE:
    case MFX_SPF_NEUTRAL:
    case MFX_SPF_FAIL:
    case MFX_SPF_SOFTFAIL:
    case MFX_SPF_PERMERROR:
    case MFX_SPF_RESULT_COUNT:
        break;
    }
    return EXIT_NO;
}

static int
run_work(struct work *w)
{
    int status = take_request(w);
    if (status == EXIT_OK)
        status = verb_env_init(w->run, w->dns, w->zone, NULL, &w->env);
    if (status != EXIT_OK)
        return status;
    status = check_all(w);
    if (status != EXIT_OK)
        return status;
    if (w->run->as_json)
        show_json(w);
    else
        show(w);
    return status_of(w);
}

int
verb_check(struct verb_run *run, int argc, char **argv)
{
    struct work w = {.run = run};
    int first;
    const struct verb_option options[] = {
        {"ip",       'i', &w.ip,       NULL          },
        {"helo",     'H', &w.helo,     NULL          },
        {"from",     'f', &w.from,     NULL          },
        {"identity", 0,   &w.identity, NULL          },
        {"receiver", 0,   &w.receiver, NULL          },
        {"engine",   'e', &w.engine,   NULL          },
        {"dns",      0,   &w.dns,      NULL          },
        {"zone",     0,   &w.zone,     NULL          },
        {"timeout",  't', &w.timeout,  NULL          },
        {"trace",    0,   NULL,        &w.wants_trace},
        {NULL,       0,   NULL,        NULL          },
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (first < argc)
        return verb_wrong(run, "%s: not expected here", argv[first]);
    int status = run_work(&w);
    /* questions first: they are of this resolver */
    mfx_arena_reset(run->arena);
    verb_env_fini(&w.env);
    return status;
}
