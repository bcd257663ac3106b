/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shared - what outlives reloads: the scanners' loop, engines and what is
 * counted of them, the program for outgoing spam
 *
 *     shared = score_shared_new(previous == NULL ? NULL : previous->shared);
 *     score_shared_begin(shared, settings);           when it is in force
 *     score_shared_note(shared, &verdict, now_s);
 *     score_shared_metrics(shared, engines, out);
 *
 * Nothing is started for checks and commands.
 *
 * Ownership: counted. Errors: NULL when out of memory. Threads: any.
 */
#ifndef SCORE_SHARED_H
#define SCORE_SHARED_H

#include <mfx/base/buf.h>
#include <mfx/scan/scan_engine.h>

#include "settings.h"

struct score_command;
struct score_engines;
struct score_shadows;
struct score_tally;
struct score_verdict;

struct score_shared;

/* One more share of previous, or a new one. */
struct score_shared *score_shared_new(struct score_shared *previous);
void score_shared_release(struct score_shared *shared);
/* These settings are in force. */
void score_shared_begin(struct score_shared *shared,
                        const struct score_settings *settings);

/* --- counting --- */

/* A message, once it is decided: what was done, and what each engine said.
 * Engines in the shadow, which may answer later, are left to score_tally_note
 * and score_tally_compare. */
void score_shared_note(struct score_shared *shared,
                       const struct score_verdict *verdict, uint64_t now_s);
void score_shared_note_skipped(struct score_shared *shared);
void score_shared_note_removed_fields(struct score_shared *shared,
                                      unsigned count);

/* Engines in the shadow, of messages that are over. */
struct score_shadows *score_shared_shadows(struct score_shared *shared);

/* For what is larger than memory_limit. NULL is allowed. */
struct mfx_scan_memory *score_shared_memory(struct score_shared *shared);

/* Mail of this login of ours is spam. */
struct score_command *score_shared_command(struct score_shared *shared);

void score_shared_metrics(struct score_shared *shared,
                          const struct score_engines *engines,
                          struct mfx_buf *out);

/* --- for engines.c --- */

struct score_live; /* an engine that may be kept; NULL is allowed */
void score_live_release(struct score_live *live);

/* Made when it is first wanted. */
enum mfx_rc score_shared_loop(struct score_shared *shared,
                              struct mfx_scan_loop **loop,
                              struct mfx_err *err) MFX_NODISCARD;

/* What is kept under a name. */
struct score_slot {
    struct score_live *live;   /* NULL: none yet */
    struct score_tally *tally; /* never NULL */
    bool is_wanted;
};

/* Slots between lock and unlock only. need: NULL when out of memory. forget:
 * those that are not wanted go, the others are not wanted any more either. */
void score_shared_lock(struct score_shared *shared);
void score_shared_unlock(struct score_shared *shared);
struct score_slot *score_shared_need(struct score_shared *shared,
                                     struct mfx_str name);
void score_shared_forget(struct score_shared *shared);

#endif
