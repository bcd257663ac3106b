/* SPDX-License-Identifier: BSD-2-Clause
 *
 * table - lookup tables, "type:what" as Postfix users know them
 *
 *   inline:a=1,b=2        keys and values in the setting itself
 *   csl:a,b=2             OpenDKIM's list: keys, values optional
 *   file:/path            OpenDKIM's: "key value" per line, '#' comments
 *   refile:/path          the same, keys are patterns with '*', tried in order
 *   texthash:/path        the source of a Postfix map (postmap(1))
 *   alias:/path           aliases(5)
 *   lmdb:/path            what Postfix writes; /path or /path.lmdb; live
 *   mdb:/path             the same, or OpenDKIM's: a directory of LMDB
 *   sqlite:/path?SELECT   one query with one '?'; live
 *   dsn:sqlite3://...     OpenDKIM's: table, keycol, datacol, filter; live
 *
 * A text without a type: "/path" is file:, anything else csl: (as OpenDKIM).
 *
 * file, refile: '#' starts a comment anywhere, the first blank ends the key,
 * a key alone has an empty value, the first of equal keys wins (with a
 * warning). refile patterns are OpenDKIM's: '*' is any bytes, '.' and '+' are
 * themselves, other characters are those of POSIX extended regular
 * expressions, and the pattern stands between '^' and '$'.
 * dsn: "dsn:sqlite3:///path/table=t?keycol=k?datacol=a,b?filter=f", "=XX" for
 * a byte that parts; the first row of SELECT a,b FROM t WHERE k = key AND f is
 * the answer, its columns joined by ':'.
 * inline: "a=1, b=2", or Postfix's "{a=1, {b = x, y}}".
 * texthash, alias: a line that starts with a blank continues the one before.
 *
 *     rc = mfx_table_get(t, key, arena, &value, &err);
 *
 * Ownership: tables are counted and belong to a table set; values are copied
 * into the arena for live tables, and borrowed from the table (which the
 * snapshot holds) for loaded ones. Errors: found, not found, or temporarily
 * failed, never a mix of the last two. Threads: any, at once.
 * Limits: 100,000 rows load in well under a second; patterns are indexed by
 * their literal end, only true regular expressions are scanned.
 */
#ifndef MFX_CONF_TABLE_H
#define MFX_CONF_TABLE_H

#include <mfx/base/arena.h>
#include <mfx/base/file.h>
#include <mfx/base/str.h>
#include <mfx/conf/problem.h>

MFX_API_BEGIN

struct mfx_table;
struct mfx_table_set;

/* All tables of one snapshot. previous (may be NULL): tables whose file has
 * not changed are shared from it. */
struct mfx_table_set *mfx_table_set_new(struct mfx_table_set *previous);
void mfx_table_set_free(struct mfx_table_set *set);

/* fold: letter case of keys. Mistakes go to problems (file and line of the
 * row; `where`/`line` for the setting itself); MFX_PERMFAIL then,
 * MFX_TEMPFAIL for what may be mended by waiting. */
enum mfx_table_fold {
    MFX_TABLE_NOCASE, /* addresses, domains */
    MFX_TABLE_CASE,   /* KeyTable names */
};
enum mfx_rc mfx_table_open(struct mfx_table_set *set, struct mfx_str spec,
                           enum mfx_table_fold fold, const char *where,
                           unsigned line, struct mfx_problems *problems,
                           struct mfx_table **table) MFX_NODISCARD;
/* Files whose change makes the set outdated; *count of them. */
const char *const *mfx_table_set_files(const struct mfx_table_set *set,
                                       size_t *count);
/* The tables of the set in the order they were opened, for reports. */
struct mfx_table *const *mfx_table_set_tables(const struct mfx_table_set *set,
                                              size_t *count);
/* True when a file has another identity than that which was loaded. Asked
 * after the last open, false means that all tables show the files as they
 * stood at one moment; when it is true, load again. */
bool mfx_table_set_is_outdated(const struct mfx_table_set *set);

const char *mfx_table_type(const struct mfx_table *table);
struct mfx_str mfx_table_spec(const struct mfx_table *table);
/* Rows loaded, how many are patterns, how many of these must be scanned. */
struct mfx_table_counts {
    size_t rows, patterns, scanned;
};
struct mfx_table_counts mfx_table_counts(const struct mfx_table *table);
bool mfx_table_has_patterns(const struct mfx_table *table);

/* One key, as it stands (refile: the first row whose pattern matches). With
 * MFX_TABLE_NOCASE lmdb and sqlite are asked for the key in lower case, which
 * is how postmap(1) writes it. */
enum mfx_rc mfx_table_get(struct mfx_table *table, struct mfx_str key,
                          struct mfx_arena *arena, struct mfx_str *value,
                          struct mfx_err *err) MFX_NODISCARD;

struct mfx_table_row {
    struct mfx_str key, value;
    unsigned line; /* 0 where there is none */
};

/* Every matching row in row order (refile: all patterns that match; sqlite:
 * all rows of the answer; dsn: its first; others: the key's first row). visit returns false
 * to stop. MFX_NOTFOUND when none matched. With MFX_TEMPFAIL rows may have
 * been visited already: they are not the whole answer. */
enum mfx_rc mfx_table_each(struct mfx_table *table, struct mfx_str key,
                           struct mfx_arena *arena,
                           bool (*visit)(const struct mfx_table_row *row,
                                         void *arg),
                           void *arg, struct mfx_err *err) MFX_NODISCARD;

/* OpenDKIM's order for an address. refile: every pattern that matches
 * "local@domain", in file order. Others, whatever the file order:
 * local@domain, domain, then for each parent local@.parent and .parent,
 * then local@*, *. Calls visit for every hit until it returns false. */
enum mfx_rc
mfx_table_each_address(struct mfx_table *table, struct mfx_str local,
                       struct mfx_str domain, struct mfx_arena *arena,
                       bool (*visit)(const struct mfx_table_row *, void *arg),
                       void *arg, struct mfx_err *err) MFX_NODISCARD;

/* All rows in row order, for lists that are turned into something else at load (host
 * lists, key lists) and for checks. MFX_PERMFAIL for a type that cannot be
 * walked. */
enum mfx_rc mfx_table_walk(struct mfx_table *table, struct mfx_arena *arena,
                           bool (*visit)(const struct mfx_table_row *,
                                         void *arg),
                           void *arg, struct mfx_err *err) MFX_NODISCARD;

MFX_API_END

#endif
