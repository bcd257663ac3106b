/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <mfx/mail/header.h>

struct field {
    const char *name, *value;
};

static void
split(void **state)
{
    static const struct {
        const char *label, *in;
        struct field fields[4];
        const char *body;
    } cases[] = {
        {"crlf",
         "A: b\r\nC:d\r\n\r\nx\r\n",                    {{"A", " b"}, {"C", "d"}},
         "x\r\n"                                                                                   },
        {"lf",             "A: b\nC:d\n\nx\n",          {{"A", " b"}, {"C", "d"}}, "x\n"           },
        {"folded",         "A: b\r\n\tc\r\n d\r\n\r\n", {{"A", " b\n\tc\n d"}},    ""              },
        {"empty_value",    "A:\r\nB: \r\n\r\n",         {{"A", ""}, {"B", " "}},   ""              },
        {"trailing_blank", "A: b \t\r\n\r\n",           {{"A", " b \t"}},          ""              },
        {"empty_first",    "A:\r\n b\r\n\r\n",          {{"A", "\n b"}},           ""              },
        {"mbox_line",      "From x@y now\nA: b\n\nz",   {{"A", " b"}},             "z"             },
        {"from_blank",     "From : x@y\n\nz",           {{"From", " x@y"}},        "z"             },
        {"blank_line_in",  "A: b\n  \n c\n\n",          {{"A", " b\n  \n c"}},     ""              },
        {"name_blanks",    "X \t: v\n\n",               {{"X", " v"}},             ""              },
        {"no_body",        "A: b\n",                    {{"A", " b"}},             ""              },
        {"no_headers",     "\r\nbody",                  {{NULL, NULL}},            "body"          },
        {"nothing",        "",                          {{NULL, NULL}},            ""              },
        {"no_end",         "A: b",                      {{"A", " b"}},             ""              },
        {"bare_cr",        "A: b\rC: d\n\n",            {{"A", " b\rC: d"}},       ""              },
        {"two_cr",         "A: b\r\r\n\n",              {{"A", " b\r"}},           ""              },
        {"value_colon",    "A: b:c\n\n",                {{"A", " b:c"}},           ""              },
        {"no_field_line",
         "A: b\nhello\nC: d\n\nx",                      {{"A", " b"}},
         "hello\nC: d\n\nx"                                                                        },
        {"name_space",     "A: b\nX Bad: v\n",          {{"A", " b"}},             "X Bad: v\n"    },
        {"no_name",        "A: b\n: v\n",               {{"A", " b"}},             ": v\n"         },
        {"eight_bit_name",
         "A: b\nB\xC3\xA9: v\n",                        {{"A", " b"}},
         "B\xC3\xA9: v\n"                                                                          },
        {"leading_blank",  " b\nA: c\n",                {{NULL, NULL}},            " b\nA: c\n"    },
        {"mbox_later",     "A: b\nFrom x@y now\n",      {{"A", " b"}},             "From x@y now\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_headers headers = {0};
        struct mfx_str body;
        unit_assert_int(
            cases[i].label,
            mfx_message_split(mfx_str_of(cases[i].in), arena, &headers, &body),
            MFX_OK);
        const struct mfx_header *h = headers.first;
        for (size_t f = 0; cases[i].fields[f].name != NULL; f++) {
            if (h == NULL)
                fail_msg("%s: field %zu is missing", cases[i].label, f);
            unit_assert_str(cases[i].label, h->name,
                            mfx_str_of(cases[i].fields[f].name));
            unit_assert_str(cases[i].label, h->value,
                            mfx_str_of(cases[i].fields[f].value));
            h = h->next;
        }
        unit_assert_int(cases[i].label, h == NULL, true);
        unit_assert_str(cases[i].label, body, mfx_str_of(cases[i].body));
        mfx_headers_fini(&headers);
        mfx_arena_free(arena);
    }
}

/* The same answers with few fields and with so many that names are mapped. */
static void
lookup(void **state)
{
    static const size_t sizes[] = {1, 10, 47, 48, 49, 50, 200, 5000};
    static const struct mfx_str value = MFX_STR("v");
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_headers headers = {0};
        for (size_t i = 0; i < sizes[s]; i++)
            assert_non_null(mfx_headers_add(
                &headers, arena, mfx_str_of(i % 3 == 0 ? "Three" : "other"),
                value));
        size_t want = (sizes[s] + 2) / 3;
        assert_int_equal(mfx_headers_count(&headers, mfx_str_of("tHREE")),
                         want);
        const struct mfx_header *h =
            mfx_headers_first(&headers, mfx_str_of("three"));
        size_t seen = 0;
        for (; h != NULL; h = h->same_next)
            assert_int_equal(h->instance, ++seen);
        assert_int_equal(seen, want);
        h = mfx_headers_last(&headers, mfx_str_of("THREE"));
        assert_int_equal(h->instance, want);
        for (; h != NULL; h = h->same_prev)
            seen--;
        assert_int_equal(seen, 0);
        assert_null(mfx_headers_first(&headers, mfx_str_of("Thre")));
        assert_null(mfx_headers_last(&headers, mfx_str_of("")));
        assert_int_equal(mfx_headers_count(&headers, mfx_str_of("x")), 0);
        mfx_headers_fini(&headers);
        mfx_arena_free(arena);
    }
}

static void
exhausted(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(20000);
    struct mfx_headers headers = {0};
    struct mfx_header *h = NULL;
    size_t count = 0;
    (void)state;
    do {
        h = mfx_headers_add(&headers, arena, mfx_str_of("Name"),
                            mfx_str_of(" a value that takes some room"));
        count += h != NULL;
    } while (h != NULL);
    assert_true(count > 48);
    assert_int_equal(headers.count >= count, true);
    mfx_headers_fini(&headers);
    mfx_arena_free(arena);
}

static void
names(void **state)
{
    static const struct {
        const char *label;
        struct mfx_str in;
        bool want;
    } cases[] = {
        {"plain",     MFX_STR("From"),      true },
        {"odd",       MFX_STR("!~-_#{}"),   true },
        {"empty",     MFX_STR(""),          false},
        {"colon",     MFX_STR("A:"),        false},
        {"space",     MFX_STR("A B"),       false},
        {"tab",       MFX_STR("A\t"),       false},
        {"lf",        MFX_STR("A\nB"),      false},
        {"nul",       MFX_STR("A\0B"),      false},
        {"del",       MFX_STR("A\x7F"),     false},
        {"eight_bit", MFX_STR("A\xC3\xA9"), false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_int(cases[i].label, mfx_header_name_is_valid(cases[i].in),
                        cases[i].want);
}

static void
safe(void **state)
{
    static const struct {
        const char *label;
        struct mfx_str in;
        bool want;
    } cases[] = {
        {"plain",           MFX_STR(" hello"),           true },
        {"empty",           MFX_STR(""),                 true },
        {"blank",           MFX_STR(" "),                true },
        {"folded",          MFX_STR(" a\n\tb\n c"),      true },
        {"empty_first",     MFX_STR("\n b"),             true },
        {"eight_bit",       MFX_STR(" \xC3\xA9\xFF"),    true },
        {"cr",              MFX_STR(" a\r\n b"),         false},
        {"bare_cr",         MFX_STR(" a\rb"),            false},
        {"nul",             MFX_STR(" a\0b"),            false},
        {"new_field",       MFX_STR(" a\nX: b"),         false},
        {"end_of_header",   MFX_STR(" a\n\nbody"),       false},
        {"final_lf",        MFX_STR(" a\n"),             false},
        {"blank_line",      MFX_STR(" a\n  \n b"),       false},
        {"blank_last_line", MFX_STR(" a\n\t"),           false},
        {"later_new_field", MFX_STR(" a\n b\n c\nX: y"), false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_int(cases[i].label, mfx_header_value_is_safe(cases[i].in),
                        cases[i].want);
}

/* RFC 5322 2.2.3: "Subject: This\r\n is a test". */
static void
unfold(void **state)
{
    static const struct {
        const char *label, *in, *want;
    } cases[] = {
        {"rfc5322_2_2_3", " This\r\n is a test", " This is a test"},
        {"lf",            " a\n\tb\n  c",        " a\tb  c"       },
        {"plain",         " a",                  " a"             },
        {"empty",         "",                    ""               },
        {"only_line_end", "\n",                  ""               },
    };
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_str(cases[i].label,
                        mfx_header_unfold(mfx_str_of(cases[i].in), arena),
                        mfx_str_of(cases[i].want));
    const char *plain = " borrows";
    assert_ptr_equal(mfx_header_unfold(mfx_str_of(plain), arena).p, plain);
    mfx_arena_free(arena);
}

/* RFC 5322 3.6. */
static void
faults(void **state)
{
    static const struct {
        const char *label, *in, *want;
    } cases[] = {
        {"least",       "From: a\nDate: b\n\n",                         NULL                 },
        {"all",
         "From: a\nDate: b\nSender: c\nReply-To: d\nTo: e\nCc: f\n"
         "Bcc: g\nMessage-ID: h\nIn-Reply-To: i\nReferences: j\n"
         "Subject: k\nReceived: l\nReceived: m\nComments: n\n"
         "Comments: o\n\n",                                             NULL                 },
        {"no_from",     "Date: b\n\n",                                  "no From field"      },
        {"no_date",     "From: a\n\n",                                  "no Date field"      },
        {"two_from",    "From: a\nfrom: a\nDate: b\n\n",                "several From fields"},
        {"two_date",    "From: a\nDate: b\nDATE: b\n\n",                "several Date fields"},
        {"two_subject", "From: a\nDate: b\nSubject: c\nSubject: c\n\n",
         "several Subject fields"                                                            },
        {"two_to",      "From: a\nDate: b\nTo: c\nTo: c\n\n",           "several To fields"  },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_headers headers = {.first = NULL};
        struct mfx_str body;
        assert_int_equal(
            mfx_message_split(mfx_str_of(cases[i].in), arena, &headers, &body),
            MFX_OK);
        unit_assert_str(cases[i].label, mfx_str_of(mfx_headers_fault(&headers)),
                        mfx_str_of(cases[i].want));
        mfx_headers_fini(&headers);
        mfx_arena_free(arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults), cmocka_unit_test(split),
        cmocka_unit_test(lookup), cmocka_unit_test(exhausted),
        cmocka_unit_test(names),  cmocka_unit_test(safe),
        cmocka_unit_test(unfold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
