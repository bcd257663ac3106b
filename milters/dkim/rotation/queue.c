/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue.h"

#include <stdlib.h>

/* A binary heap; heap[0] is due first. record->place is its index + 1. */

void
dkim_queue_fini(struct dkim_queue *queue)
{
    free(queue->heap);
}

static void
set(struct dkim_queue *q, size_t i, struct dkim_record *r)
{
    q->heap[i] = r;
    r->place = i + 1;
}

static void
rise(struct dkim_queue *q, size_t i)
{
    struct dkim_record *r = q->heap[i];
    while (i > 0 && q->heap[(i - 1) / 2]->due_ms > r->due_ms) {
        set(q, i, q->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    set(q, i, r);
}

static void
sink(struct dkim_queue *q, size_t i)
{
    struct dkim_record *r = q->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= q->count)
            break;
        if (child + 1 < q->count &&
            q->heap[child + 1]->due_ms < q->heap[child]->due_ms)
            child++;
        if (q->heap[child]->due_ms >= r->due_ms)
            break;
        set(q, i, q->heap[child]);
        i = child;
    }
    set(q, i, r);
}

bool
dkim_queue_put(struct dkim_queue *queue, struct dkim_record *record)
{
    if (queue->count == queue->room) {
        size_t room = queue->room == 0 ? 64 : queue->room * 2;
        struct dkim_record **heap =
            realloc(queue->heap, room * sizeof(struct dkim_record *));
        if (heap == NULL)
            return false;
        queue->heap = heap;
        queue->room = room;
    }
    queue->heap[queue->count] = record;
    rise(queue, queue->count++);
    return true;
}

void
dkim_queue_remove(struct dkim_queue *queue, struct dkim_record *record)
{
    size_t i = record->place - 1;
    struct dkim_record *last = queue->heap[--queue->count];
    record->place = 0;
    if (last == record)
        return;
    set(queue, i, last);
    rise(queue, i);
    sink(queue, last->place - 1);
}

struct dkim_record *
dkim_queue_first(const struct dkim_queue *queue)
{
    return queue->count == 0 ? NULL : queue->heap[0];
}
