/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/decimal.h>

#include "verbs.h"

int
score_verb_settings(const struct verb_run *run, const char *config,
                    struct mfx_offline **loaded,
                    const struct score_settings **settings)
{
    static const struct mfx_filter filter = {
        .name = "mfx-score",
        .options = score_options,
        .settings_size = sizeof(struct score_settings),
    };
    int status = verb_load_filter(run, &filter, config, loaded);
    if (status == EXIT_OK)
        *settings = (*loaded)->settings;
    return status;
}

const char *
score_verb_decimal(const struct verb_run *run, int64_t thousandths)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, run->arena, 64);
    if (thousandths == MFX_DECIMAL_NONE)
        mfx_buf_add_text(&out, "none");
    else
        mfx_decimal_format(thousandths, &out);
    return mfx_buf_text(&out);
}

json_t *
score_verb_decimal_json(int64_t thousandths)
{
    return thousandths == MFX_DECIMAL_NONE
               ? json_null()
               : json_real((double)thousandths / 1000);
}
