/* SPDX-License-Identifier: BSD-2-Clause */
#include "mta_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <mfx/base/env.h>

enum {
    OUT_SIZE = 4096,
    IN_SIZE = 64 * 1024,
    PACKET_MAX = 64 * 1024 * 1024,
};

struct mta_wire {
    int fd, timeout_ms;
    enum mta_io state;
    size_t out_len, in_begin, in_end, in_size;
    char *in;
    char out[OUT_SIZE];
};

const char *
mta_io_name(enum mta_io io)
{
    switch (io) {
    case MTA_IO_OK:
        return "ok";
    case MTA_IO_CLOSED:
        return "closed";
    case MTA_IO_TIMEOUT:
        return "timeout";
    case MTA_IO_BAD:
        return "bad packet";
    }
    MFX_BUG("unknown mta_io");
}

uint32_t
mta_get_u32(const char *p)
{
    uint32_t net;
    memcpy(&net, p, sizeof net);
    return ntohl(net);
}

void
mta_add_u32(struct mfx_buf *buf, uint32_t value)
{
    uint32_t net = htonl(value);
    mfx_buf_add(buf, mfx_str((const char *)&net, sizeof net));
}

/* --- connecting --- */

static int
dial(int family, const struct sockaddr *address, socklen_t len,
     struct mfx_err *err)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        mfx_err_set(err, "socket: %s", strerror(errno));
        return -1;
    }
    if (connect(fd, address, len) != 0) {
        mfx_err_set(err, "connect: %s", strerror(errno));
        close(fd);
        return -1;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        mfx_err_set(err, "fcntl: %s", strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static int
dial_unix(struct mfx_str path, struct mfx_err *err)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if (path.len >= sizeof sun.sun_path) {
        mfx_err_set(err, "socket path too long");
        return -1;
    }
    memcpy(sun.sun_path, path.p, path.len);
    return dial(AF_UNIX, (const struct sockaddr *)&sun, sizeof sun, err);
}

static int
dial_inet(struct mfx_str where, struct mfx_err *err)
{
    size_t at = mfx_str_find(where, '@');
    bool is_port_first = at < where.len;
    size_t cut = is_port_first ? at : mfx_str_find_last(where, ':');
    struct mfx_str a = mfx_str_head(where, cut),
                   b = mfx_str_from(where, cut + 1);
    struct mfx_str host = is_port_first ? b : a, port = is_port_first ? a : b;
    struct sockaddr_in sin = {.sin_family = AF_INET};
    uint64_t number = 0;
    char text[64] = "";
    if (mfx_str_to_u64(port, 65535, &number) != MFX_OK ||
        host.len >= sizeof text) {
        mfx_err_set(err, "no address: %.*s", MFX_STR_ARG(where));
        return -1;
    }
    if (host.len != 0)
        memcpy(text, host.p, host.len);
    if (inet_pton(AF_INET, text, &sin.sin_addr) != 1) {
        mfx_err_set(err, "no IPv4 address: %s", text);
        return -1;
    }
    sin.sin_port = htons((uint16_t)number);
    return dial(AF_INET, (const struct sockaddr *)&sin, sizeof sin, err);
}

struct mta_wire *
mta_wire_open(const char *socket_name, int timeout_ms, struct mfx_err *err)
{
    struct mfx_str spec = mfx_str_of(socket_name);
    struct mfx_str type = mfx_str_head(spec, mfx_str_find(spec, ':'));
    struct mfx_str rest = mfx_str_from(spec, type.len + 1);
    int fd;
    if (mfx_str_is(type, "unix") || mfx_str_is(type, "local"))
        fd = dial_unix(rest, err);
    else if (mfx_str_is(type, "inet"))
        fd = dial_inet(rest, err);
    else {
        mfx_err_set(err, "no such kind of socket: %s", socket_name);
        return NULL;
    }
    if (fd < 0)
        return NULL;
    struct mta_wire *w = calloc(1, sizeof *w);
    if (w != NULL)
        w->in = malloc(IN_SIZE);
    if (w == NULL || w->in == NULL) {
        close(fd);
        free(w);
        mfx_err_set(err, "out of memory");
        return NULL;
    }
    w->fd = fd;
    w->timeout_ms = timeout_ms;
    w->in_size = IN_SIZE;
    return w;
}

void
mta_wire_free(struct mta_wire *w)
{
    if (w == NULL)
        return;
    close(w->fd);
    free(w->in);
    free(w);
}

int
mta_wire_fd(const struct mta_wire *w)
{
    return w->fd;
}

void
mta_wire_set_timeout(struct mta_wire *w, int timeout_ms)
{
    w->timeout_ms = timeout_ms;
}

/* --- writing --- */

static bool
wait_for(struct mta_wire *w, short events, uint64_t until_ms)
{
    struct pollfd p = {.fd = w->fd, .events = events};
    for (;;) {
        uint64_t now = mfx_mono_ms();
        int left = now >= until_ms ? 0 : (int)(until_ms - now);
        int n = poll(&p, 1, left);
        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

/* Sends all of it past the buffer. */
static enum mta_io
send_all(struct mta_wire *w, const char *p, size_t len)
{
    uint64_t until = mfx_mono_ms() + (uint64_t)w->timeout_ms;
    while (len != 0 && w->state == MTA_IO_OK) {
        ssize_t n = send(w->fd, p, len, MSG_NOSIGNAL);
        if (n >= 0) {
            p += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_for(w, POLLOUT, until))
                w->state = MTA_IO_TIMEOUT;
        } else if (errno != EINTR) {
            w->state = MTA_IO_CLOSED;
        }
    }
    return w->state;
}

enum mta_io
mta_wire_flush(struct mta_wire *w)
{
    size_t len = w->out_len;
    w->out_len = 0;
    return send_all(w, w->out, len);
}

enum mta_io
mta_wire_put(struct mta_wire *w, struct mfx_str bytes)
{
    while (bytes.len != 0 && w->state == MTA_IO_OK) {
        size_t room = sizeof w->out - w->out_len;
        size_t n = bytes.len < room ? bytes.len : room;
        memcpy(w->out + w->out_len, bytes.p, n);
        w->out_len += n;
        bytes = mfx_str_from(bytes, n);
        if (w->out_len == sizeof w->out)
            mta_wire_flush(w);
    }
    return w->state;
}

enum mta_io
mta_wire_packet(struct mta_wire *w, char command, struct mfx_str payload)
{
    uint32_t net = htonl((uint32_t)(payload.len + 1));
    char head[5];
    memcpy(head, &net, sizeof net);
    head[4] = command;
    mta_wire_put(w, mfx_str(head, sizeof head));
    return mta_wire_put(w, payload);
}

/* --- reading --- */

static bool
grow_input(struct mta_wire *w, size_t need)
{
    if (w->in_begin != 0) {
        memmove(w->in, w->in + w->in_begin, w->in_end - w->in_begin);
        w->in_end -= w->in_begin;
        w->in_begin = 0;
    }
    if (need <= w->in_size)
        return true;
    char *p = realloc(w->in, need);
    if (p == NULL)
        return false;
    w->in = p;
    w->in_size = need;
    return true;
}

/* Until `need` bytes are there. */
static enum mta_io
fill(struct mta_wire *w, size_t need, uint64_t until)
{
    if (w->in_begin + need > w->in_size && !grow_input(w, need))
        return w->state = MTA_IO_BAD;
    while (w->in_end - w->in_begin < need) {
        ssize_t n = recv(w->fd, w->in + w->in_end, w->in_size - w->in_end, 0);
        if (n > 0)
            w->in_end += (size_t)n;
        else if (n == 0)
            return w->state = MTA_IO_CLOSED;
        else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_for(w, POLLIN, until))
                return w->state = MTA_IO_TIMEOUT;
        } else if (errno != EINTR)
            return w->state = MTA_IO_CLOSED;
    }
    return MTA_IO_OK;
}

enum mta_io
mta_wire_read(struct mta_wire *w, char *command, struct mfx_str *payload)
{
    uint64_t until = mfx_mono_ms() + (uint64_t)w->timeout_ms;
    if (mta_wire_flush(w) == MTA_IO_TIMEOUT)
        return w->state;
    /* A filter that closed may have answered first: read what is there. */
    if (w->state == MTA_IO_CLOSED)
        w->state = MTA_IO_OK;
    if (w->state != MTA_IO_OK || fill(w, 5, until) != MTA_IO_OK)
        return w->state;
    size_t len = mta_get_u32(w->in + w->in_begin);
    if (len == 0 || len > PACKET_MAX)
        return w->state = MTA_IO_BAD;
    if (fill(w, 4 + len, until) != MTA_IO_OK)
        return w->state;
    *command = w->in[w->in_begin + 4];
    *payload = mfx_str(w->in + w->in_begin + 5, len - 1);
    w->in_begin += 4 + len;
    if (w->in_begin == w->in_end)
        w->in_begin = w->in_end = 0;
    return MTA_IO_OK;
}

bool
mta_wire_has_input(struct mta_wire *w, int wait_ms)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    if (w->in_end != w->in_begin)
        return true;
    mta_wire_flush(w);
    return poll(&p, 1, wait_ms) > 0;
}
