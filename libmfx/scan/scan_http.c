/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/scan_http.h>

#include <poll.h>
#include <stdlib.h>

#include <mfx/base/env.h>

enum {
    IDLE_MAX = 64, /* connections kept, to all servers */
};

/* A descriptor of libcurl's. */
struct socket {
    struct mfx_scan_watch watch; /* first */
    struct mfx_scan_http *http;
    struct socket *next;
};

struct mfx_scan_http {
    struct mfx_scan_watch timer; /* first */
    struct mfx_scan_loop *loop;
    CURLM *multi;
    int running;     /* transfers */
    uint64_t due_ms; /* what libcurl wants; it says so only once */
    struct socket *sockets;
};

/* --- what has ended --- */

static void
reap(struct mfx_scan_http *http)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        struct mfx_scan_transfer *transfer = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                                (char **)&transfer);
        (void)curl_multi_remove_handle(http->multi, message->easy_handle);
        transfer->is_running = false;
        http->running--;
        transfer->done(transfer, code);
    }
}

static void
act(struct mfx_scan_http *http, curl_socket_t fd, int what)
{
    int running;
    (void)curl_multi_socket_action(http->multi, fd, what, &running);
    reap(http);
}

/* --- what libcurl waits for --- */

static void
on_ready(struct mfx_scan_watch *watch, short revents, uint64_t now_ms)
{
    struct socket *s = (struct socket *)watch;
    (void)now_ms;
    act(s->http, s->watch.fd,
        ((revents & POLLIN) != 0 ? CURL_CSELECT_IN : 0) |
            ((revents & POLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
            ((revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? CURL_CSELECT_ERR
                                                             : 0));
}

static void
on_due(struct mfx_scan_watch *timer, short revents, uint64_t now_ms)
{
    struct mfx_scan_http *http = (struct mfx_scan_http *)timer;
    (void)revents;
    if (now_ms >= http->due_ms)
        http->due_ms = UINT64_MAX;
    timer->due_ms = http->due_ms; /* it may have been looked at early */
    act(http, CURL_SOCKET_TIMEOUT, 0);
}

static void
drop_socket(struct socket *s)
{
    struct socket **at = &s->http->sockets;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    mfx_scan_loop_unwatch(s->http->loop, &s->watch);
    free(s);
}

/* Transfers end with their scans; libcurl takes the socket out then. */
static void
on_stop_socket(struct mfx_scan_watch *watch)
{
    (void)watch;
}

static void
on_stop_timer(struct mfx_scan_watch *timer)
{
    struct mfx_scan_http *http = (struct mfx_scan_http *)timer;
    mfx_scan_loop_unwatch(http->loop, timer);
}

static struct socket *
add_socket(struct mfx_scan_http *http, curl_socket_t fd)
{
    struct socket *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->http = http;
    s->watch = (struct mfx_scan_watch){.fd = fd,
                                       .due_ms = UINT64_MAX,
                                       .ready = on_ready,
                                       .stop = on_stop_socket};
    s->next = http->sockets;
    http->sockets = s;
    if (mfx_scan_loop_watch(http->loop, &s->watch))
        return s;
    drop_socket(s);
    return NULL;
}

/* -1 makes all transfers fail. */
static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
    struct mfx_scan_http *http = arg;
    struct socket *s = socket;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s != NULL)
            drop_socket(s);
        return 0;
    }
    if (s == NULL)
        s = add_socket(http, fd);
    if (s == NULL)
        return -1;
    (void)curl_multi_assign(http->multi, fd, s);
    s->watch.events = (short)(((what & CURL_POLL_IN) != 0 ? POLLIN : 0) |
                              ((what & CURL_POLL_OUT) != 0 ? POLLOUT : 0));
    return 0;
}

static int
on_timer(CURLM *multi, long wait_ms, void *arg)
{
    struct mfx_scan_http *http = arg;
    (void)multi;
    http->due_ms = wait_ms < 0 ? UINT64_MAX : mfx_mono_ms() + (uint64_t)wait_ms;
    http->timer.due_ms = http->due_ms;
    return 0;
}

/* --- life --- */

struct mfx_scan_http *
mfx_scan_http_new(struct mfx_scan_loop *loop)
{
    struct mfx_scan_http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return NULL;
    http->multi = curl_multi_init();
    if (http->multi == NULL) {
        free(http);
        return NULL;
    }
    http->loop = mfx_scan_loop_hold(loop);
    http->due_ms = UINT64_MAX;
    http->timer = (struct mfx_scan_watch){
        .fd = -1, .due_ms = UINT64_MAX, .ready = on_due, .stop = on_stop_timer};
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_MAX);
    (void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    (void)curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    return http;
}

void
mfx_scan_http_free(struct mfx_scan_http *http)
{
    if (http == NULL)
        return;
    (void)curl_multi_cleanup(http->multi);
    while (http->sockets != NULL)
        drop_socket(http->sockets);
    mfx_scan_loop_unwatch(http->loop, &http->timer);
    mfx_scan_loop_release(http->loop);
    free(http);
}

bool
mfx_scan_http_begin(struct mfx_scan_http *http,
                    struct mfx_scan_transfer *transfer)
{
    if (!mfx_scan_loop_watch(http->loop, &http->timer))
        return false;
    (void)curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
    (void)curl_easy_setopt(transfer->easy, CURLOPT_NOSIGNAL, 1L);
    if (curl_multi_add_handle(http->multi, transfer->easy) != CURLM_OK)
        return false;
    transfer->is_running = true;
    http->running++;
    /* the first step at once; if it was the last, that is heard in a moment */
    int running = 0;
    (void)curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0,
                                   &running);
    if (running < http->running)
        http->timer.due_ms = mfx_mono_ms();
    return true;
}

void
mfx_scan_http_drop(struct mfx_scan_http *http,
                   struct mfx_scan_transfer *transfer)
{
    if (!transfer->is_running)
        return;
    transfer->is_running = false;
    http->running--;
    (void)curl_multi_remove_handle(http->multi, transfer->easy);
}

void
mfx_scan_http_resume(struct mfx_scan_http *http,
                     struct mfx_scan_transfer *transfer)
{
    if (!transfer->is_running)
        return;
    (void)curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    /* the rest as soon as the loop comes round */
    http->timer.due_ms = mfx_mono_ms();
}
