/* SPDX-License-Identifier: BSD-2-Clause */
#include "local_path.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* www.sqlite.org/fileformat.html, "The Database Header" */
enum {
    HEAD_BYTES = 72,
    AT_VERSION = 60,
    AT_APPLICATION = 68,
};
static const char magic[16] = "SQLite format 3";

static bool
name_other(const char *path, const char *ending, char other[PATH_MAX])
{
    int len = snprintf(other, PATH_MAX, "%s%s", path, ending);
    return len > 0 && len < PATH_MAX;
}

bool
mfx_local_path_is_same(const struct mfx_file_id *a, const struct mfx_file_id *b)
{
    return a->device == b->device && a->inode == b->inode;
}

static bool
may(const char *path, int how, struct mfx_err *err)
{
    if (faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0)
        return true;
    mfx_err_set(err, "%s: %s", path, strerror(errno));
    return false;
}

bool
mfx_local_path_may_write(const char *path, struct mfx_err *err)
{
    char folder[PATH_MAX];
    if (!may(path, R_OK | W_OK, err) || !name_other(path, "", folder))
        return false;
    return may(dirname(folder), W_OK | X_OK, err);
}

static uint32_t
number_at(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

bool
mfx_local_path_has_marks(const char *path, uint32_t application,
                         uint32_t version_max)
{
    unsigned char head[HEAD_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return false;
    bool is_whole = pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head;
    (void)close(fd);
    return is_whole && memcmp(head, magic, sizeof magic) == 0 &&
           number_at(head + AT_APPLICATION) == application &&
           number_at(head + AT_VERSION) <= version_max;
}

bool
mfx_local_path_identify_log(const char *path, struct mfx_file_id *id,
                            struct mfx_err *err)
{
    char log[PATH_MAX];
    return name_other(path, "-wal", log) &&
           mfx_file_identify(log, id, err) == MFX_OK;
}

void
mfx_local_path_remove_log(const char *path, const struct mfx_file_id *id)
{
    struct mfx_file_id now;
    char other[PATH_MAX];
    if (!mfx_local_path_identify_log(path, &now, NULL) ||
        !mfx_local_path_is_same(&now, id))
        return;
    if (name_other(path, "-wal", other))
        (void)unlink(other);
    if (name_other(path, "-shm", other))
        (void)unlink(other);
}

static bool
rename_one(const char *path, const char *ending, uint64_t wall_s)
{
    char from[PATH_MAX], to[PATH_MAX];
    int len = snprintf(to, sizeof to, "%s.corrupt-%llu%s", path,
                       (unsigned long long)wall_s, ending);
    return name_other(path, ending, from) && len > 0 && len < PATH_MAX &&
           (rename(from, to) == 0 || errno == ENOENT);
}

bool
mfx_local_path_put_aside(const char *path, uint64_t wall_s)
{
    return rename_one(path, "-wal", wall_s) &&
           rename_one(path, "-shm", wall_s) && rename_one(path, "", wall_s);
}
