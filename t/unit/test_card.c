/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mfx/base/clock.h>

#include "../../milters/dkim/rotation/card.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LEAST        "domain = \"example.org\"; selector = \"b\";"

/* Times: GNU date(1), `date -u -d TEXT +%s`. */
static const struct {
    const char *label, *text;
    enum mfx_rc rc;
    uint64_t time_s;
} times[] = {
    {"the epoch",        "1970-01-01T00:00:00Z",      MFX_OK,       0         },
    {"a date",           "2026-11-21",                MFX_OK,       1795219200},
    {"a time",           "2026-11-21T03:30:00Z",      MFX_OK,       1795231800},
    {"a leap day",       "2028-02-29T23:59:59Z",      MFX_OK,       1835481599},
    {"no_leap_day",      "2026-02-29",                MFX_PERMFAIL, 0         },
    {"month_13",         "2026-13-01",                MFX_PERMFAIL, 0         },
    {"hour_24",          "2026-01-01T24:00:00Z",      MFX_PERMFAIL, 0         },
    {"second_60",        "2026-01-01T00:00:60Z",      MFX_PERMFAIL, 0         },
    {"no_zone",          "2026-01-01T00:00:00",       MFX_PERMFAIL, 0         },
    {"another_zone",     "2026-01-01T00:00:00+01:00", MFX_PERMFAIL, 0         },
    {"seconds",          "1795219200",                MFX_PERMFAIL, 0         },
    {"before_1970",      "1969-12-31",                MFX_PERMFAIL, 0         },
    {"something_behind", "2026-11-21 ",               MFX_PERMFAIL, 0         },
    {"empty",            "",                          MFX_PERMFAIL, 0         },
};

static void
test_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        uint64_t got = 0;
        enum mfx_rc rc = dkim_card_time_parse(mfx_str_of(times[i].text), &got);
        unit_assert_int(times[i].label, rc, times[i].rc);
        if (rc == MFX_OK)
            unit_assert_int(times[i].label, got, times[i].time_s);
    }
    char text[MFX_CLOCK_TEXT];
    unit_assert_str("format", mfx_str_of(mfx_clock_text(1835481599, text)),
                    mfx_str_of("2028-02-29T23:59:59Z"));
}

static void
test_whole(void **state)
{
    (void)state;
    static const struct mfx_str text =
        MFX_STR("# a comment\n// another\n/* and\n one more */\n"
                "domain = \"Example.ORG\";\n"
                "selector : \"2026b\",\n"
                "algorithm = \"rsa-sha256\"\n"
                "created = \"2026-11-21\";"
                "not_before=\"2026-11-22T00:00:00Z\";\n"
                "replaces = \"2026a\"; replaces_key = \"mail.pem\";\n"
                "retired = \"2027-01-01\";\n"
                "comment = \"of \\\"us\\\" \\\\\";\n");
    struct mfx_arena *arena = mfx_arena_new(0);
    struct dkim_card card;
    struct mfx_err err = {""};
    assert_int_equal(dkim_card_parse(text, "x", arena, &card, &err), MFX_OK);
    unit_assert_str("domain", card.domain, mfx_str_of("example.org"));
    unit_assert_str("selector", card.selector, mfx_str_of("2026b"));
    unit_assert_str("algorithm", card.algorithm, mfx_str_of("rsa-sha256"));
    unit_assert_str("replaces", card.replaces, mfx_str_of("2026a"));
    unit_assert_str("replaces_key", card.replaces_key, mfx_str_of("mail.pem"));
    unit_assert_str("comment", card.comment, mfx_str_of("of \"us\" \\"));
    unit_assert_int("created", card.created_s, 1795219200);
    unit_assert_int("not_before", card.not_before_s, 1795305600);
    unit_assert_int("retired", card.retired_s, 1798761600);
    mfx_arena_free(arena);
}

static const struct {
    const char *label, *text, *message;
} malformed[] = {
    {"empty",               "",                                              "x: domain is missing or no domain"},
    {"no_selector",         "domain=\"a.org\";",                             "x: selector is missing"           },
    {"no_domain",           "selector=\"a\";",                               "x: domain is missing"             },
    {"domain_with_path",    "domain=\"../a\"; selector=\"a\";",              "x: domain is"                     },
    {"unknown_name",        LEAST "\nselectors = \"a\";",                    "x:2: a name that no card"         },
    {"group",               LEAST "\nx = { };",                              "x:2: a string in quotes"          },
    {"number",              LEAST "\nnot_before = 17;",                      "x:2: a string in quotes"          },
    {"twice",               LEAST "\n\ndomain = \"a\";",                     "x:3: this name was given before"  },
    {"no_end_of_string",    "domain = \"exam",                               "x:1: a string without end"        },
    {"line_in_string",      "domain = \"exam\nple\";",                       "x:1: a string without end"        },
    {"escape",              "domain = \"\\x41\";",                           "x:1: only \\\" and"               },
    {"comment_without_end", LEAST "\n/* a\n\n",                              "x:4: a comment without end"       },
    {"no_equals",           "domain \"a\";",                                 "x:1: = is wanted"                 },
    {"name_alone",          LEAST "comment",                                 "x:1: = is wanted"                 },
    {"junk",                LEAST "\n!",                                     "x:2: a name is wanted"            },
    {"wrong_time",          LEAST "not_before = \"soon\";",                  "x:1: no time"                     },
    {"algorithm",           LEAST "algorithm = \"rsa\";",                    "x: algorithm is neither"          },
    {"itself",              LEAST "replaces = \"B\";",                       "x: a key cannot replace itself"   },
    {"replaces_space",      LEAST "replaces = \"a b\";",                     "x: replaces is no"                },
    {"path",                LEAST "replaces_key = \"../k\";",                "x: replaces_key is a file"        },
    {"shared_alone",        "domain=\"*\"; selector=\"b\"; replaces=\"a\";",
     "x: domain \"*\" wants"                                                                                    },
};

static void
test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(malformed); i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct dkim_card card;
        struct mfx_err err = {""};
        unit_assert_int(malformed[i].label,
                        dkim_card_parse(mfx_str_of(malformed[i].text), "x",
                                        arena, &card, &err),
                        MFX_PERMFAIL);
        struct mfx_str want = mfx_str_of(malformed[i].message);
        unit_assert_str(malformed[i].label,
                        mfx_str_head(mfx_str_of(err.msg), want.len), want);
        mfx_arena_free(arena);
    }
}

static void
test_write(void **state)
{
    (void)state;
    char dir[] = "/tmp/mfx-card-XXXXXX", path[64], other[64];
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_err err = {""};
    struct stat st;
    const struct dkim_card card = {
        .domain = MFX_STR("example.org"),
        .selector = MFX_STR("2026b"),
        .replaces = MFX_STR("2026a"),
        .created_s = 1795219200,
        .comment = MFX_STR("\"quoted\" \\ and\na line"),
    };
    struct dkim_card got;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/a.pem.card", dir);
    (void)snprintf(other, sizeof other, "%s/none/a.pem.card", dir);
    (void)umask(077);
    for (int i = 0; i < 2; i++) /* new, then replaced */
        assert_int_equal(dkim_card_write(path, &card, &err), MFX_OK);
    assert_int_equal(stat(path, &st), 0);
    unit_assert_int("mode", st.st_mode & 07777, 0644);
    unit_assert_int("nothing else lies there", st.st_nlink, 1);
    assert_int_equal(dkim_card_read(path, arena, &got, &err), MFX_OK);
    unit_assert_str("domain", got.domain, card.domain);
    unit_assert_str("replaces", got.replaces, card.replaces);
    unit_assert_int("created", got.created_s, card.created_s);
    unit_assert_str("comment", got.comment,
                    mfx_str_of("\"quoted\" \\ and a line"));
    unit_assert_int("no such directory", dkim_card_write(other, &card, &err),
                    MFX_PERMFAIL);
    unit_assert_int("not there", dkim_card_read(other, arena, &got, &err),
                    MFX_NOTFOUND);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0); /* no temporary file was left */
    mfx_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
