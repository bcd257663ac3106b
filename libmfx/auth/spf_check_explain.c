/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RFC 7208 6.2: whatever goes wrong here, there is no explanation, and the
 * result stays what it is.
 */
#include <mfx/auth/spf_check.h>

static enum spf_step
end(struct spf_check *check)
{
    check->state = SPF_DECIDED;
    return SPF_GOES_ON;
}

enum spf_step
spf_explain_name(struct spf_check *check)
{
    const struct spf_page *page = check->frames[0].page;
    const struct mfx_spf_term *term = &page->summary.explanation;
    static const struct mfx_str all = {0};
    if (term->uses_local && !check->subject.is_local_ascii)
        return end(check);
    if (term->uses_ptr && spf_names_read(check, all) == SPF_WAITS)
        return SPF_WAITS;
    struct mfx_str name = spf_target(check, term->domain_spec, page->domain);
    if (name.len == 0)
        return end(check);
    check->explanation = spf_ask(check, name, MFX_DNS_TXT);
    check->state = SPF_AT_TEXT;
    return SPF_GOES_ON;
}

static bool
is_printable(struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.p[i] < ' ' || text.p[i] > '~')
            return false;
    return true;
}

enum spf_step
spf_explain_text(struct spf_check *check)
{
    static const struct mfx_str all = {0};
    struct mfx_spf_macro_use use;
    if (!spf_is_answered(check->explanation)) {
        check->waiting = check->explanation;
        return SPF_WAITS;
    }
    const struct mfx_dns_answer *answer = spf_answer(check->explanation);
    spf_trace_once(check, &check->frames[0].page->summary.explanation,
                   check->explanation, "explanation");
    if (answer->status != MFX_DNS_ANSWER || answer->count != 1)
        return end(check);
    struct mfx_str text = answer->records[0].text;
    if (!mfx_spf_macro_check(text, MFX_SPF_IN_TEXT, &use, NULL, NULL))
        return end(check);
    if (use.ptr && spf_names_read(check, all) == SPF_WAITS)
        return SPF_WAITS;
    if (spf_expand(check, text, check->frames[0].page->domain, MFX_SPF_IN_TEXT,
                   &text) &&
        is_printable(text))
        check->outcome.explanation =
            mfx_str_head(text, check->config.max_explanation);
    return end(check);
}
