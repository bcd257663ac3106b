/* SPDX-License-Identifier: BSD-2-Clause */
#include "guard.h"

#include <mfx/mail/address.h>
#include <mfx/mail/address_rewrite.h>
#include <mfx/policy/reply_text.h>

#include "complain.h"

static const struct mfx_str from_name = MFX_STR("From");
static const struct mfx_str sender_name = MFX_STR("Sender");

/* --- load --- */

static void
complain(const struct mfx_policy_build *build, const char *setting,
         const char *text, struct mfx_str word)
{
    struct mfx_str whole =
        mfx_arena_printf(build->arena, "\"%.*s\" %s", MFX_STR_ARG(word), text);
    masq_complain(build, MFX_PROBLEM_ERROR, setting,
                  whole.p == NULL ? text : whole.p);
}

enum mfx_rc
masq_guard_build(struct masq_guard *guard, const struct masq_settings *settings,
                 const struct mfx_policy_build *build)
{
    const struct masq_guard_settings *s = &settings->from_guard;
    size_t errors = build->problems->errors;
    *guard = (struct masq_guard){
        .settings = s,
        .origin_domain = settings->origin_domain,
        .delimiters = settings->recipient_delimiter,
        .max_addresses = (size_t)settings->max_addresses,
    };
    if (!mfx_reply_code_parse(s->code, &guard->code, &guard->enhanced))
        complain(build, "from_guard.code",
                 "is to be like \"550 5.7.1\" or \"450 4.7.1\"", s->code);
    for (size_t i = 0; i < s->keep_old.count; i++) {
        if (mfx_str_is(s->keep_old.items[i], "reply_to"))
            guard->keeps_reply_to = true;
        else if (mfx_str_is(s->keep_old.items[i], "x_original_from"))
            guard->keeps_x_original_from = true;
        else
            complain(build, "from_guard.keep_old",
                     "is neither reply_to nor x_original_from",
                     s->keep_old.items[i]);
    }
    return build->problems->errors > errors ? MFX_PERMFAIL : MFX_OK;
}

/* --- what is wrong with a field --- */

struct check {
    const struct masq_guard *guard;
    struct masq_fields *fields;
    struct mfx_str login;
    const struct masq_address *sender;
    struct mfx_arena *arena;
    struct mfx_err *err;
};

/* Of From or Sender; all is well when neither fault nor address is there. */
struct finding {
    const char *name;
    struct masq_field *field;
    struct mfx_address_list list;
    const char *fault;      /* whoever sends it */
    struct mfx_str address; /* not this login's */
};

static bool
is_wrong(const struct finding *f)
{
    return f->fault != NULL || f->address.len > 0;
}

static enum mfx_rc
parse(struct check *c, struct finding *f)
{
    enum mfx_rc rc = mfx_address_list_parse(f->field->value, c->arena,
                                            c->guard->max_addresses, &f->list);
    if (rc == MFX_PERMFAIL)
        f->fault = "cannot be understood";
    else if (rc == MFX_NOTFOUND)
        f->fault = "holds no address";
    return rc == MFX_TEMPFAIL ? rc : MFX_OK;
}

/* In a form for people: the local part as it is written. */
static enum mfx_rc
show(struct check *c, const struct masq_address *a, struct mfx_str *text)
{
    return masq_address_key(a, c->arena, text);
}

static enum mfx_rc
look_at_addresses(struct check *c, struct finding *f)
{
    struct mfx_str why;
    for (size_t i = 0; i < f->list.count; i++) {
        struct masq_address a = {f->list.mailboxes[i].local,
                                 f->list.mailboxes[i].domain};
        enum mfx_rc rc =
            masq_guard_may_use(c->guard, c->login, &a, c->arena, &why, c->err);
        if (rc == MFX_NOTFOUND)
            return show(c, &a, &f->address);
        if (rc != MFX_OK)
            return rc;
    }
    return MFX_OK;
}

static enum mfx_rc
look_at(struct check *c, struct mfx_str name, struct finding *f)
{
    *f = (struct finding){.name = name.p};
    f->field = masq_fields_first(c->fields, name);
    if (f->field == NULL)
        return MFX_OK;
    if (masq_fields_next(f->field) != NULL)
        f->fault = "is there several times";
    enum mfx_rc rc = f->fault == NULL ? parse(c, f) : MFX_OK;
    return rc == MFX_OK && f->fault == NULL ? look_at_addresses(c, f) : rc;
}

/* --- a new From --- */

/* The value of a field that holds the envelope sender alone. */
static enum mfx_rc
sender_value(struct check *c, struct mfx_str *value)
{
    struct mfx_str spec;
    enum mfx_rc rc = mfx_address_spec_write(c->sender->local, c->sender->domain,
                                            c->arena, &spec);
    if (rc != MFX_OK)
        return rc;
    *value = mfx_arena_printf(c->arena, " %.*s", MFX_STR_ARG(spec));
    return value->p == NULL ? MFX_TEMPFAIL : MFX_OK;
}

static enum mfx_rc
new_value(struct check *c, const struct finding *from, struct mfx_str *value)
{
    const struct mfx_address_wish wish = {true, c->sender->local,
                                          c->sender->domain};
    enum mfx_rc rc = MFX_PERMFAIL;
    if (from->fault == NULL && from->list.count == 1 &&
        !from->list.mailboxes[0].is_in_group)
        rc =
            mfx_address_list_rewrite(from_name, from->field->value, &from->list,
                                     &wish, c->arena, value, c->err);
    return rc == MFX_PERMFAIL ? sender_value(c, value) : rc;
}

static enum mfx_rc
keep_old(struct check *c, const struct finding *from)
{
    static const struct mfx_str reply_to = MFX_STR("Reply-To");
    enum mfx_rc rc = MFX_OK;
    if (from->field == NULL)
        return rc;
    if (c->guard->keeps_reply_to && from->fault == NULL &&
        masq_fields_first(c->fields, reply_to) == NULL)
        rc = masq_fields_add(c->fields, reply_to.p, from->field->value, c->err);
    for (const struct masq_field *f = from->field;
         f != NULL && rc == MFX_OK && c->guard->keeps_x_original_from;
         f = masq_fields_next(f))
        rc = masq_fields_add(c->fields, "X-Original-From", f->value, c->err);
    return rc;
}

static enum mfx_rc
set_from(struct check *c, const struct finding *from)
{
    struct mfx_str value;
    enum mfx_rc rc = new_value(c, from, &value);
    if (rc == MFX_OK)
        rc = keep_old(c, from);
    if (rc == MFX_OK && from->field == NULL)
        return masq_fields_add(c->fields, from_name.p, value, c->err);
    if (rc == MFX_OK)
        rc = masq_fields_set(c->fields, from->field, value, c->err);
    if (rc == MFX_OK)
        for (struct masq_field *f = from->field;
             (f = masq_fields_next(f)) != NULL;)
            masq_fields_remove(f);
    return rc;
}

/* From with several authors, all of them allowed, needs a Sender (RFC 5322
 * 3.6.2). */
static enum mfx_rc
set_sender(struct check *c, const struct finding *from,
           const struct finding *sender)
{
    struct mfx_str value;
    struct masq_field *f = sender->field;
    enum mfx_rc rc = MFX_OK;
    if (!is_wrong(from) && from->list.count > 1) {
        rc = sender_value(c, &value);
        if (rc == MFX_OK)
            rc = masq_fields_set(c->fields, f, value, c->err);
        f = masq_fields_next(f);
    }
    for (; rc == MFX_OK && f != NULL; f = masq_fields_next(f))
        masq_fields_remove(f);
    return rc;
}

/* --- the answer --- */

struct variables {
    const struct check *c;
    const struct finding *f;
};

static bool
put_variable(const void *arg, struct mfx_str name, struct mfx_buf *out)
{
    const struct variables *v = arg;
    if (mfx_str_is(name, "login"))
        mfx_buf_add(out, v->c->login);
    else if (mfx_str_is(name, "from"))
        mfx_buf_add(out, v->f->address);
    else if (mfx_str_is(name, "field"))
        mfx_buf_add_text(out, v->f->name);
    else
        return false;
    return true;
}

static struct mfx_str
refusal_text(const struct check *c, const struct finding *f)
{
    const struct variables v = {c, f};
    if (f->fault == NULL)
        return mfx_reply_text_expand(c->guard->settings->text, put_variable, &v,
                                     c->arena);
    return mfx_arena_printf(c->arena, "%s field %s", f->name, f->fault);
}

static struct mfx_str
reason(const struct check *c, const struct finding *f)
{
    if (f->fault == NULL)
        return mfx_arena_printf(c->arena, "%s %.*s is not of login %.*s",
                                f->name, MFX_STR_ARG(f->address),
                                MFX_STR_ARG(c->login));
    return mfx_arena_printf(c->arena, "%s field %s", f->name, f->fault);
}

static void
refuse(const struct check *c, const struct finding *f,
       struct masq_guard_answer *answer)
{
    answer->verdict = MASQ_GUARD_REFUSED;
    answer->code = c->guard->code;
    answer->enhanced = c->guard->enhanced;
    answer->text = refusal_text(c, f);
}

static enum mfx_rc
rewrite(struct check *c, const struct finding *from,
        const struct finding *sender, struct masq_guard_answer *answer)
{
    struct mfx_str why;
    enum mfx_rc rc = MFX_NOTFOUND;
    if (c->sender != NULL)
        rc = masq_guard_may_use(c->guard, c->login, c->sender, c->arena, &why,
                                c->err);
    if (rc == MFX_OK && is_wrong(from))
        rc = set_from(c, from);
    if (rc == MFX_OK && is_wrong(sender))
        rc = set_sender(c, from, sender);
    if (rc == MFX_OK)
        answer->verdict = MASQ_GUARD_REWRITTEN;
    else if (rc != MFX_TEMPFAIL)
        refuse(c, is_wrong(from) ? from : sender, answer);
    return rc == MFX_TEMPFAIL ? rc : MFX_OK;
}

static enum mfx_rc
act(struct check *c, const struct finding *from, const struct finding *sender,
    struct masq_guard_answer *answer)
{
    const struct finding *wrong = is_wrong(from) ? from : sender;
    answer->why = reason(c, wrong);
    switch ((enum masq_guard_action)c->guard->settings->action) {
    case MASQ_GUARD_REJECT:
        refuse(c, wrong, answer);
        return MFX_OK;
    case MASQ_GUARD_REWRITE:
        return rewrite(c, from, sender, answer);
    case MASQ_GUARD_LOG:
        answer->verdict = MASQ_GUARD_NOTED;
        return MFX_OK;
    }
    return MFX_TEMPFAIL;
}

static enum mfx_rc
is_exempt(const struct check *c)
{
    struct mfx_str value;
    struct mfx_table *exempt = c->guard->settings->exempt_logins;
    if (c->login.len == 0)
        return MFX_OK;
    if (exempt == NULL)
        return MFX_NOTFOUND;
    return mfx_table_get(exempt, c->login, c->arena, &value, c->err);
}

enum mfx_rc
masq_guard_check(const struct masq_guard *guard, struct masq_fields *fields,
                 struct mfx_str login, const struct masq_address *sender,
                 struct mfx_arena *arena, struct masq_guard_answer *answer,
                 struct mfx_err *err)
{
    struct check c = {guard, fields, login, sender, arena, err};
    struct finding from, in_sender = {.name = sender_name.p};
    *answer = (struct masq_guard_answer){.verdict = MASQ_GUARD_ALLOWED,
                                         .why = MFX_STR("login's own address")};
    enum mfx_rc rc = is_exempt(&c);
    if (rc == MFX_OK)
        answer->why = mfx_str_of(login.len == 0 ? "no login" : "exempt login");
    if (rc != MFX_NOTFOUND)
        return rc;
    rc = fields->is_incomplete ? MFX_TEMPFAIL : look_at(&c, from_name, &from);
    if (rc == MFX_OK && from.field == NULL)
        from.fault = "is missing";
    if (rc == MFX_OK && guard->settings->sender)
        rc = look_at(&c, sender_name, &in_sender);
    if (rc == MFX_OK && (is_wrong(&from) || is_wrong(&in_sender)))
        rc = act(&c, &from, &in_sender, answer);
    return mfx_arena_ok(arena) ? rc : MFX_TEMPFAIL;
}
