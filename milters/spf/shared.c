/* SPDX-License-Identifier: BSD-2-Clause */
#include "shared.h"

#include <inttypes.h>
#include <stdlib.h>

#include <mfx/policy/metrics_text.h>

struct spf_shared *
spf_shared_new(struct spf_shared *previous)
{
    struct spf_shared *s =
        previous != NULL ? previous : calloc(1, sizeof *previous);
    if (s != NULL)
        atomic_fetch_add(&s->holds, 1);
    return s;
}

void
spf_shared_release(struct spf_shared *shared)
{
    if (shared != NULL && atomic_fetch_sub(&shared->holds, 1) == 1)
        free(shared);
}

void
spf_shared_metrics(struct spf_shared *shared, struct mfx_buf *out)
{
    mfx_metrics_text_head(out, "mfx_spf_results_total", "counter",
                          "SPF checks by identity and result.");
    for (int i = 0; i < SPF_IDENTITY_COUNT; i++)
        for (int r = 0; r < MFX_SPF_RESULT_COUNT; r++)
            mfx_buf_printf(
                out,
                "mfx_spf_results_total{identity=\"%s\",result=\"%s\"} %" PRIu64
                "\n",
                mfx_spf_identity_name((enum mfx_spf_identity)i),
                mfx_spf_result_name((enum mfx_spf_result)r),
                (uint64_t)atomic_load(&shared->results[i][r]));
    mfx_metrics_text_head(out, "mfx_spf_actions_total", "counter",
                          "Messages by what was done with them.");
    for (int a = 0; a < SPF_ACTION_COUNT; a++)
        mfx_buf_printf(out,
                       "mfx_spf_actions_total{action=\"%s\"} %" PRIu64 "\n",
                       spf_action_name((enum spf_action)a),
                       (uint64_t)atomic_load(&shared->actions[a]));
    mfx_metrics_text_value(out, "mfx_spf_skipped_total", "counter",
                           "Messages that were not checked.",
                           atomic_load(&shared->skipped));
    mfx_metrics_text_value(
        out, "mfx_spf_forwarded_total", "counter",
        "Messages that a known forwarder saved from a refusal or tag.",
        atomic_load(&shared->forwarded));
    mfx_metrics_text_value(
        out, "mfx_spf_unprotected_total", "counter",
        "Recipients that got their mail in spite of what was found.",
        atomic_load(&shared->unprotected));
    mfx_metrics_text_value(out, "mfx_spf_outgoing_bad_total", "counter",
                           "Messages of ours that would fail SPF elsewhere.",
                           atomic_load(&shared->outgoing_bad));
    mfx_metrics_text_value(out, "mfx_spf_removed_fields_total", "counter",
                           "Forged result fields removed.",
                           atomic_load(&shared->removed_fields));
}
