/* SPDX-License-Identifier: BSD-2-Clause
 *
 * notify - tells a program or a URL that a limit is near or reached
 *
 *     struct quota_notify *notify = quota_notify_new(&settings->notify);
 *     quota_notify_tell(notify, &notice);
 *     quota_notify_free(notify);
 *
 * Mail never waits for it: tell puts a copy into a queue; one thread runs the
 * command and posts to the URL. The same event of a rule and key within a
 * second is told once.
 *
 * The command is run without a shell, with nothing open but /dev/null, as the
 * user of the daemon, in a process group of its own, which is killed after
 * timeout. Its environment is PATH and
 *     MFX_EVENT MFX_RULE MFX_KEY MFX_COUNT MFX_USED MFX_LIMIT MFX_WINDOW
 *     MFX_FREE_AT MFX_QUEUE_ID MFX_SENDER MFX_MODE MFX_HOST MFX_TIME
 * (times as 2026-11-21T07:30:00Z; the mode is enforce or dry-run). The URL
 * gets the same as JSON: event, rule, key, count, used, limit, window,
 * free_at, queue_id, sender, mode, host, time;
 * certificates are verified, redirects not followed; what failed to connect
 * or was answered by 429 or 5xx is tried once more after a second. Control
 * bytes in values become '?', as do the bytes of what is not UTF-8.
 *
 * Ownership: new copies the settings. Errors: what fails is counted and
 * logged (notify_failed, notify_dropped); header fields and the URL never
 * are. Threads: tell and counts from any; free when nobody tells any more.
 * Limits: queue notices wait for the command, and as many for the URL;
 * max_running programs and as many requests at once; values are cut at 1000
 * bytes; free waits for at most 2 s, then kills and forgets.
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

struct quota_notify;

/* NULL when out of memory, or no thread could be had. */
struct quota_notify *quota_notify_new(const struct quota_notify_settings *s);
/* NULL is fine. */
void quota_notify_free(struct quota_notify *notify);

/* Nothing when notify is NULL. */
void quota_notify_tell(struct quota_notify *notify,
                       const struct quota_notice *notice);

/* told: programs that ended well and requests that were taken; failed: the
 * others. A notice for a program and a URL is two. */
struct quota_notify_counts {
    uint64_t told, failed, dropped, coalesced, waiting, running;
};

struct quota_notify_counts quota_notify_counts(struct quota_notify *notify);

#endif
