/* SPDX-License-Identifier: BSD-2-Clause
 *
 * local_path - a SQLite file and its log as the file system has them (not
 * installed)
 *
 * Errors: false, and err says why. Threads: any.
 */
#ifndef MFX_STORE_LOCAL_PATH_H
#define MFX_STORE_LOCAL_PATH_H

#include <mfx/base/file.h>

/* Device and inode, whatever is in it. */
bool mfx_local_path_is_same(const struct mfx_file_id *a,
                            const struct mfx_file_id *b);
/* May this process write it, and files beside it? SQLite would go on reading,
 * and make a log that may not be written later, either. */
bool mfx_local_path_may_write(const char *path, struct mfx_err *err);
/* What the first octets say, also of a file that SQLite does not read any
 * more. Before SQLite opens it: its locks end when another descriptor of the
 * file is closed. */
bool mfx_local_path_has_marks(const char *path, uint32_t application,
                              uint32_t version_max);
bool mfx_local_path_identify_log(const char *path, struct mfx_file_id *id,
                                 struct mfx_err *err);
/* The log that is `id`, and its index; not those of another file. */
void mfx_local_path_remove_log(const char *path, const struct mfx_file_id *id);
/* To PATH.corrupt-TIME, with the log. */
bool mfx_local_path_put_aside(const char *path, uint64_t wall_s);

#endif
