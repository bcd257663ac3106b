/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/event.h>

#include <time.h>

void
mfx_event_init(struct mfx_event *event)
{
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&event->mutex, NULL);
    (void)pthread_cond_init(&event->cond, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    event->is_set = false;
}

void
mfx_event_fini(struct mfx_event *event)
{
    (void)pthread_cond_destroy(&event->cond);
    (void)pthread_mutex_destroy(&event->mutex);
}

void
mfx_event_set(struct mfx_event *event)
{
    (void)pthread_mutex_lock(&event->mutex);
    event->is_set = true;
    (void)pthread_cond_broadcast(&event->cond);
    (void)pthread_mutex_unlock(&event->mutex);
}

bool
mfx_event_is_set(struct mfx_event *event)
{
    (void)pthread_mutex_lock(&event->mutex);
    bool is_set = event->is_set;
    (void)pthread_mutex_unlock(&event->mutex);
    return is_set;
}

bool
mfx_event_wait(struct mfx_event *event, uint64_t until_ms)
{
    struct timespec until = {
        .tv_sec = (time_t)(until_ms / 1000),
        .tv_nsec = (long)(until_ms % 1000) * 1000000,
    };
    int failed = 0;
    (void)pthread_mutex_lock(&event->mutex);
    while (!event->is_set && failed == 0)
        failed = pthread_cond_timedwait(&event->cond, &event->mutex, &until);
    bool is_set = event->is_set;
    (void)pthread_mutex_unlock(&event->mutex);
    return is_set;
}
