/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/ring.h>

#include <pthread.h>
#include <stdlib.h>

/* An item in a block: this head, the key, the text. The first item is the
 * queue id when there is one. */
struct head {
    unsigned char section, key_len;
    unsigned short text_len;
};

struct block {
    size_t len;
    char bytes[];
};

struct mfx_ring {
    pthread_mutex_t mutex;
    size_t capacity, next;
    struct block **blocks;
};

struct mfx_ring *
mfx_ring_new(size_t capacity)
{
    struct mfx_ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL)
        return NULL;
    ring->capacity = capacity;
    ring->blocks = calloc(capacity > 0 ? capacity : 1, sizeof(*ring->blocks));
    if (ring->blocks == NULL) {
        free(ring);
        return NULL;
    }
    (void)pthread_mutex_init(&ring->mutex, NULL);
    return ring;
}

void
mfx_ring_free(struct mfx_ring *ring)
{
    if (ring == NULL)
        return;
    for (size_t i = 0; i < ring->capacity; i++)
        free(ring->blocks[i]);
    free(ring->blocks);
    (void)pthread_mutex_destroy(&ring->mutex);
    free(ring);
}

struct packer {
    char bytes[MFX_RING_ENTRY_MAX];
    size_t len;
    bool is_cut;
};

static void
pack(void *arg, enum mfx_item_section section, const char *key,
     struct mfx_str text)
{
    struct packer *p = arg;
    struct head head = {.section = (unsigned char)section};
    struct mfx_str k = mfx_str_head(mfx_str_of(key), 255);
    text = mfx_str_head(text, 4096);
    size_t len = sizeof head + k.len + text.len;
    if (p->is_cut || p->len + len > MFX_RING_ENTRY_MAX) {
        p->is_cut = true;
        return;
    }
    char *out = p->bytes + p->len;
    head.key_len = (unsigned char)k.len;
    head.text_len = (unsigned short)text.len;
    memcpy(out, &head, sizeof head);
    memcpy(out + sizeof head, k.p, k.len);
    if (text.len > 0)
        memcpy(out + sizeof head + k.len, text.p, text.len);
    p->len += len;
}

void
mfx_ring_add(struct mfx_ring *ring, const struct mfx_report *report)
{
    if (ring->capacity == 0)
        return;
    struct packer packer;
    packer.len = 0;
    packer.is_cut = false;
    mfx_report_items(report, pack, &packer);
    struct block *block = malloc(sizeof *block + packer.len);
    if (block == NULL)
        return;
    block->len = packer.len;
    memcpy(block->bytes, packer.bytes, packer.len);
    (void)pthread_mutex_lock(&ring->mutex);
    struct block *old = ring->blocks[ring->next];
    ring->blocks[ring->next] = block;
    ring->next = (ring->next + 1) % ring->capacity;
    (void)pthread_mutex_unlock(&ring->mutex);
    free(old);
}

bool
mfx_ring_next(struct mfx_str *entry, struct mfx_ring_item *item)
{
    struct head head;
    if (entry->len < sizeof head)
        return false;
    memcpy(&head, entry->p, sizeof head);
    *entry = mfx_str_from(*entry, sizeof head);
    if (entry->len < (size_t)head.key_len + head.text_len)
        return false;
    item->section = (enum mfx_item_section)head.section;
    item->key = mfx_str_head(*entry, head.key_len);
    *entry = mfx_str_from(*entry, head.key_len);
    item->text = mfx_str_head(*entry, head.text_len);
    *entry = mfx_str_from(*entry, head.text_len);
    return true;
}

static bool
is_sought(const struct mfx_ring_item *item, struct mfx_str what)
{
    if (item->section == MFX_ITEM_RULE)
        return mfx_str_is(item->key, MFX_REPORT_REFUSED) &&
               mfx_str_starts_nocase(item->text, what) &&
               mfx_str_starts(mfx_str_from(item->text, what.len),
                              mfx_str_of(": "));
    if (item->section != MFX_ITEM_HEAD)
        return false;
    if (mfx_str_is(item->key, "queue_id"))
        return mfx_str_eq(item->text, what);
    return (mfx_str_is(item->key, "client") || mfx_str_is(item->key, "from") ||
            mfx_str_is(item->key, "to")) &&
           mfx_str_eq_nocase(item->text, what);
}

static bool
has(const struct block *block, struct mfx_str what)
{
    struct mfx_str rest = mfx_str(block->bytes, block->len);
    struct mfx_ring_item item;
    while (mfx_ring_next(&rest, &item))
        if (is_sought(&item, what))
            return true;
    return false;
}

/* n counts back from the newest; under the mutex. */
static const struct block *
block_at(const struct mfx_ring *ring, size_t n)
{
    if (n >= ring->capacity)
        return NULL;
    return ring
        ->blocks[(ring->next + 2 * ring->capacity - 1 - n) % ring->capacity];
}

static enum mfx_rc
copy_block(const struct block *block, struct mfx_arena *arena,
           struct mfx_str *entry)
{
    if (block == NULL)
        return MFX_NOTFOUND;
    *entry = mfx_arena_copy(arena, mfx_str(block->bytes, block->len));
    return entry->p == NULL ? MFX_TEMPFAIL : MFX_OK;
}

enum mfx_rc
mfx_ring_find(struct mfx_ring *ring, struct mfx_str what,
              struct mfx_arena *arena, struct mfx_str *entry)
{
    enum mfx_rc rc = MFX_NOTFOUND;
    (void)pthread_mutex_lock(&ring->mutex);
    for (size_t n = 0; n < ring->capacity && rc == MFX_NOTFOUND; n++) {
        const struct block *block = block_at(ring, n);
        if (block == NULL)
            break;
        if (has(block, what))
            rc = copy_block(block, arena, entry);
    }
    (void)pthread_mutex_unlock(&ring->mutex);
    return rc;
}

enum mfx_rc
mfx_ring_at(struct mfx_ring *ring, size_t n, struct mfx_arena *arena,
            struct mfx_str *entry)
{
    (void)pthread_mutex_lock(&ring->mutex);
    enum mfx_rc rc = copy_block(block_at(ring, n), arena, entry);
    (void)pthread_mutex_unlock(&ring->mutex);
    return rc;
}
