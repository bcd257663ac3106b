/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What postmap(1) writes: one data file without LMDB's lock file. Postfix
 * keeps readers and writers apart by fcntl locks on the data file itself, so
 * each lookup takes a shared one. It is an open file description lock: those
 * respect Postfix's, but closing some other descriptor of the file does not
 * drop them. The mutex parts our own threads. Written in place, the new
 * content is seen by the next transaction; replaced by rename, the file is
 * opened again. A directory (OpenDKIM's mdb:) holds data.mdb and LMDB's own
 * lock.mdb, which then parts readers from writers.
 */
#include "table_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lmdb.h>

enum {
    LOCK_PAUSE_NS = 5 * 1000 * 1000,
    OPEN_TRIES = 5, /* of a file that is replaced again and again */
};

struct lmdb {
    pthread_mutex_t mutex;
    const char *path;     /* of the data file */
    const char *env_path; /* the same, or its directory */
    unsigned env_flags;
    int fd; /* locked; -1 when nothing is open */
    MDB_env *env;
    dev_t device;
    ino_t inode;
};

static enum mfx_rc
fail(const struct lmdb *db, const char *what, const char *why,
     struct mfx_err *err)
{
    mfx_err_set(err, "lmdb:%s: %s: %s", db->path, what, why);
    return MFX_TEMPFAIL;
}

static enum mfx_rc
lock_shared(const struct lmdb *db, uint64_t until_ms, struct mfx_err *err)
{
    do {
        struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
        if (fcntl(db->fd, F_OFD_SETLK, &lock) == 0)
            return MFX_OK;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return fail(db, "lock", strerror(errno), err);
        struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
        (void)nanosleep(&pause, NULL);
    } while (mfx_mono_ms() < until_ms);
    return fail(db, "lock", "another process keeps writing", err);
}

static void
unlock(const struct lmdb *db)
{
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    (void)fcntl(db->fd, F_OFD_SETLK, &lock);
}

static void
close_file(struct lmdb *db)
{
    if (db->env != NULL)
        mdb_env_close(db->env);
    if (db->fd >= 0)
        (void)close(db->fd);
    db->env = NULL;
    db->fd = -1;
}

static bool
is_same_file(const struct lmdb *db, const struct stat *st)
{
    return st->st_dev == db->device && st->st_ino == db->inode;
}

/* Under the lock, so that a half-written file is never taken for broken.
 * MFX_NOTFOUND: it was replaced in between. */
static enum mfx_rc
open_env(struct lmdb *db, struct mfx_err *err)
{
    int rc = mdb_env_create(&db->env);
    if (rc != 0) {
        db->env = NULL;
        return fail(db, "open", mdb_strerror(rc), err);
    }
    rc = mdb_env_open(db->env, db->env_path,
                      db->env_flags | MDB_RDONLY | MDB_NOTLS, 0);
    if (rc != 0)
        return fail(db, "open", mdb_strerror(rc), err);
    int fd;
    struct stat st;
    if (mdb_env_get_fd(db->env, &fd) != 0 || fstat(fd, &st) != 0 ||
        !is_same_file(db, &st)) {
        (void)fail(db, "open", "replaced in that moment", err);
        return MFX_NOTFOUND;
    }
    return MFX_OK;
}

static enum mfx_rc
open_file(struct lmdb *db, uint64_t until_ms, struct mfx_err *err)
{
    struct stat st;
    db->fd = open(db->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (db->fd < 0 || fstat(db->fd, &st) != 0)
        return fail(db, "open", strerror(errno), err);
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return fail(db, "open", "not an LMDB file", err);
    db->device = st.st_dev;
    db->inode = st.st_ino;
    enum mfx_rc rc = lock_shared(db, until_ms, err);
    if (rc != MFX_OK)
        return rc;
    rc = open_env(db, err);
    unlock(db);
    return rc;
}

/* Open, and the file that stands at the path now. */
static enum mfx_rc
refresh(struct lmdb *db, uint64_t until_ms, struct mfx_err *err)
{
    struct stat st;
    if (stat(db->path, &st) != 0)
        return fail(db, "stat", strerror(errno), err);
    if (db->env != NULL && is_same_file(db, &st))
        return MFX_OK;
    enum mfx_rc rc = MFX_NOTFOUND;
    for (int try = 0; rc == MFX_NOTFOUND && try < OPEN_TRIES; try++) {
        close_file(db);
        rc = open_file(db, until_ms, err);
    }
    if (rc == MFX_OK)
        return MFX_OK;
    close_file(db);
    return MFX_TEMPFAIL;
}

static int
begin(const struct lmdb *db, MDB_txn **txn)
{
    int rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, txn);
    /* another process made the map larger: take its size */
    if (rc == MDB_MAP_RESIZED && mdb_env_set_mapsize(db->env, 0) == 0)
        rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, txn);
    return rc;
}

static int
get_with(MDB_txn *txn, MDB_dbi dbi, const char *key, size_t len, MDB_val *value)
{
    MDB_val k = {.mv_size = len, .mv_data = (void *)(uintptr_t)key};
    return mdb_get(txn, dbi, &k, value);
}

/* key has a NUL behind its last byte; the value is copied. */
static enum mfx_rc
get_in(const struct lmdb *db, MDB_txn *txn, struct mfx_str key,
       struct mfx_arena *arena, struct mfx_str *value, struct mfx_err *err)
{
    MDB_dbi dbi;
    MDB_val got;
    int rc = mdb_dbi_open(txn, NULL, 0, &dbi);
    if (rc == 0)
        rc = get_with(txn, dbi, key.p, key.len, &got);
    if (rc == MDB_NOTFOUND)
        rc = get_with(txn, dbi, key.p, key.len + 1, &got);
    if (rc == MDB_NOTFOUND || rc == MDB_BAD_VALSIZE)
        return MFX_NOTFOUND;
    if (rc != 0)
        return fail(db, "lookup", mdb_strerror(rc), err);
    struct mfx_str found = mfx_str(got.mv_data, got.mv_size);
    if (found.len > 0 && found.p[found.len - 1] == '\0')
        found.len--;
    *value = mfx_arena_copy(arena, found);
    return value->p != NULL ? MFX_OK : fail(db, "lookup", "out of memory", err);
}

static enum mfx_rc
get(struct lmdb *db, struct mfx_str key, uint64_t until_ms,
    struct mfx_arena *arena, struct mfx_str *value, struct mfx_err *err)
{
    enum mfx_rc rc = refresh(db, until_ms, err);
    if (rc == MFX_OK)
        rc = lock_shared(db, until_ms, err);
    if (rc != MFX_OK)
        return rc;
    MDB_txn *txn;
    int error = begin(db, &txn);
    if (error == 0) {
        rc = get_in(db, txn, key, arena, value, err);
        mdb_txn_abort(txn);
    } else {
        rc = fail(db, "read", mdb_strerror(error), err);
    }
    unlock(db);
    return rc;
}

enum mfx_rc
mfx_table_lmdb_each(struct mfx_table *table, struct mfx_str key,
                    struct mfx_arena *arena, mfx_table_visit *visit, void *arg,
                    struct mfx_err *err)
{
    struct lmdb *db = table->live;
    /* LMDB has no empty keys, and none of ours holds a NUL */
    if (key.len == 0 || mfx_str_has(key, '\0'))
        return MFX_NOTFOUND;
    struct mfx_str name = table->fold == MFX_TABLE_NOCASE
                              ? mfx_arena_copy_lower(arena, key)
                              : mfx_arena_copy(arena, key);
    if (name.p == NULL)
        return fail(db, "lookup", "out of memory", err);
    struct mfx_table_row row = {.key = name};
    uint64_t until_ms = mfx_table_live_until();
    if (!mfx_table_live_lock(&db->mutex, until_ms))
        return fail(db, "lookup", "too many wait for it", err);
    enum mfx_rc rc = get(db, name, until_ms, arena, &row.value, err);
    (void)pthread_mutex_unlock(&db->mutex);
    if (rc == MFX_OK)
        (void)visit(&row, arg);
    return rc;
}

/* lmdb:/path means /path.lmdb to Postfix. */
static const char *
file_path(struct mfx_table *table)
{
    struct mfx_str suffix = mfx_str_of(".lmdb");
    if (mfx_str_ends_nocase(table->what, suffix))
        return table->what.p;
    const char *path =
        mfx_arena_printf(table->arena, "%s.lmdb", table->what.p).p;
    if (path != NULL && access(path, F_OK) != 0 &&
        access(table->what.p, F_OK) == 0)
        return table->what.p;
    return path;
}

/* Which files it is. False when out of memory. */
static bool
find_files(struct lmdb *db, struct mfx_table *table)
{
    struct stat st;
    db->path = db->env_path = file_path(table);
    db->env_flags = MDB_NOSUBDIR | MDB_NOLOCK;
    if (db->path != NULL && stat(db->path, &st) == 0 && S_ISDIR(st.st_mode)) {
        db->path = mfx_arena_printf(table->arena, "%s/data.mdb", db->path).p;
        db->env_flags = 0;
    }
    return db->path != NULL;
}

enum mfx_rc
mfx_table_lmdb_open(struct mfx_table *table,
                    const struct mfx_table_report *report)
{
    struct lmdb *db = mfx_arena_alloc(table->arena, sizeof *db);
    if (db == NULL || !find_files(db, table))
        return MFX_TEMPFAIL;
    db->fd = -1;
    (void)pthread_mutex_init(&db->mutex, NULL);
    table->live = db;
    struct mfx_err err = {""};
    enum mfx_rc rc = refresh(db, mfx_table_live_until(), &err);
    if (rc != MFX_OK)
        mfx_problem_add(report->problems, MFX_PROBLEM_ERROR, report->where,
                        report->line, "%s", err.msg);
    return rc;
}

void
mfx_table_lmdb_close(struct mfx_table *table)
{
    struct lmdb *db = table->live;
    if (db == NULL)
        return;
    close_file(db);
    (void)pthread_mutex_destroy(&db->mutex);
}
