/* SPDX-License-Identifier: BSD-2-Clause */
#include "shared.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <mfx/base/file.h>
#include <mfx/base/log.h>
#include <mfx/store/store_local.h>
#include <mfx/store/store_redis.h>

enum {
    PASSWORD_FILE_MAX = 4096,
    CLOSE_WAIT_MS = 2000,
    FALLBACK_MEMORY = 64 * 1024 * 1024,
};

/* --- taking over --- */

static bool
concerns_store(const char *name)
{
    struct mfx_str s = mfx_str_of(name);
    return mfx_str_starts(s, mfx_str_of("store.")) ||
           mfx_str_starts(s, mfx_str_of("redis.")) ||
           mfx_str_starts(s, mfx_str_of("notify.")) ||
           mfx_str_is(s, "store_timeout");
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
copy_path(struct mfx_arena *arena, const char **path)
{
    if (*path != NULL)
        *path = mfx_arena_copy(arena, mfx_str_of(*path)).p;
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
copy_settings(struct quota_shared *shared, const struct quota_settings *from)
{
    struct mfx_arena *a = shared->arena;
    struct quota_settings *s = &shared->settings;
    s->store = from->store;
    s->redis = from->redis;
    s->notify = from->notify;
    s->store_timeout_ms = from->store_timeout_ms;
    copy_path(a, &s->store.path);
    copy_list(a, &s->redis.servers);
    copy_text(a, &s->redis.sentinel_name);
    copy_text(a, &s->redis.user);
    copy_text(a, &s->redis.sentinel_user);
    copy_text(a, &s->redis.password);
    copy_text(a, &s->redis.sentinel_password);
    copy_path(a, &s->redis.password_file);
    copy_path(a, &s->redis.sentinel_password_file);
    copy_text(a, &s->redis.prefix);
    copy_path(a, &s->redis.tls_ca_file);
    copy_path(a, &s->redis.tls_cert_file);
    copy_path(a, &s->redis.tls_key_file);
    copy_text(a, &s->redis.tls_name);
    copy_list(a, &s->notify.command);
    copy_text(a, &s->notify.url);
    copy_list(a, &s->notify.http_headers);
    return mfx_arena_ok(a);
}

static void
read_password(struct quota_shared *shared, const char *path,
              struct mfx_str *password, const char *setting,
              const struct mfx_policy_build *build)
{
    struct mfx_err err = {""};
    struct mfx_str bytes;
    if (path == NULL)
        return;
    if (mfx_file_read(path, PASSWORD_FILE_MAX, shared->arena, &bytes, NULL,
                      &err) == MFX_OK) {
        *password =
            mfx_str_trim(mfx_str_head(bytes, mfx_str_find(bytes, '\n')));
        return;
    }
    unsigned line = 0;
    const char *file = mfx_config_where(build->config, setting, &line);
    mfx_problem_add(build->problems, MFX_PROBLEM_ERROR,
                    file == NULL ? "" : file, line, "%s: %s", setting, err.msg);
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
        !copy_settings(s, settings)) {
        quota_shared_release(s);
        return NULL;
    }
    name_instance(s);
    struct quota_redis_settings *r = &s->settings.redis;
    if (settings->store.type == QUOTA_STORE_REDIS) {
        read_password(s, r->password_file, &r->password, "redis.password_file",
                      build);
        read_password(s, r->sentinel_password_file, &r->sentinel_password,
                      "redis.sentinel_password_file", build);
    }
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

static struct mfx_store *
open_redis(const struct quota_shared *shared, struct mfx_err *err)
{
    const struct quota_redis_settings *r = &shared->settings.redis;
    const struct mfx_store_redis_settings settings = {
        .servers = r->servers.items,
        .server_count = r->servers.count,
        .sentinel_name = r->sentinel_name,
        .user = r->user,
        .password = r->password,
        .sentinel_user = r->sentinel_user,
        .sentinel_password = r->sentinel_password,
        .protocol = (int)r->protocol,
        .database = r->database,
        .prefix = r->prefix,
        .tls = r->tls,
        .tls_ca_file = r->tls_ca_file,
        .tls_cert_file = r->tls_cert_file,
        .tls_key_file = r->tls_key_file,
        .tls_name = r->tls_name,
        .timeout_ms = shared->settings.store_timeout_ms,
        .wait_replicas = r->wait_replicas,
        .wait_ms = r->wait_ms,
    };
    return mfx_store_redis_open(&settings, &shared->env, err);
}

static struct mfx_store *
open_local(const struct quota_shared *shared, const char *path,
           uint64_t memory_bytes)
{
    const struct quota_store_settings *s = &shared->settings.store;
    const struct mfx_store_local_settings settings = {
        .path = path,
        .memory_bytes = memory_bytes,
        .file_bytes = s->file_bytes,
        .replace_corrupt = s->replace_corrupt,
    };
    return mfx_store_local_open(&settings, &shared->env);
}

struct mfx_store *
quota_shared_open_store(const struct quota_shared *shared, struct mfx_err *err)
{
    const struct quota_store_settings *s = &shared->settings.store;
    mfx_err_set(err, "out of memory");
    switch ((enum quota_store_type)s->type) {
    case QUOTA_STORE_SQLITE:
        return open_local(shared, s->path, s->memory_bytes);
    case QUOTA_STORE_REDIS:
        return open_redis(shared, err);
    case QUOTA_STORE_MEMORY:
        return open_local(shared, NULL, s->memory_bytes);
    }
    return NULL;
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
    s->fallback = open_local(s, NULL, FALLBACK_MEMORY);
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
