/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verdict - what engines said of a message, and what is done with it
 *
 * Made once, at the end of the message; header fields, the seal, replies, the
 * log line and "mfxctl score scan" are written from it.
 *
 * Ownership: all in the message's arena. Threads: one at a time.
 */
#ifndef SCORE_VERDICT_H
#define SCORE_VERDICT_H

#include "engines.h"

struct mfx_recipient;
struct score_profile; /* profiles.h */
struct score_shadow;  /* shadow.h */

/* One question to one engine; with per_user "each" there are several of one
 * engine. */
struct score_run {
    const struct score_engine *engine;
    struct mfx_str user;   /* whose preferences; empty: the engine's own */
    struct mfx_scan *scan; /* NULL: it could not even be begun */
    struct score_shadow *shadow;          /* of an engine in the shadow */
    const struct mfx_scan_result *result; /* NULL: not ended yet */
    bool is_unneeded; /* another engine had settled it before */
    /* Why it is no answer; NULL: it is one. "timeout", "too_large" ... */
    const char *unscanned;
    int64_t score; /* its share of the total, scaled; 0 with has_score false */
    bool has_score;
};

enum score_cause {
    SCORE_CAUSE_NONE,
    SCORE_CAUSE_TOTAL,     /* a threshold */
    SCORE_CAUSE_ENGINE,    /* what an engine proposes */
    SCORE_CAUSE_VIRUS,     /* the class of a find */
    SCORE_CAUSE_FAILURE,   /* an engine did not answer */
    SCORE_CAUSE_TOO_LARGE, /* for an engine */
    SCORE_CAUSE_GREYLIST,
};
/* "none", "total", "engine", "virus", "failure", "too_large", "greylist". */
const char *score_cause_name(enum score_cause cause);

/* Why something is to be done. */
struct score_wish {
    enum score_action action;
    enum score_cause cause;
    const struct score_run *run; /* ENGINE, VIRUS, FAILURE, TOO_LARGE */
};

/* A recipient, and what its profile asks for. */
struct score_for {
    const struct mfx_recipient *recipient; /* NULL: the message has none */
    const struct score_profile *profile;
    bool has_score;
    int64_t score; /* the total of the engines asked for it */
    struct score_wish wish;
    bool is_spam;    /* its score or an engine asks for tag, or more */
    bool is_removed; /* gets nothing: see recipients.differ */
};

struct score_verdict {
    const struct score_run *runs; /* all that were asked, shadows too */
    size_t run_count;

    struct score_for *recipients; /* at least one */
    size_t recipient_count;

    struct score_wish done;     /* what all recipients share, and is done */
    struct score_wish harshest; /* what any of them wants */
    bool recipients_differ;
    size_t removed; /* recipients */

    bool has_score;   /* some engine gave one that counts */
    int64_t score;    /* the total */
    int64_t required; /* the threshold of tag; MFX_DECIMAL_NONE: none, and
                         then the deciding engine's own, if it has one */
    bool is_spam;     /* for all who get it; it may be done for a virus too */

    /* The harshest find that counts; NULL: none. */
    const struct score_run *virus;
    /* Were there engines of this kind that answered, and that did not? */
    bool was_spam_scanned, was_virus_scanned;
    struct mfx_str unscanned; /* "rspamd: timeout, clamd: too_large"; empty */
    struct mfx_str unscanned_spam, unscanned_virus; /* the same by kind */

    bool wants_greylist;
    uint64_t greylist_s; /* deferred, for so long; 0: not deferred */

    bool is_sealed; /* the score came with the message, from an earlier stage */

    unsigned code; /* of the reply, when done is tempfail or reject */
    struct mfx_str enhanced, text;
    struct mfx_str reason; /* for the log */
};

#endif
