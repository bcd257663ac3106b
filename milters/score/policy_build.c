/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From settings to a policy: every mistake is found before it is in force.
 */
#include <inttypes.h>

#include <mfx/base/log.h>
#include <mfx/mail/address.h>
#include <mfx/policy/reply_text.h>

#include "complain.h"
#include "engines.h"
#include "fields.h"
#include "policy.h"
#include "shared.h"

/* --- replies --- */

static void
read_code(const struct mfx_policy_build *build, const char *name,
          struct mfx_str text, unsigned class, struct score_code *code)
{
    if (!mfx_reply_code_parse(text, &code->code, &code->enhanced) ||
        code->code / 100 != class)
        score_complain(build, name,
                       class == 5 ? "no code like \"554 5.7.1\""
                                  : "no code like \"451 4.7.1\"",
                       text);
}

static void
read_codes(struct score_policy *p, const struct mfx_policy_build *build)
{
    const struct score_settings *s = p->settings;
    read_code(build, "reply.spam_code", s->reply.spam_code, 5, &p->spam);
    read_code(build, "reply.virus_code", s->reply.virus_code, 5, &p->virus);
    read_code(build, "reply.tempfail_code", s->reply.tempfail_code, 4,
              &p->tempfail);
    read_code(build, "reply.greylist_code", s->reply.greylist_code, 4,
              &p->greylist);
    read_code(build, "reply.failure_code", s->reply.failure_code, 4,
              &p->failure);
}

/* --- addresses --- */

static void
check_address(const struct mfx_policy_build *build, const char *name,
              struct mfx_str address)
{
    size_t at = mfx_str_find_last(address, '@');
    if (address.len == 0)
        return;
    for (size_t i = 0; i < address.len; i++)
        if (address.p[i] <= ' ' || address.p[i] == 0x7f ||
            address.p[i] == '<' || address.p[i] == '>')
            at = address.len;
    if (at == 0 || at + 1 >= address.len)
        score_complain(build, name, "no mail address", address);
}

static bool
redirects(const struct score_thresholds *t)
{
    return t->redirect != MFX_DECIMAL_NONE;
}

static bool
engine_redirects(const struct score_engine *e)
{
    for (size_t i = 0; i < e->proposals.count; i++)
        if (e->proposals.items[i].action == SCORE_ACTION_REDIRECT)
            return true;
    for (int c = 0; c < MFX_SCAN_CLASS_COUNT; c++)
        if (e->settings->on_class[c] == SCORE_ACTION_REDIRECT)
            return true;
    return false;
}

static void
check_addresses(const struct score_policy *p,
                const struct mfx_policy_build *build)
{
    const struct score_settings *s = p->settings;
    const struct score_profile_settings *profiles = s->profiles.items;
    check_address(build, "redirect.to", s->redirect.to);
    check_address(build, "recipients.quarantine", s->recipients.quarantine);
    bool is_wanted =
        redirects(&s->thresholds) || redirects(&s->outgoing.thresholds);
    for (size_t i = 0; i < s->profiles.count; i++) {
        const char *at =
            mfx_arena_printf(build->arena, "profiles[%zu].redirect_to", i).p;
        if (at != NULL)
            check_address(build, at, profiles[i].redirect_to);
        is_wanted |= redirects(&profiles[i].thresholds) &&
                     profiles[i].redirect_to.len == 0;
    }
    for (size_t i = 0; i < p->engines->count; i++)
        is_wanted |= engine_redirects(&p->engines->items[i]);
    if (is_wanted && s->redirect.to.len == 0)
        score_complain(build, "redirect.to", "an address is wanted",
                       mfx_str("", 0));
}

/* --- all of it --- */

static void
warn_of_idleness(const struct score_policy *p,
                 const struct mfx_policy_build *build)
{
    unsigned line = 0;
    const char *file = mfx_config_where(build->config, "engines", &line);
    if (p->engines->count == 0 && p->settings->seal.accept == SCORE_SEAL_NO)
        mfx_problem_add(build->problems, MFX_PROBLEM_WARNING, file, line,
                        "engines: there is none, so no mail is looked at");
}

/* What the harness ends is no timeout of an engine's, and its server is not
 * thought worse of. */
static void
warn_of_impatience(const struct score_policy *p,
                   const struct mfx_policy_build *build)
{
    unsigned line = 0;
    const char *file = mfx_config_where(build->config, "scan_timeout", &line);
    if (build->end_wait_s > 0 &&
        p->settings->scan_timeout_ms > build->end_wait_s * 1000)
        mfx_problem_add(build->problems, MFX_PROBLEM_WARNING, file, line,
                        "scan_timeout: end_wait is shorter (%" PRIu64
                        " s) and ends the wait",
                        build->end_wait_s);
}

static bool
greylists(const struct score_settings *s)
{
    const struct score_profile_settings *profiles = s->profiles.items;
    bool is_wanted = s->thresholds.greylist != MFX_DECIMAL_NONE ||
                     s->outgoing.thresholds.greylist != MFX_DECIMAL_NONE ||
                     s->recipient_profiles != NULL || s->login_profiles != NULL;
    for (size_t i = 0; i < s->profiles.count; i++)
        is_wanted |= profiles[i].thresholds.greylist != MFX_DECIMAL_NONE;
    return is_wanted;
}

static enum mfx_rc
build_seal(struct score_policy *p, const struct mfx_policy_build *build)
{
    const struct score_settings *s = p->settings;
    unsigned line = 0;
    if (s->seal.header.len == 0 && s->seal.accept == SCORE_SEAL_NO)
        return MFX_OK;
    if (!mfx_header_name_is_valid(s->seal.header))
        score_complain(build, "seal.header", "no name of a header field",
                       s->seal.header);
    if (s->seal.secrets_file == NULL) {
        score_complain(build, "seal.secrets_file",
                       "a file of secrets is wanted", mfx_str("", 0));
        return MFX_PERMFAIL;
    }
    const char *file =
        mfx_config_where(build->config, "seal.secrets_file", &line);
    return mfx_secrets_read(s->seal.secrets_file, file == NULL ? "" : file,
                            line, "can forge scores", build->arena,
                            build->problems, &p->secrets);
}

static enum mfx_rc
build_store(struct score_policy *p, const struct mfx_policy_build *build)
{
    const struct score_policy *previous = build->previous;
    if (!greylists(p->settings))
        return MFX_OK;
    mfx_store_settings_check(&p->settings->store, build->config,
                             build->problems);
    p->store = mfx_store_share_new(&p->settings->store,
                                   previous == NULL ? NULL : previous->store,
                                   build->config, build->problems);
    return p->store == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
fill(struct score_policy *p, const struct mfx_policy_build *build)
{
    const struct score_policy *previous = build->previous;
    size_t errors = build->problems->errors;
    p->settings = build->settings;
    p->shared = score_shared_new(previous == NULL ? NULL : previous->shared);
    if (p->shared == NULL)
        return MFX_TEMPFAIL;
    read_codes(p, build);
    score_fields_check(p->settings, build);
    enum mfx_rc rc = score_engines_new(p->settings, build, &p->engines);
    if (rc == MFX_OK) {
        check_addresses(p, build);
        warn_of_idleness(p, build);
        warn_of_impatience(p, build);
    }
    rc = mfx_rc_worst(rc, score_profiles_new(p->settings, build, &p->profiles));
    rc = mfx_rc_worst(rc, mfx_host_list_new(p->settings->skip.clients,
                                            "skip.clients", build->problems,
                                            &p->skip_clients));
    rc =
        mfx_rc_worst(rc, mfx_host_list_new(p->settings->greylist.skip_clients,
                                           "greylist.skip_clients",
                                           build->problems, &p->greylist_skip));
    rc = mfx_rc_worst(rc, build_seal(p, build));
    rc = mfx_rc_worst(rc, build_store(p, build));
    return build->problems->errors > errors ? MFX_PERMFAIL : rc;
}

enum mfx_rc
score_policy_new(const struct mfx_policy_build *build, void **policy)
{
    struct score_policy *p = mfx_arena_alloc(build->arena, sizeof *p);
    if (p == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = fill(p, build);
    if (rc == MFX_OK)
        *policy = p;
    else
        score_policy_free(p);
    return rc;
}

void
score_policy_free(void *policy)
{
    struct score_policy *p = policy;
    if (p == NULL)
        return;
    mfx_host_list_free(p->skip_clients);
    mfx_host_list_free(p->greylist_skip);
    score_engines_free(p->engines);
    mfx_store_share_release(p->store);
    score_shared_release(p->shared);
}

void
score_policy_begin(void *policy, struct mfx_resolver_share *resolver)
{
    struct score_policy *p = policy;
    struct mfx_err err = {""};
    (void)resolver;
    score_shared_begin(p->shared, p->settings);
    if (score_engines_begin(p->engines, p->shared, &err) != MFX_OK)
        mfx_log_say(MFX_LOG_ERROR, "engine_down", "reason", err.msg);
    if (p->store != NULL)
        mfx_store_share_begin(p->store);
}

bool
score_policy_is_outdated(const void *policy)
{
    const struct score_policy *p = policy;
    return score_engines_are_outdated(p->engines) ||
           mfx_secrets_are_outdated(&p->secrets);
}

void
score_policy_metrics(const void *policy, struct mfx_buf *out)
{
    const struct score_policy *p = policy;
    score_shared_metrics(p->shared, p->engines, out);
    if (mfx_store_share_store(p->store) != NULL)
        mfx_metrics_text_store(out, "mfx_score",
                               mfx_store_share_store(p->store));
}
