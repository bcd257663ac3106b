/* SPDX-License-Identifier: BSD-2-Clause
 *
 * notify - tell a program or a URL that a limit is near, or reached
 *
 * One thread does the telling; mail never waits on it. The same event of the
 * same rule and key within a second is told once.
 *
 *     notify = quota_notify_new(&settings->notify);
 *     quota_notify_tell(notify, &notice);
 *
 * Ownership: new copies the settings, tell copies the notice. Errors: NULL
 * when there is no memory or no thread; what cannot be told is counted and
 * logged. Threads: any.
 * Limits: settings.h; what does not fit into the queue is dropped, which is
 * logged once a minute.
 */
#ifndef MFX_QUOTA_NOTIFY_H
#define MFX_QUOTA_NOTIFY_H

#include <mfx/base/str.h>

#include "settings.h"

struct quota_notice {
    const char *event; /* "soft_limit", "limit_reached" */
    struct mfx_str rule, key;
    const char *count; /* "messages", "recipients" ... */
    uint64_t used, limit;
    struct mfx_str window; /* "1d" */
    uint64_t free_at_s;    /* since 1970; 0: unknown */
    struct mfx_str queue_id, sender;
    bool is_dry; /* the rule only counts */
};

struct quota_notify_counts {
    uint64_t told, failed, dropped, coalesced, waiting;
};

struct quota_notify;

struct quota_notify *quota_notify_new(const struct quota_notify_settings *s);
/* Waits a bounded time (5 s) for what runs; what waits is dropped. */
void quota_notify_free(struct quota_notify *notify);
void quota_notify_tell(struct quota_notify *notify,
                       const struct quota_notice *notice);
struct quota_notify_counts quota_notify_counts(struct quota_notify *notify);

#endif
