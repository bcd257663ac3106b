/* SPDX-License-Identifier: BSD-2-Clause */
#include "complain.h"

void
masq_complain(const struct mfx_policy_build *build, enum mfx_problem_kind kind,
              const char *setting, const char *text)
{
    unsigned line = 0;
    const char *file = mfx_config_where(build->config, setting, &line);
    mfx_problem_add(build->problems, kind, file == NULL ? "" : file, line,
                    "%s: %s", setting, text);
}
