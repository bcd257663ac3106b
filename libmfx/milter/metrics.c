/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/metrics.h>

#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    SHARDS = 8,
    BUCKETS = 12,
};

/* Upper bounds in microseconds. */
static const uint64_t bounds[BUCKETS] = {
    100,    500,    1000,    5000,    10000,    50000,
    100000, 500000, 1000000, 5000000, 10000000, 30000000,
};

static const char *const bound_names[BUCKETS] = {
    "0.0001", "0.0005", "0.001", "0.005", "0.01", "0.05",
    "0.1",    "0.5",    "1",     "5",     "10",   "30",
};

static const char *const timer_names[MFX_TIMER_COUNT] = {
    [MFX_TIMER_MAIL] = "mail",       [MFX_TIMER_RCPT] = "rcpt",
    [MFX_TIMER_DATA] = "data",       [MFX_TIMER_EOM] = "eom",
    [MFX_TIMER_MESSAGE] = "message",
};

static const struct {
    enum mfx_counter counter;
    const char *name, *help;
} plain[] = {
    {MFX_COUNT_CONNECTIONS,        "mfx_connections_total",
     "Connections from the MTA."                                                                  },
    {MFX_COUNT_ABORTED,            "mfx_messages_aborted_total",
     "Messages that the MTA gave up before their end."                                            },
    {MFX_COUNT_LOST,               "mfx_connections_lost_total",
     "Connections that ended in the middle of a message."                                         },
    {MFX_COUNT_RECIPIENTS,         "mfx_recipients_total",            "Recipients seen."          },
    {MFX_COUNT_RECIPIENTS_REFUSED, "mfx_recipients_refused_total",
     "Recipients refused one by one."                                                             },
    {MFX_COUNT_EDITS,              "mfx_edits_total",                 "Edits applied to messages."},
    {MFX_COUNT_DRY_RUN,            "mfx_messages_dry_run_total",
     "Messages whose decision was not applied (mode = dry-run)."                                  },
    {MFX_COUNT_HOOK_FAILED,        "mfx_hook_failures_total",
     "Messages deferred because a stage failed."                                                  },
    {MFX_COUNT_APPLY_FAILED,       "mfx_apply_failures_total",
     "Messages deferred because the MTA did not take an edit."                                    },
    {MFX_COUNT_MEMORY_EXHAUSTED,   "mfx_memory_exhausted_total",
     "Messages deferred at message_memory."                                                       },
    {MFX_COUNT_LIMIT_EXCEEDED,     "mfx_header_limit_exceeded_total",
     "Messages above header_bytes or header_count."                                               },
    {MFX_COUNT_WAITS_EXPIRED,      "mfx_waits_expired_total",
     "Waits that ended without an answer."                                                        },
    {MFX_COUNT_BODY_BYTES,         "mfx_body_bytes_total",
     "Bytes of message bodies seen."                                                              },
};

struct histogram {
    atomic_uint_fast64_t buckets[BUCKETS + 1], sum_us;
};

struct shard {
    alignas(64) atomic_uint_fast64_t counters[MFX_COUNT_END];
    struct histogram timers[MFX_TIMER_COUNT];
};

struct mfx_metrics {
    struct shard shards[SHARDS];
};

struct mfx_metrics *
mfx_metrics_new(void)
{
    struct mfx_metrics *m =
        aligned_alloc(alignof(struct shard), sizeof(struct mfx_metrics));
    if (m != NULL)
        memset(m, 0, sizeof *m);
    return m;
}

void
mfx_metrics_free(struct mfx_metrics *metrics)
{
    free(metrics);
}

static struct shard *
shard_of(struct mfx_metrics *m)
{
    int cpu = sched_getcpu();
    return &m->shards[cpu < 0 ? 0 : cpu % SHARDS];
}

void
mfx_metrics_add(struct mfx_metrics *metrics, enum mfx_counter counter,
                uint64_t n)
{
    atomic_fetch_add_explicit(&shard_of(metrics)->counters[counter], n,
                              memory_order_relaxed);
}

void
mfx_metrics_time(struct mfx_metrics *metrics, enum mfx_timer timer, uint64_t us)
{
    struct histogram *h = &shard_of(metrics)->timers[timer];
    size_t i = 0;
    while (i < BUCKETS && us > bounds[i])
        i++;
    atomic_fetch_add_explicit(&h->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
}

uint64_t
mfx_metrics_get(const struct mfx_metrics *metrics, enum mfx_counter counter)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < SHARDS; i++)
        sum += atomic_load_explicit(&metrics->shards[i].counters[counter],
                                    memory_order_relaxed);
    return sum;
}

static void
put_head(struct mfx_buf *out, const char *name, const char *type,
         const char *help)
{
    mfx_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
mfx_metrics_put(struct mfx_buf *out, const char *name, const char *type,
                const char *help, uint64_t value)
{
    put_head(out, name, type, help);
    mfx_buf_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void
put_timer(const struct mfx_metrics *m, enum mfx_timer timer,
          struct mfx_buf *out)
{
    static const char name[] = "mfx_stage_seconds";
    uint64_t counts[BUCKETS + 1] = {0}, sum_us = 0, total = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        const struct histogram *h = &m->shards[i].timers[timer];
        for (size_t b = 0; b <= BUCKETS; b++)
            counts[b] +=
                atomic_load_explicit(&h->buckets[b], memory_order_relaxed);
        sum_us += atomic_load_explicit(&h->sum_us, memory_order_relaxed);
    }
    for (size_t b = 0; b <= BUCKETS; b++) {
        total += counts[b];
        mfx_buf_printf(out, "%s_bucket{stage=\"%s\",le=\"%s\"} %llu\n", name,
                       timer_names[timer],
                       b == BUCKETS ? "+Inf" : bound_names[b],
                       (unsigned long long)total);
    }
    mfx_buf_printf(out, "%s_sum{stage=\"%s\"} %llu.%06llu\n", name,
                   timer_names[timer], (unsigned long long)(sum_us / 1000000),
                   (unsigned long long)(sum_us % 1000000));
    mfx_buf_printf(out, "%s_count{stage=\"%s\"} %llu\n", name,
                   timer_names[timer], (unsigned long long)total);
}

static void
put_labelled(struct mfx_buf *out, const char *name, const char *label,
             const char *word, uint64_t value)
{
    mfx_buf_printf(out, "%s{%s=\"%s\"} %llu\n", name, label, word,
                   (unsigned long long)value);
}

void
mfx_metrics_format(const struct mfx_metrics *metrics, struct mfx_buf *out)
{
    put_head(out, "mfx_messages_total", "counter",
             "Messages that were answered, by verdict.");
    for (int v = MFX_VERDICT_CONTINUE; v <= MFX_VERDICT_REJECT; v++)
        put_labelled(out, "mfx_messages_total", "verdict",
                     mfx_verdict_name((enum mfx_verdict)v),
                     mfx_metrics_get(
                         metrics, (enum mfx_counter)(MFX_COUNT_VERDICT + v)));
    put_head(out, "mfx_reloads_total", "counter", "Reloads, by result.");
    put_labelled(out, "mfx_reloads_total", "result", "ok",
                 mfx_metrics_get(metrics, MFX_COUNT_RELOADS_OK));
    put_labelled(out, "mfx_reloads_total", "result", "failed",
                 mfx_metrics_get(metrics, MFX_COUNT_RELOADS_FAILED));
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        mfx_metrics_put(out, plain[i].name, "counter", plain[i].help,
                        mfx_metrics_get(metrics, plain[i].counter));
    put_head(out, "mfx_stage_seconds", "histogram",
             "Time from a stage's arrival to its answer.");
    for (int t = 0; t < MFX_TIMER_COUNT; t++)
        put_timer(metrics, (enum mfx_timer)t, out);
}
