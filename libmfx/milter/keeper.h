/* SPDX-License-Identifier: BSD-2-Clause
 *
 * keeper - the thread that reloads: when told, and when files have changed
 *
 * Changes are taken together after 200 ms of quiet, so that two files that
 * belong together never change one without the other. Besides, snapshots are
 * asked every few seconds whether they are outdated, for file systems that
 * tell nobody.
 *
 * Ownership: one a process, start/stop. Errors: MFX_TEMPFAIL when the thread
 * cannot be made. Threads: tell from any.
 */
#ifndef MFX_MILTER_KEEPER_H
#define MFX_MILTER_KEEPER_H

#include <mfx/milter/daemon.h>

struct mfx_keeper;

/* NULL when it cannot be started. */
struct mfx_keeper *mfx_keeper_start(struct mfx_daemon *daemon);
/* why: a literal for the log, "HUP". */
void mfx_keeper_tell(struct mfx_keeper *keeper, const char *why);
void mfx_keeper_stop(struct mfx_keeper *keeper); /* waits for it */

#endif
