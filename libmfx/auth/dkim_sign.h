/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_sign - making a DKIM-Signature (RFC 6376 5, RFC 8463)
 *
 *     int body = mfx_dkim_body_want(b, request.body_canon, NO_LIMIT);
 *     ... the body passes through b ...
 *     rc = mfx_dkim_sign(&request, &headers, digest, arena, &value, &err);
 *
 * Ownership: the value lives in the arena. Errors: MFX_PERMFAIL for a request
 * that cannot be (no From to sign, i= outside d=, bytes not fit for a tag),
 * MFX_TEMPFAIL when OpenSSL or memory fails. Threads: pure.
 * Limits: 1000 names in h=; more fields to sign are MFX_PERMFAIL.
 */
#ifndef MFX_AUTH_DKIM_SIGN_H
#define MFX_AUTH_DKIM_SIGN_H

#include <mfx/auth/dkim_canon.h>
#include <mfx/auth/dkim_key.h>

MFX_API_BEGIN

/* The name under which the value goes into the message, in this spelling:
 * simple canonicalization signs it. */
#define MFX_DKIM_SIGNATURE_FIELD "DKIM-Signature"

/* Which header fields a signature covers. Immutable after parse. */
struct mfx_dkim_header_policy;

/* Lists in OpenDKIM's syntax: names separated by commas (or blanks, or
 * colons), "X-*" as a wildcard; a plain list replaces the default, one with an
 * item "*" is a delta of the default with "+name" and "-name". From is always
 * signed. An empty text: the default; "none": nothing.
 * signed: which present fields are signed, every instance.
 * omitted: never signed, whatever the other lists say.
 * oversigned: listed once more than present, so that none can be added; with
 * "?" behind the name ("Date?") only when the message has one.
 * Defaults: From, Sender, Reply-To, Subject, Date, Message-ID, To, Cc,
 * MIME-Version, Content-Type, -Transfer-Encoding, -ID, -Description,
 * In-Reply-To, References, Resent-*, List-*, Feedback-ID, Autocrypt, OpenPGP
 * are signed; Comments, Keywords omitted; From, Reply-To, Subject, To, Cc
 * oversigned, and Sender?, Date?, Message-ID?, MIME-Version?, Content-Type?,
 * Content-Transfer-Encoding?, In-Reply-To?, References?, Autocrypt?, OpenPGP?.
 * Return-Path, Received, Bcc, Resent-Bcc, DKIM-Signature, Authentication-
 * Results are never signed; asking for one is an error that says so. */
enum mfx_rc mfx_dkim_header_policy_parse(struct mfx_str signed_list,
                                         struct mfx_str omitted_list,
                                         struct mfx_str oversigned_list,
                                         struct mfx_dkim_header_policy **policy,
                                         struct mfx_err *err) MFX_NODISCARD;
void mfx_dkim_header_policy_free(struct mfx_dkim_header_policy *policy);

struct mfx_dkim_sign_request {
    struct mfx_dkim_private_key *key;
    struct mfx_str domain;   /* d=, A-labels or U-labels as they shall stand */
    struct mfx_str selector; /* s= */
    struct mfx_str identity; /* i=; empty: left out */
    enum mfx_dkim_canon header_canon, body_canon;
    const struct mfx_dkim_header_policy *headers;
    /* Fields this MTA adds after the filters when absent (Sendmail: Date,
     * From, Message-ID): not oversigned while absent. NULL-ended, may be
     * NULL. */
    const char *const *added_later;
    uint64_t timestamp_s; /* t=; 0: left out */
    uint64_t expires_s;   /* x=; 0: left out */
    uint64_t body_length; /* l=; MFX_DKIM_NO_LIMIT: left out */
};

/* The value of the DKIM-Signature field: leading space, folded with "\n\t" at
 * tag and base64 boundaries, no line above 78 columns where a name allows, so
 * that it survives the limits of both MTAs. */
enum mfx_rc mfx_dkim_sign(const struct mfx_dkim_sign_request *request,
                          const struct mfx_headers *headers,
                          const unsigned char body_digest[MFX_DKIM_SHA256],
                          struct mfx_arena *arena, struct mfx_str *value,
                          struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
