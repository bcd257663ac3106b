/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/rspamd_places.h>

#include <stdio.h>

/* --- addresses --- */

static void
put_base(struct mfx_rspamd_place *place, bool has_tls, struct mfx_str host,
         struct mfx_str port)
{
    bool is_v6 = mfx_str_has(host, ':') && host.p[0] != '[';
    (void)snprintf(place->base, sizeof place->base, "%s://%s%.*s%s%s%.*s",
                   has_tls ? "https" : "http", is_v6 ? "[" : "",
                   MFX_STR_ARG(host), is_v6 ? "]" : "", port.len > 0 ? ":" : "",
                   MFX_STR_ARG(port));
}

/* The URL has the name that is to be in the certificate; the connection goes
 * where the address says. */
static enum mfx_rc
take_address(struct mfx_rspamd_place *place, const struct mfx_stream_tls *tls,
             struct mfx_err *err)
{
    static const struct mfx_str local = MFX_STR("localhost");
    static const size_t prefix = sizeof "unix:" - 1;
    const char *text = mfx_stream_peer_text(place->peer);
    struct mfx_str address = mfx_str_of(text), name = mfx_str("", 0);
    size_t colon = mfx_str_find_last(address, ':');
    if (tls != NULL)
        name = mfx_stream_tls_look(tls).name;
    if (mfx_stream_peer_is_unix(place->peer)) {
        place->path = text + prefix;
        put_base(place, tls != NULL, name.len > 0 ? name : local,
                 mfx_str("", 0));
        if (tls == NULL || name.len > 0)
            return MFX_OK;
        mfx_err_set(err, "TLS over a UNIX socket needs a name");
        return MFX_PERMFAIL;
    }
    put_base(place, tls != NULL,
             name.len > 0 ? name : mfx_str_head(address, colon),
             mfx_str_from(address, colon + 1));
    if (name.len == 0)
        return MFX_OK;
    char to[MFX_RSPAMD_URL_MAX];
    (void)snprintf(to, sizeof to, "::%s", text);
    place->connect_to = curl_slist_append(NULL, to);
    if (place->connect_to != NULL)
        return MFX_OK;
    mfx_err_set(err, "out of memory");
    return MFX_TEMPFAIL;
}

enum mfx_rc
mfx_rspamd_places_init(struct mfx_rspamd_places *places,
                       const struct mfx_scan_engine_settings *settings,
                       unsigned default_port, struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    memset(places, 0, sizeof *places);
    if (settings->tls != NULL)
        places->tls = mfx_stream_tls_hold(settings->tls);
    /* too many are refused later, with all other settings */
    for (size_t i = 0;
         i < settings->server_count && rc == MFX_OK && i < MFX_SCAN_SERVERS_MAX;
         i++) {
        struct mfx_rspamd_place *place = &places->items[places->count++];
        rc = mfx_stream_peer_new(settings->servers[i].address, default_port,
                                 &place->peer, err);
        if (rc == MFX_OK)
            rc = take_address(place, places->tls, err);
    }
    return rc;
}

void
mfx_rspamd_places_fini(struct mfx_rspamd_places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        mfx_stream_peer_free(places->items[i].peer);
        curl_slist_free_all(places->items[i].connect_to);
    }
    mfx_stream_tls_free(places->tls);
}

/* --- handles --- */

static bool
set_blob(CURL *easy, CURLoption option, struct mfx_str bytes)
{
    struct curl_blob blob = {.data = (void *)(uintptr_t)bytes.p,
                             .len = bytes.len,
                             .flags = CURL_BLOB_NOCOPY};
    return bytes.len == 0 || curl_easy_setopt(easy, option, &blob) == CURLE_OK;
}

bool
mfx_rspamd_places_prepare(const struct mfx_rspamd_places *places, CURL *easy)
{
    if (places->tls == NULL)
        return true;
    struct mfx_stream_tls_parts parts = mfx_stream_tls_look(places->tls);
    return curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                            (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L) == CURLE_OK &&
           set_blob(easy, CURLOPT_CAINFO_BLOB, parts.ca) &&
           set_blob(easy, CURLOPT_SSLCERT_BLOB, parts.cert) &&
           set_blob(easy, CURLOPT_SSLKEY_BLOB, parts.key);
}

bool
mfx_rspamd_places_aim(const struct mfx_rspamd_places *places, unsigned server,
                      const char *command, CURL *easy, CURLU *url)
{
    const struct mfx_rspamd_place *place = &places->items[server];
    char text[MFX_RSPAMD_URL_MAX + 40];
    (void)snprintf(text, sizeof text, "%s/%s", place->base, command);
    return curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
           curl_easy_setopt(easy, CURLOPT_CURLU, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, place->path) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECT_TO, place->connect_to) ==
               CURLE_OK;
}
