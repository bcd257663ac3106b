/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdalign.h>

#include <mfx/base/arena.h>

/* Sizes that no system has are tried on purpose. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void
memory_is_zeroed_and_aligned(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 16, 959, 960, 961, 70000};
    struct mfx_arena *a = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        (void)mfx_arena_alloc_bytes(a, 3);
        unsigned char *p = mfx_arena_alloc(a, sizes[i]);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal(p[at], 0);
    }
    assert_true(mfx_arena_ok(a));
    mfx_arena_free(a);
}

/* Blocks of many sizes, each filled with its own byte: none may overlap. */
static void
blocks_do_not_overlap(void **state)
{
    enum {
        COUNT = 2000
    };
    static struct {
        unsigned char *p;
        size_t len;
    } blocks[COUNT];
    struct mfx_arena *a = mfx_arena_new(0);
    uint32_t random = 12345;
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            random = random * 1103515245u + 12345u;
            blocks[i].len = (random >> 16) % (i % 50 == 0 ? 5000 : 90);
            blocks[i].p = i % 2 == 0
                              ? mfx_arena_alloc(a, blocks[i].len)
                              : (void *)mfx_arena_alloc_bytes(a, blocks[i].len);
            assert_non_null(blocks[i].p);
            memset(blocks[i].p, (int)(i & 0xFF), blocks[i].len);
        }
        for (size_t i = 0; i < COUNT; i++)
            for (size_t at = 0; at < blocks[i].len; at++)
                assert_int_equal(blocks[i].p[at], i & 0xFF);
        mfx_arena_reset(a);
    }
    mfx_arena_free(a);
}

static void
budget_is_kept_and_failure_stays(void **state)
{
    struct mfx_arena *a = mfx_arena_new(5000);
    (void)state;
    assert_non_null(mfx_arena_alloc(a, 4000));
    assert_true(mfx_arena_size(a) <= 5000);
    assert_null(mfx_arena_alloc(a, 4000));
    assert_false(mfx_arena_ok(a));
    assert_true(mfx_arena_size(a) <= 5000);
    assert_null(mfx_arena_copy(a, mfx_str("x", 2000)).p);
    assert_null(mfx_arena_alloc(a, 2000)); /* stays failed */
    mfx_arena_reset(a);
    assert_true(mfx_arena_ok(a));
    assert_non_null(mfx_arena_alloc(a, 4000));
    assert_true(mfx_arena_ok(a));
    mfx_arena_free(a);
}

/* Small pieces up to the last byte: the doubling of blocks must not waste a
 * budget that would still do. */
static void
whole_budget_can_be_used(void **state)
{
    struct mfx_arena *a = mfx_arena_new(100000);
    size_t got = 0;
    (void)state;
    while (mfx_arena_alloc_bytes(a, 100) != NULL)
        got += 100;
    assert_in_range(got, 95000, 100000);
    mfx_arena_free(a);
}

static void
sizes_that_overflow_fail(void **state)
{
    static const struct {
        const char *label;
        size_t count, size;
    } cases[] = {
        {"product_overflows",        SIZE_MAX / 2, 3            },
        {"size_max",                 1,            SIZE_MAX     },
        {"size_max_less_the_header", 1,            SIZE_MAX - 16},
        {"more_than_there_is",       1,            SIZE_MAX / 2 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_arena *a = mfx_arena_new(0);
        void *p = mfx_arena_alloc_array(a, cases[i].count, cases[i].size);
        unit_assert_int(cases[i].label, p == NULL, true);
        unit_assert_int(cases[i].label, mfx_arena_ok(a), false);
        mfx_arena_free(a);
    }
}

static void
reset_keeps_one_block(void **state)
{
    struct mfx_arena *a = mfx_arena_new(0);
    (void)state;
    for (int i = 0; i < 100; i++)
        (void)mfx_arena_alloc(a, 3000);
    assert_true(mfx_arena_size(a) >= 300000);
    mfx_arena_reset(a);
    assert_true(mfx_arena_size(a) <= 32 * 1024);
    mfx_arena_reset(a);
    assert_true(mfx_arena_size(a) <= 32 * 1024);
    mfx_arena_free(a);
    mfx_arena_free(NULL);
}

static void
copies(void **state)
{
    struct mfx_arena *a = mfx_arena_new(0);
    (void)state;
    struct mfx_str copy = mfx_arena_copy(a, mfx_str("a\0b", 3));
    unit_assert_str("with_nul", copy, mfx_str("a\0b", 3));
    assert_int_equal(copy.p[3], '\0');
    copy = mfx_arena_copy(a, mfx_str(NULL, 0));
    assert_non_null(copy.p);
    unit_assert_str("empty", copy, mfx_str_of(""));
    /* [ and { are the neighbours of Z and z; bytes above 0x7F stay */
    unit_assert_str("lower",
                    mfx_arena_copy_lower(a, mfx_str_of("@AZ[az{\xC3\x89")),
                    mfx_str_of("@az[az{\xC3\x89"));
    copy = mfx_arena_printf(a, "%s=%d", "key", -7);
    unit_assert_str("printf", copy, mfx_str_of("key=-7"));
    assert_int_equal(copy.p[copy.len], '\0');
    copy = mfx_arena_printf(a, "%*s", 5000, "x");
    assert_int_equal(copy.len, 5000);
    mfx_arena_free(a);
}

static char order[8];

static void
note(void *arg)
{
    size_t used = strlen(order);
    order[used] = *(const char *)arg;
    order[used + 1] = '\0';
}

static void
deferred_run_last_first(void **state)
{
    static char names[] = "abc";
    struct mfx_arena *a = mfx_arena_new(2000);
    (void)state;
    order[0] = '\0';
    assert_true(mfx_arena_defer(a, note, &names[0]));
    assert_true(mfx_arena_defer(a, note, &names[1]));
    mfx_arena_reset(a);
    assert_string_equal(order, "ba");
    mfx_arena_reset(a);
    assert_string_equal(order, "ba"); /* once only */
    assert_true(mfx_arena_defer(a, note, &names[2]));
    mfx_arena_free(a);
    assert_string_equal(order, "bac");
}

static void
deferred_runs_at_once_without_memory(void **state)
{
    static char name[] = "x";
    struct mfx_arena *a = mfx_arena_new(8);
    (void)state;
    order[0] = '\0';
    assert_false(mfx_arena_defer(a, note, name));
    assert_string_equal(order, "x");
    mfx_arena_free(a);
    assert_string_equal(order, "x");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(blocks_do_not_overlap),
        cmocka_unit_test(budget_is_kept_and_failure_stays),
        cmocka_unit_test(whole_budget_can_be_used),
        cmocka_unit_test(sizes_that_overflow_fail),
        cmocka_unit_test(reset_keeps_one_block),
        cmocka_unit_test(copies),
        cmocka_unit_test(deferred_run_last_first),
        cmocka_unit_test(deferred_runs_at_once_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
