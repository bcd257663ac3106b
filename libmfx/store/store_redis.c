/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/store/store_redis.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <mfx/store/redis_command.h>
#include <mfx/store/redis_place.h>

void
mfx_redis_wake(struct mfx_redis_place *place)
{
    uint64_t one = 1;
    if (write(place->wake_fd, &one, sizeof one) < 0)
        return; /* it is full: the thread is awake */
}

struct mfx_redis_now
mfx_redis_now(const struct mfx_redis_place *place)
{
    return (struct mfx_redis_now){
        .server_ms = (uint64_t)((int64_t)mfx_mono_ms() + place->ahead_ms),
        .wall_ms = place->env->wall_s(place->env) * 1000,
    };
}

/* --- calls --- */

/* What gives back, or counts, what was held. */
static bool
gives_back(const struct mfx_store_call *call)
{
    return call->task == MFX_STORE_TASK_MERGE ||
           (call->task == MFX_STORE_TASK_USES &&
            (call->op == MFX_STORE_RELEASE || call->op == MFX_STORE_COMMIT ||
             call->op == MFX_STORE_TAKE));
}

/* NULL, or why it cannot be taken. Locked. */
static const char *
accept_call(struct mfx_redis_place *place, struct mfx_redis_ask *ask)
{
    struct mfx_redis_now now = mfx_redis_now(place);
    place->calls++;
    if (gives_back(ask->call))
        mfx_redis_leases_drop(place->leases, ask->call);
    if (place->state == MFX_REDIS_DOWN)
        return place->error.msg[0] == '\0' ? "Redis is down" : place->error.msg;
    if (place->outstanding >= MFX_REDIS_OUTSTANDING_MAX)
        return "too many calls wait for Redis";
    if (!mfx_redis_ask_format(ask, &now) ||
        (mfx_redis_ask_is_renewed(ask) &&
         !mfx_redis_leases_ask(place->leases, ask->call)))
        return "out of memory";
    return NULL;
}

static void
submit(struct mfx_store *store, struct mfx_store_call *call)
{
    struct mfx_redis_place *place = (struct mfx_redis_place *)store;
    struct mfx_redis_ask *ask = mfx_redis_ask_new(&place->asker, call);
    struct mfx_err why = {{0}};
    bool must_wake = false;
    if (ask == NULL) {
        mfx_store_call_fail(call, MFX_TEMPFAIL, "out of memory");
        return;
    }
    ask->until_ms = mfx_mono_ms() + place->timeout_ms +
                    (mfx_redis_ask_is_commit(ask) ? place->wait_ms : 0);
    if (mfx_redis_ask_is_commit(ask) && call->until_ms > ask->until_ms)
        ask->until_ms = call->until_ms;
    (void)pthread_mutex_lock(&place->mutex);
    const char *refused = accept_call(place, ask);
    if (refused == NULL) {
        place->outstanding++;
        must_wake = mfx_redis_route(place, ask);
    } else {
        place->failures++;
        mfx_err_set(&why, "%s", refused);
    }
    (void)pthread_mutex_unlock(&place->mutex);
    if (must_wake)
        mfx_redis_wake(place);
    if (refused != NULL)
        mfx_store_call_fail(call, MFX_TEMPFAIL, "%s", why.msg);
}

/* --- life --- */

static void
health(struct mfx_store *store, struct mfx_store_health *health)
{
    struct mfx_redis_place *place = (struct mfx_redis_place *)store;
    (void)pthread_mutex_lock(&place->mutex);
    health->kind = "redis";
    health->is_up = place->is_up;
    health->since_ms = place->since_ms;
    health->calls = place->calls;
    health->failures = place->failures;
    health->outstanding = place->outstanding;
    health->reconnects = place->reconnects;
    health->failovers = place->failovers;
    memcpy(health->where, place->where, sizeof health->where);
    memcpy(health->error, place->error.msg, sizeof health->error);
    (void)pthread_mutex_unlock(&place->mutex);
}

static void
free_place(struct mfx_redis_place *place)
{
    mfx_redis_primary_free(place->primary);
    mfx_redis_leases_free(place->leases);
    if (place->wake_fd >= 0)
        (void)close(place->wake_fd);
    (void)pthread_mutex_destroy(&place->mutex);
    mfx_arena_free(place->arena);
    free(place);
}

static void
close_store(struct mfx_store *store, uint64_t wait_ms)
{
    struct mfx_redis_place *place = (struct mfx_redis_place *)store;
    (void)pthread_mutex_lock(&place->mutex);
    place->is_closing = true;
    place->close_ms = mfx_mono_ms() + wait_ms;
    (void)pthread_mutex_unlock(&place->mutex);
    mfx_redis_wake(place);
    (void)pthread_join(place->thread, NULL);
    free_place(place);
}

static const struct mfx_store_ops redis_ops = {
    .submit = submit,
    .health = health,
    .close = close_store,
};

/* --- opening --- */

static struct mfx_str
format_wait(const struct mfx_redis_place *place)
{
    struct mfx_redis_command c;
    mfx_redis_command_begin(&c, place->arena);
    mfx_redis_command_text(&c, "WAIT");
    mfx_redis_command_u64(&c, place->wait_replicas);
    mfx_redis_command_u64(&c, place->wait_ms);
    return mfx_redis_command_end(&c);
}

static void
take_settings(struct mfx_redis_place *place,
              const struct mfx_store_redis_settings *settings)
{
    static const struct mfx_str default_prefix = MFX_STR("mfx:");
    place->asker.prefix = mfx_arena_copy(place->arena, settings->prefix.len == 0
                                                           ? default_prefix
                                                           : settings->prefix);
    place->timeout_ms = settings->timeout_ms;
    place->is_tls = settings->tls;
    place->link_count = 1;
    if (settings->wait_replicas > 0) {
        place->wait_replicas = (uint64_t)settings->wait_replicas;
        place->wait_ms = settings->wait_ms;
        place->wait_bytes = format_wait(place);
        place->link_count = 2;
    }
}

/* Signals are for threads that wait for them. */
static bool
start_thread(struct mfx_redis_place *place)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_started =
        pthread_create(&place->thread, NULL, mfx_redis_work, place) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

static struct mfx_redis_place *
new_place(const struct mfx_env *env)
{
    struct mfx_redis_place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return NULL;
    place->base.ops = &redis_ops;
    place->env = env;
    place->state = MFX_REDIS_RENEWING;
    (void)pthread_mutex_init(&place->mutex, NULL);
    mfx_redis_list_init(&place->again);
    mfx_redis_list_init(&place->returned);
    mfx_redis_list_init(&place->commits);
    mfx_redis_list_init(&place->replicating);
    place->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    place->arena = mfx_arena_new(0);
    place->leases = mfx_redis_leases_new();
    if (place->wake_fd >= 0 && place->arena != NULL && place->leases != NULL)
        return place;
    free_place(place);
    return NULL;
}

struct mfx_store *
mfx_store_redis_open(const struct mfx_store_redis_settings *settings,
                     const struct mfx_env *env, struct mfx_err *err)
{
    struct mfx_redis_place *place = new_place(env);
    if (place == NULL) {
        mfx_err_set(err, "out of memory");
        return NULL;
    }
    take_settings(place, settings);
    enum mfx_rc rc = mfx_redis_scripts_init(&place->asker.scripts);
    if (rc == MFX_OK)
        rc = mfx_redis_primary_new(settings, &place->asker.scripts,
                                   &place->primary, err);
    else
        mfx_err_set(err, "no SHA-1 for scripts");
    if (rc == MFX_OK && (!mfx_arena_ok(place->arena) || !start_thread(place))) {
        mfx_err_set(err, "no memory or no thread for the store");
        rc = MFX_TEMPFAIL;
    }
    if (rc == MFX_OK)
        return &place->base;
    free_place(place);
    return NULL;
}
