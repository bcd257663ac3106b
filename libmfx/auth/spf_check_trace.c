/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/spf_check.h>

enum {
    STEPS_FIRST = 16,
    STEPS_MAX = 512,
    ANSWER_MAX = 300,
};

static struct mfx_spf_step *
new_step(struct spf_check *check)
{
    struct mfx_spf_outcome *outcome = &check->outcome;
    if (outcome->step_count >= STEPS_MAX)
        return NULL;
    if (outcome->step_count == check->step_room) {
        size_t more =
            check->step_room == 0 ? STEPS_FIRST : 2 * check->step_room;
        struct mfx_spf_step *steps =
            mfx_arena_alloc_array(check->arena, more, sizeof *steps);
        if (steps == NULL)
            return NULL;
        if (check->step_room > 0)
            memcpy(steps, check->steps, check->step_room * sizeof *steps);
        check->steps = steps;
        check->step_room = more;
        outcome->steps = steps;
    }
    return &check->steps[outcome->step_count++];
}

static void
add_record(struct mfx_buf *out, const struct mfx_dns_record *record)
{
    char ip[MFX_IP_TEXT];
    if (record->ip.family != MFX_IP_NONE) {
        mfx_buf_add_text(out, mfx_ip_format(&record->ip, ip));
        return;
    }
    if (record->type == MFX_DNS_MX)
        mfx_buf_printf(out, "%u ", record->preference);
    mfx_buf_add(out, mfx_str_head(record->text, ANSWER_MAX));
}

static struct mfx_str
answer_text(struct spf_check *check, const struct mfx_dns_answer *answer)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, check->arena, 4 * ANSWER_MAX);
    for (size_t i = 0; i < answer->count && out.len < ANSWER_MAX; i++) {
        if (i > 0)
            mfx_buf_add_byte(&out, ' ');
        add_record(&out, &answer->records[i]);
    }
    return mfx_str_head(mfx_buf_str(&out), ANSWER_MAX);
}

void
spf_trace(struct spf_check *check, const struct mfx_spf_term *term,
          struct spf_asked *asked, const char *note)
{
    if (!check->config.wants_trace)
        return;
    struct mfx_spf_step *step = new_step(check);
    unsigned depth = check->depth;
    while (depth > 0 && check->frames[depth].page == NULL)
        depth--;
    const struct spf_page *page = check->frames[depth].page;
    if (step == NULL)
        return;
    if (asked != NULL && asked->page != NULL) {
        page = asked->page;
        term = asked->term;
    }
    *step = (struct mfx_spf_step){
        .depth = page == NULL ? 0 : page->hops,
        .domain = page == NULL ? check->subject.domain : page->domain,
        .term = term == NULL ? mfx_str_of("") : term->text,
        .lookups_after = check->lookups,
        .voids_after = check->voids,
        .note = mfx_str_of(note),
    };
    if (asked == NULL)
        return;
    spf_trace_times(check); /* answered at once */
    asked->is_traced = true;
    const struct mfx_dns_answer *answer = spf_answer(asked);
    step->type = asked->type;
    step->question = asked->name;
    step->status = answer->status;
    step->answer = answer_text(check, answer);
    step->took_ms = asked->answered_ms - asked->asked_ms;
    step->is_void = spf_is_void(asked);
}

void
spf_trace_once(struct spf_check *check, const struct mfx_spf_term *term,
               struct spf_asked *asked, const char *note)
{
    if (asked != NULL && !asked->is_traced)
        spf_trace(check, term, asked, note);
}

void
spf_trace_rest(struct spf_check *check)
{
    if (!check->config.wants_trace)
        return;
    uint64_t now_ms = check->env->mono_ms(check->env);
    spf_trace_times(check);
    for (struct spf_asked *a = check->asked; a != NULL; a = a->next) {
        bool is_answered = a->answered_ms != 0;
        if (!is_answered)
            a->answered_ms = now_ms;
        spf_trace_once(check, NULL, a,
                       is_answered ? "not needed" : "not answered");
    }
}

void
spf_trace_void(struct spf_check *check)
{
    size_t count = check->outcome.step_count;
    if (count > 0)
        check->steps[count - 1].voids_after = check->voids;
}

void
spf_trace_times(struct spf_check *check)
{
    if (!check->config.wants_trace)
        return;
    uint64_t now_ms = check->env->mono_ms(check->env);
    for (struct spf_asked *a = check->asked; a != NULL; a = a->next)
        if (a->answered_ms == 0 && spf_is_answered(a))
            a->answered_ms = now_ms;
}
