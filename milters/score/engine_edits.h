/* SPDX-License-Identifier: BSD-2-Clause
 *
 * engine_edits - what an engine wants changed becomes edits of the message
 *
 *     const struct score_engine_edits_rules rules = {.engine = name};
 *     score_engine_edits_apply(m, run->result, &rules);
 *
 * As rspamd's milter (rspamd_proxy) does it for the same reply, and in its
 * order: fields removed and added, the sender, recipients, DKIM-Signature below
 * the MTA's Received; then the mark of spam ("add header") or the subject
 * ("rewrite subject"), or X-Rspamd-Action instead of both (no_action). What
 * differs: all that is removed goes first, so the n-th field of a name is that
 * of the message as it came, and places do not count the old mark; places from
 * the end count all fields added before; a field that bears the mark's name and
 * is added stays beside it; signatures and a body are not lost with a
 * spam_header, but are not used when made from a part of the message; a
 * recipient that is added and deleted is not added, one is deleted in whatever
 * form it was received; the sender keeps its ESMTP parameters. Compared in
 * t/interop/rspamd_milter.t.
 *
 * All is checked: what is no header field, no address, or too long, is left out
 * with a line of trace, and the rest done.
 *
 * Ownership: in the message's arena. Errors: none to check. Threads: one at a
 * time. Limits: below.
 */
#ifndef SCORE_ENGINE_EDITS_H
#define SCORE_ENGINE_EDITS_H

#include <mfx/milter/filter.h>
#include <mfx/scan/scan.h>

enum {
    SCORE_EDITS_MAX = 200, /* of an engine: fields, and recipients */
    SCORE_EDITS_NAME_MAX = 100,
    SCORE_EDITS_VALUE_MAX = 16 * 1024,
    SCORE_EDITS_BYTES_MAX = 64 * 1024, /* of all that is added to the header */
    SCORE_EDITS_ADDRESS_MAX = 320,     /* RFC 5321 4.5.3.1 */
};

struct score_engine_edits_rules {
    struct mfx_str engine; /* its name, for the trace */
    /* Fields of this name are not for engines to add; NULL: all are. */
    bool (*is_reserved)(const void *arg, struct mfx_str name);
    const void *arg;
    bool keeps_subject; /* "rewrite subject" does not set the engine's own */
};

void score_engine_edits_apply(struct mfx_message *m,
                              const struct mfx_scan_result *result,
                              const struct score_engine_edits_rules *rules);

#endif
