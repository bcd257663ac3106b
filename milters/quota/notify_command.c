/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "notify_impl.h"

enum {
    LOOK_MS = 100, /* where nobody tells us of a process's end */
};

static int
open_files(posix_spawn_file_actions_t *actions)
{
    int rc =
        posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDWR, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, 0, 1);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, 0, 2);
    /* libmilter's sockets are inherited otherwise */
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    return rc;
}

/* No signal blocked, none ignored, a process group of its own. */
static int
set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int rc = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK |
                                                      POSIX_SPAWN_SETSIGDEF |
                                                      POSIX_SPAWN_SETPGROUP);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(attributes, &none);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(attributes, &all);
    if (rc == 0)
        rc = posix_spawnattr_setpgroup(attributes, 0);
    return rc;
}

/* An errno, or 0. */
static int
spawn(char **argv, char **environment, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&attributes);
    if (rc == 0) {
        rc = open_files(&actions);
        if (rc == 0)
            rc = set_signals(&attributes);
        if (rc == 0)
            rc = posix_spawn(pid, argv[0], &actions, &attributes, argv,
                             environment);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

void
commands_start(struct commands *c, struct notice *notice, uint64_t now_ms)
{
    struct command *slot = &c->slots[c->running];
    struct mfx_arena *arena = mfx_arena_new(0);
    char **environment =
        arena != NULL ? notice_environment(notice, arena) : NULL;
    int why =
        environment != NULL ? spawn(c->argv, environment, &slot->pid) : ENOMEM;
    mfx_arena_free(arena);
    if (why != 0) {
        struct mfx_err err;
        mfx_err_set(&err, "%s: %s", c->argv[0], strerror(why));
        notice_log_failed(notice, "command", err.msg);
        notice_release(notice);
        c->outcome.failed++;
        return;
    }
    slot->notice = notice;
    slot->fd = (int)syscall(SYS_pidfd_open, slot->pid, 0);
    slot->until_ms = now_ms + c->timeout_ms;
    slot->killed = NULL;
    c->running++;
}

/* True when it has ended well; else why not. */
static bool
judge(const struct command *command, int how, struct mfx_err *why)
{
    if (command->killed != NULL)
        mfx_err_set(why, "killed, since %s", command->killed);
    else if (WIFSIGNALED(how))
        mfx_err_set(why, "ended by signal %d", WTERMSIG(how));
    else if (WIFEXITED(how) && WEXITSTATUS(how) != 0)
        mfx_err_set(why, "exit status %d", WEXITSTATUS(how));
    else
        return true;
    return false;
}

static void
finish(struct commands *c, struct command *command, int how)
{
    struct mfx_err why = {""};
    if (judge(command, how, &why)) {
        c->outcome.done++;
    } else {
        notice_log_failed(command->notice, "command", why.msg);
        c->outcome.failed++;
    }
    if (command->fd >= 0)
        (void)close(command->fd);
    notice_release(command->notice);
    *command = c->slots[--c->running];
}

static void
kill_group(struct command *command, const char *why)
{
    (void)kill(-command->pid, SIGKILL);
    command->killed = why;
}

/* Our own process only: another's wait is not disturbed. Where SIGCHLD is
 * ignored there is nothing to wait for (ECHILD), and no status. */
static bool
has_ended(const struct command *command, int *how)
{
    pid_t got = waitpid(command->pid, how, WNOHANG);
    if (got < 0 && errno == ECHILD)
        *how = 0;
    return got == command->pid || (got < 0 && errno == ECHILD);
}

void
commands_look(struct commands *c, uint64_t now_ms)
{
    for (size_t i = c->running; i-- > 0;) {
        struct command *command = &c->slots[i];
        int how = 0;
        if (has_ended(command, &how))
            finish(c, command, how);
        else if (now_ms >= command->until_ms && command->killed == NULL)
            kill_group(command, "it had not ended in time");
    }
}

void
commands_kill(struct commands *c)
{
    while (c->running > 0) {
        struct command *command = &c->slots[c->running - 1];
        int how = 0;
        kill_group(command, "the daemon ends");
        (void)waitpid(command->pid, &how, 0);
        finish(c, command, how);
    }
}

uint64_t
commands_next_ms(const struct commands *c, uint64_t now_ms)
{
    uint64_t next_ms = UINT64_MAX;
    for (size_t i = 0; i < c->running; i++) {
        const struct command *command = &c->slots[i];
        bool is_told = command->fd >= 0 && command->killed == NULL;
        uint64_t at_ms = is_told ? command->until_ms : now_ms + LOOK_MS;
        if (at_ms < next_ms)
            next_ms = at_ms;
    }
    return next_ms;
}
