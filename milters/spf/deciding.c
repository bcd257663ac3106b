/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From answers to an action: the harshest that a rule, an on_... setting or
 * the lists' thresholds give. A known forwarder and an allow list take back
 * what SPF said, never what a DNS list did.
 */
#include <inttypes.h>

#include <mfx/policy/domain_list.h>

#include "reply.h"

struct finding {
    enum spf_action action;
    unsigned code;
    struct mfx_str enhanced, text;
    const char *reason;
};

static void
raise(struct spf_message *q, const struct finding *f)
{
    if (f->action <= q->action)
        return;
    q->action = f->action;
    q->code = f->code;
    q->enhanced = f->enhanced;
    q->text = f->text;
    q->reason = f->reason;
}

static const char *
reason_of(const struct mfx_spf_outcome *o)
{
    static const char *const reasons[SPF_IDENTITY_COUNT][MFX_SPF_RESULT_COUNT] =
        {
            [MFX_SPF_HELO] =
                {
                                [MFX_SPF_NONE] = "HELO name has no SPF record",
                                [MFX_SPF_NEUTRAL] = "SPF of the HELO name is neutral",
                                [MFX_SPF_PASS] = "SPF of the HELO name passes",
                                [MFX_SPF_FAIL] = "SPF of the HELO name fails",
                                [MFX_SPF_SOFTFAIL] = "SPF of the HELO name softfails",
                                [MFX_SPF_TEMPERROR] = "SPF of the HELO name: DNS trouble",
                                [MFX_SPF_PERMERROR] = "SPF of the HELO name is broken",
                                },
            [MFX_SPF_MAIL_FROM] =
                {
                                [MFX_SPF_NONE] = "sender domain has no SPF record",
                                [MFX_SPF_NEUTRAL] = "SPF of the sender is neutral",
                                [MFX_SPF_PASS] = "SPF of the sender passes",
                                [MFX_SPF_FAIL] = "SPF of the sender fails",
                                [MFX_SPF_SOFTFAIL] = "SPF of the sender softfails",
                                [MFX_SPF_TEMPERROR] = "SPF of the sender: DNS trouble",
                                [MFX_SPF_PERMERROR] = "SPF of the sender is broken",
                                },
    };
    return reasons[o->identity][o->result];
}

/* --- SPF --- */

/* The rule's own code, else the setting's, else that of RFC 7372. */
static void
find_reply(struct mfx_message *m, const struct spf_message *q,
           const struct mfx_spf_outcome *o, const struct spf_ruling *ruling,
           struct finding *f)
{
    const struct spf_policy *policy = spf_policy_of(m);
    bool is_final = ruling->action == SPF_ACTION_REJECT;
    const struct spf_code *set = is_final ? &policy->reject : &policy->tempfail;
    struct mfx_str template = policy->settings->spf.text;
    f->code = is_final ? 550 : 451;
    f->enhanced = spf_reply_enhanced(o->result, is_final);
    if (set->code != 0) {
        f->code = set->code;
        f->enhanced = set->enhanced;
    }
    if (ruling->rule != NULL && ruling->rule->code != 0) {
        f->code = ruling->rule->code;
        f->enhanced = ruling->rule->enhanced;
    }
    if (ruling->rule != NULL && ruling->rule->settings->text.len > 0)
        template = ruling->rule->settings->text;
    f->text = spf_reply_text(m, &q->client, o, template);
}

static void
trace_outcome(struct mfx_message *m, const struct mfx_spf_outcome *o)
{
    bool has_term = o->mechanism.len > 0;
    struct mfx_str of = has_term ? o->mechanism_of : mfx_str("", 0);
    mfx_trace(m->decision, "spf", "%s %.*s: %s%s%.*s%s%.*s%s%.*s",
              mfx_spf_identity_name(o->identity), MFX_STR_ARG(o->domain),
              mfx_spf_result_name(o->result), has_term ? " by \"" : "",
              MFX_STR_ARG(o->mechanism), has_term ? "\" of " : "",
              MFX_STR_ARG(of), o->problem.len > 0 ? ": " : "",
              MFX_STR_ARG(o->problem));
}

static enum mfx_rc
judge(struct mfx_message *m, struct spf_message *q,
      const struct mfx_spf_outcome *o, struct mfx_err *err)
{
    const struct spf_policy *policy = spf_policy_of(m);
    struct finding f = {.reason = reason_of(o)};
    struct spf_ruling ruling;
    atomic_fetch_add(&policy->shared->results[o->identity][o->result], 1);
    trace_outcome(m, o);
    enum mfx_rc rc = spf_rules_ask(&policy->rules, o, q->client.name,
                                   &q->client.ip, m->decision, &ruling, err);
    if (rc != MFX_OK)
        return rc;
    f.action = ruling.action;
    if (f.action > SPF_ACTION_ACCEPT)
        find_reply(m, q, o, &ruling, &f);
    raise(q, &f);
    return MFX_OK;
}

/* It may be a forwarder's: what cannot be taken back waits for the answer. */
static void
defer_unsure(struct mfx_message *m, struct spf_message *q)
{
    const struct spf_code *set = &spf_policy_of(m)->tempfail;
    if (q->action != SPF_ACTION_REJECT && q->action != SPF_ACTION_DISCARD)
        return;
    mfx_trace(m->decision, "forwarders",
              "DNS does not say whether it is one: %s becomes a tempfail",
              spf_action_name(q->action));
    q->action = SPF_ACTION_TEMPFAIL;
    q->code = set->code != 0 ? set->code : 451;
    q->enhanced = set->code != 0 ? set->enhanced
                                 : spf_reply_enhanced(MFX_SPF_TEMPERROR, false);
}

static enum mfx_rc
judge_spf(struct mfx_message *m, struct spf_message *q, struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    if (q->helo != NULL)
        rc = judge(m, q, q->helo, err);
    if (rc == MFX_OK && q->mail_from != NULL)
        rc = judge(m, q, q->mail_from, err);
    if (rc != MFX_OK || q->action == SPF_ACTION_ACCEPT)
        return rc;
    rc = spf_forwarder_is_known(m, q, err);
    if (rc == MFX_NOTFOUND && q->is_forwarder_unsure)
        defer_unsure(m, q);
    if (rc == MFX_NOTFOUND)
        return MFX_OK;
    if (rc != MFX_OK)
        return rc;
    mfx_trace(m->decision, "forwarders", "%.*s: what SPF says does not matter",
              MFX_STR_ARG(q->forwarder));
    mfx_fact(m->decision, "forwarder", q->forwarder);
    atomic_fetch_add(&spf_policy_of(m)->shared->forwarded, 1);
    q->action = SPF_ACTION_ACCEPT;
    q->reason = NULL;
    return MFX_OK;
}

/* --- what the log says --- */

static void
note_result(struct mfx_message *m, const char *key,
            const struct mfx_spf_outcome *o)
{
    if (o != NULL)
        mfx_fact(m->decision, key, mfx_str_of(mfx_spf_result_name(o->result)));
}

/* --- the lists --- */

static enum spf_action
action_of(enum spf_list_action action)
{
    static const enum spf_action actions[] = {
        [SPF_LISTS_ALLOW] = SPF_ACTION_ACCEPT,
        [SPF_LISTS_NONE] = SPF_ACTION_ACCEPT,
        [SPF_LISTS_TAG] = SPF_ACTION_TAG,
        [SPF_LISTS_TEMPFAIL] = SPF_ACTION_TEMPFAIL,
        [SPF_LISTS_REJECT] = SPF_ACTION_REJECT,
    };
    return actions[action];
}

/* An allow list vouches for the client, so what SPF says refuses nothing. */
static void
allow(struct mfx_message *m, struct spf_message *q)
{
    if (q->action == SPF_ACTION_ACCEPT)
        return;
    mfx_trace(m->decision, "lists.allow_at",
              "score %" PRId64 ": what SPF says does not matter",
              q->score->score);
    q->action = SPF_ACTION_ACCEPT;
    q->reason = NULL;
}

static void
judge_lists(struct mfx_message *m, struct spf_message *q)
{
    const struct spf_score *score = q->score;
    const struct spf_lists *lists = spf_policy_of(m)->lists;
    if (score == NULL)
        return;
    struct finding f = {.action = action_of(score->action),
                        .reason = score->reason};
    if (score->action == SPF_LISTS_ALLOW)
        allow(m, q);
    if (f.action <= SPF_ACTION_ACCEPT)
        return;
    spf_lists_code(lists, f.action == SPF_ACTION_REJECT, &f.code, &f.enhanced);
    f.text = spf_score_text(score, lists, m->arena);
    raise(q, &f);
}

/* Once: what lists say of From comes last. */
static void
note_lists(struct mfx_message *m, struct spf_message *q)
{
    const struct spf_score *score = q->score;
    if (score == NULL || q->has_noted_lists)
        return;
    q->has_noted_lists = true;
    struct mfx_str names = spf_score_names(score, false, m->arena);
    struct mfx_str shadow = spf_score_names(score, true, m->arena);
    if (names.len > 0) {
        mfx_fact(m->decision, "score",
                 mfx_arena_printf(m->arena, "%" PRId64, score->score));
        mfx_fact(m->decision, "lists", names);
    }
    if (shadow.len > 0)
        mfx_fact(m->decision, "shadow_lists", shadow);
    for (size_t i = 0; i < score->trouble_count; i++)
        mfx_trace(m->decision, "lists", "%.*s does not say: %s",
                  MFX_STR_ARG(score->troubles[i].list), score->troubles[i].why);
    for (size_t i = 0; i < score->hit_count; i++) {
        const struct spf_list_hit *hit = &score->hits[i];
        char text[MFX_IP_TEXT];
        mfx_trace(m->decision, "lists", "%.*s lists %s %.*s (%s): %d%s",
                  MFX_STR_ARG(hit->list), spf_list_key_name(hit->key),
                  MFX_STR_ARG(hit->what), mfx_ip_format(&hit->address, text),
                  hit->weight, hit->is_shadow ? ", not scored" : "");
    }
}

/* --- all of it --- */

/* A relay of ours has the mail already: what we refuse it must bounce. */
static void
soften(struct mfx_message *m, struct spf_message *q)
{
    if (!q->is_at_end || spf_policy_of(m)->settings->relays.enforce ||
        q->action <= SPF_ACTION_TAG)
        return;
    mfx_trace(m->decision, "relays.enforce", "%s becomes a tag",
              spf_action_name(q->action));
    q->action = SPF_ACTION_TAG;
}

enum mfx_rc
spf_deciding_find(struct mfx_message *m, struct spf_message *q)
{
    struct mfx_err err = {""};
    spf_checking_wait(m, q);
    q->is_found = true;
    note_result(m, "helo_spf", q->helo);
    note_result(m, "spf", q->mail_from);
    enum mfx_rc rc = judge_spf(m, q, &err);
    if (rc != MFX_OK) {
        mfx_trace(m->decision, "lookup", "%s", err.msg);
        return rc;
    }
    judge_lists(m, q);
    if (q->action >= SPF_ACTION_HOLD || q->is_at_end ||
        !spf_checking_wants_from(m))
        note_lists(m, q);
    soften(m, q);
    return MFX_OK;
}

void
spf_deciding_find_from(struct mfx_message *m, struct spf_message *q)
{
    if (q->has_asked_from) {
        spf_checking_wait(m, q);
        judge_lists(m, q);
    }
    note_lists(m, q);
}

void
spf_deciding_refuse(struct mfx_message *m, const struct spf_message *q)
{
    if (q->action == SPF_ACTION_REJECT)
        mfx_decide_reject(m->decision, q->code,
                          mfx_arena_copy(m->arena, q->enhanced).p, q->text,
                          q->reason);
    else if (q->action == SPF_ACTION_TEMPFAIL)
        mfx_decide_tempfail(m->decision, q->code,
                            mfx_arena_copy(m->arena, q->enhanced).p, q->text,
                            q->reason);
}

enum mfx_rc
spf_deciding_is_unprotected(struct mfx_message *m,
                            const struct mfx_recipient *r, struct mfx_err *err)
{
    return mfx_address_list_has(
        spf_policy_of(m)->settings->unprotected_recipients, r->address,
        m->arena, err);
}

/* " suspicious; spf=fail; lists=4 (zen.example, bl.example)" */
static void
tag(struct mfx_message *m, const struct spf_message *q)
{
    const struct spf_settings *s = spf_policy_of(m)->settings;
    struct mfx_str names = mfx_str("", 0);
    struct mfx_buf value;
    if (q->score != NULL)
        names = spf_score_names(q->score, false, m->arena);
    mfx_buf_init_arena(&value, m->arena, 2000);
    mfx_buf_printf(&value, " %s",
                   q->action == SPF_ACTION_TAG ? "suspicious" : "unprotected");
    if (q->helo != NULL)
        mfx_buf_printf(&value, "; helo_spf=%s",
                       mfx_spf_result_name(q->helo->result));
    if (q->mail_from != NULL)
        mfx_buf_printf(&value, "; spf=%s",
                       mfx_spf_result_name(q->mail_from->result));
    if (names.len > 0)
        mfx_buf_printf(&value, "; score=%" PRId64 "; lists=%.*s",
                       q->score->score, MFX_STR_ARG(names));
    if (mfx_buf_ok(&value))
        mfx_edit_insert_header(m->decision, MFX_EDIT_TOP, s->tag_header,
                               mfx_buf_str(&value));
}

enum spf_action
spf_deciding_action(const struct spf_message *q)
{
    bool is_spared = q->unprotected > 0 && q->action > SPF_ACTION_TAG;
    return is_spared ? SPF_ACTION_TAG : q->action;
}

void
spf_deciding_finish(struct mfx_message *m, struct spf_message *q)
{
    enum spf_action action = spf_deciding_action(q);
    if (action != q->action)
        mfx_trace(m->decision, "unprotected_recipients", "%s is not done",
                  spf_action_name(q->action));
    switch (action) {
    case SPF_ACTION_ACCEPT:
        mfx_decision_event(m->decision, "passed", mfx_str("", 0));
        return;
    case SPF_ACTION_TAG:
        tag(m, q);
        mfx_decision_event(m->decision, "tagged", mfx_str_of(q->reason));
        return;
    case SPF_ACTION_HOLD:
        mfx_decide_hold(m->decision, q->reason);
        return;
    case SPF_ACTION_DISCARD:
        mfx_decide_discard(m->decision, q->reason);
        return;
    case SPF_ACTION_TEMPFAIL:
    case SPF_ACTION_REJECT:
        spf_deciding_refuse(m, q);
        return;
    }
}
