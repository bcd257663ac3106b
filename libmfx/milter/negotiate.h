/* SPDX-License-Identifier: BSD-2-Clause
 *
 * negotiate - which stages, replies and macros a session has
 *
 * A demand is what one snapshot needs, computed once; a plan is what one
 * session got: the demand, cut down to what the MTA offers.
 *
 *     mfx_demand_make(filter, &wants, &origin_macros, arena, &demand);
 *     mfx_plan_make(&demand, &offer, &plan);
 *     if (mfx_plan_serves(&plan, &newer->demand)) ...
 *
 * Ownership: a demand's texts live in its arena, a plan borrows
 * the demand.
 * Errors: a macro list that does not fit is cut (false). Threads: pure.
 * Limits: 50 macros a stage (Sendmail refuses the filter beyond that).
 */
#ifndef MFX_MILTER_NEGOTIATE_H
#define MFX_MILTER_NEGOTIATE_H

#include <mfx/milter/filter.h>

/* Everything an MTA may send. */
enum mfx_step {
    MFX_STEP_CONNECT,
    MFX_STEP_HELO,
    MFX_STEP_MAIL,
    MFX_STEP_RCPT,
    MFX_STEP_DATA,
    MFX_STEP_HEADER,
    MFX_STEP_EOH,
    MFX_STEP_BODY,
    MFX_STEP_COUNT, /* the end of message is always sent and answered */
};

struct mfx_demand {
    unsigned steps;   /* bit 1 << enum mfx_step: must be sent */
    unsigned replies; /* the same bits: needs a reply */
    bool rejected_recipients, leading_space;
    struct mfx_str macros[MFX_STAGE_COUNT]; /* names, blanks between */
};

/* False when a stage has more macros than an MTA takes. */
bool mfx_demand_make(const struct mfx_filter *filter,
                     const struct mfx_wants *wants,
                     const struct mfx_option_list *origin_macros,
                     struct mfx_arena *arena, struct mfx_demand *demand);

struct mfx_offer {
    unsigned long actions, steps; /* SMFIF_*, SMFIP_* */
    bool is_unix; /* over TCP, stages without reply stall real MTAs */
};

struct mfx_plan {
    unsigned long actions, steps; /* what we answer */
    unsigned sent, replies;       /* bits as in a demand */
    bool can_skip, has_leading_space, has_rejected_recipients;
    bool has_macro_lists; /* asked->macros; else the MTA's defaults come */
    const struct mfx_demand *asked;
};

void mfx_plan_make(const struct mfx_demand *demand,
                   const struct mfx_offer *offer, struct mfx_plan *plan);

/* True when a session negotiated as in plan gives a snapshot of this demand
 * all that the MTA would give it. */
bool mfx_plan_serves(const struct mfx_plan *plan,
                     const struct mfx_demand *demand);

#endif
