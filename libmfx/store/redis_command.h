/* SPDX-License-Identifier: BSD-2-Clause
 *
 * redis_command - one command for a Redis, as its bytes (not installed)
 *
 *     mfx_redis_command_begin(&c, arena);
 *     mfx_redis_command_text(&c, "SELECT");
 *     mfx_redis_command_u64(&c, 3);
 *     bytes = mfx_redis_command_end(&c);
 *
 * Ownership: words are borrowed until the end, the bytes are the arena's.
 * Errors: end gives no bytes (p NULL) when out of memory. Threads: one.
 */
#ifndef MFX_STORE_REDIS_COMMAND_H
#define MFX_STORE_REDIS_COMMAND_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

struct mfx_redis_command {
    struct mfx_arena *arena;
    const char **words;
    size_t *lens;
    size_t count, room;
};

void mfx_redis_command_begin(struct mfx_redis_command *command,
                             struct mfx_arena *arena);
void mfx_redis_command_add(struct mfx_redis_command *command,
                           struct mfx_str word);
void mfx_redis_command_text(struct mfx_redis_command *command,
                            const char *word);
void mfx_redis_command_u64(struct mfx_redis_command *command, uint64_t number);
struct mfx_str mfx_redis_command_end(struct mfx_redis_command *command);

#endif
