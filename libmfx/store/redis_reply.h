/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_reply - what a Redis says (not installed)
 *
 * Takes bytes as they come and gives whole replies, of protocol 2 and 3.
 * hiredis's reader knows protocol 2 alone: what is new in 3 is turned into it
 * on the way (map, set: array; boolean: integer; null: nil; double, big number:
 * status; verbatim: string; error in bulk: error; what is pushed, and
 * attributes, are left out).
 *
 *     reader = mfx_redis_reader_new();
 *     rc = mfx_redis_reader_feed(reader, bytes, &err);
 *     while ((rc = mfx_redis_reader_next(reader, &reply, &err)) == MFX_OK)
 *
 * Ownership: a reply is the reader's, until the next one is asked for. Errors: MFX_NOTFOUND: no whole
 * reply yet. MFX_PERMFAIL: no Redis speaks like that; nothing more can be read.
 * MFX_TEMPFAIL: out of memory; the same. Threads: one at a time.
 * Limits: below; a reply that passes one is PERMFAIL.
 */
#ifndef MFX_STORE_REDIS_REPLY_H
#define MFX_STORE_REDIS_REPLY_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

enum {
    MFX_REDIS_LINE_MAX = 16 * 1024,    /* a status, an error, a number */
    MFX_REDIS_STRING_MAX = 512 * 1024, /* octets of one */
    MFX_REDIS_ITEMS_MAX = 64 * 1024,   /* of one array, or half of a map */
    MFX_REDIS_REPLY_MAX = 8 << 20,     /* octets of a reply, of the wire's */
};

enum mfx_redis_type {
    MFX_REDIS_NIL,
    MFX_REDIS_STRING,
    MFX_REDIS_STATUS,
    MFX_REDIS_ERROR,
    MFX_REDIS_INTEGER,
    MFX_REDIS_ARRAY,
};

struct mfx_redis_reply {
    enum mfx_redis_type type;
    struct mfx_str text; /* STRING, STATUS, ERROR */
    int64_t number;      /* INTEGER */
    struct mfx_redis_reply *items;
    size_t count;
};

struct mfx_redis_reader;

struct mfx_redis_reader *mfx_redis_reader_new(void);
void mfx_redis_reader_free(struct mfx_redis_reader *reader);

enum mfx_rc mfx_redis_reader_feed(struct mfx_redis_reader *reader,
                                  struct mfx_str bytes,
                                  struct mfx_err *err) MFX_NODISCARD;
enum mfx_rc mfx_redis_reader_next(struct mfx_redis_reader *reader,
                                  const struct mfx_redis_reply **reply,
                                  struct mfx_err *err) MFX_NODISCARD;

/* The item, or a nil where there is none. */
const struct mfx_redis_reply *
mfx_redis_reply_item(const struct mfx_redis_reply *reply, size_t at);
/* A number, however it was said; 0 for what is none, or negative. */
uint64_t mfx_redis_reply_u64(const struct mfx_redis_reply *reply);
/* An error that begins with that word. */
bool mfx_redis_reply_is_error(const struct mfx_redis_reply *reply,
                              const char *word);

#endif
