/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JSON of engines: what is read, and what is refused. */
#include "unit.h"

#include <math.h>

#include <mfx/base/buf.h>
#include <mfx/scan/scan_json.h>

/* Written back without blanks and escapes. */
static void
put(struct mfx_buf *out, const struct mfx_scan_json *json)
{
    static const char *const words[] = {"null", "false", "true"};
    const char *comma = "";
    switch (json->kind) {
    case MFX_SCAN_JSON_NULL:
    case MFX_SCAN_JSON_FALSE:
    case MFX_SCAN_JSON_TRUE:
        mfx_buf_add_text(out, words[json->kind]);
        return;
    case MFX_SCAN_JSON_NUMBER:
        mfx_buf_printf(out, "%.17g", json->number);
        return;
    case MFX_SCAN_JSON_TEXT:
        mfx_buf_printf(out, "<%.*s>", MFX_STR_ARG(json->text));
        return;
    case MFX_SCAN_JSON_ARRAY:
    case MFX_SCAN_JSON_OBJECT:
        break;
    }
    mfx_buf_printf(out, "%zu(", json->count);
    for (const struct mfx_scan_json *v = json->first; v != NULL; v = v->next) {
        mfx_buf_add_text(out, comma);
        if (json->kind == MFX_SCAN_JSON_OBJECT)
            mfx_buf_printf(out, "%.*s=", MFX_STR_ARG(v->name));
        put(out, v);
        comma = ",";
    }
    mfx_buf_add_byte(out, ')');
}

static void
good(void **state)
{
    static const struct {
        const char *label, *in, *want;
    } cases[] = {
        {"words",                         "[null,true,false]",                       "3(null,true,false)"     },
        {"blanks",                        " \t\r\n[ 1 , 2 ] \n",                     "2(1,2)"                 },
        {"nothing in it",                 "[[],{},\"\"]",                            "3(0(),0(),<>)"          },
        {"an object in order",            "{\"b\":1,\"a\":{\"c\":[2]}}",
         "2(b=1,a=1(c=1(2)))"                                                                                 },
        {"a number alone",                "-0",                                      "-0"                     },
        {"whole numbers",                 "[0,-1,9007199254740993]",
         "3(0,-1,9007199254740992)"                                                                           },
        {"fractions",                     "[0.5,-7.25,0.001,15.0]",                  "4(0.5,-7.25,0.001,15)"  },
        {"exponents",                     "[1e3,1E-3,25e+1,0.0e5]",                  "4(1000,0.001,250,0)"    },
        {"many digits",                   "0.30000000000000004440892098500626",
         "0.30000000000000004"                                                                                },
        {"tiny",                          "[1e-400,1e-9999999]",                     "2(0,0)"                 },
        {"large",                         "1.7976931348623157e308",                  "1.7976931348623157e+308"},
        {"zeros before it",               "0.0000000000000000000000000125e2",        "1.25e-24"               },
        {"escapes",                       "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",          "<\"\\/\b\f\n\r\t>"      },
        {"code points",                   "\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"",
         "<A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80>"                                                            },
        {"UTF-8 as it is",                "\"\xe2\x82\xac\"",                        "<\xe2\x82\xac>"         },
        {"escaped names",                 "{\"\\u0061\":1,\"b\\\"\":2}",             "2(a=1,b\"=2)"           },
        {"an escape, and more behind it", "[\"a\\nb\",\"c\"]",                       "2(<a\nb>,<c>)"          },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_err err = {{0}};
        struct mfx_buf out;
        mfx_buf_init(&out, 4096);
        const struct mfx_scan_json *json =
            mfx_scan_json_read(arena, mfx_str_of(cases[i].in), &err);
        if (json == NULL)
            fail_msg("%s: %s", cases[i].label, err.msg);
        put(&out, json);
        if (!mfx_str_is(mfx_buf_str(&out), cases[i].want))
            fail_msg("%s: %s", cases[i].label, mfx_buf_text(&out));
        mfx_buf_fini(&out);
        mfx_arena_free(arena);
    }
}

static void
malformed(void **state)
{
    static const struct {
        const char *label, *in, *why;
    } cases[] = {
        {"nothing",              "",                        "no digit"           },
        {"blanks alone",         " \n",                     "no digit"           },
        {"a word",               "nul",                     "no value"           },
        {"capitals",             "True",                    "no digit"           },
        {"more behind it",       "1 2",                     "more than one value"},
        {"a comma too many",     "[1,]",                    "no digit"           },
        {"no comma",             "[1 2]",                   "no end"             },
        {"not ended",            "[1",                      "no end"             },
        {"ended otherwise",      "[1}",                     "no end"             },
        {"no colon",             "{\"a\" 1}",               "no colon"           },
        {"no name",              "{1:1}",                   "no quote"           },
        {"a name twice",         "{\"a\":1,\"\\u0061\":2}", "comes twice"        },
        {"a name with a NUL",    "{\"\\u0000\":1}",         "NUL"                },
        {"a text without end",   "\"abc",                   "without end"        },
        {"that ends in a \\",    "\"abc\\",                 "unknown escape"     },
        {"an unknown escape",    "\"\\x41\"",               "unknown escape"     },
        {"few digits",           "\"\\u12\"",               "hexadecimal"        },
        {"half a character",     "\"\\ud800\"",             "half"               },
        {"the other half",       "\"\\udc00\"",             "half"               },
        {"two first halves",     "\"\\ud800\\ud800\"",      "half"               },
        {"a line end in a text", "\"a\nb\"",                "control"            },
        {"a leading 0",          "01",                      "leading 0"          },
        {"a plus",               "+1",                      "no digit"           },
        {"no digit after a dot", "1.",                      "no digit"           },
        {"none before it",       ".5",                      "no digit"           },
        {"none in an exponent",  "1e+",                     "no digit"           },
        {"NaN",                  "NaN",                     "no digit"           },
        {"too large",            "1e309",                   "too large"          },
        {"much too large",       "-1e99999999999",          "too large"          },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_err err = {{0}};
        if (mfx_scan_json_read(arena, mfx_str_of(cases[i].in), &err) != NULL)
            fail_msg("%s: it is read", cases[i].label);
        if (strstr(err.msg, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].label, err.msg);
        mfx_arena_free(arena);
    }
}

/* Brackets, one in another. */
static const struct mfx_scan_json *
read_nested(struct mfx_arena *arena, size_t depth)
{
    struct mfx_buf text;
    struct mfx_err err;
    mfx_buf_init(&text, SIZE_MAX / 2);
    for (size_t i = 0; i < depth; i++)
        mfx_buf_add_byte(&text, '[');
    for (size_t i = 0; i < depth; i++)
        mfx_buf_add_byte(&text, ']');
    const struct mfx_scan_json *json =
        mfx_scan_json_read(arena, mfx_buf_str(&text), &err);
    mfx_buf_fini(&text);
    return json;
}

static void
depth(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    assert_non_null(read_nested(arena, MFX_SCAN_JSON_DEPTH));
    assert_null(read_nested(arena, MFX_SCAN_JSON_DEPTH + 1));
    assert_null(read_nested(arena, 100000));
    mfx_arena_free(arena);
}

/* The last of them again, or a new one. */
static bool
reads_names(size_t count, bool again)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_buf text;
    struct mfx_err err;
    mfx_buf_init(&text, SIZE_MAX / 2);
    mfx_buf_add_byte(&text, '{');
    for (size_t i = 0; i < count; i++)
        mfx_buf_printf(&text, "\"n%zu\":1,", i);
    mfx_buf_printf(&text, "\"n%zu\":1}", again ? count - 1 : count);
    const struct mfx_scan_json *json =
        mfx_scan_json_read(arena, mfx_buf_str(&text), &err);
    bool is_read = json != NULL && json->count == count + 1;
    mfx_buf_fini(&text);
    mfx_arena_free(arena);
    return is_read;
}

static void
names(void **state)
{
    static const size_t counts[] = {1, 15, 16, 17, 1000};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        assert_true(reads_names(counts[i], false));
        assert_false(reads_names(counts[i], true));
    }
}

static void
lookups(void **state)
{
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_err err;
    const struct mfx_scan_json *json = mfx_scan_json_read(
        arena, mfx_str_of("{\"a\":[1,2],\"b\":\"x\"}"), &err);
    (void)state;
    const struct mfx_scan_json *a = mfx_scan_json_get(json, "a");
    assert_true(mfx_scan_json_is_array(a));
    assert_null(mfx_scan_json_get(json, "c"));
    assert_null(mfx_scan_json_get(a, "a"));
    assert_null(mfx_scan_json_get(NULL, "a"));
    assert_int_equal(mfx_scan_json_count(a), 2);
    assert_int_equal(mfx_scan_json_count(mfx_scan_json_get(json, "b")), 1);
    assert_int_equal(mfx_scan_json_count(NULL), 0);
    const struct mfx_scan_json *v = mfx_scan_json_items(a);
    assert_true(v->number == 1);
    v = mfx_scan_json_after(a, v);
    assert_true(v->number == 2);
    assert_null(mfx_scan_json_after(a, v));
    v = mfx_scan_json_get(json, "b");
    assert_ptr_equal(mfx_scan_json_items(v), v);
    assert_null(mfx_scan_json_after(v, v));
    mfx_arena_free(arena);
}

static void
little_memory(void **state)
{
    static const char text[] = "{\"a\":[\"b\\n\",{\"c\":1}]}";
    (void)state;
    struct mfx_arena *arena = mfx_arena_new(1);
    struct mfx_err err = {{0}};
    assert_null(mfx_scan_json_read(arena, mfx_str_of(text), &err));
    assert_string_equal(err.msg, "out of memory");
    mfx_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),    cmocka_unit_test(malformed),
        cmocka_unit_test(depth),   cmocka_unit_test(names),
        cmocka_unit_test(lookups), cmocka_unit_test(little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
