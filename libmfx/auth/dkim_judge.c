/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dkim_verify_private.h>

enum {
    RECORDS_MAX = 10, /* TXT records tried for one signature */
};

const char *
mfx_dkim_status_name(enum mfx_dkim_status status)
{
    switch (status) {
    case MFX_DKIM_NONE:
        return "none";
    case MFX_DKIM_PASS:
        return "pass";
    case MFX_DKIM_FAIL:
        return "fail";
    case MFX_DKIM_POLICY:
        return "policy";
    case MFX_DKIM_NEUTRAL:
        return "neutral";
    case MFX_DKIM_TEMPERROR:
        return "temperror";
    case MFX_DKIM_PERMERROR:
        return "permerror";
    }
    return "";
}

struct verdict {
    enum mfx_dkim_status status;
    enum mfx_dkim_fault fault;
    const char *reason;
};

static const struct verdict pass = {MFX_DKIM_PASS, MFX_DKIM_FAULT_NONE,
                                    "signature verified"};
static const struct verdict bad_signature = {
    MFX_DKIM_FAIL, MFX_DKIM_FAULT_SIGNATURE, "signature did not verify"};
static const struct verdict bad_body = {MFX_DKIM_FAIL, MFX_DKIM_FAULT_BODY_HASH,
                                        "body hash did not verify"};
static const struct verdict internal = {
    MFX_DKIM_TEMPERROR, MFX_DKIM_FAULT_INTERNAL, "out of memory"};

/* --- one record --- */

/* A record that is no usable key. Too few bits for RFC 8301 are an error, too
 * few for the setting are our policy. */
static struct verdict
record_verdict(const struct mfx_dkim_record *record)
{
    struct verdict v = {MFX_DKIM_PERMERROR, MFX_DKIM_FAULT_KEY,
                        mfx_dkim_record_problem_text(record->problem)};
    if (record->problem == MFX_DKIM_RECORD_INTERNAL)
        return internal;
    if (record->problem == MFX_DKIM_RECORD_KEY_SHORT &&
        record->bits >= MFX_DKIM_RSA_MIN_BITS)
        v.status = MFX_DKIM_POLICY;
    return v;
}

static struct verdict
key_verdict(const struct mfx_dkim_check *check,
            const struct mfx_dkim_record *record, bool body_matches)
{
    const struct mfx_dkim_signature *sig = &check->sig;
    struct verdict v = {MFX_DKIM_PERMERROR, MFX_DKIM_FAULT_KEY, NULL};
    if (record->problem != MFX_DKIM_RECORD_GOOD)
        return record_verdict(record);
    if (record->algorithm != sig->algorithm)
        v.reason = "inappropriate key algorithm";
    else if (record->is_strict_domain && sig->is_parent)
        v.reason = "key forbids i= below d=";
    if (v.reason != NULL)
        return v;
    if (!body_matches)
        return bad_body;
    enum mfx_rc rc = mfx_dkim_public_key_verify(
        record->key, check->header_digest, sig->signature, sig->signature_len);
    if (rc == MFX_TEMPFAIL)
        return internal;
    return rc == MFX_OK ? pass : bad_signature;
}

/* Of the verdicts that several records give, the one that says most: a pass, a
 * usable key that failed, an outage of ours, then the first complaint that is
 * about a DKIM key at all. */
static int
weight(const struct verdict *v, const struct mfx_dkim_record *record)
{
    if (v->status == MFX_DKIM_PASS)
        return 5;
    if (v->status == MFX_DKIM_FAIL)
        return 4;
    if (v->status == MFX_DKIM_TEMPERROR)
        return 3;
    return record->problem != MFX_DKIM_RECORD_SYNTAX &&
                   record->problem != MFX_DKIM_RECORD_VERSION
               ? 2
               : 1;
}

/* What was found with the records so far. */
struct attempt {
    struct verdict best;
    int weight;
};

static void
try_record(const struct mfx_dkim_check *check, struct mfx_str text,
           bool body_matches, const struct mfx_dkim_verify_limits *limits,
           struct attempt *attempt, struct mfx_dkim_result *result)
{
    struct mfx_dkim_record record;
    mfx_dkim_record_cache_get(limits->records, text, limits->min_rsa_bits,
                              &record);
    struct verdict v = key_verdict(check, &record, body_matches);
    int w = weight(&v, &record);
    if (w > attempt->weight) {
        *attempt = (struct attempt){v, w};
        result->key_bits = record.bits;
        result->is_testing = record.is_testing;
    }
    mfx_dkim_record_fini(&record);
}

static struct verdict
try_records(const struct mfx_dkim_check *check,
            const struct mfx_dns_answer *answer, bool body_matches,
            const struct mfx_dkim_verify_limits *limits,
            struct mfx_dkim_result *result)
{
    struct attempt attempt = {internal, 0};
    size_t count = answer->count < RECORDS_MAX ? answer->count : RECORDS_MAX;
    for (size_t i = 0; i < count && attempt.best.status != MFX_DKIM_PASS; i++)
        try_record(check, answer->records[i].text, body_matches, limits,
                   &attempt, result);
    return attempt.best;
}

/* --- the whole --- */

static const char *
lookup_reason(enum mfx_dns_status status)
{
    switch (status) {
    case MFX_DNS_FAILED:
        return "key lookup: server failure";
    case MFX_DNS_MALFORMED:
        return "key lookup: malformed answer";
    case MFX_DNS_ANSWER:
    case MFX_DNS_NO_NAME:
    case MFX_DNS_NO_DATA:
    case MFX_DNS_TIMEOUT:
        break;
    }
    return "key lookup: timeout";
}

static struct verdict
answer_verdict(const struct mfx_dkim_check *check, bool body_matches,
               const struct mfx_dkim_verify_limits *limits,
               struct mfx_dkim_result *result)
{
    if (check->known_record.p != NULL) {
        struct attempt attempt = {internal, 0};
        try_record(check, check->known_record, body_matches, limits, &attempt,
                   result);
        return attempt.best;
    }
    const struct mfx_dns_answer *answer =
        mfx_dns_question_answer(check->question);
    enum mfx_rc rc = mfx_dns_rc(answer);
    if (rc == MFX_OK && answer->count > 0) {
        result->key_is_authentic = answer->is_authentic;
        return try_records(check, answer, body_matches, limits, result);
    }
    if (rc == MFX_OK || rc == MFX_NOTFOUND)
        return (struct verdict){MFX_DKIM_PERMERROR, MFX_DKIM_FAULT_KEY_MISSING,
                                "no key for signature"};
    /* No key can mend a body that does not match. */
    if (!body_matches)
        return bad_body;
    return (struct verdict){MFX_DKIM_TEMPERROR, MFX_DKIM_FAULT_KEY_LOOKUP,
                            lookup_reason(answer->status)};
}

/* What is right, and still not worth a pass. */
static struct verdict
policy_verdict(const struct mfx_dkim_check *check,
               const struct mfx_dkim_verify_limits *limits,
               const struct mfx_dkim_result *result)
{
    struct verdict v = {MFX_DKIM_POLICY, MFX_DKIM_FAULT_POLICY, NULL};
    if (result->body_unsigned > 0 && !limits->accept_partial_body)
        v.reason = "l= leaves a part of the body unsigned";
    else if (check->misses_required)
        v.reason = "a required header field is not signed";
    else if (!result->key_is_authentic &&
             limits->unprotected_key != MFX_DKIM_NONE)
        v = (struct verdict){limits->unprotected_key,
                             MFX_DKIM_FAULT_UNPROTECTED,
                             "the key is not protected by DNSSEC"};
    return v.reason == NULL ? pass : v;
}

static struct verdict
full_verdict(const struct mfx_dkim_check *check,
             const struct mfx_dkim_body *body,
             const struct mfx_dkim_verify_limits *limits,
             struct mfx_dkim_result *result)
{
    const struct mfx_dkim_signature *sig = &check->sig;
    if (body == NULL || check->body < 0 || !check->has_header_digest)
        return internal;
    uint64_t length = mfx_dkim_body_length(body, check->body);
    if (sig->limit != MFX_DKIM_NO_LIMIT && sig->limit > length)
        return (struct verdict){MFX_DKIM_PERMERROR, MFX_DKIM_FAULT_BODY_HASH,
                                "l= is larger than the body"};
    if (sig->limit != MFX_DKIM_NO_LIMIT)
        result->body_unsigned = length - sig->limit;
    bool body_matches = memcmp(mfx_dkim_body_digest(body, check->body),
                               sig->body_hash, MFX_DKIM_SHA256) == 0;
    result->other_canon_matches =
        !body_matches && check->other_body >= 0 &&
        memcmp(mfx_dkim_body_digest(body, check->other_body), sig->body_hash,
               MFX_DKIM_SHA256) == 0;
    struct verdict v = answer_verdict(check, body_matches, limits, result);
    return v.status == MFX_DKIM_PASS ? policy_verdict(check, limits, result)
                                     : v;
}

void
mfx_dkim_judge(const struct mfx_dkim_check *check,
               const struct mfx_dkim_body *body,
               const struct mfx_dkim_verify_limits *limits,
               struct mfx_dkim_result *result)
{
    const struct mfx_dkim_signature *sig = &check->sig;
    *result = (struct mfx_dkim_result){
        .header = check->header,
        .domain = sig->domain,
        .selector = sig->selector,
        .identity = sig->identity,
        .algorithm = sig->algorithm_text,
        .signature_head = mfx_str_head(sig->signature_text, 8),
        .is_aligned = check->is_aligned,
        .header_canon = sig->header_canon,
        .body_canon = sig->body_canon,
    };
    struct verdict v = {sig->status, sig->fault, sig->problem};
    if (sig->problem == NULL)
        v = full_verdict(check, body, limits, result);
    result->status = v.status;
    result->fault = v.fault;
    result->reason = v.reason;
}
