/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/policy/store_share.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <mfx/base/log.h>

enum {
    CLOSE_WAIT_MS = 2000,
};

struct mfx_store_share {
    atomic_size_t holds;
    struct mfx_arena *arena;
    struct mfx_store_settings settings;
    struct mfx_env env;
    pthread_mutex_t mutex; /* begin */
    bool has_begun;
    struct mfx_store *store;
};

struct row {
    struct mfx_store_settings store;
};

static bool
is_same(const struct mfx_store_settings *a, const struct mfx_store_settings *b)
{
    static const struct mfx_option options[] = {
        MFX_STORE_OPTIONS(struct row, store, "", ""),
        MFX_OPTION_END,
    };
    const struct row x = {*a}, y = {*b};
    for (const struct mfx_option *o = options; o->name != NULL; o++)
        if (!mfx_option_is_same(o, &x, &y))
            return false;
    return true;
}

static struct mfx_store_share *
make(const struct mfx_store_settings *settings, const struct mfx_config *config,
     struct mfx_problems *problems)
{
    struct mfx_store_share *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    atomic_init(&s->holds, 1);
    (void)pthread_mutex_init(&s->mutex, NULL);
    s->env = mfx_env_system();
    s->arena = mfx_arena_new(0);
    if (s->arena != NULL && mfx_store_settings_copy(settings, s->arena, config,
                                                    problems, &s->settings))
        return s;
    mfx_store_share_release(s);
    return NULL;
}

struct mfx_store_share *
mfx_store_share_new(const struct mfx_store_settings *settings,
                    struct mfx_store_share *previous,
                    const struct mfx_config *config,
                    struct mfx_problems *problems)
{
    if (previous == NULL || !is_same(&previous->settings, settings))
        return make(settings, config, problems);
    atomic_fetch_add(&previous->holds, 1);
    return previous;
}

void
mfx_store_share_release(struct mfx_store_share *s)
{
    if (s == NULL || atomic_fetch_sub(&s->holds, 1) > 1)
        return;
    if (s->store != NULL)
        mfx_store_close(s->store, CLOSE_WAIT_MS);
    mfx_arena_free(s->arena);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s);
}

struct mfx_store *
mfx_store_share_open(const struct mfx_store_share *s, struct mfx_err *err)
{
    return mfx_store_settings_open(&s->settings, &s->env, err);
}

void
mfx_store_share_begin(struct mfx_store_share *s)
{
    struct mfx_err err = {""};
    (void)pthread_mutex_lock(&s->mutex);
    if (!s->has_begun) {
        s->store = mfx_store_share_open(s, &err);
        if (s->store == NULL)
            mfx_log_say(MFX_LOG_ERROR, "store_down", "reason", err.msg);
    }
    s->has_begun = true;
    (void)pthread_mutex_unlock(&s->mutex);
}

struct mfx_store *
mfx_store_share_store(const struct mfx_store_share *s)
{
    return s == NULL ? NULL : s->store;
}
