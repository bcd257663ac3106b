/* SPDX-License-Identifier: BSD-2-Clause
 *
 * tally - what one message (or connection) counts under one key of one rule
 *
 * A rule has one tally in a message, or several when its key is of the
 * recipient. `held` is what the store holds for us, `wanted` what it would be
 * with the recipient at hand; they become one when the store agrees, or wanted
 * falls back.
 *
 *     quota_tally_want_recipient(tally, recipient, arena);
 *     quota_tally_use(tally, QUOTA_ASK_RESERVE, arena, &use);
 *     ... DONE: quota_tally_settle(tally, true);
 *
 * Ownership: in the message's (connection's) arena. Errors: the arena's.
 * Threads: the message's.
 */
#ifndef MFX_QUOTA_TALLY_H
#define MFX_QUOTA_TALLY_H

#include "rule.h"

struct quota_want {
    uint64_t amount;
    size_t recipients; /* that this tally counts */
    size_t elements;   /* of the tally's list */
};

struct quota_tally {
    const struct quota_rule *rule;
    struct quota_made_key key;
    struct mfx_str counter;
    struct quota_limits limits;
    enum quota_limits_source source;
    struct mfx_str override; /* believed */
    struct quota_want held, wanted;
    struct mfx_str *elements;
    size_t capacity, sent; /* sent: elements that the store has */
    bool is_touched;       /* by what is at hand */
    bool is_held;          /* the store has something of ours here */
    struct mfx_store_reading *reading; /* the last one */
    struct quota_tally *next;
};

/* Limits are looked up. MFX_TEMPFAIL: a table could not be asked. */
enum mfx_rc quota_tally_new(const struct quota_rule *rule,
                            const struct quota_made_key *key,
                            struct mfx_arena *arena, struct quota_tally **tally,
                            struct mfx_err *err) MFX_NODISCARD;
/* Another override stands in the store: limits anew. */
enum mfx_rc quota_tally_override(struct quota_tally *tally,
                                 struct mfx_str override,
                                 struct mfx_arena *arena,
                                 struct mfx_err *err) MFX_NODISCARD;

/* One more recipient; message_bytes: the message's size as far as known;
 * client: for client_addresses. */
void quota_tally_want(struct quota_tally *tally, struct mfx_str recipient,
                      uint64_t message_bytes, struct mfx_str client,
                      struct mfx_arena *arena);
/* agreed: held becomes what was wanted; else wanted falls back. */
void quota_tally_settle(struct quota_tally *tally, bool agreed);

enum quota_ask {
    QUOTA_ASK_RESERVE, /* what is new since it was held */
    QUOTA_ASK_ALL,     /* everything, for COMMIT */
};

/* share: percentage of the limits that is given out (100: all). False when
 * there is nothing to ask: no windows. */
bool quota_tally_use(const struct quota_tally *tally, enum quota_ask ask,
                     unsigned share, struct mfx_arena *arena,
                     struct mfx_store_use *use);

/* The window of the tally's reading that is fullest, or that does not fit;
 * NULL without windows that have a limit. */
const struct mfx_store_window *
quota_tally_fullest(const struct quota_tally *tally,
                    const struct mfx_store_level **level);
/* A window whose real limit does not have room (dry-run rules ask without
 * limits). NULL: it fits. */
const struct mfx_store_window *
quota_tally_overflow(const struct quota_tally *tally,
                     const struct mfx_store_level **level);

#endif
