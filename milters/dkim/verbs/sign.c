/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sign - a message with its DKIM-Signature above it, as the daemon would do
 */
#include <stdlib.h>

#include <mfx/auth/dkim_sign.h>
#include <mfx/mail/header.h>

#include "../message.h"
#include "verb.h"

enum {
    FIELDS_MAX = 1 << 20,
};

struct request {
    const char *config, *domain, *selector, *key, *identity;
    const char *canonicalization, *headers, *omit, *oversign, *time, *expire;
    bool body_length, field_only;
};

struct work {
    const struct verb_run *run;
    const struct request *request;
    struct mfx_str bytes, body;
    struct mfx_headers headers;
    struct mfx_dkim_body *hashed;
    int hash;
    uint64_t now, expires;
    struct mfx_buf fields; /* the finished fields, with line ends */
    json_t *results;
    const char *line_end;
};

/* --- options --- */

static int
read_times(struct work *w)
{
    const struct request *r = w->request;
    const struct mfx_env env = mfx_env_system();
    uint64_t expire = 0;
    w->now = env.wall_s(&env);
    if (r->time != NULL &&
        mfx_str_to_u64(mfx_str_of(r->time), INT64_MAX, &w->now) != MFX_OK)
        return verb_wrong(w->run, "--time %s: seconds since 1970", r->time);
    if (r->expire != NULL &&
        mfx_option_parse_seconds(mfx_str_of(r->expire), &expire) != MFX_OK)
        return verb_wrong(w->run, "--expire %s: such as 7d", r->expire);
    w->expires = expire == 0 ? 0 : w->now + expire;
    return EXIT_OK;
}

static bool
read_canon(struct mfx_str word, enum mfx_dkim_canon *canon)
{
    *canon = MFX_DKIM_SIMPLE;
    if (mfx_str_is_nocase(word, "relaxed"))
        *canon = MFX_DKIM_RELAXED;
    return *canon == MFX_DKIM_RELAXED || mfx_str_is_nocase(word, "simple");
}

static int
read_canons(const struct work *w, struct mfx_dkim_sign_request *s)
{
    const char *text = w->request->canonicalization;
    struct mfx_str rest = mfx_str_of(text == NULL ? "relaxed/relaxed" : text);
    size_t slash = mfx_str_find(rest, '/');
    if (!read_canon(mfx_str_head(rest, slash), &s->header_canon))
        return verb_wrong(w->run,
                          "--canonicalization %s: such as "
                          "relaxed/simple",
                          text);
    s->body_canon = MFX_DKIM_SIMPLE; /* RFC 6376 3.5, c= */
    if (slash < rest.len &&
        !read_canon(mfx_str_from(rest, slash + 1), &s->body_canon))
        return verb_wrong(w->run,
                          "--canonicalization %s: such as "
                          "relaxed/simple",
                          text);
    return EXIT_OK;
}

/* --- signing --- */

static int
hash_body(struct work *w, enum mfx_dkim_canon canon)
{
    w->hashed = mfx_dkim_body_new(w->run->arena, true);
    if (w->hashed == NULL)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    w->hash = mfx_dkim_body_want(w->hashed, canon, MFX_DKIM_NO_LIMIT);
    if (w->hash < 0)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    mfx_dkim_body_update(w->hashed, w->body);
    mfx_dkim_body_finish(w->hashed);
    return EXIT_OK;
}

static void
keep(struct work *w, const struct mfx_dkim_sign_request *s,
     struct mfx_str value)
{
    static const struct mfx_str name = MFX_STR("DKIM-Signature");
    struct mfx_str line, rest = value;
    mfx_buf_printf(&w->fields, "%.*s:", MFX_STR_ARG(name));
    while (mfx_str_cut(&rest, '\n', &line)) {
        mfx_buf_add(&w->fields, line);
        mfx_buf_add_text(&w->fields, w->line_end);
    }
    if (w->results == NULL)
        return;
    json_t *o = json_pack(
        "{s:s}", "algorithm",
        mfx_dkim_algorithm_name(mfx_dkim_private_key_algorithm(s->key)));
    (void)json_object_set_new(o, "domain", verb_json(s->domain));
    (void)json_object_set_new(o, "selector", verb_json(s->selector));
    (void)json_object_set_new(o, "value", verb_json(value));
    (void)json_array_append_new(w->results, o);
}

static int
sign_once(struct work *w, struct mfx_dkim_sign_request *s)
{
    struct mfx_err err = {0};
    struct mfx_str value;
    s->timestamp_s = w->now;
    s->expires_s = w->expires;
    enum mfx_rc rc =
        mfx_dkim_sign(s, &w->headers, mfx_dkim_body_digest(w->hashed, w->hash),
                      w->run->arena, &value, &err);
    if (rc != MFX_OK)
        return verb_fail(w->run, rc == MFX_PERMFAIL ? EXIT_NO : EXIT_TEMP,
                         "d=%s s=%s: %s", verb_text(w->run, s->domain),
                         verb_text(w->run, s->selector), err.msg);
    keep(w, s, value);
    return EXIT_OK;
}

static int
sign_by_key(struct work *w, struct mfx_dkim_header_policy *headers)
{
    const struct request *r = w->request;
    struct mfx_dkim_private_key *key = NULL;
    struct mfx_dkim_sign_request s = {
        .domain = mfx_str_of(r->domain),
        .selector = mfx_str_of(r->selector),
        .identity = mfx_str_of(r->identity),
        .headers = headers,
        .body_length = MFX_DKIM_NO_LIMIT,
    };
    int status = read_canons(w, &s);
    if (status == EXIT_OK)
        status = verb_read_key(w->run, r->key, &key);
    if (status == EXIT_OK)
        status = hash_body(w, s.body_canon);
    if (status == EXIT_OK) {
        s.key = key;
        if (r->body_length)
            s.body_length = mfx_dkim_body_length(w->hashed, w->hash);
        status = sign_once(w, &s);
    }
    mfx_dkim_private_key_unref(key);
    return status;
}

static int
by_key(struct work *w)
{
    const struct request *r = w->request;
    struct mfx_err err = {0};
    struct mfx_dkim_header_policy *headers = NULL;
    if (r->domain == NULL || r->selector == NULL)
        return verb_wrong(w->run, "--key wants --domain and --selector");
    if (mfx_dkim_header_policy_parse(
            mfx_str_of(r->headers), mfx_str_of(r->omit),
            mfx_str_of(r->oversign), &headers, &err) != MFX_OK)
        return verb_wrong(w->run, "%s", err.msg);
    int status = sign_by_key(w, headers);
    mfx_dkim_header_policy_free(headers);
    return status;
}

/* --- as the configuration says --- */

static int
sign_as_planned(struct work *w, const struct dkim_policy *policy,
                const struct dkim_plan *plan)
{
    const struct dkim_settings *settings = policy->settings;
    int status = hash_body(w, policy->body_canon);
    if (w->request->expire == NULL && settings->sign.expire_s > 0)
        w->expires = w->now + settings->sign.expire_s;
    for (const struct dkim_signer *signer = plan->signers;
         signer != NULL && status == EXIT_OK; signer = signer->next) {
        struct mfx_err err = {0};
        struct mfx_dkim_sign_request s = {
            .domain = signer->domain,
            .selector = signer->selector,
            .identity = signer->identity,
            .header_canon = policy->header_canon,
            .body_canon = policy->body_canon,
            .headers = policy->headers,
            .body_length = settings->sign.body_length
                               ? mfx_dkim_body_length(w->hashed, w->hash)
                               : MFX_DKIM_NO_LIMIT,
        };
        enum mfx_rc rc =
            dkim_signer_key(signer, policy->settings, &s.key, &err);
        status = rc == MFX_OK
                     ? sign_once(w, &s)
                     : verb_fail(w->run, verb_status(rc), "%s", err.msg);
    }
    return status;
}

static int
by_configuration(struct work *w)
{
    struct mfx_offline *loaded = NULL;
    struct mfx_decision decision;
    struct dkim_plan plan;
    const struct dkim_facts facts = {
        .headers = &w->headers,
        .origin = {.rule = MFX_ORIGIN_HOST,
                   .detail = MFX_STR("the command line")},
    };
    int status = verb_load(w->run, w->request->config, &loaded);
    if (status != EXIT_OK)
        return status;
    mfx_decision_init(&decision, w->run->arena);
    dkim_policy_plan(loaded->policy, &facts, w->run->arena, &decision, &plan);
    if (plan.job == DKIM_JOB_SIGN)
        status = sign_as_planned(w, loaded->policy, &plan);
    else
        status =
            verb_fail(w->run, plan.job == DKIM_JOB_DEFER ? EXIT_TEMP : EXIT_NO,
                      "not signed: %s", verb_text(w->run, plan.reason));
    mfx_offline_free(loaded);
    return status;
}

/* --- the message --- */

/* A first line "From " (mbox) stays the first. */
static struct mfx_str
take_envelope_line(struct mfx_str *bytes)
{
    struct mfx_str mark = MFX_STR("From ");
    if (!mfx_str_starts(*bytes, mark))
        return mfx_str(NULL, 0);
    size_t end = mfx_str_find(*bytes, '\n');
    struct mfx_str line = mfx_str_head(*bytes, end + 1);
    *bytes = mfx_str_from(*bytes, end + 1);
    return line;
}

static void
print(struct work *w)
{
    struct mfx_str rest = w->bytes;
    if (w->results != NULL) {
        json_t *o = json_object();
        (void)json_object_set(o, "signatures", w->results);
        verb_print_json(o);
        return;
    }
    struct mfx_str first = take_envelope_line(&rest);
    if (!w->request->field_only && first.len > 0)
        (void)fwrite(first.p, 1, first.len, stdout);
    (void)fwrite(w->fields.p, 1, w->fields.len, stdout);
    if (!w->request->field_only && rest.len > 0)
        (void)fwrite(rest.p, 1, rest.len, stdout);
}

static int
sign_message(struct work *w, const char *path)
{
    int status = verb_read(w->run, path, &w->bytes);
    if (status == EXIT_OK)
        status = read_times(w);
    if (status != EXIT_OK)
        return status;
    if (mfx_message_split(w->bytes, w->run->arena, &w->headers, &w->body) !=
        MFX_OK)
        return verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    size_t end = mfx_str_find(w->bytes, '\n');
    w->line_end = end > 0 && end < w->bytes.len && w->bytes.p[end - 1] == '\r'
                      ? "\r\n"
                      : "\n";
    mfx_buf_init_arena(&w->fields, w->run->arena, FIELDS_MAX);
    w->results = w->run->as_json ? json_array() : NULL;
    status = w->request->key != NULL ? by_key(w) : by_configuration(w);
    if (status == EXIT_OK && !mfx_buf_ok(&w->fields))
        status = verb_fail(w->run, EXIT_SYSTEM, "out of memory");
    if (status == EXIT_OK)
        print(w);
    json_decref(w->results);
    mfx_headers_fini(&w->headers);
    return status;
}

int
verb_sign(struct verb_run *run, int argc, char **argv)
{
    struct request r = {0};
    struct work w = {.run = run, .request = &r};
    const struct verb_option options[] = {
        {"config",           'c', &r.config,           NULL          },
        {"domain",           'd', &r.domain,           NULL          },
        {"selector",         's', &r.selector,         NULL          },
        {"key",              'k', &r.key,              NULL          },
        {"identity",         'i', &r.identity,         NULL          },
        {"canonicalization", 'C', &r.canonicalization, NULL          },
        {"headers",          0,   &r.headers,          NULL          },
        {"omit-headers",     0,   &r.omit,             NULL          },
        {"oversign-headers", 0,   &r.oversign,         NULL          },
        {"time",             0,   &r.time,             NULL          },
        {"expire",           0,   &r.expire,           NULL          },
        {"body-length",      0,   NULL,                &r.body_length},
        {"field-only",       0,   NULL,                &r.field_only },
        {NULL,               0,   NULL,                NULL          },
    };
    int first;
    enum verb_parse parse = verb_options(run, options, argc, argv, &first);
    if (parse != VERB_GO)
        return parse == VERB_DONE ? EXIT_OK : EXIT_USAGE;
    if (argc - first != 1)
        return verb_wrong(run, "one FILE is needed (\"-\" for stdin)");
    if (r.key != NULL && r.config != NULL)
        return verb_wrong(run, "--key or --config, not both");
    return sign_message(&w, argv[first]);
}
