/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "../../milters/score/symbols.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define NAMED(n)           \
    {                      \
        .name = MFX_STR(n) \
    }
#define SCORED(n, sc)                                        \
    {                                                        \
        .name = MFX_STR(n), .has_score = true, .score = (sc) \
    }

/* What is counted under a name; hits 0: nothing. */
static struct score_symbol
find(struct score_symbols *s, struct mfx_str name)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    const struct score_symbol *rows;
    struct score_symbol found = {.hits = 0};
    size_t count = 0;
    assert_int_equal(score_symbols_list(s, arena, &rows, &count), MFX_OK);
    for (size_t i = 0; i < count; i++)
        if (mfx_str_eq(rows[i].name, name))
            found = rows[i];
    mfx_arena_free(arena);
    found.name = name;
    return found;
}

static const struct mfx_scan_symbol ham[] = {
    SCORED("BAYES", 5.0),
    SCORED("DKIM_VALID", -0.1),
    NAMED("NO_SCORE"),
};
static const struct mfx_scan_symbol spam[] = {
    SCORED("BAYES", 5.0), SCORED("bayes", 0.001), SCORED("DOWN", -1.2346),
    SCORED("TWICE", 1.0), SCORED("TWICE", 2.0),   NAMED("NO_SCORE"),
};
static const struct mfx_scan_symbol odd[] = {
    SCORED("BAYES", 1.5),
    SCORED("NAN", (double)NAN),
    SCORED("INFINITE", -(double)INFINITY),
    SCORED("HUGE", 1e300),
    NAMED(""),
    NAMED("A\r\nB c\x80"),
    NAMED("A\r\nB c\x81"),
};

static const struct {
    const char *label;
    struct mfx_str name;
    uint64_t hits, spam_hits, scored;
    int64_t sum;
    uint64_t last_s;
} wanted[] = {
    {"in all three",       MFX_STR("BAYES"),      3, 1, 3, 11500, 30},
    {"negative",           MFX_STR("DKIM_VALID"), 1, 0, 1, -100,  10},
    {"no score",           MFX_STR("NO_SCORE"),   2, 1, 0, 0,     20},
    {"another case",       MFX_STR("bayes"),      1, 1, 1, 1,     20},
    {"rounded",            MFX_STR("DOWN"),       1, 1, 1, -1235, 20},
    {"twice in a message", MFX_STR("TWICE"),      2, 2, 2, 3000,  20},
    {"not_there",          MFX_STR("NOT"),        0, 0, 0, 0,     0 },
    {"score_nan",          MFX_STR("NAN"),        1, 0, 0, 0,     30},
    {"score_infinite",     MFX_STR("INFINITE"),   1, 0, 0, 0,     30},
    {"score_huge",         MFX_STR("HUGE"),       1, 0, 0, 0,     30},
    {"name_empty",         MFX_STR(""),           0, 0, 0, 0,     0 },
    {"name_unprintable",   MFX_STR("A??B?c?"),    2, 0, 0, 0,     30},
};

static void
counts(void **state)
{
    (void)state;
    struct score_symbols *s = score_symbols_new(100);
    assert_non_null(s);
    score_symbols_count(s, ham, COUNT(ham), false, 10);
    score_symbols_count(s, spam, COUNT(spam), true, 20);
    score_symbols_count(s, odd, COUNT(odd), false, 30);
    for (size_t i = 0; i < COUNT(wanted); i++) {
        const char *label = wanted[i].label;
        struct score_symbol got = find(s, wanted[i].name);
        unit_assert_int(label, got.hits, wanted[i].hits);
        unit_assert_int(label, got.spam_hits, wanted[i].spam_hits);
        unit_assert_int(label, got.scored, wanted[i].scored);
        unit_assert_int(label, got.score_sum, wanted[i].sum);
        unit_assert_int(label, got.last_s, wanted[i].last_s);
    }
    score_symbols_free(s);
}

/* --- limits --- */

static struct mfx_str
number(char room[32], const char *prefix, int n)
{
    return mfx_str(room, (size_t)snprintf(room, 32, "%s%d", prefix, n));
}

static void
count_name(struct score_symbols *s, const char *prefix, int n, unsigned times,
           uint64_t now_s)
{
    char room[32];
    const struct mfx_scan_symbol one = {.name = number(room, prefix, n)};
    for (unsigned i = 0; i < times; i++)
        score_symbols_count(s, &one, 1, false, now_s);
}

static size_t
count_rows(struct score_symbols *s)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    const struct score_symbol *rows;
    size_t count = 0;
    assert_int_equal(score_symbols_list(s, arena, &rows, &count), MFX_OK);
    for (size_t i = 1; i < count; i++)
        assert_true(rows[i - 1].hits >= rows[i].hits);
    mfx_arena_free(arena);
    return count;
}

/* Of 100, 50 were seen ten times: they outlive any number of new names, of
 * which the last ones are there. */
static void
least_used_give_way(void **state)
{
    char room[32];
    (void)state;
    struct score_symbols *s = score_symbols_new(100);
    for (int i = 0; i < 50; i++)
        count_name(s, "OFTEN_", i, 10, 1);
    for (int i = 0; i < 10000; i++) {
        count_name(s, "ONCE_", i, 1, 2 + (uint64_t)i);
        assert_true(i % 100 != 0 || count_rows(s) <= 100);
    }
    for (int i = 0; i < 50; i++)
        unit_assert_int("often", find(s, number(room, "OFTEN_", i)).hits, 10);
    for (int i = 9975; i < 10000; i++)
        unit_assert_int("last", find(s, number(room, "ONCE_", i)).hits, 1);
    unit_assert_int("first", find(s, number(room, "ONCE_", 0)).hits, 0);
    score_symbols_set_max(s, 10);
    count_name(s, "NEW_", 0, 1, 20000);
    assert_true(count_rows(s) <= 10);
    score_symbols_free(s);
}

static void
names_are_cut(void **state)
{
    char name[1000];
    (void)state;
    struct score_symbols *s = score_symbols_new(100);
    memset(name, 'x', sizeof name);
    const struct mfx_scan_symbol items[] = {
        {.name = mfx_str(name, SCORE_SYMBOL_NAME_MAX)},
        {.name = mfx_str(name, sizeof name)},
    };
    score_symbols_count(s, items, COUNT(items), false, 1);
    unit_assert_int("cut", find(s, items[0].name).hits, 2);
    unit_assert_int("cut", count_rows(s), 1);
    score_symbols_free(s);
}

static void
a_message_has_an_end(void **state)
{
    enum {
        MANY = 5000,
    };
    (void)state;
    struct mfx_scan_symbol *items = calloc(MANY, sizeof *items);
    char(*rooms)[32] = calloc(MANY, sizeof *rooms);
    struct score_symbols *s = score_symbols_new(100000);
    for (int i = 0; i < MANY; i++)
        items[i].name = number(rooms[i], "S", i);
    score_symbols_count(s, items, MANY, false, 1);
    unit_assert_int("many", count_rows(s), SCORE_SYMBOLS_OF_MESSAGE);
    score_symbols_free(s);
    free(rooms);
    free(items);
}

/* --- threads --- */

enum {
    THREADS = 4,
    ROUNDS = 2000,
};

static void *
count_many(void *arg)
{
    struct score_symbols *s = arg;
    for (int i = 0; i < ROUNDS; i++) {
        score_symbols_count(s, spam, COUNT(spam), true, (uint64_t)i);
        count_name(s, "ROUND_", i, 1, (uint64_t)i);
        if (i % 500 == 0)
            (void)count_rows(s);
    }
    return NULL;
}

static void
from_any_thread(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    struct score_symbols *s = score_symbols_new(200);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, s), 0);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    struct score_symbol got = find(s, mfx_str_of("BAYES"));
    unit_assert_int("all", got.hits, THREADS * ROUNDS);
    unit_assert_int("all", got.spam_hits, THREADS * ROUNDS);
    unit_assert_int("all", got.score_sum, THREADS * ROUNDS * 5000);
    score_symbols_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(least_used_give_way),
        cmocka_unit_test(names_are_cut),
        cmocka_unit_test(a_message_has_an_end),
        cmocka_unit_test(from_any_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
