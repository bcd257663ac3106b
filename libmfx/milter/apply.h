/* SPDX-License-Identifier: BSD-2-Clause
 *
 * apply - a decision's edits, told to the MTA in the one safe order
 *
 * Body; changes and deletions of header fields from the last of a name to the
 * first (Postfix counts anew after a deletion, Sendmail does not: going
 * upwards every index is right in both); insertions where an index says, in
 * the order given; then those below the MTA's own Received and at 0, the only
 * places that mean the same to both; sender; recipients; quarantine.
 *
 * Errors: MFX_TEMPFAIL as soon as the MTA does not take one; the caller
 * tempfails the message, so no half of an edit list is ever delivered.
 * Threads: the session's.
 */
#ifndef MFX_MILTER_APPLY_H
#define MFX_MILTER_APPLY_H

#include <mfx/milter/decision.h>
#include <mfx/milter/link.h>

/* What the MTA has said. */
struct mfx_apply_facts {
    bool has_leading_space; /* SMFIP_HDR_LEADSPC was negotiated, values are
                             * written as they are; else the MTA writes one
                             * space itself */
    size_t header_count;    /* fields of the message that it showed */
};

enum mfx_rc mfx_apply(const struct mfx_decision *d, const struct mfx_link *link,
                      const struct mfx_apply_facts *facts,
                      struct mfx_err *err) MFX_NODISCARD;

#endif
