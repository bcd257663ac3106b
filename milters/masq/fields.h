/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fields - the header of a message while it is rewritten
 *
 * Each step (From guard, munging, rules, header rules) sees what the steps
 * before it have made; what has become of the header in the end is told to the
 * decision once.
 *
 *     masq_fields_init(&fields, &message->headers, arena);
 *     for (f = masq_fields_first(&fields, name); f != NULL;
 *          f = masq_fields_next(f))
 *         rc = masq_fields_set(&fields, f, value, err);
 *     rc = masq_fields_add(&fields, "Reply-To", value, err);
 *     masq_fields_apply(&fields, message->decision);
 *
 * Ownership: the caller's struct, the fields in the arena; values are borrowed
 * and must live as long as it. Errors: MFX_PERMFAIL, and nothing changed, for
 * bytes that no field has, or a line that grows beyond 998 octets and cannot
 * be folded; MFX_TEMPFAIL for an exhausted arena (also when masq_fields_init
 * ran out of it: a list without fields must not be taken for the header).
 * Threads: one at a time.
 */
#ifndef MASQ_FIELDS_H
#define MASQ_FIELDS_H

#include <mfx/milter/decision.h>

struct masq_field {
    const struct mfx_header *original; /* NULL: one that was added */
    struct mfx_str name, value;        /* as they stand now */
    bool is_removed;
    struct masq_field *next;
};

struct masq_fields {
    struct mfx_arena *arena;
    struct masq_field *first, *last;
    bool is_incomplete; /* no memory for all of them */
};

void masq_fields_init(struct masq_fields *fields,
                      const struct mfx_headers *headers,
                      struct mfx_arena *arena);

/* From the top, without those that were removed; name empty: any field. */
struct masq_field *masq_fields_first(const struct masq_fields *fields,
                                     struct mfx_str name);
/* The next one of the same name. */
struct masq_field *masq_fields_next(const struct masq_field *field);
size_t masq_fields_count(const struct masq_fields *fields, struct mfx_str name);

/* The exact text behind the colon, " a@x.example". Lines of more than 998
 * octets are folded as those of address fields are. */
enum mfx_rc masq_fields_set(struct masq_fields *fields,
                            struct masq_field *field, struct mfx_str value,
                            struct mfx_err *err) MFX_NODISCARD;
/* A new field, which will stand above those that the MTA has shown. */
enum mfx_rc masq_fields_add(struct masq_fields *fields, const char *name,
                            struct mfx_str value,
                            struct mfx_err *err) MFX_NODISCARD;
void masq_fields_remove(struct masq_field *field);

/* As edits. A field that has its old text again is left alone. */
void masq_fields_apply(const struct masq_fields *fields,
                       struct mfx_decision *decision);

#endif
