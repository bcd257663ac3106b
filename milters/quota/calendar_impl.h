/* SPDX-License-Identifier: BSD-2-Clause
 *
 * calendar_impl - what the files of the calendar share
 *
 * calendar_tzif.c reads a file, calendar_rule.c the rule in its footer for
 * the years behind its table; calendar.c finds periods.
 */
#ifndef MFX_QUOTA_CALENDAR_IMPL_H
#define MFX_QUOTA_CALENDAR_IMPL_H

#include <mfx/base/arena.h>
#include <mfx/base/file.h>

#include "calendar.h"

enum {
    CALENDAR_DAY_S = 86400,
    CALENDAR_OFFSET_MAX = 26 * 3600, /* RFC 9636 3.2: less, either way */
};

/* A stretch of time with one offset: start_s <= t < end_s. */
struct calendar_stretch {
    int64_t start_s, end_s;
    int32_t offset_s;
};

enum calendar_rule_kind {
    CALENDAR_RULE_JULIAN, /* J1 to J365, never 29 February */
    CALENDAR_RULE_DAY,    /* 0 to 365 */
    CALENDAR_RULE_WEEK,   /* M month.week.weekday */
};

/* When the clocks change in every year. */
struct calendar_change {
    enum calendar_rule_kind kind;
    int day; /* JULIAN, DAY; for WEEK the weekday, 0 is Sunday */
    int month, week;
    int32_t time_s; /* of that day, by the clock before */
};

/* A POSIX TZ string; has_summer false: one offset for ever. */
struct calendar_rule {
    bool has_summer;
    int32_t standard_s, summer_s;
    struct calendar_change start, end;
};

struct quota_calendar {
    struct mfx_arena *arena;
    /* the table: from times[i] on offsets[i] holds */
    size_t count;
    int64_t *times;
    int32_t *offsets;
    int32_t first_offset; /* before the table */
    bool has_rule;        /* behind it */
    struct calendar_rule rule;
    const char *path; /* NULL: from no file */
    struct mfx_file_id id;
};

/* Days since 1970 of a date, and back (proleptic Gregorian). */
int64_t calendar_days(int64_t year, int month, int day);
void calendar_date(int64_t days, int64_t *year, int *month, int *day);

/* MFX_PERMFAIL for what is no such string. */
enum mfx_rc calendar_rule_parse(struct mfx_str text,
                                struct calendar_rule *rule) MFX_NODISCARD;
struct calendar_stretch calendar_rule_stretch(const struct calendar_rule *rule,
                                              int64_t at_s);

#endif
