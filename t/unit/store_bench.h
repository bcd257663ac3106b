/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_bench - short words for asking a store in tests, and a clock of the
 * test's own */
#ifndef MFX_T_UNIT_STORE_BENCH_H
#define MFX_T_UNIT_STORE_BENCH_H

#include <stdatomic.h>

#include <mfx/store/store_local.h>

#include "unit.h"

/* env.arg of the clock's env; threads may look while the test steps it. */
struct store_clock {
    atomic_uint_fast64_t mono_ms;
    atomic_int_fast64_t wall_offset_ms; /* wall: mono and this */
};

void store_clock_init(struct store_clock *clock, struct mfx_env *env);
void store_clock_go(struct store_clock *clock, uint64_t ms);
uint64_t store_clock_wall_ms(const struct store_clock *clock);

struct mfx_store_window store_sliding(uint64_t span_ms, uint64_t limit);
struct mfx_store_window store_fixed(uint64_t span_ms, uint64_t limit,
                                    const uint64_t *length_s);
struct mfx_store_window store_bucket(uint64_t span_ms, uint64_t limit);

/* One use of an amount, in one window. */
struct mfx_store_use store_use(const char *counter,
                               const struct mfx_store_window *window,
                               uint64_t amount);
struct mfx_store_use store_elements(enum mfx_store_kind kind,
                                    const char *counter,
                                    const struct mfx_store_window *window,
                                    const struct mfx_str *elements,
                                    size_t count);

/* What the store answers, in 10 s; arena for the readings. */
struct store_said {
    enum mfx_rc rc;
    struct mfx_err err;
    struct mfx_store_answer answer;
    struct mfx_store_level level; /* the first */
};
struct store_said store_ask(struct mfx_store *store, enum mfx_store_op op,
                            const char *holder,
                            const struct mfx_store_use *uses, size_t count,
                            uint64_t lease_ms, struct mfx_arena *arena);

/* Until the store is as wanted, for 10 s; false when it never is. */
bool store_wait_up(struct mfx_store *store, bool is_up);

/* A folder of its own below /tmp; removed with all that is in it. */
void store_make_dir(char dir[64]);
void store_remove_dir(const char *dir);

#endif
