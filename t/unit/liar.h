/* SPDX-License-Identifier: BSD-2-Clause
 *
 * liar - starts t/lib/dnsliar for a test
 *
 *     struct liar liar;
 *     if (!liar_start(&liar, "a.test TXT txt hello\n")) skip();
 *     ... liar.server is "127.0.0.1:PORT" ...
 *     liar_stop(&liar);
 */
#ifndef MFX_T_LIAR_H
#define MFX_T_LIAR_H

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mfx/base/str.h>

extern char **environ;

struct liar {
    pid_t pid;
    int keep; /* its standard input: it ends when this is closed */
    char script[64];
    char address[48];
    const char *bind;
    unsigned port; /* 0: any */
    struct mfx_str server;
};

static inline bool
liar_write_script(struct liar *liar, const char *text)
{
    (void)snprintf(liar->script, sizeof liar->script, "/tmp/mfx-liar-XXXXXX");
    int fd = mkstemp(liar->script);
    if (fd < 0)
        return false;
    size_t len = strlen(text);
    bool is_written = write(fd, text, len) == (ssize_t)len;
    (void)close(fd);
    return is_written;
}

static inline bool
liar_spawn(struct liar *liar, int in, int out)
{
    const char *root = getenv("MFX_SRCDIR");
    char path[1024], port[8];
    posix_spawn_file_actions_t actions;
    (void)snprintf(path, sizeof path, "%s/t/lib/dnsliar", root ? root : ".");
    (void)snprintf(port, sizeof port, "%u", liar->port % 65536);
    char bind_option[] = "--bind", port_option[] = "--port", address[48];
    (void)snprintf(address, sizeof address, "%s", liar->bind);
    char *argv[] = {path, bind_option,  address, port_option,
                    port, liar->script, NULL};
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, in, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, out, 1);
    int failed = posix_spawn(&liar->pid, path, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed == 0;
}

static inline void
liar_stop(struct liar *liar)
{
    (void)close(liar->keep);
    if (liar->pid > 0)
        (void)waitpid(liar->pid, NULL, 0);
    (void)unlink(liar->script);
}

/* On an address and port (0: any) of its own. False where there is no Python. */
static inline bool
liar_start_at(struct liar *liar, const char *script, const char *bind,
              unsigned wanted)
{
    int in[2], out[2];
    char line[64] = "";
    unsigned port = 0;
    *liar = (struct liar){.keep = -1, .bind = bind, .port = wanted};
    if (!liar_write_script(liar, script) || pipe2(in, O_CLOEXEC) != 0 ||
        pipe2(out, O_CLOEXEC) != 0)
        return false;
    liar->keep = in[1];
    bool is_started = liar_spawn(liar, in[0], out[1]);
    (void)close(in[0]);
    (void)close(out[1]);
    for (size_t at = 0; is_started && at < sizeof line - 1; at++)
        if (read(out[0], line + at, 1) != 1 || line[at] == '\n')
            break;
    (void)sscanf(line, "port %5u", &port);
    (void)close(out[0]);
    if (port == 0) {
        liar_stop(liar);
        return false;
    }
    (void)snprintf(liar->address, sizeof liar->address, "%s:%u", bind, port);
    liar->server = mfx_str_of(liar->address);
    return true;
}

static inline bool
liar_start(struct liar *liar, const char *script)
{
    return liar_start_at(liar, script, "127.0.0.1", 0);
}

#endif
