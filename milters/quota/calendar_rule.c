/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The footer of a TZif file: "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX 8.3, with
 * the longer hours of RFC 9636 3.3.2).
 */
#include "calendar_impl.h"

enum {
    HOURS_MAX = 167,
    OFFSET_HOURS_MAX = 24,
    YEARS = 5, /* of changes to look at: two before and two after */
};

/* Howard Hinnant's days_from_civil: years from March on, eras of 400. */
int64_t
calendar_days(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * 146097 + day_of_era - 719468;
}

void
calendar_date(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                      day_of_era / 146096) /
                     365;
    int64_t of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

static bool
is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Takes the byte off when it is next. */
static bool
take(struct mfx_str *rest, char c)
{
    if (rest->len == 0 || rest->p[0] != c)
        return false;
    *rest = mfx_str_from(*rest, 1);
    return true;
}

static bool
take_number(struct mfx_str *rest, int max, int *out)
{
    size_t digits = 0;
    uint64_t number = 0;
    while (digits < rest->len &&
           mfx_ascii_is_digit((unsigned char)rest->p[digits]))
        digits++;
    if (mfx_str_to_u64(mfx_str_head(*rest, digits), (uint64_t)max, &number) !=
        MFX_OK)
        return false;
    *out = (int)number;
    *rest = mfx_str_from(*rest, digits);
    return true;
}

/* "<+0330>" or three letters or more. */
static bool
take_name(struct mfx_str *rest)
{
    size_t len = 0;
    if (take(rest, '<')) {
        len = mfx_str_find(*rest, '>');
        bool is_closed = len < rest->len;
        *rest = mfx_str_from(*rest, len + 1);
        return is_closed;
    }
    while (len < rest->len && mfx_ascii_is_alpha((unsigned char)rest->p[len]))
        len++;
    *rest = mfx_str_from(*rest, len);
    return len >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool
take_time(struct mfx_str *rest, int hours_max, int32_t *out)
{
    int hours = 0, minutes = 0, seconds = 0;
    bool is_negative = take(rest, '-');
    if (!is_negative)
        (void)take(rest, '+');
    if (!take_number(rest, hours_max, &hours))
        return false;
    if (take(rest, ':') && !take_number(rest, 59, &minutes))
        return false;
    if (take(rest, ':') && !take_number(rest, 59, &seconds))
        return false;
    *out = (hours * 60 + minutes) * 60 + seconds;
    if (is_negative)
        *out = -*out;
    return true;
}

/* POSIX counts west of Greenwich as positive. */
static bool
take_offset(struct mfx_str *rest, int32_t *out)
{
    if (!take_time(rest, OFFSET_HOURS_MAX, out))
        return false;
    *out = -*out;
    return true;
}

static bool
take_week(struct mfx_str *rest, struct calendar_change *change)
{
    change->kind = CALENDAR_RULE_WEEK;
    return take_number(rest, 12, &change->month) && change->month >= 1 &&
           take(rest, '.') && take_number(rest, 5, &change->week) &&
           change->week >= 1 && take(rest, '.') &&
           take_number(rest, 6, &change->day);
}

static bool
take_change(struct mfx_str *rest, struct calendar_change *change)
{
    bool is_good;
    change->time_s = 2 * 3600;
    if (take(rest, 'M')) {
        is_good = take_week(rest, change);
    } else if (take(rest, 'J')) {
        change->kind = CALENDAR_RULE_JULIAN;
        is_good = take_number(rest, 365, &change->day) && change->day >= 1;
    } else {
        change->kind = CALENDAR_RULE_DAY;
        is_good = take_number(rest, 365, &change->day);
    }
    if (is_good && take(rest, '/'))
        is_good = take_time(rest, HOURS_MAX, &change->time_s);
    return is_good;
}

static bool
take_summer(struct mfx_str *rest, struct calendar_rule *rule)
{
    rule->has_summer = true;
    rule->summer_s = rule->standard_s + 3600;
    if (!take_name(rest))
        return false;
    if (rest->len > 0 && rest->p[0] != ',' &&
        !take_offset(rest, &rule->summer_s))
        return false;
    return take(rest, ',') && take_change(rest, &rule->start) &&
           take(rest, ',') && take_change(rest, &rule->end);
}

enum mfx_rc
calendar_rule_parse(struct mfx_str text, struct calendar_rule *rule)
{
    struct mfx_str rest = text;
    *rule = (struct calendar_rule){.has_summer = false};
    if (!take_name(&rest) || !take_offset(&rest, &rule->standard_s))
        return MFX_PERMFAIL;
    if (rest.len > 0 && !take_summer(&rest, rule))
        return MFX_PERMFAIL;
    return rest.len == 0 ? MFX_OK : MFX_PERMFAIL;
}

/* The day of a year (days since 1970) on which the change falls. */
static int64_t
day_of(const struct calendar_change *change, int64_t year)
{
    int64_t first, weekday, day;
    switch (change->kind) {
    case CALENDAR_RULE_JULIAN:
        return calendar_days(year, 1, 1) + change->day - 1 +
               (change->day >= 60 && is_leap(year) ? 1 : 0);
    case CALENDAR_RULE_DAY:
        return calendar_days(year, 1, 1) + change->day;
    case CALENDAR_RULE_WEEK:
        first = calendar_days(year, change->month, 1);
        weekday = ((first + 4) % 7 + 7) % 7; /* 1970 began on a Thursday */
        day = first + (change->day - weekday + 7) % 7 + (change->week - 1) * 7;
        /* week 5 is the last one, which may be the fourth */
        if (day >= calendar_days(change->month == 12 ? year + 1 : year,
                                 change->month % 12 + 1, 1))
            day -= 7;
        return day;
    }
    MFX_BUG("unknown kind of rule");
}

struct change {
    int64_t at_s;
    int32_t offset_s; /* from then on */
};

/* Into order; of two at one instant the one that was there first stays
 * first, since the later year's word holds. */
static void
insert(struct change *changes, size_t count, struct change change)
{
    size_t i = count;
    for (; i > 0 && changes[i - 1].at_s > change.at_s; i--)
        changes[i] = changes[i - 1];
    changes[i] = change;
}

/* The changes of some years around, in order. */
static void
list_changes(const struct calendar_rule *rule, int64_t year,
             struct change changes[2 * YEARS])
{
    size_t count = 0;
    for (int64_t y = year - YEARS / 2; y <= year + YEARS / 2; y++) {
        const struct change start = {day_of(&rule->start, y) * CALENDAR_DAY_S +
                                         rule->start.time_s - rule->standard_s,
                                     rule->summer_s};
        const struct change end = {day_of(&rule->end, y) * CALENDAR_DAY_S +
                                       rule->end.time_s - rule->summer_s,
                                   rule->standard_s};
        insert(changes, count++, start);
        insert(changes, count++, end);
    }
}

struct calendar_stretch
calendar_rule_stretch(const struct calendar_rule *rule, int64_t at_s)
{
    struct calendar_stretch found = {
        .start_s = INT64_MIN, .end_s = INT64_MAX, .offset_s = rule->standard_s};
    if (!rule->has_summer)
        return found;
    struct change changes[2 * YEARS];
    int64_t year;
    int month, day;
    calendar_date((at_s - (at_s < 0 ? CALENDAR_DAY_S - 1 : 0)) / CALENDAR_DAY_S,
                  &year, &month, &day);
    list_changes(rule, year, changes);
    /* the year before last is surely past, the one after next is not */
    for (size_t i = 0; i < 2 * YEARS; i++) {
        if (changes[i].at_s > at_s) {
            found.end_s = changes[i].at_s;
            break;
        }
        found.start_s = changes[i].at_s;
        found.offset_s = changes[i].offset_s;
    }
    return found;
}
