/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The index of a refile table against a plain scan with regexec(3).
 */
#include <regex.h>
#include <stdio.h>
#include <time.h>

#include <mfx/conf/table.h>

#include "conf_files.h"
#include "unit.h"

static void
fixed(void **state)
{
    static const struct {
        const char *label, *pattern, *key;
        bool want;
    } cases[] = {
        {"any_user",             "*@example.org",       "a@example.org",       true },
        {"any_user_case",        "*@Example.org",       "A@eXample.ORG",       true },
        {"any_user_empty",       "*@example.org",       "@example.org",        true },
        {"any_user_sub",         "*@example.org",       "a@b.example.org",     false},
        {"any_sub",              "*.example.org",       "a@b.example.org",     true },
        {"any_sub_not_itself",   "*.example.org",       "a@example.org",       false},
        {"dot_is_literal",       "*@example.org",       "a@examplexorg",       false},
        {"star_runs_into_words", "*example.com",        "a@notexample.com",    true },
        {"exact",                "a@example.org",       "a@example.org",       true },
        {"anchored_at_start",    "a@example.org",       "ba@example.org",      false},
        {"anchored_at_end",      "a@example.org",       "a@example.orgb",      false},
        {"plus_is_literal",      "a+*@example.org",     "a+b@example.org",     true },
        {"plus_does_not_repeat", "a+@example.org",      "aa@example.org",      false},
        {"user_anywhere",        "a@*",                 "a@b.c",               true },
        {"user_anywhere_two",    "a@*",                 "a@b@c",               true },
        {"user_anywhere_other",  "a@*",                 "ba@b",                false},
        {"two_at",               "a@b@*",               "a@b@c",               true },
        {"middle",               "*@*.example.*",       "a@b.example.org",     true },
        {"middle_absent",        "*@*.example.*",       "a@example.org",       false},
        {"class",                "[ab]@example.org",    "b@example.org",       true },
        {"group",                "(a|b)@example.org",   "b@example.org",       true },
        {"group_anchored",       "(a|b)@example.org",   "bb@example.org",      false},
        {"question",             "ab?@example.org",     "a@example.org",       true },
        {"count",                "a{2}@example.org",    "aa@example.org",      true },
        {"backslash",            "a\\*@example.org",    "a\\@example.org",     false},
        {"utf8",                 "*@b\xC3\xBC.example", "a@b\xC3\xBC.example", true },
        {"star_alone",           "*",                   "",                    true },
        {"stars",                "**",                  "x",                   true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct conf_files files;
        struct mfx_problems problems;
        struct mfx_table *table;
        struct mfx_str value;
        conf_files_init(&files);
        mfx_problems_init(&problems, files.arena);
        struct mfx_table_set *set = mfx_table_set_new(NULL);
        const char *path = conf_files_write(
            &files, "t",
            mfx_arena_printf(files.arena, "%s 1\n", cases[i].pattern));
        assert_int_equal(
            mfx_table_open(set,
                           mfx_arena_printf(files.arena, "refile:%s", path),
                           MFX_TABLE_NOCASE, "", 0, &problems, &table),
            MFX_OK);
        unit_assert_int(cases[i].label,
                        mfx_table_get(table, mfx_str_of(cases[i].key),
                                      files.arena, &value, NULL) == MFX_OK,
                        cases[i].want);
        mfx_table_set_free(set);
        conf_files_fini(&files);
    }
}

/* A small generator, so that a failure comes again. */
static uint32_t seed = 20260101;

static uint32_t
draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void
draw_from(const char *const *pieces, uint32_t count, uint32_t most, char *out)
{
    size_t len = 0;
    uint32_t n = draw(most) + 1;
    for (uint32_t i = 0; i < n; i++) {
        const char *piece = pieces[draw(count)];
        memcpy(out + len, piece, strlen(piece));
        len += strlen(piece);
    }
    out[len] = '\0';
}

static const char *const glob_pieces[] = {
    "a", "b", "A", "@", ".", "*", "+", "ab.", "@a.b", ".b", "*@", "*.",
};
static const char *const regex_pieces[] = {
    "a",  "b", "@", ".",    "*", "+",   "[ab]", "(a|b)",
    "b?", "^", "$", "a{2}", "|", "\\.", "\\\\",
};
static const char *const key_pieces[] = {
    "a", "b", "B", "@", ".", "+", "ab.", "@a.b", ".b", "\\",
};

enum {
    ROWS = 60,
    KEYS = 60,
    ROUNDS = 150,
    PIECES = 7,
    TEXT = 64,
};

struct scan {
    char patterns[ROWS][TEXT];
    regex_t regex[ROWS];
    size_t count;
};

/* The documented rule: * is .*, . and + are themselves, between ^ and $. */
static bool
add_to_scan(struct scan *scan, const char *pattern, bool fold)
{
    char text[TEXT * 2 + 3];
    size_t len = 0;
    text[len++] = '^';
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p == '*')
            text[len++] = '.';
        if (*p == '.' || *p == '+')
            text[len++] = '\\';
        text[len++] = *p;
    }
    text[len++] = '$';
    text[len] = '\0';
    if (regcomp(&scan->regex[scan->count], text,
                REG_EXTENDED | REG_NOSUB | (fold ? REG_ICASE : 0)) != 0)
        return false;
    memcpy(scan->patterns[scan->count++], pattern, strlen(pattern) + 1);
    return true;
}

static void
fill(struct scan *scan, uint32_t regex_percent, bool fold)
{
    char pattern[TEXT];
    scan->count = 0;
    while (scan->count < ROWS) {
        if (draw(100) < regex_percent)
            draw_from(regex_pieces,
                      sizeof regex_pieces / sizeof regex_pieces[0], PIECES,
                      pattern);
        else
            draw_from(glob_pieces, sizeof glob_pieces / sizeof glob_pieces[0],
                      PIECES, pattern);
        (void)add_to_scan(scan, pattern, fold);
    }
}

struct numbers {
    unsigned rows[ROWS];
    size_t count;
};

static bool
note_row(const struct mfx_table_row *row, void *arg)
{
    struct numbers *numbers = arg;
    numbers->rows[numbers->count++] = row->line;
    return true;
}

static void
compare(struct mfx_table *table, const struct scan *scan, const char *key,
        struct mfx_arena *arena)
{
    struct numbers got = {.count = 0}, want = {.count = 0};
    struct mfx_str value;
    for (size_t i = 0; i < scan->count; i++)
        if (regexec(&scan->regex[i], key, 0, NULL, 0) == 0)
            want.rows[want.count++] = (unsigned)i + 1;
    enum mfx_rc rc =
        mfx_table_each(table, mfx_str_of(key), arena, note_row, &got, NULL);
    unit_assert_int(key, rc, want.count > 0 ? MFX_OK : MFX_NOTFOUND);
    unit_assert_int(key, got.count, want.count);
    for (size_t i = 0; i < want.count; i++)
        if (got.rows[i] != want.rows[i])
            fail_msg("%s: row %u (%s), want %u (%s)", key, got.rows[i],
                     scan->patterns[got.rows[i] - 1], want.rows[i],
                     scan->patterns[want.rows[i] - 1]);
    rc = mfx_table_get(table, mfx_str_of(key), arena, &value, NULL);
    assert_int_equal(rc == MFX_OK, want.count > 0);
    if (rc == MFX_OK)
        unit_assert_str(key, value,
                        mfx_arena_printf(arena, "v%u", want.rows[0]));
}

static void
one_round(struct scan *scan, bool fold)
{
    struct conf_files files;
    struct mfx_problems problems;
    struct mfx_table *table;
    struct mfx_buf text;
    char key[TEXT];
    conf_files_init(&files);
    mfx_problems_init(&problems, files.arena);
    mfx_buf_init_arena(&text, files.arena, 1 << 20);
    for (size_t i = 0; i < scan->count; i++)
        mfx_buf_printf(&text, "%s v%zu\n", scan->patterns[i], i + 1);
    const char *path = conf_files_write(&files, "t", mfx_buf_str(&text));
    struct mfx_table_set *set = mfx_table_set_new(NULL);
    assert_int_equal(
        mfx_table_open(set, mfx_arena_printf(files.arena, "refile:%s", path),
                       fold ? MFX_TABLE_NOCASE : MFX_TABLE_CASE, "", 0,
                       &problems, &table),
        MFX_OK);
    for (int i = 0; i < KEYS; i++) {
        draw_from(key_pieces, sizeof key_pieces / sizeof key_pieces[0], PIECES,
                  key);
        compare(table, scan, key, files.arena);
    }
    compare(table, scan, "", files.arena);
    mfx_table_set_free(set);
    conf_files_fini(&files);
}

static void
same_as_a_scan(void **state)
{
    static const uint32_t percents[] = {0, 5, 60};
    static struct scan scan;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        bool fold = i % 2 == 0;
        fill(&scan, percents[i % 3], fold);
        one_round(&scan, fold);
        for (size_t r = 0; r < scan.count; r++)
            regfree(&scan.regex[r]);
    }
}

/* Many buckets hit by one key: more than fit beside each other. */
static void
many_nested_tails(void **state)
{
    struct conf_files files;
    struct mfx_problems problems;
    struct mfx_table *table;
    struct mfx_buf text, key;
    struct numbers got = {.count = 0};
    (void)state;
    conf_files_init(&files);
    mfx_problems_init(&problems, files.arena);
    mfx_buf_init_arena(&text, files.arena, 1 << 20);
    mfx_buf_init_arena(&key, files.arena, 1 << 20);
    for (int i = 0; i < 50; i++) {
        mfx_buf_add_text(&key, ".a");
        mfx_buf_printf(&text, "*%s 1\n", mfx_buf_text(&key));
    }
    const char *path = conf_files_write(&files, "t", mfx_buf_str(&text));
    struct mfx_table_set *set = mfx_table_set_new(NULL);
    assert_int_equal(
        mfx_table_open(set, mfx_arena_printf(files.arena, "refile:%s", path),
                       MFX_TABLE_NOCASE, "", 0, &problems, &table),
        MFX_OK);
    assert_int_equal(mfx_table_each(table, mfx_buf_str(&key), files.arena,
                                    note_row, &got, NULL),
                     MFX_OK);
    assert_int_equal(got.count, 50);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(got.rows[i], i + 1);
    mfx_table_set_free(set);
    conf_files_fini(&files);
}

static uint64_t
now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct mfx_str
large_text(struct conf_files *files, unsigned rows)
{
    struct mfx_buf text;
    mfx_buf_init_arena(&text, files->arena, 1 << 30);
    for (unsigned i = 0; i < rows; i++)
        mfx_buf_printf(&text, "%s%u.example.org key%u\n",
                       i % 2 == 0 ? "*@d" : "*.d", i / 2, i);
    return mfx_buf_str(&text);
}

/* Each of 100,000 rows is found; what it took is told, and must not grow with
 * the rows. */
static void
large(void **state)
{
    enum {
        LARGE = 100000,
        ASKED = 20000,
    };
    uint64_t took[2] = {0, 0};
    (void)state;
    for (int round = 0; round < 2; round++) {
        unsigned count = round == 0 ? 10 : LARGE;
        struct conf_files files;
        struct mfx_problems problems;
        struct mfx_table *table;
        conf_files_init(&files);
        mfx_problems_init(&problems, files.arena);
        const char *path =
            conf_files_write(&files, "t", large_text(&files, count));
        struct mfx_table_set *set = mfx_table_set_new(NULL);
        uint64_t start = now_us();
        assert_int_equal(
            mfx_table_open(set,
                           mfx_arena_printf(files.arena, "refile:%s", path),
                           MFX_TABLE_NOCASE, "", 0, &problems, &table),
            MFX_OK);
        uint64_t loaded = now_us();
        struct mfx_arena *arena = mfx_arena_new(0);
        for (unsigned i = 0; i < ASKED; i++) {
            unsigned row = i * 5 % count;
            struct mfx_str value;
            struct mfx_str key =
                mfx_arena_printf(arena, "user%s%u.example.org",
                                 row % 2 == 0 ? "@d" : "@x.d", row / 2);
            uint64_t before = now_us();
            enum mfx_rc rc = mfx_table_get(table, key, arena, &value, NULL);
            took[round] += now_us() - before;
            assert_int_equal(rc, MFX_OK);
            struct mfx_str want = mfx_arena_printf(arena, "key%u", row);
            unit_assert_str(key.p, value, want);
            mfx_arena_reset(arena);
        }
        mfx_arena_free(arena);
        print_message("# %u rows: loaded in %llu ms, %u lookups in %llu ms\n",
                      count, (unsigned long long)(loaded - start) / 1000,
                      (unsigned)ASKED, (unsigned long long)took[round] / 1000);
        mfx_table_set_free(set);
        conf_files_fini(&files);
    }
    /* a scan would be some thousand times as slow */
    assert_true(took[1] < took[0] * 50 + 100000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed),
        cmocka_unit_test(same_as_a_scan),
        cmocka_unit_test(many_nested_tails),
        cmocka_unit_test(large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
