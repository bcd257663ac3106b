/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <errno.h>
#include <time.h>

#include <mfx/base/clock.h>

/* Expected texts by date(1): date -u -d @SECONDS +%FT%TZ. */
static const struct {
    const char *label;
    uint64_t time_s;
    const char *want;
} cases[] = {
    {"unknown",               0,            ""                    },
    {"first second",          1,            "1970-01-01T00:00:01Z"},
    {"today",                 1795231800,   "2026-11-21T03:30:00Z"},
    {"leap day",              1835481599,   "2028-02-29T23:59:59Z"},
    {"no leap year",          4107542400,   "2100-03-01T00:00:00Z"},
    {"last with four digits", 253402300799, "9999-12-31T23:59:59Z"},
    {"year_10000",            253402300800, "9999-12-31T23:59:59Z"},
    {"beyond_all",            UINT64_MAX,   "9999-12-31T23:59:59Z"},
};

static void
text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[MFX_CLOCK_TEXT];
        unit_assert_str(cases[i].label,
                        mfx_str_of(mfx_clock_text(cases[i].time_s, out)),
                        mfx_str_of(cases[i].want));
    }
}

/* A condition of the wall clock would take this for a time long ago, and not
 * wait at all. */
static void
condition_goes_by_the_monotonic_clock(void **state)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition;
    struct timespec until, after;
    (void)state;
    mfx_clock_condition_init(&condition);
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += until.tv_nsec >= 980000000;
    until.tv_nsec = (until.tv_nsec + 20000000) % 1000000000;
    (void)pthread_mutex_lock(&mutex);
    int rc = 0;
    while (rc == 0)
        rc = pthread_cond_timedwait(&condition, &mutex, &until);
    (void)pthread_mutex_unlock(&mutex);
    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    assert_int_equal(rc, ETIMEDOUT);
    assert_true(
        after.tv_sec > until.tv_sec ||
        (after.tv_sec == until.tv_sec && after.tv_nsec >= until.tv_nsec));
    (void)pthread_cond_destroy(&condition);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text),
        cmocka_unit_test(condition_goes_by_the_monotonic_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
