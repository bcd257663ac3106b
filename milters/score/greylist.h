/* SPDX-License-Identifier: BSD-2-Clause
 *
 * greylist - has this client come back with this mail?
 *
 * A client's network, the sender and a recipient make a key. Its first sight is
 * remembered for the retry window; from `delay` on after it mail passes, and
 * the key is known then, for `remember` after its last use. Mail for several
 * recipients passes when it passes for each of them.
 *
 *     g = score_greylist_begin(&ask, arena);
 *     while ((event = score_greylist_pending(g)) != NULL &&
 *            mfx_wait(message, event, until_ms))
 *         ;
 *     score_greylist_finish(g, &answer);
 *
 * Senders that change with each message are one: SRS, BATV, "+" and what is
 * behind it, words of digits or of hexadecimal digits. The null sender is one,
 * too. Only a digest of the key is stored.
 *
 * Ownership: in the arena; what was begun must be finished before it is reset.
 * Errors: in the answer; nothing in it is a guess: mail that waits was seen too
 * short a time ago, whatever else could not be found out. Threads: one at a
 * time. Limits: of more recipients than SCORE_GREYLIST_RECIPIENTS_MAX the first
 * ones are asked about.
 */
#ifndef SCORE_GREYLIST_H
#define SCORE_GREYLIST_H

#include <mfx/policy/host_list.h>
#include <mfx/store/store.h>

#include "settings.h"

enum {
    SCORE_GREYLIST_RECIPIENTS_MAX = 100,
    SCORE_GREYLIST_NAME_MAX = 40, /* of what is in the store */
};

struct score_greylist_ask {
    const struct score_greylist_settings *settings;
    const struct mfx_host_list *skip; /* NULL: nobody */
    struct mfx_store *store;          /* NULL: it could not be opened */
    struct mfx_ip client;
    struct mfx_str client_name; /* verified; or empty */
    struct mfx_str sender;      /* empty: the null sender */
    const struct mfx_str *recipients;
    size_t recipient_count;
    uint64_t now_s; /* since 1970 */
};

enum score_greylist_result {
    SCORE_GREYLIST_PASS,
    SCORE_GREYLIST_EXEMPT, /* by the list, or a client without an address */
    SCORE_GREYLIST_WAIT,
    SCORE_GREYLIST_DOWN, /* the store did not answer, or not in time */
};
/* "pass", "exempt", "wait", "store_down". */
const char *score_greylist_result_name(enum score_greylist_result result);

struct score_greylist_answer {
    enum score_greylist_result result;
    uint64_t wait_s;       /* WAIT: at least 1 */
    bool is_first_sight;   /* WAIT: of some recipient's mail */
    bool is_known;         /* PASS: it had passed before, for all of them */
    struct mfx_str exempt; /* EXEMPT: the entry; empty: no address */
    struct mfx_err err;    /* DOWN */
};

struct score_greylist;

/* NULL when out of memory; finish of NULL is DOWN, pending of NULL nothing. */
struct score_greylist *
score_greylist_begin(const struct score_greylist_ask *ask,
                     struct mfx_arena *arena);
/* What to wait for; NULL: nothing more. */
struct mfx_event *score_greylist_pending(struct score_greylist *greylist);
/* What has not been answered by now is DOWN. Does not wait: what is to be
 * remembered of mail that passes is on its way. */
void score_greylist_finish(struct score_greylist *greylist,
                           struct score_greylist_answer *answer);

/* --- greylist_key.c --- */

/* What all variations of the sender have in common, in lower case. p is NULL
 * when the arena is exhausted. */
struct mfx_str score_greylist_sender(struct mfx_str sender,
                                     struct mfx_arena *arena);
/* The name in the store: "grey/", and a digest. p is NULL without memory. */
struct mfx_str score_greylist_name(const struct score_greylist_ask *ask,
                                   struct mfx_str recipient,
                                   struct mfx_arena *arena);

#endif
