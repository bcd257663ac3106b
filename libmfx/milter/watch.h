/* SPDX-License-Identifier: BSD-2-Clause
 *
 * watch - something in the directories of a snapshot's files has changed
 *
 * Directories, not files: files are replaced by rename. What changed is not
 * asked; the keeper compares identities when it has been quiet for a moment.
 *
 * Ownership: new/free. Errors: without inotify (NULL) the periodic check
 * remains. Threads: one (the keeper).
 */
#ifndef MFX_MILTER_WATCH_H
#define MFX_MILTER_WATCH_H

#include <mfx/milter/snapshot.h>

struct mfx_watch;

struct mfx_watch *mfx_watch_new(void);
void mfx_watch_free(struct mfx_watch *watch);
/* Watches the directories of this snapshot's files, and no others. */
void mfx_watch_set(struct mfx_watch *watch,
                   const struct mfx_snapshot *snapshot);
/* For poll. */
int mfx_watch_fd(const struct mfx_watch *watch);
/* Takes what has happened; true when there was something. */
bool mfx_watch_take(struct mfx_watch *watch);

#endif
