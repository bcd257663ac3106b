/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forms of values are those of aliases(5) and virtual(5) of Postfix 3.7 and of
 * Sendmail 8.17's virtusertable (cf/README). */
#include "../../milters/masq/members.h"
#include "../../milters/masq/srs_maps.h"
#include "masq_tables.h"
#include <mfx/policy/domain_list.h>

/* --- members --- */

static void
members(void **state)
{
    static const struct {
        const char *label, *value, *want;
    } cases[] = {
        {"one",            "joe@a.example",              "A joe@a.example"            },
        {"bare",           "joe",                        "A joe"                      },
        {"commas",         "a@x, b@y,c",                 "A a@x|A b@y|A c"            },
        {"blanks",         "a@x b@y\tc",                 "A a@x|A b@y|A c"            },
        {"empty_items",    ", a@x,, ,b ,",               "A a@x|A b"                  },
        {"empty",          "",                           ""                           },
        {"only_blanks",    " \t ",                       ""                           },
        {"command",        "|/usr/bin/prog",             "H |/usr/bin/prog"           },
        {"command_words",  "|/usr/bin/prog -a b, joe",
         "H |/usr/bin/prog -a b|A joe"                                                },
        {"command_quoted", "\"|/bin/p -a, b\", joe",     "H |/bin/p -a, b|A joe"      },
        {"file",           "/var/mail/joe",              "H /var/mail/joe"            },
        {"file_quoted",    "\"/var/mail/jo e\"",         "H /var/mail/jo e"           },
        {"include",        ":include:/etc/list",         "I /etc/list"                },
        {"include_quoted", "\":include:/etc/a list\"",   "I /etc/a list"              },
        {"include_case",   ":INCLUDE:/etc/list,b",       "I /etc/list|A b"            },
        {"escaped",        "\\joe, joe@x",               "A joe|A joe@x"              },
        {"quoted_local",   "\"a b\"@x, c",               "A a b@x|A c"                },
        {"quoted_name",    "\"a, b\"",                   "A a, b"                     },
        {"same_local",     "@other.example",             "S @other.example"           },
        {"percent",        "%1@other.example",           "S @other.example"           },
        {"error",          "error:nouser No such user",  "H error:nouser No such user"},
        {"error_enhanced", "error:5.7.0:550 No, really",
         "H error:5.7.0:550 No|A really"                                              },
        {"comment",        "(staff) joe (him), ann",     "A joe|A ann"                },
        {"angle",          "<joe@x>",                    "A joe@x"                    },
        {"null_sender",    "<>",                         "U <>"                       },
        {"two_at",         "a@b@c",                      "U a@b@c"                    },
        {"quote_open",     "\"a, b",                     "U \"a, b"                   },
        {"quote_escape",   "\"a\\\"b\"@x c",             "A a\"b@x|A c"               },
        {"comment_open",   "joe (him",                   "A joe"                      },
        {"backslash_end",  "\"a\\",                      "U \"a\\"                    },
    };
    static const char letters[] = "ASHIU";
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str rest = mfx_str_of(cases[i].value);
        struct masq_member m;
        struct mfx_buf out;
        enum mfx_rc rc;
        mfx_buf_init(&out, 1000);
        while ((rc = masq_members_next(&rest, arena, &m)) == MFX_OK) {
            mfx_buf_printf(&out, "%s%c ", out.len == 0 ? "" : "|",
                           letters[m.kind]);
            if (m.kind == MASQ_MEMBER_ADDRESS)
                mfx_buf_add(&out, m.address.local);
            if (m.address.domain.len > 0)
                mfx_buf_printf(&out, "@%.*s", MFX_STR_ARG(m.address.domain));
            if (m.address.domain.len == 0 && m.kind != MASQ_MEMBER_ADDRESS)
                mfx_buf_add(&out, m.text);
        }
        unit_assert_int(cases[i].label, rc, MFX_NOTFOUND);
        unit_assert_str(cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(cases[i].want));
        mfx_buf_fini(&out);
    }
    mfx_arena_free(arena);
}

static void
lists_of_domains(void **state)
{
    static const struct {
        const char *label, *domain;
        enum mfx_rc rc;
    } cases[] = {
        {"itself",         "a.example",       MFX_OK      },
        {"other_case",     "A.Example",       MFX_OK      },
        {"below_not",      "x.a.example",     MFX_NOTFOUND},
        {"dot_below",      "x.b.example",     MFX_OK      },
        {"dot_far_below",  "x.y.z.b.example", MFX_OK      },
        {"dot_not_itself", "b.example",       MFX_NOTFOUND},
        {"other",          "c.example",       MFX_NOTFOUND},
        {"end_alone",      "xa.example",      MFX_NOTFOUND},
        {"top",            "example",         MFX_NOTFOUND},
        {"empty",          "",                MFX_NOTFOUND},
        {"final_dot",      "a.example.",      MFX_NOTFOUND},
    };
    struct masq_tables t;
    (void)state;
    masq_tables_begin(&t);
    struct mfx_table *list = masq_tables_open(&t, "csl:a.example,.b.example");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_int(cases[i].label,
                        mfx_domain_list_has(list, mfx_str_of(cases[i].domain),
                                            t.arena, NULL),
                        cases[i].rc);
    assert_int_equal(
        mfx_domain_list_has(NULL, mfx_str_of("a.example"), t.arena, NULL),
        MFX_NOTFOUND);
    /* a pattern is asked for the domain, and not for what is above it */
    (void)conf_files_write(&t.files, "patterns",
                           mfx_str_of("*.p.example\n.q.example\n"));
    list = masq_tables_open(
        &t, mfx_arena_printf(t.arena, "refile:%s",
                             conf_files_path(&t.files, "patterns"))
                .p);
    assert_int_equal(
        mfx_domain_list_has(list, mfx_str_of("x.p.example"), t.arena, NULL),
        MFX_OK);
    assert_int_equal(
        mfx_domain_list_has(list, mfx_str_of("x.q.example"), t.arena, NULL),
        MFX_NOTFOUND);
    masq_tables_end(&t);
}

/* --- where mail goes --- */

struct site {
    struct masq_tables t;
    struct mfx_table *tables[4];
    size_t count;
    struct masq_srs_maps maps;
};

static void
site_begin(struct site *s)
{
    *s = (struct site){0};
    masq_tables_begin(&s->t);
    s->maps.our_domains =
        masq_tables_open(&s->t, "csl:us.example,virtual.example,.us.example");
    s->maps.tables = (struct masq_canonical){
        .local_domains = masq_tables_open(&s->t, "csl:us.example"),
        .delimiters = MFX_STR("+"),
    };
}

static void
site_add(struct site *s, const char *type, const char *text)
{
    const char *name = mfx_arena_printf(s->t.arena, "t%zu", s->count).p;
    const char *path = conf_files_write(&s->t.files, name, mfx_str_of(text));
    s->tables[s->count++] = masq_tables_open(
        &s->t, mfx_arena_printf(s->t.arena, "%s:%s", type, path).p);
    assert_int_equal(
        masq_srs_maps_init(&s->maps, s->tables, s->count, s->t.arena), MFX_OK);
}

static void
check_where(struct site *s, const char *label, const char *recipient,
            const char *want)
{
    struct masq_address a = masq_tables_address(recipient);
    struct mfx_str where;
    struct mfx_err err = {""};
    enum mfx_rc rc =
        masq_srs_maps_leave(&s->maps, &a, s->t.arena, &where, &err);
    if (rc == MFX_TEMPFAIL)
        fail_msg("%s: %s", label, err.msg);
    unit_assert_str(label, where, mfx_str_of(want));
    unit_assert_int(label, rc, want == NULL ? MFX_NOTFOUND : MFX_OK);
}

static const char aliases_text[] =
    "postmaster: root\n"
    "root: joe\n"
    "joe: joe@gmail.example\n"
    "ann: \\ann, ann@elsewhere.example\n"
    "stay: \\stay\nother: \\joe\n"
    "prog: \"|/usr/bin/procmail -a ann@elsewhere.example\"\n"
    "file: /var/mail/file\n"
    "loop: loop2\n"
    "loop2: loop@us.example\n"
    "selfish: selfish, second@far.example\n"
    "list: joe, ann\n"
    "owner-list: joe\n"
    "inner: list, stay\n"
    "list2: joe, stay\n"
    "many: stay, file, prog, third@far.example\n"
    "quoted: \"o'joe x\"@far.example\n"
    "junk: a@b@c\n";

static const char virtual_text[] =
    "info@virtual.example joe@us.example\n"
    "box@virtual.example box@virtual.example\n"
    "ext+in@virtual.example a@one.example\n"
    "ext@virtual.example b@two.example\n"
    "kept@virtual.example target@us.example\n"
    "target+x@us.example c@three.example\n"
    "@other.us.example @far.example\n"
    "@sub.us.example %1@us.example\n"
    "@virtual.example catch@all.example\n"
    "refused@us.example error:nouser No such user\n"
    "joan@us.example joan@us.example\n"
    "here@foreign.example local@us.example\n"
    "ann@us.example annabel@us.example\n";

static void
through_tables(void **state)
{
    static const struct {
        const char *label, *recipient, *want;
    } cases[] = {
        {"foreign",            "x@far.example",           "x@far.example"          },
        {"ours",               "x@us.example",            NULL                     },
        {"below_ours",         "x@y.us.example",          NULL                     },
        {"bare",               "x",                       NULL                     },
        {"alias",              "joe@us.example",          "joe@gmail.example"      },
        {"alias_upper_case",   "JOE@US.EXAMPLE",          "joe@gmail.example"      },
        {"alias_bare",         "joe",                     "joe@gmail.example"      },
        {"alias_chain",        "postmaster@us.example",   "joe@gmail.example"      },
        {"alias_not_there",    "joe@y.us.example",        NULL                     },
        {"alias_extension",    "joe+x@us.example",        "joe@gmail.example"      },
        {"escaped",            "stay@us.example",         NULL                     },
        {"command",            "prog@us.example",         NULL                     },
        {"file",               "file@us.example",         NULL                     },
        {"loop",               "loop@us.example",         NULL                     },
        {"itself_and_another", "selfish@us.example",      "second@far.example"     },
        {"one_of_many",        "many@us.example",         "third@far.example"      },
        {"quoted",             "quoted@us.example",       "\"o'joe x\"@far.example"},
        {"owner",              "list@us.example",         NULL                     },
        {"owner_within",       "inner@us.example",        NULL                     },
        {"no_owner",           "list2@us.example",        "joe@gmail.example"      },
        {"not_understood",     "junk@us.example",         "unknown, alias junk"    },
        {"virtual_then_alias", "info@virtual.example",    "joe@gmail.example"      },
        {"virtual_mailbox",    "box@virtual.example",     NULL                     },
        {"catch_all",          "any@virtual.example",     "catch@all.example"      },
        {"with_extension",     "ext+in@virtual.example",  "a@one.example"          },
        {"other_extension",    "ext+out@virtual.example", "b+out@two.example"      },
        {"extension_kept",     "kept+x@virtual.example",  "c@three.example"        },
        {"extension_cut",      "kept+y@virtual.example",  NULL                     },
        {"domain_to_domain",   "u@other.us.example",      "u@far.example"          },
        {"percent_one",        "joe@sub.us.example",      "joe@gmail.example"      },
        {"percent_one_other",  "nobody@sub.us.example",   NULL                     },
        {"refused",            "refused@us.example",      NULL                     },
        {"foreign_kept_here",  "here@foreign.example",    NULL                     },
        {"replaced_no_alias",  "ann@us.example",          NULL                     },
        {"identity_no_alias",  "joan@us.example",         NULL                     },
    };
    struct site s;
    (void)state;
    site_begin(&s);
    site_add(&s, "texthash", virtual_text);
    site_add(&s, "alias", aliases_text);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_where(&s, cases[i].label, cases[i].recipient, cases[i].want);
    masq_tables_end(&s.t);
}

/* A virtual row that maps an address to itself leaves it to the aliases. */
static void
identity_then_alias(void **state)
{
    struct site s;
    (void)state;
    site_begin(&s);
    site_add(&s, "texthash",
             "joe@us.example joe@us.example\n"
             "mary@virtual.example mary@virtual.example\n"
             "ann@us.example ann\n"
             "@us.example other@far.example\n");
    site_add(&s, "alias",
             "joe: joe@gmail.example\nmary: mary@gmail.example\n"
             "ann: ann@gmail.example\n");
    check_where(&s, "local", "joe@us.example", "joe@gmail.example");
    check_where(&s, "not_local", "mary@virtual.example", NULL);
    check_where(&s, "to_bare", "ann@us.example", "ann@gmail.example");
    check_where(&s, "others", "tom@us.example", "other@far.example");
    s.maps.tables.origin_domain = mfx_str_of("us.example");
    check_where(&s, "bare_is_of_origin", "tom", "other@far.example");
    check_where(&s, "bare_and_alias", "joe", "joe@gmail.example");
    masq_tables_end(&s.t);
}

/* virtual(5) first, whatever the order of the tables; then aliases(5), whose
 * members are users of this machine and past it. t/interop/srs_forward_maps.t
 * has it from Postfix. */
static void
aliases_come_last(void **state)
{
    static const struct {
        const char *label, *recipient, *want;
    } cases[] = {
        {"catch_all_hides_alias",  "ann@us.example",   "all@far.example"},
        {"itself_then_alias",      "cid@us.example",   NULL             },
        {"address_of_an_alias",    "dan@us.example",   "tim@far.example"},
        {"owner_of_another",       "eve+x@us.example", "z@far.example"  },
        {"owner",                  "eve@us.example",   NULL             },
        {"cut_itself_then_alias",  "eve+y@us.example", NULL             },
        {"virtual_user_no_owner",  "fay",              "f@far.example"  },
        {"extension_of_a_user",    "gus+x@us.example", "g@far.example"  },
        {"no_row_but_the_alias's", "hal",              NULL             },
        {"included_user",          "ida@us.example",   "tim@far.example"},
    };
    struct site s;
    (void)state;
    site_begin(&s);
    s.maps.tables.origin_domain = mfx_str_of("us.example");
    const char *file =
        conf_files_write(&s.t.files, "members", mfx_str_of("tim\n"));
    site_add(&s, "alias",
             mfx_arena_printf(s.t.arena,
                              "ann: /dev/null\ncid: tim\n"
                              "dan: tim@us.example\neve+x: z@far.example\n"
                              "eve: z@far.example\nowner-eve: ann\n"
                              "owner-fay: ann\nhal: tim\n"
                              "ida: :include:%s\n",
                              file)
                 .p);
    site_add(&s, "texthash",
             "tim@us.example tim@far.example\ncid@us.example cid\n"
             "dan@us.example dan\neve@us.example eve\n"
             "eve+x@us.example eve+x\nfay f@far.example\n"
             "gus hal\nhal@us.example hal\nhal+x@us.example g@far.example\n"
             "ida@us.example ida\n@us.example all@far.example\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_where(&s, cases[i].label, cases[i].recipient, cases[i].want);
    masq_tables_end(&s.t);
}

/* Without an alias: table nobody knows which is which. */
static void
tables_that_may_be_either(void **state)
{
    struct site s;
    (void)state;
    site_begin(&s);
    site_add(&s, "texthash",
             "ann /dev/null\nben ben@far.example\nowner-cid x\n"
             "cid c@far.example\n");
    site_add(&s, "texthash",
             "@us.example dan@us.example\ndan@us.example dan@us.example\n"
             "@virtual.example all@far.example\n");
    check_where(&s, "stays_by_both", "ann@us.example", NULL);
    check_where(&s, "leaves_by_the_user", "ben@us.example", "ben@far.example");
    check_where(&s, "owner", "cid@us.example", NULL);
    check_where(&s, "user_of_another_domain", "ann@virtual.example",
                "all@far.example");
    s.maps.tables.local_domains =
        masq_tables_open(&s.t, "csl:us.example,virtual.example");
    check_where(&s, "leaves_by_the_domain", "ann@virtual.example",
                "all@far.example");
    masq_tables_end(&s.t);
}

static void
include_files(void **state)
{
    struct site s;
    (void)state;
    site_begin(&s);
    struct mfx_arena *a = s.t.arena;
    const char *inside = conf_files_write(
        &s.t.files, "inside",
        mfx_str_of("# staff\nstay@us.example\n\n  joe, x@far.example # no\n"));
    const char *local = conf_files_write(
        &s.t.files, "local", mfx_str_of("one@us.example\r\n|/bin/cat\ntwo\n"));
    const char *self = conf_files_path(&s.t.files, "self");
    (void)conf_files_write(&s.t.files, "self",
                           mfx_arena_printf(a, "one\n:include:%s\n", self));
    site_add(&s, "alias",
             mfx_arena_printf(a,
                              "staff: :include:%s\nlocal: \":include:%s\"\n"
                              "self: :include:%s\ngone: :include:/no/such\n"
                              "both: joe, :include:%s\n",
                              inside, local, self, local)
                 .p);
    check_where(&s, "leaves", "staff@us.example", "x@far.example");
    check_where(&s, "stays", "local@us.example", NULL);
    check_where(&s, "both", "both@us.example", NULL);
    check_where(&s, "itself", "self@us.example",
                mfx_arena_printf(a, "unknown, too many files, at %s", self).p);
    check_where(&s, "cannot_be_read", "gone@us.example",
                "unknown, cannot read /no/such");
    masq_tables_end(&s.t);
}

static void
limits(void **state)
{
    struct site s;
    struct mfx_buf text;
    (void)state;
    site_begin(&s);
    mfx_buf_init(&text, 1000000);
    for (int i = 0; i < 60; i++)
        mfx_buf_printf(&text, "c%d: c%d\n", i, i + 1);
    for (int i = 0; i < 1100; i++)
        mfx_buf_printf(&text, "%sm%d", i == 0 ? "wide: " : ", ", i);
    mfx_buf_add_text(&text, "\nok: ");
    for (int i = 0; i < 999; i++)
        mfx_buf_printf(&text, "%sm%d", i == 0 ? "" : ", ", i);
    mfx_buf_add_text(&text, ", m1, m2, M3\n");
    site_add(&s, "alias", mfx_buf_text(&text));
    mfx_buf_fini(&text);
    check_where(&s, "deep", "c0@us.example",
                "unknown, too many aliases in a row, at user c51");
    check_where(&s, "not_so_deep", "c10@us.example", NULL);
    check_where(&s, "wide", "wide@us.example",
                "unknown, too many members, at user m999");
    check_where(&s, "a_thousand", "ok@us.example", NULL);
    masq_tables_end(&s.t);
}

/* A table that cannot be asked is no answer, wherever it stands. */
static void
outage(void **state)
{
    struct site s;
    struct mfx_str where;
    struct mfx_err err = {""};
    (void)state;
    site_begin(&s);
    struct masq_address a = masq_tables_address("joe@us.example");
    struct mfx_arena *small = mfx_arena_new(1);
    site_add(&s, "alias", aliases_text);
    assert_int_equal(masq_srs_maps_leave(&s.maps, &a, small, &where, &err),
                     MFX_TEMPFAIL);
    assert_int_equal(where.len, 0);
    mfx_arena_free(small);
    const char *path = conf_files_write(&s.t.files, "broken.sqlite",
                                        mfx_str_of("this is no database"));
    struct mfx_table *broken = NULL;
    if (mfx_table_open(
            s.t.set,
            mfx_arena_printf(s.t.arena, "sqlite:%s?SELECT v FROM t WHERE k=?",
                             path),
            MFX_TABLE_NOCASE, "test", 1, &s.t.problems, &broken) == MFX_OK) {
        s.tables[s.count++] = broken;
        assert_int_equal(
            masq_srs_maps_init(&s.maps, s.tables, s.count, s.t.arena), MFX_OK);
        assert_int_equal(
            masq_srs_maps_leave(&s.maps, &a, s.t.arena, &where, &err),
            MFX_TEMPFAIL);
    }
    masq_tables_end(&s.t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),
        cmocka_unit_test(lists_of_domains),
        cmocka_unit_test(through_tables),
        cmocka_unit_test(identity_then_alias),
        cmocka_unit_test(include_files),
        cmocka_unit_test(aliases_come_last),
        cmocka_unit_test(tables_that_may_be_either),
        cmocka_unit_test(limits),
        cmocka_unit_test(outage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
