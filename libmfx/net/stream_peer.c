/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/stream_impl.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <mfx/net/ip.h>

enum {
    TEXT_MAX = MFX_STREAM_HOST_MAX + 16,
};

struct mfx_stream_peer {
    atomic_uint holders;
    pthread_mutex_t mutex; /* lookup */
    struct mfx_stream_lookup *lookup;
    char text[TEXT_MAX];
    char host[MFX_STREAM_HOST_MAX];
    unsigned port;
    struct mfx_stream_address known;
};

/* --- the text --- */

static enum mfx_rc
wrong(struct mfx_err *err, struct mfx_str text, const char *why)
{
    bool is_plain = mfx_str_is_line(text) && mfx_str_is_ascii(text);
    mfx_err_set(err, "\"%.*s\": %s", is_plain ? (int)text.len : 0,
                is_plain && text.len > 0 ? text.p : "", why);
    return MFX_PERMFAIL;
}

static enum mfx_rc
take_path(struct mfx_stream_peer *peer, struct mfx_str text,
          struct mfx_str path, struct mfx_err *err)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (path.len == 0 || path.p[0] != '/')
        return wrong(err, text, "an absolute path is needed");
    if (path.len >= sizeof un.sun_path)
        return wrong(err, text, "too long for a socket's path");
    memcpy(un.sun_path, path.p, path.len);
    memcpy(&peer->known.where, &un, sizeof un);
    peer->known.len = sizeof un;
    (void)snprintf(peer->text, sizeof peer->text, "unix:%s", un.sun_path);
    return MFX_OK;
}

/* Cuts ":PORT" off; "[V6]" and a bare V6 address have none. */
static struct mfx_str
cut_port(struct mfx_str text, struct mfx_str *port)
{
    size_t colon = mfx_str_find_last(text, ':');
    *port = mfx_str(NULL, 0);
    bool has_port =
        colon < text.len && (colon == mfx_str_find(text, ':') ||
                             (colon > 0 && text.p[colon - 1] == ']'));
    if (!has_port)
        return text;
    *port = mfx_str_from(text, colon + 1);
    return mfx_str_head(text, colon);
}

static void
set_known(struct mfx_stream_peer *peer, const struct mfx_ip *ip)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (ip->family == MFX_IP_V4) {
        in.sin_port = htons((uint16_t)peer->port);
        memcpy(&in.sin_addr, ip->bytes, 4);
        memcpy(&peer->known.where, &in, sizeof in);
        peer->known.len = sizeof in;
    } else {
        in6.sin6_port = htons((uint16_t)peer->port);
        memcpy(&in6.sin6_addr, ip->bytes, 16);
        memcpy(&peer->known.where, &in6, sizeof in6);
        peer->known.len = sizeof in6;
    }
}

static bool
is_host_name(struct mfx_str host)
{
    if (host.len == 0 || host.len >= MFX_STREAM_HOST_MAX || host.p[0] == '-')
        return false;
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.p[i];
        if (!mfx_ascii_is_alnum(c) && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

static enum mfx_rc
take_host(struct mfx_stream_peer *peer, struct mfx_str text,
          unsigned default_port, struct mfx_err *err)
{
    struct mfx_str digits;
    struct mfx_str host = cut_port(text, &digits);
    uint64_t port = default_port;
    struct mfx_ip ip;
    if (digits.p == NULL && default_port == 0)
        return wrong(err, text, "a port is needed (HOST:PORT)");
    if (digits.p != NULL &&
        (mfx_str_to_u64(digits, 65535, &port) != MFX_OK || port == 0))
        return wrong(err, text, "not a port");
    peer->port = (unsigned)port;
    if (mfx_ip_parse(host, &ip) == MFX_OK) {
        set_known(peer, &ip);
        char bare[MFX_IP_TEXT];
        (void)snprintf(peer->host, sizeof peer->host, "%s",
                       mfx_ip_format(&ip, bare));
    } else if (is_host_name(host)) {
        memcpy(peer->host, host.p, host.len);
    } else {
        return wrong(err, text, "not a host name or address");
    }
    bool is_v6 = mfx_str_has(mfx_str_of(peer->host), ':');
    (void)snprintf(peer->text, sizeof peer->text, is_v6 ? "[%s]:%u" : "%s:%u",
                   peer->host, peer->port);
    return MFX_OK;
}

enum mfx_rc
mfx_stream_peer_new(struct mfx_str text, unsigned default_port,
                    struct mfx_stream_peer **peer, struct mfx_err *err)
{
    static const struct mfx_str tag = MFX_STR("unix:");
    struct mfx_stream_peer *p = calloc(1, sizeof *p);
    if (p == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    enum mfx_rc rc = mfx_str_has(text, '\0')
                         ? wrong(err, text, "not a host name or address")
                     : mfx_str_starts(text, tag)
                         ? take_path(p, text, mfx_str_from(text, tag.len), err)
                         : take_host(p, text, default_port, err);
    if (rc != MFX_OK) {
        free(p);
        return rc;
    }
    atomic_init(&p->holders, 1);
    (void)pthread_mutex_init(&p->mutex, NULL);
    *peer = p;
    return MFX_OK;
}

struct mfx_stream_peer *
mfx_stream_peer_hold(struct mfx_stream_peer *peer)
{
    atomic_fetch_add(&peer->holders, 1);
    return peer;
}

void
mfx_stream_peer_free(struct mfx_stream_peer *peer)
{
    if (peer == NULL || atomic_fetch_sub(&peer->holders, 1) != 1)
        return;
    if (peer->lookup != NULL)
        mfx_stream_lookup_release(peer->lookup);
    (void)pthread_mutex_destroy(&peer->mutex);
    free(peer);
}

const char *
mfx_stream_peer_text(const struct mfx_stream_peer *peer)
{
    return peer->text;
}

bool
mfx_stream_peer_is_unix(const struct mfx_stream_peer *peer)
{
    return peer->host[0] == '\0';
}

const char *
mfx_stream_peer_host(const struct mfx_stream_peer *peer)
{
    return peer->host;
}

size_t
mfx_stream_peer_addresses(
    const struct mfx_stream_peer *peer,
    struct mfx_stream_address addresses[MFX_STREAM_ADDRESSES_MAX])
{
    if (peer->known.len == 0)
        return 0;
    addresses[0] = peer->known;
    return 1;
}

/* --- names --- */

void
mfx_stream_lookup_release(struct mfx_stream_lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->holders, 1) != 1)
        return;
    (void)close(lookup->fd);
    free(lookup);
}

static void
take_addresses(struct mfx_stream_lookup *lookup, const struct addrinfo *list)
{
    for (const struct addrinfo *a = list;
         a != NULL && lookup->count < MFX_STREAM_ADDRESSES_MAX;
         a = a->ai_next) {
        struct mfx_stream_address *to = &lookup->addresses[lookup->count];
        if (a->ai_addrlen > sizeof to->where)
            continue;
        memcpy(&to->where, a->ai_addr, a->ai_addrlen);
        to->len = a->ai_addrlen;
        lookup->count++;
    }
}

static void *
run_lookup(void *arg)
{
    struct mfx_stream_lookup *lookup = arg;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    lookup->failure = getaddrinfo(lookup->host, lookup->port, &hints, &list);
    /* a machine with nothing but loopback has no address to configure for */
    if (lookup->failure == EAI_ADDRFAMILY || lookup->failure == EAI_NONAME) {
        hints.ai_flags = AI_NUMERICSERV;
        lookup->failure =
            getaddrinfo(lookup->host, lookup->port, &hints, &list);
    }
    if (lookup->failure == 0) {
        take_addresses(lookup, list);
        freeaddrinfo(list);
    }
    atomic_store(&lookup->is_done, true);
    uint64_t one = 1;
    while (write(lookup->fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    mfx_stream_lookup_release(lookup);
    return NULL;
}

/* The thread takes no signal: those are for threads that wait for them. */
static bool
start_thread(struct mfx_stream_lookup *lookup)
{
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, before;
    if (pthread_attr_init(&attr) != 0)
        return false;
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_started = pthread_create(&thread, &attr, run_lookup, lookup) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return is_started;
}

/* With shares for the peer and its thread. */
static struct mfx_stream_lookup *
begin_lookup(const struct mfx_stream_peer *peer)
{
    struct mfx_stream_lookup *lookup = calloc(1, sizeof *lookup);
    if (lookup == NULL)
        return NULL;
    atomic_init(&lookup->holders, 2);
    atomic_init(&lookup->is_done, false);
    memcpy(lookup->host, peer->host, sizeof lookup->host);
    (void)snprintf(lookup->port, sizeof lookup->port, "%u", peer->port);
    lookup->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->fd >= 0 && start_thread(lookup))
        return lookup;
    if (lookup->fd >= 0)
        (void)close(lookup->fd);
    free(lookup);
    return NULL;
}

struct mfx_stream_lookup *
mfx_stream_peer_ask(struct mfx_stream_peer *peer)
{
    (void)pthread_mutex_lock(&peer->mutex);
    struct mfx_stream_lookup *lookup = peer->lookup;
    if (lookup != NULL && atomic_load(&lookup->is_done)) {
        mfx_stream_lookup_release(lookup);
        lookup = NULL;
    }
    peer->lookup = lookup != NULL ? lookup : begin_lookup(peer);
    lookup = peer->lookup;
    if (lookup != NULL)
        atomic_fetch_add(&lookup->holders, 1);
    (void)pthread_mutex_unlock(&peer->mutex);
    return lookup;
}
