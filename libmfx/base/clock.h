/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clock - times as people and machines read them, waits that no step of the
 * wall clock shortens
 *
 *     char text[MFX_CLOCK_TEXT];
 *     printf("since %s\n", mfx_clock_text(since_s, text));
 *
 *     mfx_clock_condition_init(&wake);
 *     pthread_cond_timedwait(&wake, &mutex, &until);    CLOCK_MONOTONIC
 *
 * Ownership: the caller's storage; pthread_cond_destroy as ever. Errors: none.
 * Threads: pure.
 */
#ifndef MFX_BASE_CLOCK_H
#define MFX_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

#include <mfx/base/rc.h>

MFX_API_BEGIN

enum {
    MFX_CLOCK_TEXT = 21, /* with the NUL */
};

/* "2026-11-21T03:30:00Z" (RFC 3339); "" for 0: never, or unknown. What is
 * beyond the year 9999 is its last second. Returns out. */
const char *mfx_clock_text(uint64_t time_s, char out[MFX_CLOCK_TEXT]);

/* Its timed waits go by CLOCK_MONOTONIC, the clock of mfx_mono_ms. */
void mfx_clock_condition_init(pthread_cond_t *condition);

MFX_API_END

#endif
