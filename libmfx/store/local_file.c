/* SPDX-License-Identifier: BSD-2-Clause */
#include "local_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include <mfx/store/store.h>

#include "local_lock.h"
#include "local_path.h"

enum {
    BUSY_MS = 300, /* for others; less than who asks waits (store_timeout) */
    PAGE_BYTES = 1024, /* of a new file: a row more in the log is a page */
    CACHE_KIB = 16 * 1024,
    LOG_BYTES_MAX = 64 << 20, /* past that, it is to begin anew */
    LOG_BYTES_REST = 1 << 20, /* of it, when writing waits for that */
    STEPS_MAX = 4,            /* to come so far */
    TABLES = 3,
    NAME_BYTES_MAX = 512,
};

_Static_assert((int)NAME_BYTES_MAX > (int)MFX_STORE_NAME_MAX,
               "no name is behind so many octets 0xFF");

/* "mfxq" */
#define APPLICATION_ID 1835432049
#define VERSION        1
/* More than LOG_BYTES_MAX needs: cutting it takes time when writing. */
#define LOG_BYTES_KEPT 268435456
#define TEXT_OF(macro) TEXT(macro)
#define TEXT(text)     #text

enum statement {
    GET,
    PUT,
    DELETE,
    SWEEP_END,
    SWEEP,
    PER_TABLE,
    BEGIN_READ = TABLES * PER_TABLE,
    BEGIN,
    COMMIT,
    ROLLBACK,
    EACH_FROM,
    EACH_AFTER,
    GET_TIME,
    PUT_TIME,
    PAGE_COUNT,
    FREE_COUNT,
    STATEMENTS,
};

static const char *const texts[STATEMENTS] = {
#define TABLE_TEXTS(at, table)                                               \
    [(at)*PER_TABLE +                                                        \
        GET] = "SELECT data, expires FROM " table " WHERE name = ?1",        \
        [(at)*PER_TABLE + PUT] =                                             \
            "INSERT INTO " table " VALUES (?1, ?2, ?3)"                      \
            " ON CONFLICT (name) DO UPDATE"                                  \
            " SET data = excluded.data, expires = excluded.expires",         \
        [(at)*PER_TABLE + DELETE] = "DELETE FROM " table " WHERE name = ?1", \
        [(at)*PER_TABLE + SWEEP_END] =                                       \
            "SELECT name FROM " table                                        \
            " WHERE name > ?1 ORDER BY name LIMIT 1 OFFSET ?2",              \
        [(at)*PER_TABLE + SWEEP] = "DELETE FROM " table " WHERE name > ?1"   \
                                   " AND name <= ?2 AND expires <= ?3"
    TABLE_TEXTS(MFX_LOCAL_COUNTER, "counter"),
    TABLE_TEXTS(MFX_LOCAL_ELEMENT, "element"),
    TABLE_TEXTS(MFX_LOCAL_VALUE, "value"),
#undef TABLE_TEXTS
    [BEGIN_READ] = "BEGIN",
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [EACH_FROM] = "SELECT name, data, expires FROM counter WHERE name >= ?1"
                  " ORDER BY name",
    [EACH_AFTER] = "SELECT name, data, expires FROM counter WHERE name > ?1"
                   " ORDER BY name",
    [GET_TIME] = "SELECT time_ms, offset_ms FROM clock WHERE id = 1",
    [PUT_TIME] = "INSERT OR REPLACE INTO clock VALUES (1, ?1, ?2)",
    [PAGE_COUNT] = "PRAGMA page_count",
    [FREE_COUNT] = "PRAGMA freelist_count",
};

/* expires: the year 2^53 for "never", so that a sweep is one comparison. */
static const uint64_t never = UINT64_C(1) << 53;

struct mfx_local_file {
    char *path;
    struct mfx_local_lock *lock;
    sqlite3 *handle, *sync_handle;
    sqlite3_stmt *statements[STATEMENTS];
    struct mfx_file_id id, log_id;
    int64_t page_bytes;
    bool is_ours; /* and so may be replaced */
    /* one of the two at a time */
    pthread_mutex_t gate;
    pthread_cond_t gate_moved;
    bool is_writing, is_beginning_anew;
    struct {
        char name[NAME_BYTES_MAX];
        size_t len;
    } swept[TABLES];
};

/* PERMFAIL: corrupt. */
static enum mfx_rc
fail(const struct mfx_local_file *file, const char *what, struct mfx_err *err)
{
    int code = sqlite3_errcode(file->handle) & 0xFF;
    int error = sqlite3_system_errno(file->handle);
    bool says_more =
        error != 0 && (code == SQLITE_IOERR || code == SQLITE_CANTOPEN);
    if (code == SQLITE_BUSY)
        mfx_err_set(err, "%s: locked by another program", file->path);
    else if (code == SQLITE_FULL || (says_more && error == ENOSPC))
        mfx_err_set(err, "%s: %s: the file system is full", file->path, what);
    else
        mfx_err_set(err, "%s: %s: %s%s%s", file->path, what,
                    sqlite3_errmsg(file->handle), says_more ? ": " : "",
                    says_more ? strerror(error) : "");
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? MFX_PERMFAIL
                                                           : MFX_TEMPFAIL;
}

static enum mfx_rc
fail_sync(const struct mfx_local_file *file, struct mfx_err *err)
{
    int code = sqlite3_errcode(file->sync_handle) & 0xFF;
    mfx_err_set(err, "%s: sync: %s", file->path,
                sqlite3_errmsg(file->sync_handle));
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? MFX_PERMFAIL
                                                           : MFX_TEMPFAIL;
}

static sqlite3_stmt *
statement_of(struct mfx_local_file *file, int which)
{
    if (file->statements[which] == NULL)
        (void)sqlite3_prepare_v3(file->handle, texts[which], -1,
                                 SQLITE_PREPARE_PERSISTENT,
                                 &file->statements[which], NULL);
    return file->statements[which];
}

/* Runs it to its end; the first row's first column into *number. */
static enum mfx_rc
run(struct mfx_local_file *file, int which, int64_t *number,
    struct mfx_err *err)
{
    sqlite3_stmt *statement = statement_of(file, which);
    if (statement == NULL)
        return fail(file, texts[which], err);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW && number != NULL)
        *number = sqlite3_column_int64(statement, 0);
    enum mfx_rc rc = step == SQLITE_DONE || step == SQLITE_ROW
                         ? MFX_OK
                         : fail(file, texts[which], err);
    (void)sqlite3_reset(statement);
    return rc;
}

static void
bind_bytes(sqlite3_stmt *statement, int at, struct mfx_str bytes)
{
    (void)sqlite3_bind_blob(statement, at, bytes.len > 0 ? bytes.p : "",
                            (int)bytes.len, SQLITE_STATIC);
}

static struct mfx_str
column_bytes(sqlite3_stmt *statement, int at)
{
    const void *p = sqlite3_column_blob(statement, at);
    return mfx_str(p, (size_t)sqlite3_column_bytes(statement, at));
}

/* --- opening --- */

static enum mfx_rc
execute(struct mfx_local_file *file, const char *text, struct mfx_err *err)
{
    return sqlite3_exec(file->handle, text, NULL, NULL, NULL) == SQLITE_OK
               ? MFX_OK
               : fail(file, "open", err);
}

static enum mfx_rc
ask_number(struct mfx_local_file *file, const char *text, int64_t *number,
           struct mfx_err *err)
{
    sqlite3_stmt *statement = NULL;
    enum mfx_rc rc = MFX_TEMPFAIL;
    *number = 0;
    if (sqlite3_prepare_v2(file->handle, text, -1, &statement, NULL) ==
        SQLITE_OK) {
        int step = sqlite3_step(statement);
        if (step == SQLITE_ROW)
            *number = sqlite3_column_int64(statement, 0);
        if (step == SQLITE_ROW || step == SQLITE_DONE)
            rc = MFX_OK;
    }
    if (rc != MFX_OK)
        rc = fail(file, "open", err);
    (void)sqlite3_finalize(statement);
    return rc;
}

static enum mfx_rc
make_tables(struct mfx_local_file *file, struct mfx_err *err)
{
    static const char text[] =
        "BEGIN IMMEDIATE;"
        "CREATE TABLE counter (name BLOB PRIMARY KEY, data BLOB NOT NULL,"
        " expires INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE element (name BLOB PRIMARY KEY, data INTEGER NOT NULL,"
        " expires INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE value (name BLOB PRIMARY KEY, data BLOB NOT NULL,"
        " expires INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE clock (id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL,"
        " offset_ms INTEGER NOT NULL);"
        "PRAGMA application_id = " TEXT_OF(
            APPLICATION_ID) ";"
                            "PRAGMA user_version = " TEXT_OF(VERSION) ";"
                                                                      "COMMIT";
    enum mfx_rc rc = execute(file, text, err);
    file->is_ours = rc == MFX_OK;
    return rc;
}

/* Whose is it? An empty one is made ours. */
static enum mfx_rc
check_tables(struct mfx_local_file *file, struct mfx_err *err)
{
    int64_t id = 0, version = 0, tables = 0;
    enum mfx_rc rc = ask_number(file, "PRAGMA application_id", &id, err);
    if (rc == MFX_OK)
        rc = ask_number(file, "PRAGMA user_version", &version, err);
    if (rc == MFX_OK)
        file->is_ours = id == APPLICATION_ID && version <= VERSION;
    if (rc == MFX_OK)
        rc = ask_number(file, "SELECT count(*) FROM sqlite_master", &tables,
                        err);
    if (rc != MFX_OK)
        return rc;
    if (id == 0 && version == 0 && tables == 0)
        return make_tables(file, err);
    if (id != APPLICATION_ID) {
        mfx_err_set(err, "%s: a database of another program", file->path);
        return MFX_TEMPFAIL;
    }
    if (version != VERSION) {
        mfx_err_set(err, "%s: written by %s mfx (version %lld, known: %d)",
                    file->path, version > VERSION ? "a newer" : "an older",
                    (long long)version, VERSION);
        return MFX_TEMPFAIL;
    }
    return MFX_OK;
}

static enum mfx_rc
set_up(struct mfx_local_file *file, struct mfx_err *err)
{
    char text[200];
    (void)sqlite3_busy_timeout(file->handle, BUSY_MS);
    (void)sqlite3_snprintf(sizeof text, text,
                           "PRAGMA page_size = %d; PRAGMA cache_size = -%d;"
                           " PRAGMA wal_autocheckpoint = 0",
                           PAGE_BYTES, CACHE_KIB);
    enum mfx_rc rc = execute(file, text, err);
    if (rc == MFX_OK && sqlite3_db_readonly(file->handle, "main") == 1) {
        mfx_err_set(err, "%s: may only be read", file->path);
        rc = MFX_TEMPFAIL;
    }
    /* before the file is changed in any way */
    if (rc == MFX_OK)
        rc = check_tables(file, err);
    if (rc == MFX_OK)
        rc = execute(file,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                     " PRAGMA journal_size_limit = " TEXT_OF(LOG_BYTES_KEPT),
                     err);
    if (rc == MFX_OK)
        rc = ask_number(file, "PRAGMA page_size", &file->page_bytes, err);
    return rc;
}

/* It must have read, too: SQLite looks for a log no earlier than that, and
 * without one there is nothing to sync. */
static enum mfx_rc
open_sync_handle(struct mfx_local_file *file, int flags, struct mfx_err *err)
{
    int code = sqlite3_open_v2(file->path, &file->sync_handle, flags, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(file->sync_handle, BUSY_MS);
    if (code == SQLITE_OK)
        code = sqlite3_exec(file->sync_handle, "SELECT 1 FROM clock", NULL,
                            NULL, NULL);
    return code == SQLITE_OK ? MFX_OK : fail_sync(file, err);
}

static enum mfx_rc
open_handles(struct mfx_local_file *file, struct mfx_err *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (!mfx_local_path_may_write(file->path, err))
        return MFX_TEMPFAIL;
    file->is_ours =
        mfx_local_path_has_marks(file->path, APPLICATION_ID, VERSION);
    if (sqlite3_open_v2(file->path, &file->handle, flags, NULL) != SQLITE_OK)
        return fail(file, "open", err);
    enum mfx_rc rc = set_up(file, err);
    if (rc != MFX_OK)
        return rc;
    rc = open_sync_handle(file, flags, err);
    if (rc != MFX_OK)
        return rc;
    if (mfx_file_identify(file->path, &file->id, err) != MFX_OK)
        return MFX_TEMPFAIL;
    return mfx_local_path_identify_log(file->path, &file->log_id, err)
               ? MFX_OK
               : MFX_TEMPFAIL;
}

void
mfx_local_file_close(struct mfx_local_file *file)
{
    if (file == NULL)
        return;
    for (size_t i = 0; i < STATEMENTS; i++)
        (void)sqlite3_finalize(file->statements[i]);
    /* the log of a file that was replaced: SQLite would take it for the
     * other's */
    if (file->log_id.inode != 0 && file->path != NULL &&
        !mfx_local_file_is_there(file, NULL))
        mfx_local_path_remove_log(file->path, &file->log_id);
    (void)sqlite3_close(file->sync_handle);
    (void)sqlite3_close(file->handle);
    (void)pthread_mutex_destroy(&file->gate);
    (void)pthread_cond_destroy(&file->gate_moved);
    mfx_local_lock_free(file->lock);
    free(file->path);
    free(file);
}

enum mfx_rc
mfx_local_file_open(const struct mfx_local_file_settings *settings,
                    struct mfx_local_file **file, struct mfx_err *err)
{
    struct mfx_local_file *new = calloc(1, sizeof *new);
    *file = NULL;
    if (new != NULL)
        new->path = strdup(settings->path);
    if (new == NULL || new->path == NULL) {
        free(new);
        mfx_err_set(err, "out of memory");
        return MFX_TEMPFAIL;
    }
    (void)pthread_mutex_init(&new->gate, NULL);
    (void)pthread_cond_init(&new->gate_moved, NULL);
    enum mfx_rc rc =
        mfx_local_lock_take(settings->path, settings->mode, &new->lock, err);
    if (rc == MFX_OK)
        rc = open_handles(new, err);
    if (rc == MFX_OK) {
        *file = new;
        return MFX_OK;
    }
    if (rc == MFX_PERMFAIL && new->is_ours && settings->replace_corrupt)
        return mfx_local_file_replace(new, settings->wall_s, err);
    mfx_local_file_close(new);
    return MFX_TEMPFAIL;
}

bool
mfx_local_file_is_there(const struct mfx_local_file *file, struct mfx_err *err)
{
    struct mfx_file_id id;
    if (mfx_file_identify(file->path, &id, err) != MFX_OK)
        return false;
    if (mfx_local_path_is_same(&id, &file->id))
        return true;
    mfx_err_set(err, "%s: replaced by another file", file->path);
    return false;
}

/* Under the lock still. TEMPFAIL always: the next open makes a new file. */
enum mfx_rc
mfx_local_file_replace(struct mfx_local_file *file, uint64_t wall_s,
                       struct mfx_err *err)
{
    struct mfx_local_lock *lock = file->lock;
    char *path = file->path;
    bool is_ours = file->is_ours;
    file->lock = NULL;
    file->path = NULL;
    mfx_local_file_close(file);
    if (is_ours) {
        bool is_done = mfx_local_path_put_aside(path, wall_s);
        mfx_err_prefix(err,
                       is_done ? "corrupt, renamed to %s.corrupt-%llu"
                               : "corrupt, cannot be renamed to "
                                 "%s.corrupt-%llu",
                       path, (unsigned long long)wall_s);
    }
    mfx_local_lock_free(lock);
    free(path);
    return MFX_TEMPFAIL;
}

/* --- rows --- */

enum mfx_rc
mfx_local_file_get(struct mfx_local_file *file, enum mfx_local_table table,
                   struct mfx_str name, struct mfx_arena *arena,
                   struct mfx_local_row *row, struct mfx_err *err)
{
    sqlite3_stmt *statement = statement_of(file, (int)table * PER_TABLE + GET);
    if (statement == NULL)
        return fail(file, "read", err);
    bind_bytes(statement, 1, name);
    int step = sqlite3_step(statement);
    enum mfx_rc rc = MFX_NOTFOUND;
    if (step == SQLITE_ROW) {
        rc = MFX_OK;
        *row = (struct mfx_local_row){.name = name};
        row->expires = (uint64_t)sqlite3_column_int64(statement, 1);
        if (row->expires == never)
            row->expires = 0;
        if (table == MFX_LOCAL_ELEMENT)
            row->number = (uint64_t)sqlite3_column_int64(statement, 0);
        else
            row->bytes = mfx_arena_copy(arena, column_bytes(statement, 0));
        if (table != MFX_LOCAL_ELEMENT && row->bytes.p == NULL) {
            mfx_err_set(err, "out of memory");
            rc = MFX_TEMPFAIL;
        }
    } else if (step != SQLITE_DONE) {
        rc = fail(file, "read", err);
    }
    (void)sqlite3_reset(statement);
    return rc;
}

enum mfx_rc
mfx_local_file_each(struct mfx_local_file *file, struct mfx_str from,
                    bool is_after,
                    bool (*visit)(const struct mfx_local_row *row, void *arg),
                    void *arg, struct mfx_err *err)
{
    sqlite3_stmt *statement =
        statement_of(file, is_after ? EACH_AFTER : EACH_FROM);
    if (statement == NULL)
        return fail(file, "walk", err);
    bind_bytes(statement, 1, from);
    int step;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct mfx_local_row row = {
            .name = column_bytes(statement, 0),
            .bytes = column_bytes(statement, 1),
            .expires = (uint64_t)sqlite3_column_int64(statement, 2),
        };
        if (!visit(&row, arg))
            break;
    }
    enum mfx_rc rc = step == SQLITE_ROW || step == SQLITE_DONE
                         ? MFX_OK
                         : fail(file, "walk", err);
    (void)sqlite3_reset(statement);
    return rc;
}

static void
end_writing(struct mfx_local_file *file)
{
    if (!file->is_writing)
        return;
    (void)pthread_mutex_lock(&file->gate);
    file->is_writing = false;
    (void)pthread_cond_broadcast(&file->gate_moved);
    (void)pthread_mutex_unlock(&file->gate);
}

enum mfx_rc
mfx_local_file_begin(struct mfx_local_file *file, struct mfx_err *err)
{
    (void)pthread_mutex_lock(&file->gate);
    while (file->is_beginning_anew)
        (void)pthread_cond_wait(&file->gate_moved, &file->gate);
    file->is_writing = true;
    (void)pthread_mutex_unlock(&file->gate);
    enum mfx_rc rc = run(file, BEGIN, NULL, err);
    if (rc != MFX_OK)
        end_writing(file);
    return rc;
}

enum mfx_rc
mfx_local_file_begin_read(struct mfx_local_file *file, struct mfx_err *err)
{
    return run(file, BEGIN_READ, NULL, err);
}

enum mfx_rc
mfx_local_file_commit(struct mfx_local_file *file, struct mfx_err *err)
{
    enum mfx_rc rc = run(file, COMMIT, NULL, err);
    if (rc == MFX_OK)
        end_writing(file);
    return rc;
}

void
mfx_local_file_rollback(struct mfx_local_file *file)
{
    if (sqlite3_get_autocommit(file->handle) == 0)
        (void)run(file, ROLLBACK, NULL, NULL);
    end_writing(file);
}

static enum mfx_rc
finish_write(struct mfx_local_file *file, sqlite3_stmt *statement,
             struct mfx_err *err)
{
    enum mfx_rc rc = sqlite3_step(statement) == SQLITE_DONE
                         ? MFX_OK
                         : fail(file, "write", err);
    (void)sqlite3_reset(statement);
    return rc;
}

enum mfx_rc
mfx_local_file_put(struct mfx_local_file *file, enum mfx_local_table table,
                   const struct mfx_local_row *row, struct mfx_err *err)
{
    sqlite3_stmt *statement = statement_of(file, (int)table * PER_TABLE + PUT);
    if (statement == NULL)
        return fail(file, "write", err);
    uint64_t expires =
        row->expires == 0 || row->expires > never ? never : row->expires;
    bind_bytes(statement, 1, row->name);
    if (table == MFX_LOCAL_ELEMENT)
        (void)sqlite3_bind_int64(statement, 2, (int64_t)row->number);
    else
        bind_bytes(statement, 2, row->bytes);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)expires);
    return finish_write(file, statement, err);
}

enum mfx_rc
mfx_local_file_delete(struct mfx_local_file *file, enum mfx_local_table table,
                      struct mfx_str name, struct mfx_err *err)
{
    sqlite3_stmt *statement =
        statement_of(file, (int)table * PER_TABLE + DELETE);
    if (statement == NULL)
        return fail(file, "delete", err);
    bind_bytes(statement, 1, name);
    return finish_write(file, statement, err);
}

/* --- old rows go --- */

/* The last name of the next rows; p NULL: there are fewer. */
static enum mfx_rc
find_sweep_end(struct mfx_local_file *file, int table, unsigned rows,
               struct mfx_arena *arena, struct mfx_str *end,
               struct mfx_err *err)
{
    sqlite3_stmt *statement = statement_of(file, table * PER_TABLE + SWEEP_END);
    if (statement == NULL)
        return fail(file, "sweep", err);
    bind_bytes(statement, 1,
               mfx_str(file->swept[table].name, file->swept[table].len));
    (void)sqlite3_bind_int64(statement, 2, rows);
    int step = sqlite3_step(statement);
    enum mfx_rc rc = MFX_OK;
    *end = mfx_str(NULL, 0);
    if (step == SQLITE_ROW)
        *end = mfx_arena_copy(arena, column_bytes(statement, 0));
    else if (step != SQLITE_DONE)
        rc = fail(file, "sweep", err);
    (void)sqlite3_reset(statement);
    return rc;
}

static enum mfx_rc
sweep_table(struct mfx_local_file *file, int table, uint64_t now_ms,
            unsigned rows, struct mfx_arena *arena, struct mfx_err *err)
{
    char last[NAME_BYTES_MAX]; /* behind every name */
    struct mfx_str end;
    enum mfx_rc rc = find_sweep_end(file, table, rows, arena, &end, err);
    sqlite3_stmt *statement = statement_of(file, table * PER_TABLE + SWEEP);
    if (rc != MFX_OK)
        return rc;
    if (statement == NULL)
        return fail(file, "sweep", err);
    bind_bytes(statement, 1,
               mfx_str(file->swept[table].name, file->swept[table].len));
    memset(last, 0xFF, sizeof last);
    bind_bytes(statement, 2, end.p == NULL ? mfx_str(last, sizeof last) : end);
    (void)sqlite3_bind_int64(statement, 3, (int64_t)now_ms);
    rc = finish_write(file, statement, err);
    /* from the beginning again behind the last row */
    file->swept[table].len = 0;
    if (end.len <= sizeof file->swept[table].name && end.p != NULL) {
        memcpy(file->swept[table].name, end.p, end.len);
        file->swept[table].len = end.len;
    }
    return rc;
}

enum mfx_rc
mfx_local_file_sweep(struct mfx_local_file *file, uint64_t now_ms,
                     unsigned rows, struct mfx_err *err)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    enum mfx_rc rc = arena == NULL ? MFX_TEMPFAIL : MFX_OK;
    if (rc != MFX_OK)
        mfx_err_set(err, "out of memory");
    for (int table = 0; table < TABLES && rc == MFX_OK; table++)
        rc = sweep_table(file, table, now_ms, rows, arena, err);
    mfx_arena_free(arena);
    return rc;
}

/* --- the rest --- */

enum mfx_rc
mfx_local_file_get_time(struct mfx_local_file *file, uint64_t *time_ms,
                        int64_t *offset_ms, struct mfx_err *err)
{
    sqlite3_stmt *statement = statement_of(file, GET_TIME);
    *time_ms = 0;
    *offset_ms = 0;
    if (statement == NULL)
        return fail(file, "read", err);
    int step = sqlite3_step(statement);
    enum mfx_rc rc = MFX_OK;
    if (step == SQLITE_ROW) {
        *time_ms = (uint64_t)sqlite3_column_int64(statement, 0);
        *offset_ms = sqlite3_column_int64(statement, 1);
    } else if (step != SQLITE_DONE) {
        rc = fail(file, "read", err);
    }
    (void)sqlite3_reset(statement);
    return rc;
}

enum mfx_rc
mfx_local_file_put_time(struct mfx_local_file *file, uint64_t time_ms,
                        int64_t offset_ms, struct mfx_err *err)
{
    sqlite3_stmt *statement = statement_of(file, PUT_TIME);
    if (statement == NULL)
        return fail(file, "write", err);
    (void)sqlite3_bind_int64(statement, 1, (int64_t)time_ms);
    (void)sqlite3_bind_int64(statement, 2, offset_ms);
    return finish_write(file, statement, err);
}

uint64_t
mfx_local_file_used(struct mfx_local_file *file)
{
    int64_t pages = 0, unused = 0;
    if (run(file, PAGE_COUNT, &pages, NULL) != MFX_OK ||
        run(file, FREE_COUNT, &unused, NULL) != MFX_OK || unused > pages)
        return 0;
    return (uint64_t)((pages - unused) * file->page_bytes);
}

/* --- the disk --- */

/* Of the sync connection: FILE_POINTER, or JOURNAL_POINTER, which is the log.
 * Not by a descriptor of our own: closing it would end SQLite's locks. */
static enum mfx_rc
sync_one(struct mfx_local_file *file, int which, struct mfx_err *err)
{
    sqlite3_file *one = NULL;
    int code = sqlite3_file_control(file->sync_handle, "main", which, &one);
    if (code == SQLITE_OK && one != NULL && one->pMethods != NULL)
        code = one->pMethods->xSync(one,
                                    SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    if (code == SQLITE_OK)
        return MFX_OK;
    mfx_err_set(err, "%s: sync: %s", file->path, sqlite3_errstr(code));
    return MFX_TEMPFAIL;
}

/* From the log into the file, as far as nobody reads older pages; the log is
 * synced before, and the file after it when nothing is left. */
static enum mfx_rc
move_log(struct mfx_local_file *file, int *frames, int *left,
         struct mfx_err *err)
{
    int done = 0;
    *frames = 0;
    int code = sqlite3_wal_checkpoint_v2(
        file->sync_handle, NULL, SQLITE_CHECKPOINT_PASSIVE, frames, &done);
    *left = *frames - done;
    return code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED
               ? MFX_OK
               : fail_sync(file, err);
}

/* The log begins anew with the next transaction when all of it is in the file,
 * and that on the disk. While others write that is never so; they wait for the
 * last step, which has little left to move and to sync. */
static enum mfx_rc
begin_log_anew(struct mfx_local_file *file, int left, struct mfx_err *err)
{
    int frames;
    enum mfx_rc rc = sync_one(file, SQLITE_FCNTL_FILE_POINTER, err);
    for (int i = 0; i < STEPS_MAX && left * file->page_bytes > LOG_BYTES_REST &&
                    rc == MFX_OK;
         i++) {
        rc = move_log(file, &frames, &left, err);
        if (rc == MFX_OK)
            rc = sync_one(file, SQLITE_FCNTL_FILE_POINTER, err);
    }
    if (rc != MFX_OK)
        return rc;
    (void)pthread_mutex_lock(&file->gate);
    file->is_beginning_anew = true;
    while (file->is_writing)
        (void)pthread_cond_wait(&file->gate_moved, &file->gate);
    (void)pthread_mutex_unlock(&file->gate);
    rc = move_log(file, &frames, &left, err);
    (void)pthread_mutex_lock(&file->gate);
    file->is_beginning_anew = false;
    (void)pthread_cond_broadcast(&file->gate_moved);
    (void)pthread_mutex_unlock(&file->gate);
    return rc;
}

enum mfx_rc
mfx_local_file_sync(struct mfx_local_file *file, struct mfx_err *err)
{
    int frames, left;
    /* also when a foreign reader keeps the log from being moved */
    enum mfx_rc rc = sync_one(file, SQLITE_FCNTL_JOURNAL_POINTER, err);
    if (rc == MFX_OK)
        rc = move_log(file, &frames, &left, err);
    return rc == MFX_OK && frames * file->page_bytes > LOG_BYTES_MAX
               ? begin_log_anew(file, left, err)
               : rc;
}
