/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check_keys - whether mfx-dkim has a key for an author
 *
 * Ownership: the caller frees what was loaded (mfx_offline_free). Errors: of
 * load, exit statuses; of find, MFX_NOTFOUND with what mfx-dkim says of it,
 * MFX_TEMPFAIL when its tables cannot be asked. Threads: one.
 */
#ifndef MFX_MASQ_CHECK_KEYS_H
#define MFX_MASQ_CHECK_KEYS_H

#include "verbs.h"

/* file NULL: the place where the daemon looks; *loaded stays NULL when nothing
 * is there. */
int check_keys_load(const struct verb_run *run, const char *file,
                    struct mfx_offline **loaded);
enum mfx_rc check_keys_find(const struct mfx_offline *loaded,
                            struct mfx_str local, struct mfx_str domain,
                            struct mfx_arena *arena,
                            struct mfx_err *err) MFX_NODISCARD;

#endif
