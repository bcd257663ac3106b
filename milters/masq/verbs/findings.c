/* SPDX-License-Identifier: BSD-2-Clause */
#include "findings.h"

#include <stdarg.h>

#include "situation.h"

static const struct {
    const char *name, *title;
} kinds[FINDING_KIND_COUNT] = {
    [FINDING_LOOP] = {"loops",      "rows that lead round in a circle"      },
    [FINDING_VALUE] = {"values",     "rows that cannot be used"              },
    [FINDING_COLLISION] = {"collisions", "addresses that several rows become"    },
    [FINDING_NO_KEY] = {"no_key",     "From domains without a key of mfx-dkim"},
};

void
findings_add(struct findings *f, enum finding_kind kind,
             const struct finding_row *rows, size_t row_count,
             struct mfx_str text)
{
    struct mfx_arena *arena = f->run->arena;
    if (++f->counts[kind] > f->limit)
        return;
    struct finding *finding = mfx_arena_alloc(arena, sizeof *finding);
    if (finding == NULL)
        return;
    finding->row_count = row_count;
    finding->text = mfx_arena_copy(arena, text);
    for (size_t i = 0; i < row_count && i < FINDING_ROWS; i++) {
        finding->rows[i] = rows[i];
        finding->rows[i].key = mfx_arena_copy(arena, rows[i].key);
    }
    if (f->last[kind] == NULL)
        f->first[kind] = finding;
    else
        f->last[kind]->next = finding;
    f->last[kind] = finding;
}

void
findings_note(struct findings *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct mfx_str text = mfx_arena_vprintf(f->run->arena, format, args);
    va_end(args);
    if (f->notes == NULL)
        f->notes = json_array();
    (void)json_array_append_new(f->notes, verb_json(text));
}

/* --- in words --- */

static size_t
kept(const struct finding *finding)
{
    return finding->row_count < FINDING_ROWS ? finding->row_count
                                             : FINDING_ROWS;
}

static void
print_row(const struct findings *f, const struct finding_row *row)
{
    (void)printf("    %s  rule %s, %s", verb_utf8(f->run, row->key),
                 verb_utf8(f->run, row->rule), verb_utf8(f->run, row->table));
    if (row->line > 0)
        (void)printf(":%u", row->line);
    (void)putchar('\n');
}

static void
print_kind(const struct findings *f, enum finding_kind kind)
{
    size_t shown = f->counts[kind] < f->limit ? f->counts[kind] : f->limit;
    (void)printf("%zu %s%s\n", f->counts[kind], kinds[kind].title,
                 f->counts[kind] > 0 ? ":" : "");
    for (const struct finding *i = f->first[kind]; i != NULL; i = i->next) {
        (void)printf("  %s\n", verb_utf8(f->run, i->text));
        for (size_t r = 0; r < kept(i); r++)
            print_row(f, &i->rows[r]);
        if (i->row_count > kept(i))
            (void)printf("    and %zu more\n", i->row_count - kept(i));
    }
    if (f->counts[kind] > shown)
        (void)printf("  and %zu more\n", f->counts[kind] - shown);
}

static void
print_text(const struct findings *f)
{
    size_t i;
    json_t *note;
    (void)printf("%zu rows looked at\n", f->rows);
    for (int k = 0; k < FINDING_KIND_COUNT; k++)
        if (k != FINDING_NO_KEY || f->has_keys)
            print_kind(f, (enum finding_kind)k);
    json_array_foreach(f->notes, i, note)(void) printf(
        "note: %s\n", verb_utf8(f->run, mfx_str_of(json_string_value(note))));
}

/* --- as JSON --- */

static json_t *
finding_json(const struct finding *finding)
{
    json_t *rows = json_array(), *o = json_object();
    for (size_t r = 0; r < kept(finding); r++) {
        const struct finding_row *row = &finding->rows[r];
        json_t *j = json_object();
        (void)json_object_set_new(j, "key", verb_json(row->key));
        (void)json_object_set_new(j, "rule", verb_json(row->rule));
        (void)json_object_set_new(j, "table", verb_json(row->table));
        (void)json_object_set_new(j, "line",
                                  json_integer((json_int_t)row->line));
        (void)json_array_append_new(rows, j);
    }
    (void)json_object_set_new(o, "text", verb_json(finding->text));
    (void)json_object_set_new(o, "row_count",
                              json_integer((json_int_t)finding->row_count));
    (void)json_object_set_new(o, "rows", rows);
    return o;
}

static json_t *
kind_json(const struct findings *f, enum finding_kind kind)
{
    json_t *list = json_array(), *o = json_object();
    for (const struct finding *i = f->first[kind]; i != NULL; i = i->next)
        (void)json_array_append_new(list, finding_json(i));
    (void)json_object_set_new(o, "count",
                              json_integer((json_int_t)f->counts[kind]));
    (void)json_object_set_new(o, "first", list);
    return o;
}

static void
print_json(struct findings *f)
{
    json_t *o = json_object();
    (void)json_object_set_new(o, "rows", json_integer((json_int_t)f->rows));
    for (int k = 0; k < FINDING_KIND_COUNT; k++)
        (void)json_object_set_new(o, kinds[k].name,
                                  k == FINDING_NO_KEY && !f->has_keys
                                      ? json_null()
                                      : kind_json(f, (enum finding_kind)k));
    (void)json_object_set_new(
        o, "notes", f->notes == NULL ? json_array() : json_incref(f->notes));
    verb_print_json(o);
}

int
findings_print(struct findings *f)
{
    size_t count = 0;
    if (f->run->as_json)
        print_json(f);
    else
        print_text(f);
    json_decref(f->notes);
    f->notes = NULL;
    for (int k = 0; k < FINDING_KIND_COUNT; k++)
        count += f->counts[k];
    return count == 0 ? EXIT_OK : EXIT_NO;
}
