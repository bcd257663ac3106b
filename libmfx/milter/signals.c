/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/signals.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A handler has no argument: this is the state of the process. */
static struct {
    int fd;
    atomic_uint pending;
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
