/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/base/rc.h>

/* PERMFAIL before TEMPFAIL before NOTFOUND before OK, as rc.h says. */
static void
worst(void **state)
{
    static const enum mfx_rc table[4][4] = {
        [MFX_OK] = {MFX_OK,       MFX_NOTFOUND, MFX_TEMPFAIL, MFX_PERMFAIL},
        [MFX_NOTFOUND] = {MFX_NOTFOUND, MFX_NOTFOUND, MFX_TEMPFAIL,
                    MFX_PERMFAIL                                          },
        [MFX_TEMPFAIL] = {MFX_TEMPFAIL, MFX_TEMPFAIL, MFX_TEMPFAIL,
                    MFX_PERMFAIL                                          },
        [MFX_PERMFAIL] = {MFX_PERMFAIL, MFX_PERMFAIL, MFX_PERMFAIL,
                    MFX_PERMFAIL                                          },
    };
    (void)state;
    for (int a = MFX_OK; a <= MFX_PERMFAIL; a++)
        for (int b = MFX_OK; b <= MFX_PERMFAIL; b++)
            unit_assert_int(mfx_rc_name((enum mfx_rc)a),
                            mfx_rc_worst((enum mfx_rc)a, (enum mfx_rc)b),
                            table[a][b]);
}

static void
names(void **state)
{
    (void)state;
    assert_string_equal(mfx_rc_name(MFX_OK), "ok");
    assert_string_equal(mfx_rc_name(MFX_NOTFOUND), "not found");
    assert_string_equal(mfx_rc_name(MFX_TEMPFAIL), "temporary failure");
    assert_string_equal(mfx_rc_name(MFX_PERMFAIL), "permanent failure");
}

static void
text_is_cut_at_its_end(void **state)
{
    struct mfx_err err;
    (void)state;
    mfx_err_set(NULL, "%d", 1);
    mfx_err_prefix(NULL, "%d", 1);
    mfx_err_set(&err, "%s: line %d", "file", 3);
    assert_string_equal(err.msg, "file: line 3");
    mfx_err_prefix(&err, "%s", "loading");
    assert_string_equal(err.msg, "loading: file: line 3");
    mfx_err_set(&err, "%1000d", 1);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
    mfx_err_prefix(&err, "p");
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
    assert_memory_equal(err.msg, "p:  ", 4);
    mfx_err_prefix(&err, "%1000d", 1);
    assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worst),
        cmocka_unit_test(names),
        cmocka_unit_test(text_is_cut_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
