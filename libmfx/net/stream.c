/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/stream_impl.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mfx/base/env.h>
#include <mfx/base/event.h>
#include <mfx/net/ip.h>

enum {
    BUSY_RETRY_MS = 20, /* of a UNIX socket whose queue is full */
    READ_SIZE = 16 * 1024,
};

enum mfx_stream_io
mfx_stream_note(struct mfx_stream *stream, const char *format, ...)
{
    char text[sizeof stream->error.msg];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct mfx_err before = stream->error;
    /* two addresses of one host often fail alike */
    if (before.msg[0] == '\0')
        mfx_err_set(&stream->error, "%s: %s",
                    mfx_stream_peer_text(stream->peer), text);
    else if (strstr(before.msg, text) == NULL)
        mfx_err_set(&stream->error, "%s; %s", before.msg, text);
    return MFX_STREAM_FAILED;
}

static enum mfx_stream_io
note_errno(struct mfx_stream *stream, int number)
{
    char text[128];
    return mfx_stream_note(stream, "%s", strerror_r(number, text, sizeof text));
}

/* --- opening --- */

struct mfx_stream *
mfx_stream_open(struct mfx_stream_peer *peer, struct mfx_stream_tls *tls,
                uint64_t until_ms)
{
    struct mfx_stream *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->peer = mfx_stream_peer_hold(peer);
    s->tls = tls == NULL ? NULL : mfx_stream_tls_hold(tls);
    s->until_ms = until_ms;
    s->fd = -1;
    s->read_events = POLLIN;
    s->write_events = POLLOUT;
    s->count = mfx_stream_peer_addresses(peer, s->addresses);
    s->state = MFX_STREAM_NEXT;
    if (s->count == 0) {
        s->lookup = mfx_stream_peer_ask(peer);
        s->state = MFX_STREAM_LOOKING;
    }
    (void)mfx_stream_try_open(s);
    return s;
}

static void
drop_attempt(struct mfx_stream *s)
{
    SSL_free(s->ssl);
    s->ssl = NULL;
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

void
mfx_stream_close(struct mfx_stream *stream)
{
    if (stream == NULL)
        return;
    drop_attempt(stream);
    if (stream->lookup != NULL)
        mfx_stream_lookup_release(stream->lookup);
    mfx_stream_tls_free(stream->tls);
    mfx_stream_peer_free(stream->peer);
    free(stream);
}

static enum mfx_stream_io
give_up(struct mfx_stream *s)
{
    drop_attempt(s);
    s->state = MFX_STREAM_BROKEN;
    return MFX_STREAM_FAILED;
}

static enum mfx_stream_io
look(struct mfx_stream *s)
{
    struct mfx_stream_lookup *lookup = s->lookup;
    if (lookup == NULL) {
        (void)mfx_stream_note(s, "cannot look the name up: no resources");
        return give_up(s);
    }
    if (!atomic_load(&lookup->is_done))
        return MFX_STREAM_AGAIN;
    if (lookup->failure != 0) {
        (void)mfx_stream_note(s, "%s", gai_strerror(lookup->failure));
        return give_up(s);
    }
    memcpy(s->addresses, lookup->addresses, sizeof s->addresses);
    s->count = lookup->count;
    s->state = MFX_STREAM_NEXT;
    return MFX_STREAM_DONE;
}

static void
set_options(int fd, int family)
{
    int on = 1;
    if (family == AF_UNIX)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

static enum mfx_stream_io
try_next(struct mfx_stream *s, uint64_t now_ms)
{
    if (now_ms < s->retry_ms)
        return MFX_STREAM_AGAIN;
    if (s->at == s->count)
        return give_up(s);
    const struct mfx_stream_address *a = &s->addresses[s->at++];
    s->attempt_ms = now_ms + (s->until_ms - now_ms) / (s->count - s->at + 1);
    s->state = MFX_STREAM_CONNECTING;
    s->open_events = POLLOUT;
    s->fd = socket(a->where.ss_family,
                   SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        return note_errno(s, errno);
    set_options(s->fd, a->where.ss_family);
    if (connect(s->fd, (const struct sockaddr *)&a->where, a->len) == 0 ||
        errno == EINPROGRESS)
        return MFX_STREAM_DONE;
    if (errno != EAGAIN)
        return note_errno(s, errno);
    drop_attempt(s);
    s->at--;
    s->state = MFX_STREAM_NEXT;
    s->retry_ms = now_ms + BUSY_RETRY_MS;
    return MFX_STREAM_AGAIN;
}

static enum mfx_stream_io
finish_connect(struct mfx_stream *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    int failure = 0;
    socklen_t len = sizeof failure;
    if (poll(&p, 1, 0) == 0)
        return MFX_STREAM_AGAIN;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
        failure = errno;
    if (failure != 0)
        return note_errno(s, failure);
    s->has_ended = false;
    if (s->tls != NULL && !mfx_stream_tls_begin(s))
        return MFX_STREAM_FAILED;
    s->state = s->tls == NULL ? MFX_STREAM_OPEN : MFX_STREAM_SHAKING;
    return MFX_STREAM_DONE;
}

/* One step of opening. FAILED: of this address. */
static enum mfx_stream_io
step(struct mfx_stream *s, uint64_t now_ms)
{
    enum mfx_stream_io io = MFX_STREAM_FAILED;
    switch (s->state) {
    case MFX_STREAM_LOOKING:
        return look(s);
    case MFX_STREAM_NEXT:
        return try_next(s, now_ms);
    case MFX_STREAM_CONNECTING:
        return finish_connect(s);
    case MFX_STREAM_SHAKING:
        io = mfx_stream_tls_shake(s);
        if (io == MFX_STREAM_DONE)
            s->state = MFX_STREAM_OPEN;
        return io;
    case MFX_STREAM_OPEN:
        return MFX_STREAM_DONE;
    case MFX_STREAM_BROKEN:
        return MFX_STREAM_FAILED;
    }
    return io;
}

static bool
is_late(const struct mfx_stream *s, uint64_t now_ms)
{
    bool is_trying =
        s->state == MFX_STREAM_CONNECTING || s->state == MFX_STREAM_SHAKING;
    return now_ms >= s->until_ms || (is_trying && now_ms >= s->attempt_ms);
}

static const char *
waited_for(const struct mfx_stream *s)
{
    return s->state == MFX_STREAM_LOOKING   ? "the name was not found in time"
           : s->state == MFX_STREAM_SHAKING ? "no TLS handshake in time"
                                            : "no connection in time";
}

enum mfx_stream_io
mfx_stream_try_open(struct mfx_stream *stream)
{
    while (stream->state != MFX_STREAM_OPEN &&
           stream->state != MFX_STREAM_BROKEN) {
        uint64_t now_ms = mfx_mono_ms();
        enum mfx_stream_io io = step(stream, now_ms);
        if (io == MFX_STREAM_AGAIN) {
            if (!is_late(stream, now_ms))
                return MFX_STREAM_AGAIN;
            io = mfx_stream_note(stream, "%s", waited_for(stream));
            if (now_ms >= stream->until_ms)
                return give_up(stream);
        }
        if (io == MFX_STREAM_FAILED && stream->state != MFX_STREAM_BROKEN) {
            drop_attempt(stream);
            stream->state = MFX_STREAM_NEXT;
        }
    }
    if (stream->state == MFX_STREAM_BROKEN)
        return MFX_STREAM_FAILED;
    stream->error.msg[0] = '\0'; /* of the addresses before */
    return MFX_STREAM_DONE;
}

/* --- reading and writing --- */

static bool
is_again(int number)
{
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

static enum mfx_stream_io
plain_read(struct mfx_stream *s, void *to, size_t max, size_t *got)
{
    ssize_t n = recv(s->fd, to, max, 0);
    if (n > 0) {
        *got = (size_t)n;
        return MFX_STREAM_DONE;
    }
    if (n == 0)
        return MFX_STREAM_END;
    return is_again(errno) ? MFX_STREAM_AGAIN : note_errno(s, errno);
}

static enum mfx_stream_io
plain_write(struct mfx_stream *s, struct mfx_str bytes, size_t *put)
{
    ssize_t n = send(s->fd, bytes.p, bytes.len, MSG_NOSIGNAL);
    if (n >= 0) {
        *put = (size_t)n;
        return MFX_STREAM_DONE;
    }
    return is_again(errno) ? MFX_STREAM_AGAIN : note_errno(s, errno);
}

/* What cannot be written may have been answered before: the peer's words are
 * still there. */
static enum mfx_stream_io
settle_plain_write(struct mfx_stream *s, enum mfx_stream_io io)
{
    s->is_mute = io == MFX_STREAM_FAILED;
    return io;
}

static enum mfx_stream_io
plain_pass(struct mfx_stream *s, int fd)
{
    union {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    char nul = '\0';
    struct iovec part = {&nul, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    if (sendmsg(s->fd, &message, MSG_NOSIGNAL) == 1)
        return MFX_STREAM_DONE;
    return is_again(errno) ? MFX_STREAM_AGAIN : note_errno(s, errno);
}

static enum mfx_stream_io
plain_finish(struct mfx_stream *s)
{
    if (shutdown(s->fd, SHUT_WR) == 0)
        return MFX_STREAM_DONE;
    return note_errno(s, errno);
}

/* What failed once stays failed. */
static enum mfx_stream_io
settle(struct mfx_stream *s, enum mfx_stream_io io)
{
    if (io == MFX_STREAM_FAILED)
        s->state = MFX_STREAM_BROKEN;
    return io;
}

enum mfx_stream_io
mfx_stream_try_read(struct mfx_stream *stream, void *to, size_t max,
                    size_t *got)
{
    *got = 0;
    if (stream->state != MFX_STREAM_OPEN)
        return MFX_STREAM_FAILED;
    return settle(stream, stream->ssl != NULL
                              ? mfx_stream_tls_read(stream, to, max, got)
                              : plain_read(stream, to, max, got));
}

enum mfx_stream_io
mfx_stream_try_write(struct mfx_stream *stream, struct mfx_str bytes,
                     size_t *put)
{
    *put = 0;
    if (stream->state != MFX_STREAM_OPEN || stream->is_mute)
        return MFX_STREAM_FAILED;
    if (bytes.len == 0)
        return MFX_STREAM_DONE;
    if (stream->ssl != NULL)
        return settle(stream, mfx_stream_tls_write(stream, bytes, put));
    return settle_plain_write(stream, plain_write(stream, bytes, put));
}

enum mfx_stream_io
mfx_stream_try_pass(struct mfx_stream *stream, int fd)
{
    if (stream->state != MFX_STREAM_OPEN || stream->is_mute)
        return MFX_STREAM_FAILED;
    if (stream->ssl != NULL || !mfx_stream_peer_is_unix(stream->peer))
        return settle(stream, mfx_stream_note(stream, "takes no descriptors"));
    return settle_plain_write(stream, plain_pass(stream, fd));
}

enum mfx_stream_io
mfx_stream_try_finish(struct mfx_stream *stream)
{
    if (stream->state != MFX_STREAM_OPEN || stream->is_mute)
        return MFX_STREAM_FAILED;
    return settle(stream, stream->ssl != NULL ? mfx_stream_tls_finish(stream)
                                              : plain_finish(stream));
}

void
mfx_stream_poll(const struct mfx_stream *stream, bool reads, bool writes,
                struct pollfd *poll)
{
    short wanted = 0;
    switch (stream->state) {
    case MFX_STREAM_LOOKING:
        poll->fd = stream->lookup == NULL ? -1 : stream->lookup->fd;
        poll->events = POLLIN;
        return;
    case MFX_STREAM_NEXT:
    case MFX_STREAM_CONNECTING:
    case MFX_STREAM_SHAKING:
        wanted = stream->open_events;
        break;
    case MFX_STREAM_OPEN:
    case MFX_STREAM_BROKEN:
        wanted = (short)((reads ? stream->read_events : 0) |
                         (writes ? stream->write_events : 0));
        break;
    }
    poll->fd = stream->fd;
    poll->events = wanted;
}

uint64_t
mfx_stream_due_ms(const struct mfx_stream *stream)
{
    uint64_t due = UINT64_MAX;
    switch (stream->state) {
    case MFX_STREAM_LOOKING:
        due = stream->until_ms;
        break;
    case MFX_STREAM_NEXT:
        due = stream->retry_ms;
        break;
    case MFX_STREAM_CONNECTING:
    case MFX_STREAM_SHAKING:
        due = stream->attempt_ms;
        break;
    case MFX_STREAM_OPEN:
    case MFX_STREAM_BROKEN:
        break;
    }
    return due;
}

const char *
mfx_stream_error(const struct mfx_stream *stream)
{
    return stream->error.msg;
}

/* --- for those who may wait --- */

/* False at until_ms. */
static bool
wait_events(struct mfx_stream *s, bool reads, bool writes, uint64_t until_ms)
{
    struct pollfd p = {.fd = -1};
    uint64_t now_ms = mfx_mono_ms(), due_ms = mfx_stream_due_ms(s);
    if (now_ms >= until_ms)
        return false;
    if (due_ms > until_ms)
        due_ms = until_ms;
    uint64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    mfx_stream_poll(s, reads, writes, &p);
    (void)poll(&p, 1, wait_ms > 60000 ? 60000 : (int)wait_ms);
    return true;
}

static enum mfx_rc
fail(struct mfx_stream *s, struct mfx_err *err)
{
    s->state = MFX_STREAM_BROKEN;
    mfx_err_set(err, "%s", s->error.msg);
    return MFX_TEMPFAIL;
}

enum mfx_rc
mfx_stream_wait_open(struct mfx_stream *stream, struct mfx_err *err)
{
    enum mfx_stream_io io;
    if (stream == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    while ((io = mfx_stream_try_open(stream)) == MFX_STREAM_AGAIN)
        (void)wait_events(stream, false, false, UINT64_MAX);
    return io == MFX_STREAM_DONE ? MFX_OK : fail(stream, err);
}

enum mfx_rc
mfx_stream_write(struct mfx_stream *stream, struct mfx_str bytes,
                 uint64_t until_ms, struct mfx_err *err)
{
    while (bytes.len > 0) {
        size_t put;
        enum mfx_stream_io io = mfx_stream_try_write(stream, bytes, &put);
        if (io == MFX_STREAM_AGAIN &&
            !wait_events(stream, false, true, until_ms))
            io = mfx_stream_note(stream, "could not write in time");
        if (io == MFX_STREAM_FAILED)
            return fail(stream, err);
        bytes = mfx_str_from(bytes, put);
    }
    return MFX_OK;
}

enum mfx_rc
mfx_stream_read(struct mfx_stream *stream, void *to, size_t max, size_t *got,
                uint64_t until_ms, struct mfx_err *err)
{
    enum mfx_stream_io io;
    while ((io = mfx_stream_try_read(stream, to, max, got)) ==
           MFX_STREAM_AGAIN) {
        if (!wait_events(stream, true, false, until_ms)) {
            io = mfx_stream_note(stream, "no answer in time");
            break;
        }
    }
    if (io == MFX_STREAM_END)
        return MFX_NOTFOUND;
    return io == MFX_STREAM_DONE ? MFX_OK : fail(stream, err);
}

enum mfx_rc
mfx_stream_read_all(struct mfx_stream *stream, struct mfx_buf *to,
                    uint64_t until_ms, struct mfx_err *err)
{
    char bytes[READ_SIZE];
    size_t got;
    enum mfx_rc rc;
    while ((rc = mfx_stream_read(stream, bytes, sizeof bytes, &got, until_ms,
                                 err)) == MFX_OK) {
        mfx_buf_add(to, mfx_str(bytes, got));
        if (!mfx_buf_ok(to)) {
            mfx_err_set(err, "%s: the answer is too long",
                        mfx_stream_peer_text(stream->peer));
            return MFX_PERMFAIL;
        }
    }
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

enum mfx_rc
mfx_stream_finish(struct mfx_stream *stream, uint64_t until_ms,
                  struct mfx_err *err)
{
    enum mfx_stream_io io;
    while ((io = mfx_stream_try_finish(stream)) == MFX_STREAM_AGAIN) {
        if (!wait_events(stream, false, true, until_ms)) {
            io = mfx_stream_note(stream, "could not write in time");
            break;
        }
    }
    return io == MFX_STREAM_DONE ? MFX_OK : fail(stream, err);
}
