/* SPDX-License-Identifier: BSD-2-Clause
 *
 * signals - HUP, TERM and INT, kept away from libmilter
 *
 * libmilter's own thread takes these by sigwait and stops, without closing
 * what is in flight. The kernel offers a signal to the first thread first, if
 * that does not block it; so the first thread keeps them unblocked for good,
 * with a handler (SA_NODEFER) that only writes to an eventfd, and every other
 * thread is made while they are blocked. A sigwait of our own in the first
 * thread loses that race under load.
 *
 *     mfx_signals_block();      first of all
 *     ... make all threads ...
 *     mfx_signals_listen();     first thread, no thread is made after this
 *     while ((what = mfx_signals_wait()) ...
 *
 * Ownership: state of the process. Errors: MFX_TEMPFAIL when there is no
 * eventfd. Threads: wake from any; wait in the first only.
 */
#ifndef MFX_MILTER_SIGNALS_H
#define MFX_MILTER_SIGNALS_H

#include <mfx/base/rc.h>

enum {
    MFX_SIGNAL_RELOAD = 1, /* HUP */
    MFX_SIGNAL_STOP = 2,   /* TERM, INT */
    MFX_SIGNAL_ENDED = 4,  /* libmilter has returned; by wake */
};

enum mfx_rc mfx_signals_block(void) MFX_NODISCARD;
void mfx_signals_listen(void);
void mfx_signals_wake(unsigned what);
/* Waits for something, or timeout_ms (negative: for good); 0 then. */
unsigned mfx_signals_wait(int timeout_ms);

#endif
