/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's own numbers, in Prometheus text.
 */
#include <mfx/policy/metrics_text.h>

#include "operator.h"

static void
put_rules(const struct quota_policy *p, struct mfx_buf *out)
{
    static const char *const results[] = {"fits", "refused", "would_refuse",
                                          "warned"};
    mfx_metrics_text_head(
        out, "mfx_quota_decisions_total", "counter",
        "Recipients and connections, by rule and what came of it.");
    for (size_t i = 0; i < p->rule_count; i++) {
        struct quota_rule_counts *c = p->rules[i].counts;
        const unsigned long long values[] = {
            atomic_load(&c->fitted), atomic_load(&c->refused),
            atomic_load(&c->dry_refused), atomic_load(&c->warned)};
        for (size_t j = 0; j < sizeof results / sizeof results[0]; j++)
            mfx_buf_printf(out,
                           "mfx_quota_decisions_total{rule=\"%s\",result=\"%s\""
                           "} %llu\n",
                           c->name, results[j], values[j]);
    }
}

static void
put_merge(struct quota_shared *s, struct mfx_buf *out)
{
    struct quota_merge_counts c = quota_merge_counts(s->merge);
    mfx_metrics_text_value(out, "mfx_quota_merge_waiting", "gauge",
                           "Messages to be added to the store when it is back.",
                           c.waiting);
    mfx_metrics_text_value(out, "mfx_quota_merged_total", "counter",
                           "Messages added to the store later.", c.merged);
    mfx_metrics_text_value(out, "mfx_quota_merge_dropped_total", "counter",
                           "Messages that will never be counted.", c.dropped);
}

static void
put_notify(struct quota_shared *s, struct mfx_buf *out)
{
    struct quota_notify_counts c = quota_notify_counts(s->notify);
    mfx_metrics_text_value(out, "mfx_quota_notices_total", "counter",
                           "Warnings told.", c.told);
    mfx_metrics_text_value(out, "mfx_quota_notices_failed_total", "counter",
                           "Warnings that could not be told.", c.failed);
    mfx_metrics_text_value(out, "mfx_quota_notices_dropped_total", "counter",
                           "Warnings dropped because too many waited.",
                           c.dropped);
}

void
quota_operator_metrics(const void *policy, struct mfx_buf *out)
{
    const struct quota_policy *p = policy;
    struct quota_shared *s = p->shared;
    put_rules(p, out);
    mfx_metrics_text_value(
        out, "mfx_quota_local_total", "counter",
        "Messages counted by this machine itself, the store being away.",
        atomic_load(&s->local));
    mfx_metrics_text_value(
        out, "mfx_quota_unlimited_total", "counter",
        "Messages that nothing limited, the store being away.",
        atomic_load(&s->uncounted));
    mfx_metrics_text_value(out, "mfx_quota_store_timeouts_total", "counter",
                           "Answers that did not come within store_timeout.",
                           atomic_load(&s->store_timeouts));
    if (s->store != NULL)
        mfx_metrics_text_store(out, "mfx_quota", s->store);
    if (s->merge != NULL)
        put_merge(s, out);
    if (s->notify != NULL)
        put_notify(s, out);
}
