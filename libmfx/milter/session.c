/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/session.h>

#include <netinet/in.h>
#include <stdlib.h>

#include <mfx/milter/finish.h>
#include <mfx/milter/flight.h>

enum {
    CONNECTION_MEMORY = 256 * 1024,
};

enum mfx_rc
mfx_engine_init(struct mfx_engine *engine, const struct mfx_filter *filter,
                size_t recent_messages)
{
    memset(engine, 0, sizeof *engine);
    engine->filter = filter;
    mfx_snapshot_slot_init(&engine->snapshots);
    (void)pthread_mutex_init(&engine->spare_mutex, NULL);
    engine->metrics = mfx_metrics_new();
    engine->ring = mfx_ring_new(recent_messages);
    return engine->metrics == NULL || engine->ring == NULL ? MFX_TEMPFAIL
                                                           : MFX_OK;
}

void
mfx_engine_fini(struct mfx_engine *engine)
{
    mfx_flight_free_spares(engine);
    mfx_ring_free(engine->ring);
    mfx_metrics_free(engine->metrics);
    mfx_snapshot_slot_fini(&engine->snapshots);
    (void)pthread_mutex_destroy(&engine->spare_mutex);
}

/* The session outlives the snapshot it negotiated with. */
static bool
copy_demand(const struct mfx_demand *from, struct mfx_arena *arena,
            struct mfx_demand *to)
{
    *to = *from;
    for (int i = 0; i < MFX_STAGE_COUNT; i++)
        to->macros[i] = mfx_arena_copy(arena, from->macros[i]);
    return mfx_arena_ok(arena);
}

static void
free_session(struct mfx_session *s)
{
    mfx_arena_free(s->arena);
    mfx_snapshot_release(s->snapshot);
    mfx_snapshot_release(s->of_connection);
    free(s);
}

struct mfx_session *
mfx_session_new(struct mfx_engine *engine, const struct mfx_link *link,
                const struct mfx_offer *offer, const struct mfx_plan **plan)
{
    struct mfx_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->engine = engine;
    s->link = *link;
    s->snapshot = mfx_snapshot_slot_get(&engine->snapshots);
    if (engine->filter->hooks.connect != NULL ||
        engine->filter->hooks.helo != NULL)
        s->of_connection = mfx_snapshot_hold(s->snapshot);
    s->arena = mfx_arena_new(CONNECTION_MEMORY);
    if (s->arena == NULL ||
        !copy_demand(&s->snapshot->demand, s->arena, &s->asked)) {
        free_session(s);
        return NULL;
    }
    mfx_plan_make(&s->asked, offer, &s->plan);
    mfx_decision_init(&s->at_connect, s->arena);
    mfx_decision_init(&s->decision, s->arena);
    s->connection.arena = s->arena;
    s->connection.decision = &s->decision;
    s->connection.env = s->snapshot->env;
    s->connection.policy = s->snapshot->policy;
    atomic_fetch_add(&engine->connections, 1);
    mfx_metrics_add(engine->metrics, MFX_COUNT_CONNECTIONS, 1);
    *plan = &s->plan;
    return s;
}

const struct mfx_plan *
mfx_session_plan(const struct mfx_session *session)
{
    return &session->plan;
}

bool
mfx_session_replies(const struct mfx_session *s, enum mfx_step step)
{
    return step == MFX_STEP_COUNT || (s->plan.replies & 1U << step) != 0;
}

void
mfx_session_close(struct mfx_session *s)
{
    struct mfx_engine *engine = s->engine;
    if (s->flight != NULL)
        mfx_flight_finish(s->flight, MFX_ENDING_LOST, NULL);
    if (engine->filter->hooks.close != NULL)
        engine->filter->hooks.close(&s->connection);
    free_session(s);
    atomic_fetch_sub(&engine->connections, 1);
}

void
mfx_session_abort(struct mfx_session *s)
{
    if (s->flight != NULL)
        mfx_flight_finish(s->flight, MFX_ENDING_ABORTED, NULL);
}

static struct mfx_str
copy_macro(const struct mfx_session *s, const char *name)
{
    const char *text = s->link.ops->macro(s->link.ctx, name);
    return text == NULL ? mfx_str("", 0)
                        : mfx_arena_copy(s->arena, mfx_str_of(text));
}

/* {v} is "Postfix 3.7.11" there and a bare version number in Sendmail. */
static enum mfx_mta
recognize_mta(const struct mfx_session *s)
{
    const char *text = s->link.ops->macro(s->link.ctx, "v");
    struct mfx_str v = mfx_str_of(text);
    if (mfx_str_starts_nocase(v, mfx_str_of("postfix")))
        return MFX_MTA_POSTFIX;
    if (v.len > 1 && mfx_ascii_is_digit((unsigned char)v.p[0]))
        return MFX_MTA_SENDMAIL;
    return MFX_MTA_UNKNOWN;
}

static void
run(struct mfx_session *s, enum mfx_rc (*hook)(struct mfx_connection *),
    const char *failure)
{
    if (hook == NULL || hook(&s->connection) == MFX_OK)
        return;
    mfx_metrics_add(s->engine->metrics, MFX_COUNT_HOOK_FAILED, 1);
    mfx_decide_tempfail(&s->decision, 451, "4.3.0",
                        mfx_str_of("internal error"), failure);
}

static uint16_t
port_of(const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address != NULL && address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return ntohs(v4.sin_port);
    }
    if (address != NULL && address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    return 0;
}

enum mfx_answer
mfx_session_connect(struct mfx_session *s, const char *name,
                    const struct sockaddr *address)
{
    struct mfx_connection *c = &s->connection;
    struct mfx_str text = mfx_str_of(name);
    /* Postfix and Sendmail say so when there is no verified name */
    if (!mfx_str_is_nocase(text, "unknown") && name != NULL && name[0] != '[')
        c->client_name = mfx_arena_copy(s->arena, text);
    c->client_ip = mfx_ip_from_sockaddr(address);
    c->client_port = port_of(address);
    c->mta_name = copy_macro(s, "j");
    c->daemon_name = copy_macro(s, "{daemon_name}");
    c->mta = recognize_mta(s);
    run(s, s->engine->filter->hooks.connect, "connect stage failed");
    s->at_connect = s->decision;
    return MFX_ANSWER_CONTINUE;
}

static void
copy_notes(const struct mfx_decision *from, struct mfx_decision *to)
{
    const struct mfx_decision_note *n;
    for (n = from->facts; n != NULL; n = n->next)
        mfx_fact(to, n->key, n->text);
    for (n = from->trace; n != NULL; n = n->next)
        mfx_trace(to, n->key, "%.*s", MFX_STR_ARG(n->text));
}

/* After STARTTLS a second HELO comes: what the first one found is void. */
enum mfx_answer
mfx_session_helo(struct mfx_session *s, const char *name)
{
    mfx_decision_init(&s->decision, s->arena);
    copy_notes(&s->at_connect, &s->decision);
    s->decision.verdict = s->at_connect.verdict;
    s->decision.code = s->at_connect.code;
    s->decision.enhanced = s->at_connect.enhanced;
    s->decision.text = s->at_connect.text;
    s->decision.reason = s->at_connect.reason;
    s->connection.helo = mfx_arena_copy(s->arena, mfx_str_of(name));
    run(s, s->engine->filter->hooks.helo, "helo stage failed");
    return MFX_ANSWER_CONTINUE;
}
