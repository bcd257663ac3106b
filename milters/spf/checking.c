/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/address.h>

#include "message.h"

enum {
    FROM_MAX = 20, /* addresses; the first one counts */
};

struct mfx_spf_request
spf_checking_request(const struct mfx_message *m,
                     const struct spf_client *client,
                     enum mfx_spf_identity identity)
{
    return (struct mfx_spf_request){
        .ip = client->ip,
        .helo = client->helo,
        .identity = identity,
        .sender = m->sender,
        .receiver = spf_receiver(spf_policy_of(m), m->connection),
    };
}

static enum mfx_rc
begin_spf(struct mfx_message *m, struct spf_message *q,
          const struct spf_connection *c)
{
    const struct spf_policy *policy = spf_policy_of(m);
    struct mfx_spf_request request;
    if (!policy->settings->spf.enable)
        return MFX_OK;
    request = spf_checking_request(m, &q->client, MFX_SPF_MAIL_FROM);
    q->mail_check = mfx_spf_begin(m->arena, m->env, &policy->config, &request);
    bool is_helo_open = q->is_at_end || c->is_helo_late;
    q->helo_check = is_helo_open ? NULL : c->helo;
    if (is_helo_open && policy->settings->spf.check_helo) {
        request = spf_checking_request(m, &q->client, MFX_SPF_HELO);
        q->helo_check =
            mfx_spf_begin(m->arena, m->env, &policy->config, &request);
    }
    return q->mail_check != NULL ? MFX_OK : MFX_TEMPFAIL;
}

/* The sender's part after the last "@". */
static struct mfx_str
domain_of(struct mfx_str sender)
{
    return mfx_str_from(sender, mfx_str_find_last(sender, '@') + 1);
}

/* Of a relay's client nothing has been asked yet. */
static enum mfx_rc
begin_lists(struct mfx_message *m, struct spf_message *q,
            const struct spf_connection *c)
{
    const struct spf_policy *policy = spf_policy_of(m);
    if (policy->lists == NULL)
        return MFX_OK;
    q->asking = spf_asking_begin(policy->lists, m->env, m->arena, c->lists);
    if (q->asking == NULL)
        return MFX_TEMPFAIL;
    if (c->lists == NULL) {
        spf_asking_add(q->asking, SPF_LIST_CLIENT, mfx_str("", 0),
                       &q->client.ip);
        spf_asking_add(q->asking, SPF_LIST_CLIENT_NAME, q->client.name, NULL);
    }
    if (c->lists == NULL || c->is_helo_late)
        spf_asking_add(q->asking, SPF_LIST_HELO, q->client.helo, NULL);
    spf_asking_add(q->asking, SPF_LIST_SENDER, m->sender, NULL);
    spf_asking_add(q->asking, SPF_LIST_SENDER_DOMAIN, domain_of(m->sender),
                   NULL);
    return MFX_OK;
}

enum mfx_rc
spf_checking_begin(struct mfx_message *m, struct spf_message *q,
                   const struct spf_connection *c)
{
    enum mfx_rc rc = begin_spf(m, q, c);
    return rc == MFX_OK ? begin_lists(m, q, c) : rc;
}

/* --- waiting --- */

struct waiting {
    struct mfx_event *events[MFX_EVENT_ANY_MAX];
    size_t count;
    uint64_t until_ms; /* the first of their deadlines */
};

static void
await(struct waiting *w, size_t count, uint64_t until_ms)
{
    w->count += count;
    if (count > 0 && until_ms < w->until_ms)
        w->until_ms = until_ms;
}

/* Each of several gets its share of what can be waited for. */
static size_t
room_of(const struct waiting *w, size_t share)
{
    size_t room = MFX_EVENT_ANY_MAX - w->count;
    return room < share ? room : share;
}

static void
await_check(const struct mfx_message *m, struct waiting *w,
            struct mfx_spf_check *check, size_t share)
{
    size_t room = room_of(w, share);
    if (check == NULL || room == 0)
        return;
    uint64_t until_ms = mfx_spf_deadline_ms(check);
    if (m->env->mono_ms(m->env) >= until_ms)
        (void)mfx_spf_finish(check);
    else
        await(w, mfx_spf_events(check, w->events + w->count, room), until_ms);
}

static void
await_lists(struct waiting *w, struct spf_asking *asking, size_t share)
{
    size_t room = room_of(w, share);
    if (asking == NULL || room == 0)
        return;
    /* pending gives up what is late; the others may wait for their own time */
    size_t count = spf_asking_pending(asking, w->events + w->count, room);
    if (count > 0)
        await(w, count, spf_asking_deadline_ms(asking));
}

/* What cannot wait any longer is ended; the others go on. */
static bool
wait_once(struct mfx_message *m, const struct waiting *w)
{
    bool is_set = mfx_wait_any(m, w->events, w->count, w->until_ms);
    return is_set || m->env->mono_ms(m->env) >= w->until_ms;
}

void
spf_checking_run(struct mfx_message *m, struct mfx_spf_check *const *checks,
                 size_t count)
{
    struct waiting w;
    do {
        w = (struct waiting){.until_ms = UINT64_MAX};
        for (size_t i = 0; i < count; i++)
            await_check(m, &w, checks[i], MFX_EVENT_ANY_MAX / count);
    } while (w.count > 0 && wait_once(m, &w));
}

/* Between commands nobody drives a check, while its time runs: one that has
 * little left is begun anew, by answers that the cache has by now. */
static struct mfx_spf_check *
renewed(struct mfx_message *m, const struct spf_message *q,
        struct mfx_spf_check *check, enum mfx_spf_identity identity)
{
    const struct mfx_spf_config *config = &spf_policy_of(m)->config;
    struct mfx_event *event;
    uint64_t now_ms = m->env->mono_ms(m->env);
    if (now_ms + config->time_ms / 2 < mfx_spf_deadline_ms(check))
        return check;
    if (mfx_spf_events(check, &event, 1) == 0 &&
        mfx_spf_finish(check)->result != MFX_SPF_TEMPERROR)
        return check;
    const struct mfx_spf_request request =
        spf_checking_request(m, &q->client, identity);
    struct mfx_spf_check *again =
        mfx_spf_begin(m->arena, m->env, config, &request);
    return again == NULL ? check : again;
}

static void
renew(struct mfx_message *m, struct spf_message *q)
{
    if (q->helo == NULL && q->helo_check != NULL)
        q->helo_check = renewed(m, q, q->helo_check, MFX_SPF_HELO);
    if (q->mail_from == NULL && q->mail_check != NULL)
        q->mail_check = renewed(m, q, q->mail_check, MFX_SPF_MAIL_FROM);
}

void
spf_checking_wait(struct mfx_message *m, struct spf_message *q)
{
    struct waiting w;
    renew(m, q);
    do {
        w = (struct waiting){.until_ms = UINT64_MAX};
        await_check(m, &w, q->helo_check, MFX_EVENT_ANY_MAX / 3);
        await_check(m, &w, q->mail_check, MFX_EVENT_ANY_MAX / 3);
        await_lists(&w, q->asking, MFX_EVENT_ANY_MAX / 3);
    } while (w.count > 0 && wait_once(m, &w));
    if (q->helo_check != NULL)
        q->helo = mfx_spf_finish(q->helo_check);
    if (q->mail_check != NULL)
        q->mail_from = mfx_spf_finish(q->mail_check);
    if (q->asking != NULL)
        q->score = spf_asking_finish(q->asking);
}

/* --- at the end of the header --- */

static struct mfx_str
from_of(struct mfx_message *m)
{
    const struct mfx_header *h =
        mfx_headers_first(&m->headers, mfx_str_of("From"));
    struct mfx_address_list list;
    if (h == NULL ||
        mfx_address_list_parse(h->value, m->arena, FROM_MAX, &list) != MFX_OK)
        return mfx_str("", 0);
    return mfx_arena_printf(m->arena, "%.*s@%.*s",
                            MFX_STR_ARG(list.mailboxes[0].local),
                            MFX_STR_ARG(list.mailboxes[0].domain));
}

bool
spf_checking_wants_from(const struct mfx_message *m)
{
    const struct spf_lists *lists = spf_policy_of(m)->lists;
    return lists != NULL && (spf_lists_want(lists, SPF_LIST_FROM) ||
                             spf_lists_want(lists, SPF_LIST_FROM_DOMAIN));
}

void
spf_checking_ask_from(struct mfx_message *m, struct spf_message *q)
{
    if (q->asking == NULL || !spf_checking_wants_from(m))
        return;
    struct mfx_str from = from_of(m);
    if (from.len == 0)
        return;
    q->has_asked_from = true;
    spf_asking_add(q->asking, SPF_LIST_FROM, from, NULL);
    spf_asking_add(q->asking, SPF_LIST_FROM_DOMAIN, domain_of(from), NULL);
}
