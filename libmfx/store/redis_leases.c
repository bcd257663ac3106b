/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/store/redis_leases.h>

#include <stdlib.h>

#include <mfx/base/map.h>
#include <mfx/store/redis_command.h>

enum {
    AT_ONCE = 200, /* leases of one command */
    EXPECTED = 100,
    KEY_MAX = 1 + MFX_STORE_HOLDER_MAX + MFX_STORE_NAME_MAX,
};

struct lease {
    uint64_t amount;
    bool is_held;      /* an answer said so */
    bool has_elements; /* what is lost of those does not come back */
    unsigned char holder_len;
    size_t key_len;
    char key[]; /* holder's length, holder, counter */
};

struct mfx_redis_leases {
    struct mfx_map *map;
};

struct renewal {
    struct mfx_redis_item item; /* first */
    struct mfx_arena *arena;
};

struct mfx_redis_leases *
mfx_redis_leases_new(void)
{
    struct mfx_redis_leases *leases = calloc(1, sizeof *leases);
    if (leases == NULL)
        return NULL;
    leases->map = mfx_map_new(MFX_MAP_CASE, EXPECTED);
    if (leases->map == NULL) {
        free(leases);
        return NULL;
    }
    return leases;
}

void
mfx_redis_leases_free(struct mfx_redis_leases *leases)
{
    size_t cursor = 0;
    struct mfx_str key;
    void *lease;
    if (leases == NULL)
        return;
    while (mfx_map_next(leases->map, &cursor, &key, &lease))
        free(lease);
    mfx_map_free(leases->map);
    free(leases);
}

static struct mfx_str
key_of(struct mfx_str holder, struct mfx_str counter, char key[KEY_MAX])
{
    key[0] = (char)holder.len;
    if (holder.len > 0)
        memcpy(key + 1, holder.p, holder.len);
    memcpy(key + 1 + holder.len, counter.p, counter.len);
    return mfx_str(key, 1 + holder.len + counter.len);
}

static bool
add(struct mfx_redis_leases *leases, struct mfx_str holder,
    const struct mfx_store_use *use)
{
    char bytes[KEY_MAX];
    struct mfx_str key = key_of(holder, use->counter, bytes);
    if (mfx_map_get(leases->map, key) != NULL)
        return true;
    struct lease *lease = calloc(1, sizeof *lease + key.len);
    if (lease == NULL)
        return false;
    memcpy(lease->key, key.p, key.len);
    lease->key_len = key.len;
    lease->holder_len = (unsigned char)holder.len;
    lease->has_elements =
        use->kind == MFX_STORE_DISTINCT || use->kind == MFX_STORE_FIRST;
    if (mfx_map_put(leases->map, mfx_str(lease->key, key.len), lease) == MFX_OK)
        return true;
    free(lease);
    return false;
}

bool
mfx_redis_leases_ask(struct mfx_redis_leases *leases,
                     const struct mfx_store_call *call)
{
    for (size_t i = 0; i < call->count; i++)
        if (!add(leases, call->holder, &call->uses[i]))
            return false;
    return true;
}

void
mfx_redis_leases_answer(struct mfx_redis_leases *leases,
                        const struct mfx_store_call *call, bool is_held)
{
    for (size_t i = 0; i < call->count; i++) {
        char bytes[KEY_MAX];
        struct mfx_str key = key_of(call->holder, call->uses[i].counter, bytes);
        struct lease *lease = mfx_map_get(leases->map, key);
        if (lease == NULL)
            continue; /* given back meanwhile */
        if (is_held) {
            lease->is_held = true;
            lease->amount = call->uses[i].amount;
        } else if (!lease->is_held) {
            (void)mfx_map_remove(leases->map, key);
            free(lease);
        }
    }
}

void
mfx_redis_leases_drop(struct mfx_redis_leases *leases,
                      const struct mfx_store_call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        char bytes[KEY_MAX];
        free(mfx_map_remove(
            leases->map, key_of(call->holder, call->uses[i].counter, bytes)));
    }
}

bool
mfx_redis_leases_is_empty(const struct mfx_redis_leases *leases)
{
    return mfx_map_count(leases->map) == 0;
}

/* --- renewing --- */

void
mfx_redis_leases_free_item(struct mfx_redis_item *item)
{
    struct renewal *renewal = (struct renewal *)item;
    mfx_arena_free(renewal->arena);
}

static struct mfx_str
format(const struct mfx_redis_asker *asker, struct mfx_arena *arena,
       bool has_text, const struct lease *const *list, size_t count)
{
    struct mfx_redis_command c;
    mfx_redis_command_begin(&c, arena);
    mfx_redis_command_text(&c, has_text ? "EVAL" : "EVALSHA");
    if (has_text)
        mfx_redis_command_add(&c, asker->scripts.text[MFX_REDIS_SCRIPT_OTHER]);
    else
        mfx_redis_command_text(&c, asker->scripts.sha[MFX_REDIS_SCRIPT_OTHER]);
    mfx_redis_command_u64(&c, count);
    for (size_t i = 0; i < count; i++) {
        size_t from = 1u + list[i]->holder_len;
        struct mfx_str counter =
            mfx_str(list[i]->key + from, list[i]->key_len - from);
        mfx_redis_command_add(&c, mfx_redis_counter_key(asker, arena, counter));
    }
    mfx_redis_command_text(&c, "N");
    mfx_redis_command_u64(&c, MFX_REDIS_LEASE_MS);
    for (size_t i = 0; i < count; i++) {
        mfx_redis_command_add(&c,
                              mfx_str(list[i]->key + 1, list[i]->holder_len));
        if (list[i]->has_elements)
            mfx_redis_command_text(&c, "-1");
        else
            mfx_redis_command_u64(&c, list[i]->amount);
    }
    return mfx_redis_command_end(&c);
}

bool
mfx_redis_leases_format(const struct mfx_redis_leases *leases,
                        const struct mfx_redis_asker *asker, bool has_text,
                        size_t *cursor, struct mfx_redis_item **item)
{
    const struct lease *list[AT_ONCE];
    size_t count = 0;
    struct mfx_str key;
    void *value;
    while (count < AT_ONCE && mfx_map_next(leases->map, cursor, &key, &value)) {
        const struct lease *lease = value;
        if (lease->is_held)
            list[count++] = lease;
    }
    struct mfx_arena *arena = count == 0 ? NULL : mfx_arena_new(0);
    struct renewal *renewal =
        arena == NULL ? NULL : mfx_arena_alloc(arena, sizeof *renewal);
    if (renewal == NULL) {
        mfx_arena_free(arena);
        return false;
    }
    renewal->arena = arena;
    renewal->item.bytes = format(asker, arena, has_text, list, count);
    if (renewal->item.bytes.p == NULL) {
        mfx_arena_free(arena);
        return false;
    }
    *item = &renewal->item;
    return true;
}
