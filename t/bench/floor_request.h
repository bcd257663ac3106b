/* SPDX-License-Identifier: BSD-2-Clause
 *
 * floor_request - a floor that also asks an engine, barely
 *
 *     floor_request_setup("rspamd", "4711", "300");        once
 *     struct floor_message *m = floor_message_new();       a connection
 *     floor_message_clear(m); floor_message_add(m, ...);   a message
 *     bool is_answered = floor_request_send(m);
 *     floor_message_free(m);
 *
 * The message is gathered and goes out in one piece, over a connection that is
 * kept where the protocol allows it; of the answer only the end is looked for.
 *
 * Threads: any; one at a time for a message.
 */
#ifndef MFX_T_FLOOR_REQUEST_H
#define MFX_T_FLOOR_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct floor_message;

/* kind: "rspamd", "spamd", "clamd"; port: on loopback; pad: bytes in the
 * request's head that say nothing. False: a word is wrong. */
bool floor_request_setup(const char *kind, const char *port, const char *pad);
bool floor_request_is_set(void);
bool floor_request_send(struct floor_message *m);

struct floor_message *floor_message_new(void);
void floor_message_free(struct floor_message *m);
void floor_message_clear(struct floor_message *m);
void floor_message_add(struct floor_message *m, const void *bytes, size_t len);
/* A header field's value, with CR LF at the ends of its lines. */
void floor_message_add_field(struct floor_message *m, const char *name,
                             const char *value);

#endif
