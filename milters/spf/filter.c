/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stage hooks of mfx-spf: questions go out as soon as their subject is
 * known, and are answered at MAIL, at RCPT while some recipients are spared,
 * or at the end when the header is needed.
 */
#include "message.h"

enum {
    /* What one connection may have asked in vain. The resolver's room is for
     * all; beyond this a client has to wait for what it wants to know. */
    UNWAITED_MAX = 8,
};

/* --- the connection --- */

static bool
may_ask_early(struct spf_connection *s)
{
    if (s->unwaited >= UNWAITED_MAX)
        return false;
    s->unwaited++;
    return true;
}

static const struct spf_policy *
policy_of(const struct mfx_connection *c)
{
    return c->policy;
}

static void
find_skip(const struct mfx_connection *c, struct spf_connection *s)
{
    const struct spf_policy *policy = policy_of(c);
    struct mfx_str entry;
    if (c->client_ip.family == MFX_IP_NONE ||
        (c->client_port == 0 && mfx_ip_is_loopback(&c->client_ip))) {
        s->skipped = "no client address";
    } else if (mfx_connection_is_ours(c)) {
        s->skipped = "mail of ours";
    } else if (mfx_host_list_has(policy->skip_clients, c->client_name,
                                 &c->client_ip, &entry)) {
        s->skipped = "skip.clients";
        s->skipped_by = mfx_arena_copy(c->arena, entry);
    }
    s->is_relay =
        s->skipped == NULL &&
        mfx_host_list_has(policy->relays, c->client_name, &c->client_ip, NULL);
}

static enum mfx_rc
on_connect(struct mfx_connection *c)
{
    struct spf_connection *s = mfx_arena_alloc(c->arena, sizeof *s);
    const struct spf_policy *policy = policy_of(c);
    c->state = s;
    if (s == NULL)
        return MFX_TEMPFAIL;
    find_skip(c, s);
    if (s->skipped != NULL || s->is_relay || policy->lists == NULL)
        return MFX_OK;
    s->lists = spf_asking_begin(policy->lists, c->env, c->arena, NULL);
    if (s->lists == NULL)
        return MFX_TEMPFAIL;
    spf_asking_add(s->lists, SPF_LIST_CLIENT, mfx_str("", 0), &c->client_ip);
    spf_asking_add(s->lists, SPF_LIST_CLIENT_NAME, c->client_name, NULL);
    return MFX_OK;
}

/* A second HELO comes after STARTTLS, and may bear another name. */
static enum mfx_rc
on_helo(struct mfx_connection *c)
{
    const struct spf_policy *policy = policy_of(c);
    struct spf_connection *s = c->state;
    if (s == NULL)
        return MFX_TEMPFAIL;
    if (s->skipped != NULL || s->is_relay)
        return MFX_OK;
    s->helo = NULL;
    s->is_helo_late = !may_ask_early(s);
    if (s->is_helo_late)
        return MFX_OK;
    if (s->lists != NULL)
        spf_asking_add(s->lists, SPF_LIST_HELO, c->helo, NULL);
    if (!policy->settings->spf.enable || !policy->settings->spf.check_helo)
        return MFX_OK;
    const struct mfx_spf_request request = {
        .ip = c->client_ip,
        .helo = c->helo,
        .identity = MFX_SPF_HELO,
        .receiver = spf_receiver(policy, c),
    };
    s->helo = mfx_spf_begin(c->arena, c->env, &policy->config, &request);
    return s->helo != NULL ? MFX_OK : MFX_TEMPFAIL;
}

/* --- the message --- */

static void
say_skipped(struct mfx_message *m, const struct spf_message *q,
            struct mfx_str by)
{
    atomic_fetch_add(&spf_policy_of(m)->shared->skipped, 1);
    mfx_trace(m->decision, "skip", "%s%s%.*s", q->skipped,
              by.len > 0 ? ": " : "", MFX_STR_ARG(by));
    mfx_decision_event(m->decision, "skipped", mfx_str_of(q->skipped));
}

/* Of ours: only what others would say of it. */
static enum mfx_rc
skip(struct mfx_message *m, struct spf_message *q,
     const struct spf_connection *c)
{
    bool is_ours = mfx_origin_is_ours(&m->origin);
    q->skipped = is_ours ? "mail of ours" : c->skipped;
    say_skipped(m, q, is_ours ? mfx_str("", 0) : c->skipped_by);
    q->is_outgoing_at_end = is_ours && mfx_message_is_answered_at_end(m);
    return is_ours && !q->is_outgoing_at_end ? spf_outgoing_check(m) : MFX_OK;
}

static bool
spares_recipients(const struct mfx_message *m)
{
    return spf_policy_of(m)->settings->unprotected_recipients != NULL;
}

static enum mfx_rc
on_mail(struct mfx_message *m)
{
    struct spf_connection *c = m->connection->state;
    struct spf_message *q = mfx_arena_alloc(m->arena, sizeof *q);
    m->state = q;
    if (q == NULL || c == NULL)
        return MFX_TEMPFAIL;
    if (c->skipped != NULL || mfx_origin_is_ours(&m->origin))
        return skip(m, q, c);
    q->is_at_end = c->is_relay;
    if (q->is_at_end)
        return MFX_OK;
    q->client =
        (struct spf_client){m->connection->client_ip,
                            m->connection->client_name, m->connection->helo};
    q->is_late = spares_recipients(m) && !may_ask_early(c);
    if (q->is_late)
        return MFX_OK;
    enum mfx_rc rc = spf_checking_begin(m, q, c);
    if (rc != MFX_OK || spares_recipients(m))
        return rc;
    rc = spf_deciding_find(m, q);
    if (rc == MFX_OK)
        spf_deciding_refuse(m, q);
    return rc;
}

/* For the first recipient. */
static enum mfx_rc
find(struct mfx_message *m, struct spf_message *q)
{
    struct spf_connection *c = m->connection->state;
    enum mfx_rc rc = MFX_OK;
    if (q->is_found)
        return MFX_OK;
    if (q->is_late)
        rc = spf_checking_begin(m, q, c);
    else
        c->unwaited--;
    return rc == MFX_OK ? spf_deciding_find(m, q) : rc;
}

static enum mfx_rc
on_rcpt(struct mfx_message *m, struct mfx_recipient *r)
{
    struct spf_message *q = m->state;
    struct mfx_err err = {""};
    if (q->skipped != NULL || !spares_recipients(m))
        return MFX_OK;
    enum mfx_rc rc = q->is_at_end ? MFX_OK : find(m, q);
    bool is_bad = q->action >= SPF_ACTION_HOLD;
    bool is_open = q->is_at_end || spf_checking_wants_from(m);
    if (rc != MFX_OK || (!is_bad && !is_open))
        return rc;
    rc = spf_deciding_is_unprotected(m, r, &err);
    if (rc == MFX_NOTFOUND) {
        if (is_bad)
            spf_deciding_refuse(m, q);
        return MFX_OK;
    }
    if (rc == MFX_OK) {
        q->unprotected++;
        atomic_fetch_add(&spf_policy_of(m)->shared->unprotected, is_bad);
        mfx_trace(m->decision, "unprotected_recipients", "%.*s",
                  MFX_STR_ARG(r->address));
    } else {
        mfx_trace(m->decision, "lookup", "%s", err.msg);
    }
    return rc;
}

/* The relay's own mail has no Received field. One that cannot be understood
 * may be its client's doing: that is not passed over in silence. */
static enum mfx_rc
take_unknown(struct mfx_message *m, struct spf_message *q)
{
    if (mfx_headers_first(&m->headers, mfx_str_of("Received")) == NULL) {
        q->skipped = "relayed";
        say_skipped(m, q, mfx_str("", 0));
        return MFX_OK;
    }
    q->is_found = true;
    q->action = SPF_ACTION_TAG;
    q->reason = "the client of a relay cannot be told from Received";
    return MFX_OK;
}

/* Mail by a relay of ours is found out about now. */
static enum mfx_rc
find_relayed(struct mfx_message *m, struct spf_message *q)
{
    const struct spf_connection *c = m->connection->state;
    if (!spf_relayed_find_client(m, q))
        return take_unknown(m, q);
    enum mfx_rc rc = spf_checking_begin(m, q, c);
    if (rc != MFX_OK)
        return rc;
    spf_checking_ask_from(m, q);
    return spf_deciding_find(m, q);
}

static enum mfx_rc
on_eoh(struct mfx_message *m)
{
    struct spf_message *q = m->state;
    if (q->skipped == NULL && !q->is_at_end)
        spf_checking_ask_from(m, q);
    return MFX_OK;
}

/* An MTA that shows no recipient must not have its mail passed unchecked. */
static enum mfx_rc
find_at_end(struct mfx_message *m, struct spf_message *q)
{
    enum mfx_rc rc = find(m, q);
    if (rc == MFX_OK)
        spf_deciding_find_from(m, q);
    return rc;
}

static enum mfx_rc
on_eom(struct mfx_message *m)
{
    struct spf_message *q = m->state;
    enum mfx_rc rc = MFX_OK;
    if (!mfx_origin_is_ours(&m->origin))
        spf_recording_remove_forged(m);
    if (q->is_outgoing_at_end)
        return spf_outgoing_check(m);
    if (q->skipped == NULL && q->is_at_end)
        rc = find_relayed(m, q);
    else if (q->skipped == NULL)
        rc = find_at_end(m, q);
    if (rc != MFX_OK || q->skipped != NULL)
        return rc;
    rc = spf_recording_write(m, q);
    spf_deciding_finish(m, q);
    return rc;
}

static void
on_end(struct mfx_message *m)
{
    const struct spf_message *q = m->state;
    if (q == NULL || !q->is_found)
        return;
    atomic_fetch_add(&spf_policy_of(m)->shared->actions[spf_deciding_action(q)],
                     1);
}

static void
get_wants(const void *policy, struct mfx_wants *wants)
{
    (void)policy;
    wants->headers = true;
}

const struct mfx_filter spf_filter = {
    .name = "mfx-spf",
    .summary = "check SPF and DNS lists",
    .options = spf_options,
    .settings_size = sizeof(struct spf_settings),
    .policy_new = spf_policy_new,
    .policy_free = spf_policy_free,
    .policy_begin = spf_policy_begin,
    .wants = get_wants,
    .metrics = spf_policy_metrics,
    .hooks =
        {
                .connect = on_connect,
                .helo = on_helo,
                .mail = on_mail,
                .rcpt = on_rcpt,
                .eoh = on_eoh,
                .eom = on_eom,
                .end = on_end,
                },
    .verbs = spf_control_verbs,
};
