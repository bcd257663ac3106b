/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rewriting - the rules in force for one message, and what they make of its
 * addresses
 *
 *     rc = masq_rewriting_init(&r, rules, count, &facts, arena, &err);
 *     rc = masq_rewriting_address(&r, class, &from, &to, &err);
 *     rc = masq_rewriting_field(&r, class, name, value, max, &out, &changed,
 *                               &err);
 *
 * Each rule sees what the one before it made. `note` is told of each change;
 * it may be NULL.
 *
 * Ownership: the caller's struct; results in its arena, or borrowed from the
 * input. Errors: MFX_NOTFOUND: it stays. MFX_TEMPFAIL: a table cannot be asked.
 * MFX_PERMFAIL: a field that is no address list, or cannot be written. Threads:
 * the message's.
 */
#ifndef MASQ_REWRITING_H
#define MASQ_REWRITING_H

#include "rule.h"

enum {
    MASQ_REMEMBERED = 8,
};

/* What a rule said: the sender stands in From and Reply-To, too. */
struct masq_remembered {
    const struct masq_rule *rule; /* NULL: none yet */
    struct masq_address from, to;
    struct mfx_str why;
    enum mfx_rc rc; /* MFX_OK or MFX_NOTFOUND */
};

struct masq_rewriting {
    struct mfx_arena *arena;
    const struct masq_rule **rules; /* those that concern the message */
    size_t count;
    const struct masq_facts *facts;
    bool classes[MASQ_CLASS_COUNT]; /* some rule has it */
    struct masq_remembered remembered[MASQ_REMEMBERED];
    unsigned next_remembered;
    void (*note)(void *arg, const struct masq_rule *rule, enum masq_class class,
                 const struct masq_address *from, const struct masq_address *to,
                 struct mfx_str why);
    void *note_arg;
};

enum mfx_rc masq_rewriting_init(struct masq_rewriting *r,
                                const struct masq_rule *rules, size_t count,
                                const struct masq_facts *facts,
                                struct mfx_arena *arena,
                                struct mfx_err *err) MFX_NODISCARD;

enum mfx_rc masq_rewriting_address(struct masq_rewriting *r,
                                   enum masq_class class,
                                   const struct masq_address *from,
                                   struct masq_address *to,
                                   struct mfx_err *err) MFX_NODISCARD;

/* *changed: how many of its addresses. */
enum mfx_rc masq_rewriting_field(struct masq_rewriting *r,
                                 enum masq_class class, struct mfx_str name,
                                 struct mfx_str value, size_t max,
                                 struct mfx_str *out, size_t *changed,
                                 struct mfx_err *err) MFX_NODISCARD;

/* MASQ_HEADER_SENDER, MASQ_HEADER_RECIPIENT or MASQ_MESSAGE_ID; false for
 * other fields (the lists are Postfix's: cleanup_message.c, hdr_opts.c). */
bool masq_field_class(struct mfx_str name, enum masq_class *class);

#endif
