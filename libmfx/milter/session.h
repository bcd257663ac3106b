/* SPDX-License-Identifier: BSD-2-Clause
 *
 * session - one connection of the MTA: events in, answers out
 *
 * Knows no libmilter: libmilter.c calls these, in the order of the protocol,
 * and a link (link.h) leads back. Keeps the connection, the message in
 * flight, the snapshots they use; finds out what may be answered when.
 *
 * Ownership: new/close. A message's memory comes from the engine's free list
 * and goes back when it is over, so an idle connection holds little.
 * Errors: whatever goes wrong in a message tempfails it with one log line.
 * Threads: a session is in one thread at a time; the engine is shared.
 */
#ifndef MFX_MILTER_SESSION_H
#define MFX_MILTER_SESSION_H

#include <mfx/milter/link.h>
#include <mfx/milter/metrics.h>
#include <mfx/milter/negotiate.h>
#include <mfx/milter/ring.h>
#include <mfx/milter/snapshot.h>

struct mfx_flight;

/* What all sessions share. */
struct mfx_engine {
    const struct mfx_filter *filter;
    struct mfx_snapshot_slot snapshots;
    struct mfx_metrics *metrics;
    struct mfx_ring *ring;
    atomic_size_t connections, in_flight;
    pthread_mutex_t spare_mutex;
    struct mfx_flight *spare; /* messages ready for use */
    size_t spare_count;
};

enum mfx_rc mfx_engine_init(struct mfx_engine *engine,
                            const struct mfx_filter *filter,
                            size_t recent_messages) MFX_NODISCARD;
/* After all sessions. */
void mfx_engine_fini(struct mfx_engine *engine);

enum mfx_answer {
    MFX_ANSWER_CONTINUE,
    MFX_ANSWER_ACCEPT,
    MFX_ANSWER_REJECT,
    MFX_ANSWER_TEMPFAIL,
    MFX_ANSWER_DISCARD,
    MFX_ANSWER_SKIP, /* no more of the body */
};

struct mfx_session;

/* NULL when out of memory. Negotiates: *plan is what to tell the MTA. */
struct mfx_session *mfx_session_new(struct mfx_engine *engine,
                                    const struct mfx_link *link,
                                    const struct mfx_offer *offer,
                                    const struct mfx_plan **plan);
void mfx_session_close(struct mfx_session *session);
/* What was negotiated. */
const struct mfx_plan *mfx_session_plan(const struct mfx_session *session);
/* Does the MTA wait for an answer to this step? MFX_STEP_COUNT stands for the
 * end of message: always. */
bool mfx_session_replies(const struct mfx_session *session, enum mfx_step step);

enum mfx_answer mfx_session_connect(struct mfx_session *session,
                                    const char *name,
                                    const struct sockaddr *address);
enum mfx_answer mfx_session_helo(struct mfx_session *session, const char *name);
/* words: the address, then ESMTP parameters; ended by NULL. */
enum mfx_answer mfx_session_mail(struct mfx_session *session,
                                 const char *const *words);
enum mfx_answer mfx_session_rcpt(struct mfx_session *session,
                                 const char *const *words);
enum mfx_answer mfx_session_data(struct mfx_session *session);
enum mfx_answer mfx_session_header(struct mfx_session *session,
                                   const char *name, const char *value);
enum mfx_answer mfx_session_eoh(struct mfx_session *session);
enum mfx_answer mfx_session_body(struct mfx_session *session,
                                 struct mfx_str piece);
enum mfx_answer mfx_session_eom(struct mfx_session *session);
void mfx_session_abort(struct mfx_session *session);

#endif
