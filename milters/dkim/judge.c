/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the results of verifying mean for the message: dkim_policy_judge.
 */
#include "policy.h"

struct mfx_dkim_verify_limits
dkim_policy_verify_limits(const struct dkim_policy *policy)
{
    const struct dkim_settings *s = policy->settings;
    struct mfx_dkim_verify_limits limits = mfx_dkim_verify_limits_default();
    limits.max_signatures = (size_t)s->verify.max_signatures;
    limits.min_rsa_bits = (unsigned)s->verify.min_rsa_bits;
    limits.clock_skew_s = s->verify.clock_skew_s;
    limits.accept_partial_body = s->verify.accept_partial_body;
    limits.required_headers = s->verify.required_headers;
    static const enum mfx_dkim_status unprotected[] = {
        [DKIM_UNPROTECTED_ACCEPT] = MFX_DKIM_NONE,
        [DKIM_UNPROTECTED_NEUTRAL] = MFX_DKIM_NEUTRAL,
        [DKIM_UNPROTECTED_FAIL] = MFX_DKIM_POLICY,
    };
    limits.unprotected_key = unprotected[s->verify.unprotected_key];
    limits.records = policy->shared->records;
    return limits;
}

/* The best result speaks for the message. An outage stands before a refusal:
 * what could not be checked may have been right. */
static int
rank(enum mfx_dkim_status status)
{
    switch (status) {
    case MFX_DKIM_PASS:
        return 6;
    case MFX_DKIM_TEMPERROR:
        return 5;
    case MFX_DKIM_POLICY:
        return 4;
    case MFX_DKIM_NEUTRAL:
        return 3;
    case MFX_DKIM_FAIL:
        return 2;
    case MFX_DKIM_PERMERROR:
        return 1;
    case MFX_DKIM_NONE:
        return 0;
    }
    return 0;
}

/* A failing signature under a key in test mode counts as no signature (RFC
 * 6376 3.6.1 t=y). */
static enum mfx_dkim_status
counted_status(const struct mfx_dkim_result *result)
{
    if (result->fault == MFX_DKIM_FAULT_UNTRUSTED)
        return MFX_DKIM_NONE;
    if (result->is_testing && result->status != MFX_DKIM_PASS &&
        result->status != MFX_DKIM_TEMPERROR)
        return MFX_DKIM_NONE;
    return result->status;
}

/* d= is the author's domain, or above or below it. */
static bool
is_aligned(const struct mfx_dkim_result *result, struct mfx_str author)
{
    return result->domain.len > 0 &&
           (mfx_domain_is_within(result->domain, author) ||
            mfx_domain_is_within(author, result->domain));
}

/* author empty: whatever the signer. *fault (may be NULL): that of the best
 * result. */
static enum mfx_dkim_status
best(const struct mfx_dkim_result *results, size_t count, struct mfx_str author,
     enum mfx_dkim_fault *fault)
{
    enum mfx_dkim_status status = MFX_DKIM_NONE;
    for (size_t i = 0; i < count; i++) {
        if (author.len > 0 && !is_aligned(&results[i], author))
            continue;
        enum mfx_dkim_status s = counted_status(&results[i]);
        if (rank(s) <= rank(status))
            continue;
        status = s;
        if (fault != NULL)
            *fault = results[i].fault;
    }
    return status;
}

/* RFC 7372 3.1: 5.7.20 no passing signature, 5.7.21 none acceptable, 5.7.22
 * none that matches the author. */
static void
set(struct dkim_judgement *judgement, enum dkim_action action,
    const char *enhanced, const char *text, const char *reason)
{
    judgement->action = action;
    judgement->code = action == DKIM_ACTION_TEMPFAIL ? 451 : 550;
    judgement->enhanced = enhanced;
    judgement->text = text;
    judgement->reason = reason;
}

static void
judge_status(const struct dkim_settings *s, enum mfx_dkim_fault fault,
             struct dkim_judgement *judgement)
{
    int on_permerror = s->verify.on_permerror;
    if (fault == MFX_DKIM_FAULT_KEY_MISSING &&
        s->verify.on_no_key != DKIM_ACTION_AS_PERMERROR)
        on_permerror = s->verify.on_no_key;
    switch (judgement->status) {
    case MFX_DKIM_PASS:
        set(judgement, DKIM_ACTION_ACCEPT, "", "", "pass");
        return;
    case MFX_DKIM_NONE:
        set(judgement, (enum dkim_action)s->verify.on_none, "5.7.20",
            "no DKIM signature", "none");
        return;
    case MFX_DKIM_FAIL:
    case MFX_DKIM_NEUTRAL:
        set(judgement, (enum dkim_action)s->verify.on_fail, "5.7.20",
            "no passing DKIM signature", "fail");
        return;
    case MFX_DKIM_POLICY:
        set(judgement, (enum dkim_action)s->verify.on_policy, "5.7.21",
            "no acceptable DKIM signature", "policy");
        return;
    case MFX_DKIM_PERMERROR:
        set(judgement, (enum dkim_action)on_permerror, "5.7.20",
            "DKIM signature cannot be checked", "permerror");
        return;
    case MFX_DKIM_TEMPERROR:
        set(judgement, (enum dkim_action)s->verify.on_temperror, "4.7.20",
            "DKIM signature could not be checked now", "temperror");
        return;
    }
}

/* --- results as the settings see them --- */

static bool
is_any_author(const struct dkim_plan *plan,
              const struct mfx_dkim_result *result)
{
    for (size_t i = 0; i < plan->author_count; i++)
        if (plan->author_domains[i].len > 0 &&
            is_aligned(result, plan->author_domains[i]))
            return true;
    return false;
}

/* A signature of somebody else counts only when the table has the signer. */
static void
distrust(struct mfx_table *table, const struct dkim_plan *plan,
         struct mfx_arena *arena, struct mfx_decision *trace,
         struct mfx_dkim_result *result)
{
    struct mfx_str value;
    struct mfx_err err = {""};
    if (result->domain.len == 0 || is_any_author(plan, result))
        return;
    enum mfx_rc rc =
        dkim_policy_find_domain(table, result->domain, arena, &value, &err);
    mfx_trace(trace, "trusted_signers", "%.*s: %s%s%s",
              MFX_STR_ARG(result->domain), mfx_rc_name(rc),
              err.msg[0] == '\0' ? "" : ": ", err.msg);
    if (rc == MFX_OK)
        return;
    if (rc != MFX_NOTFOUND) {
        result->status = MFX_DKIM_TEMPERROR;
        result->fault = MFX_DKIM_FAULT_INTERNAL;
        result->reason = "verify.trusted_signers could not be asked";
        return;
    }
    result->status = MFX_DKIM_POLICY;
    result->fault = MFX_DKIM_FAULT_UNTRUSTED;
    result->reason = "neither the author's domain nor a trusted signer";
}

const struct mfx_dkim_result *
dkim_policy_adjust(const struct dkim_policy *policy,
                   const struct dkim_plan *plan,
                   const struct mfx_dkim_result *results, size_t count,
                   struct mfx_arena *arena, struct mfx_decision *trace)
{
    struct mfx_table *trusted = policy->settings->verify.trusted_signers;
    if (trusted == NULL && plan->header_fault == NULL)
        return results;
    struct mfx_dkim_result *seen =
        mfx_arena_alloc_array(arena, count + 1, sizeof *seen);
    for (size_t i = 0; seen != NULL && i < count; i++) {
        seen[i] = results[i];
        if (plan->header_fault != NULL) {
            seen[i].status = MFX_DKIM_PERMERROR;
            seen[i].fault = MFX_DKIM_FAULT_HEADERS;
            seen[i].reason = plan->header_fault;
        }
        if (trusted != NULL)
            distrust(trusted, plan, arena, trace, &seen[i]);
    }
    return seen;
}

/* What verify.author_policy says of one domain in From. */
static void
judge_author(const struct dkim_policy *policy, struct mfx_str author,
             enum mfx_dkim_status aligned, struct mfx_arena *arena,
             struct mfx_decision *trace, struct dkim_judgement *judgement)
{
    struct mfx_str word = {NULL, 0};
    struct mfx_err err = {""};
    enum dkim_action action = DKIM_ACTION_TEMPFAIL;
    enum mfx_rc rc = dkim_policy_find_domain(
        policy->settings->verify.author_policy, author, arena, &word, &err);
    if (rc == MFX_NOTFOUND)
        return;
    if (rc == MFX_OK)
        rc = dkim_action_parse(word, &action);
    mfx_trace(trace, "author_policy", "%.*s: %.*s%s", MFX_STR_ARG(author),
              MFX_STR_ARG(word), err.msg);
    if (rc != MFX_OK)
        set(judgement, DKIM_ACTION_TEMPFAIL, "4.7.22",
            "policy for the author's domain could not be looked up",
            "verify.author_policy failed");
    else if (aligned == MFX_DKIM_PASS || action == DKIM_ACTION_ACCEPT)
        set(judgement, DKIM_ACTION_ACCEPT, "", "", "author policy");
    else if (aligned == MFX_DKIM_TEMPERROR)
        set(judgement, DKIM_ACTION_TEMPFAIL, "4.7.22",
            "DKIM signature of the author's domain could not be checked now",
            "author policy, key look-up failed");
    else
        set(judgement, action,
            action == DKIM_ACTION_TEMPFAIL ? "4.7.22" : "5.7.22",
            "no valid DKIM signature of the author's domain",
            "author policy, no aligned pass");
}

void
dkim_policy_judge(const struct dkim_policy *policy,
                  const struct dkim_plan *plan,
                  const struct mfx_dkim_result *results, size_t count,
                  struct mfx_arena *arena, struct mfx_decision *trace,
                  struct dkim_judgement *judgement)
{
    enum mfx_dkim_fault fault = MFX_DKIM_FAULT_NONE;
    judgement->status = best(results, count, mfx_str(NULL, 0), &fault);
    judge_status(policy->settings, fault, judgement);
    mfx_trace(trace, "verify", "%s", mfx_dkim_status_name(judgement->status));
    if (judgement->action == DKIM_ACTION_TEMPFAIL &&
        judgement->enhanced[0] == '5')
        judgement->enhanced = "4.7.20";
    if (policy->settings->verify.author_policy == NULL)
        return;
    bool has_refusal = false;
    for (size_t i = 0; i < plan->author_count && !has_refusal; i++) {
        struct mfx_str author = plan->author_domains[i];
        if (author.len == 0)
            continue;
        judge_author(policy, author, best(results, count, author, NULL), arena,
                     trace, judgement);
        has_refusal = judgement->action != DKIM_ACTION_ACCEPT;
    }
}
