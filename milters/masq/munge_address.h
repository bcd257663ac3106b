/* SPDX-License-Identifier: BSD-2-Clause
 *
 * munge_address - addresses of ours that lead back to an author
 *
 *     HASH=author=author.example@our.domain
 *     HASH=NAME@our.domain      kept elsewhere, when that is longer than 64
 *
 * HASH is 8 characters of base32, 40 bits of an HMAC-SHA256 with our secret, so
 * that nobody else can make such an address and send mail through us to whom
 * he likes. Letter case does not matter to it, as it may be lost on the way.
 * There is no time stamp: a reply may come after years. What is read back is
 * the author's address as it was, in the case that came back.
 *
 * Ownership: results in the arena, or borrowed. Errors: below; the output is
 * untouched but with MFX_OK. Threads: pure functions.
 * Limits: the longest local part is 64 octets as written, an address 254 (RFC
 * 5321 4.5.3.1). An author in a domain literal, or without a domain, gets no
 * such address.
 */
#ifndef MASQ_MUNGE_ADDRESS_H
#define MASQ_MUNGE_ADDRESS_H

#include <mfx/policy/secrets.h>

#include "address.h"

enum {
    MASQ_MUNGE_HASH = 8,
    MASQ_MUNGE_NAME = 32,
};

/* author: domain as A-labels. *name: empty, or a name under which the caller
 * keeps the author before it uses the address. MFX_PERMFAIL: there is no such
 * address. */
enum mfx_rc masq_munge_address_make(const struct mfx_secrets *secrets,
                                    struct mfx_str domain,
                                    const struct masq_address *author,
                                    struct mfx_arena *arena,
                                    struct masq_address *to,
                                    struct mfx_str *name) MFX_NODISCARD;

/* local: of an address in our domain, without quotes. MFX_OK: *author, or
 * *name (not empty) under which it is kept. MFX_NOTFOUND: an address of another
 * form. MFX_PERMFAIL: not made with one of the secrets. */
enum mfx_rc masq_munge_address_read(const struct mfx_secrets *secrets,
                                    struct mfx_str local,
                                    struct mfx_arena *arena,
                                    struct masq_address *author,
                                    struct mfx_str *name) MFX_NODISCARD;

#endif
