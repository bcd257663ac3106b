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

extern const struct mfx_filter score_filter;
extern const struct mfx_control_verb score_control_verbs[];

struct score_message {
    const char *skipped; /* why it is not looked at; NULL: it is */
    bool is_outgoing;
    struct mfx_scan_body *body; /* NULL: nobody reads it */
    uint64_t until_ms;          /* of all engines */
    struct score_run *runs;
    size_t run_count;
    const struct score_profile **profiles; /* of each recipient, in order */
    struct score_verdict verdict;
    bool has_verdict;
    bool is_counted; /* its scans have been looked at for the statistics */
};

static inline const struct score_policy *
score_policy_of(const struct mfx_message *m)
{
    return m->policy;
}

/* --- scanning.c: runs of engines --- */

/* At the end of the header: begins them all. */
enum mfx_rc score_scanning_begin(struct mfx_message *m,
                                 struct score_message *q);
void score_scanning_add(struct score_message *q, struct mfx_str piece);
/* At the end of the message: waits for all that count, as long as the settings
 * allow. */
void score_scanning_wait(struct mfx_message *m, struct score_message *q);
/* The message is gone, or decided: no more is asked. */
void score_scanning_cancel(struct score_message *q);
/* Takes the results of what has ended; what runs on is cancelled. */
void score_scanning_end(struct score_message *q);

/* --- deciding.c --- */

enum mfx_rc score_deciding_find(struct mfx_message *m, struct score_message *q);
/* Verdict, edits, fields and facts into the decision. */
enum mfx_rc score_deciding_apply(struct mfx_message *m,
                                 struct score_message *q);

#endif
