/* SPDX-License-Identifier: BSD-2-Clause */
#include "alignment.h"

#include <stdlib.h>

#include <mfx/auth/dmarc_discovery.h>
#include <mfx/base/map.h>

enum {
    WAIT_MS = 30000, /* the resolver itself gives up earlier */
    ROW_MEMORY = 1024 * 1024,
};

struct dkim_alignment_check {
    const struct mfx_env *env;
    struct mfx_dmarc_suffixes *suffixes;
};

struct dkim_alignment_check *
dkim_alignment_new(const struct mfx_env *env)
{
    struct dkim_alignment_check *check = calloc(1, sizeof *check);
    if (check == NULL)
        return NULL;
    check->env = env;
    check->suffixes = mfx_dmarc_suffixes_new();
    if (check->suffixes == NULL) {
        free(check);
        return NULL;
    }
    return check;
}

void
dkim_alignment_free(struct dkim_alignment_check *check)
{
    if (check == NULL)
        return;
    mfx_dmarc_suffixes_free(check->suffixes);
    free(check);
}

static bool
is_aligned(const struct dkim_alignment_check *check, struct mfx_str from,
           const struct dkim_signer *signers, bool is_strict)
{
    for (const struct dkim_signer *s = signers; s != NULL; s = s->next)
        if (mfx_dmarc_is_aligned(check->suffixes, from, s->domain, is_strict))
            return true;
    return false;
}

static enum mfx_rc
find_record(const struct dkim_alignment_check *check, struct mfx_str from,
            struct mfx_arena *arena, struct mfx_dmarc_found *record)
{
    struct mfx_dmarc_discovery d;
    struct mfx_event *event;
    uint64_t until_ms = mfx_mono_ms() + WAIT_MS;
    mfx_dmarc_discovery_begin(&d, check->env->resolver, check->suffixes, from,
                              arena);
    while ((event = mfx_dmarc_discovery_event(&d)) != NULL &&
           mfx_event_wait(event, until_ms))
        ;
    return mfx_dmarc_discovery_end(&d, record);
}

static const char *
describe(struct mfx_str shown, const struct mfx_dmarc_found *found, bool is_own,
         const struct dkim_signer *signers, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, 4096);
    mfx_buf_printf(&out,
                   "%.*s: DMARC is not satisfied by d=", MFX_STR_ARG(shown));
    for (const struct dkim_signer *s = signers; s != NULL; s = s->next)
        mfx_buf_printf(&out, "%.*s%s", MFX_STR_ARG(s->domain),
                       s->next == NULL ? "" : ", d=");
    mfx_buf_printf(&out, ": _dmarc.%.*s says %s=%s and wants %s",
                   MFX_STR_ARG(found->at), is_own ? "p" : "sp",
                   mfx_dmarc_policy_name(found->policy),
                   found->record.is_strict ? "the From domain itself (adkim=s)"
                                           : "the same organizational domain");
    return mfx_buf_text(&out);
}

void
dkim_alignment_of(const struct dkim_alignment_check *check, struct mfx_str from,
                  struct mfx_str shown, const struct dkim_signer *signers,
                  struct mfx_arena *arena, struct dkim_alignment *found)
{
    struct mfx_dmarc_found record;
    *found = (struct dkim_alignment){
        .status = DKIM_ALIGNMENT_GOOD, .from = from, .text = ""};
    if (from.len == 0 || signers == NULL ||
        is_aligned(check, from, signers, true))
        return;
    enum mfx_rc rc = find_record(check, from, arena, &record);
    if (rc == MFX_NOTFOUND) {
        found->status = DKIM_ALIGNMENT_NO_RECORD;
    } else if (rc != MFX_OK) {
        found->status = DKIM_ALIGNMENT_UNKNOWN;
    } else if (!is_aligned(check, from, signers, record.record.is_strict)) {
        found->status = DKIM_ALIGNMENT_BAD;
        found->text = describe(shown.len > 0 ? shown : from, &record,
                               record.at.len == from.len, signers, arena);
    }
}

/* --- every row --- */

struct walk {
    const struct dkim_alignment_check *check;
    const struct dkim_policy *policy;
    struct mfx_arena *arena; /* emptied after each row */
    struct mfx_arena *kept;
    struct mfx_map *told; /* texts, so that each is said once */
    void (*bad)(const struct dkim_alignment *found, void *arg);
    void *arg;
};

/* An address that the row's key matches: with a label in place of wildcards.
 * False for a key that stands for any domain. */
static bool
sample(struct mfx_str key, struct mfx_arena *arena, struct mfx_str *local,
       struct mfx_str *domain, struct mfx_str *shown)
{
    size_t at = mfx_str_find_last(key, '@');
    *local = mfx_str_of("postmaster");
    *shown = at < key.len ? mfx_str_from(key, at + 1) : key;
    if (at < key.len && !mfx_str_has(mfx_str_head(key, at), '*'))
        *local = mfx_str_head(key, at);
    struct mfx_str d = *shown;
    bool is_below = false;
    while (d.len > 0 && (d.p[0] == '*' || d.p[0] == '.')) {
        is_below = is_below || d.p[0] == '.';
        d = mfx_str_from(d, 1);
    }
    *domain = is_below ? mfx_arena_printf(arena, "x.%.*s", MFX_STR_ARG(d))
                       : mfx_arena_copy_lower(arena, d);
    return d.len > 0 && mfx_domain_to_ascii(*domain, arena, domain) == MFX_OK &&
           mfx_domain_is_valid(*domain, false);
}

static void
tell(struct walk *w, const struct dkim_alignment *found)
{
    struct mfx_str text = mfx_str_of(found->text);
    if (found->status != DKIM_ALIGNMENT_BAD ||
        mfx_map_get(w->told, text) != NULL)
        return;
    text = mfx_arena_copy(w->kept, text);
    if (text.p == NULL ||
        mfx_map_put(w->told, text, (void *)(uintptr_t)text.p) != MFX_OK)
        return;
    w->bad(found, w->arg);
}

static bool
look_at_row(const struct mfx_table_row *row, void *arg)
{
    struct walk *w = arg;
    struct mfx_str local, domain, shown;
    struct mfx_decision trace;
    struct dkim_signer *signers = NULL;
    struct dkim_alignment found;
    mfx_decision_init(&trace, w->arena);
    if (sample(row->key, w->arena, &local, &domain, &shown) &&
        dkim_signers_find(w->policy->signers, local, domain, w->arena, &trace,
                          &signers, NULL) == MFX_OK) {
        dkim_alignment_of(w->check, domain, shown, signers, w->arena, &found);
        tell(w, &found);
    }
    mfx_arena_reset(w->arena);
    return true;
}

/* A domain signs for itself, which is aligned; only what stands below it
 * remains to be looked at. */
static bool
look_below_domain(const struct mfx_table_row *row, void *arg)
{
    struct walk *w = arg;
    struct mfx_str shown =
        mfx_arena_printf(w->kept, ".%.*s", MFX_STR_ARG(row->key));
    struct mfx_table_row below = {.key = shown, .line = row->line};
    return shown.p != NULL && look_at_row(&below, arg);
}

static void
walk_table(struct walk *w, struct mfx_table *table,
           bool (*visit)(const struct mfx_table_row *, void *))
{
    if (table != NULL && !dkim_table_is_live(table))
        (void)!mfx_table_walk(table, w->kept, visit, w, NULL);
}

void
dkim_alignment_each(const struct dkim_alignment_check *check,
                    const struct dkim_policy *policy,
                    void (*bad)(const struct dkim_alignment *found, void *arg),
                    void *arg)
{
    const struct dkim_settings *s = policy->settings;
    struct walk w = {
        .check = check,
        .policy = policy,
        .arena = mfx_arena_new(ROW_MEMORY),
        .kept = mfx_arena_new(0),
        .told = mfx_map_new(MFX_MAP_CASE, 16),
        .bad = bad,
        .arg = arg,
    };
    if (w.arena != NULL && w.kept != NULL && w.told != NULL) {
        walk_table(&w, s->sign.signing_table, look_at_row);
        if (s->sign.subdomains)
            walk_table(&w, s->sign.domains, look_below_domain);
    }
    mfx_map_free(w.told);
    mfx_arena_free(w.arena);
    mfx_arena_free(w.kept);
}
