/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"
#include "shadow.h"

enum {
    JUST_MADE_S = 600, /* a signature as old as this came with the mail */
};

/* The rows for the signing address, whatever becomes of the message here.
 * MFX_NOTFOUND: none. */
static enum mfx_rc
find_rows(struct mfx_message *m, struct dkim_message *d)
{
    const struct dkim_policy *policy = dkim_policy_of(m);
    struct mfx_err err = {""};
    if (d->plan.sender_domain.len == 0)
        return MFX_NOTFOUND;
    return dkim_signers_find(policy->signers, d->plan.sender.local,
                             d->plan.sender_domain, m->arena, m->decision,
                             &d->watched, &err);
}

enum mfx_rc
dkim_watching_left(struct mfx_message *m, struct dkim_message *d)
{
    enum mfx_rc rc = find_rows(m, d);
    if (rc != MFX_OK) /* nobody's loss: we do not sign it */
        return MFX_OK;
    enum dkim_there most = DKIM_THERE_NOTHING;
    for (const struct dkim_signer *s = d->watched; s != NULL; s = s->next) {
        enum dkim_there there = dkim_handover_look(NULL, &m->headers, s, NULL);
        most = there > most ? there : most;
    }
    if (most != DKIM_THERE_NOTHING)
        return MFX_OK;
    mfx_fact(m->decision, "order",
             mfx_str_of("no signature yet: is the other signer before "
                        "mfx-dkim?"));
    dkim_tally_note(dkim_policy_of(m)->shared->tally, d->plan.sender_domain,
                    DKIM_SHADOW_UNSIGNED_THERE,
                    mfx_str_of("left to it by sign.sign_only"),
                    m->env->wall_s(m->env));
    return MFX_OK;
}

static bool
is_just_made(const struct mfx_message *m, const struct mfx_dkim_claim *claim)
{
    uint64_t now = m->env->wall_s(m->env);
    return claim->timestamp_s > 0 && claim->timestamp_s + JUST_MADE_S > now;
}

/* Ours, and no key: did the signer before us have one? */
static void
watch_unsigned(struct mfx_message *m, const struct dkim_message *d)
{
    static const struct mfx_str field = MFX_STR(MFX_DKIM_SIGNATURE_FIELD);
    const struct mfx_header *h = mfx_headers_first(&m->headers, field);
    if (h == NULL || d->plan.sender_domain.len == 0)
        return;
    struct mfx_dkim_claim claim = mfx_dkim_claim_read(h->value);
    if (!mfx_str_eq_nocase(claim.domain, d->plan.sender_domain) ||
        !is_just_made(m, &claim))
        return;
    dkim_shadow_note(m, d->plan.sender_domain, DKIM_SHADOW_UNSIGNED_HERE,
                     mfx_arena_printf(m->arena, "d=%.*s s=%.*s",
                                      MFX_STR_ARG(claim.domain),
                                      MFX_STR_ARG(claim.selector)));
}

enum mfx_rc
dkim_watching_begin(struct mfx_message *m, struct dkim_message *d)
{
    if (mfx_origin_is_ours(&m->origin)) {
        watch_unsigned(m, d);
        return MFX_OK;
    }
    enum mfx_rc rc = find_rows(m, d);
    if (rc == MFX_OK)
        d->handover = dkim_handover_new(m, d->watched, &rc);
    if (d->handover != NULL)
        d->wants_body = true;
    return MFX_OK; /* nothing depends on it */
}

enum mfx_rc
dkim_watching_end(struct mfx_message *m, struct dkim_message *d)
{
    if (d->handover == NULL || dkim_handover_finish(d->handover) != MFX_OK)
        return MFX_OK;
    for (const struct dkim_signer *s = d->watched; s != NULL; s = s->next) {
        const struct mfx_header *h = dkim_handover_valid(d->handover, s);
        if (h == NULL)
            continue;
        struct mfx_dkim_claim claim = mfx_dkim_claim_read(h->value);
        if (!is_just_made(m, &claim))
            continue;
        dkim_shadow_note(m, d->plan.sender_domain, DKIM_SHADOW_FOREIGN_HERE,
                         mfx_arena_printf(m->arena, "d=%.*s s=%.*s",
                                          MFX_STR_ARG(claim.domain),
                                          MFX_STR_ARG(claim.selector)));
        return MFX_OK;
    }
    return MFX_OK;
}
