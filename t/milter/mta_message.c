/* SPDX-License-Identifier: BSD-2-Clause */
#include "mta_message.h"

#include <libmilter/mfdef.h>

static const struct mfx_str own_name = MFX_STR("Received");
static const struct mfx_str own_value =
    MFX_STR(" from client.example by mx.example (test)\n\tid MTA");

static void
start(struct mta_message *m)
{
    m->fields = NULL;
    m->end = &m->fields;
    m->body = mfx_str_of("");
    m->sender = m->quarantine = mfx_str_of("");
    m->recipients = NULL;
    m->has_body = m->is_body_replaced = false;
    mta_message_add_field(m, own_name, own_value);
}

void
mta_message_init(struct mta_message *m)
{
    m->arena = mfx_arena_new(0);
    mfx_buf_init(&m->new_body, SIZE_MAX / 2);
    start(m);
}

void
mta_message_fini(struct mta_message *m)
{
    mfx_arena_free(m->arena);
    mfx_buf_fini(&m->new_body);
}

void
mta_message_clear(struct mta_message *m)
{
    mfx_arena_reset(m->arena);
    mfx_buf_clear(&m->new_body);
    start(m);
}

bool
mta_message_ok(const struct mta_message *m)
{
    return m->arena != NULL && mfx_arena_ok(m->arena) &&
           mfx_buf_ok(&m->new_body);
}

static struct mta_field *
field_new(struct mta_message *m, struct mfx_str name, struct mfx_str value)
{
    struct mta_field *f = mfx_arena_alloc(m->arena, sizeof *f);
    if (f == NULL)
        return NULL;
    f->name = mfx_arena_copy(m->arena, name);
    f->value = mfx_arena_copy(m->arena, value);
    return f;
}

static struct mta_field **
end_of_fields(struct mta_message *m)
{
    while (*m->end != NULL)
        m->end = &(*m->end)->next;
    return m->end;
}

struct mta_field *
mta_message_add_field(struct mta_message *m, struct mfx_str name,
                      struct mfx_str value)
{
    struct mta_field *f = field_new(m, name, value);
    *end_of_fields(m) = f;
    return f;
}

void
mta_message_set_body(struct mta_message *m, struct mfx_str crlf_bytes)
{
    m->body = mfx_arena_copy(m->arena, crlf_bytes);
    m->has_body = true;
}

/* --- parsing --- */

static struct mfx_str
cut_line(struct mfx_str *rest)
{
    size_t n = mfx_str_find(*rest, '\n');
    struct mfx_str line = mfx_str_head(*rest, n);
    *rest = mfx_str_from(*rest, n + 1);
    if (line.len != 0 && line.p[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Bytes of the field name, blanks before the colon not counted; 0 when the
 * line begins no field. */
static size_t
name_len(struct mfx_str line)
{
    size_t n = 0;
    while (n < line.len && line.p[n] > ' ' && line.p[n] < 127 &&
           line.p[n] != ':')
        n++;
    size_t colon = n;
    while (colon < line.len && mfx_ascii_is_wsp((unsigned char)line.p[colon]))
        colon++;
    return colon < line.len && line.p[colon] == ':' ? n : 0;
}

static void
add_crlf(struct mfx_buf *out, struct mfx_str bytes)
{
    while (bytes.len != 0) {
        size_t n = mfx_str_find(bytes, '\n');
        struct mfx_str line = mfx_str_head(bytes, n);
        bool has_end = n < bytes.len;
        if (has_end && line.len != 0 && line.p[line.len - 1] == '\r')
            line.len--;
        mfx_buf_add(out, line);
        if (has_end)
            mfx_buf_add_text(out, "\r\n");
        bytes = mfx_str_from(bytes, n + 1);
    }
}

static struct mta_field **
parse_field(struct mta_message *m, struct mta_field **at, struct mfx_str *rest)
{
    struct mfx_str line = cut_line(rest);
    size_t n = name_len(line);
    struct mfx_buf value;
    mfx_buf_init_arena(&value, m->arena, SIZE_MAX / 2);
    mfx_buf_add(&value, mfx_str_from(line, mfx_str_find(line, ':') + 1));
    while (rest->len != 0 && mfx_ascii_is_wsp((unsigned char)rest->p[0])) {
        mfx_buf_add_byte(&value, '\n');
        mfx_buf_add(&value, cut_line(rest));
    }
    *at = field_new(m, mfx_str_head(line, n), mfx_buf_str(&value));
    return *at == NULL ? at : &(*at)->next;
}

void
mta_message_parse(struct mta_message *m, struct mfx_str bytes)
{
    struct mta_field **at = end_of_fields(m);
    struct mfx_str rest = bytes;
    while (rest.len != 0 && mta_message_ok(m)) {
        struct mfx_str ahead = rest, line = cut_line(&ahead);
        if (line.len == 0) {
            rest = ahead;
            break;
        }
        if (name_len(line) == 0)
            break;
        at = parse_field(m, at, &rest);
    }
    struct mfx_buf body;
    mfx_buf_init_arena(&body, m->arena, SIZE_MAX / 2);
    add_crlf(&body, rest);
    m->body = mfx_buf_str(&body);
    m->has_body = m->body.len != 0;
}

/* --- edits --- */

/* The place where a field inserted at this index goes. */
static struct mta_field **
insert_place(struct mta_message *m, enum mta_kind kind, uint32_t index)
{
    struct mta_field **at = &m->fields;
    /* Sendmail's list holds seven invisible defaults behind its Received. */
    if (kind == MTA_SENDMAIL && index >= 1)
        index = index == UINT32_MAX ? 0 : index <= 8 ? 1 : index - 7;
    for (uint32_t i = 0; i < index && *at != NULL;) {
        if (!(*at)->is_deleted)
            i++;
        at = &(*at)->next;
    }
    return at;
}

/* The n-th field of that name below the first field of the message (the own
 * Received, which filters do not know). Sendmail goes on counting those that
 * are deleted. */
static struct mta_field *
find_field(struct mta_message *m, enum mta_kind kind, struct mfx_str name,
           uint32_t n)
{
    if (n == 0)
        n = 1;
    for (struct mta_field *f = m->fields->next; f != NULL; f = f->next) {
        if (!mfx_str_eq_nocase(f->name, name) ||
            (f->is_deleted && kind == MTA_POSTFIX))
            continue;
        if (--n == 0)
            return f;
    }
    return NULL;
}

static void
insert_at(struct mta_message *m, struct mta_field **at, struct mfx_str name,
          struct mfx_str value)
{
    struct mta_field *f = field_new(m, name, value);
    if (f == NULL)
        return;
    f->next = *at;
    *at = f;
}

/* Postfix adds at the end; Sendmail above the first of that name. */
static void
add_header(struct mta_message *m, enum mta_kind kind, struct mfx_str name,
           struct mfx_str value)
{
    struct mta_field **at = &m->fields->next;
    while (*at != NULL &&
           !(kind == MTA_SENDMAIL && mfx_str_eq_nocase((*at)->name, name)))
        at = &(*at)->next;
    insert_at(m, at, name, value);
}

static void
change_header(struct mta_message *m, enum mta_kind kind, uint32_t index,
              struct mfx_str name, struct mfx_str value, bool is_delete)
{
    struct mta_field *f = find_field(m, kind, name, index);
    if (is_delete) {
        if (f != NULL)
            f->is_deleted = true;
        return;
    }
    if (f == NULL) {
        add_header(m, kind, name, value);
        return;
    }
    f->value = mfx_arena_copy(m->arena, value);
    if (kind == MTA_POSTFIX)
        f->name = mfx_arena_copy(m->arena, name);
}

static void
change_recipient(struct mta_message *m, struct mfx_str address, bool is_add)
{
    struct mta_address **at = &m->recipients;
    while (*at != NULL) {
        if (!is_add && mfx_str_eq((*at)->text, address))
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
    if (!is_add)
        return;
    *at = mfx_arena_alloc(m->arena, sizeof **at);
    if (*at != NULL)
        (*at)->text = mfx_arena_copy(m->arena, address);
}

static struct mfx_str
written_value(struct mta_message *m, struct mfx_str value, bool is_lead_space)
{
    if (is_lead_space)
        return value;
    return mfx_arena_printf(m->arena, " %.*s", MFX_STR_ARG(value));
}

void
mta_message_edit(struct mta_message *m, enum mta_kind kind,
                 const struct mta_edit *edit, bool is_lead_space)
{
    struct mfx_str value = written_value(m, edit->value, is_lead_space);
    switch (edit->action) {
    case SMFIR_INSHEADER:
        insert_at(m, insert_place(m, kind, edit->index), edit->name, value);
        break;
    case SMFIR_ADDHEADER:
        add_header(m, kind, edit->name, value);
        break;
    case SMFIR_CHGHEADER:
        change_header(m, kind, edit->index, edit->name, value,
                      edit->value.len == 0);
        break;
    case SMFIR_CHGFROM:
        m->sender = mfx_arena_copy(m->arena, edit->name);
        break;
    case SMFIR_ADDRCPT:
    case SMFIR_ADDRCPT_PAR:
        change_recipient(m, edit->name, true);
        break;
    case SMFIR_DELRCPT:
        change_recipient(m, edit->name, false);
        break;
    case SMFIR_REPLBODY:
        m->is_body_replaced = true;
        mfx_buf_add(&m->new_body, edit->value);
        break;
    case SMFIR_QUARANTINE:
        m->quarantine = mfx_arena_copy(m->arena, edit->name);
        break;
    }
}

/* --- the result --- */

struct mfx_str
mta_message_body(const struct mta_message *m)
{
    return m->is_body_replaced ? mfx_buf_str(&m->new_body) : m->body;
}

void
mta_message_format(const struct mta_message *m, bool with_trace,
                   struct mfx_buf *out)
{
    for (const struct mta_field *f = m->fields; f != NULL; f = f->next) {
        bool is_own =
            mfx_str_eq(f->name, own_name) && mfx_str_eq(f->value, own_value);
        if (f->is_deleted || (is_own && !with_trace))
            continue;
        mfx_buf_add(out, f->name);
        mfx_buf_add_byte(out, ':');
        add_crlf(out, f->value);
        mfx_buf_add_text(out, "\r\n");
    }
    mfx_buf_add_text(out, "\r\n");
    mfx_buf_add(out, mta_message_body(m));
}
