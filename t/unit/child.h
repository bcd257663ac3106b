/* SPDX-License-Identifier: BSD-2-Clause
 *
 * child - a program that a test starts and stops
 *
 *     struct child child;
 *     if (!child_start(&child, argv)) ...   its first line: child.line
 *     child_stop(&child);
 *
 * Its standard input is a pipe that closes with the test, so that programs
 * which end then do not outlive a test that died.
 */
#ifndef MFX_T_CHILD_H
#define MFX_T_CHILD_H

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct child {
    pid_t pid;
    int in; /* its standard input */
    char line[256];
};

static inline bool
child_spawn(struct child *child, char *const argv[], int in, int out)
{
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, in, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, out, 1);
    int failed =
        posix_spawnp(&child->pid, argv[0], &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (failed != 0)
        child->pid = 0;
    return failed == 0;
}

static inline void
child_stop(struct child *child)
{
    if (child->in >= 0)
        (void)close(child->in);
    child->in = -1;
    if (child->pid <= 0)
        return;
    (void)kill(child->pid, SIGCONT);
    (void)kill(child->pid, SIGKILL);
    (void)waitpid(child->pid, NULL, 0);
    child->pid = 0;
}

/* Waits for its first line. False when it could not be started or ended
 * without one. */
static inline bool
child_start(struct child *child, char *const argv[])
{
    int in[2], out[2];
    *child = (struct child){.in = -1};
    if (pipe2(in, O_CLOEXEC) != 0)
        return false;
    child->in = in[1];
    if (pipe2(out, O_CLOEXEC) != 0)
        return false;
    bool is_started = child_spawn(child, argv, in[0], out[1]);
    (void)close(in[0]);
    (void)close(out[1]);
    size_t at = 0;
    while (is_started && at < sizeof child->line - 1) {
        if (read(out[0], child->line + at, 1) != 1)
            break;
        if (child->line[at] == '\n')
            break;
        at++;
    }
    child->line[at] = '\0';
    (void)close(out[0]);
    if (at == 0)
        child_stop(child);
    return at > 0;
}

#endif
