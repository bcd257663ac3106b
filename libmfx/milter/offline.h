/* SPDX-License-Identifier: BSD-2-Clause
 *
 * offline - a filter's configuration and policy without a daemon
 *
 * For commands that ask what the daemon would do: they load what it would
 * load, the same way, and call the same policy code.
 *
 *     mfx_problems_init(&problems, arena);
 *     rc = mfx_offline_load(&filter, NULL, &problems, &loaded);
 *     my_policy_plan(loaded->policy, ...);
 *     mfx_offline_free(loaded);
 *
 * Ownership: everything lives until mfx_offline_free. Errors: all mistakes
 * go to problems; MFX_PERMFAIL or MFX_TEMPFAIL, and *loaded stays untouched.
 * Threads: as the policy says.
 */
#ifndef MFX_MILTER_OFFLINE_H
#define MFX_MILTER_OFFLINE_H

#include <mfx/milter/filter.h>

MFX_API_BEGIN

struct mfx_offline {
    const void *settings; /* the filter's struct */
    const void *policy;   /* what policy_new made */
    const struct mfx_config *config;
    const struct mfx_origin_rules *origin;
    const struct mfx_env *env; /* with the configured resolver */
};

/* file: NULL for the place where the daemon looks. common.conf stands beside
 * it. */
enum mfx_rc mfx_offline_load(const struct mfx_filter *filter, const char *file,
                             struct mfx_problems *problems,
                             struct mfx_offline **loaded) MFX_NODISCARD;
void mfx_offline_free(struct mfx_offline *loaded);

MFX_API_END

#endif
