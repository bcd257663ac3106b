/* SPDX-License-Identifier: BSD-2-Clause
 *
 * flight - a message in flight: what the harness knows beyond mfx_message
 *
 * Ownership: taken from and given back to the engine's free list, where an
 * arena with one small block waits for the next message.
 * Errors: NULL when out of memory. Threads: take and give are for any
 * thread; a flight is in one thread at a time.
 */
#ifndef MFX_MILTER_FLIGHT_H
#define MFX_MILTER_FLIGHT_H

#include <mfx/base/spill.h>
#include <mfx/milter/session.h>

enum {
    MFX_FLIGHT_BODY_MEMORY = 256 * 1024,
};

struct mfx_session {
    struct mfx_engine *engine;
    struct mfx_link link;
    struct mfx_snapshot *snapshot; /* negotiated with, or newer and served */
    /* What connect and helo hooks use, for what they began; NULL: there are
     * none. */
    struct mfx_snapshot *of_connection;
    struct mfx_plan plan;
    struct mfx_demand asked; /* texts in the arena */
    struct mfx_arena *arena;
    struct mfx_connection connection;
    struct mfx_decision at_connect; /* before any HELO */
    struct mfx_decision decision;   /* with the last HELO's */
    struct mfx_flight *flight;      /* NULL between messages */
};

struct mfx_flight {
    struct mfx_message message; /* first: hooks' pointers lead back here */
    struct mfx_decision decision;
    struct mfx_session *session;
    struct mfx_snapshot *snapshot;
    struct mfx_arena *arena;
    uint64_t budget;
    const char *stage;      /* where it is, in words */
    uint64_t wait_until_ms; /* this stage's end of patience; 0: none */
    bool sends_progress;    /* while waiting */
    bool is_decided;        /* no more hooks */
    bool is_in_trouble;     /* a limit, a failure of ours: no more hooks */
    bool has_content;       /* DATA, a header field or EOH came */
    bool is_body_done;      /* the hook wants no more of it */
    struct mfx_str refusal; /* why a recipient was refused; or empty */
    enum mfx_verdict refusal_verdict;
    size_t header_bytes, header_count;
    struct mfx_spill body;
    struct mfx_flight *next_spare;
};

struct mfx_flight *mfx_flight_take(struct mfx_session *session);
void mfx_flight_give(struct mfx_flight *flight);
void mfx_flight_free_spares(struct mfx_engine *engine);

static inline const struct mfx_session *
mfx_session_of(const struct mfx_connection *connection)
{
    return (
        const struct mfx_session *)(const void *)((const char *)connection -
                                                  offsetof(struct mfx_session,
                                                           connection));
}

static inline struct mfx_flight *
mfx_flight_of(const struct mfx_message *message)
{
    return (struct mfx_flight *)(uintptr_t)message;
}

#endif
