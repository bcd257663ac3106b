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

enum {
    MANY = 5,
};

struct setter {
    struct mfx_event *event;
    uint64_t at_ms;
};

static void *
set_later(void *arg)
{
    const struct setter *s = arg;
    uint64_t now = mfx_mono_ms(), ms = s->at_ms > now ? s->at_ms - now : 0;
    struct timespec pause = {.tv_nsec = (long)ms * 1000000};
    (void)nanosleep(&pause, NULL);
    mfx_event_set(s->event);
    return NULL;
}

/* Each of several events wakes who waits for any, not only the first. */
static void
any_event_wakes(void **state)
{
    struct mfx_event events[MANY], *all[MANY];
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        for (size_t j = 0; j < MANY; j++) {
            mfx_event_init(&events[j]);
            all[j] = &events[j];
        }
        pthread_t thread;
        uint64_t began = mfx_mono_ms();
        struct setter setter = {&events[i], began + 20};
        assert_false(mfx_event_wait_any(all, MANY, began));
        assert_int_equal(pthread_create(&thread, NULL, set_later, &setter), 0);
        assert_true(mfx_event_wait_any(all, MANY, began + 30000));
        assert_true(mfx_mono_ms() < began + 20000);
        for (size_t j = 0; j < MANY; j++)
            assert_int_equal(mfx_event_is_set(&events[j]), i == j);
        assert_true(mfx_event_wait_any(all, MANY, 0)); /* at once */
        assert_false(mfx_event_wait_any(all, i, 0));   /* that one is behind */
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    uint64_t began = mfx_mono_ms();
    mfx_event_init(&events[0]);
    assert_false(mfx_event_wait_any(all, 1, began + 30));
    assert_true(mfx_mono_ms() >= began + 29);
    assert_false(mfx_event_wait_any(NULL, 0, began + 30000));
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
        cmocka_unit_test(any_event_wakes),
        cmocka_unit_test(system_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
