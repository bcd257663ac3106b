/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_link - one connection to a Redis (not installed)
 *
 * Opening waits (connect, TLS, HELLO or AUTH, SELECT, ROLE, scripts); then
 * commands are sent one behind the other without waiting, by whoever has one,
 * and answered in order.
 *
 *     rc = mfx_redis_link_open(&link, &settings, peer, until_ms, &err);
 *     mfx_redis_link_send(&link, item, now_ms);       (any thread, locked)
 *     mfx_redis_link_read(&link, bytes, size, &got);  (one thread, locked)
 *     feed link.reader, and for each reply:           (that thread)
 *     item = mfx_redis_link_pop(&link);               (locked)
 *
 * Ownership: items are the sender's until they are answered; a link is open/
 * close. Errors: open: MFX_NOTFOUND: it is a replica; MFX_PERMFAIL: it does not
 * want us (password, permissions, protocol); MFX_TEMPFAIL: anything else. A
 * link that is_broken does nothing more; error says why.
 * Threads: the caller's lock, but for the reader.
 */
#ifndef MFX_STORE_REDIS_LINK_H
#define MFX_STORE_REDIS_LINK_H

#include <mfx/net/stream.h>
#include <mfx/store/redis_ask.h>

struct mfx_redis_link_settings {
    struct mfx_str user, password;
    int protocol; /* 2, 3; 0: 3 if it is known there */
    int64_t database;
    struct mfx_stream_tls *tls;              /* NULL: none */
    const struct mfx_redis_scripts *scripts; /* NULL: a sentinel */
};

struct mfx_redis_link {
    struct mfx_stream *stream; /* NULL: closed */
    struct mfx_redis_reader *reader;
    struct mfx_redis_item *first, **end; /* sent or not, not answered */
    struct mfx_redis_item *unsent;       /* the first that is not sent whole */
    size_t unsent_at;                    /* octets of it that are sent */
    bool is_broken;
    struct mfx_err error;
    int64_t ahead_ms; /* the server's time, less mono */
};

enum mfx_rc mfx_redis_link_open(struct mfx_redis_link *link,
                                const struct mfx_redis_link_settings *settings,
                                struct mfx_stream_peer *peer, uint64_t until_ms,
                                struct mfx_err *err) MFX_NODISCARD;
/* Items that are there stay: see mfx_redis_link_drain. */
void mfx_redis_link_close(struct mfx_redis_link *link);

/* Asks at once and waits: only while nothing is in the queue. *reply is valid
 * until the next one. An error reply is MFX_PERMFAIL, its text in err. */
enum mfx_rc mfx_redis_link_ask(struct mfx_redis_link *link,
                               struct mfx_str bytes, uint64_t until_ms,
                               const struct mfx_redis_reply **reply,
                               struct mfx_err *err) MFX_NODISCARD;

/* Into the queue, and out if nothing is before it. */
void mfx_redis_link_send(struct mfx_redis_link *link,
                         struct mfx_redis_item *item, uint64_t now_ms);
/* Sends what is in the queue, as far as it goes. */
void mfx_redis_link_flush(struct mfx_redis_link *link);
/* What has come; 0: nothing now, or broken. */
size_t mfx_redis_link_read(struct mfx_redis_link *link, char *to, size_t max);
/* It is of no use any more. */
void mfx_redis_link_break(struct mfx_redis_link *link, const char *why);
/* Takes the next item off the queue: NULL when there is none. */
struct mfx_redis_item *mfx_redis_link_pop(struct mfx_redis_link *link);
/* All items that are left, the first first; *unsent: from that one on nothing
 * was sent (NULL: all was). */
struct mfx_redis_item *mfx_redis_link_drain(struct mfx_redis_link *link,
                                            struct mfx_redis_item **unsent);

static inline bool
mfx_redis_link_is_open(const struct mfx_redis_link *link)
{
    return link->stream != NULL && !link->is_broken;
}

#endif
