/* SPDX-License-Identifier: BSD-2-Clause */
#include "shared.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <mfx/base/map.h>

#include "command.h"
#include "engines.h"
#include "shadow.h"
#include "shared_impl.h"
#include "tally.h"

struct slot {
    struct score_slot slot; /* first */
    char name[SCORE_ENGINE_NAME_MAX];
};

static void
slot_free(struct slot *slot)
{
    score_live_release(slot->slot.live);
    score_tally_release(slot->slot.tally);
    free(slot);
}

/* --- life --- */

static struct score_shared *
make(void)
{
    struct score_shared *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    (void)pthread_mutex_init(&s->mutex, NULL);
    s->max_symbols = SCORE_SHARED_SYMBOLS;
    s->slots = mfx_map_new(MFX_MAP_NOCASE, 16);
    s->command = score_command_new();
    s->shadows = score_shadows_new();
    s->memory = mfx_scan_memory_new();
    atomic_init(&s->holds, 1);
    if (s->slots != NULL && s->command != NULL && s->shadows != NULL &&
        s->memory != NULL)
        return s;
    score_shared_release(s);
    return NULL;
}

struct score_shared *
score_shared_new(struct score_shared *previous)
{
    if (previous == NULL)
        return make();
    atomic_fetch_add(&previous->holds, 1);
    return previous;
}

void
score_shared_release(struct score_shared *shared)
{
    size_t cursor = 0;
    struct mfx_str name;
    void *slot;
    if (shared == NULL || atomic_fetch_sub(&shared->holds, 1) > 1)
        return;
    score_command_free(shared->command);
    score_shadows_free(shared->shadows);
    while (shared->slots != NULL &&
           mfx_map_next(shared->slots, &cursor, &name, &slot))
        slot_free(slot);
    mfx_map_free(shared->slots);
    mfx_scan_loop_free(shared->loop);
    mfx_scan_memory_free(shared->memory);
    (void)pthread_mutex_destroy(&shared->mutex);
    free(shared);
}

void
score_shared_begin(struct score_shared *shared,
                   const struct score_settings *settings)
{
    size_t cursor = 0;
    struct mfx_str name;
    void *value;
    score_command_set(shared->command, settings->outgoing.command,
                      settings->outgoing.command_timeout_s,
                      settings->outgoing.command_interval_s);
    mfx_scan_memory_set(shared->memory, settings->memory_total);
    score_shared_lock(shared);
    shared->max_symbols = (size_t)settings->max_symbols;
    while (mfx_map_next(shared->slots, &cursor, &name, &value)) {
        struct slot *slot = value;
        score_symbols_set_max(score_tally_symbols(slot->slot.tally),
                              shared->max_symbols);
    }
    score_shared_unlock(shared);
}

struct score_command *
score_shared_command(struct score_shared *shared)
{
    return shared->command;
}

struct mfx_scan_memory *
score_shared_memory(struct score_shared *shared)
{
    return shared == NULL ? NULL : shared->memory;
}

struct score_shadows *
score_shared_shadows(struct score_shared *shared)
{
    return shared->shadows;
}

/* --- engines --- */

void
score_shared_lock(struct score_shared *shared)
{
    (void)pthread_mutex_lock(&shared->mutex);
}

void
score_shared_unlock(struct score_shared *shared)
{
    (void)pthread_mutex_unlock(&shared->mutex);
}

enum mfx_rc
score_shared_loop(struct score_shared *shared, struct mfx_scan_loop **loop,
                  struct mfx_err *err)
{
    if (shared->loop == NULL) {
        enum mfx_rc rc = mfx_scan_loop_new(&shared->loop, err);
        if (rc != MFX_OK)
            return rc;
    }
    *loop = shared->loop;
    return MFX_OK;
}

struct score_slot *
score_shared_need(struct score_shared *shared, struct mfx_str name)
{
    struct slot *slot = mfx_map_get(shared->slots, name);
    if (slot != NULL)
        return &slot->slot;
    if (name.len > SCORE_ENGINE_NAME_MAX)
        return NULL;
    slot = calloc(1, sizeof *slot);
    if (slot == NULL)
        return NULL;
    memcpy(slot->name, name.p, name.len);
    slot->slot.tally = score_tally_new(shared->max_symbols);
    if (slot->slot.tally != NULL &&
        mfx_map_put(shared->slots, mfx_str(slot->name, name.len), slot) ==
            MFX_OK)
        return &slot->slot;
    slot_free(slot);
    return NULL;
}

static void
want_none(struct score_shared *shared)
{
    size_t cursor = 0;
    struct mfx_str name;
    void *slot;
    while (mfx_map_next(shared->slots, &cursor, &name, &slot))
        ((struct slot *)slot)->slot.is_wanted = false;
}

void
score_shared_forget(struct score_shared *shared)
{
    size_t cursor = 0;
    struct mfx_str name;
    void *slot;
    while (mfx_map_next(shared->slots, &cursor, &name, &slot)) {
        if (((struct slot *)slot)->slot.is_wanted)
            continue;
        (void)mfx_map_remove(shared->slots, name);
        slot_free(slot);
        cursor = 0; /* what is behind has moved */
    }
    want_none(shared);
}

/* --- counting --- */

void
score_shared_note(struct score_shared *shared,
                  const struct score_verdict *verdict, uint64_t now_s)
{
    atomic_fetch_add(&shared->actions[verdict->done.action], 1);
    if (verdict->greylist_s > 0)
        atomic_fetch_add(&shared->greylisted, 1);
    if (verdict->unscanned.len > 0)
        atomic_fetch_add(&shared->unscanned, 1);
    for (size_t i = 0; i < verdict->run_count; i++) {
        const struct score_run *run = &verdict->runs[i];
        if (!run->engine->is_shadow && run->engine->tally != NULL)
            score_tally_note(run->engine->tally, run, verdict->is_spam, now_s);
    }
}

void
score_shared_note_skipped(struct score_shared *shared)
{
    atomic_fetch_add(&shared->skipped, 1);
}

void
score_shared_note_removed_fields(struct score_shared *shared, unsigned count)
{
    atomic_fetch_add(&shared->removed_fields, count);
}
