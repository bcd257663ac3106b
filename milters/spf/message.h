/* SPDX-License-Identifier: BSD-2-Clause
 *
 * message - what the hooks of mfx-spf keep of a connection and of a message
 *
 * What is asked at connect and HELO is answered at MAIL, or, while some
 * recipients are not to be protected, at RCPT; what needs the header, at the
 * end. Each finding may raise the message's action, never lower it.
 *
 * Ownership: in the arenas of connection and message. Errors: MFX_TEMPFAIL
 * when a table cannot be asked. Threads: one at a time.
 */
#ifndef SPF_MESSAGE_H
#define SPF_MESSAGE_H

#include "asking.h"
#include "policy.h"

extern const struct mfx_filter spf_filter;
extern const struct mfx_control_verb spf_control_verbs[];

struct spf_connection {
    /* Why nothing is asked of this client; NULL: it is. */
    const char *skipped;
    struct mfx_str skipped_by;
    bool is_relay;              /* its client is asked about, at the end */
    struct mfx_spf_check *helo; /* NULL: not checked */
    struct spf_asking *lists;   /* NULL: none */
    /* Times that something was asked which no recipient has waited for. Who
     * names many names and wants no answer is not asked about early. */
    unsigned unwaited;
    bool is_helo_late; /* its name is asked about with the message */
};

/* Whom a message is checked for: the connection's client, or the one that a
 * relay of ours names. */
struct spf_client {
    struct mfx_ip ip;
    struct mfx_str name, helo;
};

struct spf_message {
    const char *skipped;     /* NULL: it is checked */
    bool is_outgoing_at_end; /* of ours, and refused at the end only */
    bool is_late;            /* nothing is asked before the first recipient */
    bool is_found;           /* checks have ended */
    bool is_at_end;          /* of a relay: to be checked with the header */
    struct spf_client client;
    struct mfx_spf_check *helo_check, *mail_check;
    struct spf_asking *asking; /* NULL: none */
    bool has_asked_from, has_noted_lists;
    const struct mfx_spf_outcome *helo, *mail_from; /* NULL: not checked */
    const struct spf_score *score;                  /* NULL: not asked */

    /* What is to be done, and how it is said. */
    enum spf_action action;
    unsigned code;
    struct mfx_str enhanced, text;
    const char *reason;
    struct mfx_str forwarder; /* what saved it; or empty */
    bool is_forwarder_unsure;
    size_t unprotected; /* recipients that are not refused */
};

static inline const struct spf_policy *
spf_policy_of(const struct mfx_message *m)
{
    return m->policy;
}

/* --- checking.c: asks, waits, and takes the answers --- */

/* Starts what is known of the client. MFX_TEMPFAIL: out of memory. */
enum mfx_rc spf_checking_begin(struct mfx_message *m, struct spf_message *q,
                               const struct spf_connection *c);
/* Waits for all of it, as long as the stage and the settings allow. */
void spf_checking_wait(struct mfx_message *m, struct spf_message *q);
/* Runs checks side by side until all are decided or the time is up; for
 * checks that are not those of the message. */
void spf_checking_run(struct mfx_message *m,
                      struct mfx_spf_check *const *checks, size_t count);
/* At the end of the header: what lists say of From, if some list wants it. */
bool spf_checking_wants_from(const struct mfx_message *m);
void spf_checking_ask_from(struct mfx_message *m, struct spf_message *q);
struct mfx_spf_request spf_checking_request(const struct mfx_message *m,
                                            const struct spf_client *client,
                                            enum mfx_spf_identity identity);

/* --- deciding.c --- */

/* What is done in the end: some recipient is to have it in spite of all. */
enum spf_action spf_deciding_action(const struct spf_message *q);

/* Waits for the answers and finds what is to be done. */
enum mfx_rc spf_deciding_find(struct mfx_message *m, struct spf_message *q);
/* At the end of the message: what lists say of From may make it worse. */
void spf_deciding_find_from(struct mfx_message *m, struct spf_message *q);
/* Refuses the sender, or this recipient, if that is what is to be done. */
void spf_deciding_refuse(struct mfx_message *m, const struct spf_message *q);
/* MFX_OK: this recipient gets its mail whatever was found. */
enum mfx_rc spf_deciding_is_unprotected(struct mfx_message *m,
                                        const struct mfx_recipient *r,
                                        struct mfx_err *err);
/* At the end: hold, discard, tag. */
void spf_deciding_finish(struct mfx_message *m, struct spf_message *q);

/* --- forwarder.c --- */

/* MFX_OK when a known forwarder sent this: what SPF says refuses nothing.
 * MFX_NOTFOUND: no; with is_forwarder_unsure, DNS did not say. May wait. */
enum mfx_rc spf_forwarder_is_known(struct mfx_message *m, struct spf_message *q,
                                   struct mfx_err *err);

/* --- relayed.c: mail by our own secondary MXs --- */

/* Finds the client in the Received fields; false: they do not tell. */
bool spf_relayed_find_client(struct mfx_message *m, struct spf_message *q);

/* --- outgoing.c: would our own record fail our own mail? --- */

/* Refuses, warns, or does nothing. May wait. */
enum mfx_rc spf_outgoing_check(struct mfx_message *m);

/* --- recording.c: fields that say what was found --- */

void spf_recording_remove_forged(struct mfx_message *m);
enum mfx_rc spf_recording_write(struct mfx_message *m,
                                const struct spf_message *q);

#endif
