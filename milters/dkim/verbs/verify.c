/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verify - what each signature of a message is worth, and why
 */
#include <mfx/auth/dkim_verify.h>
#include <mfx/mail/address.h>
#include <mfx/mail/header.h>

#include "../policy.h"
#include "../results.h"
#include "verb.h"

enum {
    WAIT_MS = 30000, /* for all keys together */
    MAILBOXES_MAX = 100,
};

struct request {
    const char *config, *dns, *zone, *authserv_id;
    bool all;
};

struct work {
    const struct verb_run *run;
    const struct request *request;
    const struct mfx_offline *loaded; /* NULL without --config */
    struct mfx_str bytes, body;
    struct mfx_headers headers;
    const struct mfx_dkim_result *results;
    size_t count, ignored;
    struct mfx_decision decision; /* with loaded, as is plan */
    struct dkim_plan plan;
};

static const char *
fault_name(enum mfx_dkim_fault fault)
{
    static const char *const names[] = {
        [MFX_DKIM_FAULT_NONE] = "none",
        [MFX_DKIM_FAULT_SYNTAX] = "signature field",
        [MFX_DKIM_FAULT_ALGORITHM] = "algorithm",
        [MFX_DKIM_FAULT_KEY_LOOKUP] = "key lookup",
        [MFX_DKIM_FAULT_KEY_MISSING] = "key missing",
        [MFX_DKIM_FAULT_KEY] = "key",
        [MFX_DKIM_FAULT_EXPIRED] = "expired",
        [MFX_DKIM_FAULT_BODY_HASH] = "body hash",
        [MFX_DKIM_FAULT_SIGNATURE] = "header hash",
        [MFX_DKIM_FAULT_POLICY] = "policy",
        [MFX_DKIM_FAULT_UNPROTECTED] = "no DNSSEC",
        [MFX_DKIM_FAULT_HEADERS] = "header",
        [MFX_DKIM_FAULT_UNTRUSTED] = "signer not trusted",
        [MFX_DKIM_FAULT_INTERNAL] = "internal",
    };
    return names[fault];
}

/* --- verifying --- */

/* The results as the configuration sees them. */
static enum mfx_rc
adjust(struct work *w)
{
    const struct dkim_facts facts = {.headers = &w->headers};
    mfx_decision_init(&w->decision, w->run->arena);
    /* for the authors */
    dkim_policy_plan(w->loaded->policy, &facts, w->run->arena, &w->decision,
                     &w->plan);
    w->results = dkim_policy_adjust(w->loaded->policy, &w->plan, w->results,
                                    w->count, w->run->arena, &w->decision);
    return w->results == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static struct mfx_str
from_domain(const struct work *w)
{
    struct mfx_str name = MFX_STR("From"), ascii;
    struct mfx_address_list list = {.count = 0};
    const struct mfx_header *from = mfx_headers_first(&w->headers, name);
    if (from == NULL ||
        mfx_address_list_parse(from->value, w->run->arena, MAILBOXES_MAX,
                               &list) != MFX_OK ||
        mfx_domain_to_ascii(list.mailboxes[0].domain, w->run->arena, &ascii) !=
            MFX_OK)
        return mfx_str(NULL, 0);
    return ascii;
}

static enum mfx_rc
check(struct work *w, const struct mfx_env *env)
{
    struct mfx_dkim_verify_limits limits =
        w->loaded == NULL ? mfx_dkim_verify_limits_default()
                          : dkim_policy_verify_limits(w->loaded->policy);
    limits.fix_line_ends = true;
    struct mfx_dkim_verifier *v =
        mfx_dkim_verifier_new(w->run->arena, env, &limits);
    if (v == NULL)
        return MFX_TEMPFAIL;
    mfx_dkim_verifier_diagnose(v);
    for (const struct mfx_header *h = w->headers.first; h != NULL; h = h->next)
        mfx_dkim_verifier_header(v, h);
    mfx_dkim_verifier_headers_end(v, &w->headers, from_domain(w));
    mfx_dkim_verifier_body(v, w->body);
    uint64_t until_ms = mfx_mono_ms() + WAIT_MS;
    struct mfx_event *event;
    while ((event = mfx_dkim_verifier_pending(v)) != NULL)
        if (!mfx_event_wait(event, until_ms))
            break;
    enum mfx_rc rc =
        mfx_dkim_verifier_finish(v, &w->results, &w->count, &w->ignored);
    if ((rc == MFX_OK || rc == MFX_NOTFOUND) && w->loaded != NULL)
        rc = adjust(w);
    return rc;
}

static struct mfx_str
authentication_results(const struct work *w)
{
    const char *id = w->request->authserv_id;
    const struct dkim_settings *s =
        w->loaded == NULL ? NULL : w->loaded->settings;
    const struct mfx_auth_results_settings unset = {0};
    struct mfx_str value = {NULL, 0}, name = mfx_str_of(id);
    if (id == NULL)
        name = mfx_auth_results_id(s == NULL ? &unset : &s->results, name);
    (void)!dkim_results_write(w->results, w->count, name, true, w->run->arena,
                              &value);
    return value;
}

/* --- what the configuration makes of it --- */

static struct dkim_judgement
judge(struct work *w)
{
    struct dkim_judgement judgement;
    dkim_policy_judge(w->loaded->policy, &w->plan, w->results, w->count,
                      w->run->arena, &w->decision, &judgement);
    if (w->plan.job == DKIM_JOB_REFUSE) /* before it was verified */
        judgement = (struct dkim_judgement){
            .status = judgement.status,
            .action = DKIM_ACTION_REJECT,
            .code = 550,
            .enhanced = "5.7.1",
            .text = w->plan.header_fault,
            .reason = w->plan.header_fault,
        };
    return judgement;
}

static void
print_judgement(struct work *w)
{
    struct dkim_judgement j = judge(w);
    (void)printf("by the configuration: %s (%s)", dkim_action_name(j.action),
                 j.reason);
    if (j.action == DKIM_ACTION_REJECT || j.action == DKIM_ACTION_TEMPFAIL)
        (void)printf(": %u %s %s", j.code, j.enhanced, j.text);
    (void)printf("\n");
}

static json_t *
json_of_judgement(struct work *w)
{
    struct dkim_judgement j = judge(w);
    return json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "status",
                     mfx_dkim_status_name(j.status), "action",
                     dkim_action_name(j.action), "reason", j.reason, "code",
                     (int)j.code, "enhanced", j.enhanced, "text", j.text);
}

/* --- what is printed --- */

static void
print_result(const struct work *w, size_t n, const struct mfx_dkim_result *r)
{
    const struct verb_run *run = w->run;
    bool is_pass = r->status == MFX_DKIM_PASS;
    (void)printf("signature %zu: %s", n, mfx_dkim_status_name(r->status));
    if (!is_pass)
        (void)printf(" (%s): %s", fault_name(r->fault),
                     r->reason == NULL ? "" : r->reason);
    (void)printf("\n  d=%s s=%s a=%s c=%s/%s", verb_text(run, r->domain),
                 verb_text(run, r->selector), verb_text(run, r->algorithm),
                 mfx_dkim_canon_name(r->header_canon),
                 mfx_dkim_canon_name(r->body_canon));
    if (r->key_bits > 0)
        (void)printf(", %u-bit key", r->key_bits);
    (void)printf("%s%s%s\n", r->is_testing ? ", in test mode" : "",
                 r->is_aligned ? ", d= fits From" : ", d= is not From's",
                 r->key_is_authentic ? ", DNSSEC" : "");
    if (r->body_unsigned > 0)
        (void)printf("  %llu octets behind l= are not signed\n",
                     (unsigned long long)r->body_unsigned);
    if (r->fault == MFX_DKIM_FAULT_BODY_HASH)
        (void)printf("  body canonicalization %s %s\n",
                     r->body_canon == MFX_DKIM_SIMPLE ? "relaxed" : "simple",
                     r->other_canon_matches
                         ? "would have matched: only white space was changed"
                         : "does not match either");
}

static json_t *
json_of(const struct mfx_dkim_result *r)
{
    json_t *o = json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:b, s:b, s:b, s:I}", "status",
        mfx_dkim_status_name(r->status), "fault", fault_name(r->fault),
        "header_canonicalization", mfx_dkim_canon_name(r->header_canon),
        "body_canonicalization", mfx_dkim_canon_name(r->body_canon), "key_bits",
        (int)r->key_bits, "testing", r->is_testing, "aligned", r->is_aligned,
        "authentic", r->key_is_authentic, "body_unsigned",
        (json_int_t)r->body_unsigned);
    if (r->status != MFX_DKIM_PASS && r->reason != NULL)
        (void)json_object_set_new(o, "reason", json_string(r->reason));
    if (r->fault == MFX_DKIM_FAULT_BODY_HASH)
        (void)json_object_set_new(o, "other_canonicalization_matches",
                                  json_boolean(r->other_canon_matches));
    (void)json_object_set_new(o, "domain", verb_json(r->domain));
    (void)json_object_set_new(o, "selector", verb_json(r->selector));
    (void)json_object_set_new(o, "identity", verb_json(r->identity));
    (void)json_object_set_new(o, "algorithm", verb_json(r->algorithm));
    return o;
}

static void
print_json(struct work *w, const char *status)
{
    json_t *results = json_array();
    for (size_t i = 0; i < w->count; i++)
        (void)json_array_append_new(results, json_of(&w->results[i]));
    json_t *o = json_pack("{s:s, s:o, s:i}", "status", status, "signatures",
                          results, "ignored", (int)w->ignored);
    (void)json_object_set_new(o, "authentication_results",
                              verb_json(authentication_results(w)));
    if (w->loaded != NULL)
        (void)json_object_set_new(o, "judgement", json_of_judgement(w));
    verb_print_json(o);
}

static void
print_text(struct work *w)
{
    if (w->count == 0)
        (void)printf("no signature\n");
    for (size_t i = 0; i < w->count; i++)
        print_result(w, i + 1, &w->results[i]);
    if (w->ignored > 0)
        (void)printf("%zu more signatures were not looked at\n", w->ignored);
    if (w->loaded != NULL)
        print_judgement(w);
    struct mfx_str value = authentication_results(w);
    (void)printf("Authentication-Results:%.*s\n", MFX_STR_ARG(value));
}

/* One signature that passes is enough (RFC 6376 6.1), unless all are asked
 * for. */
static int
conclude(const struct work *w, const char **word)
{
    size_t passed = 0, unknown = 0;
    for (size_t i = 0; i < w->count; i++) {
        passed += w->results[i].status == MFX_DKIM_PASS;
        unknown += w->results[i].status == MFX_DKIM_TEMPERROR;
    }
    bool is_pass =
        w->request->all ? passed == w->count && passed > 0 : passed > 0;
    bool is_lost = w->request->all && passed + unknown < w->count;
    *word = is_pass ? "pass" : unknown > 0 && !is_lost ? "unknown" : "fail";
    if (w->count == 0)
        *word = "none";
    if (is_pass)
        return EXIT_OK;
    return unknown > 0 && !is_lost ? EXIT_TEMP : EXIT_NO;
}

static int
verify_message(struct work *w, const struct mfx_env *env)
{
    const char *word = "none";
    enum mfx_rc rc = check(w, env);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    int status = conclude(w, &word);
    if (w->run->as_json)
        print_json(w, word);
    else
        print_text(w);
    return status;
}

static int
verify_file(struct work *w, const char *path)
{
    struct verb_env env = {.is_own = false};
    const struct request *r = w->request;
    int status = verb_read(w->run, path, &w->bytes);
    if (status != EXIT_OK)
        return status;
    if (mfx_message_split(w->bytes, w->run->arena, &w->headers, &w->body) !=
        MFX_OK)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    status = verb_env_init(w->run, r->dns, r->zone, w->loaded, &env);
    if (status == EXIT_OK)
        status = verify_message(w, &env.env);
    mfx_headers_fini(&w->headers);
    /* questions go before their resolver */
    mfx_arena_reset(w->run->arena);
    verb_env_fini(&env);
    return status;
}

int
verb_verify(struct verb_run *run, int argc, char **argv)
{
    struct request r = {0};
    struct work w = {.run = run, .request = &r};
    struct mfx_offline *loaded = NULL;
    const struct verb_option options[] = {
        {"config",      'c', &r.config,      NULL  },
        {"dns",         0,   &r.dns,         NULL  },
        {"zone",        0,   &r.zone,        NULL  },
        {"authserv-id", 0,   &r.authserv_id, NULL  },
        {"all",         'a', NULL,           &r.all},
        {NULL,          0,   NULL,           NULL  },
    };
    int first;
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (argc - first != 1)
        return verb_wrong(run, "one FILE is needed (\"-\" for stdin)");
    int status = EXIT_OK;
    if (r.config != NULL)
        status = verb_load(run, r.config, &loaded);
    w.loaded = loaded;
    if (status == EXIT_OK)
        status = verify_file(&w, argv[first]);
    mfx_offline_free(loaded);
    return status;
}
