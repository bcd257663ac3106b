/* SPDX-License-Identifier: BSD-2-Clause
 *
 * signals - HUP, TERM and INT, kept away from libmilter
 *
 * libmilter's own thread takes these by sigwait and stops, without closing
 * what is in flight. The kernel offers a signal to the first thread first, if
 * that does not block it; so the first thread keeps them unblocked for good,
 * with a handler (SA_NODEFER) that only writes to an eventfd, and every other
 * thread is made while they are blocked. That is not enough: while the first
 * thread has one signal to handle still, the next of another number goes to
 * whoever else wants it. So libmilter's thread is found, by what it does not
 * block, and put to sleep for good.
 *
 *     mfx_signals_block();      first of all
 *     ... make all threads ...
 *     mfx_signals_listen();     first thread, no thread is made after this
 *     mfx_signals_park_rival(); when libmilter has started
 *     while ((what = mfx_signals_wait()) ...
 *
 * Ownership: state of the process. Errors: MFX_TEMPFAIL when there is no
 * eventfd, or no /proc to find the thread by. Threads: wake from any; wait in the first only.
 */
#ifndef MFX_MILTER_SIGNALS_H
#define MFX_MILTER_SIGNALS_H

#include <stdint.h>

#include <mfx/base/rc.h>

enum {
    MFX_SIGNAL_RELOAD = 1, /* HUP */
    MFX_SIGNAL_STOP = 2,   /* TERM, INT */
    MFX_SIGNAL_ENDED = 4,  /* libmilter has returned; by wake */
};

enum mfx_rc mfx_signals_block(void) MFX_NODISCARD;
void mfx_signals_listen(void);
/* Waits for libmilter's signal thread to be there, and then for it to sleep.
 * MFX_TEMPFAIL when that did not happen within timeout_ms. */
enum mfx_rc mfx_signals_park_rival(uint64_t timeout_ms) MFX_NODISCARD;
void mfx_signals_wake(unsigned what);
/* Waits for something, or timeout_ms (negative: for good); 0 then. */
unsigned mfx_signals_wait(int timeout_ms);

#endif
