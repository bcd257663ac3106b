/* SPDX-License-Identifier: BSD-2-Clause
 *
 * policy - what mfx-dkim does with a message, decided from facts
 *
 * A policy is the settings of one snapshot made ready: lists, signers, keys,
 * header lists. dkim_policy_plan says what to do with a message (sign with
 * these keys, verify, pass, refuse, defer) and why; dkim_policy_judge says
 * what the results of verifying mean for it. Both are used by the daemon's
 * hooks and by `mfxctl dkim explain` alike; both write what they asked into
 * the decision's trace.
 *
 * Ownership: policy_new/policy_free as mfx_filter wants; a plan lives in the
 * arena given. Errors: in the plan. Threads: a policy is read-only.
 */
#ifndef DKIM_POLICY_H
#define DKIM_POLICY_H

#include <stdatomic.h>

#include <mfx/auth/dkim_sign.h>
#include <mfx/auth/dkim_verify.h>
#include <mfx/mail/address.h>
#include <mfx/milter/filter.h>
#include <mfx/policy/host_list.h>
#include <mfx/policy/origin.h>

#include "keys.h"
#include "rotation/lines.h"
#include "rotation/watcher.h"
#include "settings.h"
#include "signers.h"

/* What lives through reloads: counters and the cache of public keys. */
struct dkim_shared {
    atomic_size_t refs;
    atomic_uint_fast64_t signed_messages, signatures, sign_failures;
    atomic_uint_fast64_t unsigned_messages, refused;
    atomic_uint_fast64_t results[MFX_DKIM_PERMERROR + 1];
    atomic_uint_fast64_t removed_results;
    struct mfx_dkim_record_cache *records;
    struct dkim_watcher *watcher; /* of the keys' records in DNS */
    struct dkim_tally *tally;     /* of mode = "shadow" */
};

struct dkim_policy {
    const struct dkim_settings *settings;
    struct mfx_host_list *exempt_clients, *skip_hosts;
    struct mfx_auth_results *auth_results;
    struct dkim_keys *keys;
    struct dkim_shelves *shelves; /* cards */
    struct dkim_lines *lines;
    struct dkim_signers *signers;
    struct mfx_dkim_header_policy *headers;
    enum mfx_dkim_canon header_canon, body_canon;
    const char *sender_macro; /* "{name}"; NULL: none */
    bool is_shadow;           /* mode = "shadow" */
    struct dkim_shared *shared;
};

/* mfx_filter's policy_new and policy_free. */
enum mfx_rc dkim_policy_new(const struct mfx_policy_build *build,
                            void **policy);
void dkim_policy_free(void *policy);
/* mfx_filter's policy_begin. */
void dkim_policy_begin(void *policy, struct mfx_resolver_share *resolver);

struct dkim_facts {
    const struct mfx_headers *headers;
    struct mfx_origin origin;
    struct mfx_str client_name;
    struct mfx_ip client_ip;
    struct mfx_str login;
    struct mfx_str sender_macro; /* value of sign.sender_macro's macro */
    bool is_null_sender;
    bool is_to_excepted; /* a recipient is in sign.except_recipients */
};

enum dkim_job {
    DKIM_JOB_PASS, /* leave it as it is */
    DKIM_JOB_SIGN,
    DKIM_JOB_VERIFY,
    DKIM_JOB_REFUSE, /* 550 */
    DKIM_JOB_DEFER,  /* 451 */
    DKIM_JOB_HOLD,   /* unsigned, into the MTA's quarantine */
    DKIM_JOB_DISCARD,
};
/* "pass", "sign", "verify", "refuse", "defer", "hold", "discard". */
const char *dkim_job_name(enum dkim_job job);

struct dkim_plan {
    enum dkim_job job;
    struct mfx_str reason;      /* why, for the log */
    struct mfx_mailbox author;  /* first mailbox of From; may be empty */
    struct mfx_str from_domain; /* lower case, A-labels; may be empty */
    /* of every mailbox in every From field; of a field that cannot be read,
     * every domain that stands in it */
    struct mfx_str *author_domains;
    size_t author_count;
    /* who mail is signed for: the author, or who sign.sender_headers or
     * sign.sender_macro names; the domain as from_domain */
    struct mfx_mailbox sender;
    struct mfx_str sender_domain;
    const char *header_fault; /* what breaks RFC 5322 3.6, when that matters */
    struct dkim_signer *signers;
    bool is_exempt;   /* no results are removed either */
    bool is_left;     /* to another signer: not in sign.sign_only */
    bool should_sign; /* it is ours, signing is on, and it was not for a
                         setting that says not to */
};

void dkim_policy_plan(const struct dkim_policy *policy,
                      const struct dkim_facts *facts, struct mfx_arena *arena,
                      struct mfx_decision *trace, struct dkim_plan *plan);

/* The row of the domain itself, or of a parent as ".example.org". */
enum mfx_rc dkim_policy_find_domain(struct mfx_table *table,
                                    struct mfx_str domain,
                                    struct mfx_arena *arena,
                                    struct mfx_str *value,
                                    struct mfx_err *err) MFX_NODISCARD;

/* Any recipient here means: do not sign. MFX_OK: it is listed. */
enum mfx_rc dkim_policy_excepts_recipient(const struct dkim_policy *policy,
                                          struct mfx_str recipient,
                                          struct mfx_arena *arena,
                                          struct mfx_err *err) MFX_NODISCARD;

/* What the verifier is told, from the verify settings. */
struct mfx_dkim_verify_limits
dkim_policy_verify_limits(const struct dkim_policy *policy);

/* The results as the settings see them: none passes in a message whose header
 * breaks the rules (verify.invalid_headers), and a signer that is neither the
 * author nor trusted does not count (verify.trusted_signers). NULL when out
 * of memory. */
const struct mfx_dkim_result *
dkim_policy_adjust(const struct dkim_policy *policy,
                   const struct dkim_plan *plan,
                   const struct mfx_dkim_result *results, size_t count,
                   struct mfx_arena *arena, struct mfx_decision *trace);

struct dkim_judgement {
    enum mfx_dkim_status status; /* of the message as a whole */
    enum dkim_action action;
    unsigned code;
    const char *enhanced, *text, *reason;
};

/* What the results mean: the best of them, the setting for it, and what
 * verify.author_policy says of each domain in From; the harshest holds, so
 * that no second From hides one. */
void dkim_policy_judge(const struct dkim_policy *policy,
                       const struct dkim_plan *plan,
                       const struct mfx_dkim_result *results, size_t count,
                       struct mfx_arena *arena, struct mfx_decision *trace,
                       struct dkim_judgement *judgement);

#endif
