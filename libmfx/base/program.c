/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/program.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOOK_MS = 100, /* where nobody tells us of a process's end */
};

struct program {
    void *arg;
    pid_t pid;
    int fd; /* of the process, to be told of its end; -1: there is none */
    uint64_t until_ms;
    const char *killed; /* why; NULL: it was not */
};

struct mfx_programs {
    void (*ended)(void *context, void *arg, const char *why);
    void *context;
    size_t max, running;
    struct program slots[]; /* the first `running` are in use */
};

struct mfx_programs *
mfx_programs_new(size_t max,
                 void (*ended)(void *context, void *arg, const char *why),
                 void *context)
{
    struct mfx_programs *p = calloc(1, sizeof *p + max * sizeof p->slots[0]);
    if (p == NULL)
        return NULL;
    p->ended = ended;
    p->context = context;
    p->max = max;
    return p;
}

size_t
mfx_programs_running(const struct mfx_programs *programs)
{
    return programs->running;
}

bool
mfx_programs_is_full(const struct mfx_programs *programs)
{
    return programs->running == programs->max;
}

/* --- the start --- */

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
spawn(char *const *argv, char *const *environment, pid_t *pid)
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

enum mfx_rc
mfx_programs_start(struct mfx_programs *programs, char *const *argv,
                   char *const *environment, void *arg, uint64_t until_ms,
                   struct mfx_err *err)
{
    if (mfx_programs_is_full(programs)) {
        mfx_err_set(err, "%zu programs run already", programs->max);
        return MFX_TEMPFAIL;
    }
    struct program *slot = &programs->slots[programs->running];
    int why = spawn(argv, environment, &slot->pid);
    if (why != 0) {
        mfx_err_set(err, "%s: %s", argv[0], strerror(why));
        return MFX_TEMPFAIL;
    }
    slot->arg = arg;
    slot->fd = (int)syscall(SYS_pidfd_open, slot->pid, 0);
    slot->until_ms = until_ms;
    slot->killed = NULL;
    programs->running++;
    return MFX_OK;
}

/* --- the end --- */

/* True when it has ended well; else why not. */
static bool
judge(const struct program *program, int how, struct mfx_err *why)
{
    if (program->killed != NULL)
        mfx_err_set(why, "killed, since %s", program->killed);
    else if (WIFSIGNALED(how))
        mfx_err_set(why, "ended by signal %d", WTERMSIG(how));
    else if (WIFEXITED(how) && WEXITSTATUS(how) != 0)
        mfx_err_set(why, "exit status %d", WEXITSTATUS(how));
    else
        return true;
    return false;
}

static void
finish(struct mfx_programs *programs, struct program *program, int how)
{
    struct mfx_err why = {""};
    bool is_good = judge(program, how, &why);
    void *arg = program->arg;
    if (program->fd >= 0)
        (void)close(program->fd);
    *program = programs->slots[--programs->running];
    programs->ended(programs->context, arg, is_good ? NULL : why.msg);
}

static void
kill_group(struct program *program, const char *why)
{
    (void)kill(-program->pid, SIGKILL);
    program->killed = why;
}

/* Our own process only: another's wait is not disturbed. Where SIGCHLD is
 * ignored there is nothing to wait for (ECHILD), and no status. */
static bool
has_ended(const struct program *program, int *how)
{
    pid_t got = waitpid(program->pid, how, WNOHANG);
    if (got < 0 && errno == ECHILD)
        *how = 0;
    return got == program->pid || (got < 0 && errno == ECHILD);
}

void
mfx_programs_look(struct mfx_programs *programs, uint64_t now_ms)
{
    for (size_t i = programs->running; i-- > 0;) {
        struct program *program = &programs->slots[i];
        int how = 0;
        if (has_ended(program, &how))
            finish(programs, program, how);
        else if (now_ms >= program->until_ms && program->killed == NULL)
            kill_group(program, "it had not ended in time");
    }
}

void
mfx_programs_free(struct mfx_programs *programs)
{
    while (programs != NULL && programs->running > 0) {
        struct program *program = &programs->slots[programs->running - 1];
        int how = 0;
        kill_group(program, "the daemon ends");
        (void)waitpid(program->pid, &how, 0);
        finish(programs, program, how);
    }
    free(programs);
}

/* --- to wait --- */

int
mfx_programs_fd(const struct mfx_programs *programs, size_t i)
{
    return programs->slots[i].fd;
}

uint64_t
mfx_programs_next_ms(const struct mfx_programs *programs, uint64_t now_ms)
{
    uint64_t next_ms = UINT64_MAX;
    for (size_t i = 0; i < programs->running; i++) {
        const struct program *program = &programs->slots[i];
        bool is_told = program->fd >= 0 && program->killed == NULL;
        uint64_t at_ms = is_told ? program->until_ms : now_ms + LOOK_MS;
        if (at_ms < next_ms)
            next_ms = at_ms;
    }
    return next_ms;
}

/* --- values --- */

static struct mfx_str
cut(struct mfx_str s)
{
    size_t len = MFX_PROGRAM_VALUE_MAX;
    if (s.len <= len)
        return s;
    while (len > MFX_PROGRAM_VALUE_MAX - 4 &&
           ((unsigned char)s.p[len] & 0xC0) == 0x80)
        len--;
    return mfx_str_head(s, len);
}

size_t
mfx_program_value(struct mfx_str value, char *out)
{
    struct mfx_str s = cut(value);
    bool is_utf8 = mfx_str_is_utf8(s);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_bad = c < ' ' || c == 0x7F || (c >= 0x80 && !is_utf8);
        out[i] = is_bad ? '?' : s.p[i];
    }
    out[s.len] = '\0';
    return s.len;
}
