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

#include <mfx/base/env.h>

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

static struct timespec
timespec_of(uint64_t ms)
{
    return (struct timespec){
        .tv_sec = (time_t)(ms / 1000),
        .tv_nsec = (long)(ms % 1000) * 1000000,
    };
}

/* Whoever sets it now wakes those who wait. */
static void
await(struct mfx_event *event)
{
    uint32_t unset = UNSET;
    (void)__atomic_compare_exchange_n(&event->state, &unset, AWAITED, false,
                                      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

bool
mfx_event_wait(struct mfx_event *event, uint64_t until_ms)
{
    const struct timespec until = timespec_of(until_ms);
    await(event);
    while (!mfx_event_is_set(event))
        if (syscall(SYS_futex, &event->state,
                    FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, AWAITED, &until,
                    NULL, FUTEX_BITSET_MATCH_ANY) != 0 &&
            errno == ETIMEDOUT)
            return mfx_event_is_set(event);
    return true;
}

static bool
is_any_set(struct mfx_event *const *events, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (mfx_event_is_set(events[i]))
            return true;
    return false;
}

/* Where the kernel (before 5.16) or its filter has no futex_waitv(2): one is
 * waited for, and all are looked at from time to time. */
static bool
wait_in_turns(struct mfx_event *const *events, size_t count, uint64_t until_ms)
{
    for (uint64_t slice = 1;; slice = slice < 16 ? slice * 2 : 16) {
        uint64_t now = mfx_mono_ms();
        uint64_t until = until_ms - now < slice ? until_ms : now + slice;
        if (now >= until_ms)
            return is_any_set(events, count);
        if (mfx_event_wait(events[0], until) || is_any_set(events, count))
            return true;
    }
}

bool
mfx_event_wait_any(struct mfx_event *const *events, size_t count,
                   uint64_t until_ms)
{
    const struct timespec until = timespec_of(until_ms);
    struct futex_waitv waits[MFX_EVENT_ANY_MAX];
    if (count > MFX_EVENT_ANY_MAX)
        count = MFX_EVENT_ANY_MAX;
    for (size_t i = 0; i < count; i++) {
        await(events[i]);
        waits[i] = (struct futex_waitv){
            .val = AWAITED,
            .uaddr = (uintptr_t)&events[i]->state,
            .flags = FUTEX_32 | FUTEX_PRIVATE_FLAG,
        };
    }
    while (count > 0 && !is_any_set(events, count)) {
        if (syscall(SYS_futex_waitv, waits, count, 0, &until,
                    CLOCK_MONOTONIC) >= 0 ||
            errno == EAGAIN || errno == EINTR)
            continue;
        if (errno == ETIMEDOUT)
            return is_any_set(events, count);
        return wait_in_turns(events, count, until_ms);
    }
    return count > 0;
}
