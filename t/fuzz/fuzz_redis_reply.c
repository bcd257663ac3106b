/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Replies of a Redis: read at once, and byte by byte, they are the same. */
#include <stdlib.h>

#include <mfx/base/buf.h>
#include <mfx/store/redis_reply.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
print(struct mfx_buf *out, const struct mfx_redis_reply *reply)
{
    mfx_buf_printf(out, "%d:%lld:%zu:", (int)reply->type,
                   (long long)reply->number, reply->text.len);
    mfx_buf_add(out, reply->text);
    mfx_buf_printf(out, "[%llu %zu\n",
                   (unsigned long long)mfx_redis_reply_u64(reply),
                   reply->count);
    for (size_t i = 0; i < reply->count; i++)
        print(out, mfx_redis_reply_item(reply, i));
}

static void
take_replies(struct mfx_redis_reader *reader, struct mfx_buf *out)
{
    const struct mfx_redis_reply *reply;
    while (mfx_redis_reader_next(reader, &reply, NULL) == MFX_OK)
        print(out, reply);
}

static void
read_in(size_t pace, struct mfx_str bytes, struct mfx_buf *out)
{
    struct mfx_redis_reader *reader = mfx_redis_reader_new();
    if (reader == NULL)
        return;
    while (bytes.len > 0) {
        enum mfx_rc rc =
            mfx_redis_reader_feed(reader, mfx_str_head(bytes, pace), NULL);
        if (rc != MFX_OK)
            break;
        take_replies(reader, out);
        bytes = mfx_str_from(bytes, pace);
    }
    mfx_redis_reader_free(reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_buf slow, fast;
    struct mfx_str bytes = mfx_str((const char *)data, size);
    mfx_buf_init(&slow, 1 << 24);
    mfx_buf_init(&fast, 1 << 24);
    read_in(1, bytes, &slow);
    read_in(7, bytes, &fast);
    /* what is broken ends the reading, earlier when more comes at once */
    if (fast.len > slow.len ||
        (fast.len > 0 && memcmp(fast.p, slow.p, fast.len) != 0))
        abort();
    mfx_buf_fini(&slow);
    mfx_buf_fini(&fast);
    return 0;
}
