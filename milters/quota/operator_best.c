/* SPDX-License-Identifier: BSD-2-Clause */
#include "operator_best.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    double share;
    uint64_t used;
    json_t *row;
};

struct quota_operator_best {
    size_t max, count;
    struct entry entries[]; /* the best first */
};

struct quota_operator_best *
quota_operator_best_new(size_t max)
{
    struct quota_operator_best *best =
        calloc(1, sizeof *best + (max + 1) * sizeof best->entries[0]);
    if (best != NULL)
        best->max = max;
    return best;
}

void
quota_operator_best_free(struct quota_operator_best *best)
{
    if (best == NULL)
        return;
    for (size_t i = 0; i < best->count; i++)
        json_decref(best->entries[i].row);
    free(best);
}

static const char *
text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text == NULL ? "" : text;
}

static int
compare_names(const json_t *a, const json_t *b)
{
    int order = strcmp(text_of(a, "key"), text_of(b, "key"));
    return order != 0 ? order : strcmp(text_of(a, "rule"), text_of(b, "rule"));
}

/* Below 0: a comes first. row NULL: names are not looked at. */
static int
compare(const struct entry *a, const struct entry *b)
{
    if (a->share > b->share || a->share < b->share)
        return a->share > b->share ? -1 : 1;
    if (a->used != b->used)
        return a->used > b->used ? -1 : 1;
    return a->row == NULL || b->row == NULL ? 0 : compare_names(a->row, b->row);
}

bool
quota_operator_best_wants(const struct quota_operator_best *best, double share,
                          uint64_t used)
{
    const struct entry entry = {share, used, NULL};
    return best->count < best->max ||
           (best->max > 0 &&
            compare(&entry, &best->entries[best->count - 1]) <= 0);
}

static void
remove_at(struct quota_operator_best *best, size_t at)
{
    json_decref(best->entries[at].row);
    best->count--;
    memmove(&best->entries[at], &best->entries[at + 1],
            (best->count - at) * sizeof best->entries[0]);
}

void
quota_operator_best_add(struct quota_operator_best *best, double share,
                        uint64_t used, json_t *row)
{
    const struct entry entry = {share, used, row};
    size_t at = 0;
    for (size_t i = 0; i < best->count; i++)
        if (compare_names(best->entries[i].row, row) == 0) {
            remove_at(best, i);
            break;
        }
    while (at < best->count && compare(&best->entries[at], &entry) <= 0)
        at++;
    memmove(&best->entries[at + 1], &best->entries[at],
            (best->count - at) * sizeof entry);
    best->entries[at] = entry;
    best->count++;
    if (best->count > best->max)
        remove_at(best, best->count - 1);
}

json_t *
quota_operator_best_copy(const struct quota_operator_best *best)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < best->count; i++)
        (void)json_array_append(rows, best->entries[i].row);
    return rows;
}

json_t *
quota_operator_best_take(struct quota_operator_best *best)
{
    json_t *rows = quota_operator_best_copy(best);
    for (size_t i = 0; i < best->count; i++)
        json_decref(best->entries[i].row);
    best->count = 0;
    return rows;
}
