/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/base/map.h>

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct slot {
    struct mfx_str key;
    void *value; /* NULL: free */
    uint64_t hash;
};

/* Open addressing with linear probing; removal shifts the run back, so there
 * are no tombstones. */
struct mfx_map {
    struct slot *slots;
    size_t size; /* a power of two */
    size_t count;
    uint64_t key[2];
    enum mfx_map_case fold;
};

enum {
    SMALLEST = 16,
};

#define ROTATE(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

static inline void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = ROTATE(v[1], 13) ^ v[0];
    v[0] = ROTATE(v[0], 32);
    v[2] += v[3];
    v[3] = ROTATE(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = ROTATE(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = ROTATE(v[1], 17) ^ v[2];
    v[2] = ROTATE(v[2], 32);
}

/* All upper-case ASCII letters of eight bytes at once to lower case. */
static inline uint64_t
lower_word(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t low7 = w & (ones * 0x7F);
    uint64_t from_a = low7 + ones * (0x80 - 'A');
    uint64_t past_z = low7 + ones * (0x80 - 'Z' - 1);
    uint64_t upper = (from_a ^ past_z) & ~w & (ones * 0x80);
    return w | (upper >> 2);
}

static uint64_t
hash_key(const struct mfx_map *map, struct mfx_str key)
{
    uint64_t v[4] = {
        map->key[0] ^ 0x736f6d6570736575u, map->key[1] ^ 0x646f72616e646f6du,
        map->key[0] ^ 0x6c7967656e657261u, map->key[1] ^ 0x7465646279746573u};
    const char *p = key.p;
    size_t left = key.len;
    for (;;) {
        uint64_t w = 0;
        size_t n = left < 8 ? left : 8;
        if (n > 0)
            memcpy(&w, p, n);
        if (map->fold == MFX_MAP_NOCASE)
            w = lower_word(w);
        if (n < 8)
            w |= (uint64_t)(key.len & 0xFF) << 56;
        v[3] ^= w;
        sip_round(v);
        v[0] ^= w;
        if (n < 8)
            break;
        p += 8;
        left -= 8;
    }
    v[2] ^= 0xFF;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static bool
same_key(const struct mfx_map *map, struct mfx_str a, struct mfx_str b)
{
    return map->fold == MFX_MAP_NOCASE ? mfx_str_eq_nocase(a, b)
                                       : mfx_str_eq(a, b);
}

/* The slot that holds the key, or the free one where it would go. */
static size_t
find(const struct mfx_map *map, struct mfx_str key, uint64_t hash)
{
    size_t at = hash & (map->size - 1);
    while (map->slots[at].value != NULL &&
           (map->slots[at].hash != hash ||
            !same_key(map, map->slots[at].key, key)))
        at = (at + 1) & (map->size - 1);
    return at;
}

struct mfx_map *
mfx_map_new(enum mfx_map_case fold, size_t expected)
{
    struct mfx_map *map = calloc(1, sizeof *map);
    if (map == NULL)
        return NULL;
    map->fold = fold;
    map->size = SMALLEST;
    while (map->size / 4 * 3 < expected)
        map->size *= 2;
    map->slots = calloc(map->size, sizeof *map->slots);
    if (map->slots == NULL ||
        getrandom(map->key, sizeof map->key, 0) != sizeof map->key) {
        mfx_map_free(map);
        return NULL;
    }
    return map;
}

void
mfx_map_free(struct mfx_map *map)
{
    if (map == NULL)
        return;
    free(map->slots);
    free(map);
}

uint64_t
mfx_map_hash(const struct mfx_map *map, struct mfx_str key)
{
    return hash_key(map, key);
}

void *
mfx_map_get(const struct mfx_map *map, struct mfx_str key)
{
    return map->slots[find(map, key, hash_key(map, key))].value;
}

static bool
double_size(struct mfx_map *map)
{
    struct slot *old = map->slots;
    size_t old_size = map->size;
    struct slot *slots = calloc(old_size * 2, sizeof *slots);
    if (slots == NULL)
        return false;
    map->slots = slots;
    map->size = old_size * 2;
    for (size_t i = 0; i < old_size; i++)
        if (old[i].value != NULL)
            slots[find(map, old[i].key, old[i].hash)] = old[i];
    free(old);
    return true;
}

enum mfx_rc
mfx_map_put(struct mfx_map *map, struct mfx_str key, void *value)
{
    if (value == NULL)
        MFX_BUG("NULL put into a map");
    if (map->count >= map->size / 4 * 3 && !double_size(map))
        return MFX_TEMPFAIL;
    uint64_t hash = hash_key(map, key);
    struct slot *slot = &map->slots[find(map, key, hash)];
    if (slot->value == NULL) {
        map->count++;
        slot->key = key;
        slot->hash = hash;
    }
    slot->value = value;
    return MFX_OK;
}

void *
mfx_map_remove(struct mfx_map *map, struct mfx_str key)
{
    size_t mask = map->size - 1;
    size_t hole = find(map, key, hash_key(map, key));
    void *value = map->slots[hole].value;
    if (value == NULL)
        return NULL;
    map->slots[hole].value = NULL;
    map->count--;
    for (size_t at = (hole + 1) & mask; map->slots[at].value != NULL;
         at = (at + 1) & mask) {
        size_t home = map->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            map->slots[at].value = NULL;
            hole = at;
        }
    }
    return value;
}

size_t
mfx_map_count(const struct mfx_map *map)
{
    return map->count;
}

bool
mfx_map_next(const struct mfx_map *map, size_t *cursor, struct mfx_str *key,
             void **value)
{
    while (*cursor < map->size) {
        const struct slot *slot = &map->slots[(*cursor)++];
        if (slot->value == NULL)
            continue;
        *key = slot->key;
        *value = slot->value;
        return true;
    }
    return false;
}
