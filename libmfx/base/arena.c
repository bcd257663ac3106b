/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/arena.h>

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BLOCK = 1024 - 64, /* an idle connection should cost little */
    LARGEST_STEP = 64 * 1024,
    LARGEST_KEPT = 32 * 1024,
};

struct block {
    struct block *next;
    size_t size, used;
    alignas(max_align_t) char bytes[];
};

struct deferred {
    struct deferred *next;
    void (*release)(void *);
    void *arg;
};

struct mfx_arena {
    struct block *blocks; /* the newest first */
    struct deferred *deferred;
    size_t budget, taken;
    bool failed;
};

struct mfx_arena *
mfx_arena_new(size_t budget)
{
    struct mfx_arena *arena = calloc(1, sizeof *arena);
    if (arena != NULL)
        arena->budget = budget == 0 ? SIZE_MAX : budget;
    return arena;
}

static void
run_deferred(struct mfx_arena *arena)
{
    while (arena->deferred != NULL) {
        struct deferred *d = arena->deferred;
        arena->deferred = d->next;
        d->release(d->arg);
    }
}

/* The largest block that is worth keeping, taken out of the list. */
static struct block *
keep_one(struct mfx_arena *arena)
{
    struct block **largest = NULL;
    for (struct block **b = &arena->blocks; *b != NULL; b = &(*b)->next)
        if ((*b)->size <= LARGEST_KEPT &&
            (largest == NULL || (*b)->size > (*largest)->size))
            largest = b;
    if (largest == NULL)
        return NULL;
    struct block *keep = *largest;
    *largest = keep->next;
    keep->next = NULL;
    keep->used = 0;
    return keep;
}

static void
free_blocks(struct mfx_arena *arena)
{
    while (arena->blocks != NULL) {
        struct block *b = arena->blocks;
        arena->blocks = b->next;
        free(b);
    }
}

void
mfx_arena_reset(struct mfx_arena *arena)
{
    run_deferred(arena);
    struct block *keep = keep_one(arena);
    free_blocks(arena);
    arena->blocks = keep;
    arena->taken = keep == NULL ? 0 : keep->size;
    arena->failed = false;
}

void
mfx_arena_free(struct mfx_arena *arena)
{
    if (arena == NULL)
        return;
    run_deferred(arena);
    free_blocks(arena);
    free(arena);
}

/* Blocks double, so that a large message takes few, and the one that is kept
 * soon holds all of the next message; a large request gets a block of its
 * own. */
static struct block *
add_block(struct mfx_arena *arena, size_t need)
{
    size_t size = arena->blocks == NULL ? 0 : 2 * arena->blocks->size;
    if (size < FIRST_BLOCK)
        size = FIRST_BLOCK;
    if (size > LARGEST_STEP)
        size = LARGEST_STEP;
    if (size < need)
        size = need;
    if (size > arena->budget - arena->taken)
        size = need;
    if (need > arena->budget - arena->taken ||
        need > SIZE_MAX - sizeof(struct block))
        return NULL;
    struct block *b = malloc(sizeof *b + size);
    if (b == NULL)
        return NULL;
    b->size = size;
    b->used = 0;
    b->next = arena->blocks;
    arena->blocks = b;
    arena->taken += size;
    return b;
}

static void *
take(struct mfx_arena *arena, size_t size, size_t align)
{
    struct block *b = arena->blocks;
    size_t start = b == NULL ? 0 : (b->used + align - 1) & ~(align - 1);
    if (b == NULL || start > b->size || size > b->size - start) {
        b = arena->failed ? NULL : add_block(arena, size);
        if (b == NULL) {
            arena->failed = true;
            return NULL;
        }
        start = 0;
    }
    b->used = start + size;
    return b->bytes + start;
}

void *
mfx_arena_alloc(struct mfx_arena *arena, size_t size)
{
    void *p = take(arena, size, alignof(max_align_t));
    if (p != NULL)
        memset(p, 0, size);
    return p;
}

void *
mfx_arena_alloc_array(struct mfx_arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        arena->failed = true;
        return NULL;
    }
    return mfx_arena_alloc(arena, total);
}

char *
mfx_arena_alloc_bytes(struct mfx_arena *arena, size_t len)
{
    return take(arena, len, 1);
}

struct mfx_str
mfx_arena_copy(struct mfx_arena *arena, struct mfx_str s)
{
    char *p = s.len == SIZE_MAX ? NULL : take(arena, s.len + 1, 1);
    if (p == NULL)
        return mfx_str(NULL, 0);
    if (s.len > 0)
        memcpy(p, s.p, s.len);
    p[s.len] = '\0';
    return mfx_str(p, s.len);
}

struct mfx_str
mfx_arena_copy_lower(struct mfx_arena *arena, struct mfx_str s)
{
    struct mfx_str copy = mfx_arena_copy(arena, s);
    char *p = (char *)(uintptr_t)copy.p;
    for (size_t i = 0; i < copy.len; i++)
        p[i] = (char)mfx_ascii_lower((unsigned char)p[i]);
    return copy;
}

/* Free bytes of the newest block. */
static size_t
room_left(const struct mfx_arena *arena)
{
    const struct block *b = arena->blocks;
    return b == NULL ? 0 : b->size - b->used;
}

struct mfx_str
mfx_arena_vprintf(struct mfx_arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t room = room_left(arena);
    char *p = room == 0 ? NULL : arena->blocks->bytes + arena->blocks->used;
    int len = vsnprintf(p, room, format, args);
    bool fits = len >= 0 && (size_t)len < room;
    p = len < 0 ? NULL : take(arena, (size_t)len + 1, 1);
    if (p != NULL && !fits)
        (void)vsnprintf(p, (size_t)len + 1, format, again);
    va_end(again);
    return p == NULL ? mfx_str(NULL, 0) : mfx_str(p, (size_t)len);
}

struct mfx_str
mfx_arena_printf(struct mfx_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct mfx_str s = mfx_arena_vprintf(arena, format, args);
    va_end(args);
    return s;
}

bool
mfx_arena_defer(struct mfx_arena *arena, void (*release)(void *), void *arg)
{
    struct deferred *d = mfx_arena_alloc(arena, sizeof *d);
    if (d == NULL) {
        release(arg);
        return false;
    }
    d->release = release;
    d->arg = arg;
    d->next = arena->deferred;
    arena->deferred = d;
    return true;
}

bool
mfx_arena_ok(const struct mfx_arena *arena)
{
    return !arena->failed;
}

size_t
mfx_arena_size(const struct mfx_arena *arena)
{
    return arena->taken;
}
