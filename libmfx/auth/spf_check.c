/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/spf_check.h>

/* --- results --- */

/* With an explanation still to come where there is one. What came about when
 * memory had run out is no result. */
static void
decide(struct spf_check *check, enum mfx_spf_result result,
       struct mfx_str mechanism)
{
    const struct spf_page *page = check->frames[0].page;
    if (!mfx_arena_ok(check->arena)) {
        result = MFX_SPF_TEMPERROR;
        mechanism = mfx_str(NULL, 0);
        check->outcome.problem = mfx_str_of("out of memory");
    }
    check->outcome.result = result;
    check->outcome.mechanism = mechanism;
    if (page != NULL && mechanism.len > 0)
        check->outcome.mechanism_of = page->domain;
    check->state = SPF_DECIDED;
    check->outcome.is_no_mail =
        result == MFX_SPF_FAIL && page != NULL && page->summary.has_all &&
        page->summary.term_count == 1U + page->summary.has_explanation;
    if (result == MFX_SPF_FAIL && page != NULL &&
        page->summary.has_explanation && check->config.max_explanation > 0)
        check->state = SPF_AT_EXPLAIN;
}

/* Names come from the DNS and from HELO: in the arena, fit for a header. */
static struct mfx_str
printable(struct spf_check *check, struct mfx_str text, size_t max)
{
    struct mfx_str head = mfx_str_head(text, max);
    char *out = mfx_arena_alloc_bytes(check->arena, head.len);
    for (size_t i = 0; out != NULL && i < head.len; i++)
        out[i] = head.p[i] < ' ' || head.p[i] > '~' ? '?' : head.p[i];
    return out == NULL ? mfx_str(NULL, 0) : mfx_str(out, head.len);
}

/* none, temperror, permerror: of the whole check. */
static enum spf_step
give_up(struct spf_check *check, enum mfx_spf_result result,
        struct mfx_str domain, const char *what, struct mfx_str term)
{
    domain = printable(check, domain, MFX_SPF_NAME_MAX);
    term = printable(check, term, MFX_SPF_NAME_MAX);
    check->outcome.problem =
        mfx_arena_printf(check->arena, "%.*s: %s%s%.*s", MFX_STR_ARG(domain),
                         what, term.len > 0 ? ": " : "", MFX_STR_ARG(term));
    decide(check, result, mfx_str(NULL, 0));
    return SPF_GOES_ON;
}

static enum spf_step
give_up_at(struct spf_check *check, enum mfx_spf_result result,
           const char *what)
{
    return give_up(check, result, check->frames[check->depth].page->domain,
                   what, check->term.text);
}

/* The page on top has its result, by `mechanism`: an include of it matches or
 * not (5.2), and so on below. */
static enum spf_step
settle(struct spf_check *check, enum mfx_spf_result result,
       struct mfx_str mechanism)
{
    while (check->depth > 0) {
        struct spf_frame *frame = &check->frames[check->depth--];
        frame->page->is_done = true;
        frame->page = NULL;
        if (result != MFX_SPF_PASS) {
            spf_trace(check, &frame->via, NULL, "does not match");
            check->state = SPF_AT_TERMS;
            return SPF_GOES_ON;
        }
        spf_trace(check, &frame->via, NULL, "matches");
        result = frame->via.qualifier;
        mechanism = frame->via.text;
    }
    decide(check, result, mechanism);
    return SPF_GOES_ON;
}

static enum spf_step
match(struct spf_check *check)
{
    return settle(check, check->look->term.qualifier, check->look->term.text);
}

/* To the next term. */
static enum spf_step
no_match(struct spf_check *check)
{
    check->state = SPF_AT_TERMS;
    return SPF_GOES_ON;
}

/* A term has got nothing (4.6.4): no match, or the end. */
static enum spf_step
no_match_void(struct spf_check *check)
{
    check->voids++;
    spf_trace_void(check);
    if (check->voids > check->config.max_voids)
        return give_up_at(check, MFX_SPF_PERMERROR, "too many void lookups");
    return no_match(check);
}

static enum spf_step
wait_for(struct spf_check *check, struct spf_asked *asked)
{
    check->waiting = asked;
    return SPF_WAITS;
}

/* --- terms --- */

static enum spf_step
begin_term(struct spf_check *check, struct spf_page *page)
{
    if (check->lookups >= check->config.max_lookups)
        return give_up_at(check, MFX_SPF_PERMERROR,
                          "too many terms that ask the DNS");
    check->lookups++;
    check->look = page->looks[page->now.ordinal++];
    check->state = SPF_AT_TARGET;
    return SPF_GOES_ON;
}

static enum spf_step
end_terms(struct spf_check *check, struct spf_page *page)
{
    if (!page->summary.has_redirect || page->summary.has_all)
        return settle(check, MFX_SPF_NEUTRAL, mfx_str_of("default"));
    check->term = page->summary.redirect;
    return begin_term(check, page);
}

static enum spf_step
at_terms(struct spf_check *check)
{
    struct spf_page *page = check->frames[check->depth].page;
    struct mfx_spf_term *term = &check->term;
    while (mfx_spf_record_next(page->text, &page->now.at, term)) {
        bool is_net = term->kind == MFX_SPF_IP4 || term->kind == MFX_SPF_IP6;
        if (term->kind == MFX_SPF_ALL ||
            (is_net && mfx_net_has(&term->net, &check->ip))) {
            spf_trace(check, term, NULL, "matches");
            return settle(check, term->qualifier, term->text);
        }
        if (is_net)
            spf_trace(check, term, NULL, "does not match");
        if (term->kind != MFX_SPF_REDIRECT && mfx_spf_term_is_counted(term))
            return begin_term(check, page);
    }
    return end_terms(check, page);
}

/* Terms with the local part match nothing when it is not ASCII: their names
 * are not asked for (RFC 8616 4). */
static bool
is_local_unfit(const struct spf_check *check)
{
    return check->term.uses_local && !check->subject.is_local_ascii;
}

static enum spf_step
at_target(struct spf_check *check)
{
    static const struct mfx_str all = {0};
    struct spf_page *page = check->frames[check->depth].page;
    enum mfx_spf_term_kind kind = check->term.kind;
    if (check->look == NULL) {
        if (check->term.uses_ptr && spf_names_read(check, all) == SPF_WAITS)
            return SPF_WAITS;
        check->look = spf_look_new(check, &check->term, page);
    }
    if (check->look == NULL)
        return give_up_at(check, MFX_SPF_TEMPERROR, "out of memory");
    if (check->look->is_ahead)
        check->wasted -= 1 + (unsigned)check->look->ahead_hosts;
    check->look->is_ahead = false;
    check->cheap += kind == MFX_SPF_MX ? 0 : 1;
    if (kind == MFX_SPF_INCLUDE && is_local_unfit(check))
        return no_match(check);
    if (kind == MFX_SPF_INCLUDE)
        check->frames[++check->depth].via = check->term;
    check->state = kind == MFX_SPF_PTR ? SPF_AT_PTR
                   : kind == MFX_SPF_INCLUDE || kind == MFX_SPF_REDIRECT
                       ? SPF_AT_RECORD
                       : SPF_AT_LOOK;
    return SPF_GOES_ON;
}

/* --- records --- */

static enum spf_step
open_page(struct spf_check *check, struct spf_page *page)
{
    struct spf_frame *frame = &check->frames[check->depth];
    if (frame->page != NULL) /* a redirect's */
        frame->page->is_done = true;
    frame->page = page;
    page->parent =
        check->depth == 0 ? NULL : check->frames[check->depth - 1].page;
    check->state = SPF_AT_TERMS;
    return SPF_GOES_ON;
}

static enum spf_step
at_record(struct spf_check *check)
{
    struct spf_look *look = check->look;
    bool is_first = look->owner == NULL;
    if (!look->is_unusable && !spf_is_answered(look->asked))
        return wait_for(check, look->asked);
    spf_look_read(check, look);
    spf_trace(check, is_first ? NULL : &look->term, look->asked,
              look->reading == SPF_READ ? "" : look->problem);
    switch (look->reading) {
    case SPF_READ:
        return open_page(check, look->page);
    case SPF_UNREAD:
    case SPF_UNKNOWN:
        return give_up(check, MFX_SPF_TEMPERROR, look->target, look->problem,
                       look->term.text);
    case SPF_BROKEN:
        return give_up(check, MFX_SPF_PERMERROR, look->target, look->problem,
                       look->broken_term);
    case SPF_ABSENT:
        break;
    }
    return give_up(check, is_first ? MFX_SPF_NONE : MFX_SPF_PERMERROR,
                   look->target, look->problem, look->term.text);
}

/* --- looks --- */

static enum spf_step
fail_look(struct spf_check *check, const struct spf_asked *asked)
{
    return give_up_at(check, MFX_SPF_TEMPERROR,
                      mfx_dns_status_name(spf_answer(asked)->status));
}

/* Whichever host it is that matches, and whatever became of the others: the
 * order of MX records of one preference is that of chance. It is a void lookup
 * when hosts were asked for and none has an address. */
static enum spf_step
judge_hosts(struct spf_check *check, struct spf_look *look)
{
    struct spf_asked *open = NULL, *failed = NULL;
    bool has_address = false;
    for (size_t i = 0; i < look->host_count; i++) {
        struct spf_asked *host = look->hosts[i];
        if (!spf_is_answered(host)) {
            open = open == NULL ? host : open;
            continue;
        }
        if (spf_has_client(check, host, look->term.cidr4, look->term.cidr6)) {
            spf_trace(check, &look->term, host, "matches");
            return match(check);
        }
        if (mfx_dns_rc(spf_answer(host)) == MFX_TEMPFAIL)
            failed = host;
        has_address = has_address || !spf_is_void(host);
    }
    if (open != NULL)
        return wait_for(check, open);
    for (size_t i = 0; i < look->host_count; i++)
        spf_trace(check, &look->term, look->hosts[i], "does not match");
    if (failed != NULL)
        return fail_look(check, failed);
    return has_address || look->host_count == 0 ? no_match(check)
                                                : no_match_void(check);
}

static enum spf_step
judge_mx(struct spf_check *check, struct spf_look *look)
{
    if (look->are_hosts_judged) /* not for the first time */
        return judge_hosts(check, look);
    spf_trace(check, &look->term, look->asked, "");
    if (spf_answer(look->asked)->count > SPF_HOSTS)
        return give_up_at(check, MFX_SPF_PERMERROR, "more than 10 MX hosts");
    if (!look->are_hosts_asked)
        spf_look_hosts(check, look);
    look->are_hosts_judged = true;
    return judge_hosts(check, look);
}

static enum spf_step
at_look(struct spf_check *check)
{
    struct spf_look *look = check->look;
    if (look->is_unusable) {
        spf_trace(check, &look->term, NULL, "no name to look up");
        return no_match(check);
    }
    if (!spf_is_answered(look->asked))
        return wait_for(check, look->asked);
    enum mfx_rc rc = mfx_dns_rc(spf_answer(look->asked));
    if (rc == MFX_OK && look->term.kind == MFX_SPF_MX)
        return judge_mx(check, look);
    bool is_match =
        rc == MFX_OK && (look->term.kind == MFX_SPF_EXISTS ||
                         spf_has_client(check, look->asked, look->term.cidr4,
                                        look->term.cidr6));
    spf_trace(check, &look->term, look->asked,
              is_match ? "matches" : "does not match");
    if (is_match)
        return match(check);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        return fail_look(check, look->asked);
    return rc == MFX_OK ? no_match(check) : no_match_void(check);
}

static enum spf_step
at_ptr(struct spf_check *check)
{
    struct spf_look *look = check->look;
    if (look->is_unusable)
        return no_match(check);
    if (spf_names_read(check, look->target) == SPF_WAITS)
        return SPF_WAITS;
    bool is_match = spf_names_match(check, look->target);
    spf_trace(check, &look->term, NULL,
              is_match ? "matches" : "does not match");
    if (is_match)
        return match(check);
    return spf_is_void(check->names.asked) ? no_match_void(check)
                                           : no_match(check);
}

/* --- the check --- */

static enum spf_step
step(struct spf_check *check)
{
    switch (check->state) {
    case SPF_AT_TERMS:
        return at_terms(check);
    case SPF_AT_TARGET:
        return at_target(check);
    case SPF_AT_RECORD:
        return at_record(check);
    case SPF_AT_LOOK:
        return at_look(check);
    case SPF_AT_PTR:
        return at_ptr(check);
    case SPF_AT_EXPLAIN:
        return spf_explain_name(check);
    case SPF_AT_TEXT:
        return spf_explain_text(check);
    case SPF_DECIDED:
        break;
    }
    return SPF_WAITS;
}

static void
advance(struct spf_check *check)
{
    spf_trace_times(check);
    while (check->state != SPF_DECIDED && step(check) == SPF_GOES_ON)
        spf_trace_times(check);
    if (check->state != SPF_DECIDED)
        spf_ahead(check);
}

/* A fail stays one when only its explanation is late. */
static void
stop(struct spf_check *check, const char *what)
{
    if (check->state == SPF_AT_EXPLAIN || check->state == SPF_AT_TEXT)
        check->state = SPF_DECIDED;
    if (check->state != SPF_DECIDED)
        (void)give_up(check, MFX_SPF_TEMPERROR, check->waiting->name, what,
                      mfx_str(NULL, 0));
}

static void
release_questions(void *arg)
{
    const struct spf_check *check = arg;
    for (struct spf_asked *a = check->asked; a != NULL; a = a->next)
        mfx_dns_question_release(a->question);
}

static struct spf_check *
new_check(struct mfx_arena *arena, const struct mfx_env *env,
          const struct mfx_spf_config *config,
          const struct mfx_spf_request *request)
{
    struct spf_check *check = mfx_arena_alloc(arena, sizeof *check);
    if (check == NULL)
        return NULL;
    check->base.engine = mfx_spf_engine_own();
    check->arena = arena;
    check->env = env;
    check->config = *config;
    check->ip = request->ip;
    check->receiver = mfx_arena_copy(arena, request->receiver);
    check->deadline_ms = env->mono_ms(env) + config->time_ms;
    check->asked_end = &check->asked;
    check->looks_end = &check->looks;
    check->pages_end = &check->pages;
    check->outcome.identity = request->identity;
    check->outcome.result = MFX_SPF_TEMPERROR;
    return mfx_arena_defer(arena, release_questions, check) ? check : NULL;
}

static struct mfx_spf_check *
own_begin(struct mfx_arena *arena, const struct mfx_env *env,
          const struct mfx_spf_config *config,
          const struct mfx_spf_request *request)
{
    static const struct mfx_spf_term first = {.kind = MFX_SPF_UNKNOWN};
    struct spf_check *check = new_check(arena, env, config, request);
    if (check == NULL)
        return NULL;
    enum mfx_rc rc = mfx_spf_subject_make(request, arena, &check->subject);
    if (rc == MFX_TEMPFAIL)
        return NULL;
    check->outcome.domain = check->subject.domain;
    check->outcome.local = check->subject.local;
    if (rc == MFX_NOTFOUND) {
        check->outcome.problem = mfx_str_of(check->subject.problem);
        decide(check, MFX_SPF_NONE, mfx_str(NULL, 0));
        return &check->base;
    }
    check->look = spf_look_new(check, &first, NULL);
    if (check->look == NULL)
        return NULL;
    check->state = SPF_AT_RECORD;
    advance(check);
    return &check->base;
}

static size_t
own_events(struct mfx_spf_check *base, struct mfx_event **events, size_t max)
{
    struct spf_check *check = (struct spf_check *)base;
    size_t count = 0;
    if (check->state != SPF_DECIDED)
        advance(check);
    if (check->state != SPF_DECIDED &&
        check->env->mono_ms(check->env) >= check->deadline_ms)
        stop(check, "not answered within the time limit");
    if (check->state == SPF_DECIDED)
        return 0;
    events[count++] = mfx_dns_question_event(check->waiting->question);
    for (struct spf_asked *a = check->asked; a != NULL && count < max;
         a = a->next)
        if (a != check->waiting && !spf_is_answered(a))
            events[count++] = mfx_dns_question_event(a->question);
    return count;
}

static uint64_t
own_deadline_ms(const struct mfx_spf_check *base)
{
    return ((const struct spf_check *)base)->deadline_ms;
}

static const struct mfx_spf_outcome *
own_finish(struct mfx_spf_check *base)
{
    struct spf_check *check = (struct spf_check *)base;
    if (check->state != SPF_DECIDED)
        advance(check);
    stop(check, "not answered in time");
    spf_trace_rest(check);
    check->outcome.lookups = check->lookups;
    check->outcome.voids = check->voids;
    check->outcome.queries = check->queries;
    return &check->outcome;
}

const struct mfx_spf_engine_ops *
mfx_spf_engine_own(void)
{
    static const struct mfx_spf_engine_ops ops = {
        .begin = own_begin,
        .events = own_events,
        .deadline_ms = own_deadline_ms,
        .finish = own_finish,
    };
    return &ops;
}
