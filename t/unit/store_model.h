/* SPDX-License-Identifier: BSD-2-Clause
 *
 * store_model - random schedules of many holders against a store, beside a
 * model that keeps every use with its time
 *
 * After each answer: what the store says is used and reserved is what the model
 * says, within the bounds of its time; what it let pass fits, what it refused
 * did not; nothing is counted twice or lost, and in schedules without late
 * commits no span of a window ever holds more than the limit.
 *
 *     if (!store_model_run(&place, seed, 1000, why, sizeof why))
 *         fail_msg("%s", why);
 *
 * A place is any store, with the clock by which it measures spans: a test's own
 * that stands still while the store decides (slack_ms 0), or a real one. */
#ifndef MFX_T_UNIT_STORE_MODEL_H
#define MFX_T_UNIT_STORE_MODEL_H

#include <mfx/store/store.h>

struct store_model_place {
    void *arg;
    struct mfx_store *(*store)(void *arg); /* the one in use */
    uint64_t (*now_ms)(void *arg);         /* never goes back */
    void (*pass)(void *arg, uint64_t ms);  /* lets time pass */
    /* Spans are small multiples of it, leases too. */
    uint64_t unit_ms;
    /* The store decides within [now before asking - slack, now after + slack]. */
    uint64_t slack_ms;

    /* NULL: never. Ends the store in some way and begins it again; what was
     * answered stays. How many milliseconds less have passed for the store than
     * for now_ms, at most: its uses are remembered that much longer. */
    uint64_t (*restart)(void *arg, uint64_t random);
    bool restart_keeps_holds;
    /* NULL: no calendars. The clock by which periods are told. */
    uint64_t (*wall_s)(void *arg);
    void (*step_wall)(void *arg, int64_t ms); /* NULL: never */
};

/* False: why says what was wrong, in which schedule and after which steps.
 * Counters and holders have names of their own, also between runs of different
 * seeds. */
bool store_model_run(const struct store_model_place *place, uint64_t seed,
                     unsigned schedules, char *why, size_t size);

#endif
