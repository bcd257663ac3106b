/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The form that Sendmail leaves alone is a fixed point, safe to write, and
 * says the same addresses in the same order.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/mail/address.h>
#include <mfx/mail/header.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mfx_str host = MFX_STR("mx.example.org");

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static bool
is_local(struct mfx_str domain)
{
    return domain.len == 0 || mfx_str_is_nocase(domain, "localhost") ||
           mfx_str_is_nocase(domain, "localhost.example.org");
}

static void
check_same_addresses(struct mfx_str value, struct mfx_str form,
                     struct mfx_arena *arena)
{
    struct mfx_address_list before, after;
    enum mfx_rc rc = mfx_address_list_parse(value, arena, SIZE_MAX, &before);
    if (rc != MFX_OK)
        return;
    check(mfx_address_list_parse(form, arena, SIZE_MAX, &after) == MFX_OK);
    check(before.count == after.count);
    for (size_t i = 0; i < before.count; i++) {
        const struct mfx_mailbox *a = &before.mailboxes[i];
        const struct mfx_mailbox *b = &after.mailboxes[i];
        check(mfx_str_eq(a->local, b->local));
        check(mfx_str_eq(a->domain, b->domain) ||
              (is_local(a->domain) && mfx_str_eq(b->domain, host)));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mfx_str name = MFX_STR("Cc");
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str value = mfx_str((const char *)data, size), form, again;
    enum mfx_rc rc = mfx_address_sendmail_form(name, value, host, arena, &form);
    check(rc == MFX_OK || rc == MFX_PERMFAIL);
    if (rc == MFX_OK) {
        check(mfx_header_value_is_safe(form));
        check(mfx_address_sendmail_form(name, form, host, arena, &again) ==
              MFX_OK);
        check(mfx_str_eq(form, again));
        check_same_addresses(value, form, arena);
    }
    mfx_arena_free(arena);
    return 0;
}
