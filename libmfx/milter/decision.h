/* SPDX-License-Identifier: BSD-2-Clause
 *
 * decision - the one way a daemon acts
 *
 * A hook changes nothing. It writes into the message's decision: a verdict, a
 * list of edits, facts for the log line, and a trace of the rules asked. The
 * harness applies it; the log line, `mfxctl explain`, --json and dry runs are
 * printings of the same decision.
 *
 *     mfx_decide_reject(d, 550, "5.7.20", "no valid DKIM signature", "why");
 *     mfx_edit_insert_header(d, MFX_EDIT_TOP, name, value);
 *     mfx_fact(d, "domain", domain);
 *     mfx_trace(d, "signing_table", "row 3 *@example.org: key main");
 *
 * Ownership: strings are copied into the message's arena, except literals
 * where a const char * is asked. Errors: when the arena is exhausted the
 * message tempfails; no call needs checking. Threads: the message's.
 */
#ifndef MFX_MILTER_DECISION_H
#define MFX_MILTER_DECISION_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>
#include <mfx/mail/header.h>

MFX_API_BEGIN

/* From mild to harsh; a later, harsher verdict replaces a milder one, never
 * the other way round (mfx_decide_accept ends the hooks of this message but
 * keeps a refusal). */
enum mfx_verdict {
    MFX_VERDICT_CONTINUE,
    MFX_VERDICT_ACCEPT, /* no more stages for this message */
    MFX_VERDICT_HOLD,   /* quarantine in the MTA, then accept */
    MFX_VERDICT_DISCARD,
    MFX_VERDICT_TEMPFAIL,
    MFX_VERDICT_REJECT,
};
const char *mfx_verdict_name(enum mfx_verdict verdict);

enum mfx_edit_kind {
    MFX_EDIT_INSERT_HEADER,
    MFX_EDIT_CHANGE_HEADER,
    MFX_EDIT_DELETE_HEADER,
    MFX_EDIT_SENDER,
    MFX_EDIT_ADD_RECIPIENT,
    MFX_EDIT_DELETE_RECIPIENT,
    MFX_EDIT_BODY,
};

enum mfx_edit_place {
    MFX_EDIT_TOP,         /* above the MTA's own Received */
    MFX_EDIT_BELOW_TRACE, /* below the MTA's own Received */
    MFX_EDIT_AT,          /* where `at` says */
};

struct mfx_edit {
    enum mfx_edit_kind kind;
    enum mfx_edit_place place;
    int at; /* MFX_EDIT_AT, see mfx_edit_insert_header_at */
    const struct mfx_header *header; /* CHANGE, DELETE */
    struct mfx_str name, value;      /* header; or address in value; body */
    struct mfx_str parameters;       /* SENDER, ADD_RECIPIENT; or empty */
    struct mfx_edit *next;
};

struct mfx_decision_note {
    const char *key; /* fact: log key; trace: the rule's name */
    struct mfx_str text;
    struct mfx_decision_note *next;
};

struct mfx_decision {
    struct mfx_arena *arena;
    enum mfx_verdict verdict;
    unsigned code;           /* SMTP reply: 550, 451 ...; 0: the standard */
    struct mfx_str enhanced; /* "5.7.20"; empty: the standard */
    struct mfx_str text;     /* one line of reply, ASCII */
    const char *event;       /* word of the log line: "signed", "passed" */
    struct mfx_str reason;   /* why, in an operator's words */
    struct mfx_edit *edits, *last_edit;
    struct mfx_decision_note *facts, *last_fact;
    struct mfx_decision_note *trace, *last_trace;
    bool is_dry; /* mode = "dry-run" or "shadow": printed, not applied */
};

void mfx_decision_init(struct mfx_decision *d, struct mfx_arena *arena);

/* Verdicts. text is the SMTP reply's; reason is for the log (a literal, or
 * text of the message's arena; NULL: what mfx_decision_event said stays). For
 * HOLD the reason is what the MTA shows. A reject or tempfail of a rcpt hook
 * concerns that recipient alone. */
void mfx_decide_accept(struct mfx_decision *d, const char *reason);
void mfx_decide_reject(struct mfx_decision *d, unsigned code,
                       const char *enhanced, struct mfx_str text,
                       const char *reason);
void mfx_decide_tempfail(struct mfx_decision *d, unsigned code,
                         const char *enhanced, struct mfx_str text,
                         const char *reason);
void mfx_decide_discard(struct mfx_decision *d, const char *reason);
void mfx_decide_hold(struct mfx_decision *d, const char *reason);

/* Edits, applied at the end of the message in the one safe order, whatever
 * the order they are given in; fields inserted at one place stand in the order
 * given, the first one highest. name and value pass mfx_header_name_is_valid
 * and mfx_header_value_is_safe, or the message tempfails with a log line. */
void mfx_edit_insert_header(struct mfx_decision *d, enum mfx_edit_place place,
                            struct mfx_str name, struct mfx_str value);
/* Where an index says, told to the MTA in the order given and as rspamd's own
 * milter tells it. n: below n fields, the MTA's own Received being the first
 * of them; -1: at the end; -n: above the last n - 1 fields, above all when the
 * message has fewer than n. Deleted ones are gone before, a later one stands
 * above an earlier one with the same index, and those of the two places above
 * come last. Sendmail counts its invisible default fields too: there 1 to 8
 * are the same place, a larger n is n - 7, and -1 is above the first field of
 * that name when there is one. */
void mfx_edit_insert_header_at(struct mfx_decision *d, int at,
                               struct mfx_str name, struct mfx_str value);
void mfx_edit_change_header(struct mfx_decision *d,
                            const struct mfx_header *header,
                            struct mfx_str value);
void mfx_edit_delete_header(struct mfx_decision *d,
                            const struct mfx_header *header);
/* parameters: message->sender_parameters, so that none is lost. */
void mfx_edit_sender(struct mfx_decision *d, struct mfx_str address,
                     struct mfx_str parameters);
/* parameters: those of the recipient that it replaces; or empty. */
void mfx_edit_add_recipient(struct mfx_decision *d, struct mfx_str address,
                            struct mfx_str parameters);
void mfx_edit_delete_recipient(struct mfx_decision *d,
                               struct mfx_str recipient_as_received);
void mfx_edit_body(struct mfx_decision *d, struct mfx_str body);

/* What the log line says. key: a literal of the daemon's list. */
void mfx_fact(struct mfx_decision *d, const char *key, struct mfx_str value);
void mfx_fact_u64(struct mfx_decision *d, const char *key, uint64_t value);
/* The last word wins. event: a literal. */
void mfx_decision_event(struct mfx_decision *d, const char *event,
                        struct mfx_str reason);
/* A rule that was asked, and what came of it. rule: a literal. */
void mfx_trace(struct mfx_decision *d, const char *rule, const char *format,
               ...) MFX_PRINTF(3, 4);

MFX_API_END

#endif
