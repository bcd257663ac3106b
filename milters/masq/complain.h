/* SPDX-License-Identifier: BSD-2-Clause
 *
 * complain - a problem with a setting, at its place in the configuration
 */
#ifndef MASQ_COMPLAIN_H
#define MASQ_COMPLAIN_H

#include <mfx/milter/filter.h>

/* "setting: text" among the build's problems. */
void masq_complain(const struct mfx_policy_build *build,
                   enum mfx_problem_kind kind, const char *setting,
                   const char *text);

#endif
