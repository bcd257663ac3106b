/* SPDX-License-Identifier: BSD-2-Clause
 *
 * metrics - what the harness counts, and its Prometheus text
 *
 * Ownership: new/free. Errors: none, counting never fails.
 * Threads: any; counters are atomic and spread over shards by CPU, so that
 * workers do not wait for each other's cache lines.
 */
#ifndef MFX_MILTER_METRICS_H
#define MFX_MILTER_METRICS_H

#include <mfx/base/buf.h>
#include <mfx/milter/decision.h>
#include <mfx/milter/filter.h>

struct mfx_metrics;

enum mfx_counter {
    MFX_COUNT_CONNECTIONS,
    MFX_COUNT_VERDICT, /* + enum mfx_verdict */
    MFX_COUNT_ABORTED = MFX_COUNT_VERDICT + MFX_VERDICT_REJECT + 1,
    MFX_COUNT_LOST,
    MFX_COUNT_RECIPIENTS,
    MFX_COUNT_RECIPIENTS_REFUSED,
    MFX_COUNT_EDITS,
    MFX_COUNT_DRY_RUN,
    MFX_COUNT_HOOK_FAILED,
    MFX_COUNT_APPLY_FAILED,
    MFX_COUNT_MEMORY_EXHAUSTED,
    MFX_COUNT_LIMIT_EXCEEDED,
    MFX_COUNT_WAITS_EXPIRED,
    MFX_COUNT_BODY_BYTES,
    MFX_COUNT_RELOADS_OK,
    MFX_COUNT_RELOADS_FAILED,
    MFX_COUNT_END,
};

/* Stages whose time is taken: hooks that may wait, and whole messages. */
enum mfx_timer {
    MFX_TIMER_MAIL,
    MFX_TIMER_RCPT,
    MFX_TIMER_DATA,
    MFX_TIMER_EOM,
    MFX_TIMER_MESSAGE, /* from MAIL to the final answer */
    MFX_TIMER_COUNT,
};

struct mfx_metrics *mfx_metrics_new(void);
void mfx_metrics_free(struct mfx_metrics *metrics);
void mfx_metrics_add(struct mfx_metrics *metrics, enum mfx_counter counter,
                     uint64_t n);
void mfx_metrics_time(struct mfx_metrics *metrics, enum mfx_timer timer,
                      uint64_t us);
uint64_t mfx_metrics_get(const struct mfx_metrics *metrics,
                         enum mfx_counter counter);
/* Appends the text of all counters and timers. */
void mfx_metrics_format(const struct mfx_metrics *metrics, struct mfx_buf *out);
/* One number of its own: HELP, TYPE and value lines. */
void mfx_metrics_put(struct mfx_buf *out, const char *name, const char *type,
                     const char *help, uint64_t value);

#endif
