/* SPDX-License-Identifier: BSD-2-Clause
 *
 * merge - what was counted while the store was away, added to it later
 *
 *     quota_merge_add(merge, holder, uses, count, now_ms);
 *
 * A thread tries every second; what the store has taken is forgotten. A
 * holder's COMMIT that was carried out after all, though nobody heard of it, is
 * not counted again: the store knows holders.
 *
 * Ownership: add copies. Errors: past the limit the oldest go, counted and
 * said in the log. Threads: any; one of its own. Limits: below.
 */
#ifndef MFX_QUOTA_MERGE_H
#define MFX_QUOTA_MERGE_H

#include <mfx/store/store.h>

enum {
    QUOTA_MERGE_MAX = 100000, /* messages waiting */
};

struct quota_merge;

struct quota_merge_counts {
    uint64_t waiting, merged, dropped;
};

/* NULL when there is no memory or no thread. */
struct quota_merge *quota_merge_new(struct mfx_store *store);
/* Tries once more, then forgets what is left. */
void quota_merge_free(struct quota_merge *merge);
void quota_merge_add(struct quota_merge *merge, struct mfx_str holder,
                     const struct mfx_store_use *uses, size_t count,
                     uint64_t at_ms);
struct quota_merge_counts quota_merge_counts(struct quota_merge *merge);

#endif
