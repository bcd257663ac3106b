/* SPDX-License-Identifier: BSD-2-Clause
 *
 * list_impl - what lists*.c and asking*.c share
 *
 * lists_build.c reads the settings, lists.c is the life of it all,
 * lists_health.c the thread that tests, lists_view.c shows; asking.c asks and
 * takes answers, asking_score.c makes a score of them.
 *
 * Ownership: struct spf_lists is counted: by its policy, by the thread that
 * tests it, and by each asking. Errors: none. Threads: what is said to be
 * under the mutex, is; the rest is read-only or atomic.
 */
#ifndef SPF_LIST_IMPL_H
#define SPF_LIST_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/evp.h>

#include <mfx/base/map.h>
#include <mfx/net/dns_list_cache.h>

#include "lists.h"

/* What is known of one zone, as long as some configuration names it. */
struct spf_list_state {
    atomic_size_t holds;
    atomic_int use; /* enum spf_list_use */
    atomic_uint_fast64_t asked, cached, hits, shadow_hits, decided, alone;
    atomic_uint_fast64_t errors, failures, timeouts;
    atomic_uint_fast64_t latency_sum_ms, latency_max_ms;
    atomic_uint_fast64_t latencies[SPF_LIST_LATENCY_COUNT];
    atomic_uint epoch; /* answers of another one are not used */
    atomic_int_fast64_t failed_in_row, listed_in_row;
    atomic_bool wants_test;          /* before its time */
    atomic_uint_fast64_t told_ms;    /* of dns_list_error; 0: never */
    enum mfx_dns_list_health health; /* under the mutex, to the end */
    char why[SPF_LIST_WHY_MAX];
    int64_t bad_in_row;
    uint64_t next_ms, tested_ms, tested_s, since_s;
    size_t key_len;
    char key[]; /* type and zone */
};

/* One zone of one group. */
struct spf_list {
    struct mfx_str zone, name, group;
    bool is_mapped; /* the name is another than the zone */
    enum mfx_dns_list_type type;
    enum spf_list_mode mode;
    enum mfx_dns_list_test test;
    bool keys[SPF_LIST_KEY_COUNT];
    bool has_ipv6, is_dnswl, wants_txt;
    const EVP_MD *digest; /* type hash */
    enum spf_list_encoding encoding;
    struct mfx_dns_list_rules rules;
    struct mfx_str text;
    struct spf_list_state *state;
};

struct spf_lists_shared;

struct spf_lists {
    atomic_size_t holds;
    struct mfx_arena *arena;
    struct spf_lists_shared *shared;
    struct mfx_dns_list_cache *cache;
    struct spf_list *lists;
    size_t count;
    bool wants[SPF_LIST_KEY_COUNT];
    int64_t tag_at, tempfail_at, reject_at, allow_at;
    uint64_t timeout_ms;
    struct mfx_str text;
    unsigned codes[2]; /* by is_final */
    struct mfx_str enhanced[2];
    uint64_t interval_ms, retry_ms;
    int64_t failures, trouble;
    bool ad_is_trusted;
};

/* Where the thread's clock and resolver come from. */
struct spf_lists_hold {
    atomic_size_t refs;
    struct spf_lists_source source;
};

struct spf_lists_shared {
    atomic_size_t holds;    /* of the memory: by each struct spf_lists */
    atomic_size_t policies; /* with the last one the thread ends */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct mfx_map *states;    /* under the mutex, to the end */
    struct spf_lists *current; /* in force; NULL before the first begin */
    struct spf_lists_hold *hold;
    bool is_running, is_stopping;
    pthread_t thread;
    struct mfx_event stop; /* ends a test that is waiting */
};

static inline enum spf_list_use
spf_list_use_of(const struct spf_list *list)
{
    return (enum spf_list_use)atomic_load(&list->state->use);
}

/* --- lists.c --- */

struct spf_lists *spf_lists_hold(const struct spf_lists *lists);
void spf_lists_release(struct spf_lists *lists);
/* New, for one policy; or the previous one's, for another. NULL: no memory. */
struct spf_lists_shared *spf_lists_share(const struct spf_lists *previous);
void spf_lists_shared_release(struct spf_lists_shared *shared);
/* The zone's state, held. NULL: no memory. */
struct spf_list_state *spf_lists_state(struct spf_lists_shared *shared,
                                       enum mfx_dns_list_type type,
                                       struct mfx_str zone);
/* Something is wrong with that list: test it soon. */
void spf_lists_trigger(const struct spf_lists *lists,
                       const struct spf_list *list);

/* --- lists_health.c --- */

bool spf_lists_start(struct spf_lists_shared *shared);
void spf_lists_stop(struct spf_lists_shared *shared);
void spf_lists_hold_release(struct spf_lists_hold *hold);

/* --- lists_hash.c --- */

enum {
    SPF_LIST_LABEL_MAX = 2 * EVP_MAX_MD_SIZE,
};
/* The fetched digest, given back with the arena; NULL: there is none. */
const EVP_MD *spf_list_digest(enum spf_list_hash hash, struct mfx_arena *arena);
/* Octets of the label that it makes. */
size_t spf_list_label_len(const EVP_MD *digest,
                          enum spf_list_encoding encoding);
/* The hash of the text in lower case. Empty when it cannot be made. */
struct mfx_str spf_list_label(const EVP_MD *digest,
                              enum spf_list_encoding encoding,
                              struct mfx_str text,
                              char out[SPF_LIST_LABEL_MAX]);

#endif
