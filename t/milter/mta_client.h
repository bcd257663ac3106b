/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mta_client - the MTA's side of the milter protocol
 *
 * Plays Postfix 3.7 (or Sendmail 8.17 where they differ) towards a filter:
 * negotiates, sends each stage with the macros that the MTA has at that time,
 * leaves out what the filter negotiated away, waits for a reply only where one
 * comes, and keeps the edits.
 *
 *     struct mta_options o = mta_options_default(MTA_POSTFIX);
 *     struct mta *t = mta_open("unix:/run/x.sock", &o, &err);
 *     mta_negotiate(t);
 *     mta_connect(t, "client.example", '4', 40000, "192.0.2.1");
 *     mta_helo(t, "client.example");
 *     mta_mail(t, args, 1); mta_rcpt(t, args, 1); mta_data(t);
 *     if (mta_send_content(t, &message) == MTA_CONTINUE) ... t->reply.edits
 *     mta_end_message(t);
 *     mta_quit(t);
 *
 * Nothing here keeps a caller from sending stages out of order: that is what
 * tests are for.
 *
 * Ownership: mta_free ends the connection without a word. A reply's text and
 * edits live until the next stage is sent.
 * Errors: a broken connection is a verdict (MTA_CLOSED, MTA_TIMEOUT, MTA_BAD).
 * Threads: one at a time.
 */
#ifndef MFX_T_MTA_CLIENT_H
#define MFX_T_MTA_CLIENT_H

#include <mfx/base/arena.h>
#include <mfx/base/str.h>

#include "mta_message.h"
#include "mta_wire.h"

enum mta_verdict {
    MTA_CONTINUE,
    MTA_NONE, /* nothing was sent, or no reply was to come */
    MTA_ACCEPT,
    MTA_REJECT,
    MTA_TEMPFAIL,
    MTA_DISCARD,
    MTA_SKIP,
    MTA_REPLYCODE, /* reply.text */
    MTA_SHUTDOWN,
    MTA_CONN_FAIL,
    MTA_CLOSED,
    MTA_TIMED_OUT,
    MTA_BAD, /* a reply that breaks the protocol; reply.text says which */
};
const char *mta_verdict_name(enum mta_verdict v);
/* CONTINUE, NONE or SKIP: the message goes on. */
bool mta_goes_on(enum mta_verdict v);

enum mta_stage {
    MTA_STAGE_CONNECT,
    MTA_STAGE_HELO,
    MTA_STAGE_MAIL,
    MTA_STAGE_RCPT,
    MTA_STAGE_DATA,
    MTA_STAGE_EOM, /* also body chunks; the order is that of SETSYMLIST */
    MTA_STAGE_EOH, /* also each header */
    MTA_STAGE_UNKNOWN,
    MTA_STAGE_COUNT,
};

struct mta_options {
    enum mta_kind kind;
    uint32_t version, actions, steps; /* the offer */
    int timeout_ms;                   /* for each reply */
};
/* Version 6 with everything, 10 s. */
struct mta_options mta_options_default(enum mta_kind kind);
/* What an MTA of that protocol version offers (2 to 6). */
void mta_options_set_version(struct mta_options *o, uint32_t version);

struct mta_reply {
    enum mta_verdict verdict;
    struct mfx_str text;
    struct mta_edit *edits, *last_edit;
    size_t edit_count, progress_count;
};

/* Macro values that never come (withheld) are kept as such. */
struct mta_macro {
    char name[32]; /* "i", "{mail_addr}" */
    char value[256];
    bool is_set, is_withheld;
    bool is_fixed; /* set by the test; the stages leave it alone */
};

enum {
    MTA_MACROS_MAX = 64
};

struct mta {
    struct mta_wire *wire;
    struct mta_options options;
    struct mfx_arena *arena; /* of the reply */
    struct mta_reply reply;
    /* what the filter answered */
    uint32_t version, actions, steps;
    char *symlists[MTA_STAGE_COUNT]; /* names asked for; NULL: the default */
    struct mta_macro macros[MTA_MACROS_MAX];
    size_t macro_count;
    bool no_macros; /* send no macro packet at all */
    char skipped;   /* the command that SKIP answered */
    unsigned rcpt_count, message_count, id;
};

struct mta *mta_open(const char *socket, const struct mta_options *options,
                     struct mfx_err *err);
void mta_free(struct mta *t);

/* MTA_CONTINUE when the filter's answer is one that the MTA would take, else
 * MTA_BAD with the reason in reply.text (or a broken connection). */
enum mta_verdict mta_negotiate(struct mta *t);

/* Gives a macro a value for good. NULL: it is never sent. */
void mta_macro(struct mta *t, const char *name, const char *value);
/* Sends a macro packet now: pairs "name\0value\0..." for that command. */
enum mta_io mta_send_macros(struct mta *t, char command, struct mfx_str pairs);

/* family: '4', '6', 'L' or 'U' (no port and address then). */
enum mta_verdict mta_connect(struct mta *t, const char *host, char family,
                             unsigned port, const char *address);
enum mta_verdict mta_helo(struct mta *t, const char *name);
/* args: the address with its brackets, then ESMTP parameters. */
enum mta_verdict mta_mail(struct mta *t, const struct mfx_str *args,
                          size_t count);
enum mta_verdict mta_rcpt(struct mta *t, const struct mfx_str *args,
                          size_t count);
enum mta_verdict mta_data(struct mta *t);
/* value: exact text behind the colon. */
enum mta_verdict mta_header(struct mta *t, struct mfx_str name,
                            struct mfx_str value);
enum mta_verdict mta_eoh(struct mta *t);
/* One packet. */
enum mta_verdict mta_body(struct mta *t, struct mfx_str chunk);
enum mta_verdict mta_eom(struct mta *t);
enum mta_verdict mta_unknown(struct mta *t, const char *line);
/* No reply belongs to these. */
void mta_abort(struct mta *t);
void mta_quit(struct mta *t);
void mta_quit_nc(struct mta *t);
/* Any packet; waits for a reply if asked. */
enum mta_verdict mta_raw(struct mta *t, char command, struct mfx_str payload,
                         bool wants_reply);
/* Waits for a reply (with edits before it, if any). */
enum mta_verdict mta_wait_reply(struct mta *t);

/* The stages header to EOM as the MTA sends them: body in chunks of 65535,
 * none when there is no body. Ends early when the filter has decided; *ended
 * (may be NULL) is the command that was answered last. */
enum mta_verdict mta_send_content(struct mta *t, const struct mta_message *m,
                                  char *ended);
/* Applies the edits of the last reply to the message. */
void mta_apply_edits(const struct mta *t, struct mta_message *m);
/* What the MTA sends after a message: Postfix ABORT, Sendmail nothing. */
void mta_end_message(struct mta *t);

#endif
