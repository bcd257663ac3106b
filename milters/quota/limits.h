/* SPDX-License-Identifier: BSD-2-Clause
 *
 * limits - "30/1m 200/1h 500/1d", read and written
 *
 *     limits  = "unlimited" / "blocked" [ reason ] / limit *( blank limit )
 *     limit   = number "/" span [ blank "burst=" number ]   sliding; a bucket
 *             / number "/" ( "minute" / "hour" / "day" / "week" / "month" )
 *             / number "/" "message"                        of one message
 *             / number                                      open at once
 *     number  = digits [ "K" / "M" / "G" / "T" ]            (1024s)
 *     span    = digits ( "s" / "m" / "h" / "d" / "w" )
 *
 *     rc = quota_limits_parse(text, QUOTA_COUNT_RECIPIENTS, zone, &limits, &err);
 *
 * Ownership: a value; the reason of a block borrows from the text.
 * Errors: MFX_PERMFAIL with what is wrong. Threads: pure.
 * Limits: as many windows as a store's counter has.
 */
#ifndef MFX_QUOTA_LIMITS_H
#define MFX_QUOTA_LIMITS_H

#include <mfx/base/buf.h>
#include <mfx/store/store.h>

#include "zones.h"

struct quota_limits {
    struct mfx_store_window windows[MFX_STORE_WINDOWS_MAX];
    size_t window_count;
    uint64_t per_message; /* MFX_STORE_UNLIMITED: none */
    bool is_blocked;
    struct mfx_str reason; /* of a block; may be empty */
};

/* count: an enum quota_count, which says what makes sense. zone: for calendar
 * windows; kept by pointer. */
enum mfx_rc quota_limits_parse(struct mfx_str text, int count,
                               const struct quota_zone *zone,
                               struct quota_limits *limits,
                               struct mfx_err *err) MFX_NODISCARD;

/* "1d", "day", "1h burst", "now". */
void quota_limits_format_span(const struct mfx_store_window *window,
                              struct mfx_buf *out);
/* "500/1d"; as parse reads it. */
void quota_limits_format(const struct mfx_store_window *window,
                         struct mfx_buf *out);

#endif
