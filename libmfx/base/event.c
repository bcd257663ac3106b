/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A futex: with a mutex and a condition the one who is woken often finds the
 * mutex still held by the one who wakes, and each message pays for two more
 * changes of threads.
 */
#include <mfx/base/event.h>

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    UNSET,
    AWAITED,
    SET,
};

void
mfx_event_init(struct mfx_event *event)
{
    __atomic_store_n(&event->state, UNSET, __ATOMIC_RELEASE);
}

void
mfx_event_fini(struct mfx_event *event)
{
    event->state = UNSET;
}

/* Who waits may see it set and free it before it is woken: then the wake finds
 * nobody, which does no harm. */
void
mfx_event_set(struct mfx_event *event)
{
    uint32_t *state = &event->state;
    if (__atomic_exchange_n(state, SET, __ATOMIC_ACQ_REL) == AWAITED)
        (void)syscall(SYS_futex, state, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL,
                      0);
}

bool
mfx_event_is_set(struct mfx_event *event)
{
    return __atomic_load_n(&event->state, __ATOMIC_ACQUIRE) == SET;
}

bool
mfx_event_wait(struct mfx_event *event, uint64_t until_ms)
{
    const struct timespec until = {
        .tv_sec = (time_t)(until_ms / 1000),
        .tv_nsec = (long)(until_ms % 1000) * 1000000,
    };
    uint32_t unset = UNSET;
    (void)__atomic_compare_exchange_n(&event->state, &unset, AWAITED, false,
                                      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    while (!mfx_event_is_set(event))
        if (syscall(SYS_futex, &event->state,
                    FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, AWAITED, &until,
                    NULL, FUTEX_BITSET_MATCH_ANY) != 0 &&
            errno == ETIMEDOUT)
            return mfx_event_is_set(event);
    return true;
}
