/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The check behind `engine = libspf2`: runs of that library over the answers
 * at hand, until a run gets to its end without a question that is new.
 */
#include <mfx/auth/spf_engine.h>
#include <mfx/auth/spf_libspf2_lib.h>
#include <mfx/auth/spf_macro.h>

enum {
    ANSWER_TEXT_MAX = 300,
    /* Expanded: a text is not read past its limit but made before it. */
    EXPLANATION_ROOM = 64 * 1024,
};

/* A question of this check; answer is NULL until it is there. What was seen of
 * the record in it is kept: it is asked for again in each run. */
struct asked {
    struct mfx_str name;
    enum mfx_dns_type type;
    struct mfx_dns_question *question;
    const struct mfx_dns_answer *answer;
    uint64_t asked_ms, took_ms;
    bool is_examined;
    enum mfx_spf_libspf2_found found;
    const char *text, *mistake;
};

enum stage {
    JUDGING,
    EXPLAINING,
    DONE,
};

struct check {
    struct mfx_spf_check base;
    struct mfx_arena *arena;
    const struct mfx_env *env;
    struct mfx_spf_config config;
    struct mfx_spf_subject subject;
    struct mfx_spf_libspf2_source source;
    struct mfx_spf_libspf2_person person;
    enum stage stage;
    uint64_t deadline_ms;

    struct asked asked[MFX_SPF_QUERIES_MAX];
    size_t asked_count;
    struct asked *awaited; /* the question that ended the last run */
    struct asked matches_nothing;

    /* of one run */
    unsigned calls, voids;
    bool is_stopped, is_over;
    const struct asked *trouble; /* what the error is about, and what it is */
    const char *trouble_what;
    struct mfx_buf exp_name, exp_domain;

    struct mfx_spf_outcome outcome;
};

/* --- questions --- */

static void
release_questions(void *arg)
{
    struct check *c = arg;
    for (size_t i = 0; i < c->asked_count; i++)
        mfx_dns_question_release(c->asked[i].question);
    c->asked_count = 0;
}

static struct asked *
find_asked(struct check *c, struct mfx_str name, enum mfx_dns_type type)
{
    for (size_t i = 0; i < c->asked_count; i++)
        if (c->asked[i].type == type &&
            mfx_str_eq_nocase(c->asked[i].name, name))
            return &c->asked[i];
    return NULL;
}

static struct asked *
ask(struct check *c, struct mfx_str name, enum mfx_dns_type type)
{
    struct asked *a = &c->asked[c->asked_count];
    if (c->asked_count == MFX_SPF_QUERIES_MAX || c->env->resolver == NULL)
        return NULL;
    *a = (struct asked){.type = type, .asked_ms = c->env->mono_ms(c->env)};
    a->name = mfx_arena_copy(c->arena, name);
    if (a->name.p == NULL)
        return NULL;
    a->question = mfx_dns_ask(c->env->resolver, name, type);
    if (a->question == NULL)
        return NULL;
    c->asked_count++;
    return a;
}

static bool
is_answered(struct check *c, struct asked *a)
{
    if (a->answer == NULL &&
        mfx_event_is_set(mfx_dns_question_event(a->question))) {
        a->answer = mfx_dns_question_answer(a->question);
        a->took_ms = c->env->mono_ms(c->env) - a->asked_ms;
    }
    return a->answer != NULL;
}

static void
note_trouble(struct check *c, const struct asked *about, const char *what)
{
    if (c->trouble == NULL) {
        c->trouble = about;
        c->trouble_what = what;
    }
}

/* What was no printable ASCII, as it is or URL-escaped: RFC 8616 4 says that
 * a name with such a local part matches nothing. */
static bool
has_stand_in(struct mfx_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] == MFX_SPF_LIBSPF2_STAND_IN ||
            mfx_str_is_nocase(mfx_str_head(mfx_str_from(name, i), 3), "%7f"))
            return true;
    return false;
}

static const struct mfx_dns_answer no_name = {.status = MFX_DNS_NO_NAME,
                                              .rcode = 3};

/* NULL: it is not at hand. After the first NULL there are only NULLs: libspf2
 * heeds not all of them, and would go on with what follows. */
static struct asked *
answer_to(struct check *c, struct mfx_str name, enum mfx_dns_type type)
{
    struct asked *a;
    if (c->is_stopped)
        return NULL;
    if (c->calls++ == MFX_SPF_QUERIES_MAX) {
        c->is_stopped = c->is_over = true;
        return NULL;
    }
    if (name.len > 0 && name.p[name.len - 1] == '.')
        name.len--;
    if (has_stand_in(name) || !mfx_spf_is_name(name))
        return &c->matches_nothing;
    a = find_asked(c, name, type);
    if (a == NULL)
        a = ask(c, name, type);
    if (a != NULL && is_answered(c, a))
        return a;
    c->is_stopped = true;
    c->awaited = a;
    c->is_over = a == NULL && c->asked_count == MFX_SPF_QUERIES_MAX;
    return NULL;
}

static struct asked *
look_up(struct check *c, const char *name, enum mfx_dns_type type)
{
    struct asked *a = answer_to(c, mfx_str_of(name), type);
    if (a != NULL && mfx_dns_rc(a->answer) == MFX_TEMPFAIL)
        note_trouble(c, a, mfx_dns_status_name(a->answer->status));
    if (a != NULL && mfx_dns_rc(a->answer) == MFX_NOTFOUND)
        c->voids++;
    return a;
}

static const struct mfx_dns_answer *
lookup(void *arg, const char *name, enum mfx_dns_type type)
{
    const struct asked *a = look_up(arg, name, type);
    return a == NULL ? NULL : a->answer;
}

/* --- records --- */

static void
refuse(struct asked *a, const char *mistake)
{
    a->found = MFX_SPF_LIBSPF2_BROKEN;
    a->mistake = mistake;
}

static void
examine_text(struct check *c, struct asked *a, struct mfx_str text)
{
    struct mfx_spf_summary summary;
    struct mfx_spf_mistake mistake;
    if (mfx_spf_record_check(text, &summary, &mistake) != MFX_OK)
        refuse(a, mistake.what);
    else if (!mfx_spf_libspf2_holds(text))
        refuse(a, "libspf2 cannot hold this record");
    else
        a->text = mfx_arena_copy(c->arena, text).p;
}

/* RFC 7208 4.5: exactly one record. */
static void
examine(struct check *c, struct asked *a)
{
    const struct mfx_dns_answer *answer = a->answer;
    size_t count = 0, at = 0;
    a->is_examined = true;
    for (size_t i = 0; i < answer->count; i++)
        if (mfx_spf_record_is_one(answer->records[i].text)) {
            count++;
            at = i;
        }
    a->found = MFX_SPF_LIBSPF2_RECORD;
    if (count > 1)
        refuse(a, "more than one SPF record");
    else if (count == 1)
        examine_text(c, a, answer->records[at].text);
    else {
        a->found = MFX_SPF_LIBSPF2_NO_RECORD;
        a->mistake = "no SPF record";
    }
}

static enum mfx_spf_libspf2_found
record(void *arg, const char *name, const char **text)
{
    struct check *c = arg;
    struct asked *a = look_up(c, name, MFX_DNS_TXT);
    if (a == NULL || mfx_dns_rc(a->answer) == MFX_TEMPFAIL)
        return MFX_SPF_LIBSPF2_LATER;
    if (!a->is_examined)
        examine(c, a);
    if (a->mistake != NULL)
        note_trouble(c, a, a->mistake);
    *text = a->text;
    return a->found == MFX_SPF_LIBSPF2_RECORD && a->text == NULL
               ? MFX_SPF_LIBSPF2_LATER /* out of memory */
               : a->found;
}

static void
set_buf(struct mfx_buf *buf, const char *text)
{
    mfx_buf_clear(buf);
    mfx_buf_add_text(buf, text);
}

static void
explained_at(void *arg, const char *name, const char *current)
{
    struct check *c = arg;
    set_buf(&c->exp_name, name);
    set_buf(&c->exp_domain, current);
}

/* --- runs --- */

static void
start_run(struct check *c)
{
    c->calls = c->voids = 0;
    c->is_stopped = c->is_over = false;
    c->awaited = NULL;
    c->trouble = NULL;
}

static void
decide(struct check *c, enum mfx_spf_result result, struct mfx_str problem)
{
    c->stage = DONE;
    c->outcome.result = result;
    c->outcome.problem = problem;
}

/* "example.org: server failure" */
static struct mfx_str
problem_text(struct check *c, const struct mfx_spf_libspf2_verdict *v)
{
    if (c->trouble == NULL || v->gave_up)
        return mfx_arena_copy(c->arena, mfx_str_of(v->problem));
    if (mfx_str_is_empty(c->trouble->name))
        return mfx_str_of(c->trouble_what);
    return mfx_arena_printf(c->arena, "%.*s: %s", MFX_STR_ARG(c->trouble->name),
                            c->trouble_what);
}

static void
conclude(struct check *c, const struct mfx_spf_libspf2_verdict *v)
{
    if (c->is_over)
        decide(c, MFX_SPF_PERMERROR, mfx_str_of("too many DNS questions"));
    else if (!v->gave_up && (c->is_stopped || !mfx_arena_ok(c->arena)))
        decide(c, MFX_SPF_TEMPERROR, mfx_str_of("nothing can be asked"));
    else
        decide(c, v->result, problem_text(c, v));
}

static void
judge(struct check *c)
{
    struct mfx_spf_libspf2_verdict v;
    start_run(c);
    mfx_spf_libspf2_run(&c->source, &c->person, &v);
    if (c->awaited != NULL)
        return;
    c->outcome.lookups = v.terms;
    c->outcome.voids = c->voids;
    if (v.is_default)
        c->outcome.mechanism = mfx_str_of("default");
    conclude(c, &v);
    if (c->outcome.result == MFX_SPF_FAIL && v.has_exp &&
        mfx_buf_ok(&c->exp_name) && mfx_buf_ok(&c->exp_domain) &&
        c->config.max_explanation > 0)
        c->stage = EXPLAINING;
}

/* libspf2 loses its way at a blank: "%_" says the same. */
static const char *
without_blanks(struct check *c, struct mfx_str text)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, c->arena, EXPLANATION_ROOM);
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] == ' ')
            mfx_buf_add_text(&out, "%_");
        else
            mfx_buf_add_byte(&out, text.p[i]);
    return mfx_buf_ok(&out) ? mfx_buf_text(&out) : NULL;
}

/* RFC 7208 6.2: one record, or none. */
static struct mfx_str
explanation_text(struct check *c)
{
    struct mfx_str none = {NULL, 0}, text;
    const struct asked *a =
        answer_to(c, mfx_buf_str(&c->exp_name), MFX_DNS_TXT);
    if (a == NULL || a->answer->status != MFX_DNS_ANSWER ||
        a->answer->count != 1)
        return none;
    text = a->answer->records[0].text;
    if (!mfx_spf_macro_check(text, MFX_SPF_IN_TEXT, NULL, NULL, NULL) ||
        !mfx_spf_libspf2_holds_text(text))
        return none;
    return text;
}

static void
set_explanation(struct check *c, struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] < ' ' || text.p[i] > '~')
            return;
    c->outcome.explanation =
        mfx_arena_copy(c->arena, mfx_str_head(text, c->config.max_explanation));
}

static void
explain(struct check *c)
{
    struct mfx_buf out;
    struct mfx_str text;
    const char *source;
    bool ok = false;
    start_run(c);
    text = explanation_text(c);
    if (text.len > 0 && (source = without_blanks(c, text)) != NULL) {
        mfx_buf_init_arena(&out, c->arena, EXPLANATION_ROOM);
        ok = mfx_spf_libspf2_expand(&c->source, &c->person,
                                    mfx_buf_text(&c->exp_domain), source, &out);
    }
    if (c->awaited != NULL)
        return;
    if (ok && mfx_buf_ok(&out))
        set_explanation(c, mfx_buf_str(&out));
    c->stage = DONE;
}

static void
advance(struct check *c)
{
    while (c->stage != DONE) {
        if (c->awaited != NULL && !is_answered(c, c->awaited))
            return;
        if (c->stage == JUDGING)
            judge(c);
        else
            explain(c);
    }
}

/* --- the engine --- */

static const char *
safe_text(struct mfx_arena *arena, struct mfx_str text)
{
    char *p = (char *)mfx_arena_alloc(arena, text.len + 1);
    for (size_t i = 0; p != NULL && i < text.len; i++)
        p[i] = text.p[i] < ' ' || text.p[i] > '~' ? MFX_SPF_LIBSPF2_STAND_IN
                                                  : text.p[i];
    return p;
}

static bool
set_person(struct check *c, const struct mfx_spf_request *request)
{
    struct mfx_spf_libspf2_person *p = &c->person;
    p->ip = request->ip;
    p->helo = safe_text(c->arena, c->subject.helo);
    p->sender = safe_text(c->arena, c->subject.sender);
    p->receiver =
        safe_text(c->arena, request->receiver.len > 0 ? request->receiver
                                                      : mfx_str_of("unknown"));
    return p->helo != NULL && p->sender != NULL && p->receiver != NULL;
}

static const struct mfx_spf_engine_ops engine;

static struct mfx_spf_check *
begin(struct mfx_arena *arena, const struct mfx_env *env,
      const struct mfx_spf_config *config,
      const struct mfx_spf_request *request)
{
    struct check *c = mfx_arena_alloc(arena, sizeof(*c));
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (c == NULL)
        return NULL;
    c->base.engine = &engine;
    c->arena = arena;
    c->env = env;
    c->config = *config;
    c->deadline_ms = env->mono_ms(env) + config->time_ms;
    c->source =
        (struct mfx_spf_libspf2_source){c, lookup, record, explained_at};
    c->matches_nothing.answer = &no_name;
    mfx_buf_init_arena(&c->exp_name, arena, EXPLANATION_ROOM);
    mfx_buf_init_arena(&c->exp_domain, arena, EXPLANATION_ROOM);
    rc = mfx_spf_subject_make(request, arena, &c->subject);
    if (rc == MFX_TEMPFAIL || !set_person(c, request) ||
        !mfx_arena_defer(arena, release_questions, c))
        return NULL;
    c->outcome = (struct mfx_spf_outcome){
        .result = MFX_SPF_TEMPERROR,
        .identity = request->identity,
        .domain = c->subject.domain,
        .local = c->subject.local,
    };
    if (rc == MFX_NOTFOUND)
        decide(c, MFX_SPF_NONE, mfx_str_of(c->subject.problem));
    advance(c);
    return &c->base;
}

/* One question at a time: libspf2 does not say what it will want next. */
static size_t
events(struct mfx_spf_check *check, struct mfx_event **list, size_t max)
{
    struct check *c = (struct check *)check;
    (void)max;
    advance(c);
    if (c->stage == DONE)
        return 0;
    list[0] = mfx_dns_question_event(c->awaited->question);
    return 1;
}

static uint64_t
deadline_ms(const struct mfx_spf_check *check)
{
    return ((const struct check *)check)->deadline_ms;
}

static struct mfx_str
answer_text(struct check *c, const struct mfx_dns_answer *answer)
{
    struct mfx_buf out;
    char ip[MFX_IP_TEXT];
    mfx_buf_init_arena(&out, c->arena, 2 * ANSWER_TEXT_MAX + MFX_IP_TEXT);
    for (size_t i = 0; i < answer->count && out.len < ANSWER_TEXT_MAX; i++) {
        const struct mfx_dns_record *r = &answer->records[i];
        mfx_buf_add_text(&out, i > 0 ? " " : "");
        if (r->type == MFX_DNS_A || r->type == MFX_DNS_AAAA)
            mfx_buf_add_text(&out, mfx_ip_format(&r->ip, ip));
        else
            mfx_buf_add(&out, mfx_str_head(r->text, ANSWER_TEXT_MAX));
    }
    return mfx_str_head(mfx_buf_str(&out), ANSWER_TEXT_MAX);
}

/* libspf2 does not say for which term it asks, nor what became of it. */
static void
make_trace(struct check *c)
{
    struct mfx_spf_step *steps =
        mfx_arena_alloc_array(c->arena, c->asked_count, sizeof(*steps));
    if (steps == NULL)
        return;
    for (size_t i = 0; i < c->asked_count; i++) {
        const struct asked *a = &c->asked[i];
        const struct mfx_dns_answer *answer =
            mfx_dns_question_answer(a->question);
        steps[i] = (struct mfx_spf_step){
            .domain = c->subject.domain,
            .type = a->type,
            .question = a->name,
            .status = answer->status,
            .answer = answer_text(c, answer),
            .took_ms = a->took_ms,
            .is_void = mfx_dns_rc(answer) == MFX_NOTFOUND,
        };
    }
    c->outcome.step_count = c->asked_count;
    c->outcome.steps = steps;
}

static const struct mfx_spf_outcome *
finish(struct mfx_spf_check *check)
{
    struct check *c = (struct check *)check;
    struct mfx_spf_outcome *o = &c->outcome;
    advance(c);
    if (c->stage == JUDGING)
        decide(c, MFX_SPF_TEMPERROR,
               mfx_arena_printf(c->arena, "no answer in time: %.*s",
                                MFX_STR_ARG(c->awaited->name)));
    c->stage = DONE;
    if (o->result != MFX_SPF_NONE && o->result != MFX_SPF_TEMPERROR &&
        o->result != MFX_SPF_PERMERROR)
        o->problem = mfx_str(NULL, 0);
    o->queries = (unsigned)c->asked_count;
    if (c->config.wants_trace && o->steps == NULL)
        make_trace(c);
    return o;
}

static const struct mfx_spf_engine_ops engine = {begin, events, deadline_ms,
                                                 finish};

const struct mfx_spf_engine_ops *
mfx_spf_engine_libspf2(void)
{
    return &engine;
}
