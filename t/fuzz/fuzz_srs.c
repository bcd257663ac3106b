/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first line is a local part and the second a domain, or one local part
 * that came back. What forward writes, reverse gives back; what reverse gives
 * has no byte that ends an address.
 */
#include <mfx/auth/srs.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    NOW = 1577836860,
};

static const struct mfx_str secrets[] = {MFX_STR("tops3cr3t"),
                                         MFX_STR("older")};

static void
check(bool holds, const char *what)
{
    if (!holds)
        MFX_BUG(what);
}

static void
check_found(const struct mfx_srs_address *a)
{
    check(a->local.len > 0 && a->domain.len > 0, "an empty part");
    check(mfx_str_is_line(a->local) && mfx_str_is_line(a->domain),
          "more than a line");
    check(!mfx_str_has(a->local, '@') && !mfx_str_has(a->domain, '@') &&
              !mfx_str_has(a->domain, '='),
          "an address within an address");
}

static void
check_reverse(const struct mfx_srs_settings *s, struct mfx_str local,
              struct mfx_arena *arena)
{
    struct mfx_srs_address to;
    enum mfx_srs_result result = mfx_srs_reverse(s, local, NOW, arena, &to);
    check(mfx_srs_result_text(result) != NULL, "no words");
    check((result == MFX_SRS_NOT_SRS) == !mfx_srs_is_tagged(local), "tag");
    check(result != MFX_SRS_TOO_LONG, "long backwards");
    if (result == MFX_SRS_FOUND || result == MFX_SRS_SHORT)
        check_found(&to);
}

static void
check_forward(const struct mfx_srs_settings *s,
              const struct mfx_srs_address *from, struct mfx_arena *arena)
{
    struct mfx_srs_address to, back;
    struct mfx_str name;
    enum mfx_srs_result result = mfx_srs_forward(s, from, NOW, arena, &to);
    if (result == MFX_SRS_MALFORMED)
        return;
    check(result == MFX_SRS_FOUND || result == MFX_SRS_TOO_LONG, "forward");
    check_found(&to);
    check(mfx_srs_reverse(s, to.local, NOW, arena, &back) == MFX_SRS_FOUND,
          "does not come back");
    check_found(&back);
    check(mfx_srs_is_tagged(from->local) ||
              (mfx_str_eq(back.local, from->local) &&
               mfx_str_eq(back.domain, from->domain)),
          "comes back as another");
    check(mfx_srs_forward_short(s, from, NOW, arena, &to, &name) ==
              MFX_SRS_FOUND,
          "no short form");
    check(mfx_srs_reverse(s, to.local, NOW, arena, &back) == MFX_SRS_SHORT &&
              mfx_str_eq(back.local, name),
          "short form does not come back");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_srs_settings s = {
        .secrets = secrets,
        .secret_count = 2,
        .separator = '=',
        .hash_length = 4,
        .hash_minimum = 4,
        .max_age = 21,
        .domain = MFX_STR("example.com"),
    };
    struct mfx_str text = mfx_str((const char *)data, size);
    struct mfx_arena *arena = mfx_arena_new(0);
    if (arena == NULL)
        return 0;
    size_t at = mfx_str_find(text, '\n');
    struct mfx_srs_address from = {mfx_str_head(text, at),
                                   mfx_str_from(text, at + 1)};
    check_reverse(&s, from.local, arena);
    check_reverse(&s, text, arena);
    if (from.domain.len > 0)
        check_forward(&s, &from, arena);
    mfx_arena_free(arena);
    return 0;
}
