/* SPDX-License-Identifier: BSD-2-Clause
 *
 * buf - output that grows to a limit
 *
 *     struct mfx_buf out;
 *     mfx_buf_init(&out, 64 * 1024);
 *     mfx_buf_add(&out, mfx_str_of("dkim="));
 *     mfx_buf_printf(&out, "%s", result);
 *     if (!mfx_buf_ok(&out)) ...
 *     mfx_buf_fini(&out);
 *
 * Ownership: with mfx_buf_init the buffer owns heap memory until
 * mfx_buf_fini; with mfx_buf_init_arena the arena owns it.
 * Errors: past max, or out of memory, `failed` stays set and further output
 * is dropped: check mfx_buf_ok once at the end.
 * Threads: one thread at a time.
 */
#ifndef MFX_BASE_BUF_H
#define MFX_BASE_BUF_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

MFX_API_BEGIN

struct mfx_buf {
    char *p;
    size_t len, cap, max;
    struct mfx_arena *arena;
    bool failed;
};

void mfx_buf_init(struct mfx_buf *buf, size_t max);
void mfx_buf_init_arena(struct mfx_buf *buf, struct mfx_arena *arena,
                        size_t max);
void mfx_buf_fini(struct mfx_buf *buf);
/* Empties it and clears the failure; keeps the memory. */
void mfx_buf_clear(struct mfx_buf *buf);

void mfx_buf_add(struct mfx_buf *buf, struct mfx_str s);
void mfx_buf_add_text(struct mfx_buf *buf, const char *text);
void mfx_buf_add_byte(struct mfx_buf *buf, char c);
void mfx_buf_printf(struct mfx_buf *buf, const char *format, ...)
    MFX_PRINTF(2, 3);
/* Room for len more bytes to be written at the returned place, then counted
 * by the caller (buf->len += n). NULL when there is no room. */
char *mfx_buf_room(struct mfx_buf *buf, size_t len);

static inline bool
mfx_buf_ok(const struct mfx_buf *buf)
{
    return !buf->failed;
}

/* What is there; valid until the next addition. */
static inline struct mfx_str
mfx_buf_str(const struct mfx_buf *buf)
{
    return mfx_str(buf->p, buf->len);
}

/* With a NUL behind the last byte; "" when it failed before anything came. */
const char *mfx_buf_text(struct mfx_buf *buf);

MFX_API_END

#endif
