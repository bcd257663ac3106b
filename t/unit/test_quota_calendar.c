/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Zone files made here, byte by byte. t/tools/quota-calendar.t compares real
 * ones with Python.
 */
#include <mfx/base/buf.h>

#include "../../milters/quota/calendar.h"
#include "unit.h"

/* Counts of a header, in the order of RFC 9636 3.1. */
struct shape {
    char version;
    unsigned utc, standard, leap, times, types, chars;
};

static void
add_u32(struct mfx_buf *out, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        mfx_buf_add_byte(out, (char)(value >> shift & 0xFF));
}

static void
add_time(struct mfx_buf *out, int64_t value, size_t size)
{
    if (size == 8)
        add_u32(out, (uint32_t)((uint64_t)value >> 32));
    add_u32(out, (uint32_t)value);
}

static void
add_header(struct mfx_buf *out, const struct shape *shape)
{
    mfx_buf_add_text(out, "TZif");
    mfx_buf_add_byte(out, shape->version);
    for (int i = 0; i < 15; i++)
        mfx_buf_add_byte(out, '\0');
    add_u32(out, shape->utc);
    add_u32(out, shape->standard);
    add_u32(out, shape->leap);
    add_u32(out, shape->times);
    add_u32(out, shape->types);
    add_u32(out, shape->chars);
}

static void
add_type(struct mfx_buf *out, int32_t offset_s)
{
    add_u32(out, (uint32_t)offset_s);
    mfx_buf_add_byte(out, '\0');
    mfx_buf_add_byte(out, '\0');
}

/* One change at change_s from the first offset to the second. */
static void
add_block(struct mfx_buf *out, char version, size_t size, int64_t change_s,
          int32_t first_s, int32_t second_s)
{
    const struct shape shape = {version, 0, 0, 0, 1, 2, 4};
    add_header(out, &shape);
    add_time(out, change_s, size);
    mfx_buf_add_byte(out, 1);
    add_type(out, first_s);
    add_type(out, second_s);
    mfx_buf_add(out, mfx_str("ABC", 4));
}

/* A file without a table, but with this footer. */
static void
add_rule_file(struct mfx_buf *out, const char *footer)
{
    static const struct shape empty = {'3', 0, 0, 0, 0, 1, 1};
    for (int i = 0; i < 2; i++) {
        add_header(out, &empty);
        add_type(out, 0);
        mfx_buf_add_byte(out, '\0');
    }
    mfx_buf_printf(out, "\n%s\n", footer);
}

static enum mfx_rc
parse(const struct mfx_buf *file, struct quota_calendar **calendar)
{
    struct mfx_err err;
    assert_true(mfx_buf_ok(file));
    return quota_calendar_parse(mfx_buf_str(file), calendar, &err);
}

/* Offsets that a footer gives, by date(1); summer_all_year by RFC 9636 3.3.2,
 * since glibc has an hour of winter there. */
static void
rules(void **state)
{
    static const struct {
        const char *label, *footer;
        uint64_t at_s;
        int32_t want_s;
    } cases[] = {
        {"utc",                "UTC0",                                 1700000000, 0     },
        {"east",               "CET-1",                                1700000000, 3600  },
        {"west",               "EST5",                                 1700000000, -18000},
        {"quoted_name",        "<+0545>-5:45",                         1700000000, 20700 },
        {"seconds",            "ABC-1:02:03",                          1700000000, 3723  },
        {"plus_sign",          "ABC+3",                                1700000000, -10800},
        {"summer_before",      "CET-1CEST,M3.5.0,M10.5.0/3",           1774745999, 3600  },
        {"summer_begins",      "CET-1CEST,M3.5.0,M10.5.0/3",           1774746000, 7200  },
        {"summer_last",        "CET-1CEST,M3.5.0,M10.5.0/3",           1792889999, 7200  },
        {"summer_ends",        "CET-1CEST,M3.5.0,M10.5.0/3",           1792890000, 3600  },
        {"south_summer",       "AEST-10AEDT,M10.1.0,M4.1.0/3",         1767225600, 39600 },
        {"south_winter",       "AEST-10AEDT,M10.1.0,M4.1.0/3",         1783000000, 36000 },
        {"own_summer_offset",  "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
         1767225600,                                                               39600 },
        {"negative_hours",     "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",      1774745999,
         -7200                                                                           },
        {"negative_hours_2",   "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",      1774746000,
         -3600                                                                           },
        {"many_hours",         "IST-2IDT,M3.4.4/26,M10.5.0",           1774569599, 7200  },
        {"many_hours_2",       "IST-2IDT,M3.4.4/26,M10.5.0",           1774569600, 10800 },
        {"negative_summer",    "IST-1GMT0,M10.5.0,M3.5.0/1",           1767225600, 0     },
        {"negative_summer_2",  "IST-1GMT0,M10.5.0,M3.5.0/1",           1783000000, 3600  },
        {"julian_no_leap_day", "ABC0DEF,J60/0,J300/0",                 1709251199, 0     },
        {"julian_1_march",     "ABC0DEF,J60/0,J300/0",                 1709251200, 3600  },
        {"day_59_leap_day",    "ABC0DEF,59/0,300/0",                   1709164800, 3600  },
        {"day_59_before",      "ABC0DEF,59/0,300/0",                   1709164799, 0     },
        {"summer_all_year",    "EST5EDT,0/0,J365/25",                  1767243599, -14400},
        {"summer_all_year_2",  "EST5EDT,0/0,J365/25",                  1767243600, -14400},
        {"fourth_is_last",     "CET-1CEST,M2.5.0,M10.5.0/3",           1771721999, 3600  },
        {"fourth_is_last_2",   "CET-1CEST,M2.5.0,M10.5.0/3",           1771722000, 7200  },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf file;
        struct quota_calendar *calendar;
        mfx_buf_init(&file, 10000);
        add_rule_file(&file, cases[i].footer);
        unit_assert_int(cases[i].label, parse(&file, &calendar), MFX_OK);
        unit_assert_int(cases[i].label,
                        quota_calendar_offset(calendar, cases[i].at_s),
                        cases[i].want_s);
        quota_calendar_free(calendar);
        mfx_buf_fini(&file);
    }
}

static void
malformed_rules(void **state)
{
    static const char *const cases[] = {
        "C1",
        "CET",
        "CET-",
        "CET-25",
        "CET-1:60",
        "CET-1:00:60",
        "CET-1:",
        "<CET-1",
        "CET-1x",
        "CET-1CEST",
        "CET-1CEST,",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.5.0,",
        "CET-1CEST,M0.5.0,M10.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.0.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5,M10.5.0",
        "CET-1CEST,J0,J300",
        "CET-1CEST,J366,J300",
        "CET-1CEST,366,300",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0/,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1CEST,M3.5.0,M10.5.0,",
        "CET-99999999999999999999",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf file;
        struct quota_calendar *calendar;
        mfx_buf_init(&file, 10000);
        add_rule_file(&file, cases[i]);
        unit_assert_int(cases[i], parse(&file, &calendar), MFX_PERMFAIL);
        assert_null(calendar);
        mfx_buf_fini(&file);
    }
}

/* The 64 bit block counts, unless there is none; the table ends where the
 * footer begins. */
static void
blocks(void **state)
{
    static const struct {
        const char *label, *footer; /* NULL: version 1 */
        uint64_t at_s;
        int32_t want_s;
    } cases[] = {
        {"version_1_before", NULL,    999,                   60  },
        {"version_1_after",  NULL,    1000,                  120 },
        {"version_1_far",    NULL,    UINT64_C(90000000000), 120 },
        {"version_2_before", "",      1999,                  180 },
        {"version_2_after",  "",      2000,                  240 },
        {"no_rule_far",      "",      UINT64_C(90000000000), 240 },
        {"rule_not_before",  "XYZ-1", 1999,                  180 },
        {"rule_behind",      "XYZ-1", 2000,                  3600},
        {"beyond_limits",    "XYZ-1", UINT64_MAX,            3600},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf file;
        struct quota_calendar *calendar = NULL;
        bool is_old = cases[i].footer == NULL;
        mfx_buf_init(&file, 10000);
        add_block(&file, is_old ? '\0' : '2', 4, 1000, 60, 120);
        if (!is_old) {
            add_block(&file, '2', 8, 2000, 180, 240);
            mfx_buf_printf(&file, "\n%s\n", cases[i].footer);
        }
        unit_assert_int(cases[i].label, parse(&file, &calendar), MFX_OK);
        unit_assert_int(cases[i].label,
                        quota_calendar_offset(calendar, cases[i].at_s),
                        cases[i].want_s);
        quota_calendar_free(calendar);
        mfx_buf_fini(&file);
    }
}

static void
malformed_blocks(void **state)
{
    static const struct {
        const char *label;
        struct shape shape;
        const char *block;
        size_t len;
    } cases[] = {
        {"empty_block",       {'\0', 0, 0, 0, 0, 1, 1},   "",                   0 },
        {"no_type",           {'\0', 0, 0, 0, 0, 0, 1},   "\0",                 1 },
        {"too_many_types",    {'\0', 0, 0, 0, 0, 257, 1}, "\0",                 1 },
        {"huge_counts",
         {'\0', ~0U, ~0U, ~0U, ~0U, 1, ~0U},
         "\0\0\0\0\0\0\0",                                                      7 },
        {"short_type",        {'\0', 0, 0, 0, 0, 1, 1},   "\0\0\0\0\0\0",       6 },
        {"type_out_of_range",
         {'\0', 0, 0, 0, 1, 1, 1},
         "\0\0\0\1\1\0\0\0\0\0\0\0",                                            12},
        {"not_ascending",
         {'\0', 0, 0, 0, 2, 1, 1},
         "\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0\0",                                  17},
        {"offset_too_large",  {'\0', 0, 0, 0, 0, 1, 1},   "\0\1\x6D\xA0\0\0\0", 7 },
        {"offset_too_small",
         {'\0', 0, 0, 0, 0, 1, 1},
         "\xFF\xFE\x92\x60\0\0\0",                                              7 },
        {"leap_seconds",
         {'\0', 0, 0, 1, 0, 1, 1},
         "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1",                                      15},
        {"no_second_header",  {'2', 0, 0, 0, 0, 1, 1},    "\0\0\0\0\0\0\0",     7 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf file;
        struct quota_calendar *calendar;
        mfx_buf_init(&file, 10000);
        add_header(&file, &cases[i].shape);
        mfx_buf_add(&file, mfx_str(cases[i].block, cases[i].len));
        unit_assert_int(cases[i].label, parse(&file, &calendar), MFX_PERMFAIL);
        assert_null(calendar);
        mfx_buf_fini(&file);
    }
}

/* Cut anywhere, a file is none. */
static void
malformed_cut(void **state)
{
    struct mfx_buf file;
    struct quota_calendar *calendar;
    struct mfx_err err;
    (void)state;
    mfx_buf_init(&file, 10000);
    add_block(&file, '2', 4, 1000, 60, 120);
    add_block(&file, '2', 8, 2000, 180, 240);
    mfx_buf_add_text(&file, "\nCET-1\n");
    assert_true(mfx_buf_ok(&file));
    for (size_t len = 0; len < file.len; len++)
        unit_assert_int(
            "cut", quota_calendar_parse(mfx_str(file.p, len), &calendar, &err),
            MFX_PERMFAIL);
    assert_int_equal(parse(&file, &calendar), MFX_OK);
    quota_calendar_free(calendar);
    file.p[0] = 't';
    assert_int_equal(parse(&file, &calendar), MFX_PERMFAIL);
    mfx_buf_fini(&file);
}

static void
periods_of_utc(void **state)
{
    static const struct {
        enum quota_calendar_unit unit;
        uint64_t now_s, begin_s, end_s;
    } cases[] = {
        {QUOTA_CALENDAR_MINUTE, 1700000000, 1699999980, 1700000040},
        {QUOTA_CALENDAR_HOUR,   1700000000, 1699999200, 1700002800},
        {QUOTA_CALENDAR_DAY,    1700000000, 1699920000, 1700006400},
        {QUOTA_CALENDAR_WEEK,   1700000000, 1699833600, 1700438400},
        {QUOTA_CALENDAR_MONTH,  1700000000, 1698796800, 1701388800},
        {QUOTA_CALENDAR_DAY,    0,          0,          86400     },
        {QUOTA_CALENDAR_WEEK,   0,          0,          345600    },
    };
    struct quota_calendar *calendar;
    struct mfx_err err;
    (void)state;
    assert_int_equal(quota_calendar_new(mfx_str_of("UTC"), &calendar, &err),
                     MFX_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t begin_s, end_s;
        quota_calendar_period(calendar, cases[i].unit, cases[i].now_s, &begin_s,
                              &end_s);
        unit_assert_int("begin", begin_s, cases[i].begin_s);
        unit_assert_int("end", end_s, cases[i].end_s);
    }
    assert_false(quota_calendar_is_outdated(calendar));
    quota_calendar_free(calendar);
    quota_calendar_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),         cmocka_unit_test(malformed_rules),
        cmocka_unit_test(blocks),        cmocka_unit_test(malformed_blocks),
        cmocka_unit_test(malformed_cut), cmocka_unit_test(periods_of_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
