/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/store/redis_place.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <mfx/base/log.h>

enum {
    BACK_OFF_MIN_MS = 100,
    BACK_OFF_MAX_MS = 2000,
    REFUSED_MS = 5000, /* a password does not become right by asking often */
    READ_SIZE = 64 * 1024,
};

/* --- up and down --- */

void
mfx_redis_say_up(struct mfx_redis_place *place)
{
    struct mfx_log_line line;
    if (place->is_up)
        return; /* only this thread changes it */
    (void)pthread_mutex_lock(&place->mutex);
    place->is_up = true;
    place->is_known = true;
    place->since_ms = place->env->wall_s(place->env) * 1000;
    (void)pthread_mutex_unlock(&place->mutex);
    mfx_log_begin_daemon(&line, "store_up");
    mfx_log_add_text(&line, "where", place->where);
    mfx_log_end(&line, MFX_LOG_INFO);
}

void
mfx_redis_say_down(struct mfx_redis_place *place, const char *reason)
{
    struct mfx_log_line line;
    bool was_said = place->is_known && !place->is_up;
    (void)pthread_mutex_lock(&place->mutex);
    mfx_err_set(&place->error, "%s", reason);
    if (!was_said)
        place->since_ms = place->env->wall_s(place->env) * 1000;
    place->is_up = false;
    place->is_known = true;
    (void)pthread_mutex_unlock(&place->mutex);
    if (was_said)
        return;
    mfx_log_begin_daemon(&line, "store_down");
    mfx_log_add_text(&line, "where",
                     place->where[0] == '\0' ? "redis" : place->where);
    mfx_log_add_text(&line, "reason", reason);
    mfx_log_end(&line, MFX_LOG_ERROR);
}

/* --- connecting --- */

/* Closing, and nobody waits for anything any more. */
static bool
is_over(struct mfx_redis_place *place)
{
    (void)pthread_mutex_lock(&place->mutex);
    bool answer = place->is_closing &&
                  (place->outstanding == 0 || mfx_mono_ms() >= place->close_ms);
    (void)pthread_mutex_unlock(&place->mutex);
    return answer;
}

static bool
may_go_on(void *arg)
{
    struct mfx_redis_place *place = arg;
    mfx_redis_expire(place, MFX_REDIS_EXPIRE_LATE,
                     "no connection to Redis in time");
    return !is_over(place);
}

static void
drain_wake(struct mfx_redis_place *place)
{
    uint64_t count;
    while (read(place->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
}

/* Until it is woken, or the time is over. */
static void
rest(struct mfx_redis_place *place, uint64_t wait_ms)
{
    uint64_t until_ms = mfx_mono_ms() + wait_ms, now_ms;
    while (may_go_on(place) && (now_ms = mfx_mono_ms()) < until_ms) {
        struct pollfd p = {.fd = place->wake_fd, .events = POLLIN};
        uint64_t left_ms = until_ms - now_ms;
        (void)poll(&p, 1,
                   left_ms < BACK_OFF_MIN_MS ? (int)left_ms : BACK_OFF_MIN_MS);
        drain_wake(place);
    }
}

static void
welcome(struct mfx_redis_place *place, struct mfx_redis_link *links,
        const char *where)
{
    (void)pthread_mutex_lock(&place->mutex);
    for (size_t i = 0; i < place->link_count; i++) {
        place->links[i] = links[i];
        place->links[i].end = &place->links[i].first;
    }
    place->ahead_ms = links[0].ahead_ms;
    if (place->where[0] != '\0') {
        place->reconnects++;
        place->failovers += strcmp(place->where, where) != 0;
    }
    (void)snprintf(place->where, sizeof place->where, "%s", where);
    place->state = MFX_REDIS_UP;
    place->renew_ms = 0;
    mfx_redis_send_again(place);
    (void)pthread_mutex_unlock(&place->mutex);
    mfx_redis_say_up(place);
}

/* One attempt. False: it failed, *wait_ms is the time until the next one. */
static bool
connect_once(struct mfx_redis_place *place, uint64_t *wait_ms)
{
    struct mfx_redis_search search = {.may_go_on = may_go_on, .arg = place};
    struct mfx_redis_link links[2];
    char where[MFX_REDIS_WHERE_MAX];
    struct mfx_err err = {{0}};
    enum mfx_rc rc =
        mfx_redis_primary_open(place->primary, &search, links,
                               place->link_count, where, sizeof where, &err);
    if (rc == MFX_OK) {
        welcome(place, links, where);
        return true;
    }
    (void)pthread_mutex_lock(&place->mutex);
    place->state = MFX_REDIS_DOWN;
    (void)pthread_mutex_unlock(&place->mutex);
    if (!is_over(place))
        mfx_redis_say_down(place, err.msg);
    mfx_redis_expire(place, MFX_REDIS_EXPIRE_DOWN, err.msg);
    *wait_ms = *wait_ms == 0 ? BACK_OFF_MIN_MS : *wait_ms * 2;
    if (*wait_ms > BACK_OFF_MAX_MS)
        *wait_ms = BACK_OFF_MAX_MS;
    if (rc == MFX_PERMFAIL)
        *wait_ms = REFUSED_MS;
    return false;
}

static void
connect_all(struct mfx_redis_place *place)
{
    uint64_t wait_ms = 0;
    while (may_go_on(place) && !connect_once(place, &wait_ms))
        rest(place, wait_ms);
}

/* --- serving --- */

static void
break_link(struct mfx_redis_place *place, struct mfx_redis_link *link,
           const char *why)
{
    (void)pthread_mutex_lock(&place->mutex);
    mfx_redis_link_break(link, why);
    (void)pthread_mutex_unlock(&place->mutex);
}

static void
take_replies(struct mfx_redis_place *place, struct mfx_redis_link *link,
             struct mfx_str bytes)
{
    const struct mfx_redis_reply *reply;
    struct mfx_err err = {{0}};
    enum mfx_rc rc = mfx_redis_reader_feed(link->reader, bytes, &err);
    while (rc == MFX_OK) {
        rc = mfx_redis_reader_next(link->reader, &reply, &err);
        if (rc != MFX_OK)
            break;
        (void)pthread_mutex_lock(&place->mutex);
        struct mfx_redis_item *item = mfx_redis_link_pop(link);
        (void)pthread_mutex_unlock(&place->mutex);
        if (item == NULL) {
            break_link(place, link, "it answers what was not asked");
            return;
        }
        item->answered(item, place, reply, true);
    }
    if (rc != MFX_NOTFOUND)
        break_link(place, link, err.msg);
}

static void
serve_link(struct mfx_redis_place *place, struct mfx_redis_link *link,
           char *bytes)
{
    size_t got;
    do {
        (void)pthread_mutex_lock(&place->mutex);
        mfx_redis_link_flush(link);
        got = mfx_redis_link_read(link, bytes, READ_SIZE);
        (void)pthread_mutex_unlock(&place->mutex);
        if (got > 0)
            take_replies(place, link, mfx_str(bytes, got));
        /* TLS may hold more than it gave, a socket shows it by itself */
    } while (got == READ_SIZE || (got > 0 && place->is_tls));
}

static uint64_t
limit_ms(const struct mfx_redis_place *place, size_t at)
{
    return place->timeout_ms + (at == 1 ? place->wait_ms : 0);
}

/* What to poll for, and how long; breaks what is late. Locked. */
static int
prepare(struct mfx_redis_place *place, struct pollfd *polls, uint64_t now_ms)
{
    uint64_t due_ms = now_ms + place->timeout_ms;
    if (place->renew_ms < due_ms)
        due_ms = place->renew_ms;
    for (size_t i = 0; i < place->link_count; i++) {
        struct mfx_redis_link *link = &place->links[i];
        struct mfx_err why = {{0}};
        uint64_t until_ms = UINT64_MAX;
        if (link->first != NULL)
            until_ms = link->first->sent_ms + limit_ms(place, i);
        if (now_ms >= until_ms) {
            mfx_err_set(&why, "no answer within %llu ms",
                        (unsigned long long)limit_ms(place, i));
            mfx_redis_link_break(link, why.msg);
        }
        if (until_ms < due_ms)
            due_ms = until_ms;
        mfx_stream_poll(link->stream, true, link->unsent != NULL, &polls[i]);
    }
    return due_ms <= now_ms ? 0 : (int)(due_ms - now_ms);
}

static const char *
find_broken(const struct mfx_redis_place *place)
{
    for (size_t i = 0; i < place->link_count; i++)
        if (place->links[i].is_broken)
            return place->links[i].error.msg;
    return NULL;
}

/* Until a link breaks, or there is nothing more to do. */
static void
serve(struct mfx_redis_place *place, char *bytes)
{
    while (!is_over(place)) {
        struct pollfd polls[3] = {
            {.fd = place->wake_fd, .events = POLLIN}
        };
        mfx_redis_renew(place);
        (void)pthread_mutex_lock(&place->mutex);
        int wait_ms = prepare(place, polls + 1, mfx_mono_ms());
        bool is_broken = find_broken(place) != NULL;
        (void)pthread_mutex_unlock(&place->mutex);
        if (is_broken)
            return;
        (void)poll(polls, 1 + (nfds_t)place->link_count, wait_ms);
        if (polls[0].revents != 0)
            drain_wake(place);
        for (size_t i = 0; i < place->link_count; i++)
            serve_link(place, &place->links[i], bytes);
    }
}

void *
mfx_redis_work(void *arg)
{
    struct mfx_redis_place *place = arg;
    char bytes[READ_SIZE];
    while (!is_over(place)) {
        connect_all(place);
        if (is_over(place))
            break;
        serve(place, bytes);
        (void)pthread_mutex_lock(&place->mutex);
        const char *broken = find_broken(place);
        struct mfx_err why = {{0}};
        if (broken != NULL)
            mfx_err_set(&why, "%s", broken);
        (void)pthread_mutex_unlock(&place->mutex);
        mfx_redis_take_down(place);
        if (broken != NULL)
            mfx_redis_say_down(place, why.msg);
    }
    mfx_redis_take_down(place);
    mfx_redis_expire(place, MFX_REDIS_EXPIRE_ALL, "the store is closed");
    return NULL;
}
