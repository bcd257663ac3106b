/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dsn:backend://[user[:password]@][port+]host/database/key=value[?key=value]
 *
 * OpenDKIM's way to name an SQL table: table, keycol, datacol and filter
 * become one query. Only SQLite is served here; its database is the file
 * that host and database make together, as OpenDBX joins them.
 */
#include "table_impl.h"

#include <mfx/base/buf.h>

enum {
    QUERY_MAX = 64 * 1024,
    PATH_LONGEST = 4096,
};

struct dsn {
    struct mfx_str backend, path;
    struct mfx_str table, keycol, datacol, filter;
};

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "=2F" is "/"; what is no such thing stands for itself. */
static struct mfx_str
decode(struct mfx_str text, struct mfx_arena *arena)
{
    char *out = mfx_arena_alloc_bytes(arena, text.len + 1);
    size_t len = 0;
    if (out == NULL)
        return mfx_str("", 0);
    for (size_t i = 0; i < text.len; i++) {
        int high = -1, low = -1;
        if (text.p[i] == '=' && i + 2 < text.len) {
            high = hex_digit(text.p[i + 1]);
            low = hex_digit(text.p[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            out[len++] = (char)(high * 16 + low);
            i += 2;
        } else {
            out[len++] = text.p[i];
        }
    }
    out[len] = '\0';
    return mfx_str(out, len);
}

static struct mfx_str *
find_value(struct dsn *dsn, struct mfx_str key)
{
    if (mfx_str_is_nocase(key, "table"))
        return &dsn->table;
    if (mfx_str_is_nocase(key, "keycol"))
        return &dsn->keycol;
    if (mfx_str_is_nocase(key, "datacol"))
        return &dsn->datacol;
    return mfx_str_is_nocase(key, "filter") ? &dsn->filter : NULL;
}

/* "key=value[?key=value...]"; what else stands there is not for us. */
static void
read_pairs(struct dsn *dsn, struct mfx_str pairs, struct mfx_arena *arena)
{
    struct mfx_str pair;
    while (mfx_str_cut(&pairs, '?', &pair)) {
        size_t eq = mfx_str_find(pair, '=');
        struct mfx_str *value = find_value(dsn, mfx_str_head(pair, eq));
        if (value != NULL)
            *value = decode(mfx_str_from(pair, eq + 1), arena);
    }
}

/* Offset of the "/" before the first key; s.len when there is none. */
static size_t
find_pairs(struct mfx_str s)
{
    struct dsn unused;
    for (size_t i = 0; i < s.len; i++) {
        struct mfx_str rest = mfx_str_from(s, i + 1);
        size_t eq = mfx_str_find(rest, '=');
        if (s.p[i] == '/' && eq < rest.len &&
            find_value(&unused, mfx_str_head(rest, eq)) != NULL)
            return i;
    }
    return s.len;
}

/* OpenDBX puts the database's name right behind the host, without a slash
 * between. Without a host ("///path/file") it is the path as it stands. */
static struct mfx_str
join_path(struct mfx_str location, struct mfx_arena *arena)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, arena, PATH_LONGEST);
    if (location.len > 0 && location.p[0] != '/') {
        size_t slash = mfx_str_find(location, '/');
        struct mfx_str host = mfx_str_head(location, slash);
        size_t at = mfx_str_find_last(host, '@');
        host = at < host.len ? mfx_str_from(host, at + 1) : host;
        size_t plus = mfx_str_find(host, '+');
        host = plus < host.len ? mfx_str_from(host, plus + 1) : host;
        mfx_buf_add(&out, decode(host, arena));
        location = mfx_str_from(location, slash + 1);
    }
    mfx_buf_add(&out, decode(location, arena));
    return mfx_str(mfx_buf_text(&out), out.len);
}

static const char *
parse(struct mfx_str text, struct mfx_arena *arena, struct dsn *dsn)
{
    size_t colon = mfx_str_find(text, ':');
    dsn->backend = mfx_str_head(text, colon);
    text = mfx_str_from(text, colon + 1);
    if (text.len > 0 && text.p[0] == ':') /* as the manual writes it */
        text = mfx_str_from(text, 1);
    if (!mfx_str_starts(text, mfx_str_of("//")))
        return "must be backend://host/database/table=...?keycol=...?"
               "datacol=...";
    if (!mfx_str_is_nocase(dsn->backend, "sqlite3") &&
        !mfx_str_is_nocase(dsn->backend, "sqlite"))
        return "only SQLite is read here; of another database make a file: "
               "table (mfxctl import opendkim --dump-with COMMAND)";
    text = mfx_str_from(text, 2);
    size_t pairs = find_pairs(text);
    dsn->path = join_path(mfx_str_head(text, pairs), arena);
    read_pairs(dsn, mfx_str_from(text, pairs + 1), arena);
    if (dsn->path.len == 0 || dsn->path.p[0] != '/')
        return "the path must start with '/': write sqlite3:///PATH/table=... "
               "(OpenDKIM joins host and database and looks in its "
               "BaseDirectory)";
    if (dsn->table.len == 0 || dsn->keycol.len == 0 || dsn->datacol.len == 0)
        return "table, keycol and datacol are needed";
    return NULL;
}

enum mfx_rc
mfx_table_dsn_open(struct mfx_table *table,
                   const struct mfx_table_report *report)
{
    struct dsn dsn = {
        .backend = {NULL, 0}
    };
    const char *wrong = parse(table->what, table->arena, &dsn);
    if (wrong != NULL) {
        /* not the specification: it may hold a password */
        mfx_problem_add(report->problems, MFX_PROBLEM_ERROR, report->where,
                        report->line, "dsn:%.*s: %s", MFX_STR_ARG(dsn.backend),
                        wrong);
        return MFX_PERMFAIL;
    }
    struct mfx_buf query;
    mfx_buf_init_arena(&query, table->arena, QUERY_MAX);
    mfx_buf_printf(&query, "SELECT %.*s FROM %.*s WHERE %.*s = ?",
                   MFX_STR_ARG(dsn.datacol), MFX_STR_ARG(dsn.table),
                   MFX_STR_ARG(dsn.keycol));
    if (dsn.filter.len > 0)
        mfx_buf_printf(&query, " AND %.*s", MFX_STR_ARG(dsn.filter));
    if (!mfx_buf_ok(&query))
        return MFX_TEMPFAIL;
    struct mfx_str text = mfx_str(mfx_buf_text(&query), query.len);
    return mfx_table_sqlite_start(table, dsn.path.p, text, true, report);
}
