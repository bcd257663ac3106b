/* SPDX-License-Identifier: BSD-2-Clause
 *
 * made - a configuration that a command has made
 *
 * Looked at as the daemon would look at it, and written where nothing stands
 * yet.
 *
 * Ownership: texts in run->arena. Errors: below. Threads: one.
 */
#ifndef MFX_TOOLS_MADE_H
#define MFX_TOOLS_MADE_H

#include <mfx/conf/problem.h>

#include "verb.h"

/* What the daemon says of it, as of a file with this name. True when it loads:
 * then *loaded is to be freed (mfx_offline_free). */
bool made_check(const struct verb_run *run, const struct mfx_filter *filter,
                struct mfx_str config, const char *name,
                struct mfx_problems *problems, struct mfx_offline **loaded);

/* DIR/NAME, unless there is such a file. EXIT_OK, or what verb_fail returned.
 */
int made_write(const struct verb_run *run, const char *dir, const char *name,
               struct mfx_str bytes);

#endif
