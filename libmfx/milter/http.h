/* SPDX-License-Identifier: BSD-2-Clause
 *
 * http - metrics for Prometheus, over libmicrohttpd
 *
 * GET /metrics and nothing else.
 *
 * Ownership: start/stop. Errors: NULL with the reason in err.
 * Threads: libmicrohttpd's own, one.
 * Limits: 32 connections, 10 s each.
 */
#ifndef MFX_MILTER_HTTP_H
#define MFX_MILTER_HTTP_H

#include <mfx/milter/daemon.h>

struct mfx_http;

/* listen: "ADDRESS:PORT", "[ADDRESS]:PORT". */
struct mfx_http *mfx_http_start(struct mfx_daemon *daemon,
                                struct mfx_str listen, struct mfx_err *err);
void mfx_http_stop(struct mfx_http *http);

#endif
