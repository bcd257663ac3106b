/* SPDX-License-Identifier: BSD-2-Clause
 *
 * munge - authors whose domain forbids what lists and forwarders do
 *
 * A list changes mail, a forwarder sends it from elsewhere; an author's domain
 * that publishes DMARC p=reject or p=quarantine asks receivers to refuse both.
 * So From gets an address of munge.domain that leads back to him (see
 * munge_address.h), and keeps his name. A reply comes here; its recipient is
 * replaced by him.
 *
 *     masq_munge_new(settings, build, &munge);                        load
 *     masq_munge_begin(&job, munge, env, &m->headers, m->arena);      eoh
 *     if (masq_munge_concerns(munge, &fields, is_forwarded))          eom
 *         rc = masq_munge_finish(&job, store, &fields, &waiter, &answer, &err);
 *
 *     masq_munge_begin_reverse(munge, store, &recipient, arena, &call); rcpt
 *     if ((event = masq_munge_event(&call)) != NULL)
 *         mfx_wait(message, event, until_ms);
 *     rc = masq_munge_end(&call, &answer, &err);
 *
 * begin only asks DNS early; finish looks at From as the steps before have left
 * it, asks what is still missing, and waits. Not munged: authors of our_domains
 * and of munge.domain, without a domain, in a domain literal.
 *
 * DMARC: RFC 7489 6.6.3. pct= and the author's signature do not count: the
 * record of a domain that begins with DMARC says pct=0 so that lists munge.
 * An outage is never "no policy". munge.dns_error says what it is: the default
 * takes the policy for a strict one, and the mail arrives under a name that
 * leads to its author; with tempfail mail waits, for as long as his DNS is
 * broken.
 *
 * Addresses too long for 64 octets have a short form: the store keeps the
 * author under "munge/NAME" for munge.keep_days after its last use. Without
 * the store such mail waits.
 *
 * A reply goes to the author with the munged address in To, as a signature may
 * cover that. The reply's sender is for SRS, as with all that is forwarded.
 * munge.domain should be a domain of its own: in it, what begins as a munged
 * address and is none is refused; all else is the MTA's to know.
 *
 * Ownership: the policy is the snapshot's; jobs and results are in the message's
 * arena; a call that was begun must be ended. Errors: below. Threads: one
 * message at a time. Limits: MASQ_MUNGE_DOMAINS domains in From are asked for,
 * further ones count as not known.
 */
#ifndef MASQ_MUNGE_H
#define MASQ_MUNGE_H

#include <mfx/auth/dmarc_discovery.h>
#include <mfx/milter/filter.h>

#include "fields.h"
#include "kept.h"
#include "munge_address.h"
#include "settings.h"
#include "srs_maps.h"

enum {
    MASQ_MUNGE_DOMAINS = 20,
};

struct masq_munge {
    const struct masq_munge_settings *settings;
    struct mfx_str domain; /* A-labels */
    struct mfx_secrets secrets;
    struct mfx_dmarc_suffixes *suffixes;
    struct masq_srs_maps maps; /* for munge.mail = "forwarded" */
    size_t max_addresses;
    uint64_t store_wait_ms;
};

/* *munge: NULL without munge.domain. MFX_PERMFAIL with problems. */
enum mfx_rc masq_munge_new(const struct masq_settings *settings,
                           const struct mfx_policy_build *build,
                           const struct masq_munge **munge) MFX_NODISCARD;

/* --- From --- */

/* Some mail is munged; otherwise recipients are read back only. */
bool masq_munge_is_active(const struct masq_munge *munge);
/* Whether this mail is of the kind that munge.mail says. is_forwarded: some
 * recipient leaves the site (masq_srs_maps_leave with munge->maps); asked for
 * only if masq_munge_needs_recipients. */
bool masq_munge_needs_recipients(const struct masq_munge *munge);
bool masq_munge_concerns(const struct masq_munge *munge,
                         const struct masq_fields *fields, bool is_forwarded);

struct masq_munge_domain;

struct masq_munge_job {
    const struct masq_munge *munge;
    const struct mfx_env *env;
    struct mfx_arena *arena;
    struct masq_munge_domain *domains; /* asked for */
    size_t domain_count;
};

void masq_munge_begin(struct masq_munge_job *job,
                      const struct masq_munge *munge, const struct mfx_env *env,
                      const struct mfx_headers *headers,
                      struct mfx_arena *arena);

/* mfx_wait() of the message: true when the event is set. */
struct masq_munge_waiter {
    bool (*wait)(void *arg, struct mfx_event *event, uint64_t until_ms);
    void *arg;
};

struct masq_munge_answer {
    size_t count;       /* addresses munged */
    struct mfx_str why; /* for log and trace */
    bool is_strange;    /* a From field that cannot be understood, or holds an
                           author that no address of ours can name; it stays */
};

/* MFX_OK: From was changed. MFX_NOTFOUND: it stays. MFX_TEMPFAIL: a table, the
 * store, or DNS (munge.dns_error) cannot be asked. */
enum mfx_rc masq_munge_finish(struct masq_munge_job *job,
                              struct mfx_store *store,
                              struct masq_fields *fields,
                              const struct masq_munge_waiter *waiter,
                              struct masq_munge_answer *answer,
                              struct mfx_err *err) MFX_NODISCARD;

/* --- recipients --- */

struct masq_munge_call {
    struct mfx_arena *arena;
    enum mfx_rc rc; /* what is known without the store */
    struct masq_address to;
    bool is_short; /* kept answers */
    struct masq_kept kept;
};

struct masq_munge_reply {
    struct masq_address to;
    const char *code, *text; /* PERMFAIL: "5.7.1", words; literals */
};

/* Any recipient; store may be NULL. */
void masq_munge_begin_reverse(const struct masq_munge *munge,
                              struct mfx_store *store,
                              const struct masq_address *recipient,
                              struct mfx_arena *arena,
                              struct masq_munge_call *call);
/* To be waited for; NULL: the answer is there. */
struct mfx_event *masq_munge_event(const struct masq_munge_call *call);
/* MFX_OK: reply->to is the author. MFX_NOTFOUND: no address of this kind.
 * MFX_PERMFAIL: forged, or not kept any more: 550 with code and text.
 * MFX_TEMPFAIL: the store did not answer (in time). */
enum mfx_rc masq_munge_end(struct masq_munge_call *call,
                           struct masq_munge_reply *reply,
                           struct mfx_err *err) MFX_NODISCARD;

#endif
