/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "../../milters/score/settings.h"
#include "option_check.h"

static void
table_is_sound(void **state)
{
    static const struct option_check_table tables[] = {
        {score_options, sizeof(struct score_settings)},
    };
    (void)state;
    option_check(tables, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
