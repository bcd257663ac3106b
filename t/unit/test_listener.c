/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <mfx/net/listener.h>

#include "conf_files.h"

static void
texts(void **state)
{
    static const struct {
        const char *label, *text;
        enum mfx_rc rc;
        bool is_local;
    } cases[] = {
        {"unix",           "unix:/run/x/sock",          MFX_OK,       true },
        {"path",           "/run/x/sock",               MFX_OK,       true },
        {"loopback",       "127.0.0.1:10001",           MFX_OK,       true },
        {"other_loopback", "127.9.9.9:10001",           MFX_OK,       true },
        {"localhost",      "localhost:10001",           MFX_OK,       true },
        {"v6_loopback",    "[::1]:10001",               MFX_OK,       true },
        {"inet",           "inet:127.0.0.1:10001",      MFX_OK,       true },
        {"inet6",          "inet6:[::1]:10001",         MFX_OK,       true },
        {"anywhere",       "0.0.0.0:10001",             MFX_OK,       false},
        {"v6_anywhere",    "[::]:10001",                MFX_OK,       false},
        {"other",          "192.0.2.1:65535",           MFX_OK,       false},
 /* malformed */
        {"empty",          "",                          MFX_PERMFAIL, false},
        {"unix_empty",     "unix:",                     MFX_PERMFAIL, false},
        {"unix_relative",  "unix:run/sock",             MFX_PERMFAIL, false},
        {"unix_line",      "unix:/run\n/sock",          MFX_PERMFAIL, false},
        {"no_port",        "127.0.0.1",                 MFX_PERMFAIL, false},
        {"port_empty",     "127.0.0.1:",                MFX_PERMFAIL, false},
        {"port_0",         "127.0.0.1:0",               MFX_PERMFAIL, false},
        {"port_large",     "127.0.0.1:65536",           MFX_PERMFAIL, false},
        {"port_word",      "127.0.0.1:smtp",            MFX_PERMFAIL, false},
        {"no_address",     ":10001",                    MFX_PERMFAIL, false},
        {"name",           "mail.example:10001",        MFX_PERMFAIL, false},
        {"path_too_long",
         "/0123456789012345678901234567890123456789012345678901234567890123456"
         "7890123456789012345678901234567890123456789", MFX_PERMFAIL, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_err err = {""};
        bool is_local;
        unit_assert_int(
            cases[i].label,
            mfx_listener_check(mfx_str_of(cases[i].text), &is_local, &err),
            cases[i].rc);
        unit_assert_int(cases[i].label, is_local, cases[i].is_local);
        unit_assert_int(cases[i].label, err.msg[0] != '\0',
                        cases[i].rc != MFX_OK);
    }
}

static bool
answers(int family, const void *address, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM, 0);
    bool ok = connect(fd, address, len) == 0;
    (void)close(fd);
    return ok;
}

static bool
unix_answers(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, path, strlen(path) + 1);
    return answers(AF_UNIX, &un, sizeof un);
}

static mode_t
mode_of(const char *path)
{
    struct stat st = {0};
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void
unix_sockets(void **state)
{
    struct conf_files files;
    struct mfx_err err = {""};
    int fd, again;
    (void)state;
    conf_files_init(&files);
    const char *path = conf_files_path(&files, "sock");
    struct mfx_str text = mfx_arena_printf(files.arena, "unix:%s", path);
    mode_t old = umask(077);
    assert_int_equal(mfx_listener_open(text, 0666, &fd, &err), MFX_OK);
    assert_int_equal(mode_of(path), 0666);
    assert_true(unix_answers(path));
    assert_int_equal(mfx_listener_open(text, 0666, &again, &err), MFX_TEMPFAIL);
    assert_int_equal(again, -1);
    /* one that died */
    (void)close(fd);
    assert_false(unix_answers(path));
    (void)umask(0);
    assert_int_equal(mfx_listener_open(text, 0600, &fd, &err), MFX_OK);
    (void)umask(old);
    assert_int_equal(mode_of(path), 0600);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    mfx_listener_close(text, fd);
    assert_int_not_equal(access(path, F_OK), 0);
    (void)conf_files_write(&files, "sock", mfx_str_of("mine"));
    assert_int_equal(mfx_listener_open(text, 0600, &fd, &err), MFX_PERMFAIL);
    assert_int_equal(access(path, F_OK), 0);
    text = mfx_str_of("unix:/no/such/folder/sock");
    assert_int_equal(mfx_listener_open(text, 0600, &fd, &err), MFX_TEMPFAIL);
    conf_files_fini(&files);
}

static void
tcp_sockets(void **state)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof in;
    struct mfx_err err = {""};
    char text[64];
    int fd = -1, again;
    (void)state;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < 20 && fd < 0; i++) {
        int probe = socket(AF_INET, SOCK_STREAM, 0);
        in.sin_port = 0;
        assert_int_equal(bind(probe, (struct sockaddr *)&in, sizeof in), 0);
        assert_int_equal(getsockname(probe, (struct sockaddr *)&in, &len), 0);
        (void)close(probe);
        (void)snprintf(text, sizeof text, "127.0.0.1:%u",
                       (unsigned)ntohs(in.sin_port));
        if (mfx_listener_open(mfx_str_of(text), 0, &fd, &err) != MFX_OK)
            continue;
    }
    assert_true(fd >= 0);
    assert_true(answers(AF_INET, &in, sizeof in));
    assert_int_equal(mfx_listener_open(mfx_str_of(text), 0, &again, &err),
                     MFX_TEMPFAIL);
    mfx_listener_close(mfx_str_of(text), fd);
    assert_false(answers(AF_INET, &in, sizeof in));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(unix_sockets),
        cmocka_unit_test(tcp_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
