/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/mail/address.h>

#include <idn2.h>

enum {
    MAX_DOMAIN = 253, /* octets, RFC 1035 2.3.4 without length bytes */
    MAX_LABEL = 63,
    MAX_UNICODE = 1024, /* octets of a name still worth converting */
};

static bool
label_is_valid(struct mfx_str label, bool eai)
{
    if (label.len == 0 || (!eai && label.len > MAX_LABEL))
        return false;
    for (size_t i = 0; i < label.len; i++) {
        unsigned char c = (unsigned char)label.p[i];
        if (!mfx_ascii_is_alnum(c) && c != '-' && c != '_' &&
            !(eai && c >= 0x80))
            return false;
    }
    return true;
}

bool
mfx_domain_is_valid(struct mfx_str domain, bool eai)
{
    struct mfx_str label;
    if (domain.len == 0 || domain.len > MAX_DOMAIN)
        return false;
    if (eai && !mfx_str_is_utf8(domain))
        return false;
    while (mfx_str_cut(&domain, '.', &label))
        if (!label_is_valid(label, eai && !mfx_str_is_ascii(label)))
            return false;
    return true;
}

bool
mfx_domain_is_within(struct mfx_str domain, struct mfx_str parent)
{
    if (parent.len == 0 || !mfx_str_ends_nocase(domain, parent))
        return false;
    return domain.len == parent.len ||
           domain.p[domain.len - parent.len - 1] == '.';
}

/* U-labels to A-labels by libidn2; NULL when they are none. */
static char *
encode(struct mfx_str domain, struct mfx_arena *arena, enum mfx_rc *rc)
{
    char *ascii = NULL;
    struct mfx_str text = mfx_arena_copy(arena, domain);
    *rc = MFX_TEMPFAIL;
    if (text.p == NULL)
        return NULL;
    int got =
        idn2_to_ascii_8z(text.p, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    *rc = got == IDN2_OK       ? MFX_OK
          : got == IDN2_MALLOC ? MFX_TEMPFAIL
                               : MFX_PERMFAIL;
    return got == IDN2_OK ? ascii : NULL;
}

enum mfx_rc
mfx_domain_to_ascii(struct mfx_str domain, struct mfx_arena *arena,
                    struct mfx_str *ascii)
{
    enum mfx_rc rc = MFX_OK;
    char *encoded = NULL;
    *ascii = mfx_str(NULL, 0);
    if (domain.len > 0 && domain.p[domain.len - 1] == '.')
        domain.len--;
    if (domain.len > MAX_UNICODE || mfx_str_has(domain, '\0'))
        return MFX_PERMFAIL;
    if (!mfx_str_is_ascii(domain)) {
        encoded = encode(domain, arena, &rc);
        domain = mfx_str_of(encoded);
    }
    if (rc == MFX_OK && !mfx_domain_is_valid(domain, false))
        rc = MFX_PERMFAIL;
    if (rc == MFX_OK) {
        *ascii = mfx_arena_copy_lower(arena, domain);
        rc = ascii->p == NULL ? MFX_TEMPFAIL : MFX_OK;
    }
    idn2_free(encoded);
    return rc;
}
