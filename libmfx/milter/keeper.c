/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/keeper.h>

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mfx/base/log.h>
#include <mfx/milter/watch.h>

enum {
    QUIET_MS = 200,
    QUIET_MAX_MS = 2000, /* a directory that is never quiet */
    CHECK_MS = 5000,
    RETRY_MS = 60000, /* after a reload that failed, without a sign */
};

struct mfx_keeper {
    struct mfx_daemon *daemon;
    pthread_t thread;
    int wake;
    _Atomic(const char *) why; /* told, not done yet */
    atomic_bool is_stopping;
    uint64_t first_change_ms, quiet_at_ms, check_at_ms;
};

static bool
is_outdated(struct mfx_daemon *d)
{
    struct mfx_snapshot *s = mfx_snapshot_slot_get(&d->engine.snapshots);
    bool is = s->common.watch_files && mfx_snapshot_is_outdated(s);
    mfx_snapshot_release(s);
    return is;
}

static void
reload(struct mfx_keeper *k, const char *why)
{
    struct mfx_daemon *d = k->daemon;
    bool ok = mfx_daemon_reload(d, why, NULL);
    k->check_at_ms = mfx_mono_ms() + (ok ? CHECK_MS : RETRY_MS);
}

static int
time_left(const struct mfx_keeper *k, uint64_t now)
{
    uint64_t at = k->check_at_ms;
    if (k->quiet_at_ms != 0 && k->quiet_at_ms < at)
        at = k->quiet_at_ms;
    return at <= now ? 0 : (int)(at - now);
}

static void
note_change(struct mfx_keeper *k, uint64_t now)
{
    if (k->quiet_at_ms == 0)
        k->first_change_ms = now;
    k->quiet_at_ms = now + QUIET_MS;
    if (k->quiet_at_ms > k->first_change_ms + QUIET_MAX_MS)
        k->quiet_at_ms = k->first_change_ms + QUIET_MAX_MS;
}

/* One turn: waits, then does what is due. */
static void
turn(struct mfx_keeper *k)
{
    struct mfx_watch *watch = k->daemon->watch;
    struct pollfd p[2] = {
        {.fd = k->wake,                                  .events = POLLIN},
        {.fd = watch == NULL ? -1 : mfx_watch_fd(watch), .events = POLLIN},
    };
    uint64_t told;
    (void)poll(p, 2, time_left(k, mfx_mono_ms()));
    uint64_t now = mfx_mono_ms();
    if (p[0].revents != 0 && read(k->wake, &told, sizeof told) < 0)
        return;
    if (watch != NULL && mfx_watch_take(watch))
        note_change(k, now);
    const char *why = atomic_exchange(&k->why, NULL);
    if (why != NULL) {
        reload(k, why);
    } else if (k->quiet_at_ms != 0 && now >= k->quiet_at_ms) {
        k->quiet_at_ms = 0;
        if (is_outdated(k->daemon))
            reload(k, "files changed");
    } else if (now >= k->check_at_ms) {
        k->check_at_ms = now + CHECK_MS;
        if (is_outdated(k->daemon))
            reload(k, "files changed");
    }
}

static void *
keep(void *arg)
{
    struct mfx_keeper *k = arg;
    while (!atomic_load(&k->is_stopping))
        turn(k);
    return NULL;
}

struct mfx_keeper *
mfx_keeper_start(struct mfx_daemon *daemon)
{
    struct mfx_keeper *k = calloc(1, sizeof *k);
    if (k == NULL)
        return NULL;
    k->daemon = daemon;
    k->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    k->check_at_ms = mfx_mono_ms() + CHECK_MS;
    if (k->wake < 0 || pthread_create(&k->thread, NULL, keep, k) != 0) {
        if (k->wake >= 0)
            (void)close(k->wake);
        free(k);
        return NULL;
    }
    return k;
}

static void
wake(struct mfx_keeper *k)
{
    const uint64_t one = 1;
    if (write(k->wake, &one, sizeof one) < 0)
        return; /* full: it will wake anyway */
}

void
mfx_keeper_tell(struct mfx_keeper *k, const char *why)
{
    atomic_store(&k->why, why);
    wake(k);
}

void
mfx_keeper_stop(struct mfx_keeper *k)
{
    if (k == NULL)
        return;
    atomic_store(&k->is_stopping, true);
    wake(k);
    (void)pthread_join(k->thread, NULL);
    (void)close(k->wake);
    free(k);
}
