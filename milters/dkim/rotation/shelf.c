/* SPDX-License-Identifier: BSD-2-Clause */
#include "shelf.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <mfx/base/map.h>

enum {
    CARDS_MAX = 1000000,
    LOOK_AT_ONCE = 1000, /* directories per call of is_outdated */
    SETTLED_S = 2,       /* a directory listed this long after its last change
                            has shown all of it */
    NAME_MAX_BYTES = 600,
};

struct dkim_shelf {
    atomic_size_t refs;      /* shelves that share it */
    struct mfx_arena *arena; /* NULL without cards */
    struct mfx_file_id id;
    bool is_settled;
    struct dkim_shelf_card *cards; /* by path */
    size_t count;
    struct mfx_map *by_after, *by_name; /* NULL without cards */
    char directory[];
};

struct dkim_shelves {
    struct dkim_shelves *previous;
    struct mfx_map *by_directory;
    struct dkim_shelf **list;
    size_t count, room, looked_at;
};

struct dkim_shelves *
dkim_shelves_new(struct dkim_shelves *previous)
{
    struct dkim_shelves *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->previous = previous;
    s->by_directory =
        mfx_map_new(MFX_MAP_CASE, previous == NULL ? 16 : previous->count);
    if (s->by_directory != NULL)
        return s;
    free(s);
    return NULL;
}

void
dkim_shelves_done(struct dkim_shelves *shelves)
{
    shelves->previous = NULL;
}

static void
release(struct dkim_shelf *shelf)
{
    if (shelf == NULL || atomic_fetch_sub(&shelf->refs, 1) > 1)
        return;
    mfx_map_free(shelf->by_after);
    mfx_map_free(shelf->by_name);
    mfx_arena_free(shelf->arena);
    free(shelf);
}

void
dkim_shelves_free(struct dkim_shelves *shelves)
{
    if (shelves == NULL)
        return;
    for (size_t i = 0; i < shelves->count; i++)
        release(shelves->list[i]);
    mfx_map_free(shelves->by_directory);
    free(shelves->list);
    free(shelves);
}

/* --- what lies there --- */

static bool
is_card(const char *name)
{
    struct mfx_str s = mfx_str_of(name);
    static const struct mfx_str ending = MFX_STR(DKIM_CARD_ENDING);
    return s.len > ending.len && s.p[0] != '.' &&
           mfx_str_ends_nocase(s, ending);
}

static bool
add_name(struct dkim_shelf *shelf, const char *name, size_t *room)
{
    if (shelf->arena == NULL)
        shelf->arena = mfx_arena_new(0);
    if (shelf->arena == NULL)
        return false;
    if (shelf->count == *room) {
        size_t wanted = *room == 0 ? 8 : *room * 2;
        struct dkim_shelf_card *cards =
            mfx_arena_alloc_array(shelf->arena, wanted, sizeof *cards);
        if (cards == NULL)
            return false;
        if (shelf->count > 0)
            memcpy(cards, shelf->cards, shelf->count * sizeof *cards);
        shelf->cards = cards;
        *room = wanted;
    }
    struct dkim_shelf_card *c = &shelf->cards[shelf->count];
    bool is_root = strcmp(shelf->directory, "/") == 0;
    c->path = mfx_arena_printf(shelf->arena, "%s/%s",
                               is_root ? "" : shelf->directory, name);
    if (c->path.p == NULL)
        return false;
    c->key_path = mfx_arena_copy(
        shelf->arena,
        mfx_str_head(c->path, c->path.len - (sizeof DKIM_CARD_ENDING - 1)));
    if (c->key_path.p != NULL &&
        mfx_file_identify(c->path.p, &c->id, NULL) == MFX_OK)
        shelf->count++;
    return true;
}

static int
by_path(const void *a, const void *b)
{
    const struct dkim_shelf_card *x = a, *y = b;
    return mfx_str_compare(x->path, y->path);
}

/* Names and identities, in order. */
static enum mfx_rc
list(struct dkim_shelf *shelf)
{
    size_t room = 0;
    const struct dirent *entry;
    if (mfx_file_identify(shelf->directory, &shelf->id, NULL) != MFX_OK)
        return MFX_OK; /* whoever wants a key there says what is wrong */
    shelf->is_settled = shelf->id.changed.tv_sec + SETTLED_S < time(NULL);
    DIR *dir = opendir(shelf->directory);
    if (dir == NULL)
        return MFX_OK;
    bool has_memory = true;
    while (has_memory && shelf->count < CARDS_MAX &&
           (entry = readdir(dir)) != NULL)
        if (is_card(entry->d_name))
            has_memory = add_name(shelf, entry->d_name, &room);
    (void)closedir(dir);
    if (shelf->count > 1)
        qsort(shelf->cards, shelf->count, sizeof *shelf->cards, by_path);
    return has_memory ? MFX_OK : MFX_TEMPFAIL;
}

static struct dkim_shelf *
new_shelf(struct mfx_str directory)
{
    struct dkim_shelf *shelf = calloc(1, sizeof *shelf + directory.len + 1);
    if (shelf == NULL)
        return NULL;
    atomic_init(&shelf->refs, 1);
    memcpy(shelf->directory, directory.p, directory.len);
    if (list(shelf) == MFX_OK)
        return shelf;
    release(shelf);
    return NULL;
}

/* --- finding --- */

struct name {
    char bytes[NAME_MAX_BYTES];
    struct mfx_str s;
};

/* "domain/selector"; no name is longer than 253 octets. */
static struct mfx_str
name_of(struct name *name, struct mfx_str domain, struct mfx_str selector)
{
    if (domain.len + selector.len + 1 > sizeof name->bytes)
        return mfx_str(NULL, 0);
    memcpy(name->bytes, domain.len == 0 ? "" : domain.p, domain.len);
    name->bytes[domain.len] = '/';
    memcpy(name->bytes + domain.len + 1, selector.len == 0 ? "" : selector.p,
           selector.len);
    return mfx_str(name->bytes, domain.len + 1 + selector.len);
}

static bool
is_newer(const struct dkim_card *a, const struct dkim_card *b)
{
    uint64_t at =
        a->not_before_s > a->created_s ? a->not_before_s : a->created_s;
    uint64_t bt =
        b->not_before_s > b->created_s ? b->not_before_s : b->created_s;
    return at != bt ? at > bt : mfx_str_compare(a->selector, b->selector) > 0;
}

static bool
put(struct dkim_shelf *shelf, struct mfx_map *map, struct mfx_str domain,
    struct mfx_str selector, struct dkim_shelf_card *card)
{
    struct name name;
    struct mfx_str key = name_of(&name, domain, selector);
    struct mfx_str copy = mfx_arena_copy(shelf->arena, key);
    return key.len == 0 ||
           (copy.p != NULL && mfx_map_put(map, copy, card) == MFX_OK);
}

/* In the order of their times. */
static bool
put_after(struct dkim_shelf *shelf, struct dkim_shelf_card *card)
{
    struct name name;
    struct mfx_str key = name_of(&name, card->card.domain, card->card.replaces);
    struct dkim_shelf_card *first = mfx_map_get(shelf->by_after, key);
    struct dkim_shelf_card **link = &first;
    while (*link != NULL && is_newer(&card->card, &(*link)->card))
        link = &(*link)->next_after;
    card->next_after = *link;
    *link = card;
    return first != card || put(shelf, shelf->by_after, card->card.domain,
                                card->card.replaces, card);
}

static bool
index_card(struct dkim_shelf *shelf, struct dkim_shelf_card *card)
{
    struct name name;
    struct mfx_str key = name_of(&name, card->card.domain, card->card.selector);
    if (card->card.replaces.len > 0 && !put_after(shelf, card))
        return false;
    return mfx_map_get(shelf->by_name, key) != NULL ||
           put(shelf, shelf->by_name, card->card.domain, card->card.selector,
               card);
}

static bool
read_cards(struct dkim_shelf *shelf, struct mfx_problems *problems)
{
    if (shelf->count == 0)
        return true;
    shelf->by_after = mfx_map_new(MFX_MAP_NOCASE, shelf->count);
    shelf->by_name = mfx_map_new(MFX_MAP_NOCASE, shelf->count);
    if (shelf->by_after == NULL || shelf->by_name == NULL)
        return false;
    for (size_t i = 0; i < shelf->count; i++) {
        struct dkim_shelf_card *c = &shelf->cards[i];
        struct mfx_err err = {""};
        enum mfx_rc rc =
            dkim_card_read(c->path.p, shelf->arena, &c->card, &err);
        c->is_good = rc == MFX_OK;
        if (rc != MFX_OK)
            mfx_problem_add(problems, MFX_PROBLEM_WARNING, "", 0,
                            "card not used: %s", err.msg);
        else if (!index_card(shelf, c))
            return false;
    }
    return true;
}

/* --- a load --- */

static bool
is_same_list(const struct dkim_shelf *a, const struct dkim_shelf *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!mfx_str_eq(a->cards[i].path, b->cards[i].path) ||
            !mfx_file_id_eq(&a->cards[i].id, &b->cards[i].id))
            return false;
    return true;
}

static bool
are_cards_current(const struct dkim_shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++) {
        struct mfx_file_id id;
        if (mfx_file_identify(shelf->cards[i].path.p, &id, NULL) != MFX_OK ||
            !mfx_file_id_eq(&id, &shelf->cards[i].id))
            return false;
    }
    return true;
}

/* One stat where nothing happened. */
static bool
is_current(struct dkim_shelf *shelf)
{
    struct mfx_file_id id;
    if (mfx_file_identify(shelf->directory, &id, NULL) != MFX_OK)
        memset(&id, 0, sizeof id);
    if (mfx_file_id_eq(&id, &shelf->id) && shelf->is_settled)
        return are_cards_current(shelf);
    struct dkim_shelf *now = new_shelf(mfx_str_of(shelf->directory));
    if (now == NULL)
        return true;
    bool is = is_same_list(shelf, now);
    if (is) { /* other files came or went: not our business */
        shelf->id = now->id;
        shelf->is_settled = now->is_settled;
    }
    release(now);
    return is;
}

static struct dkim_shelf *
share(const struct dkim_shelves *shelves, struct mfx_str directory)
{
    if (shelves->previous == NULL)
        return NULL;
    struct dkim_shelf *shelf =
        mfx_map_get(shelves->previous->by_directory, directory);
    if (shelf == NULL || !is_current(shelf))
        return NULL;
    for (size_t i = 0; i < shelf->count; i++)
        if (!shelf->cards[i].is_good)
            return NULL; /* say again what is wrong with it */
    atomic_fetch_add(&shelf->refs, 1);
    return shelf;
}

static bool
remember(struct dkim_shelves *s, struct dkim_shelf *shelf)
{
    if (s->count == s->room) {
        size_t room = s->room == 0 ? 16 : s->room * 2;
        struct dkim_shelf **more =
            realloc(s->list, room * sizeof(struct dkim_shelf *));
        if (more == NULL)
            return false;
        s->list = more;
        s->room = room;
    }
    if (mfx_map_put(s->by_directory, mfx_str_of(shelf->directory), shelf) !=
        MFX_OK)
        return false;
    s->list[s->count++] = shelf;
    return true;
}

const struct dkim_shelf *
dkim_shelves_get(struct dkim_shelves *shelves, struct mfx_str key_path,
                 struct mfx_problems *problems)
{
    size_t slash = mfx_str_find_last(key_path, '/');
    struct mfx_str directory = mfx_str_head(key_path, slash == 0 ? 1 : slash);
    struct dkim_shelf *shelf = mfx_map_get(shelves->by_directory, directory);
    if (shelf != NULL)
        return shelf;
    shelf = share(shelves, directory);
    if (shelf == NULL) {
        shelf = new_shelf(directory);
        if (shelf != NULL && !read_cards(shelf, problems)) {
            release(shelf);
            shelf = NULL;
        }
    }
    if (shelf != NULL && remember(shelves, shelf))
        return shelf;
    release(shelf);
    return NULL;
}

static const struct dkim_shelf_card *
find(const struct mfx_map *map, struct mfx_str domain, struct mfx_str selector)
{
    struct name name;
    struct mfx_str key = name_of(&name, domain, selector);
    return map == NULL || key.len == 0 ? NULL : mfx_map_get(map, key);
}

const struct dkim_shelf_card *
dkim_shelf_after(const struct dkim_shelf *shelf, struct mfx_str domain,
                 struct mfx_str selector)
{
    return find(shelf->by_after, domain, selector);
}

const struct dkim_shelf_card *
dkim_shelf_named(const struct dkim_shelf *shelf, struct mfx_str domain,
                 struct mfx_str selector)
{
    return find(shelf->by_name, domain, selector);
}

static int
key_path_of(const void *path, const void *card)
{
    const struct mfx_str *p = path;
    const struct dkim_shelf_card *c = card;
    return mfx_str_compare(*p, c->path);
}

const struct dkim_shelf_card *
dkim_shelf_of(const struct dkim_shelf *shelf, struct mfx_str key_path)
{
    char path[4096];
    static const struct mfx_str ending = MFX_STR(DKIM_CARD_ENDING);
    if (shelf->count == 0 || key_path.len + ending.len > sizeof path)
        return NULL;
    memcpy(path, key_path.p, key_path.len);
    memcpy(path + key_path.len, ending.p, ending.len);
    const struct mfx_str wanted = mfx_str(path, key_path.len + ending.len);
    const struct dkim_shelf_card *c = bsearch(
        &wanted, shelf->cards, shelf->count, sizeof *shelf->cards, key_path_of);
    return c != NULL && c->is_good ? c : NULL;
}

bool
dkim_shelves_is_outdated(struct dkim_shelves *s)
{
    size_t look = s->count < LOOK_AT_ONCE ? s->count : LOOK_AT_ONCE;
    for (size_t i = 0; i < look; i++)
        if (!is_current(s->list[s->looked_at++ % s->count]))
            return true;
    return false;
}
