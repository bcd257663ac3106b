/* SPDX-License-Identifier: BSD-2-Clause
 *
 * test - what becomes of an address in each class, and by what
 */
#include "situation.h"

struct step {
    struct mfx_str by, why;
    struct masq_address from, to;
    struct step *next;
};

/* One address in one class. */
struct outcome {
    enum masq_class class;
    struct masq_address to;
    bool is_changed;
    const char *error; /* NULL: none */
    int status;
    struct step *steps, *last_step;
};

struct test {
    const struct verb_run *run;
    struct situation *s;
    bool classes[MASQ_CLASS_COUNT];
    struct masq_address sender; /* of --sender */
    bool has_sender;
    struct masq_address *recipients; /* of --recipient */
    size_t recipient_count;
    struct outcome *outcome;
};

static void
add_step(struct test *t, struct mfx_str by, struct mfx_str why,
         const struct masq_address *from, const struct masq_address *to)
{
    struct outcome *o = t->outcome;
    struct step *step = mfx_arena_alloc(t->run->arena, sizeof *step);
    if (step == NULL)
        return;
    *step = (struct step){.by = by, .why = why, .from = *from, .to = *to};
    if (o->last_step == NULL)
        o->steps = step;
    else
        o->last_step->next = step;
    o->last_step = step;
}

static void
note(void *arg, const struct masq_rule *rule, enum masq_class class,
     const struct masq_address *from, const struct masq_address *to,
     struct mfx_str why)
{
    (void)class;
    add_step(arg, rule->name, why, from, to);
}

static void
fail(struct test *t, enum mfx_rc rc, const char *text)
{
    t->outcome->error = mfx_arena_printf(t->run->arena, "%s", text).p;
    t->outcome->status = rc == MFX_PERMFAIL ? EXIT_NO : EXIT_TEMP;
}

/* --- rules --- */

static struct mfx_str *
recipient_domains(struct test *t)
{
    struct mfx_str *domains = mfx_arena_alloc_array(
        t->run->arena, t->recipient_count + 1, sizeof *domains);
    for (size_t i = 0; domains != NULL && i < t->recipient_count; i++)
        domains[i] = t->recipients[i].domain;
    return domains;
}

static void
apply_rules(struct test *t, struct masq_address *address)
{
    const struct masq_policy *policy = situation_policy(t->s);
    struct outcome *o = t->outcome;
    struct masq_facts facts = situation_facts(t->s);
    struct masq_rewriting r;
    struct masq_address to;
    struct mfx_err err = {""};
    facts.sender_domain =
        t->s->sender != NULL ? t->sender.domain : address->domain;
    struct mfx_str *domains = recipient_domains(t);
    if (domains == NULL) {
        fail(t, MFX_TEMPFAIL, "out of memory");
        return;
    }
    facts.recipient_domains = domains;
    facts.recipient_count = t->recipient_count;
    if (o->class == MASQ_ENVELOPE_RECIPIENT) {
        facts.recipient_domains = &address->domain;
        facts.recipient_count = 1;
    }
    enum mfx_rc rc = masq_rewriting_init(&r, policy->rules, policy->rule_count,
                                         &facts, t->run->arena, &err);
    r.note = note;
    r.note_arg = t;
    if (rc == MFX_OK)
        rc = masq_rewriting_address(&r, o->class, address, &to, &err);
    if (rc == MFX_OK)
        *address = to;
    else if (rc != MFX_NOTFOUND)
        fail(t, rc, err.msg);
}

/* --- SRS --- */

static uint64_t
now_s(const struct test *t)
{
    const struct mfx_env *env = t->s->loaded->env;
    return env->wall_s(env);
}

/* No store is opened: the short form of an address is found without it, what
 * was kept under a short form is not. */
static void
take_srs(struct test *t, struct masq_srs_call *call,
         struct masq_address *address, const char *why)
{
    struct masq_srs_answer answer = {0};
    struct mfx_err err = {""};
    struct masq_address short_form = call->to;
    enum mfx_rc rc = masq_srs_end(call, &answer, &err);
    if (rc == MFX_OK) {
        add_step(t, mfx_str_of("srs"), mfx_str_of(why), address, &answer.to);
        *address = answer.to;
    } else if (rc == MFX_PERMFAIL) {
        fail(t, rc,
             mfx_arena_printf(t->run->arena, "refused: 550 %s %s", answer.code,
                              answer.text)
                 .p);
    } else if (rc == MFX_TEMPFAIL &&
               t->outcome->class == MASQ_ENVELOPE_SENDER &&
               short_form.local.len > 0) {
        add_step(
            t, mfx_str_of("srs"),
            mfx_str_of("a short form, which the daemon keeps in its store"),
            address, &short_form);
        *address = short_form;
    } else if (rc == MFX_TEMPFAIL) {
        fail(t, rc, err.msg);
    }
}

static void
reverse_srs(struct test *t, struct masq_address *address)
{
    const struct masq_srs *srs = situation_policy(t->s)->srs;
    struct masq_srs_call call;
    masq_srs_begin_reverse(srs, NULL, address, now_s(t), t->run->arena, &call);
    take_srs(t, &call, address, "reversed");
}

static void
forward_srs(struct test *t, struct masq_address *address)
{
    const struct masq_srs *srs = situation_policy(t->s)->srs;
    struct masq_srs_call call;
    struct mfx_str where = {0};
    struct mfx_err err = {""};
    enum mfx_rc rc =
        masq_srs_may_forward(srs, address, t->run->arena, &where, &err);
    if (rc == MFX_OK && srs->forward != MASQ_SRS_ALL) {
        rc = MFX_NOTFOUND;
        for (size_t i = 0; i < t->recipient_count && rc == MFX_NOTFOUND; i++)
            rc = masq_srs_leaves(srs, &t->recipients[i], t->run->arena, &where,
                                 &err);
    }
    if (rc == MFX_OK) {
        masq_srs_begin_forward(srs, NULL, address, now_s(t), t->run->arena,
                               &call);
        take_srs(t, &call, address, mfx_arena_copy(t->run->arena, where).p);
    } else if (rc != MFX_NOTFOUND) {
        fail(t, rc, err.msg);
    }
}

static void
decide(struct test *t, const struct masq_address *address, struct outcome *o)
{
    const struct masq_srs *srs = situation_policy(t->s)->srs;
    t->outcome = o;
    o->to = *address;
    if (srs != NULL && o->class == MASQ_ENVELOPE_RECIPIENT)
        reverse_srs(t, &o->to);
    if (o->error == NULL)
        apply_rules(t, &o->to);
    if (o->error == NULL && srs != NULL && o->class == MASQ_ENVELOPE_SENDER)
        forward_srs(t, &o->to);
    o->is_changed = !mfx_str_eq(address->local, o->to.local) ||
                    !mfx_str_eq(address->domain, o->to.domain);
}

/* --- what is printed --- */

static void
print_outcome(const struct test *t, const struct outcome *o)
{
    const struct verb_run *run = t->run;
    (void)printf("  %-19s", masq_class_name(o->class));
    if (o->error != NULL)
        (void)printf("%s\n", verb_utf8(run, mfx_str_of(o->error)));
    else
        (void)printf("%s\n", !o->is_changed
                                 ? "stays"
                                 : verb_utf8(run, situation_text(run, &o->to)));
    for (const struct step *s = o->steps; s != NULL; s = s->next) {
        bool is_last = s->next == NULL && o->error == NULL;
        (void)printf("    by %s%s%s", verb_utf8(run, s->by),
                     s->why.len > 0 ? ", " : "", verb_utf8(run, s->why));
        if (!is_last || o->steps != s)
            (void)printf(": %s", verb_utf8(run, situation_text(run, &s->to)));
        (void)putchar('\n');
    }
}

static json_t *
outcome_json(const struct test *t, const struct outcome *o)
{
    json_t *steps = json_array(), *j = json_object();
    for (const struct step *s = o->steps; s != NULL; s = s->next) {
        json_t *step = json_object();
        (void)json_object_set_new(step, "by", verb_json(s->by));
        (void)json_object_set_new(step, "why", verb_json(s->why));
        (void)json_object_set_new(step, "to",
                                  verb_json(situation_text(t->run, &s->to)));
        (void)json_array_append_new(steps, step);
    }
    (void)json_object_set_new(j, "class",
                              json_string(masq_class_name(o->class)));
    if (o->error != NULL) {
        (void)json_object_set_new(j, "error", verb_json(mfx_str_of(o->error)));
    } else {
        (void)json_object_set_new(j, "to",
                                  verb_json(situation_text(t->run, &o->to)));
        (void)json_object_set_new(j, "changed", json_boolean(o->is_changed));
    }
    (void)json_object_set_new(j, "steps", steps);
    return j;
}

static int
test_one(struct test *t, const char *text, json_t *out)
{
    struct masq_address address;
    json_t *j = json_object(), *classes = json_array();
    int status = EXIT_OK;
    bool is_address = situation_address(t->run, text, &address) == MFX_OK;
    (void)json_object_set_new(j, "address", verb_json(mfx_str_of(text)));
    if (!t->run->as_json)
        (void)printf("%s%s\n", verb_utf8(t->run, mfx_str_of(text)),
                     is_address ? "" : ": no address");
    for (int c = 0; c < MASQ_CLASS_COUNT && is_address; c++) {
        struct outcome o = {.class = (enum masq_class)c};
        if (!t->classes[c])
            continue;
        decide(t, &address, &o);
        status = o.status > status ? o.status : status;
        (void)json_array_append_new(classes, outcome_json(t, &o));
        if (!t->run->as_json)
            print_outcome(t, &o);
    }
    if (!is_address)
        (void)json_object_set_new(j, "error", json_string("no address"));
    (void)json_object_set_new(j, "classes", classes);
    (void)json_array_append_new(out, j);
    return is_address ? status : EXIT_NO;
}

static int
test_all(struct test *t, char **texts, int count)
{
    const struct verb_run *run = t->run;
    json_t *addresses = json_array();
    int status = EXIT_OK;
    if (!run->as_json && !t->s->is_ours)
        (void)printf("in mail that is not ours:\n");
    for (int i = 0; i < count; i++) {
        int one = test_one(t, texts[i], addresses);
        status = one > status ? one : status;
    }
    json_t *all = json_object();
    (void)json_object_set_new(all, "ours", json_boolean(t->s->is_ours));
    (void)json_object_set_new(all, "addresses", addresses);
    if (run->as_json)
        verb_print_json(all);
    else
        json_decref(all);
    return status;
}

/* --- the command line --- */

static int
take_classes(struct test *t, const struct verb_values *names)
{
    for (int c = 0; c < MASQ_CLASS_COUNT; c++)
        t->classes[c] = names->count == 0;
    for (size_t i = 0; i < names->count; i++) {
        enum masq_class class;
        if (!masq_class_find(mfx_str_of(names->items[i]), &class))
            return verb_wrong(t->run,
                              "--class %s: envelope_sender, "
                              "envelope_recipient, header_sender, "
                              "header_recipient or message_id",
                              names->items[i]);
        t->classes[class] = true;
    }
    return EXIT_OK;
}

static int
take_envelope(struct test *t, const struct verb_values *recipients)
{
    const char *sender = t->s->sender;
    t->has_sender =
        sender != NULL && sender[0] != '\0' && strcmp(sender, "<>") != 0;
    if (t->has_sender &&
        situation_address(t->run, sender, &t->sender) != MFX_OK)
        return verb_wrong(t->run, "--sender %s: no address", sender);
    t->recipients = mfx_arena_alloc_array(t->run->arena, recipients->count + 1,
                                          sizeof *t->recipients);
    if (t->recipients == NULL)
        return verb_fail(t->run, EXIT_SYSTEM, "out of memory");
    for (size_t i = 0; i < recipients->count; i++)
        if (situation_address(t->run, recipients->items[i],
                              &t->recipients[t->recipient_count++]) != MFX_OK)
            return verb_wrong(t->run, "--recipient %s: no address",
                              recipients->items[i]);
    return EXIT_OK;
}

int
verb_test(struct verb_run *run, int argc, char **argv)
{
    struct situation s = {0};
    struct test t = {.run = run, .s = &s};
    const char *class = NULL;
    int first;
    const struct verb_option options[] = {
        {"class", 'C', &class, NULL},
        SITUATION_OPTIONS(s),
        {NULL,    0,   NULL,   NULL},
    };
    struct verb_values lists[] = {
        {.value = &class}, {.value = &s.recipient}, {0}};
    enum verb_parse parse =
        verb_options_lists(run, options, lists, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (first == argc)
        return verb_wrong(run, "an ADDRESS is needed");
    int status = take_classes(&t, &lists[0]);
    if (status == EXIT_OK)
        status = take_envelope(&t, &lists[1]);
    if (status == EXIT_OK)
        status = situation_load(run, &s);
    if (status == EXIT_OK)
        status = test_all(&t, argv + first, argc - first);
    situation_fini(&s);
    return status;
}
