/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/policy/store_settings.h>

#include <mfx/base/file.h>
#include <mfx/store/store_local.h>
#include <mfx/store/store_redis.h>

enum {
    PASSWORD_FILE_MAX = 4096,
};

bool
mfx_store_settings_has(const char *name)
{
    struct mfx_str s = mfx_str_of(name);
    return mfx_str_starts(s, mfx_str_of("store.")) ||
           mfx_str_starts(s, mfx_str_of("redis.")) ||
           mfx_str_is(s, "store_timeout");
}

static void
complain(const struct mfx_config *config, struct mfx_problems *problems,
         const char *setting, const char *text)
{
    unsigned line = 0;
    const char *file = mfx_config_where(config, setting, &line);
    mfx_problem_add(problems, MFX_PROBLEM_ERROR, file == NULL ? "" : file, line,
                    "%s: %s", setting, text);
}

void
mfx_store_settings_check(const struct mfx_store_settings *s,
                         const struct mfx_config *config,
                         struct mfx_problems *problems)
{
    if (s->type == MFX_STORE_TYPE_SQLITE && s->path == NULL)
        complain(config, problems, "store.path",
                 "is needed with store.type sqlite");
    if (s->type == MFX_STORE_TYPE_REDIS && s->redis.servers.count == 0)
        complain(config, problems, "redis.servers",
                 "is needed with store.type redis");
}

/* --- copying --- */

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
copy_servers(struct mfx_arena *arena, struct mfx_option_list *list)
{
    struct mfx_str *items =
        mfx_arena_alloc_array(arena, list->count, sizeof *items);
    for (size_t i = 0; items != NULL && i < list->count; i++)
        items[i] = mfx_arena_copy(arena, list->items[i]);
    list->items = items;
}

struct copying {
    struct mfx_arena *arena;
    const struct mfx_config *config;
    struct mfx_problems *problems;
};

static void
read_password(const struct copying *c, const char *path,
              struct mfx_str *password, const char *setting)
{
    struct mfx_err err = {""};
    struct mfx_str bytes;
    if (path == NULL)
        return;
    if (mfx_file_read(path, PASSWORD_FILE_MAX, c->arena, &bytes, NULL, &err) ==
        MFX_OK)
        *password =
            mfx_str_trim(mfx_str_head(bytes, mfx_str_find(bytes, '\n')));
    else
        complain(c->config, c->problems, setting, err.msg);
}

bool
mfx_store_settings_copy(const struct mfx_store_settings *from,
                        struct mfx_arena *arena,
                        const struct mfx_config *config,
                        struct mfx_problems *problems,
                        struct mfx_store_settings *to)
{
    const struct copying c = {arena, config, problems};
    *to = *from;
    copy_path(arena, &to->path);
    copy_servers(arena, &to->redis.servers);
    copy_text(arena, &to->redis.sentinel_name);
    copy_text(arena, &to->redis.user);
    copy_text(arena, &to->redis.sentinel_user);
    copy_text(arena, &to->redis.password);
    copy_text(arena, &to->redis.sentinel_password);
    copy_path(arena, &to->redis.password_file);
    copy_path(arena, &to->redis.sentinel_password_file);
    copy_text(arena, &to->redis.prefix);
    copy_path(arena, &to->redis.tls_ca_file);
    copy_path(arena, &to->redis.tls_cert_file);
    copy_path(arena, &to->redis.tls_key_file);
    copy_text(arena, &to->redis.tls_name);
    if (to->type == MFX_STORE_TYPE_REDIS) {
        read_password(&c, to->redis.password_file, &to->redis.password,
                      "redis.password_file");
        read_password(&c, to->redis.sentinel_password_file,
                      &to->redis.sentinel_password,
                      "redis.sentinel_password_file");
    }
    return mfx_arena_ok(arena);
}

/* --- opening --- */

static struct mfx_store *
open_redis(const struct mfx_store_settings *s, const struct mfx_env *env,
           struct mfx_err *err)
{
    const struct mfx_store_redis_settings settings = {
        .servers = s->redis.servers.items,
        .server_count = s->redis.servers.count,
        .sentinel_name = s->redis.sentinel_name,
        .user = s->redis.user,
        .password = s->redis.password,
        .sentinel_user = s->redis.sentinel_user,
        .sentinel_password = s->redis.sentinel_password,
        .protocol = (int)s->redis.protocol,
        .database = s->redis.database,
        .prefix = s->redis.prefix,
        .tls = s->redis.tls,
        .tls_ca_file = s->redis.tls_ca_file,
        .tls_cert_file = s->redis.tls_cert_file,
        .tls_key_file = s->redis.tls_key_file,
        .tls_name = s->redis.tls_name,
        .timeout_ms = s->timeout_ms,
        .wait_replicas = s->redis.wait_replicas,
        .wait_ms = s->redis.wait_ms,
    };
    return mfx_store_redis_open(&settings, env, err);
}

static struct mfx_store *
open_local(const struct mfx_store_settings *s, const char *path,
           const struct mfx_env *env)
{
    const struct mfx_store_local_settings settings = {
        .path = path,
        .memory_bytes = s->memory_bytes,
        .file_bytes = s->file_bytes,
        .replace_corrupt = s->replace_corrupt,
    };
    return mfx_store_local_open(&settings, env);
}

struct mfx_store *
mfx_store_settings_open(const struct mfx_store_settings *s,
                        const struct mfx_env *env, struct mfx_err *err)
{
    mfx_err_set(err, "out of memory");
    switch ((enum mfx_store_type)s->type) {
    case MFX_STORE_TYPE_SQLITE:
        return open_local(s, s->path, env);
    case MFX_STORE_TYPE_REDIS:
        return open_redis(s, env, err);
    case MFX_STORE_TYPE_MEMORY:
        return open_local(s, NULL, env);
    }
    return NULL;
}
