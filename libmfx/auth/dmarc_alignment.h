/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dmarc_alignment - would DMARC be satisfied by this d=? (RFC 7489 3.1)
 *
 * A signature counts for DMARC when its d= and the From domain are the same
 * (adkim=s), or have one organizational domain (adkim=r). The organizational
 * domain is one label below a public suffix; the list of those is the
 * system's (Debian: publicsuffix), else the one that libpsl was built with.
 *
 *     rc = mfx_dmarc_record_parse(txt, &record);
 *     if (rc == MFX_OK && !mfx_dmarc_is_aligned(suffixes, from, d,
 *                                               record.is_strict)) ...
 *
 * No DNS here: see dmarc_discovery.h.
 *
 * Ownership: new/free; results borrow from the arguments. Errors: as said.
 * Threads: any; a list is read-only. Limits: domains of 253 octets.
 */
#ifndef MFX_AUTH_DMARC_ALIGNMENT_H
#define MFX_AUTH_DMARC_ALIGNMENT_H

#include <mfx/base/str.h>

MFX_API_BEGIN

/* --- records (RFC 7489 6.3) --- */

enum mfx_dmarc_policy {
    MFX_DMARC_NONE,
    MFX_DMARC_QUARANTINE,
    MFX_DMARC_REJECT,
};
/* "none", "quarantine", "reject". */
const char *mfx_dmarc_policy_name(enum mfx_dmarc_policy policy);

struct mfx_dmarc_record {
    bool is_strict;                         /* adkim=s */
    enum mfx_dmarc_policy policy;           /* p= */
    enum mfx_dmarc_policy subdomain_policy; /* sp=, else p= */
};

/* MFX_NOTFOUND: no DMARC record (it does not begin with v=DMARC1).
 * MFX_PERMFAIL: one that receivers ignore: neither a p= that is valid, with
 * an sp= that is, nor a rua= (RFC 7489 6.6.3). Other mistakes leave their tag
 * at its default, as the RFC says. */
enum mfx_rc
mfx_dmarc_record_parse(struct mfx_str text,
                       struct mfx_dmarc_record *record) MFX_NODISCARD;

/* --- domains --- */

struct mfx_dmarc_suffixes;

/* NULL when there is no list at all. */
struct mfx_dmarc_suffixes *mfx_dmarc_suffixes_new(void);
void mfx_dmarc_suffixes_free(struct mfx_dmarc_suffixes *suffixes);

/* The end of `domain` (A-labels) that is its organizational domain; the whole
 * when it is a public suffix itself. */
struct mfx_str
mfx_dmarc_organizational_domain(const struct mfx_dmarc_suffixes *suffixes,
                                struct mfx_str domain);

/* from, d: A-labels, in any case. */
bool mfx_dmarc_is_aligned(const struct mfx_dmarc_suffixes *suffixes,
                          struct mfx_str from, struct mfx_str d,
                          bool is_strict);

MFX_API_END

#endif
