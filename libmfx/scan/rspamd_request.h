/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rspamd_request - what rspamd is told of a message, as HTTP fields (not
 * installed)
 *
 *     fixed = mfx_rspamd_request_fixed(&settings, arena);         once
 *     all = mfx_rspamd_request_fields(&request, arena, fixed);    each time
 *
 * Control bytes in values become question marks: what a client said cannot
 * make a field of its own.
 *
 * Ownership: lists and texts are in the arena; libcurl only reads them. Errors:
 * NULL: out of memory. Threads: pure functions.
 */
#ifndef MFX_SCAN_RSPAMD_REQUEST_H
#define MFX_SCAN_RSPAMD_REQUEST_H

#include <curl/curl.h>

#include <mfx/scan/rspamd.h>

/* What is the same in all requests. */
struct curl_slist *
mfx_rspamd_request_fixed(const struct mfx_rspamd_settings *settings,
                         struct mfx_arena *arena);
/* What the envelope says, and then `fixed`. */
struct curl_slist *
mfx_rspamd_request_fields(const struct mfx_scan_request *request,
                          struct mfx_arena *arena, struct curl_slist *fixed);

/* Can it be sent as a value as it is? */
bool mfx_rspamd_is_value(struct mfx_str text);

#endif
