/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/address.h>

#include <sys/socket.h>
#include <sys/un.h>

static bool
is_port(struct mfx_str s)
{
    uint64_t n = 0;
    return mfx_str_to_u64(s, 65535, &n) == MFX_OK && n > 0;
}

static enum mfx_rc
parse_path(struct mfx_str path, struct mfx_arena *arena,
           struct mfx_listen_address *address, struct mfx_err *err)
{
    struct sockaddr_un un;
    if (path.len == 0 || path.p[0] != '/' || !mfx_str_is_line(path)) {
        mfx_err_set(err, "a UNIX socket needs an absolute path");
        return MFX_PERMFAIL;
    }
    if (path.len >= sizeof un.sun_path) {
        mfx_err_set(err, "path too long for a UNIX socket (%zu, at most %zu)",
                    path.len, sizeof un.sun_path - 1);
        return MFX_PERMFAIL;
    }
    address->is_unix = true;
    address->path = mfx_arena_copy(arena, path).p;
    address->libmilter =
        mfx_arena_printf(arena, "unix:%.*s", MFX_STR_ARG(path)).p;
    return MFX_OK;
}

/* "PORT@HOST" as libmilter has it, "HOST:PORT" as Postfix has it, "PORT". */
static enum mfx_rc
parse_inet(const char *family, struct mfx_str rest, struct mfx_arena *arena,
           struct mfx_listen_address *address, struct mfx_err *err)
{
    size_t at = mfx_str_find(rest, '@');
    size_t colon = mfx_str_find_last(rest, ':');
    struct mfx_str port = mfx_str_head(rest, at);
    struct mfx_str host = mfx_str_from(rest, at + 1);
    if (at == rest.len && colon < rest.len) {
        port = mfx_str_from(rest, colon + 1);
        host = mfx_str_head(rest, colon);
    }
    if (host.len >= 2 && host.p[0] == '[' && host.p[host.len - 1] == ']')
        host = mfx_str(host.p + 1, host.len - 2);
    if (!is_port(port) || !mfx_str_is_line(host) || mfx_str_has(host, '@')) {
        mfx_err_set(err, "needs PORT@HOST or HOST:PORT");
        return MFX_PERMFAIL;
    }
    address->is_unix = false;
    address->path = NULL;
    address->libmilter =
        mfx_arena_printf(arena, "%s:%.*s%s%.*s", family, MFX_STR_ARG(port),
                         host.len > 0 ? "@" : "", MFX_STR_ARG(host))
            .p;
    return MFX_OK;
}

enum mfx_rc
mfx_listen_address_parse(struct mfx_str text, struct mfx_arena *arena,
                         struct mfx_listen_address *address,
                         struct mfx_err *err)
{
    struct mfx_str kind = mfx_str_head(text, mfx_str_find(text, ':'));
    struct mfx_str rest = mfx_str_from(text, kind.len + 1);
    if (text.len > 0 && text.p[0] == '/')
        return parse_path(text, arena, address, err);
    if (mfx_str_is(kind, "unix") || mfx_str_is(kind, "local"))
        return parse_path(rest, arena, address, err);
    if (mfx_str_is(kind, "inet"))
        return parse_inet("inet", rest, arena, address, err);
    if (mfx_str_is(kind, "inet6"))
        return parse_inet("inet6", rest, arena, address, err);
    mfx_err_set(err, "must begin with unix:, local:, inet: or inet6:");
    return MFX_PERMFAIL;
}
