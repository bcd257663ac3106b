/* SPDX-License-Identifier: BSD-2-Clause
 *
 * decided - printing what a daemon's code decided about a stored message, and
 * the envelope that such a message hints at
 *
 * Ownership: everything in run->arena; JSON is the caller's. Errors: none.
 * Threads: one.
 */
#ifndef MFX_TOOLS_DECIDED_H
#define MFX_TOOLS_DECIDED_H

#include <mfx/milter/decision.h>

#include "verb.h"

/* Return-Path with its brackets, or else the first of From; or empty. */
struct mfx_str verb_guess_sender(const struct verb_run *run,
                                 const struct mfx_headers *headers);

/* "+ Name: value", "- Name: value"; other edits are not printed. */
void verb_print_field_edit(const struct verb_run *run,
                           const struct mfx_edit *edit);

/* [{"rule", "text"}] */
json_t *verb_notes_json(const struct mfx_decision_note *notes);
/* {"code", "enhanced", "text"} */
json_t *verb_reply_json(const struct mfx_decision *decision);
/* [{"name", "from", "to"}], null where there is none; with "at" where an index
 * says the place. */
json_t *verb_fields_json(const struct mfx_decision *decision);

#endif
