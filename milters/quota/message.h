/* SPDX-License-Identifier: BSD-2-Clause
 *
 * message - what the hooks of mfx-quota keep of a message and a connection
 *
 * Ownership: in the message's and the connection's arena. Errors: none.
 * Threads: the message's.
 */
#ifndef MFX_QUOTA_MESSAGE_H
#define MFX_QUOTA_MESSAGE_H

#include "counting.h"

extern const struct mfx_filter quota_filter;

/* A connection's rules are asked at connect, and what came of it is said at
 * MAIL. The policy may have changed in between. */
struct quota_connection {
    struct quota_shared *shared; /* held */
    struct quota_holding holding;
    struct quota_tally **counted, **open; /* connections, open_connections */
    size_t counted_count, open_count;
    struct mfx_str counted_holder, open_holder;
    struct mfx_store_call *counted_call, *open_call;
    bool is_known;   /* the first MAIL has come */
    bool is_refused; /* what to say at each MAIL: */
    unsigned code;
    struct mfx_str enhanced, text, reason;
};

struct quota_message {
    struct quota_holding holding;
    bool is_prepared;
    const char *exempt; /* why no rule counts it; NULL: not exempt */
    bool has_kept;      /* a refusal that can be given at the end only */
    struct quota_refusal kept;
    uint64_t refused_seen; /* {nbadrcpts} so far */
    size_t exempt_recipients;
};

static inline const struct quota_policy *
quota_policy_of(const struct mfx_message *m)
{
    return m->policy;
}

/* connection.c */
enum mfx_rc quota_connection_begin(struct mfx_connection *connection);
/* At MAIL: false when the connection is refused; the decision says so. */
enum mfx_rc quota_connection_decide(struct mfx_message *m, bool *is_refused);
void quota_connection_end(struct mfx_connection *connection);

#endif
