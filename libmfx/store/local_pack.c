/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters that nobody holds or waits for, packed: as the bytes that are in the
 * file, in one piece of memory, a fourth of what they take to count with. So
 * memory_bytes hold four times as many, and what was used a while ago need not
 * be read again. A counter is packed, or in `counters`, never both.
 */
#include <stddef.h>
#include <stdlib.h>

#include "local_impl.h"

struct local_packed {
    struct local_packed *newer, *older;
    uint32_t code_len, element_count;
    uint16_t name_len;
    bool is_stored;
    char bytes[]; /* name, code, elements */
};

struct packed_element {
    uint64_t hash, seen_ms;
};

_Static_assert((int)MFX_STORE_NAME_MAX <= (int)UINT16_MAX, "name_len");

static struct mfx_str
name_of(const struct local_packed *packed)
{
    return mfx_str(packed->bytes, packed->name_len);
}

static size_t
size_of(const struct local_packed *packed)
{
    return offsetof(struct local_packed, bytes) + packed->name_len +
           packed->code_len +
           packed->element_count * sizeof(struct packed_element);
}

static void
unlink_packed(struct local_store *store, struct local_packed *packed)
{
    *(packed->newer != NULL ? &packed->newer->older : &store->packed_newest) =
        packed->older;
    *(packed->older != NULL ? &packed->older->newer : &store->packed_oldest) =
        packed->newer;
    (void)mfx_map_remove(store->packed, name_of(packed));
    store->packed_bytes -= size_of(packed) + LOCAL_PLACE_BYTES;
}

static bool
link_packed(struct local_store *store, struct local_packed *packed)
{
    if (mfx_map_put(store->packed, name_of(packed), packed) != MFX_OK)
        return false;
    packed->newer = NULL;
    packed->older = store->packed_newest;
    *(packed->older != NULL ? &packed->older->newer : &store->packed_oldest) =
        packed;
    store->packed_newest = packed;
    store->packed_bytes += size_of(packed) + LOCAL_PLACE_BYTES;
    return true;
}

static uint32_t
count_known(const struct local_elements *elements)
{
    uint32_t count = 0;
    for (size_t i = 0; i < elements->room; i++)
        count += elements->slots[i].is_used && elements->slots[i].is_known;
    return count;
}

static void
pack_elements(const struct local_elements *elements, char *to)
{
    for (size_t i = 0; i < elements->room; i++) {
        const struct local_element *element = &elements->slots[i];
        if (!element->is_used || !element->is_known)
            continue;
        struct packed_element one = {element->hash, element->seen_ms};
        memcpy(to, &one, sizeof one);
        to += sizeof one;
    }
}

/* The file has it all: nothing is lost when there is no memory for it. */
void
local_pack(struct local_store *store, const struct local_counter *counter)
{
    if (!counter->is_loaded || counter->is_damaged)
        return;
    mfx_buf_clear(&store->code);
    mfx_counter_encode(&counter->counter, &store->code);
    struct mfx_str code = mfx_buf_str(&store->code);
    struct local_packed head = {
        .code_len = (uint32_t)code.len,
        .element_count = count_known(&counter->elements),
        .name_len = (uint16_t)counter->name.len,
        .is_stored = counter->is_stored,
    };
    struct local_packed *packed =
        mfx_buf_ok(&store->code) ? malloc(size_of(&head)) : NULL;
    if (packed == NULL)
        return;
    memcpy(packed, &head, offsetof(struct local_packed, bytes));
    char *to = packed->bytes;
    memcpy(to, counter->name.p, counter->name.len);
    to += counter->name.len;
    memcpy(to, code.p, code.len);
    pack_elements(&counter->elements, to + code.len);
    if (!link_packed(store, packed))
        free(packed);
}

static void
unpack_elements(const struct local_store *store,
                const struct local_packed *packed,
                struct local_counter *counter)
{
    const char *from = packed->bytes + packed->name_len + packed->code_len;
    for (uint32_t i = 0; i < packed->element_count; i++) {
        struct packed_element one;
        memcpy(&one, from + i * sizeof one, sizeof one);
        struct local_element *element =
            local_element_need(store, counter, one.hash);
        if (element == NULL)
            return;
        element->seen_ms = one.seen_ms;
        element->is_known = true;
    }
}

void
local_unpack(struct local_store *store, struct local_counter *counter)
{
    struct local_packed *packed = mfx_map_get(store->packed, counter->name);
    if (packed == NULL)
        return;
    struct mfx_str code =
        mfx_str(packed->bytes + packed->name_len, packed->code_len);
    if (mfx_counter_decode(code, &counter->counter) == MFX_OK) {
        counter->is_loaded = true;
        counter->is_stored = packed->is_stored;
        unpack_elements(store, packed, counter);
    }
    unlink_packed(store, packed);
    free(packed);
}

void
local_packed_drop(struct local_store *store)
{
    struct local_packed *packed = store->packed_oldest;
    unlink_packed(store, packed);
    free(packed);
}

void
local_packed_free(struct local_store *store)
{
    while (store->packed_oldest != NULL)
        local_packed_drop(store);
    mfx_map_free(store->packed);
    mfx_buf_fini(&store->code);
}
