/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which addresses a login may use.
 */
#include <mfx/mail/address.h>

#include "guard.h"
#include "members.h"

struct question {
    const struct masq_guard *guard;
    struct mfx_str login;
    struct masq_address address; /* with a domain where there is one */
    struct mfx_arena *arena;
    struct mfx_str by; /* the item that allows it */
};

static struct mfx_str
domain_or_origin(const struct question *q, struct mfx_str domain)
{
    return domain.len > 0 ? domain : q->guard->origin_domain;
}

/* A-labels where the domain has them. */
static struct mfx_str
ascii(const struct question *q, struct mfx_str domain)
{
    struct mfx_str out;
    if (!mfx_str_is_ascii(domain) &&
        mfx_domain_to_ascii(domain, q->arena, &out) == MFX_OK)
        return out;
    return domain;
}

static bool
is_domain(const struct question *q, struct mfx_str domain)
{
    return mfx_str_eq_nocase(ascii(q, q->address.domain), ascii(q, domain));
}

static bool
is_below(const struct question *q, struct mfx_str domain)
{
    struct mfx_str own = ascii(q, q->address.domain);
    domain = ascii(q, domain);
    return domain.len > 0 && own.len > domain.len &&
           mfx_domain_is_within(own, domain);
}

static bool
is_local(const struct question *q, struct mfx_str local)
{
    struct mfx_str own = q->address.local;
    if (mfx_str_eq_nocase(own, local))
        return true;
    if (!q->guard->settings->subaddresses)
        return false;
    size_t len = masq_address_user_len(q->guard->delimiters, own);
    return mfx_str_eq_nocase(mfx_str_head(own, len), local);
}

/* "*@.x.example", "@.x.example": the domain; empty for another text. */
static struct mfx_str
parent_of(struct mfx_str text)
{
    static const struct mfx_str any = MFX_STR("*@."), all = MFX_STR("@.");
    if (mfx_str_starts(text, any))
        return mfx_str_from(text, any.len);
    return mfx_str_starts(text, all) ? mfx_str_from(text, all.len)
                                     : mfx_str("", 0);
}

/* *is_bad: the item says nothing that can be understood. */
static bool
allows(const struct question *q, const struct masq_member *item, bool *is_bad)
{
    const struct masq_address *a = &item->address;
    struct mfx_str parent = parent_of(item->text);
    bool is_any = mfx_str_is(a->local, "*");
    switch (item->kind) {
    case MASQ_MEMBER_ADDRESS:
        if (is_any && a->domain.len == 0)
            return true;
        return (is_any || is_local(q, a->local)) &&
               is_domain(q, domain_or_origin(q, a->domain));
    case MASQ_MEMBER_SAME_LOCAL:
        return is_domain(q, a->domain);
    case MASQ_MEMBER_HERE:
    case MASQ_MEMBER_INCLUDE:
    case MASQ_MEMBER_UNKNOWN:
        *is_bad = *is_bad || parent.len == 0;
        return is_below(q, parent);
    }
    return false;
}

static enum mfx_rc
read_row(struct question *q, struct mfx_str value, struct mfx_err *err)
{
    struct masq_member item;
    struct mfx_str rest = value;
    bool is_bad = false;
    enum mfx_rc rc = MFX_OK;
    while ((rc = masq_members_next(&rest, q->arena, &item)) == MFX_OK)
        if (allows(q, &item, &is_bad)) {
            q->by = item.text;
            return MFX_OK;
        }
    if (rc != MFX_NOTFOUND || !is_bad)
        return rc;
    mfx_err_set(err, "row %.*s: \"%.*s\" names no addresses",
                MFX_STR_ARG(q->login), MFX_STR_ARG(value));
    return MFX_TEMPFAIL;
}

static bool
is_login(const struct question *q)
{
    size_t at = mfx_str_find_last(q->login, '@');
    return q->guard->settings->login_is_address && at > 0 &&
           at + 1 < q->login.len && is_local(q, mfx_str_head(q->login, at)) &&
           is_domain(q, mfx_str_from(q->login, at + 1));
}

enum mfx_rc
masq_guard_may_use(const struct masq_guard *guard, struct mfx_str login,
                   const struct masq_address *address, struct mfx_arena *arena,
                   struct mfx_str *why, struct mfx_err *err)
{
    const struct mfx_option_tables *tables = &guard->settings->addresses;
    struct question q = {
        guard, login, *address, arena, {"", 0}
    };
    enum mfx_rc worst = MFX_NOTFOUND;
    q.address.domain = domain_or_origin(&q, address->domain);
    *why = mfx_str_of("login");
    if (is_login(&q))
        return MFX_OK;
    for (size_t i = 0; i < tables->count; i++) {
        struct mfx_str value;
        enum mfx_rc rc =
            mfx_table_get(tables->items[i], login, arena, &value, err);
        if (rc == MFX_OK)
            rc = read_row(&q, value, err);
        if (rc == MFX_OK) {
            *why = mfx_arena_printf(arena, "row %.*s", MFX_STR_ARG(q.by));
            return why->p == NULL ? MFX_TEMPFAIL : MFX_OK;
        }
        worst = mfx_rc_worst(worst, rc);
    }
    return worst == MFX_NOTFOUND && mfx_arena_ok(arena) ? MFX_NOTFOUND
                                                        : MFX_TEMPFAIL;
}
