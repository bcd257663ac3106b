/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message that engines share: where it lies, and the memory that messages
 * have in common. */
#include "unit.h"

#include <mfx/scan/scan_body_impl.h>

enum {
    LIMIT = 1024,
    MEGABYTE = 1 << 20,
    PIECE = 64 * 1024,
};

static struct mfx_scan_body *
make(struct mfx_scan_memory *memory, size_t size)
{
    static char piece[PIECE];
    struct mfx_scan_body *body = mfx_scan_body_new(LIMIT, NULL);
    assert_non_null(body);
    mfx_scan_body_share(body, memory);
    memset(piece, 'x', sizeof piece);
    for (size_t len = 0; len < size; len += sizeof piece) {
        size_t n = size - len < sizeof piece ? size - len : sizeof piece;
        mfx_scan_body_add(body, mfx_str(piece, n));
    }
    mfx_scan_body_end(body);
    return body;
}

static bool
is_in_file(struct mfx_scan_body *body, size_t size)
{
    char bytes[100];
    size_t got = mfx_scan_body_read(body, size - 60, bytes, sizeof bytes);
    assert_int_equal(mfx_scan_body_len(body), size);
    assert_int_equal(got, 60);
    assert_int_equal(bytes[59], 'x');
    return mfx_scan_body_fd(body) >= 0;
}

static void
alone(void **state)
{
    (void)state;
    struct mfx_scan_body *body = make(NULL, 1000);
    assert_false(is_in_file(body, 1000));
    mfx_scan_body_free(body);
    body = make(NULL, 2000);
    assert_true(is_in_file(body, 2000));
    mfx_scan_body_free(body);
}

/* In steps of a megabyte, one beyond another, each up to a quarter. */
static void
shared(void **state)
{
    static const struct {
        const char *label;
        size_t total, size;
        unsigned fit; /* of so many that are there at once */
    } cases[] = {
        {"none",                   0,             2000,                 0},
        {"one step each",          4 * MEGABYTE,  2000,                 4},
        {"small ones need none",   0,             1000,                 9},
        {"two steps each",         10 * MEGABYTE, MEGABYTE + 2000,      5},
        {"a quarter, and no more", 8 * MEGABYTE,  2 * MEGABYTE,         4},
        {"more than a quarter",    8 * MEGABYTE,  2 * MEGABYTE + LIMIT, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_scan_memory *memory = mfx_scan_memory_new();
        struct mfx_scan_body *bodies[9];
        mfx_scan_memory_set(memory, cases[i].total);
        for (unsigned round = 0; round < 3; round++) {
            unsigned fit = 0;
            for (size_t k = 0; k < 9; k++) {
                bodies[k] = make(memory, cases[i].size);
                fit += !is_in_file(bodies[k], cases[i].size);
            }
            unit_assert_int(cases[i].label, fit, cases[i].fit);
            for (size_t k = 0; k < 9; k++)
                mfx_scan_body_free(bodies[k]);
        }
        mfx_scan_memory_free(memory);
    }
}

/* A smaller total holds for those that come; the others keep what they have. */
static void
less(void **state)
{
    (void)state;
    struct mfx_scan_memory *memory = mfx_scan_memory_new();
    mfx_scan_memory_set(memory, 8 * MEGABYTE);
    struct mfx_scan_body *first = make(memory, MEGABYTE);
    assert_false(is_in_file(first, MEGABYTE));
    mfx_scan_memory_set(memory, 0);
    struct mfx_scan_body *second = make(memory, MEGABYTE);
    assert_true(is_in_file(second, MEGABYTE));
    assert_false(is_in_file(first, MEGABYTE));
    mfx_scan_body_free(first);
    mfx_scan_body_free(second);
    mfx_scan_memory_set(memory, 4 * MEGABYTE);
    first = make(memory, MEGABYTE);
    assert_false(is_in_file(first, MEGABYTE));
    mfx_scan_body_free(first);
    mfx_scan_memory_free(memory);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone),
        cmocka_unit_test(shared),
        cmocka_unit_test(less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
