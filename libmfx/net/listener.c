/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/listener.h>

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <mfx/net/ip.h>

union where {
    struct sockaddr any;
    struct sockaddr_un un;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

struct place {
    union where where;
    socklen_t len;
    bool is_unix, is_local;
};

/* --- the text --- */

static enum mfx_rc
take_path(struct mfx_str path, struct place *place, struct mfx_err *err)
{
    if (path.len == 0 || path.p[0] != '/' || !mfx_str_is_line(path) ||
        path.len >= sizeof place->where.un.sun_path) {
        mfx_err_set(err,
                    "a UNIX socket needs an absolute path of at most %zu "
                    "octets",
                    sizeof place->where.un.sun_path - 1);
        return MFX_PERMFAIL;
    }
    place->where.un.sun_family = AF_UNIX;
    memcpy(place->where.un.sun_path, path.p, path.len);
    place->len = sizeof place->where.un;
    place->is_unix = place->is_local = true;
    return MFX_OK;
}

static void
set_address(struct place *place, const struct mfx_ip *ip, uint16_t port)
{
    place->is_local = mfx_ip_is_loopback(ip);
    if (ip->family == MFX_IP_V4) {
        place->where.in.sin_family = AF_INET;
        place->where.in.sin_port = htons(port);
        memcpy(&place->where.in.sin_addr, ip->bytes, 4);
        place->len = sizeof place->where.in;
    } else {
        place->where.in6.sin6_family = AF_INET6;
        place->where.in6.sin6_port = htons(port);
        memcpy(&place->where.in6.sin6_addr, ip->bytes, 16);
        place->len = sizeof place->where.in6;
    }
}

static enum mfx_rc
take_host(struct mfx_str text, struct place *place, struct mfx_err *err)
{
    static const struct mfx_str loopback = MFX_STR("127.0.0.1");
    size_t colon = mfx_str_find_last(text, ':');
    struct mfx_str host = mfx_str_head(text, colon);
    uint64_t port = 0;
    struct mfx_ip ip;
    if (mfx_str_is_nocase(host, "localhost"))
        host = loopback;
    if (mfx_str_to_u64(mfx_str_from(text, colon + 1), 65535, &port) == MFX_OK &&
        port > 0 && mfx_ip_parse(host, &ip) == MFX_OK) {
        set_address(place, &ip, (uint16_t)port);
        return MFX_OK;
    }
    mfx_err_set(err, "needs unix:/PATH or ADDRESS:PORT");
    return MFX_PERMFAIL;
}

static enum mfx_rc
parse(struct mfx_str text, struct place *place, struct mfx_err *err)
{
    static const struct mfx_str un = MFX_STR("unix:"), in = MFX_STR("inet:"),
                                in6 = MFX_STR("inet6:");
    *place = (struct place){0};
    if (mfx_str_starts(text, un))
        return take_path(mfx_str_from(text, un.len), place, err);
    if (text.len > 0 && text.p[0] == '/')
        return take_path(text, place, err);
    if (mfx_str_starts(text, in) || mfx_str_starts(text, in6))
        text = mfx_str_from(text, mfx_str_find(text, ':') + 1);
    return take_host(text, place, err);
}

enum mfx_rc
mfx_listener_check(struct mfx_str text, bool *is_local, struct mfx_err *err)
{
    struct place place;
    enum mfx_rc rc = parse(text, &place, err);
    *is_local = place.is_local;
    return rc;
}

/* --- the socket --- */

static bool
has_listener(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return true;
    memcpy(un.sun_path, path, strlen(path) + 1);
    bool refused =
        connect(fd, (struct sockaddr *)&un, sizeof un) != 0 && errno != EAGAIN;
    (void)close(fd);
    return !refused;
}

enum mfx_rc
mfx_listener_clear_stale(const char *path, struct mfx_err *err)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        if (errno == ENOENT)
            return MFX_OK;
        mfx_err_set(err, "%s: %s", path, strerror(errno));
        return MFX_TEMPFAIL;
    }
    if (!S_ISSOCK(st.st_mode)) {
        mfx_err_set(err, "%s: is there, and is no socket", path);
        return MFX_PERMFAIL;
    }
    if (has_listener(path)) {
        mfx_err_set(err, "%s: another process listens there", path);
        return MFX_TEMPFAIL;
    }
    if (unlink(path) != 0) {
        mfx_err_set(err, "%s: cannot remove: %s", path, strerror(errno));
        return MFX_TEMPFAIL;
    }
    return MFX_OK;
}

/* The mode is the socket's before it has a name; what the process's umask took
 * away comes back after. */
static bool
bind_it(int fd, const struct place *place, mode_t mode)
{
    const int one = 1;
    if (!place->is_unix)
        return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ==
                   0 &&
               bind(fd, &place->where.any, place->len) == 0;
    return fchmod(fd, mode) == 0 &&
           bind(fd, &place->where.any, place->len) == 0 &&
           chmod(place->where.un.sun_path, mode) == 0;
}

enum mfx_rc
mfx_listener_open(struct mfx_str text, mode_t mode, int *fd,
                  struct mfx_err *err)
{
    struct place place;
    *fd = -1;
    enum mfx_rc rc = parse(text, &place, err);
    if (rc == MFX_OK && place.is_unix)
        rc = mfx_listener_clear_stale(place.where.un.sun_path, err);
    if (rc != MFX_OK)
        return rc;
    *fd = socket(place.where.any.sa_family,
                 SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd >= 0 && bind_it(*fd, &place, mode) &&
        listen(*fd, MFX_LISTENER_BACKLOG) == 0)
        return MFX_OK;
    mfx_err_set(err, "%.*s: %s", MFX_STR_ARG(text), strerror(errno));
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    return MFX_TEMPFAIL;
}

void
mfx_listener_close(struct mfx_str text, int fd)
{
    struct place place;
    /* in this order: afterwards another may stand there */
    if (parse(text, &place, NULL) == MFX_OK && place.is_unix)
        (void)unlink(place.where.un.sun_path);
    (void)close(fd);
}
