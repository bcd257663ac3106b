/* SPDX-License-Identifier: BSD-2-Clause
 *
 * report - one decision, printed: the log line, and items for everything else
 *
 * Made when a message is over; the ring of recent messages, `explain` and
 * --json are built from the same items.
 *
 * Ownership: borrows everything; lives as long as the message.
 * Errors: none. Threads: the message's.
 */
#ifndef MFX_MILTER_REPORT_H
#define MFX_MILTER_REPORT_H

#include <mfx/milter/filter.h>
#include <mfx/milter/reply.h>

/* The trace of a refused recipient: "ADDRESS: why: the reply's text". */
#define MFX_REPORT_REFUSED "recipient_refused"

/* How the message ended. */
enum mfx_ending {
    MFX_ENDING_ANSWERED,
    MFX_ENDING_ABORTED, /* by the MTA: RSET, another filter, a refusal */
    MFX_ENDING_LOST,    /* the connection went away */
};

struct mfx_report {
    const struct mfx_message *message;
    enum mfx_ending ending;
    enum mfx_verdict verdict;      /* what the MTA was told */
    const char *stage;             /* where it ended */
    const struct mfx_reply *reply; /* NULL: none of our own */
    struct mfx_str refusal; /* the MTA gave up after recipients were refused:
                               why the last one was; else empty */
    uint64_t ended_wall_s, ms;
};

enum mfx_item_section {
    MFX_ITEM_HEAD,
    MFX_ITEM_FACT,
    MFX_ITEM_RULE,
    MFX_ITEM_EDIT,
};

/* "signed", or a word made from the verdict when the filter gave none. */
const char *mfx_report_event(const struct mfx_report *report);

void mfx_report_log(const struct mfx_report *report);
/* A recipient that was refused, whose decision is still in force. */
void mfx_report_log_refusal(const struct mfx_message *message,
                            const struct mfx_recipient *recipient);
/* Calls visit for every item in printing order. */
void mfx_report_items(const struct mfx_report *report,
                      void (*visit)(void *arg, enum mfx_item_section section,
                                    const char *key, struct mfx_str text),
                      void *arg);

#endif
