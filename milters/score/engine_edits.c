/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine_edits.h"

#include "subject.h"

enum {
    SHOWN_MAX = 60, /* of a name in the trace */
};

static const struct mfx_str dkim_field = MFX_STR("DKIM-Signature");
static const struct mfx_str action_field = MFX_STR("X-Rspamd-Action");

struct job {
    struct mfx_message *m;
    const struct mfx_scan_result *r;
    const struct score_engine_edits_rules *rules;
    size_t fields, recipients, bytes;
};

static void
leave_out(const struct job *job, const char *what, struct mfx_str name,
          const char *why)
{
    mfx_trace(job->m->decision, "engine_edit", "%.*s: %s %.*s left out: %s",
              MFX_STR_ARG(job->rules->engine), what,
              MFX_STR_ARG(mfx_str_head(name, SHOWN_MAX)), why);
}

/* --- fields --- */

static bool
has_controls(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t' && s.p[i] != '\n') ||
            s.p[i] == 0x7F)
            return true;
    return false;
}

/* As it stands behind the colon, with lines joined by LF. */
static struct mfx_str
value_of(const struct job *job, struct mfx_str value)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, job->m->arena, value.len + 1);
    mfx_buf_add_text(&out, " ");
    for (size_t i = 0; i < value.len; i++)
        if (value.p[i] != '\r' || i + 1 == value.len || value.p[i + 1] != '\n')
            mfx_buf_add_byte(&out, value.p[i]);
    return mfx_buf_str(&out);
}

static const char *
name_fault(struct mfx_str name)
{
    if (!mfx_header_name_is_valid(name))
        return "no name of a header field";
    return name.len > SCORE_EDITS_NAME_MAX ? "the name is too long" : NULL;
}

static const char *
value_fault(const struct job *job, struct mfx_str value)
{
    if (value.len > SCORE_EDITS_VALUE_MAX)
        return "the value is too long";
    if (job->bytes + value.len > SCORE_EDITS_BYTES_MAX)
        return "too much is added";
    if (!mfx_header_value_is_safe(value) || has_controls(value))
        return "the value holds control bytes or line ends";
    return NULL;
}

static bool
is_reserved(const struct job *job, struct mfx_str name)
{
    const struct score_engine_edits_rules *rules = job->rules;
    return rules->is_reserved != NULL && rules->is_reserved(rules->arg, name);
}

static void
add_field(struct job *job, struct mfx_str name, struct mfx_str value, int at)
{
    const char *why = name_fault(name);
    if (why == NULL && is_reserved(job, name))
        why = "we write it";
    value = value_of(job, mfx_str_head(value, SCORE_EDITS_VALUE_MAX + 1));
    if (why == NULL)
        why = value_fault(job, value);
    if (why != NULL) {
        leave_out(job, "field", name, why);
        return;
    }
    job->bytes += name.len + value.len;
    mfx_edit_insert_header_at(job->m->decision, at, name, value);
}

/* The n-th of that name; from the bottom for n < 0. */
static const struct mfx_header *
nth(const struct job *job, struct mfx_str name, int n)
{
    const struct mfx_header *h = n > 0
                                     ? mfx_headers_first(&job->m->headers, name)
                                     : mfx_headers_last(&job->m->headers, name);
    while (h != NULL && n != 1 && n != -1) {
        h = n > 0 ? h->same_next : h->same_prev;
        n += n > 0 ? -1 : 1;
    }
    return h;
}

static void
remove_fields(const struct job *job, struct mfx_str name, int n)
{
    const struct mfx_header *h =
        n == 0 ? mfx_headers_first(&job->m->headers, name) : nth(job, name, n);
    for (; h != NULL; h = n == 0 ? h->same_next : NULL)
        mfx_edit_delete_header(job->m->decision, h);
}

/* Asked for once more: nothing is left to do. */
static bool
is_repeated(const struct mfx_scan_edit *edits, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (edits[j].kind == MFX_SCAN_EDIT_REMOVE &&
            edits[j].at == edits[i].at &&
            mfx_str_eq_nocase(edits[j].name, edits[i].name))
            return true;
    return false;
}

/* Removals come first, wherever they stand. */
static void
edit_fields(struct job *job, const struct mfx_scan_edits *edits)
{
    size_t room = SCORE_EDITS_MAX - job->fields;
    size_t count = edits->count < room ? edits->count : room;
    job->fields += count;
    if (count < edits->count)
        leave_out(job, "what follows", edits->items[count].name,
                  "too many fields");
    for (size_t i = 0; i < count; i++)
        if (edits->items[i].kind == MFX_SCAN_EDIT_REMOVE &&
            !is_repeated(edits->items, i))
            remove_fields(job, edits->items[i].name, edits->items[i].at);
    for (size_t i = 0; i < count; i++)
        if (edits->items[i].kind == MFX_SCAN_EDIT_ADD)
            add_field(job, edits->items[i].name, edits->items[i].value,
                      edits->items[i].at);
}

/* --- the envelope --- */

static struct mfx_str
without_brackets(struct mfx_str address)
{
    if (address.len >= 2 && address.p[0] == '<' &&
        address.p[address.len - 1] == '>')
        return mfx_str(address.p + 1, address.len - 2);
    return address;
}

static bool
is_bare(char c)
{
    return !mfx_str_has(mfx_str_of(" <>,()"), c);
}

/* No control bytes; blanks and brackets in a quoted local part only. */
static bool
is_path(struct mfx_str address)
{
    bool is_quoted = false, is_escaped = false;
    for (size_t i = 0; i < address.len; i++) {
        char c = address.p[i];
        if ((unsigned char)c < ' ' || c == 0x7F || (!is_quoted && !is_bare(c)))
            return false;
        if (!is_escaped && c == '"')
            is_quoted = !is_quoted;
        is_escaped = is_quoted && !is_escaped && c == '\\';
    }
    return !is_quoted;
}

static const char *
address_fault(const struct job *job, struct mfx_str address)
{
    if (address.len > SCORE_EDITS_ADDRESS_MAX)
        return "the address is too long";
    if (!is_path(address))
        return "no address";
    if (!mfx_str_is_ascii(address) &&
        (!job->m->is_smtputf8 || !mfx_str_is_utf8(address)))
        return "an address beyond ASCII";
    return NULL;
}

static void
change_sender(const struct job *job)
{
    struct mfx_str address = without_brackets(job->r->sender);
    const char *why = address_fault(job, address);
    if (why != NULL)
        leave_out(job, "sender", address, why);
    else
        mfx_edit_sender(job->m->decision, address, job->m->sender_parameters);
}

/* Domains are alike in any case, and so are local parts to all who matter. */
static bool
is_same(struct mfx_str a, struct mfx_str b)
{
    return mfx_str_eq_nocase(without_brackets(a), without_brackets(b));
}

static bool
is_removed(const struct job *job, struct mfx_str address)
{
    const struct mfx_scan_texts *list = &job->r->removed_recipients;
    for (size_t i = 0; i < list->count; i++)
        if (is_same(list->items[i], address))
            return true;
    return false;
}

static bool
is_within_limit(struct job *job, struct mfx_str address)
{
    if (job->recipients == SCORE_EDITS_MAX)
        leave_out(job, "what follows", address, "too many recipients");
    return job->recipients++ < SCORE_EDITS_MAX;
}

static void
add_recipients(struct job *job)
{
    const struct mfx_scan_texts *list = &job->r->added_recipients;
    for (size_t i = 0; i < list->count; i++) {
        struct mfx_str address = without_brackets(list->items[i]);
        const char *why =
            address.len == 0 ? "no address" : address_fault(job, address);
        if (!is_within_limit(job, address))
            return;
        if (why != NULL)
            leave_out(job, "recipient", address, why);
        else if (!is_removed(job, address))
            mfx_edit_add_recipient(job->m->decision, address, mfx_str("", 0));
    }
}

static void
delete_recipients(struct job *job)
{
    const struct mfx_scan_texts *list = &job->r->removed_recipients;
    for (size_t i = 0; i < list->count; i++) {
        bool is_known = false;
        const struct mfx_recipient *r = job->m->recipients;
        if (!is_within_limit(job, list->items[i]))
            return;
        for (; r != NULL; r = r->next) {
            if (!is_same(r->address, list->items[i]))
                continue;
            is_known = true;
            mfx_edit_delete_recipient(job->m->decision, r->raw);
        }
        if (!is_known)
            leave_out(job, "removal of recipient", list->items[i],
                      "it is none of this message");
    }
}

/* --- the rest --- */

static void
add_signatures(struct job *job)
{
    const struct mfx_scan_texts *list = &job->r->dkim_signatures;
    if (list->count > 0 && job->r->is_partial) {
        leave_out(job, "field", dkim_field, "it saw a part only");
        return;
    }
    for (size_t i = 0; i < list->count && i < SCORE_EDITS_MAX; i++)
        add_field(job, dkim_field, list->items[i], (int)i + 1);
}

static void
replace_body(const struct job *job)
{
    if (!job->r->has_body)
        return;
    if (job->r->is_partial)
        leave_out(job, "new", mfx_str_of("body"), "it saw a part only");
    else
        mfx_edit_body(job->m->decision, job->r->body);
}

/* spamd names no action: it has tagged the subject, or not. */
static bool
has_new_subject(const struct job *job)
{
    const struct mfx_scan_result *r = job->r;
    if (!r->has_subject || job->rules->keeps_subject)
        return false;
    return r->action == MFX_SCAN_ACTION_REWRITE_SUBJECT ||
           (r->action == MFX_SCAN_ACTION_NONE && r->is_spam &&
            !score_subject_is(job->m, r->subject));
}

/* What rspamd's milter does for the action itself, and spamass-milter for the
 * subject. */
static void
mark(struct job *job)
{
    const struct mfx_scan_result *r = job->r;
    if (r->no_action)
        add_field(job, action_field, r->action_word, -1);
    else if (r->action == MFX_SCAN_ACTION_ADD_HEADER)
        edit_fields(job, &r->spam_edits);
    else if (has_new_subject(job))
        score_subject_replace(job->m, r->subject);
}

void
score_engine_edits_apply(struct mfx_message *m,
                         const struct mfx_scan_result *result,
                         const struct score_engine_edits_rules *rules)
{
    struct job job = {.m = m, .r = result, .rules = rules};
    if (result->end != MFX_SCAN_ANSWERED)
        return;
    edit_fields(&job, &result->edits);
    if (result->has_sender)
        change_sender(&job);
    add_recipients(&job);
    delete_recipients(&job);
    add_signatures(&job);
    replace_body(&job);
    mark(&job);
}
