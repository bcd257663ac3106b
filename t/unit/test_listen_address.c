/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include <mfx/milter/address.h>

/* libmilter's forms: smfi_setconn. */
static void
addresses(void **state)
{
    static const struct {
        const char *label, *in, *want; /* NULL: refused */
    } cases[] = {
        {"unix",             "unix:/run/x.sock",    "unix:/run/x.sock"   },
        {"local",            "local:/run/x.sock",   "unix:/run/x.sock"   },
        {"path",             "/run/x.sock",         "unix:/run/x.sock"   },
        {"libmilter inet",   "inet:8891@localhost", "inet:8891@localhost"},
        {"postfix inet",     "inet:localhost:8891", "inet:8891@localhost"},
        {"port alone",       "inet:8891",           "inet:8891"          },
        {"inet6",            "inet6:8891@::1",      "inet6:8891@::1"     },
        {"postfix inet6",    "inet6:[::1]:8891",    "inet6:8891@::1"     },
        {"inet6 no bracket", "inet6:::1:8891",      "inet6:8891@::1"     },
 /* malformed */
        {"empty",            "",                    NULL                 },
        {"no_kind",          "x.sock",              NULL                 },
        {"relative_path",    "unix:x.sock",         NULL                 },
        {"no_path",          "unix:",               NULL                 },
        {"no_port",          "inet:localhost",      NULL                 },
        {"port_zero",        "inet:0@localhost",    NULL                 },
        {"port_too_large",   "inet:65536@x",        NULL                 },
        {"two_hosts",        "inet:1@a@b",          NULL                 },
        {"unknown_kind",     "fifo:/run/x",         NULL                 },
        {"line_end",         "unix:/run/x\n",       NULL                 },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_listen_address a = {0};
        struct mfx_err err = {{0}};
        enum mfx_rc rc =
            mfx_listen_address_parse(mfx_str_of(cases[i].in), arena, &a, &err);
        unit_assert_int(cases[i].label, rc,
                        cases[i].want == NULL ? MFX_PERMFAIL : MFX_OK);
        if (rc == MFX_OK)
            unit_assert_str(cases[i].label, mfx_str_of(a.libmilter),
                            mfx_str_of(cases[i].want));
        else
            assert_int_not_equal(err.msg[0], '\0');
    }
    char path[300] = "unix:/";
    memset(path + 6, 'x', sizeof path - 7);
    path[sizeof path - 1] = '\0';
    struct mfx_listen_address a;
    unit_assert_int("path_too_long",
                    mfx_listen_address_parse(mfx_str_of(path), arena, &a, NULL),
                    MFX_PERMFAIL);
    mfx_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
