/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a login may use is what guard.h promises; the fields are RFC 5322's. */
#include <sqlite3.h>

#include "../../milters/masq/guard.h"
#include "masq_conf.h"
#include "masq_header.h"

struct site {
    struct masq_tables t;
    struct masq_settings settings;
    struct masq_guard guard;
};

static const struct mfx_str keep_both[] = {MFX_STR("reply_to"),
                                           MFX_STR("x_original_from")};

static void
site_build(struct site *s, struct mfx_table **tables, size_t count)
{
    const struct mfx_policy_build build = {.arena = s->t.arena,
                                           .problems = &s->t.problems};
    s->settings.from_guard.addresses =
        (struct mfx_option_tables){tables, count};
    assert_int_equal(masq_guard_build(&s->guard, &s->settings, &build), MFX_OK);
}

static void
site_begin(struct site *s)
{
    *s = (struct site){0};
    masq_tables_begin(&s->t);
    s->settings.recipient_delimiter = mfx_str_of("+");
    s->settings.max_addresses = 10;
    s->settings.from_guard = (struct masq_guard_settings){
        .enable = true,
        .login_is_address = true,
        .subaddresses = true,
        .sender = true,
        .action = MASQ_GUARD_REJECT,
        .keep_old = {keep_both, 2},
        .code = MFX_STR("550 5.7.1"),
        .text = MFX_STR("$login may not use $from in $field$x"),
    };
}

static void
site_end(struct site *s)
{
    masq_tables_end(&s->t);
}

/* --- rows --- */

static void
rows(void **state)
{
    static const struct {
        const char *label, *login, *address;
        enum mfx_rc want;
    } cases[] = {
        {"exact",                "anna",          "anna@a.example",          MFX_OK      },
        {"second",               "anna",          "info@b.example",          MFX_OK      },
        {"other_user",           "anna",          "ben@a.example",           MFX_NOTFOUND},
        {"other_domain",         "anna",          "anna@c.example",          MFX_NOTFOUND},
        {"case",                 "ANNA",          "Anna@A.Example",          MFX_OK      },
        {"subaddress",           "anna",          "anna+x@a.example",        MFX_OK      },
        {"subaddress_of_two",    "anna",          "anna+x+y@a.example",      MFX_OK      },
        {"longer_name",          "anna",          "annabell@a.example",      MFX_NOTFOUND},
        {"extension_of_other",   "anna",          "ben+anna@a.example",      MFX_NOTFOUND},
        {"quoted",               "quoted",        "b c@a.example",           MFX_OK      },
        {"domain",               "dom",           "any@a.example",           MFX_OK      },
        {"domain_is_not_below",  "dom",           "any@x.a.example",         MFX_NOTFOUND},
        {"domain_is_no_suffix",  "dom",           "any@xa.example",          MFX_NOTFOUND},
        {"at_domain",            "at",            "any@a.example",           MFX_OK      },
        {"at_domain_other",      "at",            "any@b.example",           MFX_NOTFOUND},
        {"below",                "below",         "any@x.y.a.example",       MFX_OK      },
        {"below_is_not_itself",  "below",         "any@a.example",           MFX_NOTFOUND},
        {"below_is_no_suffix",   "below",         "any@xa.example",          MFX_NOTFOUND},
        {"all",                  "root",          "any@where.example",       MFX_OK      },
        {"all_without_domain",   "root",          "any",                     MFX_OK      },
        {"none",                 "nobody",        "anna@a.example",          MFX_NOTFOUND},
        {"empty_row",            "empty",         "anna@a.example",          MFX_NOTFOUND},
        {"login_is_address",     "joe@a.example", "joe@a.example",           MFX_OK      },
        {"login_subaddress",     "joe@a.example", "joe+x@A.example",         MFX_OK      },
        {"login_other",          "joe@a.example", "jo@a.example",            MFX_NOTFOUND},
        {"login_no_local",       "@a.example",    "@a.example",              MFX_NOTFOUND},
        {"login_no_domain",      "joe",           "joe@a.example",           MFX_NOTFOUND},
        {"bare_row",             "bare",          "joe@origin.example",      MFX_OK      },
        {"bare_row_and_address", "bare",          "joe",                     MFX_OK      },
        {"bare_row_elsewhere",   "bare",          "joe@a.example",           MFX_NOTFOUND},
        {"u_label_row",          "idn",           "a@xn--bcher-kva.example", MFX_OK      },
        {"a_label_row",          "idna",
         "a@B\xC3\xBC"
         "cher.example",                                                     MFX_OK      },
        {"idn_other",            "idn",           "a@bucher.example",        MFX_NOTFOUND},
        {"literal",              "literal",       "a@[192.0.2.1]",           MFX_OK      },
        {"later_table",          "anna",          "more@d.example",          MFX_OK      },
 /* malformed */
        {"two_ats",              "bad",           "anna@a.example",          MFX_TEMPFAIL},
        {"bad_item_then_good",   "bad",           "good@a.example",          MFX_OK      },
        {"command",              "command",       "anna@a.example",          MFX_TEMPFAIL},
    };
    struct site s;
    struct mfx_table *tables[2];
    (void)state;
    site_begin(&s);
    s.settings.origin_domain = mfx_str_of("origin.example");
    tables[0] = masq_tables_open(
        &s.t,
        conf_files_write(&s.t.files, "logins",
                         mfx_str_of("anna anna@a.example, info@b.example\n"
                                    "quoted \"b c\"@a.example\n"
                                    "dom *@a.example\n"
                                    "at @A.example\n"
                                    "below  x@b.example *@.a.example\n"
                                    "root *\n"
                                    "empty\n"
                                    "bare joe\n"
                                    "idn *@b\xC3\xBC"
                                    "cher.example\n"
                                    "idna a@XN--bcher-kva.example\n"
                                    "literal a@[192.0.2.1]\n"
                                    "bad a@b@c,good@a.example\n"
                                    "command |/bin/true\n")));
    tables[1] = masq_tables_open(&s.t, "inline:anna=more@d.example");
    site_build(&s, tables, 2);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct masq_address a = masq_tables_address(cases[i].address);
        struct mfx_str why;
        struct mfx_err err = {""};
        unit_assert_int(cases[i].label,
                        masq_guard_may_use(&s.guard, mfx_str_of(cases[i].login),
                                           &a, s.t.arena, &why, &err),
                        cases[i].want);
        unit_assert_int(cases[i].label, err.msg[0] != '\0',
                        cases[i].want == MFX_TEMPFAIL);
    }
    site_end(&s);
}

static void
delimiters(void **state)
{
    static const struct {
        const char *label, *delimiters, *address;
        bool subaddresses;
        enum mfx_rc want;
    } cases[] = {
        {"none",      "",   "list+x@a.example",       true,  MFX_NOTFOUND},
        {"off",       "+",  "list+x@a.example",       false, MFX_NOTFOUND},
        {"off_exact", "+",  "list@a.example",         false, MFX_OK      },
        {"second",    "+-", "list-x@a.example",       true,  MFX_OK      },
 /* lists' own addresses are no extensions */
        {"request",   "-",  "list-request@a.example", true,  MFX_NOTFOUND},
        {"owner",     "-",  "owner-list@a.example",   true,  MFX_NOTFOUND},
        {"at_begin",  "+",  "+list@a.example",        true,  MFX_NOTFOUND},
    };
    struct site s;
    (void)state;
    site_begin(&s);
    struct mfx_table *table =
        masq_tables_open(&s.t, "inline:{{me=list@a.example,owner@a.example}}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct masq_address a = masq_tables_address(cases[i].address);
        struct mfx_str why;
        s.settings.recipient_delimiter = mfx_str_of(cases[i].delimiters);
        s.settings.from_guard.subaddresses = cases[i].subaddresses;
        site_build(&s, &table, 1);
        unit_assert_int(cases[i].label,
                        masq_guard_may_use(&s.guard, mfx_str_of("me"), &a,
                                           s.t.arena, &why, NULL),
                        cases[i].want);
    }
    site_end(&s);
}

/* --- whole headers --- */

struct header_case {
    const char *label, *login, *sender, *header;
    enum masq_guard_verdict verdict;
    const char *want; /* REFUSED: the text; else the header */
};

static void
check_header(struct site *s, const struct header_case *k)
{
    struct mfx_headers headers;
    struct masq_fields fields;
    struct masq_guard_answer answer;
    struct mfx_err err = {""};
    struct masq_address sender = {0};
    if (k->sender != NULL)
        sender = masq_tables_address(k->sender);
    masq_header_read(&fields, &headers, s->t.arena, k->header);
    unit_assert_int(k->label,
                    masq_guard_check(&s->guard, &fields, mfx_str_of(k->login),
                                     k->sender == NULL ? NULL : &sender,
                                     s->t.arena, &answer, &err),
                    MFX_OK);
    unit_assert_int(k->label, answer.verdict, k->verdict);
    unit_assert_int(k->label, answer.why.len > 0, true);
    if (k->verdict == MASQ_GUARD_REFUSED) {
        unit_assert_str(k->label, answer.text, mfx_str_of(k->want));
        unit_assert_int(k->label, answer.code, 550);
        unit_assert_str(k->label, answer.enhanced, mfx_str_of("5.7.1"));
    } else {
        unit_assert_str(k->label, masq_header_text(&fields),
                        mfx_str_of(k->want == NULL ? k->header : k->want));
    }
    mfx_headers_fini(&headers);
}

static void
rejecting(void **state)
{
    static const struct header_case cases[] = {
        {"own",                           "anna", "anna@a.example",   "From: Anna <anna@a.example>\n",
         MASQ_GUARD_ALLOWED,                                                                                               NULL                                         },
        {"no_login",                      "",     "x@y.example",      "From: ceo@bank.example\n",
         MASQ_GUARD_ALLOWED,                                                                                               NULL                                         },
        {"exempt",                        "bulk", "x@y.example",      "To: x@y.example\n",
         MASQ_GUARD_ALLOWED,                                                                                               NULL                                         },
        {"foreign",                       "anna", "anna@a.example",   "From: ceo@bank.example\n",
         MASQ_GUARD_REFUSED,                                                                                               "anna may not use ceo@bank.example in From$x"},
        {"envelope_alone_does_not_count", "anna", "ceo@bank.example",
         "From: anna@a.example\n",                                                                     MASQ_GUARD_ALLOWED, NULL                                         },
        {"two_own",                       "anna", "anna@a.example",
         "From: anna@a.example, info@b.example\n",                                                     MASQ_GUARD_ALLOWED, NULL                                         },
        {"second_foreign",                "anna", "anna@a.example",
         "From: anna@a.example, ceo@bank.example\n",                                                   MASQ_GUARD_REFUSED,
         "anna may not use ceo@bank.example in From$x"                                                                                                                  },
        {"group",                         "anna", "anna@a.example",
         "From: Us: anna@a.example, info@b.example;\n",                                                MASQ_GUARD_ALLOWED,
         NULL                                                                                                                                                           },
        {"in_group",                      "anna", "anna@a.example",
         "From: Us: anna@a.example, ceo@bank.example;\n",                                              MASQ_GUARD_REFUSED,
         "anna may not use ceo@bank.example in From$x"                                                                                                                  },
        {"name_is_an_address",            "anna", "anna@a.example",
         "From: anna@a.example <ceo@bank.example>\n",                                                  MASQ_GUARD_REFUSED,
         "anna may not use ceo@bank.example in From$x"                                                                                                                  },
        {"comment",                       "anna", "anna@a.example",   "From: anna(x)@(y)a.example\n",
         MASQ_GUARD_ALLOWED,                                                                                               NULL                                         },
        {"route",                         "anna", "anna@a.example",
         "From: <@anna@a.example:ceo@bank.example>\n",                                                 MASQ_GUARD_REFUSED,
         "From field cannot be understood"                                                                                                                              },
        {"sender_own",                    "anna", "anna@a.example",
         "From: anna@a.example\nSender: info@b.example\n",                                             MASQ_GUARD_ALLOWED,
         NULL                                                                                                                                                           },
        {"sender_foreign",                "anna", "anna@a.example",
         "From: anna@a.example\nSender: ceo@bank.example\n",                                           MASQ_GUARD_REFUSED,
         "anna may not use ceo@bank.example in Sender$x"                                                                                                                },
        {"unprintable",                   "anna", "anna@a.example",
         "From: \"\xC3\xBC\xC3\xBC\"@bank.example\n",                                                  MASQ_GUARD_REFUSED,
         "anna may not use ????@bank.example in From$x"                                                                                                                 },
 /* malformed */
        {"no_from",                       "anna", "anna@a.example",   "To: anna@a.example\n",
         MASQ_GUARD_REFUSED,                                                                                               "From field is missing"                      },
        {"two_fields",                    "anna", "anna@a.example",
         "From: anna@a.example\nfrom: anna@a.example\n",                                               MASQ_GUARD_REFUSED,
         "From field is there several times"                                                                                                                            },
        {"empty",                         "anna", "anna@a.example",   "From: \n",                      MASQ_GUARD_REFUSED,
         "From field holds no address"                                                                                                                                  },
        {"empty_group",                   "anna", "anna@a.example",   "From: undisclosed:;\n",
         MASQ_GUARD_REFUSED,                                                                                               "From field holds no address"                },
        {"null_path",                     "anna", "anna@a.example",   "From: <>\n",
         MASQ_GUARD_REFUSED,                                                                                               "From field cannot be understood"            },
        {"two_in_a_row",                  "anna", "anna@a.example",
         "From: <anna@a.example> ceo@bank.example\n",                                                  MASQ_GUARD_REFUSED,
         "From field cannot be understood"                                                                                                                              },
        {"too_many",                      "anna", "anna@a.example",   "From: a,b,c,d,e,f,g,h,i,j,k\n",
         MASQ_GUARD_REFUSED,                                                                                               "From field cannot be understood"            },
        {"bare_user",                     "anna", "anna@a.example",   "From: anna\n",
         MASQ_GUARD_REFUSED,                                                                                               "anna may not use anna in From$x"            },
        {"sender_twice",                  "anna", "anna@a.example",
         "From: anna@a.example\nSender: anna@a.example\nSender: info@b.example\n",
         MASQ_GUARD_REFUSED,                                                                                               "Sender field is there several times"        },
        {"sender_bad",                    "anna", "anna@a.example",
         "From: anna@a.example\nSender: ,;\n",                                                         MASQ_GUARD_REFUSED,
         "Sender field cannot be understood"                                                                                                                            },
    };
    struct site s;
    (void)state;
    site_begin(&s);
    s.settings.from_guard.exempt_logins = masq_tables_open(&s.t, "csl:bulk");
    struct mfx_table *table =
        masq_tables_open(&s.t, "inline:{{anna=anna@a.example,info@b.example}}");
    site_build(&s, &table, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_header(&s, &cases[i]);
    site_end(&s);
}

static void
rewriting(void **state)
{
    static const struct header_case cases[] = {
        {"own",             "anna", "anna@a.example",   "From: Anna <anna@a.example>\n",
         MASQ_GUARD_ALLOWED,                                                                                             NULL                                                            },
        {"name_stays",      "anna", "anna@a.example",
         "From: =?utf-8?q?Ann=C3=A4?=\n (x) <ceo@bank.example> (y)\nTo: t@t.example\n",
         MASQ_GUARD_REWRITTEN,                                                                                           "From: =?utf-8?q?Ann=C3=A4?=\n (x) <anna@a.example> (y)\nTo: t@t.example\n"
         "Reply-To: =?utf-8?q?Ann=C3=A4?=\n (x) <ceo@bank.example> (y)\n"
         "X-Original-From: =?utf-8?q?Ann=C3=A4?=\n (x) <ceo@bank.example> (y)\n"                                                                           },
        {"reply_to_stays",  "anna", "anna@a.example",
         "Reply-To: r@r.example\nFrom: ceo@bank.example\n",                                        MASQ_GUARD_REWRITTEN,
         "Reply-To: r@r.example\nFrom: anna@a.example\nX-Original-From: ceo@bank.example\n"                                                                                              },
        {"quotes",          "anna", "anna x@a.example", "From:ceo@bank.example\n",
         MASQ_GUARD_REWRITTEN,                                                                                           "From:\"anna x\"@a.example\nReply-To:ceo@bank.example\n"
         "X-Original-From:ceo@bank.example\n"                                                                                                              },
        {"several_authors", "anna", "anna@a.example",
         "From: Anna <anna@a.example>, ceo@bank.example\n",                                        MASQ_GUARD_REWRITTEN,
         "From: anna@a.example\n"
         "Reply-To: Anna <anna@a.example>, ceo@bank.example\n"
         "X-Original-From: Anna <anna@a.example>, ceo@bank.example\n"                                                                                                                    },
        {"group",           "anna", "anna@a.example",   "From: Us: ceo@bank.example;\n",
         MASQ_GUARD_REWRITTEN,                                                                                           "From: anna@a.example\nReply-To: Us: ceo@bank.example;\n"
         "X-Original-From: Us: ceo@bank.example;\n"                                                                                                        },
        {"no_from",         "anna", "anna@a.example",   "To: t@t.example\n",
         MASQ_GUARD_REWRITTEN,                                                                                           "To: t@t.example\nFrom: anna@a.example\n"                       },
        {"two_fields",      "anna", "anna@a.example",
         "From: anna@a.example\nTo: t@t.example\nFrom: ceo@bank.example\n",                        MASQ_GUARD_REWRITTEN,
         "From: anna@a.example\nTo: t@t.example\n"
         "X-Original-From: anna@a.example\nX-Original-From: ceo@bank.example\n"                                                                                                          },
        {"unparsable",      "anna", "anna@a.example",
         "From: <a@b.example> c@d.example\n",                                                      MASQ_GUARD_REWRITTEN,
         "From: anna@a.example\nX-Original-From: <a@b.example> c@d.example\n"                                                                                                            },
        {"blank_line",      "anna", "anna@a.example",
         "From: Ceo\n \n <ceo@bank.example>\n",                                                    MASQ_GUARD_REWRITTEN,
         "From: Ceo \n <anna@a.example>\nReply-To: Ceo \n <ceo@bank.example>\n"
         "X-Original-From: Ceo \n <ceo@bank.example>\n"                                                                                                                                  },
        {"sender_goes",     "anna", "anna@a.example",
         "From: anna@a.example\nSender: ceo@bank.example\n",                                       MASQ_GUARD_REWRITTEN, "From: anna@a.example\n"                                        },
        {"sender_needed",   "anna", "anna@a.example",
         "From: anna@a.example, info@b.example\nSender: ceo@bank.example\nSender: x\n",
         MASQ_GUARD_REWRITTEN,                                                                                           "From: anna@a.example, info@b.example\nSender: anna@a.example\n"},
        {"sender_and_from", "anna", "anna@a.example",
         "From: x@y.example, ceo@bank.example\nSender: ceo@bank.example\nReply-To: r@r.example\n",
         MASQ_GUARD_REWRITTEN,                                                                                           "From: anna@a.example\nReply-To: r@r.example\n"
         "X-Original-From: x@y.example, ceo@bank.example\n"                                                                                                },
        {"null_sender",     "anna", NULL,               "From: ceo@bank.example\n",
         MASQ_GUARD_REFUSED,                                                                                             "anna may not use ceo@bank.example in From$x"                   },
        {"foreign_sender",  "anna", "ceo@bank.example",
         "From: ceo@bank.example\n",                                                               MASQ_GUARD_REFUSED,
         "anna may not use ceo@bank.example in From$x"                                                                                                                                   },
        {"nothing_to_set",  "anna", NULL,               "To: t@t.example\n",
         MASQ_GUARD_REFUSED,                                                                                             "From field is missing"                                         },
    };
    struct site s;
    (void)state;
    site_begin(&s);
    s.settings.from_guard.action = MASQ_GUARD_REWRITE;
    struct mfx_table *table = masq_tables_open(
        &s.t,
        "inline:{{anna=anna@a.example,\"anna x\"@a.example,info@b.example}}");
    site_build(&s, &table, 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_header(&s, &cases[i]);
    site_end(&s);
}

static void
keeping_and_logging(void **state)
{
    static const struct {
        const char *label;
        size_t from, count; /* of keep_both */
        enum masq_guard_action action;
        bool checks_sender;
        struct header_case header;
    } cases[] = {
        {"nothing",
         0, 0,
         MASQ_GUARD_REWRITE, true,
         {"nothing", "anna", "anna@a.example", "From: ceo@bank.example\n",
          MASQ_GUARD_REWRITTEN, "From: anna@a.example\n"}             },
        {"reply_to",
         0, 1,
         MASQ_GUARD_REWRITE, true,
         {"reply_to", "anna", "anna@a.example", "From: ceo@bank.example\n",
          MASQ_GUARD_REWRITTEN,
          "From: anna@a.example\nReply-To: ceo@bank.example\n"}       },
        {"x_original_from",
         1, 1,
         MASQ_GUARD_REWRITE, true,
         {"x_original_from", "anna", "anna@a.example",
          "From: ceo@bank.example\n", MASQ_GUARD_REWRITTEN,
          "From: anna@a.example\nX-Original-From: ceo@bank.example\n"}},
        {"log",
         0, 2,
         MASQ_GUARD_LOG,     true,
         {"log", "anna", "anna@a.example", "From: ceo@bank.example\n",
          MASQ_GUARD_NOTED, NULL}                                     },
        {"log_no_from",
         0, 2,
         MASQ_GUARD_LOG,     true,
         {"log_no_from", "anna", "anna@a.example", "To: t@t.example\n",
          MASQ_GUARD_NOTED, NULL}                                     },
        {"sender_unchecked",
         0, 2,
         MASQ_GUARD_REJECT,  false,
         {"sender_unchecked", "anna", "anna@a.example",
          "From: anna@a.example\nSender: x@y.example\n", MASQ_GUARD_ALLOWED,
          NULL}                                                       },
    };
    struct site s;
    (void)state;
    site_begin(&s);
    struct mfx_table *table =
        masq_tables_open(&s.t, "inline:anna=anna@a.example");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        s.settings.from_guard.action = (int)cases[i].action;
        s.settings.from_guard.sender = cases[i].checks_sender;
        s.settings.from_guard.keep_old =
            (struct mfx_option_list){keep_both + cases[i].from, cases[i].count};
        site_build(&s, &table, 1);
        check_header(&s, &cases[i].header);
    }
    site_end(&s);
}

/* Such a value comes from a table and would begin a line of its own. */
static void
reply_is_one_line(void **state)
{
    struct site s;
    struct mfx_headers headers;
    struct masq_fields fields;
    struct masq_guard_answer answer;
    (void)state;
    site_begin(&s);
    site_build(&s, NULL, 0);
    masq_header_read(&fields, &headers, s.t.arena, "From: a@b.example\n");
    assert_int_equal(masq_guard_check(&s.guard, &fields,
                                      mfx_str_of("x\r\n250 \xC3\xBC"), NULL,
                                      s.t.arena, &answer, NULL),
                     MFX_OK);
    unit_assert_str("login", answer.text,
                    mfx_str_of("x??250 ?? may not use a@b.example in From$x"));
    site_end(&s);
}

/* --- what cannot be asked --- */

static void
run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
outages(void **state)
{
    struct site s;
    struct mfx_headers headers;
    struct masq_fields fields;
    struct masq_guard_answer answer;
    struct mfx_err err = {""};
    (void)state;
    site_begin(&s);
    const char *path = conf_files_path(&s.t.files, "logins.sqlite");
    run_sql(path, "CREATE TABLE t (k, v)");
    struct mfx_table *tables[2] = {
        masq_tables_open(
            &s.t, mfx_arena_printf(s.t.arena,
                                   "sqlite:%s?SELECT v FROM t WHERE k=?", path)
                      .p),
        masq_tables_open(&s.t, "inline:anna=anna@a.example"),
    };
    site_build(&s, tables, 2);
    run_sql(path, "DROP TABLE t");
    masq_header_read(&fields, &headers, s.t.arena, "From: anna@a.example\n");
    assert_int_equal(masq_guard_check(&s.guard, &fields, mfx_str_of("anna"),
                                      NULL, s.t.arena, &answer, &err),
                     MFX_OK);
    assert_int_equal(answer.verdict, MASQ_GUARD_ALLOWED);
    masq_header_read(&fields, &headers, s.t.arena, "From: ben@a.example\n");
    assert_int_equal(masq_guard_check(&s.guard, &fields, mfx_str_of("anna"),
                                      NULL, s.t.arena, &answer, &err),
                     MFX_TEMPFAIL);
    assert_string_not_equal(err.msg, "");
    s.settings.from_guard.exempt_logins = tables[0];
    assert_int_equal(masq_guard_check(&s.guard, &fields, mfx_str_of("anna"),
                                      NULL, s.t.arena, &answer, &err),
                     MFX_TEMPFAIL);
    site_end(&s);
}

/* Without memory no mail passes unchecked. */
static void
no_memory(void **state)
{
    struct site s;
    struct mfx_headers headers;
    struct masq_fields fields;
    struct masq_guard_answer answer;
    size_t passed = 0;
    (void)state;
    site_begin(&s);
    struct mfx_table *table =
        masq_tables_open(&s.t, "inline:anna=anna@a.example");
    s.settings.from_guard.action = MASQ_GUARD_REWRITE;
    site_build(&s, &table, 1);
    masq_header_read(&fields, &headers, s.t.arena,
                     "From: \"x\"@bank.example\nTo: t@t.example\n");
    struct masq_address sender = masq_tables_address("anna@a.example");
    for (size_t budget = 1; budget < 100000; budget += 97) {
        struct mfx_arena *arena = mfx_arena_new(budget);
        assert_non_null(arena);
        masq_fields_init(&fields, &headers, arena);
        enum mfx_rc rc = masq_guard_check(&s.guard, &fields, mfx_str_of("anna"),
                                          &sender, arena, &answer, NULL);
        if (rc == MFX_OK) {
            assert_int_equal(answer.verdict, MASQ_GUARD_REWRITTEN);
            passed++;
        } else {
            assert_int_equal(rc, MFX_TEMPFAIL);
        }
        mfx_arena_free(arena);
    }
    assert_true(passed > 0);
    mfx_headers_fini(&headers);
    site_end(&s);
}

static void
bad_settings(void **state)
{
    static const struct {
        const char *label, *text, *want;
    } cases[] = {
        {"defaults",    "",                                          ""               },
        {"temporary",   "from_guard: { code = \"450 4.7.1\"; };",    ""               },
        {"class",       "from_guard:\n{ code = \"550 4.7.1\"; };",
         "masq.conf:2: from_guard.code: \"550 4.7.1\" is to be like "
         "\"550 5.7.1\" or \"450 4.7.1\"\n"                                           },
        {"no_enhanced", "from_guard: { code = \"550\"; };",          "from_guard.code"},
        {"two_parts",   "from_guard: { code = \"550 5.7\"; };",
         "from_guard.code"                                                            },
        {"four_parts",  "from_guard: { code = \"550 5.7.1.1\"; };",
         "from_guard.code"                                                            },
        {"letters",     "from_guard: { code = \"550 5.x.1\"; };",
         "from_guard.code"                                                            },
        {"success",     "from_guard: { code = \"250 2.0.0\"; };",
         "from_guard.code"                                                            },
        {"empty",       "from_guard: { code = \"\"; };",             "from_guard.code"},
        {"keep_old",    "from_guard: { keep_old = \"reply-to\"; };",
         "masq.conf:1: from_guard.keep_old: \"reply-to\" is neither reply_to "
         "nor x_original_from\n"                                                      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct masq_conf c;
        struct masq_guard guard;
        masq_conf_begin(&c, cases[i].text);
        bool is_good = cases[i].want[0] == '\0';
        unit_assert_int(cases[i].label,
                        masq_guard_build(&guard, &c.settings, &c.build),
                        is_good ? MFX_OK : MFX_PERMFAIL);
        struct mfx_str said = conf_files_problems(&c.t.files, &c.t.problems);
        if (is_good ? said.len > 0 : strstr(said.p, cases[i].want) == NULL)
            fail_msg("%s: %.*s", cases[i].label, MFX_STR_ARG(said));
        masq_conf_end(&c);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(delimiters),
        cmocka_unit_test(rejecting),
        cmocka_unit_test(rewriting),
        cmocka_unit_test(keeping_and_logging),
        cmocka_unit_test(reply_is_one_line),
        cmocka_unit_test(outages),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(bad_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
