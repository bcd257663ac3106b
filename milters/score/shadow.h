/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shadow - engines that are asked and compared, and for which no mail waits
 *
 *     run->scan = score_shadow_begin(run, &request);
 *     score_shadow_leave(list, run, &verdict, queue_id, now_s);
 *     score_shadows_look(list);
 *
 * What such an engine says often comes when the message is long over. So its
 * scan has memory of its own, and is taken note of when it has ended, at the
 * end of some later message or when somebody asks for numbers.
 *
 * Ownership: a run's shadow until it is left, then the list's. Errors:
 * NULL when out of memory: it is not compared. Threads: any.
 * Limits: SCORE_SHADOWS_MAX that have not answered; then it is cancelled.
 */
#ifndef SCORE_SHADOW_H
#define SCORE_SHADOW_H

#include <pthread.h>

#include "profiles.h"
#include "verdict.h"

enum {
    SCORE_SHADOWS_MAX = 2000,
};

struct score_shadow;
struct score_shadows; /* those of messages that are over */

/* NULL: out of memory. */
struct score_shadows *score_shadows_new(void);
/* NULL is allowed; what has not answered is cancelled. */
void score_shadows_free(struct score_shadows *list);
/* Takes note of what has ended. */
void score_shadows_look(struct score_shadows *list);

struct mfx_scan *score_shadow_begin(struct score_run *run,
                                    const struct mfx_scan_request *request);
/* The message is over, the run's scan no longer its own. verdict NULL: it was
 * not decided, and nothing is compared. */
void score_shadow_leave(struct score_shadows *list, struct score_run *run,
                        const struct score_verdict *verdict,
                        struct mfx_str queue_id, uint64_t now_s);

#endif
