/* SPDX-License-Identifier: BSD-2-Clause
 *
 * local_file - the SQLite file of a local store (not installed)
 *
 * Rows with a name and an end; what is in them the callers know. WAL without a
 * sync at each commit: a process that dies loses nothing, and sync, each second
 * by a connection and a thread of its own, bounds what a power cut takes.
 *
 *     rc = mfx_local_file_open(&settings, &file, &err);
 *     rc = mfx_local_file_get(file, MFX_LOCAL_COUNTER, name, arena, &row, err);
 *     rc = mfx_local_file_begin(file, err);
 *     rc = mfx_local_file_put(file, MFX_LOCAL_COUNTER, name, bytes, end, err);
 *     rc = mfx_local_file_commit(file, err);
 *
 * Ownership: open/close; what is read is in the arena. Errors: TEMPFAIL: try
 * again later; PERMFAIL: the file is corrupt, or (open) not ours. In both cases
 * close it. Threads: one at a time, but for sync and close_sync.
 */
#ifndef MFX_STORE_LOCAL_FILE_H
#define MFX_STORE_LOCAL_FILE_H

#include <sys/types.h>

#include <mfx/base/arena.h>

struct mfx_local_file;

enum mfx_local_table {
    MFX_LOCAL_COUNTER,
    MFX_LOCAL_ELEMENT, /* no bytes, and a number instead */
    MFX_LOCAL_VALUE,
};

struct mfx_local_row {
    struct mfx_str name, bytes;
    uint64_t number;  /* of an element */
    uint64_t expires; /* 0: never */
};

struct mfx_local_file_settings {
    const char *path;
    mode_t mode;
    bool replace_corrupt;
    uint64_t wall_s; /* for the name of a replaced file */
};

/* Takes the lock, opens, and makes or checks the tables. */
enum mfx_rc mfx_local_file_open(const struct mfx_local_file_settings *settings,
                                struct mfx_local_file **file,
                                struct mfx_err *err) MFX_NODISCARD;
void mfx_local_file_close(struct mfx_local_file *file);
/* False when another file, or none, stands at the path. */
bool mfx_local_file_is_there(const struct mfx_local_file *file,
                             struct mfx_err *err);
/* Renames it, so that open makes a new one: after PERMFAIL. Closes it. */
enum mfx_rc mfx_local_file_replace(struct mfx_local_file *file, uint64_t wall_s,
                                   struct mfx_err *err);

/* NOTFOUND: there is no such row. */
enum mfx_rc mfx_local_file_get(struct mfx_local_file *file,
                               enum mfx_local_table table, struct mfx_str name,
                               struct mfx_arena *arena,
                               struct mfx_local_row *row,
                               struct mfx_err *err) MFX_NODISCARD;
/* Counters in the order of their names, from `from` on (is_after: behind it).
 * Until visit says false; what visit gets is gone afterwards. */
enum mfx_rc mfx_local_file_each(struct mfx_local_file *file,
                                struct mfx_str from, bool is_after,
                                bool (*visit)(const struct mfx_local_row *row,
                                              void *arg),
                                void *arg, struct mfx_err *err) MFX_NODISCARD;

enum mfx_rc mfx_local_file_begin(struct mfx_local_file *file,
                                 struct mfx_err *err) MFX_NODISCARD;
/* To read many rows; ends with commit, or rollback. */
enum mfx_rc mfx_local_file_begin_read(struct mfx_local_file *file,
                                      struct mfx_err *err) MFX_NODISCARD;
enum mfx_rc mfx_local_file_commit(struct mfx_local_file *file,
                                  struct mfx_err *err) MFX_NODISCARD;
void mfx_local_file_rollback(struct mfx_local_file *file);
enum mfx_rc mfx_local_file_put(struct mfx_local_file *file,
                               enum mfx_local_table table,
                               const struct mfx_local_row *row,
                               struct mfx_err *err) MFX_NODISCARD;
/* OK, too, when there is none. */
enum mfx_rc mfx_local_file_delete(struct mfx_local_file *file,
                                  enum mfx_local_table table,
                                  struct mfx_str name,
                                  struct mfx_err *err) MFX_NODISCARD;

/* Looks at the next `rows` of each table, in turn, and deletes what has
 * ended; a transaction of its own, if there is something. */
enum mfx_rc mfx_local_file_sweep(struct mfx_local_file *file, uint64_t now_ms,
                                 unsigned rows,
                                 struct mfx_err *err) MFX_NODISCARD;

/* Two numbers of the store's own; zeroes at first. */
enum mfx_rc mfx_local_file_get_time(struct mfx_local_file *file,
                                    uint64_t *time_ms, int64_t *offset_ms,
                                    struct mfx_err *err) MFX_NODISCARD;
enum mfx_rc mfx_local_file_put_time(struct mfx_local_file *file,
                                    uint64_t time_ms, int64_t offset_ms,
                                    struct mfx_err *err) MFX_NODISCARD;

/* What rows take, without what is free. */
uint64_t mfx_local_file_used(struct mfx_local_file *file);

/* What was committed is on the disk; in a thread of its own. begin may wait for
 * its last step, which is short. */
enum mfx_rc mfx_local_file_sync(struct mfx_local_file *file,
                                struct mfx_err *err) MFX_NODISCARD;

#endif
