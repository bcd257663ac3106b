/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/authres.h>

#include <mfx/mail/authres_read.h>

enum {
    MAX_PROPERTIES = 50,
    FIRST_CAPACITY = 4,
};

struct builder {
    struct mfx_arena *arena;
    struct mfx_authres *authres;
    size_t max, capacity, property_capacity;
};

/* Without quotes, quoted pairs and line ends; borrows when there are none. */
static struct mfx_str
unquote(struct mfx_str raw, struct mfx_arena *arena)
{
    if (!mfx_str_has(raw, '"'))
        return raw;
    char *out = mfx_arena_alloc_bytes(arena, raw.len);
    size_t len = 0;
    if (out == NULL)
        return mfx_str(NULL, 0);
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.p[i] == '"' || raw.p[i] == '\r' || raw.p[i] == '\n')
            continue;
        if (raw.p[i] == '\\' && i + 1 < raw.len)
            i++;
        out[len++] = raw.p[i];
    }
    return mfx_str(out, len);
}

/* The array with room for one more; the old one when it has. */
static void *
with_room(struct mfx_arena *arena, void *array, size_t count, size_t *capacity,
          size_t size)
{
    if (count < *capacity)
        return array;
    size_t wanted = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
    void *grown = mfx_arena_alloc_array(arena, wanted, size);
    if (grown == NULL)
        return NULL;
    if (count > 0)
        memcpy(grown, array, count * size);
    *capacity = wanted;
    return grown;
}

static bool
add_result(struct builder *b, const struct authres_item *item)
{
    struct mfx_authres *a = b->authres;
    if (a->result_count >= b->max) {
        a->is_whole = false;
        return true;
    }
    struct mfx_authres_result *results = with_room(
        b->arena, a->results, a->result_count, &b->capacity, sizeof *results);
    if (results == NULL)
        return false;
    a->results = results;
    a->results[a->result_count++] = (struct mfx_authres_result){
        .method = item->name,
        .result = item->value,
    };
    b->property_capacity = 0;
    return true;
}

static bool
add_property(struct builder *b, struct mfx_authres_result *to,
             const struct authres_item *item)
{
    if (to->property_count >= MAX_PROPERTIES) {
        b->authres->is_whole = false;
        return true;
    }
    struct mfx_authres_property *properties =
        with_room(b->arena, to->properties, to->property_count,
                  &b->property_capacity, sizeof *properties);
    if (properties == NULL)
        return false;
    to->properties = properties;
    to->properties[to->property_count++] = (struct mfx_authres_property){
        .type = item->type,
        .name = item->name,
        .value = unquote(item->value, b->arena),
    };
    return true;
}

/* dropped: the result that details belong to was one too many. */
static bool
add_item(struct builder *b, const struct authres_item *item, bool *dropped)
{
    struct mfx_authres *a = b->authres;
    struct mfx_authres_result *last =
        a->result_count == 0 ? NULL : &a->results[a->result_count - 1];
    switch (item->kind) {
    case AUTHRES_ITEM_NONE:
        return true;
    case AUTHRES_ITEM_RESULT:
        *dropped = a->result_count >= b->max;
        return add_result(b, item);
    case AUTHRES_ITEM_REASON:
        if (last != NULL && !*dropped)
            last->reason = unquote(item->value, b->arena);
        return true;
    case AUTHRES_ITEM_PROPERTY:
        return last == NULL || *dropped || add_property(b, last, item);
    }
    return true;
}

enum mfx_rc
mfx_authres_parse(struct mfx_str value, struct mfx_arena *arena, size_t max,
                  struct mfx_authres *authres)
{
    struct authres_reader r = {.in = value, .is_whole = true};
    struct builder b = {.arena = arena, .authres = authres, .max = max};
    struct authres_item item;
    struct mfx_str id;
    bool dropped = false;
    *authres = (struct mfx_authres){.is_whole = true};
    authres_read_head(&r, &id);
    authres->authserv_id = unquote(id, arena);
    while (authres_read_item(&r, &item))
        if (!add_item(&b, &item, &dropped))
            return MFX_TEMPFAIL;
    authres->is_whole = authres->is_whole && r.is_whole;
    if (!mfx_arena_ok(arena))
        return MFX_TEMPFAIL;
    return id.len == 0 && authres->result_count == 0 ? MFX_PERMFAIL : MFX_OK;
}
