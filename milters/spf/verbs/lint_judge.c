/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a record and all that it leads to come to: at worst, which is a client
 * that no term matches.
 */
#include "lint.h"

enum {
    SHOWN_NETS = 3,
    WRITTEN_NETS = 12, /* an include of so many networks can be written out */
    NEAR = 9,          /* lookups */
    COMPARED = 2000,   /* terms, each with those before it */
};

static bool
is_ours(const struct lint_page *page)
{
    return page->parent == NULL || page->is_redirect;
}

static bool
is_live(const struct lint_term *t)
{
    return !t->is_broken && !t->is_dead;
}

static bool
is_void(const struct mfx_dns_answer *answer)
{
    return answer != NULL && mfx_dns_rc(answer) == MFX_NOTFOUND;
}

static bool
is_failure(const struct mfx_dns_answer *answer)
{
    return answer != NULL && mfx_dns_rc(answer) == MFX_TEMPFAIL;
}

/* --- what a term costs and matches --- */

static void
take_addresses(struct lint *l, struct lint_term *t,
               const struct mfx_dns_answer *answer)
{
    t->nets.is_vague = t->nets.is_vague || answer == NULL || is_failure(answer);
    for (size_t i = 0; answer != NULL && i < answer->count; i++) {
        const struct mfx_ip *ip = &answer->records[i].ip;
        unsigned bits = ip->family == MFX_IP_V4 ? t->term.cidr4 : t->term.cidr6;
        struct mfx_net net = nets_around(ip, bits);
        nets_add(l->run->arena, &t->nets, &net);
    }
}

static void
weigh_a(struct lint *l, struct lint_term *t)
{
    const struct mfx_dns_answer *a = lint_answer(l, t->a);
    const struct mfx_dns_answer *aaaa = lint_answer(l, t->aaaa);
    t->voids4 = is_void(a);
    t->voids6 = is_void(aaaa);
    take_addresses(l, t, a);
    take_addresses(l, t, aaaa);
}

/* RFC 7505: it leads to no question, so nothing is void. */
static bool
is_null_mx(const struct mfx_dns_answer *mx)
{
    return mx->count == 1 && (mx->records[0].text.len == 0 ||
                              mfx_str_is(mx->records[0].text, "."));
}

static void
weigh_mx(struct lint *l, struct lint_term *t)
{
    const struct mfx_dns_answer *mx = lint_answer(l, t->mx);
    bool has4 = false, has6 = false;
    t->nets.is_vague = mx == NULL || is_failure(mx);
    for (size_t i = 0; i < t->host_count; i++) {
        const struct mfx_dns_answer *a = lint_answer(l, t->hosts4[i]);
        const struct mfx_dns_answer *aaaa = lint_answer(l, t->hosts6[i]);
        take_addresses(l, t, a);
        take_addresses(l, t, aaaa);
        has4 = has4 || (a != NULL && !is_void(a));
        has6 = has6 || (aaaa != NULL && !is_void(aaaa));
    }
    bool is_known = mx != NULL && !is_failure(mx) && !is_null_mx(mx);
    t->voids4 = is_known && !has4;
    t->voids6 = is_known && !has6;
}

static void
weigh_exists(struct lint *l, struct lint_term *t)
{
    const struct mfx_dns_answer *a = lint_answer(l, t->a);
    t->voids4 = t->voids6 = is_void(a);
    t->nets.is_all = a != NULL && a->status == MFX_DNS_ANSWER;
    t->nets.is_vague = a == NULL || is_failure(a);
}

static void weigh_page(struct lint *l, struct lint_page *page);

static void
weigh_lead(struct lint *l, struct lint_term *t)
{
    struct lint_page *sub = t->page;
    t->is_least = t->nets.is_vague = true;
    if (sub == NULL || sub->status != LINT_READ)
        return;
    weigh_page(l, sub);
    t->is_least = sub->is_least;
    t->lookups += sub->lookups;
    t->voids4 = sub->voids4;
    t->voids6 = sub->voids6;
    t->maybes = sub->maybes;
    t->nets = sub->nets;
}

/* A client without a reverse name; one that is not listed. */
static bool
may_be_void(const struct mfx_spf_term *term)
{
    bool is_address = term->kind == MFX_SPF_A || term->kind == MFX_SPF_MX ||
                      term->kind == MFX_SPF_EXISTS;
    return term->kind == MFX_SPF_PTR || (is_address && term->has_macros);
}

static void
weigh_term(struct lint *l, struct lint_term *t)
{
    t->lookups = mfx_spf_term_is_counted(&t->term) ? 1 : 0;
    t->maybes = may_be_void(&t->term);
    switch (t->term.kind) {
    case MFX_SPF_IP4:
    case MFX_SPF_IP6:
        nets_add(l->run->arena, &t->nets, &t->term.net);
        break;
    case MFX_SPF_A:
        weigh_a(l, t);
        break;
    case MFX_SPF_MX:
        weigh_mx(l, t);
        break;
    case MFX_SPF_EXISTS:
        weigh_exists(l, t);
        break;
    case MFX_SPF_INCLUDE:
    case MFX_SPF_REDIRECT:
        weigh_lead(l, t);
        break;
    case MFX_SPF_ALL:
        t->nets.is_all = true;
        break;
    case MFX_SPF_PTR:
        t->nets.is_vague = true;
        break;
    case MFX_SPF_EXPLANATION:
    case MFX_SPF_UNKNOWN:
        break;
    }
    nets_merge(&t->nets);
}

/* Who passes by this page. A term with another qualifier takes addresses away
 * from those behind it: then it is not known exactly. */
static void
pass_by(struct lint *l, struct lint_page *page, const struct lint_term *t,
        bool *is_taken)
{
    bool passes = t->term.qualifier == MFX_SPF_PASS || t == page->redirect;
    if (passes) {
        nets_add_all(l->run->arena, &page->nets, &t->nets);
        page->nets.is_vague = page->nets.is_vague || *is_taken;
    } else if (t != page->all) {
        *is_taken = true;
    }
}

static bool
is_directive(const struct lint_term *t)
{
    return t->term.kind != MFX_SPF_EXPLANATION &&
           t->term.kind != MFX_SPF_UNKNOWN;
}

static void
weigh_page(struct lint *l, struct lint_page *page)
{
    bool is_taken = false;
    page->is_least = page->nets.is_vague = page->is_cut;
    for (size_t i = 0; i < page->term_count; i++) {
        struct lint_term *t = &page->terms[i];
        if (!is_live(t) || !is_directive(t))
            continue;
        weigh_term(l, t);
        page->lookups += t->lookups;
        page->voids4 += t->voids4;
        page->voids6 += t->voids6;
        page->maybes += t->maybes;
        page->is_least = page->is_least || t->is_least;
        pass_by(l, page, t, &is_taken);
    }
    nets_merge(&page->nets);
}

/* --- what DNS says of a term --- */

static bool
say_failure(struct lint *l, const struct lint_page *page,
            const struct lint_term *t, const struct lint_asked *asked)
{
    const struct mfx_dns_answer *answer = lint_answer(l, asked);
    if (!is_failure(answer))
        return false;
    l->is_unanswered = true;
    lint_say_at(l, LINT_DOUBT, "unanswered", "4.4", LINT_TERM(page, t),
                "%s for %s: %s; receivers say temperror then",
                spf_verb_type(asked->type), spf_verb_show(l->run, asked->name),
                mfx_dns_status_name(answer->status));
    return true;
}

static void
say_void(struct lint *l, const struct lint_page *page,
         const struct lint_term *t, const struct lint_asked *asked,
         const char *what)
{
    const struct mfx_dns_answer *answer = lint_answer(l, asked);
    bool is_gone = answer->status == MFX_DNS_NO_NAME;
    lint_say_at(l, LINT_DOUBT, "void", "4.6.4", LINT_TERM(page, t),
                "%s %s: a void lookup, and no client ever matches",
                spf_verb_show(l->run, asked->name),
                is_gone ? "does not exist" : what);
}

static void
say_a(struct lint *l, const struct lint_page *page, const struct lint_term *t)
{
    if (say_failure(l, page, t, t->a) || say_failure(l, page, t, t->aaaa))
        return;
    if (t->voids4 > 0 && t->voids6 > 0)
        say_void(l, page, t, t->a, "has no address");
}

static void
say_hosts(struct lint *l, const struct lint_page *page,
          const struct lint_term *t, const struct mfx_dns_answer *mx)
{
    for (size_t i = 0; i < t->host_count; i++) {
        struct mfx_str name = mx->records[i].text;
        if (name.len == 0 || mfx_str_is(name, "."))
            lint_say_at(l, LINT_DOUBT, "null-mx", "5.4", LINT_TERM(page, t),
                        "a null MX (RFC 7505): no client ever matches");
        else if (!say_failure(l, page, t, t->hosts4[i]) &&
                 !say_failure(l, page, t, t->hosts6[i]) &&
                 is_void(lint_answer(l, t->hosts4[i])) &&
                 is_void(lint_answer(l, t->hosts6[i])))
            lint_say_at(l, LINT_DOUBT, "no-address", "5.4", LINT_TERM(page, t),
                        "%s has no address", spf_verb_show(l->run, name));
    }
}

static void
say_mx(struct lint *l, const struct lint_page *page, const struct lint_term *t)
{
    const struct mfx_dns_answer *mx = lint_answer(l, t->mx);
    if (mx == NULL || say_failure(l, page, t, t->mx))
        return;
    if (is_void(mx))
        say_void(l, page, t, t->mx, "has no MX");
    else if (mx->count > LINT_HOSTS)
        lint_say_at(l, LINT_WRONG, "mx-hosts", "4.6.4", LINT_TERM(page, t),
                    "%zu MX hosts: more than 10 are a permerror", mx->count);
    else
        say_hosts(l, page, t, mx);
}

/* Of a record that could be read. */
static void
say_led(struct lint *l, const struct lint_page *page, const struct lint_term *t,
        const char *rfc)
{
    const struct lint_page *sub = t->page;
    const char *name = spf_verb_show(l->run, sub->domain);
    bool is_include = t->term.kind == MFX_SPF_INCLUDE;
    if (sub->has_mistake)
        lint_say_at(l, LINT_WRONG, "broken", rfc, LINT_TERM(page, t),
                    "the record of %s has a mistake: permerror here, too",
                    name);
    else if (is_include && sub->nets.is_all)
        lint_say_at(l, LINT_DOUBT, "pass-all", rfc, LINT_TERM(page, t),
                    "everybody passes by the record of %s", name);
    else if (is_include && !sub->nets.is_vague && sub->nets.count == 0)
        lint_say_at(l, LINT_DOUBT, "dead", rfc, LINT_TERM(page, t),
                    "nobody passes by the record of %s, so this never matches",
                    name);
}

static void
say_lead(struct lint *l, const struct lint_page *page,
         const struct lint_term *t)
{
    const struct lint_page *sub = t->page;
    const char *rfc = t->term.kind == MFX_SPF_INCLUDE ? "5.2" : "6.1";
    if (sub == NULL || (t->txt == NULL && l->env == NULL))
        return;
    const char *name = spf_verb_show(l->run, sub->domain);
    switch (sub->status) {
    case LINT_READ:
        say_led(l, page, t, rfc);
        return;
    case LINT_NO_RECORD:
        lint_say_at(l, LINT_WRONG, "no-record", rfc, LINT_TERM(page, t),
                    "%s %s: permerror", name,
                    sub->dns == MFX_DNS_NO_NAME ? "does not exist"
                                                : "has no SPF record");
        return;
    case LINT_SEVERAL:
        lint_say_at(l, LINT_WRONG, "several", "4.5", LINT_TERM(page, t),
                    "%s has more than one SPF record: permerror", name);
        return;
    case LINT_UNANSWERED:
        (void)say_failure(l, page, t, t->txt);
        return;
    case LINT_LOOP:
        lint_say_at(l, LINT_WRONG, "loop", "4.6.4", LINT_TERM(page, t),
                    "this leads round in a circle to %s, until the limit of 10 "
                    "lookups is reached: permerror",
                    name);
        return;
    case LINT_NOT_FOLLOWED:
        lint_say_at(l, LINT_DOUBT, "not-followed", "", LINT_TERM(page, t),
                    "not followed: more records than are looked at here");
        return;
    }
}

static void
say_explanation(struct lint *l, const struct lint_page *page,
                const struct lint_term *t)
{
    const struct mfx_dns_answer *txt = lint_answer(l, t->txt);
    if (txt == NULL || say_failure(l, page, t, t->txt))
        return;
    if (txt->count != 1)
        lint_say_at(l, LINT_HINT, "explanation", "6.2", LINT_TERM(page, t),
                    "%s has %s TXT record: there is no explanation then",
                    spf_verb_show(l->run, t->target),
                    txt->count == 0 ? "no" : "more than one");
    else if (!mfx_str_is_ascii(txt->records[0].text))
        lint_say_at(l, LINT_HINT, "explanation", "6.2", LINT_TERM(page, t),
                    "the text is not ASCII: it is not used");
}

static void say_page(struct lint *l, const struct lint_page *page);

static void
say_term(struct lint *l, const struct lint_page *page,
         const struct lint_term *t)
{
    switch (t->term.kind) {
    case MFX_SPF_A:
        say_a(l, page, t);
        break;
    case MFX_SPF_MX:
        say_mx(l, page, t);
        break;
    case MFX_SPF_EXISTS:
        if (!say_failure(l, page, t, t->a) && t->voids4 > 0)
            say_void(l, page, t, t->a, "has no A record");
        break;
    case MFX_SPF_INCLUDE:
    case MFX_SPF_REDIRECT:
        say_lead(l, page, t);
        if (t->page != NULL && t->page->status == LINT_READ)
            say_page(l, t->page);
        break;
    case MFX_SPF_EXPLANATION:
        if (is_ours(page))
            say_explanation(l, page, t);
        break;
    case MFX_SPF_ALL:
    case MFX_SPF_PTR:
    case MFX_SPF_IP4:
    case MFX_SPF_IP6:
    case MFX_SPF_UNKNOWN:
        break;
    }
}

static void
say_page(struct lint *l, const struct lint_page *page)
{
    for (size_t i = 0; i < page->term_count; i++)
        if (is_live(&page->terms[i]))
            say_term(l, page, &page->terms[i]);
}

/* --- terms of no use --- */

static const char *
nets_word(const struct lint *l, const struct nets *nets)
{
    return mfx_arena_copy(l->run->arena,
                          nets_text(l->run->arena, nets, SHOWN_NETS, false))
        .p;
}

static const char *
saves(const struct lint *l, const struct lint_term *t)
{
    return t->lookups == 0
               ? ""
               : mfx_arena_printf(l->run->arena,
                                  "; without it %u lookup%s less", t->lookups,
                                  t->lookups == 1 ? "" : "s")
                     .p;
}

/* The one term before it that matches all that it does. */
static const struct lint_term *
find_wider(const struct lint_page *page, const struct lint_term *t)
{
    for (const struct lint_term *o = page->terms; o < t; o++)
        if (is_live(o) && nets_hold_all(&o->nets, &t->nets))
            return o;
    return NULL;
}

static void
say_shadowed(struct lint *l, const struct lint_page *page,
             const struct lint_term *t)
{
    const struct lint_term *wider = find_wider(page, t);
    lint_say_at(
        l, LINT_DOUBT, "dead", "4.6.2", LINT_TERM(page, t),
        "%s: %s before it match%s that already%s", nets_word(l, &t->nets),
        wider == NULL ? "the terms" : spf_verb_show(l->run, wider->term.text),
        wider == NULL ? "" : "es", saves(l, t));
}

/* Lookups that a cheaper term behind it, of the same qualifier, makes
 * needless. */
static void
say_needless(struct lint *l, const struct lint_page *page,
             const struct lint_term *t)
{
    const struct lint_term *end = page->terms + page->term_count;
    for (const struct lint_term *o = t + 1; o < end; o++) {
        if (!is_live(o) || !is_directive(o))
            continue;
        if (o == page->all || o->term.qualifier != t->term.qualifier)
            return;
        if (o->lookups >= t->lookups || !nets_hold_all(&o->nets, &t->nets))
            continue;
        lint_say_at(l, LINT_HINT, "needless", "", LINT_TERM(page, t),
                    "%s: %s behind it matches that, too%s",
                    nets_word(l, &t->nets), spf_verb_show(l->run, o->term.text),
                    saves(l, t));
        return;
    }
}

static void
say_dead(struct lint *l, const struct lint_page *page)
{
    struct nets before = {0};
    for (size_t i = 0; i < page->term_count && i < COMPARED; i++) {
        const struct lint_term *t = &page->terms[i];
        if (!is_live(t) || !is_directive(t) || t == page->redirect ||
            t == page->all)
            continue;
        if (nets_are_known(&t->nets) && !t->nets.is_all &&
            nets_hold_all(&before, &t->nets))
            say_shadowed(l, page, t);
        else if (t->lookups > 0 && nets_are_known(&t->nets))
            say_needless(l, page, t);
        nets_add_all(l->run->arena, &before, &t->nets);
        nets_merge(&before);
    }
}

/* --- limits --- */

/* The most expensive term that could be written out as networks. */
static const struct lint_term *
find_costly(const struct lint_page *page)
{
    const struct lint_term *found = NULL;
    for (size_t i = 0; i < page->term_count; i++) {
        const struct lint_term *t = &page->terms[i];
        if (is_live(t) && t->lookups > 0 && nets_are_known(&t->nets) &&
            !t->nets.is_all && t->nets.count <= WRITTEN_NETS &&
            (found == NULL || t->lookups > found->lookups))
            found = t;
    }
    return found;
}

static void
say_costly(struct lint *l, const struct lint_page *page)
{
    const struct lint_term *t = find_costly(page);
    if (t == NULL)
        return;
    struct mfx_str nets =
        nets_text(l->run->arena, &t->nets, WRITTEN_NETS, true);
    lint_say_at(l, LINT_HINT, "write-out", "10.1.1", LINT_TERM(page, t),
                "this costs %u of the 10 lookups; its addresses, %.*s, cost "
                "none, but must then be kept up to date",
                t->lookups, MFX_STR_ARG(nets));
}

/* The terms whose lookups would fit least. */
static void
say_lookups(struct lint *l)
{
    const struct lint_page *root = l->root;
    const char *least = root->is_least ? "at least " : "";
    if (root->lookups > LINT_LOOKUPS)
        lint_say(l, LINT_WRONG, "lookups", "4.6.4",
                 "%s%u terms that ask the DNS, where 10 are allowed: permerror "
                 "for every client that is not matched before the 11th",
                 least, root->lookups);
    else if (root->lookups >= NEAR)
        lint_say(l, LINT_HINT, "lookups", "4.6.4",
                 "%s%u of 10 lookups: an included record that grows by %s "
                 "makes this one a permerror",
                 least, root->lookups,
                 root->lookups == LINT_LOOKUPS ? "one" : "two");
    if (root->lookups >= NEAR)
        say_costly(l, root);
}

static void
say_voids(struct lint *l)
{
    const struct lint_page *root = l->root;
    unsigned most = root->voids4 > root->voids6 ? root->voids4 : root->voids6;
    if (root->voids4 > LINT_VOIDS)
        lint_say(l, LINT_WRONG, "voids", "4.6.4",
                 "%u lookups without an answer, where 2 are allowed: permerror "
                 "for every client that is not matched before the third",
                 root->voids4);
    else if (root->voids6 > LINT_VOIDS)
        lint_say(l, LINT_DOUBT, "voids", "4.6.4",
                 "%u lookups without an answer for clients that come by IPv6, "
                 "where 2 are allowed: permerror for those that are not "
                 "matched before the third",
                 root->voids6);
    else if (most + root->maybes > LINT_VOIDS)
        lint_say(
            l, LINT_DOUBT, "voids", "4.6.4",
            "up to %u lookups without an answer, among them ptr and "
            "names with macros, where 2 are allowed: permerror for clients that are "
            "not listed there",
            most + root->maybes);
}

void
lint_judge(struct lint *l)
{
    if (l->root->status != LINT_READ && l->root->status != LINT_SEVERAL)
        return;
    weigh_page(l, l->root);
    say_lookups(l);
    say_voids(l);
    say_page(l, l->root);
    say_dead(l, l->root);
}
