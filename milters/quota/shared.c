/* SPDX-License-Identifier: BSD-2-Clause */
#include "shared.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <mfx/base/log.h>
#include <mfx/store/store_local.h>

enum {
    CLOSE_WAIT_MS = 2000,
    FALLBACK_MEMORY = 64 * 1024 * 1024,
};

/* --- taking over --- */

static bool
concerns_store(const char *name)
{
    return mfx_store_settings_has(name) ||
           mfx_str_starts(mfx_str_of(name), mfx_str_of("notify."));
}

static bool
is_same(const struct quota_settings *a, const struct quota_settings *b)
{
    for (const struct mfx_option *o = quota_options; o->name != NULL; o++)
        if (concerns_store(o->name) && !mfx_option_is_same(o, a, b))
            return false;
    return true;
}

static void
copy_text(struct mfx_arena *arena, struct mfx_str *text)
{
    *text = mfx_arena_copy(arena, *text);
}

static void
copy_list(struct mfx_arena *arena, struct mfx_option_list *list)
{
    struct mfx_str *items =
        mfx_arena_alloc_array(arena, list->count, sizeof *items);
    for (size_t i = 0; items != NULL && i < list->count; i++)
        items[i] = mfx_arena_copy(arena, list->items[i]);
    list->items = items;
}

/* What is compared and used later; the snapshot's goes. */
static bool
copy_settings(struct quota_shared *shared, const struct quota_settings *from,
              const struct mfx_policy_build *build)
{
    struct mfx_arena *a = shared->arena;
    struct quota_settings *s = &shared->settings;
    s->notify = from->notify;
    copy_list(a, &s->notify.command);
    copy_text(a, &s->notify.url);
    copy_list(a, &s->notify.http_headers);
    return mfx_store_settings_copy(&from->store, a, build->config,
                                   build->problems, &s->store);
}

static void
name_instance(struct quota_shared *shared)
{
    unsigned char random[12];
    shared->env.random(&shared->env, random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        (void)snprintf(shared->instance + 2 * i, 3, "%02x", random[i]);
}

static struct quota_shared *
make(const struct quota_settings *settings,
     const struct mfx_policy_build *build)
{
    struct quota_shared *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    atomic_init(&s->holds, 1);
    (void)pthread_mutex_init(&s->mutex, NULL);
    s->env = mfx_env_system();
    s->arena = mfx_arena_new(0);
    s->zones = quota_zones_new();
    s->clients = quota_clients_new();
    if (s->arena == NULL || s->zones == NULL || s->clients == NULL ||
        !copy_settings(s, settings, build)) {
        quota_shared_release(s);
        return NULL;
    }
    name_instance(s);
    return s;
}

struct quota_shared *
quota_shared_new(const struct quota_settings *settings,
                 struct quota_shared *previous,
                 const struct mfx_policy_build *build)
{
    if (previous != NULL && is_same(&previous->settings, settings))
        return quota_shared_hold(previous);
    return make(settings, build);
}

struct quota_shared *
quota_shared_hold(struct quota_shared *shared)
{
    atomic_fetch_add(&shared->holds, 1);
    return shared;
}

void
quota_shared_release(struct quota_shared *s)
{
    if (s == NULL || atomic_fetch_sub(&s->holds, 1) > 1)
        return;
    quota_merge_free(s->merge);
    if (s->store != NULL)
        mfx_store_close(s->store, CLOSE_WAIT_MS);
    if (s->fallback != NULL)
        mfx_store_close(s->fallback, 0);
    quota_notify_free(s->notify);
    quota_clients_free(s->clients);
    for (struct quota_rule_counts *c = s->counts, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    quota_zones_release(s->zones);
    mfx_arena_free(s->arena);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s);
}

/* --- opening --- */

struct mfx_store *
quota_shared_open_store(const struct quota_shared *shared, struct mfx_err *err)
{
    return mfx_store_settings_open(&shared->settings.store, &shared->env, err);
}

/* This machine's own counters, while the store is away. */
static struct mfx_store *
open_fallback(const struct quota_shared *shared)
{
    const struct mfx_store_local_settings settings = {.memory_bytes =
                                                          FALLBACK_MEMORY};
    return mfx_store_local_open(&settings, &shared->env);
}

static struct quota_notify *
begin_notify(const struct quota_shared *shared)
{
    const struct quota_notify_settings *s = &shared->settings.notify;
    if (s->command.count == 0 && s->url.len == 0)
        return NULL;
    struct quota_notify *notify = quota_notify_new(s);
    if (notify == NULL)
        mfx_log_say(MFX_LOG_ERROR, "notify_failed", "reason",
                    "no memory or no thread: nobody will be notified");
    return notify;
}

static void
open_all(struct quota_shared *s)
{
    struct mfx_err err = {""};
    s->store = quota_shared_open_store(s, &err);
    if (s->store == NULL)
        mfx_log_say(MFX_LOG_ERROR, "store_down", "reason", err.msg);
    else
        s->merge = quota_merge_new(s->store);
    s->fallback = open_fallback(s);
    s->notify = begin_notify(s);
}

void
quota_shared_begin(struct quota_shared *s)
{
    (void)pthread_mutex_lock(&s->mutex);
    if (!s->has_begun)
        open_all(s);
    s->has_begun = true;
    (void)pthread_mutex_unlock(&s->mutex);
}

struct mfx_str
quota_shared_new_holder(struct quota_shared *s, struct mfx_arena *arena)
{
    return mfx_arena_printf(arena, "%s/%" PRIu64, s->instance,
                            (uint64_t)atomic_fetch_add_explicit(
                                &s->holders, 1, memory_order_relaxed));
}

static struct quota_rule_counts *
make_counts(struct quota_shared *s, struct mfx_str name)
{
    struct quota_rule_counts *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    memcpy(c->name, name.p, name.len);
    c->next = s->counts;
    s->counts = c;
    return c;
}

struct quota_rule_counts *
quota_shared_counts(struct quota_shared *s, struct mfx_str name)
{
    struct quota_rule_counts *c;
    if (name.len >= sizeof c->name)
        return NULL;
    (void)pthread_mutex_lock(&s->mutex);
    for (c = s->counts; c != NULL; c = c->next)
        if (mfx_str_is(name, c->name))
            break;
    if (c == NULL)
        c = make_counts(s, name);
    (void)pthread_mutex_unlock(&s->mutex);
    return c;
}
