/* SPDX-License-Identifier: BSD-2-Clause
 *
 * offline_impl - between offline.c and offline_message.c (not installed)
 *
 * Ownership, errors, threads: see offline.h.
 */
#ifndef MFX_MILTER_OFFLINE_IMPL_H
#define MFX_MILTER_OFFLINE_IMPL_H

#include <mfx/milter/offline.h>
#include <mfx/milter/snapshot.h>

struct mfx_offline_whole {
    struct mfx_offline public; /* first */
    struct mfx_arena *arena;
    struct mfx_snapshot *snapshot;
};

#endif
