/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is shared, in the text format of Prometheus.
 */
#include <inttypes.h>

#include <mfx/policy/metrics_text.h>

#include "command.h"
#include "report.h"
#include "shadow.h"
#include "shared_impl.h"

/* --- messages --- */

static void
put_messages(struct score_shared *s, struct mfx_buf *out)
{
    mfx_metrics_text_head(out, "mfx_score_messages_total", "counter",
                          "Messages by what was done with them.");
    for (int a = 0; a < SCORE_ACTION_COUNT; a++)
        mfx_buf_printf(out,
                       "mfx_score_messages_total{action=\"%s\"} %" PRIu64 "\n",
                       score_action_name((enum score_action)a),
                       (uint64_t)atomic_load(&s->actions[a]));
    mfx_metrics_text_value(out, "mfx_score_greylisted_total", "counter",
                           "Messages deferred by greylisting.",
                           atomic_load(&s->greylisted));
    mfx_metrics_text_value(out, "mfx_score_unscanned_total", "counter",
                           "Messages that some engine did not answer for.",
                           atomic_load(&s->unscanned));
    mfx_metrics_text_value(out, "mfx_score_skipped_total", "counter",
                           "Messages that were not looked at.",
                           atomic_load(&s->skipped));
    mfx_metrics_text_value(out, "mfx_score_removed_fields_total", "counter",
                           "Forged header fields removed.",
                           atomic_load(&s->removed_fields));
}

static void
put_command(struct score_command *command, struct mfx_buf *out)
{
    const struct score_command_counts c = score_command_counts(command);
    const struct {
        const char *result;
        uint64_t value;
    } rows[] = {
        {"done",     c.done    },
        {"failed",   c.failed  },
        {"dropped",  c.dropped },
        {"repeated", c.repeated},
    };
    mfx_metrics_text_head(out, "mfx_score_outgoing_command_total", "counter",
                          "Spam of ours: runs of the program, and what it "
                          "was not run for.");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        mfx_buf_printf(out,
                       "mfx_score_outgoing_command_total{result=\"%s\"} "
                       "%" PRIu64 "\n",
                       rows[i].result, rows[i].value);
}

/* --- engines --- */

struct metrics {
    const struct score_report *reports;
    size_t count;
    struct mfx_buf *out;
};

static void
put_ends(const struct metrics *m)
{
    mfx_metrics_text_head(m->out, "mfx_score_scans_total", "counter",
                          "Scans by engine and how they ended.");
    for (size_t i = 0; i < m->count; i++)
        for (int e = 0; e < MFX_SCAN_END_COUNT; e++)
            mfx_buf_printf(m->out,
                           "mfx_score_scans_total{engine=\"%.*s\",end=\"%s\"} "
                           "%" PRIu64 "\n",
                           MFX_STR_ARG(m->reports[i].engine->name),
                           mfx_scan_end_name((enum mfx_scan_end)e),
                           m->reports[i].tally.ends[e]);
}

static void
put_finds(const struct metrics *m)
{
    mfx_metrics_text_head(m->out, "mfx_score_finds_total", "counter",
                          "What virus scanners found, by class.");
    for (size_t i = 0; i < m->count; i++)
        for (int k = 1; k < MFX_SCAN_CLASS_COUNT; k++)
            if (score_engine_is_for_viruses(m->reports[i].engine))
                mfx_buf_printf(
                    m->out,
                    "mfx_score_finds_total{engine=\"%.*s\",class=\"%s\"} "
                    "%" PRIu64 "\n",
                    MFX_STR_ARG(m->reports[i].engine->name),
                    mfx_scan_class_name((enum mfx_scan_class)k),
                    m->reports[i].tally.finds[k]);
}

static void
put_shadows(const struct metrics *m)
{
    mfx_metrics_text_head(m->out, "mfx_score_shadow_total", "counter",
                          "Engines in the shadow: what they would have done, "
                          "compared with what was done.");
    for (size_t i = 0; i < m->count; i++) {
        const struct score_tally_view *t = &m->reports[i].tally;
        const struct {
            const char *result;
            uint64_t value;
        } rows[] = {
            {"agreed",     t->agreed    },
            {"harsher",    t->harsher   },
            {"milder",     t->milder    },
            {"unanswered", t->unanswered},
            {"alone",      t->alone     },
        };
        if (!m->reports[i].engine->is_shadow)
            continue;
        for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++)
            mfx_buf_printf(
                m->out,
                "mfx_score_shadow_total{engine=\"%.*s\",result=\"%s\"} "
                "%" PRIu64 "\n",
                MFX_STR_ARG(m->reports[i].engine->name), rows[k].result,
                rows[k].value);
    }
}

static void
put_loads(const struct metrics *m)
{
    static const struct {
        const char *name, *type, *help;
    } heads[] = {
        {"mfx_score_engine_running",           "gauge",   "Scans that are under way."    },
        {"mfx_score_engine_queued",            "gauge",   "Scans that wait for a server."},
        {"mfx_score_engine_turned_away_total", "counter",
         "Scans that no server was asked for: too many waited, or all were "
         "out."                                                                          },
    };
    for (size_t k = 0; k < 3; k++) {
        mfx_metrics_text_head(m->out, heads[k].name, heads[k].type,
                              heads[k].help);
        for (size_t i = 0; i < m->count; i++) {
            const struct mfx_scan_load *load = &m->reports[i].load;
            const uint64_t values[] = {load->running, load->queued,
                                       load->turned_away};
            mfx_buf_printf(m->out, "%s{engine=\"%.*s\"} %" PRIu64 "\n",
                           heads[k].name,
                           MFX_STR_ARG(m->reports[i].engine->name), values[k]);
        }
    }
}

/* --- servers --- */

static void
put_labels(struct mfx_buf *out, const char *name,
           const struct score_report *report, size_t server)
{
    mfx_buf_printf(out, "%s{engine=\"%.*s\",server=\"%s\"", name,
                   MFX_STR_ARG(report->engine->name),
                   report->servers[server].server);
}

static uint64_t
number_at(const struct mfx_scan_server_report *server, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)server + offset, sizeof value);
    return value;
}

static void
put_counters(const struct metrics *m)
{
#define ROW(name, help, field)                             \
    {                                                      \
        "mfx_score_server_" name "_total", help,           \
            offsetof(struct mfx_scan_server_report, field) \
    }
    static const struct {
        const char *name, *help;
        size_t offset;
    } rows[] = {
        ROW("asked", "Requests to the server.", asked),
        ROW("answered", "Requests that it answered.", answered),
        ROW("timeouts", "Requests that it did not answer in time.", timeouts),
        ROW("unreached", "Requests for which it was not reached.", unreached),
        ROW("broken", "Requests that it answered by nonsense.", broken),
        ROW("refused", "Requests that it refused.", refused),
        ROW("outages", "How often it was taken out.", outages),
    };
#undef ROW
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        mfx_metrics_text_head(m->out, rows[r].name, "counter", rows[r].help);
        for (size_t i = 0; i < m->count; i++)
            for (size_t k = 0; k < m->reports[i].server_count; k++) {
                put_labels(m->out, rows[r].name, &m->reports[i], k);
                mfx_buf_printf(
                    m->out, "} %" PRIu64 "\n",
                    number_at(&m->reports[i].servers[k], rows[r].offset));
            }
    }
}

static void
put_gauges(const struct metrics *m)
{
    static const char up[] = "mfx_score_server_up";
    static const char in_use[] = "mfx_score_server_in_use";
    mfx_metrics_text_head(m->out, up, "gauge",
                          "1: asked; 0: taken out. In between: on its way "
                          "back.");
    for (size_t i = 0; i < m->count; i++)
        for (size_t k = 0; k < m->reports[i].server_count; k++) {
            static const char *const values[] = {
                [MFX_SCAN_UP] = "1",
                [MFX_SCAN_OUT] = "0",
                [MFX_SCAN_RETURNING] = "0.5",
            };
            put_labels(m->out, up, &m->reports[i], k);
            mfx_buf_printf(m->out, "} %s\n",
                           values[m->reports[i].servers[k].health]);
        }
    mfx_metrics_text_head(m->out, in_use, "gauge", "Requests under way.");
    for (size_t i = 0; i < m->count; i++)
        for (size_t k = 0; k < m->reports[i].server_count; k++) {
            put_labels(m->out, in_use, &m->reports[i], k);
            mfx_buf_printf(m->out, "} %u\n", m->reports[i].servers[k].in_use);
        }
}

static void
put_seconds(struct mfx_buf *out, uint64_t ms)
{
    mfx_buf_printf(out, "} %" PRIu64 ".%03" PRIu64 "\n", ms / 1000, ms % 1000);
}

static void
put_latencies(const struct metrics *m)
{
    static const char name[] = "mfx_score_server_seconds";
    mfx_metrics_text_head(m->out, name, "summary",
                          "How long answers took, from the message's end.");
    for (size_t i = 0; i < m->count; i++)
        for (size_t k = 0; k < m->reports[i].server_count; k++) {
            const struct score_report *report = &m->reports[i];
            const struct mfx_scan_server_report *s = &report->servers[k];
            put_labels(m->out, name, report, k);
            mfx_buf_add_text(m->out, ",quantile=\"0.5\"");
            put_seconds(m->out, s->median_ms);
            put_labels(m->out, name, report, k);
            mfx_buf_add_text(m->out, ",quantile=\"0.99\"");
            put_seconds(m->out, s->p99_ms);
            put_labels(m->out, name, report, k);
            mfx_buf_add_text(m->out, ",quantile=\"1\"");
            put_seconds(m->out, s->max_ms);
            put_labels(m->out, "mfx_score_server_seconds_sum", report, k);
            put_seconds(m->out, s->total_ms);
            put_labels(m->out, "mfx_score_server_seconds_count", report, k);
            mfx_buf_printf(m->out, "} %" PRIu64 "\n", s->answered);
        }
}

void
score_shared_metrics(struct score_shared *shared,
                     const struct score_engines *engines, struct mfx_buf *out)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct metrics m = {.count = engines->count, .out = out};
    score_shadows_look(shared->shadows);
    if (arena != NULL)
        m.reports = score_report_new(engines, arena);
    put_messages(shared, out);
    put_command(shared->command, out);
    if (m.reports != NULL && m.count > 0) {
        put_ends(&m);
        put_finds(&m);
        put_shadows(&m);
        put_loads(&m);
        put_gauges(&m);
        put_counters(&m);
        put_latencies(&m);
    }
    mfx_arena_free(arena);
}
