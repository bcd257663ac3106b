/* SPDX-License-Identifier: BSD-2-Clause */
#include "local_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mfx/base/str.h>

struct mfx_local_lock {
    int fd;
};

static enum mfx_rc
fail(const char *path, struct mfx_err *err)
{
    mfx_err_set(err, "%s: %s", path, strerror(errno));
    return MFX_TEMPFAIL;
}

static int
open_or_make(const char *path, mode_t mode)
{
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                mode);
}

static void
say_who(int fd, const char *path, struct mfx_err *err)
{
    char text[32];
    uint64_t pid = 0;
    ssize_t len = pread(fd, text, sizeof text, 0);
    struct mfx_str number = mfx_str(text, len > 0 ? (size_t)len : 0);
    if (mfx_str_to_u64(mfx_str_trim(number), INT32_MAX, &pid) == MFX_OK)
        mfx_err_set(err, "%s: in use by process %llu", path,
                    (unsigned long long)pid);
    else
        mfx_err_set(err, "%s: in use by another process", path);
}

/* False when somebody removed the lock file meanwhile: then the next one would
 * lock another. */
static bool
is_at_path(int fd, const char *path)
{
    struct stat ours, theirs;
    return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static enum mfx_rc
lock_file(int fd, const char *path, const char *lock_path, struct mfx_err *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return fail(lock_path, err);
        say_who(fd, path, err);
        return MFX_TEMPFAIL;
    }
    if (!is_at_path(fd, lock_path)) {
        mfx_err_set(err, "%s: removed meanwhile", lock_path);
        return MFX_TEMPFAIL;
    }
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        return fail(lock_path, err);
    return MFX_OK;
}

/* With its mode, whatever the umask is; SQLite gives the same one to its other
 * files. */
static enum mfx_rc
make_file(const char *path, mode_t mode, struct mfx_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return errno == EEXIST ? MFX_OK : fail(path, err);
    enum mfx_rc rc = fchmod(fd, mode) == 0 ? MFX_OK : fail(path, err);
    (void)close(fd);
    return rc;
}

enum mfx_rc
mfx_local_lock_take(const char *path, mode_t mode, struct mfx_local_lock **lock,
                    struct mfx_err *err)
{
    char lock_path[PATH_MAX];
    int len = snprintf(lock_path, sizeof lock_path, "%s.lock", path);
    *lock = NULL;
    if (len < 0 || (size_t)len >= sizeof lock_path) {
        mfx_err_set(err, "%s: the name is too long", path);
        return MFX_TEMPFAIL;
    }
    struct mfx_local_lock *new = calloc(1, sizeof *new);
    if (new == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    new->fd = open_or_make(lock_path, mode);
    enum mfx_rc rc = new->fd < 0 ? fail(lock_path, err)
                                 : lock_file(new->fd, path, lock_path, err);
    if (rc == MFX_OK)
        rc = make_file(path, mode, err);
    if (rc != MFX_OK) {
        mfx_local_lock_free(new);
        return rc;
    }
    *lock = new;
    return MFX_OK;
}

/* The lock file stays: removing it would let two lock two files of one name. */
void
mfx_local_lock_free(struct mfx_local_lock *lock)
{
    if (lock == NULL)
        return;
    if (lock->fd >= 0)
        (void)close(lock->fd);
    free(lock);
}
