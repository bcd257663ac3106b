/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/dns_cache.h>

#include <stdlib.h>

#include <mfx/base/map.h>

struct entry {
    struct entry *newer, *older; /* by last use */
    struct mfx_dns_reply *reply;
    uint64_t until_ms;
    size_t cost;
    size_t key_len;
    char key[];
};

struct mfx_dns_cache {
    struct mfx_map *map;
    struct entry *newest, *oldest;
    size_t max_entries, max_bytes, bytes;
    uint32_t max_ttl_s;
};

enum {
    MAP_COST = 64, /* an entry's share of the map and of malloc */
};

struct mfx_dns_key
mfx_dns_key_of(const struct mfx_dns_name *name, enum mfx_dns_type type)
{
    struct mfx_dns_key key = {.len = 2 + name->len};
    key.bytes[0] = (char)((unsigned)type >> 8 & 0xFF);
    key.bytes[1] = (char)((unsigned)type & 0xFF);
    memcpy(key.bytes + 2, name->wire, name->len);
    return key;
}

struct mfx_dns_cache *
mfx_dns_cache_new(size_t entries, size_t bytes, uint32_t max_ttl_s)
{
    struct mfx_dns_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->map = mfx_map_new(MFX_MAP_CASE, 0);
    if (cache->map == NULL) {
        free(cache);
        return NULL;
    }
    cache->max_entries = entries;
    cache->max_bytes = bytes;
    cache->max_ttl_s = max_ttl_s;
    return cache;
}

static void
unlink_entry(struct mfx_dns_cache *cache, struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) =
        entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) =
        entry->newer;
}

static void
link_newest(struct mfx_dns_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void
drop(struct mfx_dns_cache *cache, struct entry *entry)
{
    (void)mfx_map_remove(cache->map, mfx_str(entry->key, entry->key_len));
    unlink_entry(cache, entry);
    cache->bytes -= entry->cost;
    mfx_dns_reply_release(entry->reply);
    free(entry);
}

void
mfx_dns_cache_free(struct mfx_dns_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->oldest != NULL)
        drop(cache, cache->oldest);
    mfx_map_free(cache->map);
    free(cache);
}

struct mfx_dns_reply *
mfx_dns_cache_get(struct mfx_dns_cache *cache, const struct mfx_dns_key *key,
                  uint64_t now_ms, uint32_t *ttl_s)
{
    struct entry *entry =
        mfx_map_get(cache->map, mfx_str(key->bytes, key->len));
    if (entry == NULL)
        return NULL;
    if (entry->until_ms <= now_ms) {
        drop(cache, entry);
        return NULL;
    }
    unlink_entry(cache, entry);
    link_newest(cache, entry);
    *ttl_s = (uint32_t)((entry->until_ms - now_ms + 999) / 1000);
    return mfx_dns_reply_hold(entry->reply);
}

static bool
is_kept(const struct mfx_dns_answer *answer)
{
    switch (answer->status) {
    case MFX_DNS_ANSWER:
    case MFX_DNS_NO_NAME:
    case MFX_DNS_NO_DATA:
        return answer->ttl_s > 0;
    case MFX_DNS_FAILED:
    case MFX_DNS_TIMEOUT:
    case MFX_DNS_MALFORMED:
        return false;
    }
    return false;
}

static struct entry *
new_entry(const struct mfx_dns_key *key, struct mfx_dns_reply *reply)
{
    struct entry *entry = malloc(sizeof *entry + key->len);
    if (entry == NULL)
        return NULL;
    entry->key_len = key->len;
    memcpy(entry->key, key->bytes, key->len);
    entry->cost = sizeof *entry + key->len + reply->size + MAP_COST;
    entry->reply = mfx_dns_reply_hold(reply);
    return entry;
}

void
mfx_dns_cache_put(struct mfx_dns_cache *cache, const struct mfx_dns_key *key,
                  struct mfx_dns_reply *reply, uint64_t now_ms)
{
    struct mfx_str name = mfx_str(key->bytes, key->len);
    struct entry *entry = mfx_map_get(cache->map, name);
    uint32_t ttl_s = reply->answer.ttl_s;
    if (!is_kept(&reply->answer) || cache->max_entries == 0)
        return;
    if (entry != NULL)
        drop(cache, entry);
    entry = new_entry(key, reply);
    if (entry == NULL)
        return;
    name = mfx_str(entry->key, entry->key_len);
    if (entry->cost > cache->max_bytes ||
        mfx_map_put(cache->map, name, entry) != MFX_OK) {
        mfx_dns_reply_release(entry->reply);
        free(entry);
        return;
    }
    if (ttl_s > cache->max_ttl_s)
        ttl_s = cache->max_ttl_s;
    entry->until_ms = now_ms + (uint64_t)ttl_s * 1000;
    link_newest(cache, entry);
    cache->bytes += entry->cost;
    while (cache->bytes > cache->max_bytes ||
           mfx_map_count(cache->map) > cache->max_entries)
        drop(cache, cache->oldest);
}

size_t
mfx_dns_cache_entries(const struct mfx_dns_cache *cache)
{
    return mfx_map_count(cache->map);
}

size_t
mfx_dns_cache_bytes(const struct mfx_dns_cache *cache)
{
    return cache->bytes;
}
