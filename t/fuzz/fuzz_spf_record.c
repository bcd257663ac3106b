/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A record is refused with a place in it, or all its terms are there, and what
 * they name can be expanded.
 */
#include <stdint.h>
#include <stdlib.h>

#include <mfx/auth/spf_macro.h>
#include <mfx/auth/spf_record.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
    if (!holds)
        abort();
}

static void
check_term(const struct mfx_spf_term *term, struct mfx_str text,
           struct mfx_arena *arena)
{
    struct mfx_spf_macro_values values = {.sender = mfx_str_of("a@b.example"),
                                          .domain = mfx_str_of("b.example"),
                                          .ip = {.family = MFX_IP_V6}};
    struct mfx_buf out;
    check(term->text.p > text.p &&
          term->text.p + term->text.len <= text.p + text.len);
    check(term->kind != MFX_SPF_IP4 || term->net.prefix <= 32);
    check(term->kind != MFX_SPF_IP6 || term->net.prefix <= 128);
    check(term->cidr4 <= 32 && term->cidr6 <= 128);
    check(mfx_spf_term_name(term->kind)[0] != '\0');
    check(!(term->uses_ptr || term->uses_local) || term->has_macros);
    mfx_buf_init_arena(&out, arena, 256 * term->domain_spec.len + 1);
    check(mfx_spf_macro_expand(term->domain_spec, &values, &out));
    check(term->has_macros || mfx_str_eq(mfx_buf_str(&out), term->domain_spec));
}

static void
check_record(struct mfx_str text, struct mfx_arena *arena)
{
    struct mfx_spf_record record;
    struct mfx_spf_summary summary;
    struct mfx_spf_mistake mistake = {0};
    struct mfx_spf_term term;
    size_t at = 0, count = 0;
    enum mfx_rc rc = mfx_spf_record_parse(text, arena, &record, &mistake);
    check(mfx_spf_record_check(text, &summary, NULL) == rc);
    if (rc != MFX_OK) {
        check(rc == MFX_PERMFAIL && mistake.what != NULL);
        check(mistake.at <= text.len);
        return;
    }
    check(mfx_spf_record_is_one(text));
    check(record.term_count == summary.term_count);
    check((record.redirect != NULL) == summary.has_redirect);
    check((record.explanation != NULL) == summary.has_explanation);
    for (; mfx_spf_record_next(text, &at, &term); count++) {
        check(term.text.p == record.terms[count].text.p);
        check(term.text.len == record.terms[count].text.len);
        check_term(&term, text, arena);
    }
    check(count == record.term_count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_str text = mfx_str((const char *)data, size);
    check_record(text, arena);
    mfx_arena_free(arena);
    return 0;
}
