/* SPDX-License-Identifier: BSD-2-Clause
 *
 * test_filter - a daemon on the harness that does what a test tells it
 *
 * Each setting "at.STAGE" is a list of commands for that stage; a header
 * field "X-Do: STAGE COMMAND" adds one for a later stage of its message. The
 * environment variable TEST_FILTER_HOOKS names the hooks it has (all without
 * it): "eom", "mail rcpt header eom".
 *
 *     accept   discard   hold TEXT   fail
 *     reject CODE ENHANCED TEXT       tempfail CODE ENHANCED TEXT
 *     insert top|below|AT NAME VALUE  change NAME INSTANCE VALUE
 *     delete NAME INSTANCE            delete-all NAME
 *     sender A   addrcpt A   delrcpt A   body TEXT   body-size BYTES
 *     fact KEY VALUE   event WORD TEXT   wait MS   set-after MS
 *     memory BYTES   skip   if TEXT COMMAND (helo, sender or recipient is TEXT)
 *     echo NAME: inserts what the hook knows about NAME
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <mfx/base/log.h>
#include <mfx/milter/filter.h>

struct settings {
    struct mfx_option_list at[MFX_STAGE_COUNT];
    struct mfx_option_list at_header, at_body, at_rejected;
    bool headers, recipients, rejected, whole_body;
    int body;
    struct mfx_str macros, word;
    struct mfx_table *words;
};

#define S struct settings

static const struct mfx_option_word bodies[] = {
    {"none",   MFX_BODY_NONE  },
    {"stream", MFX_BODY_STREAM},
    {"stored", MFX_BODY_STORED},
    {NULL,     0              },
};

static const struct mfx_option options[] = {
    MFX_OPTION_LIST("at.connect", S, at[MFX_STAGE_CONNECT], "", 0, "Commands."),
    MFX_OPTION_LIST("at.helo", S, at[MFX_STAGE_HELO], "", 0, "Commands."),
    MFX_OPTION_LIST("at.mail", S, at[MFX_STAGE_MAIL], "", 0, "Commands."),
    MFX_OPTION_LIST("at.rcpt", S, at[MFX_STAGE_RCPT], "", 0, "Commands."),
    MFX_OPTION_LIST("at.rejected", S, at_rejected, "", 0, "Commands."),
    MFX_OPTION_LIST("at.data", S, at[MFX_STAGE_DATA], "", 0, "Commands."),
    MFX_OPTION_LIST("at.header", S, at_header, "", 0, "Commands."),
    MFX_OPTION_LIST("at.eoh", S, at[MFX_STAGE_EOH], "", 0, "Commands."),
    MFX_OPTION_LIST("at.body", S, at_body, "", 0, "Commands."),
    MFX_OPTION_LIST("at.eom", S, at[MFX_STAGE_EOM], "", 0, "Commands."),
    MFX_OPTION_BOOL("want.headers", S, headers, "true", 0, "Keep fields."),
    MFX_OPTION_BOOL("want.recipients", S, recipients, "false", 0,
                    "Keep recipients."),
    MFX_OPTION_BOOL("want.rejected", S, rejected, "false", 0,
                    "Rejected recipients."),
    MFX_OPTION_BOOL("want.whole_body", S, whole_body, "false", 0,
                    "No skipping."),
    MFX_OPTION_ENUM("want.body", S, body, "stream", bodies, 0, "The body."),
    MFX_OPTION_STRING("want.macros", S, macros, "", 0,
                      "Macros asked for at MAIL."),
    MFX_OPTION_STRING("word", S, word, "one", 0,
                      "Inserted by the command word; tells snapshots apart."),
    MFX_OPTION_TABLE("words", S, words, "", 0, "A table, for reloads."),
    MFX_OPTION_END,
};

#undef S

enum {
    DO_MAX = 50,
};

struct state {
    struct mfx_str commands[DO_MAX];
    size_t count;
    struct mfx_event event;
    bool is_body_done;
};

struct context {
    struct mfx_message *m; /* NULL: connect, helo */
    struct mfx_connection *c;
    struct mfx_decision *d;
    struct mfx_arena *arena;
    struct mfx_str subject; /* of "if" */
    enum mfx_rc rc;
};

static struct mfx_str
word_of(struct mfx_str *rest)
{
    struct mfx_str word = {"", 0};
    (void)mfx_str_cut(rest, ' ', &word);
    return word;
}

static uint64_t
number_of(struct mfx_str *rest)
{
    uint64_t n = 0;
    if (mfx_str_to_u64(word_of(rest), UINT32_MAX, &n) != MFX_OK)
        return 0;
    return n;
}

/* A copy that is NUL-terminated. */
static const char *
text_of(const struct context *x, struct mfx_str s)
{
    const char *p = mfx_arena_copy(x->arena, s).p;
    return p == NULL ? "" : p;
}

static void
refuse(struct context *x, struct mfx_str rest, bool is_reject)
{
    unsigned code = (unsigned)number_of(&rest);
    const char *enhanced = text_of(x, word_of(&rest));
    const char *reason = text_of(x, rest);
    if (is_reject)
        mfx_decide_reject(x->d, code, enhanced, rest, reason);
    else
        mfx_decide_tempfail(x->d, code, enhanced, rest, reason);
}

static struct mfx_header *
header_of(struct context *x, struct mfx_str *rest)
{
    struct mfx_str name = word_of(rest);
    uint64_t n = number_of(rest);
    struct mfx_header *h = mfx_headers_first(&x->m->headers, name);
    while (h != NULL && h->instance != n)
        h = h->same_next;
    return h;
}

/* Where: "top", "below" or an index. */
static void
insert_header(struct context *x, struct mfx_str rest)
{
    struct mfx_str where = word_of(&rest), name = word_of(&rest);
    struct mfx_str value =
        mfx_arena_printf(x->arena, " %.*s", MFX_STR_ARG(rest));
    bool is_top = mfx_str_is(where, "top");
    if (is_top || mfx_str_is(where, "below"))
        mfx_edit_insert_header(
            x->d, is_top ? MFX_EDIT_TOP : MFX_EDIT_BELOW_TRACE, name, value);
    else
        mfx_edit_insert_header_at(
            x->d, (int)strtol(text_of(x, where), NULL, 10), name, value);
}

static void
edit_header(struct context *x, struct mfx_str verb, struct mfx_str rest)
{
    if (mfx_str_is(verb, "insert")) {
        insert_header(x, rest);
    } else if (mfx_str_is(verb, "delete-all")) {
        struct mfx_header *h =
            mfx_headers_first(&x->m->headers, word_of(&rest));
        for (; h != NULL; h = h->same_next)
            mfx_edit_delete_header(x->d, h);
    } else {
        const struct mfx_header *h = header_of(x, &rest);
        if (h != NULL && mfx_str_is(verb, "change"))
            mfx_edit_change_header(
                x->d, h,
                mfx_arena_printf(x->arena, " %.*s", MFX_STR_ARG(rest)));
        else if (h != NULL)
            mfx_edit_delete_header(x->d, h);
    }
}

static void
edit_body(struct context *x, struct mfx_str verb, struct mfx_str rest)
{
    if (mfx_str_is(verb, "body")) {
        mfx_edit_body(x->d, rest);
        return;
    }
    size_t len = number_of(&rest);
    char *p = mfx_arena_alloc_bytes(x->arena, len);
    if (p == NULL)
        return;
    memset(p, 'b', len);
    mfx_edit_body(x->d, mfx_str(p, len));
}

static void *
set_event(void *arg)
{
    struct state *state = arg;
    const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
    (void)nanosleep(&pause, NULL);
    mfx_event_set(&state->event);
    return NULL;
}

/* Waits for an event that never comes, or comes after 100 ms. */
static void
wait_for(struct context *x, struct mfx_str rest, bool is_set_later)
{
    struct state *state = x->m->state;
    uint64_t began = mfx_mono_ms();
    uint64_t ms = number_of(&rest);
    pthread_t thread;
    bool has_thread =
        is_set_later && pthread_create(&thread, NULL, set_event, state) == 0;
    bool is_set = mfx_wait(x->m, &state->event, began + ms);
    if (has_thread)
        (void)pthread_join(thread, NULL);
    mfx_fact(x->d, "waited", mfx_str_of(is_set ? "set" : "expired"));
}

static struct mfx_str
knowledge(struct context *x, struct mfx_str name)
{
    const struct mfx_message *m = x->m;
    const struct settings *s = m->policy;
    struct mfx_str body = {"", 0};
    char ip[MFX_IP_TEXT];
    bool found = false;
    if (mfx_str_is(name, "sender"))
        return m->sender;
    if (mfx_str_is(name, "login"))
        return m->login;
    if (mfx_str_is(name, "helo"))
        return m->connection->helo;
    if (mfx_str_is(name, "client"))
        return mfx_arena_copy(
            x->arena, mfx_str_of(mfx_ip_format(&m->connection->client_ip, ip)));
    if (mfx_str_is(name, "client_name"))
        return m->connection->client_name;
    if (mfx_str_is(name, "origin"))
        return mfx_str_of(mfx_origin_rule_name(m->origin.rule));
    if (mfx_str_is(name, "mta"))
        return mfx_str_of(m->connection->mta == MFX_MTA_POSTFIX    ? "postfix"
                          : m->connection->mta == MFX_MTA_SENDMAIL ? "sendmail"
                                                                   : "unknown");
    if (mfx_str_is(name, "word"))
        return s->word;
    if (mfx_str_is(name, "recipients"))
        return mfx_arena_printf(x->arena, "%zu", m->recipient_count);
    if (mfx_str_is(name, "headers"))
        return mfx_arena_printf(x->arena, "%zu", m->headers.count);
    if (mfx_str_is(name, "body_bytes"))
        return mfx_arena_printf(x->arena, "%llu",
                                (unsigned long long)m->body_bytes);
    if (mfx_str_is(name, "header_bytes"))
        return mfx_arena_printf(x->arena, "%llu",
                                (unsigned long long)m->header_bytes);
    if (mfx_str_is(name, "declared_size"))
        return !m->has_declared_size
                   ? mfx_str_of("none")
                   : mfx_arena_printf(x->arena, "%llu",
                                      (unsigned long long)m->declared_size);
    if (mfx_str_is(name, "client_port"))
        return mfx_arena_printf(x->arena, "%u", m->connection->client_port);
    if (mfx_str_is(name, "body"))
        return mfx_message_body(x->m, &body) == MFX_OK
                   ? mfx_arena_printf(x->arena, "%zu", body.len)
                   : mfx_str_of("none");
    if (mfx_str_is(name, "smtputf8"))
        return mfx_str_of(m->is_smtputf8 ? "yes" : "no");
    return mfx_macro(m, text_of(x, name), &found);
}

static void
echo(struct context *x, struct mfx_str name)
{
    struct mfx_str value = knowledge(x, name);
    mfx_edit_insert_header(x->d, MFX_EDIT_TOP, mfx_str_of("X-Echo"),
                           mfx_arena_printf(x->arena, " %.*s=<%.*s>",
                                            MFX_STR_ARG(name),
                                            MFX_STR_ARG(value)));
}

static void run(struct context *x, struct mfx_str command);

/* An added recipient takes the place of the first one. */
static struct mfx_str
parameters_of_first(const struct mfx_message *m)
{
    return m->recipients == NULL ? mfx_str("", 0) : m->recipients->parameters;
}

static void
run_message(struct context *x, struct mfx_str verb, struct mfx_str rest)
{
    if (mfx_str_is(verb, "wait"))
        wait_for(x, rest, false);
    else if (mfx_str_is(verb, "set-after"))
        wait_for(x, rest, true);
    else if (mfx_str_is(verb, "echo"))
        echo(x, rest);
    else if (mfx_str_is(verb, "skip"))
        ((struct state *)x->m->state)->is_body_done = true;
    else if (mfx_str_is(verb, "sender"))
        mfx_edit_sender(x->d, rest, x->m->sender_parameters);
    else if (mfx_str_is(verb, "addrcpt"))
        mfx_edit_add_recipient(x->d, rest, parameters_of_first(x->m));
    else if (mfx_str_is(verb, "delrcpt"))
        mfx_edit_delete_recipient(x->d, rest);
    else if (mfx_str_starts(verb, mfx_str_of("body")))
        edit_body(x, verb, rest);
    else
        edit_header(x, verb, rest);
}

static void
run_fact(struct context *x, struct mfx_str verb, struct mfx_str rest)
{
    const char *word = text_of(x, word_of(&rest));
    mfx_trace(x->d, "command", "%s %.*s", word, MFX_STR_ARG(rest));
    if (mfx_str_is(verb, "event"))
        mfx_decision_event(x->d, word, rest);
    else
        mfx_fact(x->d, word, rest);
}

static void
run(struct context *x, struct mfx_str command)
{
    struct mfx_str rest = command, verb = word_of(&rest);
    if (mfx_str_is(verb, "accept"))
        mfx_decide_accept(x->d, "told to");
    else if (mfx_str_is(verb, "discard"))
        mfx_decide_discard(x->d, "told to");
    else if (mfx_str_is(verb, "hold"))
        mfx_decide_hold(x->d, text_of(x, rest));
    else if (mfx_str_is(verb, "reject"))
        refuse(x, rest, true);
    else if (mfx_str_is(verb, "tempfail"))
        refuse(x, rest, false);
    else if (mfx_str_is(verb, "fail"))
        x->rc = MFX_TEMPFAIL;
    else if (mfx_str_is(verb, "memory"))
        (void)mfx_arena_alloc(x->arena, number_of(&rest));
    else if (mfx_str_is(verb, "fact") || mfx_str_is(verb, "event"))
        run_fact(x, verb, rest);
    else if (mfx_str_is(verb, "if")) {
        if (mfx_str_eq(word_of(&rest), x->subject))
            run(x, rest);
    } else if (x->m != NULL)
        run_message(x, verb, rest);
}

static void
run_list(struct context *x, const struct mfx_option_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        run(x, list->items[i]);
}

static void
forget(void *arg)
{
    mfx_event_fini(&((struct state *)arg)->event);
}

static struct state *
state_of(struct mfx_message *m)
{
    if (m->state == NULL) {
        struct state *state = mfx_arena_alloc(m->arena, sizeof *state);
        if (state == NULL)
            return NULL;
        mfx_event_init(&state->event);
        m->state = state;
        (void)mfx_arena_defer(m->arena, forget, state);
    }
    return m->state;
}

/* Commands of the settings, then those of X-Do fields for this stage. */
static enum mfx_rc
at_stage(struct mfx_message *m, const struct mfx_option_list *list,
         const char *stage, struct mfx_str subject)
{
    struct state *state = state_of(m);
    struct context x = {.m = m,
                        .c = m->connection,
                        .d = m->decision,
                        .arena = m->arena,
                        .subject = subject};
    if (state == NULL)
        return MFX_TEMPFAIL;
    run_list(&x, list);
    for (size_t i = 0; i < state->count; i++) {
        struct mfx_str rest = state->commands[i];
        if (mfx_str_is(word_of(&rest), stage))
            run(&x, rest);
    }
    return x.rc;
}

static const struct settings *
settings_of(const struct mfx_message *m)
{
    return m->policy;
}

static enum mfx_rc
early(struct mfx_connection *c, const struct mfx_option_list *list,
      const char *stage, struct mfx_str subject)
{
    struct context x = {
        .c = c, .d = c->decision, .arena = c->arena, .subject = subject};
    mfx_trace(x.d, stage, "%.*s", MFX_STR_ARG(subject));
    run_list(&x, list);
    return x.rc;
}

static enum mfx_rc
on_connect(struct mfx_connection *c)
{
    const struct settings *s = c->policy;
    return early(c, &s->at[MFX_STAGE_CONNECT], "connect", c->client_name);
}

static enum mfx_rc
on_helo(struct mfx_connection *c)
{
    const struct settings *s = c->policy;
    return early(c, &s->at[MFX_STAGE_HELO], "helo", c->helo);
}

static enum mfx_rc
on_mail(struct mfx_message *m)
{
    return at_stage(m, &settings_of(m)->at[MFX_STAGE_MAIL], "mail", m->sender);
}

static enum mfx_rc
on_rcpt(struct mfx_message *m, struct mfx_recipient *r)
{
    return at_stage(m, &settings_of(m)->at[MFX_STAGE_RCPT], "rcpt", r->address);
}

static enum mfx_rc
on_rejected(struct mfx_message *m, struct mfx_recipient *r)
{
    mfx_fact(m->decision, "rejected", r->address);
    return at_stage(m, &settings_of(m)->at_rejected, "rejected", r->address);
}

static enum mfx_rc
on_data(struct mfx_message *m)
{
    return at_stage(m, &settings_of(m)->at[MFX_STAGE_DATA], "data", m->sender);
}

static enum mfx_rc
on_header(struct mfx_message *m, const struct mfx_header *h)
{
    struct state *state = state_of(m);
    if (state != NULL && mfx_str_is_nocase(h->name, "X-Do") &&
        state->count < DO_MAX)
        state->commands[state->count++] = mfx_str_trim(h->value);
    return at_stage(m, &settings_of(m)->at_header, "header", h->name);
}

static enum mfx_rc
on_eoh(struct mfx_message *m)
{
    return at_stage(m, &settings_of(m)->at[MFX_STAGE_EOH], "eoh", m->sender);
}

static enum mfx_rc
on_body(struct mfx_message *m, struct mfx_str piece, bool *done)
{
    (void)piece;
    enum mfx_rc rc = at_stage(m, &settings_of(m)->at_body, "body", m->sender);
    *done = ((struct state *)m->state)->is_body_done;
    return rc;
}

static enum mfx_rc
on_eom(struct mfx_message *m)
{
    return at_stage(m, &settings_of(m)->at[MFX_STAGE_EOM], "eom", m->sender);
}

static void
on_end(struct mfx_message *m)
{
    struct mfx_log_line line;
    mfx_log_begin(&line, m->queue_id, "ended");
    mfx_log_add_u64(&line, "body_bytes", m->body_bytes);
    mfx_log_end(&line, MFX_LOG_INFO);
}

static enum mfx_rc
make_policy(const struct mfx_policy_build *build, void **policy)
{
    const struct settings *s = build->settings;
    if (mfx_str_is(s->word, "broken")) {
        unsigned line = 0;
        const char *file = mfx_config_where(build->config, "word", &line);
        mfx_problem_add(build->problems, MFX_PROBLEM_ERROR, file, line,
                        "word: is broken");
        return MFX_PERMFAIL;
    }
    *policy = (void *)(uintptr_t)s;
    return MFX_OK;
}

static void
get_wants(const void *policy, struct mfx_wants *wants)
{
    const struct settings *s = policy;
    wants->headers = s->headers;
    wants->recipients = s->recipients;
    wants->rejected_recipients = s->rejected;
    wants->whole_body = s->whole_body;
    wants->body = (enum mfx_body_want)s->body;
    wants->macros[MFX_STAGE_MAIL] = s->macros.p;
}

static enum mfx_rc
say_word(const void *policy, const struct mfx_str *args, size_t arg_count,
         bool as_json, struct mfx_buf *out, struct mfx_err *err)
{
    const struct settings *s = policy;
    if (arg_count > 0) {
        mfx_err_set(err, "word: takes no argument, not %.*s",
                    MFX_STR_ARG(args[0]));
        return MFX_PERMFAIL;
    }
    mfx_buf_printf(out, as_json ? "\"%.*s\"\n" : "%.*s\n",
                   MFX_STR_ARG(s->word));
    return MFX_OK;
}

static const struct mfx_control_verb verbs[] = {
    {"word", "the word of this snapshot", say_word},
    {NULL,   NULL,                        NULL    },
};

static struct mfx_hooks
chosen_hooks(const char *names)
{
    struct mfx_hooks all = {
        on_connect, on_helo, on_mail, on_rcpt, on_rejected, on_data, on_header,
        on_eoh,     on_body, on_eom,  NULL,    on_end,      NULL};
    struct mfx_hooks some = {0};
    struct mfx_str rest = mfx_str_of(names), name;
    while (mfx_str_word(&rest, " ", &name)) {
        if (mfx_str_is(name, "connect"))
            some.connect = on_connect;
        else if (mfx_str_is(name, "helo"))
            some.helo = on_helo;
        else if (mfx_str_is(name, "mail"))
            some.mail = on_mail;
        else if (mfx_str_is(name, "rcpt"))
            some.rcpt = on_rcpt;
        else if (mfx_str_is(name, "data"))
            some.data = on_data;
        else if (mfx_str_is(name, "header"))
            some.header = on_header;
        else if (mfx_str_is(name, "eoh"))
            some.eoh = on_eoh;
        else if (mfx_str_is(name, "body"))
            some.body = on_body;
        else if (mfx_str_is(name, "eom"))
            some.eom = on_eom;
    }
    return names == NULL ? all : some;
}

int
main(int argc, char **argv)
{
    const struct mfx_filter filter = {
        .name = "test_filter",
        .summary = "A filter that does what a test tells it.",
        .options = options,
        .settings_size = sizeof(struct settings),
        .policy_new = make_policy,
        .wants = get_wants,
        .hooks = chosen_hooks(getenv("TEST_FILTER_HOOKS")),
        .verbs = verbs,
    };
    return mfx_main(argc, argv, &filter);
}
