/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan - what engines say of a stored message, and what would be done with it:
 * the hooks of the daemon decide it
 */
#include "scan.h"

#include <unistd.h>

#include <mfx/mail/address.h>

#include "../../../tools/mfxctl/decided.h"
#include "../judging.h"

enum {
    GRACE_MS = 1000, /* engines keep their time themselves */
    TO_MAX = 1000,   /* recipients taken from To and Cc */
    HOST_MAX = 256,
};

struct scan {
    const struct verb_run *run;
    const char *config, *engine, *ip, *client_name, *helo, *from, *to, *login,
        *queue_id, *user;
    bool is_verbose;
    struct verb_values engines, recipients;
    struct mfx_filter filter;
    struct mfx_offline *loaded;
    struct score_policy *policy;
    struct mfx_offline_mail mail;
    struct mfx_headers headers;
    int status;
};

struct score_run
score_verb_scan_run(const struct score_run *run)
{
    struct score_run copy = *run;
    if (run->engine->is_shadow && run->scan != NULL) {
        copy.result = mfx_scan_finish(run->scan);
        score_judge(&copy);
    }
    return copy;
}

bool
score_verb_scan_is_silent(const struct score_run *run)
{
    if (run->engine->is_shadow || run->is_unneeded)
        return false;
    return run->result == NULL || (run->result->end != MFX_SCAN_ANSWERED &&
                                   run->result->end != MFX_SCAN_TOO_LARGE);
}

/* --- the daemon's hooks --- */

/* The daemon spares some of them, and waits for none in the shadow: here all
 * are to be seen. */
static enum mfx_rc
wait_for_all(struct mfx_message *m)
{
    struct score_message *q = m->state;
    score_scanning_whole(q);
    for (size_t i = 0; i < q->run_count; i++) {
        struct mfx_scan *scan = q->runs[i].scan;
        struct mfx_event *event;
        while (scan != NULL && (event = mfx_scan_pending(scan)) != NULL &&
               mfx_event_wait(event, mfx_scan_deadline_ms(scan) + GRACE_MS))
            continue;
    }
    return score_filter.hooks.eom(m);
}

static int
status_of(const struct mfx_message *m)
{
    const struct score_message *q = m->state;
    if (q == NULL || (q->skipped == NULL && !q->has_verdict))
        return EXIT_TEMP;
    for (size_t i = 0; i < q->run_count; i++)
        if (score_verb_scan_is_silent(&q->runs[i]))
            return EXIT_TEMP;
    bool is_done = q->has_verdict && q->verdict.done.action > SCORE_ACTION_NONE;
    return is_done || m->decision->verdict >= MFX_VERDICT_HOLD ? EXIT_NO
                                                               : EXIT_OK;
}

static void
look(void *arg, const struct mfx_message *m)
{
    struct scan *s = arg;
    s->status = status_of(m);
    score_verb_scan_show(s->run, s->is_verbose, m);
}

/* --- the configuration --- */

static int
choose_engines(struct scan *s)
{
    struct score_engines *engines = s->policy->engines;
    for (size_t i = 0; i < engines->count && s->engines.count > 0; i++)
        engines->items[i].is_left_out = true;
    for (size_t k = 0; k < s->engines.count; k++) {
        size_t i = 0;
        while (i < engines->count &&
               !mfx_str_is_nocase(engines->items[i].name, s->engines.items[k]))
            i++;
        if (i == engines->count)
            return verb_wrong(s->run,
                              "--engine %s: no such engine, or it is off",
                              s->engines.items[k]);
        engines->items[i].is_left_out = false;
    }
    return EXIT_OK;
}

/* Instead of whom the settings name. */
static void
choose_user(struct scan *s)
{
    struct score_engines *engines = s->policy->engines;
    for (size_t i = 0; i < engines->count; i++) {
        struct score_engine_settings *own = mfx_arena_alloc(
            s->run->arena, sizeof(struct score_engine_settings));
        if (own == NULL)
            return;
        *own = *engines->items[i].settings;
        own->user = mfx_str_of(s->user);
        own->users = NULL;
        own->per_user = SCORE_USER_SHARED;
        engines->items[i].settings = own;
    }
}

static int
load(struct scan *s)
{
    struct mfx_err err = {""};
    s->filter = score_filter;
    s->filter.hooks.eom = wait_for_all;
    int status = verb_load_filter(s->run, &s->filter, s->config, &s->loaded);
    if (status != EXIT_OK)
        return status;
    /* made by the load above, for nobody else */
    s->policy = (struct score_policy *)(uintptr_t)s->loaded->policy;
    if (s->policy->engines->count == 0)
        return verb_fail(s->run, EXIT_CONFIG, "no engine is configured");
    status = choose_engines(s);
    if (status == EXIT_OK && s->user != NULL)
        choose_user(s);
    if (status == EXIT_OK &&
        score_engines_begin(s->policy->engines, s->policy->shared, &err) !=
            MFX_OK)
        status = verb_fail(s->run, EXIT_SYSTEM, "%s", err.msg);
    return status;
}

/* --- the envelope --- */

static const char *
without_brackets(const struct scan *s, struct mfx_str path)
{
    path = mfx_str_trim(path);
    if (path.len >= 2 && path.p[0] == '<' && path.p[path.len - 1] == '>')
        path = mfx_str(path.p + 1, path.len - 2);
    return mfx_arena_copy(s->run->arena, path).p;
}

static size_t
add_field(const struct scan *s, const char *name, const char **to, size_t count)
{
    struct mfx_address_list list;
    for (const struct mfx_header *h =
             mfx_headers_first(&s->headers, mfx_str_of(name));
         h != NULL; h = h->same_next) {
        if (mfx_address_list_parse(h->value, s->run->arena, TO_MAX, &list) !=
            MFX_OK)
            continue;
        for (size_t i = 0; i < list.count && count < TO_MAX; i++)
            to[count++] = without_brackets(s, list.mailboxes[i].raw);
    }
    return count;
}

static bool
take_recipients(struct scan *s)
{
    size_t count = s->recipients.count;
    const char **to = mfx_arena_alloc_array(
        s->run->arena, count > 0 ? count : TO_MAX, sizeof *to);
    if (to == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        to[i] = without_brackets(s, mfx_str_of(s->recipients.items[i]));
    if (count == 0)
        count = add_field(s, "Cc", to, add_field(s, "To", to, 0));
    s->mail.recipients = to;
    s->mail.recipient_count = count;
    return mfx_arena_ok(s->run->arena);
}

/* "j" is who we are, whose Received spamd is shown. */
static bool
take_macros(struct scan *s)
{
    char *host = mfx_arena_alloc_bytes(s->run->arena, HOST_MAX);
    const char **macros =
        mfx_arena_alloc_array(s->run->arena, 10, sizeof *macros);
    size_t n = 0;
    if (host == NULL || macros == NULL)
        return false;
    if (gethostname(host, HOST_MAX) == 0) {
        host[HOST_MAX - 1] = '\0';
        macros[n++] = "j";
        macros[n++] = host;
    }
    macros[n++] = "i";
    macros[n++] = s->queue_id != NULL ? s->queue_id : "NOQUEUE";
    if (s->login != NULL) {
        macros[n++] = "{auth_authen}";
        macros[n++] = s->login;
        macros[n++] = "{auth_type}";
        macros[n++] = "PLAIN";
    }
    s->mail.macros = macros;
    return true;
}

static int
read_message(struct scan *s, const char *path)
{
    struct mfx_str body;
    int status = verb_read(s->run, path, &s->mail.bytes);
    if (status != EXIT_OK)
        return status;
    if (mfx_str_trim(s->mail.bytes).len == 0)
        return verb_fail(s->run, EXIT_NOINPUT, "%s: there is no message in it",
                         path);
    if (mfx_message_split(s->mail.bytes, s->run->arena, &s->headers, &body) !=
        MFX_OK)
        return verb_fail(s->run, EXIT_SYSTEM, "out of memory");
    s->mail.client_name = s->client_name;
    s->mail.helo = s->helo;
    s->mail.sender = without_brackets(
        s, s->from != NULL ? mfx_str_of(s->from)
                           : verb_guess_sender(s->run, &s->headers));
    if (!take_recipients(s) || !take_macros(s))
        return verb_fail(s->run, EXIT_SYSTEM, "out of memory");
    return EXIT_OK;
}

/* --- the command --- */

static int
decide(struct scan *s)
{
    s->mail.look = look;
    s->mail.look_arg = s;
    if (mfx_offline_decide(s->loaded, &s->mail) != MFX_OK)
        return verb_fail(s->run, EXIT_SYSTEM, "out of memory");
    return s->status;
}

int
verb_scan(struct verb_run *run, int argc, char **argv)
{
    struct scan s = {.run = run};
    int first;
    const struct verb_option options[] = {
        {"config",      'c', &s.config,      NULL         },
        {"engine",      'e', &s.engine,      NULL         },
        {"ip",          'i', &s.ip,          NULL         },
        {"client-name", 0,   &s.client_name, NULL         },
        {"helo",        'H', &s.helo,        NULL         },
        {"from",        'f', &s.from,        NULL         },
        {"to",          't', &s.to,          NULL         },
        {"login",       'l', &s.login,       NULL         },
        {"queue-id",    'q', &s.queue_id,    NULL         },
        {"user",        'u', &s.user,        NULL         },
        {"verbose",     'v', NULL,           &s.is_verbose},
        {NULL,          0,   NULL,           NULL         },
    };
    struct verb_values lists[] = {{.value = &s.engine}, {.value = &s.to}, {0}};
    enum verb_parse parse =
        verb_options_lists(run, options, lists, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    s.engines = lists[0];
    s.recipients = lists[1];
    if (argc - first != 1)
        return verb_wrong(run, "one FILE, or \"-\" for stdin");
    if (s.ip != NULL &&
        mfx_ip_parse(mfx_str_of(s.ip), &s.mail.client_ip) != MFX_OK)
        return verb_wrong(run, "--ip %s: no IP address", s.ip);
    int status = load(&s);
    if (status == EXIT_OK)
        status = read_message(&s, argv[first]);
    if (status == EXIT_OK)
        status = decide(&s);
    mfx_headers_fini(&s.headers);
    if (s.loaded != NULL)
        mfx_offline_free(s.loaded);
    return status;
}
