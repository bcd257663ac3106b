/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From settings to a policy: dkim_policy_new, dkim_policy_free.
 */
#include "policy.h"

#include <stdlib.h>

#include "alignment.h"
#include "published.h"
#include "shadow.h"

enum {
    RECORDS_CACHED = 10000,
};

static void
shared_unref(struct dkim_shared *shared)
{
    if (shared == NULL || atomic_fetch_sub(&shared->refs, 1) > 1)
        return;
    dkim_watcher_free(shared->watcher);
    dkim_tally_free(shared->tally);
    mfx_dkim_record_cache_free(shared->records);
    free(shared);
}

static struct dkim_shared *
shared_new(const struct dkim_settings *settings)
{
    struct dkim_shared *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    atomic_init(&shared->refs, 1);
    shared->records = mfx_dkim_record_cache_new(RECORDS_CACHED);
    shared->watcher = dkim_watcher_new(settings->state_dir);
    shared->tally = dkim_tally_new();
    if (shared->watcher != NULL && shared->tally != NULL)
        return shared;
    shared_unref(shared);
    return NULL;
}

static void
complain(const struct mfx_policy_build *build, const char *option,
         const char *what)
{
    unsigned line = 0;
    const char *file = build->config == NULL
                           ? NULL
                           : mfx_config_where(build->config, option, &line);
    mfx_problem_add(build->problems, MFX_PROBLEM_ERROR,
                    file == NULL ? "" : file, line, "%s: %s", option, what);
}

static enum mfx_rc
parse_canon_word(struct mfx_str word, enum mfx_dkim_canon *canon)
{
    if (mfx_str_is(word, "simple"))
        *canon = MFX_DKIM_SIMPLE;
    else if (mfx_str_is(word, "relaxed"))
        *canon = MFX_DKIM_RELAXED;
    else
        return MFX_PERMFAIL;
    return MFX_OK;
}

/* "header/body"; one word alone sets the header (RFC 6376 3.5 c=). */
static enum mfx_rc
parse_canonicalization(const struct mfx_policy_build *build,
                       struct dkim_policy *policy)
{
    struct mfx_str text = policy->settings->sign.canonicalization;
    size_t slash = mfx_str_find(text, '/');
    struct mfx_str body = mfx_str_from(text, slash + 1);
    enum mfx_rc rc =
        parse_canon_word(mfx_str_head(text, slash), &policy->header_canon);
    policy->body_canon = MFX_DKIM_SIMPLE;
    if (rc == MFX_OK && slash < text.len)
        rc = parse_canon_word(body, &policy->body_canon);
    if (rc != MFX_OK)
        complain(build, "sign.canonicalization",
                 "must be simple or relaxed, twice with a / between");
    return rc;
}

static enum mfx_rc
parse_headers(const struct mfx_policy_build *build, struct dkim_policy *policy)
{
    const struct dkim_settings *s = policy->settings;
    struct mfx_err err = {""};
    enum mfx_rc rc = mfx_dkim_header_policy_parse(
        s->sign.headers, s->sign.omit_headers, s->sign.oversign_headers,
        &policy->headers, &err);
    if (rc != MFX_OK)
        complain(build, "sign.headers", err.msg);
    return rc;
}

static enum mfx_rc
make_host_lists(const struct mfx_policy_build *build,
                struct dkim_policy *policy)
{
    const struct dkim_settings *s = policy->settings;
    enum mfx_rc rc =
        mfx_host_list_new(s->exempt_clients, "exempt_clients", build->problems,
                          &policy->exempt_clients);
    return mfx_rc_worst(
        rc, mfx_host_list_new(s->verify.skip_hosts, "verify.skip_hosts",
                              build->problems, &policy->skip_hosts));
}

static enum mfx_rc
make_auth_results(const struct mfx_policy_build *build,
                  struct dkim_policy *policy)
{
    static const char *const methods[] = {"dkim", NULL};
    return mfx_auth_results_new(&policy->settings->results, "verify.", methods,
                                build->config, build->problems,
                                &policy->auth_results);
}

static bool
check_author_row(const struct mfx_table_row *row, void *arg)
{
    const struct mfx_policy_build *build = arg;
    const struct dkim_settings *s = build->settings;
    enum dkim_action action;
    if (dkim_action_parse(row->value, &action) == MFX_OK)
        return true;
    struct mfx_str spec = mfx_table_spec(s->verify.author_policy);
    mfx_problem_add(build->problems, MFX_PROBLEM_ERROR,
                    mfx_arena_copy(build->arena, spec).p, row->line,
                    "%.*s: \"%.*s\" is none of accept, reject, tempfail, "
                    "hold, discard",
                    MFX_STR_ARG(row->key), MFX_STR_ARG(row->value));
    return true;
}

/* A wrong word is an error at load, not at the first mail. A live table is
 * asked at that mail, and a wrong word tempfails it. */
static enum mfx_rc
check_author_policy(const struct mfx_policy_build *build,
                    const struct dkim_policy *policy)
{
    struct mfx_table *table = policy->settings->verify.author_policy;
    size_t errors = build->problems->errors;
    enum mfx_rc rc = MFX_OK;
    if (table != NULL && !dkim_table_is_live(table))
        rc = mfx_table_walk(table, build->arena, check_author_row,
                            (void *)(uintptr_t)build, NULL);
    if (rc == MFX_TEMPFAIL || rc == MFX_PERMFAIL)
        return rc;
    return build->problems->errors > errors ? MFX_PERMFAIL : MFX_OK;
}

/* --- names and lists --- */

/* The MTA's name of sign.sender_macro: "{name}", or one letter. */
static enum mfx_rc
take_sender_macro(const struct mfx_policy_build *build,
                  struct dkim_policy *policy)
{
    struct mfx_str name = policy->settings->sign.sender_macro;
    if (name.len == 0)
        return MFX_OK;
    bool has_braces = name.p[0] == '{' || name.len == 1;
    policy->sender_macro =
        mfx_arena_printf(build->arena, has_braces ? "%.*s" : "{%.*s}",
                         MFX_STR_ARG(name))
            .p;
    return policy->sender_macro == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
check_sender_headers(const struct mfx_policy_build *build)
{
    const struct dkim_settings *s = build->settings;
    for (size_t i = 0; i < s->sign.sender_headers.count; i++)
        if (!mfx_header_name_is_valid(s->sign.sender_headers.items[i])) {
            complain(build, "sign.sender_headers",
                     "this is no name of a header field");
            return MFX_PERMFAIL;
        }
    return MFX_OK;
}

/* Without a resolver whose word counts no key is protected, and every
 * signature would lose its pass. */
static enum mfx_rc
check_unprotected_key(const struct mfx_policy_build *build)
{
    const struct dkim_settings *s = build->settings;
    if (s->verify.unprotected_key == DKIM_UNPROTECTED_ACCEPT ||
        build->dns_is_trusted)
        return MFX_OK;
    complain(build, "verify.unprotected_key",
             "needs dns.trust_ad = true and a validating resolver; without "
             "them no key counts as protected and no signature passes");
    return MFX_PERMFAIL;
}

static void
report_bad_key(void *arg, const char *message)
{
    const struct mfx_policy_build *build = arg;
    mfx_problem_add(build->problems, MFX_PROBLEM_ERROR, "", 0, "%s", message);
}

static bool
check_signer(const struct dkim_signer *signer, void *arg)
{
    const struct mfx_policy_build *build = arg;
    struct mfx_dkim_private_key *key;
    struct mfx_err err = {""};
    if (dkim_key_file_get(signer->file, &key, NULL) == MFX_OK &&
        dkim_signer_key(signer, build->settings, &key, &err) != MFX_OK)
        mfx_problem_add(build->problems, MFX_PROBLEM_ERROR, "", 0,
                        "d=%.*s s=%.*s: %s", MFX_STR_ARG(signer->domain),
                        MFX_STR_ARG(signer->selector), err.msg);
    return true;
}

static bool
check_published(const struct dkim_signer *signer, void *arg)
{
    const struct mfx_policy_build *build = arg;
    struct mfx_dkim_private_key *key;
    struct dkim_published published;
    if (dkim_key_file_get(signer->file, &key, NULL) != MFX_OK)
        return true; /* said already */
    dkim_published_check(build->env, key, signer->domain, signer->selector,
                         build->arena, &published);
    if (published.status != DKIM_PUBLISHED_MATCH)
        mfx_problem_add(build->problems,
                        published.status == DKIM_PUBLISHED_UNKNOWN
                            ? MFX_PROBLEM_WARNING
                            : MFX_PROBLEM_ERROR,
                        "", 0, "%s", published.text);
    return true;
}

static void
warn_unaligned(const struct dkim_alignment *found, void *arg)
{
    const struct mfx_policy_build *build = arg;
    mfx_problem_add(build->problems, MFX_PROBLEM_WARNING, "", 0, "%s",
                    found->text);
}

static void
check_alignment(const struct mfx_policy_build *build,
                const struct dkim_policy *policy)
{
    struct dkim_alignment_check *check = dkim_alignment_new(build->env);
    if (check != NULL)
        dkim_alignment_each(check, policy, warn_unaligned,
                            (void *)(uintptr_t)build);
    dkim_alignment_free(check);
}

static void
warn_unused(const struct mfx_policy_build *build, const struct dkim_settings *s)
{
    if (s->sign.enable && s->sign.signing_table == NULL &&
        s->sign.domains == NULL)
        mfx_problem_add(build->problems, MFX_PROBLEM_WARNING, "", 0,
                        "neither sign.domains nor sign.signing_table is set: "
                        "nothing will be signed");
    if (!s->sign.enable && !s->verify.enable)
        mfx_problem_add(build->problems, MFX_PROBLEM_WARNING, "", 0,
                        "sign.enable and verify.enable are both false: this "
                        "daemon does nothing");
}

static struct dkim_watch_settings
watch_settings(const struct dkim_settings *s)
{
    return (struct dkim_watch_settings){
        .policy = {(enum dkim_require_published)s->sign.require_published,
                   s->rotation.queue_life_s},
        .check_interval_s = s->rotation.check_interval_s,
        .wait_interval_s = s->rotation.wait_interval_s,
        .queries_per_second = (unsigned)s->rotation.queries_per_second,
        .timeout_ms = (unsigned)s->rotation.timeout_s * 1000,
        .servers = s->rotation.servers.items,
        .server_count = s->rotation.servers.count,
    };
}

static enum mfx_rc
check_servers(const struct mfx_policy_build *build)
{
    const struct dkim_settings *s = build->settings;
    const struct mfx_authority_config config = {
        .env = build->env,
        .servers = s->rotation.servers.items,
        .server_count = s->rotation.servers.count,
    };
    struct mfx_authority *authority = NULL;
    struct mfx_err err = {""};
    enum mfx_rc rc = mfx_authority_new(&config, &authority, &err);
    if (rc != MFX_OK)
        complain(build, "rotation.servers", err.msg);
    else
        mfx_authority_free(authority);
    return rc;
}

/* -t tells of keys that do not sign yet, and of those that should not. */
static bool
report_key(const struct dkim_key_view *view, void *arg)
{
    const struct mfx_policy_build *build = arg;
    bool waits =
        !view->is_signing && (view->verdict.state == DKIM_KEY_NEW ||
                              view->verdict.state == DKIM_KEY_PUBLISHED);
    if (waits || view->verdict.is_alarm)
        mfx_problem_add(build->problems, MFX_PROBLEM_WARNING, "", 0,
                        "%.*s: key %.*s %s", MFX_STR_ARG(view->domain),
                        MFX_STR_ARG(view->selector), view->why);
    return true;
}

static enum mfx_rc
make_lines(const struct mfx_policy_build *build, struct dkim_policy *policy)
{
    const struct dkim_policy *previous = build->previous;
    policy->shelves =
        dkim_shelves_new(previous == NULL ? NULL : previous->shelves);
    if (policy->shelves == NULL)
        return MFX_TEMPFAIL;
    policy->lines =
        dkim_lines_new(policy->keys, policy->shelves, build->problems);
    return policy->lines == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
finish_lines(const struct mfx_policy_build *build, struct dkim_policy *policy)
{
    const struct dkim_watch_settings watch = watch_settings(policy->settings);
    struct dkim_watcher *watcher = policy->shared->watcher;
    if (!dkim_lines_finish(policy->lines) ||
        !dkim_watcher_prepare(watcher, policy->lines, &watch))
        return MFX_TEMPFAIL;
    dkim_shelves_done(policy->shelves);
    if (build->check_all)
        dkim_watcher_each(watcher, report_key, (void *)(uintptr_t)build);
    return MFX_OK;
}

static enum mfx_rc
make_signers(const struct mfx_policy_build *build, struct dkim_policy *policy)
{
    const struct dkim_settings *s = policy->settings;
    const struct dkim_policy *previous = build->previous;
    size_t expected = s->sign.key_table == NULL
                          ? 16
                          : mfx_table_counts(s->sign.key_table).rows;
    policy->keys = dkim_keys_new(previous == NULL ? NULL : previous->keys,
                                 s->sign.allow_readable_keys, expected);
    if (policy->keys == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = make_lines(build, policy);
    if (rc == MFX_OK)
        rc = dkim_signers_new(s, policy->keys, policy->lines, build->arena,
                              build->problems, &policy->signers);
    if (rc == MFX_OK)
        rc = finish_lines(build, policy);
    if (rc == MFX_OK && build->check_all) {
        dkim_keys_parse_all(policy->keys, report_bad_key,
                            (void *)(uintptr_t)build);
        dkim_signers_each(policy->signers, check_signer,
                          (void *)(uintptr_t)build);
    }
    if (rc == MFX_OK && build->check_dns)
        dkim_signers_each(policy->signers, check_published,
                          (void *)(uintptr_t)build);
    if (rc == MFX_OK && build->check_dns)
        check_alignment(build, policy);
    return rc;
}

static void
release_resolver(void *resolver)
{
    mfx_resolver_share_release(resolver);
}

void
dkim_policy_begin(void *arg, struct mfx_resolver_share *resolver)
{
    struct dkim_policy *policy = arg;
    const struct dkim_watch_settings watch = watch_settings(policy->settings);
    const struct dkim_watch_env env = {
        .env = mfx_resolver_share_env(mfx_resolver_share_hold(resolver)),
        .release = release_resolver,
        .arg = resolver,
    };
    dkim_keys_start(policy->keys);
    dkim_watcher_begin(policy->shared->watcher, policy->lines, &watch, &env);
}

enum mfx_rc
dkim_policy_new(const struct mfx_policy_build *build, void **out)
{
    struct dkim_policy *policy = calloc(1, sizeof *policy);
    if (policy == NULL)
        return MFX_TEMPFAIL;
    const struct dkim_policy *previous = build->previous;
    policy->settings = build->settings;
    policy->is_shadow = build->is_shadow;
    if (previous == NULL) {
        policy->shared = shared_new(policy->settings);
    } else {
        policy->shared = previous->shared;
        atomic_fetch_add(&policy->shared->refs, 1);
    }
    enum mfx_rc rc = policy->shared == NULL ? MFX_TEMPFAIL : MFX_OK;
    rc = mfx_rc_worst(rc, parse_canonicalization(build, policy));
    rc = mfx_rc_worst(rc, parse_headers(build, policy));
    rc = mfx_rc_worst(rc, make_host_lists(build, policy));
    rc = mfx_rc_worst(rc, check_author_policy(build, policy));
    rc = mfx_rc_worst(rc, take_sender_macro(build, policy));
    rc = mfx_rc_worst(rc, check_sender_headers(build));
    rc = mfx_rc_worst(rc, make_auth_results(build, policy));
    rc = mfx_rc_worst(rc, check_unprotected_key(build));
    rc = mfx_rc_worst(rc, check_servers(build));
    if (policy->shared != NULL)
        rc = mfx_rc_worst(rc, make_signers(build, policy));
    warn_unused(build, policy->settings);
    if (rc != MFX_OK) {
        dkim_policy_free(policy);
        return rc;
    }
    dkim_keys_loaded(policy->keys);
    *out = policy;
    return MFX_OK;
}

void
dkim_policy_free(void *arg)
{
    struct dkim_policy *policy = arg;
    if (policy == NULL)
        return;
    dkim_signers_free(policy->signers);
    dkim_lines_release(policy->lines);
    dkim_shelves_free(policy->shelves);
    dkim_keys_free(policy->keys);
    mfx_dkim_header_policy_free(policy->headers);
    mfx_host_list_free(policy->exempt_clients);
    mfx_auth_results_free(policy->auth_results);
    mfx_host_list_free(policy->skip_hosts);
    shared_unref(policy->shared);
    free(policy);
}
