/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listener - a socket that others connect to
 *
 *     "unix:/PATH"  "/PATH"  "ADDRESS:PORT"  "[V6]:PORT"  "localhost:PORT"
 *     and the last three with "inet:" or "inet6:" before them
 *
 *     rc = mfx_listener_open(text, 0660, &fd, &err);
 *     ... poll(2), accept4(2) ...
 *     mfx_listener_close(text, fd);
 *
 * A UNIX socket that nobody listens on any more is replaced; it never has wider
 * permissions than `mode`.
 * Ownership: the caller has the descriptor, which does not block and is closed
 * on exec. Errors: MFX_PERMFAIL when the text is wrong, or something else than
 * a socket stands at the path; MFX_TEMPFAIL when somebody listens there, and
 * for anything else that waiting may mend. Threads: any.
 */
#ifndef MFX_NET_LISTENER_H
#define MFX_NET_LISTENER_H

#include <sys/types.h>

#include <mfx/base/str.h>

MFX_API_BEGIN

enum {
    MFX_LISTENER_BACKLOG = 128,
};

/* Looks at the text only. *is_local: only this machine can connect. */
enum mfx_rc mfx_listener_check(struct mfx_str text, bool *is_local,
                               struct mfx_err *err) MFX_NODISCARD;

/* mode: of a UNIX socket. */
enum mfx_rc mfx_listener_open(struct mfx_str text, mode_t mode, int *fd,
                              struct mfx_err *err) MFX_NODISCARD;
/* Removes the UNIX socket, too. */
void mfx_listener_close(struct mfx_str text, int fd);

/* Removes a UNIX socket that nobody listens on. */
enum mfx_rc mfx_listener_clear_stale(const char *path,
                                     struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
