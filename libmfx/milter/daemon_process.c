/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/daemon_process.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Names in settings are short; a longer one is not there. */
static const char *
name_of(struct mfx_str name, char out[64])
{
    if (name.len >= 64)
        return "";
    memcpy(out, name.len > 0 ? name.p : "", name.len);
    out[name.len] = '\0';
    return out;
}

static bool
find_group(struct mfx_str name, gid_t *gid)
{
    char text[64];
    const struct group *g = getgrnam(name_of(name, text));
    if (g != NULL)
        *gid = g->gr_gid;
    return g != NULL;
}

enum mfx_rc
mfx_identity_find(struct mfx_str user, struct mfx_str group,
                  struct mfx_identity *identity, struct mfx_err *err)
{
    memset(identity, 0, sizeof *identity);
    if (geteuid() != 0)
        return MFX_OK;
    const struct passwd *p = getpwnam(name_of(user, identity->user));
    if (p == NULL) {
        mfx_err_set(err, "user: no such user \"%.*s\"", MFX_STR_ARG(user));
        return MFX_PERMFAIL;
    }
    identity->uid = p->pw_uid;
    identity->gid = p->pw_gid;
    identity->is_set = true;
    if (group.len > 0 && !find_group(group, &identity->gid)) {
        mfx_err_set(err, "group: no such group \"%.*s\"", MFX_STR_ARG(group));
        return MFX_PERMFAIL;
    }
    return MFX_OK;
}

enum mfx_rc
mfx_identity_assume(const struct mfx_identity *id, struct mfx_err *err)
{
    if (id->is_set && (initgroups(id->user, id->gid) != 0 ||
                       setresgid(id->gid, id->gid, id->gid) != 0 ||
                       setresuid(id->uid, id->uid, id->uid) != 0)) {
        mfx_err_set(err, "cannot become user %s: %s", id->user,
                    strerror(errno));
        return MFX_TEMPFAIL;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0) {
        mfx_err_set(err, "no_new_privs: %s", strerror(errno));
        return MFX_TEMPFAIL;
    }
    return MFX_OK;
}

enum {
    DIRECTORY_MAX = 4096
};

/* False for a path without one, or with one that is too long. */
static bool
directory_of(const char *path, char dir[static DIRECTORY_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    if (len == 0 || len >= DIRECTORY_MAX)
        return false;
    memcpy(dir, path, len);
    dir[len] = '\0';
    return true;
}

enum mfx_rc
mfx_daemon_process_make_directory(const char *path,
                                  const struct mfx_identity *id,
                                  struct mfx_err *err)
{
    char dir[DIRECTORY_MAX];
    struct stat st;
    if (!directory_of(path, dir) || stat(dir, &st) == 0)
        return MFX_OK;
    if (mkdir(dir, 0755) != 0 ||
        (id->is_set && chown(dir, id->uid, id->gid) != 0)) {
        mfx_err_set(err, "%s: cannot make directory: %s", dir, strerror(errno));
        return MFX_TEMPFAIL;
    }
    return MFX_OK;
}

/* A set-gid directory says which group its sockets have: the MTA's, without
 * the daemon being in it. */
static bool
directory_gives_group(const char *path)
{
    char dir[DIRECTORY_MAX];
    struct stat st;
    return directory_of(path, dir) && stat(dir, &st) == 0 &&
           (st.st_mode & S_ISGID) != 0;
}

enum mfx_rc
mfx_daemon_process_dress_socket(const char *path, unsigned mode,
                                struct mfx_str group,
                                const struct mfx_identity *id,
                                struct mfx_err *err)
{
    bool keeps_group = !id->is_set || directory_gives_group(path);
    gid_t gid = keeps_group ? (gid_t)-1 : id->gid;
    uid_t uid = id->is_set ? id->uid : (uid_t)-1;
    if (group.len > 0 && !find_group(group, &gid)) {
        mfx_err_set(err, "%s: no such group \"%.*s\"", path,
                    MFX_STR_ARG(group));
        return MFX_PERMFAIL;
    }
    if (lchown(path, uid, gid) != 0 || chmod(path, mode) != 0) {
        mfx_err_set(err, "%s: cannot set group or mode: %s", path,
                    strerror(errno));
        return MFX_TEMPFAIL;
    }
    return MFX_OK;
}

enum mfx_rc
mfx_daemon_process_write_pid(const char *path, const struct mfx_identity *id,
                             struct mfx_err *err)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    (void)unlink(path); /* never through a link that stands there */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    bool ok = fd >= 0 && write(fd, text, (size_t)len) == len &&
              (!id->is_set || fchown(fd, id->uid, id->gid) == 0);
    if (!ok)
        mfx_err_set(err, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return ok ? MFX_OK : MFX_TEMPFAIL;
}

static void
wait_for_child(int fd, pid_t child)
{
    unsigned char status = 0;
    ssize_t n;
    do {
        n = read(fd, &status, 1);
    } while (n < 0 && errno == EINTR);
    if (n == 1)
        _exit(status);
    int how = 0;
    (void)waitpid(child, &how, 0);
    _exit(WIFEXITED(how) ? WEXITSTATUS(how) : 71);
}

enum mfx_rc
mfx_daemon_process_detach(int *token)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return MFX_TEMPFAIL;
    pid_t child = fork();
    if (child < 0)
        return MFX_TEMPFAIL;
    if (child > 0) {
        (void)close(ends[1]);
        wait_for_child(ends[0], child);
    }
    (void)close(ends[0]);
    (void)setsid();
    *token = ends[1];
    return MFX_OK;
}

void
mfx_daemon_process_detached(int token, int status)
{
    unsigned char byte = (unsigned char)status;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        (void)dup2(null, fd);
    if (null > 2)
        (void)close(null);
    if (write(token, &byte, 1) != 1)
        byte = 0; /* the parent is gone: nobody to tell */
    (void)close(token);
}

void
mfx_daemon_process_notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = path == NULL ? 0 : strlen(path);
    if (len < 2 || len >= sizeof un.sun_path ||
        (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(un.sun_path, path, len);
    if (path[0] == '@')
        un.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL,
                 (const struct sockaddr *)&un, size);
    (void)close(fd);
}

/* There in a build with -fsanitize=address only. It looks at exit(), which
 * this is not; what it finds ends the process with its own status. */
void __lsan_do_leak_check(void) __attribute__((weak));

_Noreturn void
mfx_daemon_process_end(int status)
{
    if (__lsan_do_leak_check != NULL)
        __lsan_do_leak_check();
    (void)fflush(NULL);
    _exit(status);
}
