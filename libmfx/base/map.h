/* SPDX-License-Identifier: BSD-2-Clause
 *
 * map - hash map from bytes to a pointer
 *
 *     struct mfx_map *m = mfx_map_new(MFX_MAP_NOCASE, 1000);
 *     if (mfx_map_put(m, key, row) == MFX_OK) ...
 *     row = mfx_map_get(m, key);
 *
 * Ownership: neither keys nor values are copied or freed; they must outlive
 * the map. Values are not NULL (NULL is "not there").
 * Errors: put answers MFX_TEMPFAIL when out of memory; nothing changes then.
 * Threads: concurrent readers, or one writer.
 * Hashing is keyed (SipHash-1-3 with a random key per process), so names
 * chosen by others cannot pile up in one slot.
 */
#ifndef MFX_BASE_MAP_H
#define MFX_BASE_MAP_H

#include <mfx/base/str.h>

MFX_API_BEGIN

struct mfx_map;

enum mfx_map_case {
    MFX_MAP_CASE,   /* keys are compared byte for byte */
    MFX_MAP_NOCASE, /* ASCII letters are alike in both cases */
};

struct mfx_map *mfx_map_new(enum mfx_map_case fold, size_t expected);
void mfx_map_free(struct mfx_map *map);

void *mfx_map_get(const struct mfx_map *map, struct mfx_str key);
/* Replaces the value of a key that is there (its first key bytes stay). */
enum mfx_rc mfx_map_put(struct mfx_map *map, struct mfx_str key,
                        void *value) MFX_NODISCARD;
/* Returns the value that was there, or NULL. */
void *mfx_map_remove(struct mfx_map *map, struct mfx_str key);
/* The digest of a key by which this map finds it: another in each process. */
uint64_t mfx_map_hash(const struct mfx_map *map, struct mfx_str key);
size_t mfx_map_count(const struct mfx_map *map);

/* Visits every entry, in no order: start with *cursor = 0, until false. Not
 * while the map changes. */
bool mfx_map_next(const struct mfx_map *map, size_t *cursor,
                  struct mfx_str *key, void **value);

MFX_API_END

#endif
