/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/scan/scan_body_impl.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <mfx/base/env.h>
#include <mfx/base/spill.h>

enum {
    LEAD_LEN = sizeof MFX_SCAN_BODY_LEAD - 1,
    STEP = 1 << 20, /* of memory that is shared */
    SHARE = 4,      /* of all of it is for one message */
};

struct mfx_scan_memory {
    atomic_size_t total, taken;
};

struct mfx_scan_body {
    atomic_uint holders;
    pthread_mutex_t mutex; /* all below */
    struct mfx_spill spill;
    struct mfx_scan_memory *memory; /* NULL: none is shared */
    size_t borrowed;                /* of it */
    bool is_whole;
    uint64_t whole_ms;
    struct mfx_scan_body_watcher *watchers;
    char *folder;
};

/* --- memory that messages share --- */

struct mfx_scan_memory *
mfx_scan_memory_new(void)
{
    struct mfx_scan_memory *m = calloc(1, sizeof *m);
    if (m != NULL) {
        atomic_init(&m->total, 0);
        atomic_init(&m->taken, 0);
    }
    return m;
}

void
mfx_scan_memory_free(struct mfx_scan_memory *memory)
{
    free(memory);
}

void
mfx_scan_memory_set(struct mfx_scan_memory *memory, size_t total)
{
    atomic_store(&memory->total, total);
}

static bool
take_memory(struct mfx_scan_memory *m, size_t more)
{
    size_t total = atomic_load(&m->total), taken = atomic_load(&m->taken);
    do
        if (taken > total || more > total - taken)
            return false;
    while (!atomic_compare_exchange_weak(&m->taken, &taken, taken + more));
    return true;
}

/* Locked. */
static void
borrow(struct mfx_scan_body *body, size_t len)
{
    size_t limit = body->spill.memory_limit, need = body->spill.len + len;
    if (body->memory == NULL || body->spill.fd >= 0 || need <= limit)
        return;
    size_t more = (need - limit + STEP - 1) / STEP * STEP;
    if (body->borrowed + more > atomic_load(&body->memory->total) / SHARE ||
        !take_memory(body->memory, more))
        return;
    body->spill.memory_limit += more;
    body->borrowed += more;
}

/* Locked, or nobody else has it. */
static void
give_back(struct mfx_scan_body *body)
{
    if (body->borrowed > 0)
        atomic_fetch_sub(&body->memory->taken, body->borrowed);
    body->borrowed = 0;
}

/* --- messages --- */

struct mfx_scan_body *
mfx_scan_body_new(size_t memory_limit, const char *folder)
{
    static const struct mfx_str lead = MFX_STR(MFX_SCAN_BODY_LEAD);
    struct mfx_scan_body *b = calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    if (folder != NULL && (b->folder = strdup(folder)) == NULL) {
        free(b);
        return NULL;
    }
    atomic_init(&b->holders, 1);
    (void)pthread_mutex_init(&b->mutex, NULL);
    mfx_spill_init(&b->spill, memory_limit, b->folder);
    mfx_spill_add(&b->spill, lead);
    return b;
}

void
mfx_scan_body_share(struct mfx_scan_body *body, struct mfx_scan_memory *memory)
{
    body->memory = memory;
}

struct mfx_scan_body *
mfx_scan_body_hold(struct mfx_scan_body *body)
{
    atomic_fetch_add(&body->holders, 1);
    return body;
}

void
mfx_scan_body_free(struct mfx_scan_body *body)
{
    if (body == NULL || atomic_fetch_sub(&body->holders, 1) != 1)
        return;
    mfx_spill_reset(&body->spill);
    give_back(body);
    (void)pthread_mutex_destroy(&body->mutex);
    free(body->folder);
    free(body);
}

/* Locked. */
static size_t
length_of(const struct mfx_scan_body *body)
{
    return body->spill.len >= LEAD_LEN ? body->spill.len - LEAD_LEN : 0;
}

/* Locked. */
static bool
is_awaited(const struct mfx_scan_body *body,
           const struct mfx_scan_body_watcher *w)
{
    switch (w->wants) {
    case MFX_SCAN_BODY_WANTS_NOTHING:
        break;
    case MFX_SCAN_BODY_WANTS_END:
        return body->is_whole;
    case MFX_SCAN_BODY_WANTS_MORE:
        return body->is_whole || length_of(body) >= w->wanted;
    }
    return false;
}

/* Locked. */
static void
tell(struct mfx_scan_body *body)
{
    struct mfx_scan_body_watcher *w = body->watchers;
    for (; w != NULL; w = w->next) {
        if (!is_awaited(body, w))
            continue;
        w->wants = MFX_SCAN_BODY_WANTS_NOTHING;
        w->grown(w);
    }
}

static void
set_whole(struct mfx_scan_body *body)
{
    if (body->is_whole)
        return;
    body->is_whole = true;
    body->whole_ms = mfx_mono_ms();
}

void
mfx_scan_body_add(struct mfx_scan_body *body, struct mfx_str piece)
{
    (void)pthread_mutex_lock(&body->mutex);
    borrow(body, piece.len);
    mfx_spill_add(&body->spill, piece);
    if (body->spill.fd >= 0)
        give_back(body);
    if (body->spill.failed)
        set_whole(body); /* no more will come that could be used */
    tell(body);
    (void)pthread_mutex_unlock(&body->mutex);
}

void
mfx_scan_body_end(struct mfx_scan_body *body)
{
    (void)pthread_mutex_lock(&body->mutex);
    set_whole(body);
    tell(body);
    (void)pthread_mutex_unlock(&body->mutex);
}

size_t
mfx_scan_body_len(struct mfx_scan_body *body)
{
    return mfx_scan_body_look(body).len;
}

enum mfx_rc
mfx_scan_body_check(struct mfx_scan_body *body, struct mfx_err *err)
{
    struct mfx_str bytes;
    enum mfx_rc rc = MFX_OK;
    (void)pthread_mutex_lock(&body->mutex);
    if (body->spill.failed)
        rc = mfx_spill_get(&body->spill, &bytes, err);
    (void)pthread_mutex_unlock(&body->mutex);
    return rc;
}

/* Locked. */
static struct mfx_scan_body_state
state_of(const struct mfx_scan_body *body)
{
    return (struct mfx_scan_body_state){
        .len = length_of(body),
        .is_whole = body->is_whole,
        .has_failed = body->spill.failed,
        .whole_ms = body->whole_ms,
    };
}

struct mfx_scan_body_state
mfx_scan_body_look(struct mfx_scan_body *body)
{
    (void)pthread_mutex_lock(&body->mutex);
    struct mfx_scan_body_state state = state_of(body);
    (void)pthread_mutex_unlock(&body->mutex);
    return state;
}

struct mfx_scan_body_state
mfx_scan_body_await(struct mfx_scan_body *body,
                    struct mfx_scan_body_watcher *watcher, size_t wanted)
{
    (void)pthread_mutex_lock(&body->mutex);
    struct mfx_scan_body_state state = state_of(body);
    if (wanted > 0)
        watcher->wants = MFX_SCAN_BODY_WANTS_MORE;
    else if (watcher->wants == MFX_SCAN_BODY_WANTS_NOTHING)
        watcher->wants = MFX_SCAN_BODY_WANTS_END;
    watcher->wanted = wanted > 0 ? wanted : watcher->wanted;
    (void)pthread_mutex_unlock(&body->mutex);
    return state;
}

void
mfx_scan_body_watch(struct mfx_scan_body *body,
                    struct mfx_scan_body_watcher *watcher)
{
    (void)pthread_mutex_lock(&body->mutex);
    watcher->next = body->watchers;
    body->watchers = watcher;
    (void)pthread_mutex_unlock(&body->mutex);
}

void
mfx_scan_body_unwatch(struct mfx_scan_body *body,
                      struct mfx_scan_body_watcher *watcher)
{
    (void)pthread_mutex_lock(&body->mutex);
    struct mfx_scan_body_watcher **at = &body->watchers;
    while (*at != NULL && *at != watcher)
        at = &(*at)->next;
    if (*at != NULL)
        *at = watcher->next;
    (void)pthread_mutex_unlock(&body->mutex);
}

size_t
mfx_scan_body_read(struct mfx_scan_body *body, size_t at, char *to, size_t max)
{
    (void)pthread_mutex_lock(&body->mutex);
    size_t got = mfx_spill_read(&body->spill, LEAD_LEN + at, to, max);
    (void)pthread_mutex_unlock(&body->mutex);
    return got;
}

int
mfx_scan_body_fd(struct mfx_scan_body *body)
{
    (void)pthread_mutex_lock(&body->mutex);
    int fd = body->is_whole && !body->spill.failed ? body->spill.fd : -1;
    (void)pthread_mutex_unlock(&body->mutex);
    return fd;
}
