/* SPDX-License-Identifier: BSD-2-Clause */
#include <sqlite3.h>

#include "masq_tables.h"

#include "../../milters/masq/masquerade.h"

static void
check(struct masq_tables *t, const char *label, const char *domains,
      const char *exceptions, const char *in, const char *want)
{
    struct mfx_table *users =
        exceptions == NULL ? NULL : masq_tables_open(t, exceptions);
    struct masq_address from = masq_tables_address(in), to;
    struct masq_masquerade *m;
    struct mfx_err err = {{0}};
    struct mfx_str why;
    unit_assert_int(label,
                    masq_masquerade_new(masq_tables_open(t, domains), users,
                                        t->arena, &m, &err),
                    MFX_OK);
    enum mfx_rc rc =
        masq_masquerade_rewrite(m, &from, t->arena, &to, &why, &err);
    if (want == NULL) {
        unit_assert_int(label, rc, MFX_TEMPFAIL);
        assert_true(err.msg[0] != '\0');
        return;
    }
    unit_assert_str(label, masq_tables_text(t, &to), mfx_str_of(want));
    unit_assert_int(label, rc, strcmp(in, want) == 0 ? MFX_NOTFOUND : MFX_OK);
    unit_assert_int(label, why.len > 0, rc == MFX_OK);
}

/* Rows of the tests that come with Postfix 3.9, src/cleanup/cleanup_masq.ref,
 * and the examples of postconf(5) 3.7.11, masquerade_domains. */
static void
postfix(void **state)
{
    static const struct {
        const char *label, *domains, *exceptions, *in, *want;
    } cases[] = {
        {"masq.ref_1", "csl:a.b.c,b.c",                    NULL,      "xxx@aa.a.b.c", "xxx@a.b.c"                     },
        {"masq.ref_2", "csl:a.b.c,b.c",                    "csl:xxx", "xxx@aa.a.b.c",
         "xxx@aa.a.b.c"                                                                                               },
        {"masq.ref_3", "csl:a.b.c,b.c",                    "csl:yyy", "xxx@aa.a.b.c", "xxx@a.b.c"                     },
        {"masq.ref_4", "csl:!a.b.c,b.c",                   NULL,      "xxx@aa.a.b.c", "xxx@aa.a.b.c"                  },
        {"masq.ref_5", "csl:a.b.c,b.c",                    NULL,      "xxx@a.b.c",    "xxx@a.b.c"                     },
        {"masq.ref_6", "csl:!a.b.c,b.c",                   NULL,      "xxx@a.b.c",    "xxx@a.b.c"                     },
        {"masq.ref_7", "csl:a.b.c,b.c",                    NULL,      "xxx@aaa.b.c",  "xxx@b.c"                       },
        {"masq.ref_8", "csl:a.b.c,b.c",                    NULL,      "xxx@b.c",      "xxx@b.c"                       },
        {"postconf_1", "csl:foo.example.com,example.com",  NULL,
         "user@any.thing.foo.example.com",                                            "user@foo.example.com"          },
        {"postconf_2", "csl:foo.example.com,example.com",  NULL,
         "user@any.thing.else.example.com",                                           "user@example.com"              },
        {"postconf_3", "csl:!foo.example.com,example.com", NULL,
         "user@any.thing.foo.example.com",                                            "user@any.thing.foo.example.com"},
        {"postconf_4", "csl:!foo.example.com,example.com", NULL,
         "user@foo.example.com",                                                      "user@foo.example.com"          },
        {"postconf_5", "csl:!foo.example.com,example.com", NULL,
         "user@any.thing.else.example.com",                                           "user@example.com"              },
    };
    struct masq_tables t;
    (void)state;
    masq_tables_begin(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&t, cases[i].label, cases[i].domains, cases[i].exceptions,
              cases[i].in, cases[i].want);
    masq_tables_end(&t);
}

/* By reading cleanup_masquerade_external() of Postfix 3.7; that a real Postfix
 * does the same is for t/interop/masq_postfix.t. */
static void
order_and_spelling(void **state)
{
    static const struct {
        const char *label, *domains, *exceptions, *in, *want;
    } cases[] = {
        {"parent_first",         "csl:b.c,a.b.c",        NULL,                  "x@aa.a.b.c",            "x@b.c"        },
        {"own_domain_first",     "csl:a.b.c,b.c",        NULL,                  "x@a.b.c",               "x@a.b.c"      },
        {"own_domain_last",      "csl:b.c,a.b.c",        NULL,                  "x@a.b.c",               "x@b.c"        },
        {"keep_too_late",        "csl:b.c,!a.b.c",       NULL,                  "x@aa.a.b.c",            "x@b.c"        },
        {"keep_twice",           "csl:!!b.c",            NULL,                  "x@a.b.c",               "x@b.c"        },
        {"keep_thrice",          "csl:!!!b.c",           NULL,                  "x@a.b.c",               "x@a.b.c"      },
        {"same_domain_twice",    "csl:!b.c,b.c",         NULL,                  "x@a.b.c",               "x@a.b.c"      },
        {"same_domain_other",    "csl:b.c,!b.c",         NULL,                  "x@a.b.c",               "x@b.c"        },
        {"half_a_label",         "csl:b.c",              NULL,                  "x@ab.c",                "x@ab.c"       },
        {"top",                  "csl:c",                NULL,                  "x@a.b.c",               "x@c"          },
        {"case",                 "csl:Example.COM",      NULL,                  "X@A.eXample.com",       "X@example.com"},
        {"leading_dot",          "csl:.b.c",             NULL,                  "x@a.b.c",               "x@a.b.c"      },
        {"alone",                "csl:!",                NULL,                  "x@a.b.c",               "x@a.b.c"      },
        {"none",                 "csl:b.d",              NULL,                  "x@a.b.c",               "x@a.b.c"      },
        {"bare",                 "csl:b.c",              NULL,                  "x",                     "x"            },
        {"literal",              "csl:b.c",              NULL,                  "x@[192.0.2.1]",         "x@[192.0.2.1]"},
        {"values_mean_nothing",  "inline:b.c=x,a.b.c=y", NULL,                  "x@a.b.c",
         "x@b.c"                                                                                                        },
        {"exception_case",       "csl:b.c",              "csl:root",            "Root@a.b.c",            "Root@a.b.c"   },
        {"exception_any_domain", "csl:b.c",              "csl:root",            "root@d.e",              "root@d.e"     },
        {"exception_quoted",     "csl:b.c",              "inline:{{\"a b\"=}}", "a b@a.b.c",
         "a b@a.b.c"                                                                                                    },
        {"exception_extension",  "csl:b.c",              "csl:root",            "root+x@a.b.c",
         "root+x@b.c"                                                                                                   },
        {"utf8",                 "csl:\xC3\xB6.c",       NULL,                  "\xC3\xA4@a.\xC3\xB6.c",
         "\xC3\xA4@\xC3\xB6.c"                                                                                          },
    };
    struct masq_tables t;
    (void)state;
    masq_tables_begin(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&t, cases[i].label, cases[i].domains, cases[i].exceptions,
              cases[i].in, cases[i].want);
    masq_tables_end(&t);
}

static const char *
sqlite_table(struct masq_tables *t, const char *sql, const char *table)
{
    const char *path = conf_files_path(&t->files, "masq.sqlite");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return mfx_arena_printf(t->arena, "sqlite:%s?SELECT k FROM %s WHERE k=?",
                            path, table)
        .p;
}

/* No order but the more special first. */
static void
live(void **state)
{
    static const struct {
        const char *label, *in, *want;
    } cases[] = {
        {"parent",        "x@a.b.c",    "x@b.c"     },
        {"special_first", "x@a.d.b.c",  "x@d.b.c"   },
        {"own_domain",    "x@d.b.c",    "x@d.b.c"   },
        {"kept",          "x@e.b.c",    "x@e.b.c"   },
        {"kept_below",    "x@a.e.b.c",  "x@a.e.b.c" },
        {"list",          "x@b.c",      "x@b.c"     },
        {"none",          "x@y.z",      "x@y.z"     },
        {"exception",     "root@a.b.c", "root@a.b.c"},
    };
    struct masq_tables t;
    (void)state;
    masq_tables_begin(&t);
    const char *domains =
        sqlite_table(&t,
                     "CREATE TABLE d (k); CREATE TABLE u (k);"
                     "INSERT INTO d VALUES ('b.c'), ('d.b.c'), ('!e.b.c');"
                     "INSERT INTO u VALUES ('root')",
                     "d");
    const char *users = sqlite_table(&t, "", "u");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&t, cases[i].label, domains, users, cases[i].in, cases[i].want);
    masq_tables_end(&t);
}

static void
tables_that_fail(void **state)
{
    struct masq_tables t;
    struct mfx_err err = {{0}};
    struct masq_masquerade *m;
    (void)state;
    masq_tables_begin(&t);
    const char *domains =
        sqlite_table(&t, "CREATE TABLE d (k); CREATE TABLE u (k)", "d");
    const char *users = sqlite_table(&t, "", "u");
    struct mfx_table *list = masq_tables_open(&t, domains);
    struct mfx_table *names = masq_tables_open(&t, users);
    (void)sqlite_table(&t, "DROP TABLE d; DROP TABLE u", "d");
    for (size_t i = 0; i < 2; i++) {
        struct masq_address from = masq_tables_address("x@a.b.c"), to;
        struct mfx_str why;
        assert_int_equal(masq_masquerade_new(i == 0 ? list : names,
                                             i == 0 ? NULL : names, t.arena, &m,
                                             &err),
                         MFX_OK);
        err.msg[0] = '\0';
        assert_int_equal(
            masq_masquerade_rewrite(m, &from, t.arena, &to, &why, &err),
            MFX_TEMPFAIL);
        assert_true(err.msg[0] != '\0');
        assert_true(mfx_str_eq(to.domain, from.domain));
    }
    struct mfx_table *patterns = masq_tables_open(
        &t, mfx_arena_printf(
                t.arena, "refile:%s",
                conf_files_write(&t.files, "patterns", mfx_str_of("*.b.c x\n")))
                .p);
    assert_int_equal(masq_masquerade_new(patterns, NULL, t.arena, &m, &err),
                     MFX_PERMFAIL);
    masq_tables_end(&t);
}

/* A list is an index, not a scan: 100,000 lookups in 100,000 rows take a
 * moment; 10^10 comparisons would take minutes. */
static void
long_list(void **state)
{
    enum {
        ROWS = 100000,
    };
    struct masq_tables t;
    struct mfx_buf text;
    struct mfx_err err;
    struct masq_masquerade *m;
    (void)state;
    masq_tables_begin(&t);
    mfx_buf_init_arena(&text, t.arena, 8 * 1024 * 1024);
    for (size_t i = 0; i < ROWS; i++)
        mfx_buf_printf(&text, "%sd%zu.example\n", i % 2 ? "!" : "", i);
    const char *path =
        conf_files_write(&t.files, "domains", mfx_buf_str(&text));
    struct mfx_table *domains =
        masq_tables_open(&t, mfx_arena_printf(t.arena, "file:%s", path).p);
    assert_int_equal(masq_masquerade_new(domains, NULL, t.arena, &m, &err),
                     MFX_OK);
    for (size_t i = 0; i < ROWS; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct masq_address from = {.local = MFX_STR("x")}, to;
        struct mfx_str why;
        from.domain = mfx_arena_printf(arena, "a.b.d%zu.example", i);
        enum mfx_rc rc =
            masq_masquerade_rewrite(m, &from, arena, &to, &why, &err);
        assert_int_equal(rc, i % 2 ? MFX_NOTFOUND : MFX_OK);
        assert_true(
            mfx_str_eq(to.domain, mfx_str_from(from.domain, i % 2 ? 0 : 4)));
        mfx_arena_free(arena);
    }
    masq_tables_end(&t);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(postfix),   cmocka_unit_test(order_and_spelling),
        cmocka_unit_test(live),      cmocka_unit_test(tables_that_fail),
        cmocka_unit_test(long_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
