/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first line of the input says how the addresses of the rest are to be
 * rewritten; what comes out holds the same list, with the wished addresses, and
 * is no longer than it may be.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/mail/address_rewrite.h>
#include <mfx/mail/header.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MOST = 50,
};

static const struct mfx_str name = MFX_STR("Reply-To");

static void
check(bool holds)
{
    if (!holds)
        abort();
}

/* "2:local@domain": each second mailbox gets local and domain; without a
 * digit all do; without "@" only the local part changes. */
struct order {
    size_t step;
    struct mfx_address_wish wish;
    bool has_domain;
};

static struct order
order_of(struct mfx_str line)
{
    struct order order = {.step = 1, .wish.is_set = true};
    if (line.len > 1 && line.p[1] == ':' && line.p[0] > '0' &&
        line.p[0] <= '9') {
        order.step = (size_t)(line.p[0] - '0');
        line = mfx_str_from(line, 2);
    }
    size_t at = mfx_str_find_last(line, '@');
    order.has_domain = at < line.len;
    order.wish.local = mfx_str_head(line, at);
    order.wish.domain = mfx_str_from(line, at + 1);
    return order;
}

static void
set_wishes(const struct order *order, const struct mfx_address_list *list,
           struct mfx_address_wish *wishes)
{
    for (size_t i = 0; i < list->count; i++) {
        wishes[i] = order->wish;
        wishes[i].is_set = i % order->step == 0;
        if (order->has_domain && order->wish.local.len == 0)
            wishes[i].local = list->mailboxes[i].local;
        if (!order->has_domain)
            wishes[i].domain = list->mailboxes[i].domain;
    }
}

static size_t
longest_line(struct mfx_str value)
{
    size_t longest = 0, len = name.len + 1;
    for (size_t i = 0; i < value.len; i++) {
        len = value.p[i] == '\n' ? 0 : len + 1;
        longest = len > longest ? len : longest;
    }
    return longest;
}

static size_t
max_of(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void
check_box(const struct mfx_mailbox *got, const struct mfx_mailbox *old,
          const struct mfx_address_wish *wish)
{
    struct mfx_str local = wish->is_set ? wish->local : old->local;
    struct mfx_str domain = wish->is_set ? wish->domain : old->domain;
    check(mfx_str_eq(got->local, local));
    check(mfx_str_eq(got->domain, domain));
    check(mfx_str_eq(got->phrase, old->phrase));
    check(got->is_bracketed == old->is_bracketed);
    check(got->is_in_group == old->is_in_group);
    if (mfx_str_eq(got->local, old->local) && domain.len > 0)
        check(mfx_str_eq(got->raw_local, old->raw_local) ||
              mfx_str_has(old->raw_local, '\n') ||
              mfx_str_has(got->raw_local, '\n'));
    check(got->raw.len <=
          max_of(MFX_ADDRESS_MAX, local.len + domain.len) + old->raw.len + 2);
}

static size_t
count_of(struct mfx_str s, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += s.p[i] == c;
    return count;
}

/* Drops white space; the text is in the arena. */
static struct mfx_str
dense(struct mfx_str s, struct mfx_arena *arena)
{
    char *out = mfx_arena_alloc_bytes(arena, s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++)
        if (!mfx_ascii_is_fws((unsigned char)s.p[i]))
            out[len++] = s.p[i];
    return mfx_str(out, len);
}

/* Between addresses nothing changes but line ends, where a line is too long or
 * is_mended. */
static void
check_gap(struct mfx_str a, struct mfx_str b, bool is_mended,
          struct mfx_arena *arena)
{
    if (!is_mended && count_of(a, '\n') == count_of(b, '\n'))
        check(mfx_str_eq(a, b));
    else
        check(mfx_str_eq(dense(a, arena), dense(b, arena)));
}

/* What stands before the i-th mailbox, or behind the last. */
static struct mfx_str
gap_of(struct mfx_str text, const struct mfx_address_list *list, size_t i)
{
    const char *start = text.p, *end = text.p + text.len;
    if (i > 0)
        start = list->mailboxes[i - 1].raw.p + list->mailboxes[i - 1].raw.len;
    if (i < list->count)
        end = list->mailboxes[i].raw.p;
    return mfx_str(start, (size_t)(end - start));
}

/* Comments within the old address may stand behind the new one. */
static bool
may_shed(const struct mfx_mailbox *old)
{
    return mfx_str_has(old->raw, '(');
}

/* The same list with the wished addresses. */
static void
check_made(struct mfx_str in, struct mfx_str out,
           const struct mfx_address_list *list,
           const struct mfx_address_wish *wishes, struct mfx_arena *arena)
{
    struct mfx_address_list got;
    struct mfx_str again;
    check(mfx_address_list_parse(out, arena, MOST, &got) == MFX_OK);
    check(got.count == list->count);
    for (size_t i = 0; i < list->count; i++)
        check_box(&got.mailboxes[i], &list->mailboxes[i], &wishes[i]);
    for (size_t i = 0; i <= list->count; i++)
        if (i == 0 || !may_shed(&list->mailboxes[i - 1]))
            check_gap(gap_of(in, list, i), gap_of(out, &got, i),
                      !mfx_header_value_is_safe(in), arena);
    check(mfx_address_list_rewrite(name, out, &got, wishes, arena, &again,
                                   NULL) == MFX_NOTFOUND);
    check(again.p == out.p && again.len == out.len);
}

static void
rewrite(const struct order *order, struct mfx_str in, struct mfx_arena *arena)
{
    struct mfx_address_list list;
    struct mfx_str out;
    if (mfx_address_list_parse(in, arena, MOST, &list) != MFX_OK)
        return;
    struct mfx_address_wish *wishes =
        mfx_arena_alloc_array(arena, list.count, sizeof *wishes);
    set_wishes(order, &list, wishes);
    struct mfx_err err = {{0}};
    enum mfx_rc rc =
        mfx_address_list_rewrite(name, in, &list, wishes, arena, &out, &err);
    check(rc != MFX_TEMPFAIL && (rc == MFX_PERMFAIL) == (err.msg[0] != '\0'));
    if (rc != MFX_OK) {
        check(out.p == in.p && out.len == in.len);
        return;
    }
    check(mfx_header_value_is_safe(out));
    check(longest_line(out) <= max_of(longest_line(in), MFX_ADDRESS_LINE_MAX));
    check_made(in, out, &list, wishes, arena);
}

static void
rewrite_id(struct mfx_str domain, struct mfx_str in, struct mfx_arena *arena)
{
    struct mfx_str out, left, right, was_left, was_right;
    if (mfx_message_id_rewrite(name, in, domain, arena, &out, NULL) != MFX_OK)
        return;
    check(mfx_message_id_parse(in, &was_left, &was_right) == MFX_OK);
    check(mfx_message_id_parse(out, &left, &right) == MFX_OK);
    check(mfx_str_eq(left, was_left) && mfx_str_eq(right, domain));
    check(longest_line(out) <= max_of(longest_line(in), MFX_ADDRESS_LINE_MAX));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str in = mfx_str((const char *)data, size);
    struct mfx_str line = mfx_str_head(in, mfx_str_find(in, '\n'));
    struct order order = order_of(line);
    in = mfx_str_from(in, line.len + 1);
    rewrite(&order, in, arena);
    rewrite_id(order.wish.domain, in, arena);
    mfx_arena_free(arena);
    return 0;
}
