/* SPDX-License-Identifier: BSD-2-Clause */
#include "lines.h"

#include <stdlib.h>

#include <mfx/base/map.h>

enum {
    NAME_BYTES = 600,
};

struct dkim_lines {
    atomic_size_t refs;
    struct mfx_arena *arena;
    struct dkim_keys *keys; /* until finish */
    struct dkim_shelves *shelves;
    struct mfx_problems *problems;
    struct mfx_map *by_name;   /* "domain/selector" */
    struct mfx_map *by_domain; /* made when it is wanted */
    struct dkim_line_key **members;
    size_t member_count, member_room;
    struct dkim_line **lines;
    size_t count;
    bool failed;
};

struct dkim_lines *
dkim_lines_new(struct dkim_keys *keys, struct dkim_shelves *shelves,
               struct mfx_problems *problems)
{
    struct dkim_lines *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    atomic_init(&l->refs, 1);
    l->keys = keys;
    l->shelves = shelves;
    l->problems = problems;
    l->arena = mfx_arena_new(0);
    l->by_name = mfx_map_new(MFX_MAP_NOCASE, 16);
    if (l->arena != NULL && l->by_name != NULL)
        return l;
    dkim_lines_release(l);
    return NULL;
}

struct dkim_lines *
dkim_lines_hold(struct dkim_lines *lines)
{
    atomic_fetch_add(&lines->refs, 1);
    return lines;
}

static void
free_texts(struct dkim_line *line)
{
    while (line->texts != NULL) {
        struct dkim_line_text *text = line->texts;
        line->texts = text->next;
        free(text);
    }
}

void
dkim_lines_release(struct dkim_lines *lines)
{
    if (lines == NULL || atomic_fetch_sub(&lines->refs, 1) > 1)
        return;
    for (size_t i = 0; i < lines->member_count; i++)
        dkim_key_file_unref(lines->members[i]->file);
    for (size_t i = 0; i < lines->count; i++)
        free_texts(lines->lines[i]);
    mfx_map_free(lines->by_name);
    mfx_map_free(lines->by_domain);
    mfx_arena_free(lines->arena);
    free(lines->members);
    free(lines->lines);
    free(lines);
}

/* --- keys --- */

static struct mfx_str
name_of(char bytes[NAME_BYTES], struct mfx_str domain, struct mfx_str selector)
{
    if (domain.len + selector.len + 1 > NAME_BYTES)
        return mfx_str("", 0);
    memcpy(bytes, domain.len == 0 ? "" : domain.p, domain.len);
    bytes[domain.len] = '/';
    memcpy(bytes + domain.len + 1, selector.len == 0 ? "" : selector.p,
           selector.len);
    return mfx_str(bytes, domain.len + 1 + selector.len);
}

struct dkim_line_key *
dkim_lines_find(const struct dkim_lines *lines, struct mfx_str domain,
                struct mfx_str selector)
{
    char bytes[NAME_BYTES];
    return mfx_map_get(lines->by_name, name_of(bytes, domain, selector));
}

static bool
remember(struct dkim_lines *l, struct dkim_line_key *key)
{
    char bytes[NAME_BYTES];
    struct mfx_str name =
        mfx_arena_copy(l->arena, name_of(bytes, key->domain, key->selector));
    if (l->member_count == l->member_room) {
        size_t room = l->member_room == 0 ? 64 : l->member_room * 2;
        struct dkim_line_key **more =
            realloc(l->members, room * sizeof(struct dkim_line_key *));
        if (more == NULL)
            return false;
        l->members = more;
        l->member_room = room;
    }
    if (name.p == NULL || mfx_map_put(l->by_name, name, key) != MFX_OK)
        return false;
    l->members[l->member_count++] = key;
    return true;
}

static struct dkim_line_key *
new_key(struct dkim_lines *l, struct mfx_str domain, struct mfx_str selector,
        struct mfx_str path, struct dkim_key_file *file)
{
    struct dkim_line_key *key = mfx_arena_alloc(l->arena, sizeof *key);
    if (key == NULL)
        return NULL;
    key->domain = mfx_arena_copy_lower(l->arena, domain);
    key->selector = mfx_arena_copy(l->arena, selector);
    key->path = mfx_arena_copy(l->arena, path);
    if (!mfx_arena_ok(l->arena) || !remember(l, key))
        return NULL;
    if (file != NULL)
        key->file = dkim_key_file_ref(file);
    return key;
}

struct dkim_line_key *
dkim_lines_add(struct dkim_lines *lines, struct mfx_str domain,
               struct mfx_str selector, struct mfx_str path,
               struct dkim_key_file *file)
{
    struct dkim_line_key *key = dkim_lines_find(lines, domain, selector);
    if (key == NULL)
        key = new_key(lines, domain, selector, path, file);
    if (key == NULL)
        return NULL;
    key->is_configured = true;
    return key;
}

static void
take_card(struct dkim_lines *l, struct dkim_line_key *key,
          const struct dkim_card *card)
{
    key->has_card = true;
    key->replaces = mfx_arena_copy(l->arena, card->replaces);
    key->not_before_s = card->not_before_s;
    key->retired_s = card->retired_s;
}

/* The key of a card, for one domain. NULL: out of memory. */
static struct dkim_line_key *
key_of_card(struct dkim_lines *l, const struct dkim_shelf_card *c,
            struct mfx_str domain)
{
    struct dkim_line_key *key = dkim_lines_find(l, domain, c->card.selector);
    struct dkim_key_file *file = NULL;
    struct mfx_err err = {""};
    if (key != NULL)
        return key;
    if (dkim_keys_add(l->keys, c->key_path, &file, &err) != MFX_OK) {
        mfx_problem_add(l->problems, MFX_PROBLEM_WARNING, "", 0,
                        "%.*s: its key does not sign: %s", MFX_STR_ARG(c->path),
                        err.msg);
        file = NULL;
    }
    key = new_key(l, domain, c->card.selector, c->key_path, file);
    if (key != NULL)
        take_card(l, key, &c->card);
    return key;
}

/* --- lines --- */

static struct mfx_str
file_name(struct mfx_str path)
{
    size_t slash = mfx_str_find_last(path, '/');
    return slash == path.len ? path : mfx_str_from(path, slash + 1);
}

static bool
replaces(const struct dkim_shelf_card *c, struct mfx_str path)
{
    return c->card.replaces_key.len == 0 ||
           mfx_str_eq(c->card.replaces_key, file_name(path));
}

static bool
is_path(struct mfx_str path)
{
    return path.len > 0 && path.p[0] == '/';
}

bool
dkim_lines_is_replaced(struct dkim_lines *lines, struct mfx_str domain,
                       struct mfx_str selector, struct mfx_str path)
{
    struct mfx_str domains[] = {domain, mfx_str_of("*")};
    const struct dkim_shelf *shelf =
        is_path(path) ? dkim_shelves_get(lines->shelves, path, lines->problems)
                      : NULL;
    for (size_t i = 0; shelf != NULL && i < 2; i++)
        for (const struct dkim_shelf_card *c =
                 dkim_shelf_after(shelf, domains[i], selector);
             c != NULL; c = c->next_after)
            if (replaces(c, path))
                return true;
    return false;
}

struct growing {
    struct dkim_lines *lines;
    struct dkim_line *line;
    struct dkim_line_key *keys[DKIM_LINE_KEYS_MAX];
    size_t count;
};

static void
append(struct growing *g, struct dkim_line_key *key)
{
    if (key->line != NULL || g->count == DKIM_LINE_KEYS_MAX)
        return; /* cards that go in a circle */
    key->line = g->line;
    key->index = g->count;
    g->keys[g->count++] = key;
}

/* Those that replace this one, by cards of the same directory. */
static bool
append_after(struct growing *g, const struct dkim_line_key *key,
             const struct dkim_shelf *shelf)
{
    struct mfx_str domains[] = {key->domain, mfx_str_of("*")};
    for (size_t i = 0; i < 2; i++) {
        const struct dkim_shelf_card *c =
            dkim_shelf_after(shelf, domains[i], key->selector);
        for (; c != NULL; c = c->next_after) {
            if (!replaces(c, key->path))
                continue;
            struct dkim_line_key *next = key_of_card(g->lines, c, key->domain);
            if (next == NULL)
                return false;
            append(g, next);
        }
    }
    return true;
}

static bool
keep_line(struct dkim_lines *l, struct growing *g)
{
    struct dkim_line *line = g->line;
    line->keys = mfx_arena_alloc_array(l->arena, g->count,
                                       sizeof(struct dkim_line_key *));
    if (line->keys == NULL)
        return false;
    memcpy(line->keys, g->keys, g->count * sizeof(struct dkim_line_key *));
    line->count = g->count;
    atomic_init(&line->chosen, 0);
    atomic_init(&line->why, NULL);
    l->lines[l->count++] = line;
    return true;
}

static bool
make_line(struct dkim_lines *l, struct dkim_line_key *root)
{
    struct growing g = {.lines = l};
    g.line = mfx_arena_alloc(l->arena, sizeof *g.line);
    if (g.line == NULL)
        return false;
    append(&g, root);
    for (size_t i = 0; i < g.count; i++) {
        const struct dkim_shelf *shelf = NULL;
        if (!is_path(g.keys[i]->path))
            continue;
        shelf = dkim_shelves_get(l->shelves, g.keys[i]->path, l->problems);
        if (shelf == NULL || !append_after(&g, g.keys[i], shelf))
            return false;
    }
    return keep_line(l, &g);
}

/* The oldest key that this one replaces, by its card and theirs. */
static struct dkim_line_key *
find_root(struct dkim_lines *l, struct dkim_line_key *key)
{
    for (int hops = 0; hops < DKIM_LINE_KEYS_MAX && is_path(key->path);
         hops++) {
        const struct dkim_shelf *shelf =
            dkim_shelves_get(l->shelves, key->path, l->problems);
        const struct dkim_shelf_card *c =
            shelf == NULL ? NULL : dkim_shelf_of(shelf, key->path);
        if (c != NULL && !key->has_card)
            take_card(l, key, &c->card);
        if (key->replaces.len == 0)
            return key;
        struct dkim_line_key *older =
            dkim_lines_find(l, key->domain, key->replaces);
        c = shelf == NULL ? NULL
                          : dkim_shelf_named(shelf, key->domain, key->replaces);
        if (older == NULL && c != NULL)
            older = key_of_card(l, c, key->domain);
        if (older == NULL || older->line != NULL)
            return key;
        key = older;
    }
    return key;
}

bool
dkim_lines_finish(struct dkim_lines *lines)
{
    size_t configured = lines->member_count;
    lines->lines = calloc(2 * configured + 1, sizeof(struct dkim_line *));
    bool ok = lines->lines != NULL;
    for (size_t i = 0; ok && i < configured; i++) {
        struct dkim_line_key *root = lines->members[i];
        if (root->line != NULL)
            continue;
        root = find_root(lines, root);
        ok = root->line != NULL || make_line(lines, root);
        /* in no line of its root: cards in a circle, or another file */
        if (ok && lines->members[i]->line == NULL)
            ok = make_line(lines, lines->members[i]);
    }
    return ok && mfx_arena_ok(lines->arena);
}

bool
dkim_lines_insert(struct dkim_lines *lines, struct dkim_line_key *key,
                  struct mfx_str selector, struct mfx_str path)
{
    struct dkim_line *line = key->line;
    struct dkim_key_file *file = NULL;
    if (line->count >= DKIM_LINE_KEYS_MAX ||
        dkim_keys_add(lines->keys, path, &file, NULL) != MFX_OK)
        return true; /* it is gone; so be it */
    struct dkim_line_key **keys = mfx_arena_alloc_array(
        lines->arena, line->count + 1, sizeof(struct dkim_line_key *));
    struct dkim_line_key *older =
        new_key(lines, key->domain, selector, path, file);
    if (keys == NULL || older == NULL)
        return false;
    older->is_remembered = true;
    older->line = line;
    keys[0] = older;
    for (size_t i = 0; i < line->count; i++) {
        keys[i + 1] = line->keys[i];
        keys[i + 1]->index = i + 1;
    }
    line->keys = keys;
    line->count++;
    return true;
}

size_t
dkim_lines_count(const struct dkim_lines *lines)
{
    return lines->count;
}

struct dkim_line *
dkim_lines_at(const struct dkim_lines *lines, size_t i)
{
    return lines->lines[i];
}

static bool
index_domains(struct dkim_lines *l)
{
    l->by_domain = mfx_map_new(MFX_MAP_NOCASE, l->member_count);
    if (l->by_domain == NULL)
        return false;
    for (size_t i = 0; i < l->member_count; i++) {
        struct dkim_line_key *key = l->members[i];
        if (!key->is_configured)
            continue;
        key->next_of_domain = mfx_map_get(l->by_domain, key->domain);
        if (mfx_map_put(l->by_domain, key->domain, key) != MFX_OK)
            return false;
    }
    return true;
}

struct dkim_line_key *
dkim_lines_of_domain(struct dkim_lines *lines, struct mfx_str domain)
{
    if (lines->by_domain == NULL && !index_domains(lines))
        return NULL;
    return mfx_map_get(lines->by_domain, domain);
}

/* --- for each message --- */

struct dkim_line_pick
dkim_line_pick(const struct dkim_line_key *key)
{
    struct dkim_line *line = key->line;
    size_t chosen = atomic_load_explicit(&line->chosen, memory_order_acquire);
    const struct dkim_line_text *why =
        atomic_load_explicit(&line->why, memory_order_acquire);
    struct dkim_line_pick pick = {.key = NULL};
    if (why != NULL)
        pick.why = mfx_str(why->text, why->len);
    if (chosen >= line->count)
        return pick;
    pick.key = line->keys[chosen];
    return pick;
}

static const struct dkim_line_text *
intern(struct dkim_line *line, struct mfx_str text)
{
    struct dkim_line_text *t = line->texts;
    while (t != NULL && !mfx_str_eq(mfx_str(t->text, t->len), text))
        t = t->next;
    if (t != NULL || text.len == 0)
        return text.len == 0 ? NULL : t;
    t = malloc(sizeof *t + text.len + 1);
    if (t == NULL)
        return NULL;
    t->len = text.len;
    memcpy(t->text, text.p, text.len);
    t->text[text.len] = '\0';
    t->next = line->texts;
    line->texts = t;
    return t;
}

void
dkim_line_set(struct dkim_line *line, size_t chosen, struct mfx_str why)
{
    atomic_store_explicit(&line->why, intern(line, why), memory_order_release);
    atomic_store_explicit(&line->chosen, chosen, memory_order_release);
}
