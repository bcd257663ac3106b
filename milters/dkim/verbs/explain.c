/* SPDX-License-Identifier: BSD-2-Clause
 *
 * explain - what the daemon would do with a message, decided by its own code
 */
#include <mfx/mail/header.h>

#include "../alignment.h"
#include "../policy.h"
#include "verb.h"

struct request {
    const char *config, *from, *client, *client_name, *login, *daemon_name;
    const char *sender, *recipient, *macro, *dns, *zone;
};

struct work {
    const struct verb_run *run;
    const struct request *request;
    const struct mfx_offline *loaded;
    struct mfx_headers headers;
    struct dkim_facts facts;
    struct mfx_decision decision;
    struct dkim_plan plan;
    struct dkim_alignment alignment;
};

/* --macro NAME=VALUE; braces may be left out. */
static struct mfx_str
find_macro(void *arg, struct mfx_str name, bool *found)
{
    const struct work *w = arg;
    struct mfx_str text = mfx_str_of(w->request->macro);
    size_t at = mfx_str_find(text, '=');
    struct mfx_str given = mfx_str_head(text, at);
    if (name.len > 2 && name.p[0] == '{' && given.len > 0 && given.p[0] != '{')
        name = mfx_str(name.p + 1, name.len - 2);
    *found = given.len > 0 && mfx_str_eq(given, name);
    return *found ? mfx_str_from(text, at + 1) : mfx_str(NULL, 0);
}

static struct mfx_str
sender_macro(struct work *w)
{
    const struct dkim_policy *policy = w->loaded->policy;
    bool found = false;
    return policy->sender_macro == NULL
               ? mfx_str(NULL, 0)
               : find_macro(w, mfx_str_of(policy->sender_macro), &found);
}

static int
read_message(struct work *w, const char *path)
{
    struct mfx_str bytes, body;
    int status = verb_read(w->run, path, &bytes);
    if (status != EXIT_OK)
        return status;
    if (mfx_message_split(bytes, w->run->arena, &w->headers, &body) != MFX_OK)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    return EXIT_OK;
}

static int
make_header(struct work *w)
{
    struct mfx_str name = MFX_STR("From");
    struct mfx_str value =
        mfx_arena_printf(w->run->arena, " %s", w->request->from);
    if (mfx_headers_add(&w->headers, w->run->arena, name, value) == NULL)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    return EXIT_OK;
}

static int
make_facts(struct work *w)
{
    const struct request *r = w->request;
    struct mfx_origin_facts origin = {
        .login = mfx_str_of(r->login),
        .auth_type = mfx_str_of(r->login == NULL ? NULL : "PLAIN"),
        .daemon_name = mfx_str_of(r->daemon_name),
        .client_name = mfx_str_of(r->client_name),
        .macro = find_macro,
        .macro_arg = w,
    };
    if (r->client != NULL &&
        mfx_ip_parse(mfx_str_of(r->client), &origin.client_ip) != MFX_OK)
        return verb_wrong(w->run, "--client %s: no IP address", r->client);
    w->facts = (struct dkim_facts){
        .headers = &w->headers,
        .origin = mfx_origin_decide(w->loaded->origin, &origin),
        .client_name = origin.client_name,
        .client_ip = origin.client_ip,
        .login = origin.login,
        .sender_macro = sender_macro(w),
        .is_null_sender = r->sender != NULL && (strcmp(r->sender, "") == 0 ||
                                                strcmp(r->sender, "<>") == 0),
    };
    if (r->recipient == NULL)
        return EXIT_OK;
    struct mfx_err err = {0};
    enum mfx_rc rc = dkim_policy_excepts_recipient(
        w->loaded->policy, mfx_str_of(r->recipient), w->run->arena, &err);
    w->facts.is_to_excepted = rc == MFX_OK;
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        return verb_fail(w->run, EXIT_TEMP, "sign.except_recipients: %s",
                         err.msg);
    return EXIT_OK;
}

/* --- what is printed --- */

static void
print_json(const struct work *w)
{
    json_t *signers = json_array(), *trace = json_array();
    for (const struct dkim_signer *s = w->plan.signers; s != NULL;
         s = s->next) {
        json_t *o = json_object();
        (void)json_object_set_new(o, "domain", verb_json(s->domain));
        (void)json_object_set_new(o, "selector", verb_json(s->selector));
        (void)json_object_set_new(o, "identity", verb_json(s->identity));
        (void)json_object_set_new(o, "key", verb_json(s->key));
        (void)json_array_append_new(signers, o);
    }
    for (const struct mfx_decision_note *n = w->decision.trace; n != NULL;
         n = n->next) {
        json_t *o = json_object();
        (void)json_object_set_new(o, "rule", json_string(n->key));
        (void)json_object_set_new(o, "text", verb_json(n->text));
        (void)json_array_append_new(trace, o);
    }
    json_t *o = json_pack("{s:s, s:s, s:b, s:o, s:o}", "job",
                          dkim_job_name(w->plan.job), "origin",
                          mfx_origin_rule_name(w->facts.origin.rule), "ours",
                          mfx_origin_is_ours(&w->facts.origin), "signers",
                          signers, "trace", trace);
    (void)json_object_set_new(o, "reason", verb_json(w->plan.reason));
    (void)json_object_set_new(o, "from_domain", verb_json(w->plan.from_domain));
    if (w->alignment.status == DKIM_ALIGNMENT_BAD)
        (void)json_object_set_new(o, "warning",
                                  verb_json(mfx_str_of(w->alignment.text)));
    (void)json_object_set_new(o, "sender_domain",
                              verb_json(w->plan.sender_domain));
    verb_print_json(o);
}

static void
print_text(const struct work *w)
{
    const struct verb_run *run = w->run;
    (void)printf("%s: %s\n", dkim_job_name(w->plan.job),
                 verb_text(run, w->plan.reason));
    for (const struct dkim_signer *s = w->plan.signers; s != NULL; s = s->next)
        (void)printf("  d=%s s=%s%s%s key %s\n", verb_text(run, s->domain),
                     verb_text(run, s->selector),
                     s->identity.len > 0 ? " i=" : "",
                     verb_text(run, s->identity), verb_text(run, s->key));
    (void)printf("because:\n");
    for (const struct mfx_decision_note *n = w->decision.trace; n != NULL;
         n = n->next)
        (void)printf("  %s: %s\n", n->key, verb_text(run, n->text));
    if (w->alignment.status == DKIM_ALIGNMENT_BAD)
        (void)printf("warning: %s\n",
                     verb_text(run, mfx_str_of(w->alignment.text)));
}

static int
exit_for(enum dkim_job job)
{
    switch (job) {
    case DKIM_JOB_PASS:
    case DKIM_JOB_SIGN:
    case DKIM_JOB_VERIFY:
    case DKIM_JOB_HOLD:
        return EXIT_OK;
    case DKIM_JOB_REFUSE:
    case DKIM_JOB_DISCARD:
        return EXIT_NO;
    case DKIM_JOB_DEFER:
        return EXIT_TEMP;
    }
    return EXIT_TEMP;
}

/* DNS is asked only where a d= is not the From domain itself. */
static int
check_alignment(struct work *w)
{
    struct verb_env env;
    const struct dkim_plan *plan = &w->plan;
    if (plan->job != DKIM_JOB_SIGN)
        return EXIT_OK;
    int status = verb_env_init(w->run, w->request->dns, w->request->zone,
                               w->loaded, &env);
    if (status != EXIT_OK)
        return status;
    struct dkim_alignment_check *check = dkim_alignment_new(&env.env);
    if (check != NULL)
        dkim_alignment_of(check, plan->from_domain, mfx_str(NULL, 0),
                          plan->signers, w->run->arena, &w->alignment);
    dkim_alignment_free(check);
    verb_env_fini(&env);
    return EXIT_OK;
}

static int
explain(struct work *w, const char *path)
{
    int status = path != NULL ? read_message(w, path) : make_header(w);
    if (status == EXIT_OK)
        status = make_facts(w);
    if (status != EXIT_OK)
        return status;
    mfx_decision_init(&w->decision, w->run->arena);
    dkim_policy_plan(w->loaded->policy, &w->facts, w->run->arena, &w->decision,
                     &w->plan);
    status = check_alignment(w);
    if (status != EXIT_OK)
        return status;
    if (w->run->as_json)
        print_json(w);
    else
        print_text(w);
    return exit_for(w->plan.job);
}

int
verb_explain(struct verb_run *run, int argc, char **argv)
{
    struct request r = {0};
    struct work w = {.run = run, .request = &r};
    struct mfx_offline *loaded = NULL;
    const struct verb_option options[] = {
        {"config",      'c', &r.config,      NULL},
        {"from",        'f', &r.from,        NULL},
        {"client",      0,   &r.client,      NULL},
        {"client-name", 0,   &r.client_name, NULL},
        {"auth",        0,   &r.login,       NULL},
        {"daemon-name", 0,   &r.daemon_name, NULL},
        {"macro",       0,   &r.macro,       NULL},
        {"sender",      0,   &r.sender,      NULL},
        {"recipient",   0,   &r.recipient,   NULL},
        {"dns",         0,   &r.dns,         NULL},
        {"zone",        0,   &r.zone,        NULL},
        {NULL,          0,   NULL,           NULL},
    };
    int first;
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    const char *path = first < argc ? argv[first] : NULL;
    if (argc - first > 1 || (path == NULL) == (r.from == NULL))
        return verb_wrong(run, "--from ADDRESS, or one FILE");
    int status = verb_load(run, r.config, &loaded);
    if (status != EXIT_OK)
        return status;
    w.loaded = loaded;
    status = explain(&w, path);
    mfx_headers_fini(&w.headers);
    mfx_offline_free(loaded);
    return status;
}
