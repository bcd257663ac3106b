/* SPDX-License-Identifier: BSD-2-Clause
 *
 * base without memory: the n-th allocation fails, for n = 1, 2, ... until
 * the work is done without a failure. The linker puts these functions in
 * front of the allocator (--wrap).
 */
#include "unit.h"

#include <stdlib.h>

#include <mfx/base/arena.h>
#include <mfx/base/buf.h>
#include <mfx/base/map.h>

static long until_failure; /* 0: never */

static bool
fails_now(void)
{
    return until_failure > 0 && --until_failure == 0;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *
__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
    return fails_now() ? NULL : __real_realloc(p, size);
}

static int released;

static void
release(void *arg)
{
    (void)arg;
    released++;
}

static bool
use_arena(void)
{
    struct mfx_arena *a = mfx_arena_new(0);
    if (a == NULL)
        return false;
    bool ok = true;
    released = 0;
    for (int i = 0; i < 20; i++) {
        ok &= mfx_arena_alloc(a, 700) != NULL;
        ok &= mfx_arena_printf(a, "%d", i).p != NULL;
        ok &= mfx_arena_defer(a, release, NULL);
    }
    assert_int_equal(mfx_arena_ok(a), ok);
    mfx_arena_reset(a);
    assert_true(mfx_arena_ok(a));
    assert_int_equal(released, 20);
    mfx_arena_free(a);
    return ok;
}

static bool
use_buf(void)
{
    struct mfx_buf b;
    mfx_buf_init(&b, 100000);
    for (int i = 0; i < 3000; i++) {
        mfx_buf_add_text(&b, "abc");
        mfx_buf_printf(&b, "%d", i);
    }
    bool ok = mfx_buf_ok(&b);
    assert_true(ok == (b.len == 3000 * 3 + 10890));
    assert_true(strlen(mfx_buf_text(&b)) == b.len);
    mfx_buf_fini(&b);
    return ok;
}

static bool
use_map(void)
{
    static char keys[200][8];
    struct mfx_map *m = mfx_map_new(MFX_MAP_CASE, 0);
    if (m == NULL)
        return false;
    size_t there = 0;
    for (size_t i = 0; i < 200; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "%zu", i);
        enum mfx_rc rc = mfx_map_put(m, mfx_str_of(keys[i]), keys[i]);
        there += rc == MFX_OK;
        /* what failed changed nothing */
        assert_int_equal(mfx_map_count(m), there);
        assert_ptr_equal(mfx_map_get(m, mfx_str_of(keys[i])),
                         rc == MFX_OK ? keys[i] : NULL);
    }
    mfx_map_free(m);
    return there == 200;
}

static void
sweep(void **state)
{
    static const struct {
        const char *label;
        bool (*use)(void);
    } cases[] = {
        {"arena", use_arena},
        {"buf",   use_buf  },
        {"map",   use_map  },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        long n = 0;
        bool ok;
        do {
            until_failure = ++n;
            ok = cases[i].use();
            unit_assert_int(cases[i].label, ok, until_failure > 0);
            until_failure = 0;
        } while (!ok);
        unit_assert_int(cases[i].label, n > 3, true);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
