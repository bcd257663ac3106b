/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_peer - a server that does what a test tells it, for scanners' clients
 *
 *     struct scan_peer peer;
 *     scan_peer_start(&peer, serve, arg, NULL);      or a UNIX socket's path
 *     ... peer.text is its address ...
 *     scan_peer_stop(&peer);
 *
 * serve runs in a thread for each connection and may block on it: at the stop
 * all connections are shut down, and scan_peer_sleep ends.
 */
#ifndef MFX_T_SCAN_PEER_H
#define MFX_T_SCAN_PEER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    SCAN_PEER_CONNECTIONS = 600,
};

struct scan_peer;

struct scan_peer_link {
    struct scan_peer *peer;
    pthread_t thread;
    int fd;
};

struct scan_peer {
    char text[160];
    int listener, stop_fd;
    pthread_t thread;
    void (*serve)(struct scan_peer *peer, int fd, unsigned number);
    void *arg;
    atomic_uint count; /* of connections */
    atomic_uint asked; /* for the test */
    pthread_mutex_t mutex;
    struct scan_peer_link links[SCAN_PEER_CONNECTIONS];
};

/* Until the stop, or for so long. True: it stops. */
static inline bool
scan_peer_sleep(struct scan_peer *peer, int ms)
{
    struct pollfd p = {.fd = peer->stop_fd, .events = POLLIN};
    return poll(&p, 1, ms) > 0;
}

static inline void *
scan_peer_run_link(void *arg)
{
    struct scan_peer_link *link = arg;
    link->peer->serve(link->peer, link->fd,
                      (unsigned)(link - link->peer->links));
    (void)pthread_mutex_lock(&link->peer->mutex);
    (void)close(link->fd);
    link->fd = -1;
    (void)pthread_mutex_unlock(&link->peer->mutex);
    return NULL;
}

static inline void *
scan_peer_run(void *arg)
{
    struct scan_peer *peer = arg;
    struct pollfd p[2] = {
        {.fd = peer->listener, .events = POLLIN},
        {.fd = peer->stop_fd,  .events = POLLIN}
    };
    while (poll(p, 2, -1) >= 0 && p[1].revents == 0) {
        int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
        unsigned number = atomic_load(&peer->count);
        if (fd < 0 || number == SCAN_PEER_CONNECTIONS)
            break;
        struct scan_peer_link *link = &peer->links[number];
        link->peer = peer;
        link->fd = fd;
        /* first: who has its answer sees its connection counted */
        atomic_store(&peer->count, number + 1);
        if (pthread_create(&link->thread, NULL, scan_peer_run_link, link) !=
            0) {
            atomic_store(&peer->count, number);
            break;
        }
    }
    return NULL;
}

static inline bool
scan_peer_bind(struct scan_peer *peer, const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    peer->listener =
        socket(path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (path != NULL) {
        (void)snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
        (void)unlink(path);
        (void)snprintf(peer->text, sizeof peer->text, "unix:%s", path);
        return bind(peer->listener, (struct sockaddr *)&un, sizeof un) == 0;
    }
    if (bind(peer->listener, (struct sockaddr *)&in, sizeof in) != 0 ||
        getsockname(peer->listener, (struct sockaddr *)&in, &len) != 0)
        return false;
    (void)snprintf(peer->text, sizeof peer->text, "127.0.0.1:%u",
                   (unsigned)ntohs(in.sin_port));
    return true;
}

static inline void
scan_peer_start(struct scan_peer *peer,
                void (*serve)(struct scan_peer *, int, unsigned), void *arg,
                const char *path)
{
    memset(peer, 0, sizeof *peer);
    peer->serve = serve;
    peer->arg = arg;
    peer->stop_fd = eventfd(0, EFD_CLOEXEC);
    (void)pthread_mutex_init(&peer->mutex, NULL);
    if (!scan_peer_bind(peer, path) || listen(peer->listener, 100) != 0 ||
        pthread_create(&peer->thread, NULL, scan_peer_run, peer) != 0)
        fail_msg("no server for the test");
}

static inline void
scan_peer_stop(struct scan_peer *peer)
{
    uint64_t one = 1;
    if (write(peer->stop_fd, &one, sizeof one) < 0)
        fail_msg("cannot stop a server");
    (void)pthread_join(peer->thread, NULL);
    for (unsigned i = 0; i < atomic_load(&peer->count); i++) {
        (void)pthread_mutex_lock(&peer->mutex);
        if (peer->links[i].fd >= 0)
            (void)shutdown(peer->links[i].fd, SHUT_RDWR);
        (void)pthread_mutex_unlock(&peer->mutex);
        (void)pthread_join(peer->links[i].thread, NULL);
    }
    (void)close(peer->listener);
    (void)close(peer->stop_fd);
    (void)pthread_mutex_destroy(&peer->mutex);
}

/* --- what servers do --- */

/* False at the end. */
static inline bool
scan_peer_read(int fd, void *to, size_t len)
{
    char *p = to;
    while (len > 0) {
        ssize_t n = read(fd, p, len);
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static inline void
scan_peer_write(int fd, const void *bytes, size_t len)
{
    const char *p = bytes;
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        p += n;
        len -= (size_t)n;
    }
}

#endif
