/* SPDX-License-Identifier: BSD-2-Clause */
#include "scan.h"

#include <inttypes.h>
#include <stdlib.h>

#include "../../../tools/mfxctl/decided.h"
#include "../judging.h"

enum {
    SYMBOL_COLUMNS = 32,
};

/* --- an engine's answer, in words --- */

static int64_t
thousandths(double score)
{
    if (!(score < 1e9 && score > -1e9)) /* NaN too */
        return MFX_DECIMAL_NONE;
    return (int64_t)(score * 1000 + (score < 0 ? -0.5 : 0.5));
}

static int
by_weight(const void *a, const void *b)
{
    const struct mfx_scan_symbol *const *x = a, *const *y = b;
    double v = (*x)->score < 0 ? -(*x)->score : (*x)->score;
    double w = (*y)->score < 0 ? -(*y)->score : (*y)->score;
    if (v != w)
        return v > w ? -1 : 1;
    return mfx_str_compare((*x)->name, (*y)->name);
}

static void
print_symbol(const struct verb_run *run, const struct mfx_scan_symbol *s)
{
    bool has_more = s->description.len > 0 || s->option_count > 0;
    (void)printf("    %8s %-*s",
                 s->has_score ? score_verb_decimal(run, thousandths(s->score))
                              : "",
                 has_more ? SYMBOL_COLUMNS : 0, verb_text(run, s->name));
    if (s->description.len > 0)
        (void)printf(" %s", verb_text(run, s->description));
    for (size_t i = 0; i < s->option_count; i++)
        (void)printf("%s%s", i == 0 ? " [" : ", ",
                     verb_text(run, s->options[i]));
    (void)printf("%s\n", s->option_count > 0 ? "]" : "");
}

/* What weighs most comes first. */
static void
print_symbols(const struct verb_run *run, const struct mfx_scan_result *r)
{
    const struct mfx_scan_symbol **sorted =
        mfx_arena_alloc_array(run->arena, r->symbol_count + 1, sizeof(void *));
    if (sorted == NULL)
        return;
    for (size_t i = 0; i < r->symbol_count; i++)
        sorted[i] = &r->symbols[i];
    qsort(sorted, r->symbol_count, sizeof(void *), by_weight);
    for (size_t i = 0; i < r->symbol_count; i++)
        print_symbol(run, sorted[i]);
}

static void
print_score(const struct verb_run *run, const struct score_run *q)
{
    const struct mfx_scan_result *r = q->result;
    (void)printf("    score %s of %s",
                 score_verb_decimal(run, thousandths(r->score)),
                 score_verb_decimal(run, thousandths(r->required_score)));
    if (r->action_word.len > 0)
        (void)printf(", it says \"%s\"", verb_text(run, r->action_word));
    else if (r->is_spam)
        (void)printf(", it says spam");
    if (q->has_score)
        (void)printf("; counts %s%s\n", score_verb_decimal(run, q->score),
                     q->engine->is_shadow ? " if it counted" : "");
    else
        (void)printf("; does not count\n");
}

static void
print_answer(const struct verb_run *run, const struct score_run *q)
{
    const struct mfx_scan_result *r = q->result;
    if (r->is_partial)
        (void)printf("    looked at the first part of it alone\n");
    if (r->is_skipped)
        (void)printf("    did not look at it, by its own rules\n");
    if (r->has_score)
        print_score(run, q);
    if (r->virus.len > 0)
        (void)printf("    found %s (%s%s)\n", verb_text(run, r->virus),
                     mfx_scan_class_name(r->klass),
                     r->is_unofficial ? ", unofficial" : "");
    else if (score_engine_is_for_viruses(q->engine))
        (void)printf("    found nothing\n");
    if (r->reply_text.len > 0)
        (void)printf("    it says: %s\n", verb_text(run, r->reply_text));
    print_symbols(run, r);
}

static void
print_run(const struct verb_run *run, const struct score_run *given)
{
    const struct score_run q = score_verb_scan_run(given);
    const struct mfx_scan_result *r = q.result;
    (void)printf("%s", verb_text(run, q.engine->name));
    if (q.user.len > 0)
        (void)printf(" for %s", verb_text(run, q.user));
    (void)printf("%s: ", q.engine->is_shadow ? " (in the shadow)" : "");
    if (r == NULL) {
        (void)printf("not asked\n");
        return;
    }
    (void)printf("%s", mfx_scan_end_name(r->end));
    if (r->server.len > 0)
        (void)printf(" by %s", verb_text(run, r->server));
    (void)printf(" after %" PRIu64 " ms", r->took_ms);
    if (r->tries > 1)
        (void)printf(", %u tries", r->tries);
    (void)printf("%s%s\n", r->words.len > 0 ? ": " : "",
                 verb_text(run, r->words));
    if (r->end == MFX_SCAN_ANSWERED && q.unscanned != NULL)
        (void)printf("    no answer for us: %s\n", q.unscanned);
    else if (r->end == MFX_SCAN_ANSWERED)
        print_answer(run, &q);
}

/* --- what would be done, in words --- */

static void
print_recipients(const struct verb_run *run, const struct score_verdict *v)
{
    bool differ = v->recipients_differ;
    for (size_t i = 0; i < v->recipient_count; i++)
        differ = differ || v->recipients[i].profile->name.p !=
                               v->recipients[0].profile->name.p;
    for (size_t i = 0; i < v->recipient_count && differ; i++) {
        const struct score_for *r = &v->recipients[i];
        (void)printf(
            "for %s (%s): %s%s\n", verb_utf8(run, r->recipient->address),
            verb_text(run, r->profile->name), score_action_name(r->wish.action),
            r->is_removed ? ", does not get it" : "");
    }
}

static void
print_total(const struct verb_run *run, const struct score_verdict *v)
{
    if (!v->has_score)
        return;
    (void)printf("total %s", score_verb_decimal(run, v->score));
    if (v->required != MFX_DECIMAL_NONE)
        (void)printf(", spam from %s on", score_verb_decimal(run, v->required));
    (void)printf("%s\n", v->is_sealed ? "; a seal came with it" : "");
}

static void
print_reply(const struct verb_run *run, const char *word,
            const struct mfx_decision *d)
{
    (void)printf("would be %s: %u %s %s (%s)\n", word, d->code,
                 verb_text(run, d->enhanced), verb_text(run, d->text),
                 verb_text(run, d->reason));
}

static void
print_action(const struct verb_run *run, const struct score_verdict *v,
             const struct mfx_decision *d)
{
    static const char *const words[] = {
        [SCORE_ACTION_NONE] = "pass",
        [SCORE_ACTION_TAG] = "be tagged",
        [SCORE_ACTION_SUBJECT] = "be tagged, its subject too",
        [SCORE_ACTION_HOLD] = "be held",
        [SCORE_ACTION_REDIRECT] = "be redirected",
        [SCORE_ACTION_DISCARD] = "be thrown away",
    };
    const char *reason = verb_text(run, v->reason);
    if (d->verdict == MFX_VERDICT_TEMPFAIL)
        print_reply(run, "deferred", d);
    else if (d->verdict == MFX_VERDICT_REJECT)
        print_reply(run, "refused", d);
    else
        (void)printf("would %s%s%s\n", words[v->done.action],
                     reason[0] != '\0' ? ": " : "", reason);
    if (v->wants_greylist)
        (void)printf("but deferred for greylisting, when it is first seen\n");
    if (v->unscanned.len > 0)
        (void)printf("not looked at by %s\n", verb_text(run, v->unscanned));
}

static void
print_edit(const struct verb_run *run, const struct mfx_message *m,
           const struct mfx_edit *e)
{
    switch (e->kind) {
    case MFX_EDIT_INSERT_HEADER:
    case MFX_EDIT_CHANGE_HEADER:
    case MFX_EDIT_DELETE_HEADER:
        verb_print_field_edit(run, e);
        return;
    case MFX_EDIT_SENDER:
        (void)printf("sender %s -> %s\n", verb_utf8(run, m->sender),
                     verb_utf8(run, e->value));
        return;
    case MFX_EDIT_ADD_RECIPIENT:
        (void)printf("recipient + %s\n", verb_utf8(run, e->value));
        return;
    case MFX_EDIT_DELETE_RECIPIENT:
        (void)printf("recipient - %s\n", verb_utf8(run, e->value));
        return;
    case MFX_EDIT_BODY:
        (void)printf("the body is another, of %zu octets\n", e->value.len);
        return;
    }
}

static void
print_text(const struct verb_run *run, bool is_verbose,
           const struct mfx_message *m)
{
    const struct score_message *q = m->state;
    const struct mfx_decision *d = m->decision;
    for (size_t i = 0; q != NULL && i < q->run_count; i++)
        print_run(run, &q->runs[i]);
    if (q != NULL && q->skipped != NULL) {
        (void)printf("not looked at: %s\n", q->skipped);
    } else if (q != NULL && q->has_verdict) {
        print_total(run, &q->verdict);
        print_recipients(run, &q->verdict);
        print_action(run, &q->verdict, d);
    } else {
        print_reply(run, "deferred", d);
    }
    for (const struct mfx_edit *e = d->edits;
         e != NULL && d->verdict < MFX_VERDICT_DISCARD; e = e->next)
        print_edit(run, m, e);
    if (d->is_dry)
        (void)printf(
            "but mode is \"dry-run\" or \"shadow\": nothing is done\n");
    for (const struct mfx_decision_note *n = d->trace; n != NULL && is_verbose;
         n = n->next)
        (void)printf("  %s: %s\n", n->key, verb_utf8(run, n->text));
}

/* --- as JSON --- */

static void
put(json_t *o, const char *name, struct mfx_str text)
{
    (void)json_object_set_new(o, name, verb_json(text));
}

static void
put_word(json_t *o, const char *name, const char *text)
{
    (void)json_object_set_new(o, name,
                              text == NULL ? json_null() : json_string(text));
}

static void
put_flag(json_t *o, const char *name, bool value)
{
    (void)json_object_set_new(o, name, json_boolean(value));
}

static void
put_score(json_t *o, const char *name, bool has_score, double score)
{
    (void)json_object_set_new(o, name,
                              score_verb_decimal_json(has_score
                                                          ? thousandths(score)
                                                          : MFX_DECIMAL_NONE));
}

static json_t *
texts_json(const struct mfx_str *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, verb_json(items[i]));
    return list;
}

static json_t *
symbols_json(const struct mfx_scan_result *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->symbol_count; i++) {
        const struct mfx_scan_symbol *s = &r->symbols[i];
        json_t *o = json_object();
        put(o, "name", s->name);
        put_score(o, "score", s->has_score, s->score);
        put(o, "description", s->description);
        (void)json_object_set_new(o, "options",
                                  texts_json(s->options, s->option_count));
        (void)json_array_append_new(list, o);
    }
    return list;
}

static void
put_answer(json_t *o, const struct score_run *q)
{
    const struct mfx_scan_result *r = q->result;
    put_flag(o, "partial", r->is_partial);
    put_flag(o, "skipped", r->is_skipped);
    put_flag(o, "spam", r->is_spam);
    put_score(o, "score", r->has_score, r->score);
    put_score(o, "required", r->has_score, r->required_score);
    put(o, "action", r->action_word);
    put(o, "virus", r->virus);
    put_word(o, "class", mfx_scan_class_name(r->klass));
    put_flag(o, "unofficial", r->is_unofficial);
    put(o, "text", r->reply_text);
    (void)json_object_set_new(o, "symbols", symbols_json(r));
}

static json_t *
run_json(const struct score_run *given)
{
    const struct score_run q = score_verb_scan_run(given);
    const struct mfx_scan_result *r = q.result;
    json_t *o = json_object();
    put(o, "engine", q.engine->name);
    put_word(o, "type", score_engine_type_name(q.engine->type));
    put_flag(o, "shadow", q.engine->is_shadow);
    put(o, "user", q.user);
    put_word(o, "end", r == NULL ? "not_asked" : mfx_scan_end_name(r->end));
    put_word(o, "unscanned", q.unscanned);
    (void)json_object_set_new(
        o, "counts",
        score_verb_decimal_json(q.has_score ? q.score : MFX_DECIMAL_NONE));
    if (r == NULL)
        return o;
    put(o, "why", r->words);
    put(o, "server", r->server);
    (void)json_object_set_new(o, "tries", json_integer(r->tries));
    (void)json_object_set_new(o, "took_ms",
                              json_integer((json_int_t)r->took_ms));
    if (r->end == MFX_SCAN_ANSWERED)
        put_answer(o, &q);
    return o;
}

static json_t *
recipients_json(const struct score_verdict *v)
{
    json_t *list = json_array();
    for (size_t i = 0; i < v->recipient_count; i++) {
        const struct score_for *r = &v->recipients[i];
        json_t *o = json_object();
        if (r->recipient != NULL)
            put(o, "address", r->recipient->address);
        put(o, "profile", r->profile->name);
        (void)json_object_set_new(
            o, "score",
            score_verb_decimal_json(r->has_score ? r->score
                                                 : MFX_DECIMAL_NONE));
        put_word(o, "action", score_action_name(r->wish.action));
        put_word(o, "cause", score_cause_name(r->wish.cause));
        put_flag(o, "removed", r->is_removed);
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *
envelope_json(const struct mfx_message *m)
{
    json_t *o = json_object(), *added = json_array(), *removed = json_array();
    for (const struct mfx_edit *e = m->decision->edits; e != NULL;
         e = e->next) {
        if (e->kind == MFX_EDIT_SENDER)
            put(o, "sender", e->value);
        else if (e->kind == MFX_EDIT_ADD_RECIPIENT)
            (void)json_array_append_new(added, verb_json(e->value));
        else if (e->kind == MFX_EDIT_DELETE_RECIPIENT)
            (void)json_array_append_new(removed, verb_json(e->value));
        else if (e->kind == MFX_EDIT_BODY)
            put(o, "body", e->value);
    }
    (void)json_object_set_new(o, "added_recipients", added);
    (void)json_object_set_new(o, "removed_recipients", removed);
    return o;
}

static void
put_verdict(json_t *o, const struct score_verdict *v)
{
    put_word(o, "action", score_action_name(v->done.action));
    put_word(o, "cause", score_cause_name(v->done.cause));
    put_word(o, "harshest", score_action_name(v->harshest.action));
    (void)json_object_set_new(
        o, "score",
        score_verb_decimal_json(v->has_score ? v->score : MFX_DECIMAL_NONE));
    (void)json_object_set_new(o, "required",
                              score_verb_decimal_json(v->required));
    put_flag(o, "spam", v->is_spam);
    put(o, "virus",
        v->virus == NULL ? mfx_str("", 0) : v->virus->result->virus);
    put(o, "unscanned", v->unscanned);
    put_flag(o, "greylist", v->wants_greylist);
    put_flag(o, "sealed", v->is_sealed);
    (void)json_object_set_new(o, "recipients", recipients_json(v));
}

static void
print_json(const struct mfx_message *m)
{
    const struct score_message *q = m->state;
    const struct mfx_decision *d = m->decision;
    json_t *o = json_object(), *runs = json_array();
    bool is_passed = d->verdict < MFX_VERDICT_DISCARD;
    put_word(o, "verdict", mfx_verdict_name(d->verdict));
    put(o, "reason", d->reason);
    put_flag(o, "dry", d->is_dry);
    put_flag(o, "outgoing", q != NULL && q->is_outgoing);
    put_word(o, "skipped", q == NULL ? NULL : q->skipped);
    if (q != NULL && q->has_verdict)
        put_verdict(o, &q->verdict);
    if (d->verdict >= MFX_VERDICT_TEMPFAIL)
        (void)json_object_set_new(o, "reply", verb_reply_json(d));
    for (size_t i = 0; q != NULL && i < q->run_count; i++)
        (void)json_array_append_new(runs, run_json(&q->runs[i]));
    (void)json_object_set_new(o, "engines", runs);
    (void)json_object_set_new(o, "fields",
                              is_passed ? verb_fields_json(d) : json_array());
    if (is_passed)
        (void)json_object_set_new(o, "envelope", envelope_json(m));
    (void)json_object_set_new(o, "trace", verb_notes_json(d->trace));
    verb_print_json(o);
}

void
score_verb_scan_show(const struct verb_run *run, bool is_verbose,
                     const struct mfx_message *m)
{
    if (run->as_json)
        print_json(m);
    else
        print_text(run, is_verbose, m);
}
