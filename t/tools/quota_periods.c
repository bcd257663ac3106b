/* SPDX-License-Identifier: BSD-2-Clause
 *
 * quota_periods FOLDER: for each line "ZONE UNIT SECONDS" the line "BEGIN END
 * OFFSET" of the zone in FOLDER ("-" is the system's own zone), or "error
 * WHY". quota-calendar.t compares this with Python's answers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../milters/quota/calendar.h"

struct last {
    char name[100];
    struct quota_calendar *calendar;
};

static const char *const units[] = {"minute", "hour", "day", "week", "month"};

static bool
find_unit(const char *word, enum quota_calendar_unit *unit)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(word, units[i]) != 0)
            continue;
        *unit = (enum quota_calendar_unit)i;
        return true;
    }
    return false;
}

/* Zones come in runs. */
static bool
need_zone(const char *folder, const char *name, struct last *last,
          struct mfx_err *err)
{
    if (last->calendar != NULL && strcmp(last->name, name) == 0)
        return true;
    quota_calendar_free(last->calendar);
    (void)snprintf(last->name, sizeof last->name, "%s", name);
    struct mfx_str zone = mfx_str_of(strcmp(name, "-") == 0 ? "" : name);
    return quota_calendar_load(folder, zone, &last->calendar, err) == MFX_OK;
}

static void
answer(const char *folder, const char *line, struct last *last)
{
    char name[100], word[20];
    unsigned long long now_s;
    struct mfx_err err = {""};
    enum quota_calendar_unit unit;
    uint64_t begin_s, end_s;
    if (sscanf(line, "%99s %19s %llu", name, word, &now_s) != 3 ||
        !find_unit(word, &unit)) {
        (void)puts("error not understood");
    } else if (!need_zone(folder, name, last, &err)) {
        (void)printf("error %s\n", err.msg);
    } else {
        quota_calendar_period(last->calendar, unit, now_s, &begin_s, &end_s);
        (void)printf("%llu %llu %ld\n", (unsigned long long)begin_s,
                     (unsigned long long)end_s,
                     (long)quota_calendar_offset(last->calendar, now_s));
    }
}

int
main(int argc, char **argv)
{
    char line[300];
    struct last last = {.calendar = NULL};
    if (argc != 2)
        return 2;
    while (fgets(line, sizeof line, stdin) != NULL)
        answer(argv[1], line, &last);
    quota_calendar_free(last.calendar);
    return 0;
}
