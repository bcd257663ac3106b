/* SPDX-License-Identifier: BSD-2-Clause */
#include "decided.h"

#include <mfx/mail/address.h>

enum {
    FROM_MAX = 1000, /* addresses of a From that are read */
};

struct mfx_str
verb_guess_sender(const struct verb_run *run, const struct mfx_headers *headers)
{
    const struct mfx_header *h =
        mfx_headers_first(headers, mfx_str_of("Return-Path"));
    struct mfx_address_list list;
    if (h != NULL)
        return mfx_str_trim(mfx_header_unfold(h->value, run->arena));
    h = mfx_headers_first(headers, mfx_str_of("From"));
    if (h == NULL)
        return mfx_str("", 0);
    enum mfx_rc rc =
        mfx_address_list_parse(h->value, run->arena, FROM_MAX, &list);
    return rc == MFX_OK ? list.mailboxes[0].raw : mfx_str("", 0);
}

static void
print_field(const struct verb_run *run, char sign, struct mfx_str name,
            struct mfx_str value)
{
    struct mfx_str line;
    bool is_first = true;
    while (mfx_str_cut(&value, '\n', &line)) {
        if (is_first)
            (void)printf("%c %s:", sign, verb_utf8(run, name));
        else
            (void)printf("%c ", sign);
        /* what folds a line is shown as it is */
        for (; line.len > 0 && line.p[0] == '\t'; line = mfx_str_from(line, 1))
            (void)putchar('\t');
        (void)printf("%s\n", verb_utf8(run, line));
        is_first = false;
    }
}

void
verb_print_field_edit(const struct verb_run *run, const struct mfx_edit *e)
{
    switch (e->kind) {
    case MFX_EDIT_INSERT_HEADER:
        print_field(run, '+', e->name, e->value);
        return;
    case MFX_EDIT_CHANGE_HEADER:
        print_field(run, '-', e->header->name, e->header->value);
        print_field(run, '+', e->header->name, e->value);
        return;
    case MFX_EDIT_DELETE_HEADER:
        print_field(run, '-', e->header->name, e->header->value);
        return;
    case MFX_EDIT_SENDER:
    case MFX_EDIT_ADD_RECIPIENT:
    case MFX_EDIT_DELETE_RECIPIENT:
    case MFX_EDIT_BODY:
        return;
    }
}

json_t *
verb_notes_json(const struct mfx_decision_note *n)
{
    json_t *list = json_array();
    for (; n != NULL; n = n->next) {
        json_t *o = json_object();
        (void)json_object_set_new(o, "rule", json_string(n->key));
        (void)json_object_set_new(o, "text", verb_json(n->text));
        (void)json_array_append_new(list, o);
    }
    return list;
}

json_t *
verb_reply_json(const struct mfx_decision *d)
{
    json_t *o = json_object();
    (void)json_object_set_new(o, "code", json_integer((json_int_t)d->code));
    (void)json_object_set_new(o, "enhanced", verb_json(d->enhanced));
    (void)json_object_set_new(o, "text", verb_json(d->text));
    return o;
}

json_t *
verb_fields_json(const struct mfx_decision *d)
{
    json_t *fields = json_array();
    for (const struct mfx_edit *e = d->edits; e != NULL; e = e->next) {
        bool is_new = e->kind == MFX_EDIT_INSERT_HEADER;
        bool is_gone = e->kind == MFX_EDIT_DELETE_HEADER;
        if (!is_new && !is_gone && e->kind != MFX_EDIT_CHANGE_HEADER)
            continue;
        json_t *o = json_object();
        (void)json_object_set_new(
            o, "name", verb_json(is_new ? e->name : e->header->name));
        (void)json_object_set_new(
            o, "from", is_new ? json_null() : verb_json(e->header->value));
        (void)json_object_set_new(o, "to",
                                  is_gone ? json_null() : verb_json(e->value));
        if (is_new && e->place == MFX_EDIT_AT)
            (void)json_object_set_new(o, "at", json_integer(e->at));
        (void)json_array_append_new(fields, o);
    }
    return fields;
}
