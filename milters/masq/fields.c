/* SPDX-License-Identifier: BSD-2-Clause */
#include "fields.h"

#include <mfx/mail/address_rewrite.h>

static struct masq_field *
append(struct masq_fields *fields)
{
    struct masq_field *field = mfx_arena_alloc(fields->arena, sizeof *field);
    if (field == NULL) {
        fields->is_incomplete = true;
        return NULL;
    }
    if (fields->last == NULL)
        fields->first = field;
    else
        fields->last->next = field;
    fields->last = field;
    return field;
}

void
masq_fields_init(struct masq_fields *fields, const struct mfx_headers *headers,
                 struct mfx_arena *arena)
{
    *fields = (struct masq_fields){.arena = arena};
    for (const struct mfx_header *h = headers->first; h != NULL; h = h->next) {
        struct masq_field *field = append(fields);
        if (field == NULL)
            return;
        field->original = h;
        field->name = h->name;
        field->value = h->value;
    }
}

static struct masq_field *
find(struct masq_field *field, struct mfx_str name)
{
    while (field != NULL &&
           (field->is_removed ||
            (name.len > 0 && !mfx_str_eq_nocase(field->name, name))))
        field = field->next;
    return field;
}

struct masq_field *
masq_fields_first(const struct masq_fields *fields, struct mfx_str name)
{
    return find(fields->first, name);
}

struct masq_field *
masq_fields_next(const struct masq_field *field)
{
    return find(field->next, field->name);
}

size_t
masq_fields_count(const struct masq_fields *fields, struct mfx_str name)
{
    size_t count = 0;
    for (const struct masq_field *f = masq_fields_first(fields, name);
         f != NULL; f = masq_fields_next(f))
        count++;
    return count;
}

enum mfx_rc
masq_fields_set(struct masq_fields *fields, struct masq_field *field,
                struct mfx_str value, struct mfx_err *err)
{
    struct mfx_str made;
    if (fields->is_incomplete)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = mfx_address_lines(field->name, field->value, value,
                                       fields->arena, &made, err);
    if (rc == MFX_OK)
        field->value = made;
    return rc;
}

enum mfx_rc
masq_fields_add(struct masq_fields *fields, const char *name,
                struct mfx_str value, struct mfx_err *err)
{
    static const struct mfx_str none = MFX_STR("");
    struct mfx_str made;
    if (fields->is_incomplete)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = mfx_address_lines(mfx_str_of(name), none, value,
                                       fields->arena, &made, err);
    if (rc != MFX_OK)
        return rc;
    struct masq_field *field = append(fields);
    if (field == NULL)
        return MFX_TEMPFAIL;
    field->name = mfx_str_of(name);
    field->value = made;
    return MFX_OK;
}

void
masq_fields_remove(struct masq_field *field)
{
    field->is_removed = true;
}

void
masq_fields_apply(const struct masq_fields *fields,
                  struct mfx_decision *decision)
{
    for (const struct masq_field *f = fields->first; f != NULL; f = f->next) {
        if (f->original == NULL && !f->is_removed)
            mfx_edit_insert_header(decision, MFX_EDIT_BELOW_TRACE, f->name,
                                   f->value);
        else if (f->original != NULL && f->is_removed)
            mfx_edit_delete_header(decision, f->original);
        else if (f->original != NULL &&
                 !mfx_str_eq(f->value, f->original->value))
            mfx_edit_change_header(decision, f->original, f->value);
    }
}
