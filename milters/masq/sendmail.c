/* SPDX-License-Identifier: BSD-2-Clause */
#include "sendmail.h"

#include <mfx/base/buf.h>
#include <mfx/mail/address.h>

enum {
    MAX_TEXT = 64 * 1024,
};

struct masq_sendmail {
    const struct masq_rule_settings *settings;
};

/* An address on its way. */
struct call {
    const struct masq_rule_settings *settings;
    struct mfx_str own_name;
    struct mfx_arena *arena;
    struct mfx_err *err;
    struct masq_address address; /* domain empty: *LOCAL* */
    struct mfx_str row;          /* key of the genericstable that was found */
    const char *cause;           /* for `why`; NULL: the row alone */
};

/* --- settings --- */

enum mfx_rc
masq_sendmail_new(const struct masq_rule_settings *settings,
                  struct mfx_arena *arena, struct masq_sendmail **sendmail,
                  struct mfx_err *err)
{
    if (settings->masquerade_as.len > 0 &&
        !mfx_domain_is_valid(settings->masquerade_as, true)) {
        mfx_err_set(err, "masquerade_as: \"%.*s\" is no domain",
                    MFX_STR_ARG(settings->masquerade_as));
        return MFX_PERMFAIL;
    }
    struct masq_sendmail *s = mfx_arena_alloc(arena, sizeof *s);
    if (s == NULL)
        return MFX_TEMPFAIL;
    s->settings = settings;
    *sendmail = s;
    return MFX_OK;
}

bool
masq_sendmail_has_class(const struct masq_sendmail *s, enum masq_class class)
{
    switch (class) {
    case MASQ_HEADER_SENDER:
        return true;
    case MASQ_ENVELOPE_SENDER:
        return s->settings->masquerade_envelope;
    case MASQ_HEADER_RECIPIENT:
        return s->settings->allmasquerade;
    case MASQ_ENVELOPE_RECIPIENT:
    case MASQ_MESSAGE_ID:
    case MASQ_CLASS_COUNT:
        break;
    }
    return false;
}

/* --- classes of names --- */

static enum mfx_rc
ask_class(struct call *c, const struct mfx_option_tables *tables,
          struct mfx_str name)
{
    struct mfx_str value;
    enum mfx_rc rc = MFX_NOTFOUND;
    for (size_t i = 0; i < tables->count && rc == MFX_NOTFOUND; i++)
        rc = mfx_table_get(tables->items[i], name, c->arena, &value, c->err);
    return rc;
}

/* is_entire: what is below a name, too; ".name" is that alone. */
static enum mfx_rc
find_class(struct call *c, const struct mfx_option_tables *tables,
           struct mfx_str name, bool is_entire)
{
    enum mfx_rc rc = ask_class(c, tables, name);
    while (rc == MFX_NOTFOUND && is_entire) {
        name = mfx_str_from(name, mfx_str_find(name, '.'));
        if (name.len <= 1)
            break;
        rc = ask_class(c, tables, name);
        name = mfx_str_from(name, 1);
        if (rc == MFX_NOTFOUND)
            rc = ask_class(c, tables, name);
    }
    return rc;
}

static enum mfx_rc
find_own_name(struct call *c, struct mfx_str name)
{
    if (mfx_str_eq_nocase(name, c->own_name))
        return MFX_OK;
    return find_class(c, &c->settings->own_names, name, false);
}

/* --- the form that rules see (rulesets 3 and 96) --- */

static struct mfx_str
without_dot(struct mfx_str domain)
{
    bool has_dot = domain.len > 1 && domain.p[domain.len - 1] == '.';
    return mfx_str_head(domain, domain.len - (has_dot ? 1 : 0));
}

static bool
is_localhost(const struct call *c, struct mfx_str domain)
{
    static const struct mfx_str localhost = MFX_STR("localhost");
    struct mfx_str rest = mfx_str_from(domain, localhost.len);
    struct mfx_str parent =
        mfx_str_from(c->own_name, mfx_str_find(c->own_name, '.'));
    return mfx_str_starts_nocase(domain, localhost) &&
           (rest.len == 0 ||
            (parent.len > 1 && mfx_str_eq_nocase(rest, parent)));
}

/* MFX_NOTFOUND: no rule is for such an address. */
static enum mfx_rc
canonify(struct call *c, struct masq_address *a)
{
    a->domain = without_dot(a->domain);
    if (a->domain.len == 0)
        return mfx_str_has(a->local, '!') || mfx_str_has(a->local, '%')
                   ? MFX_NOTFOUND
                   : MFX_OK;
    bool is_literal = a->domain.p[0] == '[';
    enum mfx_rc rc = is_literal ? find_own_name(c, a->domain) : MFX_OK;
    if (rc == MFX_OK && (is_literal || is_localhost(c, a->domain)) &&
        c->own_name.len > 0) {
        a->domain = c->own_name;
        c->cause = "own name";
    }
    return rc;
}

/* --- genericstable --- */

static struct mfx_str
join(struct call *c, struct mfx_str a, const char *middle, struct mfx_str b)
{
    struct mfx_buf key;
    mfx_buf_init_arena(&key, c->arena, MAX_TEXT);
    mfx_buf_add(&key, a);
    mfx_buf_add_text(&key, middle);
    mfx_buf_add(&key, b);
    return mfx_buf_ok(&key) ? mfx_buf_str(&key) : mfx_str(NULL, 0);
}

/* %0 is the key, %1 the argument, %2 to %9 are none. */
static bool
expand(struct call *c, struct mfx_str key, struct mfx_str argument,
       struct mfx_str *value)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, c->arena, MAX_TEXT);
    for (size_t i = 0; i < value->len; i++) {
        char next = i + 1 < value->len ? value->p[i + 1] : '%';
        if (value->p[i] != '%') {
            mfx_buf_add_byte(&out, value->p[i]);
            continue;
        }
        i++;
        if (next == '0')
            mfx_buf_add(&out, key);
        else if (next == '1')
            mfx_buf_add(&out, argument);
        else if (!mfx_ascii_is_digit((unsigned char)next))
            mfx_buf_printf(&out, "%s%c", next == '%' ? "" : "%", next);
    }
    *value = mfx_str_trim(mfx_buf_str(&out));
    return mfx_buf_ok(&out);
}

/* whole: tables of patterns, too. The value as it stands, but for %1. */
static enum mfx_rc
ask_generics(struct call *c, struct mfx_str key, struct mfx_str argument,
             bool is_whole, struct mfx_str *value)
{
    const struct mfx_option_tables *tables = &c->settings->genericstable;
    enum mfx_rc rc = MFX_NOTFOUND;
    if (key.p == NULL)
        return MFX_TEMPFAIL;
    for (size_t i = 0; i < tables->count && rc == MFX_NOTFOUND; i++)
        if (is_whole || !mfx_table_has_patterns(tables->items[i]))
            rc = mfx_table_get(tables->items[i], key, c->arena, value, c->err);
    if (rc != MFX_OK)
        return rc;
    c->row = key;
    return expand(c, key, argument, value) ? MFX_OK : MFX_TEMPFAIL;
}

/* The parts of a local part; as written, in quotes where it needs them. */
struct user {
    struct mfx_str whole, written, name, detail;
    bool has_detail;
};

static enum mfx_rc
split_user(struct call *c, struct mfx_str local, struct user *user)
{
    struct masq_address name = {.local = local};
    *user = (struct user){.whole = local};
    enum mfx_rc rc = masq_address_key(&name, c->arena, &user->written);
    if (rc != MFX_OK || user->written.len == 0 || user->written.p[0] == '"')
        return rc;
    size_t plus = 1 + mfx_str_find(mfx_str_from(local, 1), '+');
    user->has_detail = plus < local.len;
    user->name = mfx_str_head(local, plus);
    user->detail = mfx_str_from(local, plus + 1);
    return MFX_OK;
}

/* host: with its "@". */
static enum mfx_rc
find_address(struct call *c, const struct user *user, struct mfx_str host,
             struct mfx_str *value)
{
    static const struct mfx_str none = MFX_STR("");
    enum mfx_rc rc =
        ask_generics(c, join(c, user->whole, "", host), none, true, value);
    if (rc != MFX_NOTFOUND || !user->has_detail)
        return rc;
    rc = ask_generics(c, join(c, user->name, "+*", host), user->detail, false,
                      value);
    if (rc == MFX_NOTFOUND)
        rc = ask_generics(c, join(c, user->name, "", host), none, false, value);
    return rc;
}

static bool
is_empty(enum mfx_rc rc, struct mfx_str value)
{
    return rc == MFX_NOTFOUND || (rc == MFX_OK && value.len == 0);
}

/* Users whatever the domain: here an empty value ends nothing. */
static enum mfx_rc
find_bare_user(struct call *c, const struct user *user, struct mfx_str *value)
{
    static const struct mfx_str none = MFX_STR("");
    enum mfx_rc rc = ask_generics(c, user->whole, none, false, value);
    if (is_empty(rc, *value) && user->has_detail)
        rc = ask_generics(c, join(c, user->name, "+*", none), user->detail,
                          false, value);
    if (is_empty(rc, *value) && user->has_detail)
        rc = ask_generics(c, user->name, none, false, value);
    return is_empty(rc, *value) ? MFX_NOTFOUND : rc;
}

static enum mfx_rc
find_row(struct call *c, struct mfx_str *value)
{
    static const struct mfx_str none = MFX_STR("");
    struct mfx_str domain = c->address.domain;
    struct mfx_str name = domain.len > 0 ? domain : c->own_name;
    struct user user;
    enum mfx_rc rc = split_user(c, c->address.local, &user);
    if (rc != MFX_OK)
        return rc;
    rc = MFX_NOTFOUND;
    if (name.len > 0)
        rc = find_address(c, &user, join(c, none, "@", name), value);
    if (rc == MFX_OK && value->len > 0 && value->p[0] != '@')
        return rc;
    if (rc != MFX_TEMPFAIL && domain.len > 0)
        rc = ask_generics(c, join(c, none, "@", domain), user.written, false,
                          value);
    if (rc == MFX_TEMPFAIL ||
        (rc == MFX_OK && domain.len > 0 && value->len > 0))
        return rc;
    return find_bare_user(c, &user, value);
}

static enum mfx_rc
read_value(struct call *c, struct mfx_str value)
{
    static const struct mfx_str none = MFX_STR("");
    struct mfx_address_list list;
    /* "user." is no address, but has one with a domain */
    bool is_bare = !mfx_str_has(value, '@');
    struct mfx_str text = is_bare ? join(c, value, "@x", none) : value;
    enum mfx_rc rc = mfx_address_list_parse(text, c->arena, 1, &list);
    if (rc == MFX_TEMPFAIL)
        return rc;
    if (rc != MFX_OK || list.mailboxes[0].local.len == 0) {
        mfx_err_set(c->err, "genericstable: row %.*s: \"%.*s\" is no address",
                    MFX_STR_ARG(c->row), MFX_STR_ARG(value));
        return MFX_TEMPFAIL;
    }
    c->address.local = list.mailboxes[0].local;
    c->address.domain = is_bare ? none : list.mailboxes[0].domain;
    return MFX_OK;
}

/* MFX_OK: the address is what it will be. MFX_NOTFOUND: on to masquerading. */
static enum mfx_rc
map_generics(struct call *c)
{
    const struct masq_rule_settings *s = c->settings;
    struct mfx_str value;
    enum mfx_rc rc = MFX_OK;
    if (s->genericstable.count == 0)
        return MFX_NOTFOUND;
    if (c->address.domain.len > 0)
        rc = find_class(c, &s->generics_domain, c->address.domain,
                        s->generics_entire_domain);
    if (rc == MFX_OK)
        rc = find_row(c, &value);
    if (rc == MFX_NOTFOUND)
        c->row = mfx_str(NULL, 0);
    if (rc == MFX_OK)
        rc = read_value(c, value);
    if (rc != MFX_OK)
        return rc;
    c->cause = NULL;
    if (c->address.domain.len == 0)
        return MFX_NOTFOUND;
    rc = canonify(c, &c->address);
    return rc == MFX_TEMPFAIL ? rc : MFX_OK;
}

/* --- masquerading --- */

static enum mfx_rc
but_not(enum mfx_rc rc)
{
    return rc == MFX_OK ? MFX_NOTFOUND : rc == MFX_NOTFOUND ? MFX_OK : rc;
}

/* MFX_OK: a domain that is not to be seen. */
static enum mfx_rc
find_hidden(struct call *c, struct mfx_str domain)
{
    const struct masq_rule_settings *s = c->settings;
    enum mfx_rc rc =
        but_not(find_class(c, &s->masquerade_exception, domain, true));
    if (rc != MFX_OK)
        return rc;
    rc = find_class(c, &s->masquerade_domain, domain,
                    s->masquerade_entire_domain);
    if (rc == MFX_NOTFOUND && !s->limited_masquerade)
        rc = find_own_name(c, domain);
    return rc;
}

static enum mfx_rc
find_masqueraded(struct call *c)
{
    bool is_bare = c->address.domain.len == 0;
    if (c->settings->masquerade_as.len == 0)
        return MFX_NOTFOUND;
    enum mfx_rc rc = is_bare ? MFX_OK : find_hidden(c, c->address.domain);
    if (rc != MFX_OK)
        return rc;
    return but_not(
        find_class(c, &c->settings->exposed_user, c->address.local, false));
}

static enum mfx_rc
masquerade(struct call *c)
{
    enum mfx_rc rc = find_masqueraded(c);
    if (rc == MFX_OK) {
        c->address.domain = c->settings->masquerade_as;
        c->cause = "masquerade_as";
    } else if (rc == MFX_NOTFOUND && c->address.domain.len == 0) {
        c->address.domain = c->own_name;
        c->cause = "own name";
    }
    return rc == MFX_NOTFOUND ? MFX_OK : rc;
}

/* --- an address --- */

static bool
is_as_before(const struct call *c, const struct masq_address *from)
{
    return mfx_str_eq(c->address.local, from->local) &&
           mfx_str_eq(c->address.domain, without_dot(from->domain));
}

static struct mfx_str
reason(const struct call *c)
{
    if (c->row.p == NULL)
        return mfx_str_of(c->cause);
    return mfx_arena_printf(c->arena, "row %.*s%s%s", MFX_STR_ARG(c->row),
                            c->cause == NULL ? "" : ", ",
                            c->cause == NULL ? "" : c->cause);
}

enum mfx_rc
masq_sendmail_rewrite(const struct masq_sendmail *s, struct mfx_str own_name,
                      const struct masq_address *from, struct mfx_arena *arena,
                      struct masq_address *to, struct mfx_str *why,
                      struct mfx_err *err)
{
    struct call c = {
        s->settings, without_dot(own_name), arena, err, *from, {NULL, 0},
             NULL
    };
    *to = *from;
    *why = mfx_str(NULL, 0);
    enum mfx_rc rc = canonify(&c, &c.address);
    if (rc == MFX_OK)
        rc = map_generics(&c);
    else if (rc == MFX_NOTFOUND)
        return rc;
    if (rc == MFX_NOTFOUND)
        rc = masquerade(&c);
    if (rc != MFX_OK)
        return MFX_TEMPFAIL;
    if (is_as_before(&c, from))
        return MFX_NOTFOUND;
    *why = reason(&c);
    if (why->p == NULL)
        return MFX_TEMPFAIL;
    *to = c.address;
    return MFX_OK;
}
