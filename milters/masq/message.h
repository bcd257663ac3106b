/* SPDX-License-Identifier: BSD-2-Clause
 *
 * message - what the hooks of mfx-masq keep of a message
 *
 * What is to change is found first (envelope.c, field_rules.c) and becomes edits
 * only when all of it is known (deciding.c): no message leaves half rewritten.
 *
 * Ownership: in the message's arena. Errors: MFX_TEMPFAIL with err when a table
 * or the store cannot be asked; MFX_PERMFAIL: a refusal has been decided.
 * Threads: the message's.
 */
#ifndef MASQ_MESSAGE_H
#define MASQ_MESSAGE_H

#include "fields.h"
#include "policy.h"

extern const struct mfx_filter masq_filter;

struct masq_recipient {
    const struct mfx_recipient *received;
    bool is_address;  /* false: it cannot be taken apart, and stays */
    bool is_reversed; /* an SRS address of ours */
    struct masq_address received_address;
    struct masq_address address; /* as it is to be */
    bool is_changed, is_duplicate;
    struct masq_recipient *next;
};

struct masq_message {
    struct masq_recipient *recipients, *last_recipient;
    size_t recipient_count;
    /* How a step waits for an answer; NULL: mfx_wait. For commands. */
    bool (*wait)(struct mfx_event *event, uint64_t until_ms);
    /* A refusal that can be given at the end only. */
    bool is_refused;
    const char *refusal_code, *refusal_text;

    struct masq_facts facts;
    struct masq_rewriting rewriting;
    bool has_sender; /* an address, not the null sender */
    bool is_sender_changed, is_sender_srs;
    /* who has changed something */
    bool by_rules, by_srs, by_guard, by_munging, by_headers;
    struct masq_address received_sender;
    struct masq_address sender; /* as it is to be */
    bool has_munge_job;
    struct masq_munge_job munge_job;
    struct masq_fields fields; /* filled when some step needs them */
    size_t changed_recipients, changed_fields, changed_addresses;
};

static inline bool
masq_message_wait(struct mfx_message *m, const struct masq_message *q,
                  struct mfx_event *event, uint64_t until_ms)
{
    return q->wait != NULL ? q->wait(event, until_ms)
                           : mfx_wait(m, event, until_ms);
}

static inline const struct masq_policy *
masq_policy_of(const struct mfx_message *m)
{
    return m->policy;
}

/* --- deciding.c --- */

/* Writes into the decision: a refusal, or nothing yet. */
void masq_message_take_recipient(struct mfx_message *m, struct masq_message *q,
                                 const struct mfx_recipient *r);
/* At the end of the header: what DNS has to say of From's domains is asked. */
void masq_message_take_header(struct mfx_message *m, struct masq_message *q);
/* Writes what is to be done with the message into its decision. */
void masq_message_decide(struct mfx_message *m, struct masq_message *q);

/* --- envelope.c --- */

/* At RCPT: an SRS address of ours is looked up. The decision has a refusal
 * when it is none that holds good. */
enum mfx_rc masq_envelope_take(struct mfx_message *m, struct masq_message *q,
                               const struct mfx_recipient *r,
                               struct mfx_err *err) MFX_NODISCARD;
/* The last one, which is refused. */
void masq_envelope_drop(struct masq_message *q);
/* At the end: whose mail it is. */
enum mfx_rc masq_envelope_facts(struct mfx_message *m, struct masq_message *q,
                                struct mfx_err *err) MFX_NODISCARD;
/* MFX_OK: some recipient leaves the site, as these maps say. */
enum mfx_rc masq_envelope_leaves(struct mfx_message *m,
                                 const struct masq_message *q,
                                 const struct masq_srs_maps *maps,
                                 struct mfx_err *err) MFX_NODISCARD;
/* What becomes of recipients, and then of the sender. */
enum mfx_rc masq_envelope_rewrite(struct mfx_message *m, struct masq_message *q,
                                  struct mfx_err *err) MFX_NODISCARD;
/* Writes the edits. */
enum mfx_rc masq_envelope_edit(struct mfx_message *m,
                               const struct masq_message *q,
                               struct mfx_err *err) MFX_NODISCARD;

/* --- field_rules.c --- */

/* A field that cannot be understood stays as it is, MFX_OK, or the mail is
 * refused: parse_error. */
enum mfx_rc masq_field_rules_judge(struct mfx_message *m, struct mfx_str name,
                                   const char *why) MFX_NODISCARD;

enum mfx_rc masq_field_rules_rewrite(struct mfx_message *m,
                                     struct masq_message *q,
                                     struct mfx_err *err) MFX_NODISCARD;

#endif
