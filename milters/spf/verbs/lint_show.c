/* SPDX-License-Identifier: BSD-2-Clause */
#include "lint.h"

#include <stdarg.h>

enum {
    WINDOW = 72, /* columns of a record that are shown around a place */
    SHOWN_NETS = 3,
    SHOWN_TERMS = 120,
    TERM_COLUMNS = 40,
};

const char *
lint_level_name(enum lint_level level)
{
    switch (level) {
    case LINT_WRONG:
        return "wrong";
    case LINT_DOUBT:
        return "doubtful";
    case LINT_HINT:
        return "hint";
    case LINT_LEVELS:
        break;
    }
    return "";
}

/* --- taking findings --- */

__attribute__((format(printf, 5, 0))) static struct lint_finding *
add(struct lint *l, enum lint_level level, const char *code, const char *rfc,
    const char *format, va_list args)
{
    if (l->counts[level]++ >= LINT_FINDINGS)
        return NULL;
    struct lint_finding *f = mfx_arena_alloc(l->run->arena, sizeof *f);
    if (f == NULL)
        return NULL;
    f->level = level;
    f->code = code;
    f->rfc = rfc;
    f->page = l->root;
    f->text = mfx_arena_vprintf(l->run->arena, format, args);
    *l->end = f;
    l->end = &f->next;
    return f;
}

void
lint_say(struct lint *l, enum lint_level level, const char *code,
         const char *rfc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)add(l, level, code, rfc, format, args);
    va_end(args);
}

void
lint_say_at(struct lint *l, enum lint_level level, const char *code,
            const char *rfc, const struct lint_page *page, size_t at,
            size_t len, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct lint_finding *f = add(l, level, code, rfc, format, args);
    va_end(args);
    if (f == NULL)
        return;
    f->page = page;
    f->has_place = true;
    f->at = at;
    f->len = len;
}

/* --- a place in a record --- */

/* The record, or so much around the place as fits on a line; then a line that
 * marks it. */
static void
show_place(const struct lint *l, const struct lint_finding *f)
{
    struct mfx_str text = f->page->text;
    size_t from = 0, marked = f->len < WINDOW ? f->len : WINDOW;
    if (text.len > WINDOW && f->at + marked > WINDOW)
        from = f->at + marked - WINDOW;
    if (from > f->at)
        from = f->at;
    struct mfx_str part = mfx_str_head(mfx_str_from(text, from), WINDOW);
    struct mfx_str before = mfx_str_head(part, f->at - from);
    struct mfx_str place =
        mfx_str_head(mfx_str_from(part, f->at - from), f->len);
    size_t columns = spf_verb_columns(place);
    (void)printf("    %s%s%s\n    %*s", from > 0 ? "..." : "",
                 spf_verb_show(l->run, part),
                 from + part.len < text.len ? "..." : "",
                 (int)(spf_verb_columns(before) + (from > 0 ? 3 : 0)), "");
    for (size_t i = 0; i < (columns == 0 ? 1 : columns); i++)
        (void)putchar('^');
    (void)putchar('\n');
}

static void
show_finding(const struct lint *l, const struct lint_finding *f)
{
    (void)printf("%s: ", lint_level_name(f->level));
    if (f->page != l->root)
        (void)printf("%s: ", spf_verb_show(l->run, f->page->domain));
    (void)printf("%.*s", MFX_STR_ARG(f->text));
    if (f->rfc[0] != '\0')
        (void)printf(" (RFC 7208 %s)", f->rfc);
    (void)putchar('\n');
    if (f->has_place)
        show_place(l, f);
}

/* --- the tree --- */

static bool
is_listed(const struct lint_term *t)
{
    return !t->is_broken && !t->is_dead && mfx_spf_term_is_counted(&t->term);
}

static const char *
shorten(const struct lint *l, struct mfx_str text)
{
    return mfx_arena_printf(l->run->arena, "%s%s",
                            spf_verb_show(l->run, mfx_str_head(text, WINDOW)),
                            text.len > WINDOW ? "..." : "")
        .p;
}

static struct mfx_str
found_text(const struct lint *l, const struct lint_term *t)
{
    struct mfx_str nets = nets_text(l->run->arena, &t->nets, SHOWN_NETS, false);
    if (t->term.has_macros || l->env == NULL)
        return mfx_str_of("not looked up");
    if (t->nets.count == 0 && !t->nets.is_all)
        return mfx_str_of(t->voids4 > 0 && t->voids6 > 0 ? "void" : "");
    return t->nets.is_vague
               ? mfx_arena_printf(l->run->arena, "%.*s, and others",
                                  MFX_STR_ARG(nets))
               : nets;
}

static void
show_term(const struct lint *l, const struct lint_page *page,
          const struct lint_term *t)
{
    int indent = 2 * (int)page->depth;
    struct mfx_str found = found_text(l, t);
    const char *text = shorten(l, t->term.text);
    (void)printf("  %3u%s %*s", t->lookups, t->is_least ? "+" : " ", indent,
                 "");
    if (found.len == 0)
        (void)printf("%s\n", text);
    else
        (void)printf("%-*s  %.*s\n", TERM_COLUMNS - indent, text,
                     MFX_STR_ARG(found));
}

static void
show_terms(const struct lint *l, const struct lint_page *page, size_t *left)
{
    for (size_t i = 0; i < page->term_count; i++) {
        const struct lint_term *t = &page->terms[i];
        if (!is_listed(t))
            continue;
        if (*left == 0)
            return;
        if (--*left == 0)
            (void)printf("  ...\n");
        else
            show_term(l, page, t);
        if (t->page != NULL && t->page->status == LINT_READ)
            show_terms(l, t->page, left);
    }
}

static void
show_sum(const struct lint *l)
{
    const struct lint_page *root = l->root;
    size_t left = SHOWN_TERMS;
    (void)printf("lookups: %s%u of %d; void lookups: %u of %d",
                 root->is_least ? "at least " : "", root->lookups, LINT_LOOKUPS,
                 root->voids4, LINT_VOIDS);
    if (root->voids6 != root->voids4)
        (void)printf(" (%u for clients with IPv6)", root->voids6);
    if (root->maybes > 0)
        (void)printf(", and up to %u more", root->maybes);
    (void)putchar('\n');
    show_terms(l, root, &left);
}

static void
show_verdict(const struct lint *l)
{
    const size_t *counts = l->counts;
    bool is_cut = false;
    for (int level = 0; level < LINT_LEVELS; level++)
        is_cut = is_cut || counts[level] > LINT_FINDINGS;
    if (l->first == NULL)
        (void)printf("nothing to complain of\n");
    else
        (void)printf("%zu wrong, %zu doubtful, %zu hints%s\n",
                     counts[LINT_WRONG], counts[LINT_DOUBT], counts[LINT_HINT],
                     is_cut ? "; the first of each kind are shown" : "");
}

void
lint_show(const struct lint *l)
{
    const struct lint_page *root = l->root;
    if (root->domain.len > 0)
        (void)printf("%s\n", spf_verb_show(l->run, root->domain));
    if (root->text.len > 0)
        (void)printf("    %s%s\n",
                     spf_verb_show(l->run, mfx_str_head(root->text, 1000)),
                     root->text.len > 1000 ? "..." : "");
    if (root->status != LINT_NO_RECORD)
        show_sum(l);
    for (int level = 0; level < LINT_LEVELS; level++)
        for (const struct lint_finding *f = l->first; f != NULL; f = f->next)
            if (f->level == (enum lint_level)level)
                show_finding(l, f);
    show_verdict(l);
}
