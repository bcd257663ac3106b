/* SPDX-License-Identifier: BSD-2-Clause */
#include "calendar_impl.h"

enum {
    MINUTE_S = 60,
    HOUR_S = 3600,
    WEEK_DAYS = 7,
};

static const int64_t farthest_s = INT64_C(1000000) * 366 * CALENDAR_DAY_S;

/* Rounded down. */
static int64_t
divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

static int64_t
remainder_of(int64_t a, int64_t b)
{
    return a - divide(a, b) * b;
}

/* How many changes of the table are not after this instant. */
static size_t
passed(const struct quota_calendar *c, int64_t at_s)
{
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->times[middle] <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct calendar_stretch
stretch_at(const struct quota_calendar *c, int64_t at_s)
{
    size_t n = passed(c, at_s);
    int64_t start_s = n > 0 ? c->times[n - 1] : INT64_MIN;
    if (n == c->count && c->has_rule) {
        struct calendar_stretch found = calendar_rule_stretch(&c->rule, at_s);
        if (found.start_s < start_s)
            found.start_s = start_s;
        return found;
    }
    return (struct calendar_stretch){
        .start_s = start_s,
        .end_s = n < c->count ? c->times[n] : INT64_MAX,
        .offset_s = n > 0 ? c->offsets[n - 1] : c->first_offset};
}

/* The first instant at which the local clock shows local_s or later. */
static int64_t
first_at(const struct quota_calendar *c, int64_t local_s)
{
    /* before this one no clock can show it */
    struct calendar_stretch s = stretch_at(c, local_s - CALENDAR_OFFSET_MAX);
    for (;;) {
        int64_t at_s = local_s - s.offset_s;
        if (at_s < s.start_s)
            at_s = s.start_s;
        if (at_s < s.end_s)
            return at_s;
        s = stretch_at(c, s.end_s);
    }
}

/* Days, weeks and months are numbered. */
static int64_t
number_of(enum quota_calendar_unit unit, int64_t days)
{
    int64_t year;
    int month, day;
    if (unit == QUOTA_CALENDAR_DAY)
        return days;
    if (unit == QUOTA_CALENDAR_WEEK) /* 1970 began on a Thursday */
        return divide(days + 3, WEEK_DAYS);
    calendar_date(days, &year, &month, &day);
    return year * 12 + month - 1;
}

static int64_t
first_of(const struct quota_calendar *c, enum quota_calendar_unit unit,
         int64_t number)
{
    int64_t days = number;
    if (unit == QUOTA_CALENDAR_WEEK)
        days = number * WEEK_DAYS - 3;
    else if (unit == QUOTA_CALENDAR_MONTH)
        days = calendar_days(divide(number, 12),
                             (int)remainder_of(number, 12) + 1, 1);
    return first_at(c, days * CALENDAR_DAY_S);
}

/* The clock may have been set back across midnight: the day that had begun
 * by then goes on. */
static void
find_days(const struct quota_calendar *c, enum quota_calendar_unit unit,
          int64_t now_s, int64_t *begin_s, int64_t *end_s)
{
    int64_t local_s = now_s + stretch_at(c, now_s).offset_s;
    int64_t number = number_of(unit, divide(local_s, CALENDAR_DAY_S));
    int64_t begin = first_of(c, unit, number);
    int64_t end = first_of(c, unit, number + 1);
    while (end <= now_s) {
        begin = end;
        end = first_of(c, unit, ++number + 1);
    }
    *begin_s = begin;
    *end_s = end;
}

/* A change of the clocks by whole units leaves the grid as it is. */
static bool
is_other_grid(const struct calendar_stretch *a,
              const struct calendar_stretch *b, int64_t length_s)
{
    return (a->offset_s - b->offset_s) % length_s != 0;
}

static void
find_grid(const struct quota_calendar *c, int64_t length_s, int64_t now_s,
          int64_t *begin_s, int64_t *end_s)
{
    const struct calendar_stretch now = stretch_at(c, now_s);
    struct calendar_stretch s = now;
    int64_t begin = now_s - remainder_of(now_s + now.offset_s, length_s);
    int64_t end = begin + length_s;
    while (begin < s.start_s) {
        struct calendar_stretch before = stretch_at(c, s.start_s - 1);
        if (is_other_grid(&before, &now, length_s))
            begin = s.start_s;
        s = before;
    }
    for (s = now; s.end_s < end;) {
        struct calendar_stretch after = stretch_at(c, s.end_s);
        if (is_other_grid(&after, &now, length_s))
            end = s.end_s;
        s = after;
    }
    *begin_s = begin;
    *end_s = end;
}

static int64_t
within_limits(uint64_t now_s)
{
    return now_s < (uint64_t)farthest_s ? (int64_t)now_s : farthest_s;
}

static void
find(const struct quota_calendar *c, enum quota_calendar_unit unit,
     int64_t now_s, int64_t *begin_s, int64_t *end_s)
{
    switch (unit) {
    case QUOTA_CALENDAR_MINUTE:
        find_grid(c, MINUTE_S, now_s, begin_s, end_s);
        return;
    case QUOTA_CALENDAR_HOUR:
        find_grid(c, HOUR_S, now_s, begin_s, end_s);
        return;
    case QUOTA_CALENDAR_DAY:
    case QUOTA_CALENDAR_WEEK:
    case QUOTA_CALENDAR_MONTH:
        find_days(c, unit, now_s, begin_s, end_s);
        return;
    }
    MFX_BUG("unknown unit of a calendar");
}

void
quota_calendar_period(const struct quota_calendar *calendar,
                      enum quota_calendar_unit unit, uint64_t now_s,
                      uint64_t *begin_s, uint64_t *end_s)
{
    int64_t begin, end;
    find(calendar, unit, within_limits(now_s), &begin, &end);
    *begin_s = begin > 0 ? (uint64_t)begin : 0;
    *end_s = (uint64_t)end;
}

int32_t
quota_calendar_offset(const struct quota_calendar *calendar, uint64_t now_s)
{
    return stretch_at(calendar, within_limits(now_s)).offset_s;
}
