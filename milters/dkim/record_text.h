/* SPDX-License-Identifier: BSD-2-Clause
 *
 * record_text - a key record as name servers and their tools read it
 *
 * One string of a TXT record holds at most 255 octets (RFC 1035 3.3), so a
 * long record is cut in several, which readers of DKIM records join again
 * (RFC 6376 3.6.2.2).
 *
 *     dkim_record_name(domain, selector, arena, &record.name);
 *     dkim_record_zone_line(&record, out);
 *
 * Ownership: text goes into the caller's buffer. Errors: the buffer's.
 * Threads: pure.
 */
#ifndef DKIM_RECORD_TEXT_H
#define DKIM_RECORD_TEXT_H

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>

enum {
    DKIM_RECORD_STRING_MAX = 255,
};

struct dkim_record_text {
    struct mfx_str name;   /* A-labels, without a final dot */
    struct mfx_str origin; /* names below it are written relative to it; empty:
                              with a final dot */
    struct mfx_str text;
    uint32_t ttl_s; /* 0: left to the zone's $TTL */
};

/* selector._domainkey.domain in A-labels; MFX_PERMFAIL when that is no name
 * that DNS can hold. */
enum mfx_rc dkim_record_name(struct mfx_str domain, struct mfx_str selector,
                             struct mfx_arena *arena,
                             struct mfx_str *name) MFX_NODISCARD;

/* The next string of the record; false at its end. */
bool dkim_record_string(struct mfx_str *rest, struct mfx_str *string);

/* A line of a zone file (RFC 1035 5.1), with line end. */
void dkim_record_zone_line(const struct dkim_record_text *record,
                           struct mfx_buf *out);
/* Lines for nsupdate(1): this record takes the place of all TXT there. */
void dkim_record_nsupdate(const struct dkim_record_text *record,
                          struct mfx_buf *out);

/* The record that withdraws a key (RFC 6376 3.6.1: p= is empty). is_ed25519:
 * with k=ed25519. */
struct mfx_str dkim_record_withdrawn(bool is_ed25519);

#endif
