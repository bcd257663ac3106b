/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/lane.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

enum {
    LANES_MAX = 64,
};

struct job {
    void (*run)(void *arg);
    void *arg;
    struct job *next;
    bool is_done;
    pthread_cond_t done;
};

struct lane {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct job *first, **end;
    atomic_size_t open; /* jobs waiting or at work */
};

static struct {
    pthread_once_t once;
    size_t count; /* 0: no thread could be had */
    struct lane lanes[LANES_MAX];
} all = {.once = PTHREAD_ONCE_INIT};

static struct job *
wait_for_job(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->mutex);
    while (lane->first == NULL)
        (void)pthread_cond_wait(&lane->work, &lane->mutex);
    struct job *job = lane->first;
    lane->first = job->next;
    if (lane->first == NULL)
        lane->end = &lane->first;
    (void)pthread_mutex_unlock(&lane->mutex);
    return job;
}

static void *
work(void *arg)
{
    struct lane *lane = arg;
    for (;;) {
        struct job *job = wait_for_job(lane);
        job->run(job->arg);
        (void)pthread_mutex_lock(&lane->mutex);
        job->is_done = true;
        atomic_fetch_sub(&lane->open, 1);
        /* under the mutex: the waiter takes the job away behind it */
        (void)pthread_cond_signal(&job->done);
        (void)pthread_mutex_unlock(&lane->mutex);
    }
    return NULL;
}

static bool
start(struct lane *lane)
{
    pthread_t thread;
    (void)pthread_mutex_init(&lane->mutex, NULL);
    (void)pthread_cond_init(&lane->work, NULL);
    lane->end = &lane->first;
    if (pthread_create(&thread, NULL, work, lane) != 0)
        return false;
    (void)pthread_detach(thread);
    return true;
}

static void
start_all(void)
{
    sigset_t every, before;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t wanted = processors < 1 ? 1 : (size_t)processors;
    if (wanted > LANES_MAX)
        wanted = LANES_MAX;
    /* signals are for the daemon's first thread */
    (void)sigfillset(&every);
    (void)pthread_sigmask(SIG_SETMASK, &every, &before);
    while (all.count < wanted && start(&all.lanes[all.count]))
        all.count++;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* The key's own lane, or the next one that has less to do: a key that all
 * mail is signed with is prepared in every lane soon, and uses them all. */
static struct lane *
lane_of(const void *key)
{
    /* neighbouring keys lie at neighbouring addresses: mixed by Fibonacci */
    uint64_t mixed = (uint64_t)(uintptr_t)key * 0x9E3779B97F4A7C15u;
    size_t own = (size_t)(mixed >> 32) % all.count;
    struct lane *best = &all.lanes[own];
    size_t least = atomic_load(&best->open);
    for (size_t i = 1; i < all.count && least > 0; i++) {
        struct lane *lane = &all.lanes[(own + i) % all.count];
        size_t open = atomic_load(&lane->open);
        if (open < least) {
            best = lane;
            least = open;
        }
    }
    return best;
}

void
mfx_lane_run(const void *key, void (*run)(void *arg), void *arg)
{
    (void)pthread_once(&all.once, start_all);
    if (all.count == 0) {
        run(arg);
        return;
    }
    struct lane *lane = lane_of(key);
    struct job job = {.run = run, .arg = arg};
    (void)pthread_cond_init(&job.done, NULL);
    atomic_fetch_add(&lane->open, 1);
    (void)pthread_mutex_lock(&lane->mutex);
    *lane->end = &job;
    lane->end = &job.next;
    (void)pthread_cond_signal(&lane->work);
    while (!job.is_done)
        (void)pthread_cond_wait(&job.done, &lane->mutex);
    (void)pthread_mutex_unlock(&lane->mutex);
    (void)pthread_cond_destroy(&job.done);
}
