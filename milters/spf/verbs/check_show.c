/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

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
differs(const struct check_work *w, size_t i, const struct field *field)
{
    const struct check_run *a = &w->runs[i], *b = &w->runs[i + 1];
    return i + 1 < w->count && a->outcome->identity == b->outcome->identity &&
           !mfx_str_eq(field->get(a->outcome), field->get(b->outcome));
}

bool
check_any_differs(const struct check_work *w)
{
    for (size_t i = 0; i + 1 < w->count; i++)
        for (const struct field *f = fields; f->name != NULL; f++)
            if (differs(w, i, f))
                return true;
    return false;
}

/* --- text --- */

/* Our engine says after each step what is used up; libspf2 only in the end,
 * and not which term asked. */
static void
show_cost(const struct check_run *one, const struct mfx_spf_step *s)
{
    if (one->config.engine == MFX_SPF_ENGINE_MFX)
        (void)printf("  %2u/%u %u/%u ", s->lookups_after,
                     one->config.max_lookups, s->voids_after,
                     one->config.max_voids);
    else
        (void)printf("  ");
    if (s->question.len > 0)
        (void)printf("%5llu ms  ", (unsigned long long)s->took_ms);
    else
        (void)printf("%8s  ", "");
}

static void
show_step(const struct check_work *w, const struct check_run *one,
          const struct mfx_spf_step *s)
{
    const struct verb_run *run = w->run;
    bool is_asked = s->question.len > 0, is_first = s == one->outcome->steps;
    const char *term = spf_verb_show(run, s->term);
    show_cost(one, s);
    (void)printf("%*s%s", 2 * (int)(s->depth < 20 ? s->depth : 20), "",
                 is_first ? "record" : term);
    if (is_asked)
        (void)printf("%s%s %s: %s", is_first || s->term.len > 0 ? "  " : "",
                     spf_verb_type(s->type), spf_verb_show(run, s->question),
                     s->status == MFX_DNS_ANSWER
                         ? spf_verb_show(run, s->answer)
                         : mfx_dns_status_name(s->status));
    if (s->is_void)
        (void)printf(" (void)");
    if (s->note.len > 0)
        (void)printf("%s%s", is_asked ? "; " : " ",
                     spf_verb_show(run, s->note));
    (void)putchar('\n');
}

static void
show_by(const struct check_work *w, const struct mfx_spf_outcome *o)
{
    if (o->mechanism.len > 0)
        (void)printf(" by %s", spf_verb_show(w->run, o->mechanism));
    if (o->mechanism_of.len > 0 &&
        !mfx_str_eq_nocase(o->mechanism_of, o->domain))
        (void)printf(" of %s", spf_verb_show(w->run, o->mechanism_of));
    (void)putchar('\n');
}

/* The rule, or the setting. */
static struct mfx_str
ruled_by(const struct check_work *w, const struct check_run *one)
{
    const struct mfx_spf_outcome *o = one->outcome;
    if (one->ruling.rule != NULL)
        return mfx_arena_printf(w->run->arena, "rule %.*s",
                                MFX_STR_ARG(one->ruling.rule->name));
    if (o->result == MFX_SPF_PASS)
        return mfx_str_of("pass");
    return mfx_arena_printf(w->run->arena, "%s.on_%s",
                            o->identity == MFX_SPF_HELO ? "helo" : "mail_from",
                            mfx_spf_result_name(o->result));
}

static void
show_one(const struct check_work *w, const struct check_run *one)
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
    if (one->is_ruled)
        (void)printf("  action: %s by %s\n",
                     spf_action_name(one->ruling.action),
                     spf_verb_show(run, ruled_by(w, one)));
    for (size_t i = 0; i < o->step_count; i++)
        show_step(w, one, &o->steps[i]);
}

void
check_show(const struct check_work *w)
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
json_one(const struct check_work *w, const struct check_run *one)
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
    if (one->is_ruled) {
        (void)json_object_set_new(
            j, "action", json_string(spf_action_name(one->ruling.action)));
        (void)json_object_set_new(j, "action_by", verb_json(ruled_by(w, one)));
    }
    if (!w->wants_trace)
        return j;
    json_t *steps = json_array();
    for (size_t i = 0; i < o->step_count; i++)
        (void)json_array_append_new(steps, json_step(&o->steps[i]));
    (void)json_object_set_new(j, "trace", steps);
    return j;
}

static json_t *
json_differences(const struct check_work *w)
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
void
check_show_json(const struct check_work *w)
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
