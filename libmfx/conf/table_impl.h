/* SPDX-License-Identifier: BSD-2-Clause
 *
 * table_impl - what the files of the lookup tables share (not installed)
 *
 * table.c knows specs, sets and the order of lookups; table_read.c turns text
 * into rows; table_pattern.c indexes patterns; table_lmdb.c and
 * table_sqlite.c ask live files. Each type is a row of table.c's list of
 * struct mfx_table_kind.
 */
#ifndef MFX_CONF_TABLE_IMPL_H
#define MFX_CONF_TABLE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include <mfx/base/env.h>
#include <mfx/base/map.h>
#include <mfx/conf/table.h>

struct mfx_table_patterns;

typedef bool mfx_table_visit(const struct mfx_table_row *row, void *arg);

/* What an open reports to: the setting that names the table. */
struct mfx_table_report {
    struct mfx_problems *problems;
    const char *where;
    unsigned line;
};

struct mfx_table_kind {
    const char *name;
    bool is_file; /* what is the path of a file that is loaded whole */
    /* Fills the table (spec, what, fold, arena are set). */
    enum mfx_rc (*open)(struct mfx_table *table,
                        const struct mfx_table_report *report);
    enum mfx_rc (*each)(struct mfx_table *table, struct mfx_str key,
                        struct mfx_arena *arena, mfx_table_visit *visit,
                        void *arg, struct mfx_err *err);
    void (*close)(struct mfx_table *table); /* may be NULL */
};

struct mfx_table {
    const struct mfx_table_kind *kind;
    atomic_uint refs;
    struct mfx_arena *arena; /* of the table: rows, bytes, index */
    struct mfx_str spec, what;
    enum mfx_table_fold fold;
    struct mfx_file_id id; /* of kinds with is_file */

    struct mfx_table_row *rows;
    size_t row_count, row_room;
    size_t longest_key;
    struct mfx_map *exact;               /* key -> first row with it */
    struct mfx_table_patterns *patterns; /* refile */
    struct mfx_table_counts counts;
    void *live; /* lmdb, sqlite */
};

/* table_read.c: bytes -> table->rows; mistakes go to report->problems with
 * the table's own path as file (or the setting's for text in the setting). */
void mfx_table_read_file(struct mfx_table *table, struct mfx_str bytes,
                         struct mfx_problems *problems);
void mfx_table_read_texthash(struct mfx_table *table, struct mfx_str bytes,
                             struct mfx_problems *problems);
void mfx_table_read_alias(struct mfx_table *table, struct mfx_str bytes,
                          struct mfx_problems *problems);
void mfx_table_read_csl(struct mfx_table *table,
                        const struct mfx_table_report *report);
void mfx_table_read_inline(struct mfx_table *table,
                           const struct mfx_table_report *report);

/* table_pattern.c: the index over table->rows, and lookups in it. */
enum mfx_rc mfx_table_patterns_build(struct mfx_table *table,
                                     struct mfx_problems *problems);
enum mfx_rc mfx_table_patterns_each(struct mfx_table *table, struct mfx_str key,
                                    struct mfx_arena *arena,
                                    mfx_table_visit *visit, void *arg,
                                    struct mfx_err *err);
void mfx_table_patterns_close(struct mfx_table *table);

/* table_get.c: how long one lookup in a live table may take, waiting for other
 * threads and other processes together, and its lock. */
uint64_t mfx_table_live_until(void);
bool mfx_table_live_lock(pthread_mutex_t *mutex, uint64_t until_ms);

enum mfx_rc mfx_table_lmdb_open(struct mfx_table *table,
                                const struct mfx_table_report *report);
enum mfx_rc mfx_table_lmdb_each(struct mfx_table *table, struct mfx_str key,
                                struct mfx_arena *arena, mfx_table_visit *visit,
                                void *arg, struct mfx_err *err);
void mfx_table_lmdb_close(struct mfx_table *table);

enum mfx_rc mfx_table_sqlite_open(struct mfx_table *table,
                                  const struct mfx_table_report *report);
/* OpenDKIM's way to say which database, table and columns. */
enum mfx_rc mfx_table_dsn_open(struct mfx_table *table,
                               const struct mfx_table_report *report);
/* What both make of it: a database and its query; joins the columns of the
 * first row when it is_dsn. path and query live in the table's arena. */
enum mfx_rc mfx_table_sqlite_start(struct mfx_table *table, const char *path,
                                   struct mfx_str query, bool is_dsn,
                                   const struct mfx_table_report *report);
enum mfx_rc mfx_table_sqlite_each(struct mfx_table *table, struct mfx_str key,
                                  struct mfx_arena *arena,
                                  mfx_table_visit *visit, void *arg,
                                  struct mfx_err *err);
void mfx_table_sqlite_close(struct mfx_table *table);

#endif
