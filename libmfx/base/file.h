/* SPDX-License-Identifier: BSD-2-Clause
 *
 * file - whole files, and knowing a file again
 *
 * A file's identity (device, inode, size, times) says whether what stands at
 * a path is still what was loaded from it: files are replaced by rename, so a
 * path alone says nothing.
 *
 * Ownership: bytes go into the caller's arena. Errors: MFX_NOTFOUND when the
 * path is not there, MFX_PERMFAIL when it is no regular file or too large or
 * may not be read, MFX_TEMPFAIL for anything else; err names the path.
 * Threads: pure functions.
 */
#ifndef MFX_BASE_FILE_H
#define MFX_BASE_FILE_H

#include <sys/types.h>
#include <time.h>

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

struct mfx_file_id {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
    mode_t mode; /* not part of the identity */
    uid_t owner;
    gid_t group;
};

/* Follows symbolic links. */
enum mfx_rc mfx_file_identify(const char *path, struct mfx_file_id *id,
                              struct mfx_err *err) MFX_NODISCARD;
bool mfx_file_id_eq(const struct mfx_file_id *a, const struct mfx_file_id *b);

/* Reads a regular file of at most `max` bytes. *id (may be NULL) is taken
 * from the open file, so it belongs to exactly these bytes. */
enum mfx_rc mfx_file_read(const char *path, size_t max, struct mfx_arena *arena,
                          struct mfx_str *bytes, struct mfx_file_id *id,
                          struct mfx_err *err) MFX_NODISCARD;

/* May only its owner, root and the process's own user and group read the
 * file, and nobody else replace it? MFX_OK; or MFX_PERMFAIL with the reason
 * in err. Both of the checks below. */
enum mfx_rc mfx_file_check_private(const char *path,
                                   struct mfx_err *err) MFX_NODISCARD;
/* The file's own mode and owner; no system call. */
enum mfx_rc mfx_file_id_check_private(const char *path,
                                      const struct mfx_file_id *id,
                                      struct mfx_err *err) MFX_NODISCARD;
/* A directory and all above it: none of them lets others replace what is
 * below. */
enum mfx_rc mfx_directory_check_private(const char *directory,
                                        struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
