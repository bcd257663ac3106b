/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scantool - the scanners' clients on files, for interoperability tests
 *
 *     scantool clamd|spamd|rspamd [NAME=VALUE]... FILE...
 *
 * Options: server=ADDRESS (more than one), order=failover|turn, time=MS,
 * memory=BYTES, max_size=BYTES, part=1, connections=N, repeat=N, parallel=N,
 * seconds=N (on and on), pause=MS (before the end of each message), attempt=MS, ca=FILE name=NAME
 * cert=FILE key=FILE (TLS)
 *   clamd: session=1 files=0
 *   spamd: command=check|symbols|report|headers compress=1 user=NAME bare=1
 *   rspamd: password= settings= settings_id= compress=1 all=1 quiet=1
 *     controller=1
 *   envelope: ip= client= helo= sender= sender_args= login= tls= cipher=
 *     issuer= mta= tag= id= rcpt= (more than one) rcpt_args= (of the last)
 *     deliver= rcpts=N (made up)
 *   learn=spam|ham|forget; greet=1: waits for the servers' greetings, and
 *   prints what they are
 *
 * A line for each file (and each repetition): "end=answered score=..." and so
 * on, texts in quotes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mfx/base/env.h>
#include <mfx/scan/clamd.h>
#include <mfx/scan/rspamd.h>
#include <mfx/scan/spamd.h>

enum {
    SERVERS = 4,
    RECIPIENTS = 2000,
    PARALLEL_MAX = 500,
    USAGE = 64,
};

struct tool {
    const char *kind;
    bool greets;
    struct mfx_scan_server servers[SERVERS];
    struct mfx_scan_engine_settings settings;
    struct mfx_clamd_settings clamd;
    struct mfx_spamd_settings spamd;
    struct mfx_rspamd_settings rspamd;
    struct mfx_stream_tls_settings tls;
    struct mfx_scan_envelope envelope;
    enum mfx_scan_purpose purpose;
    struct mfx_scan_recipient recipients[RECIPIENTS];
    struct mfx_str deliver_to;
    uint64_t time_ms, memory, repeat, seconds, parallel, pause_ms;
    struct mfx_scan_loop *loop;
    struct mfx_scan_engine *engine;
};

static void
die(const char *what, const char *more)
{
    (void)fprintf(stderr, "scantool: %s %s\n", what, more);
    exit(USAGE);
}

/* --- options --- */

static void
make_recipients(struct tool *t, uint64_t count)
{
    static char texts[RECIPIENTS][24];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "r%zu@example.net", i);
        t->recipients[i].address = mfx_str_of(texts[i]);
    }
    t->envelope.recipients = t->recipients;
    t->envelope.recipient_count = count;
}

static bool
take_number(struct tool *t, struct mfx_str name, uint64_t n)
{
    struct mfx_scan_engine_settings *s = &t->settings;
    if (mfx_str_is(name, "time"))
        t->time_ms = n;
    else if (mfx_str_is(name, "memory"))
        t->memory = n;
    else if (mfx_str_is(name, "max_size"))
        s->max_size = n;
    else if (mfx_str_is(name, "part"))
        s->scans_part = n != 0;
    else if (mfx_str_is(name, "connections"))
        s->max_connections = (unsigned)n;
    else if (mfx_str_is(name, "attempt"))
        s->attempt_ms = n;
    else if (mfx_str_is(name, "repeat"))
        t->repeat = n;
    else if (mfx_str_is(name, "seconds"))
        t->seconds = n;
    else if (mfx_str_is(name, "parallel") && n <= PARALLEL_MAX)
        t->parallel = n;
    else if (mfx_str_is(name, "pause"))
        t->pause_ms = n;
    else if (mfx_str_is(name, "session"))
        t->clamd.uses_sessions = n != 0;
    else if (mfx_str_is(name, "files"))
        t->clamd.passes_files = n != 0;
    else if (mfx_str_is(name, "compress"))
        t->spamd.compresses = t->rspamd.compresses = n != 0;
    else if (mfx_str_is(name, "all"))
        t->rspamd.wants_all_symbols = n != 0;
    else if (mfx_str_is(name, "quiet"))
        t->rspamd.is_unlogged = n != 0;
    else if (mfx_str_is(name, "controller"))
        t->rspamd.are_controllers = n != 0;
    else if (mfx_str_is(name, "bare"))
        t->spamd.without_trace = n != 0;
    else if (mfx_str_is(name, "rcpts") && n <= RECIPIENTS)
        make_recipients(t, n);
    else if (mfx_str_is(name, "greet"))
        t->greets = n != 0;
    else
        return false;
    return true;
}

static bool
take_envelope(struct tool *t, struct mfx_str name, struct mfx_str value)
{
    struct mfx_scan_envelope *e = &t->envelope;
    if (mfx_str_is(name, "ip"))
        return mfx_ip_parse(value, &e->client) == MFX_OK;
    const struct {
        const char *name;
        struct mfx_str *to;
    } texts[] = {
        {"client",      &e->client_name       },
        {"helo",        &e->helo              },
        {"sender",      &e->sender            },
        {"sender_args", &e->sender_args       },
        {"login",       &e->login             },
        {"tls",         &e->tls_version       },
        {"cipher",      &e->tls_cipher        },
        {"issuer",      &e->tls_issuer        },
        {"mta",         &e->mta_name          },
        {"tag",         &e->mta_tag           },
        {"id",          &e->queue_id          },
        {"deliver",     &t->deliver_to        },
        {"password",    &t->rspamd.password   },
        {"settings",    &t->rspamd.settings   },
        {"settings_id", &t->rspamd.settings_id},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!mfx_str_is(name, texts[i].name))
            continue;
        *texts[i].to = value;
        return true;
    }
    return false;
}

static bool
take_recipient(struct tool *t, struct mfx_str name, struct mfx_str value)
{
    size_t *count = &t->envelope.recipient_count;
    t->envelope.recipients = t->recipients;
    if (mfx_str_is(name, "rcpt") && *count < RECIPIENTS)
        t->recipients[(*count)++].address = value;
    else if (mfx_str_is(name, "rcpt_args") && *count > 0)
        t->recipients[*count - 1].args = value;
    else
        return false;
    return true;
}

static bool
take_word(struct mfx_str word, const char *const *words, size_t count,
          unsigned *at)
{
    for (size_t i = 0; i < count; i++) {
        if (mfx_str_is(word, words[i])) {
            *at = (unsigned)i;
            return true;
        }
    }
    return false;
}

static bool
take_text(struct tool *t, struct mfx_str name, struct mfx_str value)
{
    static const char *const commands[] = {"check", "symbols", "report",
                                           "headers"};
    static const char *const lessons[] = {"none", "spam", "ham", "forget"};
    static const char *const orders[] = {"failover", "turn", "weight"};
    unsigned at = 0;
    if (mfx_str_is(name, "server") && t->settings.server_count < SERVERS)
        t->servers[t->settings.server_count++].address = value;
    else if (mfx_str_is(name, "user"))
        t->spamd.user = value;
    else if (mfx_str_is(name, "ca"))
        t->tls.ca_file = value.p;
    else if (mfx_str_is(name, "name"))
        t->tls.name = value;
    else if (mfx_str_is(name, "cert"))
        t->tls.cert_file = value.p;
    else if (mfx_str_is(name, "key"))
        t->tls.key_file = value.p;
    else if (mfx_str_is(name, "command") && take_word(value, commands, 4, &at))
        t->spamd.command = (enum mfx_spamd_command)at;
    else if (mfx_str_is(name, "learn") && take_word(value, lessons, 4, &at))
        t->purpose = (enum mfx_scan_purpose)at;
    else if (mfx_str_is(name, "order") && take_word(value, orders, 3, &at))
        t->settings.order = (enum mfx_scan_order)at;
    else
        return take_recipient(t, name, value) || take_envelope(t, name, value);
    return true;
}

static void
take_option(struct tool *t, const char *text)
{
    struct mfx_str value = mfx_str_of(text), name;
    uint64_t number;
    (void)mfx_str_cut(&value, '=', &name);
    bool is_taken = (mfx_str_to_u64(value, UINT32_MAX, &number) == MFX_OK &&
                     take_number(t, name, number)) ||
                    take_text(t, name, value);
    if (!is_taken)
        die("not an option:", text);
}

/* --- results --- */

static void
print_text(const char *name, struct mfx_str text)
{
    if (text.len == 0)
        return;
    (void)printf(" %s=\"", name);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '"' || c == '\\')
            (void)printf("\\%c", c);
        else if (c == '\n')
            (void)printf("\\n");
        else if (c >= ' ' && c <= '~')
            (void)putchar(c);
        else
            (void)printf("\\x%02x", (unsigned char)c);
    }
    (void)putchar('"');
}

static void
print_symbols(const struct mfx_scan_result *r)
{
    for (size_t i = 0; i < r->symbol_count; i++) {
        (void)printf("%s%.*s", i == 0 ? " symbols=" : ",",
                     MFX_STR_ARG(r->symbols[i].name));
        if (r->symbols[i].has_score)
            (void)printf(":%.1f", r->symbols[i].score);
    }
}

static void
print_named(const char *prefix, struct mfx_str name, struct mfx_str value)
{
    char label[100];
    (void)snprintf(label, sizeof label, "%s%.*s", prefix, MFX_STR_ARG(name));
    print_text(label, value);
}

static void
print_texts(const char *name, struct mfx_scan_texts texts)
{
    for (size_t i = 0; i < texts.count; i++)
        print_text(name, texts.items[i]);
}

/* A number in the name says where: "add-1-X-Name". */
static void
print_edits(const char *prefix, struct mfx_scan_edits edits)
{
    for (size_t i = 0; i < edits.count; i++) {
        const struct mfx_scan_edit *e = &edits.items[i];
        char label[40];
        (void)snprintf(label, sizeof label, "%s%s-%d-", prefix,
                       e->kind == MFX_SCAN_EDIT_ADD ? "add" : "remove", e->at);
        if (e->kind == MFX_SCAN_EDIT_REMOVE)
            print_named(label, e->name, mfx_str_of("1"));
        else
            print_named(label, e->name, e->value);
    }
}

/* What only rspamd says. */
static void
print_more(const struct mfx_scan_result *r)
{
    if (r->action_word.len == 0)
        return;
    (void)printf(" action=\"%s\" no_action=%d skipped=%d",
                 mfx_scan_action_name(r->action), r->no_action, r->is_skipped);
    print_text("word", r->action_word);
    for (size_t i = 0; i < r->symbol_count; i++)
        for (size_t k = 0; k < r->symbols[i].option_count; k++)
            print_named("option-", r->symbols[i].name,
                        r->symbols[i].options[k]);
    for (size_t i = 0; i < r->group_count; i++)
        print_named("group-", r->groups[i].name, mfx_str_of("1"));
    for (size_t i = 0; i < r->message_count; i++)
        print_named("message-", r->messages[i].name, r->messages[i].value);
    print_edits("", r->edits);
    print_edits("spam-", r->spam_edits);
    print_texts("dkim", r->dkim_signatures);
    print_texts("add_rcpt", r->added_recipients);
    print_texts("del_rcpt", r->removed_recipients);
    print_texts("url", r->urls);
    print_texts("email", r->emails);
    print_text("sender", r->sender);
    print_text("reply", r->reply_text);
    print_text("decided_by", r->decided_by);
    print_text("message_id", r->message_id);
    if (r->has_body)
        (void)printf(" body_len=%zu", r->body.len);
    print_text("body", mfx_str_head(r->body, 200));
}

static void
print_result(const struct mfx_scan_result *r)
{
    (void)printf("end=%s tries=%u", mfx_scan_end_name(r->end), r->tries);
    if (r->has_score)
        (void)printf(" score=%.1f required=%.1f spam=%d", r->score,
                     r->required_score, r->is_spam);
    if (r->klass != MFX_SCAN_CLASS_NONE)
        (void)printf(" class=%s", mfx_scan_class_name(r->klass));
    if (r->is_partial)
        (void)printf(" partial=1");
    if (r->is_learned)
        (void)printf(" learned=1");
    print_text("virus", r->virus);
    print_symbols(r);
    if (r->has_subject)
        print_text("subject", r->subject);
    for (size_t i = 0; i < r->edits.count && r->action_word.len == 0; i++)
        print_named("", r->edits.items[i].name, r->edits.items[i].value);
    print_more(r);
    print_text("report", r->report);
    print_text("words", r->words);
    (void)putchar('\n');
}

/* --- scans --- */

static struct mfx_scan_body *
read_file(const struct tool *t, const char *path)
{
    static char bytes[65536];
    size_t n;
    FILE *f = fopen(path, "rb");
    struct mfx_scan_body *body = mfx_scan_body_new(t->memory, NULL);
    if (f == NULL || body == NULL)
        die("cannot read", path);
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0)
        mfx_scan_body_add(body, mfx_str(bytes, n));
    (void)fclose(f);
    return body;
}

static void
wait_for(struct mfx_scan *scan)
{
    struct mfx_event *event;
    while ((event = mfx_scan_pending(scan)) != NULL &&
           mfx_event_wait(event, mfx_scan_deadline_ms(scan) + 200))
        continue;
    print_result(mfx_scan_finish(scan));
}

static void
run_file(struct tool *t, const char *path)
{
    struct mfx_scan *scans[PARALLEL_MAX];
    uint64_t until_ms = mfx_mono_ms() + 1000 * t->seconds;
    for (uint64_t done = 0; done < t->repeat || mfx_mono_ms() < until_ms;) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_body *body = read_file(t, path);
        struct mfx_scan_request request = {.purpose = t->purpose,
                                           .envelope = &t->envelope,
                                           .body = body,
                                           .user = t->deliver_to,
                                           .time_ms = t->time_ms};
        uint64_t count = t->parallel;
        if (t->seconds == 0 && count > t->repeat - done)
            count = t->repeat - done;
        for (uint64_t i = 0; i < count; i++) {
            scans[i] = mfx_scan_begin(arena, t->engine, &request);
            if (scans[i] == NULL)
                die("out of", "memory");
        }
        if (t->pause_ms > 0)
            (void)usleep((useconds_t)t->pause_ms * 1000);
        mfx_scan_body_end(body);
        for (uint64_t i = 0; i < count; i++)
            wait_for(scans[i]);
        done += count;
        mfx_scan_body_free(body);
        mfx_arena_free(arena);
    }
}

static void
greet(const struct tool *t)
{
    struct mfx_scan_server_report reports[SERVERS];
    (void)usleep(500 * 1000);
    size_t count = mfx_scan_engine_report(t->engine, reports, SERVERS, NULL);
    for (size_t i = 0; i < count; i++)
        (void)printf("server=%s health=%s version=\"%s\" trouble=\"%s\"\n",
                     reports[i].server, mfx_scan_health_name(reports[i].health),
                     reports[i].version, reports[i].trouble);
}

static enum mfx_rc
new_engine(struct tool *t, struct mfx_err *err)
{
    if (strcmp(t->kind, "spamd") == 0)
        return mfx_spamd_new(t->loop, &t->settings, &t->spamd, &t->engine, err);
    if (strcmp(t->kind, "rspamd") == 0)
        return mfx_rspamd_new(t->loop, &t->settings, &t->rspamd, &t->engine,
                              err);
    return mfx_clamd_new(t->loop, &t->settings, &t->clamd, &t->engine, err);
}

static void
open_engine(struct tool *t)
{
    struct mfx_err err = {{0}};
    struct mfx_stream_tls *tls = NULL;
    t->settings.servers = t->servers;
    t->settings.max_queue = PARALLEL_MAX;
    enum mfx_rc rc = mfx_scan_loop_new(&t->loop, &err);
    if (rc == MFX_OK && t->tls.ca_file != NULL)
        rc = mfx_stream_tls_new(&t->tls, &tls, &err);
    t->settings.tls = tls;
    if (rc == MFX_OK)
        rc = new_engine(t, &err);
    mfx_stream_tls_free(tls);
    if (rc != MFX_OK)
        die("cannot ask:", err.msg);
}

int
main(int argc, char **argv)
{
    struct mfx_env env = mfx_env_system();
    struct tool t = {.settings = mfx_scan_engine_settings_default(),
                     .clamd = mfx_clamd_settings_default(),
                     .spamd = mfx_spamd_settings_default(),
                     .rspamd = mfx_rspamd_settings_default(),
                     .time_ms = 30000,
                     .memory = 1 << 20,
                     .repeat = 1,
                     .parallel = 1};
    int at = 2;
    if (argc < 2)
        die("usage:", "scantool clamd|spamd|rspamd [NAME=VALUE]... FILE...");
    t.kind = argv[1];
    t.envelope.arrived_s = env.wall_s(&env);
    for (; at < argc && strchr(argv[at], '=') != NULL; at++)
        take_option(&t, argv[at]);
    open_engine(&t);
    if (t.greets)
        greet(&t);
    for (; at < argc; at++)
        run_file(&t, argv[at]);
    mfx_scan_engine_free(t.engine);
    mfx_scan_loop_free(t.loop);
    return 0;
}
