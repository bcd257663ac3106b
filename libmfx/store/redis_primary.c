/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/store/redis_primary.h>

#include <stdio.h>
#include <stdlib.h>

#include <mfx/base/env.h>
#include <mfx/store/redis_command.h>

enum {
    SERVERS_MAX = 32,
    REDIS_PORT = 6379,
    SENTINEL_PORT = 26379,
    ARENA_MAX = 1 << 20,
    ADDRESS_MAX = 300,
};

struct mfx_redis_primary {
    struct mfx_arena *arena; /* of the settings' texts */
    struct mfx_stream_peer *servers[SERVERS_MAX];
    size_t server_count;
    struct mfx_str sentinel_name;
    struct mfx_redis_link_settings server, sentinel;
    uint64_t timeout_ms;
    /* whom Sentinel named last: kept, for a name is looked up once */
    struct mfx_stream_peer *named;
};

/* --- settings --- */

static enum mfx_rc
add_servers(struct mfx_redis_primary *p,
            const struct mfx_store_redis_settings *settings,
            struct mfx_err *err)
{
    unsigned port =
        settings->sentinel_name.len > 0 ? SENTINEL_PORT : REDIS_PORT;
    if (settings->server_count == 0 || settings->server_count > SERVERS_MAX) {
        mfx_err_set(err, "%zu servers: between 1 and %d are possible",
                    settings->server_count, SERVERS_MAX);
        return MFX_PERMFAIL;
    }
    for (size_t i = 0; i < settings->server_count; i++) {
        enum mfx_rc rc = mfx_stream_peer_new(settings->servers[i], port,
                                             &p->servers[p->server_count], err);
        if (rc != MFX_OK)
            return rc;
        p->server_count++;
    }
    return MFX_OK;
}

static enum mfx_rc
add_tls(struct mfx_redis_primary *p,
        const struct mfx_store_redis_settings *settings, struct mfx_err *err)
{
    struct mfx_stream_tls_settings tls = {
        .ca_file = settings->tls_ca_file,
        .cert_file = settings->tls_cert_file,
        .key_file = settings->tls_key_file,
        .name = settings->tls_name,
    };
    if (!settings->tls)
        return MFX_OK;
    enum mfx_rc rc = mfx_stream_tls_new(&tls, &p->server.tls, err);
    p->sentinel.tls = p->server.tls;
    return rc;
}

static enum mfx_rc
check(const struct mfx_store_redis_settings *settings, struct mfx_err *err)
{
    const char *wrong = NULL;
    if (settings->protocol != 0 && settings->protocol != 2 &&
        settings->protocol != 3)
        wrong = "the protocol is 2 or 3";
    else if (settings->database < 0)
        wrong = "the database is a number from 0 on";
    else if (settings->timeout_ms == 0)
        wrong = "a timeout of 0";
    else if (settings->wait_replicas < 0 ||
             (settings->wait_replicas > 0 && settings->wait_ms == 0))
        wrong = "waiting for replicas needs a number and a time";
    else if (settings->user.len > 0 && settings->password.len == 0)
        wrong = "a user without a password";
    if (wrong == NULL)
        return MFX_OK;
    mfx_err_set(err, "%s", wrong);
    return MFX_PERMFAIL;
}

enum mfx_rc
mfx_redis_primary_new(const struct mfx_store_redis_settings *settings,
                      const struct mfx_redis_scripts *scripts,
                      struct mfx_redis_primary **primary, struct mfx_err *err)
{
    struct mfx_redis_primary *p = calloc(1, sizeof *p);
    struct mfx_arena *arena = mfx_arena_new(0);
    if (p == NULL || arena == NULL) {
        free(p);
        mfx_arena_free(arena);
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    p->arena = arena;
    p->timeout_ms = settings->timeout_ms;
    p->sentinel_name = mfx_arena_copy(arena, settings->sentinel_name);
    p->server.user = mfx_arena_copy(arena, settings->user);
    p->server.password = mfx_arena_copy(arena, settings->password);
    p->server.protocol = settings->protocol;
    p->server.database = settings->database;
    p->server.scripts = scripts;
    p->sentinel.user = mfx_arena_copy(arena, settings->sentinel_user);
    p->sentinel.password = mfx_arena_copy(arena, settings->sentinel_password);
    p->sentinel.protocol = 2;
    enum mfx_rc rc = check(settings, err);
    if (rc == MFX_OK)
        rc = add_servers(p, settings, err);
    if (rc == MFX_OK)
        rc = add_tls(p, settings, err);
    if (rc == MFX_OK && !mfx_arena_ok(arena)) {
        mfx_err_set(err, "out of memory");
        rc = MFX_TEMPFAIL;
    }
    if (rc == MFX_OK)
        *primary = p;
    else
        mfx_redis_primary_free(p);
    return rc;
}

void
mfx_redis_primary_free(struct mfx_redis_primary *primary)
{
    if (primary == NULL)
        return;
    for (size_t i = 0; i < primary->server_count; i++)
        mfx_stream_peer_free(primary->servers[i]);
    mfx_stream_peer_free(primary->named);
    mfx_stream_tls_free(primary->server.tls);
    mfx_arena_free(primary->arena);
    free(primary);
}

/* --- searching --- */

/* Names the server before its error, unless the error does. */
static void
name_error(struct mfx_err *err, const char *where)
{
    if (strncmp(err->msg, where, strlen(where)) != 0)
        mfx_err_prefix(err, "%s", where);
}

static enum mfx_rc
open_links(struct mfx_redis_primary *p, struct mfx_stream_peer *peer,
           struct mfx_redis_link *links, size_t count, struct mfx_err *err)
{
    enum mfx_rc rc = MFX_OK;
    for (size_t i = 0; rc == MFX_OK && i < count; i++) {
        rc = mfx_redis_link_open(&links[i], &p->server, peer,
                                 mfx_mono_ms() + p->timeout_ms, err);
        for (size_t n = 0; rc != MFX_OK && n < i; n++)
            mfx_redis_link_close(&links[n]);
    }
    if (rc != MFX_OK)
        name_error(err, mfx_stream_peer_text(peer));
    return rc;
}

/* What one sentinel says: MFX_NOTFOUND: it knows no such primary. */
static enum mfx_rc
ask_sentinel(struct mfx_redis_primary *p, struct mfx_stream_peer *sentinel,
             char address[ADDRESS_MAX], struct mfx_err *err)
{
    const struct mfx_redis_reply *reply = NULL;
    struct mfx_arena *arena = mfx_arena_new(ARENA_MAX);
    struct mfx_redis_command c;
    struct mfx_redis_link link;
    uint64_t until_ms = mfx_mono_ms() + p->timeout_ms;
    if (arena == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    mfx_redis_command_begin(&c, arena);
    mfx_redis_command_text(&c, "SENTINEL");
    mfx_redis_command_text(&c, "get-master-addr-by-name");
    mfx_redis_command_add(&c, p->sentinel_name);
    enum mfx_rc rc =
        mfx_redis_link_open(&link, &p->sentinel, sentinel, until_ms, err);
    if (rc == MFX_OK) {
        rc = mfx_redis_link_ask(&link, mfx_redis_command_end(&c), until_ms,
                                &reply, err);
        struct mfx_str host = {NULL, 0}, port = {NULL, 0};
        if (rc == MFX_OK) {
            host = mfx_redis_reply_item(reply, 0)->text;
            port = mfx_redis_reply_item(reply, 1)->text;
        }
        if (rc == MFX_OK && (host.len == 0 || port.len == 0)) {
            mfx_err_set(err, "no primary of the name \"%.*s\"",
                        MFX_STR_ARG(mfx_str_head(p->sentinel_name, 60)));
            rc = MFX_NOTFOUND;
        } else if (rc == MFX_OK) {
            (void)snprintf(address, ADDRESS_MAX,
                           mfx_str_has(host, ':') ? "[%.*s]:%.*s" : "%.*s:%.*s",
                           MFX_STR_ARG(mfx_str_head(host, 255)),
                           MFX_STR_ARG(mfx_str_head(port, 5)));
        }
        mfx_redis_link_close(&link);
    }
    mfx_arena_free(arena);
    if (rc != MFX_OK)
        name_error(err, mfx_stream_peer_text(sentinel));
    return rc;
}

static enum mfx_rc
open_named(struct mfx_redis_primary *p, struct mfx_stream_peer *sentinel,
           struct mfx_redis_link *links, size_t count, struct mfx_err *err)
{
    char address[ADDRESS_MAX];
    enum mfx_rc rc = ask_sentinel(p, sentinel, address, err);
    if (rc != MFX_OK)
        return rc;
    if (p->named == NULL ||
        strcmp(mfx_stream_peer_text(p->named), address) != 0) {
        mfx_stream_peer_free(p->named);
        p->named = NULL;
        rc = mfx_stream_peer_new(mfx_str_of(address), 0, &p->named, err);
    }
    return rc == MFX_OK ? open_links(p, p->named, links, count, err) : rc;
}

enum mfx_rc
mfx_redis_primary_open(struct mfx_redis_primary *primary,
                       const struct mfx_redis_search *search,
                       struct mfx_redis_link *links, size_t count, char *where,
                       size_t where_size, struct mfx_err *err)
{
    bool has_sentinel = primary->sentinel_name.len > 0, is_refused = false;
    struct mfx_err all = {{0}};
    for (size_t i = 0; i < primary->server_count; i++) {
        struct mfx_stream_peer *peer = primary->servers[i];
        struct mfx_err one = {{0}};
        if (!search->may_go_on(search->arg))
            break;
        enum mfx_rc rc = has_sentinel
                             ? open_named(primary, peer, links, count, &one)
                             : open_links(primary, peer, links, count, &one);
        if (rc == MFX_OK) {
            (void)snprintf(
                where, where_size, "%s",
                mfx_stream_peer_text(has_sentinel ? primary->named : peer));
            return MFX_OK;
        }
        is_refused = is_refused || rc == MFX_PERMFAIL;
        struct mfx_err before = all;
        mfx_err_set(&all, "%s%s%s", before.msg, i == 0 ? "" : "; ", one.msg);
    }
    mfx_err_set(err, "%s", all.msg);
    return is_refused ? MFX_PERMFAIL : MFX_TEMPFAIL;
}
