/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Engines in the shadow answer when the message, and the policy that it had,
 * are long gone.
 */
#include "unit.h"

#include <mfx/base/clock.h>

#include "../../milters/score/shadow.h"
#include "../../milters/score/tally.h"
#include "scan_clamd.h"

/* Answers when the test lets it; what is said depends on the message. */
static void
serve(struct scan_peer *peer, int fd, unsigned number)
{
    char command[64];
    (void)number;
    while (clam_next(fd, command, sizeof command)) {
        struct mfx_buf body;
        mfx_buf_init(&body, 1 << 20);
        clam_stream(fd, &body);
        while (atomic_load(&peer->asked) == 0 && !scan_peer_sleep(peer, 5))
            continue;
        clam_say(fd, strstr(mfx_buf_text(&body), "bad") != NULL
                         ? "stream: Eicar FOUND"
                         : "stream: OK");
        mfx_buf_fini(&body);
    }
}

struct bench {
    struct scan_peer peer;
    struct mfx_scan_loop *loop;
    struct mfx_scan_engine *clamd;
    struct score_engine engine;
    struct score_engine_settings settings;
    struct score_profile profile;
    struct score_for recipient;
    struct score_tally *tally;
    struct score_shadows *list;
};

static void
set_up(struct bench *b)
{
    struct mfx_clamd_settings clamd = mfx_clamd_settings_default();
    memset(b, 0, sizeof *b);
    clamd.uses_sessions = false;
    scan_peer_start(&b->peer, serve, NULL, NULL);
    b->loop = test_loop();
    struct mfx_scan_server server = {mfx_str_of(b->peer.text), 1};
    struct mfx_scan_engine_settings settings = test_settings(&server, 1);
    settings.max_requests = 0;
    settings.max_queue = 2 * SCORE_SHADOWS_MAX;
    b->clamd = test_clamd(b->loop, &settings, &clamd);
    b->tally = score_tally_new(100);
    b->list = score_shadows_new();
    b->settings.scale = 1000;
    b->settings.on_class[MFX_SCAN_CLASS_VIRUS] = SCORE_ACTION_REJECT;
    b->engine = (struct score_engine){
        .name = MFX_STR("clamd"),
        .type = SCORE_ENGINE_CLAMD,
        .settings = &b->settings,
        .is_shadow = true,
        .takes_action = true,
        .engine = b->clamd,
        .tally = b->tally,
    };
    b->recipient.profile = &b->profile;
}

static void
tear_down(struct bench *b)
{
    score_shadows_free(b->list);
    score_tally_release(b->tally);
    mfx_scan_engine_free(b->clamd);
    mfx_scan_loop_free(b->loop);
    scan_peer_stop(&b->peer);
}

/* What the message's own engines found. */
static struct score_verdict
verdict(struct bench *b, enum score_action did, bool was_scanned)
{
    return (struct score_verdict){
        .recipients = &b->recipient,
        .recipient_count = 1,
        .done = {did,
                 did == SCORE_ACTION_NONE ? SCORE_CAUSE_NONE
                                          : SCORE_CAUSE_VIRUS,
                 NULL},
        .was_virus_scanned = was_scanned,
    };
}

/* A message comes, and goes, and its policy with it. */
static void
pass(struct bench *b, const char *text, const struct score_verdict *v,
     uint64_t time_ms)
{
    struct score_engine_settings settings = b->settings;
    struct score_engine engine = b->engine;
    struct score_run run = {.engine = &engine};
    struct mfx_scan_body *body = test_body(text);
    const struct mfx_scan_request request = {.body = body, .time_ms = time_ms};
    engine.settings = &settings;
    run.scan = score_shadow_begin(&run, &request);
    assert_non_null(run.scan);
    mfx_scan_body_free(body);
    score_shadow_leave(b->list, &run, v, mfx_str_of("4TQUEUE"), 1000);
    assert_null(run.scan);
    assert_null(run.shadow);
    memset(&settings, 0xff, sizeof settings);
    memset(&engine, 0xff, sizeof engine);
}

static uint64_t
seen(struct bench *b, struct score_tally_view *view)
{
    score_shadows_look(b->list);
    score_tally_look(b->tally, view);
    return view->agreed + view->harsher + view->milder + view->unanswered +
           view->alone;
}

static void
await(struct bench *b, uint64_t count, struct score_tally_view *view)
{
    uint64_t until_ms = mfx_mono_ms() + PATIENCE_MS;
    while (seen(b, view) < count && mfx_mono_ms() < until_ms)
        (void)scan_peer_sleep(&b->peer, 5);
    assert_int_equal(seen(b, view), count);
}

static void
late_answers(void **state)
{
    struct bench b;
    struct score_tally_view view;
    (void)state;
    set_up(&b);
    struct score_verdict clean = verdict(&b, SCORE_ACTION_NONE, true);
    struct score_verdict refused = verdict(&b, SCORE_ACTION_REJECT, true);
    struct score_verdict alone = verdict(&b, SCORE_ACTION_NONE, false);
    pass(&b, "good", &clean, PATIENCE_MS);
    pass(&b, "bad", &clean, PATIENCE_MS);
    pass(&b, "bad", &refused, PATIENCE_MS);
    pass(&b, "good", &refused, PATIENCE_MS);
    pass(&b, "bad", &alone, PATIENCE_MS);
    assert_int_equal(seen(&b, &view), 0); /* nobody has answered */
    atomic_store(&b.peer.asked, 1);
    await(&b, 5, &view);
    assert_int_equal(view.agreed, 2);
    assert_int_equal(view.harsher, 1);
    assert_int_equal(view.milder, 1);
    assert_int_equal(view.alone, 1);
    assert_int_equal(view.ends[MFX_SCAN_ANSWERED], 5);
    assert_int_equal(view.last_count, 2);
    assert_string_equal(view.last[0].queue_id, "4TQUEUE");
    tear_down(&b);
}

static void
no_answer(void **state)
{
    struct bench b;
    struct score_tally_view view;
    (void)state;
    set_up(&b);
    struct score_verdict clean = verdict(&b, SCORE_ACTION_NONE, true);
    pass(&b, "good", &clean, 50);
    await(&b, 1, &view);
    assert_int_equal(view.unanswered, 1);
    tear_down(&b);
}

/* Aborted mail is not compared, and nothing is left of it. */
static void
undecided(void **state)
{
    struct bench b;
    struct score_tally_view view;
    (void)state;
    set_up(&b);
    pass(&b, "bad", NULL, PATIENCE_MS);
    atomic_store(&b.peer.asked, 1);
    assert_int_equal(seen(&b, &view), 0);
    tear_down(&b);
}

/* More than may wait: the oldest go, unanswered. */
static void
too_many(void **state)
{
    struct bench b;
    struct score_tally_view view;
    (void)state;
    set_up(&b);
    struct score_verdict clean = verdict(&b, SCORE_ACTION_NONE, true);
    for (int i = 0; i <= SCORE_SHADOWS_MAX; i++)
        pass(&b, "good", &clean, PATIENCE_MS);
    assert_in_range(seen(&b, &view), 1, SCORE_SHADOWS_MAX);
    assert_true(view.unanswered > 0);
    tear_down(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_answers),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(undecided),
        cmocka_unit_test(too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
