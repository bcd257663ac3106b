/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/policy/metrics_text.h>

#include <inttypes.h>

void
mfx_metrics_text_head(struct mfx_buf *out, const char *name, const char *type,
                      const char *help)
{
    mfx_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
mfx_metrics_text_value(struct mfx_buf *out, const char *name, const char *type,
                       const char *help, uint64_t value)
{
    mfx_metrics_text_head(out, name, type, help);
    mfx_buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

void
mfx_metrics_text_store(struct mfx_buf *out, const char *prefix,
                       struct mfx_store *store)
{
    struct mfx_store_health h;
    mfx_store_health(store, &h);
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } rows[] = {
        {"up",               "gauge",   "1 when the store answers.",      h.is_up       },
        {"calls_total",      "counter", "Calls of the store.",            h.calls       },
        {"failures_total",   "counter", "Calls that failed.",             h.failures    },
        {"outstanding",      "gauge",   "Calls without an answer yet.",   h.outstanding },
        {"reconnects_total", "counter", "Connections made anew.",         h.reconnects  },
        {"failovers_total",  "counter", "Changes of the primary server.",
         h.failovers                                                                    },
        {"counters",         "gauge",   "Counters in memory.",            h.counters    },
        {"memory_bytes",     "gauge",   "Memory of these counters.",      h.memory_bytes},
        {"file_bytes",       "gauge",   "Size of the file.",              h.file_bytes  },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        mfx_buf_printf(out,
                       "# HELP %s_store_%s %s\n# TYPE %s_store_%s %s\n"
                       "%s_store_%s %" PRIu64 "\n",
                       prefix, rows[i].name, rows[i].help, prefix, rows[i].name,
                       rows[i].type, prefix, rows[i].name, rows[i].value);
}
