/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The Redis store in bad weather: servers that are down, slow, full, busy, not
 * ours, or not the primary any more. */
#include "redis_store.h"

#include <netinet/in.h>
#include <stdatomic.h>

enum {
    BRIEF_MS = 300, /* the store's patience here */
};

static struct log_lines lines = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct mfx_store *
open_brief(const struct mfx_str *servers, size_t count)
{
    struct mfx_store_redis_settings settings = {
        .servers = servers, .server_count = count, .timeout_ms = BRIEF_MS};
    return rs_open_with(&settings);
}

static struct mfx_store *
open_one(const char *server)
{
    struct mfx_str one = mfx_str_of(server);
    return open_brief(&one, 1);
}

/* One that counts 1; how it went, and how long it took. */
static enum mfx_rc
try_op(struct mfx_store *store, enum mfx_store_op op, const char *holder,
       uint64_t *took_ms, struct mfx_err *err)
{
    struct mfx_store_window hour = rs_hour(1000000);
    struct mfx_store_use use = rs_amount("weather", &hour, 1);
    struct mfx_store_answer answer;
    uint64_t begin_ms = mfx_mono_ms();
    enum mfx_rc rc = rs_ask(store, op, holder, &use, &answer, NULL, err);
    *took_ms = mfx_mono_ms() - begin_ms;
    return rc;
}

static void
want_failure(const char *label, struct mfx_store *store, enum mfx_store_op op,
             const char *holder, const char *part)
{
    struct mfx_err err = {{0}};
    uint64_t took_ms;
    unit_assert_int(label, try_op(store, op, holder, &took_ms, &err),
                    MFX_TEMPFAIL);
    if (strstr(err.msg, part) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", label, err.msg, part);
}

static uint64_t
used_of(struct mfx_store *store)
{
    struct mfx_store_window hour = rs_hour(1000000);
    struct mfx_store_use use = rs_amount("weather", &hour, 0);
    struct mfx_store_answer answer;
    struct mfx_store_level level = {.used = 0};
    struct mfx_err err = {{0}};
    if (rs_ask(store, MFX_STORE_CHECK, "x", &use, &answer, &level, &err) !=
        MFX_OK)
        fail_msg("%s", err.msg);
    return level.used;
}

static void
want_logged(const char *label, size_t downs, size_t ups, const char *why)
{
    /* the line may come after the answer that it is about */
    for (int i = 0; i < 200 && log_lines_count(&lines, "store_up", "") < ups;
         i++)
        redis_sleep_ms(5);
    unit_assert_int(label, log_lines_count(&lines, "store_down", ""), downs);
    unit_assert_int(label, log_lines_count(&lines, "store_down", why), downs);
    unit_assert_int(label, log_lines_count(&lines, "store_up", ""), ups);
}

/* --- one server --- */

static void
down_at_start(void **state)
{
    (void)state;
    struct redis_server server = {.is_tls = false};
    assert_true(redis_server_start(&server, NULL));
    redis_server_kill(&server);
    struct mfx_store *store = open_one(server.text);
    rs_wait_health(store, false);
    for (int i = 0; i < 20; i++) {
        struct mfx_err err = {{0}};
        uint64_t took_ms;
        assert_int_equal(try_op(store, MFX_STORE_RESERVE, "d", &took_ms, &err),
                         MFX_TEMPFAIL);
        assert_non_null(strstr(err.msg, "Connection refused"));
        assert_non_null(strstr(err.msg, server.text));
    }
    assert_true(redis_server_run(&server));
    rs_wait_health(store, true);
    assert_int_equal(used_of(store), 0);
    want_logged("start", 1, 1, "Connection refused");
    mfx_store_close(store, 0);
    redis_server_stop(&server);
}

static void
killed_and_back(void **state)
{
    (void)state;
    struct redis_server server = {.is_tls = false};
    uint64_t took_ms;
    assert_true(redis_server_start(&server, NULL));
    struct mfx_store *store = open_one(server.text);
    assert_int_equal(try_op(store, MFX_STORE_COMMIT, "k1", &took_ms, NULL),
                     MFX_OK);
    redis_server_kill(&server);
    rs_wait_health(store, false);
    uint64_t begin_ms = mfx_mono_ms();
    for (int i = 0; i < 50; i++)
        want_failure("killed", store, MFX_STORE_RESERVE, "k2", server.text);
    /* the first may wait for one attempt, the others for nothing */
    assert_true(mfx_mono_ms() - begin_ms < 10 * BRIEF_MS);
    assert_true(redis_server_run(&server));
    rs_wait_health(store, true);
    assert_int_equal(try_op(store, MFX_STORE_COMMIT, "k3", &took_ms, NULL),
                     MFX_OK);
    assert_int_equal(used_of(store), 1); /* it kept nothing on disk */
    struct mfx_store_health health;
    mfx_store_health(store, &health);
    assert_int_equal(health.reconnects, 1);
    assert_int_equal(health.failovers, 0);
    assert_true(health.failures >= 49);
    want_logged("killed", 1, 2, server.text);
    mfx_store_close(store, 0);
    redis_server_stop(&server);
}

/* A connection that is cut while all is well is renewed, and nobody sees it. */
static void
cut_connections(void **state)
{
    (void)state;
    struct redis_server server = {.is_tls = false};
    uint64_t took_ms;
    char answer[100];
    assert_true(redis_server_start(&server, NULL));
    struct mfx_store *store = rs_open(server.text);
    rs_wait_health(store, true);
    for (int i = 0; i < 100; i++) {
        struct mfx_err err = {{0}};
        char holder[20];
        (void)snprintf(holder, sizeof holder, "cut%d", i);
        if (i % 5 == 0)
            (void)redis_server_say(&server, "CLIENT KILL TYPE normal", answer,
                                   sizeof answer);
        if (try_op(store, MFX_STORE_COMMIT, holder, &took_ms, &err) != MFX_OK)
            fail_msg("%s", err.msg);
    }
    assert_int_equal(used_of(store), 100);
    mfx_store_close(store, 0);
    redis_server_stop(&server);
}

/* No answer: the call fails in time, those behind it at once. */
static void
stopped(void **state)
{
    (void)state;
    struct redis_server server = {.is_tls = false};
    struct mfx_err err = {{0}};
    uint64_t took_ms;
    assert_true(redis_server_start(&server, NULL));
    struct mfx_store *store = open_one(server.text);
    assert_int_equal(used_of(store), 0);
    redis_server_signal(&server, SIGSTOP);
    assert_int_equal(try_op(store, MFX_STORE_RESERVE, "s1", &took_ms, &err),
                     MFX_TEMPFAIL);
    assert_true(took_ms >= BRIEF_MS - 20);
    rs_wait_health(store, false);
    want_failure("stopped", store, MFX_STORE_RESERVE, "s2", "");
    uint64_t begin_ms = mfx_mono_ms();
    for (int i = 0; i < 50; i++)
        want_failure("stopped", store, MFX_STORE_RESERVE, "s3", server.text);
    assert_true(mfx_mono_ms() - begin_ms < 10 * BRIEF_MS);
    redis_server_signal(&server, SIGCONT);
    rs_wait_health(store, true);
    want_logged("stopped", 1, 2, "no answer within 300 ms");
    mfx_store_close(store, 0);
    redis_server_stop(&server);
}

/* A COMMIT whose answer is late is asked again, and counts once. */
static void
asleep(void **state)
{
    static const char *const options[] = {"--enable-debug-command", "yes",
                                          NULL};
    (void)state;
    struct redis_server server = {.is_tls = false};
    struct mfx_err err = {{0}};
    uint64_t took_ms;
    assert_true(redis_server_start(&server, options));
    struct mfx_store *store = open_one(server.text);
    assert_int_equal(used_of(store), 0);
    struct mfx_stream_peer *peer = NULL;
    static const struct mfx_str sleep = MFX_STR("DEBUG SLEEP 1.2\r\n");
    assert_int_equal(
        mfx_stream_peer_new(mfx_str_of(server.unix_text), 0, &peer, NULL),
        MFX_OK);
    struct mfx_stream *s = mfx_stream_open(peer, NULL, mfx_mono_ms() + 5000);
    assert_int_equal(mfx_stream_wait_open(s, NULL), MFX_OK);
    assert_int_equal(mfx_stream_write(s, sleep, mfx_mono_ms() + 5000, NULL),
                     MFX_OK);
    redis_sleep_ms(100);
    /* its asker waits 20 s */
    if (try_op(store, MFX_STORE_COMMIT, "late", &took_ms, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    assert_true(took_ms >= BRIEF_MS);
    rs_wait_health(store, true);
    assert_int_equal(used_of(store), 1);
    mfx_stream_close(s);
    mfx_stream_peer_free(peer);
    mfx_store_close(store, 0);
    redis_server_stop(&server);
}

static void
full(void **state)
{
    (void)state;
    struct redis_server server = {.is_tls = false};
    uint64_t took_ms;
    char answer[100];
    assert_true(redis_server_start(&server, NULL));
    struct mfx_store *store = rs_open(server.text);
    assert_int_equal(try_op(store, MFX_STORE_RESERVE, "f1", &took_ms, NULL),
                     MFX_OK);
    (void)redis_server_say(&server, "CONFIG SET maxmemory 1", answer,
                           sizeof answer);
    for (int i = 0; i < 5; i++) {
        want_failure("full", store, MFX_STORE_RESERVE, "f2", "OOM command");
        want_failure("full", store, MFX_STORE_COMMIT, "f2", "OOM command");
        /* what can be done is done, and does not make it well again */
        assert_int_equal(try_op(store, MFX_STORE_CHECK, "f3", &took_ms, NULL),
                         MFX_OK);
    }
    assert_int_equal(try_op(store, MFX_STORE_RELEASE, "f1", &took_ms, NULL),
                     MFX_OK);
    (void)redis_server_say(&server, "CONFIG SET maxmemory 0", answer,
                           sizeof answer);
    assert_int_equal(try_op(store, MFX_STORE_COMMIT, "f2", &took_ms, NULL),
                     MFX_OK);
    assert_int_equal(used_of(store), 1);
    want_logged("full", 1, 2, "OOM");
    mfx_store_close(store, 0);
    redis_server_stop(&server);
}

static void
wrong_password(void **state)
{
    static const char *const options[] = {"--requirepass", "right", NULL};
    static const struct {
        const char *label, *password, *error;
        int protocol;
    } cases[] = {
        {"wrong",   "wr0ng-s3cret", "WRONGPASS", 0},
        {"wrong_2", "wr0ng-s3cret", "WRONGPASS", 2},
        {"none",    "",             "NOAUTH",    0},
        {"none_2",  "",             "NOAUTH",    2},
    };
    (void)state;
    struct redis_server server = {.password = "right"};
    char answer[100];
    assert_true(redis_server_start(&server, options));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_str text = mfx_str_of(server.text);
        struct mfx_store_redis_settings settings = {
            .servers = &text,
            .server_count = 1,
            .password = mfx_str_of(cases[i].password),
            .protocol = cases[i].protocol,
            .timeout_ms = RS_TIMEOUT_MS};
        log_lines_clear(&lines);
        struct mfx_store *store = rs_open_with(&settings);
        rs_wait_health(store, false);
        want_failure(cases[i].label, store, MFX_STORE_RESERVE, "p",
                     cases[i].error);
        if (i == 0) {
            (void)redis_server_say(&server,
                                   "CONFIG SET requirepass wr0ng-s3cret",
                                   answer, sizeof answer);
            server.password = "wr0ng-s3cret";
            rs_wait_health(store, true);
            (void)redis_server_say(&server, "CONFIG SET requirepass right",
                                   answer, sizeof answer);
            server.password = "right";
        }
        want_logged(cases[i].label, 1, i == 0, cases[i].error);
        assert_int_equal(log_lines_count(&lines, "", "s3cret"), 0);
        mfx_store_close(store, 0);
    }
    redis_server_stop(&server);
}

/* A script that does not end: no answer at first, then BUSY. */
static void
busy(void **state)
{
    static const char *const options[] = {"--busy-reply-threshold", "50", NULL};
    static const struct mfx_str loop =
        MFX_STR("EVAL \"while true do end\" 0\r\n");
    (void)state;
    struct redis_server server = {.is_tls = false};
    struct mfx_stream_peer *peer = NULL;
    char answer[100];
    assert_true(redis_server_start(&server, options));
    struct mfx_store *store = open_one(server.text);
    assert_int_equal(used_of(store), 0);
    assert_int_equal(
        mfx_stream_peer_new(mfx_str_of(server.unix_text), 0, &peer, NULL),
        MFX_OK);
    struct mfx_stream *s = mfx_stream_open(peer, NULL, mfx_mono_ms() + 5000);
    assert_int_equal(mfx_stream_wait_open(s, NULL), MFX_OK);
    assert_int_equal(mfx_stream_write(s, loop, mfx_mono_ms() + 5000, NULL),
                     MFX_OK);
    assert_true(redis_server_wait(&server, "PING", "BUSY"));
    want_failure("busy", store, MFX_STORE_RESERVE, "b", "BUSY");
    (void)redis_server_say(&server, "SCRIPT KILL", answer, sizeof answer);
    uint64_t took_ms, until_ms = mfx_mono_ms() + RS_WAIT_MS;
    while (try_op(store, MFX_STORE_COMMIT, "b", &took_ms, NULL) != MFX_OK)
        assert_true(mfx_mono_ms() < until_ms);
    want_logged("busy", 1, 2, "BUSY");
    mfx_stream_close(s);
    mfx_stream_peer_free(peer);
    mfx_store_close(store, 0);
    redis_server_stop(&server);
}

/* --- what is no Redis, or no Redis to work with --- */

struct liar {
    int fd;
    pthread_t thread;
    const char *say;
    char text[32];
};

/* Says the same to all that comes. */
static void *
run_liar(void *arg)
{
    struct liar *liar = arg;
    int fd;
    while ((fd = accept4(liar->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        char bytes[4096];
        size_t len = strlen(liar->say);
        while (recv(fd, bytes, sizeof bytes, 0) > 0)
            if (send(fd, liar->say, len, MSG_NOSIGNAL) != (ssize_t)len)
                break;
        (void)close(fd);
    }
    return NULL;
}

static void
start_liar(struct liar *liar, const char *say)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    *liar = (struct liar){.say = say};
    liar->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(liar->fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(liar->fd, (struct sockaddr *)&in, &len), 0);
    assert_int_equal(listen(liar->fd, 20), 0);
    (void)snprintf(liar->text, sizeof liar->text, "127.0.0.1:%u",
                   ntohs(in.sin_port));
    assert_int_equal(pthread_create(&liar->thread, NULL, run_liar, liar), 0);
}

static void
stop_liar(struct liar *liar)
{
    (void)shutdown(liar->fd, SHUT_RDWR);
    (void)pthread_join(liar->thread, NULL);
    (void)close(liar->fd);
}

static void
strange_servers(void **state)
{
    static const struct {
        const char *label, *say, *error;
    } cases[] = {
        {"http",       "HTTP/1.1 400 Bad Request\r\n\r\n",
         "not what a Redis answers"                                                                     },
        {"smtp",       "220 mail.test ESMTP\r\n",                             "not what a Redis answers"},
        {"loading",    "-LOADING Redis is loading the dataset in memory\r\n",
         "LOADING"                                                                                      },
        {"masterdown", "-MASTERDOWN Link with MASTER is down\r\n",
         "MASTERDOWN"                                                                                   },
        {"ok_to_all",  "+OK\r\n",                                             "no primary"              },
        {"no_line",    "*3\r\n$6\r\nmaster",                                  "no answer in time"       },
        {"huge",       "$999999999\r\n",                                      "not what a Redis answers"},
        {"replica",    "*3\r\n$5\r\nslave\r\n:1\r\n:2\r\n",                   "role is slave"           },
        {"sentinel",   "*2\r\n$8\r\nsentinel\r\n*0\r\n",                      "role is sentinel"        },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct liar liar;
        log_lines_clear(&lines);
        start_liar(&liar, cases[i].say);
        struct mfx_store *store = open_one(liar.text);
        rs_wait_health(store, false);
        want_failure(cases[i].label, store, MFX_STORE_RESERVE, "g",
                     cases[i].error);
        want_logged(cases[i].label, 1, 0, cases[i].error);
        mfx_store_close(store, 0);
        stop_liar(&liar);
    }
}

/* --- several servers --- */

static void
follow(struct redis_server *replica, const struct redis_server *primary)
{
    char command[100], answer[100];
    if (primary == NULL)
        (void)snprintf(command, sizeof command, "REPLICAOF NO ONE");
    else
        (void)snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %u",
                       primary->port);
    assert_string_equal(
        redis_server_say(replica, command, answer, sizeof answer), "OK");
}

static void
wait_replicas(struct redis_server *primary, const char *count)
{
    char command[40];
    (void)snprintf(command, sizeof command, "WAIT %s 1000", count);
    assert_true(redis_server_wait(primary, command, count));
}

/* The roles change while the store is connected: READONLY, and it finds the
 * new primary. */
static void
promoted(void **state)
{
    static const char *const options[] = {"--repl-diskless-sync-delay", "0",
                                          NULL};
    (void)state;
    struct redis_server a = {.is_tls = false}, b = {.is_tls = false};
    uint64_t took_ms;
    assert_true(redis_server_start(&a, options));
    assert_true(redis_server_start(&b, options));
    follow(&b, &a);
    wait_replicas(&a, "1");
    struct mfx_str servers[] = {mfx_str_of(b.text), mfx_str_of(a.text)};
    struct mfx_store_redis_settings settings = {
        .servers = servers, .server_count = 2, .timeout_ms = RS_TIMEOUT_MS};
    struct mfx_store *store = rs_open_with(&settings);
    assert_int_equal(try_op(store, MFX_STORE_COMMIT, "p1", &took_ms, NULL),
                     MFX_OK);
    assert_true(redis_server_wait(&b, "EXISTS mfx:c:weather", "1"));
    struct mfx_store_health health;
    mfx_store_health(store, &health);
    assert_string_equal(health.where, a.text);
    follow(&b, NULL);
    follow(&a, &b);
    struct mfx_err err = {{0}};
    if (try_op(store, MFX_STORE_COMMIT, "p2", &took_ms, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(used_of(store), 2);
    mfx_store_health(store, &health);
    assert_string_equal(health.where, b.text);
    assert_int_equal(health.failovers, 1);
    mfx_store_close(store, 0);
    redis_server_stop(&a);
    redis_server_stop(&b);
}

struct committer {
    pthread_t thread;
    struct mfx_store *store;
    atomic_bool *is_over;
    unsigned number;
    uint64_t done, unknown;
};

static void *
commit_on(void *arg)
{
    struct committer *c = arg;
    for (unsigned i = 0; !atomic_load(c->is_over); i++) {
        char holder[40];
        uint64_t took_ms;
        (void)snprintf(holder, sizeof holder, "c%u/%u", c->number, i);
        if (try_op(c->store, MFX_STORE_COMMIT, holder, &took_ms, NULL) ==
            MFX_OK) {
            c->done++;
        } else {
            c->unknown++;
            redis_sleep_ms(5);
        }
    }
    return NULL;
}

static uint64_t
total_done(const struct committer *committers, size_t count, uint64_t *unknown)
{
    uint64_t done = 0;
    *unknown = 0;
    for (size_t i = 0; i < count; i++) {
        done += committers[i].done;
        *unknown += committers[i].unknown;
    }
    return done;
}

/* The primary is killed in the middle of COMMITs that a replica was waited for:
 * what was answered is counted there. */
static void
failover_loses_nothing(void **state)
{
    enum {
        COMMITTERS = 8,
    };
    static const char *const options[] = {"--repl-diskless-sync-delay", "0",
                                          NULL};
    (void)state;
    struct redis_server a = {.is_tls = false}, b = a, c = a;
    struct committer committers[COMMITTERS];
    atomic_bool is_over = false;
    assert_true(redis_server_start(&a, options));
    assert_true(redis_server_start(&b, options));
    assert_true(redis_server_start(&c, options));
    follow(&b, &a);
    wait_replicas(&a, "1");
    struct mfx_str servers[] = {mfx_str_of(a.text), mfx_str_of(b.text)};
    struct mfx_store_redis_settings settings = {.servers = servers,
                                                .server_count = 2,
                                                .timeout_ms = RS_TIMEOUT_MS,
                                                .wait_replicas = 1,
                                                .wait_ms = 1000};
    struct mfx_store *store = rs_open_with(&settings);
    rs_wait_health(store, true);
    for (unsigned i = 0; i < COMMITTERS; i++) {
        committers[i] = (struct committer){
            .store = store, .is_over = &is_over, .number = i};
        assert_int_equal(pthread_create(&committers[i].thread, NULL, commit_on,
                                        &committers[i]),
                         0);
    }
    redis_sleep_ms(500);
    redis_server_kill(&a);
    redis_sleep_ms(100);
    follow(&b, NULL);
    follow(&c, &b);
    redis_sleep_ms(1500);
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < COMMITTERS; i++)
        (void)pthread_join(committers[i].thread, NULL);
    uint64_t unknown, done = total_done(committers, COMMITTERS, &unknown);
    uint64_t used = used_of(store);
    assert_true(done > 100);
    assert_true(used >= done);
    assert_true(used <= done + unknown);
    struct mfx_store_health health;
    mfx_store_health(store, &health);
    assert_string_equal(health.where, b.text);
    mfx_store_close(store, RS_WAIT_MS);
    redis_server_stop(&a);
    redis_server_stop(&b);
    redis_server_stop(&c);
}

/* Fewer replicas than were asked for: counted, and it says so. */
static void
too_few_replicas(void **state)
{
    (void)state;
    struct redis_server server = {.is_tls = false};
    assert_true(redis_server_start(&server, NULL));
    struct mfx_str text = mfx_str_of(server.text);
    struct mfx_store_redis_settings settings = {.servers = &text,
                                                .server_count = 1,
                                                .timeout_ms = RS_TIMEOUT_MS,
                                                .wait_replicas = 1,
                                                .wait_ms = 50};
    struct mfx_store *store = rs_open_with(&settings);
    want_failure("few", store, MFX_STORE_COMMIT, "w", "only 0 of 1 replicas");
    assert_int_equal(used_of(store), 1);
    mfx_store_close(store, 0);
    redis_server_stop(&server);
}

static void
write_sentinel_config(const struct redis_server *sentinel,
                      const struct redis_server *primary)
{
    char path[100];
    (void)snprintf(path, sizeof path, "%s/sentinel.conf", sentinel->dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(f,
                  "sentinel monitor mail 127.0.0.1 %u 1\n"
                  "sentinel down-after-milliseconds mail 300\n"
                  "sentinel failover-timeout mail 3000\n",
                  primary->port);
    (void)fclose(f);
}

/* Sentinel names the primary; when it is killed, the one that takes over. */
static void
sentinels(void **state)
{
    static const char *const options[] = {"--repl-diskless-sync-delay", "0",
                                          NULL};
    (void)state;
    struct redis_server a = {.is_tls = false}, b = a,
                        s = {.mode = "--sentinel"};
    uint64_t took_ms;
    assert_true(redis_server_start(&a, options));
    assert_true(redis_server_start(&b, options));
    follow(&b, &a);
    wait_replicas(&a, "1");
    assert_true(redis_server_prepare(&s));
    write_sentinel_config(&s, &a);
    assert_true(redis_server_run(&s));
    struct mfx_str servers[] = {MFX_STR("127.0.0.1:1"), mfx_str_of(s.text)};
    struct mfx_store_redis_settings settings = {.servers = servers,
                                                .server_count = 2,
                                                .sentinel_name =
                                                    MFX_STR("mail"),
                                                .timeout_ms = RS_TIMEOUT_MS};
    struct mfx_store *store = rs_open_with(&settings);
    struct mfx_err err = {{0}};
    if (try_op(store, MFX_STORE_COMMIT, "n1", &took_ms, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    assert_true(redis_server_wait(&b, "EXISTS mfx:c:weather", "1"));
    /* the sentinel must know the replica before it can promote it */
    assert_true(redis_server_wait(&s, "SENTINEL CKQUORUM mail", "OK"));
    uint64_t until_ms = mfx_mono_ms() + 2 * RS_WAIT_MS;
    char answer[4096];
    redis_sleep_ms(1500);
    redis_server_kill(&a);
    struct mfx_store_health health;
    do {
        assert_true(mfx_mono_ms() < until_ms);
        redis_sleep_ms(50);
        mfx_store_health(store, &health);
    } while (strcmp(health.where, b.text) != 0);
    if (try_op(store, MFX_STORE_COMMIT, "n2", &took_ms, &err) != MFX_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(used_of(store), 2);
    assert_int_equal(health.failovers, 1);
    mfx_store_close(store, 0);
    settings.sentinel_name = mfx_str_of("other");
    store = rs_open_with(&settings);
    rs_wait_health(store, false);
    want_failure("unknown", store, MFX_STORE_RESERVE, "x",
                 "no primary of the name");
    mfx_store_close(store, 0);
    (void)redis_server_say(&s, "PING", answer, sizeof answer);
    redis_server_stop(&s);
    redis_server_stop(&a);
    redis_server_stop(&b);
}

static int
clear_log(void **state)
{
    (void)state;
    log_lines_clear(&lines);
    return 0;
}

static int
setup(void **state)
{
    (void)state;
    mfx_log_redirect(log_lines_take, &lines);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mfx_log_redirect(NULL, NULL);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(down_at_start, clear_log),
        cmocka_unit_test_setup(killed_and_back, clear_log),
        cmocka_unit_test_setup(cut_connections, clear_log),
        cmocka_unit_test_setup(stopped, clear_log),
        cmocka_unit_test_setup(asleep, clear_log),
        cmocka_unit_test_setup(full, clear_log),
        cmocka_unit_test_setup(wrong_password, clear_log),
        cmocka_unit_test_setup(busy, clear_log),
        cmocka_unit_test_setup(strange_servers, clear_log),
        cmocka_unit_test_setup(promoted, clear_log),
        cmocka_unit_test_setup(failover_loses_nothing, clear_log),
        cmocka_unit_test_setup(too_few_replicas, clear_log),
        cmocka_unit_test_setup(sentinels, clear_log),
    };
    if (!redis_server_is_there()) {
        (void)printf("1..0 # SKIP no redis-server\n");
        return 0;
    }
    return cmocka_run_group_tests_name("redis_weather", tests, setup, teardown);
}
