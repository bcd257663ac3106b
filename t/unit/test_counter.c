/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>

#include "../../libmfx/store/counter.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Periods of `*arg` seconds. */
static void
period_of(const void *arg, uint64_t now_s, uint64_t *begin_s, uint64_t *end_s)
{
    uint64_t length_s = *(const uint64_t *)arg;
    *begin_s = now_s - now_s % length_s;
    *end_s = *begin_s + length_s;
}

static const uint64_t minute_s = 60;

static struct mfx_store_window
sliding(uint64_t span_ms, uint64_t limit)
{
    return (struct mfx_store_window){
        .shape = MFX_STORE_SLIDING, .span_ms = span_ms, .limit = limit};
}

static struct mfx_store_window
bucket(uint64_t span_ms, uint64_t limit)
{
    return (struct mfx_store_window){
        .shape = MFX_STORE_BUCKET, .span_ms = span_ms, .limit = limit};
}

static struct mfx_store_window
fixed(uint64_t limit)
{
    return (struct mfx_store_window){.shape = MFX_STORE_FIXED,
                                     .span_ms = 1,
                                     .limit = limit,
                                     .period = period_of,
                                     .period_arg = &minute_s};
}

/* The wall clock goes with the store's, without an offset. */
static struct mfx_counter_clock
at(uint64_t ms)
{
    return (struct mfx_counter_clock){.store_ms = ms, .wall_s = ms / 1000};
}

static void
add(struct mfx_counter *counter, const struct mfx_store_window *window,
    uint64_t now_ms, uint64_t amount)
{
    struct mfx_counter_clock now = at(now_ms);
    assert_true(mfx_counter_prepare(counter, window, 1, &now));
    mfx_counter_add(counter, window, &now, &now, amount);
}

static struct mfx_store_level
measure(const struct mfx_counter *counter,
        const struct mfx_store_window *window, uint64_t now_ms, uint64_t amount)
{
    struct mfx_counter_clock now = at(now_ms);
    struct mfx_counter_ask ask = {.amount = amount, .free_amount = amount};
    struct mfx_store_level level;
    mfx_counter_measure(counter, window, &now, &ask, &level);
    return level;
}

/* 60,000 ms: parts of 1,000. A use counts until all of its part is a span ago:
 * from the part's begin that is 61,000. */
static void
sliding_remembers(void **state)
{
    static const struct {
        const char *label;
        uint64_t span_ms, use_ms, now_ms;
        bool is_used;
    } cases[] = {
        {"at_once",              60000, 5000,  5000,    true },
        {"part_begin_span",      60000, 5000,  65000,   true },
        {"part_begin_last",      60000, 5000,  65999,   true },
        {"part_begin_forgotten", 60000, 5000,  66000,   false},
        {"part_end_last",        60000, 5999,  65999,   true },
        {"part_end_forgotten",   60000, 5999,  66000,   false},
        {"long_ago",             60000, 5000,  9999999, false},
        {"small_part",           1000,  5000,  6000,    true },
        {"small_last",           1000,  5000,  6016,    true },
        {"small_forgotten",      1000,  5000,  6017,    false},
        {"shorter_than_parts",   30,    100,   130,     true },
        {"shorter_forgotten",    30,    100,   131,     false},
        {"one_ms",               1,     7,     8,       true },
        {"one_ms_forgotten",     1,     7,     9,       false},
        {"ahead",                60000, 70000, 10000,   true },
        {"far_ahead",            60000, 71000, 10000,   false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_counter counter;
        struct mfx_store_window window = sliding(cases[i].span_ms, 10);
        mfx_counter_init(&counter, MFX_STORE_AMOUNT);
        add(&counter, &window, cases[i].use_ms, 3);
        struct mfx_store_level level =
            measure(&counter, &window, cases[i].now_ms, 1);
        unit_assert_int(cases[i].label, level.used, cases[i].is_used ? 3 : 0);
        mfx_counter_fini(&counter);
    }
}

/* Parts of 1,000 ms; free_at has the seconds of the wall clock rounded up. */
static void
sliding_fits_and_is_free(void **state)
{
    static const struct {
        const char *label;
        uint64_t uses[3][2]; /* when, amount */
        uint64_t now_ms, limit, amount, used;
        bool fits;
        uint64_t free_ms; /* 0: none; else without the 999 */
    } cases[] = {
        {"empty",      {{0}},                  1000, 5,                   5, 0,          true,  0    },
        {"too_much",   {{0}},                  1000, 5,                   6, 0,          false, 0    },
        {"exactly",    {{1000, 3}},            2000, 5,                   2, 3,          true,  0    },
        {"one_over",   {{1000, 3}},            2000, 5,                   3, 3,          false, 62000},
        {"first_goes", {{1000, 3}, {9000, 2}}, 9000, 5,                   3, 5,          false, 62000},
        {"both_go",    {{1000, 3}, {9000, 2}}, 9000, 5,                   4, 5,          false, 70000},
        {"never",      {{1000, 3}},            2000, 5,                   6, 3,          false, 0    },
        {"three",
         {{1000, 1}, {2000, 1}, {3000, 1}},
         3000,                                       3,
         2,                                                                  3,
         false,                                                                                 63000},
        {"unlimited",
         {{1000, 9}},
         1000,                                       MFX_STORE_UNLIMITED,
         UINT64_MAX,                                                         9,
         true,                                                                                  0    },
        {"nothing",    {{1000, 3}},            2000, 0,                   0, 3,          false, 62000},
        {"huge",
         {{1000, UINT64_MAX - 1}, {1500, 7}},
         2000,                                       5,
         1,                                                                  UINT64_MAX,
         false,                                                                                 62000},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_counter counter;
        struct mfx_store_window window = sliding(60000, cases[i].limit);
        mfx_counter_init(&counter, MFX_STORE_AMOUNT);
        for (size_t j = 0; j < 3 && cases[i].uses[j][1] > 0; j++)
            add(&counter, &window, cases[i].uses[j][0], cases[i].uses[j][1]);
        struct mfx_store_level level =
            measure(&counter, &window, cases[i].now_ms, cases[i].amount);
        unit_assert_int(cases[i].label, level.used, cases[i].used);
        unit_assert_int(cases[i].label, level.fits, cases[i].fits);
        uint64_t free_ms = cases[i].free_ms == 0 ? 0 : cases[i].free_ms + 999;
        unit_assert_int(cases[i].label, level.free_at_ms, free_ms);
        mfx_counter_fini(&counter);
    }
}

/* Refilled at 10 in 1,000 ms: one in 100. */
static void
bucket_drains(void **state)
{
    static const struct {
        const char *label;
        uint64_t first, second_ms, second; /* the first at 5000 */
        uint64_t now_ms, amount, used;
        bool fits;
        uint64_t free_ms;
    } cases[] = {
        {"full",           10, 0,    0, 5000, 1,  10, false, 5100},
        {"nearly_one",     10, 0,    0, 5099, 1,  10, false, 5100},
        {"one",            10, 0,    0, 5100, 1,  9,  true,  0   },
        {"fraction",       10, 0,    0, 5150, 1,  9,  true,  0   },
        {"all",            10, 0,    0, 5000, 10, 10, false, 6000},
        {"empty",          10, 0,    0, 6000, 10, 0,  true,  0   },
        {"fraction_stays", 10, 5150, 1, 5150, 1,  10, false, 5200},
        {"overdrawn",      25, 0,    0, 5000, 1,  25, false, 6600},
        {"never_so_much",  3,  0,    0, 5000, 11, 3,  false, 0   },
        {"idle_is_empty",  10, 9000, 4, 9000, 6,  4,  true,  0   },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_counter counter;
        struct mfx_store_window window = bucket(1000, 10);
        mfx_counter_init(&counter, MFX_STORE_AMOUNT);
        add(&counter, &window, 5000, cases[i].first);
        if (cases[i].second > 0)
            add(&counter, &window, cases[i].second_ms, cases[i].second);
        struct mfx_store_level level =
            measure(&counter, &window, cases[i].now_ms, cases[i].amount);
        unit_assert_int(cases[i].label, level.used, cases[i].used);
        unit_assert_int(cases[i].label, level.fits, cases[i].fits);
        /* the wall clock's fraction of a second is not known: 999 for it */
        uint64_t want = cases[i].free_ms == 0
                            ? 0
                            : cases[i].now_ms / 1000 * 1000 + 999 +
                                  cases[i].free_ms - cases[i].now_ms;
        unit_assert_int(cases[i].label, level.free_at_ms, want);
        mfx_counter_fini(&counter);
    }
}

/* 3 in 7 ms, asked at every ms: after n ms exactly n * 3 / 7 have drained, no
 * part of a use is lost by rounding. */
static void
bucket_fractions_are_exact(void **state)
{
    struct mfx_counter counter;
    struct mfx_store_window window = bucket(7, 3);
    (void)state;
    mfx_counter_init(&counter, MFX_STORE_AMOUNT);
    add(&counter, &window, 1000, 1000000);
    for (uint64_t n = 1; n <= 10000; n++) {
        add(&counter, &window, 1000 + n, 1);
        uint64_t sevenths = (1000000 + n) * 7 - n * 3;
        assert_int_equal(measure(&counter, &window, 1000 + n, 1).used,
                         (sevenths + 6) / 7);
    }
    mfx_counter_fini(&counter);
}

static void
bucket_of_bytes_does_not_overflow(void **state)
{
    struct mfx_counter counter;
    uint64_t year_ms = UINT64_C(31557600000);
    struct mfx_store_window window = bucket(year_ms, UINT64_C(1) << 60);
    (void)state;
    mfx_counter_init(&counter, MFX_STORE_AMOUNT);
    add(&counter, &window, 1000, UINT64_C(1) << 60);
    assert_int_equal(measure(&counter, &window, 1000 + year_ms / 2, 1).used,
                     UINT64_C(1) << 59);
    add(&counter, &window, 2000, UINT64_MAX);
    assert_int_equal(measure(&counter, &window, 2000, 1).used, UINT64_MAX);
    mfx_counter_fini(&counter);
}

/* A clock that is stepped back and forth counts each minute for itself. */
static void
fixed_keeps_its_periods(void **state)
{
    static const struct {
        const char *label;
        uint64_t wall_s, amount, used;
    } steps[] = {
        {"minute_2",             120,  3, 3 },
        {"its_end",              179,  4, 7 },
        {"minute_3",             180,  1, 1 },
        {"back",                 130,  1, 8 },
        {"forth",                200,  5, 6 },
        {"an_hour_ahead",        3700, 2, 2 },
        {"back_again",           150,  1, 9 },
        {"minute_4",             240,  1, 1 },
        {"minute_5",             300,  1, 1 },
        {"minute_6",             360,  1, 1 },
        {"minute_2_is_there",    179,  1, 10},
        {"minute_7_is_one_more", 420,  1, 1 },
        {"minute_3_had_to_go",   180,  1, 1 },
    };
    struct mfx_counter counter;
    struct mfx_store_window window = fixed(100);
    (void)state;
    mfx_counter_init(&counter, MFX_STORE_AMOUNT);
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct mfx_counter_clock now = {.store_ms = 1000 + i,
                                        .wall_s = steps[i].wall_s};
        struct mfx_counter_ask ask = {.amount = 99, .free_amount = 99};
        struct mfx_store_level level;
        assert_true(mfx_counter_prepare(&counter, &window, 1, &now));
        mfx_counter_add(&counter, &window, &now, &now, steps[i].amount);
        mfx_counter_measure(&counter, &window, &now, &ask, &level);
        unit_assert_int(steps[i].label, level.used, steps[i].used);
        uint64_t end_ms = (steps[i].wall_s / 60 + 1) * 60000;
        unit_assert_int(steps[i].label, level.free_at_ms,
                        steps[i].used > 1 ? end_ms : 0);
    }
    mfx_counter_fini(&counter);
}

static void
merged_uses_go_to_their_time(void **state)
{
    static const struct {
        const char *label;
        uint64_t at_ms, now_ms, sliding_used, bucket_used, fixed_used;
    } cases[] = {
        {"now",       100000, 100000, 6, 6, 6},
        {"earlier",   80000,  100000, 6, 3, 6},
        {"forgotten", 30000,  100000, 3, 3, 3},
        {"sooner",    80000,  141500, 3, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_counter counter;
        struct mfx_store_window windows[] = {sliding(60000, 100),
                                             bucket(60000, 100), fixed(100)};
        struct mfx_counter_clock now = at(100000), then = at(cases[i].at_ms);
        mfx_counter_init(&counter, MFX_STORE_AMOUNT);
        assert_true(mfx_counter_prepare(&counter, windows, 3, &now));
        for (size_t w = 0; w < 3; w++)
            mfx_counter_add(&counter, &windows[w], &now, &then, 3);
        for (size_t w = 0; w < 3; w++) {
            add(&counter, &windows[w], 100000, 3);
        }
        unit_assert_int(cases[i].label,
                        measure(&counter, &windows[0], cases[i].now_ms, 1).used,
                        cases[i].sliding_used);
        unit_assert_int(cases[i].label,
                        measure(&counter, &windows[1], cases[i].now_ms, 1).used,
                        cases[i].bucket_used);
        unit_assert_int(cases[i].label,
                        measure(&counter, &windows[2], cases[i].now_ms, 1).used,
                        cases[i].fixed_used);
        mfx_counter_fini(&counter);
    }
}

/* --- elements --- */

static void
see(struct mfx_counter *counter, const struct mfx_store_window *window,
    uint64_t now_ms, uint64_t *seen_ms)
{
    struct mfx_counter_clock now = at(now_ms);
    assert_true(mfx_counter_prepare(counter, window, 1, &now));
    if (mfx_counter_has_element(counter, window, 0, &now, *seen_ms))
        mfx_counter_move(counter, window, &now, *seen_ms);
    else
        mfx_counter_add(counter, window, &now, &now, 1);
    *seen_ms = mfx_counter_seen_ms(counter, &now);
}

static void
distinct_elements_move(void **state)
{
    struct mfx_store_window windows[] = {sliding(60000, 9), bucket(60000, 9),
                                         fixed(9)};
    static const struct {
        const char *label;
        uint64_t now_ms;
        int element; /* -1: only look */
        uint64_t used[3];
    } steps[] = {
        {"a",           60000,  0,  {1, 1, 1}},
        {"b",           61000,  1,  {2, 2, 2}},
        {"a_again",     90000,  0,  {2, 0, 2}},
        {"same_part",   90500,  0,  {2, 0, 2}},
        {"next_minute", 120000, 0,  {2, 0, 1}},
        {"b_has_left",  122000, -1, {1, 0, 1}},
        {"b_is_new",    122000, 1,  {2, 1, 2}},
        {"a_still",     180999, -1, {2, 0, 0}},
        {"a_left",      181000, -1, {1, 0, 0}},
        {"all_left",    999999, -1, {0, 0, 0}},
    };
    (void)state;
    for (size_t w = 0; w < 3; w++) {
        struct mfx_counter counter;
        uint64_t seen_ms[2] = {0, 0};
        mfx_counter_init(&counter, MFX_STORE_DISTINCT);
        for (size_t i = 0; i < COUNT(steps); i++) {
            if (steps[i].element >= 0)
                see(&counter, &windows[w], steps[i].now_ms,
                    &seen_ms[steps[i].element]);
            unit_assert_int(
                steps[i].label,
                measure(&counter, &windows[w], steps[i].now_ms, 0).used,
                steps[i].used[w]);
        }
        mfx_counter_fini(&counter);
    }
}

/* A window that came later does not count what was seen before it. */
static void
a_new_window_begins_empty(void **state)
{
    struct mfx_counter counter;
    struct mfx_store_window old = sliding(60000, 9), new = sliding(120000, 9);
    uint64_t seen_ms = 0;
    (void)state;
    mfx_counter_init(&counter, MFX_STORE_DISTINCT);
    see(&counter, &old, 1000, &seen_ms);
    uint64_t before_ms = seen_ms;
    see(&counter, &new, 2000, &seen_ms);
    assert_int_equal(measure(&counter, &new, 2000, 0).used, 1);
    seen_ms = before_ms;
    see(&counter, &new, 2500, &seen_ms);
    assert_int_equal(measure(&counter, &new, 2500, 0).used, 2);
    mfx_counter_fini(&counter);
}

static void
a_reset_forgets_elements(void **state)
{
    struct mfx_counter counter;
    struct mfx_store_window window = sliding(60000, 9);
    struct mfx_counter_clock now = at(5000);
    uint64_t seen_ms = 0;
    (void)state;
    mfx_counter_init(&counter, MFX_STORE_FIRST);
    assert_false(mfx_counter_has_element(&counter, &window, 9999, &now, 0));
    seen_ms = mfx_counter_seen_ms(&counter, &now);
    assert_true(mfx_counter_has_element(&counter, &window, 9999, &now, 5000));
    now = at(14998);
    assert_true(mfx_counter_has_element(&counter, &window, 9999, &now, 5000));
    now = at(14999);
    assert_false(mfx_counter_has_element(&counter, &window, 9999, &now, 5000));
    now = at(5000);
    mfx_counter_reset(&counter, &now);
    assert_false(
        mfx_counter_has_element(&counter, &window, 9999, &now, seen_ms));
    /* in the same millisecond, but behind the reset */
    seen_ms = mfx_counter_seen_ms(&counter, &now);
    assert_true(
        mfx_counter_has_element(&counter, &window, 9999, &now, seen_ms));
    assert_true(mfx_counter_become(&counter, MFX_STORE_DISTINCT, &now));
    assert_false(mfx_counter_become(&counter, MFX_STORE_DISTINCT, &now));
    mfx_counter_fini(&counter);
}

/* Elements that are asked again do not leave their window. */
static void
free_at_with_elements(void **state)
{
    static const struct {
        const char *label;
        uint64_t limit, new;
        size_t asked_again; /* of those seen at 1000, 2000, 3000 */
        uint64_t free_ms;
    } cases[] = {
        {"oldest_leaves", 3, 1, 0, 62000},
        {"oldest_stays",  3, 1, 1, 63000},
        {"two_stay",      3, 1, 2, 64000},
        {"all_stay",      3, 1, 3, 0    },
        {"two_needed",    3, 2, 1, 64000},
        {"fits",          4, 1, 3, 0    },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_counter counter;
        struct mfx_store_window window = sliding(60000, cases[i].limit);
        struct mfx_counter_clock now = at(4000);
        uint64_t seen_ms[3] = {0};
        mfx_counter_init(&counter, MFX_STORE_DISTINCT);
        for (size_t j = 0; j < 3; j++)
            see(&counter, &window, 1000 + 1000 * j, &seen_ms[j]);
        struct mfx_counter_ask ask = {.amount = cases[i].new,
                                      .free_amount = cases[i].new,
                                      .seen_ms = seen_ms,
                                      .seen_count = cases[i].asked_again};
        struct mfx_store_level level;
        mfx_counter_measure(&counter, &window, &now, &ask, &level);
        unit_assert_int(cases[i].label, level.free_at_ms,
                        cases[i].free_ms == 0 ? 0 : cases[i].free_ms + 999);
        mfx_counter_fini(&counter);
    }
}

/* --- marks, limits, windows, override --- */

static void
told_once_a_window(void **state)
{
    static const struct {
        const char *label;
        uint64_t now_ms, amount;
        bool is_due[3]; /* sliding, bucket, fixed */
    } steps[] = {
        {"below",           60000,  4, {false, false, false}},
        {"reached",         61000,  1, {true, true, true}   },
        {"again",           62000,  1, {false, false, false}},
        {"next_minute",     120000, 5, {false, false, true} },
        {"a_span_later",    121000, 5, {true, true, false}  },
        {"again_not",       122000, 1, {false, false, false}},
        {"long_after_less", 900000, 1, {false, false, false}},
        {"reached_again",   901000, 9, {true, true, true}   },
    };
    struct mfx_store_window windows[] = {sliding(60000, 6), bucket(60000, 6),
                                         fixed(6)};
    struct mfx_counter counter;
    (void)state;
    mfx_counter_init(&counter, MFX_STORE_AMOUNT);
    for (size_t i = 0; i < COUNT(steps); i++) {
        for (size_t w = 0; w < 3; w++) {
            struct mfx_counter_clock now = at(steps[i].now_ms);
            windows[w].soft = 5;
            add(&counter, &windows[w], steps[i].now_ms, steps[i].amount);
            unit_assert_int(steps[i].label,
                            mfx_counter_mark_soft(&counter, &windows[w], &now),
                            steps[i].is_due[w]);
        }
    }
    mfx_counter_fini(&counter);
}

static void
windows_come_and_go(void **state)
{
    struct mfx_counter counter;
    struct mfx_counter_clock now = at(1000000);
    struct mfx_store_window first = sliding(999000, 9);
    (void)state;
    mfx_counter_init(&counter, MFX_STORE_AMOUNT);
    add(&counter, &first, 1000000, 1);
    for (uint64_t i = 1; i <= 100; i++) {
        struct mfx_store_window both[] = {sliding(i * 1000, 9), first};
        assert_true(mfx_counter_prepare(&counter, both, 2, &now));
        mfx_counter_add(&counter, &both[0], &now, &now, 1);
        mfx_counter_add(&counter, &both[1], &now, &now, 1);
        assert_true(counter.window_count <= MFX_COUNTER_WINDOWS_MAX);
    }
    /* what is asked for is never what goes */
    assert_int_equal(measure(&counter, &first, 1000000, 0).used, 101);
    assert_int_equal(mfx_counter_expires(&counter, &now),
                     (1000000 * 60 / 999000 + 61) * 999000 / 60);
    now = at(3000000);
    assert_int_equal(mfx_counter_expires(&counter, &now), 0);
    mfx_counter_fini(&counter);
}

static void
override_has_an_end(void **state)
{
    struct mfx_counter counter;
    struct mfx_counter_clock now = {.store_ms = 5000, .wall_s = 100};
    struct mfx_str text = mfx_str_of("1000/1d");
    uint64_t until_ms = 1;
    (void)state;
    mfx_counter_init(&counter, MFX_STORE_AMOUNT);
    unit_assert_str("none", mfx_counter_override(&counter, &now, &until_ms),
                    mfx_str_of(""));
    assert_true(mfx_counter_set_override(&counter, text, 0, &now));
    assert_int_equal(mfx_counter_expires(&counter, &now), MFX_COUNTER_TIME_MAX);
    unit_assert_str("endless", mfx_counter_override(&counter, &now, &until_ms),
                    text);
    assert_int_equal(until_ms, 0);
    assert_true(mfx_counter_set_override(&counter, text, 2500, &now));
    now.store_ms = 7499;
    unit_assert_str("last", mfx_counter_override(&counter, &now, &until_ms),
                    text);
    assert_int_equal(until_ms, 100001);
    now.store_ms = 7500;
    unit_assert_str("over", mfx_counter_override(&counter, &now, &until_ms),
                    mfx_str_of(""));
    assert_int_equal(mfx_counter_expires(&counter, &now), 0);
    mfx_counter_fini(&counter);
}

/* --- bytes --- */

static struct mfx_str
encode(const struct mfx_counter *counter, struct mfx_buf *out)
{
    mfx_buf_init(out, MFX_COUNTER_CODE_MAX);
    mfx_counter_encode(counter, out);
    assert_true(mfx_buf_ok(out));
    return mfx_buf_str(out);
}

static void
fill(struct mfx_counter *counter)
{
    struct mfx_store_window windows[] = {sliding(60000, 9),
                                         bucket(7000, UINT64_C(1) << 63),
                                         fixed(9), sliding(3600000, 9)};
    struct mfx_counter_clock now = at(UINT64_C(1790000000123));
    mfx_counter_init(counter, MFX_STORE_DISTINCT);
    mfx_counter_reset(counter, &now);
    for (uint64_t i = 0; i < 300; i++) {
        now = at(UINT64_C(1790000000123) + i * 917);
        for (size_t w = 0; w < 4; w++) {
            windows[w].soft = 1;
            add(counter, &windows[w], now.store_ms, i + w);
            (void)mfx_counter_mark_soft(counter, &windows[w], &now);
            (void)mfx_counter_mark_full(counter, &windows[w], &now);
        }
    }
    assert_true(
        mfx_counter_set_override(counter, mfx_str("a\0b", 3), 1000, &now));
}

static void
bytes_and_back(void **state)
{
    struct mfx_counter counter, again;
    struct mfx_buf bytes, second;
    (void)state;
    fill(&counter);
    struct mfx_str code = encode(&counter, &bytes);
    mfx_counter_init(&again, MFX_STORE_AMOUNT);
    assert_int_equal(mfx_counter_decode(code, &again), MFX_OK);
    unit_assert_str("same", encode(&again, &second), code);
    assert_int_equal(again.kind, MFX_STORE_DISTINCT);
    assert_int_equal(again.window_count, 4);
    assert_int_equal(again.windows[0].count, counter.windows[0].count);
    assert_memory_equal(again.windows[0].parts, counter.windows[0].parts,
                        counter.windows[0].count *
                            sizeof *counter.windows[0].parts);
    mfx_buf_fini(&second);

    /* every shorter text is damaged */
    for (size_t len = 0; len < code.len; len++) {
        struct mfx_counter cut;
        char *copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, code.p, len);
        mfx_counter_init(&cut, MFX_STORE_AMOUNT);
        assert_int_equal(mfx_counter_decode(mfx_str(copy, len), &cut),
                         MFX_PERMFAIL);
        assert_int_equal(cut.window_count, 0);
        free(copy);
    }
    mfx_buf_fini(&bytes);
    mfx_counter_fini(&again);
    mfx_counter_fini(&counter);
}

/* A counter with one window is small: there may be ten millions. */
static void
bytes_are_few(void **state)
{
    struct mfx_counter counter;
    struct mfx_store_window window = sliding(86400000, 500);
    struct mfx_buf bytes;
    (void)state;
    mfx_counter_init(&counter, MFX_STORE_AMOUNT);
    add(&counter, &window, UINT64_C(1790000000123), 1);
    assert_in_range(encode(&counter, &bytes).len, 1, 40);
    mfx_buf_fini(&bytes);
    mfx_counter_fini(&counter);
}

#define BYTES(text) text, sizeof(text) - 1

static void
malformed(void **state)
{
    static const struct {
        const char *label, *bytes;
        size_t len;
        enum mfx_rc rc;
    } cases[] = {
        {"least",              BYTES("\1\0\0\0\0\0"),                                 MFX_OK      },
        {"nothing",            BYTES(""),                                             MFX_PERMFAIL},
        {"version_0",          BYTES("\0\0\0\0\0\0"),                                 MFX_PERMFAIL},
        {"version_2",          BYTES("\2\0\0\0\0\0"),                                 MFX_PERMFAIL},
        {"unknown_kind",       BYTES("\1\4\0\0\0\0"),                                 MFX_PERMFAIL},
        {"more_behind",        BYTES("\1\0\0\0\0\0\0"),                               MFX_PERMFAIL},
        {"number_too_long",    BYTES("\1\0\x80\0\0\0\0"),                             MFX_PERMFAIL},
        {"number_without_end",
         BYTES("\1\0\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"),
         MFX_PERMFAIL                                                                             },
        {"time_too_far",       BYTES("\1\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\0\0\0"),
         MFX_PERMFAIL                                                                             },
        {"override_cut",       BYTES("\1\0\0\0\5abc"),                                MFX_PERMFAIL},
        {"override_too_long",  BYTES("\1\0\0\0\xE9\7abc"),                            MFX_PERMFAIL},
        {"windows_too_many",   BYTES("\1\0\0\0\0\x11"),                               MFX_PERMFAIL},
        {"window_missing",     BYTES("\1\0\0\0\0\1"),                                 MFX_PERMFAIL},
        {"sliding",            BYTES("\1\0\0\0\0\1\0\7\0\0\0\0\0\1\7\1"),             MFX_OK      },
        {"sliding_no_span",    BYTES("\1\0\0\0\0\1\0\0\0\0\0\0\0\1\7\1"),
         MFX_PERMFAIL                                                                             },
        {"unknown_shape",      BYTES("\1\0\0\0\0\1\3\7\0\0\0\0\0\0"),                 MFX_PERMFAIL},
        {"amount_zero",        BYTES("\1\0\0\0\0\1\0\7\0\0\0\0\0\1\7\0"),
         MFX_PERMFAIL                                                                             },
        {"part_twice",         BYTES("\1\0\0\0\0\1\0\7\0\0\0\0\0\2\7\1\0\1"),
         MFX_PERMFAIL                                                                             },
        {"parts_too_many",     BYTES("\1\0\0\0\0\1\0\7\0\0\0\0\0\x7F\7\1"),
         MFX_PERMFAIL                                                                             },
        {"window_twice",
         BYTES("\1\0\0\0\0\2\0\7\0\0\0\0\0\1\7\1\0\7\0\0\0\0\0\1\7\1"),
         MFX_PERMFAIL                                                                             },
        {"bucket",             BYTES("\1\0\0\0\0\1\2\7\0\0\0\0\0\5\6\1\3"),           MFX_OK      },
        {"fraction_too_big",   BYTES("\1\0\0\0\0\1\2\7\0\0\0\0\0\5\7\1\3"),
         MFX_PERMFAIL                                                                             },
        {"period_twice",       BYTES("\1\0\0\0\0\1\1\7\0\0\0\0\0\2\5\5\1\0\5\5\1\0"),
         MFX_PERMFAIL                                                                             },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_counter counter;
        mfx_counter_init(&counter, MFX_STORE_AMOUNT);
        unit_assert_int(
            cases[i].label,
            mfx_counter_decode(mfx_str(cases[i].bytes, cases[i].len), &counter),
            cases[i].rc);
        mfx_counter_fini(&counter);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sliding_remembers),
        cmocka_unit_test(sliding_fits_and_is_free),
        cmocka_unit_test(bucket_drains),
        cmocka_unit_test(bucket_fractions_are_exact),
        cmocka_unit_test(bucket_of_bytes_does_not_overflow),
        cmocka_unit_test(fixed_keeps_its_periods),
        cmocka_unit_test(merged_uses_go_to_their_time),
        cmocka_unit_test(distinct_elements_move),
        cmocka_unit_test(a_new_window_begins_empty),
        cmocka_unit_test(a_reset_forgets_elements),
        cmocka_unit_test(free_at_with_elements),
        cmocka_unit_test(told_once_a_window),
        cmocka_unit_test(windows_come_and_go),
        cmocka_unit_test(override_has_an_end),
        cmocka_unit_test(bytes_and_back),
        cmocka_unit_test(bytes_are_few),
        cmocka_unit_test(malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
