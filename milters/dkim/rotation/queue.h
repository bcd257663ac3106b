/* SPDX-License-Identifier: BSD-2-Clause
 *
 * queue - records in the order in which they are due
 *
 * Ownership: the array is the queue's, records are not. Errors: put answers
 * false when out of memory. Threads: one at a time.
 */
#ifndef DKIM_ROTATION_QUEUE_H
#define DKIM_ROTATION_QUEUE_H

#include "book.h"

struct dkim_queue {
    struct dkim_record **heap;
    size_t count, room;
};

void dkim_queue_fini(struct dkim_queue *queue);
/* By due_ms; a record is in one queue at most (place 0: in none). */
bool dkim_queue_put(struct dkim_queue *queue, struct dkim_record *record);
void dkim_queue_remove(struct dkim_queue *queue, struct dkim_record *record);
/* The one that is due first; NULL when empty. */
struct dkim_record *dkim_queue_first(const struct dkim_queue *queue);

#endif
