/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/store/redis_link.h>

#include <mfx/base/env.h>
#include <mfx/store/redis_command.h>

enum {
    ARENA_MAX = 1 << 20,
    READ_SIZE = 16 * 1024,
};

void
mfx_redis_link_close(struct mfx_redis_link *link)
{
    mfx_stream_close(link->stream);
    mfx_redis_reader_free(link->reader);
    link->stream = NULL;
    link->reader = NULL;
}

void
mfx_redis_link_break(struct mfx_redis_link *link, const char *why)
{
    if (!link->is_broken)
        mfx_err_set(&link->error, "%s", why);
    link->is_broken = true;
}

/* --- asking while it opens --- */

static enum mfx_rc
next_reply(struct mfx_redis_link *link, uint64_t until_ms,
           const struct mfx_redis_reply **reply, struct mfx_err *err)
{
    char bytes[READ_SIZE];
    enum mfx_rc rc;
    while ((rc = mfx_redis_reader_next(link->reader, reply, err)) ==
           MFX_NOTFOUND) {
        size_t got;
        rc = mfx_stream_read(link->stream, bytes, sizeof bytes, &got, until_ms,
                             err);
        if (rc == MFX_NOTFOUND)
            mfx_err_set(err, "it closed the connection");
        if (rc != MFX_OK)
            return MFX_TEMPFAIL;
        rc = mfx_redis_reader_feed(link->reader, mfx_str(bytes, got), err);
        if (rc != MFX_OK)
            return MFX_TEMPFAIL;
    }
    return rc == MFX_OK ? MFX_OK : MFX_TEMPFAIL;
}

/* Says it for people; a password never comes back in an error. */
static enum mfx_rc
refused(const struct mfx_redis_reply *reply, struct mfx_err *err)
{
    mfx_err_set(err, "%.*s", MFX_STR_ARG(mfx_str_head(reply->text, 200)));
    return mfx_redis_reply_is_error(reply, "LOADING") ||
                   mfx_redis_reply_is_error(reply, "MASTERDOWN") ||
                   mfx_redis_reply_is_error(reply, "BUSY")
               ? MFX_TEMPFAIL
               : MFX_PERMFAIL;
}

enum mfx_rc
mfx_redis_link_ask(struct mfx_redis_link *link, struct mfx_str bytes,
                   uint64_t until_ms, const struct mfx_redis_reply **reply,
                   struct mfx_err *err)
{
    if (bytes.p == NULL) {
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    enum mfx_rc rc = mfx_stream_write(link->stream, bytes, until_ms, err);
    if (rc == MFX_OK)
        rc = next_reply(link, until_ms, reply, err);
    if (rc == MFX_OK && (*reply)->type == MFX_REDIS_ERROR)
        return refused(*reply, err);
    return rc;
}

/* --- good manners --- */

static struct mfx_str
format_hello(const struct mfx_redis_link_settings *settings,
             struct mfx_arena *arena)
{
    struct mfx_redis_command c;
    mfx_redis_command_begin(&c, arena);
    mfx_redis_command_text(&c, "HELLO");
    mfx_redis_command_text(&c, "3");
    if (settings->password.len > 0) {
        mfx_redis_command_text(&c, "AUTH");
        if (settings->user.len > 0)
            mfx_redis_command_add(&c, settings->user);
        else
            mfx_redis_command_text(&c, "default");
        mfx_redis_command_add(&c, settings->password);
    }
    return mfx_redis_command_end(&c);
}

static struct mfx_str
format_auth(const struct mfx_redis_link_settings *settings,
            struct mfx_arena *arena)
{
    struct mfx_redis_command c;
    mfx_redis_command_begin(&c, arena);
    mfx_redis_command_text(&c, "AUTH");
    if (settings->user.len > 0)
        mfx_redis_command_add(&c, settings->user);
    mfx_redis_command_add(&c, settings->password);
    return mfx_redis_command_end(&c);
}

static bool
is_unknown(const struct mfx_redis_reply *reply)
{
    static const struct mfx_str unknown = MFX_STR("ERR unknown command");
    return reply->type == MFX_REDIS_ERROR &&
           (mfx_redis_reply_is_error(reply, "NOPROTO") ||
            mfx_str_starts_nocase(reply->text, unknown));
}

/* Protocol and password. */
static enum mfx_rc
introduce(struct mfx_redis_link *link,
          const struct mfx_redis_link_settings *settings,
          struct mfx_arena *arena, uint64_t until_ms, struct mfx_err *err)
{
    const struct mfx_redis_reply *reply = NULL;
    if (settings->protocol != 2) {
        enum mfx_rc rc = mfx_redis_link_ask(link, format_hello(settings, arena),
                                            until_ms, &reply, err);
        if (rc != MFX_PERMFAIL || !is_unknown(reply))
            return rc;
        if (settings->protocol == 3) {
            mfx_err_set(err, "it does not know protocol 3");
            return MFX_PERMFAIL;
        }
    }
    if (settings->password.len == 0)
        return MFX_OK;
    return mfx_redis_link_ask(link, format_auth(settings, arena), until_ms,
                              &reply, err);
}

static struct mfx_str
format_words(struct mfx_arena *arena, const char *first, struct mfx_str second,
             struct mfx_str third)
{
    struct mfx_redis_command c;
    mfx_redis_command_begin(&c, arena);
    mfx_redis_command_text(&c, first);
    if (second.p != NULL)
        mfx_redis_command_add(&c, second);
    if (third.p != NULL)
        mfx_redis_command_add(&c, third);
    return mfx_redis_command_end(&c);
}

static enum mfx_rc
take_role(const struct mfx_redis_reply *reply, struct mfx_err *err)
{
    struct mfx_str role = mfx_redis_reply_item(reply, 0)->text;
    if (mfx_str_is(role, "master"))
        return MFX_OK;
    mfx_err_set(err, "no primary: its role is %.*s",
                MFX_STR_ARG(mfx_str_head(
                    role.len == 0 ? mfx_str_of("unknown") : role, 20)));
    return MFX_NOTFOUND;
}

static void
take_time(struct mfx_redis_link *link, const struct mfx_redis_reply *reply)
{
    uint64_t s = mfx_redis_reply_u64(mfx_redis_reply_item(reply, 0));
    uint64_t us = mfx_redis_reply_u64(mfx_redis_reply_item(reply, 1));
    link->ahead_ms = (int64_t)(s * 1000 + us / 1000) - (int64_t)mfx_mono_ms();
}

/* Database, role, clock, and the scripts. */
static enum mfx_rc
settle_in(struct mfx_redis_link *link,
          const struct mfx_redis_link_settings *settings,
          struct mfx_arena *arena, uint64_t until_ms, struct mfx_err *err)
{
    static const struct mfx_str none = {NULL, 0}, load = MFX_STR("LOAD");
    const struct mfx_redis_reply *reply = NULL;
    enum mfx_rc rc = MFX_OK;
    if (settings->database != 0)
        rc = mfx_redis_link_ask(
            link,
            format_words(
                arena, "SELECT",
                mfx_arena_printf(arena, "%lld", (long long)settings->database),
                none),
            until_ms, &reply, err);
    if (rc == MFX_OK)
        rc = mfx_redis_link_ask(link, format_words(arena, "ROLE", none, none),
                                until_ms, &reply, err);
    if (rc == MFX_OK)
        rc = take_role(reply, err);
    if (rc == MFX_OK)
        rc = mfx_redis_link_ask(link, format_words(arena, "TIME", none, none),
                                until_ms, &reply, err);
    if (rc == MFX_OK)
        take_time(link, reply);
    for (size_t i = 0; rc == MFX_OK && i < MFX_REDIS_SCRIPT_COUNT; i++)
        rc = mfx_redis_link_ask(
            link,
            format_words(arena, "SCRIPT", load, settings->scripts->text[i]),
            until_ms, &reply, err);
    return rc;
}

enum mfx_rc
mfx_redis_link_open(struct mfx_redis_link *link,
                    const struct mfx_redis_link_settings *settings,
                    struct mfx_stream_peer *peer, uint64_t until_ms,
                    struct mfx_err *err)
{
    struct mfx_arena *arena = mfx_arena_new(ARENA_MAX);
    *link = (struct mfx_redis_link){.end = NULL};
    link->end = &link->first;
    link->reader = mfx_redis_reader_new();
    link->stream = mfx_stream_open(peer, settings->tls, until_ms);
    enum mfx_rc rc = MFX_TEMPFAIL;
    if (arena == NULL || link->reader == NULL || link->stream == NULL) {
        mfx_err_set(err, "out of memory");
    } else {
        rc = mfx_stream_wait_open(link->stream, err);
        if (rc == MFX_OK) {
            rc = introduce(link, settings, arena, until_ms, err);
            if (rc == MFX_OK && settings->scripts != NULL)
                rc = settle_in(link, settings, arena, until_ms, err);
        }
    }
    mfx_arena_free(arena);
    if (rc != MFX_OK)
        mfx_redis_link_close(link);
    return rc;
}

/* --- the queue --- */

void
mfx_redis_link_flush(struct mfx_redis_link *link)
{
    while (link->unsent != NULL && mfx_redis_link_is_open(link)) {
        size_t put;
        struct mfx_str rest =
            mfx_str_from(link->unsent->bytes, link->unsent_at);
        enum mfx_stream_io io = mfx_stream_try_write(link->stream, rest, &put);
        if (io == MFX_STREAM_AGAIN)
            return;
        if (io != MFX_STREAM_DONE) {
            mfx_redis_link_break(link, mfx_stream_error(link->stream));
            return;
        }
        link->unsent_at += put;
        if (link->unsent_at == link->unsent->bytes.len) {
            link->unsent = link->unsent->next;
            link->unsent_at = 0;
        }
    }
}

void
mfx_redis_link_send(struct mfx_redis_link *link, struct mfx_redis_item *item,
                    uint64_t now_ms)
{
    bool is_free = link->unsent == NULL;
    item->next = NULL;
    item->sent_ms = now_ms;
    *link->end = item;
    link->end = &item->next;
    if (!is_free)
        return;
    link->unsent = item;
    link->unsent_at = 0;
    mfx_redis_link_flush(link);
}

size_t
mfx_redis_link_read(struct mfx_redis_link *link, char *to, size_t max)
{
    size_t got = 0;
    if (!mfx_redis_link_is_open(link))
        return 0;
    switch (mfx_stream_try_read(link->stream, to, max, &got)) {
    case MFX_STREAM_DONE:
    case MFX_STREAM_AGAIN:
        break;
    case MFX_STREAM_END:
        mfx_redis_link_break(link, "it closed the connection");
        break;
    case MFX_STREAM_FAILED:
        mfx_redis_link_break(link, mfx_stream_error(link->stream));
        break;
    }
    return got;
}

struct mfx_redis_item *
mfx_redis_link_pop(struct mfx_redis_link *link)
{
    struct mfx_redis_item *item = link->first;
    if (item == NULL || item == link->unsent)
        return NULL; /* answered before it was asked */
    link->first = item->next;
    if (link->first == NULL)
        link->end = &link->first;
    return item;
}

struct mfx_redis_item *
mfx_redis_link_drain(struct mfx_redis_link *link,
                     struct mfx_redis_item **unsent)
{
    struct mfx_redis_item *first = link->first;
    *unsent = link->unsent;
    /* a part of it is at the server, never the whole: it cannot act on it */
    link->first = NULL;
    link->end = &link->first;
    link->unsent = NULL;
    return first;
}
