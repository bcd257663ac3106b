/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <string.h>

#include <mfx/milter/common_settings.h>

#include "../../milters/dkim/settings.h"
#include "option_check.h"

static void
names(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    const struct mfx_option *o = mfx_common_options("mfx-dkim", arena);
    (void)state;
    assert_non_null(o);
    for (; o->name != NULL; o++) {
        if (strcmp(o->name, "socket") == 0)
            assert_string_equal(o->preset,
                                "unix:/var/spool/postfix/mfx/dkim.sock");
        if (strcmp(o->name, "control.socket") == 0)
            assert_string_equal(o->preset, "/run/mfx/dkim.ctl");
    }
    mfx_arena_free(arena);
}

static void
table_is_sound(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    const struct option_check_table tables[] = {
        {mfx_common_options("mfx-dkim", arena),
         sizeof(struct mfx_common_settings)},
        {dkim_options,                             sizeof(struct dkim_settings)                       },
    };
    (void)state;
    option_check(tables, 2);
    mfx_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
