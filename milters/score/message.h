/* SPDX-License-Identifier: BSD-2-Clause
 *
 * message - what the hooks of mfx-score keep of a message
 *
 * Engines are asked from the end of the header on, while the body comes in;
 * all is decided at the end of the message.
 *
 * Ownership: in the message's arena. Errors: MFX_TEMPFAIL when a table cannot
 * be asked, or memory is short. Threads: one at a time.
 */
#ifndef SCORE_MESSAGE_H
#define SCORE_MESSAGE_H

#include <mfx/milter/filter.h>

#include "policy.h"
#include "verdict.h"

enum {
    SCORE_RUNS_AWAITED_MAX = MFX_EVENT_ANY_MAX,
    SCORE_GRACE_MS = 1000, /* engines keep the deadline themselves */
};

extern const struct mfx_filter score_filter;
extern const struct mfx_control_verb score_control_verbs[];

/* What one engine is asked: one run for all recipients, or one for each user
 * that they have. */
struct score_group {
    const struct score_engine *engine;
    size_t first, count;    /* of the runs */
    uint16_t *of_recipient; /* NULL: the first is for all */
};

struct score_message {
    const char *skipped; /* why it is not looked at; NULL: it is */
    bool is_trusted;     /* skipped because of who hands it in */
    bool is_outgoing;
    struct mfx_scan_body *body; /* NULL: nobody reads it */
    struct score_run *runs;
    size_t run_count;
    struct score_group *groups; /* those asked, in the order of engines */
    size_t group_count;
    /* Of a valid seal that came with it, and counts. */
    bool has_seal, seal_has_score, is_decided_by_seal;
    int64_t seal_score;
    struct score_verdict verdict;
    bool has_verdict;
};

static inline const struct score_policy *
score_policy_of(const struct mfx_message *m)
{
    return m->policy;
}

/* --- scanning.c: runs of engines --- */

/* At the end of the header: begins them all. envelope: see envelope.h; for
 * commands whatever is known. */
enum mfx_rc score_scanning_begin(struct mfx_message *m, struct score_message *q,
                                 const struct mfx_scan_envelope *envelope);
void score_scanning_add(struct score_message *q, struct mfx_str piece);
/* At the end of the message. */
void score_scanning_whole(struct score_message *q);
/* Those that count and have not ended, to be waited for; none when one has
 * settled it all: the others are spared then. events has room for
 * SCORE_RUNS_AWAITED_MAX. */
size_t score_scanning_pending(struct score_message *q,
                              struct mfx_event **events);
/* What has not ended is cancelled: nobody waits for it any more. */
void score_scanning_give_up(struct score_message *q);
/* The message is gone, or decided: what still runs is cancelled. */
void score_scanning_cancel(struct score_message *q);
/* Takes the results of what has ended; what still runs has not answered. */
void score_scanning_end(struct score_message *q);
/* The message is over: counts what engines said. */
void score_scanning_note(struct mfx_message *m, struct score_message *q);

/* --- deciding.c --- */

/* Fills the verdict. */
enum mfx_rc score_deciding_find(struct mfx_message *m, struct score_message *q);

#endif
