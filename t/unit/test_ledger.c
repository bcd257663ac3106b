/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../milters/dkim/rotation/ledger.h"

enum {
    ROUNDS = 12,
    ROWS = 200, /* of one put: all or none of them */
};

static char dir[] = "/tmp/mfx-ledger-XXXXXX";

static void
path_of(char path[128], const char *name)
{
    (void)snprintf(path, 128, "%s/%s", dir, name);
}

static int
set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    char command[64];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static const struct dkim_ledger_row whole = {
    .domain = MFX_STR("example.org"),
    .selector = MFX_STR("2026b"),
    .fingerprint = MFX_STR("0123456789abcdef0123456789abcdef"),
    .algorithm = MFX_STR("rsa-sha256"),
    .path = MFX_STR("/etc/mfx/keys/a \"b\" 'c'.pem"),
    .facts = {.in_dns = DKIM_IN_DNS_SOME,
              .is_lacking = true,
              .looked_s = 1795231800,
              .published_since_s = 1795231801,
              .wait_s = 86400,
              .active_since_s = 1795231803,
              .retired_since_s = 1795231804,
              .lost_since_s = 1795231805},
    .state = DKIM_KEY_RETIRED,
    .since_s = 1795231806,
    .seen_s = 1795231807,
    .servers = MFX_STR("+\t60\tns1\t192.0.2.1\tmatch\n"),
};

struct found {
    size_t count;
    struct dkim_ledger_row last;
    bool is_whole;
};

static bool
compare(const struct dkim_ledger_row *row, void *arg)
{
    struct found *f = arg;
    f->count++;
    f->is_whole =
        mfx_str_eq(row->domain, whole.domain) &&
        mfx_str_eq(row->selector, whole.selector) &&
        mfx_str_eq(row->fingerprint, whole.fingerprint) &&
        mfx_str_eq(row->algorithm, whole.algorithm) &&
        mfx_str_eq(row->path, whole.path) &&
        mfx_str_eq(row->servers, whole.servers) && row->state == whole.state &&
        row->since_s == whole.since_s && row->seen_s == whole.seen_s &&
        row->facts.in_dns == whole.facts.in_dns &&
        row->facts.is_lacking == whole.facts.is_lacking &&
        row->facts.looked_s == whole.facts.looked_s &&
        row->facts.published_since_s == whole.facts.published_since_s &&
        row->facts.wait_s == whole.facts.wait_s &&
        row->facts.active_since_s == whole.facts.active_since_s &&
        row->facts.retired_since_s == whole.facts.retired_since_s &&
        row->facts.lost_since_s == whole.facts.lost_since_s;
    return true;
}

static void
test_round_trip(void **state)
{
    (void)state;
    char path[128];
    struct dkim_ledger *ledger = NULL, *reader = NULL;
    struct mfx_err err = {""};
    struct found found = {0};
    path_of(path, "state");
    unit_assert_int("nothing to read",
                    dkim_ledger_open(path, DKIM_LEDGER_READ, &reader, &err),
                    MFX_NOTFOUND);
    assert_int_equal(dkim_ledger_open(path, DKIM_LEDGER_WRITE, &ledger, &err),
                     MFX_OK);
    for (int i = 0; i < 2; i++) /* the second replaces the first */
        assert_int_equal(dkim_ledger_put(ledger, &whole, 1, &err), MFX_OK);
    assert_int_equal(dkim_ledger_open(path, DKIM_LEDGER_READ, &reader, &err),
                     MFX_OK);
    assert_int_equal(dkim_ledger_each(reader, compare, &found, &err), MFX_OK);
    unit_assert_int("one row", found.count, 1);
    unit_assert_int("as it was put", found.is_whole, true);
    unit_assert_int("a reader cannot write",
                    dkim_ledger_put(reader, &whole, 1, &err), MFX_PERMFAIL);
    dkim_ledger_close(reader);
    assert_int_equal(
        dkim_ledger_forget(ledger, whole.domain, whole.selector, &err), MFX_OK);
    found.count = 0;
    assert_int_equal(dkim_ledger_each(ledger, compare, &found, &err), MFX_OK);
    unit_assert_int("forgotten", found.count, 0);
    dkim_ledger_close(ledger);
}

static void
put_file(const char *name, const char *bytes)
{
    char path[128];
    path_of(path, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(bytes, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void
test_refused(void **state)
{
    (void)state;
    char path[128];
    struct dkim_ledger *ledger = NULL;
    struct mfx_err err = {""};
    path_of(path, "none/below");
    unit_assert_int("no_parent",
                    dkim_ledger_open(path, DKIM_LEDGER_WRITE, &ledger, &err),
                    MFX_NOTFOUND);
    path_of(path, "junk");
    assert_int_equal(mkdir(path, 0700), 0);
    put_file("junk/keys.sqlite", "this is no database, but long enough to be "
                                 "taken for one by its size alone ........");
    unit_assert_int("no_database",
                    dkim_ledger_open(path, DKIM_LEDGER_WRITE, &ledger, &err),
                    MFX_PERMFAIL);
    put_file("file", "x");
    path_of(path, "file");
    unit_assert_int("no_directory",
                    dkim_ledger_open(path, DKIM_LEDGER_WRITE, &ledger, &err) !=
                        MFX_OK,
                    true);
    unit_assert_int("says why", err.msg[0] != '\0', true);
}

/* --- kill -9 while it writes --- */

static void
name_row(struct dkim_ledger_row *row, char name[16], size_t i)
{
    (void)snprintf(name, 16, "s%zu", i);
    row->selector = mfx_str_of(name);
}

/* Writes generation after generation, each whole in all rows, and tells after
 * each put. */
static void
write_on(const char *path, int tell)
{
    struct dkim_ledger *ledger = NULL;
    static struct dkim_ledger_row rows[ROWS];
    static char names[ROWS][16];
    if (dkim_ledger_open(path, DKIM_LEDGER_WRITE, &ledger, NULL) != MFX_OK)
        _exit(1);
    for (uint64_t generation = 1;; generation++) {
        for (size_t i = 0; i < ROWS; i++) {
            rows[i] = whole;
            name_row(&rows[i], names[i], i);
            rows[i].seen_s = generation;
        }
        if (dkim_ledger_put(ledger, rows, ROWS, NULL) != MFX_OK ||
            write(tell, &generation, sizeof generation) !=
                (ssize_t)sizeof generation)
            _exit(1);
    }
}

struct tally {
    size_t count;
    uint64_t least, most;
};

static bool
tally_row(const struct dkim_ledger_row *row, void *arg)
{
    struct tally *t = arg;
    t->count++;
    if (row->seen_s < t->least)
        t->least = row->seen_s;
    if (row->seen_s > t->most)
        t->most = row->seen_s;
    return true;
}

static uint64_t
kill_while_writing(const char *path, unsigned after_us)
{
    int tell[2];
    uint64_t told = 0, generation;
    assert_int_equal(pipe2(tell, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        write_on(path, tell[1]);
    (void)close(tell[1]);
    if (read(tell[0], &generation, sizeof generation) == sizeof generation)
        told = generation;
    (void)usleep(after_us);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    while (read(tell[0], &generation, sizeof generation) == sizeof generation)
        told = generation;
    (void)close(tell[0]);
    return told;
}

static void
test_killed(void **state)
{
    (void)state;
    char path[128];
    path_of(path, "killed");
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t told = kill_while_writing(path, i * 1700);
        struct dkim_ledger *ledger = NULL;
        struct tally t = {0, UINT64_MAX, 0};
        struct mfx_err err = {""};
        assert_int_equal(
            dkim_ledger_open(path, DKIM_LEDGER_WRITE, &ledger, &err), MFX_OK);
        assert_int_equal(dkim_ledger_each(ledger, tally_row, &t, &err), MFX_OK);
        unit_assert_int("all rows", t.count, ROWS);
        unit_assert_int("of one put", t.least, t.most);
        unit_assert_int("the last that was told, or the one under way",
                        t.most == told || t.most == told + 1, true);
        dkim_ledger_close(ledger);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_killed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
