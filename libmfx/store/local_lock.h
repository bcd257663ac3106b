/* SPDX-License-Identifier: BSD-2-Clause
 *
 * local_lock - one process has a file (not installed)
 *
 * PATH.lock, locked by flock(2), with the number of the process in it; the file
 * at PATH itself is made when it is not there.
 *
 * Ownership: take/free. Errors: TEMPFAIL: another process has it, or one of the
 * files cannot be made: err says which. Threads: any.
 */
#ifndef MFX_STORE_LOCAL_LOCK_H
#define MFX_STORE_LOCAL_LOCK_H

#include <sys/types.h>

#include <mfx/base/rc.h>

struct mfx_local_lock;

enum mfx_rc mfx_local_lock_take(const char *path, mode_t mode,
                                struct mfx_local_lock **lock,
                                struct mfx_err *err) MFX_NODISCARD;
void mfx_local_lock_free(struct mfx_local_lock *lock);

#endif
