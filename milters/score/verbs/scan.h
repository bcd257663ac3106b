/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan - between asking about a message (scan.c) and showing what came of it
 * (scan_show.c)
 *
 * Ownership, errors, threads: see verbs.h.
 */
#ifndef MFX_SCORE_VERBS_SCAN_H
#define MFX_SCORE_VERBS_SCAN_H

#include "../message.h"
#include "verbs.h"

/* What the hooks made of it: while it is still there. */
void score_verb_scan_show(const struct verb_run *run, bool is_verbose,
                          const struct mfx_message *message);

/* What the run's engine said, of one in the shadow too. */
struct score_run score_verb_scan_run(const struct score_run *run);
/* It was to answer, and did not. */
bool score_verb_scan_is_silent(const struct score_run *run);

#endif
