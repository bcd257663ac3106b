/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all engines have in common: the message, the loop, the servers. It is
 * tried with clamd's protocol. */
#include "unit.h"

#include "scan_clamd.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct mfx_scan_server
server_of(const struct scan_peer *peer)
{
    return (struct mfx_scan_server){.address = mfx_str_of(peer->text)};
}

/* --- servers --- */

static void
serve_clean(struct scan_peer *peer, int fd, unsigned number)
{
    char command[40];
    (void)number;
    if (!clam_next(fd, command, sizeof command))
        return;
    atomic_fetch_add(&peer->asked, 1);
    clam_stream(fd, peer->arg);
    clam_say(fd, "stream: OK");
}

/* Greets nobody, takes no orders. */
static void
serve_close(struct scan_peer *peer, int fd, unsigned number)
{
    (void)fd;
    (void)number;
    atomic_fetch_add(&peer->asked, 1);
}

/* Until *arg says that it is well again. */
static void
serve_ill(struct scan_peer *peer, int fd, unsigned number)
{
    atomic_bool *is_well = peer->arg;
    char command[40];
    (void)number;
    if (!atomic_load(is_well) || !clam_next(fd, command, sizeof command))
        return;
    atomic_fetch_add(&peer->asked, 1);
    clam_stream(fd, NULL);
    clam_say(fd, "stream: OK");
}

/* Takes all, and answers when the test has set *arg. */
static void
serve_held(struct scan_peer *peer, int fd, unsigned number)
{
    atomic_bool *may_answer = peer->arg;
    char command[40];
    (void)number;
    if (!clam_next(fd, command, sizeof command))
        return;
    clam_stream(fd, NULL);
    atomic_fetch_add(&peer->asked, 1);
    while (!atomic_load(may_answer))
        if (scan_peer_sleep(peer, 2))
            return;
    clam_say(fd, "stream: OK");
}

static void
wait_for(atomic_uint *count, unsigned want)
{
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    while (atomic_load(count) < want) {
        if (mfx_mono_ms() > until_ms)
            fail_msg("only %u of %u came", atomic_load(count), want);
        (void)usleep(1000);
    }
}

/* --- one server --- */

static void
a_message_arrives_as_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        size_t len, memory;
    } cases[] = {
        {"empty",                 0,       1 << 20},
        {"small",                 50,      1 << 20},
        {"several chunks",        300000,  1 << 20},
        {"in a file",             300000,  1000   },
        {"a large one in a file", 3000000, 100000 },
    };
    struct mfx_scan_loop *loop = test_loop();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_buf seen;
        struct scan_peer peer;
        mfx_buf_init(&seen, 1 << 23);
        scan_peer_start(&peer, serve_clean, &seen, NULL);
        struct mfx_scan_server servers[] = {server_of(&peer)};
        struct mfx_scan_engine_settings settings = test_settings(servers, 1);
        struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_body *body = mfx_scan_body_new(cases[i].memory, NULL);
        struct mfx_scan *scan = test_begin(arena, engine, body, PATIENCE_MS);
        assert_int_equal(mfx_scan_deadline_ms(scan), UINT64_MAX);
        char piece[777];
        for (size_t at = 0; at < cases[i].len; at += sizeof piece) {
            size_t n = cases[i].len - at;
            if (n > sizeof piece)
                n = sizeof piece;
            for (size_t k = 0; k < n; k++)
                piece[k] = (char)((at + k) % 251);
            mfx_scan_body_add(body, mfx_str(piece, n));
        }
        mfx_scan_body_end(body);
        const struct mfx_scan_result *r = test_finish(scan);
        unit_assert_int(cases[i].label, r->end, MFX_SCAN_ANSWERED);
        unit_assert_int(cases[i].label, r->tries, 1);
        unit_assert_str(cases[i].label, r->server, mfx_str_of(peer.text));
        mfx_scan_body_free(body);
        mfx_arena_free(arena);
        mfx_scan_engine_free(engine);
        scan_peer_stop(&peer);
        struct mfx_str got = mfx_buf_str(&seen);
        struct mfx_str lead = MFX_STR("From mfx\n");
        unit_assert_int(cases[i].label, got.len, lead.len + cases[i].len);
        unit_assert_str(cases[i].label, mfx_str_head(got, lead.len), lead);
        for (size_t k = 0; k < cases[i].len; k++)
            if (got.p[lead.len + k] != (char)(k % 251))
                fail_msg("%s: byte %zu", cases[i].label, k);
        mfx_buf_fini(&seen);
    }
    mfx_scan_loop_free(loop);
}

static void
serve_watched(struct scan_peer *peer, int fd, unsigned number)
{
    char command[40];
    (void)number;
    if (!clam_next(fd, command, sizeof command))
        return;
    while (clam_chunk(fd, NULL) > 0)
        atomic_fetch_add(&peer->asked, 1);
    clam_say(fd, "stream: OK");
}

static void
it_is_sent_while_it_arrives(void **state)
{
    (void)state;
    struct mfx_scan_loop *loop = test_loop();
    struct scan_peer peer;
    scan_peer_start(&peer, serve_watched, NULL, NULL);
    struct mfx_scan_server servers[] = {server_of(&peer)};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_scan_body *body = mfx_scan_body_new(1 << 20, NULL);
    struct mfx_scan *scan = test_begin(arena, engine, body, PATIENCE_MS);
    static const char much[65535];
    mfx_scan_body_add(body, mfx_str(much, sizeof much));
    (void)usleep(20000);
    assert_int_equal(atomic_load(&peer.count), 0); /* it may be whole soon */
    mfx_scan_body_add(body, mfx_str("x", 1));
    wait_for(&peer.asked, 2); /* the line in front, and what there is */
    for (unsigned i = 3; i < 6; i++) {
        mfx_scan_body_add(body, mfx_str_of("a line\r\n"));
        wait_for(&peer.asked, i);
    }
    assert_non_null(mfx_scan_pending(scan));
    mfx_scan_body_end(body);
    assert_int_equal(test_finish(scan)->end, MFX_SCAN_ANSWERED);
    mfx_scan_body_free(body);
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    mfx_scan_loop_free(loop);
    scan_peer_stop(&peer);
}

/* Of a scan that has nothing to do yet the loop knows nothing. */
static void
the_loop_ends_before_the_message(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        struct mfx_scan_loop *loop = test_loop();
        struct mfx_scan_server servers[] = {
            {.address = MFX_STR("127.0.0.1:1")}};
        struct mfx_scan_engine_settings settings = test_settings(servers, 1);
        struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_body *body = mfx_scan_body_new(1 << 20, NULL);
        struct mfx_scan *scan = test_begin(arena, engine, body, PATIENCE_MS);
        if (way == 0) /* it is cancelled while there is one */
            assert_int_equal(mfx_scan_cancel(scan)->end, MFX_SCAN_CANCELLED);
        mfx_scan_engine_free(engine);
        mfx_scan_loop_free(loop);
        mfx_scan_body_add(body, mfx_str_of("a line\r\n"));
        if (way == 2) { /* nobody asks any more */
            mfx_arena_free(arena);
            arena = NULL;
        }
        mfx_scan_body_end(body);
        if (way < 2)
            assert_int_equal(mfx_scan_finish(scan)->end, MFX_SCAN_CANCELLED);
        mfx_scan_body_free(body);
        mfx_arena_free(arena);
    }
}

static void
large_messages(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        size_t max;
        bool scans_part;
        enum mfx_scan_end end;
        bool is_partial;
        size_t seen; /* besides the line in front */
    } cases[] = {
        {"no limit",          0,      false, MFX_SCAN_ANSWERED,  false, 100000},
        {"just within",       100000, false, MFX_SCAN_ANSWERED,  false, 100000},
        {"one byte too many", 99999,  false, MFX_SCAN_TOO_LARGE, false, 0     },
        {"the first part",    99999,  true,  MFX_SCAN_ANSWERED,  true,  99999 },
        {"a small part",      10,     true,  MFX_SCAN_ANSWERED,  true,  10    },
    };
    static char text[100001];
    memset(text, 'x', sizeof text - 1);
    struct mfx_scan_loop *loop = test_loop();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_buf seen;
        struct scan_peer peer;
        mfx_buf_init(&seen, 1 << 20);
        scan_peer_start(&peer, serve_clean, &seen, NULL);
        struct mfx_scan_server servers[] = {server_of(&peer)};
        struct mfx_scan_engine_settings settings = test_settings(servers, 1);
        settings.max_size = cases[i].max;
        settings.scans_part = cases[i].scans_part;
        struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
        struct mfx_arena *arena = mfx_arena_new(0);
        const struct mfx_scan_result *r =
            test_ask(arena, engine, text, PATIENCE_MS);
        unit_assert_int(cases[i].label, r->end, cases[i].end);
        unit_assert_int(cases[i].label, r->is_partial, cases[i].is_partial);
        mfx_arena_free(arena);
        mfx_scan_engine_free(engine);
        scan_peer_stop(&peer);
        if (cases[i].seen > 0)
            unit_assert_int(cases[i].label, seen.len - 9, cases[i].seen);
        mfx_buf_fini(&seen);
    }
    mfx_scan_loop_free(loop);
}

static void
what_cannot_be_kept(void **state)
{
    (void)state;
    struct mfx_scan_loop *loop = test_loop();
    struct scan_peer peer;
    scan_peer_start(&peer, serve_clean, NULL, NULL);
    struct mfx_scan_server servers[] = {server_of(&peer)};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_scan_body *body = mfx_scan_body_new(100, "/nowhere/at/all");
    struct mfx_scan *scan = test_begin(arena, engine, body, PATIENCE_MS);
    char piece[200] = "";
    mfx_scan_body_add(body, mfx_str(piece, sizeof piece));
    mfx_scan_body_end(body);
    const struct mfx_scan_result *r = test_finish(scan);
    assert_int_equal(r->end, MFX_SCAN_UNSTORED);
    unit_assert_str("words", r->words,
                    mfx_str_of("temporary file: No such file or directory"));
    assert_int_equal(mfx_scan_body_check(body, NULL), MFX_TEMPFAIL);
    mfx_scan_body_free(body);
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    mfx_scan_loop_free(loop);
    scan_peer_stop(&peer);
}

/* --- time --- */

static void
an_answer_that_does_not_come(void **state)
{
    (void)state;
    struct mfx_scan_loop *loop = test_loop();
    struct scan_peer peer;
    atomic_bool may_answer = false;
    scan_peer_start(&peer, serve_held, &may_answer, NULL);
    struct mfx_scan_server servers[] = {server_of(&peer)};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    /* it ends by itself */
    uint64_t began_ms = mfx_mono_ms();
    const struct mfx_scan_result *r = test_ask(arena, engine, "x", SHORT_MS);
    assert_int_equal(r->end, MFX_SCAN_TIMEOUT);
    assert_true(r->took_ms >= SHORT_MS);
    assert_true(mfx_mono_ms() - began_ms < PATIENCE_MS);
    /* or when nobody waits */
    struct mfx_scan_body *body = test_body("x");
    struct mfx_scan *scan = test_begin(arena, engine, body, PATIENCE_MS);
    wait_for(&peer.asked, 2);
    assert_non_null(mfx_scan_pending(scan));
    assert_int_equal(mfx_scan_finish(scan)->end, MFX_SCAN_TIMEOUT);
    assert_null(mfx_scan_pending(scan));
    scan = test_begin(arena, engine, body, PATIENCE_MS);
    wait_for(&peer.asked, 3);
    assert_int_equal(mfx_scan_cancel(scan)->end, MFX_SCAN_CANCELLED);
    assert_int_equal(mfx_scan_finish(scan)->end, MFX_SCAN_CANCELLED);
    /* the arena's end is enough */
    (void)test_begin(arena, engine, body, PATIENCE_MS);
    wait_for(&peer.asked, 4);
    mfx_arena_free(arena);
    /* and the end of all: what waits then is told */
    arena = mfx_arena_new(0);
    scan = test_begin(arena, engine, body, PATIENCE_MS);
    mfx_scan_loop_free(loop);
    assert_null(mfx_scan_pending(scan));
    assert_int_equal(mfx_scan_finish(scan)->end, MFX_SCAN_CANCELLED);
    scan = test_begin(arena, engine, body, PATIENCE_MS);
    assert_int_equal(mfx_scan_finish(scan)->end, MFX_SCAN_CANCELLED);
    mfx_scan_body_free(body);
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    scan_peer_stop(&peer);
}

/* A reload drops its engine while messages are still being asked about. */
static void
an_engine_is_replaced(void **state)
{
    (void)state;
    enum {
        ASKED = 30,
    };
    struct mfx_scan_loop *loop = test_loop();
    struct scan_peer peer;
    atomic_bool may_answer = false;
    scan_peer_start(&peer, serve_held, &may_answer, NULL);
    struct mfx_scan_server servers[] = {server_of(&peer)};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    settings.max_connections = 10;
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_scan_body *body = test_body("x");
    struct mfx_scan *scans[2 * ASKED];
    for (int round = 0; round < 2; round++) {
        struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
        for (int i = 0; i < ASKED; i++)
            scans[round * ASKED + i] =
                test_begin(arena, engine, body, PATIENCE_MS);
        mfx_scan_engine_free(engine);
    }
    wait_for(&peer.asked, 20);
    atomic_store(&may_answer, true);
    for (int i = 0; i < 2 * ASKED; i++)
        assert_int_equal(test_finish(scans[i])->end, MFX_SCAN_ANSWERED);
    mfx_scan_body_free(body);
    mfx_arena_free(arena);
    mfx_scan_loop_free(loop);
    scan_peer_stop(&peer);
}

/* --- several servers --- */

/* One that is silent leaves time for the next. */
static void
a_silent_server(void **state)
{
    (void)state;
    struct mfx_scan_loop *loop = test_loop();
    struct scan_peer silent, good;
    atomic_bool may_answer = false;
    scan_peer_start(&silent, serve_held, &may_answer, NULL);
    scan_peer_start(&good, serve_clean, NULL, NULL);
    struct mfx_scan_server servers[] = {server_of(&silent), server_of(&good)};
    struct mfx_scan_engine_settings settings = test_settings(servers, 2);
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    for (int i = 0; i < 2; i++) {
        /* asked when it is whole, or while it arrives */
        struct mfx_scan_body *body = mfx_scan_body_new(1000, NULL);
        if (i == 0)
            mfx_scan_body_end(body);
        struct mfx_scan *scan = test_begin(arena, engine, body, 2000);
        if (i == 1) {
            (void)usleep(20000);
            mfx_scan_body_end(body);
        }
        const struct mfx_scan_result *r = test_finish(scan);
        assert_int_equal(r->end, MFX_SCAN_ANSWERED);
        assert_int_equal(r->tries, 2);
        assert_true(r->took_ms >= 1000);
        unit_assert_str("server", r->server, mfx_str_of(good.text));
        mfx_scan_body_free(body);
    }
    struct mfx_scan_server_report report;
    (void)mfx_scan_engine_report(engine, &report, 1, NULL);
    assert_int_equal(report.timeouts, 2);
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    mfx_scan_loop_free(loop);
    scan_peer_stop(&silent);
    scan_peer_stop(&good);
}

static void
another_server_is_asked(void **state)
{
    (void)state;
    struct mfx_scan_loop *loop = test_loop();
    struct scan_peer bad, good;
    scan_peer_start(&bad, serve_close, NULL, NULL);
    scan_peer_start(&good, serve_clean, NULL, NULL);
    struct mfx_scan_server servers[] = {
        {.address = MFX_STR("127.0.0.1:1")}, server_of(&bad), server_of(&good)};
    struct mfx_scan_engine_settings settings = test_settings(servers, 3);
    settings.max_failures = 100;
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    const struct mfx_scan_result *r = test_ask(arena, engine, "x", PATIENCE_MS);
    assert_int_equal(r->end, MFX_SCAN_ANSWERED);
    assert_int_equal(r->tries, 3);
    unit_assert_str("server", r->server, mfx_str_of(good.text));
    /* none left */
    scan_peer_stop(&good);
    r = test_ask(arena, engine, "x", PATIENCE_MS);
    assert_int_equal(r->end, MFX_SCAN_UNREACHED);
    assert_int_equal(r->tries, 3);
    assert_true(r->words.len > 0);
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    mfx_scan_loop_free(loop);
    scan_peer_stop(&bad);
}

static void
in_turn(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        enum mfx_scan_order order;
        unsigned want[3];
    } cases[] = {
        {"failover",    MFX_SCAN_FAILOVER,    {24, 0, 0}},
        {"round robin", MFX_SCAN_ROUND_ROBIN, {8, 8, 8} },
        {"by weight",   MFX_SCAN_WEIGHT,      {4, 16, 4}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_scan_loop *loop = test_loop();
        struct scan_peer peers[3];
        struct mfx_scan_server servers[3];
        for (int k = 0; k < 3; k++) {
            scan_peer_start(&peers[k], serve_clean, NULL, NULL);
            servers[k] = server_of(&peers[k]);
        }
        servers[1].weight = 4;
        struct mfx_scan_engine_settings settings = test_settings(servers, 3);
        settings.order = cases[i].order;
        struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
        struct mfx_arena *arena = mfx_arena_new(0);
        for (int k = 0; k < 24; k++)
            unit_assert_int(cases[i].label,
                            test_ask(arena, engine, "x", PATIENCE_MS)->end,
                            MFX_SCAN_ANSWERED);
        struct mfx_scan_server_report reports[3];
        assert_int_equal(mfx_scan_engine_report(engine, reports, 3, NULL), 3);
        for (int k = 0; k < 3; k++) {
            unit_assert_int(cases[i].label, atomic_load(&peers[k].asked),
                            cases[i].want[k]);
            unit_assert_int(cases[i].label, reports[k].answered,
                            cases[i].want[k]);
            unit_assert_int(cases[i].label, reports[k].in_use, 0);
        }
        mfx_arena_free(arena);
        mfx_scan_engine_free(engine);
        mfx_scan_loop_free(loop);
        for (int k = 0; k < 3; k++)
            scan_peer_stop(&peers[k]);
    }
}

static void
take_line(enum mfx_log_level level, struct mfx_str line, void *arg)
{
    (void)level;
    (void)line;
    atomic_fetch_add((atomic_uint *)arg, 1);
}

static void
wait_health(struct mfx_scan_engine *engine, enum mfx_scan_health want)
{
    struct mfx_scan_server_report report;
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    do {
        if (mfx_mono_ms() > until_ms)
            fail_msg("it is still not %s", mfx_scan_health_name(want));
        (void)usleep(2000);
        (void)mfx_scan_engine_report(engine, &report, 1, NULL);
    } while (report.health != want);
}

/* A dead server is asked three times, then no more until it greets back; then
 * slowly. */
static void
a_dead_server_is_left_alone(void **state)
{
    (void)state;
    struct mfx_scan_loop *loop = test_loop();
    struct scan_peer peer;
    atomic_bool is_well = false;
    atomic_uint lines = 0;
    mfx_log_redirect(take_line, &lines);
    scan_peer_start(&peer, serve_ill, &is_well, NULL);
    struct mfx_scan_server servers[] = {server_of(&peer)};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    settings.retry_ms = 100;
    settings.retry_max_ms = 200;
    settings.max_connections = 4;
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(test_ask(arena, engine, "x", PATIENCE_MS)->end,
                         MFX_SCAN_UNREACHED);
    uint64_t began_ms = mfx_mono_ms();
    const struct mfx_scan_result *r = test_ask(arena, engine, "x", PATIENCE_MS);
    assert_int_equal(r->end, MFX_SCAN_NOT_ASKED);
    assert_int_equal(r->tries, 0);
    assert_true(mfx_mono_ms() - began_ms < 1000);
    wait_for(&peer.count, 6); /* three questions, and greetings */
    struct mfx_scan_server_report report;
    (void)mfx_scan_engine_report(engine, &report, 1, NULL);
    assert_int_equal(report.health, MFX_SCAN_OUT);
    assert_int_equal(report.outages, 1);
    assert_int_equal(report.unreached, 3);
    assert_true(report.trouble[0] != '\0');
    atomic_store(&is_well, true);
    wait_health(engine, MFX_SCAN_RETURNING);
    (void)mfx_scan_engine_report(engine, &report, 1, NULL);
    assert_int_equal(report.allowed, 1);
    for (unsigned allowed = 2; allowed <= 4; allowed *= 2) {
        assert_int_equal(test_ask(arena, engine, "x", PATIENCE_MS)->end,
                         MFX_SCAN_ANSWERED);
        (void)mfx_scan_engine_report(engine, &report, 1, NULL);
        assert_int_equal(report.allowed, allowed);
    }
    assert_int_equal(report.health, MFX_SCAN_UP);
    assert_int_equal(atomic_load(&lines), 3); /* out, returning, back */
    mfx_log_redirect(NULL, NULL);
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    mfx_scan_loop_free(loop);
    scan_peer_stop(&peer);
}

static void
greetings(void **state)
{
    (void)state;
    struct mfx_scan_loop *loop = test_loop();
    struct scan_peer peer;
    scan_peer_start(&peer, serve_clean, NULL, NULL);
    struct mfx_scan_server servers[] = {server_of(&peer)};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    settings.check_ms = 30;
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    wait_for(&peer.count, 3);
    struct mfx_scan_server_report report;
    (void)mfx_scan_engine_report(engine, &report, 1, NULL);
    unit_assert_str("version", mfx_str_of(report.version),
                    mfx_str_of("ClamAV 1.4.6/27000/Sat Nov 21 10:00:00 2026"));
    assert_int_equal(report.health, MFX_SCAN_UP);
    assert_int_equal(report.asked, 0);
    mfx_scan_engine_free(engine);
    mfx_scan_loop_free(loop);
    scan_peer_stop(&peer);
}

/* --- limits --- */

static void
those_that_wait(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        unsigned max_requests, max_connections;
    } cases[] = {
        {"requests",    2, 0},
        {"connections", 0, 2},
    };
    enum {
        ASKED = 7,
        QUEUE = 4,
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_scan_loop *loop = test_loop();
        struct scan_peer peer;
        atomic_bool may_answer = false;
        scan_peer_start(&peer, serve_held, &may_answer, NULL);
        struct mfx_scan_server servers[] = {server_of(&peer)};
        struct mfx_scan_engine_settings settings = test_settings(servers, 1);
        settings.max_requests = cases[i].max_requests;
        settings.max_connections = cases[i].max_connections;
        settings.max_queue = QUEUE;
        struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
        struct mfx_arena *arena = mfx_arena_new(0);
        struct mfx_scan_body *body = test_body("x");
        struct mfx_scan *scans[ASKED];
        for (int k = 0; k < ASKED; k++)
            scans[k] = test_begin(arena, engine, body, PATIENCE_MS);
        const struct mfx_scan_result *r = test_finish(scans[ASKED - 1]);
        unit_assert_int(cases[i].label, r->end, MFX_SCAN_NOT_ASKED);
        wait_for(&peer.asked, 2);
        struct mfx_scan_load load;
        (void)mfx_scan_engine_report(engine, NULL, 0, &load);
        unit_assert_int(cases[i].label, load.running, 2);
        unit_assert_int(cases[i].label, load.queued, QUEUE);
        unit_assert_int(cases[i].label, load.turned_away, 1);
        unit_assert_int(cases[i].label, mfx_scan_cancel(scans[4])->end,
                        MFX_SCAN_CANCELLED);
        unit_assert_int(cases[i].label, atomic_load(&peer.asked), 2);
        atomic_store(&may_answer, true);
        for (int k = 0; k < ASKED - 1; k++)
            if (k != 4)
                unit_assert_int(cases[i].label, test_finish(scans[k])->end,
                                MFX_SCAN_ANSWERED);
        unit_assert_int(cases[i].label, atomic_load(&peer.asked), 5);
        mfx_scan_body_free(body);
        mfx_arena_free(arena);
        mfx_scan_engine_free(engine);
        mfx_scan_loop_free(loop);
        scan_peer_stop(&peer);
    }
}

static void
waits_in_vain(void **state)
{
    (void)state;
    struct mfx_scan_loop *loop = test_loop();
    struct scan_peer peer;
    atomic_bool may_answer = false;
    scan_peer_start(&peer, serve_held, &may_answer, NULL);
    struct mfx_scan_server servers[] = {server_of(&peer)};
    struct mfx_scan_engine_settings settings = test_settings(servers, 1);
    settings.max_requests = 1;
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_scan_body *body = test_body("x");
    struct mfx_scan *first = test_begin(arena, engine, body, PATIENCE_MS);
    wait_for(&peer.asked, 1);
    const struct mfx_scan_result *r = test_ask(arena, engine, "x", SHORT_MS);
    assert_int_equal(r->end, MFX_SCAN_TIMEOUT);
    assert_int_equal(r->tries, 0);
    /* that was not the server's fault */
    struct mfx_scan_server_report report;
    (void)mfx_scan_engine_report(engine, &report, 1, NULL);
    assert_int_equal(report.timeouts, 0);
    atomic_store(&may_answer, true);
    assert_int_equal(test_finish(first)->end, MFX_SCAN_ANSWERED);
    mfx_scan_body_free(body);
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    mfx_scan_loop_free(loop);
    scan_peer_stop(&peer);
}

static void
many_at_once(void **state)
{
    (void)state;
    enum {
        MANY = 200,
    };
    struct mfx_scan_loop *loop = test_loop();
    struct scan_peer peers[2];
    struct mfx_scan_server servers[2];
    for (int k = 0; k < 2; k++) {
        scan_peer_start(&peers[k], serve_clean, NULL, NULL);
        servers[k] = server_of(&peers[k]);
    }
    struct mfx_scan_engine_settings settings = test_settings(servers, 2);
    settings.order = MFX_SCAN_ROUND_ROBIN;
    settings.max_queue = MANY;
    struct mfx_scan_engine *engine = test_clamd(loop, &settings, NULL);
    struct mfx_arena *arena = mfx_arena_new(0);
    struct mfx_scan_body *body = mfx_scan_body_new(10000, NULL);
    struct mfx_scan *scans[MANY];
    char piece[5000] = "";
    for (int i = 0; i < MANY; i++) {
        scans[i] = test_begin(arena, engine, body, PATIENCE_MS);
        if (i % 10 == 0)
            mfx_scan_body_add(body, mfx_str(piece, sizeof piece));
    }
    mfx_scan_body_end(body);
    for (int i = 0; i < MANY; i++) {
        if (i % 7 == 3)
            (void)mfx_scan_cancel(scans[i]);
        else
            assert_int_equal(test_finish(scans[i])->end, MFX_SCAN_ANSWERED);
    }
    mfx_scan_body_free(body);
    mfx_arena_free(arena);
    mfx_scan_engine_free(engine);
    mfx_scan_loop_free(loop);
    for (int k = 0; k < 2; k++)
        scan_peer_stop(&peers[k]);
}

static void
wrong_settings(void **state)
{
    (void)state;
    static const struct {
        const char *label, *address;
        size_t count;
        unsigned max_failures;
    } cases[] = {
        {"no servers",    "127.0.0.1", 0,  3},
        {"too many",      "127.0.0.1", 33, 3},
        {"no address",    "",          1,  3},
        {"no breaker",    "127.0.0.1", 1,  0},
        {"bad port",      "[::1]:x",   1,  3},
        {"relative path", "unix:sock", 1,  3},
    };
    struct mfx_scan_loop *loop = test_loop();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mfx_scan_server servers[33];
        for (size_t k = 0; k < COUNT(servers); k++)
            servers[k] = (struct mfx_scan_server){
                .address = mfx_str_of(cases[i].address)};
        struct mfx_scan_engine_settings settings =
            test_settings(servers, cases[i].count);
        settings.max_failures = cases[i].max_failures;
        struct mfx_clamd_settings clamd = mfx_clamd_settings_default();
        struct mfx_scan_engine *engine = NULL;
        struct mfx_err err = {{0}};
        unit_assert_int(cases[i].label,
                        mfx_clamd_new(loop, &settings, &clamd, &engine, &err),
                        MFX_PERMFAIL);
        assert_true(err.msg[0] != '\0');
    }
    mfx_scan_loop_free(loop);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_arrives_as_it_is),
        cmocka_unit_test(it_is_sent_while_it_arrives),
        cmocka_unit_test(the_loop_ends_before_the_message),
        cmocka_unit_test(large_messages),
        cmocka_unit_test(what_cannot_be_kept),
        cmocka_unit_test(an_answer_that_does_not_come),
        cmocka_unit_test(an_engine_is_replaced),
        cmocka_unit_test(another_server_is_asked),
        cmocka_unit_test(a_silent_server),
        cmocka_unit_test(in_turn),
        cmocka_unit_test(a_dead_server_is_left_alone),
        cmocka_unit_test(greetings),
        cmocka_unit_test(those_that_wait),
        cmocka_unit_test(waits_in_vain),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(wrong_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
