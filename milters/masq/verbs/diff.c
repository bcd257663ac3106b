/* SPDX-License-Identifier: BSD-2-Clause
 *
 * diff - what would become of a stored message, decided by the daemon's code
 */
#include <mfx/mail/address.h>

#include "../../../tools/mfxctl/decided.h"
#include "situation.h"

enum {
    TO_MAX = 1000, /* recipients taken from To and Cc */
};

struct refusal {
    struct mfx_str address;
    struct mfx_decision decision;
    struct refusal *next;
};

struct work {
    const struct verb_run *run;
    struct situation *s;
    bool is_verbose;
    struct mfx_connection connection;
    struct mfx_message message;
    struct mfx_decision decision;
    struct masq_message state;
    struct refusal *refusals, *last_refusal;
};

static bool
wait_here(struct mfx_event *event, uint64_t until_ms)
{
    return mfx_event_wait(event, until_ms);
}

/* --- the envelope --- */

static struct mfx_str
with_brackets(const struct work *w, struct mfx_str path)
{
    return path.len > 0 && path.p[0] == '<'
               ? path
               : mfx_arena_printf(w->run->arena, "<%.*s>", MFX_STR_ARG(path));
}

static struct mfx_str
without_brackets(struct mfx_str path)
{
    return path.len >= 2 && path.p[0] == '<' && path.p[path.len - 1] == '>'
               ? mfx_str(path.p + 1, path.len - 2)
               : path;
}

static void
take_sender(struct work *w)
{
    struct mfx_message *m = &w->message;
    m->sender_raw =
        with_brackets(w, w->s->sender != NULL
                             ? mfx_str_of(w->s->sender)
                             : verb_guess_sender(w->run, &w->message.headers));
    m->sender = without_brackets(m->sender_raw);
}

/* Refused ones are no recipients of the message. */
static bool
take_recipient(struct work *w, struct mfx_str path)
{
    struct mfx_message *m = &w->message;
    struct mfx_recipient *r = mfx_arena_alloc(m->arena, sizeof *r);
    struct refusal *refusal = mfx_arena_alloc(m->arena, sizeof *refusal);
    if (r == NULL || refusal == NULL)
        return false;
    r->raw = with_brackets(w, path);
    r->address = without_brackets(r->raw);
    masq_message_take_recipient(m, &w->state, r);
    if (m->decision->verdict < MFX_VERDICT_TEMPFAIL) {
        m->recipient_count++;
        return true;
    }
    *refusal = (struct refusal){.address = r->address, .decision = w->decision};
    if (w->last_refusal == NULL)
        w->refusals = refusal;
    else
        w->last_refusal->next = refusal;
    w->last_refusal = refusal;
    mfx_decision_init(&w->decision, m->arena);
    return true;
}

static bool
take_field(struct work *w, const char *name)
{
    struct mfx_address_list list;
    for (const struct mfx_header *h =
             mfx_headers_first(&w->message.headers, mfx_str_of(name));
         h != NULL; h = h->same_next) {
        enum mfx_rc rc =
            mfx_address_list_parse(h->value, w->run->arena, TO_MAX, &list);
        if (rc == MFX_TEMPFAIL)
            return false;
        for (size_t i = 0; i < list.count; i++)
            if (!take_recipient(w, list.mailboxes[i].raw))
                return false;
    }
    return true;
}

static int
take_recipients(struct work *w, const struct verb_values *given)
{
    bool is_good = true;
    for (size_t i = 0; i < given->count && is_good; i++)
        is_good = take_recipient(w, mfx_str_of(given->items[i]));
    if (given->count == 0)
        is_good = take_field(w, "To") && take_field(w, "Cc");
    return is_good ? EXIT_OK : verb_fail(w->run, EXIT_SYSTEM, "out of memory");
}

/* --- the message --- */

static int
make_message(struct work *w, const char *path)
{
    const struct situation *s = w->s;
    struct mfx_message *m = &w->message;
    struct mfx_str bytes, body;
    int status = verb_read(w->run, path, &bytes);
    if (status != EXIT_OK)
        return status;
    w->connection = (struct mfx_connection){
        .arena = w->run->arena,
        .decision = &w->decision,
        .client_name = mfx_str_of(s->client_name),
        .client_ip = s->client_ip,
        .mta_name = mfx_str_of(s->mta_name),
        .daemon_name = mfx_str_of(s->daemon_name),
        .env = s->loaded->env,
        .policy = s->loaded->policy,
    };
    m->arena = w->run->arena;
    m->connection = &w->connection;
    m->decision = &w->decision;
    m->env = s->loaded->env;
    m->policy = s->loaded->policy;
    m->login = mfx_str_of(s->login);
    m->origin = s->origin;
    m->state = &w->state;
    w->state.wait = wait_here;
    mfx_decision_init(&w->decision, m->arena);
    if (mfx_message_split(bytes, m->arena, &m->headers, &body) != MFX_OK)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    m->body_bytes = body.len;
    return EXIT_OK;
}

static bool
is_refused(const struct mfx_decision *d)
{
    return d->verdict >= MFX_VERDICT_TEMPFAIL;
}

static int
exit_for(const struct mfx_decision *d)
{
    if (d->verdict == MFX_VERDICT_TEMPFAIL)
        return EXIT_TEMP;
    return d->verdict == MFX_VERDICT_REJECT ? EXIT_NO : EXIT_OK;
}

/* --- in words --- */

static void
print_edit(const struct work *w, const struct mfx_edit *e)
{
    if (e->kind == MFX_EDIT_SENDER)
        (void)printf("sender %s -> %s\n", verb_utf8(w->run, w->message.sender),
                     verb_utf8(w->run, e->value));
    else /* recipients: by their list */
        verb_print_field_edit(w->run, e);
}

static void
print_recipients(const struct work *w)
{
    for (const struct masq_recipient *r = w->state.recipients; r != NULL;
         r = r->next)
        if (r->is_changed)
            (void)printf("recipient %s -> %s%s\n",
                         verb_utf8(w->run, r->received->address),
                         verb_utf8(w->run, situation_text(w->run, &r->address)),
                         r->is_duplicate ? ", who gets it already" : "");
}

static void
print_refusal(const struct work *w, const struct mfx_decision *d)
{
    (void)printf("%s: %u %s %s\n",
                 d->verdict == MFX_VERDICT_TEMPFAIL ? "deferred" : "refused",
                 d->code, verb_utf8(w->run, d->enhanced),
                 verb_utf8(w->run, d->text));
}

static void
print_trace(const struct work *w, const struct mfx_decision *d)
{
    for (const struct mfx_decision_note *n = d->trace; n != NULL; n = n->next)
        (void)printf("  %s: %s\n", n->key, verb_utf8(w->run, n->text));
}

/* What could not be asked is told in any case. */
static void
print_outage(const struct work *w)
{
    for (const struct mfx_decision_note *n = w->decision.trace; n != NULL;
         n = n->next)
        if (strcmp(n->key, "lookup") == 0)
            (void)printf("%s\n", verb_utf8(w->run, n->text));
}

static void
print_text(const struct work *w)
{
    const struct mfx_decision *d = &w->decision;
    for (const struct refusal *r = w->refusals; r != NULL; r = r->next) {
        (void)printf("recipient %s ", verb_utf8(w->run, r->address));
        print_refusal(w, &r->decision);
    }
    for (const struct mfx_edit *e = d->edits; e != NULL && !is_refused(d);
         e = e->next)
        print_edit(w, e);
    if (is_refused(d))
        print_refusal(w, d);
    else
        print_recipients(w);
    (void)printf("%s%s%s\n", d->event == NULL ? "" : d->event,
                 d->event == NULL ? "" : ": ", verb_utf8(w->run, d->reason));
    if (!w->is_verbose) {
        print_outage(w);
        return;
    }
    (void)printf("because:\n  mail: %s\n", w->s->is_ours ? "ours" : "not ours");
    for (const struct refusal *r = w->refusals; r != NULL; r = r->next)
        print_trace(w, &r->decision);
    print_trace(w, d);
}

/* --- as JSON --- */

static json_t *
recipients_json(const struct work *w)
{
    json_t *list = json_array();
    bool is_passed = !is_refused(&w->decision);
    for (const struct masq_recipient *r = w->state.recipients; r != NULL;
         r = r->next) {
        json_t *o = json_object();
        struct mfx_str to = r->is_changed && is_passed
                                ? situation_text(w->run, &r->address)
                                : r->received->address;
        (void)json_object_set_new(o, "from", verb_json(r->received->address));
        (void)json_object_set_new(o, "to", verb_json(to));
        (void)json_object_set_new(o, "merged",
                                  json_boolean(r->is_duplicate && is_passed));
        (void)json_array_append_new(list, o);
    }
    for (const struct refusal *r = w->refusals; r != NULL; r = r->next) {
        json_t *o = json_object();
        (void)json_object_set_new(o, "from", verb_json(r->address));
        (void)json_object_set_new(o, "to", json_null());
        (void)json_object_set_new(o, "refused", verb_reply_json(&r->decision));
        (void)json_object_set_new(o, "trace",
                                  verb_notes_json(r->decision.trace));
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *
sender_json(const struct work *w)
{
    json_t *o = json_object();
    struct mfx_str to = w->message.sender;
    for (const struct mfx_edit *e = w->decision.edits; e != NULL; e = e->next)
        if (e->kind == MFX_EDIT_SENDER && !is_refused(&w->decision))
            to = e->value;
    (void)json_object_set_new(o, "from", verb_json(w->message.sender));
    (void)json_object_set_new(o, "to", verb_json(to));
    return o;
}

static void
print_json(const struct work *w)
{
    const struct mfx_decision *d = &w->decision;
    json_t *o = json_object();
    (void)json_object_set_new(o, "verdict",
                              json_string(mfx_verdict_name(d->verdict)));
    (void)json_object_set_new(o, "ours", json_boolean(w->s->is_ours));
    if (is_refused(d))
        (void)json_object_set_new(o, "refused", verb_reply_json(d));
    (void)json_object_set_new(o, "event",
                              json_string(d->event == NULL ? "" : d->event));
    (void)json_object_set_new(o, "reason", verb_json(d->reason));
    (void)json_object_set_new(o, "sender", sender_json(w));
    (void)json_object_set_new(o, "recipients", recipients_json(w));
    (void)json_object_set_new(
        o, "fields", is_refused(d) ? json_array() : verb_fields_json(d));
    (void)json_object_set_new(o, "trace", verb_notes_json(d->trace));
    verb_print_json(o);
}

/* --- the command --- */

/* A message whose recipients are all refused does not come to its end. */
static int
decide(struct work *w)
{
    if (w->message.recipient_count == 0 && w->refusals != NULL)
        w->decision = w->last_refusal->decision;
    else
        masq_message_decide(&w->message, &w->state);
    if (!mfx_arena_ok(w->run->arena))
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    if (w->run->as_json)
        print_json(w);
    else
        print_text(w);
    return exit_for(&w->decision);
}

static int
show(struct work *w, const char *path, const struct verb_values *recipients)
{
    int status = make_message(w, path);
    if (status == EXIT_OK) {
        take_sender(w);
        status = take_recipients(w, recipients);
    }
    return status == EXIT_OK ? decide(w) : status;
}

int
verb_diff(struct verb_run *run, int argc, char **argv)
{
    struct situation s = {0};
    struct work w = {.run = run, .s = &s};
    int first;
    const struct verb_option options[] = {
        {"verbose", 'v', NULL, &w.is_verbose},
        SITUATION_OPTIONS(s),
        {NULL,      0,   NULL, NULL         },
    };
    struct verb_values lists[] = {{.value = &s.recipient}, {0}};
    enum verb_parse parse =
        verb_options_lists(run, options, lists, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (argc - first != 1)
        return verb_wrong(run, "one FILE, or \"-\" for stdin");
    int status = situation_load(run, &s);
    if (status == EXIT_OK)
        status = show(&w, argv[first], &lists[0]);
    mfx_headers_fini(&w.message.headers);
    situation_fini(&s);
    return status;
}
