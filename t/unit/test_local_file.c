/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The SQLite file below a local store: a sweep looks at a page of rows and no
 * more, and a sync brings what was committed into the file itself. */
#include "store_bench.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <sqlite3.h>

#include "../../libmfx/store/local_file.h"

enum {
    ROWS = 20000,
    PAGE = 100,
    STEPS_A_ROW = 20, /* of SQLite's machine; it takes about 10 */
    NOW_MS = 1000,
    LOG_BYTES_LONG = 80 << 20, /* more than it may have */
};

struct fixture {
    char dir[64], path[128];
    struct mfx_local_file *file;
    struct mfx_arena *arena;
};

/* The handle that was opened first after this was set to NULL. */
static sqlite3 *first_handle;

static int
note_handle(sqlite3 *handle, const char **error, const void *api)
{
    (void)error;
    (void)api;
    if (first_handle == NULL)
        first_handle = handle;
    return SQLITE_OK;
}

static int
set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct mfx_err err = {""};
    assert_non_null(f);
    store_make_dir(f->dir);
    (void)snprintf(f->path, sizeof f->path, "%s/quota.db", f->dir);
    struct mfx_local_file_settings settings = {.path = f->path, .mode = 0600};
    first_handle = NULL;
    assert_int_equal(
        sqlite3_auto_extension((void (*)(void))(uintptr_t)note_handle),
        SQLITE_OK);
    assert_int_equal(mfx_local_file_open(&settings, &f->file, &err), MFX_OK);
    sqlite3_reset_auto_extension();
    assert_non_null(first_handle);
    f->arena = mfx_arena_new(0);
    *state = f;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *f = *state;
    mfx_local_file_close(f->file);
    mfx_arena_free(f->arena);
    store_remove_dir(f->dir);
    free(f);
    return 0;
}

static void
put(struct fixture *f, struct mfx_str name, uint64_t expires)
{
    struct mfx_err err = {""};
    struct mfx_local_row row = {
        .name = name, .bytes = mfx_str_of("x"), .expires = expires};
    assert_int_equal(mfx_local_file_put(f->file, MFX_LOCAL_COUNTER, &row, &err),
                     MFX_OK);
}

static struct mfx_str
name_of(char name[32], unsigned number)
{
    (void)snprintf(name, 32, "logins/%06u", number);
    return mfx_str_of(name);
}

/* Every third one has ended. */
static void
fill(struct fixture *f, unsigned rows)
{
    struct mfx_err err = {""};
    char name[32];
    assert_int_equal(mfx_local_file_begin(f->file, &err), MFX_OK);
    for (unsigned i = 0; i < rows; i++)
        put(f, name_of(name, i), i % 3 == 0 ? NOW_MS : NOW_MS + 1);
    assert_int_equal(mfx_local_file_commit(f->file, &err), MFX_OK);
}

static bool
has(struct fixture *f, struct mfx_str name)
{
    struct mfx_err err = {""};
    struct mfx_local_row row;
    enum mfx_rc rc = mfx_local_file_get(f->file, MFX_LOCAL_COUNTER, name,
                                        f->arena, &row, &err);
    assert_true(rc == MFX_OK || rc == MFX_NOTFOUND);
    return rc == MFX_OK;
}

static unsigned
count_ended(struct fixture *f, unsigned rows)
{
    char name[32];
    unsigned found = 0;
    for (unsigned i = 0; i < rows; i++) {
        bool is_there = has(f, name_of(name, i));
        found += i % 3 == 0 && is_there;
        assert_true(i % 3 == 0 || is_there);
    }
    return found;
}

/* What SQLite's machine did, since the last time it was asked. */
static int
take_steps(void)
{
    sqlite3_stmt *statement = NULL;
    int steps = 0;
    while ((statement = sqlite3_next_stmt(first_handle, statement)) != NULL)
        steps += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
    return steps;
}

static void
sweep(struct fixture *f, unsigned rows)
{
    struct mfx_err err = {""};
    (void)take_steps();
    assert_int_equal(mfx_local_file_sweep(f->file, NOW_MS, rows, &err), MFX_OK);
}

static void
a_sweep_looks_at_a_page(void **state)
{
    struct fixture *f = *state;
    fill(f, ROWS);
    for (unsigned at = 0; at < ROWS; at += PAGE) {
        sweep(f, PAGE);
        assert_in_range(take_steps(), 1, PAGE * STEPS_A_ROW);
    }
    assert_int_equal(count_ended(f, ROWS), 0);
}

static void
a_sweep_begins_again(void **state)
{
    struct fixture *f = *state;
    char name[32];
    fill(f, PAGE);
    sweep(f, PAGE / 2);
    assert_in_range(count_ended(f, PAGE), 1, PAGE / 3);
    put(f, name_of(name, 0), NOW_MS);
    sweep(f, PAGE); /* fewer rows are left: to the end */
    assert_true(has(f, name_of(name, 0)));
    assert_int_equal(count_ended(f, PAGE), 1);
    sweep(f, PAGE);
    assert_int_equal(count_ended(f, PAGE), 0);
}

static void
the_last_names_are_swept(void **state)
{
    struct fixture *f = *state;
    char last[MFX_STORE_NAME_MAX];
    memset(last, 0xFF, sizeof last);
    for (size_t len = 1; len <= sizeof last; len++)
        put(f, mfx_str(last, len), NOW_MS);
    sweep(f, PAGE + sizeof last);
    for (size_t len = 1; len <= sizeof last; len++)
        assert_false(has(f, mfx_str(last, len)));
}

/* The file alone, without its log. */
static bool
is_in_file(const struct fixture *f, const char *name)
{
    char path[160], command[400];
    sqlite3_stmt *statement = NULL;
    sqlite3 *handle = NULL;
    (void)snprintf(path, sizeof path, "%s/copy.db", f->dir);
    (void)snprintf(command, sizeof command, "cp '%s' '%s'", f->path, path);
    assert_int_equal(system(command), 0);
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    bool is_there =
        sqlite3_prepare_v2(handle, "SELECT 1 FROM counter WHERE name = ?1", -1,
                           &statement, NULL) == SQLITE_OK &&
        sqlite3_bind_blob(statement, 1, name, (int)strlen(name),
                          SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW;
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(handle);
    return is_there;
}

static void
a_sync_brings_it_into_the_file(void **state)
{
    struct fixture *f = *state;
    struct mfx_err err = {""};
    static const char *const names[] = {"first", "second"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(mfx_local_file_begin(f->file, &err), MFX_OK);
        put(f, mfx_str_of(names[i]), 0);
        assert_int_equal(mfx_local_file_commit(f->file, &err), MFX_OK);
        assert_false(is_in_file(f, names[i]));
        assert_int_equal(mfx_local_file_sync(f->file, &err), MFX_OK);
        assert_true(is_in_file(f, names[i]));
    }
}

/* --- the log begins anew --- */

struct writer {
    pthread_t thread;
    struct fixture *f;
    atomic_bool is_over;
    unsigned commits;
};

/* Rows all over the file, none as it was. */
static enum mfx_rc
change_some(struct fixture *f, unsigned round, struct mfx_err *err)
{
    char name[32];
    enum mfx_rc rc = mfx_local_file_begin(f->file, err);
    for (unsigned i = 0; i < PAGE && rc == MFX_OK; i++)
        put(f, name_of(name, (round + i * 997) % ROWS), NOW_MS + 2 + round);
    return rc == MFX_OK ? mfx_local_file_commit(f->file, err) : rc;
}

/* Without a pause. */
static void *
write_on(void *arg)
{
    struct writer *writer = arg;
    struct mfx_err err = {""};
    while (!atomic_load(&writer->is_over) &&
           change_some(writer->f, writer->commits, &err) == MFX_OK)
        writer->commits++;
    return NULL;
}

/* How often it has begun anew; www.sqlite.org/fileformat.html, "WAL header". */
static uint32_t
log_number(const struct fixture *f)
{
    char path[160];
    unsigned char head[16] = {0};
    (void)snprintf(path, sizeof path, "%s-wal", f->path);
    FILE *log = fopen(path, "rb");
    assert_non_null(log);
    (void)!fread(head, sizeof head, 1, log);
    (void)fclose(log);
    return (uint32_t)head[12] << 24 | (uint32_t)head[13] << 16 |
           (uint32_t)head[14] << 8 | head[15];
}

static void
the_log_begins_anew_while_writing(void **state)
{
    struct fixture *f = *state;
    struct mfx_err err = {""};
    struct writer writer = {.f = f};
    fill(f, ROWS);
    uint32_t number = log_number(f);
    uint64_t until_ms = mfx_mono_ms() + 60000;
    assert_int_equal(pthread_create(&writer.thread, NULL, write_on, &writer),
                     0);
    enum mfx_rc rc = MFX_OK;
    while (rc == MFX_OK && log_number(f) < number + 2 &&
           mfx_mono_ms() < until_ms) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        rc = mfx_local_file_sync(f->file, &err);
    }
    atomic_store(&writer.is_over, true);
    (void)pthread_join(writer.thread, NULL);
    assert_int_equal(rc, MFX_OK);
    assert_true(log_number(f) >= number + 2);
    assert_true(writer.commits > 0);
}

static long
log_bytes(const struct fixture *f)
{
    char path[160];
    struct stat about;
    (void)snprintf(path, sizeof path, "%s-wal", f->path);
    return stat(path, &about) == 0 ? (long)about.st_size : 0;
}

/* Of another program: it keeps the log from being moved, and nobody waits for
 * it, however long the log is. */
static void
a_foreign_reader_stops_nobody(void **state)
{
    struct fixture *f = *state;
    struct mfx_err err = {""};
    sqlite3 *reader = NULL;
    fill(f, ROWS);
    assert_int_equal(sqlite3_open(f->path, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM counter",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    put(f, mfx_str_of("late"), 0);
    for (unsigned round = 0; log_bytes(f) < LOG_BYTES_LONG; round++)
        assert_int_equal(change_some(f, round, &err), MFX_OK);
    assert_int_equal(mfx_local_file_sync(f->file, &err), MFX_OK);
    assert_false(is_in_file(f, "late"));
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    assert_int_equal(mfx_local_file_sync(f->file, &err), MFX_OK);
    assert_true(is_in_file(f, "late"));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        TEST(a_sweep_looks_at_a_page),
        TEST(a_sweep_begins_again),
        TEST(the_last_names_are_swept),
        TEST(a_sync_brings_it_into_the_file),
        TEST(the_log_begins_anew_while_writing),
        TEST(a_foreign_reader_stops_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
