/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What later terms will want, asked while an earlier one waits. Nothing here
 * decides anything: terms are judged in their order, by spf_check.c, and the
 * limits count then.
 */
#include <mfx/auth/spf_check.h>

static unsigned
room(const struct spf_check *check)
{
    unsigned most = SPF_WASTE * (check->cheap > 1 ? check->cheap : 1);
    return check->wasted < most ? most - check->wasted : 0;
}

/* Reads on where an answer has come before its term's turn. */
static void
pick_up(struct spf_check *check, struct spf_look *look)
{
    if (!look->is_ahead || !spf_is_answered(look->asked) ||
        look->owner->is_done)
        return;
    const struct mfx_dns_answer *answer = spf_answer(look->asked);
    if (look->term.kind == MFX_SPF_INCLUDE ||
        look->term.kind == MFX_SPF_REDIRECT)
        spf_look_read(check, look);
    if (look->term.kind == MFX_SPF_MX && !look->are_hosts_asked &&
        answer->count <= SPF_HOSTS && answer->count <= room(check)) {
        spf_look_hosts(check, look);
        look->ahead_hosts = look->host_count;
        check->wasted += (unsigned)look->host_count;
    }
}

static bool
is_match(const struct spf_check *check, const struct spf_look *look)
{
    if (look->term.kind == MFX_SPF_A)
        return spf_has_client(check, look->asked, look->term.cidr4,
                              look->term.cidr6);
    return look->term.kind == MFX_SPF_EXISTS &&
           spf_answer(look->asked)->status == MFX_DNS_ANSWER;
}

/* True when terms behind this one may be asked for too. */
static bool
ask_term(struct spf_check *check, struct spf_page *page,
         const struct mfx_spf_term *term)
{
    unsigned ordinal = page->ahead.ordinal++;
    if (ordinal >= SPF_TERMS ||
        page->base + ordinal >= check->config.max_lookups)
        return false;
    bool needs_names = term->uses_ptr && !spf_names_are_known(check);
    if (needs_names || term->kind == MFX_SPF_PTR) {
        spf_names_ask(check);
        return true;
    }
    struct spf_look *look = spf_look_new(check, term, page);
    if (look == NULL)
        return false;
    page->looks[ordinal] = look;
    look->base = page->base + ordinal + 1;
    look->is_ahead = look->asked != NULL;
    check->wasted += look->is_ahead ? 1 : 0;
    pick_up(check, look);
    return !is_match(check, look);
}

/* True when the terms behind it may be asked for too. */
static bool
pass_term(struct spf_check *check, struct spf_page *page,
          const struct mfx_spf_term *term)
{
    if (term->kind == MFX_SPF_ALL)
        return false;
    if (term->kind == MFX_SPF_IP4 || term->kind == MFX_SPF_IP6)
        return !mfx_net_has(&term->net, &check->ip);
    if (term->kind == MFX_SPF_REDIRECT || !mfx_spf_term_is_counted(term))
        return true;
    return ask_term(check, page, term);
}

static void
scan(struct spf_check *check, struct spf_page *page)
{
    struct mfx_spf_term term;
    if (page->ahead.at < page->now.at)
        page->ahead = page->now;
    while (!page->is_scanned && room(check) > 0) {
        bool has_term = mfx_spf_record_next(page->text, &page->ahead.at, &term);
        if (!has_term && page->summary.has_redirect && !page->summary.has_all)
            (void)ask_term(check, page, &page->summary.redirect);
        page->is_scanned = !has_term || !pass_term(check, page, &term);
    }
}

void
spf_ahead(struct spf_check *check)
{
    if (!check->config.lookahead || check->state >= SPF_AT_EXPLAIN)
        return;
    for (unsigned i = 0; i <= check->depth; i++) {
        struct spf_page *page = check->frames[i].page;
        if (page != NULL)
            page->base = check->lookups - page->now.ordinal;
    }
    for (struct spf_look *look = check->looks; look != NULL; look = look->next)
        pick_up(check, look);
    for (struct spf_page *page = check->pages; page != NULL;
         page = page->next) {
        if (page->parent != NULL && page->parent->is_done)
            page->is_done = true;
        if (!page->is_done)
            scan(check, page);
    }
}
