/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_verify_private - what the verifier's two halves share: dkim_verify.c
 * gathers (fields, keys, hashes), dkim_judge.c gives the result (private to
 * auth)
 */
#ifndef MFX_AUTH_DKIM_VERIFY_PRIVATE_H
#define MFX_AUTH_DKIM_VERIFY_PRIVATE_H

#include <mfx/auth/dkim_signature.h>
#include <mfx/net/resolver.h>

/* One signature that is checked. */
struct mfx_dkim_check {
    const struct mfx_header *header;
    struct mfx_dkim_signature sig;
    bool is_aligned;
    bool misses_required;              /* h= lacks a name of required_headers */
    struct mfx_dns_question *question; /* NULL: could not be asked */
    struct mfx_str known_record;       /* in place of a question */
    int body, other_body;              /* handles; -1: none */
    bool has_header_digest;
    unsigned char header_digest[MFX_DKIM_SHA256];
};

/* body: finished; NULL when no check wants it. */
void mfx_dkim_judge(const struct mfx_dkim_check *check,
                    const struct mfx_dkim_body *body,
                    const struct mfx_dkim_verify_limits *limits,
                    struct mfx_dkim_result *result);

#endif
