/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/signals.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <mfx/base/env.h>
#include <mfx/base/str.h>

/* A handler has no argument: this is the state of the process. */
static struct {
    int fd;
    atomic_uint pending;
    atomic_int rival; /* the thread to sleep; 0: none */
    atomic_bool is_parked;
} state = {.fd = -1};

void
mfx_signals_wake(unsigned what)
{
    const uint64_t one = 1;
    int saved = errno;
    atomic_fetch_or(&state.pending, what);
    /* full means that it will wake anyway */
    if (write(state.fd, &one, sizeof one) < 0)
        errno = saved;
}

static void
on_signal(int number)
{
    mfx_signals_wake(number == SIGHUP ? MFX_SIGNAL_RELOAD : MFX_SIGNAL_STOP);
}

static void
ours(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGHUP);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
}

static void
handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

enum mfx_rc
mfx_signals_block(void)
{
    sigset_t set;
    state.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (state.fd < 0)
        return MFX_TEMPFAIL;
    ours(&set);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    handle(SIGPIPE, SIG_IGN, 0);
    handle(SIGHUP, on_signal, SA_NODEFER | SA_RESTART);
    handle(SIGTERM, on_signal, SA_NODEFER | SA_RESTART);
    handle(SIGINT, on_signal, SA_NODEFER | SA_RESTART);
    return MFX_OK;
}

void
mfx_signals_listen(void)
{
    sigset_t set;
    ours(&set);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

unsigned
mfx_signals_wait(int timeout_ms)
{
    struct pollfd p = {.fd = state.fd, .events = POLLIN};
    uint64_t count;
    unsigned what = atomic_exchange(&state.pending, 0);
    if (what != 0)
        return what;
    if (poll(&p, 1, timeout_ms) > 0 &&
        read(state.fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return 0;
    return atomic_exchange(&state.pending, 0);
}

/* --- libmilter's thread --- */

/* Runs in the rival only, with every signal blocked, and never returns to its
 * sigwait. */
static void
on_park(int number)
{
    sigset_t all;
    (void)number;
    if ((int)syscall(SYS_gettid) != atomic_load(&state.rival))
        return;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    atomic_store(&state.is_parked, true);
    for (;;)
        (void)pause();
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The signals that a thread of this process blocks, as a mask of bits;
 * everything when it cannot be read. */
static uint64_t
blocked_by(const char *thread)
{
    char path[64], line[256];
    uint64_t mask = UINT64_MAX;
    (void)snprintf(path, sizeof path, "/proc/self/task/%.20s/status", thread);
    FILE *status = fopen(path, "re");
    if (status == NULL)
        return mask;
    while (fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "SigBlk:\t", 8) != 0)
            continue;
        mask = 0;
        for (const char *p = line + 8; hex_value(*p) >= 0; p++)
            mask = mask << 4 | (uint64_t)hex_value(*p);
    }
    (void)fclose(status);
    return mask;
}

/* The thread besides the first that waits for HUP: sigwait unblocks it. */
static int
find_rival(void)
{
    const uint64_t hup = 1U << (SIGHUP - 1);
    uint64_t found = 0, thread;
    const struct dirent *entry;
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL)
        return 0;
    while (found == 0 && (entry = readdir(threads)) != NULL)
        if (mfx_str_to_u64(mfx_str_of(entry->d_name), INT32_MAX, &thread) ==
                MFX_OK &&
            thread != (uint64_t)getpid() &&
            (blocked_by(entry->d_name) & hup) == 0)
            found = thread;
    (void)closedir(threads);
    return (int)found;
}

enum mfx_rc
mfx_signals_park_rival(uint64_t timeout_ms)
{
    const struct timespec pause_ns = {.tv_nsec = 1000000};
    const uint64_t until_ms = mfx_mono_ms() + timeout_ms;
    handle(SIGRTMAX, on_park, SA_RESTART);
    while (!atomic_load(&state.is_parked)) {
        if (mfx_mono_ms() >= until_ms)
            return MFX_TEMPFAIL;
        int rival = atomic_load(&state.rival);
        if (rival == 0 && (rival = find_rival()) > 0) {
            atomic_store(&state.rival, rival);
            (void)syscall(SYS_tgkill, getpid(), rival, SIGRTMAX);
        }
        (void)nanosleep(&pause_ns, NULL);
    }
    return MFX_OK;
}
