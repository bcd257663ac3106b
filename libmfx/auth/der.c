/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/der.h>

#include <string.h>

/* Reads the length octets behind the tag; false when they are cut short or
 * say more than is there. */
static bool
take_length(struct mfx_der *in, size_t *len)
{
    if (in->len == 0)
        return false;
    size_t value = in->p[0], octets = 0;
    if (value >= 0x80) {
        octets = value & 0x7f;
        if (octets == 0 || octets > 4 || octets >= in->len)
            return false;
        value = 0;
        for (size_t i = 1; i <= octets; i++)
            value = value << 8 | in->p[i];
    }
    if (value > in->len - 1 - octets)
        return false;
    in->p += 1 + octets;
    in->len -= 1 + octets;
    *len = value;
    return true;
}

bool
mfx_der_take(struct mfx_der *in, unsigned tag, struct mfx_der *content)
{
    struct mfx_der rest = *in;
    size_t len;
    if (rest.len < 2 || rest.p[0] != tag)
        return false;
    rest.p++;
    rest.len--;
    if (!take_length(&rest, &len))
        return false;
    *content = (struct mfx_der){rest.p, len};
    *in = (struct mfx_der){rest.p + len, rest.len - len};
    return true;
}

bool
mfx_der_take_number(struct mfx_der *in, struct mfx_der *number)
{
    struct mfx_der rest = *in, n;
    if (!mfx_der_take(&rest, MFX_DER_INTEGER, &n) || n.len == 0 ||
        n.p[0] >= 0x80)
        return false;
    while (n.len > 0 && n.p[0] == 0) {
        n.p++;
        n.len--;
    }
    *number = n;
    *in = rest;
    return true;
}

bool
mfx_der_is(struct mfx_der a, const void *bytes, size_t len)
{
    return a.len == len && memcmp(a.p, bytes, len) == 0;
}

bool
mfx_der_take_algorithm(struct mfx_der *in, enum mfx_der_algorithm *algorithm)
{
    /* 1.2.840.113549.1.1.1 and 1.3.101.112 */
    static const unsigned char rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7,
                                        0x0d, 0x01, 0x01, 0x01};
    static const unsigned char ed25519[] = {0x2b, 0x65, 0x70};
    struct mfx_der rest = *in, identifier, oid;
    if (!mfx_der_take(&rest, MFX_DER_SEQUENCE, &identifier) ||
        !mfx_der_take(&identifier, MFX_DER_OID, &oid))
        return false;
    if (mfx_der_is(oid, rsa, sizeof rsa))
        *algorithm = MFX_DER_RSA;
    else if (mfx_der_is(oid, ed25519, sizeof ed25519))
        *algorithm = MFX_DER_ED25519;
    else
        *algorithm = MFX_DER_OTHER;
    *in = rest;
    return true;
}
