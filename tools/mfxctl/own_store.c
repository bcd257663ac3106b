/* SPDX-License-Identifier: BSD-2-Clause */
#include "own_store.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mfx/base/log.h>

enum {
    UP_MS = 5000,
    LOOK_MS = 10,
};

/* A file that root has made is none the daemon can use. */
static int
become_owner(const char *path, struct mfx_err *err)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        mfx_err_set(err, "no daemon runs, and %s: %s", path, strerror(errno));
        return EXIT_NOINPUT;
    }
    if (geteuid() != 0 || st.st_uid == 0)
        return EXIT_OK;
    if (setgroups(0, NULL) == 0 &&
        setresgid(st.st_gid, st.st_gid, st.st_gid) == 0 &&
        setresuid(st.st_uid, st.st_uid, st.st_uid) == 0)
        return EXIT_OK;
    mfx_err_set(err, "cannot become the owner of %s: %s", path,
                strerror(errno));
    return EXIT_SYSTEM;
}

int
own_store_wait(struct mfx_store *store, struct mfx_err *err)
{
    uint64_t until_ms = mfx_mono_ms() + UP_MS;
    struct mfx_store_health health;
    for (;;) {
        mfx_store_health(store, &health);
        if (health.is_up)
            return EXIT_OK;
        if (mfx_mono_ms() >= until_ms)
            break;
        (void)poll(NULL, 0, LOOK_MS);
    }
    mfx_err_set(err, "no daemon listens, and the store (%s %s) is down%s%s",
                health.kind, health.where, health.error[0] == '\0' ? "" : ": ",
                health.error);
    return EXIT_TEMP;
}

static void
drop_line(enum mfx_log_level level, struct mfx_str line, void *arg)
{
    (void)level;
    (void)line;
    (void)arg;
}

int
own_store_prepare(const struct mfx_store_settings *s, struct mfx_err *err)
{
    int status = EXIT_OK;
    if (s->type == MFX_STORE_TYPE_MEMORY) {
        mfx_err_set(err, "no daemon runs, and with store.type memory nothing "
                         "is kept without it");
        return EXIT_UNREACHABLE;
    }
    if (s->type == MFX_STORE_TYPE_SQLITE)
        status = become_owner(s->path, err);
    if (status == EXIT_OK)
        mfx_log_redirect(drop_line, NULL);
    return status;
}
