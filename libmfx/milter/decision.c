/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/decision.h>

#include <stdarg.h>

const char *
mfx_verdict_name(enum mfx_verdict verdict)
{
    static const char *const names[] = {
        [MFX_VERDICT_CONTINUE] = "continue", [MFX_VERDICT_ACCEPT] = "accept",
        [MFX_VERDICT_HOLD] = "hold",         [MFX_VERDICT_DISCARD] = "discard",
        [MFX_VERDICT_TEMPFAIL] = "tempfail", [MFX_VERDICT_REJECT] = "reject",
    };
    return names[verdict];
}

void
mfx_decision_init(struct mfx_decision *d, struct mfx_arena *arena)
{
    memset(d, 0, sizeof *d);
    d->arena = arena;
}

/* A milder verdict never replaces a harsher one, nor an equal one the first:
 * the reason that is logged is the one that decided. */
static bool
raise_verdict(struct mfx_decision *d, enum mfx_verdict verdict,
              const char *reason)
{
    if (verdict <= d->verdict)
        return false;
    d->verdict = verdict;
    d->code = 0;
    d->enhanced = mfx_str("", 0);
    d->text = mfx_str("", 0);
    if (reason != NULL)
        d->reason = mfx_str_of(reason);
    return true;
}

void
mfx_decide_accept(struct mfx_decision *d, const char *reason)
{
    (void)raise_verdict(d, MFX_VERDICT_ACCEPT, reason);
}

void
mfx_decide_hold(struct mfx_decision *d, const char *reason)
{
    (void)raise_verdict(d, MFX_VERDICT_HOLD, reason);
}

void
mfx_decide_discard(struct mfx_decision *d, const char *reason)
{
    (void)raise_verdict(d, MFX_VERDICT_DISCARD, reason);
}

static void
refuse(struct mfx_decision *d, enum mfx_verdict verdict, unsigned code,
       const char *enhanced, struct mfx_str text, const char *reason)
{
    if (!raise_verdict(d, verdict, reason))
        return;
    d->code = code;
    d->enhanced = mfx_str_of(enhanced);
    d->text = mfx_arena_copy(d->arena, text);
}

void
mfx_decide_reject(struct mfx_decision *d, unsigned code, const char *enhanced,
                  struct mfx_str text, const char *reason)
{
    refuse(d, MFX_VERDICT_REJECT, code, enhanced, text, reason);
}

void
mfx_decide_tempfail(struct mfx_decision *d, unsigned code, const char *enhanced,
                    struct mfx_str text, const char *reason)
{
    refuse(d, MFX_VERDICT_TEMPFAIL, code, enhanced, text, reason);
}

static void
add_edit(struct mfx_decision *d, const struct mfx_edit *edit)
{
    struct mfx_edit *e = mfx_arena_alloc(d->arena, sizeof *e);
    if (e == NULL)
        return;
    *e = *edit;
    e->name = mfx_arena_copy(d->arena, edit->name);
    e->value = mfx_arena_copy(d->arena, edit->value);
    e->next = NULL;
    if (d->last_edit == NULL)
        d->edits = e;
    else
        d->last_edit->next = e;
    d->last_edit = e;
}

static void
refuse_edit(struct mfx_decision *d, const char *reason)
{
    mfx_decide_tempfail(d, 451, "4.3.0", mfx_str_of("internal error"), reason);
}

static bool
is_writable(struct mfx_decision *d, struct mfx_str name, struct mfx_str value)
{
    bool is_ok =
        mfx_header_name_is_valid(name) && mfx_header_value_is_safe(value);
    if (!is_ok)
        refuse_edit(d, "a header field to be written is not safe");
    return is_ok;
}

void
mfx_edit_insert_header(struct mfx_decision *d, enum mfx_edit_place place,
                       struct mfx_str name, struct mfx_str value)
{
    if (is_writable(d, name, value))
        add_edit(d, &(struct mfx_edit){.kind = MFX_EDIT_INSERT_HEADER,
                                       .place = place,
                                       .name = name,
                                       .value = value});
}

void
mfx_edit_insert_header_at(struct mfx_decision *d, int at, struct mfx_str name,
                          struct mfx_str value)
{
    if (is_writable(d, name, value))
        add_edit(d, &(struct mfx_edit){.kind = MFX_EDIT_INSERT_HEADER,
                                       .place = MFX_EDIT_AT,
                                       .at = at,
                                       .name = name,
                                       .value = value});
}

void
mfx_edit_change_header(struct mfx_decision *d, const struct mfx_header *header,
                       struct mfx_str value)
{
    if (is_writable(d, header->name, value))
        add_edit(d, &(struct mfx_edit){.kind = MFX_EDIT_CHANGE_HEADER,
                                       .header = header,
                                       .name = header->name,
                                       .value = value});
}

void
mfx_edit_delete_header(struct mfx_decision *d, const struct mfx_header *header)
{
    add_edit(d, &(struct mfx_edit){.kind = MFX_EDIT_DELETE_HEADER,
                                   .header = header,
                                   .name = header->name});
}

static void
edit_address(struct mfx_decision *d, enum mfx_edit_kind kind,
             struct mfx_str address, struct mfx_str parameters)
{
    if (mfx_str_is_line(address) && mfx_str_is_line(parameters))
        add_edit(d, &(struct mfx_edit){.kind = kind,
                                       .value = address,
                                       .parameters = parameters});
    else
        refuse_edit(d, "an address to be written is not safe");
}

void
mfx_edit_sender(struct mfx_decision *d, struct mfx_str address,
                struct mfx_str parameters)
{
    edit_address(d, MFX_EDIT_SENDER, address, parameters);
}

void
mfx_edit_add_recipient(struct mfx_decision *d, struct mfx_str address,
                       struct mfx_str parameters)
{
    edit_address(d, MFX_EDIT_ADD_RECIPIENT, address, parameters);
}

void
mfx_edit_delete_recipient(struct mfx_decision *d,
                          struct mfx_str recipient_as_received)
{
    edit_address(d, MFX_EDIT_DELETE_RECIPIENT, recipient_as_received,
                 mfx_str("", 0));
}

void
mfx_edit_body(struct mfx_decision *d, struct mfx_str body)
{
    add_edit(d, &(struct mfx_edit){.kind = MFX_EDIT_BODY, .value = body});
}

static void
add_note(struct mfx_decision *d, struct mfx_decision_note **first,
         struct mfx_decision_note **last, const char *key, struct mfx_str text)
{
    struct mfx_decision_note *n = mfx_arena_alloc(d->arena, sizeof *n);
    if (n == NULL)
        return;
    n->key = key;
    n->text = text;
    if (*last == NULL)
        *first = n;
    else
        (*last)->next = n;
    *last = n;
}

void
mfx_fact(struct mfx_decision *d, const char *key, struct mfx_str value)
{
    add_note(d, &d->facts, &d->last_fact, key, mfx_arena_copy(d->arena, value));
}

void
mfx_fact_u64(struct mfx_decision *d, const char *key, uint64_t value)
{
    add_note(d, &d->facts, &d->last_fact, key,
             mfx_arena_printf(d->arena, "%llu", (unsigned long long)value));
}

void
mfx_decision_event(struct mfx_decision *d, const char *event,
                   struct mfx_str reason)
{
    d->event = event;
    d->reason = mfx_arena_copy(d->arena, reason);
}

void
mfx_trace(struct mfx_decision *d, const char *rule, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct mfx_str text = mfx_arena_vprintf(d->arena, format, args);
    va_end(args);
    add_note(d, &d->trace, &d->last_trace, rule, text);
}
