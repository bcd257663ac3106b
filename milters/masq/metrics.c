/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's own numbers, in Prometheus text.
 */
#include <inttypes.h>

#include <mfx/policy/metrics_text.h>

#include "policy.h"

static void
put_map_server(struct masq_map_server *server, struct mfx_buf *out)
{
    static const char *const maps[] = {"srs_forward", "srs_reverse"};
    static const char *const results[] = {[MFX_OK] = "found",
                                          [MFX_NOTFOUND] = "not_found",
                                          [MFX_TEMPFAIL] = "tempfail",
                                          [MFX_PERMFAIL] = "permfail"};
    const struct masq_map_counts c = masq_map_server_counts(server);
    mfx_metrics_text_head(out, "mfx_masq_map_answers_total", "counter",
                          "Answers of the map server, by map and result.");
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        for (size_t j = 0; j < sizeof results / sizeof results[0]; j++)
            mfx_buf_printf(out,
                           "mfx_masq_map_answers_total{map=\"%s\",result="
                           "\"%s\"} %" PRIu64 "\n",
                           maps[i], results[j], c.answers[i][j]);
    mfx_metrics_text_value(out, "mfx_masq_map_connections_total", "counter",
                           "Connections to the map server.", c.connections);
    mfx_metrics_text_value(out, "mfx_masq_map_broken_total", "counter",
                           "Requests that were none.", c.broken);
}

void
masq_policy_metrics(const void *policy, struct mfx_buf *out)
{
    const struct masq_policy *p = policy;
    if (masq_policy_store(p) != NULL)
        mfx_metrics_text_store(out, "mfx_masq", masq_policy_store(p));
    if (p->map_server != NULL)
        put_map_server(p->map_server, out);
}
