/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/http.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <microhttpd.h>

#include <mfx/milter/verbs.h>

enum {
    TEXT_MAX = 16 * 1024 * 1024,
};

struct mfx_http {
    struct mfx_daemon *daemon;
    struct MHD_Daemon *server;
};

static enum MHD_Result
respond(struct MHD_Connection *connection, unsigned status, struct mfx_str body)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(
        body.len, (void *)(uintptr_t)(body.len > 0 ? body.p : ""),
        MHD_RESPMEM_MUST_COPY);
    if (r == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(r, "Content-Type",
                                  "text/plain; version=0.0.4");
    enum MHD_Result result = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result
answer(void *arg, struct MHD_Connection *connection, const char *url,
       const char *method, const char *version, const char *upload,
       size_t *upload_len, void **state)
{
    struct mfx_http *http = arg;
    struct mfx_buf out;
    (void)version;
    (void)upload;
    (void)state;
    if (strcmp(method, "GET") != 0 || *upload_len > 0)
        return respond(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                       mfx_str_of("GET only\n"));
    if (strcmp(url, "/metrics") != 0)
        return respond(connection, MHD_HTTP_NOT_FOUND,
                       mfx_str_of("see /metrics\n"));
    mfx_buf_init(&out, TEXT_MAX);
    mfx_verbs_metrics(http->daemon, &out);
    enum MHD_Result result =
        mfx_buf_ok(&out) ? respond(connection, MHD_HTTP_OK, mfx_buf_str(&out))
                         : MHD_NO;
    mfx_buf_fini(&out);
    return result;
}

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool
parse(struct mfx_str text, union address *a)
{
    size_t colon = mfx_str_find_last(text, ':');
    struct mfx_ip ip;
    uint64_t port = 0;
    memset(a, 0, sizeof *a);
    if (mfx_ip_parse(mfx_str_head(text, colon), &ip) != MFX_OK ||
        mfx_str_to_u64(mfx_str_from(text, colon + 1), 65535, &port) != MFX_OK)
        return false;
    if (ip.family == MFX_IP_V4) {
        a->v4.sin_family = AF_INET;
        a->v4.sin_port = htons((uint16_t)port);
        memcpy(&a->v4.sin_addr, ip.bytes, 4);
    } else {
        a->v6.sin6_family = AF_INET6;
        a->v6.sin6_port = htons((uint16_t)port);
        memcpy(&a->v6.sin6_addr, ip.bytes, 16);
    }
    return true;
}

struct mfx_http *
mfx_http_start(struct mfx_daemon *daemon, struct mfx_str listen,
               struct mfx_err *err)
{
    union address a;
    if (!parse(listen, &a)) {
        mfx_err_set(err, "metrics.listen: needs ADDRESS:PORT");
        return NULL;
    }
    struct mfx_http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return NULL;
    http->daemon = daemon;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD |
                     (a.any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0U);
    http->server = MHD_start_daemon(
        flags, 0, NULL, NULL, answer, http, MHD_OPTION_SOCK_ADDR, &a.any,
        MHD_OPTION_CONNECTION_LIMIT, 32U, MHD_OPTION_CONNECTION_TIMEOUT, 10U,
        MHD_OPTION_END);
    if (http->server == NULL) {
        mfx_err_set(err, "metrics.listen: cannot listen on %.*s: %s",
                    MFX_STR_ARG(listen), strerror(errno));
        free(http);
        return NULL;
    }
    return http;
}

void
mfx_http_stop(struct mfx_http *http)
{
    if (http == NULL)
        return;
    MHD_stop_daemon(http->server);
    free(http);
}
