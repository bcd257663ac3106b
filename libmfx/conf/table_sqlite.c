/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sqlite:/path?SELECT value FROM t WHERE key = ?
 *
 * The database is opened for reading only, the query is prepared once, and a
 * mutex lets one thread at a time use it. Rows are copied before anybody sees
 * them, so no visitor runs under the mutex. Replaced by rename, the file is
 * opened again. table_dsn.c makes such a query from OpenDKIM's words.
 */
#include "table_impl.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include <mfx/base/buf.h>

enum {
    ROWS_MAX = 1000, /* of one answer */
    VALUE_MAX = 1024 * 1024,
};

struct sqlite {
    pthread_mutex_t mutex;
    const char *path;
    struct mfx_str query;
    bool is_dsn; /* the first row, its columns joined by ':' */
    sqlite3 *handle;
    sqlite3_stmt *statement;
    dev_t device;
    ino_t inode;
};

struct answer {
    struct answer *next;
    struct mfx_str value;
};

static enum mfx_rc
fail(const struct sqlite *db, const char *what, struct mfx_err *err)
{
    mfx_err_set(err, "sqlite:%s: %s: %s", db->path, what,
                db->handle != NULL ? sqlite3_errmsg(db->handle)
                                   : "out of memory");
    return MFX_TEMPFAIL;
}

static void
close_file(struct sqlite *db)
{
    (void)sqlite3_finalize(db->statement);
    (void)sqlite3_close(db->handle);
    db->statement = NULL;
    db->handle = NULL;
}

/* One statement that reads, with one '?' and a column. */
static enum mfx_rc
prepare(struct sqlite *db, struct mfx_err *err)
{
    const char *tail = NULL;
    if (sqlite3_prepare_v2(db->handle, db->query.p, (int)db->query.len,
                           &db->statement, &tail) != SQLITE_OK)
        return fail(db, "query", err);
    size_t used = (size_t)(tail - db->query.p);
    const char *wrong = NULL;
    if (db->statement == NULL)
        wrong = "the query is empty";
    else if (mfx_str_trim(mfx_str_from(db->query, used)).len > 0)
        wrong = "more than one query";
    else if (sqlite3_bind_parameter_count(db->statement) != 1)
        wrong = "the query must have exactly one '?'";
    else if (sqlite3_column_count(db->statement) < 1 ||
             !sqlite3_stmt_readonly(db->statement))
        wrong = "the query must be a SELECT";
    if (wrong == NULL)
        return MFX_OK;
    mfx_err_set(err, "sqlite:%s: %s", db->path, wrong);
    return MFX_PERMFAIL;
}

static enum mfx_rc
open_file(struct sqlite *db, struct mfx_err *err)
{
    if (sqlite3_open_v2(db->path, &db->handle,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return fail(db, "open", err);
    return prepare(db, err);
}

static enum mfx_rc
refresh(struct sqlite *db, struct mfx_err *err)
{
    struct stat st;
    if (stat(db->path, &st) != 0) {
        mfx_err_set(err, "sqlite:%s: %s", db->path, strerror(errno));
        return MFX_TEMPFAIL;
    }
    if (db->statement != NULL && st.st_dev == db->device &&
        st.st_ino == db->inode)
        return MFX_OK;
    close_file(db);
    db->device = st.st_dev;
    db->inode = st.st_ino;
    enum mfx_rc rc = open_file(db, err);
    if (rc != MFX_OK)
        close_file(db);
    return rc;
}

static struct mfx_str
column(const struct sqlite *db, int i)
{
    const void *bytes = sqlite3_column_blob(db->statement, i);
    return mfx_str(bytes, (size_t)sqlite3_column_bytes(db->statement, i));
}

static struct mfx_str
join_columns(const struct sqlite *db, struct mfx_arena *arena)
{
    struct mfx_buf out;
    int count = sqlite3_column_count(db->statement);
    mfx_buf_init_arena(&out, arena, VALUE_MAX);
    for (int i = 0; i < count; i++) {
        if (i > 0)
            mfx_buf_add_byte(&out, ':');
        mfx_buf_add(&out, column(db, i));
    }
    return mfx_buf_ok(&out) ? mfx_str(mfx_buf_text(&out), out.len)
                            : mfx_str(NULL, 0);
}

static bool
keep_row(struct sqlite *db, struct mfx_arena *arena, struct answer ***end)
{
    struct answer *answer = mfx_arena_alloc(arena, sizeof *answer);
    if (answer == NULL)
        return false;
    answer->value = db->is_dsn ? join_columns(db, arena)
                               : mfx_arena_copy(arena, column(db, 0));
    if (answer->value.p == NULL)
        return false;
    **end = answer;
    *end = &answer->next;
    return true;
}

static enum mfx_rc
step_all(struct sqlite *db, struct mfx_arena *arena, struct answer **answers,
         struct mfx_err *err)
{
    int step;
    int count = 0;
    while ((step = sqlite3_step(db->statement)) == SQLITE_ROW) {
        if (++count > ROWS_MAX) {
            mfx_err_set(err, "sqlite:%s: more than %d rows for one key",
                        db->path, ROWS_MAX);
            return MFX_TEMPFAIL;
        }
        if (!keep_row(db, arena, &answers)) {
            mfx_err_set(err, "sqlite:%s: out of memory", db->path);
            return MFX_TEMPFAIL;
        }
        if (db->is_dsn)
            return MFX_OK;
    }
    if (step != SQLITE_DONE)
        return fail(db, "query", err);
    return count > 0 ? MFX_OK : MFX_NOTFOUND;
}

static enum mfx_rc
query(struct sqlite *db, struct mfx_str key, uint64_t until_ms,
      struct mfx_arena *arena, struct answer **answers, struct mfx_err *err)
{
    enum mfx_rc rc = refresh(db, err);
    if (rc != MFX_OK)
        return MFX_TEMPFAIL;
    uint64_t now_ms = mfx_mono_ms();
    (void)sqlite3_busy_timeout(
        db->handle, now_ms < until_ms ? (int)(until_ms - now_ms) : 0);
    if (sqlite3_bind_text(db->statement, 1, key.len > 0 ? key.p : "",
                          (int)key.len, SQLITE_STATIC) != SQLITE_OK)
        return fail(db, "bind", err);
    rc = step_all(db, arena, answers, err);
    (void)sqlite3_reset(db->statement);
    (void)sqlite3_clear_bindings(db->statement);
    return rc;
}

enum mfx_rc
mfx_table_sqlite_each(struct mfx_table *table, struct mfx_str key,
                      struct mfx_arena *arena, mfx_table_visit *visit,
                      void *arg, struct mfx_err *err)
{
    struct sqlite *db = table->live;
    struct answer *answers = NULL;
    if (key.len > INT_MAX)
        return MFX_NOTFOUND;
    struct mfx_table_row row = {.key = key};
    if (table->fold == MFX_TABLE_NOCASE)
        row.key = mfx_arena_copy_lower(arena, key);
    if (row.key.p == NULL && key.len > 0) {
        mfx_err_set(err, "sqlite:%s: out of memory", db->path);
        return MFX_TEMPFAIL;
    }
    uint64_t until_ms = mfx_table_live_until();
    if (!mfx_table_live_lock(&db->mutex, until_ms)) {
        mfx_err_set(err, "sqlite:%s: too many wait for it", db->path);
        return MFX_TEMPFAIL;
    }
    enum mfx_rc rc = MFX_NOTFOUND;
    /* OpenDKIM asks for the address as it is written */
    if (db->is_dsn && !mfx_str_eq(key, row.key))
        rc = query(db, key, until_ms, arena, &answers, err);
    if (rc == MFX_NOTFOUND)
        rc = query(db, row.key, until_ms, arena, &answers, err);
    (void)pthread_mutex_unlock(&db->mutex);
    if (rc != MFX_OK)
        return rc;
    for (; answers != NULL; answers = answers->next) {
        row.value = answers->value;
        if (!visit(&row, arg))
            break;
    }
    return MFX_OK;
}

enum mfx_rc
mfx_table_sqlite_start(struct mfx_table *table, const char *path,
                       struct mfx_str query, bool is_dsn,
                       const struct mfx_table_report *report)
{
    struct sqlite *db = mfx_arena_alloc(table->arena, sizeof *db);
    if (db == NULL)
        return MFX_TEMPFAIL;
    db->path = path;
    db->query = query;
    db->is_dsn = is_dsn;
    (void)pthread_mutex_init(&db->mutex, NULL);
    table->live = db;
    struct mfx_err err = {""};
    enum mfx_rc rc = refresh(db, &err);
    if (rc != MFX_OK)
        mfx_problem_add(report->problems, MFX_PROBLEM_ERROR, report->where,
                        report->line, "%s", err.msg);
    return rc;
}

enum mfx_rc
mfx_table_sqlite_open(struct mfx_table *table,
                      const struct mfx_table_report *report)
{
    size_t mark = mfx_str_find(table->what, '?');
    struct mfx_str path = mfx_str_trim(mfx_str_head(table->what, mark));
    struct mfx_str query = mfx_str_trim(mfx_str_from(table->what, mark + 1));
    path = mfx_arena_copy(table->arena, path);
    if (path.p == NULL)
        return MFX_TEMPFAIL;
    if (query.len > 0)
        return mfx_table_sqlite_start(table, path.p, query, false, report);
    mfx_problem_add(report->problems, MFX_PROBLEM_ERROR, report->where,
                    report->line,
                    "sqlite:%s: no query; write \"sqlite:/path?SELECT value "
                    "FROM t WHERE key = ?\"",
                    path.p);
    return MFX_PERMFAIL;
}

void
mfx_table_sqlite_close(struct mfx_table *table)
{
    struct sqlite *db = table->live;
    if (db == NULL)
        return;
    close_file(db);
    (void)pthread_mutex_destroy(&db->mutex);
}
