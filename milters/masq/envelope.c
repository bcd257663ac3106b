/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What becomes of the envelope: recipients first, since who they are says
 * whether the sender is rewritten.
 */
#include <mfx/mail/address_rewrite.h>

#include "message.h"

/* "a b"@c without its quotes; MFX_NOTFOUND for the null sender. */
static enum mfx_rc
take_apart(struct mfx_str path, struct mfx_arena *arena,
           struct masq_address *address)
{
    struct mfx_address_list list;
    struct mfx_str local, domain;
    if (mfx_address_path_parse(path, &local, &domain) != MFX_OK)
        return MFX_PERMFAIL;
    if (local.len == 0)
        return MFX_NOTFOUND;
    struct mfx_str spec = mfx_str(
        local.p, domain.len == 0 ? local.len
                                 : (size_t)(domain.p + domain.len - local.p));
    enum mfx_rc rc = mfx_address_list_parse(spec, arena, 1, &list);
    if (rc == MFX_OK)
        *address = (struct masq_address){list.mailboxes[0].local,
                                         list.mailboxes[0].domain};
    return rc == MFX_NOTFOUND ? MFX_PERMFAIL : rc;
}

static uint64_t
now_s(const struct mfx_message *m)
{
    return m->env->wall_s(m->env);
}

/* --- recipients as they come --- */

static struct masq_recipient *
append(struct masq_message *q, const struct mfx_recipient *received,
       struct mfx_arena *arena)
{
    struct masq_recipient *r = mfx_arena_alloc(arena, sizeof *r);
    if (r == NULL)
        return NULL;
    r->received = received;
    if (q->last_recipient == NULL)
        q->recipients = r;
    else
        q->last_recipient->next = r;
    q->last_recipient = r;
    q->recipient_count++;
    return r;
}

static enum mfx_rc
wait_for(struct mfx_message *m, const struct masq_message *q,
         struct masq_srs_call *call, struct masq_srs_answer *answer,
         struct mfx_err *err)
{
    struct mfx_event *event = masq_srs_event(call);
    uint64_t patience_ms = masq_policy_of(m)->settings->store.timeout_ms;
    if (event != NULL)
        (void)masq_message_wait(m, q, event, mfx_mono_ms() + patience_ms);
    return masq_srs_end(call, answer, err);
}

/* What came of an address that stands for another; `step` did it. */
static enum mfx_rc
take_reversed(struct mfx_message *m, struct masq_message *q,
              struct masq_recipient *r, enum mfx_rc rc, const char *step,
              const struct masq_srs_answer *answer)
{
    if (rc == MFX_OK) {
        mfx_trace(m->decision, step, "reversed %.*s: %.*s@%.*s",
                  MFX_STR_ARG(r->received->address),
                  MFX_STR_ARG(answer->to.local),
                  MFX_STR_ARG(answer->to.domain));
        r->address = answer->to;
        r->is_reversed = r->is_changed = true;
    } else if (rc == MFX_PERMFAIL) {
        q->is_refused = true;
        q->refusal_code = answer->code;
        q->refusal_text = answer->text;
    }
    return rc == MFX_NOTFOUND || rc == MFX_PERMFAIL ? MFX_OK : rc;
}

static enum mfx_rc
reverse(struct mfx_message *m, struct masq_message *q, struct masq_recipient *r,
        struct mfx_err *err)
{
    const struct masq_policy *policy = masq_policy_of(m);
    struct masq_srs_call call;
    struct masq_srs_answer answer;
    masq_srs_begin_reverse(policy->srs, masq_policy_store(policy), &r->address,
                           now_s(m), m->arena, &call);
    enum mfx_rc rc = wait_for(m, q, &call, &answer, err);
    q->by_srs = q->by_srs || rc == MFX_OK;
    return take_reversed(m, q, r, rc, "srs", &answer);
}

/* An address that stands for an author. */
static enum mfx_rc
reverse_munged(struct mfx_message *m, struct masq_message *q,
               struct masq_recipient *r, struct mfx_err *err)
{
    const struct masq_policy *policy = masq_policy_of(m);
    struct masq_munge_call call;
    struct masq_munge_reply reply;
    masq_munge_begin_reverse(policy->munge, masq_policy_store(policy),
                             &r->address, m->arena, &call);
    struct mfx_event *event = masq_munge_event(&call);
    if (event != NULL)
        (void)masq_message_wait(m, q, event,
                                mfx_mono_ms() + policy->munge->store_wait_ms);
    enum mfx_rc rc = masq_munge_end(&call, &reply, err);
    const struct masq_srs_answer answer = {reply.to, reply.code, reply.text};
    q->by_munging = q->by_munging || rc == MFX_OK;
    return take_reversed(m, q, r, rc, "munge", &answer);
}

enum mfx_rc
masq_envelope_take(struct mfx_message *m, struct masq_message *q,
                   const struct mfx_recipient *received, struct mfx_err *err)
{
    struct masq_recipient *r = append(q, received, m->arena);
    if (r == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = take_apart(received->address, m->arena, &r->address);
    r->is_address = rc == MFX_OK;
    r->received_address = r->address;
    if (!r->is_address) {
        mfx_trace(m->decision, "recipient", "%.*s: not understood",
                  MFX_STR_ARG(received->address));
        return rc == MFX_TEMPFAIL ? rc : MFX_OK;
    }
    rc = masq_policy_of(m)->srs != NULL ? reverse(m, q, r, err) : MFX_OK;
    if (rc == MFX_OK && !r->is_reversed && !q->is_refused &&
        masq_policy_of(m)->munge != NULL)
        rc = reverse_munged(m, q, r, err);
    return rc;
}

void
masq_envelope_drop(struct masq_message *q)
{
    struct masq_recipient *before = NULL;
    for (struct masq_recipient *r = q->recipients; r != q->last_recipient;
         r = r->next)
        before = r;
    if (before == NULL)
        q->recipients = NULL;
    else
        before->next = NULL;
    q->last_recipient = before;
    q->recipient_count--;
}

/* --- the end --- */

static void
note(void *arg, const struct masq_rule *rule, enum masq_class class,
     const struct masq_address *from, const struct masq_address *to,
     struct mfx_str why)
{
    struct mfx_message *m = arg;
    mfx_trace(m->decision, "rewrite", "%s %.*s@%.*s: %.*s@%.*s by %.*s%s%.*s",
              masq_class_name(class), MFX_STR_ARG(from->local),
              MFX_STR_ARG(from->domain), MFX_STR_ARG(to->local),
              MFX_STR_ARG(to->domain), MFX_STR_ARG(rule->name),
              why.len > 0 ? ", " : "", MFX_STR_ARG(why));
}

static enum mfx_rc
take_sender(struct mfx_message *m, struct masq_message *q)
{
    enum mfx_rc rc = take_apart(m->sender_raw, m->arena, &q->sender);
    q->has_sender = rc == MFX_OK;
    q->received_sender = q->sender;
    if (rc == MFX_PERMFAIL)
        mfx_trace(m->decision, "sender", "%.*s: not understood",
                  MFX_STR_ARG(m->sender));
    return rc == MFX_TEMPFAIL ? rc : MFX_OK;
}

static bool
take_recipient_domains(struct mfx_message *m, struct masq_message *q)
{
    struct mfx_str *domains =
        mfx_arena_alloc_array(m->arena, q->recipient_count, sizeof *domains);
    size_t count = 0;
    for (const struct masq_recipient *r = q->recipients;
         domains != NULL && r != NULL; r = r->next)
        domains[count++] = r->address.domain;
    q->facts.recipient_domains = domains;
    q->facts.recipient_count = count;
    return domains != NULL;
}

enum mfx_rc
masq_envelope_facts(struct mfx_message *m, struct masq_message *q,
                    struct mfx_err *err)
{
    const struct masq_policy *policy = masq_policy_of(m);
    const struct mfx_connection *c = m->connection;
    enum mfx_rc rc = take_sender(m, q);
    if (rc != MFX_OK || !take_recipient_domains(m, q))
        return MFX_TEMPFAIL;
    q->facts.is_ours = mfx_origin_is_ours(&m->origin);
    q->facts.login = m->login;
    q->facts.client_name = c->client_name;
    q->facts.client_ip = c->client_ip;
    q->facts.daemon_name = c->daemon_name;
    q->facts.mta_name = c->mta_name;
    q->facts.sender_domain = q->sender.domain;
    rc = masq_rewriting_init(&q->rewriting, policy->rules, policy->rule_count,
                             &q->facts, m->arena, err);
    q->rewriting.note = note;
    q->rewriting.note_arg = m;
    return rc;
}

/* --- recipients --- */

static bool
is_same_mailbox(const struct masq_address *a, const struct masq_address *b)
{
    return mfx_str_eq_nocase(a->local, b->local) &&
           mfx_str_eq_nocase(a->domain, b->domain);
}

/* A changed recipient goes when one that stays is the same, or an earlier one
 * has become the same. */
static void
find_duplicates(struct masq_message *q)
{
    for (struct masq_recipient *r = q->recipients; r != NULL; r = r->next) {
        bool is_before = true;
        if (!r->is_changed)
            continue;
        for (const struct masq_recipient *o = q->recipients; o != NULL;
             o = o->next) {
            is_before = is_before && o != r;
            if (o->is_address && (is_before || !o->is_changed) &&
                is_same_mailbox(&o->address, &r->address))
                r->is_duplicate = true;
        }
    }
}

static enum mfx_rc
rewrite_recipients(struct masq_message *q, struct mfx_err *err)
{
    if (q->rewriting.classes[MASQ_ENVELOPE_RECIPIENT])
        for (struct masq_recipient *r = q->recipients; r != NULL; r = r->next) {
            struct masq_address to;
            if (!r->is_address)
                continue;
            enum mfx_rc rc = masq_rewriting_address(
                &q->rewriting, MASQ_ENVELOPE_RECIPIENT, &r->address, &to, err);
            if (rc == MFX_NOTFOUND)
                continue;
            if (rc != MFX_OK)
                return rc;
            r->address = to;
            r->is_changed = q->by_rules = true;
        }
    for (const struct masq_recipient *r = q->recipients; r != NULL; r = r->next)
        q->changed_recipients += r->is_changed;
    if (q->changed_recipients > 0)
        find_duplicates(q);
    return MFX_OK;
}

/* --- the sender --- */

enum mfx_rc
masq_envelope_leaves(struct mfx_message *m, const struct masq_message *q,
                     const struct masq_srs_maps *maps, struct mfx_err *err)
{
    struct mfx_str where = mfx_str("", 0);
    enum mfx_rc rc = MFX_NOTFOUND;
    for (const struct masq_recipient *r = q->recipients;
         r != NULL && rc == MFX_NOTFOUND; r = r->next)
        if (r->is_address)
            rc = masq_srs_maps_leave(maps, &r->address, m->arena, &where, err);
    if (rc == MFX_OK)
        mfx_trace(m->decision, "forward_maps", "mail leaves the site: %.*s",
                  MFX_STR_ARG(where));
    return rc;
}

/* MFX_OK: mail of a foreign sender leaves the site. */
static enum mfx_rc
is_forwarded(struct mfx_message *m, const struct masq_message *q,
             struct mfx_err *err)
{
    const struct masq_srs *srs = masq_policy_of(m)->srs;
    struct mfx_str where = mfx_str("", 0);
    enum mfx_rc rc =
        masq_srs_may_forward(srs, &q->sender, m->arena, &where, err);
    if (rc != MFX_OK) {
        mfx_trace(m->decision, "srs", "sender stays: %.*s", MFX_STR_ARG(where));
        return rc;
    }
    if (srs->forward == MASQ_SRS_ALL)
        return MFX_OK;
    return masq_envelope_leaves(m, q, &srs->maps, err);
}

static enum mfx_rc
forward(struct mfx_message *m, struct masq_message *q, struct mfx_err *err)
{
    const struct masq_policy *policy = masq_policy_of(m);
    struct masq_srs_call call;
    struct masq_srs_answer answer;
    if (policy->srs == NULL || !q->has_sender)
        return MFX_OK;
    enum mfx_rc rc = is_forwarded(m, q, err);
    if (rc != MFX_OK)
        return rc == MFX_NOTFOUND ? MFX_OK : rc;
    masq_srs_begin_forward(policy->srs, masq_policy_store(policy), &q->sender,
                           now_s(m), m->arena, &call);
    rc = wait_for(m, q, &call, &answer, err);
    if (rc == MFX_OK) {
        q->sender = answer.to;
        q->is_sender_changed = q->is_sender_srs = q->by_srs = true;
    } else if (rc == MFX_NOTFOUND || rc == MFX_PERMFAIL) {
        mfx_trace(m->decision, "srs", "sender stays: %s", answer.text);
    }
    return rc == MFX_TEMPFAIL ? rc : MFX_OK;
}

static enum mfx_rc
rewrite_sender(struct masq_message *q, struct mfx_err *err)
{
    struct masq_address to;
    if (!q->has_sender || !q->rewriting.classes[MASQ_ENVELOPE_SENDER])
        return MFX_OK;
    enum mfx_rc rc = masq_rewriting_address(&q->rewriting, MASQ_ENVELOPE_SENDER,
                                            &q->sender, &to, err);
    if (rc == MFX_OK) {
        q->sender = to;
        q->is_sender_changed = q->by_rules = true;
    }
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

enum mfx_rc
masq_envelope_rewrite(struct mfx_message *m, struct masq_message *q,
                      struct mfx_err *err)
{
    enum mfx_rc rc = rewrite_recipients(q, err);
    if (rc == MFX_OK)
        rc = rewrite_sender(q, err);
    return rc == MFX_OK ? forward(m, q, err) : rc;
}

/* --- edits --- */

/* A rule may make what no MTA takes: nothing of it is passed on. What SRS makes
 * is as long as the sender that another MTA had. */
static enum mfx_rc
write_out(const struct masq_address *old, const struct masq_address *a,
          bool is_srs, struct mfx_arena *arena, struct mfx_str *spec,
          struct mfx_err *err)
{
    const struct mfx_address_wish wish = {true, a->local, a->domain};
    enum mfx_rc rc =
        is_srs ? MFX_OK
               : mfx_address_wish_check(&wish, old->local, old->domain, err);
    if (rc == MFX_OK)
        rc = mfx_address_spec_write(a->local, a->domain, arena, spec);
    if (rc == MFX_PERMFAIL)
        mfx_err_prefix(err, "%.*s@%.*s cannot be an envelope address",
                       MFX_STR_ARG(a->local), MFX_STR_ARG(a->domain));
    return rc;
}

enum mfx_rc
masq_envelope_edit(struct mfx_message *m, const struct masq_message *q,
                   struct mfx_err *err)
{
    struct mfx_str spec;
    enum mfx_rc rc = MFX_OK;
    if (q->is_sender_changed) {
        rc = write_out(&q->received_sender, &q->sender, q->is_sender_srs,
                       m->arena, &spec, err);
        if (rc != MFX_OK)
            return rc;
        mfx_edit_sender(m->decision, spec, m->sender_parameters);
        mfx_fact(m->decision, "new_sender", spec);
    }
    for (const struct masq_recipient *r = q->recipients; r != NULL;
         r = r->next) {
        if (!r->is_changed)
            continue;
        rc = write_out(&r->received_address, &r->address, r->is_reversed,
                       m->arena, &spec, err);
        if (rc != MFX_OK)
            return rc;
        mfx_edit_delete_recipient(m->decision, r->received->raw);
        if (!r->is_duplicate)
            mfx_edit_add_recipient(m->decision, spec, r->received->parameters);
    }
    return MFX_OK;
}
