/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control - the UNIX socket that mfxctl speaks to
 *
 * A client sends one line, `[json ]VERB [ARG...]`, at most 4096 bytes, words
 * parted by one blank. The daemon answers `ok` or `error TEXT` on the first
 * line, then the body, and closes. Who may connect is the socket's mode and
 * owner.
 *
 *     control = mfx_control_start(fd, handle, daemon);
 *
 * Ownership: start takes over the listening descriptor. Errors: a client that
 * sends junk, or nothing, or does not read, costs its own connection only.
 * Threads: one, in which the handler runs.
 * Limits: 32 clients at once, others wait; 5 s to ask, 30 s to read.
 */
#ifndef MFX_MILTER_CONTROL_H
#define MFX_MILTER_CONTROL_H

#include <mfx/base/buf.h>

enum {
    MFX_CONTROL_LINE_MAX = 4096,
    MFX_CONTROL_ANSWER_MAX = 64 * 1024 * 1024,
};

struct mfx_control;

/* Writes the whole answer, first line included. line: without its end. */
typedef void mfx_control_handler(void *arg, struct mfx_str line,
                                 struct mfx_buf *out);

struct mfx_control *mfx_control_start(int listen_fd,
                                      mfx_control_handler *handle, void *arg);
void mfx_control_stop(struct mfx_control *control); /* waits for it */

#endif
