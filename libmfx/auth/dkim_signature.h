/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_signature - a DKIM-Signature field as data (RFC 6376 3.5, 6.1.1; private
 * to auth)
 *
 * What needs no key and no clock is checked here. Syntax errors and what we
 * have not learned (version, algorithm, canonicalization, query) are `neutral`
 * as RFC 8601 2.7.1 words it; what RFC 6376 or 8301 forbid is `permerror`.
 *
 * Ownership: strings borrow from the header field or live in the arena.
 * Errors: problem is not NULL, status and fault say what it is.
 */
#ifndef MFX_AUTH_DKIM_SIGNATURE_H
#define MFX_AUTH_DKIM_SIGNATURE_H

#include <mfx/auth/dkim_verify.h>

struct mfx_dkim_signature {
    const char *problem; /* literal */
    enum mfx_dkim_status status;
    enum mfx_dkim_fault fault;
    enum mfx_dkim_algorithm algorithm;
    enum mfx_dkim_canon header_canon, body_canon;
    struct mfx_str domain, selector, identity, algorithm_text; /* as claimed;
                                        empty when missing or not fit to print */
    bool is_parent;                    /* i= is below d=, not at it */
    struct mfx_str names;              /* h= */
    struct mfx_str signature_text;     /* b= without white space */
    struct mfx_str before_b, behind_b; /* of the field's value */
    unsigned char *signature;
    size_t signature_len;
    unsigned char body_hash[MFX_DKIM_SHA256];
    uint64_t limit; /* l= or MFX_DKIM_NO_LIMIT */
    bool has_timestamp, has_expiry;
    uint64_t timestamp_s, expires_s;
};

void mfx_dkim_signature_parse(const struct mfx_header *header,
                              size_t max_header_items, struct mfx_arena *arena,
                              struct mfx_dkim_signature *signature);
/* Only d=, for choosing; empty when the field cannot be read. */
struct mfx_str mfx_dkim_signature_domain(const struct mfx_header *header);
bool mfx_dkim_signature_has_name(struct mfx_str names, struct mfx_str name);

#endif
