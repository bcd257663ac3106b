/* SPDX-License-Identifier: BSD-2-Clause
 *
 * engines - the engines that settings describe
 *
 *     rc = score_engines_new(settings, build, &engines);   checks, asks nobody
 *     rc = score_engines_begin(engines, shared, &err);     when it is in force
 *     for (i = 0; i < engines->count; i++)
 *         if (score_engine_wants(&engines->items[i], is_outgoing))
 *             scan = mfx_scan_begin(arena, engines->items[i].engine, ...);
 *     score_engines_free(engines);
 *
 * An engine whose settings, and the files that they name, are the same after a
 * reload is kept, with its connections and all that is known of its servers'
 * health. One that is replaced, or named no more, ends with its last scan.
 *
 * Ownership: what new makes lives in the snapshot's arena but for what free
 * gives back; scans hold what they use. Errors: problems, with the setting's
 * name. Threads: read-only once begun.
 */
#ifndef SCORE_ENGINES_H
#define SCORE_ENGINES_H

#include <mfx/milter/filter.h>
#include <mfx/scan/scan_engine.h>

#include "proposals.h"
#include "settings.h"
#include "shared.h"

enum {
    SCORE_ENGINE_NAME_MAX = 40,
};

struct score_engine {
    struct mfx_str name; /* of the setting, else of the type */
    enum score_engine_type type;
    const struct score_engine_settings *settings;
    bool is_shadow;
    bool is_left_out; /* a command asks others: no mail is for it */
    bool takes_score, takes_action, takes_edits;
    struct score_proposals proposals;
    /* What a find of each class is worth, and whether it is. */
    int64_t class_scores[MFX_SCAN_CLASS_COUNT];
    bool has_class_score[MFX_SCAN_CLASS_COUNT];
    unsigned index;                 /* its place among all of the settings */
    struct mfx_scan_engine *engine; /* NULL: not begun */
    struct score_tally *tally;      /* NULL: not begun */
};

struct score_engines {
    struct score_engine *items; /* those that are not off */
    size_t count;
};

enum mfx_rc score_engines_new(const struct score_settings *settings,
                              const struct mfx_policy_build *build,
                              struct score_engines **engines) MFX_NODISCARD;
/* MFX_TEMPFAIL: some engine could not be made, err says which: it is not
 * asked, which counts as its failure. */
enum mfx_rc score_engines_begin(struct score_engines *engines,
                                struct score_shared *shared,
                                struct mfx_err *err) MFX_NODISCARD;
/* The same for a command that teaches them: rspamd's controllers and spamd.
 * engine stays NULL for those that do not learn. */
enum mfx_rc score_engines_begin_learning(struct score_engines *engines,
                                         struct score_shared *shared,
                                         struct mfx_err *err) MFX_NODISCARD;
/* NULL is allowed. */
void score_engines_free(struct score_engines *engines);
/* True when a file that they name (a password, a certificate) has changed. */
bool score_engines_are_outdated(const struct score_engines *engines);

/* Is it asked about such mail? */
bool score_engine_wants(const struct score_engine *engine, bool is_outgoing);
static inline bool
score_engine_is_for_viruses(const struct score_engine *engine)
{
    return engine->type == SCORE_ENGINE_CLAMD;
}

#endif
