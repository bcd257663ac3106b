/* SPDX-License-Identifier: BSD-2-Clause
 *
 * finish - the end of a message: one log line, the ring, the counters
 *
 * Ownership: gives the flight back; the session has no message afterwards.
 * Errors: none. Threads: the session's.
 */
#ifndef MFX_MILTER_FINISH_H
#define MFX_MILTER_FINISH_H

#include <mfx/milter/flight.h>
#include <mfx/milter/report.h>

/* reply: what was sent, or NULL. Runs the filter's abort hook unless the
 * message was answered. */
void mfx_flight_finish(struct mfx_flight *flight, enum mfx_ending ending,
                       const struct mfx_reply *reply);

#endif
