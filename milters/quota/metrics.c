/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's own numbers, in Prometheus text.
 */
#include <inttypes.h>

#include "operator.h"

static void
put_head(struct mfx_buf *out, const char *name, const char *type,
         const char *help)
{
    mfx_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
put_one(struct mfx_buf *out, const char *name, const char *type,
        const char *help, uint64_t value)
{
    put_head(out, name, type, help);
    mfx_buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void
put_rules(const struct quota_policy *p, struct mfx_buf *out)
{
    static const char *const results[] = {"fits", "refused", "would_refuse",
                                          "warned"};
    put_head(out, "mfx_quota_decisions_total", "counter",
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
put_store(struct quota_shared *s, struct mfx_buf *out)
{
    struct mfx_store_health h;
    mfx_store_health(s->store, &h);
    put_one(out, "mfx_quota_store_up", "gauge", "1 when the store answers.",
            h.is_up);
    put_one(out, "mfx_quota_store_calls_total", "counter",
            "Calls of the store.", h.calls);
    put_one(out, "mfx_quota_store_failures_total", "counter",
            "Calls that failed.", h.failures);
    put_one(out, "mfx_quota_store_outstanding", "gauge",
            "Calls without an answer yet.", h.outstanding);
    put_one(out, "mfx_quota_store_reconnects_total", "counter",
            "Connections made anew.", h.reconnects);
    put_one(out, "mfx_quota_store_failovers_total", "counter",
            "Changes of the primary server.", h.failovers);
    put_one(out, "mfx_quota_store_counters", "gauge", "Counters in memory.",
            h.counters);
    put_one(out, "mfx_quota_store_memory_bytes", "gauge",
            "Memory of these counters.", h.memory_bytes);
    put_one(out, "mfx_quota_store_file_bytes", "gauge", "Size of the file.",
            h.file_bytes);
}

static void
put_merge(struct quota_shared *s, struct mfx_buf *out)
{
    struct quota_merge_counts c = quota_merge_counts(s->merge);
    put_one(out, "mfx_quota_merge_waiting", "gauge",
            "Messages to be added to the store when it is back.", c.waiting);
    put_one(out, "mfx_quota_merged_total", "counter",
            "Messages added to the store later.", c.merged);
    put_one(out, "mfx_quota_merge_dropped_total", "counter",
            "Messages that will never be counted.", c.dropped);
}

static void
put_notify(struct quota_shared *s, struct mfx_buf *out)
{
    struct quota_notify_counts c = quota_notify_counts(s->notify);
    put_one(out, "mfx_quota_notices_total", "counter", "Warnings told.",
            c.told);
    put_one(out, "mfx_quota_notices_failed_total", "counter",
            "Warnings that could not be told.", c.failed);
    put_one(out, "mfx_quota_notices_dropped_total", "counter",
            "Warnings dropped because too many waited.", c.dropped);
}

void
quota_operator_metrics(const void *policy, struct mfx_buf *out)
{
    const struct quota_policy *p = policy;
    struct quota_shared *s = p->shared;
    put_rules(p, out);
    put_one(out, "mfx_quota_local_total", "counter",
            "Messages counted by this machine itself, the store being away.",
            atomic_load(&s->local));
    put_one(out, "mfx_quota_unlimited_total", "counter",
            "Messages that nothing limited, the store being away.",
            atomic_load(&s->uncounted));
    put_one(out, "mfx_quota_store_timeouts_total", "counter",
            "Answers that did not come within store_timeout.",
            atomic_load(&s->store_timeouts));
    if (s->store != NULL)
        put_store(s, out);
    if (s->merge != NULL)
        put_merge(s, out);
    if (s->notify != NULL)
        put_notify(s, out);
}
