/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <mfx/base/file.h>

static char dir[] = "/tmp/mfx-test-file-XXXXXX";

static const char *
at(const char *name)
{
    static char path[100];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void
write_file(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(at(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(at(name), mode), 0);
}

static int
make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
remove_dir(void **state)
{
    char command[100];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static void
make_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", at(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
}

static void
reading(void **state)
{
    static const struct {
        const char *label, *name;
        size_t max;
        enum mfx_rc rc;
        const char *want;
    } cases[] = {
        {"whole",        "ten",     10,  MFX_OK,       "0123456789"},
        {"empty",        "empty",   10,  MFX_OK,       ""          },
        {"through_link", "link",    10,  MFX_OK,       "0123456789"},
 /* malformed */
        {"too_large",    "ten",     9,   MFX_PERMFAIL, NULL        },
        {"missing",      "missing", 10,  MFX_NOTFOUND, NULL        },
        {"not_a_dir",    "ten/x",   10,  MFX_NOTFOUND, NULL        },
        {"dangling",     "dangle",  10,  MFX_NOTFOUND, NULL        },
        {"link_loop",    "loop",    10,  MFX_PERMFAIL, NULL        },
        {"directory",    "sub",     999, MFX_PERMFAIL, NULL        },
        {"fifo",         "fifo",    999, MFX_PERMFAIL, NULL        },
        {"socket",       "socket",  999, MFX_PERMFAIL, NULL        },
    };
    (void)state;
    write_file("ten", "0123456789", 0600);
    write_file("empty", "", 0600);
    assert_int_equal(symlink("ten", at("link")), 0);
    assert_int_equal(symlink("nothing", at("dangle")), 0);
    assert_int_equal(symlink("loop", at("loop")), 0);
    assert_int_equal(mkdir(at("sub"), 0700), 0);
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    make_socket("socket");
    struct mfx_arena *a = mfx_arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_err err = {0};
        struct mfx_str bytes = MFX_STR("untouched");
        struct mfx_file_id id = {0};
        enum mfx_rc rc = mfx_file_read(at(cases[i].name), cases[i].max, a,
                                       &bytes, &id, &err);
        unit_assert_int(cases[i].label, rc, cases[i].rc);
        unit_assert_str(cases[i].label, bytes,
                        mfx_str_of(rc == MFX_OK ? cases[i].want : "untouched"));
        if (rc == MFX_OK)
            unit_assert_int(cases[i].label, id.size, strlen(cases[i].want));
        else /* the text names the path */
            assert_non_null(strstr(err.msg, at(cases[i].name)));
    }
    mfx_arena_free(a);
}

static void
arena_without_room_is_a_temporary_failure(void **state)
{
    struct mfx_arena *a = mfx_arena_new(100);
    struct mfx_str bytes;
    struct mfx_err err;
    (void)state;
    write_file("large", "", 0600);
    assert_int_equal(truncate(at("large"), 5000), 0);
    assert_int_equal(mfx_file_read(at("large"), 9999, a, &bytes, NULL, &err),
                     MFX_TEMPFAIL);
    mfx_arena_free(a);
}

static struct mfx_file_id
id_of(const char *name)
{
    struct mfx_file_id id = {0};
    assert_int_equal(mfx_file_identify(at(name), &id, NULL), MFX_OK);
    return id;
}

static void
identity(void **state)
{
    struct mfx_file_id before, after;
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    (void)state;
    write_file("a", "first", 0600);
    before = id_of("a");
    after = id_of("a");
    assert_true(mfx_file_id_eq(&before, &after));
    /* replaced by rename: same name, size and times, another inode */
    write_file("b", "other", 0600);
    assert_int_equal(utimensat(-1, at("a"), old, 0), 0);
    before = id_of("a");
    assert_int_equal(utimensat(-1, at("b"), old, 0), 0);
    char from[100];
    (void)snprintf(from, sizeof from, "%s", at("b"));
    assert_int_equal(rename(from, at("a")), 0);
    after = id_of("a");
    assert_false(mfx_file_id_eq(&before, &after));
    /* written in place */
    before = id_of("a");
    write_file("a", "longer text", 0600);
    after = id_of("a");
    assert_false(mfx_file_id_eq(&before, &after));
    assert_int_equal(mfx_file_identify(at("missing"), &after, NULL),
                     MFX_NOTFOUND);
}

static void
private_files(void **state)
{
    static const struct {
        const char *label;
        mode_t mode, dir_mode;
        enum mfx_rc rc;
        const char *says;
    } cases[] = {
        {"owner_only",         0600, 0700,  MFX_OK,       ""                   },
        {"read_only",          0400, 0755,  MFX_OK,       ""                   },
        {"own_group_reads",    0640, 0755,  MFX_OK,       ""                   },
        {"sticky_directory",   0600, 01777, MFX_OK,       ""                   },
        {"others_read",        0604, 0700,  MFX_PERMFAIL, "mode 0604"          },
        {"others_write",       0602, 0700,  MFX_PERMFAIL, "mode 0602"          },
        {"group_writes",       0660, 0700,  MFX_PERMFAIL, "mode 0660"          },
        {"all",                0644, 0700,  MFX_PERMFAIL, "mode 0644"          },
        {"directory_is_open",  0600, 0777,  MFX_PERMFAIL, "lets others replace"},
        {"directory_of_group", 0600, 0770,  MFX_PERMFAIL, "lets others replace"},
    };
    (void)state;
    (void)mkdir(at("keys"), 0700);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_err err = {0};
        write_file("keys/key", "k", cases[i].mode);
        assert_int_equal(chmod(at("keys"), cases[i].dir_mode), 0);
        unit_assert_int(cases[i].label,
                        mfx_file_check_private(at("keys/key"), &err),
                        cases[i].rc);
        if (strstr(err.msg, cases[i].says) == NULL)
            fail_msg("%s: \"%s\"", cases[i].label, err.msg);
    }
    assert_int_equal(chmod(at("keys"), 0700), 0);
    assert_int_equal(mfx_file_check_private(at("keys/none"), NULL),
                     MFX_NOTFOUND);
}

/* A link that stands where others can change it is as good as the file. */
static void
private_link_in_an_open_directory(void **state)
{
    struct mfx_err err = {0};
    (void)state;
    write_file("keys/key", "k", 0600);
    assert_int_equal(mkdir(at("open"), 0700), 0);
    assert_int_equal(symlink("../keys/key", at("open/link")), 0);
    assert_int_equal(mfx_file_check_private(at("open/link"), &err), MFX_OK);
    assert_int_equal(chmod(at("open"), 0777), 0);
    assert_int_equal(mfx_file_check_private(at("open/link"), &err),
                     MFX_PERMFAIL);
    assert_non_null(strstr(err.msg, "lets others replace"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(arena_without_room_is_a_temporary_failure),
        cmocka_unit_test(identity),
        cmocka_unit_test(private_files),
        cmocka_unit_test(private_link_in_an_open_directory),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
