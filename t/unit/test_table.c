/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <unistd.h>

#include <mfx/conf/table.h>

#include "conf_files.h"
#include "unit.h"

struct fixture {
    struct conf_files files;
    struct mfx_problems problems;
    struct mfx_table_set *set;
    struct mfx_table *table;
    enum mfx_rc rc;
};

static void
begin(struct fixture *f)
{
    conf_files_init(&f->files);
    mfx_problems_init(&f->problems, f->files.arena);
    f->set = mfx_table_set_new(NULL);
    assert_non_null(f->set);
    f->table = NULL;
}

static void
end(struct fixture *f)
{
    mfx_table_set_free(f->set);
    conf_files_fini(&f->files);
}

static void
open_spec(struct fixture *f, const char *spec)
{
    f->rc = mfx_table_open(f->set, mfx_str_of(spec), MFX_TABLE_NOCASE, "conf",
                           7, &f->problems, &f->table);
}

/* type:/folder/name with the text in it. */
static void
open_text(struct fixture *f, const char *type, const char *name,
          struct mfx_str text)
{
    const char *path = conf_files_write(&f->files, name, text);
    open_spec(f, mfx_arena_printf(f->files.arena, "%s:%s", type, path).p);
}

struct listing {
    struct mfx_buf out;
    size_t most;
};

/* "key=value@line;" for each row. */
static bool
list_row(const struct mfx_table_row *row, void *arg)
{
    struct listing *listing = arg;
    mfx_buf_printf(&listing->out, "%.*s=%.*s", MFX_STR_ARG(row->key),
                   MFX_STR_ARG(row->value));
    if (row->line > 0)
        mfx_buf_printf(&listing->out, "@%u", row->line);
    mfx_buf_add_byte(&listing->out, ';');
    return --listing->most > 0;
}

static struct listing
new_listing(struct fixture *f, size_t most)
{
    struct listing listing = {.most = most};
    mfx_buf_init_arena(&listing.out, f->files.arena, 1 << 20);
    return listing;
}

static struct mfx_str
all_rows(struct fixture *f)
{
    struct listing listing = new_listing(f, SIZE_MAX);
    assert_int_equal(
        mfx_table_walk(f->table, f->files.arena, list_row, &listing, NULL),
        MFX_OK);
    return mfx_buf_str(&listing.out);
}

static void
rows(void **state)
{
    static const struct {
        const char *label, *type, *text, *want;
    } cases[] = {
        {"file",                     "file",     "a 1\nb\t2 3\n",                "a=1@1;b=2 3@2;"    },
        {"file_key_alone",           "file",     "a\nb",                         "a=@1;b=@2;"        },
        {"file_comments",            "file",     "# x\n\n  # y\na 1 # z\nb#c\n",
         "a=1@4;b=@5;"                                                                               },
        {"file_blanks",              "file",     "  a \t 1  \n",                 "a=1@1;"            },
        {"file_crlf",                "file",     "a 1\r\n\r\nb\r\n",             "a=1@1;b=@3;"       },
        {"file_byte_order_mark",     "file",
         "\xEF\xBB\xBF"
         "a 1\n",                                                                "a=1@1;"            },
        {"file_empty",               "file",     "",                             ""                  },
        {"refile",                   "refile",   "*@a 1\n*@b 2\n*@a 3\n",
         "*@a=1@1;*@b=2@2;*@a=3@3;"                                                                  },
        {"texthash",                 "texthash", "a 1\nb 2 3\n",                 "a=1@1;b=2 3@2;"    },
        {"texthash_continued",       "texthash", "a 1\n  2\n\t3\nb 4\n",
         "a=1  2\t3@1;b=4@4;"                                                                        },
        {"texthash_comment_within",  "texthash", "a 1\n# no\n\n  2\nb 3\n",
         "a=1  2@1;b=3@5;"                                                                           },
        {"texthash_comment_indent",  "texthash", "  # no\na 1\n  # no\n",
         "a=1@2;"                                                                                    },
        {"texthash_hash_in_value",   "texthash", "a 1 # 2\n",                    "a=1 # 2@1;"        },
        {"texthash_quoted_key",      "texthash", "\"a b\"@c 1\n",                "\"a b\"@c=1@1;"    },
        {"texthash_value_next_line", "texthash", "a\n b\n",                      "a=b@1;"            },
        {"alias",                    "alias",    "a: b, c\nroot :d\n",           "a=b, c@1;root=d@2;"},
        {"alias_continued",          "alias",    "a: b,\n  c\nd: e\n",           "a=b,  c@1;d=e@3;"  },
        {"alias_quoted",             "alias",    "\"a b: \\\"c\\\"\": d\n",      "a b: \"c\"=d@1;"   },
        {"alias_value_colons",       "alias",    "a: :include:/x\n",             "a=:include:/x@1;"  },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        begin(&f);
        open_text(&f, cases[i].type, "t", mfx_str_of(cases[i].text));
        unit_assert_str(cases[i].label,
                        conf_files_problems(&f.files, &f.problems),
                        mfx_str_of(""));
        unit_assert_int(cases[i].label, f.rc, MFX_OK);
        unit_assert_str(cases[i].label, all_rows(&f),
                        mfx_str_of(cases[i].want));
        end(&f);
    }
}

static void
rows_in_the_setting(void **state)
{
    static const struct {
        const char *label, *spec, *want;
    } cases[] = {
        {"csl",                  "csl:a, b=2 ,c",                     "a=;b=2;c=;"      },
        {"csl_empty_items",      "csl:a,,b,",                         "a=;b=;"          },
        {"csl_empty",            "csl:",                              ""                },
        {"csl_ipv6",             "csl:::1,fe80::1",                   "::1=;fe80::1=;"  },
        {"without_type",         "a.example, b",                      "a.example=;b=;"  },
        {"without_type_ipv6",    "::1, fe80::/10",                    "::1=;fe80::/10=;"},
        {"without_type_v6_word", "fe80::1",                           "fe80::1=;"       },
        {"inline",               "inline:a=1,b=2",                    "a=1;b=2;"        },
        {"inline_equals",        "inline:a=b=c",                      "a=b=c;"          },
        {"inline_empty_value",   "inline:a=",                         "a=;"             },
        {"inline_braces",        "inline:{ a = 1, {b = x, y}, c=3 }",
         "a=1;b=x, y;c=3;"                                                              },
        {"inline_inner_braces",  "inline:{a = 1},{b = 2}",            "a=1;b=2;"        },
        {"inline_value_braces",  "inline:a={x}",                      "a={x};"          },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        begin(&f);
        open_spec(&f, cases[i].spec);
        unit_assert_int(cases[i].label, f.rc, MFX_OK);
        unit_assert_str(cases[i].label, all_rows(&f),
                        mfx_str_of(cases[i].want));
        end(&f);
    }
}

static void
malformed_files(void **state)
{
    static const struct {
        const char *label, *type;
        struct mfx_str text;
        const char *want;
    } cases[] = {
        {"file_nul",                "file",     MFX_STR("a 1\nb\0 2\n"),
         "t:2: a NUL byte stands in this line\n"                                                               },
        {"file_duplicate",          "file",     MFX_STR("a 1\nA 2\n"),
         "t:2: warning: \"A\" stands in line 1 already; this row is never used\n"                              },
        {"refile_bracket",          "refile",   MFX_STR("a 1\n[b 2\n"),
         "t:2: pattern \"[b\": Unmatched [, [^, [:, [., or [=\n"                                               },
        {"refile_two_bad",          "refile",   MFX_STR("(b\na{2,1} 2\n"),
         "t:1: pattern \"(b\": Unmatched ( or \\(\nt:2: pattern \"a{2,1}\": Invalid content of \\{\\}\n"       },
        {"refile_alternative",      "refile",   MFX_STR("a|b 1\n(a|b)c 2\n"),
         "t:1: warning: pattern \"a|b\": '|' outside parentheses matches parts of a key only; write (a|b)\n"   },
        {"texthash_key_alone",      "texthash", MFX_STR("a 1\nb\n"),
         "t:2: a key without a value; \"key value\" is wanted\n"                                               },
        {"texthash_quote",          "texthash", MFX_STR("\"a b 1\n"),
         "t:1: a quote is not closed\n"                                                                        },
        {"texthash_nothing_before", "texthash", MFX_STR("\n  a 1\nb 2\n"),
         "t:2: this line goes on with the one before, as it starts with a blank, but there is none before it\n"},
        {"texthash_nul",            "texthash", MFX_STR("a 1\n \0\n"),
         "t:2: a NUL byte stands in this line\n"                                                               },
        {"alias_no_colon",          "alias",    MFX_STR("a b\n"),
         "t:1: no ':' in this line; \"name: value\" is wanted\n"                                               },
        {"alias_no_name",           "alias",    MFX_STR(": b\n"),
         "t:1: no name before ':'\n"                                                                           },
        {"alias_no_value",          "alias",    MFX_STR("a:\n"),
         "t:1: no value behind ':'\n"                                                                          },
        {"alias_quote",             "alias",    MFX_STR("\"a: b\n"),
         "t:1: a quote is not closed\n"                                                                        },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        begin(&f);
        open_text(&f, cases[i].type, "t", cases[i].text);
        unit_assert_str(cases[i].label,
                        conf_files_problems(&f.files, &f.problems),
                        mfx_str_of(cases[i].want));
        unit_assert_int(cases[i].label, f.rc,
                        f.problems.errors > 0 ? MFX_PERMFAIL : MFX_OK);
        end(&f);
    }
}

static void
malformed_specs(void **state)
{
    static const char types[] =
        " (types: inline csl file refile texthash alias lmdb mdb sqlite dsn)\n";
    static const struct {
        const char *label, *spec, *want;
        bool lists_types;
    } cases[] = {
        {"unknown_type",      "foo:/x",
         "conf:7: \"foo:/x\": there is no table type \"foo\"",                                                                                                                                                      true },
        {"hash",              "hash:/etc/aliases",
         "conf:7: \"hash:/etc/aliases\": there is no table type \"hash\"; write texthash: with the same file, or convert it to lmdb:",
         true                                                                                                                                                                                                            },
        {"mysql",             "mysql:x",
         "conf:7: \"mysql:x\": there is no table type \"mysql\"",                                                                                                                                                   true },
        {"file_relative",     "file:x",
         "conf:7: \"file:x\": the path must start with '/'\n",                                                                                                                                                      false},
        {"file_no_path",      "refile:",
         "conf:7: \"refile:\": the path must start with '/'\n",                                                                                                                                                     false},
        {"file_missing",      "/nowhere/x",
         "conf:7: /nowhere/x: No such file or directory\n",                                                                                                                                                         false},
        {"file_folder",       "file:/",                                       "conf:7: /: not a regular file\n",                                                                                                    false},
        {"csl_no_key",        "csl:a,=b",                                     "conf:7: csl: no key before '='\n",                                                                                                   false},
        {"inline_no_equals",  "inline:a=1,b",
         "conf:7: inline: \"b\" is not key=value\n",                                                                                                                                                                false},
        {"inline_no_key",     "inline:=1",
         "conf:7: inline: \"=1\" is not key=value\n",                                                                                                                                                               false},
        {"inline_open",       "inline:{a=1",                                  "conf:7: inline: braces do not pair\n",
         false                                                                                                                                                                                                           },
        {"inline_close",      "inline:a=1}",                                  "conf:7: inline: braces do not pair\n",
         false                                                                                                                                                                                                           },
        {"lmdb_missing",      "lmdb:/nowhere/x",
         "conf:7: lmdb:/nowhere/x.lmdb: stat: No such file or directory\n",                                                                                                                                         false},
        {"lmdb_relative",     "lmdb:x",
         "conf:7: \"lmdb:x\": the path must start with '/'\n",                                                                                                                                                      false},
        {"dsn_other_backend",
         "dsn:mysql://u:secret@h/d/table=t?keycol=k?datacol=v",               "conf:7: dsn:mysql: only SQLite is read here; of another database make a file: table (mfxctl import opendkim --dump-with COMMAND)\n",
         false                                                                                                                                                                                                           },
        {"dsn_no_slashes",    "dsn:sqlite3:x",
         "conf:7: dsn:sqlite3: must be backend://host/database/table=...?keycol=...?datacol=...\n",
         false                                                                                                                                                                                                           },
        {"dsn_relative",      "dsn:sqlite3://x/y/table=t?keycol=k?datacol=v",
         "conf:7: dsn:sqlite3: the path must start with '/': write sqlite3:///PATH/table=... (OpenDKIM joins host and database and looks in its BaseDirectory)\n",
         false                                                                                                                                                                                                           },
        {"dsn_no_keycol",     "dsn:sqlite3:///x/y/table=t?datacol=v",
         "conf:7: dsn:sqlite3: table, keycol and datacol are needed\n",                                                                                                                                             false},
        {"sqlite_missing",    "sqlite:/nowhere/x?SELECT ?",
         "conf:7: sqlite:/nowhere/x: No such file or directory\n",                                                                                                                                                  false},
        {"sqlite_no_query",   "sqlite:/nowhere/x",
         "conf:7: sqlite:/nowhere/x: no query; write \"sqlite:/path?SELECT value FROM t WHERE key = ?\"\n",
         false                                                                                                                                                                                                           },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        begin(&f);
        open_spec(&f, cases[i].spec);
        struct mfx_str want =
            mfx_arena_printf(f.files.arena, "%s%s", cases[i].want,
                             cases[i].lists_types ? types : "");
        unit_assert_str(cases[i].label,
                        conf_files_problems(&f.files, &f.problems), want);
        unit_assert_int(cases[i].label, f.rc != MFX_OK, 1);
        end(&f);
    }
}

static void
lookups(void **state)
{
    static const char text[] = "a.example 1\n"
                               "B.Example 2\n"
                               "* 3\n";
    static const struct {
        const char *label, *type, *key;
        enum mfx_rc rc;
        const char *want;
    } cases[] = {
        {"exact",         "file",     "a.example",  MFX_OK,       "1"},
        {"other_case",    "file",     "b.eXAMPLE",  MFX_OK,       "2"},
        {"star_is_a_key", "file",     "*",          MFX_OK,       "3"},
        {"absent",        "file",     "c.example",  MFX_NOTFOUND, "" },
        {"empty",         "file",     "",           MFX_NOTFOUND, "" },
        {"longer",        "file",     "a.example.", MFX_NOTFOUND, "" },
        {"texthash",      "texthash", "b.example",  MFX_OK,       "2"},
        {"refile_first",  "refile",   "a.example",  MFX_OK,       "1"},
        {"refile_any",    "refile",   "c.example",  MFX_OK,       "3"},
        {"refile_empty",  "refile",   "",           MFX_OK,       "3"},
        {"refile_no_dot", "refile",   "axexample",  MFX_OK,       "3"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        struct mfx_str value = {"", 0};
        begin(&f);
        open_text(&f, cases[i].type, "t", mfx_str_of(text));
        unit_assert_int(cases[i].label,
                        mfx_table_get(f.table, mfx_str_of(cases[i].key),
                                      f.files.arena, &value, NULL),
                        cases[i].rc);
        unit_assert_str(cases[i].label, value, mfx_str_of(cases[i].want));
        end(&f);
    }
}

static void
letter_case_counts_for_keys(void **state)
{
    struct fixture f;
    struct mfx_str value;
    (void)state;
    begin(&f);
    assert_int_equal(mfx_table_open(f.set, mfx_str_of("inline:Key=1,key=2"),
                                    MFX_TABLE_CASE, "", 0, &f.problems,
                                    &f.table),
                     MFX_OK);
    assert_int_equal(
        mfx_table_get(f.table, mfx_str_of("key"), f.files.arena, &value, NULL),
        MFX_OK);
    unit_assert_str("key", value, mfx_str_of("2"));
    assert_int_equal(
        mfx_table_get(f.table, mfx_str_of("KEY"), f.files.arena, &value, NULL),
        MFX_NOTFOUND);
    end(&f);
}

/* OpenDKIM's order, whatever the order of the file. */
static void
addresses(void **state)
{
    static const char text[] = "* 9\n"
                               "u@* 8\n"
                               ".org 7\n"
                               "u@.org 6\n"
                               ".example.org 5\n"
                               "u@.example.org 4\n"
                               "a.example.org 2\n"
                               "u@a.example.org 1\n"
                               "example.org 3\n";
    static const struct {
        const char *label, *type, *local, *domain;
        size_t most;
        enum mfx_rc rc;
        const char *want;
    } cases[] = {
        {"all_in_order",   "file",     "u", "a.example.org", 99, MFX_OK,
         "u@a.example.org=1@8;a.example.org=2@7;u@.example.org=4@6;.example.org=5@5;u@.org=6@4;.org=7@3;u@*=8@2;*=9@1;"},
        {"first_only",     "file",     "U", "A.example.ORG", 1,  MFX_OK,
         "u@a.example.org=1@8;"                                                                                        },
        {"stops_at_three", "file",     "u", "a.example.org", 3,  MFX_OK,
         "u@a.example.org=1@8;a.example.org=2@7;u@.example.org=4@6;"                                                   },
        {"other_user",     "file",     "v", "a.example.org", 99, MFX_OK,
         "a.example.org=2@7;.example.org=5@5;.org=7@3;*=9@1;"                                                          },
        {"other_domain",   "file",     "v", "example.com",   99, MFX_OK, "*=9@1;"                                      },
        {"no_domain",      "file",     "u", "",              99, MFX_OK, "u@*=8@2;*=9@1;"                              },
        {"texthash",       "texthash", "v", "x.org",         99, MFX_OK, ".org=7@3;*=9@1;"                             },
        {"refile_order",   "refile",   "u", "a.example.org", 99, MFX_OK,
         "*=9@1;u@*=8@2;u@a.example.org=1@8;"                                                                          },
        {"refile_first",   "refile",   "u", "a.example.org", 1,  MFX_OK, "*=9@1;"                                      },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture f;
        begin(&f);
        open_text(&f, cases[i].type, "t", mfx_str_of(text));
        struct listing listing = new_listing(&f, cases[i].most);
        unit_assert_int(
            cases[i].label,
            mfx_table_each_address(f.table, mfx_str_of(cases[i].local),
                                   mfx_str_of(cases[i].domain), f.files.arena,
                                   list_row, &listing, NULL),
            cases[i].rc);
        unit_assert_str(cases[i].label, mfx_buf_str(&listing.out),
                        mfx_str_of(cases[i].want));
        end(&f);
    }
}

/* A domain of dots costs no lookup of keys longer than any row's. */
static void
hostile_address(void **state)
{
    struct fixture f;
    static char dots[200000];
    (void)state;
    memset(dots, '.', sizeof dots);
    begin(&f);
    open_spec(&f, "csl:a.example,.example");
    struct listing listing = new_listing(&f, 99);
    assert_int_equal(mfx_table_each_address(
                         f.table, mfx_str(dots, 3), mfx_str(dots, sizeof dots),
                         f.files.arena, list_row, &listing, NULL),
                     MFX_NOTFOUND);
    end(&f);
}

static void
sets_share_unchanged_tables(void **state)
{
    struct fixture f;
    struct mfx_table *a, *b, *c, *again;
    (void)state;
    begin(&f);
    open_text(&f, "file", "a", mfx_str_of("x 1\n"));
    a = f.table;
    open_text(&f, "file", "b", mfx_str_of("x 1\n"));
    b = f.table;
    open_spec(&f, "csl:x");
    c = f.table;
    open_spec(&f, "csl:x");
    assert_ptr_equal(f.table, c);
    assert_false(mfx_table_set_is_outdated(f.set));
    struct mfx_str a_spec = mfx_arena_copy(f.files.arena, mfx_table_spec(a));
    struct mfx_str b_spec = mfx_arena_copy(f.files.arena, mfx_table_spec(b));

    conf_files_write(&f.files, "b", mfx_str_of("x 2\n"));
    assert_true(mfx_table_set_is_outdated(f.set));
    struct mfx_table_set *next = mfx_table_set_new(f.set);
    mfx_table_set_free(f.set);
    f.set = next;
    open_spec(&f, a_spec.p);
    again = f.table;
    assert_ptr_equal(again, a);
    open_spec(&f, "csl:x");
    assert_ptr_equal(f.table, c);
    open_spec(&f, b_spec.p);
    struct mfx_str value;
    assert_int_equal(
        mfx_table_get(f.table, mfx_str_of("x"), f.files.arena, &value, NULL),
        MFX_OK);
    unit_assert_str("changed", value, mfx_str_of("2"));
    assert_false(mfx_table_set_is_outdated(f.set));
    assert_int_equal(unlink(conf_files_path(&f.files, "a")), 0);
    assert_true(mfx_table_set_is_outdated(f.set));
    end(&f);
}

static void
a_broken_file_leaves_the_old_set(void **state)
{
    struct fixture f;
    struct mfx_str value;
    (void)state;
    begin(&f);
    open_text(&f, "texthash", "a", mfx_str_of("x 1\n"));
    struct mfx_table *old = f.table;
    struct mfx_table_set *next = mfx_table_set_new(f.set), *first = f.set;
    f.set = next;
    open_text(&f, "texthash", "a", mfx_str_of("x\n"));
    assert_int_equal(f.rc, MFX_PERMFAIL);
    mfx_table_set_free(next);
    f.set = first;
    assert_int_equal(
        mfx_table_get(old, mfx_str_of("x"), f.files.arena, &value, NULL),
        MFX_OK);
    unit_assert_str("old", value, mfx_str_of("1"));
    end(&f);
}

static void
files_and_counts(void **state)
{
    struct fixture f;
    size_t count = 0;
    (void)state;
    begin(&f);
    open_text(&f, "refile", "a",
              mfx_str_of("x@y 1\n*@y 2\nx@* 3\n*a*b* 4\n[ab]@y 5\n* 6\n"));
    struct mfx_table_counts counts = mfx_table_counts(f.table);
    assert_int_equal(counts.rows, 6);
    assert_int_equal(counts.patterns, 5);
    assert_int_equal(counts.scanned, 2);
    assert_true(mfx_table_has_patterns(f.table));
    assert_string_equal(mfx_table_type(f.table), "refile");
    open_spec(&f, "csl:a,b");
    assert_int_equal(mfx_table_counts(f.table).rows, 2);
    assert_false(mfx_table_has_patterns(f.table));
    open_text(&f, "file", "b", mfx_str_of(""));
    open_spec(&f, "file:/nowhere/x");
    const char *const *files = mfx_table_set_files(f.set, &count);
    assert_int_equal(count, 3);
    assert_string_equal(files[0], conf_files_path(&f.files, "a"));
    assert_string_equal(files[1], conf_files_path(&f.files, "b"));
    assert_string_equal(files[2], "/nowhere/x");
    struct mfx_table *const *tables = mfx_table_set_tables(f.set, &count);
    assert_int_equal(count, 3);
    assert_string_equal(mfx_table_type(tables[1]), "csl");
    end(&f);
}

static void
many_duplicates_are_summed_up(void **state)
{
    struct fixture f;
    struct mfx_buf text;
    (void)state;
    begin(&f);
    mfx_buf_init_arena(&text, f.files.arena, 1 << 20);
    for (int i = 0; i < 100; i++)
        mfx_buf_add_text(&text, "x 1\n");
    open_text(&f, "file", "a", mfx_buf_str(&text));
    assert_int_equal(f.rc, MFX_OK);
    assert_int_equal(f.problems.warnings, 11);
    end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(rows_in_the_setting),
        cmocka_unit_test(malformed_files),
        cmocka_unit_test(malformed_specs),
        cmocka_unit_test(lookups),
        cmocka_unit_test(letter_case_counts_for_keys),
        cmocka_unit_test(addresses),
        cmocka_unit_test(hostile_address),
        cmocka_unit_test(sets_share_unchanged_tables),
        cmocka_unit_test(a_broken_file_leaves_the_old_set),
        cmocka_unit_test(files_and_counts),
        cmocka_unit_test(many_duplicates_are_summed_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
