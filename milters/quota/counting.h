/* SPDX-License-Identifier: BSD-2-Clause
 *
 * counting - what a message holds in the store: offered, counted, given back
 *
 *     quota_holding_init(&h, policy, message, &facts);
 *     for each recipient:
 *         quota_counting_want(&h, QUOTA_AT_RCPT, recipient, size, &err);
 *         quota_counting_reserve(&h, message, &refusal);
 *     at the end: quota_counting_commit(&h, message, &refusal);
 *     however it ended: quota_counting_release(&h);
 *
 * While the store is away, store_error decides: this machine counts by itself
 * up to its share (a message stays where it began), nothing is limited, or
 * mail is deferred. What passes is added to the store later.
 *
 * Ownership: everything in the message's arena; the holding holds no policy
 * beyond its message. Errors: in the refusal. Threads: the message's.
 */
#ifndef MFX_QUOTA_COUNTING_H
#define MFX_QUOTA_COUNTING_H

#include "policy.h"
#include "tally.h"

enum quota_place {
    QUOTA_PLACE_STORE,
    QUOTA_PLACE_LOCAL, /* this machine's own counters */
    QUOTA_PLACE_NONE,  /* not limited; merged later */
};

struct quota_holding {
    const struct quota_policy *policy;
    struct quota_shared *shared;
    struct mfx_arena *arena;
    struct mfx_str holder;
    struct quota_facts facts;
    struct quota_tally *tallies, *last;
    bool *is_exempt; /* of each rule */
    enum quota_place place;
    bool is_committed;
    uint64_t lease_ms;
};

enum quota_refusal_kind {
    QUOTA_FITS,
    QUOTA_FULL,
    QUOTA_BLOCKED,
    QUOTA_TOO_MANY_RECIPIENTS, /* in one message */
    QUOTA_TOO_LARGE,           /* the one message */
    QUOTA_STORE_FAILED,
};

struct quota_refusal {
    enum quota_refusal_kind kind;
    const struct quota_tally *tally;
    const struct mfx_store_window *window; /* FULL */
    struct mfx_store_level level;          /* FULL */
    uint64_t limit, used;                  /* of one message */
    struct mfx_err err;                    /* STORE_FAILED */
};

/* Which rules concern this message; MFX_TEMPFAIL: a table could not be
 * asked. */
enum mfx_rc quota_holding_init(struct quota_holding *h,
                               const struct quota_policy *policy,
                               struct mfx_message *m,
                               const struct quota_facts *facts,
                               struct mfx_err *err) MFX_NODISCARD;

/* A further recipient, for the rules of that time. */
enum mfx_rc quota_counting_want(struct quota_holding *h, enum quota_when when,
                                struct mfx_str recipient,
                                uint64_t message_bytes,
                                struct mfx_err *err) MFX_NODISCARD;
/* The message's size is known now. True when more is wanted than held. */
bool quota_counting_want_bytes(struct quota_holding *h, uint64_t bytes);

/* Holds what is wanted, or nothing of it (wanted falls back). */
void quota_counting_reserve(struct quota_holding *h, struct mfx_message *m,
                            struct quota_refusal *refusal);
void quota_counting_commit(struct quota_holding *h, struct mfx_message *m,
                           struct quota_refusal *refusal);
/* What is not committed goes back; does not wait. */
void quota_counting_release(struct quota_holding *h);

/* Recipients that the MTA refused: counted at once, without waiting. */
void quota_counting_refused(struct quota_holding *h, uint64_t recipients);

/* --- for connections, whose rules change under them --- */

/* Asks again and again until no override is unknown; false: no answer. */
bool quota_counting_ask(struct quota_holding *h, struct mfx_message *m,
                        enum mfx_store_op op, struct mfx_str holder,
                        struct quota_tally **tallies, size_t count,
                        enum mfx_store_outcome *outcome, struct mfx_err *err);
/* What the answer of a DONE or FULL says; the first that does not fit. */
void quota_counting_judge(struct quota_tally **tallies, size_t count,
                          enum mfx_store_outcome outcome, struct mfx_message *m,
                          struct quota_refusal *refusal);

#endif
