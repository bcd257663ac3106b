/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/milter/negotiate.h>

#include <libmilter/mfapi.h>

enum {
    MACROS_MAX = 50,
};

static const struct {
    unsigned long none, no_reply;
} bits[MFX_STEP_COUNT] = {
    [MFX_STEP_CONNECT] = {SMFIP_NOCONNECT, SMFIP_NR_CONN},
    [MFX_STEP_HELO] = {SMFIP_NOHELO,    SMFIP_NR_HELO},
    [MFX_STEP_MAIL] = {SMFIP_NOMAIL,    SMFIP_NR_MAIL},
    [MFX_STEP_RCPT] = {SMFIP_NORCPT,    SMFIP_NR_RCPT},
    [MFX_STEP_DATA] = {SMFIP_NODATA,    SMFIP_NR_DATA},
    [MFX_STEP_HEADER] = {SMFIP_NOHDRS,    SMFIP_NR_HDR },
    [MFX_STEP_EOH] = {SMFIP_NOEOH,     SMFIP_NR_EOH },
    [MFX_STEP_BODY] = {SMFIP_NOBODY,    SMFIP_NR_BODY},
};

/* What the harness itself asks for. Postfix has the queue id from DATA on (or
 * the second recipient), Sendmail from MAIL on. EOH and EOM lists are short:
 * Postfix repeats them before every header and every piece of the body. */
static const char *const own_macros[MFX_STAGE_COUNT] = {
    [MFX_STAGE_CONNECT] = "j v {daemon_name}",
    [MFX_STAGE_HELO] = "",
    [MFX_STAGE_MAIL] = "i {auth_authen} {auth_type}",
    [MFX_STAGE_RCPT] = "i",
    [MFX_STAGE_DATA] = "i",
    [MFX_STAGE_EOH] = "i",
    [MFX_STAGE_EOM] = "i",
};

static bool
has_word(struct mfx_str list, struct mfx_str wanted)
{
    struct mfx_str word;
    while (mfx_str_word(&list, " ", &word))
        if (mfx_str_eq(word, wanted))
            return true;
    return false;
}

static bool
add_words(struct mfx_buf *out, size_t *count, struct mfx_str words)
{
    struct mfx_str word;
    while (mfx_str_word(&words, " ", &word)) {
        if (has_word(mfx_buf_str(out), word))
            continue;
        if (*count == MACROS_MAX)
            return false;
        if (out->len > 0)
            mfx_buf_add_byte(out, ' ');
        mfx_buf_add(out, word);
        (*count)++;
    }
    return true;
}

static bool
list_macros(enum mfx_stage stage, const struct mfx_wants *wants,
            const struct mfx_option_list *origin, struct mfx_arena *arena,
            struct mfx_str *list)
{
    struct mfx_buf out;
    size_t count = 0;
    mfx_buf_init_arena(&out, arena, 64 * 1024);
    bool ok = add_words(&out, &count, mfx_str_of(own_macros[stage]));
    if (stage == MFX_STAGE_RCPT && wants->rejected_recipients)
        ok = add_words(&out, &count,
                       mfx_str_of("{rcpt_mailer} {rcpt_host} {rcpt_addr}")) &&
             ok;
    for (size_t i = 0; stage == MFX_STAGE_MAIL && i < origin->count; i++)
        ok = add_words(&out, &count,
                       mfx_str_head(origin->items[i],
                                    mfx_str_find(origin->items[i], '='))) &&
             ok;
    ok = add_words(&out, &count, mfx_str_of(wants->macros[stage])) && ok;
    *list = mfx_str(mfx_buf_text(&out), out.len);
    return ok && mfx_buf_ok(&out);
}

static unsigned
needed_steps(const struct mfx_hooks *h, const struct mfx_wants *w)
{
    const bool needed[MFX_STEP_COUNT] = {
        [MFX_STEP_CONNECT] = true, /* origin needs the client */
        [MFX_STEP_HELO] = h->helo != NULL,
        [MFX_STEP_MAIL] = true, /* a message begins there */
        [MFX_STEP_RCPT] =
            h->rcpt != NULL || w->recipients || w->rejected_recipients,
        [MFX_STEP_DATA] = h->data != NULL,
        [MFX_STEP_HEADER] = h->header != NULL || w->headers,
        [MFX_STEP_EOH] = h->eoh != NULL,
        [MFX_STEP_BODY] = w->body != MFX_BODY_NONE,
    };
    unsigned steps = 0;
    for (unsigned i = 0; i < MFX_STEP_COUNT; i++)
        steps |= needed[i] ? 1U << i : 0;
    return steps;
}

/* Connect, helo, header and eoh hooks do not wait and what they find is given
 * later: no reply. The body hook's reply says "no more of it". */
static unsigned
needed_replies(const struct mfx_hooks *h, const struct mfx_wants *w)
{
    bool may_skip = h->body != NULL && w->body == MFX_BODY_STREAM;
    bool mail = h->connect != NULL || h->helo != NULL || h->mail != NULL;
    return (mail ? 1U << MFX_STEP_MAIL : 0) |
           (h->rcpt != NULL ? 1U << MFX_STEP_RCPT : 0) |
           (h->data != NULL ? 1U << MFX_STEP_DATA : 0) |
           (may_skip && !w->whole_body ? 1U << MFX_STEP_BODY : 0);
}

bool
mfx_demand_make(const struct mfx_filter *filter, const struct mfx_wants *wants,
                const struct mfx_option_list *origin_macros,
                struct mfx_arena *arena, struct mfx_demand *demand)
{
    bool ok = true;
    demand->steps = needed_steps(&filter->hooks, wants);
    demand->replies = needed_replies(&filter->hooks, wants);
    demand->rejected_recipients = wants->rejected_recipients;
    demand->leading_space = (demand->steps & 1U << MFX_STEP_HEADER) != 0;
    for (int i = 0; i < MFX_STAGE_COUNT; i++)
        ok = list_macros((enum mfx_stage)i, wants, origin_macros, arena,
                         &demand->macros[i]) &&
             ok;
    return ok;
}

static unsigned long
wanted_steps(const struct mfx_demand *demand, const struct mfx_offer *offer)
{
    /* exact header values are what we write, too */
    unsigned long want = SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC;
    for (unsigned i = 0; i < MFX_STEP_COUNT; i++) {
        if ((demand->steps & 1U << i) == 0)
            want |= bits[i].none;
        else if (offer->is_unix && (demand->replies & 1U << i) == 0)
            want |= bits[i].no_reply;
    }
    if ((demand->replies & 1U << MFX_STEP_BODY) != 0)
        want |= SMFIP_SKIP;
    if (demand->rejected_recipients)
        want |= SMFIP_RCPT_REJ;
    return want;
}

void
mfx_plan_make(const struct mfx_demand *demand, const struct mfx_offer *offer,
              struct mfx_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    plan->steps = wanted_steps(demand, offer) & offer->steps;
    plan->actions =
        offer->actions & (SMFIF_ADDHDRS | SMFIF_CHGBODY | SMFIF_ADDRCPT |
                          SMFIF_DELRCPT | SMFIF_CHGHDRS | SMFIF_QUARANTINE |
                          SMFIF_CHGFROM | SMFIF_ADDRCPT_PAR | SMFIF_SETSYMLIST);
    for (unsigned i = 0; i < MFX_STEP_COUNT; i++) {
        if ((plan->steps & bits[i].none) == 0)
            plan->sent |= 1U << i;
        if ((plan->steps & (bits[i].none | bits[i].no_reply)) == 0)
            plan->replies |= 1U << i;
    }
    plan->can_skip = (plan->steps & SMFIP_SKIP) != 0;
    plan->has_leading_space = (plan->steps & SMFIP_HDR_LEADSPC) != 0;
    plan->has_rejected_recipients = (plan->steps & SMFIP_RCPT_REJ) != 0;
    plan->has_macro_lists = (plan->actions & SMFIF_SETSYMLIST) != 0;
    plan->asked = demand;
}

static bool
has_all(struct mfx_str list, struct mfx_str wanted)
{
    struct mfx_str word;
    if (mfx_str_eq(list, wanted))
        return true;
    while (mfx_str_word(&wanted, " ", &word))
        if (!has_word(list, word))
            return false;
    return true;
}

bool
mfx_plan_serves(const struct mfx_plan *plan, const struct mfx_demand *demand)
{
    const struct mfx_demand *asked = plan->asked;
    if ((demand->steps & ~(plan->sent | asked->steps)) != 0 ||
        (demand->replies & ~(plan->replies | asked->replies)) != 0 ||
        (demand->rejected_recipients && !asked->rejected_recipients))
        return false;
    for (int i = 0; plan->has_macro_lists && i < MFX_STAGE_COUNT; i++)
        if (!has_all(asked->macros[i], demand->macros[i]))
            return false;
    return true;
}
