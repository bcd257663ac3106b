/* SPDX-License-Identifier: BSD-2-Clause */
#include "table_impl.h"

#include <stdlib.h>

#include <mfx/base/log.h>

enum {
    FILE_MAX = 512 * 1024 * 1024,
    DUPLICATES_NAMED = 10, /* warnings about rows that are never used */
};

static enum mfx_rc
index_exact(struct mfx_table *table, const char *file,
            struct mfx_problems *problems)
{
    table->exact = mfx_map_new(table->fold == MFX_TABLE_NOCASE ? MFX_MAP_NOCASE
                                                               : MFX_MAP_CASE,
                               table->row_count);
    if (table->exact == NULL)
        return MFX_TEMPFAIL;
    size_t duplicates = 0;
    for (size_t i = 0; i < table->row_count; i++) {
        struct mfx_table_row *row = &table->rows[i];
        const struct mfx_table_row *first = mfx_map_get(table->exact, row->key);
        if (first == NULL) {
            if (mfx_map_put(table->exact, row->key, row) != MFX_OK)
                return MFX_TEMPFAIL;
        } else if (row->line > 0 && duplicates++ < DUPLICATES_NAMED) {
            mfx_problem_add(problems, MFX_PROBLEM_WARNING, file, row->line,
                            "\"%.*s\" stands in line %u already; this row is "
                            "never used",
                            MFX_STR_ARG(row->key), first->line);
        }
    }
    if (duplicates > DUPLICATES_NAMED)
        mfx_problem_add(problems, MFX_PROBLEM_WARNING, file, 0,
                        "%zu more rows whose key has stood before",
                        duplicates - DUPLICATES_NAMED);
    return MFX_OK;
}

typedef void reader(struct mfx_table *table, struct mfx_str bytes,
                    struct mfx_problems *problems);

/* Reads the file into rows; they borrow its bytes, which stay in the arena. */
static enum mfx_rc
read_rows(struct mfx_table *table, const struct mfx_table_report *report,
          reader *read)
{
    struct mfx_str bytes;
    struct mfx_err err = {""};
    enum mfx_rc rc = mfx_file_read(table->what.p, FILE_MAX, table->arena,
                                   &bytes, &table->id, &err);
    if (rc != MFX_OK) {
        mfx_problem_add(report->problems, MFX_PROBLEM_ERROR, report->where,
                        report->line, "%s", err.msg);
        return rc == MFX_NOTFOUND ? MFX_PERMFAIL : rc;
    }
    size_t errors = report->problems->errors;
    read(table, bytes, report->problems);
    if (!mfx_arena_ok(table->arena))
        return MFX_TEMPFAIL;
    return report->problems->errors > errors ? MFX_PERMFAIL : MFX_OK;
}

static enum mfx_rc
open_hashed(struct mfx_table *table, const struct mfx_table_report *report,
            reader *read)
{
    enum mfx_rc rc = read_rows(table, report, read);
    if (rc == MFX_OK)
        rc = index_exact(table, table->what.p, report->problems);
    return rc;
}

static enum mfx_rc
open_file(struct mfx_table *table, const struct mfx_table_report *report)
{
    return open_hashed(table, report, mfx_table_read_file);
}

static enum mfx_rc
open_texthash(struct mfx_table *table, const struct mfx_table_report *report)
{
    return open_hashed(table, report, mfx_table_read_texthash);
}

static enum mfx_rc
open_alias(struct mfx_table *table, const struct mfx_table_report *report)
{
    return open_hashed(table, report, mfx_table_read_alias);
}

static enum mfx_rc
open_refile(struct mfx_table *table, const struct mfx_table_report *report)
{
    enum mfx_rc rc = read_rows(table, report, mfx_table_read_file);
    /* also after a bad row, to name the bad patterns too */
    if (rc == MFX_OK || rc == MFX_PERMFAIL)
        rc =
            mfx_rc_worst(rc, mfx_table_patterns_build(table, report->problems));
    return rc;
}

static enum mfx_rc
open_setting(struct mfx_table *table, const struct mfx_table_report *report,
             void (*read)(struct mfx_table *, const struct mfx_table_report *))
{
    size_t errors = report->problems->errors;
    read(table, report);
    if (!mfx_arena_ok(table->arena))
        return MFX_TEMPFAIL;
    if (report->problems->errors > errors)
        return MFX_PERMFAIL;
    return index_exact(table, report->where, report->problems);
}

static enum mfx_rc
open_csl(struct mfx_table *table, const struct mfx_table_report *report)
{
    return open_setting(table, report, mfx_table_read_csl);
}

static enum mfx_rc
open_inline(struct mfx_table *table, const struct mfx_table_report *report)
{
    return open_setting(table, report, mfx_table_read_inline);
}

static enum mfx_rc
each_exact(struct mfx_table *table, struct mfx_str key, struct mfx_arena *arena,
           mfx_table_visit *visit, void *arg, struct mfx_err *err)
{
    (void)arena;
    (void)err;
    /* also keeps hashing cheap for absurdly long keys */
    if (key.len > table->longest_key)
        return MFX_NOTFOUND;
    const struct mfx_table_row *row = mfx_map_get(table->exact, key);
    if (row == NULL)
        return MFX_NOTFOUND;
    (void)visit(row, arg);
    return MFX_OK;
}

static const struct mfx_table_kind kinds[] = {
    {"inline",   false, open_inline,           each_exact,              NULL},
    {"csl",      false, open_csl,              each_exact,              NULL},
    {"file",     true,  open_file,             each_exact,              NULL},
    {"refile",   true,  open_refile,           mfx_table_patterns_each,
     mfx_table_patterns_close                                               },
    {"texthash", true,  open_texthash,         each_exact,              NULL},
    {"alias",    true,  open_alias,            each_exact,              NULL},
    {"lmdb",     false, mfx_table_lmdb_open,   mfx_table_lmdb_each,
     mfx_table_lmdb_close                                                   },
    {"sqlite",   false, mfx_table_sqlite_open, mfx_table_sqlite_each,
     mfx_table_sqlite_close                                                 },
    {"mdb",      false, mfx_table_lmdb_open,   mfx_table_lmdb_each,
     mfx_table_lmdb_close                                                   },
    {"dsn",      false, mfx_table_dsn_open,    mfx_table_sqlite_each,
     mfx_table_sqlite_close                                                 },
};

static const struct mfx_table_kind *
find_kind(struct mfx_str name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (mfx_str_is(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}

/* Types of Postfix and OpenDKIM that are not ours, and what to write. */
static const struct {
    const char *name, *hint;
} foreign[] = {
    {"hash",     "; write texthash: with the same file, or convert it to lmdb:"},
    {"btree",    "; write texthash: with the same file, or convert it to lmdb:"},
    {"cdb",      "; write texthash: with the same file, or convert it to lmdb:"},
    {"db",       "; write file: with the source of it"                         },
    {"bdb",      "; write file: with the source of it"                         },
    {"regexp",   "; write refile:"                                             },
    {"pcre",     "; write refile:"                                             },
    {"cidr",     "; write file: with one network a line"                       },
    {"static",   ""                                                            },
    {"mysql",    ""                                                            },
    {"pgsql",    ""                                                            },
    {"ldap",     ""                                                            },
    {"lua",      ""                                                            },
    {"memcache", ""                                                            },
    {"socket",   ""                                                            },
    {"tcp",      ""                                                            },
    {"proxy",    ""                                                            },
};

static const char *
foreign_hint(struct mfx_str name)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (mfx_str_is(name, foreign[i].name))
            return foreign[i].hint;
    return NULL;
}

static bool
is_lower_word(struct mfx_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < 'a' || s.p[i] > 'z')
            return false;
    return s.len > 0;
}

/* "type:what", or what alone. A word before "/" that is no type of ours is a
 * mistake; any other text with ':' may be an IPv6 address of a list. */
static enum mfx_rc
parse_spec(struct mfx_str spec, const struct mfx_table_report *report,
           const struct mfx_table_kind **kind, struct mfx_str *what)
{
    size_t colon = mfx_str_find(spec, ':');
    struct mfx_str name = mfx_str_head(spec, colon);
    *what = mfx_str_trim(mfx_str_from(spec, colon + 1));
    *kind = colon < spec.len ? find_kind(name) : NULL;
    if (*kind != NULL)
        return MFX_OK;
    const char *hint = colon < spec.len ? foreign_hint(name) : NULL;
    bool is_path = what->len > 0 && what->p[0] == '/' && colon < spec.len;
    if (hint != NULL || (is_path && is_lower_word(name))) {
        mfx_problem_add(
            report->problems, MFX_PROBLEM_ERROR, report->where, report->line,
            "\"%.*s\": there is no table type \"%.*s\"%s (types: "
            "inline csl file refile texthash alias lmdb mdb sqlite dsn)",
            MFX_STR_ARG(spec), MFX_STR_ARG(name), hint != NULL ? hint : "");
        return MFX_PERMFAIL;
    }
    *what = spec;
    *kind = find_kind(mfx_str_of(spec.p[0] == '/' ? "file" : "csl"));
    return MFX_OK;
}

static void
release(struct mfx_table *table)
{
    if (atomic_fetch_sub(&table->refs, 1) != 1)
        return;
    if (table->kind->close != NULL)
        table->kind->close(table);
    mfx_map_free(table->exact);
    mfx_arena_free(table->arena);
}

static struct mfx_table *
new_table(const struct mfx_table_kind *kind, struct mfx_str spec,
          struct mfx_str what, enum mfx_table_fold fold)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    if (arena == NULL)
        return NULL;
    struct mfx_table *table = mfx_arena_alloc(arena, sizeof *table);
    if (table != NULL) {
        table->kind = kind;
        table->arena = arena;
        table->fold = fold;
        table->spec = mfx_arena_copy(arena, spec);
        table->what = mfx_arena_copy(arena, what);
        atomic_init(&table->refs, 1);
    }
    if (!mfx_arena_ok(arena)) {
        mfx_arena_free(arena);
        return NULL;
    }
    return table;
}

/* What is scanned costs every lookup: worth a line. */
static void
report_counts(const struct mfx_table *table)
{
    struct mfx_log_line line;
    mfx_log_begin_daemon(&line, "table");
    mfx_log_add(&line, "spec", table->spec);
    mfx_log_add_u64(&line, "rows", table->counts.rows);
    mfx_log_add_u64(&line, "patterns", table->counts.patterns);
    mfx_log_add_u64(&line, "scanned", table->counts.scanned);
    mfx_log_end(&line,
                table->counts.scanned > 0 ? MFX_LOG_INFO : MFX_LOG_DEBUG);
}

static enum mfx_rc
open_new(const struct mfx_table_kind *kind, struct mfx_str spec,
         struct mfx_str what, enum mfx_table_fold fold,
         const struct mfx_table_report *report, struct mfx_table **result)
{
    size_t errors = report->problems->errors;
    enum mfx_rc rc = MFX_TEMPFAIL;
    struct mfx_table *table = new_table(kind, spec, what, fold);
    if (table != NULL)
        rc = kind->open(table, report);
    if (rc == MFX_OK) {
        table->counts.rows = table->row_count;
        report_counts(table);
        *result = table;
        return MFX_OK;
    }
    if (report->problems->errors == errors)
        mfx_problem_add(report->problems, MFX_PROBLEM_ERROR, report->where,
                        report->line, "%.*s: out of memory", MFX_STR_ARG(spec));
    if (table != NULL)
        release(table);
    return rc;
}

/* What a set holds; NULL entries are allowed in `inherited`. */
struct list {
    struct mfx_table **items;
    size_t count;
};

struct mfx_table_set {
    struct list own, inherited;
    const char **files; /* in arena, as their names */
    size_t file_count;
    struct mfx_arena *arena;
};

static bool
list_add(struct list *list, struct mfx_table *table)
{
    struct mfx_table **items =
        realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL)
        return false;
    list->items = items;
    items[list->count++] = table;
    return true;
}

static void
list_free(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] != NULL)
            release(list->items[i]);
    free(list->items);
}

struct mfx_table_set *
mfx_table_set_new(struct mfx_table_set *previous)
{
    struct mfx_table_set *set = calloc(1, sizeof *set);
    if (set == NULL)
        return NULL;
    set->arena = mfx_arena_new(0);
    if (set->arena == NULL) {
        free(set);
        return NULL;
    }
    for (size_t i = 0; previous != NULL && i < previous->own.count; i++) {
        struct mfx_table *table = previous->own.items[i];
        if (!list_add(&set->inherited, table))
            break; /* loaded anew then */
        atomic_fetch_add(&table->refs, 1);
    }
    return set;
}

void
mfx_table_set_free(struct mfx_table_set *set)
{
    if (set == NULL)
        return;
    list_free(&set->own);
    list_free(&set->inherited);
    mfx_arena_free(set->arena);
    free(set);
}

static struct mfx_table **
list_find(const struct list *list, struct mfx_str spec,
          enum mfx_table_fold fold)
{
    for (size_t i = 0; i < list->count; i++) {
        struct mfx_table *table = list->items[i];
        if (table != NULL && table->fold == fold &&
            mfx_str_eq(table->spec, spec))
            return &list->items[i];
    }
    return NULL;
}

static bool
is_current(const struct mfx_table *table)
{
    struct mfx_file_id id;
    return !table->kind->is_file ||
           (mfx_file_identify(table->what.p, &id, NULL) == MFX_OK &&
            mfx_file_id_eq(&id, &table->id));
}

/* The previous set's table when its file is still the same; when it is not,
 * the old one is let go. */
static struct mfx_table *
inherit(struct mfx_table_set *set, struct mfx_str spec,
        enum mfx_table_fold fold)
{
    struct mfx_table **place = list_find(&set->inherited, spec, fold);
    if (place == NULL)
        return NULL;
    struct mfx_table *table = *place;
    *place = NULL;
    if (is_current(table))
        return table;
    release(table);
    return NULL;
}

/* Before the file is read, so that one that could not be is watched too. */
static bool
note_file(struct mfx_table_set *set, struct mfx_str path)
{
    for (size_t i = 0; i < set->file_count; i++)
        if (mfx_str_is(path, set->files[i]))
            return true;
    const char **files =
        mfx_arena_alloc_array(set->arena, set->file_count + 1, sizeof *files);
    struct mfx_str copy = mfx_arena_copy(set->arena, path);
    if (files == NULL || copy.p == NULL)
        return false;
    if (set->file_count > 0)
        memcpy(files, set->files, set->file_count * sizeof *files);
    files[set->file_count++] = copy.p;
    set->files = files;
    return true;
}

static enum mfx_rc
check_what(const struct mfx_table_kind *kind, struct mfx_str spec,
           struct mfx_str what, const struct mfx_table_report *report)
{
    bool needs_path = kind->is_file || kind->each == mfx_table_lmdb_each ||
                      kind->open == mfx_table_sqlite_open;
    if (needs_path && (what.len == 0 || what.p[0] != '/')) {
        mfx_problem_add(report->problems, MFX_PROBLEM_ERROR, report->where,
                        report->line, "\"%.*s\": the path must start with '/'",
                        MFX_STR_ARG(spec));
        return MFX_PERMFAIL;
    }
    if (mfx_str_has(spec, '\0')) {
        mfx_problem_add(report->problems, MFX_PROBLEM_ERROR, report->where,
                        report->line, "a NUL byte in a table's name");
        return MFX_PERMFAIL;
    }
    return MFX_OK;
}

enum mfx_rc
mfx_table_open(struct mfx_table_set *set, struct mfx_str spec,
               enum mfx_table_fold fold, const char *where, unsigned line,
               struct mfx_problems *problems, struct mfx_table **result)
{
    struct mfx_table_report report = {problems, where, line};
    const struct mfx_table_kind *kind;
    struct mfx_str what;
    spec = mfx_str_trim(spec);
    if (spec.len == 0)
        spec = mfx_str_of("csl:");
    struct mfx_table **open = list_find(&set->own, spec, fold);
    if (open != NULL) {
        *result = *open;
        return MFX_OK;
    }
    enum mfx_rc rc = parse_spec(spec, &report, &kind, &what);
    if (rc == MFX_OK)
        rc = check_what(kind, spec, what, &report);
    if (rc != MFX_OK)
        return rc;
    if (kind->is_file && !note_file(set, what))
        return MFX_TEMPFAIL;
    struct mfx_table *table = inherit(set, spec, fold);
    if (table == NULL)
        rc = open_new(kind, spec, what, fold, &report, &table);
    if (rc != MFX_OK)
        return rc;
    if (!list_add(&set->own, table)) {
        release(table);
        return MFX_TEMPFAIL;
    }
    *result = table;
    return MFX_OK;
}

const char *const *
mfx_table_set_files(const struct mfx_table_set *set, size_t *count)
{
    *count = set->file_count;
    return set->files;
}

struct mfx_table *const *
mfx_table_set_tables(const struct mfx_table_set *set, size_t *count)
{
    *count = set->own.count;
    return set->own.items;
}

bool
mfx_table_set_is_outdated(const struct mfx_table_set *set)
{
    for (size_t i = 0; i < set->own.count; i++)
        if (!is_current(set->own.items[i]))
            return true;
    return false;
}

const char *
mfx_table_type(const struct mfx_table *table)
{
    return table->kind->name;
}

struct mfx_str
mfx_table_spec(const struct mfx_table *table)
{
    return table->spec;
}

struct mfx_table_counts
mfx_table_counts(const struct mfx_table *table)
{
    return table->counts;
}

bool
mfx_table_has_patterns(const struct mfx_table *table)
{
    return table->patterns != NULL;
}
