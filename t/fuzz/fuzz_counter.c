/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The bytes of a counter as a damaged file may hold them. What is taken is
 * written again as it was, and can be used: nothing overflows into less than
 * was there. */
#include <stdlib.h>

#include "../../libmfx/store/counter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
day(const void *arg, uint64_t now_s, uint64_t *begin_s, uint64_t *end_s)
{
    (void)arg;
    *begin_s = now_s - now_s % 86400;
    *end_s = *begin_s + 86400;
}

static void
check_bytes(const struct mfx_counter *counter, struct mfx_str bytes)
{
    struct mfx_buf out;
    mfx_buf_init(&out, MFX_COUNTER_CODE_MAX);
    mfx_counter_encode(counter, &out);
    if (mfx_buf_ok(&out) && !mfx_str_eq(mfx_buf_str(&out), bytes))
        MFX_BUG("written otherwise than read");
    mfx_buf_fini(&out);
}

static void
use(struct mfx_counter *counter, const struct mfx_counter_clock *now)
{
    struct mfx_store_window windows[MFX_STORE_WINDOWS_MAX];
    struct mfx_store_row row;
    size_t count = 0;
    for (; count < counter->window_count && count < MFX_STORE_WINDOWS_MAX;
         count++)
        windows[count] = (struct mfx_store_window){
            .shape = counter->windows[count].shape,
            .span_ms = counter->windows[count].span_ms,
            .limit = 100,
            .soft = 10,
            .period = day,
        };
    mfx_counter_row(counter, now, &row);
    if (!mfx_counter_prepare(counter, windows, count, now))
        return;
    for (size_t i = 0; i < count; i++) {
        struct mfx_counter_ask ask = {.amount = 1, .free_amount = 1};
        struct mfx_store_level before, after;
        mfx_counter_measure(counter, &windows[i], now, &ask, &before);
        mfx_counter_add(counter, &windows[i], now, now, 7);
        mfx_counter_measure(counter, &windows[i], now, &ask, &after);
        uint64_t want = mfx_counter_sum(before.used, 7);
        if (after.used != want)
            MFX_BUG("seven more are not seven more");
        (void)mfx_counter_mark_soft(counter, &windows[i], now);
        mfx_counter_move(counter, &windows[i], now, now->store_ms / 2);
    }
    (void)mfx_counter_expires(counter, now);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t times[] = {0, 1790000000123,
                                     MFX_COUNTER_TIME_MAX - 1};
    struct mfx_str bytes = mfx_str((const char *)data, size);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct mfx_counter_clock now = {.store_ms = times[i],
                                        .wall_s = times[i] / 1000};
        struct mfx_counter counter;
        mfx_counter_init(&counter, MFX_STORE_AMOUNT);
        if (mfx_counter_decode(bytes, &counter) == MFX_OK) {
            check_bytes(&counter, bytes);
            use(&counter, &now);
        }
        mfx_counter_fini(&counter);
    }
    return 0;
}
