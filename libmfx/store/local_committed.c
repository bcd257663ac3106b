/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who has committed, for ten minutes: a table of digests and ends. A holder
 * that shares its digest with another one of the last ten minutes would go
 * uncounted: one commit in 10^13, with a million remembered. A restart ends all
 * sessions, so memory is enough.
 */
#include <stdlib.h>

#include "local_impl.h"

enum {
    ROOM_FIRST = 64,
    ROOM_LEAST = 4096, /* however little memory there is */
    SHARE = 4,         /* of memory_bytes, at most */
};

struct local_mark {
    uint64_t digest;   /* 0: free */
    uint64_t until_ms; /* 0: taken back */
};

static struct local_mark *
slot_of(const struct local_committed *committed, uint64_t digest)
{
    size_t mask = committed->room - 1;
    size_t at = (size_t)digest & mask;
    while (committed->marks[at].digest != 0 &&
           committed->marks[at].digest != digest)
        at = (at + 1) & mask;
    return &committed->marks[at];
}

static uint64_t
digest_of(const struct local_store *store, struct mfx_str holder)
{
    uint64_t digest = mfx_map_hash(store->counters, holder);
    return digest == 0 ? 1 : digest;
}

static size_t
count_after(const struct local_committed *committed, uint64_t ms)
{
    size_t count = 0;
    for (size_t i = 0; i < committed->room; i++)
        count += committed->marks[i].until_ms > ms;
    return count;
}

static size_t
most_room(const struct local_store *store)
{
    size_t room = ROOM_LEAST;
    while (room * 2 * sizeof(struct local_mark) <=
           store->settings.memory_bytes / SHARE)
        room *= 2;
    return room;
}

/* Without what is over; past the share of memory, without the older ones. */
static bool
rebuild(struct local_store *store, uint64_t now_ms)
{
    struct local_committed *committed = &store->committed;
    struct local_committed new = {.room = ROOM_FIRST};
    uint64_t after_ms = now_ms, latest_ms = now_ms + LOCAL_COMMITTED_MS;
    size_t most = most_room(store);
    size_t count = count_after(committed, after_ms);
    while (count > most / 2 && after_ms < latest_ms) {
        after_ms += (latest_ms - after_ms + 1) / 2;
        count = count_after(committed, after_ms);
    }
    while (new.room < count * 2)
        new.room *= 2;
    new.marks = calloc(new.room, sizeof *new.marks);
    if (new.marks == NULL)
        return false;
    for (size_t i = 0; i < committed->room; i++)
        if (committed->marks[i].until_ms > after_ms)
            *slot_of(&new, committed->marks[i].digest) = committed->marks[i];
    new.count = count;
    free(committed->marks);
    *committed = new;
    return true;
}

bool
local_committed_has(const struct local_store *store, struct mfx_str holder)
{
    if (store->committed.room == 0)
        return false;
    return slot_of(&store->committed, digest_of(store, holder))->until_ms >
           store->env->mono_ms(store->env);
}

bool
local_committed_add(struct local_store *store, struct mfx_str holder)
{
    struct local_committed *committed = &store->committed;
    uint64_t now_ms = store->env->mono_ms(store->env);
    if (committed->count >= committed->room / 4 * 3 && !rebuild(store, now_ms))
        return false;
    uint64_t digest = digest_of(store, holder);
    struct local_mark *mark = slot_of(committed, digest);
    committed->count += mark->digest == 0;
    *mark = (struct local_mark){digest, now_ms + LOCAL_COMMITTED_MS};
    return true;
}

/* Its place stays until the table is built anew. */
void
local_committed_remove(struct local_store *store, struct mfx_str holder)
{
    if (store->committed.room > 0)
        slot_of(&store->committed, digest_of(store, holder))->until_ms = 0;
}

size_t
local_committed_bytes(const struct local_store *store)
{
    return store->committed.room * sizeof(struct local_mark);
}

void
local_committed_free(struct local_store *store)
{
    free(store->committed.marks);
}
