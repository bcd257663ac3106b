/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan_json - JSON that an engine says, taken apart (not installed)
 *
 *     json = mfx_scan_json_read(arena, text, &err);
 *     text = mfx_scan_json_get(json, "action")->text;      see below
 *     for (at = json->first; at != NULL; at = at->next) ... at->name ...
 *
 * RFC 8259, strictly. Numbers become doubles; one that is too large is an
 * error, and so is a name that comes twice in an object: it could mean either.
 *
 * Ownership: values are in the arena; texts without escapes are pieces of what
 * was read. Errors: NULL and why. Threads: pure functions.
 * Limits: MFX_SCAN_JSON_DEPTH; the caller bounds the bytes.
 */
#ifndef MFX_SCAN_SCAN_JSON_H
#define MFX_SCAN_SCAN_JSON_H

#include <mfx/base/arena.h>

enum {
    MFX_SCAN_JSON_DEPTH = 100,
};

enum mfx_scan_json_kind {
    MFX_SCAN_JSON_NULL,
    MFX_SCAN_JSON_FALSE,
    MFX_SCAN_JSON_TRUE,
    MFX_SCAN_JSON_NUMBER,
    MFX_SCAN_JSON_TEXT,
    MFX_SCAN_JSON_ARRAY,
    MFX_SCAN_JSON_OBJECT,
};

struct mfx_scan_json {
    enum mfx_scan_json_kind kind;
    struct mfx_str name; /* in an object */
    struct mfx_str text;
    double number;
    const struct mfx_scan_json *first, *next;
    size_t count; /* of the array's or object's values */
};

/* text: UTF-8; anything else is passed on as it is. */
const struct mfx_scan_json *mfx_scan_json_read(struct mfx_arena *arena,
                                               struct mfx_str text,
                                               struct mfx_err *err);
/* NULL: there is none of that name, or it is no object (NULL is allowed). */
const struct mfx_scan_json *
mfx_scan_json_get(const struct mfx_scan_json *object, const char *name);

static inline bool
mfx_scan_json_is(const struct mfx_scan_json *json, enum mfx_scan_json_kind kind)
{
    return json != NULL && json->kind == kind;
}

static inline bool
mfx_scan_json_is_text(const struct mfx_scan_json *json)
{
    return mfx_scan_json_is(json, MFX_SCAN_JSON_TEXT);
}

static inline bool
mfx_scan_json_is_array(const struct mfx_scan_json *json)
{
    return mfx_scan_json_is(json, MFX_SCAN_JSON_ARRAY);
}

static inline bool
mfx_scan_json_is_object(const struct mfx_scan_json *json)
{
    return mfx_scan_json_is(json, MFX_SCAN_JSON_OBJECT);
}

/* Of an object; NULL for all else. */
static inline const struct mfx_scan_json *
mfx_scan_json_members(const struct mfx_scan_json *json)
{
    return mfx_scan_json_is_object(json) ? json->first : NULL;
}

/* Of an array; anything else is an array of one, and NULL of none:
 *     for (v = mfx_scan_json_items(j); v != NULL;
 *          v = mfx_scan_json_after(j, v)) */
static inline const struct mfx_scan_json *
mfx_scan_json_items(const struct mfx_scan_json *json)
{
    return mfx_scan_json_is_array(json) ? json->first : json;
}

static inline const struct mfx_scan_json *
mfx_scan_json_after(const struct mfx_scan_json *json,
                    const struct mfx_scan_json *item)
{
    return mfx_scan_json_is_array(json) ? item->next : NULL;
}

/* How many these are. */
static inline size_t
mfx_scan_json_count(const struct mfx_scan_json *json)
{
    return mfx_scan_json_is_array(json) ? json->count : json != NULL;
}

#endif
