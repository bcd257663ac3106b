/* SPDX-License-Identifier: BSD-2-Clause
 *
 * profiles - which thresholds are for whom
 *
 *     rc = score_profiles_new(settings, build, &profiles);
 *     rc = score_profiles_of_recipient(profiles, address, arena, &p, &err);
 *
 * A row of recipient_profiles or login_profiles names a profile, says "off",
 * or changes the default ("tag=4 reject=10").
 *
 * Ownership: in the snapshot's arena; one made of a row in the arena given.
 * Errors: MFX_TEMPFAIL: the table cannot be asked, or its row means nothing.
 * Threads: read-only once made.
 */
#ifndef SCORE_PROFILES_H
#define SCORE_PROFILES_H

#include <mfx/milter/filter.h>

#include "settings.h"

struct score_profile {
    struct mfx_str name; /* "default", "outgoing", "off", that of a group, or
                            the row's text */
    struct score_thresholds thresholds;
    bool follow_engines;
    struct mfx_str redirect_to;
};

struct score_profiles {
    struct score_profile incoming, outgoing;
    const struct score_profile *groups;
    size_t group_count;
    struct mfx_table *recipients, *logins;
};

enum mfx_rc score_profiles_new(const struct score_settings *settings,
                               const struct mfx_policy_build *build,
                               struct score_profiles *profiles);
/* MFX_OK, with the default where there is no row. */
enum mfx_rc score_profiles_of_recipient(const struct score_profiles *profiles,
                                        struct mfx_str address,
                                        struct mfx_arena *arena,
                                        const struct score_profile **profile,
                                        struct mfx_err *err);
enum mfx_rc score_profiles_of_login(const struct score_profiles *profiles,
                                    struct mfx_str login,
                                    struct mfx_arena *arena,
                                    const struct score_profile **profile,
                                    struct mfx_err *err);
/* What a total asks for; greylisting apart. */
enum score_action score_profile_action(const struct score_profile *profile,
                                       int64_t total);

#endif
