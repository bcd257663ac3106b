/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's own numbers, in Prometheus text.
 */
#include <inttypes.h>

#include "policy.h"

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
put_store(struct mfx_store *store, struct mfx_buf *out)
{
    struct mfx_store_health h;
    mfx_store_health(store, &h);
    put_one(out, "mfx_masq_store_up", "gauge", "1 when the store answers.",
            h.is_up);
    put_one(out, "mfx_masq_store_calls_total", "counter",
            "Calls of the store, for short addresses.", h.calls);
    put_one(out, "mfx_masq_store_failures_total", "counter",
            "Calls that failed.", h.failures);
}

static void
put_map_server(struct masq_map_server *server, struct mfx_buf *out)
{
    static const char *const maps[] = {"srs_forward", "srs_reverse"};
    static const char *const results[] = {[MFX_OK] = "found",
                                          [MFX_NOTFOUND] = "not_found",
                                          [MFX_TEMPFAIL] = "tempfail",
                                          [MFX_PERMFAIL] = "permfail"};
    const struct masq_map_counts c = masq_map_server_counts(server);
    put_head(out, "mfx_masq_map_answers_total", "counter",
             "Answers of the map server, by map and result.");
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        for (size_t j = 0; j < sizeof results / sizeof results[0]; j++)
            mfx_buf_printf(out,
                           "mfx_masq_map_answers_total{map=\"%s\",result="
                           "\"%s\"} %" PRIu64 "\n",
                           maps[i], results[j], c.answers[i][j]);
    put_one(out, "mfx_masq_map_connections_total", "counter",
            "Connections to the map server.", c.connections);
    put_one(out, "mfx_masq_map_broken_total", "counter",
            "Requests that were none.", c.broken);
}

void
masq_policy_metrics(const void *policy, struct mfx_buf *out)
{
    const struct masq_policy *p = policy;
    if (masq_policy_store(p) != NULL)
        put_store(masq_policy_store(p), out);
    if (p->map_server != NULL)
        put_map_server(p->map_server, out);
}
