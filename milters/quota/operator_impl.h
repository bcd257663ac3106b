/* SPDX-License-Identifier: BSD-2-Clause
 *
 * operator_impl - what the files of the operator's answers share
 *
 * operator_find.c: which rules may count a key; operator_measure.c: what the
 * store says of them, as JSON; operator_change.c: reset, block, set and their
 * ends; operator_top.c: who is nearest to a limit; operator_state.c: rules and
 * the store; operator_text.c: answers for people.
 */
#ifndef MFX_QUOTA_OPERATOR_IMPL_H
#define MFX_QUOTA_OPERATOR_IMPL_H

#include "operator.h"
#include "operator_words.h"
#include "tally.h"

enum {
    OPERATOR_MATCHES_MAX = 512,
};

/* A counter that the operator's words may mean. */
struct operator_match {
    struct quota_tally *tally;
    bool is_doubtful; /* shown only if it is in use, or nothing else fits */
    bool is_asked;    /* the rule asks the store for this key */
    bool is_used;     /* something is counted, held or set there */
    struct mfx_store_reading reading;
    /* after a change */
    bool is_changed;
    struct mfx_str before; /* the override that stood there */
};

struct operator_matches {
    struct operator_match *items;
    size_t count;
};

enum operator_purpose {
    OPERATOR_TO_LOOK,
    /* A rule that counts recipients by whom they are is changed only if the
     * words or rule= name it: "block alice" means what alice sends. */
    OPERATOR_TO_CHANGE,
};

/* MFX_NOTFOUND: no rule counts such a key. */
enum mfx_rc operator_find(const struct quota_operator *op,
                          const struct quota_operator_words *words,
                          enum operator_purpose purpose,
                          struct operator_matches *found,
                          struct mfx_err *err) MFX_NODISCARD;
/* Drops what the words hardly mean, once it is known what is in use. */
void operator_find_sift(struct operator_matches *found);

/* Fills in readings, limits, is_used. */
enum mfx_rc operator_measure(const struct quota_operator *op,
                             struct mfx_store *store,
                             struct operator_matches *found,
                             struct mfx_err *err) MFX_NODISCARD;
/* The store's use of a match, with the rule's real limits. */
bool operator_measure_use(const struct quota_operator *op,
                          const struct operator_match *match,
                          struct mfx_store_use *use);
/* [row...]; NULL when out of memory. MFX_TEMPFAIL: a table does not answer. */
enum mfx_rc operator_measure_rows(const struct quota_operator *op,
                                  const struct operator_matches *found,
                                  json_t **rows, struct mfx_err *err);

typedef enum mfx_rc operator_verb(const struct quota_operator *op,
                                  const struct quota_operator_words *words,
                                  json_t *answer, struct mfx_err *err);

operator_verb operator_show, operator_reset, operator_block, operator_unblock,
    operator_set, operator_unset, operator_top, operator_rules, operator_store;

/* --- JSON --- */

/* Bytes that are not UTF-8, and control bytes, as "\x1b". */
json_t *operator_json_text(struct mfx_str text);
json_t *operator_json_u64(uint64_t n);
/* "2026-11-21T08:00:00Z" */
json_t *operator_json_time(uint64_t time_s);
/* "30/1m 500/1d 100/message", "unlimited", "blocked". */
json_t *operator_json_limits(const struct quota_limits *limits);

#endif
