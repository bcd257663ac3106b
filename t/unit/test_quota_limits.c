/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "../../milters/quota/limits.h"
#include "../../milters/quota/settings.h"

struct fixture {
    struct quota_zones *zones;
    const struct quota_zone *utc;
};

static int
set_up(void **state)
{
    static struct fixture f;
    f.zones = quota_zones_new();
    assert_non_null(f.zones);
    assert_int_equal(quota_zones_get(f.zones, mfx_str_of("UTC"), &f.utc, NULL),
                     MFX_OK);
    *state = &f;
    return 0;
}

static int
tear_down(void **state)
{
    quota_zones_release(((struct fixture *)*state)->zones);
    return 0;
}

enum {
    DAY_MS = 86400000,
    HOUR_MS = 3600000,
};

/* What is read, window by window: shape, span, limit. */
static void
reads(void **state)
{
    static const struct {
        const char *label, *in;
        enum quota_count count;
        size_t windows;
        struct {
            enum mfx_store_shape shape;
            uint64_t span_ms, limit;
        } want[3];
        uint64_t per_message;
    } cases[] = {
        {"one",
         "500/1d",                 QUOTA_COUNT_RECIPIENTS,
         1, {{MFX_STORE_SLIDING, DAY_MS, 500}},
         MFX_STORE_UNLIMITED},
        {"three",
         "30/1m 200/1h 500/1d",    QUOTA_COUNT_MESSAGES,
         3, {{MFX_STORE_SLIDING, 60000, 30},
          {MFX_STORE_SLIDING, HOUR_MS, 200},
          {MFX_STORE_SLIDING, DAY_MS, 500}},
         MFX_STORE_UNLIMITED},
        {"commas",
         "30/90s, 200/2w",         QUOTA_COUNT_MESSAGES,
         2, {{MFX_STORE_SLIDING, 90000, 30},
          {MFX_STORE_SLIDING, UINT64_C(14) * DAY_MS, 200}},
         MFX_STORE_UNLIMITED},
        {"calendar",
         "500/day 9000/month",     QUOTA_COUNT_MESSAGES,
         2, {{MFX_STORE_FIXED, 3, 500}, {MFX_STORE_FIXED, 5, 9000}},
         MFX_STORE_UNLIMITED},
        {"calendar and sliding day",
         "500/day 500/1d",         QUOTA_COUNT_MESSAGES,
         2, {{MFX_STORE_FIXED, 3, 500}, {MFX_STORE_SLIDING, DAY_MS, 500}},
         MFX_STORE_UNLIMITED},
 /* 20 are refilled at 100 an hour: in 12 minutes */
        {"bucket",
         "100/1h burst=20",        QUOTA_COUNT_MESSAGES,
         1, {{MFX_STORE_BUCKET, 720000, 20}},
         MFX_STORE_UNLIMITED},
        {"bucket and window",
         "100/1h burst=20 500/1d", QUOTA_COUNT_MESSAGES,
         2, {{MFX_STORE_BUCKET, 720000, 20}, {MFX_STORE_SLIDING, DAY_MS, 500}},
         MFX_STORE_UNLIMITED},
        {"bytes",
         "10M/1h 1g/1d",           QUOTA_COUNT_BYTES,
         2, {{MFX_STORE_SLIDING, HOUR_MS, 10 << 20},
          {MFX_STORE_SLIDING, DAY_MS, 1 << 30}},
         MFX_STORE_UNLIMITED},
        {"of one message",
         "100/message 500/1d",     QUOTA_COUNT_RECIPIENTS,
         1, {{MFX_STORE_SLIDING, DAY_MS, 500}},
         100                },
        {"of one message alone",
         "25M/message",            QUOTA_COUNT_BYTES,
         0, {{0}},
         25 << 20           },
        {"open",
         "10",                     QUOTA_COUNT_OPEN_CONNECTIONS,
         1, {{MFX_STORE_SLIDING, 0, 10}},
         MFX_STORE_UNLIMITED},
        {"nothing",
         "0/1d",                   QUOTA_COUNT_MESSAGES,
         1, {{MFX_STORE_SLIDING, DAY_MS, 0}},
         MFX_STORE_UNLIMITED},
        {"unlimited",
         " Unlimited ",            QUOTA_COUNT_MESSAGES,
         0, {{0}},
         MFX_STORE_UNLIMITED},
    };
    const struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct quota_limits got;
        struct mfx_err err = {""};
        unit_assert_int(cases[i].label,
                        quota_limits_parse(mfx_str_of(cases[i].in),
                                           (int)cases[i].count, f->utc, &got,
                                           &err),
                        MFX_OK);
        unit_assert_int(cases[i].label, got.window_count, cases[i].windows);
        unit_assert_int(cases[i].label, got.per_message, cases[i].per_message);
        unit_assert_int(cases[i].label, got.is_blocked, false);
        for (size_t j = 0; j < cases[i].windows; j++) {
            unit_assert_int(cases[i].label, got.windows[j].shape,
                            cases[i].want[j].shape);
            unit_assert_int(cases[i].label, got.windows[j].span_ms,
                            cases[i].want[j].span_ms);
            unit_assert_int(cases[i].label, got.windows[j].limit,
                            cases[i].want[j].limit);
        }
    }
}

static void
refuses(void **state)
{
    static const struct {
        const char *label, *in;
        enum quota_count count;
    } cases[] = {
        {"malformed_empty",               "",                                             QUOTA_COUNT_MESSAGES        },
        {"malformed_blank",               "  ",                                           QUOTA_COUNT_MESSAGES        },
        {"malformed_no_span",             "500",                                          QUOTA_COUNT_MESSAGES        },
        {"malformed_no_number",           "/1d",                                          QUOTA_COUNT_MESSAGES        },
        {"malformed_span_unit",           "500/1y",                                       QUOTA_COUNT_MESSAGES        },
        {"malformed_span_zero",           "500/0d",                                       QUOTA_COUNT_MESSAGES        },
        {"malformed_span_bare",           "500/d",                                        QUOTA_COUNT_MESSAGES        },
        {"malformed_span_long",           "500/401d",                                     QUOTA_COUNT_MESSAGES        },
        {"malformed_negative",            "-5/1d",                                        QUOTA_COUNT_MESSAGES        },
        {"malformed_fraction",            "1.5/1d",                                       QUOTA_COUNT_MESSAGES        },
        {"malformed_huge",                "9007199254740993/1d",                          QUOTA_COUNT_MESSAGES        },
        {"malformed_huge_unit",           "9000T/1d",                                     QUOTA_COUNT_BYTES           },
        {"malformed_word",                "many/1d",                                      QUOTA_COUNT_MESSAGES        },
        {"malformed_twice",               "5/1d 6/24h",                                   QUOTA_COUNT_MESSAGES        },
        {"malformed_message_of_messages", "5/message",                                    QUOTA_COUNT_MESSAGES        },
        {"malformed_message_twice",       "5/message 6/message",
         QUOTA_COUNT_RECIPIENTS                                                                                       },
        {"malformed_burst_alone",         "burst=5",                                      QUOTA_COUNT_MESSAGES        },
        {"malformed_burst_of_calendar",   "5/day burst=5",                                QUOTA_COUNT_MESSAGES        },
        {"malformed_burst_zero",          "5/1d burst=0",                                 QUOTA_COUNT_MESSAGES        },
        {"malformed_burst_of_nothing",    "0/1d burst=5",                                 QUOTA_COUNT_MESSAGES        },
        {"malformed_burst_twice",         "5/1d burst=5 burst=6",                         QUOTA_COUNT_MESSAGES        },
        {"malformed_open_span",           "5/1d",                                         QUOTA_COUNT_OPEN_CONNECTIONS},
        {"malformed_open_twice",          "5 6",                                          QUOTA_COUNT_OPEN_CONNECTIONS},
        {"malformed_nine",                "1/1m 1/2m 1/3m 1/4m 1/5m 1/6m 1/7m 1/8m 1/9m",
         QUOTA_COUNT_MESSAGES                                                                                         },
        {"malformed_blockedish",          "blockedx",                                     QUOTA_COUNT_MESSAGES        },
    };
    const struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct quota_limits got;
        struct mfx_err err = {""};
        unit_assert_int(cases[i].label,
                        quota_limits_parse(mfx_str_of(cases[i].in),
                                           (int)cases[i].count, f->utc, &got,
                                           &err),
                        MFX_PERMFAIL);
        unit_assert_int(cases[i].label, err.msg[0] != '\0', true);
    }
}

static void
blocked(void **state)
{
    const struct fixture *f = *state;
    struct quota_limits got;
    assert_int_equal(quota_limits_parse(mfx_str_of("blocked"),
                                        QUOTA_COUNT_MESSAGES, f->utc, &got,
                                        NULL),
                     MFX_OK);
    assert_true(got.is_blocked);
    assert_int_equal(got.reason.len, 0);
    assert_int_equal(quota_limits_parse(mfx_str_of("Blocked  stolen password "),
                                        QUOTA_COUNT_MESSAGES, f->utc, &got,
                                        NULL),
                     MFX_OK);
    assert_true(got.is_blocked);
    assert_true(mfx_str_is(got.reason, "stolen password"));
}

static void
writes(void **state)
{
    static const struct {
        const char *label, *in;
        enum quota_count count;
        const char *want, *span;
    } cases[] = {
        {"day",                "500/1d",          QUOTA_COUNT_MESSAGES,         "500/1d",          "1d"  },
        {"24 hours are a day", "500/24h",         QUOTA_COUNT_MESSAGES,         "500/1d",          "1d"  },
        {"90 minutes",         "5/90m",           QUOTA_COUNT_MESSAGES,         "5/90m",           "90m" },
        {"calendar",           "5/week",          QUOTA_COUNT_MESSAGES,         "5/week",          "week"},
        {"bytes",              "10M/1h",          QUOTA_COUNT_BYTES,            "10M/1h",          "1h"  },
        {"open",               "7",               QUOTA_COUNT_OPEN_CONNECTIONS, "7",               "now" },
        {"bucket",             "100/1h burst=20", QUOTA_COUNT_MESSAGES,         "20/12m burst=20",
         "burst 12m"                                                                                     },
        {"zero",               "0/1d",            QUOTA_COUNT_MESSAGES,         "0/1d",            "1d"  },
    };
    const struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct quota_limits got, again;
        struct mfx_buf out;
        mfx_buf_init(&out, 1000);
        assert_int_equal(quota_limits_parse(mfx_str_of(cases[i].in),
                                            (int)cases[i].count, f->utc, &got,
                                            NULL),
                         MFX_OK);
        quota_limits_format(&got.windows[0], &out);
        assert_string_equal(mfx_buf_text(&out), cases[i].want);
        assert_int_equal(quota_limits_parse(mfx_buf_str(&out),
                                            (int)cases[i].count, f->utc, &again,
                                            NULL),
                         MFX_OK);
        unit_assert_int(cases[i].label, again.windows[0].limit,
                        got.windows[0].limit);
        unit_assert_int(cases[i].label, again.windows[0].span_ms,
                        got.windows[0].span_ms);
        mfx_buf_clear(&out);
        quota_limits_format_span(&got.windows[0], &out);
        assert_string_equal(mfx_buf_text(&out), cases[i].span);
        mfx_buf_fini(&out);
    }
}

/* A calendar window asks its zone. */
static void
period(void **state)
{
    const struct fixture *f = *state;
    struct quota_limits got;
    uint64_t begin, end;
    assert_int_equal(quota_limits_parse(mfx_str_of("5/month"),
                                        QUOTA_COUNT_MESSAGES, f->utc, &got,
                                        NULL),
                     MFX_OK);
    /* date -ud '2024-02-29 12:00' +%s and the months' first days */
    got.windows[0].period(got.windows[0].period_arg, 1709208000, &begin, &end);
    assert_int_equal(begin, 1706745600);
    assert_int_equal(end, 1709251200);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),   cmocka_unit_test(refuses),
        cmocka_unit_test(blocked), cmocka_unit_test(writes),
        cmocka_unit_test(period),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
