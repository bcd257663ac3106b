/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/store/redis_command.h>

#include <hiredis/hiredis.h>
#include <limits.h>

enum {
    FIRST_ROOM = 32,
    DIGITS_MAX = 20,
};

void
mfx_redis_command_begin(struct mfx_redis_command *command,
                        struct mfx_arena *arena)
{
    *command = (struct mfx_redis_command){.arena = arena};
}

static bool
grow(struct mfx_redis_command *command)
{
    size_t room = command->room == 0 ? FIRST_ROOM : command->room * 2;
    const char **words =
        mfx_arena_alloc_array(command->arena, room, sizeof *words);
    size_t *lens = mfx_arena_alloc_array(command->arena, room, sizeof *lens);
    if (words == NULL || lens == NULL)
        return false;
    if (command->count > 0) {
        memcpy(words, command->words, command->count * sizeof *words);
        memcpy(lens, command->lens, command->count * sizeof *lens);
    }
    command->words = words;
    command->lens = lens;
    command->room = room;
    return true;
}

void
mfx_redis_command_add(struct mfx_redis_command *command, struct mfx_str word)
{
    if (command->count == command->room && !grow(command))
        return;
    command->words[command->count] = word.len == 0 ? "" : word.p;
    command->lens[command->count] = word.len;
    command->count++;
}

void
mfx_redis_command_text(struct mfx_redis_command *command, const char *word)
{
    mfx_redis_command_add(command, mfx_str_of(word));
}

void
mfx_redis_command_u64(struct mfx_redis_command *command, uint64_t number)
{
    char digits[DIGITS_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    mfx_redis_command_add(
        command, mfx_arena_copy(command->arena,
                                mfx_str(digits + at, sizeof digits - at)));
}

struct mfx_str
mfx_redis_command_end(struct mfx_redis_command *command)
{
    char *bytes = NULL;
    struct mfx_str copy = {NULL, 0};
    if (!mfx_arena_ok(command->arena) || command->count > INT_MAX)
        return copy;
    int len = redisFormatCommandArgv(&bytes, (int)command->count,
                                     command->words, command->lens);
    if (len > 0)
        copy = mfx_arena_copy(command->arena, mfx_str(bytes, (size_t)len));
    redisFreeCommand(bytes);
    return copy;
}
