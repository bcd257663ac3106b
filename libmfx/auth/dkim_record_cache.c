/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_key.h>

#include <mfx/auth/dkim_record.h>
#include <mfx/base/map.h>

#include <pthread.h>
#include <stdlib.h>

enum {
    /* Longer texts are parsed each time, so that few entries cannot hold much
     * memory. RSA-8192 takes some 1,400 octets. */
    TEXT_MAX = 2048,
};

/* Entries form a ring around `ends`: next is used less recently. */
struct entry {
    struct entry *next, *prev;
    struct mfx_dkim_record record;
    size_t len;
    char text[];
};

struct mfx_dkim_record_cache {
    pthread_mutex_t mutex;
    struct mfx_map *map;
    size_t max;
    struct entry ends;
};

struct mfx_dkim_record_cache *
mfx_dkim_record_cache_new(size_t max_entries)
{
    struct mfx_dkim_record_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->map = mfx_map_new(MFX_MAP_CASE, 0);
    if (cache->map == NULL) {
        free(cache);
        return NULL;
    }
    pthread_mutex_init(&cache->mutex, NULL);
    cache->max = max_entries;
    cache->ends.next = cache->ends.prev = &cache->ends;
    return cache;
}

static void
unlink_entry(struct entry *e)
{
    e->prev->next = e->next;
    e->next->prev = e->prev;
}

static void
link_first(struct mfx_dkim_record_cache *cache, struct entry *e)
{
    e->prev = &cache->ends;
    e->next = cache->ends.next;
    e->next->prev = e;
    e->prev->next = e;
}

static void
entry_free(struct entry *e)
{
    mfx_dkim_record_fini(&e->record);
    free(e);
}

static void
drop(struct mfx_dkim_record_cache *cache, struct entry *e)
{
    (void)mfx_map_remove(cache->map, mfx_str(e->text, e->len));
    unlink_entry(e);
    entry_free(e);
}

void
mfx_dkim_record_cache_free(struct mfx_dkim_record_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->ends.next != &cache->ends)
        drop(cache, cache->ends.next);
    mfx_map_free(cache->map);
    pthread_mutex_destroy(&cache->mutex);
    free(cache);
}

static bool
get(struct mfx_dkim_record_cache *cache, struct mfx_str text, unsigned min_bits,
    struct mfx_dkim_record *record)
{
    pthread_mutex_lock(&cache->mutex);
    struct entry *e = mfx_map_get(cache->map, text);
    if (e != NULL) {
        unlink_entry(e);
        link_first(cache, e);
        mfx_dkim_record_copy(&e->record, min_bits, record);
    }
    pthread_mutex_unlock(&cache->mutex);
    return e != NULL;
}

/* Takes the record over. Another thread may have been faster: then this one
 * goes. */
static void
put(struct mfx_dkim_record_cache *cache, struct mfx_str text,
    struct mfx_dkim_record *record)
{
    struct entry *e = record->problem == MFX_DKIM_RECORD_INTERNAL
                          ? NULL
                          : malloc(sizeof *e + text.len);
    if (e == NULL) {
        mfx_dkim_record_fini(record);
        return;
    }
    e->record = *record;
    e->len = text.len;
    memcpy(e->text, text.p, text.len);
    struct mfx_str key = mfx_str(e->text, e->len);
    pthread_mutex_lock(&cache->mutex);
    bool is_new = mfx_map_get(cache->map, key) == NULL;
    if (is_new && mfx_map_put(cache->map, key, e) == MFX_OK) {
        link_first(cache, e);
        e = NULL;
        if (mfx_map_count(cache->map) > cache->max)
            drop(cache, cache->ends.prev);
    }
    pthread_mutex_unlock(&cache->mutex);
    if (e != NULL)
        entry_free(e);
}

void
mfx_dkim_record_cache_get(struct mfx_dkim_record_cache *cache,
                          struct mfx_str text, unsigned min_bits,
                          struct mfx_dkim_record *record)
{
    struct mfx_dkim_record least;
    if (cache == NULL || cache->max == 0 || text.len == 0 ||
        text.len > TEXT_MAX) {
        mfx_dkim_record_parse(text, min_bits, record);
        return;
    }
    if (get(cache, text, min_bits, record))
        return;
    mfx_dkim_record_parse(text, MFX_DKIM_RSA_MIN_BITS, &least);
    mfx_dkim_record_copy(&least, min_bits, record);
    put(cache, text, &least);
}
