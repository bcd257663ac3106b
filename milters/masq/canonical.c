/* SPDX-License-Identifier: BSD-2-Clause */
#include "canonical.h"

#include <mfx/base/buf.h>
#include <mfx/mail/address.h>

#define NO_END ": no end"

enum {
    MAX_WHY = 64 * 1024,
    MAX_VALUES = 100, /* addresses in one value; the first counts */
};

/* One search through the tables. */
struct search {
    const struct masq_canonical *c;
    struct mfx_arena *arena;
    struct mfx_err *err;
    struct mfx_str key, value; /* the row that was found */
    bool is_cut;               /* without the extension */
};

/* --- keys --- */

enum mfx_rc
masq_canonical_is_local(const struct masq_canonical *c, struct mfx_str domain,
                        struct mfx_arena *arena, struct mfx_err *err)
{
    struct mfx_str value;
    if (mfx_str_eq_nocase(domain, c->origin_domain))
        return MFX_OK;
    if (c->local_domains == NULL)
        return MFX_NOTFOUND;
    return mfx_table_get(c->local_domains, domain, arena, &value, err);
}

/* The whole address, part of it, or part of it without the extension. */
enum form {
    WHOLE,
    PART,
    CUT,
};

static enum mfx_rc
ask(struct search *s, struct mfx_str key, enum form form)
{
    enum mfx_rc rc = MFX_NOTFOUND;
    for (size_t i = 0; i < s->c->map_count && rc == MFX_NOTFOUND; i++)
        if (form == WHOLE || !mfx_table_has_patterns(s->c->maps[i]))
            rc = mfx_table_get(s->c->maps[i], key, s->arena, &s->value, s->err);
    if (rc == MFX_OK) {
        s->key = key;
        s->is_cut = form == CUT;
    }
    return rc;
}

static enum mfx_rc
ask_address(struct search *s, struct mfx_str local, struct mfx_str domain,
            enum form form)
{
    struct masq_address address = {local, domain};
    struct mfx_str key;
    enum mfx_rc rc = masq_address_key(&address, s->arena, &key);
    return rc == MFX_OK ? ask(s, key, form) : rc;
}

static enum mfx_rc
ask_domain(struct search *s, struct mfx_str domain)
{
    struct mfx_str key =
        mfx_arena_printf(s->arena, "@%.*s", MFX_STR_ARG(domain));
    return key.p == NULL ? MFX_TEMPFAIL : ask(s, key, PART);
}

static enum mfx_rc
find_row(struct search *s, const struct masq_address *a, struct mfx_str user)
{
    static const struct mfx_str none = MFX_STR("");
    bool has_extension = user.len < a->local.len;
    enum mfx_rc rc = ask_address(s, a->local, a->domain, WHOLE);
    if (rc == MFX_NOTFOUND && has_extension)
        rc = ask_address(s, user, a->domain, CUT);
    if (rc != MFX_NOTFOUND || a->domain.len == 0)
        return rc;
    rc = masq_canonical_is_local(s->c, a->domain, s->arena, s->err);
    if (rc == MFX_OK) {
        rc = ask_address(s, a->local, none, PART);
        if (rc == MFX_NOTFOUND && has_extension)
            rc = ask_address(s, user, none, CUT);
    }
    return rc == MFX_NOTFOUND ? ask_domain(s, a->domain) : rc;
}

enum mfx_rc
masq_canonical_find(const struct masq_canonical *c,
                    const struct masq_address *a, struct mfx_arena *arena,
                    struct masq_canonical_row *row, struct mfx_err *err)
{
    struct search s = {.c = c, .arena = arena, .err = err};
    size_t len = masq_address_user_len(c->delimiters, a->local);
    *row = (struct masq_canonical_row){.user = mfx_str_head(a->local, len)};
    enum mfx_rc rc = find_row(&s, a, row->user);
    row->key = s.key;
    row->value = s.value;
    if (s.is_cut)
        row->extension = mfx_str_from(a->local, len);
    else
        row->user = a->local;
    return rc;
}

/* --- values --- */

static enum mfx_rc
no_address(struct search *s)
{
    mfx_err_set(s->err, "row %.*s: \"%.*s\" is no address", MFX_STR_ARG(s->key),
                MFX_STR_ARG(s->value));
    return MFX_TEMPFAIL;
}

/* The address that the value says; its first one when there are several. */
static enum mfx_rc
read_value(struct search *s, struct mfx_str local, struct masq_address *to)
{
    struct mfx_address_list list;
    struct mfx_str value = mfx_str_trim(s->value);
    bool keeps_local = value.len > 0 && value.p[0] == '@';
    if (keeps_local)
        value = mfx_arena_printf(s->arena, "x%.*s", MFX_STR_ARG(value));
    enum mfx_rc rc = mfx_address_list_parse(value, s->arena, MAX_VALUES, &list);
    if (rc == MFX_TEMPFAIL)
        return rc;
    if (rc != MFX_OK || list.mailboxes[0].local.len == 0)
        return no_address(s);
    to->local = keeps_local ? local : list.mailboxes[0].local;
    to->domain = list.mailboxes[0].domain;
    if (to->domain.len == 0)
        to->domain = s->c->origin_domain;
    return MFX_OK;
}

static bool
append(struct search *s, struct mfx_str extension, struct mfx_str *local)
{
    char *bytes =
        mfx_arena_alloc_bytes(s->arena, local->len + extension.len + 1);
    if (bytes == NULL)
        return false;
    if (local->len > 0)
        memcpy(bytes, local->p, local->len);
    memcpy(bytes + local->len, extension.p, extension.len);
    *local = mfx_str(bytes, local->len + extension.len);
    return true;
}

/* One lookup, and what it makes of the address. */
static enum mfx_rc
map_once(struct search *s, struct masq_address *address)
{
    struct mfx_str local = address->local;
    struct mfx_str user =
        mfx_str_head(local, masq_address_user_len(s->c->delimiters, local));
    enum mfx_rc rc = find_row(s, address, user);
    if (rc == MFX_OK)
        rc = read_value(s, s->is_cut ? user : local, address);
    if (rc == MFX_OK && s->is_cut && s->c->propagates_extension &&
        !append(s, mfx_str_from(local, user.len), &address->local))
        rc = MFX_TEMPFAIL;
    return rc;
}

/* --- until it stays the same --- */

static bool
is_same_nocase(const struct masq_address *a, const struct masq_address *b)
{
    return mfx_str_eq_nocase(a->local, b->local) &&
           mfx_str_eq_nocase(a->domain, b->domain);
}

static enum mfx_rc
map_repeatedly(struct search *s, struct masq_address *address,
               struct mfx_buf *why)
{
    for (size_t i = 0; i < MASQ_CANONICAL_REPEATS; i++) {
        struct masq_address before = *address;
        enum mfx_rc rc = map_once(s, address);
        if (rc != MFX_OK)
            return rc;
        mfx_buf_add_text(why, i == 0 ? "row " : ", ");
        mfx_buf_add(why, s->key);
        if (is_same_nocase(&before, address))
            return MFX_OK;
    }
    mfx_buf_add_text(why, NO_END);
    return MFX_OK;
}

bool
masq_canonical_has_end(struct mfx_str why)
{
    return !mfx_str_ends_nocase(why, mfx_str_of(NO_END));
}

enum mfx_rc
masq_canonical_rewrite(const struct masq_canonical *c,
                       const struct masq_address *from, struct mfx_arena *arena,
                       struct masq_address *to, struct mfx_str *why,
                       struct mfx_err *err)
{
    struct search s = {.c = c, .arena = arena, .err = err};
    struct masq_address address = *from;
    struct mfx_buf words;
    *to = *from;
    *why = mfx_str(NULL, 0);
    mfx_buf_init_arena(&words, arena, MAX_WHY);
    if (address.domain.len == 0)
        address.domain = c->origin_domain;
    enum mfx_rc rc = map_repeatedly(&s, &address, &words);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        return MFX_TEMPFAIL;
    bool is_back = mfx_str_eq(address.local, from->local) &&
                   mfx_str_eq(address.domain, from->domain);
    if (!is_back || !masq_canonical_has_end(mfx_buf_str(&words)))
        *why = mfx_buf_str(&words);
    if (words.len == 0 || is_back)
        return MFX_NOTFOUND;
    *to = address;
    return mfx_buf_ok(&words) ? MFX_OK : MFX_TEMPFAIL;
}
