/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy.h"

const char *
dkim_job_name(enum dkim_job job)
{
    static const char *const names[] = {
        [DKIM_JOB_PASS] = "pass",       [DKIM_JOB_SIGN] = "sign",
        [DKIM_JOB_VERIFY] = "verify",   [DKIM_JOB_REFUSE] = "refuse",
        [DKIM_JOB_DEFER] = "defer",     [DKIM_JOB_HOLD] = "hold",
        [DKIM_JOB_DISCARD] = "discard",
    };
    return names[job];
}

enum {
    AUTHORS_MAX = 100, /* mailboxes looked at in all From fields together */
};

/* Lower-case A-labels; empty when it is no domain. */
static struct mfx_str
usable_domain(struct mfx_str domain, struct mfx_arena *arena)
{
    struct mfx_str ascii;
    if (mfx_domain_to_ascii(domain, arena, &ascii) == MFX_OK &&
        mfx_domain_is_valid(ascii, false))
        return ascii;
    return mfx_str(NULL, 0);
}

static void
add_author(struct dkim_plan *plan, struct mfx_str domain)
{
    if (plan->author_count < AUTHORS_MAX)
        plan->author_domains[plan->author_count++] = domain;
}

static bool
is_domain_byte(unsigned char c)
{
    return mfx_ascii_is_alnum(c) || c == '-' || c == '.' || c == '_' ||
           c >= 0x80;
}

/* What a forgiving reader could take for the author's domain in a From that
 * cannot be read: whatever follows an "@". */
static void
guess_authors(struct mfx_str value, struct mfx_arena *arena,
              struct dkim_plan *plan)
{
    size_t at;
    while ((at = mfx_str_find(value, '@')) < value.len) {
        value = mfx_str_trim(mfx_str_from(value, at + 1));
        size_t end = 0;
        while (end < value.len && is_domain_byte((unsigned char)value.p[end]))
            end++;
        struct mfx_str domain = usable_domain(mfx_str_head(value, end), arena);
        if (domain.len > 0)
            add_author(plan, domain);
    }
}

static enum mfx_rc
take_authors(const struct mfx_header *from, struct mfx_arena *arena,
             struct dkim_plan *plan)
{
    struct mfx_address_list list = {.count = 0};
    enum mfx_rc rc = mfx_address_list_parse(
        from->value, arena, AUTHORS_MAX - plan->author_count, &list);
    for (size_t i = 0; i < list.count; i++) {
        struct mfx_str domain = usable_domain(list.mailboxes[i].domain, arena);
        if (plan->author_count == 0) {
            plan->author = list.mailboxes[i];
            plan->from_domain = domain;
        }
        add_author(plan, domain);
    }
    if (rc == MFX_PERMFAIL)
        guess_authors(from->value, arena, plan);
    return rc;
}

enum from_state {
    FROM_GOOD,
    FROM_ABSENT,
    FROM_SEVERAL_FIELDS,
    FROM_EMPTY,
    FROM_UNREADABLE,
    FROM_SEVERAL_ADDRESSES,
    FROM_NO_DOMAIN,
    FROM_OUT_OF_MEMORY,
};

/* NULL when all is as it should be. */
static const char *
from_problem(enum from_state state)
{
    static const char *const texts[] = {
        [FROM_GOOD] = NULL,
        [FROM_ABSENT] = "no From field",
        [FROM_SEVERAL_FIELDS] = "several From fields",
        [FROM_EMPTY] = "no address in From",
        [FROM_UNREADABLE] = "From cannot be read",
        [FROM_SEVERAL_ADDRESSES] = "several addresses in From",
        [FROM_NO_DOMAIN] = "no usable domain in From",
        [FROM_OUT_OF_MEMORY] = "out of memory",
    };
    return texts[state];
}

/* Finds the author: the one mailbox of the one From field; plan->author is
 * the first mailbox if there is any. */
static enum from_state
find_author(const struct dkim_facts *facts, struct mfx_arena *arena,
            struct dkim_plan *plan)
{
    struct mfx_str name = MFX_STR("From");
    const struct mfx_header *from = mfx_headers_first(facts->headers, name);
    if (from == NULL)
        return FROM_ABSENT;
    plan->author_domains =
        mfx_arena_alloc_array(arena, AUTHORS_MAX, sizeof(struct mfx_str));
    if (plan->author_domains == NULL)
        return FROM_OUT_OF_MEMORY;
    enum mfx_rc rc = take_authors(from, arena, plan);
    for (const struct mfx_header *more = from->same_next;
         more != NULL && plan->author_count < AUTHORS_MAX;
         more = more->same_next)
        (void)take_authors(more, arena, plan);
    if (from->same_next != NULL)
        return FROM_SEVERAL_FIELDS;
    if (rc == MFX_NOTFOUND)
        return FROM_EMPTY;
    if (rc != MFX_OK)
        return FROM_UNREADABLE;
    if (plan->author_count > 1)
        return FROM_SEVERAL_ADDRESSES;
    if (plan->from_domain.len == 0)
        return FROM_NO_DOMAIN;
    return FROM_GOOD;
}

/* --- who mail is signed for --- */

/* The first address of a field or macro; what is wrong with it, or NULL. */
static const char *
take_sender(struct mfx_str name, struct mfx_str value, struct mfx_arena *arena,
            struct dkim_plan *plan)
{
    struct mfx_address_list list = {.count = 0};
    const char *wrong = NULL;
    enum mfx_rc rc = mfx_address_list_parse(value, arena, AUTHORS_MAX, &list);
    plan->sender = (struct mfx_mailbox){
        .local = {NULL, 0}
    };
    plan->sender_domain = mfx_str(NULL, 0);
    if (list.count > 0) {
        plan->sender = list.mailboxes[0];
        plan->sender_domain = usable_domain(plan->sender.domain, arena);
    }
    if (list.count == 0)
        wrong = "no address in";
    else if (rc == MFX_PERMFAIL)
        wrong = "cannot read";
    else if (plan->sender_domain.len == 0)
        wrong = "no usable domain in";
    if (wrong == NULL)
        return NULL;
    const char *text =
        mfx_arena_printf(arena, "%s %.*s", wrong, MFX_STR_ARG(name)).p;
    return text == NULL ? wrong : text;
}

/* With an address from elsewhere, a From of several authors is as RFC 5322
 * 3.6.2 allows; one that cannot be signed or read stays a fault. */
static const char *
remaining_problem(enum from_state state)
{
    return state == FROM_SEVERAL_ADDRESSES || state == FROM_NO_DOMAIN
               ? NULL
               : from_problem(state);
}

/* The address that is signed for, and what is wrong with it or with From. */
static const char *
find_sender(const struct dkim_settings *s, const struct dkim_facts *facts,
            enum from_state state, struct mfx_arena *arena,
            struct mfx_decision *trace, struct dkim_plan *plan)
{
    struct mfx_str name = s->sign.sender_macro, value = facts->sender_macro;
    plan->sender = plan->author;
    plan->sender_domain = plan->from_domain;
    const struct mfx_header *h = NULL;
    for (size_t i = 0;
         value.len == 0 && h == NULL && i < s->sign.sender_headers.count; i++) {
        name = s->sign.sender_headers.items[i];
        h = mfx_headers_first(facts->headers, name);
    }
    if (h != NULL && !mfx_str_is_nocase(name, "From"))
        value = h->value;
    else if (value.len == 0)
        return from_problem(state);
    const char *problem = take_sender(name, value, arena, plan);
    mfx_trace(trace, "sender", "%.*s: %.*s@%.*s%s%s", MFX_STR_ARG(name),
              MFX_STR_ARG(plan->sender.local), MFX_STR_ARG(plan->sender_domain),
              problem != NULL ? ": " : "", problem != NULL ? problem : "");
    return problem != NULL ? problem : remaining_problem(state);
}

static void
finish(struct dkim_plan *plan, enum dkim_job job, struct mfx_str reason)
{
    plan->job = job;
    plan->reason = reason;
}

/* A failure on the way to a signature, as sign.on_error says. */
static void
fail_signing(const struct dkim_policy *policy, struct mfx_arena *arena,
             struct dkim_plan *plan, const char *what,
             const struct mfx_err *err)
{
    static const enum dkim_job jobs[] = {
        [DKIM_ACTION_ACCEPT] = DKIM_JOB_PASS,
        [DKIM_ACTION_REJECT] = DKIM_JOB_REFUSE,
        [DKIM_ACTION_TEMPFAIL] = DKIM_JOB_DEFER,
        [DKIM_ACTION_HOLD] = DKIM_JOB_HOLD,
        [DKIM_ACTION_DISCARD] = DKIM_JOB_DISCARD,
    };
    finish(plan, jobs[policy->settings->sign.on_error],
           mfx_arena_printf(arena, "%s: %s", what, err->msg));
    atomic_fetch_add(&policy->shared->sign_failures, 1);
}

static bool
login_domain_fits(struct mfx_str login, const struct dkim_plan *plan)
{
    size_t at = mfx_str_find_last(login, '@');
    return at < login.len && mfx_domain_is_within(plan->sender_domain,
                                                  mfx_str_from(login, at + 1));
}

static bool
login_address_fits(struct mfx_str login, const struct dkim_plan *plan)
{
    size_t at = mfx_str_find_last(login, '@');
    return mfx_str_eq_nocase(mfx_str_head(login, at), plan->sender.local) &&
           mfx_str_eq_nocase(mfx_str_from(login, at + 1), plan->sender_domain);
}

static bool
is_in_list(struct mfx_str list, struct mfx_str domain)
{
    struct mfx_str word;
    while (mfx_str_word(&list, ", \t", &word))
        if (mfx_str_is(word, "*") || mfx_domain_is_within(domain, word))
            return true;
    return false;
}

/* MFX_OK: the login may write as this author. */
static enum mfx_rc
match_login(const struct dkim_policy *policy, const struct dkim_facts *facts,
            const struct dkim_plan *plan, struct mfx_arena *arena,
            struct mfx_err *err)
{
    const struct dkim_settings *s = policy->settings;
    int match = s->sign.login_match;
    if (match == DKIM_LOGIN_MATCH_OFF || facts->login.len == 0)
        return MFX_OK;
    if (match == DKIM_LOGIN_MATCH_DOMAIN
            ? login_domain_fits(facts->login, plan)
            : login_address_fits(facts->login, plan))
        return MFX_OK;
    if (s->sign.login_domains == NULL)
        return MFX_NOTFOUND;
    struct mfx_str domains;
    enum mfx_rc rc = mfx_table_get(s->sign.login_domains, facts->login, arena,
                                   &domains, err);
    if (rc == MFX_OK && !is_in_list(domains, plan->sender_domain))
        rc = MFX_NOTFOUND;
    return rc;
}

/* Mail of ours from a domain that has keys: may it be signed? */
static void
plan_login(const struct dkim_policy *policy, const struct dkim_facts *facts,
           struct mfx_arena *arena, struct mfx_decision *trace,
           struct dkim_plan *plan)
{
    struct mfx_err err = {""};
    enum mfx_rc rc = match_login(policy, facts, plan, arena, &err);
    if (rc == MFX_OK) {
        finish(plan, DKIM_JOB_SIGN, mfx_str_of("ours"));
        return;
    }
    mfx_trace(trace, "login_match", "%s", mfx_rc_name(rc));
    if (rc != MFX_NOTFOUND) {
        fail_signing(policy, arena, plan, "sign.login_domains", &err);
        return;
    }
    bool refuse =
        policy->settings->sign.on_login_mismatch == DKIM_ACTION_REJECT;
    finish(plan, refuse ? DKIM_JOB_REFUSE : DKIM_JOB_PASS,
           mfx_str_of("login does not match From"));
}

static void
plan_bad_from(const struct dkim_policy *policy, const struct dkim_facts *facts,
              const char *problem, struct dkim_plan *plan)
{
    bool refuse = policy->settings->sign.on_from == DKIM_ON_FROM_REFUSE &&
                  !facts->is_null_sender;
    finish(plan, refuse ? DKIM_JOB_REFUSE : DKIM_JOB_PASS, mfx_str_of(problem));
}

enum mfx_rc
dkim_policy_find_domain(struct mfx_table *table, struct mfx_str domain,
                        struct mfx_arena *arena, struct mfx_str *value,
                        struct mfx_err *err)
{
    enum mfx_rc rc = mfx_table_get(table, domain, arena, value, err);
    while (rc == MFX_NOTFOUND && mfx_str_has(domain, '.')) {
        domain = mfx_str_from(domain, mfx_str_find(domain, '.'));
        rc = mfx_table_get(table, domain, arena, value, err);
        domain = mfx_str_from(domain, 1);
    }
    return rc;
}

/* True when another signer, before us, signs for this domain. */
static bool
is_left_to_another(const struct dkim_policy *policy, struct mfx_arena *arena,
                   struct mfx_decision *trace, struct dkim_plan *plan)
{
    struct mfx_table *table = policy->settings->sign.sign_only;
    struct mfx_str value;
    struct mfx_err err = {""};
    if (table == NULL)
        return false;
    enum mfx_rc rc = dkim_policy_find_domain(table, plan->sender_domain, arena,
                                             &value, &err);
    mfx_trace(trace, "sign_only", "%.*s: %s%s%s",
              MFX_STR_ARG(plan->sender_domain), mfx_rc_name(rc),
              err.msg[0] == '\0' ? "" : ": ", err.msg);
    if (rc == MFX_OK)
        return false;
    if (rc != MFX_NOTFOUND) {
        fail_signing(policy, arena, plan, "sign.sign_only", &err);
        return true;
    }
    plan->is_left = true;
    finish(plan, DKIM_JOB_PASS,
           mfx_arena_printf(arena, "%.*s is not in sign.sign_only",
                            MFX_STR_ARG(plan->sender_domain)));
    return true;
}

/* Mail of ours: signed, refused, deferred, or passed for a reason that an
 * operator must see. */
static void
plan_signing(const struct dkim_policy *policy, const struct dkim_facts *facts,
             const char *problem, struct mfx_arena *arena,
             struct mfx_decision *trace, struct dkim_plan *plan)
{
    const struct dkim_settings *s = policy->settings;
    if (facts->is_to_excepted) {
        finish(plan, DKIM_JOB_PASS, mfx_str_of("excepted recipient"));
        return;
    }
    if (is_left_to_another(policy, arena, trace, plan))
        return;
    plan->should_sign = true;
    if (problem != NULL && (s->sign.on_from != DKIM_ON_FROM_FIRST ||
                            plan->sender_domain.len == 0)) {
        plan_bad_from(policy, facts, problem, plan);
        return;
    }
    struct mfx_err err = {""};
    enum mfx_rc rc = dkim_signers_find(policy->signers, plan->sender.local,
                                       plan->sender_domain, arena, trace,
                                       &plan->signers, &err);
    if (rc == MFX_OK) {
        plan_login(policy, facts, arena, trace, plan);
    } else if (rc == MFX_NOTFOUND) {
        finish(plan, DKIM_JOB_PASS, mfx_arena_copy(arena, mfx_str_of(err.msg)));
    } else {
        fail_signing(policy, arena, plan, "keys", &err);
    }
}

static bool
is_exempt_client(const struct dkim_policy *policy,
                 const struct dkim_facts *facts, struct mfx_arena *arena,
                 struct mfx_decision *trace, struct dkim_plan *plan)
{
    struct mfx_str entry;
    if (!mfx_host_list_has(policy->exempt_clients, facts->client_name,
                           &facts->client_ip, &entry))
        return false;
    mfx_trace(trace, "exempt_clients", "%.*s", MFX_STR_ARG(entry));
    plan->is_exempt = true;
    finish(plan, DKIM_JOB_PASS,
           mfx_arena_printf(arena, "exempt client %.*s", MFX_STR_ARG(entry)));
    return true;
}

/* True when the domain is exempt or that could not be found out. */
static bool
is_exempt_domain(const struct dkim_policy *policy, struct mfx_arena *arena,
                 struct mfx_decision *trace, struct dkim_plan *plan)
{
    struct mfx_table *table = policy->settings->exempt_domains;
    struct mfx_str value;
    struct mfx_err err = {""};
    if (table == NULL || plan->sender_domain.len == 0)
        return false;
    enum mfx_rc rc =
        mfx_table_get(table, plan->sender_domain, arena, &value, &err);
    mfx_trace(trace, "exempt_domains", "%s", mfx_rc_name(rc));
    if (rc == MFX_NOTFOUND)
        return false;
    if (rc == MFX_OK) {
        finish(plan, DKIM_JOB_PASS, mfx_str_of("exempt domain"));
    } else {
        fail_signing(policy, arena, plan, "exempt_domains", &err);
    }
    return true;
}

/* True when the header breaks the rules and that means refusal: of all mail
 * that would be signed or verified, as OpenDKIM does. */
static bool
is_refused_header(const struct dkim_policy *policy,
                  const struct dkim_facts *facts, struct mfx_decision *trace,
                  struct dkim_plan *plan)
{
    const struct dkim_settings *s = policy->settings;
    if (s->verify.invalid_headers == DKIM_INVALID_ACCEPT)
        return false;
    const char *fault = mfx_headers_fault(facts->headers);
    mfx_trace(trace, "invalid_headers", "%s", fault == NULL ? "none" : fault);
    plan->header_fault = fault;
    bool has_role = mfx_origin_is_ours(&facts->origin)
                        ? s->sign.enable || s->verify.ours
                        : s->verify.enable;
    if (fault == NULL || !has_role ||
        s->verify.invalid_headers != DKIM_INVALID_REJECT)
        return false;
    finish(plan, DKIM_JOB_REFUSE, mfx_str_of(fault));
    return true;
}

static void
plan_verifying(const struct dkim_policy *policy, const struct dkim_facts *facts,
               struct mfx_arena *arena, struct mfx_decision *trace,
               struct dkim_plan *plan)
{
    const struct dkim_settings *s = policy->settings;
    struct mfx_str entry;
    bool is_ours = mfx_origin_is_ours(&facts->origin);
    if (!s->verify.enable) {
        finish(plan, DKIM_JOB_PASS, mfx_str_of("not ours, verify is off"));
    } else if (is_ours && !s->verify.ours) {
        finish(plan, DKIM_JOB_PASS, mfx_str_of("ours, sign is off"));
    } else if (mfx_host_list_has(policy->skip_hosts, facts->client_name,
                                 &facts->client_ip, &entry)) {
        mfx_trace(trace, "skip_hosts", "%.*s", MFX_STR_ARG(entry));
        finish(plan, DKIM_JOB_PASS,
               mfx_arena_printf(arena, "in verify.skip_hosts: %.*s",
                                MFX_STR_ARG(entry)));
    } else {
        finish(plan, DKIM_JOB_VERIFY,
               mfx_str_of(is_ours ? "ours, not signed" : "not ours"));
    }
}

void
dkim_policy_plan(const struct dkim_policy *policy,
                 const struct dkim_facts *facts, struct mfx_arena *arena,
                 struct mfx_decision *trace, struct dkim_plan *plan)
{
    const struct dkim_settings *s = policy->settings;
    *plan = (struct dkim_plan){.job = DKIM_JOB_DEFER};
    mfx_trace(trace, "origin", "%s %.*s",
              mfx_origin_rule_name(facts->origin.rule),
              MFX_STR_ARG(facts->origin.detail));
    if (is_exempt_client(policy, facts, arena, trace, plan))
        return;
    enum from_state state = find_author(facts, arena, plan);
    const char *problem = from_problem(state);
    mfx_trace(trace, "from", "%.*s@%.*s%s%s", MFX_STR_ARG(plan->author.local),
              MFX_STR_ARG(plan->from_domain), problem ? ": " : "",
              problem ? problem : "");
    problem = find_sender(s, facts, state, arena, trace, plan);
    if (is_exempt_domain(policy, arena, trace, plan))
        return;
    if (is_refused_header(policy, facts, trace, plan))
        return;
    bool is_ours = mfx_origin_is_ours(&facts->origin);
    if (s->sign.enable && is_ours) {
        plan_signing(policy, facts, problem, arena, trace, plan);
        if (plan->job != DKIM_JOB_PASS || !s->verify.ours)
            return;
    }
    struct dkim_plan unsigned_plan = *plan;
    plan_verifying(policy, facts, arena, trace, plan);
    /* why it was not signed says more than why it was not verified */
    if (plan->job == DKIM_JOB_PASS && unsigned_plan.reason.len > 0)
        plan->reason = unsigned_plan.reason;
}

enum mfx_rc
dkim_policy_excepts_recipient(const struct dkim_policy *policy,
                              struct mfx_str recipient, struct mfx_arena *arena,
                              struct mfx_err *err)
{
    struct mfx_str value;
    if (policy->settings->sign.except_recipients == NULL)
        return MFX_NOTFOUND;
    return mfx_table_get(policy->settings->sign.except_recipients, recipient,
                         arena, &value, err);
}
