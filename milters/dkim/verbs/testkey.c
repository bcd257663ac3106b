/* SPDX-License-Identifier: BSD-2-Clause
 *
 * testkey - is the public half of each key in DNS?
 */
#include <mfx/mail/address.h>
#include <mfx/net/resolver.h>

#include "../alignment.h"
#include "../policy.h"
#include "../published.h"
#include "verb.h"

enum {
    ASKED_AHEAD = 64, /* names under way while answers are compared */
};

struct request {
    const char *domain, *selector, *key, *config, *dns, *zone;
};

struct item {
    struct mfx_str domain, selector, file;
    struct mfx_dkim_private_key *key; /* NULL: bad says why */
    const char *bad;
    struct item *next;
};

struct work {
    const struct verb_run *run;
    const struct request *request;
    struct item *first, **end;
    json_t *results, *warnings;
    size_t total, failed, unknown;
};

/* --- what to test --- */

static bool
is_wanted(const char *wanted, struct mfx_str have)
{
    return wanted == NULL || mfx_str_is_nocase(have, wanted);
}

static struct item *
add(struct work *w, struct mfx_str domain, struct mfx_str selector,
    struct mfx_str file)
{
    struct item *item = mfx_arena_alloc(w->run->arena, sizeof *item);
    if (item == NULL)
        return NULL;
    item->domain = domain;
    item->selector = selector;
    item->file = file;
    *w->end = item;
    w->end = &item->next;
    return item;
}

static bool
add_signer(const struct dkim_signer *signer, void *arg)
{
    struct work *w = arg;
    struct mfx_err err = {0};
    if (!is_wanted(w->request->domain, signer->domain) ||
        !is_wanted(w->request->selector, signer->selector))
        return true;
    struct item *item = add(w, signer->domain, signer->selector, signer->key);
    if (item == NULL)
        return false;
    if (dkim_key_file_get(signer->file, &item->key, &err) != MFX_OK) {
        item->key = NULL;
        item->bad = mfx_arena_copy(w->run->arena, mfx_str_of(err.msg)).p;
    }
    return true;
}

/* --- asking --- */

static void
ask_ahead(const struct work *w, const struct mfx_env *env,
          const struct item *item)
{
    for (size_t i = 0; i < ASKED_AHEAD && item != NULL; item = item->next) {
        struct mfx_str name = mfx_arena_printf(
            w->run->arena, "%.*s._domainkey.%.*s", MFX_STR_ARG(item->selector),
            MFX_STR_ARG(item->domain));
        struct mfx_str ascii = name;
        (void)!mfx_domain_to_ascii(name, w->run->arena, &ascii);
        struct mfx_dns_question *q =
            mfx_dns_ask(env->resolver, ascii, MFX_DNS_TXT);
        /* the answer waits in the resolver's cache */
        if (q != NULL)
            mfx_dns_question_release(q);
        i++;
    }
}

/* The word for scripts. */
static const char *
word_for(const struct dkim_published *p)
{
    return p->status == DKIM_PUBLISHED_UNUSABLE &&
                   p->problem == MFX_DKIM_RECORD_REVOKED
               ? "revoked"
               : dkim_published_status_name(p->status);
}

static void
report(struct work *w, const struct item *item, const char *word,
       const struct dkim_published *p, const char *text)
{
    if (!w->run->as_json) {
        (void)printf("%s %s: %s%s%s%s\n", verb_text(w->run, item->domain),
                     verb_text(w->run, item->selector), word,
                     text == NULL ? "" : ": ", text == NULL ? "" : text,
                     p->is_testing ? " (t=y: in test mode)" : "");
        return;
    }
    json_t *o = json_pack("{s:s, s:b, s:b, s:i}", "status", word, "testing",
                          p->is_testing, "authentic", p->is_authentic, "ttl",
                          (int)p->ttl_s);
    (void)json_object_set_new(o, "domain", verb_json(item->domain));
    (void)json_object_set_new(o, "selector", verb_json(item->selector));
    (void)json_object_set_new(o, "name", verb_json(p->name));
    (void)json_object_set_new(o, "key", verb_json(item->file));
    if (text != NULL)
        (void)json_object_set_new(o, "text", verb_json(mfx_str_of(text)));
    (void)json_array_append_new(w->results, o);
}

static void
test(struct work *w, const struct mfx_env *env, const struct item *item)
{
    struct dkim_published p = {.status = DKIM_PUBLISHED_UNKNOWN};
    w->total++;
    if (item->key == NULL) {
        w->failed++;
        report(w, item, "no-key", &p, item->bad);
        return;
    }
    dkim_published_check(env, item->key, item->domain, item->selector,
                         w->run->arena, &p);
    bool is_match = p.status == DKIM_PUBLISHED_MATCH;
    bool is_unknown = p.status == DKIM_PUBLISHED_UNKNOWN;
    w->unknown += is_unknown;
    w->failed += !is_match && !is_unknown;
    report(w, item, word_for(&p), &p, is_match ? NULL : p.text);
}

/* --- DMARC --- */

static void
warn(const struct dkim_alignment *found, void *arg)
{
    struct work *w = arg;
    struct mfx_str text = mfx_str_of(found->text);
    const char *domain = w->request->domain;
    if (domain != NULL &&
        !mfx_domain_is_within(found->from, mfx_str_of(domain)))
        return;
    if (w->run->as_json)
        (void)json_array_append_new(w->warnings, verb_json(text));
    else
        (void)printf("warning: %s\n", verb_text(w->run, text));
}

static void
check_alignment(struct work *w, const struct mfx_env *env,
                const struct mfx_offline *loaded)
{
    struct dkim_alignment_check *check = dkim_alignment_new(env);
    if (check != NULL)
        dkim_alignment_each(check, loaded->policy, warn, w);
    dkim_alignment_free(check);
}

static int
test_all(struct work *w, const struct mfx_offline *loaded)
{
    struct verb_env env;
    int status =
        verb_env_init(w->run, w->request->dns, w->request->zone, loaded, &env);
    if (status != EXIT_OK)
        return status;
    if (w->run->as_json) {
        w->results = json_array();
        w->warnings = json_array();
    }
    size_t n = 0;
    for (const struct item *item = w->first; item != NULL; item = item->next) {
        if (n++ % ASKED_AHEAD == 0 && item->next != NULL)
            ask_ahead(w, &env.env, item);
        test(w, &env.env, item);
    }
    if (loaded != NULL && w->request->selector == NULL)
        check_alignment(w, &env.env, loaded);
    verb_env_fini(&env);
    if (w->run->as_json)
        verb_print_json(json_pack("{s:o, s:i, s:i, s:i, s:o}", "keys",
                                  w->results, "total", (int)w->total, "failed",
                                  (int)w->failed, "unknown", (int)w->unknown,
                                  "warnings", w->warnings));
    else if (w->total > 1)
        (void)printf("%zu keys, %zu failed, %zu without an answer\n", w->total,
                     w->failed, w->unknown);
    if (w->failed > 0)
        return EXIT_NO;
    return w->unknown > 0 ? EXIT_TEMP : EXIT_OK;
}

static int
test_file(struct work *w)
{
    const struct request *r = w->request;
    struct mfx_dkim_private_key *key = NULL;
    if (r->domain == NULL || r->selector == NULL)
        return verb_wrong(w->run, "--key wants --domain and --selector");
    int status = verb_read_key(w->run, r->key, &key);
    if (status != EXIT_OK)
        return status;
    struct item *item = add(w, mfx_str_of(r->domain), mfx_str_of(r->selector),
                            mfx_str_of(r->key));
    if (item != NULL)
        item->key = key;
    status = item == NULL ? EXIT_SYSTEM : test_all(w, NULL);
    mfx_dkim_private_key_unref(key);
    return status;
}

static int
test_configuration(struct work *w)
{
    struct mfx_offline *loaded = NULL;
    int status = verb_load(w->run, w->request->config, &loaded);
    if (status != EXIT_OK)
        return status;
    const struct dkim_policy *policy = loaded->policy;
    dkim_signers_each(policy->signers, add_signer, w);
    if (!mfx_arena_ok(w->run->arena))
        status = verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    else if (w->first == NULL)
        status = verb_fail(w->run, EXIT_CONFIG,
                           "the configuration names no such key (patterns and "
                           "live tables are not walked)");
    else
        status = test_all(w, loaded);
    mfx_offline_free(loaded);
    return status;
}

int
verb_testkey(struct verb_run *run, int argc, char **argv)
{
    struct request r = {0};
    struct work w = {.run = run, .request = &r, .end = &w.first};
    const struct verb_option options[] = {
        {"domain",   'd', &r.domain,   NULL},
        {"selector", 's', &r.selector, NULL},
        {"key",      'k', &r.key,      NULL},
        {"config",   'c', &r.config,   NULL},
        {"dns",      0,   &r.dns,      NULL},
        {"zone",     0,   &r.zone,     NULL},
        {NULL,       0,   NULL,        NULL},
    };
    int first;
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (first < argc)
        return verb_wrong(run, "%s: not expected here", argv[first]);
    if (r.key != NULL && r.config != NULL)
        return verb_wrong(run, "--key or --config, not both");
    return r.key != NULL ? test_file(&w) : test_configuration(&w);
}
