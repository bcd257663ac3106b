/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdatomic.h>

#include <mfx/store/store_local.h>

#include "../../milters/score/greylist.h"
#include "conf_files.h"
#include "unit.h"

enum {
    NEW_YEAR = 1577836800, /* 2020-01-01 00:00:00 UTC */
    MINUTE = 60,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR,
};

/* Of the store and of those who ask: seconds from the new year. */
struct clock {
    struct mfx_env env;
    atomic_llong wall_s, mono_s;
};

static uint64_t
wall_s(const struct mfx_env *env)
{
    struct clock *clock = env->arg;
    return (uint64_t)(NEW_YEAR + atomic_load(&clock->wall_s));
}

static uint64_t
mono_ms(const struct mfx_env *env)
{
    struct clock *clock = env->arg;
    return 1000 + (uint64_t)atomic_load(&clock->mono_s) * 1000;
}

struct site {
    struct clock clock;
    struct mfx_store *store;
    struct score_greylist_settings settings;
    struct mfx_host_list *skip;
    struct mfx_arena *arena;
};

static void
site_begin(struct site *s)
{
    static const struct mfx_store_local_settings memory = {.memory_bytes =
                                                               1024 * 1024};
    *s = (struct site){.arena = mfx_arena_new(0)};
    s->clock.env = mfx_env_system();
    s->clock.env.wall_s = wall_s;
    s->clock.env.mono_ms = mono_ms;
    s->clock.env.arg = &s->clock;
    s->store = mfx_store_local_open(&memory, &s->clock.env);
    assert_non_null(s->store);
    s->settings = (struct score_greylist_settings){
        .delay_s = 5 * MINUTE,
        .retry_window_s = 2 * DAY,
        .remember_s = 36 * DAY,
        .ipv4_prefix = 24,
        .ipv6_prefix = 64,
    };
}

static void
site_end(struct site *s)
{
    if (s->store != NULL)
        mfx_store_close(s->store, 1000);
    mfx_host_list_free(s->skip);
    mfx_arena_free(s->arena);
}

static void
set_time(struct site *s, long long wall, long long mono)
{
    atomic_store(&s->clock.wall_s, wall);
    atomic_store(&s->clock.mono_s, mono);
}

static void
ask(struct site *s, const char *client, const char *sender, const char *to,
    struct score_greylist_answer *answer)
{
    struct mfx_str recipients[200], rest = mfx_str_of(to);
    struct score_greylist_ask a = {
        .settings = &s->settings,
        .skip = s->skip,
        .store = s->store,
        .sender = mfx_str_of(sender),
        .recipients = recipients,
        .now_s = wall_s(&s->clock.env),
    };
    struct mfx_event *event;
    if (client[0] != '\0')
        assert_int_equal(mfx_ip_parse(mfx_str_of(client), &a.client), MFX_OK);
    while (mfx_str_word(&rest, " ", &recipients[a.recipient_count]))
        a.recipient_count++;
    struct score_greylist *g = score_greylist_begin(&a, s->arena);
    while ((event = score_greylist_pending(g)) != NULL)
        assert_true(mfx_event_wait(event, mfx_mono_ms() + 20000));
    score_greylist_finish(g, answer);
}

/* --- scenarios, each with a store of its own --- */

#define WAIT SCORE_GREYLIST_WAIT
#define PASS SCORE_GREYLIST_PASS
#define IP   "192.0.2.1"

static const struct {
    const char *scenario;
    long long at_s;
    const char *client, *sender, *recipients;
    enum score_greylist_result want;
    uint64_t wait_s;
    bool is_first, is_known;
} steps[] = {
    {"comes_back",                0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"comes_back",                1,               IP,               "a@x.example",                 "u@us.example",              WAIT, 299, false,
     false                                                                                                                                              },
    {"comes_back",                299,             IP,               "a@x.example",                 "u@us.example",              WAIT, 1,   false,
     false                                                                                                                                              },
    {"comes_back",                300,             IP,               "a@x.example",                 "u@us.example",              PASS, 0,   false,
     false                                                                                                                                              },
    {"comes_back",                301,             IP,               "a@x.example",                 "u@us.example",              PASS, 0,   false,
     true                                                                                                                                               },

    {"too_late",                  0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300, true,  false},
    {"too_late",                  2 * DAY,         IP,               "a@x.example",                 "u@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"just_in_time",              0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"just_in_time",              2 * DAY - 1,     IP,               "a@x.example",                 "u@us.example",              PASS, 0,
     false,                                                                                                                                        false},

    {"known_while_used",          0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"known_while_used",          HOUR,            IP,               "a@x.example",                 "u@us.example",              PASS, 0,
     false,                                                                                                                                        false},
    {"known_while_used",          30 * DAY,        IP,               "a@x.example",                 "u@us.example",              PASS, 0,
     false,                                                                                                                                        true },
    {"known_while_used",          60 * DAY,        IP,               "a@x.example",                 "u@us.example",              PASS, 0,
     false,                                                                                                                                        true },
    {"known_while_used",          96 * DAY - 1,    IP,               "a@x.example",                 "u@us.example",              PASS,
     0,                                                                                                                                     false, true },
    {"known_until_unused",        0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300,
     true,                                                                                                                                         false},
    {"known_until_unused",        HOUR,            IP,               "a@x.example",                 "u@us.example",              PASS, 0,
     false,                                                                                                                                        false},
    {"known_until_unused",        36 * DAY + HOUR, IP,               "a@x.example",                 "u@us.example",
     WAIT,                                                                                                                             300, true,  false},
    {"use_within_a_day_is_a_use", 0,               IP,               "a@x.example",                 "u@us.example",              WAIT,
     300,                                                                                                                                   true,  false},
    {"use_within_a_day_is_a_use", HOUR,            IP,               "a@x.example",                 "u@us.example",              PASS,
     0,                                                                                                                                     false, false},
    {"use_within_a_day_is_a_use", 2 * DAY,         IP,               "a@x.example",                 "u@us.example",
     PASS,                                                                                                                             0,   false, true },
    {"use_within_a_day_is_a_use", 38 * DAY - 1,    IP,               "a@x.example",
     "u@us.example",                                                                                                             PASS, 0,   false, true },

    {"other_sender",              0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"other_sender",              600,             IP,               "b@x.example",                 "u@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"other_recipient",           0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"other_recipient",           600,             IP,               "a@x.example",                 "v@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"other_network",             0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"other_network",             600,             "192.0.3.1",      "a@x.example",                 "u@us.example",              WAIT,
     300,                                                                                                                                   true,  false},
    {"parts_do_not_flow",         0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"parts_do_not_flow",         600,             IP,               "a@x.exampleu@us",             ".example",                  WAIT, 300,
     true,                                                                                                                                         false},
    {"same_network",              0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"same_network",              600,             "192.0.2.200",    "A@X.example",                 "U@us.Example",              PASS, 0,
     false,                                                                                                                                        false},
    {"ipv6",                      0,               "2001:db8::1",    "a@x.example",                 "u@us.example",              WAIT, 300, true,
     false                                                                                                                                              },
    {"ipv6",                      600,             "2001:db8::9:1",  "a@x.example",                 "u@us.example",              PASS, 0,
     false,                                                                                                                                        false},
    {"ipv6",                      600,             "2001:db8:0:1::", "a@x.example",                 "u@us.example",              WAIT, 300,
     true,                                                                                                                                         false},
    {"null_sender",               0,               IP,               "",                            "u@us.example",              WAIT, 300, true,  false},
    {"null_sender",               600,             IP,               "",                            "u@us.example",              PASS, 0,   false, false},
    {"sender_of_one_message",     0,               IP,               "prvs=0123456789=a@x.example",
     "u@us.example",                                                                                                             WAIT, 300, true,  false},
    {"sender_of_one_message",     600,             IP,               "prvs=0234567abc=a@x.example",
     "u@us.example",                                                                                                             PASS, 0,   false, false},

    {"several",                   0,               IP,               "a@x.example",                 "u@us.example v@us.example", WAIT, 300,
     true,                                                                                                                                         false},
    {"several",                   300,             IP,               "a@x.example",                 "v@us.example u@us.example", PASS, 0,
     false,                                                                                                                                        false},
    {"several",                   301,             IP,               "a@x.example",                 "u@us.example",              PASS, 0,   false, true },
    {"one_of_several_is_new",     0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300,
     true,                                                                                                                                         false},
    {"one_of_several_is_new",     600,             IP,               "a@x.example",
     "u@us.example v@us.example",                                                                                                WAIT, 300, true,  false},
    {"one_of_several_is_new",     700,             IP,               "a@x.example",
     "u@us.example v@us.example",                                                                                                WAIT, 200, false, false},
    {"one_of_several_is_new",     900,             IP,               "a@x.example",
     "u@us.example v@us.example",                                                                                                PASS, 0,   false, false},
    {"one_of_several_is_known",   0,               IP,               "a@x.example",                 "u@us.example",              WAIT, 300,
     true,                                                                                                                                         false},
    {"one_of_several_is_known",   600,             IP,               "a@x.example",                 "u@us.example",              PASS, 0,
     false,                                                                                                                                        false},
    {"one_of_several_is_known",   700,             IP,               "a@x.example",                 "v@us.example",              WAIT,
     300,                                                                                                                                   true,  false},
    {"one_of_several_is_known",   1000,            IP,               "a@x.example",
     "u@us.example v@us.example",                                                                                                PASS, 0,   false, false},
    {"the_same_one_twice",        0,               IP,               "a@x.example",                 "u@us.example u@us.example",
     WAIT,                                                                                                                             300, true,  false},
    {"the_same_one_twice",        300,             IP,               "a@x.example",                 "u@us.example u@us.example",
     PASS,                                                                                                                             0,   false, false},
};

static void
what_passes(void **state)
{
    struct site s;
    const char *scenario = "";
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        char label[100];
        struct score_greylist_answer got;
        if (strcmp(scenario, steps[i].scenario) != 0) {
            if (scenario[0] != '\0')
                site_end(&s);
            site_begin(&s);
        }
        scenario = steps[i].scenario;
        (void)snprintf(label, sizeof label, "%s at %lld", scenario,
                       steps[i].at_s);
        set_time(&s, steps[i].at_s, steps[i].at_s);
        ask(&s, steps[i].client, steps[i].sender, steps[i].recipients, &got);
        unit_assert_str(label,
                        mfx_str_of(score_greylist_result_name(got.result)),
                        mfx_str_of(score_greylist_result_name(steps[i].want)));
        unit_assert_int(label, got.wait_s, steps[i].wait_s);
        unit_assert_int(label, got.is_first_sight, steps[i].is_first);
        unit_assert_int(label, got.is_known, steps[i].is_known);
    }
    site_end(&s);
}

/* A clock that was set back, and values that we did not write. */
static void
odd_values(void **state)
{
    static const struct {
        const char *label, *bytes;
        enum score_greylist_result want;
        uint64_t wait_s;
        bool is_mended; /* a first sight is in its place */
    } cases[] = {
        {"first_sight",            "w 1577836800",           PASS, 0,   false},
        {"known",                  "k",                      PASS, 0,   false},
        {"a_clock_a_bit_ahead",    "w 1577837500",           WAIT, 300, false},
        {"a_clock_far_ahead",      "w 1577838801",           WAIT, 300, true },
        {"malformed_empty",        "",                       WAIT, 300, true },
        {"malformed_word",         "x 1577836800",           WAIT, 300, true },
        {"malformed_number",       "w 15778368x0",           WAIT, 300, true },
        {"malformed_no_number",    "w ",                     WAIT, 300, true },
        {"malformed_known",        "known",                  WAIT, 300, true },
        {"malformed_large_number", "w 99999999999999999999", WAIT, 300, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct site s;
        struct score_greylist_answer got;
        site_begin(&s);
        set_time(&s, 600, 600);
        const struct score_greylist_ask a = {
            .settings = &s.settings,
            .client = {MFX_IP_V4, {192, 0, 2, 1}},
            .sender = MFX_STR("a@x.example"),
        };
        struct mfx_str name =
            score_greylist_name(&a, mfx_str_of("u@us.example"), s.arena);
        struct mfx_store_call *call =
            mfx_store_begin_value(s.store, MFX_STORE_VALUE_PUT, name,
                                  mfx_str_of(cases[i].bytes), 86400000);
        assert_true(
            mfx_event_wait(mfx_store_call_event(call), mfx_mono_ms() + 20000));
        assert_int_equal(mfx_store_call_end_value(call, NULL, NULL, NULL),
                         MFX_OK);
        ask(&s, IP, "a@x.example", "u@us.example", &got);
        unit_assert_int(cases[i].label, got.result, cases[i].want);
        unit_assert_int(cases[i].label, got.wait_s, cases[i].wait_s);
        unit_assert_int(cases[i].label, got.is_first_sight, cases[i].is_mended);
        set_time(&s, 600 + 100, 600 + 100);
        ask(&s, IP, "a@x.example", "u@us.example", &got);
        if (cases[i].is_mended)
            unit_assert_int(cases[i].label, got.wait_s, 200);
        site_end(&s);
    }
}

static void
the_store_away(void **state)
{
    static const struct mfx_store_local_settings nowhere = {
        .path = "/nonexistent/mfx/score.db", .memory_bytes = 1024 * 1024};
    struct score_greylist_answer got;
    struct site s;
    (void)state;
    site_begin(&s);
    struct mfx_store *good = s.store;
    struct mfx_store *down = mfx_store_local_open(&nowhere, &s.clock.env);
    assert_non_null(down);
    struct mfx_store *stores[] = {NULL, down};
    for (size_t i = 0; i < 2; i++) {
        s.store = stores[i];
        ask(&s, IP, "a@x.example", "u@us.example", &got);
        assert_int_equal(got.result, SCORE_GREYLIST_DOWN);
        assert_int_equal(got.wait_s, 0);
        assert_true(got.err.msg[0] != '\0');
        ask(&s, "", "a@x.example", "u@us.example", &got);
        assert_int_equal(got.result, SCORE_GREYLIST_EXEMPT);
    }
    mfx_store_close(down, 0);
    s.store = good;
    struct mfx_arena *arena = s.arena;
    s.arena = mfx_arena_new(1);
    ask(&s, IP, "a@x.example", "u@us.example", &got);
    assert_int_equal(got.result, SCORE_GREYLIST_DOWN);
    mfx_arena_free(s.arena);
    s.arena = arena;
    site_end(&s);
}

/* What is finished before the store has answered is no answer, and the first
 * sight counts all the same. */
static void
no_time_to_wait(void **state)
{
    struct mfx_str recipient = MFX_STR("u@us.example");
    struct score_greylist_answer got;
    struct site s;
    (void)state;
    site_begin(&s);
    struct score_greylist_ask a = {
        .settings = &s.settings,
        .store = s.store,
        .client = {MFX_IP_V4, {192, 0, 2, 1}},
        .sender = MFX_STR("a@x.example"),
        .recipients = &recipient,
        .recipient_count = 1,
        .now_s = NEW_YEAR,
    };
    struct score_greylist *g = score_greylist_begin(&a, s.arena);
    score_greylist_finish(g, &got);
    assert_true(got.result == SCORE_GREYLIST_DOWN ||
                (got.result == SCORE_GREYLIST_WAIT && got.is_first_sight));
    set_time(&s, 100, 100);
    ask(&s, IP, "a@x.example", "u@us.example", &got);
    assert_int_equal(got.result, SCORE_GREYLIST_WAIT);
    assert_int_equal(got.wait_s, 200);
    site_end(&s);
}

static void
many_recipients(void **state)
{
    struct score_greylist_answer got;
    struct mfx_buf to;
    struct site s;
    (void)state;
    site_begin(&s);
    mfx_buf_init(&to, 10000);
    for (int i = 0; i < 150; i++)
        mfx_buf_printf(&to, "u%d@us.example ", i);
    const char *text = mfx_buf_text(&to);
    ask(&s, IP, "a@x.example", text, &got);
    assert_int_equal(got.result, SCORE_GREYLIST_WAIT);
    set_time(&s, 400, 400);
    ask(&s, IP, "a@x.example", text, &got);
    assert_int_equal(got.result, SCORE_GREYLIST_PASS);
    mfx_buf_fini(&to);
    site_end(&s);
}

static void
exempt_clients(void **state)
{
    struct score_greylist_answer got;
    struct conf_files files;
    struct mfx_problems problems;
    struct mfx_table *table = NULL;
    struct site s;
    (void)state;
    site_begin(&s);
    conf_files_init(&files);
    mfx_problems_init(&problems, files.arena);
    struct mfx_table_set *set = mfx_table_set_new(NULL);
    assert_int_equal(mfx_table_open(set, mfx_str_of("csl:192.0.2.0/24"),
                                    MFX_TABLE_NOCASE, "test", 1, &problems,
                                    &table),
                     MFX_OK);
    assert_int_equal(
        mfx_host_list_new(table, "greylist.skip_clients", &problems, &s.skip),
        MFX_OK);
    ask(&s, IP, "a@x.example", "u@us.example", &got);
    assert_int_equal(got.result, SCORE_GREYLIST_EXEMPT);
    unit_assert_str("entry", got.exempt, mfx_str_of("192.0.2.0/24"));
    ask(&s, "192.0.3.1", "a@x.example", "u@us.example", &got);
    assert_int_equal(got.result, SCORE_GREYLIST_WAIT);
    site_end(&s);
    mfx_table_set_free(set);
    conf_files_fini(&files);
}

/* --- senders --- */

static void
senders(void **state)
{
    static const struct {
        const char *label, *sender, *want;
    } cases[] = {
        {"plain",                 "Joe.Doe@X.example",                                          "<joe.doe@x.example>"  },
        {"null",                  "",                                                           "<>"                   },
        {"no_domain",             "root",                                                       "<root>"               },
        {"extension",             "list-bounces+joe=us.example@x.example",
         "<list-bounces@x.example>"                                                                                    },
        {"plus_first",            "+49170@x.example",                                           "<+49170@x.example>"   },
        {"verp_number",           "bounce-12345-joe=us.example@x.example",
         "<bounce-#-joe=us.example@x.example>"                                                                         },
        {"number_first",          "12345-bounce@x.example",                                     "<#-bounce@x.example>" },
        {"hex_words",             "0100018f0b1c2d3e-8f3cab12-dead-4bee-000000@ses.example",
         "<#-#-dead-#-#@ses.example>"                                                                                  },
        {"long_word_with_digits", "bounces_qz7xk2mw9rty@x.example",
         "<bounces_#@x.example>"                                                                                       },
        {"all_digits_is_a_name",  "12345@qq.example",                                           "<12345@qq.example>"   },
        {"all_long_is_none",      "a1b2c3d4e5f6g7@x.example",                                   "<#@x.example>"        },
        {"year_in_a_name",        "joe2024@x.example",                                          "<joe2024@x.example>"  },
        {"hex_without_a_digit",   "cafe.babe@x.example",                                        "<cafe.babe@x.example>"},
        {"empty_words",           "a--b..@x.example",                                           "<a--b..@x.example>"   },
        {"batv",                  "prvs=0123456789=joe@x.example",                              "<joe@x.example>"      },
        {"batv_capitals",         "PRVS=3123ABCDEF=Joe@x.example",                              "<joe@x.example>"      },
        {"batv_other_order",      "prvs=joe=3123abcdef@x.example",
         "<joe@x.example>"                                                                                             },
        {"batv_extension",        "prvs=0123456789=joe+x@x.example",
         "<joe@x.example>"                                                                                             },
        {"batv_barracuda",        "btv1==4711abc==joe@x.example",                               "<joe@x.example>"      },
        {"batv_sparkpost",        "msprvs1=18345abcdEFG_=bounces-12345-678@x.example",
         "<bounces-#-#@x.example>"                                                                                     },
        {"srs0",                  "SRS0=Hx2z=V4=far.example=joe@fwd.example",
         "<srs0=far.example=joe@fwd.example>"                                                                          },
        {"srs0_other_separator",  "srs0+Hx2z=V4=far.example=joe@fwd.example",
         "<srs0=far.example=joe@fwd.example>"                                                                          },
        {"srs1",                  "SRS1=abcd=one.example==Hx2z=V4=far.example=joe@fwd.example",
         "<srs1=one.example=far.example=joe@fwd.example>"                                                              },
        {"malformed_srs0",        "srs0=@fwd.example",                                          "<srs0=@fwd.example>"  },
        {"malformed_srs1",        "srs1=a=b@fwd.example",                                       "<srs1=b=@fwd.example>"},
        {"malformed_prvs",        "prvs=@x.example",                                            "<@x.example>"         },
        {"malformed_prvs_no_tag", "prvs=joe@x.example",                                         "<joe@x.example>"      },
        {"malformed_btv1",        "btv1==joe@x.example",                                        "<btv1==joe@x.example>"},
        {"malformed_only_at",     "@",                                                          "<@>"                  },
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unit_assert_str(
            cases[i].label,
            score_greylist_sender(mfx_str_of(cases[i].sender), arena),
            mfx_str_of(cases[i].want));
    mfx_arena_free(arena);
}

/* However long it is. */
static void
names_are_short(void **state)
{
    static char text[10000];
    const struct score_greylist_settings settings = {.ipv4_prefix = 24};
    struct score_greylist_ask a = {
        .settings = &settings, .client = {MFX_IP_V4, {192, 0, 2, 1}}
    };
    struct mfx_arena *arena = mfx_arena_new(0);
    (void)state;
    memset(text, 'x', sizeof text);
    for (size_t len = 0; len <= sizeof text; len += 2500) {
        a.sender = mfx_str(text, len);
        struct mfx_str name = score_greylist_name(&a, a.sender, arena);
        assert_true(name.len > 20 && name.len <= SCORE_GREYLIST_NAME_MAX);
    }
    mfx_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_passes),     cmocka_unit_test(odd_values),
        cmocka_unit_test(the_store_away),  cmocka_unit_test(no_time_to_wait),
        cmocka_unit_test(many_recipients), cmocka_unit_test(exempt_clients),
        cmocka_unit_test(senders),         cmocka_unit_test(names_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
