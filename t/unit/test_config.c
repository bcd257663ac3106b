/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "conf_files.h"
#include "option_check.h"
#include "unit.h"

struct sample {
    bool enable;
    int64_t count;
    uint64_t wait_s, size;
    struct mfx_str id, password;
    struct mfx_option_list names;
    struct mfx_table *hosts;
    struct mfx_option_tables maps;
    int action;
    unsigned mode;
    const char *file;
};

static const struct mfx_option_word actions[] = {
    {"accept", 1},
    {"reject", 2},
    {NULL,     0},
};

static const struct mfx_option options[] = {
    MFX_OPTION_STRING("id", struct sample, id, "", 0, "A name."),
    MFX_OPTION_BOOL("sign.enable", struct sample, enable, "true", 0,
                    "Sign mail. With \\\"quotes\\\" and a .dot in it."),
    MFX_OPTION_INT("sign.count", struct sample, count, "10", 1, 100, 0,
                   "How many."),
    MFX_OPTION_SECONDS("sign.wait", struct sample, wait_s, "5m", 1, 3600,
                       MFX_OPTION_RESTART, "How long."),
    MFX_OPTION_BYTES("sign.size", struct sample, size, "16M", 0, 1 << 30, 0,
                     "How large."),
    MFX_OPTION_LIST("sign.names", struct sample, names, "a, b", 0, "Which."),
    MFX_OPTION_TABLE("sign.hosts", struct sample, hosts, "csl:127.0.0.1,::1", 0,
                     "Whose."),
    MFX_OPTION_TABLES("sign.maps", struct sample, maps, 0, "Which in order."),
    MFX_OPTION_ENUM("on.failure", struct sample, action, "reject", actions, 0,
                    "What then."),
    MFX_OPTION_MODE("socket_mode", struct sample, mode, "0660", 0, "Who may."),
    MFX_OPTION_PATH("file", struct sample, file, "", 0, "Where."),
    MFX_OPTION_STRING("password", struct sample, password, "",
                      MFX_OPTION_SECRET, "A secret."),
    MFX_OPTION_INT("count", struct sample, count, "10", 1, 100,
                   MFX_OPTION_DEPRECATED, "-> sign.count"),
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
    l->settings = (struct sample){.count = 0};
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

/* What a file says, told by the changes from the defaults. */
static void
values(void **state)
{
    static const struct {
        const char *label, *own, *common, *included, *want;
    } cases[] = {
        {"nothing",             "",                                                   NULL,                     NULL,        ""                                                            },
        {"comments",            "# a\n// b\n/* c\n d */ id = \"x\"; # e",             NULL,                     NULL,
         "id = \"x\";\n"                                                                                                                                                                   },
        {"string",              "id = \"a\\\"b\\\\c\\x41\\n\";",                      NULL,                     NULL,
         "id = \"a\\\"b\\\\cA\\n\";\n"                                                                                                                                                     },
        {"strings_joined",      "id = \"a\" \"b\";",                                  NULL,                     NULL,        "id = \"ab\";\n"                                              },
        {"string_like_comment", "id = \"# // /* @include\";",                         NULL,                     NULL,
         "id = \"# // /* @include\";\n"                                                                                                                                                    },
        {"utf8",                "id = \"b\xC3\xBC\";",                                NULL,                     NULL,        "id = \"b\xC3\xBC\";\n"                                       },
        {"bool",                "sign: { enable = false; }",                          NULL,                     NULL,
         "sign: {\n    enable = false;\n};\n"                                                                                                                                              },
        {"bool_case",           "sign = { enable = FALSE }",                          NULL,                     NULL,
         "sign: {\n    enable = false;\n};\n"                                                                                                                                              },
        {"int",                 "sign: { count = 7 }",                                NULL,                     NULL,
         "sign: {\n    count = 7;\n};\n"                                                                                                                                                   },
        {"int_hex",             "sign: { count = 0x10; }",                            NULL,                     NULL,
         "sign: {\n    count = 16;\n};\n"                                                                                                                                                  },
        {"int_long",            "sign: { count = 7L; }",                              NULL,                     NULL,
         "sign: {\n    count = 7;\n};\n"                                                                                                                                                   },
        {"seconds",             "sign: { wait = \"90s\"; }",                          NULL,                     NULL,
         "sign: {\n    wait = \"90s\";\n};\n"                                                                                                                                              },
        {"seconds_unit",        "sign: { wait = \"120s\"; }",                         NULL,                     NULL,
         "sign: {\n    wait = \"2m\";\n};\n"                                                                                                                                               },
        {"bytes",               "sign: { size = \"4096\"; }",                         NULL,                     NULL,
         "sign: {\n    size = \"4K\";\n};\n"                                                                                                                                               },
        {"list",                "sign: { names = [\"x\", \"y z\"]; }",                NULL,                     NULL,
         "sign: {\n    names = [\"x\", \"y z\"];\n};\n"                                                                                                                                    },
        {"list_round",          "sign: { names = (\"x\", \"y\"); }",                  NULL,                     NULL,
         "sign: {\n    names = [\"x\", \"y\"];\n};\n"                                                                                                                                      },
        {"list_as_string",      "sign: { names = \"x, y\"; }",                        NULL,                     NULL,
         "sign: {\n    names = [\"x\", \"y\"];\n};\n"                                                                                                                                      },
        {"list_empty",          "sign: { names = []; }",                              NULL,                     NULL,
         "sign: {\n    names = [];\n};\n"                                                                                                                                                  },
        {"table",               "sign: { hosts = \"inline:a=1\"; }",                  NULL,                     NULL,
         "sign: {\n    hosts = \"inline:a=1\";\n};\n"                                                                                                                                      },
        {"table_as_list",       "sign: { hosts = [\"a\", \"b\"]; }",                  NULL,                     NULL,
         "sign: {\n    hosts = \"csl:a,b\";\n};\n"                                                                                                                                         },
        {"tables",              "sign: { maps = [\"inline:a=1, b=2\", \"csl:c\"]; }", NULL,
         NULL,                                                                                                               "sign: {\n    maps = [\"inline:a=1, b=2\", \"csl:c\"];\n};\n" },
        {"tables_one",          "sign: { maps = \"inline:a=1, b=2\"; }",              NULL,                     NULL,
         "sign: {\n    maps = [\"inline:a=1, b=2\"];\n};\n"                                                                                                                                },
        {"tables_none",         "sign: { maps = \"\"; }",                             NULL,                     NULL,        ""                                                            },
        {"table_none",          "sign: { hosts = \"\"; }",                            NULL,                     NULL,
         "sign: {\n    hosts = \"\";\n};\n"                                                                                                                                                },
        {"enum",                "on: { failure = \"accept\"; }",                      NULL,                     NULL,
         "on: {\n    failure = \"accept\";\n};\n"                                                                                                                                          },
        {"mode",                "socket_mode = \"600\";",                             NULL,                     NULL,
         "socket_mode = \"0600\";\n"                                                                                                                                                       },
        {"path",                "file = \"/a/b\";",                                   NULL,                     NULL,        "file = \"/a/b\";\n"                                          },
        {"secret_is_masked",    "password = \"x\";",                                  NULL,                     NULL,
         "password = \"********\";\n"                                                                                                                                                      },
        {"include",             "id = \"x\";\n @include \"inc\"\nfile=\"/b\";",       NULL,
         "sign: {\n count = 3; }",                                                                                           "id = \"x\";\nfile = \"/b\";\n\nsign: {\n    count = 3;\n};\n"},
        {"include_in_a_group",  "sign: {\n@include \"inc\"\n wait=\"1s\" }",
         NULL,                                                                                                  "count = 3",
         "sign: {\n    count = 3;\n    wait = \"1s\";\n};\n"                                                                                                                               },
        {"common_fills_in",     "sign: { count = 3; }",
         "sign: { count = 4; wait = \"9s\"; };\nid = \"c\"",                                                    NULL,
         "id = \"c\";\n\nsign: {\n    count = 3;\n    wait = \"9s\";\n};\n"                                                                                                                },
        {"common_of_others",    "",                                                   "other: { thing = 1; };", NULL,        ""                                                            },
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

static const char octal[] =
    ": a number with a leading zero is not octal here; write a mode as a "
    "string (\"0660\"), another number without the zero\n";
static const char too_large[] =
    ": a number beyond 32 bits; write a size as a string (\"8G\")\n";

/* What is wrong is told with the real file and line. */
static void
malformed(void **state)
{
    static const struct {
        const char *label, *own, *common, *included, *want, *more;
    } cases[] = {
        {"unknown_name",            "\nidd = \"x\";",                                  NULL,                       NULL,
         "own:2: there is no setting idd (did you mean id?)\n",                                                                                                                                           ""       },
        {"unknown_in_group",        "sign: {\n cuont = 3;\n};",                        NULL,                       NULL,
         "own:2: there is no setting sign.cuont (did you mean sign.count?)\n",                                                                                                                            ""       },
        {"name_of_another_group",   "enable = true;",                                  NULL,                       NULL,
         "own:1: there is no setting enable (did you mean sign.enable?)\n",                                                                                                                               ""       },
        {"unknown_group",           "verify: { enable = true; };",                     NULL,                       NULL,
         "own:1: there is no setting verify\n",                                                                                                                                                           ""       },
        {"nothing_near",            "zzzzzz = 1;",                                     NULL,                       NULL,
         "own:1: there is no setting zzzzzz\n",                                                                                                                                                           ""       },
        {"all_mistakes",            "idd = 1;\nxyzzy = 2;\nfile = 3;",                 NULL,                       NULL,
         "own:1: there is no setting idd (did you mean id?)\nown:2: there is no setting xyzzy\nown:3: file: this is a number without quotes; wanted is a path in quotes that starts with '/', or \"\"\n",
         ""                                                                                                                                                                                                        },
        {"octal",                   "sign: { count = 022; }",                          NULL,                       NULL, "own:1: 022",                                                                    octal    },
        {"octal_mode",              "socket_mode = 0660;",                             NULL,                       NULL, "own:1: 0660",                                                                   octal    },
        {"octal_included",          "\n\n@include \"inc\"",                            NULL,
         "\nsign: {\n count = 022; }",                                                                                   "inc:3: 022",                                                                    octal    },
        {"beyond_32_bits",          "sign: { count = 5000000000; }",                   NULL,                       NULL,
         "own:1: 5000000000",                                                                                                                                                                             too_large},
        {"beyond_32_bits_minus",    "sign: { count = -2147483649; }",                  NULL,                       NULL,
         "own:1: 2147483649",                                                                                                                                                                             too_large},
        {"beyond_32_bits_long",     "sign: { count = 2147483648L; }",                  NULL,                       NULL,
         "own:1: 2147483648",                                                                                                                                                                             too_large},
        {"beyond_32_bits_hex",      "sign: { count = 0x80000000; }",                   NULL,                       NULL,
         "own:1: a number beyond 32 bits\n",                                                                                                                                                              ""       },
        {"twice",                   "id = \"a\";\n\nid = \"b\";",                      NULL,                       NULL,
         "own:3: id is given twice; it stands in own:1 already\n",                                                                                                                                        ""       },
        {"twice_included",          "id = \"a\";\n@include \"inc\"",                   NULL,
         "\nid = \"b\";",                                                                                                "inc:2: id is given twice; it stands in own:1 already\n",                        ""       },
        {"twice_after_include",     "@include \"inc\"\nid = \"a\";",                   NULL,
         "id = \"b\";",                                                                                                  "own:2: id is given twice; it stands in inc:1 already\n",                        ""       },
        {"group_reopened",          "sign: { count = 1; };\nsign: { size = \"1\"; };",
         NULL,                                                                                                     NULL, "own:2: sign is given twice; it stands in own:1 already\n",
         ""                                                                                                                                                                                                        },
        {"twice_in_common",         "",                                                "id = \"a\";\nid = \"b\";", NULL,
         "common:2: id is given twice; it stands in common:1 already\n",                                                                                                                                  ""       },
        {"range_int",               "sign: { count = 101; }",                          NULL,                       NULL,
         "own:1: sign.count: 101 is not between 1 and 100\n",                                                                                                                                             ""       },
        {"range_int_negative",      "sign: { count = -1; }",                           NULL,                       NULL,
         "own:1: sign.count: -1 is not between 1 and 100\n",                                                                                                                                              ""       },
        {"range_seconds",           "sign: { wait = \"2h\"; }",                        NULL,                       NULL,
         "own:1: sign.wait: \"2h\" is not between 1s and 1h\n",                                                                                                                                           ""       },
        {"range_bytes",             "sign: { size = \"2G\"; }",                        NULL,                       NULL,
         "own:1: sign.size: \"2G\" is not between 0 and 1G\n",                                                                                                                                            ""       },
        {"range_in_common",         "",                                                "\nsign: { count = 0; }",   NULL,
         "common:2: sign.count: 0 is not between 1 and 100\n",                                                                                                                                            ""       },
        {"bool_as_string",          "sign: { enable = \"yes\"; }",                     NULL,                       NULL,
         "own:1: sign.enable: this is a string; wanted is true or false, without quotes\n",
         ""                                                                                                                                                                                                        },
        {"bool_as_int",             "sign: { enable = 1; }",                           NULL,                       NULL,
         "own:1: sign.enable: this is a number without quotes; wanted is true or false, without quotes\n",
         ""                                                                                                                                                                                                        },
        {"int_as_fraction",         "sign: { count = 1.5; }",                          NULL,                       NULL,
         "own:1: sign.count: this is a number with a fraction; wanted is a whole number, without quotes\n",
         ""                                                                                                                                                                                                        },
        {"seconds_without_unit",    "sign: { wait = \"30\"; }",                        NULL,                       NULL,
         "own:1: sign.wait: \"30\" is not a duration in quotes, such as \"30s\", \"5m\", \"1h\", \"1d\", \"1w\" or \"0\"\n",
         ""                                                                                                                                                                                                        },
        {"group_as_value",          "id: { a = 1; };",                                 NULL,                       NULL,
         "own:1: id: this is a group; wanted is a string in quotes\n",                                                                                                                                    ""       },
        {"value_as_group",          "sign = true;",                                    NULL,                       NULL,
         "own:1: sign is a group; write sign: { ... }\n",                                                                                                                                                 ""       },
        {"list_of_numbers",         "sign: { names = [1, 2]; }",                       NULL,                       NULL,
         "own:1: sign.names: this is a list of something else than strings; wanted is a list of strings, such as [\"a\", \"b\"]\n",
         ""                                                                                                                                                                                                        },
        {"list_empty_item",         "sign: { names = [\"a\", \"\"]; }",                NULL,                       NULL,
         "own:1: sign.names: an item of the list is empty\n",                                                                                                                                             ""       },
        {"enum_word",               "on: { failure = \"acept\"; }",                    NULL,                       NULL,
         "own:1: on.failure: \"acept\" is none of \"accept\", \"reject\" (did you mean \"accept\"?)\n",
         ""                                                                                                                                                                                                        },
        {"mode_digits",             "socket_mode = \"0999\";",                         NULL,                       NULL,
         "own:1: socket_mode: \"0999\" is not a mode in quotes, such as \"0660\"\n",
         ""                                                                                                                                                                                                        },
        {"path_relative",           "file = \"a/b\";",                                 NULL,                       NULL,
         "own:1: file: \"a/b\" is not a path in quotes that starts with '/', or \"\"\n",
         ""                                                                                                                                                                                                        },
        {"table_missing",           "sign: {\n hosts = \"file:/nowhere/x\"; }",        NULL,
         NULL,                                                                                                           "own:2: /nowhere/x: No such file or directory\n",                                ""       },
        {"tables_unknown_type",     "sign: { maps = [\"csl:a\", \"hsah:/x\"]; }",
         NULL,                                                                                                     NULL,
         "own:1: \"hsah:/x\": there is no table type \"hsah\" (types: inline csl file refile texthash alias lmdb mdb sqlite dsn)\n",
         ""                                                                                                                                                                                                        },
        {"tables_number",           "sign: { maps = 1; }",                             NULL,                       NULL,
         "own:1: sign.maps: this is a number without quotes; wanted is a table in quotes, such as \"file:/path\", or a list of tables\n",
         ""                                                                                                                                                                                                        },
        {"tables_empty_item",       "sign: { maps = [\"\"]; }",                        NULL,                       NULL,
         "own:1: sign.maps: an item of the list is empty\n",                                                                                                                                              ""       },
        {"table_unknown_type",      "sign: { hosts = \"hsah:/x\"; }",                  NULL,                       NULL,
         "own:1: \"hsah:/x\": there is no table type \"hsah\" (types: inline csl file refile texthash alias lmdb mdb sqlite dsn)\n",
         ""                                                                                                                                                                                                        },
        {"old_name",                "count = 3;",                                      NULL,                       NULL,
         "own:1: warning: count is now called sign.count\n",                                                                                                                                              ""       },
        {"old_and_new_name",        "count = 3; sign: { count = 4; }",                 NULL,                       NULL,
         "own:1: count is the old name of sign.count, which is set too (own:1)\n",
         ""                                                                                                                                                                                                        },
        {"common_slip",             "",                                                "\nsign: { cuont = 4; }",   NULL,
         "common:2: warning: sign.cuont is no setting of this daemon (did you mean sign.count?)\n",
         ""                                                                                                                                                                                                        },
        {"no_value",                "id = ;",                                          NULL,                       NULL,
         "own:1: a value is wanted here, not ';'\n",                                                                                                                                                      ""       },
        {"no_value_included",       "id = \"x\";\n@include \"inc\"\n",                 NULL,
         "\n\nfile file\n",                                                                                              "inc:3: '=' is wanted behind file, not file\n",                                  ""       },
        {"no_equals_after_include", "id = \"x\";\n@include \"inc\"\nx y",              NULL,
         "\n\n\n",                                                                                                       "own:3: '=' is wanted behind x, not y\n",                                        ""       },
        {"no_quotes",               "id = mail.example.org;",                          NULL,                       NULL,
         "own:1: mail: a string must stand in quotes\n",                                                                                                                                                  ""       },
        {"no_quotes_path",          "file = /etc/x;",                                  NULL,                       NULL,
         "own:1: '/' does not belong here\n",                                                                                                                                                             ""       },
        {"unit_without_quotes",     "sign: { size = 10M; }",                           NULL,                       NULL,
         "own:1: 10M is no number; strings, sizes, durations and modes stand in quotes\n",
         ""                                                                                                                                                                                                        },
        {"number_of_dots",          "id = 127.0.0.1;",                                 NULL,                       NULL,
         "own:1: 127.0.0.1 is no number; strings, sizes, durations and modes stand in quotes\n",
         ""                                                                                                                                                                                                        },
        {"minus_alone",             "sign: { count = -; }",                            NULL,                       NULL,
         "own:1: - is no number; strings, sizes, durations and modes stand in quotes\n",
         ""                                                                                                                                                                                                        },
        {"two_semicolons",          "id = \"x\";;",                                    NULL,                       NULL,
         "own:1: the name of a setting is wanted here, not ';'\n",                                                                                                                                        ""       },
        {"value_alone",             "\"x\";",                                          NULL,                       NULL,
         "own:1: the name of a setting is wanted here, not a string\n",                                                                                                                                   ""       },
        {"name_is_a_boolean",       "true = 1;",                                       NULL,                       NULL,
         "own:1: the name of a setting is wanted here, not true\n",                                                                                                                                       ""       },
        {"two_values",              "sign: { count = 1 2; }",                          NULL,                       NULL,
         "own:1: the name of a setting is wanted here, not 2\n",                                                                                                                                          ""       },
        {"list_mixed",              "sign: { names = [\"a\", 1]; }",                   NULL,                       NULL,
         "own:1: the values between [ and ] are not of one type\n",                                                                                                                                       ""       },
        {"list_comma_at_end",       "sign: { names = [\"a\", ]; }",                    NULL,                       NULL,
         "own:1: a value is wanted here, not ']'\n",                                                                                                                                                      ""       },
        {"list_no_comma",           "sign: { names = [1 2]; }",                        NULL,                       NULL,
         "own:1: ',' or ']' is wanted here, not 2\n",                                                                                                                                                     ""       },
        {"list_in_a_list",          "sign: { names = [[\"a\"]]; }",                    NULL,                       NULL,
         "own:1: a value is wanted here, not '['\n",                                                                                                                                                      ""       },
        {"closed_by_another",       "sign: {\n names = [\"a\" };",                     NULL,                       NULL,
         "own:2: ']' is wanted for what own:2 opens, not '}'\n",                                                                                                                                          ""       },
        {"closes_nothing",          "id = \"x\"; }",                                   NULL,                       NULL,
         "own:1: '}' closes nothing\n",                                                                                                                                                                   ""       },
        {"group_not_closed",        "\nsign: {\n count = 3;\n\n",                      NULL,                       NULL,
         "own:2: what opens here is not closed with '}'\n",                                                                                                                                               ""       },
        {"ends_in_a_setting",       "id =",                                            NULL,                       NULL,
         "own:1: a value is wanted here, not the end of the file\n",                                                                                                                                      ""       },
        {"twice_in_a_list",         "x: ( { a = 1; a = 2; }, { a = 3; } );",           NULL,                       NULL,
         "own:1: x[0].a is given twice; it stands in own:1 already\n",                                                                                                                                    ""       },
        {"control_byte",            "id = \x01;",                                      NULL,                       NULL,
         "own:1: byte 0x01 does not belong here\n",                                                                                                                                                       ""       },
        {"high_byte",               "\xC3\xBC = 1;",                                   NULL,                       NULL,
         "own:1: byte 0xC3 does not belong here\n",                                                                                                                                                       ""       },
        {"string_not_closed",       "id = \"x;\n\n",                                   NULL,                       NULL,
         "own:1: this string is not closed in this file\n",                                                                                                                                               ""       },
        {"comment_not_closed",      "\n/* x",                                          NULL,                       NULL,
         "own:2: this comment is not closed in this file\n",                                                                                                                                              ""       },
        {"include_missing",         "\n@include \"gone\"",                             NULL,                       NULL,
         "own:2: gone: No such file or directory\n",                                                                                                                                                      ""       },
        {"include_itself",          "\n@include \"own\"",                              NULL,                       NULL,
         "own:2: @include of a file that is being read\n",                                                                                                                                                ""       },
        {"include_folder",          "@include \".\"",                                  NULL,                       NULL,
         "own:1: .: not a regular file\n",                                                                                                                                                                ""       },
        {"include_not_closed",      "@include \"x\n\"",                                NULL,                       NULL,
         "own:1: the name behind @include is not closed\n",                                                                                                                                               ""       },
        {"include_no_name",         "@include \"\"",                                   NULL,                       NULL,
         "own:1: @include without a file name\n",                                                                                                                                                         ""       },
        {"include_later_in_line",   "id = \"x\"; @include \"inc\"",                    NULL,                       "",
         "own:1: '@' is only known in @include \"file\" at the start of a line\n",
         ""                                                                                                                                                                                                        },
        {"include_after_comment",   "/* */ @include \"inc\"",                          NULL,                       "",
         "own:1: '@' is only known in @include \"file\" at the start of a line\n",
         ""                                                                                                                                                                                                        },
        {"nul_escape",              "id = \"a\\x00b\";",                               NULL,                       NULL,
         "own:1: a NUL byte in a string\n",                                                                                                                                                               ""       },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loaded l;
        load_texts(&l, cases[i].own, cases[i].common, cases[i].included);
        struct mfx_str want = mfx_arena_printf(l.files.arena, "%s%s",
                                               cases[i].want, cases[i].more);
        struct mfx_str got = conf_files_problems(&l.files, &l.problems);
        unit_assert_str(cases[i].label, got, want);
        unit_assert_int(cases[i].label, l.rc == MFX_OK, l.problems.errors == 0);
        assert_non_null(l.config);
        unload(&l);
    }
}

static void
nested_too_deep(void **state)
{
    struct loaded l;
    struct mfx_buf text;
    (void)state;
    conf_files_init(&l.files);
    mfx_buf_init_arena(&text, l.files.arena, 1 << 20);
    for (int i = 0; i < 50000; i++)
        mfx_buf_add_text(&text, "a: {");
    load(&l, conf_files_write(&l.files, "own", mfx_buf_str(&text)), NULL);
    assert_int_equal(l.rc, MFX_PERMFAIL);
    assert_int_equal(l.problems.errors, 1);
    unload(&l);
}

/* f0 includes f1, and so on. */
static void
include_chain(void **state)
{
    static const struct {
        const char *label;
        unsigned length;
        const char *want;
    } cases[] = {
        {"ten",    10, ""                                         },
        {"eleven", 11, "f10:1: @include more than 10 files deep\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loaded l;
        conf_files_init(&l.files);
        for (unsigned n = 0; n <= cases[i].length; n++)
            conf_files_write(
                &l.files, mfx_arena_printf(l.files.arena, "f%u", n).p,
                n == cases[i].length
                    ? mfx_str_of("id = \"end\";")
                    : mfx_arena_printf(l.files.arena, "@include \"f%u\"\n",
                                       n + 1));
        load(&l, conf_files_path(&l.files, "f0"), NULL);
        unit_assert_str(cases[i].label,
                        conf_files_problems(&l.files, &l.problems),
                        mfx_str_of(cases[i].want));
        unload(&l);
    }
}

/* Many files that include many: stops at a number of files. */
static void
include_wide(void **state)
{
    struct loaded l;
    struct mfx_buf text;
    (void)state;
    conf_files_init(&l.files);
    mfx_buf_init_arena(&text, l.files.arena, 1 << 20);
    for (int i = 0; i < 100; i++)
        mfx_buf_add_text(&text, "@include \"b\"\n");
    conf_files_write(&l.files, "a", mfx_buf_str(&text));
    mfx_buf_clear(&text);
    for (int i = 0; i < 100; i++)
        mfx_buf_add_text(&text, "@include \"c\"\n");
    conf_files_write(&l.files, "b", mfx_buf_str(&text));
    conf_files_write(&l.files, "c", mfx_str_of("\n"));
    load(&l, conf_files_path(&l.files, "a"), NULL);
    assert_int_equal(l.rc, MFX_PERMFAIL);
    unload(&l);
}

static void
odd_files(void **state)
{
    struct loaded l;
    (void)state;
    conf_files_init(&l.files);
    const char *fifo = conf_files_path(&l.files, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    load(&l, fifo, NULL);
    assert_int_equal(l.rc, MFX_PERMFAIL);
    mfx_table_set_free(l.tables);
    load(&l, l.files.folder, NULL);
    assert_int_equal(l.rc, MFX_PERMFAIL);
    mfx_table_set_free(l.tables);
    load(&l, conf_files_path(&l.files, "gone"), NULL);
    assert_int_equal(l.rc, MFX_PERMFAIL);
    mfx_table_set_free(l.tables);
    load(&l,
         conf_files_write(&l.files, "nul", (struct mfx_str)MFX_STR("id\0=1;")),
         NULL);
    unit_assert_str("nul", conf_files_problems(&l.files, &l.problems),
                    mfx_str_of("nul:1: a NUL byte in this file\n"));
    mfx_table_set_free(l.tables);
    load(&l, conf_files_write(&l.files, "own", mfx_str_of("")),
         conf_files_path(&l.files, "no_common"));
    assert_int_equal(l.rc, MFX_OK);
    unload(&l);
}

static void
where(void **state)
{
    struct loaded l;
    unsigned line = 0;
    size_t count = 0;
    (void)state;
    load_texts(&l, "\n@include \"inc\"\n", "\n\nid = \"x\";",
               "sign: {\n\n enable = false; }");
    assert_int_equal(l.rc, MFX_OK);
    assert_string_equal(mfx_config_where(l.config, "sign.enable", &line),
                        conf_files_path(&l.files, "inc"));
    assert_int_equal(line, 3);
    assert_string_equal(mfx_config_where(l.config, "id", &line),
                        conf_files_path(&l.files, "common"));
    assert_int_equal(line, 3);
    assert_null(mfx_config_where(l.config, "sign.count", &line));
    const char *const *files = mfx_config_files(l.config, &count);
    assert_int_equal(count, 3);
    assert_string_equal(files[0], conf_files_path(&l.files, "own"));
    assert_string_equal(files[1], conf_files_path(&l.files, "inc"));
    assert_string_equal(files[2], conf_files_path(&l.files, "common"));
    unload(&l);
}

/* A file that is missing is among those to watch. */
static void
files_of_a_failed_load(void **state)
{
    struct loaded l;
    size_t count = 0;
    (void)state;
    load_texts(&l, "@include \"gone\"\n", NULL, NULL);
    assert_int_equal(l.rc, MFX_PERMFAIL);
    const char *const *files = mfx_config_files(l.config, &count);
    assert_int_equal(count, 2);
    assert_string_equal(files[1], conf_files_path(&l.files, "gone"));
    unload(&l);
}

static void
dump_of_changes_loads_again(void **state)
{
    struct loaded l;
    (void)state;
    load_texts(&l,
               "id = \"q\\\"\\\\\\n\xC3\xBC\"; password = \"p\";\n"
               "sign: { count = 5; names = [\"x\"]; size = \"1000\"; };\n"
               "on: { failure = \"accept\"; };",
               NULL, NULL);
    assert_int_equal(l.rc, MFX_OK);
    struct mfx_str first = dump(&l, false);
    mfx_table_set_free(l.tables);
    load(&l, conf_files_write(&l.files, "again", first), NULL);
    assert_int_equal(l.rc, MFX_OK);
    unit_assert_str("again", dump(&l, false), first);
    unload(&l);
}

/* However little memory there is, the answer is a temporary failure. */
static void
little_memory(void **state)
{
    static const char text[] =
        "id = \"x\"; sign: { names = [\"a\", \"b\"]; wait = \"3s\"; };\n"
        "@include \"inc\"\n";
    struct conf_files files;
    size_t budget = 512;
    enum mfx_rc rc = MFX_TEMPFAIL;
    (void)state;
    conf_files_init(&files);
    conf_files_write(&files, "inc", mfx_str_of("file = \"/x\";"));
    const char *path = conf_files_write(&files, "own", mfx_str_of(text));
    for (; rc != MFX_OK; budget += 256) {
        struct mfx_arena *arena = mfx_arena_new(budget);
        struct sample sample = {.count = 0};
        const struct mfx_option_set set = {options, &sample};
        struct mfx_table_set *tables = mfx_table_set_new(NULL);
        struct mfx_problems problems;
        struct mfx_config *config;
        mfx_problems_init(&problems, files.arena);
        rc = mfx_config_load(path, NULL, &set, 1, arena, tables, &problems,
                             &config);
        if (rc != MFX_OK)
            assert_int_not_equal(problems.errors, 0);
        assert_in_range(budget, 0, 1 << 20);
        mfx_table_set_free(tables);
        mfx_arena_free(arena);
    }
    conf_files_fini(&files);
}

static void
same_value(void **state)
{
    struct sample a = {.count = 3}, b = {.count = 3};
    (void)state;
    const struct mfx_option *count = &options[2];
    assert_true(mfx_option_is_same(count, &a, &b));
    assert_false(mfx_option_is_default(count, &a));
    b.count = 10;
    assert_false(mfx_option_is_same(count, &a, &b));
    assert_true(mfx_option_is_default(count, &b));
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
        cmocka_unit_test(values),
        cmocka_unit_test(malformed),
        cmocka_unit_test(nested_too_deep),
        cmocka_unit_test(include_chain),
        cmocka_unit_test(include_wide),
        cmocka_unit_test(odd_files),
        cmocka_unit_test(where),
        cmocka_unit_test(files_of_a_failed_load),
        cmocka_unit_test(dump_of_changes_loads_again),
        cmocka_unit_test(little_memory),
        cmocka_unit_test(same_value),
        cmocka_unit_test(sample_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
