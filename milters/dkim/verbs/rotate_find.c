/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The keys a domain has, and which of them get a next one.
 */
#include "rotate.h"

#include "../rotation/watcher.h"

/* --- what there is --- */

static bool
take_key(struct rotate_work *w, const struct dkim_key_view *v,
         struct dkim_key_file *file)
{
    struct mfx_dkim_private_key *key;
    struct mfx_err err = {0};
    struct mfx_arena *arena = w->run->arena;
    if (w->count == ROTATE_KEYS_MAX)
        return false;
    if (file == NULL || dkim_key_file_get(file, &key, &err) != MFX_OK) {
        w->bad = mfx_arena_printf(arena, "%.*s: %s", MFX_STR_ARG(v->path),
                                  err.msg[0] != '\0' ? err.msg : "is gone")
                     .p;
        return true;
    }
    w->keys[w->count++] = (struct rotate_known){
        .selector = mfx_arena_copy(arena, v->selector),
        .path = mfx_arena_copy(arena, v->path),
        .replaces = mfx_arena_copy(arena, v->replaces),
        .algorithm = mfx_dkim_private_key_algorithm(key),
        .bits = mfx_dkim_private_key_bits(key),
        .is_signing = v->is_signing,
        .is_waiting = v->has_card && !v->is_signing &&
                      (v->verdict.state == DKIM_KEY_NEW ||
                       v->verdict.state == DKIM_KEY_PUBLISHED),
        .why = mfx_arena_copy(arena, mfx_str_of(v->why)).p,
    };
    return true;
}

static bool
visit_key(const struct dkim_key_view *v, void *arg)
{
    struct rotate_work *w = arg;
    return !mfx_str_eq_nocase(v->domain, w->request->domain) ||
           take_key(w, v, v->file);
}

/* Patterns and live tables show their keys for an address only. */
static int
look_up(struct rotate_work *w)
{
    struct mfx_decision trace;
    struct dkim_signer *signers = NULL;
    struct mfx_err err = {0};
    const struct dkim_policy *policy = w->loaded->policy;
    mfx_decision_init(&trace, w->run->arena);
    enum mfx_rc rc = dkim_signers_find(
        policy->signers, mfx_str_of("postmaster"), w->request->domain,
        w->run->arena, &trace, &signers, &err);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        return verb_fail(w->run, verb_status(rc), "%s", err.msg);
    for (const struct dkim_signer *s = signers; s != NULL; s = s->next) {
        const struct dkim_key_view v = {
            .selector = s->selector, .path = s->key, .is_signing = true};
        if (mfx_str_eq_nocase(s->domain, w->request->domain))
            (void)take_key(w, &v, s->file);
    }
    return EXIT_OK;
}

int
rotate_find(struct rotate_work *w)
{
    const struct dkim_policy *policy = w->loaded->policy;
    dkim_watcher_each(policy->shared->watcher, visit_key, w);
    int status = w->count == 0 && w->bad == NULL ? look_up(w) : EXIT_OK;
    if (status != EXIT_OK)
        return status;
    if (w->bad != NULL)
        return verb_fail(w->run, EXIT_CONFIG, "%s", w->bad);
    if (w->count == 0)
        return verb_fail(w->run, EXIT_NO,
                         "no key signs for %s: make its first with mfxctl "
                         "dkim genkey",
                         verb_text(w->run, w->request->domain));
    for (size_t i = 0; i < w->count; i++)
        for (size_t j = 0; j < w->count; j++)
            if (mfx_str_eq_nocase(w->keys[i].selector, w->keys[j].replaces))
                w->keys[i].is_replaced = true;
    return EXIT_OK;
}

/* --- which --- */

static const struct rotate_known *
key_called(const struct rotate_work *w, struct mfx_str selector)
{
    for (size_t i = 0; i < w->count; i++)
        if (selector.len > 0 &&
            mfx_str_eq_nocase(w->keys[i].selector, selector))
            return &w->keys[i];
    return NULL;
}

/* The key, or one that it came to replace, has that selector. */
static bool
descends_from(const struct rotate_work *w, const struct rotate_known *key,
              struct mfx_str selector)
{
    for (size_t i = 0; key != NULL && i < ROTATE_KEYS_MAX; i++) {
        if (mfx_str_eq_nocase(key->selector, selector))
            return true;
        key = key_called(w, key->replaces);
    }
    return false;
}

/* Each line ends in a key that nothing replaces. */
bool
rotate_is_wanted(const struct rotate_work *w, const struct rotate_known *key)
{
    const struct rotate_request *r = w->request;
    bool is_ed25519 = key->algorithm == MFX_DKIM_ED25519_SHA256;
    struct mfx_str word = mfx_str_of(r->algorithm);
    return !key->is_replaced &&
           (r->algorithm == NULL ||
            mfx_str_is_nocase(word, "ed25519") == is_ed25519) &&
           (r->replaces == NULL ||
            descends_from(w, key, mfx_str_of(r->replaces)));
}

static int
check_lines(const struct rotate_work *w, const struct rotate_known *key)
{
    bool is_fixed = w->request->selector != NULL &&
                    strchr(w->request->selector, '%') == NULL;
    for (const struct rotate_known *k = w->keys; k < key; k++) {
        if (!rotate_is_wanted(w, k))
            continue;
        if (k->algorithm == key->algorithm)
            return verb_wrong(w->run,
                              "%.*s and %.*s are two keys of one algorithm: "
                              "--replaces SELECTOR says which",
                              MFX_STR_ARG(k->selector),
                              MFX_STR_ARG(key->selector));
        if (is_fixed)
            return verb_wrong(w->run, "--selector names one key, and there are "
                                      "two: --algorithm says which");
    }
    return EXIT_OK;
}

int
rotate_check(const struct rotate_work *w)
{
    int status = EXIT_OK;
    for (size_t i = 0; i < w->count && status == EXIT_OK; i++)
        if (rotate_is_wanted(w, &w->keys[i]))
            status = check_lines(w, &w->keys[i]);
    return status;
}
