/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan - what does an engine (rspamd, spamd, clamd) say about a message?
 *
 *     body = mfx_scan_body_new(memory_limit, NULL);     scan_body.h
 *     request.envelope = &envelope; request.body = body; ...
 *     scan = mfx_scan_begin(arena, engine, &request);   for each engine
 *     mfx_scan_body_add(body, piece); ... mfx_scan_body_end(body);
 *     while ((event = mfx_scan_pending(scan)) != NULL &&
 *            mfx_wait(message, event, mfx_scan_deadline_ms(scan)))
 *         ;
 *     result = mfx_scan_finish(scan);
 *
 * Nothing here waits. A scan may begin before the message is whole: it is
 * sent while it arrives, where the protocol allows it, and kept so that
 * another server can be asked. The time runs from the message's end. What is
 * not answered when mfx_scan_finish is called is a timeout; the server hears
 * no more of it.
 *
 * Ownership: a scan is given back at the arena's reset, the result with it; the
 * envelope's texts are copied, the body is shared. engine: scan_engine.h.
 * Errors: in the result; NULL from begin when out of memory.
 * Threads: one at a time for a scan, any; the work is done by the engine's
 * loop. Limits: struct mfx_scan_engine_settings.
 */
#ifndef MFX_SCAN_SCAN_H
#define MFX_SCAN_SCAN_H

#include <mfx/base/arena.h>
#include <mfx/base/event.h>
#include <mfx/net/ip.h>
#include <mfx/scan/scan_body.h>

MFX_API_BEGIN

/* --- what is asked --- */

struct mfx_scan_recipient {
    struct mfx_str address; /* without brackets */
    struct mfx_str args;    /* "NOTIFY=NEVER ORCPT=..."; ESMTP, or empty */
};

/* What the MTA knows. Empty: it does not. */
struct mfx_scan_envelope {
    struct mfx_ip client;
    struct mfx_str client_name; /* verified; empty: "unknown" */
    struct mfx_str helo;
    struct mfx_str protocol; /* "ESMTPSA" */
    struct mfx_str sender;   /* without brackets; empty: the null sender */
    struct mfx_str sender_args;
    const struct mfx_scan_recipient *recipients;
    size_t recipient_count;
    struct mfx_str login;
    struct mfx_str queue_id;
    struct mfx_str mta_name, mta_tag, daemon_name;
    struct mfx_str tls_cipher, tls_version, tls_issuer, tls_subject;
    uint64_t arrived_s; /* wall clock */
};

enum mfx_scan_purpose {
    MFX_SCAN_CHECK,
    MFX_SCAN_LEARN_SPAM,
    MFX_SCAN_LEARN_HAM,
    MFX_SCAN_FORGET,
};

struct mfx_scan_request {
    enum mfx_scan_purpose purpose;
    const struct mfx_scan_envelope *envelope;
    struct mfx_scan_body *body;
    uint64_t time_ms;           /* for an answer, from the message's end */
    struct mfx_str user;        /* whose preferences; empty: the engine's own */
    struct mfx_str settings_id; /* rspamd: where the engine has none */
};

/* --- what comes back --- */

enum mfx_scan_end {
    MFX_SCAN_ANSWERED,
    MFX_SCAN_TIMEOUT,
    MFX_SCAN_UNREACHED, /* no connection, or cut without an answer */
    MFX_SCAN_REFUSED,   /* the engine says that it cannot */
    MFX_SCAN_BROKEN,    /* what came is no answer */
    MFX_SCAN_TOO_LARGE, /* the message: for us or for the engine */
    MFX_SCAN_NOT_ASKED, /* all servers are out, or too much is waiting */
    MFX_SCAN_UNSTORED,  /* the message could not be kept: a full disk ... */
    MFX_SCAN_CANCELLED, /* nobody wants to know any more */
    MFX_SCAN_END_COUNT,
};
/* "answered", "timeout", "unreached", "refused", "broken", "too_large",
 * "not_asked", "unstored", "cancelled". */
const char *mfx_scan_end_name(enum mfx_scan_end end);

/* What the engine proposes. */
enum mfx_scan_action {
    MFX_SCAN_ACTION_NONE, /* nothing is to be done, or it proposes nothing */
    MFX_SCAN_ACTION_GREYLIST,
    MFX_SCAN_ACTION_ADD_HEADER,
    MFX_SCAN_ACTION_REWRITE_SUBJECT,
    MFX_SCAN_ACTION_SOFT_REJECT,
    MFX_SCAN_ACTION_REJECT,
    MFX_SCAN_ACTION_QUARANTINE,
    MFX_SCAN_ACTION_DISCARD,
    MFX_SCAN_ACTION_UNKNOWN, /* see action_word */
};
const char *mfx_scan_action_name(enum mfx_scan_action action);

/* What a virus scanner's find is. */
enum mfx_scan_class {
    MFX_SCAN_CLASS_NONE,
    MFX_SCAN_CLASS_VIRUS,
    MFX_SCAN_CLASS_PUA, /* unwanted, not harmful */
    MFX_SCAN_CLASS_HEURISTIC,
    MFX_SCAN_CLASS_ENCRYPTED,
    MFX_SCAN_CLASS_MACRO,
    MFX_SCAN_CLASS_LIMIT, /* too large or too deep to be looked through */
    MFX_SCAN_CLASS_PHISHING,
    MFX_SCAN_CLASS_SPAM,
    MFX_SCAN_CLASS_DATA_LOSS, /* numbers of cards and the like */
    MFX_SCAN_CLASS_BROKEN,    /* a damaged executable, image ... */
    MFX_SCAN_CLASS_COUNT,
};
/* "none", "virus", "pua", "heuristic", "encrypted", "macro", "limit",
 * "phishing", "spam", "data_loss", "broken". */
const char *mfx_scan_class_name(enum mfx_scan_class klass);

struct mfx_scan_symbol {
    struct mfx_str name, description;
    bool has_score;
    double score;
    const struct mfx_str *options;
    size_t option_count;
};

/* A name with a number: thresholds, groups. */
struct mfx_scan_number {
    struct mfx_str name;
    double value;
};

/* A name with a text: messages. */
struct mfx_scan_text {
    struct mfx_str name, value;
};

struct mfx_scan_texts {
    const struct mfx_str *items;
    size_t count;
};

struct mfx_scan_edit {
    enum {
        MFX_SCAN_EDIT_REMOVE,
        MFX_SCAN_EDIT_ADD,
    } kind;
    struct mfx_str name, value; /* value: lines parted by LF, if folded */
    /* remove: 0 all of that name, n the n-th, -n from the bottom.
     * add: n before the n-th field, -1 at the end, -n from the end. */
    int at;
};

struct mfx_scan_edits {
    const struct mfx_scan_edit *items;
    size_t count;
};

/* Texts are as the engine wrote them, checked for no more than their form:
 * what goes into a reply or a header is for the caller to make safe. */
struct mfx_scan_result {
    enum mfx_scan_end end;
    struct mfx_str words;  /* for the log: why it did not answer */
    struct mfx_str server; /* the one that decided it; empty: none */
    unsigned tries;        /* connections on which it was asked */
    uint64_t took_ms;      /* from the message's end, waiting and all */
    bool is_partial;       /* only the first part of it was looked at */

    bool has_score;
    double score, required_score;
    bool is_spam;    /* the engine says so */
    bool is_skipped; /* it did not look, by its own rules */
    enum mfx_scan_action action;
    struct mfx_str action_word;
    const struct mfx_scan_number *thresholds;
    size_t threshold_count;
    const struct mfx_scan_symbol *symbols;
    size_t symbol_count;
    const struct mfx_scan_number *groups;
    size_t group_count;
    struct mfx_str report;

    struct mfx_str virus; /* the name; empty: none */
    enum mfx_scan_class klass;
    bool is_unofficial; /* by somebody else's signature */

    struct mfx_scan_edits edits;
    struct mfx_scan_edits spam_edits; /* only for "add header" */
    struct mfx_scan_texts dkim_signatures;
    struct mfx_str subject;
    bool has_subject;
    bool has_sender; /* change it */
    struct mfx_str sender;
    struct mfx_scan_texts added_recipients, removed_recipients;
    bool has_body; /* replace it */
    struct mfx_str body;
    bool no_action; /* edits only */

    struct mfx_str reply_text; /* for the SMTP reply */
    const struct mfx_scan_text *messages;
    size_t message_count;
    struct mfx_str message_id;
    struct mfx_str decided_by; /* the module that ended the scan early */
    struct mfx_scan_texts urls, emails;
    double engine_time_s; /* as the engine counts it; 0: unknown */
    bool is_learned;      /* TELL changed something */
    struct mfx_str raw;   /* the whole answer, for those who want to look */
};

/* --- asking --- */

struct mfx_scan;
struct mfx_scan_engine;

struct mfx_scan *
mfx_scan_begin(struct mfx_arena *arena, struct mfx_scan_engine *engine,
               const struct mfx_scan_request *request) MFX_NODISCARD;
/* What to wait for; NULL: it has ended. */
struct mfx_event *mfx_scan_pending(struct mfx_scan *scan);
/* When it gives up, in mono_ms; UINT64_MAX before the message's end. */
uint64_t mfx_scan_deadline_ms(struct mfx_scan *scan);
/* Ends it; the same result each time. */
const struct mfx_scan_result *mfx_scan_finish(struct mfx_scan *scan);
/* The same, but it is nobody's fault: the message is gone. */
const struct mfx_scan_result *mfx_scan_cancel(struct mfx_scan *scan);

MFX_API_END

#endif
