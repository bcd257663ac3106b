/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists that break while they are in use and come back, the thread that finds
 * out, reloads, and many who ask at once.
 */
#include <poll.h>
#include <stdatomic.h>

#include "log_lines.h"
#include "spf_list_conf.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    PATIENCE_MS = 30000,
};

static struct log_lines lines = {.mutex = PTHREAD_MUTEX_INITIALIZER};

#define GOOD                         \
    "2.0.0.127.a.test A 127.0.0.2\n" \
    "1.2.0.192.a.test A 127.0.0.2\n"
#define WORLD GOOD "1.0.0.127.a.test A 127.0.0.2\n"
#define REFUSES                            \
    "2.0.0.127.a.test A 127.255.255.254\n" \
    "1.0.0.127.a.test A 127.255.255.254\n" \
    "1.2.0.192.a.test A 127.255.255.254\n"
#define SILENT                      \
    "2.0.0.127.a.test A !timeout\n" \
    "1.0.0.127.a.test A !timeout\n" \
    "1.2.0.192.a.test A !timeout\n"

#define QUICK "health = { retry = \"1s\"; failures = 2; trouble = 3; };"
#define CONF  "lists = { sites = \"a.test\"; cache_size = 0; };" QUICK
#define NEVER                            \
    "lists = { cache_size = 0; };" QUICK \
    "dns_lists = ( { sites = \"a.test\"; health = \"none\"; } );"

static atomic_size_t released;

static void
release_source(void *arg)
{
    (void)arg;
    atomic_fetch_add(&released, 1);
}

static void
start(const struct spf_lists *lists, const struct mock *mock)
{
    const struct spf_lists_source source = {&mock->env, release_source, NULL};
    spf_lists_begin_with(lists, &source);
}

/* --- looking --- */

struct seen {
    enum spf_list_use use;
    char why[SPF_LIST_WHY_MAX];
    uint64_t asked;
};

static bool
see(const struct spf_list_view *view, void *arg)
{
    struct seen *seen = arg;
    seen->use = view->use;
    seen->asked = view->counts.asked;
    (void)snprintf(seen->why, sizeof seen->why, "%s", view->why);
    return false;
}

static struct seen
look(const struct spf_lists *lists)
{
    struct seen seen = {0};
    spf_lists_each(lists, see, &seen);
    return seen;
}

/* One message; its score. */
static int64_t
ask(const struct spf_lists *lists, const struct mfx_env *env)
{
    static const struct mfx_ip ip = {
        MFX_IP_V4, {192, 0, 2, 1}
    };
    struct mfx_event *events[8];
    struct mfx_arena *arena = mfx_arena_new(0);
    struct spf_asking *asking = spf_asking_begin(lists, env, arena, NULL);
    spf_asking_add(asking, SPF_LIST_CLIENT, mfx_str("", 0), &ip);
    (void)spf_asking_pending(asking, events, COUNT(events));
    int64_t score = spf_asking_finish(asking)->score;
    mfx_arena_free(arena);
    return score;
}

/* Until the list is so; meanwhile mail is asked about. */
static void
await_use(const struct spf_lists *lists, const struct mock *mock,
          enum spf_list_use use)
{
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    while (look(lists).use != use) {
        if (mfx_mono_ms() > until_ms)
            fail_msg("not %s in time: %s", spf_list_use_name(use),
                     look(lists).why);
        (void)ask(lists, &mock->env);
        (void)poll(NULL, 0, 10);
    }
}

/* --- the thread --- */

static void
first_test(void **state)
{
    struct mock mock;
    struct spf_list_conf c;
    (void)state;
    log_lines_clear(&lines);
    mock_begin(&mock, GOOD);
    spf_list_conf_begin(&c, CONF, NULL);
    assert_int_equal(ask(c.lists, &mock.env), 0);
    start(c.lists, &mock);
    await_use(c.lists, &mock, SPF_LIST_IN_USE);
    assert_int_equal(ask(c.lists, &mock.env), 1);
    assert_int_equal(log_lines_count(&lines, "dns_list", ""), 0);
    spf_list_conf_end(&c);
    mock_end(&mock);
}

struct bad {
    const char *label, *conf, *zone, *why;
    bool scores_meanwhile; /* until the thread has found out */
};

static const struct bad bads[] = {
    {"world",        CONF,  WORLD,
     "lists the world: 127.0.0.1 is listed (127.0.0.2), and must not be",   true },
    {"refuses",      CONF,  REFUSES,
     "answers errors: 127.0.0.1: 127.255.255.254: the list refuses questions "
     "from a public resolver",                                              false},
    {"silent",       CONF,  SILENT,  "does not answer: 127.0.0.1: timeout", false},
    {"never_tested", NEVER, SILENT,
     "an error, or too many failures or listings in a row",                 false},
};

/* A list turns bad while it is asked, and is good again later. */
static void
turning_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bads); i++) {
        const struct bad *b = &bads[i];
        struct mock mock;
        struct spf_list_conf c;
        log_lines_clear(&lines);
        mock_begin(&mock, GOOD);
        spf_list_conf_begin(&c, b->conf, NULL);
        start(c.lists, &mock);
        await_use(c.lists, &mock, SPF_LIST_IN_USE);
        mock_say(&mock, b->zone);
        if (!b->scores_meanwhile)
            unit_assert_int(b->label, ask(c.lists, &mock.env), 0);
        await_use(c.lists, &mock, SPF_LIST_OUT);
        unit_assert_str(b->label, mfx_str_of(look(c.lists).why),
                        mfx_str_of(b->why));
        uint64_t asked = look(c.lists).asked;
        unit_assert_int(b->label, ask(c.lists, &mock.env), 0);
        unit_assert_int(b->label, look(c.lists).asked, asked);
        unit_assert_int(
            b->label,
            log_lines_count(&lines, "dns_list_down list=a.test", b->why), 1);
        mock_say(&mock, GOOD);
        await_use(c.lists, &mock, SPF_LIST_IN_USE);
        unit_assert_int(b->label, ask(c.lists, &mock.env), 1);
        unit_assert_int(b->label,
                        log_lines_count(&lines, "dns_list_up list=a.test", ""),
                        1);
        spf_list_conf_end(&c);
        mock_end(&mock);
    }
}

/* One bad test does not take a silent list out of use. */
static void
one_failure(void **state)
{
    struct mock mock;
    struct spf_list_conf c;
    (void)state;
    log_lines_clear(&lines);
    mock_begin(&mock, GOOD);
    spf_list_conf_begin(&c, CONF, NULL);
    spf_lists_test(c.lists, &mock.env);
    mock_say(&mock, SILENT);
    spf_lists_test(c.lists, &mock.env);
    unit_assert_int("one", look(c.lists).use, SPF_LIST_IN_USE);
    mock_say(&mock, GOOD);
    spf_lists_test(c.lists, &mock.env);
    mock_say(&mock, SILENT);
    spf_lists_test(c.lists, &mock.env);
    unit_assert_int("not in a row", look(c.lists).use, SPF_LIST_IN_USE);
    unit_assert_int("no line", log_lines_count(&lines, "dns_list", ""), 0);
    spf_lists_test(c.lists, &mock.env);
    unit_assert_int("two", look(c.lists).use, SPF_LIST_OUT);
    spf_lists_test(c.lists, &mock.env);
    unit_assert_int("one line", log_lines_count(&lines, "dns_list", ""), 1);
    spf_list_conf_end(&c);
    mock_end(&mock);
}

/* What was kept of a list that lists the world goes with it. */
static void
stale_answers(void **state)
{
    struct mock mock;
    struct spf_list_conf c;
    (void)state;
    mock_begin(&mock, WORLD);
    spf_list_conf_begin(&c, "lists = { sites = \"a.test\"; };" QUICK, NULL);
    assert_int_equal(ask(c.lists, &mock.env), 0);
    spf_lists_test(c.lists, &mock.env);
    mock_say(&mock, "2.0.0.127.a.test A 127.0.0.2\n");
    spf_lists_test(c.lists, &mock.env);
    unit_assert_int("use", look(c.lists).use, SPF_LIST_IN_USE);
    unit_assert_int("score", ask(c.lists, &mock.env), 0);
    mock_say(&mock, GOOD);
    unit_assert_int("kept", ask(c.lists, &mock.env), 0);
    spf_list_conf_end(&c);
    mock_end(&mock);
}

/* What a list answers errors with is said once a minute, not for each mail. */
static void
error_lines(void **state)
{
    struct mock mock;
    struct spf_list_conf c;
    (void)state;
    log_lines_clear(&lines);
    mock_begin(&mock, GOOD);
    spf_list_conf_begin(&c, CONF, NULL);
    spf_lists_test(c.lists, &mock.env);
    mock_say(&mock, REFUSES);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(ask(c.lists, &mock.env), 0);
    unit_assert_int("line",
                    log_lines_count(&lines, "dns_list_error list=a.test",
                                    "127.255.255.254"),
                    1);
    spf_list_conf_end(&c);
    mock_end(&mock);
}

/* --- reloads --- */

static void
reload(void **state)
{
    struct mock mock;
    struct spf_list_conf c[4];
    static const char *const confs[] = {
        CONF,
        "lists = { sites = \"a.test*2\"; cache_size = 0; };" QUICK,
        "lists = { sites = \"a.test*3, b.test\"; cache_size = 0; };" QUICK,
        "lists = { sites = \"b.test\"; cache_size = 0; };" QUICK,
    };
    (void)state;
    log_lines_clear(&lines);
    atomic_store(&released, 0);
    mock_begin(&mock, GOOD "2.0.0.127.b.test A 127.0.0.2\n");
    spf_list_conf_begin(&c[0], confs[0], NULL);
    start(c[0].lists, &mock);
    await_use(c[0].lists, &mock, SPF_LIST_IN_USE);
    uint64_t asked = look(c[0].lists).asked;
    for (size_t i = 1; i < 3; i++) {
        spf_list_conf_begin(&c[i], confs[i], c[i - 1].lists);
        start(c[i].lists, &mock);
        spf_list_conf_end(&c[i - 1]);
        unit_assert_int("in use still", look(c[i].lists).use, SPF_LIST_IN_USE);
        assert_in_range(look(c[i].lists).asked, asked, asked);
    }
    unit_assert_int("sources", atomic_load(&released), 2);
    /* one that is never in force takes nothing along */
    spf_list_conf_begin(&c[3], confs[3], c[2].lists);
    spf_list_conf_end(&c[3]);
    spf_list_conf_begin(&c[3], confs[3], c[2].lists);
    start(c[3].lists, &mock);
    spf_list_conf_end(&c[2]);
    await_use(c[3].lists, &mock, SPF_LIST_IN_USE);
    spf_list_conf_end(&c[3]);
    unit_assert_int("all sources", atomic_load(&released), 4);
    mock_end(&mock);
}

/* A reload changes how a list is tested. */
static void
other_test(void **state)
{
    struct mock mock;
    struct spf_list_conf c[3];
    (void)state;
    mock_begin(&mock, WORLD);
    spf_list_conf_begin(&c[0], NEVER, NULL);
    start(c[0].lists, &mock);
    unit_assert_int("never", look(c[0].lists).use, SPF_LIST_IN_USE);
    assert_int_equal(ask(c[0].lists, &mock.env), 1);
    spf_list_conf_begin(&c[1],
                        "lists = { sites = \"a.test\"; };"
                        "health = { interval = \"10s\"; };",
                        c[0].lists);
    start(c[1].lists, &mock);
    spf_list_conf_end(&c[0]);
    await_use(c[1].lists, &mock, SPF_LIST_OUT);
    spf_list_conf_begin(&c[2], NEVER, c[1].lists);
    start(c[2].lists, &mock);
    spf_list_conf_end(&c[1]);
    unit_assert_int("again", look(c[2].lists).use, SPF_LIST_IN_USE);
    spf_list_conf_end(&c[2]);
    mock_end(&mock);
}

/* Ends at once while a test waits for an answer. */
static void
ending(void **state)
{
    struct mock mock;
    struct spf_list_conf c;
    (void)state;
    mock_begin(&mock, GOOD);
    mock.hold = ".test";
    spf_list_conf_begin(
        &c, "lists = { sites = \"a.test\"; timeout = \"60s\"; };", NULL);
    start(c.lists, &mock);
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    for (size_t held = 0; held == 0 && mfx_mono_ms() < until_ms;) {
        (void)pthread_mutex_lock(&mock.mutex);
        held = mock.held_count;
        (void)pthread_mutex_unlock(&mock.mutex);
        (void)poll(NULL, 0, 5);
    }
    uint64_t before_ms = mfx_mono_ms();
    spf_list_conf_end(&c);
    assert_in_range(mfx_mono_ms() - before_ms, 0, PATIENCE_MS);
    mock_end(&mock);
}

/* --- many at once --- */

struct asker {
    const struct spf_lists *lists;
    const struct mfx_env *env;
    atomic_bool *stop;
    size_t rounds;
};

static void *
keep_asking(void *arg)
{
    struct asker *asker = arg;
    while (!atomic_load(asker->stop)) {
        (void)ask(asker->lists, asker->env);
        (void)look(asker->lists);
        asker->rounds++;
    }
    return NULL;
}

static void
crowd(void **state)
{
    static const char conf[] =
        "lists = { sites = \"a.test\"; cache_size = 10; };" QUICK;
    struct mock mock;
    struct spf_list_conf c[9];
    pthread_t threads[4];
    struct asker askers[4];
    atomic_bool stop = false;
    (void)state;
    mock_begin(&mock, GOOD);
    spf_list_conf_begin(&c[0], conf, NULL);
    start(c[0].lists, &mock);
    for (size_t i = 0; i < COUNT(threads); i++) {
        askers[i] = (struct asker){c[0].lists, &mock.env, &stop, 0};
        assert_int_equal(
            pthread_create(&threads[i], NULL, keep_asking, &askers[i]), 0);
    }
    for (size_t i = 1; i < COUNT(c); i++) {
        spf_list_conf_begin(&c[i], conf, c[i - 1].lists);
        start(c[i].lists, &mock);
        if (i < 6)
            mock_say(&mock, i % 2 == 0 ? GOOD : WORLD);
        (void)poll(NULL, 0, 30);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < COUNT(threads); i++) {
        (void)pthread_join(threads[i], NULL);
        assert_in_range(askers[i].rounds, 1, SIZE_MAX);
    }
    for (size_t i = 0; i < COUNT(c); i++)
        spf_list_conf_end(&c[i]);
    mock_end(&mock);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_test),    cmocka_unit_test(turning_bad),
        cmocka_unit_test(one_failure),   cmocka_unit_test(error_lines),
        cmocka_unit_test(stale_answers), cmocka_unit_test(reload),
        cmocka_unit_test(other_test),    cmocka_unit_test(ending),
        cmocka_unit_test(crowd),
    };
    mfx_log_redirect(log_lines_take, &lines);
    return cmocka_run_group_tests_name("spf_list_health", tests, NULL, NULL);
}
