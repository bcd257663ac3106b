/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mta_message - a message as the MTA holds it, and a filter's edits applied
 *
 * The MTA's own Received stands on top. Filters do not see it, but it counts
 * for the place of an inserted header.
 *
 *     mta_message_init(&m);
 *     mta_message_parse(&m, bytes);
 *     ... send its fields and body, collect edits ...
 *     mta_message_edit(&m, MTA_POSTFIX, &edit);
 *     mta_message_format(&m, &out);
 *
 * Ownership: fields and body are copied into the message's arena; init/fini.
 * Errors: mta_message_ok is false once memory ran out.
 * Threads: one at a time.
 */
#ifndef MFX_T_MTA_MESSAGE_H
#define MFX_T_MTA_MESSAGE_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/base/str.h>

/* The two differ in macros, in what they send when, and in how they count
 * header fields. */
enum mta_kind {
    MTA_POSTFIX,
    MTA_SENDMAIL,
};

struct mta_field {
    struct mfx_str name;
    struct mfx_str value; /* exact text behind the colon, lines joined by LF */
    bool is_deleted;
    struct mta_field *next;
};

struct mta_address {
    struct mfx_str text; /* as in MAIL or RCPT, brackets included */
    struct mta_address *next;
};

struct mta_message {
    struct mfx_arena *arena;
    struct mta_field *fields; /* the first is the MTA's own Received */
    struct mta_field **end;   /* at or before the end of the list */
    struct mfx_str body;      /* with CRLF */
    bool has_body;
    struct mfx_str sender;
    struct mta_address *recipients;
    struct mfx_str quarantine;
    struct mfx_buf new_body;
    bool is_body_replaced;
};

/* What a filter asks for at the end of the message. action: an SMFIR_ code of
 * libmilter/mfdef.h. name: header name, or address, or text. */
struct mta_edit {
    char action;
    uint32_t index;
    struct mfx_str name, value;
    struct mta_edit *next;
};

/* is_lead_space: the value is exact (SMFIP_HDR_LEADSPC); else the MTA puts a
 * space before it. */
void mta_message_edit(struct mta_message *m, enum mta_kind kind,
                      const struct mta_edit *edit, bool is_lead_space);

void mta_message_init(struct mta_message *m);
void mta_message_fini(struct mta_message *m);
/* Empties it for the next message; keeps memory. */
void mta_message_clear(struct mta_message *m);
bool mta_message_ok(const struct mta_message *m);

/* Adds the fields and the body of a whole message with LF or CRLF line ends;
 * the body gets CRLF. A line that is no field ends the header section. */
void mta_message_parse(struct mta_message *m, struct mfx_str bytes);
struct mta_field *mta_message_add_field(struct mta_message *m,
                                        struct mfx_str name,
                                        struct mfx_str value);
void mta_message_set_body(struct mta_message *m, struct mfx_str crlf_bytes);

/* The message after the edits, with CRLF. with_trace: the own Received too. */
void mta_message_format(const struct mta_message *m, bool with_trace,
                        struct mfx_buf *out);
struct mfx_str mta_message_body(const struct mta_message *m);

#endif
