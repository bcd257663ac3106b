/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols.h"

#include <pthread.h>
#include <stdlib.h>

#include <mfx/base/map.h>

enum {
    MANY = 1000,
    SCORE_MAX = 1000000, /* of one hit: no engine comes near */
};

struct row {
    struct score_symbol symbol; /* its name lies behind */
    char name[];
};

struct score_symbols {
    pthread_mutex_t mutex;
    struct mfx_map *map; /* name -> row */
    size_t max;
};

struct score_symbols *
score_symbols_new(size_t max)
{
    struct score_symbols *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->map = mfx_map_new(MFX_MAP_CASE, max < MANY ? max : MANY);
    if (s->map == NULL) {
        free(s);
        return NULL;
    }
    (void)pthread_mutex_init(&s->mutex, NULL);
    s->max = max;
    return s;
}

void
score_symbols_free(struct score_symbols *symbols)
{
    size_t cursor = 0;
    struct mfx_str name;
    void *row;
    if (symbols == NULL)
        return;
    while (mfx_map_next(symbols->map, &cursor, &name, &row))
        free(row);
    mfx_map_free(symbols->map);
    (void)pthread_mutex_destroy(&symbols->mutex);
    free(symbols);
}

void
score_symbols_set_max(struct score_symbols *symbols, size_t max)
{
    (void)pthread_mutex_lock(&symbols->mutex);
    symbols->max = max;
    (void)pthread_mutex_unlock(&symbols->mutex);
}

/* --- making room --- */

static int
by_worth(const void *a, const void *b)
{
    const struct score_symbol *x = &(*(struct row *const *)a)->symbol;
    const struct score_symbol *y = &(*(struct row *const *)b)->symbol;
    if (x->hits != y->hits)
        return x->hits > y->hits ? -1 : 1;
    if (x->last_s != y->last_s)
        return x->last_s > y->last_s ? -1 : 1;
    return mfx_str_compare(x->name, y->name);
}

/* All rows, those with most hits first; free(3). NULL when out of memory. */
static struct row **
sort(const struct score_symbols *s)
{
    size_t count = 0, cursor = 0, room = mfx_map_count(s->map);
    struct row **rows = calloc(room + 1, sizeof(struct row *));
    struct mfx_str name;
    void *row;
    if (rows == NULL)
        return NULL;
    while (count < room && mfx_map_next(s->map, &cursor, &name, &row))
        rows[count++] = row;
    qsort(rows, count, sizeof(struct row *), by_worth);
    return rows;
}

static void
make_room(struct score_symbols *s)
{
    struct row **rows = sort(s);
    size_t count = mfx_map_count(s->map);
    if (rows == NULL)
        return;
    for (size_t i = s->max - s->max / 4; i < count; i++) {
        (void)mfx_map_remove(s->map, rows[i]->symbol.name);
        free(rows[i]);
    }
    free(rows);
}

/* --- counting --- */

static bool
is_clean(struct mfx_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~')
            return false;
    return name.len <= SCORE_SYMBOL_NAME_MAX;
}

static struct mfx_str
clean(struct mfx_str name, char room[SCORE_SYMBOL_NAME_MAX])
{
    if (is_clean(name))
        return name;
    name = mfx_str_head(name, SCORE_SYMBOL_NAME_MAX);
    for (size_t i = 0; i < name.len; i++)
        room[i] = name.p[i] <= ' ' || name.p[i] > '~' ? '?' : name.p[i];
    return mfx_str(room, name.len);
}

static struct row *
new_row(struct score_symbols *s, struct mfx_str name)
{
    if (mfx_map_count(s->map) >= s->max)
        make_room(s);
    struct row *row =
        mfx_map_count(s->map) >= s->max ? NULL : malloc(sizeof *row + name.len);
    if (row == NULL)
        return NULL;
    memcpy(row->name, name.p, name.len);
    row->symbol = (struct score_symbol){.name = mfx_str(row->name, name.len)};
    if (mfx_map_put(s->map, row->symbol.name, row) == MFX_OK)
        return row;
    free(row);
    return NULL;
}

/* Names that are known are clean, so most need no look. */
static struct row *
row_for(struct score_symbols *s, struct mfx_str name)
{
    char room[SCORE_SYMBOL_NAME_MAX];
    struct row *row = mfx_map_get(s->map, name);
    if (row != NULL || name.len == 0)
        return row;
    struct mfx_str cleaned = clean(name, room);
    if (cleaned.p != name.p)
        row = mfx_map_get(s->map, cleaned);
    return row != NULL ? row : new_row(s, cleaned);
}

static void
count_one(struct score_symbols *s, const struct mfx_scan_symbol *item,
          bool is_spam, uint64_t now_s)
{
    struct row *row = row_for(s, item->name);
    if (row == NULL)
        return;
    row->symbol.hits++;
    row->symbol.spam_hits += is_spam;
    row->symbol.last_s = now_s;
    if (item->has_score && item->score >= -SCORE_MAX &&
        item->score <= SCORE_MAX) { /* and no NaN */
        row->symbol.scored++;
        row->symbol.score_sum +=
            (int64_t)(item->score * 1000 + (item->score < 0 ? -0.5 : 0.5));
    }
}

void
score_symbols_count(struct score_symbols *symbols,
                    const struct mfx_scan_symbol *items, size_t count,
                    bool is_spam, uint64_t now_s)
{
    (void)pthread_mutex_lock(&symbols->mutex);
    for (size_t i = 0; i < count && i < SCORE_SYMBOLS_OF_MESSAGE; i++)
        count_one(symbols, &items[i], is_spam, now_s);
    (void)pthread_mutex_unlock(&symbols->mutex);
}

/* --- listing --- */

enum mfx_rc
score_symbols_list(struct score_symbols *symbols, struct mfx_arena *arena,
                   const struct score_symbol **rows, size_t *count)
{
    (void)pthread_mutex_lock(&symbols->mutex);
    struct row **sorted = sort(symbols);
    size_t all = sorted == NULL ? 0 : mfx_map_count(symbols->map);
    struct score_symbol *out = mfx_arena_alloc_array(arena, all, sizeof *out);
    for (size_t i = 0; out != NULL && i < all; i++) {
        out[i] = sorted[i]->symbol;
        out[i].name = mfx_arena_copy(arena, out[i].name);
    }
    (void)pthread_mutex_unlock(&symbols->mutex);
    bool is_good = sorted != NULL && mfx_arena_ok(arena);
    free(sorted);
    *rows = out;
    *count = is_good ? all : 0;
    return is_good ? MFX_OK : MFX_TEMPFAIL;
}
