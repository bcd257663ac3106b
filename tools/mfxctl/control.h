/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control - asking a daemon through its control socket
 *
 * The client sends one line "[json ]VERB [ARG...]\n"; the daemon answers
 * "ok\n" or "error TEXT\n", then the body until it closes.
 *
 * Ownership: replies in the arena. Errors: MFX_NOTFOUND when nobody listens
 * there, MFX_PERMFAIL when we may not ask or the answer is no answer,
 * MFX_TEMPFAIL when it did not come whole in time. Threads: pure.
 */
#ifndef MFX_TOOLS_CONTROL_H
#define MFX_TOOLS_CONTROL_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>

enum {
    CONTROL_LINE_MAX = 4096,
    CONTROL_REPLY_MAX = 64 * 1024 * 1024,
};

struct control_reply {
    bool is_error;
    struct mfx_str error; /* the daemon's text when is_error */
    struct mfx_str body;
};

/* Appends the request line for these words; MFX_PERMFAIL when a word is empty
 * or holds a blank or a control byte, or the line is too long. */
enum mfx_rc control_request(struct mfx_buf *line, bool as_json,
                            const char *const *words,
                            size_t count) MFX_NODISCARD;

enum mfx_rc control_ask(const char *path, struct mfx_str line,
                        uint64_t until_ms, struct mfx_arena *arena,
                        struct control_reply *reply,
                        struct mfx_err *err) MFX_NODISCARD;

/* The socket of a daemon: `given`, or what the environment says (mfxctl
 * --socket), both of which must be there; or the usual place. */
const char *control_path(const char *given, const char *daemon,
                         struct mfx_arena *arena, bool *must_be_there);

struct control_socket {
    const char *path, *daemon;
};

/* The "NAME.ctl" in a folder, by name. MFX_NOTFOUND when there is none. */
enum mfx_rc control_find(const char *folder, struct mfx_arena *arena,
                         const struct control_socket **sockets,
                         size_t *count) MFX_NODISCARD;

#endif
