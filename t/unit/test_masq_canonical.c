/* SPDX-License-Identifier: BSD-2-Clause */
#include "masq_tables.h"

#include "../../milters/masq/canonical.h"

enum {
    MAX_MAPS = 4,
};

struct setting {
    const char *maps[MAX_MAPS];
    const char *delimiters; /* NULL: "+" */
    bool keeps_extension;
    const char *local_domains, *origin;
};

static enum mfx_rc
rewrite(struct masq_tables *t, const struct setting *s, const char *in,
        struct masq_address *to, struct mfx_str *why, struct mfx_err *err)
{
    struct mfx_table *maps[MAX_MAPS] = {0};
    struct masq_canonical c = {
        .maps = maps,
        .origin_domain = mfx_str_of(s->origin),
        .delimiters = mfx_str_of(s->delimiters == NULL ? "+" : s->delimiters),
        .propagates_extension = !s->keeps_extension,
    };
    struct masq_address from = masq_tables_address(in);
    while (c.map_count < MAX_MAPS && s->maps[c.map_count] != NULL) {
        maps[c.map_count] = masq_tables_open(t, s->maps[c.map_count]);
        c.map_count++;
    }
    if (s->local_domains != NULL)
        c.local_domains = masq_tables_open(t, s->local_domains);
    return masq_canonical_rewrite(&c, &from, t->arena, to, why, err);
}

static void
check(struct masq_tables *t, const char *label, const struct setting *s,
      const char *in, const char *want, const char *want_why)
{
    struct masq_address to;
    struct mfx_str why;
    struct mfx_err err = {{0}};
    enum mfx_rc rc = rewrite(t, s, in, &to, &why, &err);
    unit_assert_str(label, mfx_str_of(err.msg), mfx_str_of(""));
    unit_assert_str(label, masq_tables_text(t, &to), mfx_str_of(want));
    unit_assert_int(label, rc, strcmp(in, want) == 0 ? MFX_NOTFOUND : MFX_OK);
    unit_assert_int(label, why.len > 0,
                    rc == MFX_OK || !masq_canonical_has_end(why));
    if (want_why != NULL)
        unit_assert_str(label, why, mfx_str_of(want_why));
}

/* The tests that come with Postfix 3.9, src/global/mail_addr_map.c, without
 * quotes where they are in external form. */
static void
mail_addr_map(void **state)
{
#define AA     "inline:{ aa@example.com=bb@example.com }"
#define BLANKS "inline:{ {\"a a\"@example.com=\"b b\"@example.com} }"
    static const struct {
        const char *label;
        struct setting setting;
        const char *in, *want;
    } cases[] = {
        {"1 no extension",                   {.maps = {AA}},                    "aa@example.com",  "bb@example.com"     },
        {"2 extension, propagation",
         {.maps = {AA}},
         "aa+ext@example.com",                                                                     "bb+ext@example.com" },
        {"3 no propagation, no match",
         {.maps = {AA}, .delimiters = "", .keeps_extension = true},
         "aa+ext@example.com",                                                                     "aa+ext@example.com" },
        {"4 extension, full match",
         {.maps =
              {"inline:{{cc+ext@example.com=dd@example.com,ee@example.com}}"}},
         "cc+ext@example.com",                                                                     "dd@example.com"     },
        {"5 quoted",                         {.maps = {BLANKS}},                "a a@example.com", "b b@example.com"    },
        {"6 extension, propagation, quoted",
         {.maps = {BLANKS}},
         "a a+ext@example.com",                                                                    "b b+ext@example.com"},
        {"9 embedded space",
         {.maps = {"inline:{ {a_a@example.com=\"b b\"@example.com} }"}},
         "a_a@example.com",                                                                        "b b@example.com"    },
        {"10 extension, embedded space",
         {.maps = {"inline:{ {a_a@example.com=\"b b\"@example.com} }"}},
         "a_a+ext@example.com",                                                                    "b b+ext@example.com"},
        {"11 @domain",
         {.maps = {"inline:{ {@example.com=@example.net} }"}},
         "a@a@example.com",                                                                        "a@a@example.net"    },
        {"12 dot delimiter",
         {.maps = {AA}, .delimiters = "."},
         "aa.ext@example.com",                                                                     "bb.ext@example.com" },
    };
    struct masq_tables t;
    (void)state;
    masq_tables_begin(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&t, cases[i].label, &cases[i].setting, cases[i].in, cases[i].want,
              NULL);
    masq_tables_end(&t);
}

/* canonical(5) of Postfix 3.7.11: TABLE SEARCH ORDER, RESULT ADDRESS
 * REWRITING, ADDRESS EXTENSION. */
static void
manual(void **state)
{
#define LOCAL .local_domains = "csl:x.test,[192.0.2.1]", .origin = "o.test"
#define ALL                                                                 \
    "inline:u+e@x.test=1@r.test,u@x.test=2@r.test,u+e=3@r.test,u=4@r.test," \
    "@x.test=5@r.test"
    static const struct {
        const char *label;
        struct setting setting;
        const char *in, *want, *why;
    } cases[] = {
        {"whole",
         {.maps = {ALL}, LOCAL},
         "u+e@x.test",                                                                     "1@r.test",
         "row u+e@x.test"                                                                                    },
        {"without_extension",
         {.maps = {ALL}, LOCAL},
         "u+f@x.test",                                                                     "2+f@r.test",
         "row u@x.test"                                                                                      },
        {"user_extension",
         {.maps = {"inline:u+e=3@r.test,u=4@r.test,@x.test=5@r.test"}, LOCAL},
         "u+e@x.test",                                                                     "3@r.test",
         "row u+e"                                                                                           },
        {"user",
         {.maps = {"inline:u=4@r.test,@x.test=5@r.test"}, LOCAL},
         "u+e@x.test",                                                                     "4+e@r.test",
         "row u"                                                                                             },
        {"domain",
         {.maps = {"inline:@x.test=5@r.test"}, LOCAL},
         "u+e@x.test",                                                                     "5@r.test",
         "row @x.test"                                                                                       },
        {"user_of_origin",
         {.maps = {"inline:u=4@r.test"}, LOCAL},
         "u@o.test",                                                                       "4@r.test",
         "row u"                                                                                             },
        {"user_of_literal",
         {.maps = {"inline:u=4@r.test"}, LOCAL},
         "u@[192.0.2.1]",                                                                  "4@r.test",
         "row u"                                                                                             },
        {"user_elsewhere",
         {.maps = {"inline:u=4@r.test"}, LOCAL},
         "u@y.test",                                                                       "u@y.test",
         ""                                                                                                  },
        {"user_not_local",
         {.maps = {"inline:u=4@r.test"}},
         "u@x.test",                                                                       "u@x.test",
         ""                                                                                                  },
        {"user_before_domain",
         {.maps = {"inline:@x.test=5@r.test", "inline:u=4@r.test"}, LOCAL},
         "u@x.test",                                                                       "4@r.test",
         "row u"                                                                                             },
        {"every_table_for_one_key",
         {.maps = {"inline:@x.test=5@r.test,u=4@r.test",
                   "csl:", "inline:u@x.test=2@r.test"},
          LOCAL},
         "u@x.test",                                                                       "2@r.test",
         "row u@x.test"                                                                                      },
        {"first_table_wins",
         {.maps = {"inline:u@x.test=1@r.test", "inline:u@x.test=2@r.test"}},
         "u@x.test",                                                                       "1@r.test",
         NULL                                                                                                },
        {"other_domain",
         {.maps = {"inline:@x.test=@r.test"}},
         "u+e@x.test",                                                                     "u+e@r.test",
         NULL                                                                                                },
        {"other_domain_for_user",
         {.maps = {"inline:u@x.test=@r.test"}},
         "u@x.test",                                                                       "u@r.test",
         NULL                                                                                                },
        {"other_domain_cut",
         {.maps = {"inline:u@x.test=@r.test"}},
         "u+e@x.test",                                                                     "u+e@r.test",
         NULL                                                                                                },
        {"other_domain_dropped",
         {.maps = {"inline:u@x.test=@r.test"}, .keeps_extension = true},
         "u+e@x.test",                                                                     "u@r.test",
         NULL                                                                                                },
        {"origin",
         {.maps = {"inline:u@x.test=v"}, .origin = "o.test"},
         "u@x.test",                                                                       "v@o.test",
         NULL                                                                                                },
        {"no_origin",               {.maps = {"inline:u@x.test=v"}},           "u@x.test", "v",          NULL},
        {"origin_extension",
         {.maps = {"inline:u@x.test=v"}, .origin = "o.test"},
         "u+e@x.test",                                                                     "v+e@o.test",
         NULL                                                                                                },
        {"not_propagated",
         {.maps = {"inline:u@x.test=v@r.test"}, .keeps_extension = true},
         "u+e@x.test",                                                                     "v@r.test",
         NULL                                                                                                },
        {"fold",
         {.maps = {"inline:u@x.test=v@r.test"}},
         "U@X.Test",                                                                       "v@r.test",
         NULL                                                                                                },
        {"fold_domain",
         {.maps = {"inline:@x.test=@r.test"}},
         "U@X.Test",                                                                       "U@r.test",
         NULL                                                                                                },
        {"nothing",                 {.maps = {"csl:"}},                        "u@x.test", "u@x.test",   ""  },
        {"no_tables",               {.maps = {NULL}},                          "u@x.test", "u@x.test",   ""  },
    };
    struct masq_tables t;
    (void)state;
    masq_tables_begin(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&t, cases[i].label, &cases[i].setting, cases[i].in, cases[i].want,
              cases[i].why);
    masq_tables_end(&t);
}

/* cleanup_map11_external() and split_addr() of Postfix 3.7. */
static void
repeating(void **state)
{
    static const struct {
        const char *label;
        struct setting setting;
        const char *in, *want, *why;
    } cases[] = {
        {"twice",
         {.maps = {"inline:a@x=b@x,b@x=c@x"}},
         "a@x",                                                            "c@x",
         "row a@x, b@x"                                                                                      },
        {"itself",            {.maps = {"inline:a@x=a@x"}},        "a@x",  "a@x",                     ""     },
        {"itself_other_case",
         {.maps = {"inline:a@x=A@X"}},
         "a@x",                                                            "A@X",
         "row a@x"                                                                                           },
        {"domain_itself",     {.maps = {"inline:@x=@x"}},          "a@x",  "a@x",                     ""     },
        {"ends_at_itself",
         {.maps = {"inline:a@x=b@x,@x=b@x"}},
         "a@x",                                                            "b@x",
         "row a@x, @x"                                                                                       },
        {"swap_comes_back",
         {.maps = {"inline:a@x=b@x,b@x=a@x"}},
         "a@x",                                                            "a@x",
         "row a@x, b@x, a@x, b@x, a@x, b@x, a@x, b@x, a@x, b@x: no end"                                      },
        {"circle",
         {.maps = {"inline:a@x=b@x,b@x=c@x,c@x=a@x"}},
         "a@x",                                                            "b@x",
         "row a@x, b@x, c@x, a@x, b@x, c@x, a@x, b@x, c@x, a@x: no end"                                      },
        {"grows",
         {.maps = {"inline:a@x=b+1@x,b@x=a+2@x"}},
         "a@x",                                                            "a+2+1+2+1+2+1+2+1+2+1@x",
         NULL                                                                                                },
        {"across_tables",
         {.maps = {"inline:a@x=b@x", "inline:b@x=c@x,c@x=d@x"}},
         "a@x",                                                            "d@x",
         "row a@x, b@x, c@x"                                                                                 },
        {"ten",
         {.maps =
              {"inline:0@x=1@x,1@x=2@x,2@x=3@x,3@x=4@x,4@x=5@x,5@x=6@x,6@x=7@x,"
               "7@x=8@x,8@x=9@x,9@x=10@x"}},
         "0@x",                                                            "10@x",
         NULL                                                                                                },
        {"eleven",
         {.maps =
              {"inline:0@x=1@x,1@x=2@x,2@x=3@x,3@x=4@x,4@x=5@x,5@x=6@x,6@x=7@x,"
               "7@x=8@x,8@x=9@x,9@x=10@x,10@x=11@x"}},
         "0@x",                                                            "10@x",
         NULL                                                                                                },
        {"bare_is_of_origin",
         {.maps = {"inline:u@o.test=v@r"}, .origin = "o.test"},
         "u",                                                              "v@r",
         NULL                                                                                                },
        {"bare_key",          {.maps = {"inline:u=v@r"}},          "u",    "v@r",                     "row u"},
        {"bare_extension",    {.maps = {"inline:u=v@r"}},          "u+e",  "v+e@r",                   "row u"},
        {"bare_stays",
         {.maps = {"inline:u=v@r"}, .origin = "o.test"},
         "w",                                                              "w",
         ""                                                                                                  },
        {"two_delimiters",
         {.maps = {"inline:u@x=v@r"}, .delimiters = "-+"},
         "u-e+f@x",                                                        "v-e+f@r",
         NULL                                                                                                },
        {"second_delimiter",
         {.maps = {"inline:u@x=v@r"}, .delimiters = "-+"},
         "u+e-f@x",                                                        "v+e-f@r",
         NULL                                                                                                },
        {"empty_extension",   {.maps = {"inline:u@x=v@r"}},        "u+@x", "v+@r",                    NULL   },
        {"only_extension",
         {.maps = {"inline:@x=v@r,u@x=1@r"}},
         "+e@x",                                                           "v@r",
         NULL                                                                                                },
        {"postmaster",
         {.maps = {"inline:postmaster@x=v@r"}, .delimiters = "-"},
         "postmaster@x",                                                   "v@r",
         NULL                                                                                                },
        {"mailer_daemon",
         {.maps = {"inline:mailer@x=v@r"}, .delimiters = "-"},
         "Mailer-Daemon@x",                                                "Mailer-Daemon@x",
         NULL                                                                                                },
        {"owner",
         {.maps = {"inline:owner@x=v@r"}, .delimiters = "-"},
         "owner-list@x",                                                   "owner-list@x",
         NULL                                                                                                },
        {"request",
         {.maps = {"inline:list@x=v@r"}, .delimiters = "-"},
         "list-request@x",                                                 "list-request@x",
         NULL                                                                                                },
        {"request_plus",
         {.maps = {"inline:list@x=v@r"}},
         "list+request@x",                                                 "v+request@r",
         NULL                                                                                                },
        {"no_delimiters",
         {.maps = {"inline:u@x=v@r"}, .delimiters = ""},
         "u+e@x",                                                          "u+e@x",
         NULL                                                                                                },
        {"utf8",
         {.maps = {"inline:\xC3\xB6@x=\xC3\xA4@r"}},
         "\xC3\xB6+e@x",                                                   "\xC3\xA4+e@r",
         NULL                                                                                                },
    };
    struct masq_tables t;
    (void)state;
    masq_tables_begin(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&t, cases[i].label, &cases[i].setting, cases[i].in, cases[i].want,
              cases[i].why);
    masq_tables_end(&t);
}

static void
values(void **state)
{
    static const struct {
        const char *label, *row, *want; /* NULL: refused */
    } cases[] = {
        {"brackets",         "a@x <v@r.test>",         "v@r.test"     },
        {"name",             "a@x V <v@r.test>",       "v@r.test"     },
        {"two",              "a@x v@r.test, w@r.test", "v@r.test"     },
        {"quotes",           "a@x \"v w\"@r.test",     "v w@r.test"   },
        {"literal",          "a@x v@[192.0.2.1]",      "v@[192.0.2.1]"},
        {"final_dot",        "a@x @r.test.",           "a@r.test"     },
        {"blanks_in_domain", "a@x @ r.test",           "a@r.test"     },
        {"empty",            "a@x \"\"",               NULL           },
        {"two_words",        "a@x v w",                NULL           },
        {"domain_alone",     "a@x @",                  NULL           },
        {"domain_dots",      "a@x @r..test",           NULL           },
        {"angle",            "a@x <>",                 NULL           },
        {"latin1",           "a@x \xF6@r.test",        NULL           },
    };
    struct masq_tables t;
    (void)state;
    masq_tables_begin(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct setting s = {.keeps_extension = false};
        struct masq_address to;
        struct mfx_str why;
        struct mfx_err err = {{0}};
        char name[20];
        (void)snprintf(name, sizeof name, "map%zu", i);
        const char *path =
            conf_files_write(&t.files, name, mfx_str_of(cases[i].row));
        s.maps[0] = mfx_arena_printf(t.arena, "texthash:%s", path).p;
        enum mfx_rc rc = rewrite(&t, &s, "a@x", &to, &why, &err);
        if (cases[i].want == NULL) {
            unit_assert_int(cases[i].label, rc, MFX_TEMPFAIL);
            unit_assert_int(cases[i].label,
                            strstr(err.msg, "is no address") != NULL, true);
            unit_assert_str(cases[i].label, to.local, mfx_str_of("a"));
        } else {
            unit_assert_int(cases[i].label, rc, MFX_OK);
            unit_assert_str(cases[i].label, masq_tables_text(&t, &to),
                            mfx_str_of(cases[i].want));
        }
    }
    masq_tables_end(&t);
}

/* "Each pattern is a regular expression that is applied to the entire address
 * being looked up" (canonical(5), REGULAR EXPRESSION TABLES). */
static void
patterns(void **state)
{
    static const struct {
        const char *label, *in, *want, *why;
    } cases[] = {
        {"whole_first",           "u+e@x.test", "p@r.test",   "row u+e@x.test"          },
        {"no_part",               "w+e@x.test", "w+e@x.test", ""                        },
        {"no_user",               "z@x.test",   "z@x.test",   ""                        },
        {"other_table_for_parts", "v+e@x.test", "q+e@r.test", "row v@x.test"            },
        {"again",                 "s@x.test",   "p@r.test",   "row s@x.test, u+e@x.test"},
    };
    struct masq_tables t;
    (void)state;
    masq_tables_begin(&t);
    const char *path = conf_files_write(&t.files, "patterns",
                                        mfx_str_of("u+*@x.test p@r.test\n"
                                                   "w@x.test p@r.test\n"
                                                   "z p@r.test\n"
                                                   "@x.test p@r.test\n"
                                                   "s@x.* u+e@x.test\n"));
    struct setting s = {.local_domains = "csl:x.test"};
    s.maps[0] = mfx_arena_printf(t.arena, "refile:%s", path).p;
    s.maps[1] = "inline:v@x.test=q@r.test";
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&t, cases[i].label, &s, cases[i].in, cases[i].want, cases[i].why);
    masq_tables_end(&t);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_addr_map), cmocka_unit_test(manual),
        cmocka_unit_test(repeating),     cmocka_unit_test(values),
        cmocka_unit_test(patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
