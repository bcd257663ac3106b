/* SPDX-License-Identifier: BSD-2-Clause */
#include "made.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static bool
write_bytes(int fd, struct mfx_str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.p, bytes.len);
        if (n < 0)
            return false;
        bytes = mfx_str_from(bytes, (size_t)n);
    }
    return true;
}

bool
made_check(const struct verb_run *run, const struct mfx_filter *filter,
           struct mfx_str config, const char *name,
           struct mfx_problems *problems, struct mfx_offline **loaded)
{
    char path[] = "/tmp/mfx-import.XXXXXX";
    bool is_good = false;
    int fd = mkstemp(path);
    mfx_problems_init(problems, run->arena);
    if (fd < 0)
        return false;
    if (write_bytes(fd, config))
        is_good = mfx_offline_load(filter, path, problems, loaded) == MFX_OK;
    (void)close(fd);
    (void)unlink(path);
    for (struct mfx_problem *p = problems->first; p != NULL; p = p->next)
        if (strcmp(p->file, path) == 0)
            p->file = name;
    return is_good;
}

int
made_write(const struct verb_run *run, const char *dir, const char *name,
           struct mfx_str bytes)
{
    struct mfx_str path = mfx_arena_printf(run->arena, "%s/%s", dir, name);
    int fd = path.p == NULL
                 ? -1
                 : open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return verb_fail(run, EXIT_CANNOT_WRITE,
                         "%.*s: %m (it is not replaced)", MFX_STR_ARG(path));
    bool is_good = write_bytes(fd, bytes);
    is_good = close(fd) == 0 && is_good;
    return is_good ? EXIT_OK
                   : verb_fail(run, EXIT_CANNOT_WRITE, "%.*s: %m",
                               MFX_STR_ARG(path));
}
