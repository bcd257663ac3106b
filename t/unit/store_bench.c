/* SPDX-License-Identifier: BSD-2-Clause */
#include "store_bench.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MS = 10000,
};

/* --- the clock --- */

uint64_t
store_clock_wall_ms(const struct store_clock *clock)
{
    return (uint64_t)((int64_t)atomic_load(&clock->mono_ms) +
                      atomic_load(&clock->wall_offset_ms));
}

static uint64_t
wall_s(const struct mfx_env *env)
{
    return store_clock_wall_ms(env->arg) / 1000;
}

static uint64_t
mono_ms(const struct mfx_env *env)
{
    const struct store_clock *clock = env->arg;
    return atomic_load(&clock->mono_ms);
}

void
store_clock_init(struct store_clock *clock, struct mfx_env *env)
{
    *env = mfx_env_system();
    atomic_init(&clock->mono_ms, 5000000);
    atomic_init(&clock->wall_offset_ms, INT64_C(1790000000000));
    env->wall_s = wall_s;
    env->mono_ms = mono_ms;
    env->arg = clock;
}

void
store_clock_go(struct store_clock *clock, uint64_t ms)
{
    (void)atomic_fetch_add(&clock->mono_ms, ms);
}

/* --- uses --- */

struct mfx_store_window
store_sliding(uint64_t span_ms, uint64_t limit)
{
    return (struct mfx_store_window){
        .shape = MFX_STORE_SLIDING, .span_ms = span_ms, .limit = limit};
}

struct mfx_store_window
store_bucket(uint64_t span_ms, uint64_t limit)
{
    return (struct mfx_store_window){
        .shape = MFX_STORE_BUCKET, .span_ms = span_ms, .limit = limit};
}

static void
period(const void *arg, uint64_t now_s, uint64_t *begin_s, uint64_t *end_s)
{
    uint64_t length_s = *(const uint64_t *)arg;
    *begin_s = now_s - now_s % length_s;
    *end_s = *begin_s + length_s;
}

struct mfx_store_window
store_fixed(uint64_t span_ms, uint64_t limit, const uint64_t *length_s)
{
    return (struct mfx_store_window){.shape = MFX_STORE_FIXED,
                                     .span_ms = span_ms,
                                     .limit = limit,
                                     .period = period,
                                     .period_arg = length_s};
}

struct mfx_store_use
store_use(const char *counter, const struct mfx_store_window *window,
          uint64_t amount)
{
    return (struct mfx_store_use){.kind = MFX_STORE_AMOUNT,
                                  .counter = mfx_str_of(counter),
                                  .windows = window,
                                  .window_count = window == NULL ? 0 : 1,
                                  .amount = amount};
}

struct mfx_store_use
store_elements(enum mfx_store_kind kind, const char *counter,
               const struct mfx_store_window *window,
               const struct mfx_str *elements, size_t count)
{
    struct mfx_store_use use = store_use(counter, window, 0);
    use.kind = kind;
    use.elements = elements;
    use.element_count = count;
    return use;
}

struct store_said
store_ask(struct mfx_store *store, enum mfx_store_op op, const char *holder,
          const struct mfx_store_use *uses, size_t count, uint64_t lease_ms,
          struct mfx_arena *arena)
{
    struct store_said said = {.rc = MFX_TEMPFAIL};
    said.rc = mfx_store_ask(store, op, mfx_str_of(holder), uses, count,
                            lease_ms, WAIT_MS, arena, &said.answer, &said.err);
    if (said.rc == MFX_OK && said.answer.count > 0)
        said.level = said.answer.readings[0].levels[0];
    return said;
}

bool
store_wait_up(struct mfx_store *store, bool is_up)
{
    struct mfx_store_health health;
    uint64_t until_ms = mfx_mono_ms() + WAIT_MS;
    do {
        mfx_store_health(store, &health);
        if (health.is_up == is_up)
            return true;
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    } while (mfx_mono_ms() < until_ms);
    return false;
}

/* --- folders --- */

void
store_make_dir(char dir[64])
{
    (void)snprintf(dir, 64, "/tmp/mfx-store-XXXXXX");
    if (mkdtemp(dir) == NULL)
        abort();
}

void
store_remove_dir(const char *dir)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command) != 0)
        abort();
}
