/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A zone file is read; whatever it says, periods hold their instant, have no
 * gap and do not overlap.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../../milters/quota/calendar_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CHANGES_MAX = 50, /* of the table that are looked at */
};

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
try_unit(const struct quota_calendar *c, enum quota_calendar_unit unit,
         uint64_t now_s)
{
    uint64_t begin_s, end_s, again_s, next_s;
    quota_calendar_period(c, unit, now_s, &begin_s, &end_s);
    check(begin_s <= now_s && now_s < end_s);
    quota_calendar_period(c, unit, end_s - 1, &again_s, &next_s);
    check(again_s == begin_s && next_s == end_s);
    quota_calendar_period(c, unit, begin_s, &again_s, &next_s);
    check(again_s == begin_s && next_s == end_s);
    quota_calendar_period(c, unit, end_s, &again_s, &next_s);
    check(again_s == end_s && next_s > end_s);
}

static void
try_at(const struct quota_calendar *c, int64_t now_s)
{
    if (now_s < 0 || now_s > INT64_C(30000000000000))
        return;
    for (int unit = QUOTA_CALENDAR_MINUTE; unit <= QUOTA_CALENDAR_MONTH; unit++)
        try_unit(c, (enum quota_calendar_unit)unit, (uint64_t)now_s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t instants[] = {
        0,          1508036399,          1508036400,
        1774746000, INT64_C(5000000000), INT64_C(20000000000000),
    };
    struct mfx_err err = {""};
    struct quota_calendar *c;
    enum mfx_rc rc =
        quota_calendar_parse(mfx_str((const char *)data, size), &c, &err);
    check((rc == MFX_OK) == (c != NULL));
    check(rc == MFX_OK || err.msg[0] != '\0');
    if (rc != MFX_OK)
        return 0;
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++)
        try_at(c, instants[i]);
    for (size_t i = c->count > CHANGES_MAX ? c->count - CHANGES_MAX : 0;
         i < c->count; i++) {
        try_at(c, c->times[i]);
        if (c->times[i] > 0)
            try_at(c, c->times[i] - 1);
    }
    quota_calendar_free(c);
    return 0;
}
