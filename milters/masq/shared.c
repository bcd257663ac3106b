/* SPDX-License-Identifier: BSD-2-Clause */
#include "shared.h"

#include <stdlib.h>

#include <mfx/base/log.h>

enum {
    CLOSE_WAIT_MS = 2000,
};

static bool
is_same(const struct mfx_store_settings *a, const struct mfx_store_settings *b)
{
    const struct masq_settings x = {.store = *a}, y = {.store = *b};
    for (const struct mfx_option *o = masq_options; o->name != NULL; o++)
        if (mfx_store_settings_has(o->name) && !mfx_option_is_same(o, &x, &y))
            return false;
    return true;
}

static struct masq_shared *
make(const struct masq_settings *settings, const struct mfx_policy_build *build)
{
    struct masq_shared *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    atomic_init(&s->holds, 1);
    (void)pthread_mutex_init(&s->mutex, NULL);
    s->env = mfx_env_system();
    s->arena = mfx_arena_new(0);
    if (s->arena != NULL &&
        mfx_store_settings_copy(&settings->store, s->arena, build->config,
                                build->problems, &s->settings))
        return s;
    masq_shared_release(s);
    return NULL;
}

struct masq_shared *
masq_shared_new(const struct masq_settings *settings,
                struct masq_shared *previous,
                const struct mfx_policy_build *build)
{
    if (previous == NULL || !is_same(&previous->settings, &settings->store))
        return make(settings, build);
    atomic_fetch_add(&previous->holds, 1);
    return previous;
}

void
masq_shared_release(struct masq_shared *s)
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
masq_shared_open_store(const struct masq_shared *s, struct mfx_err *err)
{
    return mfx_store_settings_open(&s->settings, &s->env, err);
}

void
masq_shared_begin(struct masq_shared *s)
{
    struct mfx_err err = {""};
    (void)pthread_mutex_lock(&s->mutex);
    if (!s->has_begun) {
        s->store = masq_shared_open_store(s, &err);
        if (s->store == NULL)
            mfx_log_say(MFX_LOG_ERROR, "store_down", "reason", err.msg);
    }
    s->has_begun = true;
    (void)pthread_mutex_unlock(&s->mutex);
}
