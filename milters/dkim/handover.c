/* SPDX-License-Identifier: BSD-2-Clause */
#include "handover.h"

#include "message.h"

enum {
    SIGNATURES_MAX = 50, /* fields of one message that are checked */
};

struct dkim_handover {
    struct mfx_arena *arena;
    const struct dkim_signer *signers;
    struct mfx_dkim_known_keys keys;
    struct mfx_dkim_verifier *verifier;
    const struct mfx_dkim_result *results;
    size_t count;
};

static const struct mfx_str signature_field = MFX_STR(MFX_DKIM_SIGNATURE_FIELD);

static bool
names_row(struct mfx_str domain, struct mfx_str selector,
          const struct dkim_signer *signer)
{
    return mfx_str_eq_nocase(domain, signer->domain) &&
           mfx_str_eq_nocase(selector, signer->selector);
}

static const struct dkim_signer *
find_row(const struct dkim_signer *signers, struct mfx_str domain,
         struct mfx_str selector)
{
    const struct dkim_signer *s = signers;
    while (s != NULL && !names_row(domain, selector, s))
        s = s->next;
    return s;
}

/* What the row's owner would publish. */
static enum mfx_rc
record_of(void *arg, struct mfx_str domain, struct mfx_str selector,
          struct mfx_str *text)
{
    struct dkim_handover *h = arg;
    const struct dkim_signer *signer = find_row(h->signers, domain, selector);
    struct mfx_dkim_private_key *key;
    struct mfx_err err = {""};
    if (signer == NULL)
        return MFX_NOTFOUND;
    enum mfx_rc rc = dkim_key_file_get(signer->file, &key, &err);
    if (rc == MFX_OK)
        rc = mfx_dkim_private_key_record(key, h->arena, text, &err);
    return rc == MFX_OK ? MFX_OK : MFX_TEMPFAIL;
}

static bool
has_candidate(const struct mfx_headers *headers,
              const struct dkim_signer *signers)
{
    for (const struct mfx_header *h =
             mfx_headers_first(headers, signature_field);
         h != NULL; h = h->same_next) {
        struct mfx_dkim_claim claim = mfx_dkim_claim_read(h->value);
        if (find_row(signers, claim.domain, claim.selector) != NULL)
            return true;
    }
    return false;
}

static struct dkim_handover *
make(struct mfx_message *m, const struct dkim_signer *signers)
{
    struct dkim_handover *h = mfx_arena_alloc(m->arena, sizeof *h);
    if (h == NULL)
        return NULL;
    h->arena = m->arena;
    h->signers = signers;
    h->keys = (struct mfx_dkim_known_keys){record_of, h};
    struct mfx_dkim_verify_limits limits = mfx_dkim_verify_limits_default();
    limits.max_signatures = SIGNATURES_MAX;
    limits.accept_partial_body = true;
    limits.records = dkim_policy_of(m)->shared->records;
    limits.known_keys = &h->keys;
    h->verifier = mfx_dkim_verifier_new(m->arena, m->env, &limits);
    return h->verifier == NULL ? NULL : h;
}

struct dkim_handover *
dkim_handover_new(struct mfx_message *m, const struct dkim_signer *signers,
                  enum mfx_rc *rc)
{
    *rc = MFX_NOTFOUND;
    if (!has_candidate(&m->headers, signers))
        return NULL;
    *rc = MFX_TEMPFAIL;
    struct dkim_handover *h = make(m, signers);
    if (h == NULL)
        return NULL;
    for (const struct mfx_header *f =
             mfx_headers_first(&m->headers, signature_field);
         f != NULL; f = f->same_next)
        mfx_dkim_verifier_header(h->verifier, f);
    mfx_dkim_verifier_headers_end(h->verifier, &m->headers, signers->domain);
    *rc = MFX_OK;
    return h;
}

void
dkim_handover_body(struct dkim_handover *handover, struct mfx_str piece)
{
    mfx_dkim_verifier_body(handover->verifier, piece);
}

enum mfx_rc
dkim_handover_finish(struct dkim_handover *handover)
{
    size_t ignored;
    return mfx_dkim_verifier_finish(handover->verifier, &handover->results,
                                    &handover->count, &ignored);
}

static bool
is_valid_of(const struct mfx_dkim_result *result,
            const struct dkim_signer *signer)
{
    return result->status == MFX_DKIM_PASS &&
           names_row(result->domain, result->selector, signer);
}

const struct mfx_header *
dkim_handover_valid(const struct dkim_handover *handover,
                    const struct dkim_signer *signer)
{
    if (handover == NULL)
        return NULL;
    for (size_t i = 0; i < handover->count; i++)
        if (is_valid_of(&handover->results[i], signer))
            return handover->results[i].header;
    return NULL;
}

size_t
dkim_handover_delete(const struct dkim_handover *handover,
                     struct mfx_message *m, const struct dkim_signer *signers)
{
    size_t deleted = 0;
    for (size_t i = 0; handover != NULL && i < handover->count; i++) {
        const struct mfx_dkim_result *r = &handover->results[i];
        const struct dkim_signer *s = find_row(signers, r->domain, r->selector);
        if (s == NULL || !is_valid_of(r, s))
            continue;
        mfx_edit_delete_header(m->decision, r->header);
        deleted++;
    }
    return deleted;
}

enum dkim_there
dkim_handover_look(const struct dkim_handover *handover,
                   const struct mfx_headers *headers,
                   const struct dkim_signer *signer,
                   struct mfx_dkim_claim *claim)
{
    const struct mfx_header *valid = dkim_handover_valid(handover, signer);
    enum dkim_there there = DKIM_THERE_NOTHING;
    for (const struct mfx_header *h =
             mfx_headers_first(headers, signature_field);
         h != NULL; h = h->same_next) {
        struct mfx_dkim_claim c = mfx_dkim_claim_read(h->value);
        enum dkim_there this = DKIM_THERE_NOTHING;
        if (h == valid)
            this = DKIM_THERE_VALID;
        else if (names_row(c.domain, c.selector, signer))
            this = DKIM_THERE_INVALID;
        else if (mfx_str_eq_nocase(c.domain, signer->domain))
            this = DKIM_THERE_OTHER_SELECTOR;
        if (this <= there)
            continue;
        there = this;
        if (claim != NULL)
            *claim = c;
    }
    return there;
}
