/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shared - what mfx-spf counts; outlives reloads
 *
 * Ownership: counted. Errors: NULL when out of memory. Threads: any.
 */
#ifndef SPF_SHARED_H
#define SPF_SHARED_H

#include <stdatomic.h>

#include "rules.h"

enum {
    SPF_ACTION_COUNT = SPF_ACTION_REJECT + 1,
};

struct spf_shared {
    atomic_uint holds;
    atomic_ullong results[SPF_IDENTITY_COUNT][MFX_SPF_RESULT_COUNT];
    atomic_ullong actions[SPF_ACTION_COUNT]; /* messages */
    atomic_ullong skipped, forwarded, outgoing_bad, unprotected;
    atomic_ullong removed_fields;
};

struct spf_shared *spf_shared_new(struct spf_shared *previous);
void spf_shared_release(struct spf_shared *shared);
void spf_shared_metrics(struct spf_shared *shared, struct mfx_buf *out);

#endif
