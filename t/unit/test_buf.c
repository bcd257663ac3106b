/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/base/buf.h>

static void
adds_of_all_kinds(void **state)
{
    struct mfx_buf b;
    (void)state;
    mfx_buf_init(&b, 1000);
    assert_string_equal(mfx_buf_text(&b), "");
    mfx_buf_add_text(&b, "one");
    mfx_buf_add_byte(&b, ' ');
    mfx_buf_add(&b, mfx_str("t\0o", 3));
    mfx_buf_add(&b, mfx_str(NULL, 0));
    mfx_buf_printf(&b, " %03d", 7);
    unit_assert_str("all", mfx_buf_str(&b), mfx_str("one t\0o 007", 11));
    assert_int_equal(mfx_buf_text(&b)[11], '\0');
    assert_true(mfx_buf_ok(&b));
    mfx_buf_fini(&b);
    mfx_buf_fini(&b); /* harmless */
}

/* What is written past max is dropped whole, and the failure stays. */
static void
limit(void **state)
{
    static const struct {
        const char *label, *first, *second, *want;
        size_t max;
        bool ok;
    } cases[] = {
        {"exactly_full",    "abc",  "de",  "abcde", 5, true },
        {"one_too_many",    "abc",  "def", "abc",   5, false},
        {"first_too_large", "abcd", "a",   "",      3, false},
        {"zero_max",        "",     "",    "",      0, true },
        {"zero_max_filled", "a",    "",    "",      0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf b;
        mfx_buf_init(&b, cases[i].max);
        mfx_buf_add_text(&b, cases[i].first);
        mfx_buf_add_text(&b, cases[i].second);
        unit_assert_str(cases[i].label, mfx_buf_str(&b),
                        mfx_str_of(cases[i].want));
        unit_assert_int(cases[i].label, mfx_buf_ok(&b), cases[i].ok);
        mfx_buf_clear(&b);
        unit_assert_int(cases[i].label, mfx_buf_ok(&b), true);
        mfx_buf_printf(&b, "%s%s", cases[i].first, cases[i].second);
        unit_assert_int(cases[i].label, mfx_buf_ok(&b), cases[i].ok);
        mfx_buf_fini(&b);
    }
}

static void
nothing_is_added_after_a_failure(void **state)
{
    struct mfx_buf b;
    (void)state;
    mfx_buf_init(&b, 4);
    mfx_buf_add_text(&b, "abcdef");
    mfx_buf_add_text(&b, "x");
    mfx_buf_printf(&b, "y");
    assert_null(mfx_buf_room(&b, 1));
    assert_int_equal(b.len, 0);
    mfx_buf_fini(&b);
}

static void
grows(struct mfx_buf *b)
{
    for (int i = 0; i < 10000; i++)
        mfx_buf_printf(b, "%d,", i % 10);
    assert_true(mfx_buf_ok(b));
    assert_int_equal(b->len, 20000);
    for (size_t i = 0; i < b->len; i += 2)
        assert_int_equal(b->p[i], '0' + (char)(i / 2 % 10));
}

static void
grows_on_the_heap_and_in_an_arena(void **state)
{
    struct mfx_buf b;
    (void)state;
    mfx_buf_init(&b, 20000);
    grows(&b);
    mfx_buf_fini(&b);
    struct mfx_arena *a = mfx_arena_new(0);
    mfx_buf_init_arena(&b, a, 20000);
    grows(&b);
    mfx_buf_fini(&b);
    mfx_arena_free(a);
}

static void
exhausted_arena_fails_the_buffer(void **state)
{
    struct mfx_arena *a = mfx_arena_new(1000);
    struct mfx_buf b;
    (void)state;
    mfx_buf_init_arena(&b, a, 1 << 20);
    for (int i = 0; i < 1000; i++)
        mfx_buf_add_text(&b, "0123456789");
    assert_false(mfx_buf_ok(&b));
    assert_false(mfx_arena_ok(a));
    mfx_buf_fini(&b);
    mfx_arena_free(a);
}

static void
room_is_counted_by_the_caller(void **state)
{
    struct mfx_buf b;
    (void)state;
    mfx_buf_init(&b, 10);
    char *room = mfx_buf_room(&b, 10);
    assert_non_null(room);
    memcpy(room, "abc", 3);
    b.len += 3;
    assert_string_equal(mfx_buf_text(&b), "abc");
    assert_null(mfx_buf_room(&b, 8));
    mfx_buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_of_all_kinds),
        cmocka_unit_test(limit),
        cmocka_unit_test(nothing_is_added_after_a_failure),
        cmocka_unit_test(grows_on_the_heap_and_in_an_arena),
        cmocka_unit_test(exhausted_arena_fails_the_buffer),
        cmocka_unit_test(room_is_counted_by_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
