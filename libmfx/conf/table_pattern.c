/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The index of a refile table. Every pattern goes into one bucket, found by
 * something the key must hold:
 *
 *   exact     no '*' at all: the key itself
 *   aligned   what follows the last '*', when that starts with '@' or '.':
 *             looked up at each '@' and '.' of the key
 *   free      what follows the last '*' otherwise ("*example.org"): looked up
 *             at each length that occurs
 *   local     "user@*": what stands before the '*', looked up behind each '@'
 *   scanned   the rest, and true regular expressions
 *
 * Buckets keep row order; a lookup merges those it hits by row number, so the
 * lowest row that really matches comes first.
 */
#include "table_impl.h"

#include <regex.h>

#include <mfx/base/buf.h>

enum {
    FREE_LENGTH_MAX = 255, /* longer free tails are scanned */
    HITS_INLINE = 32,
};

enum match {
    MATCH_ALWAYS, /* the bucket says it all */
    MATCH_GLOB,
    MATCH_REGEX,
};

struct pattern {
    struct pattern *next;
    const struct mfx_table_row *row;
    enum match match;
    regex_t *regex;
};

struct bucket {
    struct pattern *first, *last;
};

struct mfx_table_patterns {
    struct mfx_map *exact, *aligned, *free, *local;
    struct bucket scanned;
    size_t aligned_max, local_max;
    size_t free_max;
    bool free_length[FREE_LENGTH_MAX + 1];
    bool has_regex;
};

static bool
is_regex(struct mfx_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr("\\^$()[]{}|?", text.p[i]) != NULL)
            return true;
    return false;
}

static bool
is_boundary(char c)
{
    return c == '@' || c == '.';
}

/* OpenDKIM's rewriting, to the letter. */
static const char *
regex_text(struct mfx_str text, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, text.len * 2 + 3);
    mfx_buf_add_byte(&out, '^');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '*')
            mfx_buf_add_byte(&out, '.');
        else if (c == '.' || c == '+')
            mfx_buf_add_byte(&out, '\\');
        mfx_buf_add_byte(&out, c);
    }
    mfx_buf_add_byte(&out, '$');
    return mfx_buf_text(&out);
}

static void
free_regex(void *regex)
{
    regfree(regex);
}

static regex_t *
compile(struct mfx_table *table, const struct mfx_table_row *row,
        struct mfx_problems *problems)
{
    regex_t *regex = mfx_arena_alloc(table->arena, sizeof *regex);
    const char *text = regex_text(row->key, table->arena);
    if (regex == NULL)
        return NULL;
    int flags = REG_EXTENDED | REG_NOSUB;
    if (table->fold == MFX_TABLE_NOCASE)
        flags |= REG_ICASE;
    int error = regcomp(regex, text, flags);
    if (error != 0) {
        char why[100];
        (void)regerror(error, regex, why, sizeof why);
        mfx_problem_add(problems, MFX_PROBLEM_ERROR, table->what.p, row->line,
                        "pattern \"%.*s\": %s", MFX_STR_ARG(row->key), why);
        return NULL;
    }
    return mfx_arena_defer(table->arena, free_regex, regex) ? regex : NULL;
}

/* '|' outside parentheses parts the anchors from each other: "a|b" is "starts
 * with a, or ends with b". */
static void
warn_alternative(struct mfx_table *table, const struct mfx_table_row *row,
                 struct mfx_problems *problems)
{
    size_t depth = 0;
    for (size_t i = 0; i < row->key.len; i++) {
        char c = row->key.p[i];
        depth += c == '(';
        depth -= c == ')' && depth > 0;
        if (c == '|' && depth == 0) {
            mfx_problem_add(problems, MFX_PROBLEM_WARNING, table->what.p,
                            row->line,
                            "pattern \"%.*s\": '|' outside parentheses "
                            "matches parts of a key only; write (a|b)",
                            MFX_STR_ARG(row->key));
            return;
        }
    }
}

static bool
append(struct mfx_table *table, struct bucket *bucket,
       const struct pattern *pattern)
{
    struct pattern *copy = mfx_arena_alloc(table->arena, sizeof *copy);
    if (copy == NULL)
        return false;
    *copy = *pattern;
    if (bucket->last != NULL)
        bucket->last->next = copy;
    else
        bucket->first = copy;
    bucket->last = copy;
    return true;
}

static bool
append_under(struct mfx_table *table, struct mfx_map *map, struct mfx_str key,
             const struct pattern *pattern)
{
    struct bucket *bucket = mfx_map_get(map, key);
    if (bucket == NULL) {
        bucket = mfx_arena_alloc(table->arena, sizeof *bucket);
        if (bucket == NULL || mfx_map_put(map, key, bucket) != MFX_OK)
            return false;
    }
    return append(table, bucket, pattern);
}

static size_t
larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* A pattern with at least one '*' and nothing else that is special. */
static bool
add_glob(struct mfx_table *table, struct pattern *pattern)
{
    struct mfx_table_patterns *index = table->patterns;
    struct mfx_str text = pattern->row->key;
    size_t star = mfx_str_find(text, '*');
    struct mfx_str head = mfx_str_head(text, star);
    struct mfx_str tail = mfx_str_from(text, mfx_str_find_last(text, '*') + 1);
    bool is_single = head.len + 1 + tail.len == text.len;
    table->counts.patterns++;

    if (tail.len > 0 && is_single && head.len == 0)
        pattern->match = MATCH_ALWAYS;
    if (tail.len > 0 && is_boundary(tail.p[0])) {
        index->aligned_max = larger(index->aligned_max, tail.len);
        return append_under(table, index->aligned, tail, pattern);
    }
    if (tail.len > 0 && tail.len <= FREE_LENGTH_MAX) {
        index->free_length[tail.len] = true;
        index->free_max = larger(index->free_max, tail.len);
        return append_under(table, index->free, tail, pattern);
    }
    if (tail.len == 0 && head.len > 0 && head.p[head.len - 1] == '@') {
        if (is_single)
            pattern->match = MATCH_ALWAYS;
        index->local_max = larger(index->local_max, head.len);
        return append_under(table, index->local, head, pattern);
    }
    if (text.len == 1)
        pattern->match = MATCH_ALWAYS;
    else
        table->counts.scanned++;
    return append(table, &index->scanned, pattern);
}

static bool
add_pattern(struct mfx_table *table, const struct mfx_table_row *row,
            struct mfx_problems *problems)
{
    struct mfx_table_patterns *index = table->patterns;
    struct pattern pattern = {.row = row, .match = MATCH_GLOB};
    if (!is_regex(row->key)) {
        if (mfx_str_has(row->key, '*'))
            return add_glob(table, &pattern);
        pattern.match = MATCH_ALWAYS;
        return append_under(table, index->exact, row->key, &pattern);
    }
    table->counts.patterns++;
    table->counts.scanned++;
    warn_alternative(table, row, problems);
    pattern.match = MATCH_REGEX;
    index->has_regex = true;
    pattern.regex = compile(table, row, problems);
    return pattern.regex == NULL ? mfx_arena_ok(table->arena)
                                 : append(table, &index->scanned, &pattern);
}

static bool
make_maps(struct mfx_table *table, struct mfx_table_patterns *index)
{
    enum mfx_map_case fold =
        table->fold == MFX_TABLE_NOCASE ? MFX_MAP_NOCASE : MFX_MAP_CASE;
    struct mfx_map **maps[] = {&index->exact, &index->aligned, &index->free,
                               &index->local};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        if ((*maps[i] = mfx_map_new(fold, 0)) == NULL)
            return false;
    return true;
}

enum mfx_rc
mfx_table_patterns_build(struct mfx_table *table, struct mfx_problems *problems)
{
    table->patterns = mfx_arena_alloc(table->arena, sizeof *table->patterns);
    if (table->patterns == NULL || !make_maps(table, table->patterns))
        return MFX_TEMPFAIL;
    size_t errors = problems->errors;
    for (size_t i = 0; i < table->row_count; i++)
        if (!add_pattern(table, &table->rows[i], problems))
            return MFX_TEMPFAIL;
    return problems->errors > errors ? MFX_PERMFAIL : MFX_OK;
}

void
mfx_table_patterns_close(struct mfx_table *table)
{
    if (table->patterns == NULL)
        return;
    mfx_map_free(table->patterns->exact);
    mfx_map_free(table->patterns->aligned);
    mfx_map_free(table->patterns->free);
    mfx_map_free(table->patterns->local);
}

/* The buckets a key hits, each as what is left of it. */
struct hits {
    const struct pattern *fixed[HITS_INLINE];
    const struct pattern **heads;
    size_t count, room;
    struct mfx_arena *arena;
    bool failed;
};

static void
add_hit(struct hits *hits, const struct bucket *bucket)
{
    if (bucket == NULL || bucket->first == NULL)
        return;
    if (hits->count == hits->room) {
        size_t room = hits->room * 2;
        const struct pattern **heads =
            mfx_arena_alloc_array(hits->arena, room, sizeof *heads);
        if (heads == NULL) {
            hits->failed = true;
            return;
        }
        memcpy(heads, hits->heads, hits->count * sizeof *heads);
        hits->heads = heads;
        hits->room = room;
    }
    hits->heads[hits->count++] = bucket->first;
}

static void
find_hits(const struct mfx_table_patterns *index, struct mfx_str key,
          struct hits *hits)
{
    add_hit(hits, mfx_map_get(index->exact, key));
    for (size_t i = 0; i < key.len; i++) {
        if (is_boundary(key.p[i]) && key.len - i <= index->aligned_max)
            add_hit(hits, mfx_map_get(index->aligned, mfx_str_from(key, i)));
        if (key.p[i] == '@' && i < index->local_max)
            add_hit(hits, mfx_map_get(index->local, mfx_str_head(key, i + 1)));
    }
    for (size_t len = 1; len <= index->free_max && len <= key.len; len++)
        if (index->free_length[len])
            add_hit(hits,
                    mfx_map_get(index->free, mfx_str_from(key, key.len - len)));
    add_hit(hits, &index->scanned);
}

/* The hit with the lowest row, taken off; NULL at the end. */
static const struct pattern *
take_lowest(struct hits *hits)
{
    size_t best = hits->count;
    for (size_t i = 0; i < hits->count; i++)
        if (hits->heads[i] != NULL &&
            (best == hits->count ||
             hits->heads[i]->row < hits->heads[best]->row))
            best = i;
    if (best == hits->count)
        return NULL;
    const struct pattern *lowest = hits->heads[best];
    hits->heads[best] = lowest->next;
    return lowest;
}

static bool
same_byte(char a, char b, bool fold)
{
    return fold ? mfx_ascii_lower((unsigned char)a) ==
                      mfx_ascii_lower((unsigned char)b)
                : a == b;
}

/* '*' is any bytes; goes back to the last '*' only, which is enough. */
static bool
glob_matches(struct mfx_str glob, struct mfx_str key, bool fold)
{
    size_t g = 0, k = 0, star = SIZE_MAX, retry = 0;
    while (k < key.len) {
        if (g < glob.len && glob.p[g] == '*') {
            star = g++;
            retry = k;
        } else if (g < glob.len && same_byte(glob.p[g], key.p[k], fold)) {
            g++;
            k++;
        } else if (star != SIZE_MAX) {
            g = star + 1;
            k = ++retry;
        } else {
            return false;
        }
    }
    while (g < glob.len && glob.p[g] == '*')
        g++;
    return g == glob.len;
}

/* text: the key with a NUL behind it. */
static enum mfx_rc
regex_matches(const regex_t *regex, const char *text)
{
    switch (regexec(regex, text, 0, NULL, 0)) {
    case 0:
        return MFX_OK;
    case REG_NOMATCH:
        return MFX_NOTFOUND;
    default:
        return MFX_TEMPFAIL; /* out of memory */
    }
}

static enum mfx_rc
matches(const struct mfx_table *table, const struct pattern *pattern,
        struct mfx_str key, const char *text)
{
    bool fold = table->fold == MFX_TABLE_NOCASE;
    switch (pattern->match) {
    case MATCH_ALWAYS:
        return MFX_OK;
    case MATCH_GLOB:
        return glob_matches(pattern->row->key, key, fold) ? MFX_OK
                                                          : MFX_NOTFOUND;
    case MATCH_REGEX:
        return regex_matches(pattern->regex, text);
    }
    MFX_BUG("unknown kind of pattern");
}

enum mfx_rc
mfx_table_patterns_each(struct mfx_table *table, struct mfx_str key,
                        struct mfx_arena *arena, mfx_table_visit *visit,
                        void *arg, struct mfx_err *err)
{
    /* no pattern matches a NUL byte */
    if (mfx_str_has(key, '\0'))
        return MFX_NOTFOUND;
    struct hits hits = {.room = HITS_INLINE, .arena = arena};
    const char *text = "";
    hits.heads = hits.fixed;
    find_hits(table->patterns, key, &hits);
    if (table->patterns->has_regex)
        text = mfx_arena_copy(arena, key).p;
    if (hits.failed || text == NULL) {
        mfx_err_set(err, "%s: out of memory", table->spec.p);
        return MFX_TEMPFAIL;
    }
    enum mfx_rc found = MFX_NOTFOUND;
    const struct pattern *pattern;
    while ((pattern = take_lowest(&hits)) != NULL) {
        enum mfx_rc rc = matches(table, pattern, key, text);
        if (rc == MFX_NOTFOUND)
            continue;
        if (rc != MFX_OK) {
            mfx_err_set(err, "%s: out of memory in row of line %u",
                        table->spec.p, pattern->row->line);
            return rc;
        }
        found = MFX_OK;
        if (!visit(pattern->row, arg))
            break;
    }
    return found;
}
