/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The input is a Received field; and a HELO name in the fields of Postfix, Exim
 * and qmail, where it changes no address.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/base/arena.h>
#include <mfx/policy/received_client.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BY " by mx.example.org with SMTP; Sat, 21 Nov 2026 08:00:00 +0000"

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static bool
is_within(struct mfx_str part, struct mfx_str whole)
{
    return part.len == 0 ||
           (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

static void
check_value(struct mfx_str value, struct mfx_received_client *c)
{
    if (mfx_received_client_parse(value, c) == MFX_OK) {
        check(c->ip.family != MFX_IP_NONE);
        check(is_within(c->helo, value) && is_within(c->name, value));
    } else {
        check(c->ip.family == MFX_IP_NONE && c->helo.len == 0 &&
              c->name.len == 0);
    }
}

static void
check_helo(const char *before, struct mfx_str helo, const char *behind,
           struct mfx_arena *arena)
{
    static const unsigned char real[] = {192, 0, 2, 1};
    struct mfx_received_client c;
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 1 << 20);
    mfx_buf_add_text(&out, before);
    mfx_buf_add(&out, helo);
    mfx_buf_add_text(&out, behind);
    check_value(mfx_buf_str(&out), &c);
    check(c.ip.family == MFX_IP_NONE ||
          (c.ip.family == MFX_IP_V4 &&
           memcmp(c.ip.bytes, real, sizeof real) == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str in = mfx_str((const char *)data, size);
    struct mfx_received_client c;
    check_value(in, &c);
    check_helo(" from ", in, " (real.example [192.0.2.1])" BY, arena);
    check_helo(" from real.example ([192.0.2.1] helo=", in, ")" BY, arena);
    check_helo(" from [192.0.2.1] (helo=", in, ")" BY, arena);
    check_helo(" from real.example (HELO ", in, ") (192.0.2.1)" BY, arena);
    mfx_arena_free(arena);
    return 0;
}
