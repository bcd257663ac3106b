/* SPDX-License-Identifier: BSD-2-Clause
 *
 * top - the pages of a walk through the store, put together
 *
 *     top_init(&top, &ask, rule, 20);
 *     while (status == EXIT_OK && !top.is_complete)
 *         status = top_page(&top);
 *     keys = top_take(&top);
 *
 * Ownership: take gives an array, and the walk begins anew. Errors: exit
 * statuses, the text in ask->err. Threads: one.
 */
#ifndef MFX_QUOTA_TOP_H
#define MFX_QUOTA_TOP_H

#include "../operator_best.h"
#include "ask.h"

struct top {
    struct ask *ask;
    struct quota_operator_best *best;
    struct mfx_buf count, rule, after; /* words: "count=20" ... */
    size_t max;
    uint64_t scanned;
    json_t *warnings; /* of the latest page */
    bool is_complete;
};

/* rule: NULL for all. False when out of memory; fini in any case. */
bool top_init(struct top *top, struct ask *ask, const char *rule, size_t max);
void top_fini(struct top *top);
int top_page(struct top *top);
json_t *top_take(struct top *top);

#endif
