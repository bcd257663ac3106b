/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/control.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mfx/base/env.h>

enum {
    CLIENTS = 32,
    ASK_MS = 5000,
    READ_MS = 30000,
};

struct client {
    int fd; /* -1: free */
    uint64_t until_ms;
    size_t len;
    bool is_answered;
    char line[MFX_CONTROL_LINE_MAX + 1];
    struct mfx_buf out;
    size_t sent;
};

struct mfx_control {
    int listen_fd, wake;
    mfx_control_handler *handle;
    void *arg;
    pthread_t thread;
    atomic_bool is_stopping;
    struct client clients[CLIENTS];
};

static void
drop(struct client *c)
{
    (void)close(c->fd);
    if (c->is_answered)
        mfx_buf_fini(&c->out);
    c->fd = -1;
}

static struct client *
free_client(struct mfx_control *control)
{
    for (size_t i = 0; i < CLIENTS; i++)
        if (control->clients[i].fd < 0)
            return &control->clients[i];
    return NULL;
}

/* With no place free the next one waits in the kernel's queue. */
static bool
welcome(struct mfx_control *control)
{
    struct client *c = free_client(control);
    if (c == NULL)
        return false;
    int fd =
        accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return false;
    c->fd = fd;
    c->len = 0;
    c->sent = 0;
    c->is_answered = false;
    c->until_ms = mfx_mono_ms() + ASK_MS;
    return true;
}

static void
answer(struct mfx_control *control, struct client *c, struct mfx_str line)
{
    mfx_buf_init(&c->out, MFX_CONTROL_ANSWER_MAX);
    c->is_answered = true;
    if (line.len > 0 && line.p[line.len - 1] == '\r')
        line.len--;
    control->handle(control->arg, line, &c->out);
    if (!mfx_buf_ok(&c->out)) {
        mfx_buf_clear(&c->out);
        mfx_buf_add_text(&c->out, "error answer too large\n");
    }
    c->until_ms = mfx_mono_ms() + READ_MS;
}

static void
refuse(struct client *c, const char *why)
{
    mfx_buf_init(&c->out, 256);
    c->is_answered = true;
    mfx_buf_printf(&c->out, "error %s\n", why);
}

static void
hear(struct mfx_control *control, struct client *c)
{
    ssize_t n =
        recv(c->fd, c->line + c->len, sizeof c->line - c->len, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0 || (n == 0 && c->len == 0)) {
        drop(c);
        return;
    }
    c->len += (size_t)n;
    struct mfx_str got = mfx_str(c->line, c->len);
    size_t end = mfx_str_find(got, '\n');
    if (end < got.len || n == 0)
        answer(control, c, mfx_str_head(got, end));
    else if (c->len == sizeof c->line)
        refuse(c, "line too long");
}

static void
say(struct client *c)
{
    ssize_t n = send(c->fd, c->out.p + c->sent, c->out.len - c->sent,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || (c->sent += (size_t)n) == c->out.len)
        drop(c);
}

static void
serve(struct mfx_control *control, struct client *c, short events, uint64_t now)
{
    if (events != 0 && !c->is_answered)
        hear(control, c);
    if (c->fd >= 0 && c->is_answered)
        say(c);
    if (c->fd >= 0 && now >= c->until_ms)
        drop(c);
}

static int
fill_poll(struct mfx_control *control, struct pollfd *p, uint64_t now)
{
    uint64_t until = now + 60000;
    p[CLIENTS].fd = control->wake;
    p[CLIENTS + 1].fd = free_client(control) == NULL ? -1 : control->listen_fd;
    p[CLIENTS].events = p[CLIENTS + 1].events = POLLIN;
    for (size_t i = 0; i < CLIENTS; i++) {
        const struct client *c = &control->clients[i];
        p[i].fd = c->fd;
        p[i].events = c->fd >= 0 && c->is_answered ? POLLOUT : POLLIN;
        if (c->fd >= 0 && c->until_ms < until)
            until = c->until_ms;
    }
    return until <= now ? 0 : (int)(until - now);
}

static void *
work(void *arg)
{
    struct mfx_control *control = arg;
    struct pollfd p[CLIENTS + 2];
    while (!atomic_load(&control->is_stopping)) {
        memset(p, 0, sizeof p);
        int timeout = fill_poll(control, p, mfx_mono_ms());
        (void)poll(p, CLIENTS + 2, timeout);
        uint64_t now = mfx_mono_ms();
        for (size_t i = 0; i < CLIENTS; i++)
            if (p[i].fd >= 0)
                serve(control, &control->clients[i], p[i].revents, now);
        while (p[CLIENTS + 1].revents != 0 && welcome(control)) {
        }
    }
    for (size_t i = 0; i < CLIENTS; i++)
        if (control->clients[i].fd >= 0)
            drop(&control->clients[i]);
    return NULL;
}

struct mfx_control *
mfx_control_start(int listen_fd, mfx_control_handler *handle, void *arg)
{
    struct mfx_control *control = calloc(1, sizeof *control);
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (control == NULL || wake < 0)
        goto failed;
    control->listen_fd = listen_fd;
    control->wake = wake;
    control->handle = handle;
    control->arg = arg;
    for (size_t i = 0; i < CLIENTS; i++)
        control->clients[i].fd = -1;
    if (pthread_create(&control->thread, NULL, work, control) == 0)
        return control;
failed:
    if (wake >= 0)
        (void)close(wake);
    (void)close(listen_fd);
    free(control);
    return NULL;
}

void
mfx_control_stop(struct mfx_control *control)
{
    const uint64_t one = 1;
    if (control == NULL)
        return;
    atomic_store(&control->is_stopping, true);
    if (write(control->wake, &one, sizeof one) == sizeof one)
        (void)pthread_join(control->thread, NULL);
    (void)close(control->wake);
    (void)close(control->listen_fd);
    free(control);
}
