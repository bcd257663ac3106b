/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check - what SPF says of a client, and every lookup on the way
 */
#include "check.h"

/* --- what is asked --- */

static int
take_engine(struct check_work *w)
{
    static const enum mfx_spf_engine engines[] = {MFX_SPF_ENGINE_MFX,
                                                  MFX_SPF_ENGINE_LIBSPF2};
    struct mfx_str word = mfx_str_of(
        w->engine == NULL ? mfx_spf_engine_name(w->config.engine) : w->engine);
    bool is_both = mfx_str_is(word, "both"), is_known = is_both;
    for (size_t i = 0; i < 2; i++) {
        enum mfx_spf_engine engine = engines[i];
        w->wants_engine[engine] =
            is_both || mfx_str_is(word, mfx_spf_engine_name(engine));
        is_known = is_known || w->wants_engine[engine];
        if (w->wants_engine[engine] && !mfx_spf_engine_is_built(engine))
            return verb_fail(w->run, EXIT_CONFIG, "mfx is built without %s",
                             mfx_spf_engine_name(engine));
    }
    return is_known ? EXIT_OK
                    : verb_wrong(w->run, "--engine %s: mfx, libspf2 or both",
                                 w->engine);
}

static int
take_identity(struct check_work *w)
{
    struct mfx_str word = mfx_str_of(w->identity != NULL ? w->identity
                                     : w->from != NULL   ? "mailfrom"
                                                         : "helo");
    bool is_both = mfx_str_is(word, "both");
    w->wants_identity[MFX_SPF_HELO] = is_both || mfx_str_is(word, "helo");
    w->wants_identity[MFX_SPF_MAIL_FROM] =
        is_both || mfx_str_is(word, "mailfrom");
    if (!w->wants_identity[MFX_SPF_HELO] &&
        !w->wants_identity[MFX_SPF_MAIL_FROM])
        return verb_wrong(w->run, "--identity %s: helo, mailfrom or both",
                          w->identity);
    if (w->wants_identity[MFX_SPF_MAIL_FROM] && w->from == NULL)
        return verb_wrong(w->run, "--from is needed (\"\" for a bounce)");
    if (w->wants_identity[MFX_SPF_HELO] && w->helo == NULL)
        return verb_wrong(w->run, w->from == NULL ? "--from or --helo is needed"
                                                  : "--helo is needed");
    return EXIT_OK;
}

/* "<a@b>" is a@b, "<>" the null sender. */
static struct mfx_str
without_brackets(struct mfx_str s)
{
    if (s.len >= 2 && s.p[0] == '<' && s.p[s.len - 1] == '>')
        return mfx_str(s.p + 1, s.len - 2);
    return s;
}

static int
take_address(struct check_work *w)
{
    if (w->ip == NULL)
        return verb_wrong(w->run, "--ip is needed");
    if (mfx_ip_parse(mfx_str_of(w->ip), &w->request.ip) != MFX_OK)
        return verb_wrong(w->run, "--ip %s: no IP address", w->ip);
    return EXIT_OK;
}

/* The daemon's settings, where they are named, and then the options. */
static int
take_config(struct check_work *w)
{
    w->config = mfx_spf_config_default();
    if (w->site.policy != NULL) {
        w->config = w->site.policy->config;
        w->request.receiver = w->site.policy->settings->spf.receiver;
    }
    if (w->receiver != NULL)
        w->request.receiver = mfx_str_of(w->receiver);
    w->config.wants_trace = w->wants_trace;
    if (w->timeout != NULL && !spf_verb_seconds(w->timeout, &w->config.time_ms))
        return verb_wrong(w->run, "--timeout %s: seconds from 1 to 600",
                          w->timeout);
    return take_engine(w);
}

static int
take_request(struct check_work *w)
{
    int status = take_address(w);
    if (status == EXIT_OK)
        status = take_identity(w);
    if (status == EXIT_OK)
        status = spf_verb_site_load(w->run, &w->site, true);
    w->request.helo = mfx_str_of(w->helo);
    w->request.sender = without_brackets(mfx_str_of(w->from));
    return status == EXIT_OK ? take_config(w) : status;
}

/* --- asking --- */

static bool
check(struct check_work *w, struct check_run *one)
{
    const struct mfx_env *env = &w->site.env.env;
    uint64_t start_ms = env->mono_ms(env);
    struct mfx_event *events[MFX_EVENT_ANY_MAX];
    size_t count;
    struct mfx_spf_check *check =
        mfx_spf_begin(w->run->arena, env, &one->config, &w->request);
    if (check == NULL)
        return false;
    while ((count = mfx_spf_events(check, events, MFX_EVENT_ANY_MAX)) > 0 &&
           mfx_event_wait_any(events, count, mfx_spf_deadline_ms(check)))
        ;
    one->outcome = mfx_spf_finish(check);
    one->took_ms = env->mono_ms(env) - start_ms;
    return true;
}

/* What the daemon would do by this result. */
static int
rule(struct check_work *w, struct check_run *one)
{
    struct mfx_decision decision;
    struct mfx_err err = {0};
    if (w->site.policy == NULL)
        return EXIT_OK;
    mfx_decision_init(&decision, w->run->arena);
    enum mfx_rc rc = spf_rules_ask(&w->site.policy->rules, one->outcome,
                                   mfx_str_of(w->client_name), &w->request.ip,
                                   &decision, &one->ruling, &err);
    if (rc != MFX_OK)
        return verb_fail(w->run, EXIT_TEMP, "%s", err.msg);
    one->is_ruled = true;
    return EXIT_OK;
}

static int
check_all(struct check_work *w)
{
    for (int identity = 1; identity >= 0; identity--)
        for (int engine = 0; engine < 2; engine++) {
            if (!w->wants_identity[identity] || !w->wants_engine[engine])
                continue;
            struct check_run *one = &w->runs[w->count++];
            w->request.identity = (enum mfx_spf_identity)identity;
            one->config = w->config;
            one->config.engine = (enum mfx_spf_engine)engine;
            if (!check(w, one))
                return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
            int status = rule(w, one);
            if (status != EXIT_OK)
                return status;
        }
    return EXIT_OK;
}

static int
status_of(const struct check_work *w)
{
    if (check_any_differs(w))
        return EXIT_DIFFER;
    switch (w->runs[0].outcome->result) {
    case MFX_SPF_PASS:
        return EXIT_OK;
    case MFX_SPF_TEMPERROR:
        return EXIT_TEMP;
    case MFX_SPF_NONE:
    case MFX_SPF_NEUTRAL:
    case MFX_SPF_FAIL:
    case MFX_SPF_SOFTFAIL:
    case MFX_SPF_PERMERROR:
    case MFX_SPF_RESULT_COUNT:
        break;
    }
    return EXIT_NO;
}

static int
run_work(struct check_work *w)
{
    int status = take_request(w);
    if (status != EXIT_OK)
        return status;
    status = check_all(w);
    if (status != EXIT_OK)
        return status;
    if (w->run->as_json)
        check_show_json(w);
    else
        check_show(w);
    return status_of(w);
}

int
verb_check(struct verb_run *run, int argc, char **argv)
{
    struct check_work w = {.run = run};
    int first;
    const struct verb_option options[] = {
        {"ip",          'i', &w.ip,          NULL          },
        {"helo",        'H', &w.helo,        NULL          },
        {"from",        'f', &w.from,        NULL          },
        {"identity",    0,   &w.identity,    NULL          },
        {"client-name", 0,   &w.client_name, NULL          },
        {"config",      'c', &w.site.config, NULL          },
        {"receiver",    0,   &w.receiver,    NULL          },
        {"engine",      'e', &w.engine,      NULL          },
        {"dns",         0,   &w.site.dns,    NULL          },
        {"zone",        0,   &w.site.zone,   NULL          },
        {"timeout",     't', &w.timeout,     NULL          },
        {"trace",       0,   NULL,           &w.wants_trace},
        {NULL,          0,   NULL,           NULL          },
    };
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (first < argc)
        return verb_wrong(run, "%s: not expected here", argv[first]);
    int status = run_work(&w);
    spf_verb_site_fini(run, &w.site);
    return status;
}
