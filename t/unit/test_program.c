/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mfx/base/env.h>
#include <mfx/base/program.h>

enum {
    LONG_MS = 60000,
};

struct seen {
    unsigned ended;
    char arg[32], why[100];
};

static void
take(void *context, void *arg, const char *why)
{
    struct seen *seen = context;
    seen->ended++;
    (void)snprintf(seen->arg, sizeof seen->arg, "%s", (const char *)arg);
    (void)snprintf(seen->why, sizeof seen->why, "%s", why == NULL ? "" : why);
}

static enum mfx_rc
start_shell(struct mfx_programs *programs, const char *script, const char *arg,
            uint64_t timeout_ms, struct mfx_err *err)
{
    char *argv[] = {"/bin/sh", "-c", (char *)script, NULL};
    char *environment[] = {"PATH=/usr/bin:/bin", "MFX_WORD=a b;c'$(id)", NULL};
    return mfx_programs_start(programs, argv, environment, (void *)arg,
                              mfx_mono_ms() + timeout_ms, err);
}

/* Until all have ended, as a thread would. */
static void
run(struct mfx_programs *programs)
{
    while (mfx_programs_running(programs) > 0) {
        uint64_t now_ms = mfx_mono_ms();
        uint64_t next_ms = mfx_programs_next_ms(programs, now_ms);
        struct pollfd fd = {mfx_programs_fd(programs, 0), POLLIN, 0};
        (void)poll(&fd, 1, next_ms > now_ms ? (int)(next_ms - now_ms) : 0);
        mfx_programs_look(programs, mfx_mono_ms());
    }
}

static const struct {
    const char *label, *script;
    uint64_t timeout_ms;
    const char *why;
} cases[] = {
    {"all well",                            "exit 0",                                 LONG_MS, ""                                      },
    {"environment",                         "test \"$MFX_WORD\" = \"a b;c'\\$(id)\"", LONG_MS, ""                                      },
    {"nothing inherited",                   "test -z \"$HOME\"",                      LONG_MS, ""                                      },
    {"nothing to read",                     "! read line",                            LONG_MS, ""                                      },
    {"only /dev/null is open",
     "for i in 0 1 2; do test \"$(readlink /proc/$$/fd/$i)\" = /dev/null || "
     "exit 2; done; for i in 3 4 5 6 7 8 9; do test ! -e /proc/$$/fd/$i || "
     "exit 3; done",                                                                  LONG_MS, ""                                      },
    {"blocked here",                        "kill -USR1 $$; exit 0",                  LONG_MS, "ended by signal 10"                    },
    {"ignored here",                        "kill -USR2 $$; exit 0",                  LONG_MS, "ended by signal 12"                    },
    {"failed",                              "exit 3",                                 LONG_MS, "exit status 3"                         },
    {"by signal",                           "kill -TERM $$",                          LONG_MS, "ended by signal 15"                    },
    {"late",                                "sleep 1000",                             20,      "killed, since it had not ended in time"},
    {"late with a child that ignores TERM", "trap '' TERM; sleep 1000 & wait",
     20,                                                                                       "killed, since it had not ended in time"},
};

static void
ends(void **state)
{
    sigset_t blocked, before;
    (void)state;
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &blocked, &before);
    (void)signal(SIGUSR2, SIG_IGN);
    int open_here = dup(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        struct mfx_err err = {""};
        struct mfx_programs *programs = mfx_programs_new(1, take, &seen);
        assert_non_null(programs);
        enum mfx_rc rc = start_shell(programs, cases[i].script, cases[i].label,
                                     cases[i].timeout_ms, &err);
        unit_assert_int(cases[i].label, rc, MFX_OK);
        run(programs);
        unit_assert_int(cases[i].label, seen.ended, 1);
        unit_assert_str(cases[i].label, mfx_str_of(seen.why),
                        mfx_str_of(cases[i].why));
        mfx_programs_free(programs);
        unit_assert_int(cases[i].label, seen.ended, 1);
    }
    (void)close(open_here);
    (void)signal(SIGUSR2, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
}

static void
no_more_than_max(void **state)
{
    struct seen seen = {0};
    struct mfx_err err = {""};
    struct mfx_programs *programs = mfx_programs_new(2, take, &seen);
    (void)state;
    assert_int_equal(start_shell(programs, "sleep 1000", "one", LONG_MS, &err),
                     MFX_OK);
    assert_false(mfx_programs_is_full(programs));
    assert_int_equal(start_shell(programs, "exit 0", "two", LONG_MS, &err),
                     MFX_OK);
    assert_true(mfx_programs_is_full(programs));
    assert_int_equal(start_shell(programs, "exit 0", "three", LONG_MS, &err),
                     MFX_TEMPFAIL);
    assert_string_equal(err.msg, "2 programs run already");
    while (seen.ended == 0) {
        struct pollfd fd = {mfx_programs_fd(programs, 1), POLLIN, 0};
        (void)poll(&fd, 1, 100);
        mfx_programs_look(programs, mfx_mono_ms());
    }
    assert_string_equal(seen.arg, "two");
    assert_int_equal(mfx_programs_running(programs), 1);
    mfx_programs_free(programs);
    assert_int_equal(seen.ended, 2);
    assert_string_equal(seen.arg, "one");
    assert_string_equal(seen.why, "killed, since the daemon ends");
}

static void
what_cannot_be_started(void **state)
{
    struct seen seen = {0};
    struct mfx_err err = {""};
    struct mfx_programs *programs = mfx_programs_new(1, take, &seen);
    char *argv[] = {"/nowhere/at/all", NULL};
    char *environment[] = {NULL};
    (void)state;
    assert_int_equal(
        mfx_programs_start(programs, argv, environment, NULL, 0, &err),
        MFX_TEMPFAIL);
    assert_string_equal(err.msg, "/nowhere/at/all: No such file or directory");
    assert_int_equal(mfx_programs_running(programs), 0);
    assert_true(mfx_programs_next_ms(programs, 5) == UINT64_MAX);
    mfx_programs_free(programs);
    mfx_programs_free(NULL);
    assert_int_equal(seen.ended, 0);
}

static const struct {
    const char *label, *in, *want;
} values[] = {
    {"plain",       "alice@example.org",  "alice@example.org" },
    {"empty",       "",                   ""                  },
    {"shell",       "`id`; $(id) 'a' \"", "`id`; $(id) 'a' \""},
    {"utf8",        "j\xc3\xbcrgen",      "j\xc3\xbcrgen"     },
    {"line_end",    "a\r\nb\tc",          "a??b?c"            },
    {"delete",      "a\x7f",              "a?"                },
    {"latin1",      "j\xfcrgen",          "j?rgen"            },
    {"broken_utf8", "\xc3\xbc\xc3",       "???"               },
};

static void
values_are_clean(void **state)
{
    char out[MFX_PROGRAM_VALUE_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        size_t len = mfx_program_value(mfx_str_of(values[i].in), out);
        unit_assert_str(values[i].label, mfx_str(out, len),
                        mfx_str_of(values[i].want));
        unit_assert_int(values[i].label, out[len], 0);
    }
}

/* Of "aaa...aü" the last character goes whole. */
static void
values_are_cut_between_characters(void **state)
{
    char in[MFX_PROGRAM_VALUE_MAX + 10], out[MFX_PROGRAM_VALUE_MAX + 1];
    (void)state;
    memset(in, 'a', sizeof in);
    assert_int_equal(mfx_program_value(mfx_str(in, sizeof in), out),
                     MFX_PROGRAM_VALUE_MAX);
    memcpy(in + MFX_PROGRAM_VALUE_MAX - 1, "\xc3\xbc", 2);
    assert_int_equal(mfx_program_value(mfx_str(in, sizeof in), out),
                     MFX_PROGRAM_VALUE_MAX - 1);
    memset(in, 'b', sizeof in);
    in[3] = '\0';
    assert_int_equal(mfx_program_value(mfx_str(in, 5), out), 5);
    assert_string_equal(out, "bbb?b");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends),
        cmocka_unit_test(no_more_than_max),
        cmocka_unit_test(what_cannot_be_started),
        cmocka_unit_test(values_are_clean),
        cmocka_unit_test(values_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
