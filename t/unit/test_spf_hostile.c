/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a check costs others: records and zones that are made to hurt, with the
 * questions counted, and a DNS that answers late, half or never.
 */
#include "unit.h"

#include <mfx/base/buf.h>

#include "spf_weather.h"

enum {
    TXT_MAX = 65000,
    TREES = 1500,
    NAMES = 24,
};

static struct weather w;
static struct mfx_buf zone;
static struct mfx_arena *arena;

static int
set_up(void **state)
{
    (void)state;
    mfx_buf_init(&zone, 16 * 1024 * 1024);
    arena = mfx_arena_new(0);
    return arena == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    mfx_arena_free(arena);
    mfx_buf_fini(&zone);
    return 0;
}

static struct mfx_spf_request
request_of(const char *sender)
{
    struct mfx_spf_request request = {.helo = mfx_str_of("mail.example.net"),
                                      .identity = MFX_SPF_MAIL_FROM,
                                      .sender = mfx_str_of(sender)};
    assert_int_equal(mfx_ip_parse(mfx_str_of("192.0.2.1"), &request.ip),
                     MFX_OK);
    return request;
}

/* A check of a@n0.example in the zone; the weather stays. */
static const struct mfx_spf_outcome *
run(enum weather_order order, bool lookahead)
{
    struct mfx_spf_config config = mfx_spf_config_default();
    struct mfx_spf_request request = request_of("a@n0.example");
    uint64_t seed = w.seed;
    config.lookahead = lookahead;
    weather_init(&w, mfx_buf_str(&zone));
    w.seed = seed;
    w.order = order;
    const struct mfx_spf_outcome *got =
        weather_run(&w, arena, &config, &request);
    assert_in_range(got->queries, 0, MFX_SPF_QUERIES_MAX);
    assert_in_range(w.asked, 0, MFX_SPF_QUERIES_MAX);
    return got;
}

static void
end(void)
{
    weather_fini(&w);
    mfx_arena_reset(arena);
}

/* --- one record --- */

/* "n0.example TXT "v=spf1" and as many words as fit, then the last. */
static void
fill(const char *word, const char *last)
{
    mfx_buf_clear(&zone);
    mfx_buf_add_text(&zone, "n0.example TXT \"v=spf1");
    while (zone.len < TXT_MAX)
        mfx_buf_printf(&zone, " %s", word);
    mfx_buf_printf(&zone, " %s\"\nh.example A 192.0.2.7\n", last);
    assert_true(mfx_buf_ok(&zone));
}

static void
large_records(void **state)
{
    static const struct {
        const char *label, *word, *last;
        enum mfx_spf_result result;
        unsigned most;
    } cases[] = {
        {"ip4_then_match",   "ip4:198.51.100.1",      "ip4:192.0.2.1", MFX_SPF_PASS,
         1                                                                                  },
        {"ip4_then_all",     "ip4:198.51.100.1",      "-all",          MFX_SPF_FAIL,      1 },
        {"wrong_at_the_end", "ip4:198.51.100.1",      "-alx",          MFX_SPF_PERMERROR, 1 },
        {"a",                "a:h.example",           "-all",          MFX_SPF_PERMERROR, 11},
        {"mx",               "mx",                    "-all",          MFX_SPF_PERMERROR, 11},
        {"ptr",              "ptr",                   "-all",          MFX_SPF_PERMERROR, 2 },
        {"exists",           "exists:%{i}.h.example", "-all",          MFX_SPF_PERMERROR, 11},
        {"include",          "include:h.example",     "-all",          MFX_SPF_PERMERROR, 11},
        {"redirects",        "redirect=h.example",    "-all",          MFX_SPF_PERMERROR, 1 },
        {"modifiers",        "x=%{d}",                "-all",          MFX_SPF_FAIL,      1 },
        {"blanks",           "  ",                    "-all",          MFX_SPF_FAIL,      1 },
        {"all",              "?all",                  "-all",          MFX_SPF_NEUTRAL,   1 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int k = 0; k < 2; k++) {
            fill(cases[i].word, cases[i].last);
            const struct mfx_spf_outcome *got = run(WEATHER_FIRST, k == 0);
            unit_assert_int(cases[i].label, got->result, cases[i].result);
            assert_in_range(w.asked, 1, cases[i].most);
            end();
        }
}

/* One term with 64 KB of macros; the name is cut, or cannot be asked. */
static void
endless_macros(void **state)
{
    static const char *const terms[] = {
        "exists:", "a:", "mx:", "ptr:", "-include:", "redirect=", "exp="};
    static const char *const macros[] = {"%{s}",  "%{S}.",  "%{ir}.", "%{dr-}.",
                                         "%{p}.", "%{h}%_", "%{l}"};
    (void)state;
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
        for (size_t k = 0; k < sizeof macros / sizeof macros[0]; k++) {
            mfx_buf_clear(&zone);
            mfx_buf_printf(&zone, "n0.example TXT \"v=spf1 %s", terms[i]);
            for (size_t n = 0; n < TXT_MAX / strlen(macros[k]); n++)
                mfx_buf_add_text(&zone, macros[k]);
            mfx_buf_add_text(&zone, "%{d}\"\n");
            const struct mfx_spf_outcome *got = run(WEATHER_FIRST, true);
            assert_true(got->result == MFX_SPF_NEUTRAL ||
                        got->result == MFX_SPF_PERMERROR);
            assert_in_range(w.asked, 1, 4);
            end();
        }
}

/* --- many records --- */

static void
many_txt(void **state)
{
    (void)state;
    for (int spf = 0; spf <= 2; spf++) {
        mfx_buf_clear(&zone);
        for (int i = 0; i < 100; i++)
            mfx_buf_printf(&zone, "n0.example TXT \"%s\"\n",
                           (spf == 1 && i == 57) || spf == 2
                               ? "v=spf1 -all"
                               : "v=spf1, or nearly so");
        unit_assert_int("100 records", run(WEATHER_FIRST, true)->result,
                        spf == 0   ? MFX_SPF_NONE
                        : spf == 1 ? MFX_SPF_FAIL
                                   : MFX_SPF_PERMERROR);
        end();
    }
}

static void
many_hosts(void **state)
{
    static const struct {
        const char *label;
        unsigned hosts;
        enum mfx_spf_result result;
        unsigned asked;
    } cases[] = {
        {"ten",          10,  MFX_SPF_FAIL,      12},
        {"eleven",       11,  MFX_SPF_PERMERROR, 2 },
        {"five_hundred", 500, MFX_SPF_PERMERROR, 2 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mfx_buf_clear(&zone);
        mfx_buf_add_text(&zone, "n0.example TXT v=spf1 mx -all\n");
        for (unsigned n = 0; n < cases[i].hosts; n++)
            mfx_buf_printf(&zone,
                           "n0.example MX %u h%u.example\n"
                           "h%u.example A 198.51.100.1\n",
                           n, n, n);
        unit_assert_int(cases[i].label, run(WEATHER_FIRST, true)->result,
                        cases[i].result);
        unit_assert_int(cases[i].label, w.asked, cases[i].asked);
        end();
    }
}

/* The first ten names are used, and no more are asked for. */
static void
many_ptr(void **state)
{
    static const char *const records[] = {"ptr:match.example",
                                          "exists:%{p}.yes.example"};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int place = 9; place <= 10; place++) {
            mfx_buf_clear(&zone);
            mfx_buf_printf(&zone, "n0.example TXT v=spf1 %s -all\n",
                           records[i]);
            for (int n = 0; n < 500; n++)
                mfx_buf_printf(&zone, "1.2.0.192.in-addr.arpa PTR %s%d.%s\n",
                               n == place ? "good" : "h", n,
                               n == place ? "match.example" : "example");
            mfx_buf_printf(&zone, "good%d.match.example A 192.0.2.1\n", place);
            mfx_buf_printf(
                &zone, "good%d.match.example.yes.example A 127.0.0.2\n", place);
            unit_assert_int(records[i], run(WEATHER_FIRST, true)->result,
                            place < 10 ? MFX_SPF_PASS : MFX_SPF_FAIL);
            assert_in_range(w.asked, 2, 1 + 11 + 1);
            end();
        }
}

static void
thousand_includes(void **state)
{
    (void)state;
    mfx_buf_clear(&zone);
    mfx_buf_add_text(&zone, "n0.example TXT \"v=spf1");
    for (int i = 1; i <= 1000; i++)
        mfx_buf_printf(&zone, " include:n%d.example", i);
    mfx_buf_add_text(&zone, " -all\"\n");
    for (int i = 1; i <= 1000; i++)
        mfx_buf_printf(&zone, "n%d.example TXT v=spf1 -all\n", i);
    for (int order = WEATHER_AT_ONCE; order <= WEATHER_RANDOM; order++) {
        const struct mfx_spf_outcome *got =
            run((enum weather_order)order, true);
        assert_int_equal(got->result, MFX_SPF_PERMERROR);
        assert_int_equal(got->lookups, 10);
        assert_int_equal(w.asked, 11);
        end();
    }
}

/* Each record includes twenty that include twenty, for ever. */
static void
include_tree(void **state)
{
    (void)state;
    mfx_buf_clear(&zone);
    for (int i = 0; i < 40; i++) {
        mfx_buf_printf(&zone, "n%d.example TXT \"v=spf1", i);
        for (int k = 1; k <= 20; k++)
            mfx_buf_printf(&zone, " include:n%d.example", (i * 7 + k) % 40);
        mfx_buf_printf(&zone, " redirect=n%d.example\"\n", (i + 1) % 40);
    }
    for (int order = WEATHER_AT_ONCE; order <= WEATHER_RANDOM; order++) {
        const struct mfx_spf_outcome *got =
            run((enum weather_order)order, true);
        assert_int_equal(got->result, MFX_SPF_PERMERROR);
        assert_int_equal(got->lookups, 10);
        end();
    }
}

/* --- the most questions --- */

struct seen {
    enum mfx_spf_result result;
    unsigned lookups, voids;
    char mechanism[100], explanation[100], problem[200];
};

static void
see(const struct mfx_spf_outcome *got, struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    seen->result = got->result;
    seen->lookups = got->lookups;
    seen->voids = got->voids;
    (void)snprintf(seen->mechanism, sizeof seen->mechanism, "%.*s",
                   MFX_STR_ARG(got->mechanism));
    (void)snprintf(seen->explanation, sizeof seen->explanation, "%.*s",
                   MFX_STR_ARG(got->explanation));
    (void)snprintf(seen->problem, sizeof seen->problem, "%.*s",
                   MFX_STR_ARG(got->problem));
}

static void
add_mx(const char *name, int hosts)
{
    for (int i = 0; i < hosts; i++)
        mfx_buf_printf(&zone,
                       "%s.example MX 1 h%d.%s.example\n"
                       "h%d.%s.example A 198.51.100.1\n",
                       name, i, name, i, name);
}

static void
add_client_names(void)
{
    for (int i = 0; i < 10; i++)
        mfx_buf_printf(&zone,
                       "1.2.0.192.in-addr.arpa PTR p%d.example\n"
                       "p%d.example A 198.51.100.1\n",
                       i, i);
}

static void
worst_case(void **state)
{
    char name[16];
    (void)state;
    mfx_buf_clear(&zone);
    mfx_buf_add_text(&zone, "n0.example TXT \"v=spf1");
    for (int i = 0; i < 10; i++)
        mfx_buf_printf(&zone, " mx:m%d.example", i);
    mfx_buf_add_text(&zone, " -all exp=%{p}.example\"\n");
    for (int i = 0; i < 10; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        add_mx(name, 10);
    }
    add_client_names();
    for (int order = WEATHER_AT_ONCE; order <= WEATHER_RANDOM; order++)
        for (int k = 0; k < 2; k++) {
            const struct mfx_spf_outcome *got =
                run((enum weather_order)order, k == 0);
            assert_int_equal(got->result, MFX_SPF_FAIL);
            assert_int_equal(w.asked, MFX_SPF_QUERIES_MAX);
            end();
        }
}

/* Includes before mx terms that are asked ahead and never come to their turn,
 * since what is included uses up the ten terms with the largest mx. */
static void
worst_waste(void **state)
{
    char name[16];
    size_t most = 0;
    struct seen plain, ahead;
    (void)state;
    for (int includes = 1; includes <= 9; includes++) {
        mfx_buf_clear(&zone);
        for (int n = 0; n < includes; n++) {
            mfx_buf_printf(&zone,
                           "n%d.example TXT \"v=spf1 include:n%d.example", n,
                           n + 1);
            for (int i = 0; i < 10; i++)
                mfx_buf_printf(&zone, " mx:w%d.example", (n + i) % 10);
            mfx_buf_add_text(&zone, " exp=%{p}.example\"\n");
        }
        mfx_buf_printf(&zone, "n%d.example TXT \"v=spf1 exists:%%{p}.example",
                       includes);
        for (int i = 0; i < 10; i++)
            mfx_buf_printf(&zone, " mx:m%d.example", i);
        mfx_buf_add_text(&zone, "\"\n");
        for (int i = 0; i < 10; i++) {
            (void)snprintf(name, sizeof name, "m%d", i);
            add_mx(name, 10);
            (void)snprintf(name, sizeof name, "w%d", i);
            add_mx(name, 10);
        }
        add_client_names();
        see(run(WEATHER_FIRST, false), &plain);
        end();
        for (int order = WEATHER_AT_ONCE; order <= WEATHER_RANDOM; order++) {
            see(run((enum weather_order)order, true), &ahead);
            most = w.asked > most ? w.asked : most;
            end();
            assert_memory_equal(&ahead, &plain, sizeof plain);
        }
    }
    assert_true(most > 100); /* else this test tests nothing */
}

/* --- any tree, any weather --- */

static uint64_t
pick(uint64_t below)
{
    return weather_random(&w, below);
}

static void
add_term(int mx_heavy)
{
    static const char *const forms[][2] = {
        {"include:n",       ".example"},
        {"a:h",             ".example"},
        {"mx:m",            ".example"},
        {"mx:m",            ".example"},
        {"mx:m",            ".example"},
        {"exists:h",        ".example"},
        {"?include:n",      ".example"},
        {"ptr:h",           ".example"},
        {"ip4:198.51.100.", ""        },
        {"exists:%{p}.h",   ".example"},
        {"a:%{l}.h",        ".example"},
        {"x=",              ""        },
    };
    size_t form = (size_t)pick(sizeof forms / sizeof forms[0]);
    if (mx_heavy > 0 && pick(3) > 0)
        form = 2;
    if (pick(12) == 0)
        mfx_buf_add_text(&zone, " ip4:192.0.2.1");
    else
        mfx_buf_printf(&zone, " %s%d%s", forms[form][0], (int)pick(NAMES),
                       forms[form][1]);
}

static void
add_record(int n, int mx_heavy)
{
    static const char *const ends[] = {"-all", "~all", "", "",
                                       "-all exp=%{p}.h1.example"};
    static const char *const odd[] = {"!servfail", "!timeout", "!nodata",
                                      "v=spf1 moo", "x"};
    if (n > 0 && pick(8) == 0) {
        mfx_buf_printf(&zone, "n%d.example TXT %s\n", n, odd[pick(5)]);
        return;
    }
    mfx_buf_printf(&zone, "n%d.example TXT \"v=spf1", n);
    for (uint64_t terms = pick(14); terms > 0; terms--)
        add_term(mx_heavy);
    size_t i = (size_t)pick(5);
    if (i == 3)
        mfx_buf_printf(&zone, " redirect=n%d.example\"\n", (int)pick(NAMES));
    else
        mfx_buf_printf(&zone, " %s\"\n", ends[i]);
}

static void
add_host(int n)
{
    static const char *const answers[] = {"A 198.51.100.1", "A 198.51.100.2",
                                          "A 192.0.2.1", "A !servfail",
                                          "AAAA 2001:db8::1"};
    uint64_t kind = pick(12);
    if (kind < 10)
        mfx_buf_printf(&zone, "h%d.example %s\n", n,
                       answers[kind < 6 ? 0 : kind - 5]);
    if (pick(10) == 0)
        mfx_buf_printf(&zone, "m%d.example MX !servfail\n", n);
    else
        for (uint64_t hosts = pick(14); hosts > 0; hosts--)
            mfx_buf_printf(&zone, "m%d.example MX 1 h%d.example\n", n,
                           (int)pick(NAMES));
}

static void
random_zone(int mx_heavy)
{
    mfx_buf_clear(&zone);
    for (int n = 0; n < NAMES; n++) {
        add_record(n, mx_heavy);
        add_host(n);
    }
    for (uint64_t names = pick(13); names > 0; names--)
        mfx_buf_printf(&zone, "1.2.0.192.in-addr.arpa PTR h%d.example\n",
                       (int)pick(NAMES));
    assert_true(mfx_buf_ok(&zone));
}

static void
any_tree(void **state)
{
    uint64_t seen_results = 0;
    (void)state;
    w.seed = 7208;
    for (int tree = 0; tree < TREES; tree++) {
        struct seen first, other;
        char label[40];
        random_zone(tree % 3);
        (void)snprintf(label, sizeof label, "tree %d", tree);
        see(run(WEATHER_FIRST, false), &first);
        end();
        seen_results |= 1u << first.result;
        for (int order = WEATHER_AT_ONCE; order <= WEATHER_RANDOM; order++) {
            see(run((enum weather_order)order, true), &other);
            end();
            if (memcmp(&first, &other, sizeof first) != 0)
                fail_msg("%s, order %d: %s %u %u %s %s, but %s %u %u %s %s",
                         label, order, mfx_spf_result_name(first.result),
                         first.lookups, first.voids, first.mechanism,
                         first.problem, mfx_spf_result_name(other.result),
                         other.lookups, other.voids, other.mechanism,
                         other.problem);
        }
    }
    assert_int_equal(seen_results, 0x7E); /* all but none */
}

/* --- time --- */

static const char late_zone[] = "n0.example TXT \"v=spf1 mx a:h.example -all "
                                "exp=why.example\"\n"
                                "n0.example MX 1 h1.example\n"
                                "n0.example MX 1 h2.example\n"
                                "h1.example A 198.51.100.1\n"
                                "h2.example A 198.51.100.1\n"
                                "h.example A 198.51.100.1\n"
                                "why.example TXT because\n";

/* The clock is at the limit when `answered` answers have come. */
static void
time_limit(void **state)
{
    static const struct {
        const char *label;
        int answered;
        enum mfx_spf_result result;
        const char *explanation;
    } cases[] = {
        {"record",      0, MFX_SPF_TEMPERROR, ""       },
        {"mx",          1, MFX_SPF_TEMPERROR, ""       },
        {"host",        3, MFX_SPF_TEMPERROR, ""       },
        {"explanation", 5, MFX_SPF_FAIL,      ""       },
        {"all",         6, MFX_SPF_FAIL,      "because"},
    };
    (void)state;
    for (int is_finish = 0; is_finish < 2; is_finish++)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct mfx_spf_config config = mfx_spf_config_default();
            struct mfx_spf_request request = request_of("a@n0.example");
            struct mfx_event *event;
            weather_init(&w, mfx_str_of(late_zone));
            w.order = WEATHER_FIRST;
            struct mfx_spf_check *check =
                mfx_spf_begin(arena, &w.env, &config, &request);
            assert_int_equal(mfx_spf_deadline_ms(check), w.now_ms + 8000);
            for (int k = 0; k < cases[i].answered; k++) {
                assert_non_null(mfx_spf_pending(check));
                assert_true(weather_answer(&w));
            }
            w.now_ms += 7999;
            event = mfx_spf_pending(check);
            unit_assert_int(cases[i].label, event == NULL,
                            cases[i].answered == 6);
            w.now_ms += 1;
            if (is_finish == 0)
                assert_null(mfx_spf_pending(check));
            const struct mfx_spf_outcome *got = mfx_spf_finish(check);
            unit_assert_int(cases[i].label, got->result, cases[i].result);
            unit_assert_str(cases[i].label, got->explanation,
                            mfx_str_of(cases[i].explanation));
            mfx_arena_reset(arena); /* before the answers come */
            weather_fini(&w);
        }
}

/* What has come by the time limit counts. */
static void
answer_at_the_limit(void **state)
{
    struct mfx_spf_config config = mfx_spf_config_default();
    struct mfx_spf_request request = request_of("a@n0.example");
    (void)state;
    weather_init(&w, mfx_str_of("n0.example TXT v=spf1 -all\n"));
    w.order = WEATHER_FIRST;
    struct mfx_spf_check *check =
        mfx_spf_begin(arena, &w.env, &config, &request);
    assert_true(weather_answer(&w));
    w.now_ms += 30000;
    assert_null(mfx_spf_pending(check));
    assert_int_equal(mfx_spf_finish(check)->result, MFX_SPF_FAIL);
    end();
}

/* --- memory --- */

/* A wrong result never comes of too little of it. */
static void
small_memory(void **state)
{
    struct mfx_spf_config config = mfx_spf_config_default();
    struct mfx_spf_request request = request_of("a@n0.example");
    unsigned failed = 0, passed = 0;
    (void)state;
    mfx_buf_clear(&zone);
    mfx_buf_add_text(&zone, "n0.example TXT \"v=spf1 mx exists:%{l}.e.example "
                            "include:n1.example -all\"\n"
                            "n1.example TXT \"v=spf1 a:%{d2r}.h.example "
                            "exists:%{ir}.yes.example ?all\"\n"
                            "1.2.0.192.yes.example A 127.0.0.2\n");
    add_mx("n0", 3);
    config.wants_trace = true;
    weather_init(&w, mfx_buf_str(&zone));
    for (size_t budget = 512; budget < 40000; budget += 64) {
        struct mfx_arena *small = mfx_arena_new(budget);
        struct mfx_spf_check *check =
            mfx_spf_begin(small, &w.env, &config, &request);
        if (check != NULL) {
            const struct mfx_spf_outcome *got = mfx_spf_finish(check);
            assert_true(got->result == MFX_SPF_TEMPERROR ||
                        got->result == MFX_SPF_PASS);
            assert_true(mfx_arena_ok(small) || got->step_count > 0 ||
                        got->result == MFX_SPF_TEMPERROR);
            passed += got->result == MFX_SPF_PASS ? 1 : 0;
            failed += got->result == MFX_SPF_TEMPERROR ? 1 : 0;
        }
        mfx_arena_free(small);
    }
    assert_true(passed > 0 && failed > 0);
    end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_records), cmocka_unit_test(endless_macros),
        cmocka_unit_test(many_txt),      cmocka_unit_test(many_hosts),
        cmocka_unit_test(many_ptr),      cmocka_unit_test(thousand_includes),
        cmocka_unit_test(include_tree),  cmocka_unit_test(worst_case),
        cmocka_unit_test(worst_waste),   cmocka_unit_test(any_tree),
        cmocka_unit_test(time_limit),    cmocka_unit_test(answer_at_the_limit),
        cmocka_unit_test(small_memory),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
