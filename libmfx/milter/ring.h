/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ring - the last messages and why they were treated so
 *
 * Each message is one block of its items (report.h); the oldest goes when a
 * new one comes.
 *
 * Ownership: the ring owns its blocks; find gives a copy in the caller's
 * arena. Errors: adding fails silently when out of memory; find answers
 * MFX_NOTFOUND. Threads: any.
 * Limits: `capacity` messages of MFX_RING_ENTRY_MAX bytes; what does not fit
 * is left out at the end.
 */
#ifndef MFX_MILTER_RING_H
#define MFX_MILTER_RING_H

#include <mfx/milter/report.h>

enum {
    MFX_RING_ENTRY_MAX = 16 * 1024,
};

struct mfx_ring;

struct mfx_ring_item {
    enum mfx_item_section section;
    struct mfx_str key, text;
};

/* capacity 0: nothing is kept. NULL when out of memory. */
struct mfx_ring *mfx_ring_new(size_t capacity);
void mfx_ring_free(struct mfx_ring *ring);
void mfx_ring_add(struct mfx_ring *ring, const struct mfx_report *report);

/* The newest message with that queue id; or, as an MTA may have none yet when
 * it is refused, with that client address, sender or recipient. */
enum mfx_rc mfx_ring_find(struct mfx_ring *ring, struct mfx_str what,
                          struct mfx_arena *arena, struct mfx_str *entry);
/* The n-th newest (0 is the last one). */
enum mfx_rc mfx_ring_at(struct mfx_ring *ring, size_t n,
                        struct mfx_arena *arena, struct mfx_str *entry);
/* Takes the next item off *entry; false at the end. */
bool mfx_ring_next(struct mfx_str *entry, struct mfx_ring_item *item);

/* An entry for people, or as one JSON object. */
void mfx_ring_format(struct mfx_str entry, struct mfx_buf *out);
void mfx_ring_format_json(struct mfx_str entry, struct mfx_buf *out);

#endif
