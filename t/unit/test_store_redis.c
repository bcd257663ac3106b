/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The Redis store against private servers: what it counts, and how it gets
 * there. Bad weather: test_redis_weather.c. */
#include "redis_store.h"

#include <mfx/store/redis_place.h>

#include "certs.h"

static struct redis_server server;
static struct mfx_store *store;

/* --- how it gets there --- */

static void
connects(void **state)
{
    /* no more than it needs */
    static const char *const acl[] = {
        "--user",  "mfx",          "on",          ">s3cret", "~mfx:*", "+@read",
        "+@write", "+@connection", "+@scripting", "+role",   "+time",  NULL};
    static const char *const pass[] = {"--requirepass", "s3cret", NULL};
    static const struct {
        const char *label;
        const char *const *options;
        const char *user, *password;
        int protocol;
        int64_t database;
        bool is_unix;
    } cases[] = {
        {"tcp",        NULL, "",    "",       0, 0, false},
        {"protocol_2", NULL, "",    "",       2, 0, false},
        {"protocol_3", NULL, "",    "",       3, 0, false},
        {"unix",       NULL, "",    "",       0, 0, true },
        {"database",   NULL, "",    "",       0, 7, false},
        {"password",   pass, "",    "s3cret", 0, 0, false},
        {"password_2", pass, "",    "s3cret", 2, 0, false},
        {"acl",        acl,  "mfx", "s3cret", 0, 0, false},
        {"acl_2",      acl,  "mfx", "s3cret", 2, 0, true },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct redis_server own = {
            .password = cases[i].options == pass ? "s3cret" : NULL};
        assert_true(redis_server_start(&own, cases[i].options));
        struct mfx_str text =
            mfx_str_of(cases[i].is_unix ? own.unix_text : own.text);
        struct mfx_store_redis_settings settings = {
            .servers = &text,
            .server_count = 1,
            .user = mfx_str_of(cases[i].user),
            .password = mfx_str_of(cases[i].password),
            .protocol = cases[i].protocol,
            .database = cases[i].database,
            .timeout_ms = RS_TIMEOUT_MS,
        };
        struct mfx_store *s = rs_open_with(&settings);
        struct mfx_store_window window = rs_hour(10);
        struct mfx_store_use use = rs_amount("a", &window, 4);
        rs_want(cases[i].label, s, MFX_STORE_RESERVE, "h1", &use,
                MFX_STORE_DONE, 0, 0);
        rs_want(cases[i].label, s, MFX_STORE_COMMIT, "h1", &use, MFX_STORE_DONE,
                4, 0);
        struct mfx_store_health health;
        mfx_store_health(s, &health);
        assert_string_equal(health.kind, "redis");
        assert_string_equal(health.where, text.p);
        assert_true(health.is_up);
        assert_int_equal(health.calls, 2);
        assert_int_equal(health.failures + health.outstanding, 0);
        mfx_store_close(s, RS_WAIT_MS);
        char answer[100];
        if (cases[i].database != 0)
            assert_string_equal(
                redis_server_say(&own, "DBSIZE", answer, sizeof answer), "0");
        redis_server_stop(&own);
    }
}

static void
connects_with_tls(void **state)
{
    (void)state;
    struct certs certs;
    char ca[CERTS_PATH], good[CERTS_PATH], client[CERTS_PATH];
    assert_true(certs_make(&certs));
    const char *const options[] = {"--tls-cert-file",
                                   certs_path(&certs, "good.pem", good),
                                   "--tls-key-file",
                                   good,
                                   "--tls-ca-cert-file",
                                   certs_path(&certs, "ca.pem", ca),
                                   NULL};
    struct redis_server own = {.is_tls = true};
    assert_true(redis_server_start(&own, options));
    struct mfx_str text = mfx_str_of(own.text);
    struct mfx_store_redis_settings settings = {
        .servers = &text,
        .server_count = 1,
        .timeout_ms = RS_TIMEOUT_MS,
        .tls = true,
        .tls_ca_file = ca,
        .tls_cert_file = certs_path(&certs, "client.pem", client),
    };
    struct mfx_store *s = rs_open_with(&settings);
    struct mfx_store_window window = rs_hour(100000);
    for (int i = 0; i < 200; i++) {
        char holder[20];
        (void)snprintf(holder, sizeof holder, "h%d", i);
        struct mfx_store_use use = rs_amount("a", &window, 2);
        rs_want("tls", s, MFX_STORE_COMMIT, holder, &use, MFX_STORE_DONE,
                (uint64_t)(i + 1) * 2, 0);
    }
    mfx_store_close(s, RS_WAIT_MS);
    settings.tls_name = mfx_str_of("wrong.test");
    s = rs_open_with(&settings);
    rs_wait_health(s, false);
    struct mfx_store_health health;
    mfx_store_health(s, &health);
    assert_non_null(strstr(health.error, "hostname mismatch"));
    mfx_store_close(s, 0);
    redis_server_stop(&own);
    certs_remove(&certs);
}

static void
refuses_settings(void **state)
{
    static const struct mfx_str good = MFX_STR("127.0.0.1:1"),
                                bad = MFX_STR("127.0.0.1:x"),
                                relative = MFX_STR("unix:x");
    static const struct {
        const char *label;
        struct mfx_store_redis_settings settings;
        const char *error;
    } cases[] = {
        {"no_server",    {.timeout_ms = 1},                                      "0 servers"},
        {"bad_port",
         {.servers = &bad, .server_count = 1, .timeout_ms = 1},
         "port"                                                                             },
        {"bad_path",
         {.servers = &relative, .server_count = 1, .timeout_ms = 1},
         "absolute"                                                                         },
        {"bad_protocol",
         {.servers = &good, .server_count = 1, .timeout_ms = 1, .protocol = 4},
         "protocol"                                                                         },
        {"bad_database",
         {.servers = &good, .server_count = 1, .timeout_ms = 1, .database = -1},
         "database"                                                                         },
        {"no_timeout",   {.servers = &good, .server_count = 1},                  "timeout"  },
        {"no_wait",
         {.servers = &good,
          .server_count = 1,
          .timeout_ms = 1,
          .wait_replicas = 1},
         "replicas"                                                                         },
        {"no_password",
         {.servers = &good,
          .server_count = 1,
          .timeout_ms = 1,
          .user = MFX_STR("u")},
         "password"                                                                         },
        {"no_ca",
         {.servers = &good,
          .server_count = 1,
          .timeout_ms = 1,
          .tls = true,
          .tls_ca_file = "/nonexistent"},
         "/nonexistent"                                                                     },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_err err = {{0}};
        if (mfx_store_redis_open(&cases[i].settings, rs_env(), &err) != NULL)
            fail_msg("%s: opened", cases[i].label);
        if (strstr(err.msg, cases[i].error) == NULL)
            fail_msg("%s: \"%s\"", cases[i].label, err.msg);
    }
}

/* --- what it counts --- */

static void
reserves(void **state)
{
    (void)state;
    struct mfx_store_window hour = rs_hour(10);
    struct mfx_store_use three = rs_amount("reserves", &hour, 3),
                         seven = rs_amount("reserves", &hour, 7),
                         eight = rs_amount("reserves", &hour, 8),
                         none = rs_amount("reserves", &hour, 0);
    rs_want("first", store, MFX_STORE_RESERVE, "r1", &three, MFX_STORE_DONE, 0,
            0);
    rs_want("again", store, MFX_STORE_RESERVE, "r1", &three, MFX_STORE_DONE, 0,
            0);
    rs_want("too_much", store, MFX_STORE_RESERVE, "r2", &eight, MFX_STORE_FULL,
            0, 3);
    rs_want("rest", store, MFX_STORE_RESERVE, "r2", &seven, MFX_STORE_DONE, 0,
            3);
    rs_want("full", store, MFX_STORE_CHECK, "r3", &three, MFX_STORE_FULL, 0,
            10);
    rs_want("commit", store, MFX_STORE_COMMIT, "r1", &three, MFX_STORE_DONE, 3,
            7);
    rs_want("commit_again", store, MFX_STORE_COMMIT, "r1", &three,
            MFX_STORE_DONE, 3, 7);
    rs_want("less", store, MFX_STORE_RESERVE, "r2", &three, MFX_STORE_DONE, 3,
            0);
    rs_want("release", store, MFX_STORE_RELEASE, "r2", &none, MFX_STORE_DONE, 3,
            0);
    rs_want("take", store, MFX_STORE_TAKE, "r4", &seven, MFX_STORE_DONE, 10, 0);
    rs_want("take_full", store, MFX_STORE_TAKE, "r5", &three, MFX_STORE_FULL,
            10, 0);
    rs_want("reset", store, MFX_STORE_RESET, "", &none, MFX_STORE_DONE, 0, 0);
    rs_want("as_new", store, MFX_STORE_CHECK, "r5", &three, MFX_STORE_DONE, 0,
            0);
}

/* One use that does not fit undoes all. */
static void
all_or_nothing(void **state)
{
    (void)state;
    struct mfx_store_window wide = rs_hour(1000), narrow = rs_hour(1);
    struct mfx_store_use uses[] = {rs_amount("all1", &wide, 5),
                                   rs_amount("all2", &narrow, 2)};
    struct mfx_store_answer answer;
    struct mfx_arena *arena = mfx_arena_new(0);
    static const struct mfx_str holder = MFX_STR("all");
    assert_int_equal(mfx_store_ask(store, MFX_STORE_RESERVE, holder, uses, 2,
                                   RS_LEASE_MS, RS_WAIT_MS, arena, &answer,
                                   NULL),
                     MFX_OK);
    assert_int_equal(answer.outcome, MFX_STORE_FULL);
    assert_true(answer.readings[0].levels[0].fits);
    assert_false(answer.readings[1].levels[0].fits);
    assert_true(answer.readings[1].levels[0].is_full_due);
    assert_int_equal(mfx_store_ask(store, MFX_STORE_RESERVE, holder, uses, 2,
                                   RS_LEASE_MS, RS_WAIT_MS, arena, &answer,
                                   NULL),
                     MFX_OK);
    assert_false(answer.readings[1].levels[0].is_full_due);
    mfx_arena_free(arena);
    rs_want("nothing held", store, MFX_STORE_CHECK, "x", &uses[0],
            MFX_STORE_DONE, 0, 0);
}

static void
exact_to_the_end(void **state)
{
    (void)state;
    uint64_t most = UINT64_C(1) << 53;
    struct mfx_store_window hour = rs_hour(most);
    struct mfx_store_use huge = rs_amount("exact", &hour, most - 3),
                         one = rs_amount("exact", &hour, 1),
                         three = rs_amount("exact", &hour, 3),
                         two = rs_amount("exact", &hour, 2);
    rs_want("huge", store, MFX_STORE_TAKE, "e1", &huge, MFX_STORE_DONE,
            most - 3, 0);
    rs_want("one", store, MFX_STORE_TAKE, "e2", &one, MFX_STORE_DONE, most - 2,
            0);
    rs_want("over", store, MFX_STORE_TAKE, "e3", &three, MFX_STORE_FULL,
            most - 2, 0);
    rs_want("two", store, MFX_STORE_TAKE, "e3", &two, MFX_STORE_DONE, most, 0);
    struct mfx_store_window endless = rs_hour(MFX_STORE_UNLIMITED);
    struct mfx_store_use more =
        rs_amount("exact", &endless, MFX_STORE_AMOUNT_MAX);
    rs_want("no limit", store, MFX_STORE_TAKE, "e4", &more, MFX_STORE_DONE,
            most, 0);
}

/* A span of a second: forgotten after a second and a sixtieth, not before. */
static void
slides(void **state)
{
    (void)state;
    struct mfx_store_window second = {
        .shape = MFX_STORE_SLIDING, .span_ms = 1000, .limit = 5};
    struct mfx_store_use five = rs_amount("slides", &second, 5);
    struct mfx_store_answer answer;
    struct mfx_store_level level = {.used = 0};
    uint64_t begin_ms = mfx_mono_ms();
    assert_int_equal(
        rs_ask(store, MFX_STORE_TAKE, "s1", &five, &answer, &level, NULL),
        MFX_OK);
    uint64_t taken_ms = mfx_mono_ms();
    for (;;) {
        uint64_t before_ms = mfx_mono_ms();
        assert_int_equal(
            rs_ask(store, MFX_STORE_CHECK, "s2", &five, &answer, &level, NULL),
            MFX_OK);
        if (answer.outcome == MFX_STORE_DONE) {
            assert_true(mfx_mono_ms() - begin_ms >= 1000);
            return;
        }
        assert_true(level.free_at_ms > 0);
        /* 17 ms of parts, one for the clocks' rounding */
        assert_true(before_ms <= taken_ms + 1000 + 17 + 1);
        redis_sleep_ms(3);
    }
}

static void
drains(void **state)
{
    (void)state;
    /* 100 at once, one every 10 ms */
    struct mfx_store_window bucket = {
        .shape = MFX_STORE_BUCKET, .span_ms = 1000, .limit = 100};
    struct mfx_store_use all = rs_amount("drains", &bucket, 100),
                         one = rs_amount("drains", &bucket, 1);
    struct mfx_store_answer answer;
    struct mfx_store_level level = {.used = 0};
    uint64_t begin_ms = mfx_mono_ms(), taken = 100;
    assert_int_equal(
        rs_ask(store, MFX_STORE_TAKE, "b", &all, &answer, &level, NULL),
        MFX_OK);
    assert_int_equal(answer.outcome, MFX_STORE_DONE);
    while (mfx_mono_ms() < begin_ms + 300) {
        assert_int_equal(
            rs_ask(store, MFX_STORE_TAKE, "b", &one, &answer, &level, NULL),
            MFX_OK);
        taken += answer.outcome == MFX_STORE_DONE;
        assert_true(answer.outcome == MFX_STORE_DONE || level.free_at_ms > 0);
    }
    uint64_t passed_ms = mfx_mono_ms() - begin_ms;
    assert_true(taken <= 100 + (passed_ms + 1) / 10 + 1);
    assert_true(taken >= 100 + 300 / 10 - 3);
}

static void
leases_end(void **state)
{
    (void)state;
    struct mfx_store_window hour = rs_hour(3);
    struct mfx_store_use three = rs_amount("leases", &hour, 3);
    static const struct mfx_str holder = MFX_STR("l1");
    assert_int_equal(mfx_store_ask(store, MFX_STORE_RESERVE, holder, &three, 1,
                                   300, RS_WAIT_MS, NULL, NULL, NULL),
                     MFX_OK);
    rs_want("held", store, MFX_STORE_CHECK, "l2", &three, MFX_STORE_FULL, 0, 3);
    redis_sleep_ms(310);
    rs_want("free", store, MFX_STORE_CHECK, "l2", &three, MFX_STORE_DONE, 0, 0);
}

struct calendar {
    uint64_t length_s;
};

static void
period_of(const void *arg, uint64_t now_s, uint64_t *begin_s, uint64_t *end_s)
{
    const struct calendar *calendar = arg;
    *begin_s = now_s - now_s % calendar->length_s;
    *end_s = *begin_s + calendar->length_s;
}

static void
move_clock(int64_t ms)
{
    struct mfx_redis_place *place = (struct mfx_redis_place *)store;
    (void)pthread_mutex_lock(&place->mutex);
    place->ahead_ms += ms;
    (void)pthread_mutex_unlock(&place->mutex);
}

/* Periods are the server's: ours may be wrong by much, and it is found out. */
static void
periods(void **state)
{
    (void)state;
    static const struct calendar day = {86400}, two_s = {2};
    struct mfx_store_window daily = {.shape = MFX_STORE_FIXED,
                                     .span_ms = 1,
                                     .limit = 5,
                                     .soft = 4,
                                     .period = period_of,
                                     .period_arg = &day};
    struct mfx_store_use four = rs_amount("periods", &daily, 4),
                         two = rs_amount("periods", &daily, 2);
    struct mfx_store_answer answer;
    struct mfx_store_level level = {.used = 0};
    move_clock(-3 * 86400 * 1000L);
    assert_int_equal(
        rs_ask(store, MFX_STORE_COMMIT, "p1", &four, &answer, &level, NULL),
        MFX_OK);
    assert_int_equal(level.used, 4);
    assert_true(level.is_soft_due);
    move_clock(86400 * 1000L);
    assert_int_equal(
        rs_ask(store, MFX_STORE_RESERVE, "p2", &two, &answer, &level, NULL),
        MFX_OK);
    assert_int_equal(answer.outcome, MFX_STORE_FULL);
    uint64_t now_s = (uint64_t)time(NULL);
    assert_true(level.free_at_ms / 1000 > now_s &&
                level.free_at_ms / 1000 <= now_s + 86400 &&
                level.free_at_ms % 86400000 == 0);
    struct mfx_store_window brief = daily;
    brief.span_ms = 2;
    brief.period_arg = &two_s;
    struct mfx_store_use five = rs_amount("periods2", &brief, 5);
    /* two periods, or three: in none of them more than one fits */
    size_t fitted = 0;
    uint64_t until_ms = mfx_mono_ms() + 3900, tried = 0;
    while (mfx_mono_ms() < until_ms) {
        char holder[20];
        (void)snprintf(holder, sizeof holder, "q%d", (int)tried++);
        assert_int_equal(
            rs_ask(store, MFX_STORE_TAKE, holder, &five, &answer, &level, NULL),
            MFX_OK);
        fitted += answer.outcome == MFX_STORE_DONE;
        redis_sleep_ms(5);
    }
    assert_in_range(fitted, 2, 3);
}

static struct mfx_store_use
elements_use(const char *counter, enum mfx_store_kind kind,
             const struct mfx_store_window *window,
             const struct mfx_str *elements, size_t count)
{
    return (struct mfx_store_use){.kind = kind,
                                  .counter = mfx_str_of(counter),
                                  .windows = window,
                                  .window_count = 1,
                                  .elements = elements,
                                  .element_count = count,
                                  .memory_ms = 24L * RS_HOUR_MS};
}

static void
elements(void **state)
{
    static const struct mfx_str ab[] = {MFX_STR("a"), MFX_STR("b")},
                                bc[] = {MFX_STR("b"), MFX_STR("c")},
                                de[] = {MFX_STR("d"), MFX_STR("e")};
    static const enum mfx_store_kind kinds[] = {MFX_STORE_DISTINCT,
                                                MFX_STORE_FIRST};
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const char *name = i == 0 ? "distinct" : "first";
        char holder[4][20];
        for (size_t n = 0; n < COUNT(holder); n++)
            (void)snprintf(holder[n], sizeof holder[n], "%s%zu", name, n);
        struct mfx_store_window hour = rs_hour(4);
        struct mfx_store_use use_ab =
                                 elements_use(name, kinds[i], &hour, ab, 2),
                             use_bc =
                                 elements_use(name, kinds[i], &hour, bc, 2),
                             use_de =
                                 elements_use(name, kinds[i], &hour, de, 2),
                             use_none =
                                 elements_use(name, kinds[i], &hour, NULL, 0);
        rs_want("ab", store, MFX_STORE_RESERVE, holder[0], &use_ab,
                MFX_STORE_DONE, 0, 0);
        /* b is held twice and counts once */
        rs_want("bc", store, MFX_STORE_RESERVE, holder[1], &use_bc,
                MFX_STORE_DONE, 0, 2);
        rs_want("de", store, MFX_STORE_RESERVE, holder[2], &use_de,
                MFX_STORE_FULL, 0, 3);
        rs_want("commit ab", store, MFX_STORE_COMMIT, holder[0], &use_ab,
                MFX_STORE_DONE, 2, 1);
        rs_want("release bc", store, MFX_STORE_RELEASE, holder[1], &use_none,
                MFX_STORE_DONE, 2, 0);
        rs_want("de fits", store, MFX_STORE_RESERVE, holder[2], &use_de,
                MFX_STORE_DONE, 2, 0);
        rs_want("seen already", store, MFX_STORE_RESERVE, holder[3], &use_ab,
                MFX_STORE_DONE, 2, 2);
        rs_want("bc full", store, MFX_STORE_RESERVE, holder[3], &use_bc,
                MFX_STORE_FULL, 2, 2);
        rs_want("reset", store, MFX_STORE_RESET, "", &use_none, MFX_STORE_DONE,
                0, 4);
    }
}

static void
overrides(void **state)
{
    (void)state;
    static const struct mfx_str name = MFX_STR("overrides"),
                                text = MFX_STR("1000/1d"), none = {NULL, 0};
    struct mfx_store_window hour = rs_hour(10);
    struct mfx_store_use use = rs_amount("overrides", &hour, 1);
    rs_want("before", store, MFX_STORE_TAKE, "o1", &use, MFX_STORE_DONE, 1, 0);
    assert_int_equal(
        mfx_store_set_override(store, name, text, RS_HOUR_MS, RS_WAIT_MS, NULL),
        MFX_OK);
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_store_answer answer;
    static const struct mfx_str holder = MFX_STR("o2");
    assert_int_equal(mfx_store_ask(store, MFX_STORE_TAKE, holder, &use, 1, 0,
                                   RS_WAIT_MS, arena, &answer, NULL),
                     MFX_OK);
    assert_int_equal(answer.outcome, MFX_STORE_OVERRIDDEN);
    unit_assert_str("override", answer.readings[0].override, text);
    uint64_t now_ms = (uint64_t)time(NULL) * 1000;
    assert_in_range(answer.readings[0].override_until_ms,
                    now_ms + RS_HOUR_MS - 5000, now_ms + RS_HOUR_MS + 5000);
    use.believed_override = text;
    rs_want("believed", store, MFX_STORE_TAKE, "o3", &use, MFX_STORE_DONE, 2,
            0);
    assert_int_equal(
        mfx_store_set_override(store, name, none, 0, RS_WAIT_MS, NULL), MFX_OK);
    use.believed_override = none;
    rs_want("removed", store, MFX_STORE_TAKE, "o4", &use, MFX_STORE_DONE, 3, 0);
    assert_int_equal(
        mfx_store_set_override(store, name, text, 100, RS_WAIT_MS, NULL),
        MFX_OK);
    redis_sleep_ms(110);
    rs_want("over", store, MFX_STORE_TAKE, "o5", &use, MFX_STORE_DONE, 4, 0);
    mfx_arena_free(arena);
}

static enum mfx_rc
ask_value(enum mfx_store_value_op op, const char *name, struct mfx_str bytes,
          uint64_t lifetime_ms, struct mfx_arena *arena,
          struct mfx_store_value *value)
{
    struct mfx_store_call *call =
        mfx_store_begin_value(store, op, mfx_str_of(name), bytes, lifetime_ms);
    (void)mfx_event_wait(mfx_store_call_event(call),
                         mfx_mono_ms() + RS_WAIT_MS);
    return mfx_store_call_end_value(call, arena, value, NULL);
}

static void
values(void **state)
{
    (void)state;
    static const struct mfx_str one = MFX_STR("one"), two = MFX_STR("two"),
                                none = {NULL, 0};
    static char big[MFX_STORE_VALUE_MAX];
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_store_value value;
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 31);
    assert_int_equal(
        ask_value(MFX_STORE_VALUE_GET, "v", none, 0, arena, &value),
        MFX_NOTFOUND);
    assert_int_equal(ask_value(MFX_STORE_VALUE_ADD, "v", one, 0, arena, &value),
                     MFX_OK);
    assert_true(value.is_new);
    assert_int_equal(ask_value(MFX_STORE_VALUE_ADD, "v", two, 0, arena, &value),
                     MFX_OK);
    assert_false(value.is_new);
    unit_assert_str("add", value.bytes, one);
    assert_int_equal(value.until_ms, 0);
    assert_int_equal(ask_value(MFX_STORE_VALUE_PUT, "v",
                               mfx_str(big, sizeof big), 200, arena, &value),
                     MFX_OK);
    assert_int_equal(
        ask_value(MFX_STORE_VALUE_GET, "v", none, 0, arena, &value), MFX_OK);
    unit_assert_str("big", value.bytes, mfx_str(big, sizeof big));
    assert_true(value.until_ms > 0);
    redis_sleep_ms(210);
    assert_int_equal(
        ask_value(MFX_STORE_VALUE_GET, "v", none, 0, arena, &value),
        MFX_NOTFOUND);
    assert_int_equal(
        ask_value(MFX_STORE_VALUE_PUT, "v", none, 0, arena, &value), MFX_OK);
    assert_int_equal(
        ask_value(MFX_STORE_VALUE_GET, "v", none, 0, arena, &value), MFX_OK);
    assert_int_equal(value.bytes.len, 0);
    assert_int_equal(
        ask_value(MFX_STORE_VALUE_DELETE, "v", none, 0, arena, &value), MFX_OK);
    assert_int_equal(
        ask_value(MFX_STORE_VALUE_DELETE, "v", none, 0, arena, &value),
        MFX_NOTFOUND);
    mfx_arena_free(arena);
}

/* Names with all bytes that mean something in a pattern. */
static void
lists(void **state)
{
    enum {
        COUNTERS = 300,
    };
    (void)state;
    static const char *const odd[] = {"li*st?[a-z]\\^1", "li*st?[a-z]\\^2",
                                      "liXst?[a-z]\\^3"};
    static const struct mfx_str text = MFX_STR("blocked"),
                                many = MFX_STR("many"),
                                pattern = MFX_STR("li*st?[a-z]\\^");
    bool seen[COUNTERS] = {false};
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_store_window hour = rs_hour(100);
    for (size_t i = 0; i < COUNTERS; i++) {
        char name[20], holder[20];
        (void)snprintf(name, sizeof name, "many%03zu", i);
        (void)snprintf(holder, sizeof holder, "many%zu", i);
        struct mfx_store_use use = rs_amount(name, &hour, i % 50 + 1);
        rs_want(name, store, i % 3 == 0 ? MFX_STORE_RESERVE : MFX_STORE_COMMIT,
                holder, &use, MFX_STORE_DONE, i % 3 == 0 ? 0 : i % 50 + 1, 0);
    }
    struct mfx_str cursor = {NULL, 0};
    struct mfx_store_row *rows;
    size_t count, total = 0;
    do {
        assert_int_equal(mfx_store_list(store, many, 7, &cursor, RS_WAIT_MS,
                                        arena, &rows, &count, NULL),
                         MFX_OK);
        assert_true(count <= 7);
        for (size_t i = 0; i < count; i++) {
            uint64_t n = 0;
            assert_int_equal(
                mfx_str_to_u64(mfx_str_from(rows[i].counter, 4), COUNTERS, &n),
                MFX_OK);
            total += !seen[n];
            seen[n] = true;
            bool is_held = n % 3 == 0;
            assert_int_equal(rows[i].reserved, is_held ? n % 50 + 1 : 0);
            assert_int_equal(rows[i].window_count, !is_held);
            if (is_held)
                continue;
            assert_int_equal(rows[i].windows[0].used, n % 50 + 1);
            assert_int_equal(rows[i].windows[0].span_ms, RS_HOUR_MS);
            assert_int_equal(rows[i].windows[0].shape, MFX_STORE_SLIDING);
            uint64_t now_ms = (uint64_t)time(NULL) * 1000;
            assert_in_range(rows[i].windows[0].last_ms,
                            now_ms - 2 * RS_HOUR_MS / 60, now_ms + 2000);
        }
    } while (cursor.len > 0);
    assert_int_equal(total, COUNTERS);
    for (size_t i = 0; i < COUNT(odd); i++)
        assert_int_equal(mfx_store_set_override(store, mfx_str_of(odd[i]), text,
                                                0, RS_WAIT_MS, NULL),
                         MFX_OK);
    total = 0;
    do {
        assert_int_equal(mfx_store_list(store, pattern, 500, &cursor,
                                        RS_WAIT_MS, arena, &rows, &count, NULL),
                         MFX_OK);
        for (size_t i = 0; i < count; i++)
            unit_assert_str("odd", rows[i].override, text);
        total += count;
    } while (cursor.len > 0);
    assert_int_equal(total, 2);
    mfx_arena_free(arena);
}

static void
merges(void **state)
{
    (void)state;
    struct mfx_store_window hour = rs_hour(100);
    struct mfx_store_use use = rs_amount("merges", &hour, 9);
    static const struct {
        const char *label, *holder;
        uint64_t ago_ms, used;
    } cases[] = {
        {"recent",    "m1", 60000,              9 },
        {"again",     "m1", 60000,              9 },
        {"older",     "m2", RS_HOUR_MS / 2,     18},
        {"forgotten", "m3", 2L * RS_HOUR_MS,    18},
        {"future",    "m4", (uint64_t)0 - 5000, 27},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t now_ms = (uint64_t)time(NULL) * 1000;
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_store_answer answer;
        struct mfx_store_call *call =
            mfx_store_begin_merge(store, mfx_str_of(cases[i].holder), &use, 1,
                                  now_ms - cases[i].ago_ms);
        (void)mfx_event_wait(mfx_store_call_event(call),
                             mfx_mono_ms() + RS_WAIT_MS);
        unit_assert_int(cases[i].label,
                        mfx_store_call_end(call, arena, &answer, NULL), MFX_OK);
        unit_assert_int(cases[i].label, answer.readings[0].levels[0].used,
                        cases[i].used);
        unit_assert_int(cases[i].label, answer.is_repeated, i == 1);
        mfx_arena_free(arena);
    }
}

/* Scripts that are gone are sent again; what is held open is renewed, and held
 * again where it was lost. */
static void
server_forgets(void **state)
{
    (void)state;
    char answer[200];
    struct mfx_redis_place *place = (struct mfx_redis_place *)store;
    struct mfx_store_window two = {.limit = 2};
    struct mfx_store_use open = {.kind = MFX_STORE_OPEN,
                                 .counter = MFX_STR("open"),
                                 .windows = &two,
                                 .window_count = 1,
                                 .amount = 1};
    static const struct mfx_str first = MFX_STR("c1"), second = MFX_STR("c2");
    assert_int_equal(mfx_store_ask(store, MFX_STORE_RESERVE, first, &open, 1, 0,
                                   RS_WAIT_MS, NULL, NULL, NULL),
                     MFX_OK);
    assert_int_equal(mfx_store_ask(store, MFX_STORE_RESERVE, second, &open, 1,
                                   0, RS_WAIT_MS, NULL, NULL, NULL),
                     MFX_OK);
    rs_want("full", store, MFX_STORE_CHECK, "c3", &open, MFX_STORE_FULL, 0, 2);
    rs_want("release", store, MFX_STORE_RELEASE, "c2", &open, MFX_STORE_DONE, 0,
            1);
    assert_string_equal(
        redis_server_say(&server, "SCRIPT FLUSH", answer, sizeof answer), "OK");
    rs_want("flushed", store, MFX_STORE_CHECK, "c3", &open, MFX_STORE_DONE, 0,
            1);
    (void)redis_server_say(&server, "DEL mfx:c:open", answer, sizeof answer);
    (void)redis_server_say(&server, "SCRIPT FLUSH", answer, sizeof answer);
    rs_want("lost", store, MFX_STORE_CHECK, "c3", &open, MFX_STORE_DONE, 0, 0);
    (void)pthread_mutex_lock(&place->mutex);
    place->renew_ms = 0;
    (void)pthread_mutex_unlock(&place->mutex);
    mfx_redis_wake(place);
    assert_true(redis_server_wait(&server, "EXISTS mfx:c:open", "1"));
    rs_want("held again", store, MFX_STORE_CHECK, "c3", &open, MFX_STORE_DONE,
            0, 1);
    long ttl = strtol(
        redis_server_say(&server, "PTTL mfx:c:open", answer, sizeof answer),
        NULL, 10);
    assert_in_range(ttl, MFX_REDIS_LEASE_MS / 2, 3 * MFX_REDIS_LEASE_MS);
    rs_want("closed", store, MFX_STORE_RELEASE, "c1", &open, MFX_STORE_DONE, 0,
            0);
}

/* Nothing of ours stays for ever. */
static void
keys_expire(void **state)
{
    (void)state;
    char answer[200];
    static const char look[] =
        "EVAL \"local n = 0 for _, k in ipairs(redis.call('keys', '*')) do if "
        "redis.call('pttl', k) < 0 and not string.find(k, 'mfx:c:li') then "
        "n = n + 1 end end return n\" 0";
    assert_string_equal(redis_server_say(&server, look, answer, sizeof answer),
                        "0");
}

/* --- many at once --- */

struct racer {
    pthread_t thread;
    struct mfx_store *store;
    unsigned number;
    unsigned rounds;
    uint64_t sent;
};

static void *
race(void *arg)
{
    struct racer *r = arg;
    struct mfx_store_window hour = rs_hour(500);
    struct mfx_store_use use = rs_amount("race", &hour, 1);
    for (unsigned i = 0; i < r->rounds; i++) {
        struct mfx_store_answer answer = {MFX_STORE_FULL, NULL, 0, false};
        char holder[40];
        (void)snprintf(holder, sizeof holder, "race%u/%u", r->number, i);
        use.amount = 1 + (r->number + i) % 3;
        if (rs_ask(r->store, MFX_STORE_RESERVE, holder, &use, &answer, NULL,
                   NULL) != MFX_OK ||
            answer.outcome != MFX_STORE_DONE)
            continue;
        bool is_sent = (r->number + i) % 4 != 0;
        if (rs_ask(r->store, is_sent ? MFX_STORE_COMMIT : MFX_STORE_RELEASE,
                   holder, &use, &answer, NULL, NULL) == MFX_OK &&
            is_sent)
            r->sent += use.amount;
    }
    return NULL;
}

/* Fifty sessions on two machines: the limit is reached and never passed. */
static void
never_one_more(void **state)
{
    enum {
        RACERS = 50,
    };
    (void)state;
    struct racer racers[RACERS];
    struct mfx_store *machines[] = {store, rs_open(server.unix_text)};
    uint64_t sent = 0;
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] =
            (struct racer){.store = machines[i % 2], .number = i, .rounds = 30};
        assert_int_equal(
            pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (unsigned i = 0; i < RACERS; i++) {
        (void)pthread_join(racers[i].thread, NULL);
        sent += racers[i].sent;
    }
    assert_in_range(sent, 498, 500);
    struct mfx_store_window hour = rs_hour(500);
    struct mfx_store_use use = rs_amount("race", &hour, 0);
    rs_want("counted", store, MFX_STORE_CHECK, "x", &use, MFX_STORE_DONE, sent,
            0);
    mfx_store_close(machines[1], RS_WAIT_MS);
}

/* Calls whose askers went away, and a store that closes with calls under way. */
static void
closes(void **state)
{
    (void)state;
    struct mfx_store *s = rs_open(server.text);
    struct mfx_store_window hour = rs_hour(1000000);
    for (int i = 0; i < 500; i++) {
        char holder[20];
        (void)snprintf(holder, sizeof holder, "z%d", i);
        struct mfx_store_use use = rs_amount("closes", &hour, 1);
        struct mfx_store_call *call = mfx_store_begin(
            s, MFX_STORE_COMMIT, mfx_str_of(holder), &use, 1, 0);
        enum mfx_rc rc = mfx_store_call_end(call, NULL, NULL, NULL);
        assert_true(rc == MFX_OK || rc == MFX_TEMPFAIL);
    }
    mfx_store_close(s, RS_WAIT_MS);
    struct mfx_store_use use = rs_amount("closes", &hour, 0);
    rs_want("all counted", store, MFX_STORE_CHECK, "x", &use, MFX_STORE_DONE,
            500, 0);
}

static int
setup(void **state)
{
    (void)state;
    if (!redis_server_is_there())
        return 0;
    if (!redis_server_start(&server, NULL))
        return -1;
    store = rs_open(server.text);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mfx_store_close(store, RS_WAIT_MS);
    redis_server_stop(&server);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_settings),
        cmocka_unit_test(reserves),
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(exact_to_the_end),
        cmocka_unit_test(slides),
        cmocka_unit_test(drains),
        cmocka_unit_test(leases_end),
        cmocka_unit_test(periods),
        cmocka_unit_test(elements),
        cmocka_unit_test(overrides),
        cmocka_unit_test(values),
        cmocka_unit_test(lists),
        cmocka_unit_test(merges),
        cmocka_unit_test(server_forgets),
        cmocka_unit_test(never_one_more),
        cmocka_unit_test(closes),
        cmocka_unit_test(keys_expire),
        cmocka_unit_test(connects),
        cmocka_unit_test(connects_with_tls),
    };
    if (!redis_server_is_there()) {
        (void)printf("1..0 # SKIP no redis-server\n");
        return 0;
    }
    return cmocka_run_group_tests_name("store_redis", tests, setup, teardown);
}
