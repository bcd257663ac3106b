/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All names of a record are asked for at once, and those of the records it
 * leads to as soon as these are there; so it takes as long as the deepest
 * chain.
 */
#include "lint.h"

enum {
    VERSION_LEN = 6, /* "v=spf1" */
    NAME_OCTETS = 253,
    LABEL_OCTETS = 63,
};

/* --- questions --- */

static void
release(void *arg)
{
    mfx_dns_question_release(arg);
}

static struct lint_asked *
ask(struct lint *l, struct mfx_str name, enum mfx_dns_type type)
{
    struct lint_asked *asked = mfx_arena_alloc(l->run->arena, sizeof *asked);
    if (asked == NULL || l->env == NULL ||
        l->question_count >= LINT_QUESTIONS || name.len == 0)
        return NULL;
    asked->name = name;
    asked->type = type;
    asked->question = mfx_dns_ask(l->env->resolver, name, type);
    l->question_count++;
    if (asked->question != NULL &&
        !mfx_arena_defer(l->run->arena, release, asked->question))
        asked->question = NULL;
    return asked;
}

const struct mfx_dns_answer *
lint_answer(const struct lint *l, const struct lint_asked *asked)
{
    if (asked == NULL)
        return NULL;
    if (asked->question != NULL)
        (void)mfx_event_wait(mfx_dns_question_event(asked->question),
                             l->until_ms);
    return mfx_dns_question_answer(asked->question);
}

/* --- taking apart --- */

/* One word as a record of its own: the parser stops at the first mistake, and
 * here all are wanted. */
static void
parse_word(struct lint *l, struct mfx_str word, struct lint_term *t)
{
    static const struct mfx_str version = MFX_STR("v=spf1 ");
    struct mfx_spf_mistake mistake = {.at = version.len, .what = "unreadable"};
    struct mfx_spf_summary summary;
    struct mfx_buf copy;
    size_t at = 0;
    mfx_buf_init_arena(&copy, l->run->arena, version.len + word.len);
    mfx_buf_add(&copy, version);
    mfx_buf_add(&copy, word);
    struct mfx_str text = mfx_buf_str(&copy);
    t->is_broken = mfx_spf_record_check(text, &summary, &mistake) != MFX_OK ||
                   !mfx_spf_record_next(text, &at, &t->term);
    if (!t->is_broken)
        return;
    t->term = (struct mfx_spf_term){.kind = MFX_SPF_UNKNOWN, .text = word};
    t->wrong = mistake.what;
    t->wrong_at = mistake.at < version.len ? 0 : mistake.at - version.len;
}

static size_t
count_words(struct mfx_str text)
{
    size_t count = 0;
    struct mfx_str word;
    while (mfx_str_word(&text, " ", &word))
        count++;
    return count;
}

static void
note_kind(struct lint_page *page, struct lint_term *t)
{
    if (t->is_broken)
        return;
    t->is_dead = page->all != NULL && t->term.kind != MFX_SPF_REDIRECT &&
                 t->term.kind != MFX_SPF_EXPLANATION &&
                 t->term.kind != MFX_SPF_UNKNOWN;
    if (t->term.kind == MFX_SPF_ALL && page->all == NULL)
        page->all = t;
    if (t->term.kind == MFX_SPF_REDIRECT) {
        t->is_dead = page->redirect != NULL;
        if (page->redirect == NULL)
            page->redirect = t;
    }
}

void
lint_split(struct lint *l, struct lint_page *page)
{
    struct mfx_str rest = mfx_str_from(page->text, VERSION_LEN), word;
    struct mfx_spf_summary summary;
    size_t count = count_words(rest), left = LINT_TERMS - l->term_count;
    page->is_cut = count > left;
    page->has_mistake =
        mfx_spf_record_check(page->text, &summary, NULL) != MFX_OK;
    count = page->is_cut ? left : count;
    page->terms =
        mfx_arena_alloc_array(l->run->arena, count, sizeof *page->terms);
    if (page->terms == NULL)
        return;
    while (page->term_count < count && mfx_str_word(&rest, " ", &word)) {
        struct lint_term *t = &page->terms[page->term_count++];
        t->at = (size_t)(word.p - page->text.p);
        parse_word(l, word, t);
        note_kind(page, t);
    }
    l->term_count += count;
    if (page->all == NULL || page->redirect == NULL)
        return;
    page->redirect->is_dead = true; /* 6.1 */
    page->redirect = NULL;
}

/* --- asking for what a record names --- */

bool
lint_is_name(struct mfx_str name)
{
    struct mfx_str rest = name, label;
    if (rest.len > 0 && rest.p[rest.len - 1] == '.')
        rest.len--;
    if (rest.len == 0 || rest.len > NAME_OCTETS)
        return false;
    while (mfx_str_cut(&rest, '.', &label))
        if (label.len == 0 || label.len > LABEL_OCTETS)
            return false;
    return true;
}

static void
ask_term(struct lint *l, const struct lint_page *page, struct lint_term *t)
{
    const struct mfx_spf_term *term = &t->term;
    if (t->is_broken || t->is_dead || term->has_macros)
        return;
    t->target = term->domain_spec.len > 0 ? term->domain_spec : page->domain;
    if (!lint_is_name(t->target)) {
        t->target = mfx_str("", 0);
        return;
    }
    switch (term->kind) {
    case MFX_SPF_INCLUDE:
    case MFX_SPF_REDIRECT:
    case MFX_SPF_EXPLANATION:
        t->txt = ask(l, t->target, MFX_DNS_TXT);
        break;
    case MFX_SPF_A:
        t->a = ask(l, t->target, MFX_DNS_A);
        t->aaaa = ask(l, t->target, MFX_DNS_AAAA);
        break;
    case MFX_SPF_EXISTS:
        t->a = ask(l, t->target, MFX_DNS_A);
        break;
    case MFX_SPF_MX:
        t->mx = ask(l, t->target, MFX_DNS_MX);
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
ask_hosts(struct lint *l, struct lint_term *t)
{
    const struct mfx_dns_answer *mx = lint_answer(l, t->mx);
    for (size_t i = 0; mx != NULL && i < mx->count && i < LINT_HOSTS; i++) {
        t->hosts4[i] = ask(l, mx->records[i].text, MFX_DNS_A);
        t->hosts6[i] = ask(l, mx->records[i].text, MFX_DNS_AAAA);
        t->host_count++;
    }
}

static void
ask_all(struct lint *l, struct lint_page *page)
{
    for (size_t i = 0; i < page->term_count; i++)
        ask_term(l, page, &page->terms[i]);
    for (size_t i = 0; i < page->term_count; i++)
        ask_hosts(l, &page->terms[i]);
}

/* --- records --- */

/* The first SPF record of the answer; whether it is the only one is the
 * page's status. */
static void
read_answer(struct lint_page *page, const struct mfx_dns_answer *answer)
{
    page->status = LINT_UNANSWERED;
    page->dns = answer->status;
    if (mfx_dns_rc(answer) == MFX_TEMPFAIL)
        return;
    page->status = LINT_NO_RECORD;
    for (size_t i = 0; i < answer->count; i++) {
        struct mfx_str text = answer->records[i].text;
        if (!mfx_spf_record_is_one(text))
            continue;
        if (page->status == LINT_READ) {
            page->status = LINT_SEVERAL;
            return;
        }
        page->status = LINT_READ;
        page->text = text;
    }
}

static bool
is_loop(const struct lint_page *page)
{
    struct mfx_str own = page->domain;
    for (const struct lint_page *p = page->parent; p != NULL; p = p->parent)
        if (mfx_str_eq_nocase(p->domain, own))
            return true;
    return false;
}

static struct lint_page *
new_page(struct lint *l, struct lint_page *parent, const struct lint_term *t)
{
    struct lint_page *page = mfx_arena_alloc(l->run->arena, sizeof *page);
    if (page == NULL)
        return NULL;
    page->domain = t->target;
    if (page->domain.len > 0 && page->domain.p[page->domain.len - 1] == '.')
        page->domain.len--;
    page->parent = parent;
    page->depth = parent->depth + 1;
    page->is_redirect = t->term.kind == MFX_SPF_REDIRECT &&
                        (parent->parent == NULL || parent->is_redirect);
    page->status = LINT_NOT_FOLLOWED;
    return page;
}

static void walk_page(struct lint *l, struct lint_page *page);

static void
walk_term(struct lint *l, struct lint_page *page, struct lint_term *t)
{
    bool leads = t->term.kind == MFX_SPF_INCLUDE || t == page->redirect;
    if (!leads || t->is_broken || t->is_dead || t->target.len == 0)
        return;
    struct lint_page *sub = new_page(l, page, t);
    t->page = sub;
    if (sub == NULL || t->txt == NULL || sub->depth > LINT_DEPTH ||
        l->page_count >= LINT_PAGES)
        return;
    if (is_loop(sub)) {
        sub->status = LINT_LOOP;
        return;
    }
    l->page_count++;
    read_answer(sub, lint_answer(l, t->txt));
    if (sub->status == LINT_READ)
        walk_page(l, sub);
}

static void
walk_page(struct lint *l, struct lint_page *page)
{
    lint_split(l, page);
    ask_all(l, page);
    lint_words(l, page);
    for (size_t i = 0; i < page->term_count; i++)
        walk_term(l, page, &page->terms[i]);
}

bool
lint_walk(struct lint *l, struct lint_page *root)
{
    l->root = root;
    l->page_count = 1;
    if (!l->is_file) {
        struct lint_asked *txt = ask(l, root->domain, MFX_DNS_TXT);
        struct lint_asked *old = ask(l, root->domain, MFX_DNS_SPF);
        const struct mfx_dns_answer *answer = lint_answer(l, txt);
        if (answer == NULL)
            return false;
        read_answer(root, answer);
        if (root->status == LINT_UNANSWERED)
            return false;
        lint_records(l, answer, lint_answer(l, old));
    } else {
        bool is_one = mfx_spf_record_is_one(root->text);
        root->status = is_one ? LINT_READ : LINT_NO_RECORD;
        lint_records(l, NULL, NULL);
    }
    if (root->status == LINT_READ || root->status == LINT_SEVERAL)
        walk_page(l, root);
    return true;
}
