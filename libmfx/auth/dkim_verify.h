/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_verify - checking the DKIM-Signatures of a message (RFC 6376 6)
 *
 *     v = mfx_dkim_verifier_new(arena, env, &limits);
 *     mfx_dkim_verifier_header(v, header)   as fields come: asks for keys
 *     mfx_dkim_verifier_headers_end(v, &headers, from_domain)
 *     mfx_dkim_verifier_body(v, piece)
 *     while ((e = mfx_dkim_verifier_pending(v)) && wait(e)) ;
 *     mfx_dkim_verifier_finish(v, &results, &count);
 *
 * The verifier never waits: the caller waits for each pending event as long
 * as it likes; a key that is not there at finish is a temperror.
 *
 * Ownership: all in the arena (OpenSSL contexts and DNS questions are given
 * back at its reset). Errors: in each result. Threads: one at a time.
 * Limits: struct mfx_dkim_verify_limits; ten TXT records a signature.
 *
 * Statuses, where the RFCs leave a choice:
 *   neutral    syntax errors of the field; version, algorithm, canonicalization
 *              or query method that we do not know (RFC 8601 2.7.1)
 *   permerror  what RFC 6376 6.1 and 8301 forbid: From not in h=, i= outside
 *              d=, rsa-sha1, RSA below 1024 bits or above 8192; no key, key
 *              revoked, unreadable or not fit for the signature
 *   policy     expired or from the future; l= that leaves octets unsigned;
 *              required fields not signed; RSA below min_rsa_bits; a key
 *              that DNSSEC does not protect, when the caller wants it so
 *   temperror  DNS gave no answer. A body that does not match is `fail` all
 *              the same: no key could mend it.
 */
#ifndef MFX_AUTH_DKIM_VERIFY_H
#define MFX_AUTH_DKIM_VERIFY_H

#include <mfx/auth/dkim_canon.h>
#include <mfx/auth/dkim_key.h>
#include <mfx/base/env.h>
#include <mfx/base/event.h>

MFX_API_BEGIN

/* RFC 8601 2.7.1. */
enum mfx_dkim_status {
    MFX_DKIM_NONE,
    MFX_DKIM_PASS,
    MFX_DKIM_FAIL,
    MFX_DKIM_POLICY,
    MFX_DKIM_NEUTRAL,
    MFX_DKIM_TEMPERROR,
    MFX_DKIM_PERMERROR,
};
const char *mfx_dkim_status_name(enum mfx_dkim_status status);

/* Keys that are known without DNS: who checks what its own keys have signed.
 * record gives the text that would be published for that d= and s=;
 * MFX_NOTFOUND: no such key, and that signature is not looked into. */
struct mfx_dkim_known_keys {
    enum mfx_rc (*record)(void *arg, struct mfx_str domain,
                          struct mfx_str selector, struct mfx_str *text);
    void *arg;
};

struct mfx_dkim_verify_limits {
    size_t max_signatures;   /* 10; the rest are counted, not checked */
    unsigned min_rsa_bits;   /* 1024, never below */
    uint64_t clock_skew_s;   /* 300: for t= in the future and x= in the past */
    size_t max_header_items; /* 1000 names in h=; more is a permerror */
    bool fix_line_ends;      /* for files: bare LF is CRLF */
    struct mfx_dkim_record_cache *records; /* may be NULL */
    /* l= that leaves octets unsigned: policy instead of pass */
    bool accept_partial_body;
    /* names that h= must hold besides From, when the message has such a field
     * (comma list); else policy */
    struct mfx_str required_headers;
    /* what a pass becomes whose key record was not authentic (DNSSEC): NONE
     * leaves it, NEUTRAL, POLICY */
    enum mfx_dkim_status unprotected_key;
    /* asked in place of DNS; NULL: DNS. A signature of no known key is neutral */
    const struct mfx_dkim_known_keys *known_keys;
};
struct mfx_dkim_verify_limits mfx_dkim_verify_limits_default(void);

/* Which part was at fault, for exit codes and counters. */
enum mfx_dkim_fault {
    MFX_DKIM_FAULT_NONE,
    MFX_DKIM_FAULT_SYNTAX,      /* the signature field itself */
    MFX_DKIM_FAULT_ALGORITHM,   /* a= not allowed (rsa-sha1) or unknown */
    MFX_DKIM_FAULT_KEY_LOOKUP,  /* DNS did not answer */
    MFX_DKIM_FAULT_KEY_MISSING, /* no such record */
    MFX_DKIM_FAULT_KEY,         /* record unusable, revoked, mismatched */
    MFX_DKIM_FAULT_EXPIRED,     /* x= in the past, t= in the future */
    MFX_DKIM_FAULT_BODY_HASH,
    MFX_DKIM_FAULT_SIGNATURE,   /* header hash */
    MFX_DKIM_FAULT_POLICY,      /* l=, required headers */
    MFX_DKIM_FAULT_UNPROTECTED, /* the key is not protected by DNSSEC */
    MFX_DKIM_FAULT_HEADERS,     /* the message breaks RFC 5322 3.6 */
    MFX_DKIM_FAULT_UNTRUSTED,   /* a signer that the caller does not trust */
    MFX_DKIM_FAULT_INTERNAL,
};

struct mfx_dkim_result {
    enum mfx_dkim_status status;
    enum mfx_dkim_fault fault;
    const char *reason;              /* literal, "body hash did not verify" */
    const struct mfx_header *header; /* the signature field */
    struct mfx_str domain, selector, identity, algorithm; /* as claimed; may
                                                             be empty */
    struct mfx_str signature_head; /* for header.b: the first 8 characters, or
                                      more where two share them (RFC 6008) */
    unsigned key_bits;
    bool is_testing;          /* t=y */
    bool is_aligned;          /* d= is the From domain or above or below */
    bool key_is_authentic;    /* DNSSEC, as the resolver says */
    bool other_canon_matches; /* body mismatch: the other canonicalization
                                   would have matched (only when asked for) */
    uint64_t body_unsigned;   /* octets behind l= */
    enum mfx_dkim_canon header_canon, body_canon;
};

/* What a signature field claims, unchecked; empty where it cannot be read. */
struct mfx_dkim_claim {
    struct mfx_str domain, selector;
    struct mfx_str names; /* h=, between colons, white space and all */
    uint64_t timestamp_s; /* t=; 0: none */
};
struct mfx_dkim_claim mfx_dkim_claim_read(struct mfx_str field_value);
/* Takes the next name off a list of h=; skips empty ones. */
bool mfx_dkim_claim_next_name(struct mfx_str *names, struct mfx_str *name);

struct mfx_dkim_verifier;

struct mfx_dkim_verifier *
mfx_dkim_verifier_new(struct mfx_arena *arena, const struct mfx_env *env,
                      const struct mfx_dkim_verify_limits *limits);
/* Also hash the other canonicalization, for other_canon_matches. Before
 * headers_end. */
void mfx_dkim_verifier_diagnose(struct mfx_dkim_verifier *verifier);
/* For every field as it comes; looks only at DKIM-Signature and starts its
 * key look-up while fewer than max_signatures have been started. */
void mfx_dkim_verifier_header(struct mfx_dkim_verifier *verifier,
                              const struct mfx_header *header);
/* All fields are known: chooses the signatures to check (those aligned with
 * from_domain first, then from the top), starts what look-ups are missing and
 * the body hashes. from_domain may be empty. */
void mfx_dkim_verifier_headers_end(struct mfx_dkim_verifier *verifier,
                                   const struct mfx_headers *headers,
                                   struct mfx_str from_domain);
/* True while any body hash wants more bytes (all may be past their l=). */
bool mfx_dkim_verifier_wants_body(const struct mfx_dkim_verifier *verifier);
void mfx_dkim_verifier_body(struct mfx_dkim_verifier *verifier,
                            struct mfx_str piece);
/* The event of a key look-up that is not answered yet, or NULL. */
struct mfx_event *mfx_dkim_verifier_pending(struct mfx_dkim_verifier *verifier);
/* MFX_NOTFOUND when there was no signature (count 0); MFX_TEMPFAIL when out
 * of memory; else MFX_OK. *ignored: signatures beyond the limit. Results in
 * message order from the top. */
enum mfx_rc mfx_dkim_verifier_finish(struct mfx_dkim_verifier *verifier,
                                     const struct mfx_dkim_result **results,
                                     size_t *count,
                                     size_t *ignored) MFX_NODISCARD;

MFX_API_END

#endif
