/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/store/redis_place.h>

#include <stdio.h>

static void answered(struct mfx_redis_item *item, void *arg,
                     const struct mfx_redis_reply *reply, bool was_sent);

/* --- the end of a call --- */

static void
finish(struct mfx_redis_place *place, struct mfx_redis_ask *ask)
{
    struct mfx_store_call *call = ask->call;
    bool is_failure = call->rc == MFX_TEMPFAIL;
    (void)pthread_mutex_lock(&place->mutex);
    place->outstanding--;
    if (is_failure)
        place->failures++;
    if (mfx_redis_ask_is_renewed(ask))
        mfx_redis_leases_answer(place->leases, call,
                                call->rc == MFX_OK &&
                                    call->outcome == MFX_STORE_DONE);
    (void)pthread_mutex_unlock(&place->mutex);
    mfx_store_call_done(call);
}

void
mfx_redis_fail(struct mfx_redis_place *place, struct mfx_redis_ask *ask,
               const char *why)
{
    ask->call->rc = MFX_TEMPFAIL;
    mfx_err_set(&ask->call->err, "%s", why);
    finish(place, ask);
}

/* --- sending --- */

static void replicated(struct mfx_redis_item *item, void *arg,
                       const struct mfx_redis_reply *reply, bool was_sent);

/* All COMMITs that are there, and one WAIT behind them. */
static void
begin_turn(struct mfx_redis_place *place)
{
    struct mfx_redis_link *link = &place->links[1];
    struct mfx_redis_ask *ask;
    uint64_t now_ms = mfx_mono_ms();
    if (place->is_waiting || place->commits.first == NULL)
        return;
    while ((ask = mfx_redis_list_take(&place->commits)) != NULL)
        mfx_redis_link_send(link, &ask->item, now_ms);
    place->is_waiting = true;
    place->wait_item.bytes = place->wait_bytes;
    place->wait_item.answered = replicated;
    mfx_redis_link_send(link, &place->wait_item, now_ms);
}

bool
mfx_redis_route(struct mfx_redis_place *place, struct mfx_redis_ask *ask)
{
    ask->item.answered = answered;
    if (place->state != MFX_REDIS_UP) {
        mfx_redis_list_add(&place->again, ask);
        return false;
    }
    struct mfx_redis_link *link = &place->links[0];
    if (place->wait_replicas > 0 && mfx_redis_ask_is_commit(ask)) {
        link = &place->links[1];
        mfx_redis_list_add(&place->commits, ask);
        begin_turn(place);
    } else {
        mfx_redis_link_send(link, &ask->item, mfx_mono_ms());
    }
    return link->unsent != NULL || link->is_broken;
}

void
mfx_redis_send_again(struct mfx_redis_place *place)
{
    struct mfx_redis_ask *ask;
    while ((ask = mfx_redis_list_take(&place->again)) != NULL)
        (void)mfx_redis_route(place, ask);
}

/* Formatted anew: the time has moved. */
static void
send_anew(struct mfx_redis_place *place, struct mfx_redis_ask *ask)
{
    (void)pthread_mutex_lock(&place->mutex);
    struct mfx_redis_now now = mfx_redis_now(place);
    bool is_formatted = mfx_redis_ask_format(ask, &now);
    if (is_formatted)
        (void)mfx_redis_route(place, ask);
    (void)pthread_mutex_unlock(&place->mutex);
    if (!is_formatted)
        mfx_redis_fail(place, ask, "out of memory");
}

/* --- what went wrong --- */

static bool
is_worth_it(const struct mfx_redis_ask *ask)
{
    const struct mfx_store_call *call = ask->call;
    bool only_holds =
        call->task == MFX_STORE_TASK_USES &&
        (call->op == MFX_STORE_RESERVE || call->op == MFX_STORE_CHECK);
    return mfx_mono_ms() < ask->until_ms &&
           !(only_holds && mfx_store_call_is_abandoned(call));
}

static void
try_later(struct mfx_redis_place *place, struct mfx_redis_ask *ask,
          const char *why)
{
    if (!is_worth_it(ask)) {
        mfx_redis_fail(place, ask, why);
        return;
    }
    mfx_redis_list_add(&place->returned, ask);
}

static void
lost(struct mfx_redis_place *place, struct mfx_redis_ask *ask, bool was_sent)
{
    if (was_sent && !mfx_redis_ask_is_repeatable(ask))
        mfx_redis_fail(place, ask,
                       "the connection to Redis was lost, and the "
                       "answer with it");
    else
        try_later(place, ask, "no answer from Redis in time");
}

/* At its beginning; or within, as Redis 6 says what a script ran into. */
static bool
names(const struct mfx_redis_reply *reply, const char *word)
{
    char within[32];
    (void)snprintf(within, sizeof within, "-%s ", word);
    return mfx_redis_reply_is_error(reply, word) ||
           memmem(reply->text.p, reply->text.len, within, strlen(within)) !=
               NULL;
}

/* The server does not serve us any more: another may. */
static bool
is_of_server(const struct mfx_redis_reply *reply)
{
    static const char *const words[] = {"READONLY",  "MASTERDOWN", "LOADING",
                                        "UNBLOCKED", "NOAUTH",     NULL};
    for (size_t i = 0; words[i] != NULL; i++)
        if (names(reply, words[i]))
            return true;
    return false;
}

static void
break_links(struct mfx_redis_place *place, const char *why)
{
    (void)pthread_mutex_lock(&place->mutex);
    for (size_t i = 0; i < place->link_count; i++)
        mfx_redis_link_break(&place->links[i], why);
    (void)pthread_mutex_unlock(&place->mutex);
}

/* An error is an answer: nothing was done. */
static void
refused(struct mfx_redis_place *place, struct mfx_redis_ask *ask,
        const struct mfx_redis_reply *reply)
{
    struct mfx_err why = {{0}};
    if (mfx_redis_reply_is_error(reply, "NOSCRIPT") && !ask->has_text) {
        ask->has_text = true;
        send_anew(place, ask);
        return;
    }
    mfx_err_set(&why, "%s: %.*s", place->where,
                MFX_STR_ARG(mfx_str_head(reply->text, 200)));
    if (is_of_server(reply)) {
        break_links(place, why.msg);
        try_later(place, ask, why.msg);
        return;
    }
    mfx_redis_say_down(place, why.msg);
    mfx_redis_fail(place, ask, why.msg);
}

/* --- answers --- */

/* A server that refuses to write may well read: only what was written shows
 * that it is well again. */
static bool
was_written(const struct mfx_redis_ask *ask)
{
    const struct mfx_store_call *call = ask->call;
    return call->rc == MFX_OK && call->outcome == MFX_STORE_DONE &&
           (mfx_redis_ask_is_commit(ask) ||
            call->task == MFX_STORE_TASK_OVERRIDE ||
            (call->task == MFX_STORE_TASK_USES &&
             (call->op == MFX_STORE_RESERVE || call->op == MFX_STORE_TAKE)) ||
            (call->task == MFX_STORE_TASK_VALUE &&
             (call->value_op == MFX_STORE_VALUE_PUT ||
              call->value_op == MFX_STORE_VALUE_ADD)));
}

static void
take_done(struct mfx_redis_place *place, struct mfx_redis_ask *ask)
{
    bool is_replicating =
        place->wait_replicas > 0 && mfx_redis_ask_is_commit(ask) &&
        ask->call->rc == MFX_OK && ask->call->outcome == MFX_STORE_DONE;
    if (!place->is_up && was_written(ask))
        mfx_redis_say_up(place);
    if (!is_replicating) {
        finish(place, ask);
        return;
    }
    (void)pthread_mutex_lock(&place->mutex);
    mfx_redis_list_add(&place->replicating, ask);
    (void)pthread_mutex_unlock(&place->mutex);
}

static void
take(struct mfx_redis_place *place, struct mfx_redis_ask *ask,
     const struct mfx_redis_reply *reply)
{
    (void)pthread_mutex_lock(&place->mutex);
    struct mfx_redis_now now = mfx_redis_now(place);
    (void)pthread_mutex_unlock(&place->mutex);
    uint64_t believed_ms = now.server_ms;
    enum mfx_redis_step step = mfx_redis_ask_take(ask, reply, &now);
    if (step != MFX_REDIS_STEP_ODD && now.server_ms != believed_ms) {
        (void)pthread_mutex_lock(&place->mutex);
        place->ahead_ms = (int64_t)now.server_ms - (int64_t)mfx_mono_ms();
        (void)pthread_mutex_unlock(&place->mutex);
    }
    switch (step) {
    case MFX_REDIS_STEP_DONE:
        take_done(place, ask);
        break;
    case MFX_REDIS_STEP_AGAIN:
        send_anew(place, ask);
        break;
    case MFX_REDIS_STEP_ODD:
        mfx_redis_fail(place, ask, "Redis gave an answer to something else");
        break;
    }
}

static void
answered(struct mfx_redis_item *item, void *arg,
         const struct mfx_redis_reply *reply, bool was_sent)
{
    struct mfx_redis_place *place = arg;
    struct mfx_redis_ask *ask = (struct mfx_redis_ask *)item;
    if (reply == NULL) {
        lost(place, ask, was_sent);
    } else if (reply->type == MFX_REDIS_ERROR) {
        refused(place, ask, reply);
    } else {
        take(place, ask, reply);
    }
}

/* --- replicas --- */

static struct mfx_redis_ask *
take_replicating(struct mfx_redis_place *place)
{
    (void)pthread_mutex_lock(&place->mutex);
    struct mfx_redis_ask *first = place->replicating.first;
    mfx_redis_list_init(&place->replicating);
    place->is_waiting = false;
    (void)pthread_mutex_unlock(&place->mutex);
    return first;
}

static void
replicated(struct mfx_redis_item *item, void *arg,
           const struct mfx_redis_reply *reply, bool was_sent)
{
    struct mfx_redis_place *place = arg;
    struct mfx_redis_ask *ask, *next;
    char why[120];
    (void)item;
    ask = take_replicating(place);
    bool is_error = reply != NULL && reply->type == MFX_REDIS_ERROR;
    uint64_t have = reply == NULL ? 0 : mfx_redis_reply_u64(reply);
    if (is_error && is_of_server(reply))
        break_links(place, "Redis is no primary any more");
    (void)snprintf(
        why, sizeof why, "counted, but only %llu of %llu replicas have it",
        (unsigned long long)have, (unsigned long long)place->wait_replicas);
    for (; ask != NULL; ask = next) {
        next = ask->next;
        if (reply == NULL || is_error)
            lost(place, ask, was_sent);
        else if (have >= place->wait_replicas)
            finish(place, ask);
        else
            mfx_redis_fail(place, ask, why);
    }
    (void)pthread_mutex_lock(&place->mutex);
    if (place->state == MFX_REDIS_UP &&
        mfx_redis_link_is_open(&place->links[1]))
        begin_turn(place);
    (void)pthread_mutex_unlock(&place->mutex);
}

/* --- no link --- */

static bool
is_kept(const struct mfx_redis_ask *ask, enum mfx_redis_expiry which)
{
    switch (which) {
    case MFX_REDIS_EXPIRE_LATE:
        return is_worth_it(ask);
    case MFX_REDIS_EXPIRE_DOWN:
        return mfx_redis_ask_is_commit(ask) && is_worth_it(ask);
    case MFX_REDIS_EXPIRE_ALL:
        break;
    }
    return false;
}

void
mfx_redis_expire(struct mfx_redis_place *place, enum mfx_redis_expiry which,
                 const char *why)
{
    struct mfx_redis_list kept;
    struct mfx_redis_ask *ask, *late = NULL, **late_end = &late;
    mfx_redis_list_init(&kept);
    (void)pthread_mutex_lock(&place->mutex);
    while ((ask = mfx_redis_list_take(&place->again)) != NULL) {
        if (is_kept(ask, which)) {
            mfx_redis_list_add(&kept, ask);
        } else {
            *late_end = ask;
            ask->next = NULL;
            late_end = &ask->next;
        }
    }
    while ((ask = mfx_redis_list_take(&kept)) != NULL)
        mfx_redis_list_add(&place->again, ask);
    (void)pthread_mutex_unlock(&place->mutex);
    for (ask = late; ask != NULL; ask = late) {
        late = ask->next;
        mfx_redis_fail(place, ask, why);
    }
}

static void
give_back_items(struct mfx_redis_place *place, struct mfx_redis_link *link)
{
    struct mfx_redis_item *unsent, *next;
    (void)pthread_mutex_lock(&place->mutex);
    struct mfx_redis_item *item = mfx_redis_link_drain(link, &unsent);
    mfx_redis_link_close(link);
    (void)pthread_mutex_unlock(&place->mutex);
    bool was_sent = true;
    for (; item != NULL; item = next) {
        next = item->next;
        was_sent = was_sent && item != unsent;
        item->answered(item, place, NULL, was_sent);
    }
}

/* What comes back goes before what came since: a RELEASE must not overtake its
 * RESERVE. */
void
mfx_redis_take_down(struct mfx_redis_place *place)
{
    struct mfx_redis_ask *ask;
    (void)pthread_mutex_lock(&place->mutex);
    place->state = MFX_REDIS_RENEWING;
    (void)pthread_mutex_unlock(&place->mutex);
    for (size_t i = 0; i < place->link_count; i++)
        give_back_items(place, &place->links[i]);
    (void)pthread_mutex_lock(&place->mutex);
    while ((ask = mfx_redis_list_take(&place->commits)) != NULL)
        mfx_redis_list_add(&place->returned, ask);
    while ((ask = mfx_redis_list_take(&place->again)) != NULL)
        mfx_redis_list_add(&place->returned, ask);
    while ((ask = mfx_redis_list_take(&place->returned)) != NULL)
        mfx_redis_list_add(&place->again, ask);
    (void)pthread_mutex_unlock(&place->mutex);
}

/* --- leases --- */

static void
renewed(struct mfx_redis_item *item, void *arg,
        const struct mfx_redis_reply *reply, bool was_sent)
{
    struct mfx_redis_place *place = arg;
    (void)was_sent;
    if (reply != NULL && mfx_redis_reply_is_error(reply, "NOSCRIPT")) {
        (void)pthread_mutex_lock(&place->mutex);
        place->renew_text = true;
        place->renew_ms = 0;
        (void)pthread_mutex_unlock(&place->mutex);
    }
    mfx_redis_leases_free_item(item);
}

void
mfx_redis_renew(struct mfx_redis_place *place)
{
    size_t cursor = 0;
    struct mfx_redis_item *item;
    uint64_t now_ms = mfx_mono_ms();
    (void)pthread_mutex_lock(&place->mutex);
    if (place->state == MFX_REDIS_UP && now_ms >= place->renew_ms) {
        while (mfx_redis_leases_format(place->leases, &place->asker,
                                       place->renew_text, &cursor, &item)) {
            item->answered = renewed;
            mfx_redis_link_send(&place->links[0], item, now_ms);
        }
        place->renew_text = false;
        place->renew_ms = now_ms + MFX_REDIS_LEASE_MS / 3;
    }
    (void)pthread_mutex_unlock(&place->mutex);
}
