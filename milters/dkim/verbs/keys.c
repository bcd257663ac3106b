/* SPDX-License-Identifier: BSD-2-Clause
 *
 * keys - every key, its state, what DNS holds, and what to do next
 *
 * The running daemon is asked, a page at a time. Where none answers, its
 * configuration, cards and ledger are read here; with --dns the authoritative
 * servers are asked now.
 */
#include <stdlib.h>

#include <mfx/mail/address.h>
#include <mfx/net/authority.h>

#include "../../../tools/mfxctl/control.h"
#include "../alignment.h"
#include "../key_show.h"
#include "../policy.h"
#include "../rotation/watcher.h"
#include "verb.h"

enum {
    WAIT_MS = 60000,
    DOMAINS_AT_ONCE = 32,
    KEY_TEXT_MAX = 64 * 1024,
    STATES = DKIM_KEY_WITHDRAWN + 1,
};

struct request {
    const char *config, *socket, *state_word;
    bool is_offline, asks_dns, todo;
    struct dkim_key_filter filter;
};

struct work {
    const struct verb_run *run;
    const struct request *request;
    struct mfx_arena *arena; /* emptied after each page or key */
    struct mfx_authority *authority;
    const char *source;
    bool has_begun;
    size_t states[STATES], shown, alarms, todo;
    json_t *warnings;
};

/* --- what is printed --- */

/* Before the first key, so that a failure before it is a whole answer. */
static void
begin(struct work *w)
{
    if (w->has_begun)
        return;
    w->has_begun = true;
    if (w->run->as_json)
        (void)printf("{\"source\":\"%s\",\"keys\":[", w->source);
    else if (strcmp(w->source, "daemon") != 0)
        (void)printf("(no daemon was asked: from files%s)\n",
                     w->request->asks_dns ? " and DNS" : " alone");
}

/* After it, half an answer stands on stdout: the rest goes to stderr. */
static int
give_up(const struct work *w, int status, struct mfx_str why)
{
    const char *text = verb_text(w->run, why);
    if (!w->has_begun)
        return verb_fail(w->run, status, "%s", text);
    (void)fprintf(stderr, "mfxctl dkim keys: %s\n", text);
    return status;
}

static void
count(struct work *w, const json_t *key)
{
    const char *state = json_string_value(json_object_get(key, "state"));
    for (int i = 0; state != NULL && i < STATES; i++)
        w->states[i] +=
            strcmp(state, dkim_key_state_name((enum dkim_key_state)i)) == 0;
    w->alarms += json_is_true(json_object_get(key, "alarm"));
    w->todo += json_is_true(json_object_get(key, "your_turn"));
    w->shown++;
}

static void
put_key(struct work *w, const json_t *key)
{
    begin(w);
    if (w->run->as_json) {
        (void)fputs(w->shown == 0 ? "\n" : ",\n", stdout);
        (void)json_dumpf(key, stdout, JSON_COMPACT);
    } else {
        struct mfx_buf out;
        mfx_buf_init(&out, KEY_TEXT_MAX);
        dkim_key_show_text(key, &out);
        (void)fwrite(out.p == NULL ? "" : out.p, 1, out.len, stdout);
        mfx_buf_fini(&out);
    }
    count(w, key);
}

static void
put_summary_json(const struct work *w)
{
    json_t *o = json_object();
    for (int i = 0; i < STATES; i++)
        (void)json_object_set_new(o,
                                  dkim_key_state_name((enum dkim_key_state)i),
                                  json_integer((json_int_t)w->states[i]));
    (void)fputs("\n],\"states\":", stdout);
    (void)json_dumpf(o, stdout, JSON_COMPACT);
    json_decref(o);
    if (w->warnings != NULL) {
        (void)fputs(",\"warnings\":", stdout);
        (void)json_dumpf(w->warnings, stdout, JSON_COMPACT);
    }
    (void)printf(",\"total\":%zu,\"todo\":%zu,\"alarms\":%zu}\n", w->shown,
                 w->todo, w->alarms);
}

static void
put_summary(struct work *w)
{
    begin(w);
    if (w->run->as_json) {
        put_summary_json(w);
        return;
    }
    const char *between = ":";
    (void)printf("%zu keys", w->shown);
    for (int i = 0; i < STATES; i++) {
        if (w->states[i] == 0)
            continue;
        (void)printf("%s %zu %s", between, w->states[i],
                     dkim_key_state_name((enum dkim_key_state)i));
        between = ",";
    }
    (void)printf("; %zu to do, %zu alarms\n", w->todo, w->alarms);
}

static int
status_of(const struct work *w)
{
    return w->alarms > 0 ? EXIT_NO : EXIT_OK;
}

/* --- from the daemon --- */

struct place {
    uint64_t after;
    char last[600];
};

static enum mfx_rc
ask_page(struct work *w, size_t from, size_t until, const struct place *place,
         struct control_reply *reply, struct mfx_err *err)
{
    const char *words[DOMAINS_AT_ONCE + 8];
    const struct request *r = w->request;
    struct mfx_buf line;
    size_t n = 0;
    mfx_buf_init_arena(&line, w->arena, CONTROL_LINE_MAX);
    words[n++] = "keys";
    if (r->filter.state != NULL)
        words[n++] = mfx_arena_printf(w->arena, "state=%s", r->filter.state).p;
    if (r->todo)
        words[n++] = "todo";
    if (place->after > 0) {
        words[n++] = mfx_arena_printf(w->arena, "after=%llu",
                                      (unsigned long long)place->after)
                         .p;
        words[n++] = mfx_arena_printf(w->arena, "last=%s", place->last).p;
    }
    for (size_t i = from; i < until; i++)
        words[n++] = r->filter.domains[i].p;
    if (!mfx_arena_ok(w->arena))
        return MFX_TEMPFAIL;
    if (control_request(&line, true, words, n) != MFX_OK) {
        mfx_err_set(err, "the names are too long for one question");
        return MFX_PERMFAIL;
    }
    return control_ask(r->socket, mfx_buf_str(&line), mfx_mono_ms() + WAIT_MS,
                       w->arena, reply, err);
}

/* Prints a page; *more says whether another follows, at place. */
static int
take_page(struct work *w, const struct control_reply *reply,
          struct place *place, bool *more)
{
    size_t i;
    json_t *key, *page = json_loadb(reply->body.p, reply->body.len, 0, NULL);
    const char *last = json_string_value(json_object_get(page, "last"));
    if (!json_is_array(json_object_get(page, "keys"))) {
        json_decref(page);
        return give_up(w, EXIT_TEMP,
                       mfx_str_of("the answer is not mfx-dkim's"));
    }
    json_array_foreach(json_object_get(page, "keys"), i, key)
    {
        put_key(w, key);
    }
    *more = last != NULL && strlen(last) < sizeof place->last;
    if (*more) {
        place->after =
            (uint64_t)json_integer_value(json_object_get(page, "next"));
        memcpy(place->last, last, strlen(last) + 1);
    }
    json_decref(page);
    return EXIT_OK;
}

static int
ask_some(struct work *w, size_t from, size_t until)
{
    struct place place = {.after = 0};
    bool more = true;
    int status = EXIT_OK;
    while (more && status == EXIT_OK) {
        struct control_reply reply;
        struct mfx_err err = {0};
        enum mfx_rc rc = ask_page(w, from, until, &place, &reply, &err);
        if (rc == MFX_OK && reply.is_error)
            return give_up(w, EXIT_TEMP, reply.error);
        if (rc != MFX_OK)
            return give_up(w, rc == MFX_TEMPFAIL ? EXIT_TEMP : EXIT_UNREACHABLE,
                           mfx_str_of(err.msg));
        status = take_page(w, &reply, &place, &more);
        mfx_arena_reset(w->arena);
    }
    return status;
}

static int
ask_daemon(struct work *w)
{
    size_t n = w->request->filter.domain_count, from = 0;
    int status = EXIT_OK;
    w->source = "daemon";
    do {
        size_t until = n - from < DOMAINS_AT_ONCE ? n : from + DOMAINS_AT_ONCE;
        status = ask_some(w, from, until);
        from = until;
    } while (status == EXIT_OK && from < n);
    if (status != EXIT_OK)
        return status;
    put_summary(w);
    return status_of(w);
}

/* Is there somebody? Anything but "nobody listens" is for ask_daemon to say. */
static bool
is_running(struct work *w)
{
    struct control_reply reply;
    struct mfx_buf line;
    const char *const words[] = {"status"};
    mfx_buf_init_arena(&line, w->arena, CONTROL_LINE_MAX);
    bool runs = control_request(&line, false, words, 1) == MFX_OK &&
                control_ask(w->request->socket, mfx_buf_str(&line),
                            mfx_mono_ms() + WAIT_MS, w->arena, &reply,
                            NULL) != MFX_NOTFOUND;
    mfx_arena_reset(w->arena);
    return runs;
}

/* --- without one --- */

static void
look_now(struct work *w, struct dkim_key_view *view)
{
    struct mfx_dkim_private_key *key;
    struct mfx_err err = {0};
    uint32_t wait_s;
    if (view->file == NULL ||
        dkim_key_file_get(view->file, &key, &err) != MFX_OK)
        return;
    enum mfx_rc rc =
        dkim_watcher_look(w->authority, key, view->domain, view->selector,
                          w->arena, view, &wait_s, &err);
    if (rc != MFX_OK)
        view->why = mfx_arena_copy(w->arena, mfx_str_of(err.msg)).p;
}

static bool
visit(const struct dkim_key_view *shown, void *arg)
{
    struct work *w = arg;
    struct dkim_key_view view = *shown;
    if (!dkim_key_filter_takes(&w->request->filter, &view))
        return true;
    if (w->authority != NULL)
        look_now(w, &view);
    json_t *key = dkim_key_show_json(&view);
    if (key != NULL)
        put_key(w, key);
    json_decref(key);
    mfx_arena_reset(w->arena);
    return key != NULL;
}

static void
warn(const struct dkim_alignment *found, void *arg)
{
    struct work *w = arg;
    struct mfx_str text = mfx_str_of(found->text);
    if (w->run->as_json)
        (void)json_array_append_new(w->warnings, verb_json(text));
    else
        (void)printf("warning: %s\n", verb_text(w->run, text));
}

static void
check_alignment(struct work *w, const struct mfx_offline *loaded)
{
    struct dkim_alignment_check *check = dkim_alignment_new(loaded->env);
    w->warnings = w->run->as_json ? json_array() : NULL;
    if (check != NULL)
        dkim_alignment_each(check, loaded->policy, warn, w);
    dkim_alignment_free(check);
}

static enum mfx_rc
find_servers(struct work *w, const struct mfx_offline *loaded,
             struct mfx_err *err)
{
    const struct dkim_settings *s = loaded->settings;
    const struct mfx_authority_config config = {
        .env = loaded->env,
        .servers = s->rotation.servers.items,
        .server_count = s->rotation.servers.count,
        .timeout_ms = (unsigned)s->rotation.timeout_s * 1000,
    };
    return mfx_authority_new(&config, &w->authority, err);
}

static int
read_files(struct work *w)
{
    struct mfx_offline *loaded = NULL;
    struct mfx_err err = {0};
    int status = verb_load(w->run, w->request->config, &loaded);
    if (status != EXIT_OK)
        return status;
    const struct dkim_policy *policy = loaded->policy;
    if (w->request->asks_dns && find_servers(w, loaded, &err) != MFX_OK) {
        mfx_offline_free(loaded);
        return verb_fail(w->run, EXIT_TEMP, "%s", err.msg);
    }
    w->source = "files";
    dkim_watcher_each(policy->shared->watcher, visit, w);
    if (w->request->asks_dns && w->request->filter.domain_count == 0)
        check_alignment(w, loaded);
    put_summary(w);
    json_decref(w->warnings);
    mfx_authority_free(w->authority);
    mfx_offline_free(loaded);
    return status_of(w);
}

/* --- the command line --- */

static int
read_domains(const struct verb_run *run, char **words, size_t n,
             struct request *r)
{
    struct mfx_str *domains =
        mfx_arena_alloc_array(run->arena, n + 1, sizeof *domains);
    if (domains == NULL)
        return verb_fail(run, EXIT_SYSTEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        struct mfx_str ascii;
        if (mfx_domain_to_ascii(mfx_str_of(words[i]), run->arena, &ascii) !=
                MFX_OK ||
            !mfx_domain_is_valid(ascii, false))
            return verb_wrong(run, "%s is no domain name", words[i]);
        domains[i] = mfx_arena_copy(run->arena, ascii);
    }
    r->filter.domains = domains;
    r->filter.domain_count = n;
    return EXIT_OK;
}

static int
read_request(const struct verb_run *run, struct request *r)
{
    const char *folder = getenv("MFX_RUNDIR");
    if (r->state_word != NULL) {
        r->filter.state = dkim_key_filter_state(mfx_str_of(r->state_word));
        if (r->filter.state == NULL)
            return verb_wrong(run,
                              "--state %s: new, published, active, "
                              "retired or withdrawn",
                              r->state_word);
    }
    r->filter.todo = r->todo;
    if (r->socket != NULL && (r->is_offline || r->asks_dns))
        return verb_wrong(run, "--socket, or --offline and --dns");
    if (r->socket == NULL)
        r->socket = mfx_arena_printf(run->arena, "%s/dkim.ctl",
                                     folder != NULL ? folder : "/run/mfx")
                        .p;
    return r->socket == NULL ? verb_fail(run, EXIT_SYSTEM, "out of memory")
                             : EXIT_OK;
}

int
verb_keys(struct verb_run *run, int argc, char **argv)
{
    struct request r = {0};
    struct work w = {.run = run, .request = &r, .arena = mfx_arena_new(0)};
    const struct verb_option options[] = {
        {"config",  'c', &r.config,     NULL         },
        {"state",   0,   &r.state_word, NULL         },
        {"todo",    0,   NULL,          &r.todo      },
        {"socket",  's', &r.socket,     NULL         },
        {"offline", 0,   NULL,          &r.is_offline},
        {"dns",     0,   NULL,          &r.asks_dns  },
        {NULL,      0,   NULL,          NULL         },
    };
    int first;
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (r.socket == NULL && !r.is_offline && !r.asks_dns)
        r.socket = getenv("MFX_SOCKET"); /* mfxctl --socket */
    bool must_ask = r.socket != NULL;
    int status = w.arena == NULL ? EXIT_SYSTEM : read_request(run, &r);
    if (status == EXIT_OK)
        status = read_domains(run, argv + first, (size_t)(argc - first), &r);
    if (status == EXIT_OK)
        status = must_ask || (!r.is_offline && !r.asks_dns && is_running(&w))
                     ? ask_daemon(&w)
                     : read_files(&w);
    mfx_arena_free(w.arena);
    return status;
}
