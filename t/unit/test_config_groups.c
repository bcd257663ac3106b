/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of groups: rules = ( { name = "a"; }, { name = "b"; } );
 */
#include "conf_files.h"
#include "option_check.h"
#include "unit.h"

struct rule {
    bool is_on;
    int64_t share;
    uint64_t wait_s, size;
    struct mfx_str name, token;
    const char *command;
    unsigned mode;
    int action;
    struct mfx_option_list limits;
    struct mfx_table *exempt;
};

struct sample {
    struct mfx_str id;
    struct mfx_option_groups rules, lists;
};

static const struct mfx_option_word actions[] = {
    {"accept", 1},
    {"reject", 2},
    {NULL,     0},
};

#define R struct rule
static const struct mfx_option rule_options[] = {
    MFX_OPTION_STRING("name", R, name, "", 0, "What it is called."),
    MFX_OPTION_LIST("limits", R, limits, "", 0, "How many."),
    MFX_OPTION_BOOL("enable", R, is_on, "true", 0, "Whether it counts."),
    MFX_OPTION_INT("share", R, share, "100", 1, 100, 0, "Of all."),
    MFX_OPTION_SECONDS("wait", R, wait_s, "5m", 1, 3600, 0, "How long."),
    MFX_OPTION_BYTES("size", R, size, "16M", 0, 1 << 30, 0, "How large."),
    MFX_OPTION_TABLE("exempt", R, exempt, "", 0, "Whom not."),
    MFX_OPTION_ENUM("then", R, action, "reject", actions, 0, "What then."),
    MFX_OPTION_MODE("mode", R, mode, "0660", 0, "Who may."),
    MFX_OPTION_PATH("command", R, command, "", 0, "What to run."),
    MFX_OPTION_STRING("token", R, token, "", MFX_OPTION_SECRET, "A secret."),
    MFX_OPTION_SECONDS("delay", R, wait_s, "5m", 1, 3600, MFX_OPTION_DEPRECATED,
                       "-> wait"),
    MFX_OPTION_END,
};
#undef R

static const struct mfx_option list_options[] = {
    MFX_OPTION_STRING("zone", struct rule, name, "", 0, "Which zone."),
    MFX_OPTION_END,
};

static const struct mfx_option options[] = {
    MFX_OPTION_STRING("id", struct sample, id, "", 0, "A name."),
    MFX_OPTION_GROUPS("rules", struct sample, rules, rule_options,
                      sizeof(struct rule), 0, 4, MFX_OPTION_RESTART,
                      "The rules."),
    MFX_OPTION_GROUPS("dns.lists", struct sample, lists, list_options,
                      sizeof(struct rule), 2, 3, 0, "The lists."),
    MFX_OPTION_END,
};

struct loaded {
    struct conf_files files;
    struct sample settings;
    struct mfx_option_set set;
    struct mfx_problems problems;
    struct mfx_table_set *tables;
    struct mfx_config *config;
    enum mfx_rc rc;
};

static void
load(struct loaded *l, const char *file, const char *common)
{
    l->settings = (struct sample){
        .id = {NULL, 0}
    };
    l->set = (struct mfx_option_set){options, &l->settings};
    mfx_problems_init(&l->problems, l->files.arena);
    l->tables = mfx_table_set_new(NULL);
    assert_non_null(l->tables);
    l->rc = mfx_config_load(file, common, &l->set, 1, l->files.arena, l->tables,
                            &l->problems, &l->config);
}

static void
load_texts(struct loaded *l, const char *own, const char *common,
           const char *included)
{
    const char *common_path = NULL;
    conf_files_init(&l->files);
    if (included != NULL)
        conf_files_write(&l->files, "inc", mfx_str_of(included));
    if (common != NULL)
        common_path = conf_files_write(&l->files, "common", mfx_str_of(common));
    load(l, conf_files_write(&l->files, "own", mfx_str_of(own)), common_path);
}

static void
unload(struct loaded *l)
{
    mfx_table_set_free(l->tables);
    conf_files_fini(&l->files);
}

static struct mfx_str
dump(struct loaded *l, bool changed_only)
{
    struct mfx_buf out;
    mfx_buf_init_arena(&out, l->files.arena, 1 << 20);
    mfx_config_dump(l->config, &l->set, 1, changed_only, &out);
    assert_true(mfx_buf_ok(&out));
    return mfx_buf_str(&out);
}

#define A_AND_B                       \
    "rules = (\n    {\n        name " \
    "= \"a\";\n    },\n    {\n        name = \"b\";\n    }\n);\n"

/* What a file says, told by the changes from the defaults. */
static void
values(void **state)
{
    static const struct {
        const char *label, *own, *common, *included, *want;
    } cases[] = {
        {"none",           "rules = ();",                                         NULL,                                                NULL,                ""     },
        {"none_square",    "rules = [];",                                         NULL,                                                NULL,                ""     },
        {"one_default",    "rules = ( { } );",                                    NULL,                                                NULL,
         "rules = (\n    {\n    }\n);\n"                                                                                                                           },
        {"two",            "rules = ( { name = \"a\"; }, { name: \"b\" } )",      NULL,                                                NULL,
         A_AND_B                                                                                                                                                   },
        {"separate_lines",
         "rules =\n(\n{\nname = \"a\"\n}\n,\n{\nname = \"b\"\n}\n)",              NULL,                                                NULL,
         A_AND_B                                                                                                                                                   },
        {"included",       "@include \"inc\"",                                    NULL,
         "rules = ( { name = \"a\"; }, { name = \"b\"; } );",                                                                                               A_AND_B},
        {"group_included",
         "rules = ( {\n@include \"inc\"\n }, { name = \"b\"; } );",               NULL,
         "name = \"a\";",                                                                                                                                   A_AND_B},
        {"list_included",  "rules = (\n@include \"inc\"\n, { name = \"b\"; } );",
         NULL,                                                                                                                         "{ name = \"a\"; }", A_AND_B},
        {"common",         "",                                                    "rules = ( { name = \"a\"; }, { name = \"b\"; } );",
         NULL,                                                                                                                                              A_AND_B},
        {"own_as_a_whole", "rules = ( { name = \"a\"; }, { name = \"b\"; } );",
         "rules = ( { share = 3; name = \"c\"; } );",                                                                                  NULL,                A_AND_B},
        {"common_unused",  "rules = ( { name = \"a\"; }, { name = \"b\"; } );",
         "rules = ( { nmae = \"c\"; share = 0; } );",                                                                                  NULL,                A_AND_B},
        {"own_is_empty",   "rules = ();",                                         "rules = ( { name = \"c\"; } );",                    NULL,
         ""                                                                                                                                                        },
        {"dotted",         "dns: { lists = ( { zone = \"z\"; }, { } ); };",       NULL,                                                NULL,
         "dns: {\n    lists = (\n        {\n            zone = \"z\";\n        },\n        {\n        }\n    );\n};\n"                                             },
        {"all_types",
         "rules = ( { name = \"n\"; limits = [\"1/1d\", \"2/1h\"]; enable = false; "
         "share = 7; wait = \"90s\"; size = \"1K\"; exempt = [\"x\", \"y\"]; "
         "then = \"accept\"; mode = \"600\"; command = \"/bin/true\"; "
         "token = \"secret\"; } );",                                              NULL,                                                NULL,
         "rules = (\n    {\n        name = \"n\";\n"
         "        limits = [\"1/1d\", \"2/1h\"];\n        enable = false;\n"
         "        share = 7;\n        wait = \"90s\";\n        size = \"1K\";\n"
         "        exempt = \"csl:x,y\";\n        then = \"accept\";\n"
         "        mode = \"0600\";\n        command = \"/bin/true\";\n"
         "        token = \"********\";\n    }\n);\n"                                                                                                              },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loaded l;
        load_texts(&l, cases[i].own, cases[i].common, cases[i].included);
        unit_assert_str(cases[i].label,
                        conf_files_problems(&l.files, &l.problems),
                        mfx_str_of(""));
        unit_assert_int(cases[i].label, l.rc, MFX_OK);
        unit_assert_str(cases[i].label, dump(&l, true),
                        mfx_str_of(cases[i].want));
        unload(&l);
    }
}

/* The structs themselves, and defaults where a group says nothing. */
static void
structs(void **state)
{
    struct loaded l;
    (void)state;
    load_texts(&l,
               "rules = ( { name = \"a\"; exempt = \"csl:me\"; },\n"
               "          { share = 2; limits = \"5/1m, 9/1h\"; } );",
               NULL, NULL);
    assert_int_equal(l.rc, MFX_OK);
    assert_int_equal(l.settings.rules.count, 2);
    assert_int_equal(l.settings.lists.count, 0);
    const struct rule *rules = l.settings.rules.items;
    unit_assert_str("name", rules[0].name, mfx_str_of("a"));
    assert_non_null(rules[0].exempt);
    assert_int_equal(rules[0].share, 100);
    assert_int_equal(rules[0].wait_s, 300);
    assert_int_equal(rules[0].limits.count, 0);
    assert_true(rules[1].is_on);
    assert_null(rules[1].exempt);
    assert_null(rules[1].command);
    assert_int_equal(rules[1].mode, 0660);
    assert_int_equal(rules[1].share, 2);
    assert_int_equal(rules[1].limits.count, 2);
    unit_assert_str("limit", rules[1].limits.items[1], mfx_str_of("9/1h"));
    unload(&l);
}

static void
malformed(void **state)
{
    static const struct {
        const char *label, *own, *common, *included, *want;
    } cases[] = {
        {"unknown_name",      "rules = (\n { },\n { nmae = \"a\"; } );",              NULL,                           NULL,
         "own:3: there is no setting rules[1].nmae (did you mean name?)\n"                                                                                                                             },
        {"nothing_near",      "rules = ( { xyzzy = 1; } );",                          NULL,                           NULL,
         "own:1: there is no setting rules[0].xyzzy\n"                                                                                                                                                 },
        {"unknown_in_common", "",                                                     "\nrules = ( { nmae = 1; } );", NULL,
         "common:2: there is no setting rules[0].nmae (did you mean name?)\n"                                                                                                                          },
        {"unknown_included",  "rules = ( {\n@include \"inc\"\n } );",                 NULL,
         "\nnmae = \"a\";",                                                                                                 "inc:2: there is no setting rules[0].nmae (did you mean name?)\n"          },
        {"name_of_the_top",   "rules = ( { id = \"a\"; } );",                         NULL,                           NULL,
         "own:1: there is no setting rules[0].id\n"                                                                                                                                                    },
        {"name_of_a_group",   "name = \"a\";",                                        NULL,                           NULL,
         "own:1: there is no setting name\n"                                                                                                                                                           },
        {"twice",             "rules = ( { name = \"a\";\n name = \"b\"; } );",       NULL,                           NULL,
         "own:2: rules[0].name is given twice; it stands in own:1 already\n"                                                                                                                           },
        {"list_twice",        "rules = ();\nrules = ();",                             NULL,                           NULL,
         "own:2: rules is given twice; it stands in own:1 already\n"                                                                                                                                   },
        {"range",             "rules = ( { name = \"a\"; },\n {\n share = 101; } );", NULL,
         NULL,                                                                                                              "own:3: rules[1].share: 101 is not between 1 and 100\n"                    },
        {"type",              "rules = ( { name = 3; } );",                           NULL,                           NULL,
         "own:1: rules[0].name: this is a number without quotes; wanted is a string in quotes\n"                                                                                                       },
        {"word",              "rules = ( { then = \"acept\"; } );",                   NULL,                           NULL,
         "own:1: rules[0].then: \"acept\" is none of \"accept\", \"reject\" (did you mean \"accept\"?)\n"                                                                                              },
        {"octal",             "rules = ( {\n share = 022; } );",                      NULL,                           NULL,
         "own:2: 022: a number with a leading zero is not octal here; write a mode as a string (\"0660\"), another number without the zero\n"                                                          },
        {"all_mistakes",
         "rules = ( { share = 0; },\n { share = 1; },\n { size = 1; x = 1; } );",
         NULL,                                                                                                        NULL,
         "own:1: rules[0].share: 0 is not between 1 and 100\n"
         "own:3: there is no setting rules[2].x\n"
         "own:3: rules[2].size: this is a number without quotes; wanted is a size in quotes, such as \"4096\", \"64K\", \"10M\" or \"1G\"\n"                                                           },
        {"a_group_alone",     "rules = { name = \"a\"; };",                           NULL,                           NULL,
         "own:1: rules: this is a group; wanted is a list of groups, such as ( { ... }, { ... } )\n"                                                                                                   },
        {"a_string",          "rules = \"\";",                                        NULL,                           NULL,
         "own:1: rules: this is a string; wanted is a list of groups, such as ( { ... }, { ... } )\n"                                                                                                  },
        {"a_number",          "rules = 3;",                                           NULL,                           NULL,
         "own:1: rules: this is a number without quotes; wanted is a list of groups, such as ( { ... }, { ... } )\n"                                                                                   },
        {"list_of_strings",   "rules = [\"a\"];",                                     NULL,                           NULL,
         "own:1: rules[0]: this is no group; write { ... }\n"                                                                                                                                          },
        {"a_string_within",   "rules = ( { },\n \"a\",\n { share = 0; } );",          NULL,
         NULL,                                                                                                              "own:2: rules[1]: this is no group; write { ... }\n"
         "own:3: rules[2].share: 0 is not between 1 and 100\n"                                                                                                                           },
        {"a_list_within",     "rules = ( ( { } ) );",                                 NULL,                           NULL,
         "own:1: rules[0]: this is no group; write { ... }\n"                                                                                                                                          },
        {"groups_in_square",  "rules = [ { } ];",                                     NULL,                           NULL,
         "own:1: a value is wanted here, not '{'\n"                                                                                                                                                    },
        {"groups_of_strings", "id = ( { } );",                                        NULL,                           NULL,
         "own:1: id: this is a list of something else than strings; wanted is a string in quotes\n"                                                                                                    },
        {"a_group_within",    "rules = ( { name: { a = 1; }; } );",                   NULL,                           NULL,
         "own:1: rules[0].name: this is a group; wanted is a string in quotes\n"                                                                                                                       },
        {"no_such_group",     "rules = ( { sub: { a = 1; }; } );",                    NULL,                           NULL,
         "own:1: there is no setting rules[0].sub\n"                                                                                                                                                   },
        {"too_many",          "rules = ( {}, {}, {}, {}, {} );",                      NULL,                           NULL,
         "own:1: rules: 5 groups; wanted are 0 to 4\n"                                                                                                                                                 },
        {"too_few",           "dns: { lists = ( { } ); };",                           NULL,                           NULL,
         "own:1: dns.lists: 1 groups; wanted are 2 to 3\n"                                                                                                                                             },
        {"old_name",          "rules = ( { delay = \"1m\"; } );",                     NULL,                           NULL,
         "own:1: warning: rules[0].delay is now called wait\n"                                                                                                                                         },
        {"old_and_new",       "rules = ( { delay = \"1m\"; wait = \"2m\"; } );",      NULL,
         NULL,                                                                                                              "own:1: rules[0].delay is the old name of wait, which is set too (own:1)\n"},
        {"bad_table",         "rules = (\n { exempt = \"file:/nonexistent/x\"; } );",
         NULL,                                                                                                        NULL, "own:2: /nonexistent/x: No such file or directory\n"                       },
        {"not_closed",        "rules = ( { name = \"a\"; }",                          NULL,                           NULL,
         "own:1: what opens here is not closed with ')'\n"                                                                                                                                             },
        {"closed_wrongly",    "rules = ( { name = \"a\"; ) };",                       NULL,                           NULL,
         "own:1: '}' is wanted for what own:1 opens, not ')'\n"                                                                                                                                        },
        {"comma_at_the_end",  "rules = ( { }, );",                                    NULL,                           NULL,
         "own:1: a value is wanted here, not ')'\n"                                                                                                                                                    },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loaded l;
        load_texts(&l, cases[i].own, cases[i].common, cases[i].included);
        unit_assert_str(cases[i].label,
                        conf_files_problems(&l.files, &l.problems),
                        mfx_str_of(cases[i].want));
        unit_assert_int(cases[i].label, l.rc == MFX_OK, l.problems.errors == 0);
        unload(&l);
    }
}

static void
where(void **state)
{
    static const struct {
        const char *name, *file;
        unsigned line;
    } cases[] = {
        {"rules",             "own",    1},
        {"rules[0]",          "own",    2},
        {"rules[0].name",     "own",    3},
        {"rules[1]",          "own",    5},
        {"rules[1].limits",   "inc",    2},
        {"dns.lists[1]",      "common", 3},
        {"dns.lists[0].zone", "common", 2},
        {"rules[0].limits",   NULL,     0}, /* only in the unused list */
        {"rules[2]",          NULL,     0},
    };
    struct loaded l;
    (void)state;
    load_texts(
        &l, "rules = (\n {\n name = \"a\";\n },\n {\n@include \"inc\"\n}\n);",
        "dns: { lists = (\n { zone = \"a\"; },\n { }\n ); };\n"
        "rules = ( { limits = \"x\"; }, { }, { } );",
        "\nlimits = \"1/1d\";");
    assert_int_equal(l.rc, MFX_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned line = 0;
        const char *file = mfx_config_where(l.config, cases[i].name, &line);
        if (cases[i].file == NULL) {
            unit_assert_int(cases[i].name, file == NULL, true);
            continue;
        }
        unit_assert_int(cases[i].name, file != NULL, true);
        unit_assert_str(cases[i].name, mfx_str_of(file),
                        mfx_str_of(conf_files_path(&l.files, cases[i].file)));
        unit_assert_int(cases[i].name, line, cases[i].line);
    }
    unload(&l);
}

static void
dump_loads_again(void **state)
{
    static const char text[] =
        "rules = ( { name = \"a\\\"\\\\b\"; token = \"t\"; limits = "
        "[\"1/1d\"]; },\n { }, { share = 5; exempt = \"inline:a=1\"; } );\n"
        "dns: { lists = ( { zone = \"z\"; }, { } ); };";
    (void)state;
    for (int changed = 0; changed < 2; changed++) {
        struct loaded l;
        load_texts(&l, text, NULL, NULL);
        assert_int_equal(l.rc, MFX_OK);
        struct mfx_str first = dump(&l, changed == 1);
        mfx_table_set_free(l.tables);
        load(&l, conf_files_write(&l.files, "again", first), NULL);
        assert_int_equal(l.rc, MFX_OK);
        assert_int_equal(l.settings.rules.count, 3);
        unit_assert_str("again", dump(&l, changed == 1), first);
        unload(&l);
    }
}

static void
same_value(void **state)
{
    static const struct {
        const char *label, *text;
        bool is_same;
    } cases[] = {
        {"same",    "rules = ( { name = \"a\"; token = \"x\"; }, { } );",          true },
        {"default",
         "rules = ( { token = \"x\"; share = 100; name = \"a\"; }, { } );",        true },
        {"name",    "rules = ( { name = \"b\"; token = \"x\"; }, { } );",          false},
        {"secret",  "rules = ( { name = \"a\"; token = \"y\"; }, { } );",          false},
        {"shorter", "rules = ( { name = \"a\"; token = \"x\"; } );",               false},
        {"order",   "rules = ( { }, { name = \"a\"; token = \"x\"; } );",          false},
        {"table",
         "rules = ( { name = \"a\"; token = \"x\"; exempt = \"csl:x\"; }, { } );",
         false                                                                          },
        {"nothing", "",                                                            false},
    };
    const struct mfx_option *rules = &options[1];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loaded a, b;
        load_texts(&a, cases[0].text, NULL, NULL);
        load_texts(&b, cases[i].text, NULL, NULL);
        unit_assert_int(cases[i].label,
                        mfx_option_is_same(rules, &a.settings, &b.settings),
                        cases[i].is_same);
        unload(&b);
        unload(&a);
    }
}

/* A table of a group is watched as every table is. */
static void
table_is_watched(void **state)
{
    struct loaded l;
    size_t count = 0;
    (void)state;
    conf_files_init(&l.files);
    const char *table =
        conf_files_write(&l.files, "exempt", mfx_str_of("a 1\n"));
    struct mfx_str text = mfx_arena_printf(
        l.files.arena, "rules = ( { }, { exempt = \"file:%s\"; } );", table);
    load(&l, conf_files_write(&l.files, "own", text), NULL);
    assert_int_equal(l.rc, MFX_OK);
    const char *const *files = mfx_table_set_files(l.tables, &count);
    assert_int_equal(count, 1);
    assert_string_equal(files[0], table);
    assert_false(mfx_table_set_is_outdated(l.tables));
    conf_files_write(&l.files, "exempt", mfx_str_of("b 1\n"));
    assert_true(mfx_table_set_is_outdated(l.tables));
    unload(&l);
}

/* However little memory there is, the answer is a temporary failure. */
static void
little_memory(void **state)
{
    struct conf_files files;
    size_t budget = 512;
    enum mfx_rc rc = MFX_TEMPFAIL;
    (void)state;
    conf_files_init(&files);
    const char *path = conf_files_write(
        &files, "own",
        mfx_str_of("rules = ( { name = \"a\"; limits = [\"1/1d\"]; },\n"
                   "{ exempt = \"csl:a,b\"; }, { wait = \"3s\"; } );"));
    for (; rc != MFX_OK; budget += 128) {
        struct mfx_arena *arena = mfx_arena_new(budget);
        struct sample sample = {
            .id = {NULL, 0}
        };
        const struct mfx_option_set set = {options, &sample};
        struct mfx_table_set *tables = mfx_table_set_new(NULL);
        struct mfx_problems problems;
        struct mfx_config *config;
        mfx_problems_init(&problems, files.arena);
        rc = mfx_config_load(path, NULL, &set, 1, arena, tables, &problems,
                             &config);
        assert_true(rc == MFX_OK || problems.errors > 0);
        assert_in_range(budget, 0, 1 << 20);
        mfx_table_set_free(tables);
        mfx_arena_free(arena);
    }
    conf_files_fini(&files);
}

static void
manual(void **state)
{
    static const char want[] =
        ".It Ic dns.lists Pq list of groups, default Li \"\\&()\"\n"
        "The lists.\nAt most 3 groups.\n"
        ".It Ic dns.lists[].zone Pq string, default Li \"\\&\\(dq\\(dq\"\n"
        "Which zone.\n";
    struct mfx_buf out;
    (void)state;
    mfx_buf_init(&out, 1 << 20);
    mfx_option_man(&options[2], &out);
    unit_assert_str("manual", mfx_buf_str(&out), mfx_str_of(want));
    mfx_buf_fini(&out);
}

static void
example(void **state)
{
    static const char want[] = "dns: {\n"
                               "    # The lists. At most 3 groups.\n"
                               "    #\n"
                               "    # lists = ( {\n"
                               "    #     # Which zone.\n"
                               "    #     zone = \"\";\n"
                               "    # } );\n"
                               "    #lists = ();\n"
                               "};\n";
    struct mfx_buf out;
    (void)state;
    mfx_buf_init(&out, 1 << 20);
    mfx_option_example(&options[2], &out);
    unit_assert_str("example", mfx_buf_str(&out), mfx_str_of(want));
    mfx_buf_fini(&out);
}

static void
sample_table(void **state)
{
    static const struct option_check_table tables[] = {
        {options, sizeof(struct sample)},
    };
    (void)state;
    option_check(tables, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),           cmocka_unit_test(structs),
        cmocka_unit_test(malformed),        cmocka_unit_test(where),
        cmocka_unit_test(dump_loads_again), cmocka_unit_test(same_value),
        cmocka_unit_test(table_is_watched), cmocka_unit_test(little_memory),
        cmocka_unit_test(manual),           cmocka_unit_test(example),
        cmocka_unit_test(sample_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
