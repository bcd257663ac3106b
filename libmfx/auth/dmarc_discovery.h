/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dmarc_discovery - which DMARC record is in force for an author's domain
 * (RFC 7489 6.6.3)
 *
 * The record at _dmarc.DOMAIN, or, when there is no DMARC record, the one of
 * the organizational domain. Both are asked for at once, so that a message
 * waits once at most.
 *
 *     mfx_dmarc_discovery_begin(&d, resolver, suffixes, domain, arena);
 *     while ((event = mfx_dmarc_discovery_event(&d)) != NULL &&
 *            mfx_wait(message, event, until_ms))
 *         ;
 *     rc = mfx_dmarc_discovery_end(&d, &found);
 *
 * Ownership: the questions belong to the arena. Errors: MFX_OK: *found is in
 * force. MFX_NOTFOUND: DNS says that none is (there is no record, or several,
 * or one without a policy that can be read). MFX_TEMPFAIL: not known, or not
 * yet; never to be taken for "none". Threads: one at a time.
 */
#ifndef MFX_AUTH_DMARC_DISCOVERY_H
#define MFX_AUTH_DMARC_DISCOVERY_H

#include <mfx/auth/dmarc_alignment.h>
#include <mfx/base/arena.h>
#include <mfx/net/resolver.h>

MFX_API_BEGIN

struct mfx_dmarc_discovery {
    struct mfx_str domain, organizational_domain;
    struct mfx_dns_question *own;
    struct mfx_dns_question *organizational; /* NULL: the same domain */
};

struct mfx_dmarc_found {
    struct mfx_dmarc_record record;
    struct mfx_str at;            /* the domain that has it */
    enum mfx_dmarc_policy policy; /* p=, or sp= where that counts */
};

/* domain: A-labels. It is borrowed. */
void mfx_dmarc_discovery_begin(struct mfx_dmarc_discovery *d,
                               struct mfx_resolver *resolver,
                               const struct mfx_dmarc_suffixes *suffixes,
                               struct mfx_str domain, struct mfx_arena *arena);
/* What to wait for next; NULL when all is known. */
struct mfx_event *
mfx_dmarc_discovery_event(const struct mfx_dmarc_discovery *d);
enum mfx_rc
mfx_dmarc_discovery_end(const struct mfx_dmarc_discovery *d,
                        struct mfx_dmarc_found *found) MFX_NODISCARD;

MFX_API_END

#endif
