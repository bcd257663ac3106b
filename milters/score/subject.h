/* SPDX-License-Identifier: BSD-2-Clause
 *
 * subject - marks the subject of spam
 *
 *     const struct score_subject_tag tag = {settings->subject_tag, 7250, 5000};
 *     score_subject_tag_apply(m, &tag);
 *     score_subject_replace(m, result->subject);       an engine's own instead
 *
 * The tag is text of an operator, with $score and $required in it; it goes
 * before what the field holds, which stays as it is. A subject that begins with
 * the tag, once its encoded words are decoded, is left alone, whatever numbers
 * stand in it. What is beyond ASCII becomes encoded words.
 *
 * Ownership: in the message's arena. Errors: none to check; out of memory is the
 * arena's failure. Threads: one at a time. Limits: SCORE_SUBJECT_MAX.
 */
#ifndef SCORE_SUBJECT_H
#define SCORE_SUBJECT_H

#include <mfx/milter/filter.h>

enum {
    SCORE_SUBJECT_MAX =
        4096, /* bytes of an engine's subject; the rest is cut */
};

struct score_subject_tag {
    struct mfx_str text;
    int64_t score, required; /* MFX_DECIMAL_NONE: "none" */
};

/* What the value becomes with the tag before it; false: nothing is to be done.
 * The value is safe for a header, what it was before was not asked. */
bool score_subject_tagged(const struct score_subject_tag *tag,
                          struct mfx_str value, struct mfx_arena *arena,
                          struct mfx_str *out);
/* The value for a subject that an engine made: a field's value, or text. */
struct mfx_str score_subject_value(struct mfx_str subject,
                                   struct mfx_arena *arena);

/* As edits of the message, on top of those that it has already. Every Subject
 * field is tagged; without one, one is added. */
void score_subject_tag_apply(struct mfx_message *m,
                             const struct score_subject_tag *tag);
/* The first Subject field is replaced, as rspamd's milter does it; without
 * one, one is added. */
void score_subject_replace(struct mfx_message *m, struct mfx_str subject);
/* Is this the subject that the message came with? */
bool score_subject_is(const struct mfx_message *m, struct mfx_str subject);

#endif
