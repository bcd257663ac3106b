/* SPDX-License-Identifier: BSD-2-Clause
 *
 * metrics_text - a daemon's own numbers in the text format of Prometheus
 *
 *     mfx_metrics_text_value(out, "mfx_quota_merged_total", "counter",
 *                            "Messages added to the store later.", n);
 *
 * Names, types and help are literals. Ownership: the caller's buffer. Errors:
 * the buffer's. Threads: pure.
 */
#ifndef MFX_POLICY_METRICS_TEXT_H
#define MFX_POLICY_METRICS_TEXT_H

#include <mfx/base/buf.h>
#include <mfx/store/store.h>

MFX_API_BEGIN

/* The two lines above a metric's values. */
void mfx_metrics_text_head(struct mfx_buf *out, const char *name,
                           const char *type, const char *help);
/* A metric with one value. */
void mfx_metrics_text_value(struct mfx_buf *out, const char *name,
                            const char *type, const char *help, uint64_t value);
/* How a store is, as PREFIX_store_up and so on. */
void mfx_metrics_text_store(struct mfx_buf *out, const char *prefix,
                            struct mfx_store *store);

MFX_API_END

#endif
