/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <pthread.h>
#include <time.h>

#include <mfx/base/env.h>
#include <mfx/base/event.h>

static void
wait_ends_at_its_time(void **state)
{
    struct mfx_event e;
    (void)state;
    mfx_event_init(&e);
    assert_false(mfx_event_is_set(&e));
    uint64_t began = mfx_mono_ms();
    assert_false(mfx_event_wait(&e, began + 30));
    assert_true(mfx_mono_ms() >= began + 29);
    assert_false(mfx_event_wait(&e, 0)); /* long past: at once */
    mfx_event_fini(&e);
}

static void
set_event_is_not_waited_for(void **state)
{
    struct mfx_event e;
    (void)state;
    mfx_event_init(&e);
    mfx_event_set(&e);
    mfx_event_set(&e);
    assert_true(mfx_event_is_set(&e));
    assert_true(mfx_event_wait(&e, 0));
    assert_true(mfx_event_wait(&e, UINT64_MAX));
    mfx_event_fini(&e);
}

struct waiter {
    pthread_t thread;
    struct mfx_event *event;
    bool got;
};

static void *
wait_for_it(void *arg)
{
    struct waiter *w = arg;
    w->got = mfx_event_wait(w->event, mfx_mono_ms() + 20000);
    return NULL;
}

static void
all_waiters_wake(void **state)
{
    struct mfx_event e;
    struct waiter waiters[4];
    struct timespec pause = {.tv_nsec = 20000000};
    (void)state;
    mfx_event_init(&e);
    for (size_t i = 0; i < 4; i++) {
        waiters[i] = (struct waiter){.event = &e};
        assert_int_equal(
            pthread_create(&waiters[i].thread, NULL, wait_for_it, &waiters[i]),
            0);
    }
    (void)nanosleep(&pause, NULL);
    uint64_t began = mfx_mono_ms();
    mfx_event_set(&e);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(waiters[i].thread, NULL), 0);
        assert_true(waiters[i].got);
    }
    assert_true(mfx_mono_ms() < began + 10000);
    mfx_event_fini(&e);
}

static void
system_environment(void **state)
{
    struct mfx_env env = mfx_env_system();
    unsigned char a[32] = {0}, b[32] = {0};
    (void)state;
    assert_null(env.resolver);
    assert_true(env.wall_s(&env) > 1700000000u); /* after 2023 */
    uint64_t before = env.mono_ms(&env);
    assert_true(mfx_mono_ms() >= before);
    env.random(&env, a, sizeof a);
    env.random(&env, b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait_ends_at_its_time),
        cmocka_unit_test(set_event_is_not_waited_for),
        cmocka_unit_test(all_waiters_wake),
        cmocka_unit_test(system_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
