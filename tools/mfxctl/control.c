/* SPDX-License-Identifier: BSD-2-Clause */
#include "control.h"

#include <errno.h>
#include <glob.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <mfx/base/env.h>

static bool
is_word(const char *word)
{
    if (word[0] == '\0')
        return false;
    for (; *word != '\0'; word++)
        if ((unsigned char)*word <= ' ' || *word == 0x7F)
            return false;
    return true;
}

enum mfx_rc
control_request(struct mfx_buf *line, bool as_json, const char *const *words,
                size_t count)
{
    if (as_json)
        mfx_buf_add_text(line, "json ");
    for (size_t i = 0; i < count; i++) {
        if (!is_word(words[i]))
            return MFX_PERMFAIL;
        mfx_buf_printf(line, "%s%s", i == 0 ? "" : " ", words[i]);
    }
    mfx_buf_add_byte(line, '\n');
    return mfx_buf_ok(line) && line->len <= CONTROL_LINE_MAX ? MFX_OK
                                                             : MFX_PERMFAIL;
}

static enum mfx_rc
open_socket(const char *path, int *fd, struct mfx_err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof address.sun_path) {
        mfx_err_set(err, "%s: longer than a socket's name can be", path);
        return MFX_PERMFAIL;
    }
    memcpy(address.sun_path, path, len + 1);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0) {
        mfx_err_set(err, "socket: %s", strerror(errno));
        return MFX_TEMPFAIL;
    }
    if (connect(*fd, (struct sockaddr *)&address, sizeof address) == 0)
        return MFX_OK;
    mfx_err_set(err, "%s: %s", path, strerror(errno));
    if (errno == EAGAIN) /* its queue is full */
        return MFX_TEMPFAIL;
    return errno == EACCES || errno == EPERM ? MFX_PERMFAIL : MFX_NOTFOUND;
}

static bool
wait_for(int fd, short events, uint64_t until_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    for (;;) {
        uint64_t now = mfx_mono_ms();
        uint64_t left = now < until_ms ? until_ms - now : 0;
        int n = poll(&p, 1, left > 3600000 ? 3600000 : (int)left);
        if (n > 0)
            return true;
        if ((n < 0 && errno != EINTR) || left == 0)
            return false;
    }
}

static enum mfx_rc
send_line(int fd, struct mfx_str line, uint64_t until_ms)
{
    while (line.len > 0) {
        ssize_t n = send(fd, line.p, line.len, MSG_NOSIGNAL);
        if (n > 0)
            line = mfx_str_from(line, (size_t)n);
        else if (errno == EAGAIN && wait_for(fd, POLLOUT, until_ms))
            continue;
        else if (errno != EINTR)
            return MFX_TEMPFAIL;
    }
    return MFX_OK;
}

static enum mfx_rc
read_all(int fd, uint64_t until_ms, struct mfx_buf *in)
{
    for (;;) {
        char *room = mfx_buf_room(in, 16384);
        if (room == NULL)
            return MFX_TEMPFAIL;
        ssize_t n = recv(fd, room, 16384, 0);
        if (n == 0)
            return MFX_OK;
        if (n > 0)
            in->len += (size_t)n;
        else if (errno == EAGAIN && wait_for(fd, POLLIN, until_ms))
            continue;
        else if (errno != EINTR)
            return MFX_TEMPFAIL;
    }
}

static enum mfx_rc
understand(struct mfx_str text, struct control_reply *reply)
{
    size_t end = mfx_str_find(text, '\n');
    struct mfx_str first = mfx_str_head(text, end);
    struct mfx_str error = MFX_STR("error ");
    if (end == text.len)
        return MFX_PERMFAIL;
    reply->body = mfx_str_from(text, end + 1);
    reply->is_error = mfx_str_starts(first, error);
    if (reply->is_error)
        reply->error = mfx_str_from(first, error.len);
    return reply->is_error || mfx_str_is(first, "ok") ? MFX_OK : MFX_PERMFAIL;
}

enum mfx_rc
control_ask(const char *path, struct mfx_str line, uint64_t until_ms,
            struct mfx_arena *arena, struct control_reply *reply,
            struct mfx_err *err)
{
    int fd = -1;
    struct mfx_buf in;
    mfx_buf_init_arena(&in, arena, CONTROL_REPLY_MAX);
    *reply = (struct control_reply){0};
    enum mfx_rc rc = open_socket(path, &fd, err);
    if (rc != MFX_OK)
        goto done;
    rc = send_line(fd, line, until_ms);
    /* a daemon may answer before it has read everything, and close */
    enum mfx_rc read_rc = read_all(fd, until_ms, &in);
    if (rc != MFX_OK || read_rc != MFX_OK) {
        mfx_err_set(err, "%s: no whole answer in time", path);
        rc = MFX_TEMPFAIL;
        goto done;
    }
    rc = understand(mfx_buf_str(&in), reply);
    if (rc != MFX_OK)
        mfx_err_set(err, "%s: the answer is not mfx's", path);
done:
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

const char *
control_path(const char *given, const char *daemon, struct mfx_arena *arena,
             bool *must_be_there)
{
    const char *folder = getenv("MFX_RUNDIR");
    if (given == NULL)
        given = getenv("MFX_SOCKET");
    *must_be_there = given != NULL;
    if (given != NULL)
        return given;
    return mfx_arena_printf(arena, "%s/%s.ctl",
                            folder != NULL ? folder : MFX_RUNSTATEDIR, daemon)
        .p;
}

enum mfx_rc
control_find(const char *folder, struct mfx_arena *arena,
             const struct control_socket **sockets, size_t *count)
{
    glob_t found;
    *count = 0;
    struct mfx_str pattern = mfx_arena_printf(arena, "%s/*.ctl", folder);
    if (pattern.p == NULL || glob(pattern.p, 0, NULL, &found) != 0)
        return pattern.p == NULL ? MFX_TEMPFAIL : MFX_NOTFOUND;
    struct control_socket *list =
        mfx_arena_alloc_array(arena, found.gl_pathc, sizeof *list);
    for (size_t i = 0; list != NULL && i < found.gl_pathc; i++) {
        struct mfx_str path = mfx_str_of(found.gl_pathv[i]);
        struct mfx_str name =
            mfx_str_from(path, mfx_str_find_last(path, '/') + 1);
        list[i].path = mfx_arena_copy(arena, path).p;
        list[i].daemon =
            mfx_arena_copy(arena, mfx_str_head(name, name.len - 4)).p;
    }
    *sockets = list;
    *count = found.gl_pathc;
    globfree(&found);
    return mfx_arena_ok(arena) ? MFX_OK : MFX_TEMPFAIL;
}
