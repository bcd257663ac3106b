/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/buf.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SMALLEST = 128,
};

void
mfx_buf_init(struct mfx_buf *buf, size_t max)
{
    *buf = (struct mfx_buf){.max = max};
}

void
mfx_buf_init_arena(struct mfx_buf *buf, struct mfx_arena *arena, size_t max)
{
    *buf = (struct mfx_buf){.max = max, .arena = arena};
}

void
mfx_buf_fini(struct mfx_buf *buf)
{
    if (buf->arena == NULL)
        free(buf->p);
    *buf = (struct mfx_buf){.max = buf->max, .arena = buf->arena};
}

void
mfx_buf_clear(struct mfx_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

static bool
grow(struct mfx_buf *buf, size_t need)
{
    size_t cap = buf->cap < SMALLEST ? SMALLEST : buf->cap * 2;
    if (cap < need)
        cap = need;
    char *p;
    if (buf->arena == NULL) {
        p = realloc(buf->p, cap);
    } else {
        p = mfx_arena_alloc_bytes(buf->arena, cap);
        if (p != NULL && buf->len > 0)
            memcpy(p, buf->p, buf->len);
    }
    if (p == NULL)
        return false;
    buf->p = p;
    buf->cap = cap;
    return true;
}

char *
mfx_buf_room(struct mfx_buf *buf, size_t len)
{
    if (buf->failed)
        return NULL;
    /* one byte more, for the NUL of mfx_buf_text */
    if (buf->len > buf->max || len > buf->max - buf->len ||
        (buf->cap - buf->len <= len && !grow(buf, buf->len + len + 1))) {
        buf->failed = true;
        return NULL;
    }
    return buf->p + buf->len;
}

void
mfx_buf_add(struct mfx_buf *buf, struct mfx_str s)
{
    if (s.len == 0)
        return;
    char *room = mfx_buf_room(buf, s.len);
    if (room == NULL)
        return;
    memcpy(room, s.p, s.len);
    buf->len += s.len;
}

void
mfx_buf_add_text(struct mfx_buf *buf, const char *text)
{
    mfx_buf_add(buf, mfx_str_of(text));
}

void
mfx_buf_add_byte(struct mfx_buf *buf, char c)
{
    mfx_buf_add(buf, mfx_str(&c, 1));
}

void
mfx_buf_printf(struct mfx_buf *buf, const char *format, ...)
{
    va_list args;
    char *room = mfx_buf_room(buf, 0);
    if (room == NULL)
        return;
    size_t has_room = buf->cap - buf->len;
    va_start(args, format);
    int len = vsnprintf(room, has_room, format, args);
    va_end(args);
    room = len < 0 ? NULL : mfx_buf_room(buf, (size_t)len);
    if (room == NULL) {
        buf->failed = true;
        return;
    }
    if ((size_t)len >= has_room) {
        va_start(args, format);
        (void)vsnprintf(room, (size_t)len + 1, format, args);
        va_end(args);
    }
    buf->len += (size_t)len;
}

const char *
mfx_buf_text(struct mfx_buf *buf)
{
    if (buf->p == NULL)
        return "";
    buf->p[buf->len] = '\0';
    return buf->p;
}
