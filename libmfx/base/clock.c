/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/clock.h>

#include <time.h>

const char *
mfx_clock_text(uint64_t time_s, char out[MFX_CLOCK_TEXT])
{
    static const uint64_t year_9999 = 253402300799;
    time_t t = (time_t)(time_s < year_9999 ? time_s : year_9999);
    struct tm utc;
    if (time_s == 0 || gmtime_r(&t, &utc) == NULL ||
        strftime(out, MFX_CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
        out[0] = '\0';
    return out;
}

void
mfx_clock_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}
