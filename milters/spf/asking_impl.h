/* SPDX-License-Identifier: BSD-2-Clause
 *
 * asking_impl - what asking.c (questions and answers), asking_score.c (what
 * they come to) and asking_text.c (in words) share
 *
 * Ownership: the asking's arena. Errors: none. Threads: one at a time.
 */
#ifndef SPF_ASKING_IMPL_H
#define SPF_ASKING_IMPL_H

#include "asking.h"
#include "list_impl.h"

/* One list asked about one thing. */
struct spf_ask {
    struct spf_ask *next; /* of the same list */
    const struct spf_list *list;
    enum spf_list_key key;
    struct mfx_str what;
    struct mfx_dns_list_name name;
    struct mfx_dns_question *question; /* NULL: answered from the cache */
    uint64_t asked_ms;
    unsigned epoch;     /* of the list, when it was asked */
    bool is_done;       /* reading says what came */
    bool is_given_up;   /* counted as a timeout; it may still come */
    bool is_superseded; /* another value of its key took its place */
    bool is_hit, is_authentic;
    struct mfx_dns_list_reading reading;
    struct mfx_ip *hits; /* by site; MFX_IP_NONE: does not count */
    struct mfx_dns_question *txt_question;
    bool is_txt_done;
    struct mfx_str txt;
};

struct spf_subject {
    bool is_set;
    struct mfx_str name;
    struct mfx_ip ip;
};

struct spf_asking {
    const struct spf_lists *lists; /* held */
    const struct mfx_env *env;
    struct mfx_arena *arena;
    struct spf_asking *connection; /* of the same lists; or NULL */
    struct spf_subject subjects[SPF_LIST_KEY_COUNT];
    struct spf_ask **asks; /* by list */
    bool is_scored;
    struct spf_score score;
    bool *decided, *alone; /* by list, for the counters; or NULL */
};

/* --- asking.c --- */

/* Takes what answers have come. */
void spf_asking_harvest(struct spf_asking *asking);
/* Of what is asked for a message, the asks of its connection first. */
struct spf_ask *spf_asking_first(const struct spf_asking *asking, size_t list);
struct spf_ask *spf_asking_next(const struct spf_asking *asking, size_t list,
                                struct spf_ask *ask);
/* Neither answered nor given up. */
static inline bool
spf_ask_is_out(const struct spf_ask *ask)
{
    return !ask->is_done && !ask->is_given_up;
}

/* --- asking_score.c --- */

/* What the answers come to, and what those that are missing could add. */
struct spf_sums {
    int64_t score;
    int64_t most, least; /* of those that are waited for; least <= 0 */
    int64_t failed;      /* <= 0: of allow lists that did not answer */
};
struct spf_sums spf_asking_sums(const struct spf_asking *asking);
bool spf_sums_are_decided(const struct spf_lists *lists,
                          const struct spf_sums *sums);
enum spf_list_action spf_sums_action(const struct spf_lists *lists,
                                     const struct spf_sums *sums);
/* By the thresholds alone. */
enum spf_list_action spf_lists_action(const struct spf_lists *lists,
                                      int64_t score);
/* The list is scored, and waited for. */
static inline bool
spf_list_counts(const struct spf_list *list)
{
    return list->mode == SPF_LIST_ENFORCE &&
           spf_list_use_of(list) == SPF_LIST_IN_USE;
}
/* The ask that made this site hit, and by which address; NULL: none. */
const struct spf_ask *spf_asking_hit(const struct spf_asking *asking,
                                     size_t list, size_t site);
/* The ask whose text a refusal would give: that of the list with the largest
 * weight; NULL: no list hits. */
struct spf_ask *spf_asking_leader(const struct spf_asking *asking);

/* --- asking_text.c --- */

/* Bounded, printable ASCII; without the zone where that may hold a key. */
struct mfx_str spf_list_clean(const struct spf_list *list, struct mfx_str text,
                              struct mfx_arena *arena);

#endif
