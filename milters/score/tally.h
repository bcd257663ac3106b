/* SPDX-License-Identifier: BSD-2-Clause
 *
 * tally - what is counted of one engine: how its scans ended, what it found,
 * its symbols, and, in the shadow, what it would have done
 *
 * Ownership: counted; a view's rows are the arena's. Errors: NULL when out of
 * memory. Threads: any.
 */
#ifndef SCORE_TALLY_H
#define SCORE_TALLY_H

#include "symbols.h"
#include "verdict.h"

enum {
    SCORE_TALLY_LAST = 20, /* disagreements that are kept */
    SCORE_TALLY_QUEUE_ID = 32,
};

/* An engine in the shadow and the engines of its kind that count. */
struct score_difference {
    uint64_t time_s;
    char queue_id[SCORE_TALLY_QUEUE_ID];
    enum score_action did, would;
    bool has_scores;
    int64_t score, total; /* the engine's, scaled; that of the others */
};

struct score_tally_view {
    uint64_t ends[MFX_SCAN_END_COUNT];
    uint64_t finds[MFX_SCAN_CLASS_COUNT];
    /* in the shadow */
    uint64_t agreed, harsher, milder;
    uint64_t unanswered; /* by it */
    uint64_t alone;      /* no engine of its kind answered */
    uint64_t seen[SCORE_ACTION_COUNT][SCORE_ACTION_COUNT]; /* did, would */
    uint64_t scored; /* had scores, both; and their sums, in thousandths */
    int64_t score_sum, total_sum;
    size_t last_count;
    struct score_difference last[SCORE_TALLY_LAST]; /* the newest first */
};

struct score_tally;

struct score_tally *score_tally_new(size_t max_symbols);
struct score_tally *score_tally_hold(struct score_tally *tally);
/* NULL is allowed. */
void score_tally_release(struct score_tally *tally);
struct score_symbols *score_tally_symbols(struct score_tally *tally);

/* One scan. is_spam: what came of the message. */
void score_tally_note(struct score_tally *tally, const struct score_run *run,
                      bool is_spam, uint64_t now_s);
/* In the shadow: it did not answer, nobody else did, or this came of it. The
 * queue id is made safe. */
void score_tally_unanswered(struct score_tally *tally);
void score_tally_alone(struct score_tally *tally);
void score_tally_compare(struct score_tally *tally,
                         const struct score_difference *difference);

void score_tally_look(struct score_tally *tally, struct score_tally_view *view);

#endif
