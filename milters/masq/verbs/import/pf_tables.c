/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Postfix's lookup tables and lists as tables of ours.
 */
#include "pf.h"

#include <unistd.h>

#include <mfx/base/file.h>

enum {
    ROWS_MAX = 64 * 1024 * 1024,
};

static void
cannot(struct masq_pf *pf, struct masq_import_item *item, struct mfx_str table,
       const char *why)
{
    masq_import_say(pf->import, item, MASQ_IMPORT_BY_HAND, "%.*s %s",
                    MFX_STR_ARG(table), why);
}

/* --- patterns --- */

/* "/^user@old\.example$/" as a pattern of refile, where "*" is any text, "."
 * and "+" are themselves, and all of the key is meant. False: it is more. */
static bool
pattern(struct mfx_str regexp, struct mfx_buf *out, bool *keeps_local)
{
    struct mfx_str any = mfx_str_of("(.*)@");
    struct mfx_str rest = regexp;
    *keeps_local = false;
    if (rest.len < 4 || rest.p[0] != '/' || rest.p[1] != '^' ||
        rest.p[rest.len - 1] != '/' || rest.p[rest.len - 2] != '$')
        return false;
    rest = mfx_str(rest.p + 2, rest.len - 4);
    if (mfx_str_starts(rest, any) ||
        mfx_str_starts(rest, mfx_str_of("(.+)@"))) {
        *keeps_local = true;
        mfx_buf_add_text(out, "*@");
        rest = mfx_str_from(rest, any.len);
    }
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.p[i], next = i + 1 < rest.len ? rest.p[i + 1] : '\0';
        if (mfx_ascii_is_alnum((unsigned char)c) || strchr("@-_=", c) != NULL)
            mfx_buf_add_byte(out, c);
        else if (c == '\\' && (next == '.' || next == '+'))
            mfx_buf_add_byte(out, rest.p[++i]);
        else if (c == '.' && next == '*')
            mfx_buf_add_byte(out, rest.p[++i]);
        else
            return false;
    }
    return mfx_buf_ok(out);
}

/* One row; *is_equal false: there is no equal one. */
static void
add_pattern(struct masq_pf *pf, struct masq_import_file *file,
            struct mfx_str line, bool *is_equal)
{
    struct mfx_buf key;
    struct mfx_str regexp;
    bool keeps_local;
    if (!mfx_str_word(&line, " \t", &regexp))
        return;
    struct mfx_str value = mfx_str_trim(line);
    mfx_buf_init_arena(&key, pf->import->arena, 2 * regexp.len + 16);
    bool is_good = pattern(regexp, &key, &keeps_local) && value.len > 0;
    bool is_first = mfx_str_starts(value, mfx_str_of("$1@")) ||
                    mfx_str_starts(value, mfx_str_of("${1}@"));
    if (keeps_local && is_first)
        value = mfx_str_from(value, mfx_str_find(value, '@'));
    if (!is_good || mfx_str_has(value, '$') || (is_first && !keeps_local))
        *is_equal = false;
    else
        masq_import_row(file, mfx_buf_str(&key), value);
}

static bool
take_patterns(struct masq_pf *pf, struct masq_import_item *item,
              struct mfx_str table, struct mfx_str path, struct mfx_str *spec)
{
    struct mfx_str text, line;
    struct mfx_err err;
    bool is_equal = true;
    const char *from = mfx_arena_copy(pf->import->arena, path).p;
    size_t slash = mfx_str_find_last(path, '/');
    const char *name =
        mfx_arena_printf(pf->import->arena, "%.*s.patterns",
                         MFX_STR_ARG(mfx_str_from(path, slash + 1)))
            .p;
    if (from == NULL || name == NULL || pf->import->out == NULL ||
        mfx_file_read(from, ROWS_MAX, pf->import->arena, &text, NULL, &err) !=
            MFX_OK) {
        cannot(pf, item, table,
               "is made of patterns: give --output DIR where it can be read");
        return false;
    }
    struct masq_import_file made = {.name = name};
    mfx_buf_init_arena(&made.text, pf->import->arena, ROWS_MAX);
    while (text.len > 0 && mfx_str_cut(&text, '\n', &line)) {
        struct mfx_str bare = mfx_str_trim(line);
        if (bare.len > 0 && bare.p[0] != '#')
            add_pattern(pf, &made, bare, &is_equal);
    }
    if (!is_equal) {
        cannot(pf, item, table,
               "has patterns that refile has not (groups, alternatives, "
               "if, flags, or not from ^ to $): it stays in main.cf");
        return false;
    }
    struct masq_import_file *file =
        masq_import_file(pf->import, name, "Made of a table of patterns.");
    if (file == NULL)
        return false;
    if (file->rows == 0)
        mfx_buf_add(&file->text, mfx_buf_str(&made.text));
    file->rows += made.rows;
    *spec = mfx_arena_printf(pf->import->arena, "refile:%s/%s", pf->import->out,
                             name);
    return true;
}

/* --- tables --- */

static bool
is_one_of(struct mfx_str type, const char *const *types)
{
    while (*types != NULL && !mfx_str_is(type, *types))
        types++;
    return *types != NULL;
}

static bool
source_of(struct masq_pf *pf, struct masq_import_item *item,
          struct mfx_str table, struct mfx_str path, struct mfx_str *spec)
{
    const char *name = mfx_arena_copy(pf->import->arena, path).p;
    if (name == NULL || name[0] != '/') {
        cannot(pf, item, table, "has no full path");
        return false;
    }
    if (access(name, R_OK) != 0)
        masq_import_say(pf->import, item, MASQ_IMPORT_BY_HAND,
                        "%s, the source of the table, cannot be read here",
                        name);
    *spec = mfx_arena_printf(pf->import->arena, "texthash:%s", name);
    return true;
}

bool
masq_pf_table(struct masq_pf *pf, struct masq_import_item *item,
              struct mfx_str table, struct mfx_str *spec)
{
    static const char *const sources[] = {"hash", "btree",    "dbm", "cdb",
                                          "sdbm", "texthash", NULL};
    static const char *const same[] = {"lmdb", "inline", NULL};
    static const char *const patterns[] = {"regexp", "pcre", "pcre2", NULL};
    struct mfx_str proxy = mfx_str_of("proxy:"), bare = table;
    while (mfx_str_starts(bare, proxy))
        bare = mfx_str_from(bare, proxy.len);
    size_t colon = mfx_str_find(bare, ':');
    struct mfx_str type = mfx_str_head(bare, colon);
    struct mfx_str what = mfx_str_from(bare, colon + 1);
    if (colon == bare.len)
        return source_of(pf, item, table, bare, spec);
    if (is_one_of(type, sources))
        return source_of(pf, item, table, what, spec);
    if (is_one_of(type, patterns))
        return take_patterns(pf, item, table, what, spec);
    if (is_one_of(type, same)) {
        *spec = bare;
        return true;
    }
    cannot(pf, item, table,
           mfx_str_is(type, "sqlite")
               ? "is to be said as sqlite:/DATABASE?QUERY with a \"?\" for "
                 "the key; it stays in main.cf"
               : "is no table that mfx reads: write its rows to a file; it "
                 "stays in main.cf");
    return false;
}

/* --- lists --- */

struct list {
    struct mfx_str words; /* names */
    struct mfx_str spec;  /* the last table */
    size_t tables;
};

static bool
sort_items(struct masq_pf *pf, struct masq_import_item *item,
           struct mfx_str text, struct list *list)
{
    struct mfx_buf words;
    struct mfx_str word;
    bool is_good = true;
    mfx_buf_init_arena(&words, pf->import->arena, 2 * text.len + 16);
    while (masq_pf_word(&text, &word)) {
        if (!mfx_str_has(word, '/') && !mfx_str_has(word, ':')) {
            mfx_buf_add(&words, word);
            mfx_buf_add_byte(&words, ' ');
        } else if (mfx_str_starts(word, mfx_str_of("/"))) {
            list->spec = mfx_arena_printf(pf->import->arena, "file:%.*s",
                                          MFX_STR_ARG(word));
            list->tables++;
        } else if (masq_pf_table(pf, item, word, &list->spec)) {
            list->tables++;
        } else {
            is_good = false;
        }
    }
    list->words = mfx_str_trim(mfx_buf_str(&words));
    return is_good;
}

/* Keys of each file, behind the words. */
static bool
merge(struct masq_pf *pf, struct mfx_str text, struct masq_import_file *file)
{
    struct mfx_str word;
    while (masq_pf_word(&text, &word)) {
        struct mfx_str rows, line, key;
        struct mfx_err err;
        size_t slash = mfx_str_find(word, '/');
        const char *path =
            mfx_arena_copy(pf->import->arena, mfx_str_from(word, slash)).p;
        if (slash == word.len) {
            masq_import_row(file, word, mfx_str(NULL, 0));
            continue;
        }
        if (path == NULL || mfx_file_read(path, ROWS_MAX, pf->import->arena,
                                          &rows, NULL, &err) != MFX_OK)
            return false;
        while (rows.len > 0 && mfx_str_cut(&rows, '\n', &line))
            if (mfx_str_word(&line, " \t\r", &key) && key.p[0] != '#')
                masq_import_row(file, key, mfx_str(NULL, 0));
    }
    return true;
}

bool
masq_pf_list(struct masq_pf *pf, struct masq_import_item *item,
             struct mfx_str list, const char *name, struct mfx_str *setting)
{
    struct list l = {.tables = 0};
    bool is_good = sort_items(pf, item, list, &l);
    if (!is_good && l.words.len == 0 && l.tables == 0)
        return false;
    if (l.tables == 0 &&
        masq_import_long_list(pf->import, l.words, name, setting)) {
        *setting = masq_import_quoted(pf->import, *setting);
        return true;
    }
    if (l.tables == 0) {
        *setting = masq_import_list(pf->import, l.words);
        return l.words.len > 0;
    }
    if (l.tables > 1 || l.words.len > 0) {
        struct masq_import_file *file = masq_import_file(
            pf->import, name, "Made of several places of main.cf: a copy.");
        if (file == NULL || (file->rows == 0 && !merge(pf, list, file))) {
            masq_import_say(pf->import, item, MASQ_IMPORT_BY_HAND,
                            "several tables must be one here: give --output "
                            "DIR where they can be read");
            return false;
        }
        l.spec = mfx_arena_printf(pf->import->arena, "file:%s/%s",
                                  pf->import->out, name);
    }
    *setting = masq_import_quoted(pf->import, l.spec);
    return true;
}
