/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum mfx_rc
path_error(const char *path, int error, struct mfx_err *err)
{
    mfx_err_set(err, "%s: %s", path, strerror(error));
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return MFX_NOTFOUND;
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO: /* a socket */
    case ENODEV:
        return MFX_PERMFAIL;
    default:
        return MFX_TEMPFAIL;
    }
}

static struct mfx_file_id
id_of(const struct stat *st)
{
    return (struct mfx_file_id){
        .device = st->st_dev,
        .inode = st->st_ino,
        .size = st->st_size,
        .modified = st->st_mtim,
        .changed = st->st_ctim,
        .mode = st->st_mode,
        .owner = st->st_uid,
        .group = st->st_gid,
    };
}

enum mfx_rc
mfx_file_identify(const char *path, struct mfx_file_id *id, struct mfx_err *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return path_error(path, errno, err);
    *id = id_of(&st);
    return MFX_OK;
}

static bool
same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool
mfx_file_id_eq(const struct mfx_file_id *a, const struct mfx_file_id *b)
{
    return a->device == b->device && a->inode == b->inode &&
           a->size == b->size && same_time(a->modified, b->modified) &&
           same_time(a->changed, b->changed);
}

static enum mfx_rc
read_open(int fd, const char *path, size_t max, struct mfx_arena *arena,
          struct mfx_str *bytes, struct mfx_file_id *id, struct mfx_err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return path_error(path, errno, err);
    if (!S_ISREG(st.st_mode)) {
        mfx_err_set(err, "%s: not a regular file", path);
        return MFX_PERMFAIL;
    }
    size_t size = (size_t)st.st_size;
    if (size > max) {
        mfx_err_set(err, "%s: %zu bytes, more than %zu", path, size, max);
        return MFX_PERMFAIL;
    }
    char *p = mfx_arena_alloc_bytes(arena, size + 1);
    if (p == NULL) {
        mfx_err_set(err, "%s: out of memory", path);
        return MFX_TEMPFAIL;
    }
    size_t have = 0;
    while (have < size) {
        ssize_t n = read(fd, p + have, size - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return path_error(path, errno, err);
        if (n == 0)
            break;
        have += (size_t)n;
    }
    if (have < size) {
        mfx_err_set(err, "%s: became shorter while it was read", path);
        return MFX_TEMPFAIL;
    }
    p[have] = '\0';
    *bytes = mfx_str(p, have);
    if (id != NULL)
        *id = id_of(&st);
    return MFX_OK;
}

enum mfx_rc
mfx_file_read(const char *path, size_t max, struct mfx_arena *arena,
              struct mfx_str *bytes, struct mfx_file_id *id,
              struct mfx_err *err)
{
    /* O_NONBLOCK: a FIFO in its place must not hang us */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return path_error(path, errno, err);
    enum mfx_rc rc = read_open(fd, path, max, arena, bytes, id, err);
    (void)close(fd);
    return rc;
}

/* A directory lets others replace what is in it when it is group or world
 * writable without the sticky bit, or belongs to somebody else. */
static enum mfx_rc
check_directory(const char *path, struct mfx_err *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return path_error(path, errno, err);
    bool is_ours = st.st_uid == 0 || st.st_uid == geteuid();
    if (is_ours && ((st.st_mode & 022) == 0 || (st.st_mode & S_ISVTX) != 0))
        return MFX_OK;
    mfx_err_set(err,
                "directory %s lets others replace what is in it: owner %u, "
                "mode %04o",
                path, (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
    return MFX_PERMFAIL;
}

enum mfx_rc
mfx_directory_check_private(const char *directory, struct mfx_err *err)
{
    char path[PATH_MAX];
    if (realpath(directory, path) == NULL)
        return path_error(directory, errno, err);
    for (;;) {
        enum mfx_rc rc = check_directory(path, err);
        char *slash = strrchr(path, '/');
        if (rc != MFX_OK || slash == NULL || path[1] == '\0')
            return rc;
        slash[slash == path ? 1 : 0] = '\0';
    }
}

enum mfx_rc
mfx_file_id_check_private(const char *path, const struct mfx_file_id *id,
                          struct mfx_err *err)
{
    bool is_ours = id->owner == 0 || id->owner == geteuid();
    mode_t allowed = id->group == getegid() ? S_IRWXU | S_IRGRP : S_IRWXU;
    if (is_ours && (id->mode & 0777 & ~allowed) == 0)
        return MFX_OK;
    mfx_err_set(err, "%s can be read by others: owner %u, group %u, mode %04o",
                path, (unsigned)id->owner, (unsigned)id->group,
                (unsigned)id->mode & 07777);
    return MFX_PERMFAIL;
}

static enum mfx_rc
check_parent(char *path, struct mfx_err *err)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL)
        return mfx_directory_check_private(".", err);
    slash[slash == path ? 1 : 0] = '\0';
    return mfx_directory_check_private(path, err);
}

enum mfx_rc
mfx_file_check_private(const char *path, struct mfx_err *err)
{
    struct mfx_file_id id;
    enum mfx_rc rc = mfx_file_identify(path, &id, err);
    if (rc == MFX_OK)
        rc = mfx_file_id_check_private(path, &id, err);
    if (rc != MFX_OK)
        return rc;
    char real[PATH_MAX];
    if (realpath(path, real) == NULL)
        return path_error(path, errno, err);
    rc = check_parent(real, err);
    /* a path that is a link: where the link stands counts as well */
    if (rc != MFX_OK || strcmp(path, real) == 0 || strlen(path) >= sizeof real)
        return rc;
    memcpy(real, path, strlen(path) + 1);
    return check_parent(real, err);
}
