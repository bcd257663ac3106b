/* SPDX-License-Identifier: BSD-2-Clause */
#include "verbs.h"

enum {
    ESCAPED = 4,
    SECONDS_MAX = 600,
};

static bool
is_shown(char c)
{
    return c >= ' ' && c <= '~' && c != '\\';
}

const char *
spf_verb_show(const struct verb_run *run, struct mfx_str text)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, run->arena, ESCAPED * text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        if (is_shown(text.p[i]))
            mfx_buf_add_byte(&out, text.p[i]);
        else
            mfx_buf_printf(&out, "\\%03u", (unsigned char)text.p[i]);
    return mfx_buf_text(&out);
}

size_t
spf_verb_columns(struct mfx_str text)
{
    size_t columns = 0;
    for (size_t i = 0; i < text.len; i++)
        columns += is_shown(text.p[i]) ? 1 : ESCAPED;
    return columns;
}

const char *
spf_verb_type(enum mfx_dns_type type)
{
    switch (type) {
    case MFX_DNS_A:
        return "A";
    case MFX_DNS_NS:
        return "NS";
    case MFX_DNS_CNAME:
        return "CNAME";
    case MFX_DNS_SOA:
        return "SOA";
    case MFX_DNS_PTR:
        return "PTR";
    case MFX_DNS_MX:
        return "MX";
    case MFX_DNS_TXT:
        return "TXT";
    case MFX_DNS_AAAA:
        return "AAAA";
    case MFX_DNS_SPF:
        return "SPF";
    }
    return "";
}

bool
spf_verb_seconds(const char *text, uint64_t *ms)
{
    uint64_t seconds = 0;
    if (mfx_str_to_u64(mfx_str_of(text), SECONDS_MAX, &seconds) != MFX_OK ||
        seconds == 0)
        return false;
    *ms = 1000 * seconds;
    return true;
}
