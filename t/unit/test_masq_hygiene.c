/* SPDX-License-Identifier: BSD-2-Clause */
#include "../../milters/masq/hygiene.h"
#include "masq_conf.h"
#include "masq_header.h"

static void
apply(const char *label, const char *conf, bool is_ours, const char *header,
      const char *want, const char *want_why)
{
    struct masq_conf c;
    struct masq_hygiene hygiene;
    struct mfx_headers headers;
    struct masq_fields fields;
    struct mfx_str why = {"", 0};
    struct mfx_err err = {""};
    masq_conf_begin(&c, conf);
    unit_assert_int(label, masq_hygiene_build(&hygiene, &c.settings, &c.build),
                    MFX_OK);
    unit_assert_int(label, c.t.problems.errors, 0);
    masq_header_read(&fields, &headers, c.t.arena, header);
    unit_assert_int(label,
                    masq_hygiene_apply(&hygiene, &fields, is_ours, &why, &err),
                    want_why == NULL ? MFX_NOTFOUND : MFX_OK);
    unit_assert_str(label, masq_header_text(&fields),
                    mfx_str_of(want == NULL ? header : want));
    unit_assert_str(label, why, mfx_str_of(want_why));
    mfx_headers_fini(&headers);
    masq_conf_end(&c);
}

#define HEADER                                                              \
    "Received: from a.internal (a [10.0.0.1]) by b.internal id 1;\n date\n" \
    "Received: from x.example by a.internal id 2; date\n"                   \
    "From: a@example.org\nx-mailer: Mua 1\n"                                \
    "X-Foo-A: 1\nX-Foo: 2\nUser-Agent:Mua\n (ten.internal)\nX-Foo-B: 3\n"

static void
rules(void **state)
{
    static const struct {
        const char *label, *conf;
        bool is_ours;
        const char *want, *why; /* NULL: unchanged */
    } cases[] = {
        {"none",                "",                                                        true,  NULL, NULL                                          },
        {"name",                "headers = ({ name = \"X-Mailer\"; });",                   true,
         "Received: from a.internal (a [10.0.0.1]) by b.internal id 1;\n date\n"
         "Received: from x.example by a.internal id 2; date\n"
         "From: a@example.org\n"
         "X-Foo-A: 1\nX-Foo: 2\nUser-Agent:Mua\n (ten.internal)\nX-Foo-B: 3\n",                         "removed x-mailer"                            },
        {"not_ours",            "headers = ({ name = \"X-Mailer\"; });",                   false, NULL,
         NULL                                                                                                                                         },
        {"foreign",             "headers = ({ name = \"x-foo\"; whose = \"foreign\"; });",
         false,                                                                                   "Received: from a.internal (a [10.0.0.1]) by b.internal id 1;\n date\n"
         "Received: from x.example by a.internal id 2; date\n"
         "From: a@example.org\nx-mailer: Mua 1\n"
         "X-Foo-A: 1\nUser-Agent:Mua\n (ten.internal)\nX-Foo-B: 3\n",                    "removed X-Foo"                               },
        {"foreign_and_ours",
         "headers = ({ name = \"x-foo\"; whose = \"foreign\"; });",                        true,  NULL,
         NULL                                                                                                                                         },
        {"prefix",              "headers = ({ name = \"x-foo-*\"; whose = \"all\"; });",
         true,                                                                                    "Received: from a.internal (a [10.0.0.1]) by b.internal id 1;\n date\n"
         "Received: from x.example by a.internal id 2; date\n"
         "From: a@example.org\nx-mailer: Mua 1\n"
         "X-Foo: 2\nUser-Agent:Mua\n (ten.internal)\n",                                   "removed X-Foo-A, removed X-Foo-B"            },
        {"replace",
         "headers = ({ name = \"User-Agent\"; action = \"replace\"; value = "
         "\"m\xC3\xA4il\"; });",                                                           true,
         "Received: from a.internal (a [10.0.0.1]) by b.internal id 1;\n date\n"
         "Received: from x.example by a.internal id 2; date\n"
         "From: a@example.org\nx-mailer: Mua 1\n"
         "X-Foo-A: 1\nX-Foo: 2\nUser-Agent: m\xC3\xA4il\nX-Foo-B: 3\n",                                 "replaced User-Agent"                         },
        {"replaced_by_itself",
         "headers = ({ name = \"X-Mailer\"; action = \"replace\"; value = "
         "\"Mua 1\"; });",                                                                 true,  NULL, NULL                                          },
        {"only_if_unfolded",
         "headers = ({ name = \"User-Agent\"; only_if = "
         "\"^mua \\\\(.*\\\\.Internal\\\\)$\"; });",                                       true,
         "Received: from a.internal (a [10.0.0.1]) by b.internal id 1;\n date\n"
         "Received: from x.example by a.internal id 2; date\n"
         "From: a@example.org\nx-mailer: Mua 1\n"
         "X-Foo-A: 1\nX-Foo: 2\nX-Foo-B: 3\n",                                                          "removed User-Agent"                          },
        {"only_if_not",
         "headers = ({ name = \"User-Agent\"; only_if = \"^x\"; });",                      true,
         NULL,                                                                                          NULL                                          },
        {"received",
         "headers = ({ name = \"Received\"; only_if = "
         "\"from [^ ]*\\\\.internal\\\\b\"; });",                                          true,
         "Received: from x.example by a.internal id 2; date\n"
         "From: a@example.org\nx-mailer: Mua 1\n"
         "X-Foo-A: 1\nX-Foo: 2\nUser-Agent:Mua\n (ten.internal)\nX-Foo-B: 3\n",                         "removed Received"                            },
        {"one_after_the_other",
         "headers = ({ name = \"X-Foo-A\"; action = \"replace\"; value = \"z\"; "
         "}, { name = \"X-Foo-*\"; only_if = \"^z$\"; });",                                true,
         "Received: from a.internal (a [10.0.0.1]) by b.internal id 1;\n date\n"
         "Received: from x.example by a.internal id 2; date\n"
         "From: a@example.org\nx-mailer: Mua 1\n"
         "X-Foo: 2\nUser-Agent:Mua\n (ten.internal)\nX-Foo-B: 3\n",                                     "replaced X-Foo-A, removed X-Foo-A"           },
        {"hide_client",         "hide_client = true;",                                     true,
         "Received: by b.internal id 1;\n date\n"
         "Received: from x.example by a.internal id 2; date\n"
         "From: a@example.org\nx-mailer: Mua 1\n"
         "X-Foo-A: 1\nX-Foo: 2\nUser-Agent:Mua\n (ten.internal)\nX-Foo-B: 3\n",                         "hid the client in Received"                  },
        {"hide_foreign_client", "hide_client = true;",                                     false, NULL, NULL                                          },
        {"hide_after_removal",
         "hide_client = true; headers = ({ name = \"Received\"; only_if = "
         "\"b.internal\"; });",                                                            true,
         "Received: by a.internal id 2; date\n"
         "From: a@example.org\nx-mailer: Mua 1\n"
         "X-Foo-A: 1\nX-Foo: 2\nUser-Agent:Mua\n (ten.internal)\nX-Foo-B: 3\n",                         "removed Received, hid the client in Received"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        apply(cases[i].label, cases[i].conf, cases[i].is_ours, HEADER,
              cases[i].want, cases[i].why);
}

static void
hidden_or_not(void **state)
{
    static const struct {
        const char *label, *header, *want;
    } cases[] = {
        {"no_received",      "From: a@example.org\n",                              NULL},
        {"nothing_to_hide",  "Received: by b.internal id 1; date\n",               NULL},
        {"not_understood",   "Received: from x with y; date\n",                    NULL},
        {"only_the_topmost",
         "Received: from x with y; date\nReceived: from z by a; date\n",           NULL},
        {"folded",
         "Received:\n from x\n (y [192.0.2.1])\n by b.internal\n id 1\n ; date\n",
         "Received: by b.internal\n id 1\n ; date\n"                                   },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        apply(cases[i].label, "hide_client = true;", true, cases[i].header,
              cases[i].want,
              cases[i].want == NULL ? NULL : "hid the client in Received");
}

/* No line of more than 998 octets: then rather no field. */
static void
no_room(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_buf conf, header;
    (void)state;
    assert_non_null(arena);
    mfx_buf_init_arena(&conf, arena, 10000);
    mfx_buf_init_arena(&header, arena, 10000);
    mfx_buf_add_text(&conf, "headers = ({ name = \"X-Foo-*\"; action = "
                            "\"replace\"; value = \"");
    for (size_t i = 0; i < 900; i++)
        mfx_buf_add_byte(&conf, 'v');
    mfx_buf_add_text(&conf, "\"; });");
    mfx_buf_add_text(&header, "X-Foo-");
    for (size_t i = 0; i < 100; i++)
        mfx_buf_add_byte(&header, 'n');
    struct mfx_str name = mfx_arena_copy(arena, mfx_buf_str(&header));
    mfx_buf_add_text(&header, ": 1\n");
    struct mfx_str why =
        mfx_arena_printf(arena, "removed %.*s", MFX_STR_ARG(name));
    apply("no_room", mfx_buf_text(&conf), true, mfx_buf_text(&header), "",
          why.p);
    mfx_arena_free(arena);
}

static void
bad_settings(void **state)
{
    static const struct {
        const char *label, *text, *want;
    } cases[] = {
        {"from",             "headers =\n({ name = \"from\"; });",
         "masq.conf:2: headers[0].name: From must stay as it is: without it "
         "mail breaks\n"                                                                                                                     },
        {"replaced_date",
         "headers = ({ name = \"Date\"; action = \"replace\"; value = \"x\"; "
         "});",                                                                         "Date must stay"                                     },
        {"mime",             "headers = ({ name = \"mime-version\"; });",
         "MIME-Version must stay"                                                                                                            },
        {"content_prefix",   "headers = ({ name = \"Content-*\"; });",
         "Content-Transfer-Encoding must stay"                                                                                               },
        {"prefix_of_from",   "headers = ({ name = \"Fr*\"; only_if = \"x\"; });",
         "From must stay"                                                                                                                    },
        {"all",              "headers = ({ name = \"*\"; });",                          "headers[0].name: is to be"                          },
        {"star_within",      "headers = ({ name = \"X-*-Y\"; });",
         "headers[0].name: is to be"                                                                                                         },
        {"two_stars",        "headers = ({ name = \"X-**\"; });",
         "headers[0].name: is to be"                                                                                                         },
        {"no_name",          "headers = ({ only_if = \"x\"; });",
         "headers[0].name: is to be"                                                                                                         },
        {"colon",            "headers = ({ name = \"X-Foo:\"; });",
         "headers[0].name: is to be"                                                                                                         },
        {"all_received",     "headers = ({ name = \"Received\"; });",
         "known by its Received fields"                                                                                                      },
        {"received_prefix",  "headers = ({ name = \"Rece*\"; });",
         "known by its Received fields"                                                                                                      },
        {"regex",
         "headers = ({ name = \"X\"; },\n{ name = \"Y\";\n only_if = \"a(b\"; "
         "});",                                                                         "masq.conf:3: headers[1].only_if: Unmatched ( or \\("},
        {"reference",        "headers = ({ name = \"X\"; only_if = \"(a*)\\\\1\"; });",
         "headers[0].only_if: \\1 and the like are not allowed"                                                                              },
        {"value_of_removal", "headers = ({ name = \"X\"; value = \"x\"; });",
         "headers[0].value: is for action"                                                                                                   },
        {"no_value",         "headers = ({ name = \"X\"; action = \"replace\"; });",
         "headers[0].value: the new text is missing"                                                                                         },
        {"blank_value",
         "headers = ({ name = \"X\"; action = \"replace\"; value = \" \"; });",         "headers[0].value: the new text is missing"          },
        {"two_lines",
         "headers = ({ name = \"X\"; action = \"replace\"; value = "
         "\"a\\nBcc: b\"; });",                                                         "headers[0].value: is to be one line"                },
        {"no_utf8",
         "headers = ({ name = \"X\"; action = \"replace\"; value = \"\\xFF\"; "
         "});",                                                                         "headers[0].value: is to be one line"                },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct masq_conf c;
        struct masq_hygiene hygiene;
        masq_conf_begin(&c, cases[i].text);
        unit_assert_int(cases[i].label,
                        masq_hygiene_build(&hygiene, &c.settings, &c.build),
                        MFX_PERMFAIL);
        struct mfx_str said = conf_files_problems(&c.t.files, &c.t.problems);
        if (strstr(said.p, cases[i].want) == NULL)
            fail_msg("%s: %.*s", cases[i].label, MFX_STR_ARG(said));
        masq_conf_end(&c);
    }
}

static void
no_memory(void **state)
{
    struct masq_conf c;
    struct masq_hygiene hygiene;
    struct mfx_headers headers;
    struct masq_fields fields;
    struct mfx_str why;
    size_t passed = 0;
    (void)state;
    masq_conf_begin(&c, "hide_client = true; headers = ({ name = \"X-*\"; "
                        "only_if = \"1\"; });");
    assert_int_equal(masq_hygiene_build(&hygiene, &c.settings, &c.build),
                     MFX_OK);
    masq_header_read(&fields, &headers, c.t.arena, HEADER);
    for (size_t budget = 1; budget < 30000; budget += 61) {
        struct mfx_arena *arena = mfx_arena_new(budget);
        assert_non_null(arena);
        masq_fields_init(&fields, &headers, arena);
        enum mfx_rc rc =
            masq_hygiene_apply(&hygiene, &fields, true, &why, NULL);
        passed += rc == MFX_OK;
        if (rc != MFX_OK)
            assert_int_equal(rc, MFX_TEMPFAIL);
        else
            unit_assert_str("why", why,
                            mfx_str_of("removed x-mailer, removed X-Foo-A, hid "
                                       "the client in Received"));
        mfx_arena_free(arena);
    }
    assert_true(passed > 0);
    mfx_headers_fini(&headers);
    masq_conf_end(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),     cmocka_unit_test(hidden_or_not),
        cmocka_unit_test(no_room),   cmocka_unit_test(bad_settings),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
