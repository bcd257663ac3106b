/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An address list is parsed; what it says of the mailboxes holds together.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/mail/address.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static bool
is_control(char c)
{
    return ((unsigned char)c < ' ' && c != '\t') || c == 0x7F;
}

/* raw stands in the input, and says the same when it is parsed alone. */
static void
check_box(const struct mfx_mailbox *box, struct mfx_str in,
          struct mfx_arena *arena)
{
    struct mfx_address_list again;
    check(box->raw.p >= in.p && box->raw.p + box->raw.len <= in.p + in.len);
    check(mfx_address_list_parse(box->raw, arena, 1, &again) == MFX_OK);
    check(again.count == 1);
    for (size_t i = 0; i < box->local.len; i++)
        check(!is_control(box->local.p[i]));
    for (size_t i = 0; i < box->domain.len; i++)
        check(!is_control(box->domain.p[i]));
    check(mfx_str_eq(again.mailboxes[0].local, box->local));
    check(mfx_str_eq(again.mailboxes[0].domain, box->domain));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str in = mfx_str((const char *)data, size);
    struct mfx_address_list list;
    struct mfx_str local, domain, ascii;
    enum mfx_rc rc = mfx_address_list_parse(in, arena, 20, &list);
    check((rc == MFX_PERMFAIL) == (list.error != NULL));
    check(list.count <= 20 && list.error_at <= size);
    for (size_t i = 0; i < list.count; i++)
        check_box(&list.mailboxes[i], in, arena);
    if (mfx_address_path_parse(in, &local, &domain) == MFX_OK)
        check(local.len + domain.len <= size);
    if (mfx_domain_to_ascii(in, arena, &ascii) == MFX_OK)
        check(mfx_domain_is_valid(ascii, false));
    mfx_arena_free(arena);
    return 0;
}
