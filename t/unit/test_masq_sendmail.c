/* SPDX-License-Identifier: BSD-2-Clause */
#include <sqlite3.h>

#include "masq_tables.h"

#include "../../milters/masq/sendmail.h"

#define OWN "mx.foo.org"

/* As struct masq_rule_settings, tables as texts. */
struct setting {
    const char *as, *m, *n, *e, *w, *g, *generics;
    bool entire, limited, generics_entire;
    const char *own_name; /* NULL: OWN */
};

struct one_case {
    const char *label;
    struct setting setting;
    const char *in, *want, *why; /* want NULL: MFX_TEMPFAIL */
};

/* Tables parted by '|'. */
static struct mfx_option_tables
open_all(struct masq_tables *t, const char *specs)
{
    struct mfx_option_tables tables = {
        .items = mfx_arena_alloc_array(t->arena, 4, sizeof *tables.items)};
    struct mfx_str rest = mfx_str_of(specs), spec;
    while (tables.count < 4 && mfx_str_cut(&rest, '|', &spec))
        tables.items[tables.count++] =
            masq_tables_open(t, mfx_arena_copy(t->arena, spec).p);
    return tables;
}

static struct masq_sendmail *
make(struct masq_tables *t, const struct setting *s)
{
    struct masq_rule_settings *r = mfx_arena_alloc(t->arena, sizeof *r);
    struct masq_sendmail *sendmail;
    struct mfx_err err = {{0}};
    *r = (struct masq_rule_settings){
        .masquerade_as = mfx_str_of(s->as),
        .masquerade_domain = open_all(t, s->m),
        .masquerade_exception = open_all(t, s->n),
        .exposed_user = open_all(t, s->e),
        .own_names = open_all(t, s->w),
        .generics_domain = open_all(t, s->g),
        .genericstable = open_all(t, s->generics),
        .masquerade_entire_domain = s->entire,
        .limited_masquerade = s->limited,
        .generics_entire_domain = s->generics_entire,
    };
    if (masq_sendmail_new(r, t->arena, &sendmail, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    return sendmail;
}

static void
check(struct masq_tables *t, const struct one_case *c)
{
    const char *own = c->setting.own_name;
    struct masq_address from = masq_tables_address(c->in), to;
    struct mfx_str why;
    struct mfx_err err = {{0}};
    enum mfx_rc rc = masq_sendmail_rewrite(make(t, &c->setting),
                                           mfx_str_of(own == NULL ? OWN : own),
                                           &from, t->arena, &to, &why, &err);
    if (c->want == NULL) {
        unit_assert_int(c->label, rc, MFX_TEMPFAIL);
        unit_assert_int(c->label, err.msg[0] != '\0', true);
    } else {
        unit_assert_str(c->label, mfx_str_of(err.msg), mfx_str_of(""));
        unit_assert_int(c->label, rc,
                        strcmp(c->in, c->want) == 0 ? MFX_NOTFOUND : MFX_OK);
    }
    unit_assert_str(c->label, masq_tables_text(t, &to),
                    mfx_str_of(rc == MFX_TEMPFAIL ? c->in : c->want));
    unit_assert_int(c->label, why.len > 0, rc == MFX_OK);
    if (c->why != NULL)
        unit_assert_str(c->label, why, mfx_str_of(c->why));
}

static void
check_all(const struct one_case *cases, size_t count)
{
    struct masq_tables t;
    masq_tables_begin(&t);
    for (size_t i = 0; i < count; i++)
        check(&t, &cases[i]);
    masq_tables_end(&t);
}

#define CHECK_ALL(cases) check_all(cases, sizeof(cases) / sizeof(cases)[0])

/* cf/README of Sendmail 8.17.1, MASQUERADING AND RELAYING and FEATURES: its
 * sentences with its own examples of names where it has some. */
static void
readme_masquerading(void **state)
{
#define MASQ .as = "masq.com", .m = "csl:foo.org,bar.com"
    static const struct one_case cases[] = {
  /* "from this host (that is, are either unqualified or in class {w})" */
        {"unqualified",          {.as = "host.domain"},                    "u",           "u@host.domain",         NULL},
        {"own_host",             {.as = "host.domain"},                    "u@" OWN,      "u@host.domain",         NULL},
        {"class_w",
         {.as = "host.domain", .w = "csl:local.example"},
         "u@local.example",                                                               "u@host.domain",
         "masquerade_as"                                                                                               },
        {"not_ours",
         {.as = "host.domain", .w = "csl:local.example"},
         "u@x.example",                                                                   "u@x.example",
         NULL                                                                                                          },
        {"below_class_w",
         {.as = "host.domain", .w = "csl:local.example"},
         "u@a.local.example",                                                             "u@a.local.example",
         NULL                                                                                                          },
 /* "any user@otherhost.domain will [...] have the MASQUERADE_AS
         * address" */
        {"class_m",
         {.as = "host.domain", .m = "csl:otherhost.domain"},
         "user@otherhost.domain",                                                         "user@host.domain",
         "masquerade_as"                                                                                               },
        {"class_m_second_table",
         {.as = "host.domain", .m = "csl:a.example|csl:otherhost.domain"},
         "user@otherhost.domain",                                                         "user@host.domain",
         "masquerade_as"                                                                                               },
        {"class_m_alone",
         {.m = "csl:otherhost.domain"},
         "user@otherhost.domain",                                                         "user@otherhost.domain",
         NULL                                                                                                          },
 /* masquerade_entire_domain: "*foo.org and *bar.com are converted to
         * masq.com. Without this feature, only foo.org and bar.com" */
        {"entire",               {MASQ, .entire = true},                   "u@foo.org",   "u@masq.com",            NULL},
        {"entire_below",
         {MASQ, .entire = true},
         "u@a.foo.org",                                                                   "u@masq.com",
         NULL                                                                                                          },
        {"entire_deeper",
         {MASQ, .entire = true},
         "u@b.a.bar.com",                                                                 "u@masq.com",
         NULL                                                                                                          },
        {"entire_half_a_label",
         {MASQ, .entire = true},
         "u@afoo.org",                                                                    "u@afoo.org",
         NULL                                                                                                          },
        {"not_entire",           {MASQ},                                   "u@bar.com",   "u@masq.com",            NULL},
        {"not_entire_below",     {MASQ},                                   "u@a.bar.com", "u@a.bar.com",           NULL},
 /* limited_masquerade: "only the hosts listed in class {M}" */
        {"limited",
         {MASQ, .w = "csl:local.example", .limited = true},
         "u@local.example",                                                               "u@local.example",
         NULL                                                                                                          },
        {"limited_m",            {MASQ, .limited = true},                  "u@foo.org",   "u@masq.com",            NULL},
        {"limited_own",
         {.as = "masq.com", .limited = true},
         "u@" OWN,
         "u@" OWN,
         NULL                                                                                                          },
        {"limited_bare",         {MASQ, .limited = true},                  "u",           "u@masq.com",            NULL},
 /* MASQUERADE_EXCEPTION: "masquerade a whole domain except for one (or
         * a few) host(s)" */
        {"exception",
         {MASQ, .entire = true, .n = "csl:a.foo.org"},
         "u@a.foo.org",                                                                   "u@a.foo.org",
         NULL                                                                                                          },
        {"exception_below",
         {MASQ, .entire = true, .n = "csl:a.foo.org"},
         "u@b.a.foo.org",                                                                 "u@b.a.foo.org",
         NULL                                                                                                          },
        {"exception_other",
         {MASQ, .entire = true, .n = "csl:a.foo.org"},
         "u@b.foo.org",                                                                   "u@masq.com",
         NULL                                                                                                          },
        {"exception_own",        {MASQ, .n = "csl:" OWN},                  "u@" OWN,      "u@" OWN,                NULL},
        {"exception_bare",       {MASQ, .n = "csl:" OWN},                  "u",           "u@masq.com",            NULL},
 /* EXPOSED_USER: "their internal site name should be displayed" */
        {"exposed",
         {MASQ, .e = "csl:root"},
         "root@foo.org",                                                                  "root@foo.org",
         NULL                                                                                                          },
        {"exposed_w",
         {MASQ, .e = "csl:root", .w = "csl:local.example"},
         "root@local.example",                                                            "root@local.example",
         NULL                                                                                                          },
        {"exposed_below",
         {MASQ, .e = "csl:root", .entire = true},
         "root@a.foo.org",                                                                "root@a.foo.org",
         NULL                                                                                                          },
        {"exposed_bare",
         {MASQ, .e = "csl:root"},
         "root",                                                                          "root@" OWN,
         "own name"                                                                                                    },
        {"exposed_case",
         {MASQ, .e = "csl:root"},
         "Root@foo.org",                                                                  "Root@foo.org",
         NULL                                                                                                          },
        {"exposed_detail",
         {MASQ, .e = "csl:root"},
         "root+x@foo.org",                                                                "root+x@masq.com",
         NULL                                                                                                          },
        {"not_exposed",
         {MASQ, .e = "csl:root"},
         "u@foo.org",                                                                     "u@masq.com",
         NULL                                                                                                          },
    };
    (void)state;
    CHECK_ALL(cases);
}

/* cf/README of Sendmail 8.17.1, genericstable. */
static void
readme_generics(void **state)
{
#define G(rows) .g = "csl:foo.org", .generics = "inline:" rows
    static const struct one_case cases[] = {
  /* "The key for this table is either the full address, the domain
         * (with a leading @; the localpart is passed as first argument) or the
         * unqualified username (tried in the order mentioned)" */
        {"full_address",
         {G("u@foo.org=1@r.test,@foo.org=2@r.test,u=3@r.test")},
         "u@foo.org",                                                           "1@r.test",
         "row u@foo.org"                                                                                    },
        {"domain",
         {G("@foo.org=2@r.test,u=3@r.test")},
         "u@foo.org",                                                           "2@r.test",
         "row @foo.org"                                                                                     },
        {"user",                   {G("u=3@r.test")},            "u@foo.org",   "3@r.test",          "row u"},
        {"domain_argument",
         {G("@foo.org=%1@r.test")},
         "u+x@foo.org",                                                         "u+x@r.test",
         NULL                                                                                               },
 /* "If the new user address does not include a domain, it will be
         * qualified in the standard manner, i.e., using $j or the masquerade
         * name" */
        {"unqualified_j",
         {G("u@foo.org=v")},
         "u@foo.org",                                                           "v@" OWN,
         "row u@foo.org, own name"                                                                          },
        {"unqualified_masquerade",
         {G("u@foo.org=v"), .as = "masq.com"},
         "u@foo.org",                                                           "v@masq.com",
         "row u@foo.org, masquerade_as"                                                                     },
        {"unqualified_exposed",
         {G("u@foo.org=v"), .as = "masq.com", .e = "csl:v"},
         "u@foo.org",                                                           "v@" OWN,
         NULL                                                                                               },
 /* "Qualified addresses must have the domain part in class {G}" */
        {"not_in_g",               {G("u=3@r.test")},            "u@bar.com",   "u@bar.com",         NULL   },
        {"no_g",
         {.generics = "inline:u=3@r.test"},
         "u@foo.org",                                                           "u@foo.org",
         NULL                                                                                               },
 /* "unqualified addresses (i.e., without a domain)" */
        {"bare",                   {G("u=3@r.test")},            "u",           "3@r.test",          NULL   },
        {"bare_full",
         {G("u@" OWN "=1@r.test,u=3@r.test")},
         "u",                                                                   "1@r.test",
         "row u@" OWN                                                                                       },
        {"bare_domain",
         {G("@" OWN "=2@r.test,u=3@r.test")},
         "u",                                                                   "3@r.test",
         NULL                                                                                               },
 /* "The "+detail" of an address is passed as %1" */
        {"detail",
         {G("old+*@foo.org=new+%1@example.com")},
         "old+x@foo.org",                                                       "new+x@example.com",
         "row old+*@foo.org"                                                                                },
        {"detail_alone",
         {G("gen+*@foo.org=%1@example.com")},
         "gen+joe@foo.org",                                                     "joe@example.com",
         NULL                                                                                               },
        {"no_detail",
         {G("old+*@foo.org=new+%1@example.com")},
         "old@foo.org",                                                         "old@foo.org",
         NULL                                                                                               },
 /* generics_entire_domain: "if their domain parts are subdomains of
         * elements in class {G}" */
        {"entire",
         {G("u=3@r.test"), .generics_entire = true},
         "u@a.foo.org",                                                         "3@r.test",
         NULL                                                                                               },
        {"entire_domain_key",
         {G("@foo.org=2@r.test"), .generics_entire = true},
         "u@a.foo.org",                                                         "u@a.foo.org",
         NULL                                                                                               },
        {"entire_own_key",
         {G("@a.foo.org=2@r.test"), .generics_entire = true},
         "u@a.foo.org",                                                         "2@r.test",
         NULL                                                                                               },
        {"not_entire",             {G("u=3@r.test")},            "u@a.foo.org", "u@a.foo.org",       NULL   },
    };
    (void)state;
    CHECK_ALL(cases);
}

/* By reading ruleset 93 of m4/proto.m4 and map_rewrite() of Sendmail 8.17.1;
 * that a real Sendmail does the same is for t/interop/masq_sendmail.t. */
static void
order_of_generics(void **state)
{
#define ALL                                                                  \
    "u+d@foo.org=1@r.test,u+*@foo.org=2@r.test,u@foo.org=3@r.test,@foo.org=" \
    "4@r.test,u+d=5@r.test,u+*=6@r.test,u=7@r.test"
    static const struct one_case cases[] = {
        {"1",                    {G(ALL)},                                      "u+d@foo.org", "1@r.test",      NULL},
        {"2",                    {G(ALL)},                                      "u+e@foo.org", "2@r.test",      NULL},
        {"3",
         {G("u@foo.org=3@r.test,@foo.org=4@r.test,u+d=5@r.test")},
         "u+d@foo.org",                                                                        "3@r.test",
         NULL                                                                                                       },
        {"4",
         {G("@foo.org=4@r.test,u+d=5@r.test,u+*=6@r.test")},
         "u+d@foo.org",                                                                        "4@r.test",
         NULL                                                                                                       },
        {"5",
         {G("u+d=5@r.test,u+*=6@r.test,u=7@r.test")},
         "u+d@foo.org",                                                                        "5@r.test",
         NULL                                                                                                       },
        {"6",
         {G("u+*=6%1@r.test,u=7@r.test")},
         "u+e@foo.org",                                                                        "6e@r.test",
         NULL                                                                                                       },
        {"7",                    {G("u=7@r.test")},                             "u+e@foo.org", "7@r.test",      NULL},
        {"fold",                 {G(ALL)},                                      "U+D@Foo.Org", "1@r.test",      NULL},
        {"detail_twice",
         {G("u+*=%1@r.test")},
         "u+d+e@foo.org",                                                                      "d+e@r.test",
         NULL                                                                                                       },
        {"detail_empty",         {G("u+*=x%1@r.test")},                         "u+@foo.org",  "x@r.test",      NULL},
        {"detail_only",
         {G("+*=6@r.test,d=7@r.test")},
         "+d@foo.org",                                                                         "+d@foo.org",
         NULL                                                                                                       },
        {"plus_plus",            {G("++*=%1@r.test")},                          "++d@foo.org", "d@r.test",      NULL},
        {"quoted_has_no_detail",
         {G("a b=7@r.test")},
         "a b+d@foo.org",                                                                      "a b+d@foo.org",
         NULL                                                                                                       },
        {"quoted",
         {G("{a b@foo.org=1@r.test}")},
         "a b@foo.org",                                                                        "1@r.test",
         NULL                                                                                                       },
        {"quoted_argument",
         {G("@foo.org=%1@r.test")},
         "a b@foo.org",                                                                        "a b@r.test",
         NULL                                                                                                       },
        {"argument_0",           {G("u=%0.%%@r.test")},                         "u@foo.org",   "u.%@r.test",    NULL},
        {"argument_2",
         {G("u+*=x%2%x@r.test")},
         "u+d@foo.org",                                                                        "x%x@r.test",
         NULL                                                                                                       },
        {"percent_last",         {G("u=x@r.test%")},                            "u@foo.org",   "x@r.test%",     NULL},
        {"no_argument_dot",      {G("u+*=x.%1")},                               "u+@foo.org",  "x.@" OWN,       NULL},
        {"no_argument",          {G("u=x%1@r.test")},                           "u@foo.org",   "x@r.test",      NULL},
        {"once",
         {G("u=v@foo.org,v=w@foo.org")},
         "u@foo.org",                                                                          "v@foo.org",
         NULL                                                                                                       },
        {"before_masquerading",
         {G("u=v@foo.org"), .as = "masq.com", .m = "csl:foo.org"},
         "u@foo.org",                                                                          "v@foo.org",
         "row u"                                                                                                    },
        {"before_exceptions",
         {G("u=v@r.test"), .as = "masq.com", .n = "csl:foo.org", .e = "csl:u"},
         "u@foo.org",                                                                          "v@r.test",
         NULL                                                                                                       },
        {"else_masquerading",
         {G("u=v@r.test"), .as = "masq.com", .m = "csl:foo.org"},
         "x@foo.org",                                                                          "x@masq.com",
         "masquerade_as"                                                                                            },
        {"empty_ends_addresses",
         {G("u+d@foo.org=,u@foo.org=3@r.test,u=7@r.test")},
         "u+d@foo.org",                                                                        "7@r.test",
         NULL                                                                                                       },
        {"at_ends_addresses",
         {G("u+*@foo.org=@r.test,u@foo.org=3@r.test,@foo.org=4@r.test")},
         "u+d@foo.org",                                                                        "4@r.test",
         NULL                                                                                                       },
        {"empty_domain",
         {G("@foo.org=,u+d=,u=7@r.test")},
         "u+d@foo.org",                                                                        "7@r.test",
         NULL                                                                                                       },
        {"all_empty",
         {G("u@foo.org=,@foo.org=,u=")},
         "u@foo.org",                                                                          "u@foo.org",
         NULL                                                                                                       },
        {"itself",               {G("u=u@foo.org")},                            "u@foo.org",   "u@foo.org",     NULL},
    };
    (void)state;
    CHECK_ALL(cases);
}

/* Rulesets 3 and 96 of the same. */
static void
spelling(void **state)
{
    static const struct one_case cases[] = {
        {"case",                     {MASQ},                          "U@Foo.ORG",           "U@masq.com",          NULL      },
        {"final_dot",                {MASQ},                          "u@foo.org.",          "u@masq.com",          NULL      },
        {"final_dot_else",           {MASQ},                          "u@x.org.",            "u@x.org.",            NULL      },
        {"new_spelling",
         {.as = "Masq.com", .m = "csl:masq.com"},
         "u@masq.com",                                                                       "u@Masq.com",
         NULL                                                                                                                 },
        {"stays_the_same",
         {.as = "masq.com", .m = "csl:masq.com"},
         "u@masq.com",                                                                       "u@masq.com",
         NULL                                                                                                                 },
        {"localhost",                {.as = ""},                      "u@localhost",         "u@" OWN,              "own name"},
        {"localhost_masqueraded",    {MASQ},                          "u@LocalHost",         "u@masq.com",          NULL      },
        {"localhost_domain",         {.as = ""},                      "u@localhost.foo.org", "u@" OWN,              NULL      },
        {"localhost_elsewhere",
         {MASQ},
         "u@localhost.bar.org",                                                              "u@localhost.bar.org",
         NULL                                                                                                                 },
        {"localhost_unknown",
         {MASQ, .own_name = ""},
         "u@localhost",                                                                      "u@localhost",
         NULL                                                                                                                 },
        {"own_literal",
         {MASQ, .w = "csl:[192.0.2.1]"},
         "u@[192.0.2.1]",                                                                    "u@masq.com",
         NULL                                                                                                                 },
        {"own_literal_limited",
         {MASQ, .w = "csl:[192.0.2.1]", .limited = true},
         "u@[192.0.2.1]",                                                                    "u@" OWN,
         NULL                                                                                                                 },
        {"literal",
         {.as = "masq.com",
          .m = "csl:[192.0.2.1]",
          .g = "csl:[192.0.2.1]",
          .generics = "inline:u=v@r.test"},
         "u@[192.0.2.1]",                                                                    "u@[192.0.2.1]",
         NULL                                                                                                                 },
        {"dotted_name",
         {.as = "masq.com", .m = "csl:.foo.org", .entire = true},
         "u@a.foo.org",                                                                      "u@masq.com",
         NULL                                                                                                                 },
        {"dotted_name_itself",
         {.as = "masq.com", .m = "csl:.foo.org", .entire = true},
         "u@foo.org",                                                                        "u@foo.org",
         NULL                                                                                                                 },
        {"one_label",
         {.as = "masq.com", .m = "csl:org", .entire = true},
         "u@foo.org",                                                                        "u@masq.com",
         NULL                                                                                                                 },
        {"utf8",
         {.as = "masq.com", .m = "csl:\xC3\xB6.org", .entire = true},
         "\xC3\xA4@a.\xC3\xB6.org",                                                          "\xC3\xA4@masq.com",
         NULL                                                                                                                 },
        {"bare_own_name",            {.as = ""},                      "u",                   "u@" OWN,              "own name"},
        {"bare_own_name_dot",
         {.own_name = "mx.foo.org."},
         "u",                                                                                "u@mx.foo.org",
         NULL                                                                                                                 },
        {"bare_unknown",             {.own_name = ""},                "u",                   "u",                   NULL      },
        {"bare_unknown_masqueraded",
         {MASQ, .own_name = ""},
         "u",                                                                                "u@masq.com",
         NULL                                                                                                                 },
        {"bare_unknown_row",
         {G("u=v@r.test"), .own_name = ""},
         "u",                                                                                "v@r.test",
         NULL                                                                                                                 },
        {"bare_bang",                {MASQ},                          "host!u",              "host!u",              NULL      },
        {"bare_percent",             {MASQ},                          "u%host",              "u%host",              NULL      },
        {"percent",                  {MASQ},                          "u%host@foo.org",      "u%host@masq.com",     NULL      },
        {"value_localhost",
         {G("u=v@localhost")},
         "u@foo.org",                                                                        "v@" OWN,
         "row u, own name"                                                                                                    },
        {"value_literal",
         {G("u=v@[192.0.2.9]")},
         "u@foo.org",                                                                        "v@[192.0.2.9]",
         NULL                                                                                                                 },
        {"value_brackets",
         {G("{u=Joe <v@r.test>}")},
         "u@foo.org",                                                                        "v@r.test",
         NULL                                                                                                                 },
    };
    (void)state;
    CHECK_ALL(cases);
}

static void
values_that_are_no_address(void **state)
{
    static const struct one_case cases[] = {
        {"domain_to_domain", {G("@foo.org=@r.test")},         "u@foo.org", NULL, NULL},
        {"user_to_domain",   {G("u=@r.test")},                "u@foo.org", NULL, NULL},
        {"two_at",           {G("u=v@a@r.test")},             "u@foo.org", NULL, NULL},
        {"two_words",        {G("{u=a b}")},                  "u@foo.org", NULL, NULL},
        {"no_domain",        {G("u=v@")},                     "u@foo.org", NULL, NULL},
        {"two",              {G("{{u=v@r.test, w@r.test}}")}, "u@foo.org", NULL, NULL},
        {"empty_group",      {G("u=g:;")},                    "u@foo.org", NULL, NULL},
    };
    (void)state;
    CHECK_ALL(cases);
}

/* S= and R= of Msmtp, Mesmtp, ... in mailer/smtp.m4. */
static void
classes(void **state)
{
    static const struct {
        const char *label;
        enum masq_class class;
        bool plain, envelope, all;
    } cases[] = {
        {"envelope_sender",    MASQ_ENVELOPE_SENDER,    false, true,  false},
        {"envelope_recipient", MASQ_ENVELOPE_RECIPIENT, false, false, false},
        {"header_sender",      MASQ_HEADER_SENDER,      true,  true,  true },
        {"header_recipient",   MASQ_HEADER_RECIPIENT,   false, false, true },
        {"message_id",         MASQ_MESSAGE_ID,         false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct masq_rule_settings settings = {.enable = true};
        struct masq_sendmail *s;
        assert_int_equal(masq_sendmail_new(&settings, arena, &s, NULL), MFX_OK);
        unit_assert_int(cases[i].label,
                        masq_sendmail_has_class(s, cases[i].class),
                        cases[i].plain);
        settings.masquerade_envelope = true;
        unit_assert_int(cases[i].label,
                        masq_sendmail_has_class(s, cases[i].class),
                        cases[i].envelope);
        settings.masquerade_envelope = false;
        settings.allmasquerade = true;
        unit_assert_int(cases[i].label,
                        masq_sendmail_has_class(s, cases[i].class),
                        cases[i].all);
        mfx_arena_free(arena);
    }
}

static void
settings_that_cannot_be(void **state)
{
    static const char *const names[] = {"foo bar", "@foo.org", "a..b",
                                        "[192.0.2.1]"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct masq_rule_settings settings = {.masquerade_as =
                                                  mfx_str_of(names[i])};
        struct masq_sendmail *s = NULL;
        struct mfx_err err = {{0}};
        unit_assert_int(names[i], masq_sendmail_new(&settings, arena, &s, &err),
                        MFX_PERMFAIL);
        assert_null(s);
        assert_true(err.msg[0] != '\0');
        mfx_arena_free(arena);
    }
}

/* Every table that is asked may be the one that fails. */
static void
tables_that_fail(void **state)
{
    static const char rows[] = "inline:u=v@r.test";
    struct masq_tables t;
    sqlite3 *db;
    (void)state;
    masq_tables_begin(&t);
    const char *path = conf_files_path(&t.files, "masq.sqlite");
    const char *bad =
        mfx_arena_printf(t.arena, "sqlite:%s?SELECT k FROM d WHERE k=?", path)
            .p;
    const struct one_case cases[] = {
        {"m",               {.as = "masq.com", .m = bad},      "u@foo.org", NULL, NULL},
        {"n",               {.as = "masq.com", .n = bad},      "u@foo.org", NULL, NULL},
        {"w",               {.as = "masq.com", .w = bad},      "u@foo.org", NULL, NULL},
        {"w_literal",
         {.as = "masq.com", .w = bad},
         "u@[192.0.2.1]",                                                   NULL,
         NULL                                                                         },
        {"e",               {.as = "masq.com", .e = bad},      "u",         NULL, NULL},
        {"g",               {.g = bad, .generics = rows},      "u@foo.org", NULL, NULL},
        {"generics",        {.generics = bad},                 "u",         NULL, NULL},
        {"generics_domain", {.generics = bad, .own_name = ""}, "u",         NULL, NULL},
    };
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE d (k)", NULL, NULL, NULL),
                     SQLITE_OK);
    /* opened once, they stay open */
    (void)masq_tables_open(&t, bad);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE d", NULL, NULL, NULL),
                     SQLITE_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(&t, &cases[i]);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    masq_tables_end(&t);
}

/* 100,000 lookups in lists of 100,000 rows take a moment. */
static void
long_lists(void **state)
{
    enum {
        ROWS = 100000,
    };
    struct masq_tables t;
    struct mfx_buf text;
    struct mfx_err err;
    (void)state;
    masq_tables_begin(&t);
    mfx_buf_init_arena(&text, t.arena, 8 * 1024 * 1024);
    for (size_t i = 0; i < ROWS; i++)
        mfx_buf_printf(&text, "d%zu.example\n", i);
    const char *path =
        conf_files_write(&t.files, "domains", mfx_buf_str(&text));
    struct setting setting = {
        .as = "masq.com",
        .entire = true,
        .m = mfx_arena_printf(t.arena, "file:%s", path).p,
    };
    const struct masq_sendmail *s = make(&t, &setting);
    for (size_t i = 0; i < 2 * ROWS; i += 2) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct masq_address from = {.local = MFX_STR("x")}, to;
        struct mfx_str why;
        from.domain = mfx_arena_printf(arena, "a.b.d%zu.example", i);
        enum mfx_rc rc = masq_sendmail_rewrite(s, mfx_str_of(OWN), &from, arena,
                                               &to, &why, &err);
        assert_int_equal(rc, i < ROWS ? MFX_OK : MFX_NOTFOUND);
        mfx_arena_free(arena);
    }
    masq_tables_end(&t);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(readme_masquerading),
        cmocka_unit_test(readme_generics),
        cmocka_unit_test(order_of_generics),
        cmocka_unit_test(spelling),
        cmocka_unit_test(values_that_are_no_address),
        cmocka_unit_test(classes),
        cmocka_unit_test(settings_that_cannot_be),
        cmocka_unit_test(tables_that_fail),
        cmocka_unit_test(long_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
