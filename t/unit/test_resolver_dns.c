/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The resolver against a server of lies, t/lib/dnsliar. */
#include "unit.h"

#include <dirent.h>
#include <pthread.h>

#include <mfx/net/resolver.h>

#include "liar.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    PATIENCE_MS = 20000,
    TIMEOUT_MS = 1500,
};

static const char script[] =
    "plain.test TXT txt 'v=DKIM1; ' 'p=abc'\n"
    "eightbit.test TXT txt '\xE9\xFF'\n"
    "two.test TXT ttl=90 txt one\n"
    "addr.test A a 192.0.2.1 192.0.2.2\n"
    "addr.test AAAA aaaa 2001:db8::1\n"
    "mx.test MX mx 10 Mail.Test\n"
    "1.2.0.192.in-addr.arpa PTR ptr plain.test\n"
    "alias.test TXT ttl=60 alias plain.test txt joined\n"
    "chain8.test TXT chain 8 txt end\n"
    "chain9.test TXT chain 9 txt end\n"
    "loop.test TXT loop\n"
    "astray.test TXT alias gone.test nxdomain\n"
    "void.test TXT nodata 60 40\n"
    "void_no_soa.test TXT nodata nosoa\n"
    "referral.test TXT referral\n"
    "servfail.test TXT servfail\n"
    "refused.test TXT refused\n"
    "badvers.test TXT edns badvers\n"
    "badvers.test TXT noedns txt plain\n"
    "silent.test TXT silent\n"
    "late.test TXT late=300 txt late\n"
    "once_silent.test TXT times=1 silent\n"
    "once_silent.test TXT txt second\n"
    "trunc.test TXT udp truncate\n"
    "trunc.test TXT tcp txt bytcp\n"
    "trunc_both.test TXT truncate\n"
    "big.test TXT bytes 60000\n"
    "k1.test TXT bytes 1000\n"
    "noedns.test TXT edns formerr\n"
    "noedns.test TXT noedns txt plain\n"
    "wrong_id.test TXT id txt lie\n"
    "wrong_question.test TXT question=plain.test txt lie\n"
    "wrong_class.test TXT class txt lie\n"
    "wrong_port.test TXT port txt lie\n"
    "short_rr.test TXT malformed short_rr\n"
    "count.test TXT malformed count\n"
    "pointer_loop.test TXT malformed pointer_loop\n"
    "pointer_ahead.test TXT malformed pointer_ahead\n"
    "txt_length.test TXT malformed txt_length\n"
    "txt_empty.test TXT malformed txt_empty\n"
    "a_length.test A malformed a_length\n"
    "label.test TXT malformed label\n"
    "soa.test TXT malformed soa\n"
    "junk_udp.test TXT udp malformed short_rr\n"
    "junk_udp.test TXT tcp txt bytcp\n"
    "zero.test TXT ttl=0 txt zero\n"
    "ad.test TXT ad txt secure\n"
    "join.test TXT late=300 txt joined\n"
    "port.test TXT ttl=0 txt x\n";

static const char dead_script[] = "nothing.test TXT silent\n"
                                  "plain.test ANY silent\n"
                                  "two.test ANY silent\n"
                                  "addr.test ANY silent\n"
                                  "alias.test ANY silent\n"
                                  "k1.test ANY silent\n"
                                  "late.test ANY servfail\n"
                                  "big.test ANY malformed short_rr\n";

/* --- scaffold --- */

static struct liar liar, dead;

struct clock_env {
    struct mfx_env env;
    _Atomic uint64_t ahead_ms;
};

static uint64_t
moved_mono_ms(const struct mfx_env *env)
{
    const struct clock_env *clock = env->arg;
    return mfx_mono_ms() + clock->ahead_ms;
}

static struct clock_env test_clock;

static void
set_clock(void)
{
    test_clock.env = mfx_env_system();
    test_clock.env.mono_ms = moved_mono_ms;
    test_clock.env.arg = &test_clock;
}

static struct mfx_resolver_dns_config
config_of(const struct mfx_str *servers, size_t count)
{
    return (struct mfx_resolver_dns_config){
        .servers = servers,
        .server_count = count,
        .timeout_ms = TIMEOUT_MS,
        .tries = 2,
        .max_outstanding = 2000,
        .cache_entries = 1000,
        .cache_bytes = 1 << 20,
    };
}

static struct mfx_resolver *
start(const struct mfx_resolver_dns_config *config)
{
    struct mfx_resolver *resolver = NULL;
    struct mfx_err err = {{0}};
    if (mfx_resolver_dns_new(config, &test_clock.env, &resolver, &err) !=
        MFX_OK)
        fail_msg("%s", err.msg);
    return resolver;
}

static struct mfx_resolver *
start_plain(void)
{
    struct mfx_resolver_dns_config config = config_of(&liar.server, 1);
    return start(&config);
}

static struct mfx_dns_question *
ask_type(struct mfx_resolver *resolver, const char *name,
         enum mfx_dns_type type)
{
    struct mfx_dns_question *q = mfx_dns_ask(resolver, mfx_str_of(name), type);
    assert_non_null(q);
    return q;
}

static bool
wait_for(struct mfx_dns_question *q)
{
    return mfx_event_wait(mfx_dns_question_event(q),
                          mfx_mono_ms() + PATIENCE_MS);
}

/* Asks and waits; the status. */
static enum mfx_dns_status
ask_status(struct mfx_resolver *resolver, const char *name)
{
    struct mfx_dns_question *q = ask_type(resolver, name, MFX_DNS_TXT);
    assert_true(wait_for(q));
    enum mfx_dns_status status = mfx_dns_question_answer(q)->status;
    mfx_dns_question_release(q);
    return status;
}

/* What the server reports about a name: "_count", "_ports", "_conns". */
static int
report(struct mfx_resolver *resolver, const char *what, const char *name)
{
    char full[128];
    (void)snprintf(full, sizeof full, "%s.%s", what, name);
    struct mfx_dns_question *q = ask_type(resolver, full, MFX_DNS_TXT);
    assert_true(wait_for(q));
    const struct mfx_dns_answer *a = mfx_dns_question_answer(q);
    assert_int_equal(a->status, MFX_DNS_ANSWER);
    uint64_t number;
    assert_int_equal(mfx_str_to_u64(a->records[0].text, 100000, &number),
                     MFX_OK);
    mfx_dns_question_release(q);
    return (int)number;
}

static size_t
entries_of(const char *path)
{
    size_t count = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count;
}

static int
start_liars(void **state)
{
    (void)state;
    set_clock();
    return liar_start(&liar, script) && liar_start(&dead, dead_script) ? 0 : -1;
}

static int
stop_liars(void **state)
{
    (void)state;
    liar_stop(&liar);
    liar_stop(&dead);
    return 0;
}

/* --- tests --- */

static void
statuses(void **state)
{
    static const struct {
        const char *name;
        enum mfx_dns_type type;
        enum mfx_dns_status status;
        size_t count;
        const char *text;
        uint32_t ttl_s;
    } cases[] = {
        {"plain.test",             MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "v=DKIM1; p=abc", 300},
        {"PLAIN.test.",            MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "v=DKIM1; p=abc", 300},
        {"eightbit.test",          MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "\xE9\xFF",       300},
        {"two.test",               MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "one",            90 },
        {"addr.test",              MFX_DNS_A,    MFX_DNS_ANSWER,    2, "",               300},
        {"addr.test",              MFX_DNS_AAAA, MFX_DNS_ANSWER,    1, "",               300},
        {"mx.test",                MFX_DNS_MX,   MFX_DNS_ANSWER,    1, "mail.test",      300},
        {"1.2.0.192.in-addr.arpa", MFX_DNS_PTR,  MFX_DNS_ANSWER,    1, "plain.test",
         300                                                                                },
        {"alias.test",             MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "joined",         60 },
        {"chain8.test",            MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "end",            300},
        {"chain9.test",            MFX_DNS_TXT,  MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"loop.test",              MFX_DNS_TXT,  MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"astray.test",            MFX_DNS_TXT,  MFX_DNS_NO_NAME,   0, NULL,             60 },
        {"gone.test",              MFX_DNS_TXT,  MFX_DNS_NO_NAME,   0, NULL,             60 },
        {"void.test",              MFX_DNS_TXT,  MFX_DNS_NO_DATA,   0, NULL,             40 },
        {"void_no_soa.test",       MFX_DNS_TXT,  MFX_DNS_NO_DATA,   0, NULL,             0  },
        {"referral.test",          MFX_DNS_TXT,  MFX_DNS_FAILED,    0, NULL,             0  },
        {"servfail.test",          MFX_DNS_TXT,  MFX_DNS_FAILED,    0, NULL,             0  },
        {"refused.test",           MFX_DNS_TXT,  MFX_DNS_FAILED,    0, NULL,             0  },
        {"badvers.test",           MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "plain",          300},
        {"silent.test",            MFX_DNS_TXT,  MFX_DNS_TIMEOUT,   0, NULL,             0  },
        {"late.test",              MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "late",           300},
        {"once_silent.test",       MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "second",         300},
        {"trunc.test",             MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "bytcp",          300},
        {"trunc_both.test",        MFX_DNS_TXT,  MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"noedns.test",            MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "plain",          300},
        {"wrong_id.test",          MFX_DNS_TXT,  MFX_DNS_TIMEOUT,   0, NULL,             0  },
        {"wrong_question.test",    MFX_DNS_TXT,  MFX_DNS_TIMEOUT,   0, NULL,             0  },
        {"wrong_class.test",       MFX_DNS_TXT,  MFX_DNS_TIMEOUT,   0, NULL,             0  },
        {"wrong_port.test",        MFX_DNS_TXT,  MFX_DNS_TIMEOUT,   0, NULL,             0  },
        {"short_rr.test",          MFX_DNS_TXT,  MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"count.test",             MFX_DNS_TXT,  MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"pointer_loop.test",      MFX_DNS_TXT,  MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"pointer_ahead.test",     MFX_DNS_TXT,  MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"txt_length.test",        MFX_DNS_TXT,  MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"txt_empty.test",         MFX_DNS_TXT,  MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"a_length.test",          MFX_DNS_A,    MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"label.test",             MFX_DNS_TXT,  MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"soa.test",               MFX_DNS_TXT,  MFX_DNS_MALFORMED, 0, NULL,             0  },
        {"junk_udp.test",          MFX_DNS_TXT,  MFX_DNS_ANSWER,    1, "bytcp",          300},
    };
    struct mfx_dns_question *questions[COUNT(cases)];
    (void)state;
    struct mfx_resolver *resolver = start_plain();
    for (size_t i = 0; i < COUNT(cases); i++)
        questions[i] = ask_type(resolver, cases[i].name, cases[i].type);
    for (size_t i = 0; i < COUNT(cases); i++) {
        unit_assert_int(cases[i].name, wait_for(questions[i]), true);
        const struct mfx_dns_answer *a = mfx_dns_question_answer(questions[i]);
        unit_assert_int(cases[i].name, a->status, cases[i].status);
        unit_assert_int(cases[i].name, a->count, cases[i].count);
        unit_assert_int(cases[i].name, a->ttl_s, cases[i].ttl_s);
        unit_assert_int(cases[i].name, a->is_authentic, false);
        if (cases[i].text != NULL)
            unit_assert_str(cases[i].name, a->records[0].text,
                            mfx_str_of(cases[i].text));
        mfx_dns_question_release(questions[i]);
    }
    mfx_resolver_free(resolver);
}

/* 1,000 bytes fit into one EDNS answer, 60,000 need TCP. */
static void
large_answers(void **state)
{
    (void)state;
    struct mfx_resolver *resolver = start_plain();
    struct mfx_dns_question *q = ask_type(resolver, "big.test", MFX_DNS_TXT);
    assert_true(wait_for(q));
    const struct mfx_dns_answer *a = mfx_dns_question_answer(q);
    assert_int_equal(a->status, MFX_DNS_ANSWER);
    assert_int_equal(a->records[0].text.len, 60000);
    for (size_t i = 0; i < 60000; i++)
        assert_int_equal(a->records[0].text.p[i], 'x');
    mfx_dns_question_release(q);
    assert_int_equal(report(resolver, "_conns", "big.test"), 1);
    q = ask_type(resolver, "k1.test", MFX_DNS_TXT);
    assert_true(wait_for(q));
    assert_int_equal(mfx_dns_question_answer(q)->records[0].text.len, 1000);
    mfx_dns_question_release(q);
    assert_int_equal(report(resolver, "_conns", "k1.test"), 0);
    mfx_resolver_free(resolver);
}

static void
caching(void **state)
{
    (void)state;
    struct mfx_resolver *resolver = start_plain();
    int before = report(resolver, "_count", "two.test");
    assert_int_equal(ask_status(resolver, "two.test"), MFX_DNS_ANSWER);
    test_clock.ahead_ms = 50000;
    struct mfx_dns_question *q = ask_type(resolver, "Two.Test", MFX_DNS_TXT);
    assert_true(mfx_event_is_set(mfx_dns_question_event(q)));
    assert_in_range(mfx_dns_question_answer(q)->ttl_s, 35, 40);
    mfx_dns_question_release(q);
    assert_int_equal(report(resolver, "_count", "two.test"), before + 1);
    test_clock.ahead_ms = 91000;
    assert_int_equal(ask_status(resolver, "two.test"), MFX_DNS_ANSWER);
    assert_int_equal(report(resolver, "_count", "two.test"), before + 2);
    test_clock.ahead_ms = 0;
    mfx_resolver_free(resolver);
}

/* What is kept and what is asked again. */
static void
kept_or_not(void **state)
{
    static const struct {
        const char *name;
        bool is_kept;
    } cases[] = {
        {"plain.test",       true },
        {"gone2.test",       true },
        {"void.test",        true },
        {"void_no_soa.test", false},
        {"zero.test",        false},
        {"servfail.test",    false},
        {"chain9.test",      false},
    };
    (void)state;
    struct mfx_resolver *resolver = start_plain();
    for (size_t i = 0; i < COUNT(cases); i++) {
        (void)ask_status(resolver, cases[i].name);
        struct mfx_dns_question *q =
            ask_type(resolver, cases[i].name, MFX_DNS_TXT);
        unit_assert_int(cases[i].name,
                        mfx_event_is_set(mfx_dns_question_event(q)),
                        cases[i].is_kept);
        assert_true(wait_for(q));
        mfx_dns_question_release(q);
    }
    struct mfx_resolver_dns_stats stats;
    mfx_resolver_dns_stats(resolver, &stats);
    assert_int_equal(stats.questions, 14);
    assert_int_equal(stats.cache_hits, 3);
    assert_int_equal(stats.cache_entries, 3);
    assert_int_equal(stats.failures, 2);
    assert_int_equal(stats.malformed, 2);
    assert_int_equal(stats.outstanding, 0);
    mfx_resolver_free(resolver);
}

static void
no_cache(void **state)
{
    (void)state;
    struct mfx_resolver_dns_config config = config_of(&liar.server, 1);
    config.cache_entries = 0;
    struct mfx_resolver *resolver = start(&config);
    assert_int_equal(ask_status(resolver, "plain.test"), MFX_DNS_ANSWER);
    assert_int_equal(ask_status(resolver, "plain.test"), MFX_DNS_ANSWER);
    struct mfx_resolver_dns_stats stats;
    mfx_resolver_dns_stats(resolver, &stats);
    assert_int_equal(stats.cache_hits, 0);
    assert_int_equal(stats.cache_bytes, 0);
    mfx_resolver_free(resolver);
}

static void
asked_together(void **state)
{
    enum {
        MANY = 50,
    };
    struct mfx_dns_question *questions[MANY];
    (void)state;
    struct mfx_resolver *resolver = start_plain();
    for (int i = 0; i < MANY; i++)
        questions[i] =
            ask_type(resolver, i % 2 ? "join.test" : "JOIN.test.", MFX_DNS_TXT);
    for (int i = 0; i < MANY; i++) {
        assert_true(wait_for(questions[i]));
        assert_int_equal(mfx_dns_question_answer(questions[i])->count, 1);
        mfx_dns_question_release(questions[i]);
    }
    assert_int_equal(report(resolver, "_count", "join.test"), 1);
    struct mfx_resolver_dns_stats stats;
    mfx_resolver_dns_stats(resolver, &stats);
    assert_int_equal(stats.joined, MANY - 1);
    mfx_resolver_free(resolver);
}

/* Who does not wait loses only the waiting: the answer is kept. */
static void
abandoned(void **state)
{
    (void)state;
    struct mfx_resolver *resolver = start_plain();
    struct mfx_dns_question *q = ask_type(resolver, "late.test", MFX_DNS_TXT);
    assert_false(mfx_event_wait(mfx_dns_question_event(q), mfx_mono_ms() + 20));
    assert_int_equal(mfx_dns_question_answer(q)->status, MFX_DNS_TIMEOUT);
    mfx_dns_question_release(q);
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    struct mfx_resolver_dns_stats stats;
    do {
        (void)usleep(10000);
        mfx_resolver_dns_stats(resolver, &stats);
    } while (stats.outstanding > 0 && mfx_mono_ms() < until_ms);
    q = ask_type(resolver, "late.test", MFX_DNS_TXT);
    assert_true(mfx_event_is_set(mfx_dns_question_event(q)));
    assert_int_equal(mfx_dns_question_answer(q)->status, MFX_DNS_ANSWER);
    mfx_dns_question_release(q);
    mfx_resolver_free(resolver);
}

/* Servers that are silent, that fail and that talk nonsense are passed by. */
static void
second_server(void **state)
{
    static const char *const names[] = {"late.test", "big.test", "plain.test",
                                        "two.test", "alias.test"};
    (void)state;
    struct mfx_str servers[] = {dead.server, liar.server};
    struct mfx_resolver_dns_config config = config_of(servers, 2);
    config.timeout_ms = 4000;
    struct mfx_resolver *resolver = start(&config);
    for (size_t i = 0; i < COUNT(names); i++)
        unit_assert_int(names[i], ask_status(resolver, names[i]),
                        MFX_DNS_ANSWER);
    /* three misses running: now the dead one is asked last */
    uint64_t started_ms = mfx_mono_ms();
    assert_int_equal(ask_status(resolver, "k1.test"), MFX_DNS_ANSWER);
    assert_in_range(mfx_mono_ms() - started_ms, 0, 900);
    mfx_resolver_free(resolver);
}

/* Nobody listens there: known at once. */
static void
refused_port(void **state)
{
    struct mfx_str servers[] = {MFX_STR("127.0.0.1:1"), {0}};
    (void)state;
    servers[1] = liar.server;
    struct mfx_resolver_dns_config config = config_of(servers, 1);
    struct mfx_resolver *resolver = start(&config);
    assert_int_equal(ask_status(resolver, "plain.test"), MFX_DNS_FAILED);
    mfx_resolver_free(resolver);
    config.server_count = 2;
    resolver = start(&config);
    assert_int_equal(ask_status(resolver, "plain.test"), MFX_DNS_ANSWER);
    mfx_resolver_free(resolver);
}

static void
over_tcp(void **state)
{
    (void)state;
    struct mfx_resolver_dns_config config = config_of(&liar.server, 1);
    config.use_tcp = true;
    struct mfx_resolver *resolver = start(&config);
    int before = report(resolver, "_conns", "plain.test");
    assert_int_equal(ask_status(resolver, "plain.test"), MFX_DNS_ANSWER);
    assert_int_equal(ask_status(resolver, "big.test"), MFX_DNS_ANSWER);
    assert_int_equal(report(resolver, "_conns", "plain.test"), before + 1);
    assert_int_equal(ask_status(resolver, "silent.test"), MFX_DNS_TIMEOUT);
    mfx_resolver_free(resolver);
}

static void
authentic(void **state)
{
    (void)state;
    for (int trust = 0; trust < 2; trust++) {
        struct mfx_resolver_dns_config config = config_of(&liar.server, 1);
        config.trust_ad = trust == 1;
        struct mfx_resolver *resolver = start(&config);
        struct mfx_dns_question *q = ask_type(resolver, "ad.test", MFX_DNS_TXT);
        assert_true(wait_for(q));
        assert_int_equal(mfx_dns_question_answer(q)->is_authentic, trust);
        mfx_dns_question_release(q);
        mfx_resolver_free(resolver);
    }
}

static void
over_the_limit(void **state)
{
    struct mfx_dns_question *open[4];
    char name[32];
    (void)state;
    struct mfx_str servers[] = {dead.server};
    struct mfx_resolver_dns_config config = config_of(servers, 1);
    config.max_outstanding = 4;
    struct mfx_resolver *resolver = start(&config);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "%s",
                       (const char *[]){"nothing.test", "plain.test",
                                        "two.test", "addr.test"}[i]);
        open[i] = ask_type(resolver, name, MFX_DNS_TXT);
        assert_false(mfx_event_is_set(mfx_dns_question_event(open[i])));
    }
    struct mfx_dns_question *q = ask_type(resolver, "more.test", MFX_DNS_TXT);
    assert_true(mfx_event_is_set(mfx_dns_question_event(q)));
    assert_int_equal(mfx_dns_question_answer(q)->status, MFX_DNS_TIMEOUT);
    mfx_dns_question_release(q);
    q = ask_type(resolver, "plain.test", MFX_DNS_TXT); /* joins */
    assert_false(mfx_event_is_set(mfx_dns_question_event(q)));
    assert_true(wait_for(q));
    mfx_dns_question_release(q);
    for (int i = 0; i < 4; i++) {
        assert_true(wait_for(open[i]));
        mfx_dns_question_release(open[i]);
    }
    struct mfx_resolver_dns_stats stats;
    mfx_resolver_dns_stats(resolver, &stats);
    assert_int_equal(stats.refused_over_limit, 1);
    assert_int_equal(stats.outstanding, 0);
    mfx_resolver_free(resolver);
}

/* 5,000 different questions to a silent server: few sockets, one thread, and
 * no question is without an answer. */
static void
dead_server_flood(void **state)
{
    enum {
        MANY = 5000,
    };
    static struct mfx_dns_question *questions[MANY];
    (void)state;
    struct liar silent;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    for (int i = 0; i < MANY; i++)
        (void)fprintf(file, "q%d.test ANY silent\n", i);
    (void)fclose(file);
    assert_true(liar_start(&silent, text));
    free(text);
    size_t sockets = entries_of("/proc/self/fd");
    size_t threads = entries_of("/proc/self/task");
    struct mfx_resolver_dns_config config = config_of(&silent.server, 1);
    config.max_outstanding = 3000;
    struct mfx_resolver *resolver = start(&config);
    for (int i = 0; i < MANY; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "q%d.test", i);
        questions[i] = ask_type(resolver, name, MFX_DNS_TXT);
        if (i % 500 == 0) {
            (void)usleep(1000);
            assert_in_range(entries_of("/proc/self/fd"), 0, sockets + 11);
            assert_in_range(entries_of("/proc/self/task"), 0, threads + 1);
        }
    }
    for (int i = 0; i < MANY; i++) {
        assert_true(wait_for(questions[i]));
        assert_int_equal(mfx_dns_question_answer(questions[i])->status,
                         MFX_DNS_TIMEOUT);
        mfx_dns_question_release(questions[i]);
    }
    struct mfx_resolver_dns_stats stats;
    mfx_resolver_dns_stats(resolver, &stats);
    assert_int_equal(stats.refused_over_limit + stats.timeouts, MANY);
    mfx_resolver_free(resolver);
    assert_int_equal(entries_of("/proc/self/fd"), sockets);
    assert_int_equal(entries_of("/proc/self/task"), threads);
    liar_stop(&silent);
}

/* Even while one question keeps the socket open. */
static void
source_ports_change(void **state)
{
    (void)state;
    struct mfx_str servers[] = {liar.server};
    struct mfx_resolver_dns_config config = config_of(servers, 1);
    config.timeout_ms = 60000;
    config.tries = 1;
    struct mfx_resolver *resolver = start(&config);
    struct mfx_dns_question *open =
        ask_type(resolver, "silent.test", MFX_DNS_TXT);
    for (int i = 0; i < 350; i++)
        assert_int_equal(ask_status(resolver, "port.test"), MFX_DNS_ANSWER);
    assert_in_range(report(resolver, "_ports", "port.test"), 4, 350);
    mfx_dns_question_release(open);
    mfx_resolver_free(resolver);
}

static void
freed_while_open(void **state)
{
    (void)state;
    struct mfx_resolver *resolver = start_plain();
    struct mfx_dns_question *a = ask_type(resolver, "silent.test", MFX_DNS_TXT);
    struct mfx_dns_question *b = ask_type(resolver, "late.test", MFX_DNS_TXT);
    struct mfx_dns_question *c = ask_type(resolver, "big.test", MFX_DNS_TXT);
    mfx_dns_question_release(b);
    uint64_t started_ms = mfx_mono_ms();
    mfx_resolver_free(resolver);
    assert_in_range(mfx_mono_ms() - started_ms, 0, 1000);
    assert_true(mfx_event_is_set(mfx_dns_question_event(a)));
    assert_int_equal(mfx_dns_question_answer(a)->status, MFX_DNS_TIMEOUT);
    assert_true(mfx_event_is_set(mfx_dns_question_event(c)));
    mfx_dns_question_release(a);
    mfx_dns_question_release(c);
}

static void *
ask_much(void *arg)
{
    static const char *const names[] = {
        "plain.test",  "alias.test", "gone.test",     "void.test",
        "zero.test",   "big.test",   "servfail.test", "late.test",
        "chain8.test", "trunc.test", "short_rr.test", "silent.test"};
    struct mfx_resolver *resolver = arg;
    for (size_t i = 0; i < 300; i++) {
        struct mfx_dns_question *q =
            ask_type(resolver, names[i % (i % 50 == 0 ? 12 : 9)], MFX_DNS_TXT);
        if (i % 7 != 0)
            (void)mfx_event_wait(mfx_dns_question_event(q),
                                 mfx_mono_ms() + (i % 3 == 0 ? 5 : 200));
        const struct mfx_dns_answer *a = mfx_dns_question_answer(q);
        for (size_t k = 0; k < a->count; k++)
            if (a->records[k].text.len > 60000)
                fail_msg("text too long");
        mfx_dns_question_release(q);
    }
    return NULL;
}

static void
many_threads(void **state)
{
    pthread_t threads[16];
    (void)state;
    struct mfx_resolver_dns_config config = config_of(&liar.server, 1);
    config.cache_entries = 3;
    struct mfx_resolver *resolver = start(&config);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_much, resolver),
                         0);
    for (size_t i = 0; i < COUNT(threads); i++)
        (void)pthread_join(threads[i], NULL);
    struct mfx_resolver_dns_stats stats;
    mfx_resolver_dns_stats(resolver, &stats);
    assert_int_equal(stats.questions, 16 * 300);
    assert_in_range(stats.cache_entries, 1, 3);
    mfx_resolver_free(resolver);
}

static void
bad_configuration(void **state)
{
    static const char *const servers[] = {"",
                                          "ns.test",
                                          "127.0.0.1:",
                                          "127.0.0.1:0",
                                          "127.0.0.1:65536",
                                          "127.0.0.1:x",
                                          "[::1",
                                          "::1:53:zz"};
    struct mfx_env env = mfx_env_system();
    struct mfx_resolver *resolver = NULL;
    struct mfx_err err = {{0}};
    (void)state;
    for (size_t i = 0; i < COUNT(servers); i++) {
        struct mfx_str server = mfx_str_of(servers[i]);
        struct mfx_resolver_dns_config config = config_of(&server, 1);
        unit_assert_int(servers[i],
                        mfx_resolver_dns_new(&config, &env, &resolver, &err),
                        MFX_PERMFAIL);
    }
    struct mfx_str many[9];
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = mfx_str_of("127.0.0.1");
    struct mfx_resolver_dns_config config = config_of(many, COUNT(many));
    assert_int_equal(mfx_resolver_dns_new(&config, &env, &resolver, &err),
                     MFX_PERMFAIL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses),
        cmocka_unit_test(large_answers),
        cmocka_unit_test(caching),
        cmocka_unit_test(kept_or_not),
        cmocka_unit_test(no_cache),
        cmocka_unit_test(asked_together),
        cmocka_unit_test(abandoned),
        cmocka_unit_test(second_server),
        cmocka_unit_test(refused_port),
        cmocka_unit_test(over_tcp),
        cmocka_unit_test(authentic),
        cmocka_unit_test(over_the_limit),
        cmocka_unit_test(dead_server_flood),
        cmocka_unit_test(source_ports_change),
        cmocka_unit_test(freed_while_open),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(bad_configuration),
    };
    struct liar probe;
    if (!liar_start(&probe, "")) {
        puts("1..0 # SKIP t/lib/dnsliar does not start (no python3?)");
        return 0;
    }
    liar_stop(&probe);
    return cmocka_run_group_tests_name("resolver_dns", tests, start_liars,
                                       stop_liars);
}
