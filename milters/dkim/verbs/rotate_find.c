/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The keys a domain has, and which of them get a next one.
 */
#include "rotate.h"

#include "../rotation/watcher.h"

/* --- what there is --- */

/* Of a key that has no usable file the ledger may know the algorithm. */
static void
take_material(struct rotate_known *k, const struct dkim_key_view *v,
              struct mfx_arena *arena)
{
    struct mfx_dkim_private_key *key;
    struct mfx_err err = {"is gone"};
    if (v->file != NULL && dkim_key_file_get(v->file, &key, &err) == MFX_OK) {
        k->algorithm = mfx_dkim_private_key_algorithm(key);
        k->bits = mfx_dkim_private_key_bits(key);
        return;
    }
    k->algorithm = strcmp(v->algorithm, "ed25519-sha256") == 0
                       ? MFX_DKIM_ED25519_SHA256
                       : MFX_DKIM_RSA_SHA256;
    k->bits = v->bits;
    k->bad =
        mfx_arena_printf(arena, "%.*s: %s", MFX_STR_ARG(v->path), err.msg).p;
}

static bool
take_key(struct rotate_work *w, const struct dkim_key_view *v)
{
    struct mfx_arena *arena = w->run->arena;
    if (w->count == ROTATE_KEYS_MAX)
        return false;
    struct rotate_known *k = &w->keys[w->count++];
    *k = (struct rotate_known){
        .selector = mfx_arena_copy(arena, v->selector),
        .path = mfx_arena_copy(arena, v->path),
        .replaces = mfx_arena_copy(arena, v->replaces),
        .is_signing = v->is_signing,
        .is_waiting = v->has_card && !v->is_signing &&
                      (v->verdict.state == DKIM_KEY_NEW ||
                       v->verdict.state == DKIM_KEY_PUBLISHED),
        .why = mfx_arena_copy(arena, mfx_str_of(v->why)).p,
    };
    take_material(k, v, arena);
    return true;
}

static bool
visit_key(const struct dkim_key_view *v, void *arg)
{
    struct rotate_work *w = arg;
    return !mfx_str_eq_nocase(v->domain, w->request->domain) || take_key(w, v);
}

/* A pattern or a live table shows its key for an address only, so the daemon
 * cannot look after it: a next key would lie there unused. */
static int
say_none(const struct rotate_work *w)
{
    struct mfx_decision trace;
    struct dkim_signer *signers = NULL;
    struct mfx_err err = {0};
    const struct dkim_policy *policy = w->loaded->policy;
    const char *domain = verb_text(w->run, w->request->domain);
    mfx_decision_init(&trace, w->run->arena);
    enum mfx_rc rc = dkim_signers_find(
        policy->signers, mfx_str_of("postmaster"), w->request->domain,
        w->run->arena, &trace, &signers, &err);
    if (rc != MFX_OK && rc != MFX_NOTFOUND)
        return verb_fail(w->run, verb_status(rc), "%s", err.msg);
    for (const struct dkim_signer *s = signers; s != NULL; s = s->next)
        if (mfx_str_eq_nocase(s->domain, w->request->domain))
            return verb_fail(w->run, EXIT_CONFIG,
                             "the key of %s comes from a pattern or a live "
                             "table, where mfx-dkim cannot look after it: give "
                             "it a row of its own in a file first",
                             domain);
    return verb_fail(w->run, EXIT_NO,
                     "no key signs for %s: make its first with mfxctl dkim "
                     "genkey",
                     domain);
}

int
rotate_find(struct rotate_work *w)
{
    const struct dkim_policy *policy = w->loaded->policy;
    dkim_watcher_each(policy->shared->watcher, visit_key, w);
    if (w->count == 0)
        return say_none(w);
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
