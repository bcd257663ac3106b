/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_ask - a call of the store as commands, and their replies as its answer
 * (not installed)
 *
 *     mfx_redis_ask_format(ask, &now)      ask->bytes is to be sent
 *     mfx_redis_ask_take(ask, reply, &now) says what is next
 *
 * Ownership: the ask lives in its call's arena. Errors: format: false when out
 * of memory. Threads: one at a time.
 * Limits: Redis counts exactly up to 2^53: what is more is taken as that much.
 */
#ifndef MFX_STORE_REDIS_ASK_H
#define MFX_STORE_REDIS_ASK_H

#include <mfx/store/redis_reply.h>
#include <mfx/store/redis_script.h>
#include <mfx/store/store_impl.h>

enum {
    /* OPEN uses without a lease of their own; renewed before it ends */
    MFX_REDIS_LEASE_MS = 60000,
};

/* What is the same for all asks. */
struct mfx_redis_asker {
    struct mfx_str prefix;
    struct mfx_redis_scripts scripts;
};

struct mfx_redis_now {
    uint64_t server_ms; /* as far as we know */
    uint64_t wall_ms;   /* this machine's */
};

/* What stands in a connection's queue; answered in order. */
struct mfx_redis_item {
    struct mfx_redis_item *next;
    struct mfx_str bytes;
    uint64_t sent_ms;
    /* reply NULL: the connection was lost. was_sent: perhaps carried out. */
    void (*answered)(struct mfx_redis_item *item, void *arg,
                     const struct mfx_redis_reply *reply, bool was_sent);
};

struct mfx_redis_ask {
    struct mfx_redis_item item; /* first */
    struct mfx_redis_ask *next; /* in the store's lists */
    struct mfx_store_call *call;
    const struct mfx_redis_asker *asker;
    uint64_t until_ms; /* mono */
    unsigned tries;
    bool has_text; /* the script itself is sent, not its digest */
    /* LIST: the second step reads these */
    struct mfx_str *keys;
    size_t key_count;
};

/* Made of the call's arena; NULL when out of memory. */
struct mfx_redis_ask *mfx_redis_ask_new(const struct mfx_redis_asker *asker,
                                        struct mfx_store_call *call);
bool mfx_redis_ask_format(struct mfx_redis_ask *ask,
                          const struct mfx_redis_now *now);

enum mfx_redis_step {
    MFX_REDIS_STEP_DONE,  /* the call has its answer */
    MFX_REDIS_STEP_AGAIN, /* format and send again */
    MFX_REDIS_STEP_ODD,   /* not an answer to what was asked */
};
/* For a reply that is no error. *now becomes the server's. */
enum mfx_redis_step mfx_redis_ask_take(struct mfx_redis_ask *ask,
                                       const struct mfx_redis_reply *reply,
                                       struct mfx_redis_now *now);

/* May be sent again though it was perhaps carried out? */
bool mfx_redis_ask_is_repeatable(const struct mfx_redis_ask *ask);
/* COMMIT, or merged: what replicas are waited for. */
bool mfx_redis_ask_is_commit(const struct mfx_redis_ask *ask);
/* RESERVE without a lease of its own. */
bool mfx_redis_ask_is_renewed(const struct mfx_redis_ask *ask);

/* P c:NAME */
struct mfx_str mfx_redis_counter_key(const struct mfx_redis_asker *asker,
                                     struct mfx_arena *arena,
                                     struct mfx_str counter);

#endif
