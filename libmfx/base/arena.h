/* SPDX-License-Identifier: BSD-2-Clause
 *
 * arena - memory with one lifetime
 *
 * A connection, a message and a configuration snapshot each have an arena;
 * what is allocated there goes when the arena is reset or freed.
 *
 *     struct mfx_arena *a = mfx_arena_new(1024 * 1024);
 *     char *copy = mfx_arena_copy(a, text).p;
 *     mfx_arena_reset(a);
 *
 * Ownership: the arena owns every block; blocks are never freed singly.
 * Errors: past the byte budget, or out of memory, an allocation returns NULL
 * and the arena stays failed (mfx_arena_ok) until it is reset: check once at
 * the end, a message whose arena failed is tempfailed.
 * Threads: one thread at a time.
 * Limits: the budget counts what is taken from the system.
 */
#ifndef MFX_BASE_ARENA_H
#define MFX_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include <mfx/base/str.h>

MFX_API_BEGIN

struct mfx_arena;

/* NULL when out of memory. budget in bytes; 0 means no limit. */
struct mfx_arena *mfx_arena_new(size_t budget);
void mfx_arena_free(struct mfx_arena *arena);

/* Runs what was deferred, last first, gives the memory back and clears the
 * failure. One block of at most 32 KiB is kept for the next use. */
void mfx_arena_reset(struct mfx_arena *arena);

/* Zeroed, aligned for any type. size 0 gives a valid pointer. */
void *mfx_arena_alloc(struct mfx_arena *arena, size_t size);
/* As mfx_arena_alloc for count elements; safe against overflow. */
void *mfx_arena_alloc_array(struct mfx_arena *arena, size_t count, size_t size);
/* Not zeroed and not aligned: for bytes. */
char *mfx_arena_alloc_bytes(struct mfx_arena *arena, size_t len);

/* A copy with a NUL after its last byte (not counted in len). p is NULL on
 * failure. */
struct mfx_str mfx_arena_copy(struct mfx_arena *arena, struct mfx_str s);
/* The copy in lower-case ASCII letters. */
struct mfx_str mfx_arena_copy_lower(struct mfx_arena *arena, struct mfx_str s);
struct mfx_str mfx_arena_printf(struct mfx_arena *arena, const char *format,
                                ...) MFX_PRINTF(2, 3);
struct mfx_str mfx_arena_vprintf(struct mfx_arena *arena, const char *format,
                                 va_list args) MFX_PRINTF(2, 0);

/* Calls release(arg) at reset or free. If the note itself cannot be
 * allocated, release is called at once and false comes back. */
bool mfx_arena_defer(struct mfx_arena *arena, void (*release)(void *),
                     void *arg);

/* False once an allocation has failed since the last reset. */
bool mfx_arena_ok(const struct mfx_arena *arena);
/* Bytes taken from the system now. */
size_t mfx_arena_size(const struct mfx_arena *arena);

MFX_API_END

#endif
