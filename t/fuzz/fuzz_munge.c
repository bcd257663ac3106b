/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first byte says what the rest is. 'r': a local part that comes back; what
 * is read from it is what makes it again. Else a From field: a suffix behind
 * every name leaves the addresses as they were, and each author comes back out
 * of the address that is made for him.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/mail/address_phrase.h>
#include <mfx/mail/header.h>

#include "../../milters/masq/munge_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MAX = 50,
};

static const struct mfx_str secret = MFX_STR("secret");
static const struct mfx_str domain = MFX_STR("m.example");

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_author(const struct mfx_secrets *secrets,
             const struct masq_address *author, struct mfx_arena *arena)
{
    struct masq_address to, back;
    struct mfx_str name, kept;
    if (masq_munge_address_make(secrets, domain, author, arena, &to, &name) !=
        MFX_OK)
        return;
    check(masq_munge_address_read(secrets, to.local, arena, &back, &kept) ==
          MFX_OK);
    check(mfx_str_eq(name, kept));
    check(name.len > 0 || (mfx_str_eq(back.local, author->local) &&
                           mfx_str_eq(back.domain, author->domain)));
}

static void
check_local(const struct mfx_secrets *secrets, struct mfx_str local,
            struct mfx_arena *arena)
{
    struct masq_address author;
    struct mfx_str name;
    if (masq_munge_address_read(secrets, local, arena, &author, &name) ==
            MFX_OK &&
        name.len == 0)
        check_author(secrets, &author, arena);
}

static void
check_field(const struct mfx_secrets *secrets, struct mfx_str value,
            struct mfx_arena *arena)
{
    static const struct mfx_str from = MFX_STR("From"),
                                suffix = MFX_STR("via lists.example");
    static const bool all[MAX] = {true, true, true, true, true,
                                  true, true, true, true, true};
    struct mfx_address_list list, got;
    struct mfx_str out;
    if (mfx_address_list_parse(value, arena, MAX, &list) != MFX_OK)
        return;
    for (size_t i = 0; i < list.count; i++) {
        const struct masq_address author = {list.mailboxes[i].local,
                                            list.mailboxes[i].domain};
        check_author(secrets, &author, arena);
    }
    if (mfx_address_phrase_append(from, value, &list, all, suffix, arena, &out,
                                  NULL) != MFX_OK)
        return;
    check(mfx_header_value_is_safe(out));
    check(mfx_address_list_parse(out, arena, MAX, &got) == MFX_OK);
    check(got.count == list.count);
    for (size_t i = 0; i < got.count; i++)
        check(!all[i] || mfx_str_ends_nocase(got.mailboxes[i].phrase, suffix) ||
              mfx_str_ends_nocase(got.mailboxes[i].phrase, mfx_str_of("?=")));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct mfx_secrets secrets = {.items = &secret, .count = 1};
    struct mfx_str text = mfx_str((const char *)data, size);
    struct mfx_arena *arena = mfx_arena_new(0);
    check(arena != NULL);
    if (size > 0 && data[0] == 'r')
        check_local(&secrets, mfx_str_from(text, 1), arena);
    else
        check_field(&secrets, mfx_str_from(text, 1), arena);
    mfx_arena_free(arena);
    return 0;
}
