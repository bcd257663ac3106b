/* SPDX-License-Identifier: BSD-2-Clause */
#include "list_impl.h"

#include <stdlib.h>

#include <mfx/base/clock.h>

const char *
spf_list_key_name(enum spf_list_key key)
{
    static const char *const names[] = {
        [SPF_LIST_CLIENT] = "client",
        [SPF_LIST_CLIENT_NAME] = "client_name",
        [SPF_LIST_HELO] = "helo",
        [SPF_LIST_SENDER_DOMAIN] = "sender_domain",
        [SPF_LIST_SENDER] = "sender",
        [SPF_LIST_FROM_DOMAIN] = "from_domain",
        [SPF_LIST_FROM] = "from",
    };
    return names[key];
}

const char *
spf_list_use_name(enum spf_list_use use)
{
    static const char *const names[] = {
        [SPF_LIST_UNTESTED] = "untested",
        [SPF_LIST_IN_USE] = "in use",
        [SPF_LIST_OUT] = "out of use",
    };
    return names[use];
}

bool
spf_lists_want(const struct spf_lists *lists, enum spf_list_key key)
{
    return lists != NULL && lists->wants[key];
}

void
spf_lists_code(const struct spf_lists *lists, bool is_final, unsigned *code,
               struct mfx_str *enhanced)
{
    *code = lists->codes[is_final];
    *enhanced = lists->enhanced[is_final];
}

/* --- what is shared --- */

static struct spf_lists_shared *
new_shared(void)
{
    struct spf_lists_shared *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    shared->states = mfx_map_new(MFX_MAP_NOCASE, 16);
    if (shared->states == NULL) {
        free(shared);
        return NULL;
    }
    atomic_init(&shared->holds, 1);
    atomic_init(&shared->policies, 1);
    (void)pthread_mutex_init(&shared->mutex, NULL);
    mfx_clock_condition_init(&shared->wake);
    mfx_event_init(&shared->stop);
    return shared;
}

struct spf_lists_shared *
spf_lists_share(const struct spf_lists *previous)
{
    if (previous == NULL)
        return new_shared();
    atomic_fetch_add(&previous->shared->holds, 1);
    atomic_fetch_add(&previous->shared->policies, 1);
    return previous->shared;
}

static void
release_state(struct spf_list_state *state)
{
    if (state != NULL && atomic_fetch_sub(&state->holds, 1) == 1)
        free(state);
}

void
spf_lists_shared_release(struct spf_lists_shared *shared)
{
    size_t cursor = 0;
    struct mfx_str key;
    void *state;
    if (shared == NULL || atomic_fetch_sub(&shared->holds, 1) > 1)
        return;
    while (mfx_map_next(shared->states, &cursor, &key, &state))
        release_state(state);
    mfx_map_free(shared->states);
    mfx_event_fini(&shared->stop);
    (void)pthread_cond_destroy(&shared->wake);
    (void)pthread_mutex_destroy(&shared->mutex);
    free(shared);
}

/* --- states --- */

static struct spf_list_state *
new_state(enum mfx_dns_list_type type, struct mfx_str zone)
{
    struct spf_list_state *state = calloc(1, sizeof *state + 1 + zone.len);
    if (state == NULL)
        return NULL;
    atomic_init(&state->holds, 1);
    atomic_init(&state->use, SPF_LIST_UNTESTED);
    state->key[0] = (char)('0' + (int)type);
    memcpy(state->key + 1, zone.p, zone.len);
    state->key_len = 1 + zone.len;
    return state;
}

struct spf_list_state *
spf_lists_state(struct spf_lists_shared *shared, enum mfx_dns_list_type type,
                struct mfx_str zone)
{
    struct spf_list_state *fresh = new_state(type, zone), *state;
    if (fresh == NULL)
        return NULL;
    struct mfx_str key = mfx_str(fresh->key, fresh->key_len);
    (void)pthread_mutex_lock(&shared->mutex);
    state = mfx_map_get(shared->states, key);
    if (state == NULL && mfx_map_put(shared->states, key, fresh) == MFX_OK) {
        state = fresh;
        fresh = NULL;
    }
    if (state != NULL)
        atomic_fetch_add(&state->holds, 1);
    (void)pthread_mutex_unlock(&shared->mutex);
    free(fresh);
    return state;
}

/* Under the mutex: those that no configuration names any more. */
static void
forget_states(struct spf_lists_shared *shared)
{
    size_t cursor = 0;
    struct mfx_str key;
    void *value;
    while (mfx_map_next(shared->states, &cursor, &key, &value)) {
        struct spf_list_state *state = value;
        if (atomic_load(&state->holds) > 1)
            continue;
        (void)mfx_map_remove(shared->states, key);
        release_state(state);
        cursor = 0;
    }
}

void
spf_lists_trigger(const struct spf_lists *lists, const struct spf_list *list)
{
    struct spf_lists_shared *shared = lists->shared;
    if (atomic_exchange(&list->state->wants_test, true))
        return;
    (void)pthread_mutex_lock(&shared->mutex);
    (void)pthread_cond_signal(&shared->wake);
    (void)pthread_mutex_unlock(&shared->mutex);
}

/* --- the lists of one configuration --- */

struct spf_lists *
spf_lists_hold(const struct spf_lists *lists)
{
    struct spf_lists *own = (struct spf_lists *)lists;
    atomic_fetch_add(&own->holds, 1);
    return own;
}

void
spf_lists_release(struct spf_lists *lists)
{
    if (lists == NULL || atomic_fetch_sub(&lists->holds, 1) > 1)
        return;
    for (size_t i = 0; i < lists->count; i++)
        release_state(lists->lists[i].state);
    mfx_dns_list_cache_release(lists->cache);
    spf_lists_shared_release(lists->shared);
    mfx_arena_free(lists->arena);
    free(lists);
}

void
spf_lists_free(const struct spf_lists *lists)
{
    if (lists == NULL)
        return;
    if (lists->shared != NULL &&
        atomic_fetch_sub(&lists->shared->policies, 1) == 1)
        spf_lists_stop(lists->shared);
    spf_lists_release((struct spf_lists *)lists);
}

/* Under the mutex: what has not been tested, or is out of use, is tested now;
 * the others when it is their time. What is not tested any more is in use. */
static void
plan(struct spf_lists *lists)
{
    uint64_t latest_ms = mfx_mono_ms() + lists->interval_ms;
    for (size_t i = 0; i < lists->count; i++) {
        struct spf_list_state *state = lists->lists[i].state;
        if (lists->lists[i].test == MFX_DNS_LIST_TEST_NONE)
            atomic_store(&state->use, SPF_LIST_IN_USE);
        else if (atomic_load(&state->use) != SPF_LIST_IN_USE)
            state->next_ms = 0;
        else if (state->next_ms > latest_ms)
            state->next_ms = latest_ms;
    }
}

void
spf_lists_begin_with(const struct spf_lists *lists,
                     const struct spf_lists_source *source)
{
    struct spf_lists_hold *hold = calloc(1, sizeof *hold);
    if (lists == NULL || hold == NULL) {
        if (source->release != NULL)
            source->release(source->arg);
        free(hold);
        return;
    }
    struct spf_lists_shared *shared = lists->shared;
    atomic_init(&hold->refs, 1);
    hold->source = *source;
    (void)pthread_mutex_lock(&shared->mutex);
    struct spf_lists *before = shared->current;
    struct spf_lists_hold *hold_before = shared->hold;
    shared->current = spf_lists_hold(lists);
    shared->hold = hold;
    plan(shared->current);
    if (!shared->is_running)
        shared->is_running = spf_lists_start(shared);
    (void)pthread_cond_signal(&shared->wake);
    (void)pthread_mutex_unlock(&shared->mutex);
    spf_lists_release(before);
    spf_lists_hold_release(hold_before);
    (void)pthread_mutex_lock(&shared->mutex);
    forget_states(shared);
    (void)pthread_mutex_unlock(&shared->mutex);
}

static void
release_share(void *share)
{
    mfx_resolver_share_release(share);
}

void
spf_lists_begin(const struct spf_lists *lists,
                struct mfx_resolver_share *resolver)
{
    if (lists == NULL)
        return;
    struct mfx_resolver_share *share = mfx_resolver_share_hold(resolver);
    const struct spf_lists_source source = {mfx_resolver_share_env(share),
                                            release_share, share};
    spf_lists_begin_with(lists, &source);
}
