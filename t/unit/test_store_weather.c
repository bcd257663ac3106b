/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The local store in bad weather: a file that is full, read-only, locked,
 * corrupt, another's, gone; a clock that jumps. Each time: the reason in what
 * fails, in health and in the log, no answer later than its asker waits, none
 * that is wrong, and up again when it is over.
 *
 * Called with --hold FILE: holds a transaction until its input ends. */
#include "store_weather.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include <mfx/base/file.h>

#include "child.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    NOBODY = 65534,
    NAMES = 3000,
};

/* --- full --- */

/* What is counted already goes on. */
static void
full_by_setting(void **state)
{
    struct weather *f = *state;
    struct mfx_err err = {""};
    struct mfx_store_health health;
    f->settings.file_bytes = 128 * 1024;
    weather_open(f);
    unsigned count = 0;
    uint64_t until_ms = mfx_mono_ms() + WEATHER_WAIT_MS;
    enum mfx_rc rc = MFX_OK;
    while (rc == MFX_OK && mfx_mono_ms() < until_ms) {
        char name[64];
        (void)snprintf(name, sizeof name, "a name that takes some room/%u",
                       count++);
        rc = weather_take(f, name, &err);
    }
    assert_int_equal(rc, MFX_TEMPFAIL);
    weather_want_part("refused", err.msg, "full");
    weather_take_times(f, "a name that takes some room/0", 2);
    assert_int_equal(weather_used(f, "a name that takes some room/0"), 3);
    assert_int_equal(weather_used(f, "never seen"), 0);
    mfx_store_health(f->store, &health);
    assert_true(health.is_up);
    weather_want_part("health", health.error, "full");
    assert_int_equal(log_lines_count(&weather_lines, "store_full", ""), 1);
    /* what has ended goes, and there is room */
    store_clock_go(&f->clock, 2 * WEATHER_HOUR_MS);
    until_ms = mfx_mono_ms() + WEATHER_WAIT_MS;
    while ((rc = weather_take(f, "new", &err)) != MFX_OK &&
           mfx_mono_ms() < until_ms)
        weather_sleep_ms(100);
    assert_int_equal(rc, MFX_OK);
    assert_int_equal(log_lines_count(&weather_lines, "store_has_room", ""), 1);
}

/* A file system of this process alone. */
static void
mount_small(struct weather *f)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("mfx", f->dir, "tmpfs", 0, "size=2m,mode=0777") != 0)
        skip();
}

static void
fill_disk(const char *path)
{
    static char block[4096];
    memset(block, 'x', sizeof block);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, block, sizeof block) > 0)
        continue;
    (void)close(fd);
}

static void
full_disk(void **state)
{
    struct weather *f = *state;
    struct mfx_err err = {""};
    char balloon[160], name[32];
    unsigned answered = 0;
    mount_small(f);
    weather_open(f);
    weather_take_times(f, "kept", 5);
    (void)snprintf(balloon, sizeof balloon, "%s/balloon", f->dir);
    fill_disk(balloon);
    do
        (void)snprintf(name, sizeof name, "n%u", answered);
    while (weather_take(f, name, &err) == MFX_OK && ++answered < 100000);
    weather_want_part("refused", err.msg, "the file system is full");
    /* closing it gave room back, perhaps: until it cannot be opened, either */
    for (int i = 0; i < 30; i++) {
        fill_disk(balloon);
        (void)weather_take(f, "x", NULL);
        weather_sleep_ms(100);
    }
    weather_want_down("full", f->store, "the file system is full");
    assert_int_equal(unlink(balloon), 0);
    weather_want_up("room", f);
    assert_int_equal(weather_used(f, "kept"), 5);
    assert_true(answered > 0);
    for (unsigned i = 0; i <= answered; i++) {
        (void)snprintf(name, sizeof name, "n%u", i);
        unit_assert_int(name, weather_used(f, name), i < answered);
    }
}

/* --- read-only --- */

/* Threads begun from here on are nobody's. */
static void
be_nobody(const char *dir)
{
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(dir, NOBODY, NOBODY), 0);
    (void)setfsuid(NOBODY);
}

static void
run_read_only(struct weather *f)
{
    static const struct {
        const char *label;
        bool is_dir;
        mode_t less, all;
        bool is_running; /* when it happens: then it goes on */
        const char *part;
    } cases[] = {
        {"file",         false, 0400, 0600, false, "Permission denied"},
        {"file_unread",  false, 0000, 0600, false, "Permission denied"},
        {"dir",          true,  0500, 0700, false, "Permission denied"},
        {"dir_closed",   true,  0000, 0700, false, "Permission denied"},
        {"file_running", false, 0400, 0600, true,  NULL               },
        {"dir_running",  true,  0500, 0700, true,  NULL               },
    };
    weather_open(f);
    weather_take_times(f, "c", 1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *path = cases[i].is_dir ? f->dir : f->path;
        if (!cases[i].is_running)
            weather_close(f);
        assert_int_equal(chmod(path, cases[i].less), 0);
        if (!cases[i].is_running) {
            weather_open(f);
            weather_want_down(cases[i].label, f->store, cases[i].part);
        } else {
            weather_sleep_ms(1500);
            weather_take_times(f, "running", 1);
        }
        assert_int_equal(chmod(path, cases[i].all), 0);
        weather_want_up(cases[i].label, f);
        unit_assert_int(cases[i].label, weather_used(f, "c"), i + 1);
        weather_take_times(f, "c", 1);
    }
}

static void
read_only(void **state)
{
    struct weather *f = *state;
    be_nobody(f->dir);
    run_read_only(f);
}

static void
read_only_file_system(void **state)
{
    struct weather *f = *state;
    mount_small(f);
    weather_open(f);
    weather_take_times(f, "c", 2);
    weather_close(f);
    assert_int_equal(mount(NULL, f->dir, NULL, MS_REMOUNT | MS_RDONLY, NULL),
                     0);
    weather_open(f);
    weather_want_down("mount", f->store, "Read-only file system");
    assert_int_equal(mount(NULL, f->dir, NULL, MS_REMOUNT, NULL), 0);
    weather_want_up("mount", f);
    assert_int_equal(weather_used(f, "c"), 2);
}

/* --- locked --- */

static int
hold(const char *path)
{
    sqlite3 *handle = NULL;
    char byte;
    if (sqlite3_open(path, &handle) != SQLITE_OK ||
        sqlite3_busy_timeout(handle, WEATHER_WAIT_MS) != SQLITE_OK ||
        sqlite3_exec(handle, "BEGIN EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK)
        return 1;
    (void)puts("held");
    (void)fflush(stdout);
    while (read(0, &byte, 1) > 0)
        continue;
    (void)sqlite3_close(handle);
    return 0;
}

static void
start_holder(struct child *child, char *path)
{
    char *argv[] = {"/proc/self/exe", "--hold", path, NULL};
    assert_true(child_start(child, argv));
    assert_string_equal(child->line, "held");
}

static void
locked_by_another_program(void **state)
{
    struct weather *f = *state;
    struct child child;
    struct mfx_err err = {""};
    weather_open(f);
    weather_take_times(f, "c", 3);
    start_holder(&child, f->path);
    assert_int_equal(weather_take(f, "c", &err), MFX_TEMPFAIL);
    weather_want_part("first", err.msg, "locked by another program");
    weather_want_down("running", f->store, "locked by another program");
    weather_sleep_ms(2500); /* it is tried again */
    weather_want_down("still", f->store, "locked by another program");
    child_stop(&child);
    weather_want_up("running", f);
    assert_int_equal(weather_used(f, "c"), 3);
    weather_take_times(f, "c", 1);
    weather_close(f);
    start_holder(&child, f->path);
    weather_open(f);
    weather_want_down("start", f->store, "locked by another program");
    child_stop(&child);
    weather_want_up("start", f);
    assert_int_equal(weather_used(f, "c"), 4);
}

static void
a_second_store_waits(void **state)
{
    struct weather *f = *state;
    char part[40];
    weather_open(f);
    weather_take_times(f, "c", 3);
    struct mfx_store *first = f->store;
    (void)snprintf(part, sizeof part, "in use by process %ld", (long)getpid());
    weather_open(f);
    weather_want_down("second", f->store, part);
    assert_int_equal(weather_ask(first, MFX_STORE_TAKE, "c", NULL, NULL),
                     MFX_OK);
    mfx_store_close(first, 5000);
    weather_want_up("second", f);
    assert_int_equal(weather_used(f, "c"), 4);
}

/* --- corrupt --- */

/* Names n0 ... each counted once, in a file that is closed. */
static void
make_names(struct weather *f)
{
    static char names[MFX_STORE_USES_MAX][16];
    static struct mfx_store_use uses[MFX_STORE_USES_MAX];
    struct mfx_store_window window = store_sliding(WEATHER_HOUR_MS, 1000000);
    weather_open(f);
    for (unsigned n = 0; n < NAMES;) {
        size_t count = 0;
        for (; count < COUNT(uses) && n < NAMES; count++, n++) {
            (void)snprintf(names[count], sizeof names[count], "n%u", n);
            uses[count] = store_use(names[count], &window, 1);
        }
        assert_int_equal(
            store_ask(f->store, MFX_STORE_TAKE, "m", uses, count, 0, f->arena)
                .rc,
            MFX_OK);
    }
    weather_close(f);
}

/* Each is 1, until there is no answer. */
static void
read_names(struct weather *f)
{
    char name[16];
    for (unsigned n = 0; n < NAMES; n++) {
        uint64_t used = 0;
        (void)snprintf(name, sizeof name, "n%u", n);
        if (weather_ask(f->store, MFX_STORE_CHECK, name, &used, NULL) != MFX_OK)
            return;
        if (used != 1)
            return; /* a new file, of the one that was corrupt */
    }
}

static void
spoil_pages(const char *path)
{
    off_t size = weather_size_of(path);
    weather_write_at(path, size / 4 / 1024 * 1024 + 300, size / 2);
}

static void
cut_off(const char *path)
{
    assert_int_equal(truncate(path, weather_size_of(path) / 2 / 1024 * 1024),
                     0);
}

static bool
has_renamed(const struct weather *f)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s.corrupt-%llu", f->path,
                   (unsigned long long)(store_clock_wall_ms(&f->clock) / 1000));
    return access(path, F_OK) == 0;
}

static void
run_corrupt(struct weather *f, const char *label, void (*spoil)(const char *),
            bool is_replaced)
{
    char away[160];
    f->settings.replace_corrupt = is_replaced;
    make_names(f);
    log_lines_clear(&weather_lines);
    spoil(f->path);
    weather_open(f);
    read_names(f);
    if (!is_replaced) {
        weather_want_down(label, f->store, "malformed");
        weather_sleep_ms(2500); /* and stays so, though it can be opened */
        weather_want_down(label, f->store, "malformed");
        unit_assert_int(
            label, log_lines_count(&weather_lines, "store_up", "") <= 1, true);
        (void)snprintf(away, sizeof away, "%s.away", f->path);
        assert_int_equal(rename(f->path, away), 0);
    }
    weather_want_up(label, f);
    unit_assert_int(label, has_renamed(f), is_replaced);
    unit_assert_int(label,
                    log_lines_count(&weather_lines, "store_down", "renamed to"),
                    is_replaced);
    weather_take_times(f, "n1", 2);
    unit_assert_int(label, weather_used(f, "n1"), 2);
    unit_assert_int(label, weather_used(f, "n2999"), 0);
    weather_close(f);
}

static void
spoilt_pages(void **state)
{
    run_corrupt(*state, "down", spoil_pages, false);
}

static void
spoilt_pages_replaced(void **state)
{
    run_corrupt(*state, "replaced", spoil_pages, true);
}

static void
cut_off_file(void **state)
{
    run_corrupt(*state, "down", cut_off, false);
}

static void
cut_off_file_replaced(void **state)
{
    run_corrupt(*state, "replaced", cut_off, true);
}

static void
run_sql(const char *path, const char *text)
{
    sqlite3 *handle = NULL;
    char *error = NULL;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    if (sqlite3_exec(handle, text, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", text, error);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

/* The file is well, and what is in one row is not. */
static void
a_damaged_row(void **state)
{
    struct weather *f = *state;
    struct mfx_err err = {""};
    make_names(f);
    run_sql(f->path, "UPDATE counter SET data = x'FFA5' "
                     "WHERE name = CAST('n7' AS BLOB)");
    weather_open(f);
    assert_int_equal(weather_take(f, "n7", &err), MFX_TEMPFAIL);
    weather_want_part("row", err.msg, "damaged");
    assert_int_equal(log_lines_count(&weather_lines, "store_row_damaged", "n7"),
                     1);
    assert_int_equal(weather_used(f, "n8"), 1);
    assert_int_equal(weather_ask(f->store, MFX_STORE_RESET, "n7", NULL, NULL),
                     MFX_OK);
    weather_take_times(f, "n7", 2);
    assert_int_equal(weather_used(f, "n7"), 2);
}

/* --- not ours, or of another version --- */

static void
make_foreign(const char *path)
{
    run_sql(path,
            "CREATE TABLE mail (id INTEGER); INSERT INTO mail VALUES (1)");
}

static void
make_newer(const char *path)
{
    run_sql(path, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 2");
}

static void
make_older(const char *path)
{
    run_sql(path, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 0");
}

static void
spoil_head(const char *path)
{
    weather_write_at(path, 0, 4096);
}

static struct mfx_str
bytes_of(struct weather *f)
{
    struct mfx_str bytes;
    struct mfx_err err = {""};
    if (mfx_file_read(f->path, 16 << 20, f->arena, &bytes, NULL, &err) !=
        MFX_OK)
        fail_msg("%s", err.msg);
    return bytes;
}

static void
what_is_not_ours_stays(void **state)
{
    static const struct {
        const char *label;
        bool is_ours_first;
        void (*make)(const char *path);
        const char *part;
    } cases[] = {
        {"text",    false, weather_make_text, "not a database"               },
        {"foreign", false, make_foreign,      "a database of another program"},
        {"newer",   true,  make_newer,        "written by a newer mfx"       },
        {"older",   true,  make_older,        "written by an older mfx"      },
        {"head",    true,  spoil_head,        "not a database"               },
    };
    struct weather *f = *state;
    f->settings.replace_corrupt = true;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cases[i].is_ours_first)
            make_names(f);
        cases[i].make(f->path);
        log_lines_clear(&weather_lines);
        struct mfx_str before = bytes_of(f);
        weather_open(f);
        weather_want_down(cases[i].label, f->store, cases[i].part);
        weather_sleep_ms(1200);
        weather_want_down(cases[i].label, f->store, cases[i].part);
        unit_assert_str(cases[i].label, bytes_of(f), before);
        unit_assert_int(cases[i].label, has_renamed(f), false);
        assert_int_equal(unlink(f->path), 0);
        weather_want_up(cases[i].label, f);
        weather_take_times(f, "c", 1);
        weather_close(f);
        assert_int_equal(unlink(f->path), 0);
    }
}

/* --- gone --- */

static void
removed_while_running(void **state)
{
    struct weather *f = *state;
    weather_open(f);
    weather_take_times(f, "c", 3);
    assert_int_equal(unlink(f->path), 0);
    weather_want_down("removed", f->store, "No such file");
    weather_want_up("removed", f);
    assert_int_equal(access(f->path, F_OK), 0);
    assert_int_equal(weather_used(f, "c"), 0);
    weather_take_times(f, "c", 2);
    weather_close(f);
    weather_open(f);
    assert_int_equal(weather_used(f, "c"), 2);
}

/* By a copy of its own, as when one is restored; the log that stands there
 * still belongs to the other one. */
static void
replaced_while_running(void **state)
{
    struct weather *f = *state;
    char other[160];
    (void)snprintf(other, sizeof other, "%s/other.db", f->dir);
    f->settings.path = other;
    weather_open(f);
    weather_take_times(f, "c", 7);
    weather_close(f);
    f->settings.path = f->path;
    weather_open(f);
    weather_take_times(f, "c", 2);
    weather_take_times(f, "only here", 2);
    assert_int_equal(rename(other, f->path), 0);
    uint64_t until_ms = mfx_mono_ms() + WEATHER_WAIT_MS;
    while (log_lines_count(&weather_lines, "store_down",
                           "replaced by another") == 0 &&
           mfx_mono_ms() < until_ms)
        weather_sleep_ms(20);
    assert_int_equal(
        log_lines_count(&weather_lines, "store_down", "replaced by"), 1);
    weather_want_up("replaced", f);
    assert_int_equal(weather_used(f, "c"), 7);
    assert_int_equal(weather_used(f, "only here"), 0);
}

static void
a_folder_appears_later(void **state)
{
    struct weather *f = *state;
    char folder[160], path[200];
    (void)snprintf(folder, sizeof folder, "%s/later", f->dir);
    (void)snprintf(path, sizeof path, "%s/quota.db", folder);
    f->settings.path = path;
    weather_open(f);
    weather_want_down("folder", f->store, "No such file or directory");
    assert_int_equal(mkdir(folder, 0700), 0);
    weather_want_up("folder", f);
    weather_take_times(f, "c", 2);
    assert_int_equal(weather_used(f, "c"), 2);
}

/* --- the clock --- */

static void
jump(struct weather *f, int64_t ms)
{
    (void)atomic_fetch_add(&f->clock.wall_offset_ms, ms);
}

/* Nothing is forgotten early, nor remembered longer, with and without a
 * restart. */
static void
a_clock_that_jumps(void **state)
{
    static const struct {
        const char *label;
        int64_t jump_ms;
        bool is_restarted;
    } cases[] = {
        {"a_day_on",           86400000,               false},
        {"a_day_back",         -86400000,              false},
        {"ten_years_on",       INT64_C(315360000000),  false},
        {"ten_years_back",     -INT64_C(315360000000), false},
        {"a_day_on_restart",   86400000,               true },
        {"a_day_back_restart", -86400000,              true },
        {"years_back_restart", -INT64_C(315360000000), true },
    };
    struct weather *f = *state;
    weather_open(f);
    for (size_t i = 0; i < COUNT(cases); i++) {
        weather_take_times(f, cases[i].label, 3);
        jump(f, cases[i].jump_ms);
        unit_assert_int(cases[i].label, weather_used(f, cases[i].label), 3);
        weather_take_times(f, cases[i].label, 1);
        if (cases[i].is_restarted) {
            weather_close(f);
            weather_open(f);
        }
        store_clock_go(&f->clock, WEATHER_HOUR_MS - 60000);
        unit_assert_int(cases[i].label, weather_used(f, cases[i].label), 4);
        store_clock_go(&f->clock, 130000);
        unit_assert_int(cases[i].label, weather_used(f, cases[i].label), 0);
    }
}

/* The wall clock is known in whole seconds, so a step of less may go unseen: it
 * must not seem to be time that has passed. 1 of 10 drains in each second. */
static void
a_small_step_before_a_restart(void **state)
{
    struct weather *f = *state;
    const struct mfx_store_window window = store_bucket(10000, 10);
    weather_open(f);
    for (unsigned i = 0; i < 40; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "c%u", i);
        struct mfx_store_use use = store_use(name, &window, 10);
        store_clock_go(&f->clock, 2130);
        assert_int_equal(
            store_ask(f->store, MFX_STORE_TAKE, name, &use, 1, 0, f->arena).rc,
            MFX_OK);
        jump(f, 270 + 270 * (i % 4));
        store_clock_go(&f->clock, 170);
        weather_close(f);
        store_clock_go(&f->clock, 700);
        weather_open(f);
        struct store_said said =
            store_ask(f->store, MFX_STORE_CHECK, "", &use, 1, 0, f->arena);
        unit_assert_int(name, said.level.used, 10);
        store_clock_go(&f->clock, 12000);
        said = store_ask(f->store, MFX_STORE_CHECK, "", &use, 1, 0, f->arena);
        unit_assert_int(name, said.level.used, 0);
    }
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
#define TEST(test) \
    cmocka_unit_test_setup_teardown(test, weather_set_up, weather_tear_down)
        TEST(full_by_setting),
        TEST(full_disk),
        TEST(read_only),
        TEST(read_only_file_system),
        TEST(locked_by_another_program),
        TEST(a_second_store_waits),
        TEST(spoilt_pages),
        TEST(spoilt_pages_replaced),
        TEST(cut_off_file),
        TEST(cut_off_file_replaced),
        TEST(a_damaged_row),
        TEST(what_is_not_ours_stays),
        TEST(removed_while_running),
        TEST(replaced_while_running),
        TEST(a_folder_appears_later),
        TEST(a_clock_that_jumps),
        TEST(a_small_step_before_a_restart),
    };
    if (argc == 3 && strcmp(argv[1], "--hold") == 0)
        return hold(argv[2]);
    mfx_log_redirect(log_lines_take, &weather_lines);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
