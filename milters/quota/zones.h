/* SPDX-License-Identifier: BSD-2-Clause
 *
 * zones - the time zones of the rules, and their calendars' periods
 *
 *     zone = quota_zones_get(zones, name, &err);
 *     window.period = quota_zone_period;
 *     window.period_arg = quota_zone_unit(zone, QUOTA_DAY);
 *
 * A set only grows, and is handed from policy to policy: what the store asks
 * of a zone may come after the policy that named it has gone. A zone whose file
 * has changed (tzdata was updated) is read anew by the next get.
 *
 * Ownership: counted; a zone lives as long as its set. Errors: a name that
 * cannot be read: MFX_PERMFAIL, or MFX_TEMPFAIL. Threads: get in one thread at
 * a time; periods from any.
 */
#ifndef MFX_QUOTA_ZONES_H
#define MFX_QUOTA_ZONES_H

#include <mfx/base/str.h>

#include "calendar.h"

struct quota_zones;
struct quota_zone;

struct quota_zones *quota_zones_new(void);
struct quota_zones *quota_zones_hold(struct quota_zones *zones);
void quota_zones_release(struct quota_zones *zones);

enum mfx_rc quota_zones_get(struct quota_zones *zones, struct mfx_str name,
                            const struct quota_zone **zone,
                            struct mfx_err *err) MFX_NODISCARD;

/* True when its file is another than the one that was read. */
bool quota_zone_is_outdated(const struct quota_zone *zone);

/* What mfx_store_window.period_arg is to be, for quota_zone_period. */
const void *quota_zone_unit(const struct quota_zone *zone,
                            enum quota_calendar_unit unit);
void quota_zone_period(const void *arg, uint64_t now_s, uint64_t *begin_s,
                       uint64_t *end_s);

#endif
