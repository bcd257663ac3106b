/* SPDX-License-Identifier: BSD-2-Clause */
#include "key_list.h"

#include <stdlib.h>

#include <mfx/base/map.h>
#include <mfx/mail/address.h>

#include "../rotation/watcher.h"

struct collect {
    const struct verb_run *run;
    const struct dkim_policy *policy;
    struct mfx_map *wanted; /* NULL: all */
    struct key_list *list;
    bool failed;
};

static bool
append(struct collect *c, const struct key_item *item)
{
    struct key_list *list = c->list;
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 64 : list->room * 2;
        struct key_item *items = reallocarray(list->items, room, sizeof *items);
        if (items == NULL) {
            c->failed = true;
            return false;
        }
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = *item;
    return true;
}

/* A record that is gone stays so, and one that was emptied: it may have been
 * done in haste, and for a reason. */
static enum key_wanted
wanted_of(const struct dkim_key_view *view)
{
    if (view->verdict.state == DKIM_KEY_WITHDRAWN)
        return view->in_dns == DKIM_IN_DNS_REVOKED ? KEY_WANTED_EMPTY
                                                   : KEY_WANTED_NOT;
    return view->verdict.next == DKIM_KEY_NEXT_WITHDRAW ? KEY_WANTED_EMPTY
                                                        : KEY_WANTED;
}

static bool
add_view(const struct dkim_key_view *view, void *arg)
{
    struct collect *c = arg;
    if (c->wanted != NULL && mfx_map_get(c->wanted, view->domain) == NULL)
        return true;
    const struct key_item item = {
        .domain = mfx_arena_copy(c->run->arena, view->domain),
        .selector = mfx_arena_copy(c->run->arena, view->selector),
        .key = mfx_arena_copy(c->run->arena, view->path),
        .file = view->file,
        .wanted = wanted_of(view),
        .state = dkim_key_state_name(view->verdict.state),
        .is_ed25519 = strcmp(view->algorithm, "ed25519-sha256") == 0,
    };
    return append(c, &item);
}

/* As a message would find them. */
static int
add_looked_up(struct collect *c, struct mfx_str domain)
{
    struct mfx_decision trace;
    struct dkim_signer *signers = NULL;
    struct mfx_err err = {0};
    mfx_decision_init(&trace, c->run->arena);
    enum mfx_rc rc =
        dkim_signers_find(c->policy->signers, mfx_str_of("postmaster"), domain,
                          c->run->arena, &trace, &signers, &err);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        return verb_fail(c->run, verb_status(rc), "%.*s: %s",
                         MFX_STR_ARG(domain), err.msg);
    for (const struct dkim_signer *s = signers; s != NULL; s = s->next) {
        const struct key_item item = {.domain = s->domain,
                                      .selector = s->selector,
                                      .key = s->key,
                                      .file = s->file};
        if (mfx_str_eq_nocase(s->domain, domain) && !append(c, &item))
            break;
    }
    return EXIT_OK;
}

static int
want(struct collect *c, const char *word)
{
    struct mfx_str domain;
    if (mfx_domain_to_ascii(mfx_str_of(word), c->run->arena, &domain) !=
            MFX_OK ||
        !mfx_domain_is_valid(domain, false))
        return verb_wrong(c->run, "%s is no domain name", word);
    c->failed = c->failed || mfx_map_put(c->wanted, domain,
                                         (void *)(uintptr_t)word) != MFX_OK;
    return add_looked_up(c, domain);
}

static int
compare(const void *a, const void *b)
{
    const struct key_item *x = a, *y = b;
    int order = mfx_str_compare(x->domain, y->domain);
    if (order == 0)
        order = mfx_str_compare(x->selector, y->selector);
    if (order == 0) /* what the watcher knows comes first */
        order = (x->state == NULL) - (y->state == NULL);
    return order != 0 ? order : mfx_str_compare(x->key, y->key);
}

/* Sorts, and keeps one of each name. */
static void
tidy(struct key_list *list)
{
    size_t kept = 0;
    if (list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, compare);
    for (size_t i = 0; i < list->count; i++) {
        const struct key_item *item = &list->items[i],
                              *last = kept == 0 ? NULL : &list->items[kept - 1];
        bool is_same = last != NULL && mfx_str_eq(last->domain, item->domain) &&
                       mfx_str_eq(last->selector, item->selector);
        if (!is_same)
            list->items[kept++] = *item;
        else if (last->file != item->file)
            list->conflicts++;
    }
    list->count = kept;
}

int
key_list_collect(const struct verb_run *run, const struct mfx_offline *loaded,
                 char *const *domains, size_t count, struct key_list *list)
{
    struct collect c = {.run = run, .policy = loaded->policy, .list = list};
    int status = EXIT_OK;
    *list = (struct key_list){.items = NULL};
    if (count > 0) {
        c.wanted = mfx_map_new(MFX_MAP_NOCASE, count);
        c.failed = c.wanted == NULL;
    }
    for (size_t i = 0; i < count && status == EXIT_OK && !c.failed; i++)
        status = want(&c, domains[i]);
    if (status == EXIT_OK && !c.failed)
        dkim_watcher_each(c.policy->shared->watcher, add_view, &c);
    mfx_map_free(c.wanted);
    if (status == EXIT_OK && c.failed)
        status = verb_fail(run, EXIT_SYSTEM, "out of memory");
    if (status != EXIT_OK) {
        key_list_fini(list);
        return status;
    }
    tidy(list);
    return EXIT_OK;
}

void
key_list_fini(struct key_list *list)
{
    free(list->items);
    *list = (struct key_list){.items = NULL};
}
