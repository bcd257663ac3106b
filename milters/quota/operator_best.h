/* SPDX-License-Identifier: BSD-2-Clause
 *
 * operator_best - the N rows with the largest share of a limit
 *
 *     best = quota_operator_best_new(20);
 *     if (quota_operator_best_wants(best, share, used))
 *         quota_operator_best_add(best, share, used, row);
 *     rows = quota_operator_best_take(best);
 *
 * Ordered by share, then by use, then by key. A row of the same rule and key
 * as another takes its place.
 *
 * Ownership: add takes over the row; copy and take give an array, take empties
 * it.
 * Errors: new gives NULL when out of memory. Threads: one.
 */
#ifndef MFX_QUOTA_OPERATOR_BEST_H
#define MFX_QUOTA_OPERATOR_BEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct quota_operator_best;

struct quota_operator_best *quota_operator_best_new(size_t max);
void quota_operator_best_free(struct quota_operator_best *best);
bool quota_operator_best_wants(const struct quota_operator_best *best,
                               double share, uint64_t used);
/* row: an object with "rule" and "key". */
void quota_operator_best_add(struct quota_operator_best *best, double share,
                             uint64_t used, json_t *row);
json_t *quota_operator_best_copy(const struct quota_operator_best *best);
json_t *quota_operator_best_take(struct quota_operator_best *best);

#endif
