/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/flight.h>

#include <stdlib.h>

enum {
    SPARES_MAX = 256,
};

static void
free_flight(struct mfx_flight *f)
{
    mfx_arena_free(f->arena);
    free(f);
}

static struct mfx_flight *
pop_spare(struct mfx_engine *engine)
{
    (void)pthread_mutex_lock(&engine->spare_mutex);
    struct mfx_flight *f = engine->spare;
    if (f != NULL) {
        engine->spare = f->next_spare;
        engine->spare_count--;
    }
    (void)pthread_mutex_unlock(&engine->spare_mutex);
    return f;
}

static struct mfx_flight *
with_budget(struct mfx_flight *f, uint64_t budget)
{
    if (f != NULL && f->budget == budget)
        return f;
    if (f != NULL)
        free_flight(f);
    f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->arena = mfx_arena_new((size_t)budget);
    f->budget = budget;
    if (f->arena == NULL) {
        free(f);
        return NULL;
    }
    return f;
}

/* The newest snapshot that the session's negotiation serves. */
static struct mfx_snapshot *
choose_snapshot(struct mfx_session *session)
{
    struct mfx_snapshot *newest =
        mfx_snapshot_slot_get(&session->engine->snapshots);
    if (newest != session->snapshot &&
        mfx_plan_serves(&session->plan, &newest->demand)) {
        mfx_snapshot_release(session->snapshot);
        session->snapshot = mfx_snapshot_hold(newest);
        if (session->of_connection == NULL) {
            session->connection.env = newest->env;
            session->connection.policy = newest->policy;
        }
    }
    mfx_snapshot_release(newest);
    return mfx_snapshot_hold(session->snapshot);
}

struct mfx_flight *
mfx_flight_take(struct mfx_session *session)
{
    struct mfx_snapshot *snapshot = choose_snapshot(session);
    struct mfx_flight *f = with_budget(pop_spare(session->engine),
                                       snapshot->common.message_memory);
    if (f == NULL) {
        mfx_snapshot_release(snapshot);
        return NULL;
    }
    struct mfx_arena *arena = f->arena;
    uint64_t budget = f->budget;
    memset(f, 0, sizeof *f);
    f->arena = arena;
    f->budget = budget;
    f->session = session;
    f->snapshot = snapshot;
    mfx_spill_init(&f->body, MFX_FLIGHT_BODY_MEMORY, NULL);
    mfx_decision_init(&f->decision, arena);
    f->decision.is_dry = snapshot->common.mode != MFX_MODE_ENFORCE;
    f->message.arena = arena;
    f->message.connection = &session->connection;
    f->message.decision = &f->decision;
    f->message.env = snapshot->env;
    f->message.policy = snapshot->policy;
    atomic_fetch_add(&session->engine->in_flight, 1);
    return f;
}

/* The arena goes first: what was deferred there may still use the policy. */
void
mfx_flight_give(struct mfx_flight *f)
{
    struct mfx_engine *engine = f->session->engine;
    mfx_spill_reset(&f->body);
    mfx_headers_fini(&f->message.headers);
    mfx_arena_reset(f->arena);
    mfx_snapshot_release(f->snapshot);
    f->snapshot = NULL;
    f->session = NULL;
    (void)pthread_mutex_lock(&engine->spare_mutex);
    bool is_kept = engine->spare_count < SPARES_MAX;
    if (is_kept) {
        f->next_spare = engine->spare;
        engine->spare = f;
        engine->spare_count++;
    }
    (void)pthread_mutex_unlock(&engine->spare_mutex);
    if (!is_kept)
        free_flight(f);
    atomic_fetch_sub(&engine->in_flight, 1);
}

void
mfx_flight_free_spares(struct mfx_engine *engine)
{
    struct mfx_flight *f;
    while ((f = pop_spare(engine)) != NULL)
        free_flight(f);
}
