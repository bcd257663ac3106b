/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fields - header fields that say what was found, and forged ones
 *
 *     score_fields_check(settings, build);            once
 *     removed = score_fields_remove(m, settings, is_outgoing);
 *     score_fields_write(m, settings, &verdict, is_outgoing);
 *
 * X-Spam-Flag: YES (of spam alone), X-Spam-Score: 7.25, X-Spam-Level: *******,
 * X-Spam-Status: Yes, score=7.25 required=5.0 tests=A,B - in SpamAssassin's
 * shape, for Sieve's spamtest and users' filters. Mail that no engine for spam
 * could look at has "Unscanned, rspamd: timeout" there; where one of several
 * did not answer, or saw a part only, "unscanned=" and "partial=" name them at
 * the end. X-Virus-Status: Clean, Infected (NAME) or Unscanned (WHY), as
 * clamav-milter has it; what a virus scanner could not look into is unscanned.
 *
 * A field that an engine has written under one of these names, by its edits,
 * stands; ours is left out then. What mail of ours brings along under a name
 * that is written gives way.
 *
 * Ownership: the decision's. Errors: without memory the arena says so. What
 * comes from engines is cut and made printable. Threads: the message's.
 * Limits: below.
 */
#ifndef SCORE_FIELDS_H
#define SCORE_FIELDS_H

#include <mfx/milter/filter.h>

#include "verdict.h"

enum {
    SCORE_FIELDS_LEVEL_MAX = 50, /* as SpamAssassin */
    SCORE_FIELDS_SYMBOLS_MAX = 300,
    SCORE_FIELDS_NAME_MAX = 100, /* octets of one symbol or virus */
    SCORE_FIELDS_WORD_MAX = 500, /* of an address */
    SCORE_FIELDS_ADDRESSES_MAX = 100,
};

enum score_field {
    SCORE_FIELD_FLAG,
    SCORE_FIELD_SCORE,
    SCORE_FIELD_LEVEL,
    SCORE_FIELD_STATUS,
    SCORE_FIELD_SYMBOLS,
    SCORE_FIELD_ACTION,
    SCORE_FIELD_VIRUS_SCANNED,
    SCORE_FIELD_VIRUS_STATUS,
    SCORE_FIELD_ORIGINAL_TO,
    SCORE_FIELD_COUNT,
};
/* By the settings; empty: it is not written. */
struct mfx_str score_field_name(const struct score_header_settings *settings,
                                enum score_field field);

/* Names, patterns, the level's character: mistakes become problems. */
void score_fields_check(const struct score_settings *settings,
                        const struct mfx_policy_build *build);

/* Takes out of mail that is not ours what headers.remove names and what we
 * write, out of all mail the seal. How many. */
unsigned score_fields_remove(struct mfx_message *m,
                             const struct score_settings *settings,
                             bool is_outgoing);

void score_fields_write(struct mfx_message *m,
                        const struct score_settings *settings,
                        const struct score_verdict *verdict, bool is_outgoing);

/* A name that is ours alone, whatever an engine wants: the seal's. As
 * score_engine_edits_rules wants it, with the settings as arg. */
bool score_fields_is_reserved(const void *settings, struct mfx_str name);

/* All fields of that name go. How many. */
unsigned score_fields_delete(struct mfx_message *m, struct mfx_str name);

/* True when the pattern, with "*" for anything, is the name, in any case. */
bool score_fields_matches(struct mfx_str pattern, struct mfx_str name);

#endif
