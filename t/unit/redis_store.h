/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_store - what the tests of the Redis store share
 */
#ifndef MFX_T_REDIS_STORE_H
#define MFX_T_REDIS_STORE_H

#include <pthread.h>

#include "unit.h"

#include <mfx/store/store_redis.h>

#include "log_lines.h"
#include "redis_server.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    RS_TIMEOUT_MS = 2000, /* of the store, where nothing is to be late */
    RS_WAIT_MS = 20000,   /* of a test */
    RS_HOUR_MS = 3600000,
    RS_LEASE_MS = 60000,
};

static inline const struct mfx_env *
rs_env(void)
{
    static struct mfx_env env;
    if (env.wall_s == NULL)
        env = mfx_env_system();
    return &env;
}

static inline struct mfx_store *
rs_open_with(const struct mfx_store_redis_settings *settings)
{
    struct mfx_err err = {{0}};
    struct mfx_store *store = mfx_store_redis_open(settings, rs_env(), &err);
    if (store == NULL)
        fail_msg("%s", err.msg);
    return store;
}

static inline struct mfx_store *
rs_open(const char *server)
{
    struct mfx_str one = mfx_str_of(server);
    struct mfx_store_redis_settings settings = {
        .servers = &one, .server_count = 1, .timeout_ms = RS_TIMEOUT_MS};
    return rs_open_with(&settings);
}

static inline struct mfx_store_window
rs_hour(uint64_t limit)
{
    return (struct mfx_store_window){
        .shape = MFX_STORE_SLIDING, .span_ms = RS_HOUR_MS, .limit = limit};
}

static inline struct mfx_store_use
rs_amount(const char *counter, const struct mfx_store_window *window,
          uint64_t amount)
{
    return (struct mfx_store_use){.kind = MFX_STORE_AMOUNT,
                                  .counter = mfx_str_of(counter),
                                  .windows = window,
                                  .window_count = 1,
                                  .amount = amount};
}

/* What came of one use: the level of its first window in *level. */
static inline enum mfx_rc
rs_ask(struct mfx_store *store, enum mfx_store_op op, const char *holder,
       const struct mfx_store_use *use, struct mfx_store_answer *answer,
       struct mfx_store_level *level, struct mfx_err *err)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    enum mfx_rc rc = mfx_store_ask(store, op, mfx_str_of(holder), use, 1,
                                   RS_LEASE_MS, RS_WAIT_MS, arena, answer, err);
    if (rc == MFX_OK && level != NULL)
        *level = answer->readings[0].levels[0];
    answer->readings = NULL;
    mfx_arena_free(arena);
    return rc;
}

/* As it must be: the outcome, then used and reserved. */
static inline void
rs_want(const char *label, struct mfx_store *store, enum mfx_store_op op,
        const char *holder, const struct mfx_store_use *use,
        enum mfx_store_outcome outcome, uint64_t used, uint64_t reserved)
{
    struct mfx_store_answer answer = {MFX_STORE_DONE, NULL, 0, false};
    struct mfx_store_level level = {0};
    struct mfx_err err = {{0}};
    if (rs_ask(store, op, holder, use, &answer, &level, &err) != MFX_OK)
        fail_msg("%s: %s", label, err.msg);
    unit_assert_int(label, answer.outcome, outcome);
    unit_assert_int(label, level.used, used);
    unit_assert_int(label, level.reserved, reserved);
}

/* Until the store is up (or down). */
static inline void
rs_wait_health(struct mfx_store *store, bool is_up)
{
    struct mfx_store_health health;
    uint64_t until_ms = mfx_mono_ms() + RS_WAIT_MS;
    do {
        mfx_store_health(store, &health);
        if (health.is_up == is_up && (is_up || health.error[0] != '\0'))
            return;
        redis_sleep_ms(5);
    } while (mfx_mono_ms() < until_ms);
    fail_msg("never %s: %s", is_up ? "up" : "down", health.error);
}

#endif
