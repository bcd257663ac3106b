/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/address_rewrite.h>

#include <mfx/base/buf.h>
#include <mfx/mail/address_fold.h>
#include <mfx/mail/address_scan.h>
#include <mfx/mail/header.h>

struct rewriter {
    struct mfx_str value;
    struct mfx_arena *arena;
    struct mfx_buf out;
    size_t copied; /* of the value */
};

static size_t
offset(const struct rewriter *r, struct mfx_str part)
{
    return (size_t)(part.p - r->value.p);
}

static void
copy_to(struct rewriter *r, size_t at)
{
    mfx_buf_add(&r->out, mfx_str(r->value.p + r->copied, at - r->copied));
    r->copied = at;
}

/* Leaves out the words and dots before `end`; comments among them stay, with
 * the white space around them. */
static void
leave_out(struct rewriter *r, size_t end)
{
    struct address_scan s = {.in = mfx_str_head(r->value, end),
                             .at = r->copied};
    bool any = false;
    while (s.at < end) {
        size_t start = s.at;
        if (!address_scan_cfws(&s))
            break;
        struct mfx_str gap = mfx_str(r->value.p + start, s.at - start);
        if (mfx_str_has(gap, '('))
            mfx_buf_add(&r->out, gap);
        if (address_scan_peek(&s) != '"')
            s.at += s.at < end;
        else if (!address_scan_quoted(&s, &any))
            break;
    }
    r->copied = end;
}

static enum mfx_rc
put_local(struct rewriter *r, const struct mfx_mailbox *box,
          struct mfx_str local, struct mfx_err *err)
{
    static const struct mfx_str none = MFX_STR("");
    struct mfx_str written;
    enum mfx_rc rc = mfx_address_spec_write(local, none, r->arena, &written);
    if (rc == MFX_PERMFAIL)
        mfx_err_set(err, "new address: no such local part");
    if (rc != MFX_OK)
        return rc;
    copy_to(r, offset(r, box->raw_local));
    mfx_buf_add(&r->out, written);
    leave_out(r, offset(r, box->raw_local) + box->raw_local.len);
    return MFX_OK;
}

static void
put_domain(struct rewriter *r, const struct mfx_mailbox *box,
           struct mfx_str domain)
{
    size_t local_end = offset(r, box->raw_local) + box->raw_local.len;
    size_t spec_end = offset(r, box->raw) + box->raw.len;
    if (box->domain.len == 0) {
        copy_to(r, local_end);
        mfx_buf_add_byte(&r->out, '@');
        mfx_buf_add(&r->out, domain);
    } else if (domain.len == 0) {
        copy_to(r, local_end);
        leave_out(r, spec_end);
    } else {
        copy_to(r, offset(r, box->raw_domain));
        mfx_buf_add(&r->out, domain);
        /* a literal has no final dot */
        leave_out(r, domain.p[0] == '[' ? spec_end
                                        : r->copied + box->raw_domain.len);
    }
}

static enum mfx_rc
put_mailbox(struct rewriter *r, const struct mfx_mailbox *box,
            const struct mfx_address_wish *wish, struct mfx_err *err)
{
    bool has_domain = !mfx_str_eq(wish->domain, box->domain);
    bool has_local = !mfx_str_eq(wish->local, box->local);
    if (!wish->is_set || (!has_local && !has_domain))
        return MFX_OK;
    enum mfx_rc rc = mfx_address_wish_check(wish, box->local, box->domain, err);
    /* a bare user cannot be spelled in all the ways that "@" allows */
    if (rc == MFX_OK && (has_local || wish->domain.len == 0))
        rc = put_local(r, box, wish->local, err);
    if (rc == MFX_OK && has_domain)
        put_domain(r, box, wish->domain);
    return rc;
}

/* --- what was made --- */

static bool
is_wished(const struct mfx_mailbox *got, const struct mfx_mailbox *old,
          const struct mfx_address_wish *wish)
{
    return mfx_str_eq(got->local, wish->is_set ? wish->local : old->local) &&
           mfx_str_eq(got->domain, wish->is_set ? wish->domain : old->domain);
}

static enum mfx_rc
check_result(struct mfx_str out, const struct mfx_address_list *list,
             const struct mfx_address_wish *wishes, struct mfx_err *err)
{
    struct mfx_address_list got;
    struct mfx_arena *scratch = mfx_arena_new(0);
    if (scratch == NULL)
        return MFX_TEMPFAIL;
    enum mfx_rc rc = mfx_address_list_parse(out, scratch, list->count, &got);
    if (rc == MFX_OK && got.count != list->count)
        rc = MFX_PERMFAIL;
    for (size_t i = 0; i < list->count && rc == MFX_OK; i++)
        if (!is_wished(&got.mailboxes[i], &list->mailboxes[i], &wishes[i]))
            rc = MFX_PERMFAIL;
    if (rc != MFX_OK)
        mfx_err_set(err, "new addresses: the field would not hold them");
    mfx_arena_free(scratch);
    return rc == MFX_NOTFOUND ? MFX_PERMFAIL : rc;
}

/* --- lines --- */

static enum mfx_rc
check_lines(struct mfx_str name, struct mfx_str old, struct mfx_str value,
            struct mfx_err *err)
{
    const char *wrong = NULL;
    size_t longest = address_fold_longest(name.len, value);
    if (longest > MFX_ADDRESS_LINE_MAX &&
        longest > address_fold_longest(name.len, old))
        wrong = "line of more than 998 octets";
    else if (!mfx_header_value_is_safe(value))
        wrong = "bytes that no field has";
    if (wrong == NULL)
        return MFX_OK;
    mfx_err_set(err, "new addresses: %s", wrong);
    return MFX_PERMFAIL;
}

enum mfx_rc
mfx_address_lines(struct mfx_str name, struct mfx_str old, struct mfx_str value,
                  struct mfx_arena *arena, struct mfx_str *out,
                  struct mfx_err *err)
{
    struct mfx_buf buf;
    *out = value;
    if (!mfx_header_value_is_safe(*out)) {
        mfx_buf_init_arena(&buf, arena, out->len);
        address_fold_mend(*out, &buf);
        *out = mfx_buf_str(&buf);
    }
    if (address_fold_longest(name.len, *out) > MFX_ADDRESS_LINE_MAX) {
        mfx_buf_init_arena(&buf, arena, 2 * out->len);
        address_fold_lines(name.len, *out, MFX_ADDRESS_LINE_MAX, &buf);
        *out = mfx_buf_str(&buf);
    }
    return mfx_arena_ok(arena) ? check_lines(name, old, *out, err)
                               : MFX_TEMPFAIL;
}

/* Most that the new value can need: quotes and backslashes included. */
static size_t
room(const struct rewriter *r, const struct mfx_address_list *list,
     const struct mfx_address_wish *wishes)
{
    size_t len = r->value.len;
    for (size_t i = 0; i < list->count; i++)
        if (wishes[i].is_set)
            len += 2 * wishes[i].local.len + 3 + wishes[i].domain.len;
    return len;
}

enum mfx_rc
mfx_address_list_rewrite(struct mfx_str name, struct mfx_str value,
                         const struct mfx_address_list *list,
                         const struct mfx_address_wish *wishes,
                         struct mfx_arena *arena, struct mfx_str *out,
                         struct mfx_err *err)
{
    struct rewriter r = {.value = value, .arena = arena};
    enum mfx_rc rc = MFX_OK;
    *out = value;
    mfx_buf_init_arena(&r.out, arena, room(&r, list, wishes));
    for (size_t i = 0; i < list->count && rc == MFX_OK; i++)
        rc = put_mailbox(&r, &list->mailboxes[i], &wishes[i], err);
    if (rc != MFX_OK)
        return rc;
    if (r.copied == 0 && r.out.len == 0)
        return MFX_NOTFOUND;
    copy_to(&r, value.len);
    if (!mfx_buf_ok(&r.out))
        return MFX_TEMPFAIL;
    struct mfx_str made;
    rc = mfx_address_lines(name, value, mfx_buf_str(&r.out), arena, &made, err);
    if (rc == MFX_OK)
        rc = check_result(made, list, wishes, err);
    if (rc == MFX_OK)
        *out = made;
    return rc;
}
