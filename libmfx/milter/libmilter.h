/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libmilter - Sendmail's library, made to drive sessions
 *
 * The only place that calls libmilter. Its callbacks carry no argument of
 * ours, so the engine stands in file scope; one engine a process.
 *
 * Ownership: the engine outlives run. Errors: err says what libmilter refused.
 * Threads: run is called in a thread with HUP, TERM and INT blocked, since
 * libmilter's own signal thread would stop at them. It is never told to stop:
 * it would free what its own threads still look at, and end no session better
 * than the end of the process does.
 */
#ifndef MFX_MILTER_LIBMILTER_H
#define MFX_MILTER_LIBMILTER_H

#include <mfx/milter/session.h>

/* address in libmilter's form; opens the socket. */
enum mfx_rc mfx_libmilter_open(struct mfx_engine *engine, const char *address,
                               bool is_unix, struct mfx_err *err) MFX_NODISCARD;
bool mfx_libmilter_run(void);

#endif
