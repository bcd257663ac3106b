/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How a new address is spelled, what it may be, and the domain of Message-IDs.
 */
#include <mfx/mail/address_rewrite.h>

#include <mfx/mail/address_scan.h>

/* Of the literals that RFC 5321 4.1.3 allows those with addresses in them:
 * others may have bytes that part fields. */
static bool
is_literal(struct mfx_str domain)
{
    if (domain.len <= 2 || domain.p[0] != '[' ||
        domain.p[domain.len - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < domain.len; i++) {
        unsigned char c = (unsigned char)domain.p[i];
        if (!mfx_ascii_is_alnum(c) && c != '.' && c != ':' && c != '-')
            return false;
    }
    return true;
}

static bool
is_domain(struct mfx_str domain)
{
    return is_literal(domain) || mfx_domain_is_valid(domain, true);
}

static bool
is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7F;
}

/* Bytes that a local part can have, with or without quotes. */
static bool
is_writable(struct mfx_str local)
{
    for (size_t i = 0; i < local.len; i++)
        if (is_control(local.p[i]))
            return false;
    return mfx_str_is_utf8(local);
}

static bool
is_dot_atom(struct mfx_str local)
{
    struct address_scan s = {.in = local};
    struct address_run run;
    return address_scan_run(&s, &run) && s.at == local.len && run.is_dotted &&
           !run.has_quotes && run.start == 0 && run.end == local.len &&
           !run.has_gap;
}

static size_t
put_local(struct mfx_str local, char *out)
{
    size_t len = 0;
    if (is_dot_atom(local)) {
        memcpy(out, local.p, local.len);
        return local.len;
    }
    out[len++] = '"';
    for (size_t i = 0; i < local.len; i++) {
        if (local.p[i] == '"' || local.p[i] == '\\')
            out[len++] = '\\';
        out[len++] = local.p[i];
    }
    out[len++] = '"';
    return len;
}

enum mfx_rc
mfx_address_spec_write(struct mfx_str local, struct mfx_str domain,
                       struct mfx_arena *arena, struct mfx_str *spec)
{
    *spec = mfx_str(NULL, 0);
    if (!is_writable(local) || (domain.len > 0 && !is_domain(domain)))
        return MFX_PERMFAIL;
    char *out = mfx_arena_alloc_bytes(arena, 2 * local.len + 3 + domain.len);
    if (out == NULL)
        return MFX_TEMPFAIL;
    size_t len = put_local(local, out);
    if (domain.len > 0) {
        out[len++] = '@';
        memcpy(out + len, domain.p, domain.len);
    }
    *spec = mfx_str(out, len + domain.len);
    return MFX_OK;
}

/* --- what is allowed --- */

/* Octets of the local part as it is written. */
static size_t
written_len(struct mfx_str local)
{
    size_t len = local.len + 2;
    if (is_dot_atom(local))
        return local.len;
    for (size_t i = 0; i < local.len; i++)
        len += local.p[i] == '"' || local.p[i] == '\\';
    return len;
}

static size_t
max_of(size_t a, size_t b)
{
    return a > b ? a : b;
}

static enum mfx_rc
refuse(struct mfx_err *err, const char *why)
{
    mfx_err_set(err, "new address: %s", why);
    return MFX_PERMFAIL;
}

enum mfx_rc
mfx_address_wish_check(const struct mfx_address_wish *wish,
                       struct mfx_str old_local, struct mfx_str old_domain,
                       struct mfx_err *err)
{
    size_t local = written_len(wish->local);
    size_t before = written_len(old_local);
    if (!mfx_str_eq(wish->local, old_local)) {
        if (wish->local.len == 0)
            return refuse(err, "empty local part");
        if (!is_writable(wish->local))
            return refuse(err, mfx_str_is_utf8(wish->local)
                                   ? "control byte in local part"
                                   : "local part is not UTF-8");
        if (local > max_of(MFX_ADDRESS_LOCAL_MAX, before))
            return refuse(err, "local part of more than 64 octets");
    }
    if (!mfx_str_eq(wish->domain, old_domain) && wish->domain.len > 0 &&
        !is_domain(wish->domain))
        return refuse(err, "no valid domain");
    if (local + 1 + wish->domain.len >
        max_of(MFX_ADDRESS_MAX, before + 1 + old_domain.len))
        return refuse(err, "more than 254 octets");
    return MFX_OK;
}

/* --- Message-ID --- */

/* At "<": to behind ">". */
static bool
take_id(struct address_scan *s, struct mfx_str *left, struct mfx_str *right)
{
    size_t start = s->at + 1;
    if (!address_scan_take(s, '<'))
        return false;
    for (; address_scan_peek(s) != '>'; s->at++)
        if (s->at == s->in.len || address_scan_peek(s) == '<' ||
            is_control(s->in.p[s->at]))
            return false;
    struct mfx_str id = mfx_str(s->in.p + start, s->at - start);
    size_t at = mfx_str_find_last(id, '@');
    if (at == id.len)
        return false;
    *left = mfx_str_head(id, at);
    *right = mfx_str_from(id, at + 1);
    s->at++;
    return is_domain(*right);
}

enum mfx_rc
mfx_message_id_parse(struct mfx_str value, struct mfx_str *left,
                     struct mfx_str *right)
{
    struct address_scan s = {.in = value};
    *left = *right = mfx_str(NULL, 0);
    if (address_scan_cfws(&s) && take_id(&s, left, right) &&
        address_scan_cfws(&s) && s.at == value.len)
        return MFX_OK;
    return MFX_PERMFAIL;
}

/* Of the line in which `at` stands, with the field's name. */
static size_t
line_len(struct mfx_str name, struct mfx_str value, size_t at)
{
    size_t before = mfx_str_find_last(mfx_str_head(value, at), '\n');
    size_t after = mfx_str_find(mfx_str_from(value, at), '\n');
    return before == at ? name.len + 1 + at + after : at - before - 1 + after;
}

enum mfx_rc
mfx_message_id_rewrite(struct mfx_str name, struct mfx_str value,
                       struct mfx_str domain, struct mfx_arena *arena,
                       struct mfx_str *out, struct mfx_err *err)
{
    struct mfx_str left, right;
    *out = value;
    if (mfx_message_id_parse(value, &left, &right) != MFX_OK)
        return refuse(err, "no Message-ID");
    if (mfx_str_eq(domain, right))
        return MFX_NOTFOUND;
    if (!is_domain(domain))
        return refuse(err, "no valid domain");
    size_t at = (size_t)(right.p - value.p);
    size_t line = line_len(name, value, at);
    if (line - right.len + domain.len > max_of(line, MFX_ADDRESS_LINE_MAX))
        return refuse(err, "line of more than 998 octets");
    char *bytes =
        mfx_arena_alloc_bytes(arena, value.len - right.len + domain.len);
    if (bytes == NULL)
        return MFX_TEMPFAIL;
    memcpy(bytes, value.p, at);
    memcpy(bytes + at, domain.p, domain.len);
    memcpy(bytes + at + domain.len, right.p + right.len,
           value.len - at - right.len);
    *out = mfx_str(bytes, value.len - right.len + domain.len);
    return MFX_OK;
}
