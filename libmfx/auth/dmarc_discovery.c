/* SPDX-License-Identifier: BSD-2-Clause */
#include <mfx/auth/dmarc_discovery.h>

static void
release(void *question)
{
    mfx_dns_question_release(question);
}

/* NULL, which reads as an answer that did not come, when it cannot be asked. */
static struct mfx_dns_question *
ask(struct mfx_resolver *resolver, struct mfx_str domain,
    struct mfx_arena *arena)
{
    struct mfx_str name =
        mfx_arena_printf(arena, "_dmarc.%.*s", MFX_STR_ARG(domain));
    if (resolver == NULL || name.p == NULL)
        return NULL;
    struct mfx_dns_question *q = mfx_dns_ask(resolver, name, MFX_DNS_TXT);
    return q != NULL && mfx_arena_defer(arena, release, q) ? q : NULL;
}

static bool
has_parent(const struct mfx_dmarc_discovery *d)
{
    return d->organizational_domain.len < d->domain.len;
}

void
mfx_dmarc_discovery_begin(struct mfx_dmarc_discovery *d,
                          struct mfx_resolver *resolver,
                          const struct mfx_dmarc_suffixes *suffixes,
                          struct mfx_str domain, struct mfx_arena *arena)
{
    *d = (struct mfx_dmarc_discovery){
        .domain = domain,
        .organizational_domain =
            mfx_dmarc_organizational_domain(suffixes, domain)};
    d->own = ask(resolver, domain, arena);
    if (has_parent(d))
        d->organizational = ask(resolver, d->organizational_domain, arena);
}

/* MFX_NOTFOUND: no DMARC record. MFX_PERMFAIL: some, and none of them counts
 * (RFC 7489 6.6.3, steps 5 and 6). */
static enum mfx_rc
read_answer(struct mfx_dns_question *question, struct mfx_dmarc_record *record)
{
    const struct mfx_dns_answer *answer = mfx_dns_question_answer(question);
    enum mfx_rc rc = mfx_dns_rc(answer), found = MFX_NOTFOUND;
    for (size_t i = 0; rc == MFX_OK && i < answer->count; i++) {
        struct mfx_dmarc_record one;
        enum mfx_rc is = mfx_dmarc_record_parse(answer->records[i].text, &one);
        if (is == MFX_NOTFOUND)
            continue;
        if (found != MFX_NOTFOUND)
            return MFX_PERMFAIL;
        *record = one;
        found = is;
    }
    return rc == MFX_OK ? found : rc;
}

static struct mfx_event *
unanswered(struct mfx_dns_question *question)
{
    if (question == NULL)
        return NULL;
    struct mfx_event *event = mfx_dns_question_event(question);
    return mfx_event_is_set(event) ? NULL : event;
}

struct mfx_event *
mfx_dmarc_discovery_event(const struct mfx_dmarc_discovery *d)
{
    struct mfx_dmarc_record record;
    struct mfx_event *event = unanswered(d->own);
    if (event != NULL || !has_parent(d) ||
        read_answer(d->own, &record) != MFX_NOTFOUND)
        return event;
    return unanswered(d->organizational);
}

enum mfx_rc
mfx_dmarc_discovery_end(const struct mfx_dmarc_discovery *d,
                        struct mfx_dmarc_found *found)
{
    found->at = d->domain;
    enum mfx_rc rc = read_answer(d->own, &found->record);
    found->policy = found->record.policy;
    if (rc == MFX_NOTFOUND && has_parent(d)) {
        found->at = d->organizational_domain;
        rc = read_answer(d->organizational, &found->record);
        found->policy = found->record.subdomain_policy;
    }
    return rc == MFX_PERMFAIL ? MFX_NOTFOUND : rc;
}
