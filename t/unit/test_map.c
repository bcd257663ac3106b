/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/base/map.h>

static int values[2000];

static void
letter_case(void **state)
{
    static const struct {
        const char *label, *put, *get;
        bool nocase, exact;
    } cases[] = {
        {"same",           "example.org",                "example.org",                true,  true },
        {"other_case",     "example.org",                "EXAMPLE.ORG",                true,  false},
        {"long_key",       "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
         true,                                                                                false},
        {"mixed_in_word",  "aBcDeFgH",                   "AbCdEfGh",                   true,  false},
        {"at_sign",        "@",                          "`",                          false, false},
        {"bracket",        "[",                          "{",                          false, false},
        {"high_bytes",     "\xC1\xDA",                   "\xE1\xFA",                   false, false},
        {"prefix",         "example",                    "example.org",                false, false},
        {"empty",          "",                           "",                           true,  true },
        {"empty_or_not",   "",                           "a",                          false, false},
        {"eight_and_nine", "12345678",                   "123456789",                  false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int fold = MFX_MAP_CASE; fold <= MFX_MAP_NOCASE; fold++) {
            struct mfx_map *m = mfx_map_new((enum mfx_map_case)fold, 0);
            bool want =
                fold == MFX_MAP_NOCASE ? cases[i].nocase : cases[i].exact;
            assert_int_equal(mfx_map_put(m, mfx_str_of(cases[i].put), values),
                             MFX_OK);
            void *got = mfx_map_get(m, mfx_str_of(cases[i].get));
            unit_assert_int(cases[i].label, got != NULL, want);
            unit_assert_int(cases[i].label,
                            mfx_map_hash(m, mfx_str_of(cases[i].put)) ==
                                mfx_map_hash(m, mfx_str_of(cases[i].get)),
                            want);
            mfx_map_free(m);
        }
    }
}

static void
nul_bytes_are_part_of_the_key(void **state)
{
    struct mfx_map *m = mfx_map_new(MFX_MAP_CASE, 0);
    (void)state;
    assert_int_equal(mfx_map_put(m, mfx_str("a", 1), &values[0]), MFX_OK);
    assert_int_equal(mfx_map_put(m, mfx_str("a\0", 2), &values[1]), MFX_OK);
    assert_ptr_equal(mfx_map_get(m, mfx_str("a", 1)), &values[0]);
    assert_ptr_equal(mfx_map_get(m, mfx_str("a\0", 2)), &values[1]);
    assert_null(mfx_map_get(m, mfx_str("a\0\0", 3)));
    mfx_map_free(m);
}

/* The model: an array with one place for each possible key. */
enum {
    KEYS = 700
};

static void
check_against(const struct mfx_map *m, char names[KEYS][16],
              void *const model[KEYS])
{
    size_t count = 0, visited = 0, cursor = 0;
    struct mfx_str key;
    void *value;
    for (size_t i = 0; i < KEYS; i++) {
        assert_ptr_equal(mfx_map_get(m, mfx_str_of(names[i])), model[i]);
        count += model[i] != NULL;
    }
    assert_int_equal(mfx_map_count(m), count);
    while (mfx_map_next(m, &cursor, &key, &value)) {
        assert_ptr_equal(mfx_map_get(m, key), value);
        visited++;
    }
    assert_int_equal(visited, count);
}

static void
agrees_with_a_reference_model(void **state)
{
    static char names[KEYS][16];
    static void *model[KEYS];
    struct mfx_map *m = mfx_map_new(MFX_MAP_NOCASE, 0);
    uint32_t random = 1;
    (void)state;
    for (size_t i = 0; i < KEYS; i++)
        (void)snprintf(names[i], sizeof names[i], "Key%zu.example", i);
    for (size_t step = 0; step < 60000; step++) {
        random = random * 1103515245u + 12345u;
        size_t i = (random >> 12) % KEYS;
        /* grow for a while, then shrink: long runs come and go */
        if ((random >> 28) < (step / 10000 % 2 == 0 ? 11 : 5)) {
            model[i] = &values[random % 2000];
            assert_int_equal(mfx_map_put(m, mfx_str_of(names[i]), model[i]),
                             MFX_OK);
        } else {
            assert_ptr_equal(mfx_map_remove(m, mfx_str_of(names[i])), model[i]);
            model[i] = NULL;
        }
        if (step % 1000 == 0)
            check_against(m, names, model);
    }
    check_against(m, names, model);
    mfx_map_free(m);
    mfx_map_free(NULL);
}

static void
second_put_keeps_the_first_key_bytes(void **state)
{
    struct mfx_map *m = mfx_map_new(MFX_MAP_NOCASE, 4);
    size_t cursor = 0;
    struct mfx_str key;
    void *value;
    (void)state;
    assert_int_equal(mfx_map_put(m, mfx_str_of("Abc"), &values[0]), MFX_OK);
    assert_int_equal(mfx_map_put(m, mfx_str_of("aBC"), &values[1]), MFX_OK);
    assert_int_equal(mfx_map_count(m), 1);
    assert_true(mfx_map_next(m, &cursor, &key, &value));
    unit_assert_str("key", key, mfx_str_of("Abc"));
    assert_ptr_equal(value, &values[1]);
    assert_false(mfx_map_next(m, &cursor, &key, &value));
    mfx_map_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letter_case),
        cmocka_unit_test(nul_bytes_are_part_of_the_key),
        cmocka_unit_test(agrees_with_a_reference_model),
        cmocka_unit_test(second_put_keeps_the_first_key_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
