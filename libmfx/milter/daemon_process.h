/* SPDX-License-Identifier: BSD-2-Clause
 *
 * daemon_process - what makes a program a daemon
 *
 * Identity to run as, directories for sockets, PID file, detaching, the
 * service manager's notifications.
 *
 * Ownership: values. Errors: err says what failed on which path.
 * Threads: start and end of the process only; notify from any.
 */
#ifndef MFX_MILTER_DAEMON_PROCESS_H
#define MFX_MILTER_DAEMON_PROCESS_H

#include <sys/types.h>

#include <mfx/base/str.h>

struct mfx_identity {
    bool is_set; /* false when not started as root: stay who we are */
    char user[64];
    uid_t uid;
    gid_t gid;
};

/* group may be empty: the user's own. */
enum mfx_rc mfx_identity_find(struct mfx_str user, struct mfx_str group,
                              struct mfx_identity *identity,
                              struct mfx_err *err) MFX_NODISCARD;
/* Gives up root for good, and the right to gain anything by exec. */
enum mfx_rc mfx_identity_assume(const struct mfx_identity *identity,
                                struct mfx_err *err) MFX_NODISCARD;

/* Makes the directory that path stands in, when it is missing, and gives it
 * to the identity. */
enum mfx_rc
mfx_daemon_process_make_directory(const char *path,
                                  const struct mfx_identity *identity,
                                  struct mfx_err *err) MFX_NODISCARD;
/* Mode and group of a socket that was just made. group may be empty: that of
 * a set-gid directory, else the identity's. */
enum mfx_rc mfx_daemon_process_dress_socket(const char *path, unsigned mode,
                                            struct mfx_str group,
                                            const struct mfx_identity *identity,
                                            struct mfx_err *err) MFX_NODISCARD;

enum mfx_rc mfx_daemon_process_write_pid(const char *path,
                                         const struct mfx_identity *identity,
                                         struct mfx_err *err) MFX_NODISCARD;

/* Forks; the parent waits for mfx_daemon_process_detached and exits with its status.
 * Returns in the child, with what to pass to that. MFX_TEMPFAIL: no fork. */
enum mfx_rc mfx_daemon_process_detach(int *token) MFX_NODISCARD;
void mfx_daemon_process_detached(int token, int status);

/* sd_notify(3): "READY=1". Does nothing without NOTIFY_SOCKET. */
void mfx_daemon_process_notify(const char *text);

/* Ends a process that libmilter's threads still run in: nothing is freed that
 * they may look at, as exit() would. */
_Noreturn void mfx_daemon_process_end(int status);

#endif
