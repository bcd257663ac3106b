/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rspamd_places - the engine's servers as libcurl wants them (not installed)
 *
 * Ownership: init/fini. Errors: MFX_PERMFAIL: an address is wrong; MFX_TEMPFAIL:
 * out of memory; on failure fini is still right. Threads: once made, any.
 */
#ifndef MFX_SCAN_RSPAMD_PLACES_H
#define MFX_SCAN_RSPAMD_PLACES_H

#include <curl/curl.h>

#include <mfx/scan/scan_engine.h>

enum {
    MFX_RSPAMD_URL_MAX = 600,
};

struct mfx_rspamd_place {
    struct mfx_stream_peer *peer;
    char base[MFX_RSPAMD_URL_MAX]; /* "http://host:port" */
    struct curl_slist *connect_to; /* where that is in truth; or NULL */
    const char *path;              /* of a UNIX socket; or NULL */
};

struct mfx_rspamd_places {
    struct mfx_rspamd_place items[MFX_SCAN_SERVERS_MAX];
    size_t count;
    struct mfx_stream_tls *tls; /* NULL: none */
};

enum mfx_rc
mfx_rspamd_places_init(struct mfx_rspamd_places *places,
                       const struct mfx_scan_engine_settings *settings,
                       unsigned default_port,
                       struct mfx_err *err) MFX_NODISCARD;
void mfx_rspamd_places_fini(struct mfx_rspamd_places *places);

/* What is the same for all requests of a handle. False: out of memory. */
bool mfx_rspamd_places_prepare(const struct mfx_rspamd_places *places,
                               CURL *easy) MFX_NODISCARD;
/* Where the next requests of a handle go; command: "checkv2". url is the
 * handle's, and lives as long. */
bool mfx_rspamd_places_aim(const struct mfx_rspamd_places *places,
                           unsigned server, const char *command, CURL *easy,
                           CURLU *url) MFX_NODISCARD;

#endif
