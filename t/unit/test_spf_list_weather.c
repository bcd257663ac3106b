/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists behind a DNS server that is late, lies, or fails, asked through the
 * resolver that mail is asked through.
 */
#include "liar.h"
#include "spf_list_conf.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char script[] =
    "2.0.0.127.fast.test A a 127.0.0.2\n"
    "2.0.0.127.late.test A a 127.0.0.2\n"
    "2.0.0.127.half.test A a 127.0.0.2\n"
    "2.0.0.127.trunc.test A a 127.0.0.2\n"
    "2.0.0.127.lies.test A a 127.0.0.2\n"
    "2.0.0.127.joined.test A a 127.0.0.2\n"
    "1.2.0.192.fast.test A a 127.0.0.2\n"
    "1.2.0.192.late.test A late=3000 a 127.0.0.2\n"
    "1.2.0.192.half.test A servfail\n"
    "1.2.0.192.trunc.test A udp truncate\n"
    "1.2.0.192.trunc.test A tcp a 127.0.0.2 127.0.0.3\n"
    "1.2.0.192.lies.test A question=other.test a 127.0.0.2\n"
    "1.2.0.192.joined.test A late=300 a 127.0.0.2\n"
    "1.2.0.192.many.test A a 127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5\n"
    "2.0.0.127.many.test A a 127.0.0.2\n";

struct weather {
    struct liar liar;
    struct mfx_env env;
    struct spf_list_conf conf;
    struct mfx_arena *arena;
};

static bool
begin(struct weather *w, const char *conf)
{
    struct mfx_err err = {""};
    if (!liar_start(&w->liar, script))
        return false;
    const struct mfx_resolver_dns_config config = {
        .servers = &w->liar.server,
        .server_count = 1,
        .timeout_ms = 5000,
        .tries = 2,
        .max_outstanding = 100,
        .cache_entries = 100,
        .cache_bytes = 1 << 20,
        .cache_max_ttl_s = 3600,
    };
    w->env = mfx_env_system();
    assert_int_equal(
        mfx_resolver_dns_new(&config, &w->env, &w->env.resolver, &err), MFX_OK);
    spf_list_conf_begin(&w->conf, conf, NULL);
    assert_int_equal(w->conf.rc, MFX_OK);
    spf_lists_test(w->conf.lists, &w->env);
    w->arena = mfx_arena_new(0);
    return true;
}

static void
end(struct weather *w)
{
    mfx_arena_free(w->arena);
    spf_list_conf_end(&w->conf);
    mfx_resolver_free(w->env.resolver);
    liar_stop(&w->liar);
}

static struct spf_asking *
ask(struct weather *w)
{
    static const struct mfx_ip ip = {
        MFX_IP_V4, {192, 0, 2, 1}
    };
    struct spf_asking *asking =
        spf_asking_begin(w->conf.lists, &w->env, w->arena, NULL);
    spf_asking_add(asking, SPF_LIST_CLIENT, mfx_str("", 0), &ip);
    return asking;
}

/* As a hook waits. Returns the milliseconds it took. */
static uint64_t
wait_for(struct spf_asking *asking)
{
    struct mfx_event *events[16];
    uint64_t began_ms = mfx_mono_ms();
    size_t count;
    while ((count = spf_asking_pending(asking, events, COUNT(events))) > 0)
        (void)mfx_event_wait_any(events, count, spf_asking_deadline_ms(asking));
    return mfx_mono_ms() - began_ms;
}

static void
weathers(void **state)
{
    static const struct {
        const char *label, *conf;
        int score;
        size_t troubles;
        uint64_t at_least_ms, below_ms;
    } cases[] = {
        {"fast",            "lists = { sites = \"fast.test\"; text = \"\"; };",         1, 0, 0,
         3000                                                                                          },
        {"late",
         "lists = { sites = \"late.test, fast.test\"; reject_at = 2; timeout = "
         "\"200ms\"; };",                                                               1, 1, 200, 3000},
        {"no_need_to_wait",
         "lists = { sites = \"late.test, fast.test\"; timeout = \"2900ms\"; "
         "text = \"\"; };",                                                             1, 0, 0,   2900},
        {"servfail",        "lists = { sites = \"half.test\"; };",                      0, 1, 0,   3000},
        {"over_tcp",
         "lists = { sites = \"trunc.test=127.0.0.3\"; text = "
         "\"\"; };",                                                                    1, 0, 0,   3000},
        {"lies",            "lists = { sites = \"lies.test\"; timeout = \"300ms\"; };", 0,
         1,                                                                                   0,   3000},
        {"many",
         "lists = { sites = \"many.test=127.0.0.[4..5]\"; text = "
         "\"\"; };",                                                                    1, 0, 0,   3000},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct weather w;
        if (!begin(&w, cases[i].conf))
            skip();
        struct spf_asking *asking = ask(&w);
        uint64_t took_ms = wait_for(asking);
        const struct spf_score *score = spf_asking_finish(asking);
        unit_assert_int(cases[i].label, score->score, cases[i].score);
        unit_assert_int(cases[i].label, score->trouble_count,
                        cases[i].troubles);
        if (took_ms < cases[i].at_least_ms || took_ms >= cases[i].below_ms)
            fail_msg("%s: took %u ms", cases[i].label, (unsigned)took_ms);
        end(&w);
    }
}

static bool
see_counts(const struct spf_list_view *view, void *arg)
{
    *(struct spf_list_counts *)arg = view->counts;
    return false;
}

/* Many connections of one client at once are one question to the server. */
static void
joined(void **state)
{
    struct weather w;
    struct spf_asking *askings[20];
    struct spf_list_counts counts;
    (void)state;
    if (!begin(&w, "lists = { sites = \"joined.test\"; text = \"\"; };"))
        skip();
    for (size_t i = 0; i < COUNT(askings); i++)
        askings[i] = ask(&w);
    for (size_t i = 0; i < COUNT(askings); i++) {
        (void)wait_for(askings[i]);
        unit_assert_int("score", spf_asking_finish(askings[i])->score, 1);
    }
    struct mfx_dns_question *q =
        mfx_dns_ask(w.env.resolver, mfx_str_of("_count.1.2.0.192.joined.test"),
                    MFX_DNS_TXT);
    assert_true(
        mfx_event_wait(mfx_dns_question_event(q), mfx_mono_ms() + 5000));
    unit_assert_str("packets", mfx_dns_question_answer(q)->records[0].text,
                    mfx_str_of("1"));
    mfx_dns_question_release(q);
    spf_lists_each(w.conf.lists, see_counts, &counts);
    unit_assert_int("asked", counts.asked, COUNT(askings));
    unit_assert_int("hits", counts.hits, COUNT(askings));
    assert_in_range(counts.latency_max_ms, 250, 5000);
    assert_in_range(counts.latency_sum_ms, 250, 5000 * COUNT(askings));
    end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weathers),
        cmocka_unit_test(joined),
    };
    return cmocka_run_group_tests_name("spf_list_weather", tests, NULL, NULL);
}
