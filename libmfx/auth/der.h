/* SPDX-License-Identifier: BSD-2-Clause
 *
 * der - reading the little DER that keys are made of (private to auth)
 *
 *     struct mfx_der in = {bytes, len}, seq, n;
 *     if (mfx_der_take(&in, MFX_DER_SEQUENCE, &seq) &&
 *         mfx_der_take_number(&seq, &n)) ...
 *
 * Ownership: contents borrow from the input. Errors: false, and the input
 * stays where it was. Threads: values. Limits: lengths of up to 4 octets.
 */
#ifndef MFX_AUTH_DER_H
#define MFX_AUTH_DER_H

#include <stdbool.h>
#include <stddef.h>

struct mfx_der {
    const unsigned char *p;
    size_t len;
};

enum {
    MFX_DER_INTEGER = 0x02,
    MFX_DER_BIT_STRING = 0x03,
    MFX_DER_OCTET_STRING = 0x04,
    MFX_DER_OID = 0x06,
    MFX_DER_SEQUENCE = 0x30,
};

/* Takes one element with this tag off *in. */
bool mfx_der_take(struct mfx_der *in, unsigned tag, struct mfx_der *content);
/* An INTEGER that is not negative, without its leading zero octets. */
bool mfx_der_take_number(struct mfx_der *in, struct mfx_der *number);
bool mfx_der_is(struct mfx_der a, const void *bytes, size_t len);

/* What AlgorithmIdentifier names: the ones a DKIM key can have. */
enum mfx_der_algorithm {
    MFX_DER_RSA,
    MFX_DER_ED25519,
    MFX_DER_OTHER,
};
bool mfx_der_take_algorithm(struct mfx_der *in,
                            enum mfx_der_algorithm *algorithm);

#endif
