/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/base/log.h>

static char taken[MFX_LOG_LINE_MAX + 1];
static enum mfx_log_level taken_level;
static int taken_count;

static void
take(enum mfx_log_level level, struct mfx_str line, void *arg)
{
    assert_ptr_equal(arg, taken);
    assert_true(line.len < sizeof taken);
    memcpy(taken, line.p, line.len);
    taken[line.len] = '\0';
    taken_level = level;
    taken_count++;
}

static int
redirect(void **state)
{
    (void)state;
    mfx_log_redirect(take, taken);
    return 0;
}

static void
line_of_the_manual(void **state)
{
    struct mfx_log_line line;
    (void)state;
    mfx_log_begin(&line, mfx_str_of("4Bx9k2"), "signed");
    mfx_log_add(&line, "domain", mfx_str_of("example.org"));
    mfx_log_add_u64(&line, "ms", 3);
    mfx_log_end(&line, MFX_LOG_INFO);
    assert_string_equal(taken, "4Bx9k2: signed domain=example.org ms=3");
    assert_int_equal(taken_level, MFX_LOG_INFO);
    mfx_log_begin(&line, mfx_str_of(""), "x");
    mfx_log_add_u64(&line, "max", UINT64_MAX);
    mfx_log_add_format(&line, "at", "%s:%d", "f", 7);
    mfx_log_end(&line, MFX_LOG_ERROR);
    assert_string_equal(taken, "NOQUEUE: x max=18446744073709551615 at=f:7");
    mfx_log_say(MFX_LOG_WARNING, "reload_failed", "why", "no such file");
    assert_string_equal(taken, "reload_failed why=\"no such file\"");
}

static void
values_are_quoted(void **state)
{
    static const struct {
        const char *label;
        struct mfx_str value;
        const char *want;
    } cases[] = {
        {"plain",     MFX_STR("a.b-c_d@e/f"), "e k=a.b-c_d@e/f"      },
        {"empty",     MFX_STR(""),            "e k=\"\""             },
        {"space",     MFX_STR("a b"),         "e k=\"a b\""          },
        {"equals",    MFX_STR("a=b"),         "e k=\"a=b\""          },
        {"quote",     MFX_STR("a\"b"),        "e k=\"a\\\"b\""       },
        {"backslash", MFX_STR("a\\b"),        "e k=\"a\\\\b\""       },
        {"new_line",  MFX_STR("a\nfake: x"),  "e k=\"a\\x0afake: x\""},
        {"return",    MFX_STR("a\r"),         "e k=\"a\\x0d\""       },
        {"nul",       MFX_STR("a\0b"),        "e k=\"a\\x00b\""      },
        {"escape",    MFX_STR("\x1b[2J"),     "e k=\"\\x1b[2J\""     },
        {"delete",    MFX_STR("\x7f"),        "e k=\"\\x7f\""        },
        {"utf8",      MFX_STR("\xC3\xA9"),    "e k=\"\\xc3\\xa9\""   },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_log_line line;
        mfx_log_begin_daemon(&line, "e");
        mfx_log_add(&line, "k", cases[i].value);
        mfx_log_end(&line, MFX_LOG_INFO);
        unit_assert_str(cases[i].label, mfx_str_of(taken),
                        mfx_str_of(cases[i].want));
    }
}

static void
queue_id_cannot_break_the_line(void **state)
{
    struct mfx_log_line line;
    (void)state;
    mfx_log_begin(&line, mfx_str_of("a\nb"), "e");
    mfx_log_end(&line, MFX_LOG_INFO);
    assert_string_equal(taken, "a\\x0ab: e");
}

static void
long_values_are_cut(void **state)
{
    char value[MFX_LOG_VALUE_MAX + 2];
    struct mfx_log_line line;
    (void)state;
    memset(value, 'x', sizeof value);
    mfx_log_begin_daemon(&line, "e");
    mfx_log_add(&line, "k", mfx_str(value, MFX_LOG_VALUE_MAX));
    mfx_log_end(&line, MFX_LOG_INFO);
    assert_int_equal(strlen(taken), 4 + MFX_LOG_VALUE_MAX);
    mfx_log_begin_daemon(&line, "e");
    mfx_log_add(&line, "k", mfx_str(value, MFX_LOG_VALUE_MAX + 1));
    mfx_log_end(&line, MFX_LOG_INFO);
    assert_int_equal(strlen(taken), 4 + MFX_LOG_VALUE_MAX + 3);
    assert_string_equal(taken + 4 + MFX_LOG_VALUE_MAX, "...");
    /* by format: cut in the same way */
    mfx_log_begin_daemon(&line, "e");
    mfx_log_add_format(&line, "k", "%1000d", 1);
    mfx_log_end(&line, MFX_LOG_INFO);
    assert_string_equal(taken + strlen(taken) - 4, "...\"");
}

/* A line that is full ends with "..." behind a whole escape, and takes no
 * more. */
static void
long_lines_are_cut(void **state)
{
    char value[MFX_LOG_VALUE_MAX];
    struct mfx_log_line line;
    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        memset(value, 1, sizeof value);
        memset(value, 'a', shift);
        mfx_log_begin_daemon(&line, "e");
        for (int i = 0; i < 10; i++)
            mfx_log_add(&line, "k", mfx_str(value, sizeof value));
        mfx_log_add_u64(&line, "late", 1);
        mfx_log_end(&line, MFX_LOG_INFO);
        size_t len = strlen(taken);
        assert_in_range(len, MFX_LOG_LINE_MAX - 20, MFX_LOG_LINE_MAX - 1);
        assert_string_equal(taken + len - 3, "...");
        assert_memory_equal(taken + len - 7, "\\x01", 4);
    }
}

static void
levels(void **state)
{
    enum mfx_log_level level = MFX_LOG_ERROR;
    (void)state;
    assert_int_equal(mfx_log_get_level(), MFX_LOG_INFO);
    taken_count = 0;
    mfx_log_say(MFX_LOG_DEBUG, "e", "k", "v");
    assert_int_equal(taken_count, 0);
    assert_false(mfx_log_wants(MFX_LOG_DEBUG));
    for (int i = MFX_LOG_ERROR; i <= MFX_LOG_DEBUG; i++) {
        const char *name = mfx_log_level_name((enum mfx_log_level)i);
        assert_int_equal(mfx_log_level_parse(mfx_str_of(name), &level), MFX_OK);
        assert_int_equal(level, i);
        mfx_log_set_level(level);
        assert_true(mfx_log_wants(level));
        taken_count = 0;
        for (int j = MFX_LOG_ERROR; j <= MFX_LOG_DEBUG; j++)
            mfx_log_say((enum mfx_log_level)j, "e", "k", "v");
        assert_int_equal(taken_count, i + 1);
    }
    assert_int_equal(mfx_log_level_parse(mfx_str_of("loud"), &level),
                     MFX_NOTFOUND);
    assert_int_equal(mfx_log_level_parse(mfx_str_of(""), &level), MFX_NOTFOUND);
    mfx_log_set_level(MFX_LOG_INFO);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_of_the_manual),
        cmocka_unit_test(values_are_quoted),
        cmocka_unit_test(queue_id_cannot_break_the_line),
        cmocka_unit_test(long_values_are_cut),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(levels),
    };
    return cmocka_run_group_tests(tests, redirect, NULL);
}
