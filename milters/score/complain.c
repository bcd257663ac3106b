/* SPDX-License-Identifier: BSD-2-Clause */
#include "complain.h"

void
score_complain(const struct mfx_policy_build *build, const char *setting,
               const char *what, struct mfx_str word)
{
    unsigned line = 0;
    const char *file = mfx_config_where(build->config, setting, &line);
    mfx_problem_add(build->problems, MFX_PROBLEM_ERROR, file, line,
                    "%s: %s%s%.*s", setting, what, word.len > 0 ? ": " : "",
                    MFX_STR_ARG(word));
}
