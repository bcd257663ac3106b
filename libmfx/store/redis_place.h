/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_place - what the parts of a Redis store share (not installed)
 *
 * store_redis.c takes calls and sends them from the caller's thread;
 * redis_work.c is the store's own thread: it connects, reads, and keeps time;
 * redis_answer.c says what becomes of a call: answered, sent again, failed.
 *
 * COMMITs that replicas are waited for have a connection of their own, since
 * WAIT holds up all that is behind it: they go out together, then one WAIT for
 * all of them; those that come meanwhile wait for the next turn.
 *
 * Ownership: the place has all of it. Errors: none. Threads: mutex guards what
 * is below it.
 */
#ifndef MFX_STORE_REDIS_PLACE_H
#define MFX_STORE_REDIS_PLACE_H

#include <pthread.h>

#include <mfx/store/redis_leases.h>
#include <mfx/store/redis_primary.h>

enum {
    MFX_REDIS_OUTSTANDING_MAX = 20000,
    MFX_REDIS_WHERE_MAX = 200,
};

struct mfx_redis_list {
    struct mfx_redis_ask *first, **end;
};

enum mfx_redis_state {
    MFX_REDIS_RENEWING, /* no connection, but nothing says that none can be
                           had: calls wait for it */
    MFX_REDIS_UP,
    MFX_REDIS_DOWN, /* calls fail at once */
};

struct mfx_redis_place {
    struct mfx_store base; /* first */
    const struct mfx_env *env;
    struct mfx_arena *arena;
    struct mfx_redis_asker asker;
    struct mfx_redis_primary *primary;
    uint64_t timeout_ms, wait_ms;
    uint64_t wait_replicas;
    bool is_tls;
    pthread_t thread;
    int wake_fd;
    struct mfx_str wait_bytes; /* the WAIT */

    pthread_mutex_t mutex;
    enum mfx_redis_state state;
    bool is_closing;
    uint64_t close_ms; /* mono: not longer */
    /* [1]: COMMITs, when replicas are waited for */
    struct mfx_redis_link links[2];
    size_t link_count;
    struct mfx_redis_list again;       /* to be sent when there is a link */
    struct mfx_redis_list returned;    /* on their way there; the thread's */
    struct mfx_redis_list commits;     /* until their turn */
    struct mfx_redis_list replicating; /* counted; WAIT is not answered */
    struct mfx_redis_item wait_item;
    bool is_waiting;
    struct mfx_redis_leases *leases;
    uint64_t renew_ms;
    bool renew_text;
    int64_t ahead_ms; /* the server's time, less mono */

    bool is_up, is_known; /* is_known: up or down was said */
    uint64_t since_ms;
    char where[MFX_REDIS_WHERE_MAX];
    struct mfx_err error;
    uint64_t calls, failures, outstanding, reconnects, failovers;
};

static inline void
mfx_redis_list_init(struct mfx_redis_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static inline void
mfx_redis_list_add(struct mfx_redis_list *list, struct mfx_redis_ask *ask)
{
    ask->next = NULL;
    *list->end = ask;
    list->end = &ask->next;
}

static inline struct mfx_redis_ask *
mfx_redis_list_take(struct mfx_redis_list *list)
{
    struct mfx_redis_ask *ask = list->first;
    if (ask == NULL)
        return NULL;
    list->first = ask->next;
    if (list->first == NULL)
        list->end = &list->first;
    return ask;
}

void mfx_redis_wake(struct mfx_redis_place *place);
/* The server's time and ours, now. Locked. */
struct mfx_redis_now mfx_redis_now(const struct mfx_redis_place *place);

/* --- redis_answer.c --- */

/* Where it belongs now: a link, or a list. Locked; true: the thread must be
 * woken for it. */
bool mfx_redis_route(struct mfx_redis_place *place, struct mfx_redis_ask *ask);
/* Everything that waits for a link goes out. Locked. */
void mfx_redis_send_again(struct mfx_redis_place *place);
/* Not locked, as all below. */
void mfx_redis_fail(struct mfx_redis_place *place, struct mfx_redis_ask *ask,
                    const char *why);
enum mfx_redis_expiry {
    MFX_REDIS_EXPIRE_LATE, /* nobody waits for it any more */
    MFX_REDIS_EXPIRE_DOWN, /* and all but COMMITs, which count what was sent */
    MFX_REDIS_EXPIRE_ALL,
};
/* Fails what waits for a link. */
void mfx_redis_expire(struct mfx_redis_place *place,
                      enum mfx_redis_expiry which, const char *why);
/* Takes the links down; what was in them is sent again later, or fails. */
void mfx_redis_take_down(struct mfx_redis_place *place);
/* Leases; the thread's. */
void mfx_redis_renew(struct mfx_redis_place *place);

/* --- redis_work.c --- */

/* Said, and logged, once per change. The thread's. */
void mfx_redis_say_up(struct mfx_redis_place *place);
void mfx_redis_say_down(struct mfx_redis_place *place, const char *reason);
void *mfx_redis_work(void *place);

#endif
