/* SPDX-License-Identifier: BSD-2-Clause
 *
 * operator - what mfxctl quota asks: who has used how much, and changes to it
 *
 * The same functions answer over the daemon's control socket and, while it
 * does not run, for mfxctl itself (policy loaded offline, store opened by it).
 *
 *     struct quota_operator op = {policy, store, arena, wait_ms, is_daemon};
 *     rc = quota_operator_ask(&op, mfx_str_of("show"), words, n, &answer, &err);
 *     quota_operator_text(mfx_str_of("show"), answer, &out);
 *
 * Words are percent-encoded (operator_words.h), so that a key may hold
 * blanks. An answer is an object; what people read is made of that object, on
 * whichever side of the socket.
 *
 * Verbs: show KEY [rule=R]; top [rule=R] [count=N] [after=CURSOR]; reset KEY
 * [rule=R]; block KEY [rule=R] [for=2d] [reason=TEXT]; unblock KEY [rule=R];
 * set KEY LIMITS [rule=R] [for=2d]; unset KEY [rule=R]; rules; store. by=NAME
 * says who does it, for the log.
 *
 * Ownership: answers are the caller's. Errors: MFX_NOTFOUND: no rule counts
 * such a key, or there is nothing to change; MFX_PERMFAIL for words that make
 * no sense; MFX_TEMPFAIL when the store or a table does not answer; err says
 * it. Threads: any.
 * Limits: a page of top takes a quarter of a second and holds the best 1000.
 */
#ifndef MFX_QUOTA_OPERATOR_H
#define MFX_QUOTA_OPERATOR_H

#include <jansson.h>

#include "policy.h"

struct quota_operator {
    const struct quota_policy *policy;
    struct mfx_store *store;
    struct mfx_arena *arena;
    uint64_t wait_ms; /* for each question to the store */
    bool is_daemon;   /* counts, queues and clients are its own */
};

enum mfx_rc quota_operator_ask(const struct quota_operator *op,
                               struct mfx_str verb, const struct mfx_str *words,
                               size_t count, json_t **answer,
                               struct mfx_err *err) MFX_NODISCARD;
void quota_operator_text(struct mfx_str verb, const json_t *answer,
                         struct mfx_buf *out);

/* What the body of an error's answer calls the reason: "notfound", "wrong",
 * "later"; and back (MFX_TEMPFAIL for other words). */
const char *quota_operator_why(enum mfx_rc rc);
enum mfx_rc quota_operator_rc(const char *why);

/* mfx_filter's verbs and metrics. */
extern const struct mfx_control_verb quota_operator_verbs[];
void quota_operator_metrics(const void *policy, struct mfx_buf *out);

#endif
