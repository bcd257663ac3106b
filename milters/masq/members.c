/* SPDX-License-Identifier: BSD-2-Clause */
#include "members.h"

#include <mfx/mail/address.h>

static const struct mfx_str include = MFX_STR(":include:");
static const struct mfx_str error = MFX_STR("error:");

/* Behind the quoted string that begins at `at`. */
static size_t
skip_quoted(struct mfx_str s, size_t at)
{
    for (at++; at < s.len && s.p[at] != '"'; at++)
        if (s.p[at] == '\\')
            at++;
    return at < s.len ? at + 1 : s.len;
}

static bool
is_gap(char c)
{
    return c == ',' || mfx_ascii_is_fws((unsigned char)c);
}

/* Up to the next comma, or white space where that parts, outside quotes. */
static struct mfx_str
take_item(struct mfx_str *rest, bool ends_at_blank)
{
    size_t at = 0;
    while (at < rest->len && rest->p[at] != ',' &&
           !(ends_at_blank && is_gap(rest->p[at])))
        at = rest->p[at] == '"' ? skip_quoted(*rest, at) : at + 1;
    struct mfx_str item = mfx_str_head(*rest, at);
    *rest = mfx_str_from(*rest, at);
    return mfx_str_trim(item);
}

/* White space, commas and comments. */
static void
skip_gaps(struct mfx_str *rest)
{
    size_t at = 0;
    while (at < rest->len && (is_gap(rest->p[at]) || rest->p[at] == '('))
        at += rest->p[at] == '('
                  ? mfx_str_find(mfx_str_from(*rest, at), ')') + 1
                  : 1;
    *rest = mfx_str_from(*rest, at);
}

/* The whole item in quotes: what is within. */
static struct mfx_str
without_quotes(struct mfx_str item)
{
    if (item.len >= 2 && item.p[0] == '"' && item.p[item.len - 1] == '"' &&
        skip_quoted(item, 0) == item.len)
        return mfx_str(item.p + 1, item.len - 2);
    return item;
}

static enum mfx_rc
read_address(struct mfx_str item, struct mfx_arena *arena,
             struct masq_member *member)
{
    struct mfx_address_list list;
    bool keeps_local = item.p[0] == '@' ||
                       mfx_str_starts(item, (struct mfx_str)MFX_STR("%1@"));
    if (item.p[0] == '@')
        item = mfx_arena_printf(arena, "x%.*s", MFX_STR_ARG(item));
    enum mfx_rc rc = mfx_address_list_parse(item, arena, 1, &list);
    if (rc == MFX_TEMPFAIL)
        return rc;
    if (rc == MFX_OK && list.mailboxes[0].local.len > 0) {
        member->kind =
            keeps_local ? MASQ_MEMBER_SAME_LOCAL : MASQ_MEMBER_ADDRESS;
        member->address = (struct masq_address){list.mailboxes[0].local,
                                                list.mailboxes[0].domain};
    }
    return MFX_OK;
}

enum mfx_rc
masq_members_next(struct mfx_str *rest, struct mfx_arena *arena,
                  struct masq_member *member)
{
    skip_gaps(rest);
    if (rest->len == 0)
        return MFX_NOTFOUND;
    bool has_words = rest->p[0] == '|' || mfx_str_starts_nocase(*rest, error);
    struct mfx_str item = take_item(rest, !has_words);
    struct mfx_str text = without_quotes(item);
    *member = (struct masq_member){.kind = MASQ_MEMBER_UNKNOWN, .text = text};
    if (mfx_str_starts_nocase(text, include)) {
        member->kind = MASQ_MEMBER_INCLUDE;
        member->text = mfx_str_trim(mfx_str_from(text, include.len));
        return MFX_OK;
    }
    if (has_words || (text.len > 0 && (*text.p == '|' || *text.p == '/'))) {
        member->kind = MASQ_MEMBER_HERE;
        return MFX_OK;
    }
    if (item.len > 1 && item.p[0] == '\\')
        item = mfx_str_from(item, 1);
    return item.len == 0 ? MFX_OK : read_address(item, arena, member);
}
