/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <mfx/base/spill.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    LIMIT = 1000,
};

static char
byte_at(size_t i)
{
    return (char)('a' + i % 23);
}

static void
add(struct mfx_spill *spill, size_t len)
{
    char *piece = malloc(len + 1);
    assert_non_null(piece);
    size_t before = spill->len;
    for (size_t i = 0; i < len; i++)
        piece[i] = byte_at(before + i);
    mfx_spill_add(spill, mfx_str(piece, len));
    free(piece);
}

static void
check_whole(const char *label, struct mfx_spill *spill, size_t want)
{
    struct mfx_str bytes;
    unit_assert_int(label, mfx_spill_get(spill, &bytes, NULL), MFX_OK);
    unit_assert_int(label, bytes.len, want);
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.p[i] != byte_at(i))
            fail_msg("%s: byte %zu", label, i);
}

static void
check_parts(const char *label, struct mfx_spill *spill, size_t want)
{
    char part[7];
    size_t at = 0, got;
    while ((got = mfx_spill_read(spill, at, part, sizeof part)) > 0) {
        for (size_t i = 0; i < got; i++)
            if (part[i] != byte_at(at + i))
                fail_msg("%s: byte %zu", label, at + i);
        at += got;
    }
    unit_assert_int(label, at, want);
}

static void
keeps_all_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        size_t first, second;
        bool is_in_file;
    } cases[] = {
        {"nothing",                    0,         0,     false},
        {"one piece in memory",        10,        0,     false},
        {"exactly the limit",          LIMIT,     0,     false},
        {"one more than the limit",    LIMIT + 1, 0,     true },
        {"the second one overflows",   LIMIT,     1,     true },
        {"a small one behind a file",  5000,      3,     true },
        {"a large one behind a small", 3,         70000, true },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_spill spill;
        mfx_spill_init(&spill, LIMIT, NULL);
        add(&spill, cases[i].first);
        check_whole(cases[i].label, &spill, cases[i].first);
        add(&spill, cases[i].second);
        size_t want = cases[i].first + cases[i].second;
        unit_assert_int(cases[i].label, spill.fd >= 0, cases[i].is_in_file);
        check_parts(cases[i].label, &spill, want);
        check_whole(cases[i].label, &spill, want);
        mfx_spill_reset(&spill);
        check_whole(cases[i].label, &spill, 0);
        mfx_spill_reset(&spill);
    }
}

static void
check_failed(const char *label, struct mfx_spill *spill, const char *why)
{
    struct mfx_str bytes;
    struct mfx_err err = {0};
    unit_assert_int(label, mfx_spill_get(spill, &bytes, &err), MFX_TEMPFAIL);
    if (strstr(err.msg, why) == NULL)
        fail_msg("%s: %s", label, err.msg);
    add(spill, 1);
    unit_assert_int(label, mfx_spill_get(spill, &bytes, NULL), MFX_TEMPFAIL);
    mfx_spill_reset(spill);
}

static void
a_failure_stays(void **state)
{
    (void)state;
    struct mfx_spill spill;
    mfx_spill_init(&spill, LIMIT, "/nowhere/at/all");
    add(&spill, LIMIT);
    check_whole("within memory", &spill, LIMIT);
    add(&spill, 1);
    check_failed("no folder", &spill, "No such file");
    /* a limit of the process fails as a full disk does */
    struct rlimit before, small = {4096, 4096};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    mfx_spill_init(&spill, LIMIT, NULL);
    add(&spill, 10000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    check_failed("no room", &spill, "File too large");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_all_bytes),
        cmocka_unit_test(a_failure_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
