/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/net/dns_list_cache.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <mfx/net/dns_cache.h>

enum {
    BYTES_AN_ENTRY = 1024,
};

struct mfx_dns_list_cache {
    atomic_size_t holds;
    struct mfx_dns_list_cache_limits limits;
    pthread_mutex_t mutex;
    struct mfx_dns_cache *answers;
};

/* A struct mfx_dns_list_kept is a struct mfx_dns_reply under a name that those
 * outside this room may know. */
static struct mfx_dns_reply *
reply_of(const struct mfx_dns_list_kept *kept)
{
    return (struct mfx_dns_reply *)kept;
}

struct mfx_dns_list_cache *
mfx_dns_list_cache_new(const struct mfx_dns_list_cache_limits *limits)
{
    struct mfx_dns_list_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->answers = mfx_dns_cache_new(
        limits->entries, limits->entries * BYTES_AN_ENTRY, limits->max_s);
    if (cache->answers == NULL) {
        free(cache);
        return NULL;
    }
    cache->limits = *limits;
    atomic_init(&cache->holds, 1);
    (void)pthread_mutex_init(&cache->mutex, NULL);
    return cache;
}

struct mfx_dns_list_cache *
mfx_dns_list_cache_hold(struct mfx_dns_list_cache *cache)
{
    atomic_fetch_add(&cache->holds, 1);
    return cache;
}

void
mfx_dns_list_cache_release(struct mfx_dns_list_cache *cache)
{
    if (cache == NULL || atomic_fetch_sub(&cache->holds, 1) > 1)
        return;
    mfx_dns_cache_free(cache->answers);
    (void)pthread_mutex_destroy(&cache->mutex);
    free(cache);
}

bool
mfx_dns_list_cache_has(const struct mfx_dns_list_cache *cache,
                       const struct mfx_dns_list_cache_limits *limits)
{
    return cache->limits.entries == limits->entries &&
           cache->limits.min_s == limits->min_s &&
           cache->limits.max_s == limits->max_s;
}

static bool
key_of(const struct mfx_dns_list_name *name, unsigned epoch,
       struct mfx_dns_key *key)
{
    struct mfx_dns_name wire;
    if (mfx_dns_name_parse(mfx_dns_list_name_str(name), &wire) != MFX_OK)
        return false;
    *key = mfx_dns_key_of(&wire, MFX_DNS_A);
    if (key->len + sizeof epoch > sizeof key->bytes)
        return false;
    for (size_t i = 0; i < sizeof epoch; i++)
        key->bytes[key->len++] = (char)(epoch >> 8 * i & 0xFF);
    return true;
}

struct mfx_dns_list_kept *
mfx_dns_list_cache_get(struct mfx_dns_list_cache *cache,
                       const struct mfx_dns_list_name *name, unsigned epoch,
                       uint64_t now_ms)
{
    struct mfx_dns_key key;
    uint32_t ttl_s;
    if (cache->limits.entries == 0 || !key_of(name, epoch, &key))
        return NULL;
    (void)pthread_mutex_lock(&cache->mutex);
    struct mfx_dns_reply *reply =
        mfx_dns_cache_get(cache->answers, &key, now_ms, &ttl_s);
    (void)pthread_mutex_unlock(&cache->mutex);
    return (struct mfx_dns_list_kept *)reply;
}

const struct mfx_dns_answer *
mfx_dns_list_kept_answer(const struct mfx_dns_list_kept *kept)
{
    return &reply_of(kept)->answer;
}

void
mfx_dns_list_kept_release(struct mfx_dns_list_kept *kept)
{
    mfx_dns_reply_release(kept);
}

void
mfx_dns_list_cache_put(struct mfx_dns_list_cache *cache,
                       const struct mfx_dns_list_name *name, unsigned epoch,
                       const struct mfx_dns_answer *answer, uint64_t now_ms)
{
    struct mfx_dns_answer longer = *answer;
    struct mfx_dns_key key;
    if (cache->limits.entries == 0 || mfx_dns_rc(answer) == MFX_TEMPFAIL ||
        !key_of(name, epoch, &key))
        return;
    if (longer.ttl_s < cache->limits.min_s)
        longer.ttl_s = cache->limits.min_s;
    struct mfx_dns_reply *reply = mfx_dns_reply_new(&longer);
    if (reply == NULL)
        return;
    (void)pthread_mutex_lock(&cache->mutex);
    mfx_dns_cache_put(cache->answers, &key, reply, now_ms);
    (void)pthread_mutex_unlock(&cache->mutex);
    mfx_dns_reply_release(reply);
}

size_t
mfx_dns_list_cache_count(struct mfx_dns_list_cache *cache)
{
    (void)pthread_mutex_lock(&cache->mutex);
    size_t count = mfx_dns_cache_entries(cache->answers);
    (void)pthread_mutex_unlock(&cache->mutex);
    return count;
}
