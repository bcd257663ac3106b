/* SPDX-License-Identifier: BSD-2-Clause
 *
 * calendar - the minutes, hours, days, weeks and months of a time zone
 *
 * A limit of 500 a day counts from midnight to midnight where the postmaster
 * lives, on days of 23 and of 25 hours too. glibc's time zone belongs to the
 * whole process, so the files of the time zone database are read here.
 *
 *     struct quota_calendar *calendar;
 *     if (quota_calendar_new(mfx_str_of("Europe/Zurich"), &calendar, &err) ==
 *         MFX_OK)
 *         quota_calendar_period(calendar, QUOTA_CALENDAR_DAY, now_s, &begin_s,
 *                               &end_s);
 *
 * A day, week or month begins at the first instant at which the local clock
 * shows its midnight or later: where the clocks skip midnight, that is the
 * end of the gap; a midnight that comes twice counts the first time. Weeks
 * begin on Monday. A minute or an hour has 60 or 3600 seconds on the grid of
 * the local clock; only a change of the clocks by a part of it makes one
 * shorter (an hour in Lord Howe, where they go by half an hour).
 * Periods have no gap, never overlap and are never empty.
 *
 * Ownership: new, load and parse give a calendar for quota_calendar_free.
 * Errors: MFX_NOTFOUND no such zone, MFX_PERMFAIL a broken file, a name that
 * is none, or a zone that counts leap seconds ("right/..."); MFX_TEMPFAIL the
 * file cannot be read. *calendar is NULL then.
 * Threads: a calendar never changes; any number may ask.
 * Limits: TZif of versions 1 to 4 (RFC 9636) up to 256 KiB; instants from 1970
 * on for a million years, others count as the nearest of these.
 */
#ifndef MFX_QUOTA_CALENDAR_H
#define MFX_QUOTA_CALENDAR_H

#include <mfx/base/str.h>

enum quota_calendar_unit {
    QUOTA_CALENDAR_MINUTE,
    QUOTA_CALENDAR_HOUR,
    QUOTA_CALENDAR_DAY,
    QUOTA_CALENDAR_WEEK,
    QUOTA_CALENDAR_MONTH,
};

struct quota_calendar;

/* zone: "Europe/Zurich", or "" for the system's /etc/localtime. "UTC", and
 * "" without that file, need no file. */
enum mfx_rc quota_calendar_new(struct mfx_str zone,
                               struct quota_calendar **calendar,
                               struct mfx_err *err) MFX_NODISCARD;
/* From another folder than /usr/share/zoneinfo. */
enum mfx_rc quota_calendar_load(const char *folder, struct mfx_str zone,
                                struct quota_calendar **calendar,
                                struct mfx_err *err) MFX_NODISCARD;
/* From the bytes of a TZif file. */
enum mfx_rc quota_calendar_parse(struct mfx_str bytes,
                                 struct quota_calendar **calendar,
                                 struct mfx_err *err) MFX_NODISCARD;
void quota_calendar_free(struct quota_calendar *calendar);

/* True when the file is another than the one that was read (tzdata was
 * updated, the machine moved). */
bool quota_calendar_is_outdated(const struct quota_calendar *calendar);

/* The period that now_s (seconds since 1970, UTC) is in: from *begin_s up to,
 * not including, *end_s; the first one begins at 0. */
void quota_calendar_period(const struct quota_calendar *calendar,
                           enum quota_calendar_unit unit, uint64_t now_s,
                           uint64_t *begin_s, uint64_t *end_s);

/* Seconds that the local clock is ahead of UTC, for showing a time. */
int32_t quota_calendar_offset(const struct quota_calendar *calendar,
                              uint64_t now_s);

#endif
