/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What mfxctl quota and the daemon's verbs share that needs no store: words of
 * a question, the best rows, answers for people.
 */
#include "unit.h"

#include <stdlib.h>

#include "../../milters/quota/operator.h"
#include "../../milters/quota/operator_best.h"
#include "../../milters/quota/operator_words.h"
#include "../../milters/quota/verbs/screen.h"

/* --- percent coding --- */

static void
coding(void **state)
{
    static const struct {
        const char *label;
        struct mfx_str text, word;
    } cases[] = {
        {"plain",    MFX_STR("alice@example.org"),  MFX_STR("alice@example.org") },
        {"network",  MFX_STR("2001:db8::/64"),      MFX_STR("2001:db8::/64")     },
        {"named",    MFX_STR("login=a,client=::1"), MFX_STR("login=a,client=::1")},
        {"blank",    MFX_STR("a b"),                MFX_STR("a%20b")             },
        {"percent",  MFX_STR("100%25"),             MFX_STR("100%2525")          },
        {"line_end", MFX_STR("a\r\nshow b"),        MFX_STR("a%0D%0Ashow%20b")   },
        {"nul_byte", MFX_STR("a\0b"),               MFX_STR("a%00b")             },
        {"utf8",     MFX_STR("j\303\274rg"),        MFX_STR("j%C3%BCrg")         },
        {"not_utf8", MFX_STR("\377"),               MFX_STR("%FF")               },
        {"quote",    MFX_STR("\"'\\;|&$(x)"),
         MFX_STR("%22%27%5C%3B%7C%26%24%28x%29")                                 },
        {"empty",    MFX_STR(""),                   MFX_STR("")                  },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf word;
        struct mfx_str text;
        mfx_buf_init(&word, 1000);
        quota_operator_words_encode(cases[i].text, &word);
        unit_assert_str(cases[i].label, mfx_buf_str(&word), cases[i].word);
        assert_true(quota_operator_words_decode(cases[i].word, arena, &text));
        unit_assert_str(cases[i].label, text, cases[i].text);
        mfx_buf_fini(&word);
    }
    mfx_arena_free(arena);
}

static void
malformed_coding(void **state)
{
    static const struct {
        const char *label;
        struct mfx_str word;
    } cases[] = {
        {"nothing_behind", MFX_STR("a%")  },
        {"one_digit",      MFX_STR("a%4") },
        {"no_digits",      MFX_STR("%zz") },
        {"half_a_digit",   MFX_STR("%4g") },
        {"twice",          MFX_STR("%%20")},
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str text;
        if (quota_operator_words_decode(cases[i].word, arena, &text))
            fail_msg("%s: decoded", cases[i].label);
    }
    mfx_arena_free(arena);
}

/* --- questions --- */

enum {
    OF_BLOCK = QUOTA_OPERATOR_KEY | QUOTA_OPERATOR_RULE | QUOTA_OPERATOR_BY |
               QUOTA_OPERATOR_FOR | QUOTA_OPERATOR_REASON,
    OF_SET = QUOTA_OPERATOR_KEY | QUOTA_OPERATOR_LIMITS | QUOTA_OPERATOR_FOR,
    OF_TOP = QUOTA_OPERATOR_COUNT | QUOTA_OPERATOR_AFTER,
};

static size_t
cut(const char *line, struct mfx_str words[16])
{
    struct mfx_str rest = mfx_str_of(line);
    size_t n = 0;
    while (line[0] != '\0' && n < 16 && mfx_str_cut(&rest, ' ', &words[n]))
        n++;
    return n;
}

static void
questions(void **state)
{
    static const struct {
        const char *label, *line;
        unsigned takes;
        const char *key, *limits, *rule, *reason, *by;
        uint64_t for_s, count;
    } cases[] = {
        {"key",                "alice",                                        OF_BLOCK, "alice",  "",             "",  "",                         "",    0,      20},
        {"options",            "a%20b rule=r for=2d reason=too%20much by=bob", OF_BLOCK,
         "a b",                                                                                    "",             "r", "too much",                 "bob", 172800, 20},
        {"key_like_an_option", "rule=r",                                       OF_BLOCK, "rule=r", "",             "",  "",                         "",    0,
         20                                                                                                                                                          },
        {"limits",             "a 30/1m%20500/1d for=90m",                     OF_SET,   "a",      "30/1m 500/1d", "",
         "",                                                                                                                                        "",    5400,   20},
        {"count",              "count=7",                                      OF_TOP,   "",       "",             "",  "",                         "",    0,      7 },
        {"nothing",            "",                                             OF_TOP,   "",       "",             "",  "",                         "",    0,      20},
        {"utf8_reason",        "a reason=zu%20viel%20f%C3%BCr%20heute",        OF_BLOCK, "a",
         "",                                                                                                       "",  "zu viel f\303\274r heute", "",    0,      20},
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str words[16];
        struct quota_operator_words got;
        struct mfx_err err = {""};
        const char *label = cases[i].label;
        size_t n = cut(cases[i].line, words);
        if (quota_operator_words_read(cases[i].takes, words, n, arena, &got,
                                      &err) != MFX_OK)
            fail_msg("%s: %s", label, err.msg);
        unit_assert_str(label, got.key, mfx_str_of(cases[i].key));
        unit_assert_str(label, got.limits, mfx_str_of(cases[i].limits));
        unit_assert_str(label, got.rule, mfx_str_of(cases[i].rule));
        unit_assert_str(label, got.reason, mfx_str_of(cases[i].reason));
        unit_assert_str(label, got.by, mfx_str_of(cases[i].by));
        unit_assert_int(label, got.for_s, cases[i].for_s);
        unit_assert_int(label, got.count, cases[i].count);
    }
    mfx_arena_free(arena);
}

static void
malformed_questions(void **state)
{
    static const struct {
        const char *label, *line;
        unsigned takes;
    } cases[] = {
        {"missing_key",         "",                         OF_BLOCK},
        {"empty_key",           " rule=r",                  OF_BLOCK},
        {"missing_limits",      "a",                        OF_SET  },
        {"second_key",          "a b",                      OF_BLOCK},
        {"option_of_another",   "a count=3",                OF_BLOCK},
        {"no_time",             "a for=soon",               OF_BLOCK},
        {"time_without_a_unit", "a for=7",                  OF_BLOCK},
        {"no_time_at_all",      "a for=0",                  OF_BLOCK},
        {"eleven_years",        "a for=4018d",              OF_BLOCK},
        {"line_end_in_reason",  "a reason=x%0D%0A250%20ok", OF_BLOCK},
        {"not_utf8_reason",     "a reason=%FF",             OF_BLOCK},
        {"count_of_none",       "count=0",                  OF_TOP  },
        {"count_too_large",     "count=1001",               OF_TOP  },
        {"half_a_byte",         "a%2",                      OF_BLOCK},
        {"half_a_byte_later",   "a rule=%2",                OF_BLOCK},
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_str words[16];
        struct quota_operator_words got;
        struct mfx_err err = {""};
        size_t n = cut(cases[i].line, words);
        unit_assert_int(cases[i].label,
                        quota_operator_words_read(cases[i].takes, words, n,
                                                  arena, &got, &err),
                        MFX_PERMFAIL);
        if (err.msg[0] == '\0')
            fail_msg("%s: does not say why", cases[i].label);
    }
    mfx_arena_free(arena);
}

/* --- the best rows --- */

static json_t *
row(const char *key)
{
    return json_pack("{s:s, s:s}", "rule", "r", "key", key);
}

static void
check_keys(struct quota_operator_best *best, const char *want)
{
    json_t *rows = quota_operator_best_take(best), *one;
    size_t i;
    char got[200] = "";
    json_array_foreach(rows, i, one)
    {
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s ",
                       json_string_value(json_object_get(one, "key")));
    }
    assert_string_equal(got, want);
    json_decref(rows);
}

static void
best_rows(void **state)
{
    struct quota_operator_best *best = quota_operator_best_new(3);
    (void)state;
    check_keys(best, "");
    assert_true(quota_operator_best_wants(best, 0.1, 1));
    quota_operator_best_add(best, 0.1, 1, row("a"));
    quota_operator_best_add(best, 0.5, 5, row("b"));
    quota_operator_best_add(best, 0.5, 50, row("c"));
    assert_false(quota_operator_best_wants(best, 0.05, 100));
    assert_false(quota_operator_best_wants(best, 0.1, 0));
    assert_true(quota_operator_best_wants(best, 0.1, 1)); /* by its name */
    quota_operator_best_add(best, 1.5, 3, row("d"));
    check_keys(best, "d c b ");
    /* the same share and use: by key, however they come */
    quota_operator_best_add(best, 0.5, 5, row("z"));
    quota_operator_best_add(best, 0.5, 5, row("y"));
    quota_operator_best_add(best, 0.5, 5, row("x"));
    quota_operator_best_add(best, 0.5, 5, row("w"));
    check_keys(best, "w x y ");
    /* one that comes again takes its own place */
    quota_operator_best_add(best, 0.5, 5, row("a"));
    quota_operator_best_add(best, 0.2, 5, row("b"));
    quota_operator_best_add(best, 0.1, 1, row("a"));
    check_keys(best, "b a ");
    quota_operator_best_free(best);
}

/* All of many, in the order that sorting them gives. */
static void
best_of_many(void **state)
{
    enum {
        ALL = 5000,
        BEST = 100,
    };
    struct quota_operator_best *best = quota_operator_best_new(BEST);
    uint64_t seed = 88172645463325252U;
    bool is_there[ALL] = {false};
    (void)state;
    for (int i = 0; i < ALL; i++) {
        char key[16];
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        uint64_t n = seed % ALL;
        while (is_there[n])
            n = (n + 1) % ALL;
        is_there[n] = true; /* each number once */
        (void)snprintf(key, sizeof key, "%llu", (unsigned long long)n);
        if (quota_operator_best_wants(best, (double)n, n))
            quota_operator_best_add(best, (double)n, n, row(key));
    }
    json_t *rows = quota_operator_best_take(best);
    unit_assert_int("how many", json_array_size(rows), BEST);
    for (int i = 0; i < BEST; i++) {
        const char *key = json_string_value(
            json_object_get(json_array_get(rows, (size_t)i), "key"));
        unit_assert_int("order", strtol(key, NULL, 10), ALL - 1 - i);
    }
    json_decref(rows);
    quota_operator_best_free(best);
}

/* --- for people --- */

static void
texts(void **state)
{
    static const struct {
        const char *label, *verb, *json, *want;
    } cases[] = {
        {"full_window",              "show",
         "{'rules':[{'rule':'daily','count':'recipients','key':'login=a',"
         "'mode':'enforce','limits':'500/1d','limits_from':'limits',"
         "'blocked':false,'windows':[{'window':'1d','used':500,'reserved':0,"
         "'limit':500,'full':true,'percent':100,'free_at':"
         "'2026-11-21T08:00:00Z','free_in_s':7260}]}]}",                       "daily: recipients of login=a\n"
         "    1d         500 of 500 used (100 %); free again in 2h 1m, at "
         "2026-11-21T08:00:00Z\n"
         "    limits 500/1d\n"                                                           },
        {"reserved_bytes",           "show",
         "{'rules':[{'rule':'size','count':'bytes','key':'login=a',"
         "'mode':'dry-run','limits':'1G/1d','limits_from':'limits_table',"
         "'blocked':false,'exempt':'login','windows':[{'window':'1d',"
         "'used':1572864,'reserved':1023,'limit':1073741824,'full':false,"
         "'percent':0}]}]}",                                                   "size: bytes of login=a\n"
         "    1d         1.50M of 1.00G used (0 %), 1023 reserved\n"
         "    limits 1G/1d, from limits_table\n"
         "    exempt: this login is not counted\n"
         "    dry-run: counts, and refuses nothing\n"                                                                },
        {"blocked_until",            "block",
         "{'rules':[{'rule':'daily','count':'messages','key':'login=a',"
         "'mode':'enforce','limits':'blocked','limits_from':'override',"
         "'blocked':true,'reason':'spam','override':{'text':'blocked spam',"
         "'until':'2026-11-23T08:00:00Z'},'before':'9/1d','changed':true,"
         "'windows':[{'window':'1d','used':3,'reserved':0,'limit':null}]}]}",  "daily: messages of login=a\n"
         "    1d         3 used, no limit\n"
         "    BLOCKED by mfxctl quota (spam) until 2026-11-23T08:00:00Z\n"
         "    before: 9/1d\n"                                       },
        {"set_for_ever",             "set",
         "{'rules':[{'rule':'daily','count':'messages','key':'login=a',"
         "'mode':'enforce','limits':'unlimited','limits_from':'override',"
         "'blocked':false,'override':{'text':'unlimited'},'windows':[]}]}",    "daily: messages of login=a\n"
         "    limits unlimited, set by mfxctl quota, without an end\n"},
        {"override_of_another_kind", "show",
         "{'rules':[{'rule':'open','count':'open_connections','key':"
         "'client=::1','mode':'enforce','limits':'3','limits_from':'limits',"
         "'blocked':false,'override':{'text':'9/1d','ignored':true},"
         "'windows':[{'window':'now','used':0,'reserved':3,'limit':3,"
         "'full':true,'percent':100}]}]}",                                     "open: open_connections of client=::1\n"
         "    now        3 of 3 used (100 %); full\n"
         "    limits 3\n"
         "    \"9/1d\", set by mfxctl quota, makes no sense for this rule and "
         "is ignored\n"                                                                                },
        {"store_away",               "show",
         "{'store_failed':'no answer','warnings':['one address'],'rules':[]}", "warning: one address\n"
         "The store does not answer (no answer): this is what this machine "
         "counts by itself.\n"                                     },
        {"nobody",                   "top",   "{'keys':[],'scanned':0}",       "nothing is counted\n"                                            },
        {"top_goes_on",              "top",
         "{'keys':[{'rule':'daily','key':'login=a','count':'recipients',"
         "'window':'1d','used':400,'reserved':10,'limit':500,'share':0.82,"
         "'blocked':false}],'scanned':1000,'after':'x%20y'}",                  " SHARE  USED/LIMIT        WINDOW   RULE             KEY\n"
         "   82%  410/500           1d       daily            login=a\n"
         "1000 counters seen; go on with: top after=x%20y\n"                        },
        {"no_rules",                 "rules", "{'rules':[]}",                  "there are no rules\n"                                            },
        {"store_down",               "store",
         "{'store':{'type':'redis','where':'10.0.0.1:6379','up':false,"
         "'since':'2026-11-21T08:00:00Z','error':'refused','calls':7,"
         "'failures':2},'store_error':'local','merge':{'merged':1,'waiting':2,"
         "'dropped':0}}",                                                      "redis 10.0.0.1:6379: DOWN since 2026-11-21T08:00:00Z\n"
         "    last error: refused\n"
         "    7 calls, 2 failures, 0 outstanding, 0 reconnects, 0 failovers\n"
         "messages added later: 1; 2 wait, 0 were dropped\n"                                                            },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf out;
        char json[2000];
        size_t n = 0;
        for (const char *p = cases[i].json; *p != '\0'; p++)
            json[n++] = *p == '\'' ? '"' : *p;
        json_t *answer = json_loadb(json, n, 0, NULL);
        if (answer == NULL)
            fail_msg("%s: the test's JSON is none", cases[i].label);
        mfx_buf_init(&out, 10000);
        quota_operator_text(mfx_str_of(cases[i].verb), answer, &out);
        unit_assert_str(cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(cases[i].want));
        mfx_buf_fini(&out);
        json_decref(answer);
    }
}

static void
fitting(void **state)
{
    static const struct {
        const char *label, *text;
        unsigned width, height;
        const char *want;
    } cases[] = {
        {"fits",        "ab\ncd\n",                   10, 10, "ab\ncd"          },
        {"too_wide",    "abcdef\ngh\n",               3,  10, "abc\ngh"         },
        {"too_high",    "a\nb\nc\n",                  10, 2,  "a\nb"            },
        {"exact",       "abc\n",                      3,  1,  "abc"             },
        {"utf8_whole",  "\303\274\303\274\303\274\n", 2,  1,  "\303\274\303\274"},
        {"empty_lines", "\n\nx\n",                    3,  3,  "\n\nx"           },
        {"nothing",     "",                           3,  3,  ""                },
        {"no_room",     "a\n",                        0,  0,  ""                },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mfx_buf out;
        mfx_buf_init(&out, 1000);
        screen_fit(mfx_str_of(cases[i].text), cases[i].width, cases[i].height,
                   &out);
        unit_assert_str(cases[i].label, mfx_buf_str(&out),
                        mfx_str_of(cases[i].want));
        mfx_buf_fini(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coding),    cmocka_unit_test(malformed_coding),
        cmocka_unit_test(questions), cmocka_unit_test(malformed_questions),
        cmocka_unit_test(best_rows), cmocka_unit_test(best_of_many),
        cmocka_unit_test(texts),     cmocka_unit_test(fitting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
