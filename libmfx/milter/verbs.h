/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verbs - what the control socket understands, and the daemon's metrics text
 *
 * Ownership: nothing. Errors: an "error TEXT" line. Threads: any but the
 * first (reload).
 */
#ifndef MFX_MILTER_VERBS_H
#define MFX_MILTER_VERBS_H

#include <mfx/milter/control.h>
#include <mfx/milter/daemon.h>

/* The control socket's handler; arg is the daemon. */
void mfx_verbs_handle(void *arg, struct mfx_str line, struct mfx_buf *out);

/* Everything, in Prometheus text. */
void mfx_verbs_metrics(struct mfx_daemon *daemon, struct mfx_buf *out);

#endif
