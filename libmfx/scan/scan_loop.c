/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/scan_loop.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mfx/base/env.h>

enum {
    SLOTS_FIRST = 32,
    SLEEP_MAX_MS = 60000,
};

struct mfx_scan_loop {
    atomic_uint holders;
    pthread_t thread;
    int wake_fd;
    pthread_mutex_t mutex; /* to has_ended */
    struct mfx_scan_job *jobs, **jobs_end;
    bool is_stopping, has_ended;
    bool is_waiting; /* or about to: a job has to wake it */

    /* the thread's own */
    struct mfx_scan_watch **watches; /* [0] is the wake_fd's; NULL: free */
    struct pollfd *polls;
    size_t count, cap;
    bool has_hurried; /* the last round did not look at descriptors */
    char scratch[MFX_SCAN_LOOP_SCRATCH];
};

/* --- watches --- */

static bool
make_room(struct mfx_scan_loop *loop)
{
    if (loop->count < loop->cap)
        return true;
    size_t cap = loop->cap == 0 ? SLOTS_FIRST : 2 * loop->cap;
    struct mfx_scan_watch **watches =
        realloc(loop->watches, cap * sizeof *watches);
    if (watches == NULL)
        return false;
    loop->watches = watches;
    struct pollfd *polls = realloc(loop->polls, cap * sizeof *polls);
    if (polls == NULL)
        return false;
    loop->polls = polls;
    loop->cap = cap;
    return true;
}

bool
mfx_scan_loop_watch(struct mfx_scan_loop *loop, struct mfx_scan_watch *watch)
{
    if (watch->slot != 0)
        return true;
    if (!make_room(loop))
        return false;
    watch->slot = loop->count;
    loop->watches[loop->count++] = watch;
    return true;
}

void
mfx_scan_loop_unwatch(struct mfx_scan_loop *loop, struct mfx_scan_watch *watch)
{
    if (watch->slot == 0)
        return;
    loop->watches[watch->slot] = NULL;
    watch->slot = 0;
}

/* Closes the gaps; nobody counts on a slot's number between two rounds. */
static void
compact(struct mfx_scan_loop *loop)
{
    size_t to = 1;
    for (size_t from = 1; from < loop->count; from++) {
        struct mfx_scan_watch *w = loop->watches[from];
        if (w == NULL)
            continue;
        w->slot = to;
        loop->watches[to++] = w;
    }
    loop->count = to;
}

/* --- jobs --- */

static void
wake(struct mfx_scan_loop *loop)
{
    uint64_t one = 1;
    while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

enum mfx_scan_posted
mfx_scan_loop_post(struct mfx_scan_loop *loop, struct mfx_scan_job *job)
{
    (void)pthread_mutex_lock(&loop->mutex);
    enum mfx_scan_posted posted = loop->has_ended  ? MFX_SCAN_NO_LOOP
                                  : job->is_queued ? MFX_SCAN_POSTED_BEFORE
                                                   : MFX_SCAN_POSTED;
    if (posted == MFX_SCAN_POSTED) {
        job->is_queued = true;
        job->next = NULL;
        *loop->jobs_end = job;
        loop->jobs_end = &job->next;
        if (loop->is_waiting)
            wake(loop);
        loop->is_waiting = false;
    }
    (void)pthread_mutex_unlock(&loop->mutex);
    return posted;
}

static struct mfx_scan_job *
next_job(struct mfx_scan_loop *loop, bool *is_stopping)
{
    (void)pthread_mutex_lock(&loop->mutex);
    struct mfx_scan_job *job = loop->jobs;
    if (job != NULL) {
        loop->jobs = job->next;
        if (loop->jobs == NULL)
            loop->jobs_end = &loop->jobs;
        job->is_queued = false;
    }
    *is_stopping = loop->is_stopping;
    loop->is_waiting = job == NULL;
    (void)pthread_mutex_unlock(&loop->mutex);
    return job;
}

/* False when the loop is to end. */
static bool
run_jobs(struct mfx_scan_loop *loop)
{
    bool is_stopping = false;
    struct mfx_scan_job *job;
    while ((job = next_job(loop, &is_stopping)) != NULL)
        job->run(job);
    return !is_stopping;
}

/* --- the thread --- */

static int
fill_polls(struct mfx_scan_loop *loop, uint64_t now_ms)
{
    uint64_t due_ms = now_ms + SLEEP_MAX_MS;
    loop->polls[0] = (struct pollfd){.fd = loop->wake_fd, .events = POLLIN};
    for (size_t i = 1; i < loop->count; i++) {
        const struct mfx_scan_watch *w = loop->watches[i];
        loop->polls[i] = (struct pollfd){.fd = w->fd, .events = w->events};
        /* with nothing to wait for, errors would come all the time */
        if (w->events == 0)
            loop->polls[i].fd = -1;
        if (w->due_ms < due_ms)
            due_ms = w->due_ms;
    }
    return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

static void
drain_wake(struct mfx_scan_loop *loop)
{
    uint64_t count;
    while (read(loop->wake_fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
}

/* What is due at once is not kept waiting for descriptors; but not twice in a
 * row. How many are ready. */
static int
wait_for_events(struct mfx_scan_loop *loop, size_t count)
{
    int wait_ms = fill_polls(loop, mfx_mono_ms());
    loop->has_hurried = wait_ms == 0 && !loop->has_hurried;
    if (loop->has_hurried)
        return 0;
    int ready = poll(loop->polls, count, wait_ms);
    if (ready > 0 && loop->polls[0].revents != 0)
        drain_wake(loop);
    return ready;
}

static void
run_round(struct mfx_scan_loop *loop)
{
    compact(loop);
    size_t count = loop->count;
    int ready = wait_for_events(loop, count);
    uint64_t now_ms = mfx_mono_ms();
    for (size_t i = 1; i < count; i++) {
        struct mfx_scan_watch *w = loop->watches[i];
        short revents = ready > 0 ? loop->polls[i].revents : 0;
        if (w != NULL && (revents != 0 || now_ms >= w->due_ms))
            w->ready(w, revents, now_ms);
    }
}

static void
stop_watches(struct mfx_scan_loop *loop)
{
    for (size_t i = 1; i < loop->count; i++) {
        struct mfx_scan_watch *w = loop->watches[i];
        if (w != NULL)
            w->stop(w);
    }
}

/* What comes until nothing can come any more is still run. */
static void
end_loop(struct mfx_scan_loop *loop)
{
    bool has_ended = false;
    while (!has_ended) {
        (void)run_jobs(loop);
        stop_watches(loop);
        (void)pthread_mutex_lock(&loop->mutex);
        has_ended = loop->jobs == NULL;
        loop->has_ended = has_ended;
        (void)pthread_mutex_unlock(&loop->mutex);
    }
}

static void *
run(void *arg)
{
    struct mfx_scan_loop *loop = arg;
    while (run_jobs(loop))
        run_round(loop);
    end_loop(loop);
    return NULL;
}

/* The thread takes no signal: those are for threads that wait for them. */
static int
start_thread(struct mfx_scan_loop *loop)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&loop->thread, NULL, run, loop);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

enum mfx_rc
mfx_scan_loop_new(struct mfx_scan_loop **loop, struct mfx_err *err)
{
    struct mfx_scan_loop *l = calloc(1, sizeof *l);
    if (l == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    atomic_init(&l->holders, 1);
    (void)pthread_mutex_init(&l->mutex, NULL);
    l->jobs_end = &l->jobs;
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->wake_fd >= 0 && make_room(l)) {
        l->watches[0] = NULL;
        l->count = 1;
        if (start_thread(l) == 0) {
            *loop = l;
            return MFX_OK;
        }
    }
    mfx_err_set(err, "scanners: no thread");
    mfx_scan_loop_release(l);
    return MFX_TEMPFAIL;
}

struct mfx_scan_loop *
mfx_scan_loop_hold(struct mfx_scan_loop *loop)
{
    atomic_fetch_add(&loop->holders, 1);
    return loop;
}

void
mfx_scan_loop_release(struct mfx_scan_loop *loop)
{
    if (atomic_fetch_sub(&loop->holders, 1) != 1)
        return;
    if (loop->wake_fd >= 0)
        (void)close(loop->wake_fd);
    (void)pthread_mutex_destroy(&loop->mutex);
    free(loop->watches);
    free(loop->polls);
    free(loop);
}

void
mfx_scan_loop_free(struct mfx_scan_loop *loop)
{
    if (loop == NULL)
        return;
    (void)pthread_mutex_lock(&loop->mutex);
    loop->is_stopping = true;
    wake(loop);
    (void)pthread_mutex_unlock(&loop->mutex);
    (void)pthread_join(loop->thread, NULL);
    mfx_scan_loop_release(loop);
}

char *
mfx_scan_loop_scratch(struct mfx_scan_loop *loop)
{
    return loop->scratch;
}
