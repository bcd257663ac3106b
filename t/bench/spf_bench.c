/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_bench - the wall time of a whole SPF check that finds nothing cached,
 * against the chain of questions that it cannot do without
 *
 *     spf_bench ADDRESS:PORT COUNT IP SENDER-DOMAIN NAME/TYPE...
 *
 * COUNT times, in turn: the questions NAME/TYPE (TXT or A) one after another,
 * each sent when the last is answered; and a check of SENDER-DOMAIN for client
 * IP, which must pass. Both on one resolver without a cache. One line of
 * key=value comes out: medians in microseconds, and the check's questions. */
#include <mfx/auth/spf.h>
#include <mfx/base/buf.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    WARM = 50,
    WAIT_MS = 5000,
    USAGE = 64,
    FIRST_LINK = 5,
};

struct bench {
    struct mfx_env env;
    struct mfx_spf_config config;
    struct mfx_spf_request request;
    struct mfx_arena *arena;
    char **chain;
    unsigned questions; /* of the last check */
};

__attribute__((noreturn)) static void
die(const char *what)
{
    (void)fprintf(stderr, "spf_bench: %s\n", what);
    exit(1);
}

static double
now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
ask(const struct bench *b, struct mfx_str link)
{
    struct mfx_str name;
    (void)mfx_str_cut(&link, '/', &name);
    enum mfx_dns_type type = mfx_str_is(link, "TXT") ? MFX_DNS_TXT : MFX_DNS_A;
    struct mfx_dns_question *q = mfx_dns_ask(b->env.resolver, name, type);
    struct mfx_event *event = q ? mfx_dns_question_event(q) : NULL;
    if (q == NULL || !mfx_event_wait_any(&event, 1, mfx_mono_ms() + WAIT_MS) ||
        mfx_dns_question_answer(q)->status != MFX_DNS_ANSWER)
        die("a question of the chain has no answer");
    mfx_dns_question_release(q);
}

static double
chain(const struct bench *b)
{
    double began = now_us();
    for (char **link = b->chain; *link != NULL; link++)
        ask(b, mfx_str_of(*link));
    return now_us() - began;
}

static double
check(struct bench *b)
{
    struct mfx_event *events[MFX_EVENT_ANY_MAX];
    size_t count;
    double began = now_us();
    struct mfx_spf_check *c =
        mfx_spf_begin(b->arena, &b->env, &b->config, &b->request);
    if (c == NULL)
        die("out of memory");
    while ((count = mfx_spf_events(c, events, MFX_EVENT_ANY_MAX)) > 0 &&
           mfx_event_wait_any(events, count, mfx_spf_deadline_ms(c)))
        ;
    const struct mfx_spf_outcome *outcome = mfx_spf_finish(c);
    double took = now_us() - began;
    if (outcome->result != MFX_SPF_PASS)
        die("the check does not pass");
    b->questions = outcome->queries;
    mfx_arena_reset(b->arena);
    return took;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

static void
measure(struct bench *b, size_t count)
{
    double *chains = calloc(count, sizeof *chains);
    double *checks = calloc(count, sizeof *checks);
    if (chains == NULL || checks == NULL)
        die("out of memory");
    for (size_t i = 0; i < WARM; i++)
        (void)(chain(b) + check(b));
    for (size_t i = 0; i < count; i++) {
        chains[i] = chain(b);
        checks[i] = check(b);
    }
    (void)printf("chain_us=%.1f check_us=%.1f questions=%u\n",
                 median(chains, count), median(checks, count), b->questions);
    free(chains);
    free(checks);
}

static struct mfx_resolver *
uncached(const char *server, const struct mfx_env *env)
{
    struct mfx_err err = {0};
    struct mfx_str text = mfx_str_of(server);
    struct mfx_resolver *resolver;
    const struct mfx_resolver_dns_config config = {
        .servers = &text,
        .server_count = 1,
        .timeout_ms = WAIT_MS,
        .tries = 2,
        .max_outstanding = 2000,
    };
    if (mfx_resolver_dns_new(&config, env, &resolver, &err) != MFX_OK)
        die(err.msg);
    return resolver;
}

int
main(int argc, char **argv)
{
    uint64_t count;
    struct bench b = {.env = mfx_env_system(),
                      .config = mfx_spf_config_default(),
                      .arena = mfx_arena_new(0)};
    if (argc <= FIRST_LINK || b.arena == NULL ||
        mfx_str_to_u64(mfx_str_of(argv[2]), UINT32_MAX, &count) != MFX_OK ||
        count == 0 ||
        mfx_ip_parse(mfx_str_of(argv[3]), &b.request.ip) != MFX_OK)
        return USAGE;
    char sender[300];
    (void)snprintf(sender, sizeof sender, "writer@%s", argv[4]);
    b.request.identity = MFX_SPF_MAIL_FROM;
    b.request.helo = mfx_str_of("client.example.org");
    b.request.sender = mfx_str_of(sender);
    b.chain = argv + FIRST_LINK;
    b.env.resolver = uncached(argv[1], &b.env);
    measure(&b, (size_t)count);
    mfx_resolver_free(b.env.resolver);
    mfx_arena_free(b.arena);
    return 0;
}
